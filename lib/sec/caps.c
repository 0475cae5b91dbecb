/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability bounding sets: two profiles, and what a configuration adds to them or takes away. */
#include "sec/caps.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>

#include "base/guard.h"
#include "base/str.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* What can only reach the host: a user namespace does not confine them, or the kernel asks for them in the first
 * user namespace alone, so that holding them means nothing but that systemd starts units that must then
 * fail. Nobody gets them, not even by asking. */
static const uint64_t host_only =
	CAP_BIT(CAP_SYS_MODULE) |	/* the host's kernel modules */
	CAP_BIT(CAP_SYS_RAWIO) |	/* ports, /dev/mem, SCSI commands */
	CAP_BIT(CAP_SYS_TIME) |		/* one clock for all; the time namespace has offsets only */
	CAP_BIT(CAP_MAC_ADMIN) | CAP_BIT(CAP_MAC_OVERRIDE) | /* the host's security module */
	CAP_BIT(CAP_AUDIT_CONTROL) | CAP_BIT(CAP_AUDIT_READ) | /* the host's audit trail */
	CAP_BIT(CAP_WAKE_ALARM) | CAP_BIT(CAP_BLOCK_SUSPEND) | /* the machine's power */
	CAP_BIT(CAP_SYSLOG) |		/* the host's kernel log */
	CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_BPF); /* observation of, and code in, the host's kernel */

/* What an application needs that starts as root, takes a low port and changes to a user of its own. Left out of
 * the usual fourteen: MKNOD (the device filter refuses the nodes anyway), AUDIT_WRITE (no audit socket opens). */
static const uint64_t jail_set =
	CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) |
	CAP_BIT(CAP_KILL) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETPCAP) |
	CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_SETFCAP);

/* The capabilities that the running kernel has. */
static uint64_t known_set(void)
{
	int n = cap_max_bits();
	return n <= 0 || n >= 64 ? UINT64_MAX : CAP_BIT(n) - 1;
}

/* The name without "cap_", from libcap's table; false where there is none. */
static bool name_of(int cap, char *buf, size_t size)
{
	char *name = cap_to_name((cap_value_t)cap);
	if (!name)
		return false;
	snprintf(buf, size, "%s", str_starts(name, "cap_") ? name + 4 : name);
	cap_free(name);
	return true;
}

/* "net_raw", "NET_RAW" and "cap_net_raw" are one. libcap would also take numbers, and names with something behind
 * them; the way back to the name shows them up. Returns the number, or -1. */
static int number_of(const char *word)
{
	char name[64], back[32];
	const char *bare = strncasecmp(word, "cap_", 4) == 0 ? word + 4 : word;
	int n = snprintf(name, sizeof(name), "cap_%s", bare);
	if (n < 0 || (size_t)n >= sizeof(name))
		return -1;
	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	cap_value_t value;
	bool known = cap_from_name(name, &value) == 0 && value >= 0 && value < 64;
	return known && name_of(value, back, sizeof(back)) && str_eq(back, name + 4) ? value : -1;
}

static int refuse_unknown(const char *element, const char *word, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(element);
	int r = err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "capabilities",
			  "'%s' in security.capabilities is not '+' or '-' and the name of a capability",
			  quoted ?: "?");
	char name[32], best[32] = "";
	unsigned nearest = 3;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		unsigned d = name_of(cap, name, sizeof(name)) ? str_distance(word, name, nearest) : nearest;
		if (d < nearest) {
			nearest = d;
			memcpy(best, name, sizeof(best));
		}
	}
	if (best[0])
		err_hint(ret_error, "did you mean '%c%s'?", element[0] == '-' ? '-' : '+', best);
	return r;
}

static int refuse_add(int cap, const char *why, ve_error **ret_error)
{
	char name[32];
	if (!name_of(cap, name, sizeof(name)))
		snprintf(name, sizeof(name), "%d", cap);
	return err_plain(ret_error, VE_ERR_CONFIG, EPERM, "capabilities",
			 "security.capabilities cannot add '%s': %s", name, why);
}

static int apply_one(const char *element, bool nesting, uint64_t *set, ve_error **ret_error)
{
	bool sign = element[0] == '+' || element[0] == '-';
	int cap = sign ? number_of(element + 1) : -1;
	if (cap < 0)
		return refuse_unknown(element, sign ? element + 1 : element, ret_error);
	if (element[0] == '-') {
		*set &= ~CAP_BIT(cap);
		return 0;
	}
	if (host_only & CAP_BIT(cap))
		return refuse_add(cap, "it can only reach the host", ret_error);
	if (cap == CAP_SYS_RESOURCE && !nesting) {
		int r = refuse_add(cap, "with it the VE could allow itself user namespaces again", ret_error);
		err_hint(ret_error, "features.nesting=on gives it");
		return r;
	}
	if (!(known_set() & CAP_BIT(cap)))
		return refuse_add(cap, "the running kernel does not have it", ret_error);
	*set |= CAP_BIT(cap);
	return 0;
}

int caps_bounding_set(enum caps_profile profile, bool nesting, const char *const *extra, uint64_t *ret_set,
		      ve_error **ret_error)
{
	uint64_t set = profile == CAPS_JAIL ? jail_set : ~host_only;
	if (!nesting)
		set &= ~CAP_BIT(CAP_SYS_RESOURCE);
	for (; extra && *extra; extra++) {
		int r = apply_one(*extra, nesting, &set, ret_error);
		if (r < 0)
			return r;
	}
	*ret_set = set & known_set();
	return 0;
}

char *caps_format(uint64_t set)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (int cap = 0; cap < 64; cap++) {
		char name[32];
		if (!(set & CAP_BIT(cap)))
			continue;
		if (!name_of(cap, name, sizeof(name)))
			snprintf(name, sizeof(name), "%d", cap);
		strbuf_addf(&b, "%s%s", b.len ? "," : "", name);
	}
	return strbuf_steal(&b);
}
