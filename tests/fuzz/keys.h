/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What holds for every configuration that was accepted, however it was read. */
#ifndef TESTS_FUZZ_KEYS_H
#define TESTS_FUZZ_KEYS_H

#include "base/guard.h"
#include "base/str.h"
#include "fuzz.h"
#include "model/config.h"
#include "model/schema.h"

struct spelling {
	struct config *again;
	unsigned n;
};

static inline int type_again(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	struct spelling *s = data;
	const struct schema_key *row = schema_find(key);
	_cleanup_err_ ve_error *e = NULL;
	expect(row && new_value);
	_cleanup_free_ char *value = schema_format(row, new_value), *line = str_printf("%s=%s", key, value);
	expect(value && line);
	if (config_assign(s->again, line, &e) < 0) {
		fprintf(stderr, "%s: %s\n", line, ve_error_message(e));
		abort();
	}
	s->n++;
	return 0;
}

static inline int differs(const char *key, json_t *old_value, json_t *new_value, void *data)
{
	const struct schema_key *row = schema_find(key);
	_cleanup_free_ char *a = old_value ? schema_format(row, old_value) : NULL, *b = new_value ? schema_format(row, new_value) : NULL;
	fprintf(stderr, "%s: '%s' was typed again as '%s'\n", key, a ? a : "(unset)", b ? b : "(unset)");
	abort();
}

/* An error has a sentence, with nothing in it that could speak to a terminal. */
static inline void expect_sentence(const ve_error *e)
{
	expect(e && ve_error_message(e) && *ve_error_message(e));
	for (const char *p = ve_error_message(e); *p; p++)
		expect((unsigned char)*p >= 0x20 && *p != 0x7f);
}

/* What C says can be typed, and is the same then; its keys alone: C loses its identity. */
static inline void expect_typeable(struct config *c)
{
	_cleanup_config_ struct config *none = NULL;
	_cleanup_err_ ve_error *e = NULL;
	struct spelling s = { 0 };
	config_put(c, "name", NULL);
	config_put(c, "uuid", NULL);
	config_put(c, "template", NULL); /* create alone sets it */
	expect(config_new(NULL, &none, NULL) == 0 && config_new(NULL, &s.again, NULL) == 0);
	expect(config_diff(none, c, type_again, &s, &e) == 0);
	expect(config_diff(c, s.again, differs, NULL, &e) == 0);
	config_free(s.again);
}

#endif
