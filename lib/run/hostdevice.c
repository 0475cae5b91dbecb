/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/hostdevice.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"

/* Which device it is: numbers that are fixed (Documentation/admin-guide/devices.txt of the kernel), and for those that are not,
 * the class that sysfs has it in, and its name there. */
struct kind {
	char type;
	unsigned major, minor;
	char class[32], name[64];
};

/* In order: the first that matches is what is said. Left out are devices that a VE may misuse, but not for the host as a whole:
 * keyboards and sound can be listened to, graphics cards and /dev/kvm have large drivers. */
static const struct {
	char type;
	unsigned major, first, last; /* minors */
	const char *class, *name;    /* instead of numbers; a name NULL: all of the class */
	const char *what;
} never[] = {
	{ 'c', 1, 1, 2, NULL, NULL, "the host's memory" },
	{ 'c', 1, 4, 4, NULL, NULL, "the host's I/O ports" },
	{ 'c', 1, 11, 11, NULL, NULL, "the host's kernel log" },
	{ 'c', 1, 0, UINT_MAX, NULL, NULL, "what every VE has, or none" },
	{ 'c', 4, 0, 63, NULL, NULL, "a terminal of the host's" },
	{ 'c', 5, 1, 1, NULL, NULL, "the host's console" },
	{ 'c', 5, 3, 3, NULL, NULL, "the host's kernel log" },
	{ 'c', 5, 0, UINT_MAX, NULL, NULL, "what every VE has, or none" },
	{ 'c', 7, 0, UINT_MAX, NULL, NULL, "what is on the host's terminals" },
	{ 'c', 10, 130, 130, NULL, NULL, "a watchdog, which restarts the host" },
	{ 'c', 10, 144, 144, NULL, NULL, "the host's firmware settings" },
	{ 'c', 10, 184, 184, NULL, NULL, "the processors' microcode" },
	{ 'c', 10, 200, 200, NULL, NULL, "what features.tun gives" },
	{ 'c', 10, 203, 203, NULL, NULL, "the maker of devices, on the host" },
	{ 'c', 10, 223, 223, NULL, NULL, "a keyboard, to type on the host" },
	{ 'c', 10, 224, 224, NULL, NULL, "the host's TPM" },
	{ 'c', 10, 229, 229, NULL, NULL, "what features.fuse gives" },
	{ 'c', 10, 231, 231, NULL, NULL, "an image of the host's memory" },
	{ 'c', 10, 234, 234, NULL, NULL, "the host's file systems" },
	{ 'c', 10, 235, 235, NULL, NULL, "the host's file systems" },
	{ 'c', 10, 236, 236, NULL, NULL, "the host's disks" },
	{ 'c', 10, 237, 237, NULL, NULL, "the host's disks" },
	{ 'c', 10, 239, 239, NULL, NULL, "a keyboard, to type on the host" },
	{ 'c', 29, 0, UINT_MAX, NULL, NULL, "the host's screen" },
	{ 'c', 128, 0, UINT_MAX, NULL, NULL, "somebody's terminal" },
	{ 'c', 136, 0, UINT_MAX, NULL, NULL, "somebody's terminal" },
	{ 'c', 202, 0, UINT_MAX, NULL, NULL, "the processors' registers" },
	{ 'b', 7, 0, UINT_MAX, NULL, NULL, "a loop device, as VEs' disks are" },
	{ 0, 0, 0, 0, "misc", "userfaultfd", "a hold on the kernel's own page faults" },
	{ 0, 0, 0, 0, "watchdog", NULL, "a watchdog, which restarts the host" },
	{ 0, 0, 0, 0, "tpm", NULL, "the host's TPM" },
	{ 0, 0, 0, 0, "tpmrm", NULL, "the host's TPM" },
	{ 0, 0, 0, 0, "mtd", NULL, "flash memory, the host's firmware perhaps" },
	{ 0, 0, 0, 0, "uio", NULL, "hardware that reaches the host's memory" },
	{ 0, 0, 0, 0, "misc", "userio", "a keyboard, to type on the host" },
	{ 0, 0, 0, 0, "ipmi", NULL, "the host's management controller" },
	{ 0, 0, 0, 0, "mei", NULL, "the host's management controller" },
	{ 0, 0, 0, 0, "i2c-dev", NULL, "the buses of the host's board" },
	{ 0, 0, 0, 0, "spidev", NULL, "the buses of the host's board" },
	/* A disk that is in use is refused, and these go past the place where that is known. */
	{ 0, 0, 0, 0, "scsi_generic", NULL, "a way to a disk past its users" },
	{ 0, 0, 0, 0, "bsg", NULL, "a way to a disk past its users" },
	{ 0, 0, 0, 0, "nvme", NULL, "a way to a disk past its users" },
	{ 0, 0, 0, 0, "nvme-generic", NULL, "a way to a disk past its users" },
};

/* The last name of what LINK leads to; "": it is none. */
static void last_name(const char *link, char *ret, size_t size)
{
	char to[PATH_MAX];
	ssize_t n = readlink(link, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	const char *slash = strrchr(to, '/');
	snprintf(ret, size, "%.*s", (int)size - 1, slash ? slash + 1 : to);
}

static struct kind kind_of(const struct stat *st)
{
	struct kind k = { .type = S_ISBLK(st->st_mode) ? 'b' : 'c', .major = major(st->st_rdev), .minor = minor(st->st_rdev) };
	char device[64], class[96];
	snprintf(device, sizeof(device), "/sys/dev/%s/%u:%u", k.type == 'b' ? "block" : "char", k.major, k.minor);
	snprintf(class, sizeof(class), "%s/subsystem", device);
	last_name(device, k.name, sizeof(k.name));
	last_name(class, k.class, sizeof(k.class));
	return k;
}

static const char *why_never(const struct kind *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		bool by_class = never[i].class && str_eq(k->class, never[i].class) && (!never[i].name || str_eq(k->name, never[i].name));
		bool by_number = never[i].type == k->type && never[i].major == k->major && k->minor >= never[i].first &&
				 k->minor <= never[i].last;
		if (by_class || by_number)
			return never[i].what;
	}
	return NULL;
}

/* An exclusive user of the whole disk, of one of its parts, or of what it is a part of keeps another from becoming one. */
static int check_unused(const char *path, ve_error **ret_error)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		return 0;
	if (errno != EBUSY)
		return err_sys(ret_error, errno, "devices", "cannot open '%s'", path);
	int r = err_plain(ret_error, VE_ERR_BUSY, EBUSY, "devices", "cannot give '%s' to a VE: the host uses it, or a part of it", path);
	err_hint(ret_error, "it is mounted, swapped to, or part of a volume or an array: lsblk '%s' shows it", path);
	return r;
}

static int not_there(const char *path, int errnum, ve_error **ret_error)
{
	if (errnum != ENOENT && errnum != ENOTDIR)
		return err_sys(ret_error, errnum, "devices", "cannot look at '%s'", path);
	int r = err_plain(ret_error, VE_ERR_NOT_FOUND, errnum, "devices", "the device '%s' is not there", path);
	err_hint(ret_error, "is it plugged in, and its driver loaded?");
	return r;
}

int hostdevice_find(const struct devicespec *spec, struct hostdevice *ret, ve_error **ret_error)
{
	struct stat st;
	if (stat(spec->path, &st) < 0)
		return not_there(spec->path, errno, ret_error);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "devices", "'%s' is no device", spec->path);
	const struct kind k = kind_of(&st);
	const char *what = why_never(&k);
	if (what)
		return err_plain(ret_error, VE_ERR_CONFIG, EPERM, "devices", "cannot give '%s' to a VE: it is %s", spec->path, what);
	int r = k.type == 'b' ? check_unused(spec->path, ret_error) : 0;
	if (r < 0)
		return r;
	ret->rule = (struct cg_device){ .type = k.type, .major = k.major, .minor = k.minor, .readonly = spec->readonly };
	ret->mode = st.st_mode & (S_IFMT | (spec->readonly ? 0444 : 0666));
	return 0;
}

int hostdevices_check(const struct config *old, const struct config *c, ve_error **ret_error)
{
	const json_t *before = old ? config_list(old, "devices") : NULL;
	size_t i;
	json_t *e;
	int r = 0;
	json_array_foreach(config_list(c, "devices"), i, e)
	{
		struct devicespec spec;
		struct hostdevice device;
		if (r < 0 || config_list_has(before, json_string_value(e)))
			continue;
		r = devicespec_parse(json_string_value(e), &spec, ret_error);
		if (r == 0)
			r = hostdevice_find(&spec, &device, ret_error);
	}
	return r;
}
