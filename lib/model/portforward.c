/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/portforward.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/str.h"
#include "model/checks.h"

/* A port number without sign, blank or leading zero; the text behind it is *REST. */
static bool scan_port(const char *text, unsigned *ret_port, const char **rest)
{
	unsigned v = 0;
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 5 || text[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned)(text[i] - '0');
	*ret_port = v;
	*rest = text + n;
	return v <= 65535;
}

int portforward_parse(const char *text, struct portforward *ret, ve_error **ret_error)
{
	static const char form[] = "is no port forward: expected something like tcp:8080:80 or udp:5000-5009:6000";
	unsigned first, last, to;
	const char *p = text + 4;
	bool udp = str_starts(text, "udp:");
	if (!udp && !str_starts(text, "tcp:"))
		return check_failed(text, form, ret_error);
	if (!scan_port(p, &first, &p))
		return check_failed(text, form, ret_error);
	last = first;
	if (*p == '-' && !scan_port(p + 1, &last, &p))
		return check_failed(text, form, ret_error);
	if (*p != ':' || !scan_port(p + 1, &to, &p) || *p != '\0')
		return check_failed(text, form, ret_error);
	if (last < first)
		return check_failed(text, "has a range that ends before it begins", ret_error);
	if (last - first >= PORTFORWARD_RANGE_MAX)
		return check_failed(text, "is a range of more than 1024 ports", ret_error);
	if (to + (last - first) > 65535)
		return check_failed(text, "leads beyond port 65535", ret_error);
	*ret = (struct portforward){ .protocol = udp ? PORTFORWARD_UDP : PORTFORWARD_TCP,
				     .first = (uint16_t)first,
				     .n = (uint16_t)(last - first + 1),
				     .to = (uint16_t)to };
	return 0;
}

bool portforward_overlap(const struct portforward *a, const struct portforward *b, uint16_t *ret_port)
{
	if (a->protocol != b->protocol || a->first >= b->first + b->n || b->first >= a->first + a->n)
		return false;
	*ret_port = a->first > b->first ? a->first : b->first;
	return true;
}
