/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

/* 1 decimal below 10, none above; a whole multiple is exact. */
static char *scaled(int64_t n, int64_t base, const char *suffixes)
{
	int64_t factor = 1;
	const char *s = suffixes;

	while (s[1] && (n >= factor * base || n <= -factor * base)) {
		factor *= base;
		s++;
	}
	char unit[2] = { *s == ' ' ? '\0' : *s, '\0' };
	if (n % factor == 0)
		return x_printf("%" PRId64 "%s", n / factor, unit);
	double x = (double)n / (double)factor;
	return x_printf(x < 10 && x > -10 ? "%.2f%s" : x < 100 && x > -100 ? "%.1f%s" : "%.0f%s", x, unit);
}

char *format_bytes(int64_t bytes)
{
	return scaled(bytes, 1024, " KMGTP");
}

char *format_seconds(int64_t seconds)
{
	static const struct {
		char suffix;
		int64_t length;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	_cleanup_text_ struct text t = { 0 };
	unsigned shown = 0;

	for (size_t i = 0; i < ARRAY_SIZE(units) && shown < 2; i++) {
		if (seconds >= units[i].length) {
			text_addf(&t, "%" PRId64 "%c", seconds / units[i].length, units[i].suffix);
			seconds %= units[i].length;
			shown++;
		} else if (shown) {
			break; /* "2d" rather than "2d5s" */
		}
	}
	return x_strdup(t.s ? t.s : "0s");
}

char *format_time(const char *rfc3339)
{
	struct tm tm = { 0 };
	char buf[32];

	const char *end = strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (!end || !str_eq(end, "Z"))
		return format_safe(rfc3339);
	time_t t = timegm(&tm);
	if (!localtime_r(&t, &tm) || !strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm))
		return format_safe(rfc3339);
	return x_strdup(buf);
}

/* How many bytes of S are one character of UTF-8 as RFC 3629 has it (shortest form, no surrogates); 0: none is. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high; /* of the first byte; of the second */
		unsigned char length;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (*s < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (*s < forms[i].first || *s > forms[i].last || s[1] < forms[i].low || s[1] > forms[i].high)
			continue;
		size_t n = 2;
		while (n < forms[i].length && (s[n] & 0xc0) == 0x80)
			n++;
		return n == forms[i].length ? n : 0;
	}
	return 0;
}

/* UTF-8 passes; what is none, C0, DEL and the two-byte C1 controls (some terminals obey them) do not. */
char *format_safe(const char *s)
{
	char *copy = x_strdup(s);

	for (unsigned char *c = (unsigned char *)copy; *c;) {
		size_t n = utf8_length(c);
		bool control = *c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0);
		if (n == 0 || control)
			memset(c, '?', n ? n : 1);
		c += n ? n : 1;
	}
	return copy;
}

/* CPU time: most VEs have used little. */
static char *format_nanoseconds(int64_t n)
{
	if (n < NS_PER_S)
		return x_printf("%" PRId64 "ms", n / (NS_PER_S / 1000));
	if (n < 60 * NS_PER_S)
		return x_printf("%.1fs", (double)n / (double)NS_PER_S);
	return format_seconds(n / NS_PER_S);
}

static char *joined(const ve_doc *list, const char *unit)
{
	_cleanup_text_ struct text t = { 0 };
	size_t n = ve_doc_length(list, "");
	bool object = ve_doc_type(list, "") == VE_OBJECT;

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *one = format_value(ve_doc_at(list, "", i), unit);
		if (object)
			text_addf(&t, "%s%s=%s", i ? ", " : "", ve_doc_key(list, "", i), one);
		else
			text_addf(&t, "%s%s", i ? ", " : "", one);
	}
	return x_strdup(t.s ? t.s : "-");
}

char *format_int(int64_t n, const char *unit)
{
	if (str_eq(unit, "bytes"))
		return format_bytes(n);
	if (str_eq(unit, "bytes/s")) {
		_cleanup_free_ char *s = format_bytes(n);
		return x_printf("%s/s", s);
	}
	if (str_eq(unit, "bits/s")) {
		_cleanup_free_ char *s = scaled(n, 1000, " KMGT");
		return x_printf("%sbit/s", s);
	}
	if (str_eq(unit, "seconds"))
		return format_seconds(n);
	if (str_eq(unit, "nanoseconds"))
		return format_nanoseconds(n);
	if (str_eq(unit, "millicores"))
		return x_printf("%g", (double)n / 1000);
	return x_printf("%" PRId64, n);
}

char *format_value(const ve_doc *value, const char *unit)
{
	switch (value ? ve_doc_type(value, "") : VE_NULL) {
	case VE_BOOL:
		return x_strdup(ve_doc_bool(value, "") ? "yes" : "no");
	case VE_INT:
		return format_int(ve_doc_int(value, ""), unit);
	case VE_REAL:
		return x_printf("%.3g%s", ve_doc_real(value, ""), str_eq(unit, "seconds") ? "s" : "");
	case VE_STRING:
		if (str_eq(unit, "time"))
			return format_time(ve_doc_string(value, ""));
		return format_safe(ve_doc_string(value, ""));
	case VE_ARRAY:
	case VE_OBJECT:
		return joined(value, unit);
	case VE_NULL:
		break;
	}
	return x_strdup("-");
}

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && str_eq(s + n - m, suffix);
}

const char *format_unit_of(const char *name)
{
	static const struct {
		const char *suffix, *unit;
	} known[] = {
		{ "_bytes", "bytes" }, { "memory.used", "bytes" },  { "memory.peak", "bytes" },
		{ "_at", "time" },     { "time", "time" },	    { "_seconds", "seconds" },
		{ "_s", "seconds" },   { "_ns", "nanoseconds" },    { "cpu.used", "nanoseconds" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (ends(name, known[i].suffix))
			return known[i].unit;
	return NULL;
}

/* What was typed need not be UTF-8, and a document must be: other bytes become U+FFFD. */
void format_json_string(struct text *t, const char *s)
{
	if (!s) {
		text_add(t, "null");
		return;
	}
	text_add(t, "\"");
	for (const unsigned char *c = (const unsigned char *)s; *c;) {
		size_t n = utf8_length(c);
		if (n == 0)
			text_add(t, "\\ufffd");
		else if (*c == '"' || *c == '\\')
			text_addf(t, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			text_addf(t, "\\u%04x", *c);
		else
			text_add_n(t, (const char *)c, n);
		c += n ? n : 1;
	}
	text_add(t, "\"");
}

/* Columns that N bytes of UTF-8 take, each character taken for one column wide. */
static unsigned columns(const char *s, size_t n)
{
	unsigned width = 0;

	for (size_t i = 0; i < n; i++)
		width += ((unsigned char)s[i] & 0xc0) != 0x80;
	return width;
}

void format_wrapped(struct text *t, const char *s, unsigned indent, unsigned width)
{
	unsigned column = 0;

	while (*s) {
		size_t spaces = strspn(s, " "), n = strcspn(s + spaces, " \n");
		unsigned word = columns(s + spaces, n);
		s += spaces;
		if (n && column && column + 1 + word > width) {
			text_add(t, "\n");
			column = 0;
		}
		if (n) {
			text_addf(t, "%*s", column ? 1 : (int)indent, "");
			text_add_n(t, s, n);
			column = (column ? column + 1 : indent) + word;
			s += n;
		}
		if (*s == '\n') {
			text_add(t, "\n");
			column = 0;
			s++;
		}
	}
	if (column)
		text_add(t, "\n");
}
