/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last stage: words, environment, signals, and the exec, for init as for what joins. Nothing here allocates. */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapt.h"
#include "sys/syscalls.h"

void unblock_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* As many words as a plan can hold (an offset and a NUL each), and what is added. Pages that are not touched
 * cost nothing. */
enum { MAX_WORDS = BLOB_MAX_BYTES / 5 + 8 };

static bool env_has(char *const *env, unsigned n, const char *name)
{
	size_t len = strlen(name);
	for (unsigned i = 0; i < n; i++)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			return true;
	return false;
}

static void env_fill(const struct mon *m, const struct identity *id, char *env[MAX_WORDS])
{
	static char home[sizeof(id->home) + 8], user[sizeof(id->name) + 8], logname[sizeof(id->name) + 8],
		shell[sizeof(id->shell) + 8];
	const blob_str *given = mon_at(m, m->blob->envp);
	unsigned n = 0;
	for (uint32_t i = 0; i < m->blob->envp.n; i++)
		env[n++] = (char *)mon_str(m, given[i]);
	if (!(m->blob->flags & BLOB_ADAPT))
		return;
	snprintf(home, sizeof(home), "HOME=%s", id->home);
	snprintf(user, sizeof(user), "USER=%s", id->name);
	snprintf(logname, sizeof(logname), "LOGNAME=%s", id->name);
	snprintf(shell, sizeof(shell), "SHELL=%s", id->shell);
	const struct {
		const char *name;
		char *text;
	} extra[] = { { "HOME", home }, { "USER", user }, { "LOGNAME", logname }, { "SHELL", shell } };
	for (unsigned i = 0; i < 4; i++)
		if (!env_has(env, n, extra[i].name))
			env[n++] = extra[i].text;
}

/* As execvp(3): the environment's PATH; a file that may not be run is remembered, the search goes on. */
static void exec_on_path(char *const *argv, char *const *env)
{
	const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (char *const *e = env; *e; e++)
		if (strncmp(*e, "PATH=", 5) == 0)
			path = *e + 5;
	int best = ENOENT;
	for (const char *next; path; path = next) {
		char file[PATH_MAX];
		size_t n = strcspn(path, ":");
		next = path[n] ? path + n + 1 : NULL;
		int len = n ? snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, argv[0]) :
			      snprintf(file, sizeof(file), "./%s", argv[0]);
		if (len >= (int)sizeof(file))
			continue; /* no such name can exist */
		execve(file, argv, env);
		if (errno != ENOENT && errno != ENOTDIR)
			best = errno;
	}
	errno = best;
}

static const char *exec_shell(char *const *env, const struct identity *id)
{
	static char name[sizeof(id->shell) + 2];
	const char *slash = strrchr(id->shell, '/');
	snprintf(name, sizeof(name), "-%s", slash ? slash + 1 : id->shell);
	char *argv[] = { name, NULL };
	execve(id->shell, argv, env);
	if (id->uid != 0 || errno == E2BIG)
		return id->shell;
	/* Root's shell is gone or broken: that must not keep the administrator out. */
	int saved = errno;
	char *plain[] = { (char *)"-sh", NULL };
	execve("/bin/sh", plain, env);
	errno = saved;
	return id->shell;
}

int command_exec(const struct mon *m, const struct identity *id, struct failure *f)
{
	static char *argv[MAX_WORDS], *env[MAX_WORDS];
	struct msg tried = { .kind = CHILD_EXEC };
	const blob_str *given = mon_at(m, m->blob->argv);
	for (uint32_t i = 0; i < m->blob->argv.n; i++)
		argv[i] = (char *)mon_str(m, given[i]);
	env_fill(m, id, env);
	sys_default_signals();
	unblock_signals();
	umask(022);
	adapt_tell(&tried);
	if (msg_send(m->sync, &tried, NULL, 0) < 0)
		return fail(f, "sendmsg", "monitor");
	const char *file = m->blob->argv.n ? argv[0] : "";
	if (m->blob->flags & BLOB_LOGIN)
		file = exec_shell(env, id);
	else if (!*file || strchr(file, '/'))
		execve(file, argv, env);
	else
		exec_on_path(argv, env);
	return fail(f, "execve", file);
}
