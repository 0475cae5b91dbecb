/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/checks.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/address.h"
#include "model/bindmount.h"
#include "model/devicespec.h"
#include "model/firewall.h"
#include "model/image.h"
#include "model/name.h"
#include "model/portforward.h"

enum { TEXT_MAX = 4096, ARGUMENT_MAX = 65536, HOSTNAME_MAX = 64, TIMEZONE_MAX = 64, LOCALE_MAX = 64, DOMAIN_MAX = 253, LABEL_MAX = 63, SHOWN = 80 };

int check_failed(const char *value, const char *why, ve_error **ret_error)
{
	_cleanup_free_ char *head = strndup(value, SHOWN);
	_cleanup_free_ char *quoted = head ? str_quote(head) : NULL;
	if (!quoted)
		return err_nomem(ret_error);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "config", "'%s%s' %s", quoted,
			 strlen(value) > SHOWN ? "..." : "", why);
}

/* JSON holds UTF-8 only; what a command line brings may be anything. */
static bool is_utf8(const char *s)
{
	json_t *j = json_string(s);
	json_decref(j);
	return j != NULL;
}

int check_text(const char *value, ve_error **ret_error)
{
	if (!*value)
		return check_failed(value, "is empty", ret_error);
	if (strlen(value) > TEXT_MAX)
		return check_failed(value, "is too long", ret_error);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (*p < 0x20 || *p == 0x7F)
			return check_failed(value, "has control characters in it", ret_error);
	return is_utf8(value) ? 0 : check_failed(value, "is not UTF-8", ret_error);
}

int check_argument(const char *value, ve_error **ret_error)
{
	if (strlen(value) > ARGUMENT_MAX)
		return check_failed(value, "is too long", ret_error);
	return is_utf8(value) ? 0 : check_failed(value, "is not UTF-8", ret_error);
}

int check_environment(const char *value, ve_error **ret_error)
{
	/* systemd's container interface: a VE that got these from its configuration would not boot, or lie. */
	static const char *const reserved[] = { "container=", "container_uuid=", "NOTIFY_SOCKET=" };
	const char *p = value;
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	if (p == value || *p != '=' || isdigit((unsigned char)*value))
		return check_failed(value, "is no variable: expected NAME=VALUE", ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (str_starts(value, reserved[i]))
			return check_failed(value, "sets a variable that vectl itself sets", ret_error);
	return check_argument(value, ret_error);
}

/* What is wrong with a host or domain name, or NULL. */
static const char *domain_complaint(const char *value, size_t max)
{
	size_t label = 0;
	if (!*value)
		return "is empty";
	if (strlen(value) > max)
		return max == HOSTNAME_MAX ? "has more than 64 characters" : "has more than 253 characters";
	for (const char *p = value;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0)
				return "has an empty part";
			if (label > LABEL_MAX)
				return "has a part of more than 63 characters";
			if (p[-1] == '-' || p[-(ptrdiff_t)label] == '-')
				return "has a part that begins or ends with '-'";
			if (*p == '\0')
				return NULL;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)*p) && *p != '-')
			return "has characters other than letters, digits, '-' and '.'";
		label++;
	}
}

int check_hostname(const char *value, ve_error **ret_error)
{
	const char *wrong = domain_complaint(value, HOSTNAME_MAX);
	return wrong ? check_failed(value, wrong, ret_error) : 0;
}

int check_timezone(const char *value, ve_error **ret_error)
{
	/* It becomes a path inside: no dot, no empty part, and short enough for one. */
	size_t n = strlen(value);
	if (n == 0 || n > TIMEZONE_MAX)
		return check_failed(value, n ? "is too long for a time zone" : "is empty", ret_error);
	for (const char *p = value; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_+-/", *p))
			return check_failed(value, "is no time zone: expected a name as Europe/Berlin or UTC", ret_error);
		if (*p == '/' && (p == value || p[1] == '/' || !p[1]))
			return check_failed(value, "is no time zone: it is a name as Europe/Berlin, not a path", ret_error);
	}
	return 0;
}

int check_locale(const char *value, ve_error **ret_error)
{
	/* It becomes a file name inside, and a word of a shell's there. */
	size_t n = strlen(value);
	if (n == 0 || n > LOCALE_MAX)
		return check_failed(value, n ? "is too long for a locale" : "is empty", ret_error);
	for (const char *p = value; *p; p++)
		if (!isalnum((unsigned char)*p) && (p == value || !strchr("_.@-", *p)))
			return check_failed(value, "is no locale: expected a name as de_DE.UTF-8 or C.UTF-8", ret_error);
	return 0;
}

int check_domain(const char *value, ve_error **ret_error)
{
	const char *wrong = domain_complaint(value, DOMAIN_MAX);
	return wrong ? check_failed(value, wrong, ret_error) : 0;
}

int check_path(const char *value, ve_error **ret_error)
{
	int r = check_text(value, ret_error);
	if (r < 0)
		return r;
	if (value[0] != '/' || strlen(value) >= PATH_MAX)
		return check_failed(value, "is no absolute path", ret_error);
	for (const char *p = value; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return check_failed(value, "has '..' in it", ret_error);
	return 0;
}

int check_name(const char *value, ve_error **ret_error)
{
	return name_check("template", value, NULL) < 0 ?
		       check_failed(value, "is no name: expected letters a-z, digits and '-'", ret_error) :
		       0;
}

int check_alias(const char *value, ve_error **ret_error)
{
	return name_check("VE", value, NULL) < 0 ?
		       check_failed(value, "is no name: expected letters a-z, digits and '-', and nothing like a uuid", ret_error) :
		       0;
}

int check_image(const char *value, ve_error **ret_error)
{
	const char *at = strchrnul(value, '@');
	_cleanup_free_ char *name = strndup(value, (size_t)(at - value));
	if (!name)
		return err_nomem(ret_error);
	bool good = name_check("image", name, NULL) == 0;
	if (*at)
		good = good && strlen(at + 1) == 64 && strspn(at + 1, "0123456789abcdef") == 64;
	return good ? 0 : check_failed(value, "is no image: expected NAME or NAME@DIGEST", ret_error);
}

int check_mac(const char *value, ve_error **ret_error)
{
	static const char why[] = "is no MAC address: expected something like 02:00:00:12:34:56";
	if (strlen(value) != 17)
		return check_failed(value, why, ret_error);
	unsigned long any = 0;
	for (unsigned i = 0; i < 17; i++) {
		if (i % 3 == 2 ? value[i] != ':' : !isxdigit((unsigned char)value[i]))
			return check_failed(value, why, ret_error);
		if (i % 3 == 0)
			any |= strtoul(value + i, NULL, 16);
	}
	if (strtoul(value, NULL, 16) & 1)
		return check_failed(value, "is a multicast MAC address", ret_error);
	return any ? 0 : check_failed(value, "is no MAC address of an interface", ret_error);
}

int check_signal(const char *value, ve_error **ret_error)
{
	return image_parse_signal(value) > 0
		       ? 0
		       : check_failed(value, "is no signal: expected something like SIGTERM or SIGRTMIN+3",
				      ret_error);
}

int check_capability(const char *value, ve_error **ret_error)
{
	const char *name = value + 1;
	if ((value[0] != '+' && value[0] != '-') || !*name || strlen(name) > 32 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz_") != strlen(name) || str_starts(name, "cap_"))
		return check_failed(value, "is no capability: expected something like +net_raw or -net_admin",
				    ret_error);
	return 0;
}

/* A whole number or "unlimited" of N characters; false: it is neither. */
static bool limit_scan(const char *s, size_t n, uint64_t *ret_value)
{
	uint64_t v = 0;
	if (n == strlen("unlimited") && strncmp(s, "unlimited", n) == 0) {
		*ret_value = UINT64_MAX;
		return true;
	}
	if (n == 0 || n > 19)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	*ret_value = v;
	return true;
}

int check_rlimit(const char *value, ve_error **ret_error)
{
	const char *colon = strchrnul(value, ':');
	uint64_t soft, hard;
	if (!limit_scan(value, (size_t)(colon - value), &soft) ||
	    (*colon && !limit_scan(colon + 1, strlen(colon + 1), &hard)))
		return check_failed(value, "is no limit: expected SOFT or SOFT:HARD, whole numbers or 'unlimited'",
				    ret_error);
	return *colon && soft > hard ? check_failed(value, "has a soft limit above the hard one", ret_error) : 0;
}

int check_resolver(const char *value, ve_error **ret_error)
{
	struct address a;
	return address_parse(value, ADDRESS_LOOPBACK, &a, ret_error);
}

int check_firewall_preset(const char *value, ve_error **ret_error)
{
	if (firewall_preset(value, FIREWALL_IN))
		return 0;
	_cleanup_strbuf_ struct strbuf why = { 0 };
	strbuf_add(&why, "is no preset: expected ");
	for (const char *const *p = firewall_preset_names; *p; p++)
		strbuf_addf(&why, "%s%s", p == firewall_preset_names ? "" : p[1] ? ", " : " or ", *p);
	_cleanup_free_ char *text = strbuf_steal(&why);
	return text ? check_failed(value, text, ret_error) : err_nomem(ret_error);
}

/* One number, or two with '-' between them; its length, 0: it is none. */
static size_t range_length(const char *s)
{
	size_t n = strspn(s, "0123456789");
	if (n == 0 || n > 4 || s[n] != '-')
		return n > 4 ? 0 : n;
	size_t m = strspn(s + n + 1, "0123456789");
	return m == 0 || m > 4 || atoi(s + n + 1) < atoi(s) ? 0 : n + 1 + m;
}

int check_cpus(const char *value, ve_error **ret_error)
{
	static const char why[] = "is no list of CPUs: expected something like 0-3,8";
	enum { CPUS_MAX = 8192 };
	for (const char *p = value;; p++) {
		size_t n = range_length(p);
		const char *last = memchr(p, '-', n);
		if (n == 0 || (p[n] && p[n] != ',') || atoi(last ? last + 1 : p) >= CPUS_MAX)
			return check_failed(value, why, ret_error);
		p += n;
		if (!*p)
			return 0;
	}
}

int check_bridge(const char *value, ve_error **ret_error)
{
	size_t n = strlen(value);
	if (n == 0 || n > 15)
		return check_failed(value, "is no interface: names have 1 to 15 characters", ret_error);
	for (const char *p = value; *p; p++)
		if (!isgraph((unsigned char)*p) || *p == '/' || *p == ':')
			return check_failed(value, "is no interface: it has blanks, '/' or ':' in it", ret_error);
	return str_eq(value, ".") || str_eq(value, "..") ? check_failed(value, "is no interface", ret_error) : 0;
}

/* Also a link-local one, as routers have them. */
int check_gateway(const char *value, ve_error **ret_error)
{
	unsigned char b[16] = { 0 };
	bool v4 = inet_pton(AF_INET, value, b) == 1, v6 = !v4 && inet_pton(AF_INET6, value, b) == 1;
	static const unsigned char none[16];
	if (!v4 && !v6)
		return check_failed(value, "is no gateway's address", ret_error);
	if (memcmp(b, none, sizeof(b)) == 0 || (v4 && b[0] >= 224) || (v6 && b[0] == 0xff))
		return check_failed(value, "is the address of no gateway", ret_error);
	return 0;
}

int check_forward(const char *value, ve_error **ret_error)
{
	struct portforward f;
	return portforward_parse(value, &f, ret_error);
}

int check_mount(const char *value, ve_error **ret_error)
{
	struct bindmount b;
	return bindmount_parse(value, &b, ret_error);
}

int check_device(const char *value, ve_error **ret_error)
{
	struct devicespec d;
	return devicespec_parse(value, &d, ret_error);
}
