/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small helpers of the program: scope guards for the handles of <ve.h>, and memory that cannot fail (a
 * command that has no memory for its own text has nothing to undo: it says so and exits).
 */
#ifndef CMD_UTIL_H
#define CMD_UTIL_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <ve.h>

#include "command.h"

static inline void util_freep(void *p)
{
	free(*(void **)p);
}

static inline void util_ve_closep(ve **v)
{
	ve_close(*v);
}

static inline void util_doc_freep(ve_doc **d)
{
	ve_doc_free(*d);
}

static inline void util_spec_freep(ve_spec **s)
{
	ve_spec_free(*s);
}

#define _cleanup_free_ __attribute__((cleanup(util_freep)))
#define _cleanup_ve_ __attribute__((cleanup(util_ve_closep)))
#define _cleanup_doc_ __attribute__((cleanup(util_doc_freep)))
#define _cleanup_spec_ __attribute__((cleanup(util_spec_freep)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline bool str_eq(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

void *x_realloc(void *p, size_t size);
void *x_zalloc(size_t size);
char *x_strdup(const char *s);
char *x_strndup(const char *s, size_t n);
char *x_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A growing text; zero-initialised is empty. `s` is NULL until something was added. */
struct text {
	char *s;
	size_t len, cap;
};
void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_done(struct text *t);
#define _cleanup_text_ __attribute__((cleanup(text_done)))

/* The string is not copied. */
void strings_add(struct strings *list, const char *s);
/* Of a list that owns its strings. */
void strings_free(struct strings *list);
#define _cleanup_strings_ __attribute__((cleanup(strings_free)))

/* Columns of the terminal on FD, or FALLBACK where it is none. */
unsigned terminal_width(int fd, unsigned fallback);

#endif
