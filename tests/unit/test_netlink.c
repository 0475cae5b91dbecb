/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Needs no root: looking at interfaces is everybody's, changing them is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <unistd.h>

#include "base/guard.h"
#include "sys/netlink.h"

static struct nlmsghdr *ask(struct nl *nl, const char *name, uint16_t flags)
{
	struct nlmsghdr *m = nl_add(nl, RTM_GETLINK, flags, "look at '%s'", name ? name : "all");
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	if (name)
		mnl_attr_put_strz(m, IFLA_IFNAME, name);
	return m;
}

static void count(const struct nlmsghdr *nlh, void *data)
{
	assert_int_equal(nlh->nlmsg_type, RTM_NEWLINK);
	++*(unsigned *)data;
}

static struct nl *opened(void)
{
	struct nl *nl = NULL;
	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, NULL), 0);
	return nl;
}

/* More than one batch, and more than a receive buffer of answers. */
static void many(void **state)
{
	_cleanup_nl_ struct nl *nl = opened();
	unsigned n = 0;
	for (int i = 0; i < 1000; i++) {
		ask(nl, "lo", 0);
		nl_on_reply(nl, count, &n);
	}
	assert_int_equal(nl_commit(nl, NULL), 0);
	assert_int_equal(n, 1000);
}

static void dump(void **state)
{
	_cleanup_nl_ struct nl *nl = opened();
	unsigned n = 0, expected = 0;
	struct if_nameindex *all = if_nameindex();
	for (struct if_nameindex *i = all; i->if_index; i++)
		expected++;
	if_freenameindex(all);
	ask(nl, NULL, NLM_F_DUMP);
	nl_on_reply(nl, count, &n);
	assert_int_equal(nl_commit(nl, NULL), 0);
	assert_int_equal(n, expected);
}

static void failure_in_a_batch(void **state)
{
	_cleanup_nl_ struct nl *nl = opened();
	_cleanup_err_ ve_error *error = NULL;
	unsigned n = 0;
	ask(nl, "lo", 0);
	ask(nl, "nosuch0", 0);
	ask(nl, "nosuch1", 0);
	ask(nl, "lo", 0); /* the batch goes on */
	nl_on_reply(nl, count, &n);
	assert_int_equal(nl_commit(nl, &error), -ENODEV);
	assert_int_equal(n, 1);
	assert_non_null(strstr(ve_error_message(error), "cannot look at 'nosuch0'"));
	/* And the handle is good afterwards. */
	ask(nl, "lo", 0);
	nl_on_reply(nl, count, &n);
	assert_int_equal(nl_commit(nl, NULL), 0);
	assert_int_equal(n, 2);
}

static void failure_in_an_earlier_batch(void **state)
{
	_cleanup_nl_ struct nl *nl = opened();
	_cleanup_err_ ve_error *error = NULL;
	unsigned n = 0;
	ask(nl, "nosuch0", 0);
	for (int i = 0; i < 500; i++) {
		ask(nl, "lo", 0);
		nl_on_reply(nl, count, &n);
	}
	assert_int_equal(nl_commit(nl, &error), -ENODEV);
	assert_non_null(strstr(ve_error_message(error), "nosuch0"));
	assert_true(n < 500); /* what came after the failed batch was not sent */
}

static void tolerance(void **state)
{
	_cleanup_nl_ struct nl *nl = opened();
	int where = -1, fine = -1;
	ask(nl, "nosuch0", 0);
	nl_tolerate(nl, ENOENT);
	nl_tolerate(nl, ENODEV);
	ask(nl, "nosuch1", 0);
	nl_result_into(nl, &where);
	ask(nl, "lo", 0);
	nl_result_into(nl, &fine);
	assert_int_equal(nl_commit(nl, NULL), 0);
	assert_int_equal(where, ENODEV);
	assert_int_equal(fine, 0);
	ask(nl, "nosuch0", 0);
	nl_tolerate(nl, ENOENT);
	assert_int_equal(nl_commit(nl, NULL), -ENODEV);
	assert_int_equal(nl_commit(nl, NULL), 0); /* nothing to send */
}

static void the_kernels_words(void **state)
{
	_cleanup_nl_ struct nl *nl = opened();
	_cleanup_err_ ve_error *error = NULL;
	int on = 1;
	struct nlmsghdr *m = nl_add(nl, RTM_GETROUTE, 0, "ask in vain");
	struct rtmsg *r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->rtm_family = AF_INET;
	r->rtm_dst_len = 7; /* "ipv4: rtm_src_len and rtm_dst_len must be 32 for IPv4", asked strictly or not */
	mnl_attr_put_u32(m, RTA_DST, 0);
	mnl_attr_put(m, RTA_IIF, 1, &on);
	assert_true(nl_commit(nl, &error) < 0);
	assert_non_null(strstr(ve_error_message(error), "cannot ask in vain: "));
	/* Two colons: the kernel's sentence, then the errno's. */
	const char *tail = strstr(ve_error_message(error), "vain: ") + 6;
	assert_non_null(strchr(tail, ':'));
}

static void no_namespace(void **state)
{
	struct nl *nl = NULL;
	_cleanup_err_ ve_error *error = NULL;
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(nl_open_in(NETLINK_ROUTE, fd, &nl, &error) < 0);
	assert_non_null(strstr(ve_error_message(error), "network namespace"));
	assert_null(nl);
	nl_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many),
		cmocka_unit_test(dump),
		cmocka_unit_test(failure_in_a_batch),
		cmocka_unit_test(tolerance),
		cmocka_unit_test(the_kernels_words),
		cmocka_unit_test(failure_in_an_earlier_batch),
		cmocka_unit_test(no_namespace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
