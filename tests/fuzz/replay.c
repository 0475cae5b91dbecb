/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gives a target the files of the directories that are its arguments, each in a process of its own, and prints TAP. Stands where
 * libFuzzer's main() would: any compiler builds it.
 */
#include <dirent.h>
#include <sys/wait.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20, DEADLINE_S = 120 };

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void replay(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = malloc(INPUT_MAX);
	expect(f && data);
	size_t n = fread(data, 1, INPUT_MAX, f);
	expect(n < INPUT_MAX && !ferror(f));
	fclose(f);
	/* No byte more than there are: who reads on is seen. */
	data = realloc(data, n ? n : 1);
	expect(data);
	LLVMFuzzerTestOneInput(data, n);
	free(data);
}

static bool passes(int argc, char **argv, const char *path)
{
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(DEADLINE_S);
		LLVMFuzzerInitialize(&argc, &argv);
		replay(path);
		exit(0); /* with the leaks' check */
	}
	expect(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (status)
		printf("# %s: %s %d\n", path, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return status == 0;
}

int main(int argc, char **argv)
{
	unsigned tests = 0, failed = 0;
	for (int i = 1; i < argc; i++) {
		struct dirent **entries;
		int n = scandir(argv[i], &entries, NULL, alphasort);
		for (int k = 0; k < n; k++) {
			char path[4096];
			snprintf(path, sizeof(path), "%s/%s", argv[i], entries[k]->d_name);
			if (entries[k]->d_name[0] != '.') {
				bool ok = passes(argc, argv, path);
				failed += !ok;
				printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, entries[k]->d_name);
			}
			free(entries[k]);
		}
		if (n >= 0)
			free(entries);
	}
	if (tests == 0)
		printf("not ok 1 - there is no corpus\n");
	printf("1..%u\n", tests ? tests : 1);
	return failed || tests == 0;
}
