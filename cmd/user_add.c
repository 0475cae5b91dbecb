/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"
#include "commands.h"
#include "report.h"
#include "secret.h"
#include "util.h"

struct user_add_options {
	const char *groups, *home, *shell, *uid;
	struct strings ssh_keys;
	bool password_stdin;
};

static const struct option options[] = {
	STRING("groups", "GROUP,...", struct user_add_options, groups,
	       "Further groups, which the VE has: sudo, www-data. His own is made with him."),
	STRING("home", "PATH", struct user_add_options, home,
	       "His home; without it /home/USER. It is made from the VE's /etc/skel; one that is there stays as it is."),
	STRING("shell", "PATH", struct user_add_options, shell,
	       "His shell; without it /bin/bash, or /bin/sh where the VE has no bash."),
	STRING("uid", "UID", struct user_add_options, uid, "His number; without it the first free one from 1000 on."),
	STRINGS("ssh-key", "FILE", struct user_add_options, ssh_keys,
		"Let the public keys in FILE ('-': standard input) log in as him. May be repeated."),
	FLAG("password-stdin", 0, struct user_add_options, password_stdin,
	     "Read his password from standard input: one line. Without it he has none."),
	DRY_RUN_OPTION,
	OPTIONS_END,
};

static int parse_uid(struct call *call, const char *text, struct ve_user_opts *opts)
{
	char *end;

	if (!text)
		return 0;
	unsigned long uid = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || uid > 65533)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--uid takes a number up to 65533, not '%s'", text);
	opts->has_uid = true;
	opts->uid = (unsigned)uid;
	return 0;
}

static void split_groups(const char *text, struct strings *list)
{
	_cleanup_free_ char *copy = text ? x_strdup(text) : NULL;
	char *rest = copy;

	for (char *word; rest && (word = strsep(&rest, ","));)
		strings_add(list, x_strdup(word));
}

static int read_secrets(struct call *call, const struct user_add_options *o, struct strings *keys, char **password)
{
	bool stdin_keys = false;
	int code = 0;

	for (size_t i = 0; i < o->ssh_keys.n; i++) {
		if (stdin_keys && str_eq(o->ssh_keys.items[i], "-"))
			return report_refusal(call, VE_ERR_USAGE, NULL, "--ssh-key - can be given once: it reads standard input");
		stdin_keys |= str_eq(o->ssh_keys.items[i], "-");
	}
	if (stdin_keys && o->password_stdin)
		return report_refusal(call, VE_ERR_USAGE, NULL, "--ssh-key - and --password-stdin both read standard input");
	for (size_t i = 0; !code && i < o->ssh_keys.n; i++)
		code = secret_read_keys(call, o->ssh_keys.items[i], keys);
	if (!code && o->password_stdin)
		code = secret_read_line(call, password);
	return code;
}

static int run(struct call *call)
{
	const struct user_add_options *o = call->options;
	const char *user = call->operands[1];
	struct ve_user_opts opts = { .size = sizeof(opts), .home = o->home, .shell = o->shell };
	_cleanup_strings_ struct strings groups = { 0 }, keys = { 0 };
	_cleanup_ve_ ve *v = NULL;
	char *password = NULL;
	ve_error *e = NULL;

	int code = parse_uid(call, o->uid, &opts);
	if (!code)
		code = call_open_ve(call, &v);
	if (!code)
		code = read_secrets(call, o, &keys, &password);
	if (code)
		return code;
	split_groups(o->groups, &groups);
	opts.groups = groups.items;
	opts.ssh_keys = keys.items;
	opts.password = password;
	int r = ve_user_add(v, user, &opts, &e);
	secret_free(password);
	if (r < 0)
		return report_failure(call, r, e);
	_cleanup_free_ char *done = x_printf("added the user %s in", user);
	return report_change_plain(call, v, r, done, "");
}

const struct command command_user_add = {
	.name = "user add",
	.group = GROUP_INSIDE,
	.flags = COMMAND_CANCEL,
	.operands = { { "NAME" }, { "USER" } },
	.options = options,
	.options_size = sizeof(struct user_add_options),
	.run = run,
	.summary = "add a user in a VE",
	.description =
		"Adds USER, with a group of the same name and a home, in the VE NAME, whether it runs or not. passwd, group, shadow and "
		"gshadow are changed inside the VE's namespaces, under the lock of its own tools (/etc/.pwd.lock), and no program "
		"of the VE's is run. One of them that is a link, no regular file or larger than a megabyte is an error, and nothing is "
		"changed.\n\nKeys and passwords are never operands, and are kept out of 'vectl history'.",
	.examples = {
		{ "vectl user add web1 ann --groups sudo --ssh-key ann.pub", "Ann logs in by her key." },
		{ "pwgen 20 1 | tee ftp.secret | vectl user add web1 ftp --password-stdin --shell /usr/sbin/nologin --home /srv/ftp",
		  "Somebody without a shell." },
	},
	.exits = "64 this is no user name\n66 there is no such VE or group\n71 a file of the VE's is not what it should be\n73 it has a "
		 "user, group or number like that\n75 somebody in it holds the lock\n79 the VE is frozen",
	.see = "user-remove(8) user-list(8) user-lock(8) passwd(8) config(5)",
	.since = "0.1",
};
