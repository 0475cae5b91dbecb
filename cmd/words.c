/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words that are no commands of this version: those of other tools (answered with ours), those that vectl
 * will have later (69), and mistyped ones (answered with the nearest).
 */
#include "words.h"

#include "util.h"

/* What vzctl, prlctl, pct, incus, lxc, docker and machinectl call it. OURS is a whole command line, or a sentence
 * where nothing of ours is the same. */
static const struct {
	const char *theirs, *ours;
} foreign[] = {
	{ "add", "vectl create NAME" },
	{ "attach", "vectl console NAME" },
	{ "boot", "vectl start NAME" },
	{ "bash", "vectl enter NAME" },
	{ "sh", "vectl enter NAME" },
	{ "shell", "vectl enter NAME" },
	{ "login", "vectl enter NAME" },
	{ "runscript", "vectl exec NAME sh < SCRIPT" },
	{ "build", "vectl image build RECIPE" },
	{ "config", "vectl show NAME, or vectl set NAME KEY=VALUE" },
	{ "copy", "vectl clone NAME NEW" },
	{ "del", "vectl destroy NAME" },
	{ "delete", "vectl destroy NAME" },
	{ "df", "vectl exec NAME df" },
	{ "down", "vectl stop NAME" },
	{ "halt", "vectl stop NAME" },
	{ "images", "vectl image list" },
	{ "info", "vectl status NAME" },
	{ "init", "vectl create NAME" },
	{ "inspect", "vectl status NAME --json, or vectl show NAME --json" },
	{ "launch", "vectl create NAME --start" },
	{ "log", "vectl logs NAME" },
	{ "ls", "vectl list" },
	{ "new", "vectl create NAME" },
	{ "off", "vectl kill NAME" },
	{ "on", "vectl start NAME" },
	{ "password", "vectl passwd NAME" },
	{ "pause", "vectl freeze NAME" },
	{ "poweroff", "vectl stop NAME, or vectl kill NAME to cut the power" },
	{ "ps", "vectl list" },
	{ "reboot", "vectl restart NAME" },
	{ "remove", "vectl destroy NAME" },
	{ "reset", "vectl kill NAME, then vectl start NAME" },
	{ "resume", "vectl thaw NAME" },
	{ "rm", "vectl destroy NAME" },
	{ "rmi", "vectl image remove IMAGE" },
	{ "set-password", "vectl passwd NAME" },
	{ "setpasswd", "vectl passwd NAME" },
	{ "shutdown", "vectl stop NAME" },
	{ "suspend", "vectl block NAME to close it, or vectl freeze NAME to hold its processes where they are" },
	{ "templates", "vectl template list" },
	{ "terminate", "vectl kill NAME" },
	{ "unfreeze", "vectl thaw NAME" },
	{ "unpause", "vectl thaw NAME" },
	{ "unset", "vectl set NAME KEY=default" },
	{ "up", "vectl start NAME" },
	{ "update", "vectl set NAME KEY=VALUE" },
	{ "image add", "vectl image build RECIPE" },
	{ "image create", "vectl image build RECIPE" },
	{ "image delete", "vectl image remove IMAGE" },
	{ "image info", "vectl image show IMAGE" },
	{ "image inspect", "vectl image show IMAGE" },
	{ "image ls", "vectl image list" },
	{ "image pull", "vectl image build RECIPE" },
	{ "image rm", "vectl image remove IMAGE" },
	{ "image check", "vectl image verify IMAGE" },
	{ "pool add", "vectl pool set POOL KEY=VALUE" },
	{ "pool create", "vectl pool set POOL KEY=VALUE" },
	{ "pool delete", "vectl pool remove POOL" },
	{ "pool info", "vectl pool show POOL" },
	{ "pool ls", "vectl pool list" },
	{ "pool rm", "vectl pool remove POOL" },
	{ "user create", "vectl user add NAME USER" },
	{ "user del", "vectl user remove NAME USER" },
	{ "user delete", "vectl user remove NAME USER" },
	{ "user ls", "vectl user list NAME" },
	{ "user passwd", "vectl passwd NAME USER" },
	{ "useradd", "vectl user add NAME USER" },
	{ "adduser", "vectl user add NAME USER" },
	{ "userdel", "vectl user remove NAME USER" },
	{ "template info", "vectl template show TEMPLATE" },
	{ "template ls", "vectl template list" },
	{ "template verify", "vectl template check TEMPLATE" },
	{ "host info", "vectl host show" },
	{ "host get", "vectl host show" },
	{ "host list", "vectl host show" },
};

/* Commands that vectl is designed to have, and does not have in this version. */
static const char *const later[] = {
	"image import",
	"image export",
};

/* Optimal string alignment distance of two short words; longer ones are no typing mistakes. */
enum { WORD_MAX = 32 };

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (unsigned i = 1; i <= n; i++)
		for (unsigned j = 1; j <= m; j++) {
			d[i][j] = min2(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = min2(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min2(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

const char *words_nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	unsigned best_distance = 3; /* more than two mistakes is another word */

	for (size_t i = 0; candidates && candidates[i]; i++) {
		unsigned d = distance(word, candidates[i]);
		if (d < best_distance && d < strlen(candidates[i])) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}

static const char *nearest_command(const char *word)
{
	struct strings names = { 0 };

	for (size_t i = 0; command_table[i]; i++)
		strings_add(&names, command_table[i]->name);
	const char *near = words_nearest(word, names.items);
	free(names.items);
	return near;
}

/* OURS with the word that was typed where NAME stands: what can be typed now. */
static char *filled_in(const char *ours, const char *next)
{
	_cleanup_text_ struct text t = { 0 };

	for (const char *place; next && next[0] != '-' && (place = strstr(ours, "NAME")); ours = place + 4) {
		text_add_n(&t, ours, (size_t)(place - ours));
		text_add(&t, next);
	}
	text_add(&t, ours);
	return x_strdup(t.s);
}

void words_explain(const char *word, const char *next, struct usage *usage)
{
	usage->category = VE_ERR_USAGE;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (str_eq(word, foreign[i].theirs)) {
			_cleanup_free_ char *ours = filled_in(foreign[i].ours, next);
			usage->message = x_printf("'%s' is no command of vectl; use: %s", word, ours);
			return;
		}
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (str_eq(word, later[i])) {
			usage->category = VE_ERR_UNSUPPORTED;
			usage->message = x_printf("'%s' is not in this version (%s)", word, ve_version());
			return;
		}
	usage->message = x_printf("there is no command '%s'", word);
	const char *near = nearest_command(word);
	if (near)
		usage->hint = x_printf("did you mean 'vectl %s'?", near);
	else if (next && command_find(next))
		usage->hint = x_printf("the command comes first: vectl %s %s", next, word);
	else
		usage->hint = x_strdup("vectl --help lists the commands");
}
