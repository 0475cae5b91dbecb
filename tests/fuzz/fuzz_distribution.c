/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* os-release(5), by which a start tells of which family a VE's distribution is. */
#include "run/monitor/adapt.c"
#include "run/monitor/files.c"
#include "run/monitor/msg.c"
#include "run/monitor/passwd.c"
#include "run/monitor/pwdlock.c"

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) { return 0; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct distribution d;
	char *text = malloc(size + 1);
	expect(text);
	memcpy(text, data, size);
	distribution_parse(text, size, &d);
	/* It is shown: nothing in it speaks to a terminal. */
	expect(memchr(d.id, '\0', sizeof(d.id)) && strspn(d.id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(d.id));
	expect((d.family & (d.family - 1)) == 0 && d.family <= FAMILIES_ALL);
	free(text);
	return 0;
}
