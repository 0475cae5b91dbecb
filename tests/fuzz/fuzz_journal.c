/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events.jsonl and audit.jsonl as a crash or another program may have left them: read, and gone on with. */
#include <jansson.h>

#include "fuzz.h"
#include "model/journal.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	json_object_seed(1);
	private_directory("/mnt");
	return 0;
}

struct seen {
	unsigned n;
	bool ours;
};

static int see(json_t *entry, void *data)
{
	struct seen *s = data;
	expect(json_is_object(entry));
	s->n++;
	s->ours = json_is_string(json_object_get(entry, "fuzz"));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t[2];
	struct seen before = { 0 }, after = { 0 };
	int dir = open("/mnt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *entry = json_pack("{s:s}", "fuzz", "entry");
	expect(dir >= 0 && entry);
	texts_of(data, size, t, 2);
	put_file(dir, "j.1", &t[0]);
	put_file(dir, "j", &t[1]);
	expect(journal_read(dir, "j", see, &before) == 0);
	/* What is added is there, as the last, and spoils nothing that was. */
	expect(journal_append(dir, "j", 1 << 20, entry) == 0);
	expect(journal_read(dir, "j", see, &after) == 0);
	expect(after.n == before.n + 1 && after.ours);
	json_decref(entry);
	close(dir);
	return 0;
}
