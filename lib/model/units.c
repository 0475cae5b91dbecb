/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers with units. All arithmetic is in integers: "1.5G" is 15 * 1024^3 / 10, and a text that is no whole
 * number of base units is refused rather than rounded.
 */
#include "model/units.h"

#include <stdbool.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"

struct suffix {
	const char *text;
	uint64_t factor;
};

#define KI (UINT64_C(1) << 10)
#define MI (UINT64_C(1) << 20)
#define GI (UINT64_C(1) << 30)
#define TI (UINT64_C(1) << 40)

/* Suffixes in falling order of size, canonical spelling first: the formatter takes the first that divides. */
static const struct suffix none_suffixes[] = { { "", 1 }, { NULL } };
static const struct suffix bytes_suffixes[] = {
	{ "T", TI }, { "G", GI }, { "M", MI }, { "K", KI }, { "", 1 },
	{ "TiB", TI }, { "GiB", GI }, { "MiB", MI }, { "KiB", KI },
	{ "t", TI }, { "g", GI }, { "m", MI }, { "k", KI }, { NULL },
};
static const struct suffix bits_suffixes[] = {
	{ "G", 1000000000 }, { "M", 1000000 }, { "K", 1000 }, { "", 1 },
	{ "Gbit", 1000000000 }, { "Mbit", 1000000 }, { "Kbit", 1000 },
	{ "g", 1000000000 }, { "m", 1000000 }, { "k", 1000 }, { NULL },
};
static const struct suffix seconds_suffixes[] = {
	{ "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 }, { "", 1 }, { NULL },
};
/* "%" is not written by the formatter: it comes after "". */
static const struct suffix millicores_suffixes[] = { { "", 1000 }, { "%", 10 }, { NULL } };

static const struct {
	const char *name;
	const struct suffix *suffixes;
	const char *spellings; /* for errors */
} units[UNIT_COUNT] = {
	[UNIT_NONE] = { "", none_suffixes, "a whole number" },
	[UNIT_BYTES] = { "bytes", bytes_suffixes, "a size such as 512M or 1.5G (K M G T are powers of 1024)" },
	[UNIT_BYTES_PER_S] = { "bytes/s", bytes_suffixes,
			       "bytes a second such as 20M (K M G T are powers of 1024)" },
	[UNIT_BITS_PER_S] = { "bits/s", bits_suffixes, "bits a second such as 100M (K M G are powers of 1000)" },
	[UNIT_SECONDS] = { "seconds", seconds_suffixes, "a time such as 90, 90s, 5m or 2h" },
	[UNIT_MILLICORES] = { "millicores", millicores_suffixes, "a number of cores such as 1.5, or 150%" },
};

const char *units_name(enum unit unit)
{
	return (unsigned)unit < UNIT_COUNT ? units[unit].name : "";
}

static int bad(enum unit unit, int errnum, const char *text, const char *why, ve_error **ret_error)
{
	_cleanup_free_ char *head = strndup(text, 64);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	if (!quoted)
		return err_nomem(ret_error);
	if (why)
		return err_plain(ret_error, VE_ERR_CONFIG, errnum, "units", "'%s' %s: expected %s", quoted, why,
				 units[unit].spellings);
	return err_plain(ret_error, VE_ERR_CONFIG, errnum, "units", "'%s': expected %s", quoted,
			 units[unit].spellings);
}

static const struct suffix *suffix_find(const struct suffix *list, const char *text)
{
	for (; list->text; list++)
		if (strcmp(list->text, text) == 0)
			return list;
	return NULL;
}

/* Digits with at most one point; *TEXT moves behind them. The value is *MANTISSA / *SCALE. -EINVAL: no
 * number, -ERANGE: more digits than any value needs. */
static int scan_decimal(const char **text, unsigned __int128 *mantissa, uint64_t *scale)
{
	const char *p = *text;
	unsigned __int128 m = 0;
	uint64_t s = 1;
	unsigned n_digits = 0;
	bool fraction = false;
	for (;; p++) {
		if (*p == '.' && !fraction && n_digits > 0 && p[1] >= '0' && p[1] <= '9') {
			fraction = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		n_digits++;
		if (m > ((unsigned __int128)UINT64_MAX) * 1000000 || (fraction && s >= UINT64_C(1000000000000000)))
			return -ERANGE;
		m = m * 10 + (unsigned)(*p - '0');
		if (fraction)
			s *= 10;
	}
	if (n_digits == 0)
		return -EINVAL;
	*text = p;
	*mantissa = m;
	*scale = s;
	return 0;
}

/* "512MB" may mean two things that differ by 5 percent, so it means neither: the message gives both. TEXT is
 * digits and a point up to SUFFIX. */
static int ambiguous(const char *text, const char *suffix, unsigned __int128 mantissa, uint64_t scale,
		     ve_error **ret_error)
{
	static const char letters[] = "KMGT";
	char letter = (char)(*suffix & ~0x20); /* to upper case */
	uint64_t factor = 1;
	for (const char *l = letters; l == letters || l[-1] != letter; l++)
		factor *= 1000;
	unsigned __int128 decimal = mantissa * factor; /* < 2^87 * 2^40 */
	int n = (int)(suffix - text);
	if (decimal % scale != 0 || decimal / scale >= UNITS_UNLIMITED)
		return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "units",
				 "'%.64s' is ambiguous: write %c for powers of 1024 (%ciB), plain bytes for "
				 "powers of 1000",
				 text, letter, letter);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "units",
			 "'%s' is ambiguous: write '%.*s%c' for powers of 1024 (%ciB), '%llu' for powers of 1000",
			 text, n, text, letter, letter, (unsigned long long)(decimal / scale));
}

static bool is_decimal_byte_suffix(enum unit unit, const char *suffix)
{
	return (unit == UNIT_BYTES || unit == UNIT_BYTES_PER_S) && suffix[0] && strchr("KMGTkmgt", suffix[0]) &&
	       (suffix[1] == 'B' || suffix[1] == 'b') && suffix[2] == '\0';
}

int units_parse(enum unit unit, const char *text, int64_t *ret_value, ve_error **ret_error)
{
	if (strcmp(text, "unlimited") == 0) {
		*ret_value = UNITS_UNLIMITED;
		return 0;
	}
	if (text[0] == '-')
		return bad(unit, EINVAL, text, "is negative", ret_error);
	const char *p = text;
	unsigned __int128 mantissa;
	uint64_t scale;
	int r = scan_decimal(&p, &mantissa, &scale);
	if (r < 0)
		return bad(unit, -r, text, r == -ERANGE ? "has too many digits" : NULL, ret_error);
	if (is_decimal_byte_suffix(unit, p))
		return ambiguous(text, p, mantissa, scale, ret_error);
	const struct suffix *suffix = suffix_find(units[unit].suffixes, p);
	if (!suffix)
		return bad(unit, EINVAL, text, NULL, ret_error);
	/* mantissa < 2^87 (see scan_decimal) and factor <= 2^40: no overflow. */
	unsigned __int128 product = mantissa * suffix->factor;
	if (product % scale != 0)
		return bad(unit, EINVAL, text, "is too fine", ret_error);
	if (product / scale >= UNITS_UNLIMITED)
		return bad(unit, ERANGE, text, "is too large", ret_error);
	*ret_value = (int64_t)(product / scale);
	return 0;
}

static char *format_millicores(int64_t value)
{
	char fraction[8];
	snprintf(fraction, sizeof(fraction), ".%03d", (int)(value % 1000));
	for (size_t n = strlen(fraction); n > 0 && (fraction[n - 1] == '0' || fraction[n - 1] == '.'); n--)
		fraction[n - 1] = '\0';
	return str_printf("%lld%s", (long long)(value / 1000), fraction);
}

char *units_format(enum unit unit, int64_t value)
{
	if (value == UNITS_UNLIMITED)
		return strdup("unlimited");
	if (value <= 0)
		return str_printf("%lld", (long long)value);
	if (unit == UNIT_MILLICORES)
		return format_millicores(value);
	const struct suffix *s = units[unit].suffixes;
	while ((uint64_t)value % s->factor != 0)
		s++;
	return str_printf("%llu%s", (unsigned long long)((uint64_t)value / s->factor), s->text);
}
