/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template.h"

#include <dirent.h>
#include <fcntl.h>
#include <sha2.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/jsontext.h"

void template_free(struct template *t)
{
	if (!t)
		return;
	free(t->name);
	free(t->path);
	free(t->description);
	free(t->extends);
	free(t->digest);
	config_free(t->keys);
	free(t);
}

void template_freep(struct template **t)
{
	template_free(*t);
}

/* The files that lead to one that is being read, from it upwards. */
struct chain {
	const char *path, *name;
	const struct chain *up;
	unsigned depth;
};

static int open_below(const char *const *dirs, const char *name, const struct chain *up, struct template **ret_template,
		      ve_error **ret_error);

/* T gets the keys that it has from what it extends, and a digest that changes with that, too. */
static int extend(const char *const *dirs, struct template *t, const struct chain *up, ve_error **ret_error)
{
	const struct chain here = { .path = t->path, .name = t->name, .up = up, .depth = up ? up->depth + 1 : 1 };
	_cleanup_template_ struct template *base = NULL;
	int r = open_below(dirs, t->extends, &here, &base, ret_error);
	if (r == 0)
		r = config_merge(base->keys, t->keys, ret_error);
	if (r < 0)
		return r;
	struct config *own = t->keys;
	t->keys = base->keys;
	base->keys = own;
	_cleanup_free_ char *both = str_printf("%s\n%s\n", t->digest, base->digest);
	if (!both)
		return err_nomem(ret_error);
	SHA256Data((const uint8_t *)both, strlen(both), t->digest);
	return 0;
}

/* config_check_whole() is not asked: "routed" without an address is a good template, the address comes at
 * create. */
static int load(const char *const *dirs, const char *path, const char *name, const struct chain *up,
		struct template **ret_template, ve_error **ret_error)
{
	_cleanup_template_ struct template *t = calloc(1, sizeof(*t));
	_cleanup_free_ char *text = NULL, *what = str_quote(path);
	size_t size;
	if (!t || !what || !(t->name = strdup(name)) || !(t->path = strdup(path)) ||
	    !(t->digest = malloc(SHA256_DIGEST_STRING_LENGTH)))
		return err_nomem(ret_error);
	int r = jsontext_read(AT_FDCWD, path, what, CONFIG_MAX_BYTES, &text, &size, ret_error);
	if (r == 0)
		r = config_parse_template(text, size, what, &t->description, &t->extends, &t->keys, ret_error);
	if (r < 0)
		return r;
	SHA256Data((const uint8_t *)text, size, t->digest);
	if (t->extends)
		r = extend(dirs, t, up, ret_error);
	if (r < 0)
		return r;
	*ret_template = steal_ptr(&t);
	return 0;
}

int template_open_file(const char *const *dirs, const char *path, struct template **ret_template, ve_error **ret_error)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t n = strlen(base);
	_cleanup_free_ char *name = strndup(base, str_ends(base, ".json") ? n - strlen(".json") : n);
	return name ? load(dirs, path, name, NULL, ret_template, ret_error) : err_nomem(ret_error);
}

static int compare_names(const void *a, const void *b)
{
	return str_natural_cmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the templates of all directories, each once, in natural order; directories that are missing or
 * closed to us hold none. */
static int names_add(const char *dir_path, char ***names)
{
	_cleanup_closedir_ DIR *dir = opendir(dir_path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (!str_ends(e->d_name, ".json"))
			continue;
		_cleanup_free_ char *name = strndup(e->d_name, strlen(e->d_name) - strlen(".json"));
		if (!name)
			return -ENOMEM;
		bool known = false;
		for (char **n = *names; n && *n && !known; n++)
			known = str_eq(*n, name);
		if (!known && name_check("template", name, NULL) == 0 && strv_add(names, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int names_all(const char *const *dirs, char ***ret_names)
{
	_cleanup_strv_ char **names = calloc(1, sizeof(char *));
	if (!names)
		return -ENOMEM;
	for (const char *const *d = dirs; *d; d++)
		if (names_add(*d, &names) < 0)
			return -ENOMEM;
	qsort(names, strv_length((const char *const *)names), sizeof(*names), compare_names);
	*ret_names = steal_ptr(&names);
	return 0;
}

static int not_found(const char *const *dirs, const char *name, ve_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	int r = err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, "template", "there is no template '%s'", name);
	if (names_all(dirs, &names) < 0)
		return r;
	for (char **n = names; *n; n++)
		if (str_distance(name, *n, 2) <= 2)
			err_hint(ret_error, "did you mean '%s'?", *n);
	return r;
}

/* Is the file at PATH one of those that lead to it? */
static int check_chain(const char *name, const char *path, const struct chain *up, ve_error **ret_error)
{
	if (up && up->depth >= TEMPLATE_CHAIN_MAX)
		return err_plain(ret_error, VE_ERR_CONFIG, ELOOP, "template", "'%s': extends '%s', which is more than %d templates deep",
				 up->path, name, TEMPLATE_CHAIN_MAX);
	for (const struct chain *c = up; c; c = c->up)
		if (str_eq(c->path, path))
			return err_plain(ret_error, VE_ERR_CONFIG, ELOOP, "template", "'%s': extends '%s', which is in a circle: that leads back to it",
					 up->path, name);
	return 0;
}

static int open_below(const char *const *dirs, const char *name, const struct chain *up, struct template **ret_template,
		      ve_error **ret_error)
{
	for (const char *const *d = dirs; *d; d++) {
		_cleanup_free_ char *path = str_printf("%s/%s.json", *d, name);
		if (!path)
			return err_nomem(ret_error);
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		int r = check_chain(name, path, up, ret_error);
		return r < 0 ? r : load(dirs, path, name, up, ret_template, ret_error);
	}
	int r = not_found(dirs, name, ret_error);
	if (up)
		err_wrap(ret_error, "'%s': cannot be extended", up->path);
	return r;
}

int template_open(const char *const *dirs, const char *name, struct template **ret_template, ve_error **ret_error)
{
	int r = name_check("template", name, ret_error);
	return r < 0 ? r : open_below(dirs, name, NULL, ret_template, ret_error);
}

/* A damaged template does not hide the others: its entry says what is wrong with it. */
static json_t *entry(const char *const *dirs, const char *name)
{
	_cleanup_template_ struct template *t = NULL;
	_cleanup_err_ ve_error *error = NULL;
	if (template_open(dirs, name, &t, &error) < 0)
		return json_pack("{s:s, s:s, s:n, s:n, s:s}", "name", name, "description", "", "path", "digest",
				 "error", ve_error_message(error));
	return json_pack("{s:s, s:s, s:s, s:s, s:n}", "name", t->name, "description", t->description, "path",
			 t->path, "digest", t->digest, "error");
}

int template_list(const char *const *dirs, json_t **ret_array, ve_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	json_t *array = json_array();
	if (!array || names_all(dirs, &names) < 0) {
		json_decref(array);
		return err_nomem(ret_error);
	}
	for (char **n = names; *n; n++) {
		if (json_array_append_new(array, entry(dirs, *n)) == 0)
			continue;
		json_decref(array);
		return err_nomem(ret_error);
	}
	*ret_array = array;
	return 0;
}
