/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree from the host's own static busybox: the program, and a link for each command it says it has. No
 * network. */
#include "run/builders.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/str.h"
#include "run/image_tree.h"
#include "run/program.h"

static const char stage[] = "build";

static int not_static(const char *path, ve_error **ret_error)
{
	int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOEXEC, stage,
			  "'%s' is no statically linked program for amd64", path);
	err_hint(ret_error, "install the package: apt install busybox-static");
	return r;
}

/* In a tree of its own a program that asks for an interpreter could not be run. */
static int check_static(int fd, const char *path, ve_error **ret_error)
{
	Elf64_Ehdr header;
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_machine != EM_X86_64 || header.e_phentsize != sizeof(Elf64_Phdr))
		return not_static(path, ret_error);
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;
		off_t offset = (off_t)(header.e_phoff + i * sizeof(segment));
		if (pread(fd, &segment, sizeof(segment), offset) != sizeof(segment) || segment.p_type == PT_INTERP)
			return not_static(path, ret_error);
	}
	return 0;
}

static int open_busybox(const char **ret_path, int *ret_fd, ve_error **ret_error)
{
	static const char *const places[] = { "/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox" };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int fd = open(places[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		int r = check_static(fd, places[i], ret_error);
		if (r < 0)
			return r;
		*ret_path = places[i];
		*ret_fd = steal_fd(&fd);
		return 0;
	}
	int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, stage, "there is no busybox on this host");
	err_hint(ret_error, "install the package: apt install busybox-static");
	return r;
}

struct busybox {
	char *version;
	char **applets; /* "bin/ls" */
};

/* "BusyBox v1.35.0 (Debian ...) multi-call binary." */
static void version_line(const char *line, void *data)
{
	struct busybox *b = data;
	static const char start[] = "BusyBox v";
	if (!b->version && str_starts(line, start))
		b->version = strndup(line + strlen(start), strspn(line + strlen(start), "0123456789."));
}

static void applet_line(const char *line, void *data)
{
	struct busybox *b = data;
	if (line[0] != '/' && !strstr(line, "..") && strchr(line, '/'))
		strv_add(&b->applets, line);
}

static int ask_busybox(struct ve_ctx *ctx, const char *path, struct busybox *b, ve_error **ret_error)
{
	const char *const help[] = { path, NULL }, *const list[] = { path, "--list-full", NULL };
	struct program p = { .argv = help, .cancel_fd = ctx->cancel_fd, .line = version_line, .data = b };
	int status;
	int r = program_run(&p, &status, ret_error);
	if (r < 0)
		return r;
	p.argv = list;
	p.line = applet_line;
	r = program_run(&p, &status, ret_error);
	if (r < 0)
		return r;
	if (!b->version || !*b->version || !b->applets)
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOEXEC, stage,
				 "'%s' does not answer like a busybox", path);
	return 0;
}

static int copy_program(int from_fd, int root_fd, const char *path, ve_error **ret_error)
{
	struct stat st;
	if (fstat(from_fd, &st) < 0 || st.st_size > (64 << 20))
		return err_sys(ret_error, errno ?: EFBIG, stage, "cannot read busybox");
	_cleanup_free_ char *data = malloc((size_t)st.st_size);
	if (!data)
		return err_nomem(ret_error);
	ssize_t n = pread(from_fd, data, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return err_sys(ret_error, n < 0 ? errno : EIO, stage, "cannot read busybox");
	return image_tree_write(root_fd, path, data, (size_t)st.st_size, 0755, ret_error);
}

static int link_applets(int root_fd, char **applets, ve_error **ret_error)
{
	int r = 0;
	for (char **a = applets; a && *a && r == 0; a++) {
		if (str_eq(*a, "bin/busybox"))
			continue;
		_cleanup_free_ char *path = str_printf("/%s", *a);
		r = path ? image_tree_link(root_fd, path, "/bin/busybox", ret_error) : err_nomem(ret_error);
	}
	return r;
}

int build_busybox(struct ve_ctx *ctx, const struct recipe *recipe, int root_fd, const char *root_path,
		  char **ret_version, ve_error **ret_error)
{
	const char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct busybox b = {};
	int r = open_busybox(&path, &fd, ret_error);
	if (r == 0)
		r = ask_busybox(ctx, path, &b, ret_error);
	if (r == 0)
		r = copy_program(fd, root_fd, "/bin/busybox", ret_error);
	if (r == 0)
		r = link_applets(root_fd, b.applets, ret_error);
	strv_free(b.applets);
	if (r < 0) {
		free(b.version);
		return r;
	}
	*ret_version = b.version;
	return 0;
}
