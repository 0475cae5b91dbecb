/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Templates that extend each other: the texts of the input are a.json, b.json, c.json and d.json. */
#include "keys.h"
#include "model/template.h"

static const char *const names[] = { "a", "b", "c", "d" };
enum { N = ARRAY_SIZE(names) };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	json_object_seed(1);
	private_directory("/mnt");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const dirs[] = { "/mnt", NULL };
	struct text texts[N];
	json_t *list = NULL;
	texts_of(data, size, texts, N);
	for (unsigned i = 0; i < N; i++) {
		char path[32];
		snprintf(path, sizeof(path), "/mnt/%s.json", names[i]);
		/* One that is empty is not there. */
		if (texts[i].n)
			put_file(AT_FDCWD, path, &texts[i]);
		else
			unlink(path);
	}
	for (unsigned i = 0; i < N; i++) {
		_cleanup_template_ struct template *t = NULL;
		_cleanup_err_ ve_error *e = NULL;
		if (template_open(dirs, names[i], &t, &e) < 0) {
			expect_sentence(e);
			expect(!t);
			continue;
		}
		expect(strcmp(t->name, names[i]) == 0 && strlen(t->digest) == 64);
		expect_typeable(t->keys);
	}
	expect(template_list(dirs, &list, NULL) == 0);
	json_decref(list);
	return 0;
}
