/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of `vectl check` for the modules that VEs need and cannot load: one for each group of templates/modules/vectl.conf. A
 * module is there when it is loaded or built in. Which are built in is in a file beside the modules; a kernel without one (all
 * in one piece) cannot be asked by a module's name, and is said to be so.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

enum { LIST_MAX_BYTES = 64 * 1024, BUILTIN_MAX_BYTES = 1024 * 1024 };

struct group {
	char *feature, *needed_by;
	struct strbuf missing;
	unsigned n_missing;
};

struct known {
	char *builtin; /* modules.builtin of the running kernel, NULL: there is none */
	net_check_fn fn;
	void *data;
};

static bool is_loaded(const char *module)
{
	char path[128];
	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return access(path, F_OK) == 0;
}

/* Lines are like "kernel/net/netfilter/nf_tables.ko". */
static bool is_built_in(const struct known *k, const char *module)
{
	char name[96];
	snprintf(name, sizeof(name), "/%s.ko\n", module);
	return k->builtin && strstr(k->builtin, name);
}

static void finish(const struct known *k, struct group *g)
{
	if (g->feature) {
		_cleanup_free_ char *missing = strbuf_steal(&g->missing);
		_cleanup_free_ char *detail =
			g->n_missing == 0 ? str_printf("for %s", g->needed_by)
			: k->builtin	  ? str_printf("for %s; not loaded: %s", g->needed_by, missing ? missing : "")
					  : str_printf("for %s; cannot be told: the kernel has no list of what is built in", g->needed_by);
		bool present = g->n_missing == 0 || !k->builtin;
		k->fn(g->feature, present, detail ? detail : "",
		      present ? NULL : "load them: systemctl restart systemd-modules-load, or modprobe -a NAME...", k->data);
	}
	free(g->feature);
	free(g->needed_by);
	strbuf_done(&g->missing);
	*g = (struct group){ 0 };
}

/* "WORD | who needs it" */
static void begin(struct group *g, char *text)
{
	char *bar = strchr(text, '|');
	if (!bar)
		return;
	*bar++ = '\0';
	g->feature = strndup(text, strcspn(text, " "));
	g->needed_by = strdup(bar + strspn(bar, " "));
}

static void read_line(const struct known *k, struct group *g, char *line)
{
	line += strspn(line, " \t");
	if (str_starts(line, "#:")) {
		finish(k, g);
		begin(g, line + 2 + strspn(line + 2, " "));
		return;
	}
	line[strcspn(line, " \t\r")] = '\0';
	if (*line == '#' || *line == ';' || *line == '\0' || is_loaded(line) || is_built_in(k, line))
		return;
	strbuf_addf(&g->missing, "%s%s", g->n_missing ? " " : "", line);
	g->n_missing++;
}

void modules_check(const char *list_path, const char *modules_dir, net_check_fn fn, void *data)
{
	struct known k = { .fn = fn, .data = data };
	struct group g = { 0 };
	struct utsname u;
	_cleanup_free_ char *text = NULL, *path = NULL;
	if (file_read(AT_FDCWD, list_path, LIST_MAX_BYTES, &text, NULL) < 0 || uname(&u) < 0)
		return;
	path = str_printf("%s/%s/modules.builtin", modules_dir, u.release);
	if (!path || file_read(AT_FDCWD, path, BUILTIN_MAX_BYTES, &k.builtin, NULL) < 0)
		k.builtin = NULL;
	char *rest = text, *line;
	while ((line = strsep(&rest, "\n")))
		read_line(&k, &g, line);
	finish(&k, &g);
	free(k.builtin);
}
