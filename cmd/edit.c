/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * edit: the configuration goes into a private file, an editor of the caller's works on it, and what came of it is verified, shown
 * and done as `set` would do it. Nothing is held meanwhile: who was faster is told by the revision.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "cancel.h"
#include "commands.h"
#include "difference.h"
#include "document.h"
#include "report.h"
#include "util.h"

extern char **environ;

struct edit_options {
	struct difference_options how;
};

static const struct option options[] = {
	DIFFERENCE_OPTIONS(struct edit_options),
	OPTIONS_END,
};

/* ---- the file --------------------------------------------------------------------------------------------------- */

struct copy {
	char *dir, *path;
};

static void copy_done(struct copy *c)
{
	if (c->path)
		unlink(c->path);
	if (c->dir)
		rmdir(c->dir);
	free(c->path);
	free(c->dir);
}

/* In a directory of its own, for an editor's own files beside it: there may be secrets in it (environment). */
static int copy_make(struct call *call, const char *name, const char *text, struct copy *c)
{
	const char *tmp = getenv("TMPDIR");

	c->dir = x_printf("%s/vectl-edit.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	if (!mkdtemp(c->dir)) {
		int e = errno;
		free(c->dir);
		c->dir = NULL;
		return report_refusal(call, VE_ERR_KERNEL, NULL, "cannot make a directory for the copy: %s", strerror(e));
	}
	c->path = x_printf("%s/%s.json", c->dir, name);
	int fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t n = strlen(text);
	bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;
	int e = errno;
	if (fd >= 0)
		close(fd);
	return good ? 0 : report_refusal(call, VE_ERR_NO_ROOM, NULL, "cannot write '%s': %s", c->path, strerror(e));
}

/* ---- the editor ------------------------------------------------------------------------------------------------- */

static const char *editor(void)
{
	const char *visual = getenv("VISUAL"), *plain = getenv("EDITOR");

	return visual && *visual ? visual : plain && *plain ? plain : "editor";
}

/* The terminal's interrupt is the editor's, and it shall not be ours: we would leave it alone with the terminal. */
static int await(pid_t pid, int *ret_status)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, interrupt, quit;

	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	int r;
	while ((r = waitpid(pid, ret_status, 0)) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return r;
}

static int run_editor(struct call *call, const char *path)
{
	/* As everybody does it: the variable may have options in it. */
	_cleanup_free_ char *script = x_printf("exec %s \"$1\"", editor());
	char *const argv[] = { (char *)"sh", (char *)"-c", script, (char *)"sh", (char *)path, NULL };
	pid_t pid;
	int status = 0, e = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);

	if (e)
		return report_refusal(call, VE_ERR_KERNEL, NULL, "cannot run '/bin/sh': %s", strerror(e));
	if (await(pid, &status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return report_refusal(call, VE_ERR_USAGE, "VISUAL or EDITOR says which one it is",
				      "the editor '%s' failed: nothing was changed", editor());
	return 0;
}

/* ---- the conversation ------------------------------------------------------------------------------------------- */

/* On a terminal: the first letter of the answer, which is one of CHOICES; 'n' at its end, and without a terminal. */
static char ask(const char *question, const char *choices)
{
	char line[64];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return 'n';
	for (;;) {
		fprintf(stderr, "%s: ", question);
		if (cancel_wait_readable(STDIN_FILENO) < 0 || !fgets(line, sizeof(line), stdin))
			return 'n';
		if (line[0] && strchr(choices, line[0]))
			return line[0];
	}
}

static bool needs_restart(ve *v, const ve_doc *changes)
{
	_cleanup_doc_ ve_doc *status = NULL;
	const char *state = ve_status(v, &status, NULL) < 0 ? NULL : ve_doc_string(status, "state");

	for (size_t i = 0; !str_eq(state, "stopped") && !str_eq(state, "blocked") && i < ve_doc_length(changes, ""); i++)
		if (!ve_doc_bool(ve_doc_at(changes, "", i), "live"))
			return true;
	return false;
}

/* What shall become of CHANGES: 'y' (as RET_MODE says), 'e' (edit again) or 'n'. */
static char decide(struct call *call, ve *v, const ve_doc *changes, enum ve_set_mode *ret_mode)
{
	if (call->common.json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return 'y';
	difference_report(call, v, VE_CHANGED, changes, VE_SET_DRY_RUN);
	fflush(stdout);
	if (*ret_mode != VE_SET_NOW || !needs_restart(v, changes))
		return ask("Change it? [y]es, [e]dit again, [n]o", "yen");
	char answer = ask("It runs. Write it for the next start [p], [r]estart it now, [e]dit again, [n]o", "pren");
	*ret_mode = answer == 'p' ? VE_SET_PENDING : VE_SET_RESTART;
	return answer == 'p' || answer == 'r' ? 'y' : answer;
}

/* One round. Returns the exit code, or -1: edit again. */
static int edit_once(struct call *call, ve *v, const char *before, const char *path, enum ve_set_mode mode)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_doc_ ve_doc *changes = NULL;
	ve_error *e = NULL;

	int code = run_editor(call, path);
	if (!code)
		code = document_read(call, path, &text);
	if (code)
		return code;
	int r = ve_edit(v, text, VE_SET_DRY_RUN, &changes, &e);
	if (r < 0) {
		code = report_failure(call, r, e);
		return ask("[e]dit again, or drop it [n]", "en") == 'e' ? -1 : code;
	}
	if (mode == VE_SET_DRY_RUN || r == VE_UNCHANGED || str_eq(text, before))
		return difference_report(call, v, r, changes, mode);
	char answer = decide(call, v, changes, &mode);
	if (answer != 'y' && cancel_signal())
		return 128 + cancel_signal();
	if (answer != 'y') {
		report_line(call, answer == 'e' ? "" : "nothing was changed");
		return answer == 'e' ? -1 : 0;
	}
	_cleanup_doc_ ve_doc *done = NULL;
	r = ve_edit(v, text, mode, &done, &e);
	return r < 0 ? report_failure(call, r, e) : difference_report(call, v, r, done, mode);
}

static int run(struct call *call)
{
	const struct edit_options *o = call->options;
	__attribute__((cleanup(copy_done))) struct copy copy = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_ve_ ve *v = NULL;
	enum ve_set_mode mode = VE_SET_NOW;
	ve_error *e = NULL;

	if (call->common.unprivileged_keys_only)
		return report_unprivileged(call, "an editor runs anything");
	int code = difference_mode(call, &o->how, &mode);
	if (!code)
		code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_edit_text(v, &text, &e);
	if (r < 0)
		return report_failure(call, r, e);
	code = copy_make(call, ve_name(v), text, &copy);
	if (code)
		return code;
	do
		code = edit_once(call, v, text, copy.path, mode);
	while (code < 0);
	return code;
}

const struct command command_edit = {
	.name = "edit",
	.group = GROUP_CHANGE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" } },
	.options = options,
	.options_size = sizeof(struct edit_options),
	.run = run,
	.summary = "change a VE's configuration in an editor",
	.description =
		"Opens the configuration of the VE NAME in the editor that VISUAL or EDITOR names: a JSON document with all keys that are set "
		"and can be changed, values as they are typed. When the editor ends it is verified, mistakes are told with line and "
		"column, and what changes is shown; on a terminal it is asked for, with what needs a restart. Then all of it is done or, if "
		"one key is refused, nothing. A key that is taken out is unset; 'vectl keys' lists them all.\n\nThe copy is "
		"private and goes with the command. Nothing is locked while the editor is open: if the VE's configuration was changed "
		"meanwhile, what was edited is refused (75). Without a terminal nothing is asked: what is right is done.",
	.examples = {
		{ "vectl edit web1", "In the editor." },
		{ "EDITOR=\"sed -i s/512M/1G/\" vectl edit web1 --dry-run", "What would a script change?" },
	},
	.exits = "64 the editor failed\n66 there is no such VE\n69 a key is not in this version, or the host cannot do it\n73 the address is "
		 "taken\n75 it was changed meanwhile\n77 not with --unprivileged-keys-only\n78 a key or a value is wrong\n79 a key needs a "
		 "restart, or is fixed, or the VE is protected",
	.see = "set(8) show(8) keys(8) config(5)",
	.since = "0.1",
};
