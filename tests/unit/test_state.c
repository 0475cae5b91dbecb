/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/guard.h"
#include "model/state.h"

static void test_names_go_both_ways(void **state)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		enum ve_state back = STATE_COUNT;
		assert_int_equal(state_from_name(state_name((enum ve_state)s), &back), 0);
		assert_int_equal(back, s);
	}
	enum ve_state out = STATE_FROZEN;
	assert_true(state_from_name("nonsense", &out) < 0);
	assert_true(state_from_name("", &out) < 0);
	assert_int_equal(out, STATE_FROZEN);
	assert_string_equal(state_name(STATE_COUNT), "unknown");
}

/* R refused, A allowed, = already there. One line a state, one letter a verb in the order of enum ve_verb:
 * start stop kill freeze thaw destroy exec set passwd console block unblock rename clone push pull user. */
static const char *const expected[STATE_COUNT] = {
	[STATE_CREATING] = "RRRRRARRRRRRRRRRR",
	[STATE_STOPPED] = "A==RRARAARAAAAAAA",
	[STATE_STARTING] = "RAARRRRRRAAARRRRR",
	[STATE_RUNNING] = "=AAA=RAAAAAARRAAA",
	[STATE_FROZEN] = "RAA=ARRARAAARRRRR",
	[STATE_STOPPING] = "RAARRRRRRAAARRRRR",
	[STATE_BLOCKED] = "R==RRARAARAAAAAAA",
};

static void test_table(void **state)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		assert_int_equal(strlen(expected[s]), VERB_COUNT);
		for (int v = 0; v < VERB_COUNT; v++) {
			enum state_answer a = state_ask((enum ve_state)s, (enum ve_verb)v);
			char letter = a == STATE_REFUSED ? 'R' : a == STATE_ALLOWED ? 'A' : '=';
			if (letter != expected[s][v])
				fail_msg("%s when %s: %c", verb_name((enum ve_verb)v),
					 state_name((enum ve_state)s), letter);
		}
	}
	assert_int_equal(state_ask(STATE_COUNT, VERB_START), STATE_REFUSED);
	assert_int_equal(state_ask(STATE_RUNNING, VERB_COUNT), STATE_REFUSED);
}

static void test_refusals_name_verb_object_and_state(void **state)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		for (int v = 0; v < VERB_COUNT; v++) {
			_cleanup_err_ ve_error *e = NULL;
			assert_true(state_refuse("web1", (enum ve_state)s, (enum ve_verb)v, &e) < 0);
			assert_int_equal(ve_error_category(e), VE_ERR_STATE);
			assert_non_null(strstr(ve_error_message(e), "'web1'"));
			assert_non_null(strstr(ve_error_message(e), verb_name((enum ve_verb)v)));
			if (ve_error_hint(e))
				assert_non_null(strstr(ve_error_hint(e), "web1"));
		}
	}
}

static void test_sentences(void **state)
{
	_cleanup_err_ ve_error *freeze = NULL, *exec = NULL;
	state_refuse("web1", STATE_STOPPED, VERB_FREEZE, &freeze);
	assert_string_equal(ve_error_message(freeze), "cannot freeze 'web1': it is stopped");
	state_refuse("web1", STATE_FROZEN, VERB_EXEC, &exec);
	assert_string_equal(ve_error_message(exec), "cannot run a command in 'web1': it is frozen");
	assert_string_equal(ve_error_hint(exec), "vectl thaw web1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_go_both_ways),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_refusals_name_verb_object_and_state),
		cmocka_unit_test(test_sentences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
