/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "call.h"
#include "commands.h"
#include "fleet.h"
#include "report.h"
#include "util.h"

struct stop_options {
	struct seconds timeout;
	bool shutdown;
	struct fleet_options fleet;
};

static const struct option options[] = {
	SECONDS("timeout", struct stop_options, timeout,
		"How long init may take before it is killed; without it the VE's stop.timeout. 0 kills at once."),
	FLAG_INSTEAD("shutdown", struct stop_options, shutdown,
		     "Stop every running VE, in reverse order of boot.order, several at a time: for "
		     "vectl.service, when the host goes down. Does nothing while the host stays up."),
	FLEET_OPTIONS(struct stop_options),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

/* The first word that systemctl prints, with no shell and no PATH in between. Its answer is the manager's own, over
 * a socket that /run/systemd tells nothing of. "" where it cannot be asked. */
static void ask_systemd(char *ret_word, size_t size)
{
	static const char *const programs[] = { "/usr/bin/systemctl", "/bin/systemctl" };
	char *const argv[] = { "systemctl", "is-system-running", NULL };
	char *const environment[] = { "LC_ALL=C", NULL };
	posix_spawn_file_actions_t actions;
	int out[2], r = ENOENT;
	size_t have = 0;
	ssize_t n = 0;
	pid_t pid;

	*ret_word = '\0';
	if (pipe2(out, O_CLOEXEC) < 0)
		return;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; r && i < ARRAY_SIZE(programs); i++)
		r = posix_spawn(&pid, programs[i], &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	while (!r && have + 1 < size && (n = read(out[0], ret_word + have, size - 1 - have)) > 0)
		have += (size_t)n;
	close(out[0]);
	ret_word[have] = '\0';
	ret_word[strcspn(ret_word, "\n")] = '\0';
	while (!r && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Is the host on its way down? `systemctl stop vectl.service` and an upgrade call us as well, and must leave the
 * VEs alone. Under systemd the manager says so; init scripts have their runlevel. */
static bool host_goes_down(void)
{
	char state[32] = "";

	if (access("/run/systemd/system", F_OK) < 0) {
		const char *level = getenv("RUNLEVEL");
		return str_eq(level, "0") || str_eq(level, "6");
	}
	ask_systemd(state, sizeof(state));
	return str_eq(state, "stopping");
}

static int stop_all(struct call *call)
{
	if (host_goes_down())
		return boot_run(call, ve_stop_all, "stopped");
	report_line(call, "the host is not going down: every VE stays as it is");
	return call->common.json ? report_json_text("[]") : 0;
}

static int stop_one(struct call *call)
{
	const struct stop_options *o = call->options;
	int timeout_s = o->timeout.given ? (int)o->timeout.value : -1;
	struct ve_stop_opts opts = { .size = sizeof(opts), .timeout_s = timeout_s };
	_cleanup_ve_ ve *v = NULL;
	ve_error *e = NULL;

	int code = call_open_ve(call, &v);
	if (code)
		return code;
	int r = ve_stop(v, &opts, &e);
	if (r < 0)
		return report_failure(call, r, e);
	return report_change_plain(call, v, r, "stopped", "is stopped already");
}

static int run(struct call *call)
{
	const struct stop_options *o = call->options;

	if (o->shutdown && o->timeout.given)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--timeout does not go with --shutdown");
	return o->shutdown ? stop_all(call) : fleet_verb(call, &o->fleet, stop_one);
}

const struct command command_stop = {
	.name = "stop",
	.group = GROUP_LIFECYCLE,
	.flags = COMMAND_CANCEL,
	.operands = { FLEET_OPERAND },
	.options = options,
	.options_size = sizeof(struct stop_options),
	.run = run,
	.summary = "shut a VE down",
	.description =
		"Asks the VE's init to shut down, as its image says (systemd: SIGRTMIN+3), and waits. What still "
		"runs after the timeout is killed, and a warning says so. A VE that is stopped already is "
		"success.\n\n'vectl kill' cuts the power instead."
		FLEET_DESCRIPTION,
	.examples = {
		{ "vectl stop web1", "Shuts web1 down." },
		{ "vectl stop web1 --timeout 10", "Gives it ten seconds." },
	},
	.exits =
	"66 there is no such VE\n75 another command works on this VE\n1 of several VEs, or with --shutdown, some did not stop",
	.see = "start(8) kill(8) restart(8)",
	.since = "0.1",
};
