/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "model/name.h"

static const char stage[] = "image";

void image_free(struct image *image)
{
	if (!image)
		return;
	free(image->name);
	free(image->digest);
	free(image->distribution);
	free(image->version);
	free(image->architecture);
	free(image->init);
	free(image->init_system);
	json_decref(image->doc);
	free(image);
}

void image_freep(struct image **image)
{
	image_free(*image);
	*image = NULL;
}

bool image_is_digest(const char *s)
{
	return s && strlen(s) == IMAGE_DIGEST_LENGTH && strspn(s, "0123456789abcdef") == IMAGE_DIGEST_LENGTH;
}

/* ---- signals --------------------------------------------------------------------------------------- */

static int parse_number(const char *s, int max)
{
	if (!*s || strlen(s) > 3 || strspn(s, "0123456789") != strlen(s))
		return -EINVAL;
	int n = atoi(s);
	return n <= max ? n : -EINVAL;
}

int image_parse_signal(const char *name)
{
	int number = parse_number(name, SIGRTMAX);
	if (number > 0)
		return number;
	if (number == 0 || !str_starts(name, "SIG"))
		return -EINVAL;
	name += strlen("SIG");
	if (str_eq(name, "RTMIN"))
		return SIGRTMIN;
	if (str_starts(name, "RTMIN+")) {
		number = parse_number(name + strlen("RTMIN+"), SIGRTMAX - SIGRTMIN);
		return number < 0 ? -EINVAL : SIGRTMIN + number;
	}
	for (int i = 1; i < SIGRTMIN; i++)
		if (str_eq(sigabbrev_np(i), name))
			return i;
	return -EINVAL;
}

/* ---- image.json ------------------------------------------------------------------------------------ */

/* The fields of image.json. Strings are short words without control characters: they are printed and compared. */
static const struct field {
	const char *key;
	size_t offset; /* in struct image, of a char * */
	bool in_digest, may_be_null;
} fields[] = {
	{ "name", offsetof(struct image, name), false, false },
	{ "digest", offsetof(struct image, digest), false, false },
	{ "distribution", offsetof(struct image, distribution), true, false },
	{ "version", offsetof(struct image, version), true, false },
	{ "architecture", offsetof(struct image, architecture), true, false },
	{ "init", offsetof(struct image, init), true, true },
	{ "init_system", offsetof(struct image, init_system), true, false },
};

static int bad(const char *what, ve_error **ret_error, const char *key, const char *expected)
{
	return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage, "%s: '%s' must be %s", what, key, expected);
}

static bool is_word(const char *s, size_t length)
{
	if (length == 0 || length > 255 || strlen(s) != length)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static int take_field(struct image *image, const struct field *f, const char *what, ve_error **ret_error)
{
	const json_t *value = json_object_get(image->doc, f->key);
	if (f->may_be_null && (!value || json_is_null(value)))
		return 0;
	if (!json_is_string(value) || !is_word(json_string_value(value), json_string_length(value)))
		return bad(what, ret_error, f->key, f->may_be_null ? "a short string or null" : "a short string");
	char *copy = strdup(json_string_value(value));
	if (!copy)
		return err_nomem(ret_error);
	*(char **)(void *)((char *)image + f->offset) = copy;
	return 0;
}

/* INIT is handed to execve(2) in the VE after pivot_root, so that it cannot reach out; still, "/../x" is
 * nobody's init. */
static bool is_plain_path(const char *path)
{
	if (path[0] != '/' || !path[1] || str_ends(path, "/"))
		return false;
	for (const char *p = path; p; p = strchr(p + 1, '/'))
		if (p[1] == '/' || strcmp(p, "/..") == 0 || strncmp(p, "/../", 4) == 0 || strcmp(p, "/.") == 0 ||
		    strncmp(p, "/./", 3) == 0)
			return false;
	return true;
}

static int check_init(struct image *image, const char *what, ve_error **ret_error)
{
	static const char *const systems[] = { "systemd", "sysv", "busybox", "none" };
	bool known = false;
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		known |= str_eq(image->init_system, systems[i]);
	if (!known)
		return bad(what, ret_error, "init_system", "systemd, sysv, busybox or none");
	if (!image->init != str_eq(image->init_system, "none"))
		return bad(what, ret_error, "init", "null exactly where init_system is none");
	if (image->init && !is_plain_path(image->init))
		return bad(what, ret_error, "init", "an absolute path without '.' and '..'");

	const json_t *signal = json_object_get(image->doc, "stop_signal");
	if (!image->init && (!signal || json_is_null(signal)))
		return 0;
	image->stop_signal = json_is_string(signal) ? image_parse_signal(json_string_value(signal)) : -EINVAL;
	return image->stop_signal > 0 ? 0 : bad(what, ret_error, "stop_signal", "a signal's name (SIGRTMIN+3)");
}

static int check_figures(const struct image *image, const char *what, ve_error **ret_error)
{
	static const char *const counts[] = { "size_bytes", "files" };
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		const json_t *value = json_object_get(image->doc, counts[i]);
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return bad(what, ret_error, counts[i], "a number, not negative");
	}
	const json_t *created = json_object_get(image->doc, "created_at");
	if (!json_is_string(created) || !is_word(json_string_value(created), json_string_length(created)))
		return bad(what, ret_error, "created_at", "a time (RFC 3339)");
	if (!image_is_digest(json_string_value(json_object_get(image->doc, "tree"))))
		return bad(what, ret_error, "tree", "64 hexadecimal digits");
	return 0;
}

/* A changed image.json must not make a VE run something else under the same digest. */
static int check_digest(const struct image *image, const char *what, ve_error **ret_error)
{
	char digest[IMAGE_DIGEST_LENGTH + 1];
	if (!image_is_digest(image->digest))
		return bad(what, ret_error, "digest", "64 hexadecimal digits");
	if (image_digest(image->doc, digest) < 0)
		return err_nomem(ret_error);
	if (!str_eq(digest, image->digest))
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage,
				 "%s: the digest does not fit what the file says: it was changed", what);
	return 0;
}

int image_parse(json_t *doc, const char *what, struct image **ret_image, ve_error **ret_error)
{
	if (!json_is_object(doc))
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage, "%s: expected a JSON object", what);
	const json_t *schema = json_object_get(doc, "schema");
	if (json_is_integer(schema) && json_integer_value(schema) > IMAGE_SCHEMA)
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, EPROTONOSUPPORT, stage,
				 "%s: schema %lld is newer than this version of vectl knows", what,
				 (long long)json_integer_value(schema));
	if (!json_is_integer(schema) || json_integer_value(schema) != IMAGE_SCHEMA)
		return bad(what, ret_error, "schema", "1");

	_cleanup_image_ struct image *image = calloc(1, sizeof(*image));
	if (!image)
		return err_nomem(ret_error);
	image->doc = json_incref(doc);
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++)
		r = take_field(image, &fields[i], what, ret_error);
	if (r == 0)
		r = check_init(image, what, ret_error);
	if (r == 0)
		r = check_figures(image, what, ret_error);
	if (r == 0)
		r = check_digest(image, what, ret_error);
	if (r == 0 && ret_image)
		*ret_image = steal_ptr(&image);
	return r;
}

int image_digest(const json_t *doc, char ret[IMAGE_DIGEST_LENGTH + 1])
{
	static const char *const more[] = { "stop_signal", "tree" };
	json_auto_t *subject = json_object();
	if (!subject)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(fields) + ARRAY_SIZE(more); i++) {
		const char *key = i < ARRAY_SIZE(fields) ? fields[i].key : more[i - ARRAY_SIZE(fields)];
		if (i < ARRAY_SIZE(fields) && !fields[i].in_digest)
			continue;
		json_t *value = json_object_get(doc, key);
		if (json_object_set_new(subject, key, value ? json_incref(value) : json_null()) < 0)
			return -ENOMEM;
	}
	/* Sorted and compact: one spelling a content. */
	_cleanup_free_ char *text = json_dumps(subject, JSON_SORT_KEYS | JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	SHA256Data((const uint8_t *)text, strlen(text), ret);
	return 0;
}

/* ---- reading the store ----------------------------------------------------------------------------- */

static int load_document(int digest_fd, const char *what, json_t **ret_doc, ve_error **ret_error)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = file_read(digest_fd, "image.json", IMAGE_JSON_MAX_BYTES, &text, &size);
	if (r < 0)
		return err_make(ret_error, VE_ERR_DATA, -r, stage, "cannot read %s", what);
	json_error_t error;
	json_t *doc = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!doc) {
		_cleanup_free_ char *why = str_quote(error.text);
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage, "%s: line %d, column %d: %s", what,
				 error.line, error.column, why ?: "not JSON");
	}
	*ret_doc = doc;
	return 0;
}

/* images/NAME/DIGEST/image.json, which must agree about its own name and digest. */
static int load(int images_fd, const char *name, const char *digest, struct image **ret_image,
		ve_error **ret_error)
{
	_cleanup_free_ char *path = str_printf("%s/%s", name, digest);
	_cleanup_free_ char *what = str_printf("image.json of image '%s' (%.12s)", name, digest);
	if (!path || !what)
		return err_nomem(ret_error);
	_cleanup_close_ int fd = file_opendir(images_fd, path);
	if (fd == -ENOENT)
		return err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, stage, "image '%s' has no digest '%s'", name,
				 digest);
	if (fd < 0)
		return err_sys(ret_error, -fd, stage, "cannot open image '%s'", name);
	json_auto_t *doc = NULL;
	int r = load_document(fd, what, &doc, ret_error);
	if (r < 0)
		return r;
	_cleanup_image_ struct image *image = NULL;
	r = image_parse(doc, what, &image, ret_error);
	if (r < 0)
		return r;
	if (!str_eq(image->name, name) || !str_eq(image->digest, digest))
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage, "%s belongs to another image", what);
	*ret_image = steal_ptr(&image);
	return 0;
}

static int by_string(const void *a, const void *b)
{
	return str_natural_cmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted names in directory PATH that IS_WANTED; a missing directory is empty. */
static int list_names(int dir_fd, const char *path, bool (*is_wanted)(const char *), char ***ret,
		      ve_error **ret_error)
{
	int fd = dir_fd < 0 ? -ENOENT : file_opendir(dir_fd, path);
	if (fd == -ENOENT) {
		*ret = NULL;
		return 0;
	}
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(ret_error, fd < 0 ? -fd : errno, stage, "cannot read the image directory '%s'",
			       path);
	_cleanup_strv_ char **names = NULL;
	for (struct dirent *e; (e = readdir(dir));)
		if (is_wanted(e->d_name) && strv_add(&names, e->d_name) < 0)
			return err_nomem(ret_error);
	if (names)
		qsort(names, strv_length((const char *const *)names), sizeof(*names), by_string);
	*ret = steal_ptr(&names);
	return 0;
}

static bool is_image_name(const char *s)
{
	return name_check("image", s, NULL) == 0;
}

static int not_found(int images_fd, const char *name, ve_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	if (list_names(images_fd, ".", is_image_name, &names, NULL) < 0)
		names = NULL;
	const char *nearest = NULL;
	unsigned least = 3;
	for (char **n = names; n && *n; n++) {
		unsigned distance = str_distance(name, *n, least);
		if (distance <= least && (!nearest || distance < least)) {
			least = distance;
			nearest = *n;
		}
	}
	int r = err_plain(ret_error, VE_ERR_NOT_FOUND, ENOENT, stage, "there is no image '%s'", name);
	if (nearest)
		err_hint(ret_error, "did you mean '%s'?", nearest);
	else if (!names || !names[0])
		err_hint(ret_error, "there are no images yet: 'vectl image build' makes them");
	return r;
}

static int read_current(int images_fd, const char *name, char ret[IMAGE_DIGEST_LENGTH + 1], ve_error **ret_error)
{
	_cleanup_free_ char *path = str_printf("%s/current", name);
	if (!path)
		return err_nomem(ret_error);
	char target[IMAGE_DIGEST_LENGTH + 2];
	ssize_t n = readlinkat(images_fd, path, target, sizeof(target) - 1);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return not_found(images_fd, name, ret_error);
	target[n < 0 ? 0 : n] = '\0';
	if (n < 0 || !image_is_digest(target))
		return err_plain(ret_error, VE_ERR_DATA, EBADMSG, stage,
				 "'current' of image '%s' is no link to a digest", name);
	memcpy(ret, target, IMAGE_DIGEST_LENGTH + 1);
	return 0;
}

int image_refer(int images_fd, const char *reference, char **ret_name, const char **ret_digest, ve_error **ret_error)
{
	const char *at = strchr(reference, '@');
	_cleanup_free_ char *name = strndup(reference, at ? (size_t)(at - reference) : strlen(reference));
	if (!name)
		return err_nomem(ret_error);
	int r = name_check("image", name, ret_error);
	if (r < 0)
		return r;
	if (at && !image_is_digest(at + 1)) {
		_cleanup_free_ char *quoted = str_quote(at + 1);
		return err_plain(ret_error, VE_ERR_USAGE, EINVAL, stage,
				 "'%s' is no digest of image '%s': it has 64 hexadecimal digits", quoted ?: "?",
				 name);
	}
	if (images_fd < 0 || faccessat(images_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return not_found(images_fd, name, ret_error);
	*ret_name = steal_ptr(&name);
	*ret_digest = at ? at + 1 : NULL;
	return 0;
}

int image_open(int images_fd, const char *reference, struct image **ret_image, ve_error **ret_error)
{
	_cleanup_free_ char *name = NULL;
	const char *given;
	char digest[IMAGE_DIGEST_LENGTH + 1];
	int r = image_refer(images_fd, reference, &name, &given, ret_error);
	if (r == 0 && given)
		memcpy(digest, given, sizeof(digest));
	else if (r == 0)
		r = read_current(images_fd, name, digest, ret_error);
	return r == 0 ? load(images_fd, name, digest, ret_image, ret_error) : r;
}

static int open_below(int images_fd, const struct image *image, const char *tail, int flags, int *ret_fd,
		      ve_error **ret_error)
{
	_cleanup_free_ char *path = str_printf("%s/%s%s", image->name, image->digest, tail);
	if (!path)
		return err_nomem(ret_error);
	int fd = openat(images_fd, path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_make(ret_error, VE_ERR_DATA, errno, stage, "cannot open '%s' of image '%s'",
				*tail ? tail + 1 : image->digest, image->name);
	*ret_fd = fd;
	return 0;
}

int image_open_rootfs(int images_fd, const struct image *image, int *ret_fd, ve_error **ret_error)
{
	return open_below(images_fd, image, "/rootfs", O_PATH, ret_fd, ret_error);
}

int image_open_dir(int images_fd, const struct image *image, int *ret_fd, ve_error **ret_error)
{
	return open_below(images_fd, image, "", O_RDONLY, ret_fd, ret_error);
}

/* ---- list ------------------------------------------------------------------------------------------ */

static json_t *list_entry(int images_fd, const char *name, const char *digest, bool is_current)
{
	_cleanup_err_ ve_error *error = NULL;
	_cleanup_image_ struct image *image = NULL;
	if (load(images_fd, name, digest, &image, &error) < 0)
		return json_pack("{s:s, s:s, s:b, s:s}", "name", name, "digest", digest, "current", is_current,
				 "damaged", ve_error_message(error));
	json_t *entry = json_copy(image->doc);
	if (entry && json_object_set_new(entry, "current", json_boolean(is_current)) < 0) {
		json_decref(entry);
		entry = NULL;
	}
	return entry;
}

static int list_digests(int images_fd, const char *name, json_t *array, ve_error **ret_error)
{
	char current[IMAGE_DIGEST_LENGTH + 1] = "";
	if (read_current(images_fd, name, current, NULL) < 0)
		current[0] = '\0';
	_cleanup_strv_ char **digests = NULL;
	int r = list_names(images_fd, name, image_is_digest, &digests, ret_error);
	for (int pass = 0; pass < 2 && r == 0; pass++)
		for (char **d = digests; d && *d && r == 0; d++) {
			bool is_current = str_eq(*d, current);
			if (is_current == (pass == 0) &&
			    json_array_append_new(array, list_entry(images_fd, name, *d, is_current)) < 0)
				r = err_nomem(ret_error);
		}
	return r;
}

int image_list(int images_fd, json_t **ret_array, ve_error **ret_error)
{
	json_auto_t *array = json_array();
	if (!array)
		return err_nomem(ret_error);
	_cleanup_strv_ char **names = NULL;
	int r = list_names(images_fd, ".", is_image_name, &names, ret_error);
	for (char **n = names; n && *n && r == 0; n++)
		r = list_digests(images_fd, *n, array, ret_error);
	if (r == 0)
		*ret_array = steal_ptr(&array);
	return r;
}
