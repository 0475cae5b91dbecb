/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/jsontext.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

int jsontext_read(int dir_fd, const char *path, const char *what, size_t max, char **ret_text, size_t *ret_size,
		  ve_error **ret_error)
{
	int r = file_read(dir_fd, path, max, ret_text, ret_size);
	if (r == -EFBIG)
		return err_plain(ret_error, VE_ERR_CONFIG, EFBIG, "config", "'%s' is larger than %zu bytes", what,
				 max);
	if (r == -EINVAL || r == -EISDIR || r == -ELOOP)
		return err_plain(ret_error, VE_ERR_CONFIG, -r, "config", "'%s' is no regular file", what);
	return r < 0 ? err_sys(ret_error, -r, "config", "cannot read '%s'", what) : 0;
}

/* ---- syntax errors ------------------------------------------------------------------------------ */

/* jansson's own words, without its " near '...'". */
static char *clause(const json_error_t *e)
{
	const char *near = strstr(e->text, " near ");
	return near ? strndup(e->text, (size_t)(near - e->text)) : strdup(e->text);
}

/* The token that jansson stumbled over: what stands between the quotes after "near". */
static char *token(const json_error_t *e)
{
	const char *near = strstr(e->text, " near '");
	if (!near)
		return strdup("");
	const char *begin = near + strlen(" near '"), *end = strrchr(begin, '\'');
	return strndup(begin, end ? (size_t)(end - begin) : strlen(begin));
}

static char *explain(const json_error_t *e, const char *quoted_token)
{
	switch (json_error_code(e)) {
	case json_error_premature_end_of_input:
		return strdup("the file ends in the middle of the document");
	case json_error_end_of_input_expected:
		return strdup("there is text behind the end of the document");
	case json_error_duplicate_key:
		return str_printf("the key '%s' is there twice", quoted_token);
	case json_error_numeric_overflow:
		return str_printf("the number '%s' is too large", quoted_token);
	case json_error_stack_overflow:
		return strdup("the document is nested too deeply");
	case json_error_invalid_utf8:
		return strdup("the file is not UTF-8");
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return strdup("there is a NUL character in a string");
	default:
		break;
	}
	_cleanup_free_ char *words = clause(e);
	if (!words)
		return NULL;
	return *quoted_token ? str_printf("not JSON: %s before '%s'", words, quoted_token) :
			       str_printf("not JSON: %s", words);
}

int jsontext_parse(const char *text, size_t size, const char *what, json_t **ret_object, ve_error **ret_error)
{
	json_error_t e;
	json_t *doc = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
	if (json_is_object(doc)) {
		*ret_object = doc;
		return 0;
	}
	if (doc) {
		json_decref(doc);
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "%s:1:1: expected an object ({...})",
				 what);
	}
	if (json_error_code(&e) == json_error_out_of_memory)
		return err_nomem(ret_error);
	_cleanup_free_ char *tok = token(&e);
	/* A string token of the key comes with its quotes. */
	size_t n = tok ? strlen(tok) : 0;
	_cleanup_free_ char *inner = tok && n >= 2 && tok[0] == '"' && tok[n - 1] == '"' ? strndup(tok + 1, n - 2)
				     : tok						 ? strdup(tok)
											 : NULL;
	_cleanup_free_ char *quoted = inner ? str_quote(inner) : NULL;
	_cleanup_free_ char *why = quoted ? explain(&e, quoted) : NULL;
	if (!why)
		return err_nomem(ret_error);
	/* jansson points at the token's last character; people look for its first. */
	int column = e.column >= (int)n && n > 0 ? e.column - (int)n + 1 : e.column;
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "%s:%d:%d: %s", what, e.line > 0 ? e.line : 1,
			 column > 0 ? column : 1, why);
}

/* ---- positions ---------------------------------------------------------------------------------- */

/* The scanner walks text that jansson has accepted, so that it needs to know no errors; END bounds it anyway. */
struct scan {
	const char *p, *end;
};

static void skip_space(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p))
		s->p++;
}

static void skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++)
		if (*s->p == '\\')
			s->p++;
	s->p++;
}

/* Over one value, whatever is in it. */
static void skip_value(struct scan *s)
{
	unsigned depth = 0;
	do {
		skip_space(s);
		if (s->p >= s->end)
			return;
		if (*s->p == '"') {
			skip_string(s);
		} else if (strchr("{[", *s->p)) {
			depth++;
			s->p++;
		} else if (strchr("}]", *s->p)) {
			depth--;
			s->p++;
		} else if (strchr(",:", *s->p)) {
			s->p++;
		} else {
			while (s->p < s->end && !strchr(" \t\r\n,:{}[]\"", *s->p))
				s->p++;
		}
	} while (depth > 0);
}

/* Whether the string literal of N bytes at P (quotes included) is KEY. */
static bool literal_is(const char *p, size_t n, const char *key)
{
	if (!memchr(p, '\\', n))
		return n == strlen(key) + 2 && memcmp(p + 1, key, n - 2) == 0;
	json_t *j = json_loadb(p, n, JSON_DECODE_ANY, NULL);
	bool same = str_eq(json_string_value(j), key);
	json_decref(j);
	return same;
}

/* S stands before an object: moves to its member KEY, its key's place into *RET_KEY. */
static bool enter_member(struct scan *s, const char *key, const char **ret_key)
{
	skip_space(s);
	if (s->p >= s->end || *s->p != '{')
		return false;
	s->p++;
	for (;;) {
		skip_space(s);
		if (s->p < s->end && *s->p == ',') {
			s->p++;
			continue;
		}
		if (s->p >= s->end || *s->p != '"')
			return false;
		const char *begin = s->p;
		skip_string(s);
		bool found = s->p <= s->end && literal_is(begin, (size_t)(s->p - begin), key);
		skip_space(s);
		s->p++; /* the colon */
		skip_space(s);
		if (found) {
			*ret_key = begin;
			return true;
		}
		skip_value(s);
	}
}

static void line_and_column(const char *text, const char *at, unsigned *ret_line, unsigned *ret_column)
{
	*ret_line = *ret_column = 1;
	for (; text < at; text++) {
		if (*text == '\n') {
			(*ret_line)++;
			*ret_column = 1;
		} else if (((unsigned char)*text & 0xC0) != 0x80) {
			(*ret_column)++; /* characters, not bytes */
		}
	}
}

int jsontext_wrap(ve_error **error, const char *text, size_t size, const char *what, const char *const *path,
		  unsigned n_path, bool at_key)
{
	struct scan s = { text, text + size };
	unsigned line, column;
	if (!error)
		return -EINVAL;
	skip_space(&s);
	const char *at = s.p;
	for (unsigned i = 0; i < n_path; i++) {
		const char *key;
		if (!enter_member(&s, path[i], &key))
			break;
		at = at_key && i + 1 == n_path ? key : s.p;
	}
	line_and_column(text, at, &line, &column);
	return err_wrap(error, "%s:%u:%u", what, line, column);
}
