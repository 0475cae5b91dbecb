/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* KEY=VALUE, KEY+=VALUE and KEY-=VALUE as they are typed, a line each, one after the other on one configuration. */
#include "keys.h"

enum { LINES_MAX = 12, LINE_SIZE = 4096 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	json_object_seed(1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_config_ struct config *c = NULL;
	struct text left = { (const char *)data, size };
	expect(config_new(NULL, &c, NULL) == 0);
	for (unsigned i = 0; i < LINES_MAX && left.n > 0; i++) {
		_cleanup_config_ struct config *before = NULL;
		_cleanup_err_ ve_error *e = NULL;
		char line[LINE_SIZE];
		line_of(&left, line, sizeof(line));
		expect(config_copy(c, &before, NULL) == 0);
		if (config_assign(c, line, &e) < 0) {
			expect_sentence(e);
			/* All or nothing. */
			expect(config_diff(before, c, differs, NULL, NULL) == 0);
		}
		const char *end = memchr(left.at, '\n', left.n);
		size_t n = end ? (size_t)(end - left.at) + 1 : left.n;
		left = (struct text){ left.at + n, left.n - n };
	}
	expect_typeable(c);
	return 0;
}
