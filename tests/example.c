/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VE's whole life through <ve.h>, and nothing else: create, start, look, run a command in it, change a limit,
 * stop, destroy. This is what a panel or a billing system does.
 *
 *     cc -o example tests/example.c $(pkg-config --cflags --libs libve)
 *     ./example IMAGE [NAME]
 *
 * The exit status is that of vectl(8): 0, or the one of the error's category.
 */
#include <stdio.h>
#include <stdlib.h>
#include <ve.h>

/* Whatever fails says what was attempted, on what, and why; the caller adds nothing but where it goes. */
static int failed(ve_error *error)
{
	int code = ve_category_exit_code(ve_error_category(error));
	fprintf(stderr, "example: %s\n", ve_error_message(error));
	if (ve_error_hint(error))
		fprintf(stderr, "         %s\n", ve_error_hint(error));
	ve_error_free(error);
	return code;
}

/* Documents are read by path; no JSON library is needed for it. */
static int look(ve *v, ve_error **error)
{
	ve_doc *status;
	int r = ve_status(v, &status, error);
	if (r < 0)
		return r;
	printf("%s (%s) is %s", ve_doc_string(status, "name"), ve_doc_string(status, "uuid"),
	       ve_doc_string(status, "state"));
	for (size_t i = 0; i < ve_doc_length(status, "addresses"); i++) {
		char path[32];
		snprintf(path, sizeof(path), "addresses.%zu", i);
		printf("%s %s", i ? "," : ", at", ve_doc_string(status, path));
	}
	printf("\n");
	fflush(stdout);
	ve_doc_free(status);
	return 0;
}

/* An argument vector, no shell; descriptors 0, 1 and 2 are ours. */
static int say_hello(ve *v, ve_error **error)
{
	const char *const argv[] = { "sh", "-c", "echo hello from $(hostname), process $$", NULL };
	struct ve_exec_opts opts = { .size = sizeof(opts), .argv = argv };
	int status, r = ve_exec(v, &opts, &status, error);
	if (r == 0)
		printf("it ended with status %d\n", status);
	fflush(stdout);
	return r;
}

static int set_memory(ve_ctx *ctx, ve *v, const char *assignment, ve_error **error)
{
	ve_spec *spec;
	char *value;
	int r = ve_spec_new(ctx, &spec, error);
	if (r < 0)
		return r;
	r = ve_spec_assign(spec, assignment, error);
	if (r == 0)
		r = ve_set(v, spec, VE_SET_NOW, NULL, error);
	ve_spec_free(spec);
	if (r >= 0)
		r = ve_get(v, "memory.limit", &value, error);
	if (r < 0)
		return r;
	printf("memory.limit is %s\n", value);
	free(value);
	return 0;
}

static int live(ve_ctx *ctx, ve *v, ve_error **error)
{
	struct ve_start_opts start = { .size = sizeof(start), .wait = true };
	struct ve_stop_opts stop = { .size = sizeof(stop), .timeout_s = -1 };
	int r = ve_start(v, &start, error);
	if (r >= 0)
		r = look(v, error);
	if (r >= 0)
		r = say_hello(v, error);
	if (r >= 0)
		r = set_memory(ctx, v, "memory.limit=256M", error);
	if (r >= 0)
		r = ve_stop(v, &stop, error);
	return r < 0 ? r : look(v, error);
}

int main(int argc, char **argv)
{
	ve_error *error = NULL;
	ve_ctx *ctx;
	ve *v;
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: %s IMAGE [NAME]\n", argv[0]);
		return 64;
	}
	/* The store: NULL is the host's own, "/". */
	if (ve_ctx_new(getenv("VECTL_ROOT"), &ctx, &error) < 0)
		return failed(error);
	struct ve_create_opts create = { .size = sizeof(create), .image = argv[1] };
	int code = 0, r = ve_create(ctx, argc == 3 ? argv[2] : "example", &create, &v, &error);
	if (r >= 0) {
		r = live(ctx, v, &error);
		/* The first error is the one that is told. */
		struct ve_destroy_opts destroy = { .size = sizeof(destroy), .force = true };
		int gone = ve_destroy(v, &destroy, r < 0 ? NULL : &error);
		r = r < 0 ? r : gone;
		ve_close(v);
	}
	if (r < 0)
		code = failed(error);
	else
		printf("and gone\n");
	ve_ctx_free(ctx);
	return code;
}
