/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "helptext.h"
#include "util.h"
#include "words.h"

const struct option common_options[] = {
	STRING("root", "DIR", struct common_options, root,
	       "Work on the store below DIR instead of '/'. The variable VECTL_ROOT does the same."),
	FLAG("json", 0, struct common_options, json,
	     "Print one JSON document on standard output, and errors as JSON on standard error; see "
	     "vectl-json(7)."),
	FLAG("quiet", 'q', struct common_options, quiet,
	     "Print neither progress nor what was done; errors and warnings remain."),
	SECONDS("lock-timeout", struct common_options, lock_timeout,
		"Wait so long for another command that works on the same VE (default 10)."),
	STRING("actor", "WHO", struct common_options, actor,
	       "Who asks, for 'vectl history' and 'vectl lock'. The variable VECTL_ACTOR does the same; without both it is "
	       "the user who logged in."),
	STRING("reason", "TEXT", struct common_options, reason,
	       "Why: one line, for 'vectl history', and for whoever a lock or a block stands in the way of."),
	FLAG("unprivileged-keys-only", 0, struct common_options, unprivileged_keys_only,
	     "Refuse (77) what hands power over the host: the keys that 'vectl keys' marks so, whoever names them; --root; files of the "
	     "host's as input; an editor. For the sudo rules of panels."),
	FLAG("help", 'h', struct common_options, help, "Print the help of the command, and do nothing."),
	OPTIONS_END,
};

const struct option dry_run_options[] = { DRY_RUN_OPTION, OPTIONS_END };

struct parser {
	char **argv;
	int argc, next;
	struct call *call;
	char *options;      /* the command's struct; CALL->options once it is whole */
	struct usage *usage;
	const char *prefix; /* "image": the first of two words */
	bool words_only;    /* behind "--", or inside a guest's command */
	bool lost;          /* the command is not known: only the common options still mean something */
};

enum { SECONDS_MAX = INT_MAX / 1000 }; /* 24 days: in milliseconds it is an int of the library */

/* The first complaint is the one that is told. Both texts are taken over. */
static void complain(struct parser *p, char *message, char *hint)
{
	if (p->usage->message) {
		free(message);
		free(hint);
		return;
	}
	*p->usage = (struct usage){ VE_ERR_USAGE, message, hint };
}

int seconds_parse(const char *text, unsigned *ret_seconds)
{
	static const struct {
		const char *suffix;
		unsigned factor;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (errno)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_eq(end, units[i].suffix) && n <= SECONDS_MAX / units[i].factor) {
			*ret_seconds = (unsigned)n * units[i].factor;
			return 0;
		}
	return -1;
}

static int unsigned_parse(const char *text, unsigned *ret_value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (errno || *end || n > INT_MAX)
		return -1;
	*ret_value = (unsigned)n;
	return 0;
}

/* ---- options ---- */

static const struct option *find_in(const struct option *list, const char *name, size_t n, char letter)
{
	for (; list && list->name; list++)
		if (name ? strncmp(list->name, name, n) == 0 && !list->name[n] : letter && list->letter == letter)
			return list;
	return NULL;
}

/* The option and the struct it is stored in: the command's own first, then the common ones. */
static const struct option *find(struct parser *p, const char *name, size_t n, char letter, char **ret_base)
{
	const struct option *own = p->call->command ? find_in(p->call->command->options, name, n, letter) : NULL;

	*ret_base = own && !own->common ? p->options : (char *)&p->call->common;
	return own ? own : find_in(common_options, name, n, letter);
}

static void store(struct parser *p, const struct option *o, char *base, const char *value)
{
	void *member = base + o->offset;
	struct seconds *s = member;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		break;
	case OPTION_STRING:
		*(const char **)member = value;
		break;
	case OPTION_STRINGS:
		strings_add(member, value);
		break;
	case OPTION_UNSIGNED:
		if (unsigned_parse(value, member) < 0)
			complain(p, x_printf("--%s takes a number, not '%s'", o->name, value), NULL);
		break;
	case OPTION_SECONDS:
	case OPTION_MAYBE_SECONDS:
		s->given = true;
		if (value && seconds_parse(value, &s->value) < 0)
			complain(p, x_printf("--%s takes a time like 90, 90s, 5m, 1h or 1d, not '%s'", o->name, value),
				 NULL);
		break;
	}
}

/* VALUE is what stood behind '=' (or a short option's letter), NULL if nothing did. */
static void take_option(struct parser *p, const struct option *o, char *base, const char *value)
{
	bool wants = o->kind != OPTION_FLAG, may_lack = o->kind == OPTION_MAYBE_SECONDS;

	if (value && !wants) {
		complain(p, x_printf("--%s takes no value", o->name), NULL);
		return;
	}
	if (wants && !may_lack && !value && p->next < p->argc)
		value = p->argv[p->next++];
	if (wants && (value ? !*value : !may_lack)) {
		complain(p, x_printf("--%s needs a value: --%s %s", o->name, o->name, o->value), NULL);
		return;
	}
	store(p, o, base, value);
}

/* The nearest option of the command at hand, as a hint. */
static char *suggest_option(struct parser *p, const char *name, size_t n)
{
	struct strings names = { 0 };
	_cleanup_free_ char *word = x_strndup(name, n);

	for (const struct option *o = p->call->command ? p->call->command->options : NULL; o && o->name; o++)
		strings_add(&names, o->name);
	for (const struct option *o = common_options; o->name; o++)
		strings_add(&names, o->name);
	const char *near = words_nearest(word, names.items);
	free(names.items);
	if (near)
		return x_printf("did you mean --%s?", near);
	return p->call->command ? x_printf("vectl %s --help lists its options", p->call->command->name) : NULL;
}

static void unknown_option(struct parser *p, const char *shown, const char *name, size_t n)
{
	if (p->lost)
		return;
	if (p->call->command)
		complain(p, x_printf("%s has no option '%s'", p->call->command->name, shown),
			 suggest_option(p, name, n));
	else
		complain(p, x_printf("there is no option '%s' before the command", shown),
			 x_strdup("a command's own options stand behind it: vectl COMMAND NAME --option"));
}

static void take_long(struct parser *p, const char *arg)
{
	const char *name = arg + 2, *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	_cleanup_free_ char *shown = x_strndup(arg, n + 2);
	char *base;

	if (!p->call->command && !p->prefix && str_eq(name, "version")) {
		p->call->command = command_find("version");
		return;
	}
	const struct option *o = find(p, name, n, 0, &base);
	if (o)
		take_option(p, o, base, equals ? equals + 1 : NULL);
	else
		unknown_option(p, shown, name, n);
}

/* "-f", "-n5", "-fn5". */
static void take_short(struct parser *p, const char *arg)
{
	for (const char *c = arg + 1; *c; c++) {
		char *base, shown[3] = { '-', *c, '\0' };
		const struct option *o = find(p, NULL, 0, *c, &base);
		if (!o) {
			unknown_option(p, shown, arg + 1, strlen(arg + 1));
			return;
		}
		if (o->kind != OPTION_FLAG) {
			take_option(p, o, base, c[1] ? c + 1 : NULL);
			return;
		}
		take_option(p, o, base, NULL);
	}
}

/* ---- words ---- */

static void take_command(struct parser *p, const char *word)
{
	_cleanup_free_ char *name = p->prefix ? x_printf("%s %s", p->prefix, word) : x_strdup(word);

	if (!p->prefix && command_is_prefix(word)) {
		p->prefix = word;
		return;
	}
	p->call->command = command_find(name);
	if (p->call->command) {
		p->options = x_zalloc(p->call->command->options_size);
		p->call->options = p->options;
		return;
	}
	p->lost = true;
	if (!p->usage->message)
		words_explain(name, p->next < p->argc ? p->argv[p->next] : NULL, p->usage);
}

static size_t leading_operands(const struct command *c)
{
	size_t n = 0;

	while (c->operands[n].name && !c->operands[n].many)
		n++;
	return n;
}

static void take_word(struct parser *p, const char *word)
{
	struct call *call = p->call;

	if (p->lost)
		return;
	if (!call->command) {
		take_command(p, word);
		return;
	}
	call->operands = x_realloc(call->operands, (call->n_operands + 2) * sizeof(*call->operands));
	call->operands[call->n_operands++] = word;
	call->operands[call->n_operands] = NULL;
	if (call->command->flags & COMMAND_GUEST && call->n_operands > leading_operands(call->command))
		p->words_only = true;
}

/* ---- the whole ---- */

static bool is_given(const struct option *o, const void *options)
{
	const void *member = (const char *)options + o->offset;

	return o->kind == OPTION_STRINGS ? ((const struct strings *)member)->n > 0 : *(const bool *)member;
}

static const struct option *given_instead(const struct call *call)
{
	for (const struct option *o = call->command->options; o && o->name; o++)
		if (o->instead && is_given(o, call->options))
			return o;
	return NULL;
}

static void check_operands(struct parser *p)
{
	const struct call *call = p->call;
	const struct command *c = call->command;
	const struct option *instead = given_instead(call);
	const struct operand *wanted = c->operands + (instead && c->operands[0].name);
	size_t n = 0;

	if (instead && !wanted[0].name && call->n_operands) {
		complain(p, x_printf("%s --%s takes no name: '%s'", c->name, instead->name, call->operands[0]), NULL);
		return;
	}
	for (; wanted[n].name; n++) {
		if (n >= call->n_operands && !wanted[n].optional) {
			complain(p, x_printf("%s: %s is missing", c->name, wanted[n].name), help_usage(c));
			return;
		}
		if (wanted[n].many)
			return;
	}
	if (call->n_operands > n)
		complain(p, n ? x_printf("%s takes one %s, and '%s' is one too many", c->name,
					 wanted[n - 1].name, call->operands[n])
			      : x_printf("%s takes no operand: '%s'", c->name, call->operands[n]),
			 help_usage(c));
}

static void check(struct parser *p)
{
	if (p->call->common.help || p->lost)
		return;
	if (p->call->command)
		check_operands(p);
	else if (p->prefix)
		complain(p, x_printf("%s: which command?", p->prefix), help_prefix_usage(p->prefix));
	else
		complain(p, x_strdup("no command is given"), x_strdup("vectl --help lists the commands"));
}

int options_parse(int argc, char **argv, struct call *call, struct usage *usage)
{
	struct parser p = { .argv = argv, .argc = argc, .next = 1, .call = call, .usage = usage };

	*call = (struct call){ 0 };
	*usage = (struct usage){ 0 };
	while (p.next < argc) {
		const char *arg = argv[p.next++];
		if (p.words_only || arg[0] != '-' || !arg[1])
			take_word(&p, arg);
		else if (str_eq(arg, "--"))
			p.words_only = true;
		else if (arg[1] == '-')
			take_long(&p, arg);
		else
			take_short(&p, arg);
	}
	check(&p);
	if (call->common.help && !call->command && p.prefix && !p.lost)
		call->operands = (const char **)memcpy(x_zalloc(2 * sizeof(char *)), &p.prefix, sizeof(p.prefix));
	return usage->message ? -1 : 0;
}

static void free_strings(const struct option *list, const char *base)
{
	for (; list && list->name; list++)
		if (list->kind == OPTION_STRINGS)
			free(((const struct strings *)(const void *)(base + list->offset))->items);
}

void options_done(struct call *call)
{
	if (call->options) {
		free_strings(call->command->options, call->options);
		free((void *)call->options);
	}
	free(call->operands);
	*call = (struct call){ 0 };
}

void usage_done(struct usage *usage)
{
	free(usage->message);
	free(usage->hint);
	*usage = (struct usage){ 0 };
}
