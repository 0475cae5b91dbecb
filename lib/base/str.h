/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strings: formatting into fresh memory, a growing buffer, lists of strings, globs, natural order, distance. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* NULL when out of memory. */
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *str_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && __builtin_strcmp(a, b) == 0);
}
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* A growing buffer. Append never fails half-way: `oom` is sticky and checked once at the end, by
 * strbuf_steal(), which returns NULL then. Zero-initialised is empty. */
struct strbuf {
	char *data;
	size_t len, cap;
	bool oom;
};
void strbuf_add(struct strbuf *b, const char *s);
void strbuf_add_n(struct strbuf *b, const void *data, size_t n);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *strbuf_steal(struct strbuf *b);
void strbuf_done(struct strbuf *b);
#define _cleanup_strbuf_ __attribute__((cleanup(strbuf_done)))

/* NULL-terminated vectors of owned strings. */
void strv_free(char **v);
void strv_freep(char ***v);
#define _cleanup_strv_ __attribute__((cleanup(strv_freep)))
size_t strv_length(const char *const *v);
/* Appends a copy; returns 0 or -ENOMEM. *V may be NULL. */
int strv_add(char ***v, const char *s);
/* Splits S at any character of SEPARATORS, empty words left out. NULL when out of memory. */
char **strv_split(const char *s, const char *separators);

/* Natural order: digits compare as numbers, so that "web9" < "web10" and "9" < "101". */
int str_natural_cmp(const char *a, const char *b);
/* Damerau-Levenshtein distance, for "did you mean": at most MAX + 1. */
unsigned str_distance(const char *a, const char *b, unsigned max);
/* Copies S and frees nothing; control characters, quotes and bytes that are not UTF-8 become \xNN, so that
 * a message may quote what a stranger wrote. */
char *str_quote(const char *s);

#endif
