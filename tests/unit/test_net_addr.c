/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/priv.h"

#define UUID "0b0e5f6e-6a55-4a3c-9d9d-5a0c3f1e7a11"

static void accepts(void **state)
{
	static const struct {
		const char *text, *back;
		int family;
	} rows[] = {
		{ "192.0.2.10", "192.0.2.10/32", AF_INET },
		{ "192.0.2.10/32", "192.0.2.10/32", AF_INET },
		{ "192.0.2.10/29", "192.0.2.10/29", AF_INET },
		{ "192.0.2.10/31", "192.0.2.10/31", AF_INET },
		{ "10.0.0.0", "10.0.0.0/32", AF_INET },
		{ "223.255.255.255", "223.255.255.255/32", AF_INET },
		{ "2001:DB8:0:0::10", "2001:db8::10/128", AF_INET6 },
		{ "2001:db8::1/64", "2001:db8::1/64", AF_INET6 },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128",
		  AF_INET6 },
		{ "fd00::5", "fd00::5/128", AF_INET6 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct net_addr a;
		assert_int_equal(net_addr_parse(rows[i].text, &a, NULL), 0);
		assert_int_equal(a.family, rows[i].family);
		_cleanup_free_ char *back = net_addr_format(&a, true);
		assert_string_equal(back, rows[i].back);
		_cleanup_free_ char *bare = net_addr_format(&a, false);
		assert_true(str_starts(rows[i].back, bare));
		assert_null(strchr(bare, '/'));
	}
}

static void refuses(void **state)
{
	static const char *const texts[] = {
		/* no addresses */
		"", "/", "/24", "192.0.2", "192.0.2.010", "192.0.2.256", "192.0.2.10 ", " 192.0.2.10",
		"192.0.2.10\n", "1", "0x7f000001", "example.org", "fe80::1%eth0", "[2001:db8::1]", ":::", ":",
		"2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
		/* no prefixes */
		"192.0.2.10/", "192.0.2.10/33", "192.0.2.10/+8", "192.0.2.10/ 8", "192.0.2.10/0008",
		"192.0.2.10/99999999999999999999", "192.0.2.10/24/24", "2001:db8::1/129", "2001:db8::1/",
		/* none a VE can have */
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "169.254.0.1", "169.254.1.1", "224.0.0.1",
		"239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:192.0.2.10", "fe80::1",
		"febf::1", "ff02::1",
		/* too much, or the network itself */
		"192.0.2.10/7", "2001:db8::1/31", "192.0.2.0/24", "192.0.2.255/24", "192.0.2.12/30",
		"192.0.2.15/30", "2001:db8::/64",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct net_addr a = { .family = 77 };
		_cleanup_err_ ve_error *error = NULL;
		assert_int_equal(net_addr_parse(texts[i], &a, &error), -EINVAL);
		assert_int_equal(ve_error_category(error), VE_ERR_CONFIG);
		assert_null(strchr(ve_error_message(error), '\n'));
		assert_int_equal(a.family, 77);
	}
}

static void masks(void **state)
{
	struct net_addr a, n;
	assert_int_equal(net_addr_parse("192.0.2.171/27", &a, NULL), 0);
	net_addr_network(&a, &n);
	assert_string_equal(addr_text(&n).s, "192.0.2.160/27");
	assert_int_equal(net_addr_parse("2001:db8:1:2:3::9/60", &a, NULL), 0);
	net_addr_network(&a, &n);
	assert_string_equal(addr_text(&n).s, "2001:db8:1::/60");
	assert_int_equal(net_addr_parse("192.0.2.171", &a, NULL), 0);
	assert_string_equal(addr_text(&a).s, "192.0.2.171");
	assert_true(net_bits_equal("\xff\x80", "\xff\xff", 9));
	assert_false(net_bits_equal("\xff\x80", "\xff\xff", 10));
	assert_true(net_bits_equal("a", "b", 0));
}

static void macs(void **state)
{
	unsigned char a[6], b[6], c[6];
	net_mac(UUID, 0, a);
	net_mac(UUID, 1, b);
	net_mac("0b0e5f6e-6a55-4a3c-9d9d-5a0c3f1e7a12", 0, c);
	/* Fixed for ever: a VE keeps its MAC over upgrades. */
	static const unsigned char known[6] = { 0x02, 0x39, 0x32, 0x58, 0xa2, 0xa7 };
	assert_memory_equal(a, known, 6);
	assert_memory_not_equal(a, b, 6);
	assert_memory_not_equal(a, c, 6);
	assert_int_equal(b[0], 0x02);
}

static void names(void **state)
{
	char name[IFNAMSIZ];
	net_if_name(5, 0, name);
	assert_string_equal(name, "vz5.0");
	net_if_name(UINT32_MAX, 99, name);
	assert_string_equal(name, "vz4294967295.99");
}

static void nat_is(const char *range, uint32_t nr, const char *want)
{
	struct net_addr a;
	assert_int_equal(net_nat_address(range, nr, &a, NULL), 0);
	_cleanup_free_ char *text = net_addr_format(&a, true);
	assert_string_equal(text, want);
}

static void nat_ends(const char *range, uint32_t nr)
{
	struct net_addr a;
	_cleanup_err_ ve_error *error = NULL;
	assert_int_equal(net_nat_address(range, nr, &a, &error), -ENOSPC);
	assert_int_equal(ve_error_category(error), VE_ERR_NO_ROOM);
}

static void nat(void **state)
{
	static const char *const bad[] = { "10.77.0.1/16", "10.77.0.0/33", "2001:db8::/64", "",
					   "10.0.0.0/7",   "x/16",         "10.77.0.0\n/16" };
	nat_is("10.77.0.0/16", 0, "10.77.0.1/32");
	nat_is("10.77.0.0/16", 255, "10.77.1.0/32");
	nat_is("10.77.0.0/16", 65533, "10.77.255.254/32");
	nat_ends("10.77.0.0/16", 65534);
	nat_ends("10.77.0.0/16", UINT32_MAX);
	nat_is("192.0.2.4/30", 1, "192.0.2.6/32");
	nat_ends("192.0.2.4/30", 2);
	nat_is("192.0.2.4/31", 1, "192.0.2.5/32");
	nat_ends("192.0.2.4/31", 2);
	nat_is("192.0.2.4/32", 0, "192.0.2.4/32");
	nat_ends("192.0.2.4/32", 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_addr a;
		assert_int_equal(net_nat_address(bad[i], 0, &a, NULL), -EINVAL);
	}
}

/* Every type has its row, and what has addresses on the host can be taken away again. */
static void types(void **state)
{
	for (unsigned t = 0; t < NET_TYPE_COUNT; t++) {
		assert_non_null(net_types[t].name);
		assert_int_equal(net_types[t].attach == NULL, t == NET_NONE);
		assert_int_equal(net_types[t].attach == NULL, net_types[t].detach == NULL);
		assert_false(net_types[t].proxied && net_types[t].masqueraded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts), cmocka_unit_test(refuses), cmocka_unit_test(masks),
		cmocka_unit_test(macs),    cmocka_unit_test(names),   cmocka_unit_test(nat),
		cmocka_unit_test(types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
