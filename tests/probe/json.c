/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEEPEST = 16 };

static struct {
	char close[DEEPEST];
	bool more[DEEPEST]; /* something stands before, so that a comma is wanted */
	unsigned depth;
} state;

/* Length of the well-formed UTF-8 sequence at S, 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
	int n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
	for (int i = 1; i < n; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

static void quoted(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		int n = utf8_length(p);
		if (n == 0)
			printf("\\ufffd");
		else if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p == 0x7F)
			printf("\\u%04x", *p);
		else
			printf("%.*s", n, (const char *)p);
		p += n ? n : 1;
	}
	putchar('"');
}

static void begin_value(const char *key)
{
	if (state.more[state.depth])
		putchar(',');
	state.more[state.depth] = true;
	if (key) {
		quoted(key);
		putchar(':');
	}
}

static void open_level(const char *key, char open, char close)
{
	begin_value(key);
	putchar(open);
	state.depth++;
	state.close[state.depth] = close;
	state.more[state.depth] = false;
}

void json_object(const char *key)
{
	open_level(key, '{', '}');
}

void json_array(const char *key)
{
	open_level(key, '[', ']');
}

void json_end(void)
{
	putchar(state.close[state.depth--]);
}

void json_string(const char *key, const char *value)
{
	begin_value(key);
	if (value)
		quoted(value);
	else
		printf("null");
}

void json_int(const char *key, int64_t value)
{
	begin_value(key);
	printf("%" PRId64, value);
}

void json_bool(const char *key, bool value)
{
	begin_value(key);
	printf(value ? "true" : "false");
}

void json_null(const char *key)
{
	json_string(key, NULL);
}

void json_errno(const char *key, int errnum)
{
	char number[16];
	snprintf(number, sizeof(number), "%d", errnum);
	json_string(key, errnum == 0 ? "ok" : strerrorname_np(errnum) ?: number);
}

int json_finish(void)
{
	putchar('\n');
	return fflush(stdout) != 0 || ferror(stdout) ? 1 : 0;
}
