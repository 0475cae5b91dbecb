/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * No apt source syntax is parsed: every word of every line that is not a comment and looks like a URI is one,
 * in "deb [..] URI suite", in "URIs: URI URI" and in mirror lists alike. Stanzas with "Enabled: no" are thereby
 * read too, which does no harm: it is the host's own mirror all the same.
 */
#include "run/apt_mirrors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

enum { SOURCES_MAX_BYTES = 1 << 20, URI_MAX = 1024 };

void apt_mirrors_done(struct apt_mirrors *m)
{
	free(m->main);
	free(m->security);
	*m = (struct apt_mirrors){};
}

bool apt_mirror_is_good(const char *uri)
{
	static const char *const schemes[] = { "http://", "https://", "file:/", "copy:/" };
	bool known = false;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		known |= str_starts(uri, schemes[i]);
	if (!known || strlen(uri) > URI_MAX)
		return false;
	for (const char *p = uri; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("\"'`\\[](){}<>|;&$#!@?*", *p))
			return false;
	return true;
}

/* Whether the path of URI has the component NAME. */
static bool has_component(const char *uri, const char *name)
{
	const char *p = strstr(uri, "://");
	p = p ? strchr(p + 3, '/') : NULL;
	for (size_t n = strlen(name); p; p = strchr(p + 1, '/'))
		if (strncmp(p + 1, name, n) == 0 && (!p[1 + n] || p[1 + n] == '/'))
			return true;
	return false;
}

static int take(struct apt_mirrors *m, const char *uri)
{
	char **place = has_component(uri, "debian-security") ? &m->security
		       : has_component(uri, "debian")	     ? &m->main
							     : NULL;
	/* Only what an image can reach by itself: file: and copy: are the host's own disk. */
	if (!place || *place || str_starts(uri, "file:") || str_starts(uri, "copy:") || !apt_mirror_is_good(uri))
		return 0;
	*place = strdup(uri);
	if (!*place)
		return -ENOMEM;
	size_t n = strlen(*place);
	while (n > 0 && (*place)[n - 1] == '/')
		(*place)[--n] = '\0';
	return 0;
}

static int take_word(struct apt_mirrors *m, const char *word, char ***ret_lists)
{
	static const char list[] = "mirror+file:";
	if (!str_starts(word, list))
		return take(m, word);
	const char *path = word + strlen(list);
	while (path[0] == '/' && path[1] == '/')
		path++;
	return ret_lists && path[0] == '/' ? strv_add(ret_lists, path) : 0;
}

int apt_mirrors_from_text(struct apt_mirrors *m, const char *text, char ***ret_lists)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	int r = lines || !*text ? 0 : -ENOMEM;
	for (char **line = lines; line && *line && r == 0; line++) {
		(*line)[strcspn(*line, "#")] = '\0';
		_cleanup_strv_ char **words = strv_split(*line, " \t\r");
		for (char **word = words; word && *word && r == 0; word++)
			r = take_word(m, *word, ret_lists);
	}
	return r;
}

/* ---- the host --------------------------------------------------------------------------------------- */

static int read_source(int dir_fd, const char *path, struct apt_mirrors *m, char ***lists)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read(dir_fd, path, SOURCES_MAX_BYTES, &text, NULL);
	return r == 0 ? apt_mirrors_from_text(m, text, lists) : r == -ENOMEM ? r : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* *.list and *.sources, in apt's order. */
static int read_parts(int dir_fd, struct apt_mirrors *m, char ***lists)
{
	_cleanup_closedir_ DIR *dir = fdopendir(fcntl(dir_fd, F_DUPFD_CLOEXEC, 3));
	_cleanup_strv_ char **names = NULL;
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (e->d_name[0] != '.' && (str_ends(e->d_name, ".list") || str_ends(e->d_name, ".sources")) &&
		    strv_add(&names, e->d_name) < 0)
			return -ENOMEM;
	size_t n = strv_length((const char *const *)names);
	if (n > 0)
		qsort(names, n, sizeof(*names), by_name);
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = read_source(dir_fd, names[i], m, lists);
	return r;
}

int apt_mirrors_of_host(int root_fd, struct apt_mirrors *m)
{
	_cleanup_strv_ char **lists = NULL;
	int r = read_source(root_fd, "etc/apt/sources.list", m, &lists);
	_cleanup_close_ int parts = file_opendir(root_fd, "etc/apt/sources.list.d");
	if (r == 0 && parts >= 0)
		r = read_parts(parts, m, &lists);
	for (char **list = lists; list && *list && r == 0; list++)
		r = read_source(root_fd, *list + 1, m, NULL);
	return r;
}
