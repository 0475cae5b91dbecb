/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/credentials.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "sys/syscalls.h"

enum { NAME_MAX_BYTES = 200 };
static const char place[] = "credentials";

/* systemd.exec(5): a file name of printable ASCII, without ':'. One that begins with a dot is what an editor left. */
static bool is_name(const char *s)
{
	size_t n = 0;
	while (s[n] > ' ' && s[n] < 0x7F && s[n] != '/' && s[n] != ':')
		n++;
	return n > 0 && n <= NAME_MAX_BYTES && !s[n] && s[0] != '.';
}

int credentials_check(const struct ve_create_opts *o, ve_error **ret_error)
{
	size_t bytes = 0;
	if (o->n_credentials > CREDENTIALS_MAX)
		return err_plain(ret_error, VE_ERR_USAGE, E2BIG, "credentials", "there are more than %d credentials", CREDENTIALS_MAX);
	for (size_t i = 0; i < o->n_credentials; i++) {
		const struct ve_credential *c = &o->credentials[i];
		_cleanup_free_ char *quoted = str_quote(c->id);
		if (!is_name(c->id))
			return err_plain(ret_error, VE_ERR_USAGE, EINVAL, "credentials",
					 "'%.80s' is no name of a credential: printable ASCII without blanks, '/' and ':', and no dot at its "
					 "beginning",
					 quoted ?: "");
		for (size_t k = 0; k < i; k++)
			if (str_eq(o->credentials[k].id, c->id))
				return err_plain(ret_error, VE_ERR_USAGE, EEXIST, "credentials", "the credential '%.80s' is given twice", quoted ?: "");
		bytes += c->n_bytes;
	}
	return bytes <= CREDENTIALS_MAX_BYTES ? 0 :
						err_plain(ret_error, VE_ERR_USAGE, E2BIG, "credentials",
							  "all credentials together have more than %d bytes", CREDENTIALS_MAX_BYTES);
}

int credentials_save(const struct ve *v, const struct ve_create_opts *o, ve_error **ret_error)
{
	if (o->n_credentials == 0)
		return 0;
	int r = mkdirat(v->dir_fd, place, 0700) < 0 ? -errno : 0;
	_cleanup_close_ int dir = r == 0 ? file_opendir(v->dir_fd, place) : -1;
	if (r == 0 && dir < 0)
		r = dir;
	for (size_t i = 0; r == 0 && i < o->n_credentials; i++)
		r = file_replace(dir, o->credentials[i].id, o->credentials[i].data, o->credentials[i].n_bytes, 0600, true);
	return r < 0 ? err_sys(ret_error, -r, "credentials", "cannot keep the credentials of '%s'", v->name) : 0;
}

/* ---- at a start ------------------------------------------------------------------------------------------------- */

static int make_tmpfs(void)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4m", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1k", 0) < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0500", 0) < 0)
		return -errno;
	/* Not written to swap, where the kernel knows how (6.4). */
	fsconfig(fs, FSCONFIG_SET_FLAG, "noswap", NULL, 0);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mnt = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return mnt < 0 ? -errno : mnt;
}

/* FROM's file NAME into TO, OWNER's alone; *LEFT is what may still come. */
static int copy_one(int from, const char *name, int to, uint32_t owner, size_t *left)
{
	_cleanup_free_ char *data = NULL;
	size_t n = 0;
	int r = file_read(from, name, *left, &data, &n);
	_cleanup_close_ int fd = r == 0 ? openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400) : -1;
	if (r == 0 && (fd < 0 || fchown(fd, owner, owner) < 0))
		r = -errno;
	if (r == 0)
		r = write_all(fd, data, n);
	if (data)
		explicit_bzero(data, n);
	*left -= n;
	return r;
}

static int copy_all(const struct ve *v, int from, int to, uint32_t owner, ve_error **ret_error)
{
	size_t left = CREDENTIALS_MAX_BYTES;
	DIR *d = fdopendir(fcntl(from, F_DUPFD_CLOEXEC, 3));
	int r = d ? 0 : err_sys(ret_error, errno, "credentials", "cannot read the credentials of '%s'", v->name);
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		if (!is_name(e->d_name))
			continue;
		int k = copy_one(from, e->d_name, to, owner, &left);
		_cleanup_free_ char *quoted = str_quote(e->d_name);
		if (k < 0)
			r = err_sys(ret_error, -k, "credentials", "cannot give '%s' the credential '%.80s'", v->name, quoted ?: "");
	}
	if (d)
		closedir(d);
	return r;
}

int credentials_adopt(const struct ve *v, int from_fd, ve_error **ret_error)
{
	_cleanup_close_ int from = file_opendir(from_fd, place);
	if (from == -ENOENT)
		return 0;
	int r = from < 0 ? from : mkdirat(v->dir_fd, place, 0700) < 0 ? -errno : 0;
	_cleanup_close_ int to = r == 0 ? file_opendir(v->dir_fd, place) : -1;
	if (r < 0 || to < 0)
		return err_sys(ret_error, r < 0 ? -r : -to, "credentials", "cannot take over the credentials of '%s'", v->name);
	return copy_all(v, from, to, 0, ret_error);
}

int credentials_mount(const struct ve *v, uint32_t owner, int *ret_mount, ve_error **ret_error)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	*ret_mount = -1;
	_cleanup_close_ int from = v->dir_fd >= 0 ? file_opendir(v->dir_fd, place) : -ENOENT;
	if (from == -ENOENT)
		return 0;
	_cleanup_close_ int mnt = from < 0 ? from : make_tmpfs();
	if (mnt < 0)
		return err_sys(ret_error, -mnt, "credentials", "cannot make the directory of the credentials of '%s'", v->name);
	int r = copy_all(v, from, mnt, owner, ret_error);
	if (r < 0)
		return r;
	if (fchownat(mnt, "", owner, owner, AT_EMPTY_PATH) < 0 || mount_setattr(mnt, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
		return err_sys(ret_error, errno, "credentials", "cannot make the directory of the credentials of '%s'", v->name);
	*ret_mount = steal_fd(&mnt);
	return 0;
}
