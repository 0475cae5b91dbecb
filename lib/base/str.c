/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *str_vprintf(const char *fmt, va_list ap)
{
	char *s = NULL;
	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

char *str_printf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = str_vprintf(fmt, ap);
	va_end(ap);
	return s;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static bool strbuf_reserve(struct strbuf *b, size_t more)
{
	if (b->oom)
		return false;
	if (b->len + more + 1 <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : 128;
	while (cap < b->len + more + 1)
		cap *= 2;
	char *data = realloc(b->data, cap);
	if (!data) {
		b->oom = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void strbuf_add_n(struct strbuf *b, const void *data, size_t n)
{
	if (!strbuf_reserve(b, n))
		return;
	memcpy(b->data + b->len, data, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void strbuf_add(struct strbuf *b, const char *s)
{
	strbuf_add_n(b, s, strlen(s));
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = str_vprintf(fmt, ap);
	va_end(ap);
	if (!s) {
		b->oom = true;
		return;
	}
	strbuf_add(b, s);
	free(s);
}

char *strbuf_steal(struct strbuf *b)
{
	if (!b->oom && !b->data)
		strbuf_reserve(b, 0);
	if (b->oom) {
		strbuf_done(b);
		return NULL;
	}
	char *s = b->data;
	s[b->len] = '\0';
	*b = (struct strbuf){ 0 };
	return s;
}

void strbuf_done(struct strbuf *b)
{
	free(b->data);
	*b = (struct strbuf){ 0 };
}

void strv_free(char **v)
{
	for (char **p = v; p && *p; p++)
		free(*p);
	free(v);
}

void strv_freep(char ***v)
{
	strv_free(*v);
}

size_t strv_length(const char *const *v)
{
	size_t n = 0;
	while (v && v[n])
		n++;
	return n;
}

int strv_add(char ***v, const char *s)
{
	size_t n = strv_length((const char *const *)*v);
	char *copy = strdup(s);
	char **bigger = copy ? reallocarray(*v, n + 2, sizeof(char *)) : NULL;
	if (!bigger) {
		free(copy);
		return -ENOMEM;
	}
	bigger[n] = copy;
	bigger[n + 1] = NULL;
	*v = bigger;
	return 0;
}

char **strv_split(const char *s, const char *separators)
{
	char **v = calloc(1, sizeof(char *));
	while (v && *(s += strspn(s, separators))) {
		size_t n = strcspn(s, separators);
		char *word = strndup(s, n);
		if (!word || strv_add(&v, word) < 0) {
			strv_free(v);
			v = NULL;
		}
		free(word);
		s += n;
	}
	return v;
}

int str_natural_cmp(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			while (*a == '0')
				a++;
			while (*b == '0')
				b++;
			size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
			if (n != m)
				return n < m ? -1 : 1;
			int c = strncmp(a, b, n);
			if (c)
				return c;
			a += n;
			b += m;
			continue;
		}
		if (*a != *b)
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		a++;
		b++;
	}
	return (*a ? 1 : 0) - (*b ? 1 : 0);
}

unsigned str_distance(const char *a, const char *b, unsigned max)
{
	enum { LONGEST = 64 };
	size_t n = strlen(a), m = strlen(b);
	if (n >= LONGEST || m >= LONGEST)
		return max + 1;
	unsigned rows[3][LONGEST + 1];
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    above2[j - 2] + 1 < best)
				best = above2[j - 2] + 1;
			row[j] = best;
		}
	}
	unsigned d = rows[n % 3][m];
	return d > max ? max + 1 : d;
}

/* Length of the well-formed UTF-8 sequence at S, 0 if it is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : s[0] >= 0xE0 && s[0] < 0xF0 ? 3 :
		   s[0] >= 0xF0 && s[0] < 0xF5				       ? 4 :
									     0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

char *str_quote(const char *s)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		size_t n = utf8_length(p);
		bool plain = n > 1 || (n == 1 && *p >= 0x20 && *p != 0x7F && *p != '\'' && *p != '\\');
		if (plain)
			strbuf_add_n(&b, p, n);
		else
			strbuf_addf(&b, "\\x%02x", *p);
		p += plain ? n : 1;
	}
	return strbuf_steal(&b);
}
