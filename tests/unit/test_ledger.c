/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/ledger.h"

enum { DAY = 86400 };
static const int64_t NOON = INT64_C(20000) * DAY + DAY / 2;

static int ledger(void)
{
	int fd = memfd_create("traffic", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* A reading of label L: what left by IPv4, and half of that came in by IPv6. */
static struct ledger_reading reading(unsigned label, uint64_t generation, uint64_t packets, uint64_t bytes)
{
	struct ledger_reading r = { .label = label };
	r.now[COUNTER_OUT4] = (struct counter){ generation, packets, bytes };
	r.now[COUNTER_IN6] = (struct counter){ generation, packets / 2, bytes / 2 };
	return r;
}

static void book(int fd, int64_t now, unsigned label, uint64_t generation, uint64_t bytes)
{
	struct ledger_reading r = reading(label, generation, bytes / 100, bytes);
	assert_int_equal(ledger_book(fd, now, &r, 1), 0);
}

static uint64_t total(int fd)
{
	struct ledger_head h;
	return ledger_read(fd, &h) == 0 ? h.total.of[COUNTER_OUT4].bytes : 0;
}

static uint64_t on_day(int fd, unsigned label, int64_t when)
{
	struct ledger_head h;
	struct ledger_counts c;
	assert_int_equal(ledger_read(fd, &h), 0);
	int slot = ledger_slot_of(&h, label);
	assert_true(slot >= 0);
	return ledger_read_day(fd, &h, slot, ledger_today(when), &c) == 0 ? c.of[COUNTER_OUT4].bytes : 0;
}

static void test_growth(void **state)
{
	_cleanup_close_ int fd = ledger();
	struct ledger_head h;
	assert_int_equal(ledger_read(fd, &h), -ENODATA);
	book(fd, NOON, 0, 7, 1000);
	book(fd, NOON + 60, 0, 7, 1000); /* nothing came */
	book(fd, NOON + 120, 0, 7, 1500);
	assert_int_equal(ledger_read(fd, &h), 0);
	assert_int_equal(h.total.of[COUNTER_OUT4].bytes, 1500);
	assert_int_equal(h.total.of[COUNTER_OUT4].packets, 15);
	assert_int_equal(h.total.of[COUNTER_IN6].bytes, 750);
	assert_int_equal(h.total.of[COUNTER_IN4].bytes, 0);
	assert_int_equal(h.since, NOON);
	assert_int_equal(h.saved_at, NOON + 120);
	assert_int_equal(h.number, 2); /* what does not change is not written */
}

static void test_nothing_twice(void **state)
{
	_cleanup_close_ int fd = ledger();
	book(fd, NOON, 0, 7, 1000);
	book(fd, NOON, 0, 7, 300); /* reset: it is smaller */
	assert_int_equal(total(fd), 1300);
	book(fd, NOON, 0, 8, 5000); /* made anew */
	assert_int_equal(total(fd), 6300);
	book(fd, NOON, 0, 0, 0); /* flushed: it is not there */
	assert_int_equal(total(fd), 6300);
	book(fd, NOON, 0, 8, 5000); /* and there again, the same one */
	assert_int_equal(total(fd), 6300);
	/* One of its two numbers is smaller: a reset that many small packets have hidden in the other. */
	struct ledger_reading r = reading(0, 8, 90, 4000);
	assert_int_equal(ledger_book(fd, NOON, &r, 1), 0);
	assert_int_equal(total(fd), 10300);
}

static void test_days(void **state)
{
	_cleanup_close_ int fd = ledger();
	int64_t midnight = NOON + DAY / 2;
	book(fd, NOON, 0, 7, 1000);
	book(fd, midnight - 1, 0, 7, 1100);
	book(fd, midnight, 0, 7, 1600);
	book(fd, NOON + 2 * DAY, 0, 7, 1700);
	assert_int_equal(on_day(fd, 0, NOON), 1100);
	assert_int_equal(on_day(fd, 0, NOON + DAY), 500);
	assert_int_equal(on_day(fd, 0, NOON + 2 * DAY), 100);
	assert_int_equal(on_day(fd, 0, NOON - DAY), 0);
	uint64_t bytes;
	struct ledger_head h;
	assert_int_equal(ledger_read(fd, &h), 0);
	uint32_t first = ledger_today(NOON);
	ledger_period(fd, &h, 0, first, first + 1, &bytes);
	assert_int_equal(bytes, 1600 + 800); /* with half as much that came in */
	ledger_period(fd, &h, 0, first + 1, first + 30, &bytes);
	assert_int_equal(bytes, 600 + 300);
	ledger_period(fd, &h, 3, first, first + 30, &bytes);
	assert_int_equal(bytes, 0);
}

static void test_days_are_kept_and_bounded(void **state)
{
	_cleanup_close_ int fd = ledger();
	for (uint64_t d = 0; d <= LEDGER_DAYS; d++)
		book(fd, NOON + (int64_t)d * DAY, 0, 7, (d + 1) * 100);
	assert_int_equal(on_day(fd, 0, NOON + DAY), 100);
	off_t size = lseek(fd, 0, SEEK_END);
	for (uint64_t d = LEDGER_DAYS + 1; d < 3 * LEDGER_DAYS; d++)
		book(fd, NOON + (int64_t)d * DAY, 0, 7, (d + 1) * 100);
	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	assert_int_equal(on_day(fd, 0, NOON + DAY), 0);
	assert_int_equal(on_day(fd, 0, NOON + (2 * LEDGER_DAYS + 1) * (int64_t)DAY), 100);
	assert_int_equal(total(fd), 3 * LEDGER_DAYS * 100);
}

/* The sum of all days is the total, whatever the clock did. */
static void test_clock_jumps(void **state)
{
	_cleanup_close_ int fd = ledger();
	book(fd, NOON, 0, 7, 100);
	book(fd, NOON + 3 * DAY, 0, 7, 300); /* ahead */
	book(fd, NOON + 60, 0, 7, 400);	     /* and back: what was counted under a day to come is today's */
	assert_int_equal(on_day(fd, 0, NOON), 400);
	assert_int_equal(on_day(fd, 0, NOON + 3 * DAY), 0);
	book(fd, NOON + DAY, 0, 7, 450);
	book(fd, NOON + 120, 0, 7, 460);
	assert_int_equal(on_day(fd, 0, NOON), 460);
	book(fd, NOON + DAY, 0, 7, 500);
	assert_int_equal(on_day(fd, 0, NOON), 460);
	assert_int_equal(on_day(fd, 0, NOON + DAY), 40);
	assert_int_equal(total(fd), 500);
	book(fd, 0, 0, 7, 600); /* a host without a clock */
	assert_int_equal(total(fd), 600);
}

static void test_labels_have_slots(void **state)
{
	_cleanup_close_ int fd = ledger();
	struct ledger_reading two[2] = { reading(0, 7, 10, 1000), reading(42, 9, 20, 2000) };
	assert_int_equal(ledger_book(fd, NOON, two, 2), 0);
	assert_int_equal(on_day(fd, 0, NOON), 1000);
	assert_int_equal(on_day(fd, 42, NOON), 2000);
	assert_int_equal(total(fd), 3000);
	/* More labels than there are slots: the one that is idle longest gives its place, and its days are nobody's. */
	for (unsigned label = 50; label < 50 + LEDGER_SLOTS - 1; label++)
		book(fd, NOON + label * (int64_t)DAY, label, 7, 10);
	struct ledger_head h;
	assert_int_equal(ledger_read(fd, &h), 0);
	assert_int_equal(ledger_slot_of(&h, 0), LEDGER_NO_SLOT);
	assert_int_equal(on_day(fd, 50 + LEDGER_SLOTS - 2, NOON), 0);
	assert_int_equal(total(fd), 3000 + 10 * (LEDGER_SLOTS - 1));
}

static void book_fast(int fd, uint64_t rules, uint64_t by_rules, uint64_t path, uint64_t by_path)
{
	struct ledger_reading r = reading(0, rules, by_rules / 100, by_rules);
	r.fast[COUNTER_OUT4] = (struct counter){ path, by_path / 100, by_path };
	assert_int_equal(ledger_book(fd, NOON, &r, 1), 0);
}

/* What took the fast path counts beside what the rules have seen: neither is counted again where the other begins anew. */
static void test_fast_path(void **state)
{
	_cleanup_close_ int fd = ledger();
	book_fast(fd, 7, 100, 11, 4000);
	assert_int_equal(total(fd), 4100);
	book_fast(fd, 7, 150, 11, 4400);
	assert_int_equal(total(fd), 4550);
	book_fast(fd, 7, 0, 11, 4400); /* nft reset counters */
	assert_int_equal(total(fd), 4550);
	book_fast(fd, 8, 10, 11, 4500); /* nft flush ruleset, and recover */
	assert_int_equal(total(fd), 4660);
	book_fast(fd, 8, 10, 0, 0); /* it has left the fast path, */
	book_fast(fd, 8, 10, 11, 4500); /* and comes back */
	assert_int_equal(total(fd), 4660);
	book_fast(fd, 9, 300, 12, 200); /* the next start */
	assert_int_equal(total(fd), 5160);

	book_fast(fd, 9, 0, 12, 200); /* a reset with nothing behind it is noted, too */
	book_fast(fd, 9, 400, 12, 200);
	assert_int_equal(total(fd), 5560);

	struct ledger_head h;
	struct ledger_fast fast;
	struct ledger_counts more;
	struct ledger_reading r = reading(0, 9, 5, 500);
	r.fast[COUNTER_OUT4] = (struct counter){ 12, 9, 900 };
	assert_int_equal(ledger_read(fd, &h), 0);
	ledger_read_fast(fd, &h, &fast);
	ledger_since(&h, &fast, &r, &more);
	assert_int_equal(more.of[COUNTER_OUT4].bytes, 100 + 700);
}

/* A ledger from before there was one: nothing of it has been seen. And a torn head leaves the one before with its own. */
static void test_fast_path_of_the_head(void **state)
{
	enum { FAST_AT = 479232 };
	_cleanup_close_ int fd = ledger();
	book_fast(fd, 7, 100, 11, 4000);
	book_fast(fd, 7, 100, 11, 5000);
	struct ledger_head h;
	assert_int_equal(ledger_read(fd, &h), 0);
	assert_int_equal(pwrite(fd, "torn", 4, (h.number % 2 ? 4096 : 0) + 100), 4);
	book_fast(fd, 7, 100, 11, 6000);
	assert_int_equal(total(fd), 6100);
	assert_int_equal(ftruncate(fd, FAST_AT), 0);
	book_fast(fd, 7, 100, 11, 500);
	assert_int_equal(total(fd), 6600);
}

/* A write that power ended half-way: the other head counts, and the growth since is counted again from there. */
static void test_torn_write(void **state)
{
	_cleanup_close_ int fd = ledger();
	book(fd, NOON, 0, 7, 1000);
	book(fd, NOON + 60, 0, 7, 1500);
	struct ledger_head h;
	assert_int_equal(ledger_read(fd, &h), 0);
	off_t newest = h.number % 2 ? 4096 : 0;
	assert_int_equal(pwrite(fd, "torn", 4, newest + 100), 4);
	assert_int_equal(total(fd), 1000);
	book(fd, NOON + 120, 0, 7, 1700);
	assert_int_equal(total(fd), 1700);
	assert_int_equal(on_day(fd, 0, NOON), 1700);
}

static void test_watch(void **state)
{
	_cleanup_close_ int fd = ledger();
	struct ledger_watch w = { .n = 1 }, back;
	uint32_t today = ledger_today(NOON);
	assert_int_equal(ledger_read_watch(fd, &back), -ENODATA);
	w.of[0] = (struct ledger_watched){ .quota = 1500, .from_day = today - 1, .til_day = today + 29 };
	assert_int_equal(ledger_write_watch(fd, &w), 0);
	assert_int_equal(ledger_read_watch(fd, &back), 0);
	assert_memory_equal(&w, &back, sizeof(w));
	book(fd, NOON, 0, 7, 999);
	assert_false(ledger_quota_due(fd, NOON));
	book(fd, NOON, 0, 7, 1000); /* and 500 in */
	assert_true(ledger_quota_due(fd, NOON));
	w.of[0].spent = 1;
	ledger_write_watch(fd, &w);
	assert_false(ledger_quota_due(fd, NOON));
	assert_true(ledger_quota_due(fd, NOON + 29 * DAY)); /* its period has ended */
	w.of[0].quota = 1501;				    /* raised */
	ledger_write_watch(fd, &w);
	assert_true(ledger_quota_due(fd, NOON));
	assert_int_equal(pwrite(fd, "torn", 4, 8192 + 20), 4);
	assert_int_equal(ledger_read_watch(fd, &back), -ENODATA);
}

static void test_one_writer(void **state)
{
	char path[] = "/tmp/ledger-XXXXXX";
	_cleanup_close_ int a = mkstemp(path);
	_cleanup_close_ int b = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	assert_int_equal(ledger_lock(a), 0);
	assert_int_equal(ledger_lock(b), -EAGAIN);
	assert_int_equal(ledger_account(b, NOON), -EAGAIN);
	ledger_unlock(a);
	assert_int_equal(ledger_lock(b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_nothing_twice),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_days_are_kept_and_bounded),
		cmocka_unit_test(test_clock_jumps),
		cmocka_unit_test(test_labels_have_slots),
		cmocka_unit_test(test_torn_write),
		cmocka_unit_test(test_fast_path),
		cmocka_unit_test(test_fast_path_of_the_head),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_one_writer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
