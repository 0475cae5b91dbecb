/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>

static void *or_die(void *p)
{
	if (!p) {
		fputs("vectl: out of memory\n", stderr);
		exit(ve_category_exit_code(VE_ERR_NO_ROOM));
	}
	return p;
}

void *x_realloc(void *p, size_t size)
{
	return or_die(realloc(p, size));
}

void *x_zalloc(size_t size)
{
	return or_die(calloc(1, size ? size : 1));
}

char *x_strdup(const char *s)
{
	return or_die(strdup(s));
}

char *x_strndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

char *x_printf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_die(n < 0 ? NULL : s);
}

void text_add_n(struct text *t, const char *s, size_t n)
{
	if (t->len + n + 1 > t->cap) {
		t->cap = (t->len + n + 1) * 2;
		t->s = x_realloc(t->s, t->cap);
	}
	memcpy(t->s + t->len, s, n);
	t->len += n;
	t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

void text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	or_die(n < 0 ? NULL : s);
	text_add_n(t, s, (size_t)n);
	free(s);
}

void text_done(struct text *t)
{
	free(t->s);
	*t = (struct text){ 0 };
}

void strings_add(struct strings *list, const char *s)
{
	list->items = x_realloc(list->items, (list->n + 2) * sizeof(*list->items));
	list->items[list->n++] = s;
	list->items[list->n] = NULL;
}

void strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free((char *)list->items[i]);
	free(list->items);
	*list = (struct strings){ 0 };
}

unsigned terminal_width(int fd, unsigned fallback)
{
	struct winsize w;

	return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : fallback;
}
