/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.json, and what `create --config` takes. */
#include "keys.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	json_object_seed(1); /* the same input, the same way */
	return 0;
}

static void written_is_read(const struct config *c)
{
	_cleanup_config_ struct config *again = NULL;
	_cleanup_err_ ve_error *e = NULL;
	_cleanup_free_ char *text = json_dumps(c->root, JSON_INDENT(2));
	expect(text);
	if (config_parse(text, strlen(text), "again", &again, &e) < 0) {
		fprintf(stderr, "%s\n%s\n", ve_error_message(e), text);
		abort();
	}
	expect(config_diff(c, again, differs, NULL, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ ve_error *e = NULL, *whole = NULL, *keys = NULL;
	_cleanup_config_ struct config *c = NULL, *k = NULL;
	_cleanup_free_ char *text = malloc(size + 1);
	expect(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (config_parse(text, size, "input", &c, &e) < 0) {
		expect_sentence(e);
		expect(!c);
	} else {
		expect(config_name(c) && config_uuid(c));
		if (config_check_whole(c, &whole) < 0)
			expect_sentence(whole);
		written_is_read(c);
		expect_typeable(c);
	}
	if (config_parse_keys(text, size, "input", &k, &keys) < 0)
		expect_sentence(keys);
	else
		expect_typeable(k);
	return 0;
}
