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
#include "model/schema.h"

/* A key that a row stands for. */
static void concrete(const struct schema_key *row, char key[64])
{
	strcpy(key, row->key);
	char *n = strstr(key, ".N.");
	if (n)
		n[1] = '7';
	char *star = strchr(key, '*');
	if (star)
		strcpy(star, row->words ? "nofile" : "some-word_1");
}

/* ---- the table itself */

static void test_rows_are_sound(void **state)
{
	for (const struct schema_key *row = schema_keys; row->key; row++) {
		char key[64];
		concrete(row, key);
		assert_ptr_equal(schema_find(key), row);
		assert_non_null(row->doc);
		assert_int_equal(row->doc[strlen(row->doc) - 1], '.');
		if (row->type == SCHEMA_INT)
			assert_true(row->min < row->max);
		if (row->type == SCHEMA_ENUM)
			assert_non_null(row->words);
		if (row->type == SCHEMA_BOOL)
			assert_true(row->def && (str_eq(row->def, "on") || str_eq(row->def, "off")));
		for (const struct schema_key *other = schema_keys; other != row; other++)
			assert_string_not_equal(row->key, other->key);
	}
}

/* Every default is a value of its key, and is written as it stands in the table. */
static void test_defaults(void **state)
{
	for (const struct schema_key *row = schema_keys; row->key; row++) {
		if (!row->def || !(row->flags & SCHEMA_BUILT))
			continue;
		json_t *value;
		_cleanup_err_ ve_error *e = NULL;
		if (schema_parse(row, row->key, row->def, &value, &e) < 0)
			fail_msg("%s", ve_error_message(e));
		_cleanup_free_ char *text = schema_format(row, value);
		assert_string_equal(text, row->def);
		json_decref(value);
	}
}

/* What the issue promises to work live, and nothing more among the built ones. */
static void test_live_keys(void **state)
{
	static const char live[] = " aliases owner labels.* notes protect hostname boot.auto boot.order boot.delay boot.restart memory.limit memory.swap cpu.cores "
				   "cpu.limit cpu.weight cpu.set cpu.burst memory.guarantee memory.high memory.hugepages rlimits.* io.weight "
				   "io.read_bps io.write_bps io.read_iops io.write_iops pids.limit network.N.ips stop.signal stop.timeout "
				   "firewall.in firewall.out firewall.preset firewall.connections firewall.packet_rate mounts "
				   "network.N.rate_in network.N.rate_out network.N.quota network.N.quota_action network.N.quota_rate "
				   "network.N.quota_day network.N.forwards disk.size disk.inodes hooks.create hooks.before_start "
				   "hooks.started hooks.stopping hooks.stopped hooks.destroyed hooks.timeout ";
	for (const struct schema_key *row = schema_keys; row->key; row++) {
		_cleanup_free_ char *word = str_printf(" %s ", row->key);
		if (row->flags & SCHEMA_BUILT)
			if (!!(row->flags & SCHEMA_LIVE) != !!strstr(live, word))
				fail_msg("%s", row->key);
	}
	const struct schema_key *rlimits = schema_find("rlimits.nofile");
	assert_true(schema_is_live(rlimits, "rlimits.nofile"));
	assert_false(schema_is_live(rlimits, "rlimits.nproc"));
	assert_false(schema_is_live(schema_find("image"), "image"));
	assert_true(schema_is_live(schema_find("network.7.ips"), "network.7.ips"));
}

static void test_keys_of_the_design_are_known(void **state)
{
	static const char *const all[] = {
		"name", "uuid", "aliases", "owner", "labels.tier", "notes", "hostname", "image", "template",
		"init", "command", "cpu.cores", "cpu.weight", "cpu.limit", "cpu.set", "cpu.burst", "memory.limit",
		"memory.swap", "memory.guarantee", "memory.high", "memory.hugepages", "pids.limit", "io.weight", "io.read_bps",
		"io.write_bps", "io.read_iops", "io.write_iops", "disk.backend", "disk.size", "disk.inodes",
		"disk.user_quota", "volumes", "pool", "network.0.type", "network.99.ips", "network.0.mac",
		"network.0.mtu", "network.0.bridge", "network.0.vlan", "network.0.gateway", "network.0.rate_in",
		"network.0.rate_out", "network.0.forwards", "network.0.quota", "firewall.in", "firewall.out",
		"dns.servers", "dns.search", "rlimits.nofile", "mounts", "devices", "features.fuse",
		"features.tun", "features.nesting", "security.seccomp", "security.capabilities", "boot.auto",
		"boot.order", "boot.delay", "boot.restart", "hooks.create", "hooks.before_start", "hooks.started", "hooks.stopping",
		"hooks.stopped", "hooks.destroyed", "hooks.timeout", "users", "protect", "timezone", "locale",
		"stop.signal", "stop.timeout", "environment",
	};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!schema_find(all[i]))
			fail_msg("%s is not in the schema", all[i]);
}

/* ---- finding */

static void test_unknown_keys(void **state)
{
	static const char *const unknown[] = {
		"", ".", "memory", "memory.", "memory.limit.", ".memory.limit", "memory.limi", "memory.limits",
		"network", "network.0", "network.N.ips", "network..ips", "network.00.ips", "network.100.ips",
		"network.-1.ips", "network.0.ips.0", "network.0x.ips", "rlimits.", "rlimits.files", "rlimits.no",
		"rlimits.*", "labels.", "labels.A", "labels.a.b", "labels.-a", "labels.a b", "Memory.limit",
	};
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		if (schema_find(unknown[i]))
			fail_msg("'%s' was found", unknown[i]);
}

static void test_groups(void **state)
{
	static const char *const groups[] = {
		"memory", "network", "network.0", "network.99", "rlimits", "labels",
	};
	static const char *const none[] = {
		"", "memory.limit", "mem", "network.100", "network.00", "network.N", "hostname", "network.0.ips",
		"memoryx",
	};
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		assert_true(schema_is_group(groups[i]));
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_false(schema_is_group(none[i]));
}

static void test_nearest(void **state)
{
	assert_string_equal(schema_nearest("memory.limt"), "memory.limit");
	assert_string_equal(schema_nearest("network.12.ip"), "network.N.ips");
	assert_string_equal(schema_nearest("hostnam"), "hostname");
	assert_string_equal(schema_nearest("cpu.core"), "cpu.cores");
	assert_null(schema_nearest("quite.something.else"));
	assert_null(schema_nearest("x"));
}

/* ---- values */

static const struct {
	const char *key, *text, *back;
} good[] = {
	{ "memory.limit", "512M", "512M" },
	{ "memory.limit", "unlimited", "unlimited" },
	{ "cpu.limit", "150%", "1.5" },
	{ "features.nesting", "true", "on" },
	{ "features.nesting", "no", "off" },
	{ "boot.auto", "last", "last" },
	{ "hostname", "Web-1.example.org", "Web-1.example.org" },
	{ "hostname", "1", "1" },
	{ "timezone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires" },
	{ "timezone", "Etc/GMT+3", "Etc/GMT+3" },
	{ "locale", "de_DE.UTF-8", "de_DE.UTF-8" },
	{ "locale", "ca_ES.UTF-8@valencia", "ca_ES.UTF-8@valencia" },
	{ "locale", "C", "C" },
	{ "timezone", "EST5EDT", "EST5EDT" },
	{ "image", "debian-12@0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	  "debian-12@0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
	{ "init", "/lib/systemd/systemd", "/lib/systemd/systemd" },
	{ "init", "/a..b/..c", "/a..b/..c" },
	{ "command", "/bin/sh -c true", "/bin/sh -c true" },
	{ "command", "a a a", "a a a" },
	{ "command", "[\"/bin/sh\",\"-c\",\"a b\",\"\"]", "[\"/bin/sh\",\"-c\",\"a b\",\"\"]" },
	{ "environment", "A=1,B=2,A=3", "A=3,B=2" },
	{ "environment", "[\"A=1,2\"]", "[\"A=1,2\"]" },
	{ "environment", "A=", "A=" },
	{ "network.0.ips", "2001:DB8::7,192.0.2.7/32", "2001:db8::7,192.0.2.7" },
	{ "network.0.mac", "02:00:5E:10:00:01", "02:00:5E:10:00:01" },
	{ "dns.servers", "inherit", "inherit" },
	{ "dns.servers", "127.0.0.1", "127.0.0.1" },
	{ "dns.search", "example.org,a.b", "example.org,a.b" },
	{ "rlimits.nofile", "1024:unlimited", "1024:unlimited" },
	{ "stop.signal", "SIGTERM", "SIGTERM" },
	{ "stop.signal", "37", "37" },
	{ "security.capabilities", "+net_raw,-sys_chroot", "+net_raw,-sys_chroot" },
	{ "stop.timeout", "90", "90s" },
};

static void test_good_values(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct schema_key *row = schema_find(good[i].key);
		_cleanup_err_ ve_error *e = NULL;
		json_t *value, *again;
		if (schema_parse(row, good[i].key, good[i].text, &value, &e) < 0)
			fail_msg("%s", ve_error_message(e));
		_cleanup_free_ char *back = schema_format(row, value);
		assert_string_equal(back, good[i].back);
		/* What is stored is what a file may hold. */
		assert_int_equal(schema_check(row, good[i].key, value, &again, NULL), 0);
		assert_true(json_equal(value, again));
		json_decref(value);
		json_decref(again);
	}
}

static const struct {
	const char *key, *text;
} bad[] = {
	{ "memory.limit", "" }, { "memory.limit", "1M" }, { "memory.limit", "1025T" },
	{ "memory.limit", "inherit" },
	{ "cpu.cores", "0" }, { "cpu.cores", "1.5" }, { "cpu.limit", "0" }, { "cpu.limit", "0.009" },
	{ "cpu.weight", "0" }, { "cpu.weight", "unlimited" }, { "pids.limit", "3" },
	{ "features.nesting", "" }, { "features.nesting", "1" }, { "features.nesting", "ON" },
	{ "boot.auto", "" }, { "boot.auto", "o" }, { "boot.auto", "n off" }, { "boot.auto", "on off" },
	{ "boot.auto", " " },
	{ "boot.order", "-1" }, { "boot.order", "10000" },
	{ "locale", "" }, { "locale", "../C" }, { "locale", "a/b" }, { "locale", "a b" }, { "locale", "a;b" }, { "locale", "$(id)" },
	{ "locale", "a\n" }, { "locale", ".." }, { "locale", "-x" }, { "locale", "%s" }, { "locale", "\xc3\xa4" },
	{ "timezone", "" }, { "timezone", "/etc/passwd" }, { "timezone", "../UTC" }, { "timezone", "Europe/../UTC" },
	{ "timezone", "Europe//Berlin" }, { "timezone", "Europe/" }, { "timezone", "/" }, { "timezone", "." }, { "timezone", "a\n" },
	{ "timezone", "a b" }, { "timezone", "a;b" }, { "timezone", "%s" }, { "timezone", "\xc3\xa4" },
	{ "timezone", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, /* 65 */
	{ "hostname", "" }, { "hostname", "-a" }, { "hostname", "a-" }, { "hostname", "a..b" },
	{ "hostname", "a." },
	{ "hostname", ".a" }, { "hostname", "a_b" }, { "hostname", "a b" }, { "hostname", "a\n" },
	{ "hostname", "a.-b" },
	{ "hostname", "a-.b" },
	{ "hostname", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, /* a part of 64 */
	{ "hostname", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, /* 65 in all */
	{ "image", "" }, { "image", "../x" }, { "image", "a@b" }, { "image", "a@" }, { "image", "@" },
	{ "image", "A" },
	{ "init", "" }, { "init", "sbin/init" }, { "init", "/../x" }, { "init", "/a/.." }, { "init", "/a\n" },
	{ "init", "/\xff" },
	{ "command", "[1]" }, { "command", "[\"a\"" }, { "command", "[\"a\"] x" }, { "command", "\xff" },
	{ "environment", "A" }, { "environment", "=1" }, { "environment", "1A=1" }, { "environment", "A B=1" },
	{ "environment", "container=lxc" }, { "environment", "NOTIFY_SOCKET=/x" }, { "environment", "A=\xff" },
	{ "network.0.ips", "192.0.2.7,127.0.0.1" }, { "network.0.ips", "inherit" }, { "network.0.ips", "web1" },
	{ "network.0.mac", "02:00:00:00:00" }, { "network.0.mac", "00:00:00:00:00:00" },
	{ "network.0.mac", "01:00:5e:00:00:01" }, { "network.0.mac", "ff:ff:ff:ff:ff:ff" },
	{ "network.0.mac", "02-00-00-00-00-01" }, { "network.0.mac", "02:00:00:00:00:0g" },
	{ "network.0.mtu", "1279" }, { "network.0.mtu", "unlimited" }, { "network.0.type", "macvlan" },
	{ "dns.servers", "dns.example.org" }, { "dns.servers", "192.0.2.1/24" }, { "dns.search", "a..b" },
	{ "rlimits.nofile", "" }, { "rlimits.nofile", "-1" }, { "rlimits.nofile", "2:1" },
	{ "rlimits.nofile", "1:" },
	{ "rlimits.nofile", "unlimited:5" }, { "rlimits.nofile", "1:2:3" },
	{ "rlimits.nofile", "99999999999999999999" },
	{ "stop.signal", "SIGNONE" }, { "stop.signal", "0" }, { "stop.signal", "65" },
	{ "stop.signal", "SIGRTMIN+99" },
	{ "stop.timeout", "0" }, { "stop.timeout", "2d" },
	{ "security.seccomp", "vp" }, { "security.capabilities", "net_raw" },
	{ "security.capabilities", "+CAP_NET_RAW" },
	{ "security.capabilities", "+cap_net_raw" }, { "security.capabilities", "+" },
};

static void test_bad_values(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ ve_error *e = NULL;
		json_t *value = NULL;
		if (schema_parse(schema_find(bad[i].key), bad[i].key, bad[i].text, &value, &e) >= 0)
			fail_msg("%s=%s was accepted", bad[i].key, bad[i].text);
		assert_null(value);
		assert_int_equal(ve_error_category(e), VE_ERR_CONFIG);
		_cleanup_free_ char *prefix = str_printf("%s: ", bad[i].key);
		assert_true(str_starts(ve_error_message(e), prefix));
	}
}

static void test_what_is_not_built(void **state)
{
	_cleanup_err_ ve_error *e = NULL;
	json_t *value = NULL, *one = json_integer(1);
	struct schema_key row = *schema_find("cpu.weight");
	row.flags &= ~SCHEMA_BUILT; /* by now, each of the table's is */
	assert_true(schema_parse(&row, row.key, "1", &value, &e) < 0);
	assert_int_equal(ve_error_category(e), VE_ERR_UNSUPPORTED);
	assert_true(schema_check(&row, row.key, one, &value, NULL) < 0);
	json_decref(one);
}

static void test_long_lists_end(void **state)
{
	_cleanup_strbuf_ struct strbuf b = { 0 };
	for (int i = 0; i < 2000; i++)
		strbuf_addf(&b, "%sa%d", i ? "," : "", i);
	json_t *value = NULL;
	_cleanup_free_ char *text = strbuf_steal(&b);
	assert_true(schema_parse(schema_find("dns.search"), "dns.search", text, &value, NULL) < 0);
	assert_null(value);
}

static void test_elements(void **state)
{
	const struct schema_key *ips = schema_find("network.0.ips"), *env = schema_find("environment");
	json_t *a = json_array();
	assert_int_equal(schema_list_add(ips, "k", a, "192.0.2.7", NULL), 1);
	assert_int_equal(schema_list_add(ips, "k", a, "192.0.2.7/32", NULL), 0);
	assert_int_equal(schema_list_add(ips, "k", a, "192.0.2.7/24", NULL), 1); /* the prefix is changed */
	assert_int_equal(json_array_size(a), 1);
	assert_int_equal(schema_list_remove(ips, "k", a, "192.0.2.8", NULL), 0);
	assert_true(schema_list_remove(ips, "k", a, "nonsense", NULL) < 0);
	assert_int_equal(schema_list_remove(ips, "k", a, "192.0.2.7", NULL), 1);
	assert_int_equal(json_array_size(a), 0);
	assert_int_equal(schema_list_add(env, "k", a, "A=1,2", NULL), 1);
	assert_int_equal(schema_list_add(env, "k", a, "AB=1", NULL), 1);
	assert_int_equal(schema_list_add(env, "k", a, "A=3", NULL), 1);
	assert_int_equal(json_array_size(a), 2);
	assert_int_equal(schema_list_remove(env, "k", a, "A", NULL), 1);
	assert_int_equal(schema_list_remove(env, "k", a, "A", NULL), 0);
	assert_string_equal(json_string_value(json_array_get(a, 0)), "AB=1");
	json_decref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_sound),	  cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_live_keys),	  cmocka_unit_test(test_keys_of_the_design_are_known),
		cmocka_unit_test(test_unknown_keys),	  cmocka_unit_test(test_groups),
		cmocka_unit_test(test_nearest),		  cmocka_unit_test(test_good_values),
		cmocka_unit_test(test_bad_values),	  cmocka_unit_test(test_what_is_not_built),
		cmocka_unit_test(test_long_lists_end),	  cmocka_unit_test(test_elements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
