/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/undo.h"

/* What was undone, in order. */
struct trace {
	char done[64];
	size_t n;
};

struct step {
	struct trace *trace;
	char letter;
};

static void take_back(void *data)
{
	struct step *s = data;
	s->trace->done[s->trace->n++] = s->letter;
}

static void test_newest_first(void **state)
{
	struct trace t = { 0 };
	struct step steps[] = { { &t, 'a' }, { &t, 'b' }, { &t, 'c' } };
	struct undo u = { 0 };
	for (int i = 0; i < 3; i++)
		assert_int_equal(undo_push(&u, take_back, &steps[i]), 0);
	undo_run(&u);
	assert_string_equal(t.done, "cba");
	undo_run(&u); /* a second time does nothing */
	assert_string_equal(t.done, "cba");
}

/* What was forgotten is marked by a capital. */
static void forget(void *data)
{
	struct step *s = data;
	s->trace->done[s->trace->n++] = (char)(s->letter & ~0x20);
}

static void test_commit_undoes_nothing(void **state)
{
	struct trace t = { 0 };
	struct step steps[] = { { &t, 'a' }, { &t, 'b' }, { &t, 'c' } };
	struct undo u = { 0 };
	assert_int_equal(undo_push(&u, take_back, &steps[0]), 0);
	assert_int_equal(undo_push_owned(&u, take_back, forget, &steps[1]), 0);
	assert_int_equal(undo_push_owned(&u, take_back, forget, &steps[2]), 0);
	undo_commit(&u);
	assert_string_equal(t.done, "BC"); /* only what the stack owned, and each once */
	undo_run(&u);
	undo_commit(&u);
	assert_string_equal(t.done, "BC");
}

static void test_owned_steps_are_undone_not_forgotten(void **state)
{
	struct trace t = { 0 };
	struct step steps[] = { { &t, 'a' }, { &t, 'b' } };
	struct undo u = { 0 };
	undo_push_owned(&u, take_back, forget, &steps[0]);
	undo_push(&u, take_back, &steps[1]);
	undo_run(&u);
	assert_string_equal(t.done, "ba");
}

static void test_reserved_pushes_move_nothing(void **state)
{
	struct trace t = { 0 };
	struct step step = { &t, 'x' };
	struct undo u = { 0 };
	assert_int_equal(undo_reserve(&u, 20), 0);
	struct undo_step *before = u.steps;
	for (int i = 0; i < 20; i++)
		undo_push(&u, take_back, &step);
	assert_ptr_equal(u.steps, before);
	undo_run(&u);
	assert_int_equal(t.n, 20);
}

static void guarded(struct step *step)
{
	_cleanup_undo_ struct undo u = { 0 };
	undo_push(&u, take_back, step);
}

static void test_guard(void **state)
{
	struct trace t = { 0 };
	struct step step = { &t, 'g' };
	guarded(&step);
	assert_string_equal(t.done, "g");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newest_first),	    cmocka_unit_test(test_commit_undoes_nothing),
		cmocka_unit_test(test_owned_steps_are_undone_not_forgotten),
		cmocka_unit_test(test_reserved_pushes_move_nothing),
		cmocka_unit_test(test_guard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
