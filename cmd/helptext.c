/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helptext.h"

#include <stdio.h>
#include <unistd.h>

#include "format.h"
#include "util.h"

enum { WIDTH_PIPE = 80, WIDTH_MAX = 100, OPTION_COLUMN = 26 };

static unsigned help_width(void)
{
	unsigned width = isatty(STDOUT_FILENO) ? terminal_width(STDOUT_FILENO, WIDTH_PIPE) : WIDTH_PIPE;

	return width > WIDTH_MAX ? WIDTH_MAX : width < 40 ? 40 : width;
}

/* ---- synopses ---- */

/* "--wait[=SECONDS]", "--image IMAGE". */
static void add_spelling(struct text *t, const struct option *o)
{
	text_addf(t, "--%s", o->name);
	if (o->kind == OPTION_MAYBE_SECONDS)
		text_addf(t, "[=%s]", o->value);
	else if (o->value)
		text_addf(t, " %s", o->value);
}

static void add_operands(struct text *t, const struct command *c)
{
	for (const struct operand *o = c->operands; o->name; o++) {
		const char *tail = !o->many ? "" : c->flags & COMMAND_GUEST ? " [ARG]..." : "...";
		if (o->many && c->flags & COMMAND_GUEST)
			text_add(t, " [--]");
		text_addf(t, o->optional ? " [%s%s]" : " %s%s", o->name, tail);
	}
}

char *help_usage(const struct command *c)
{
	_cleanup_text_ struct text t = { 0 };
	bool guest = c->flags & COMMAND_GUEST;

	text_addf(&t, "vectl %s", c->name);
	if (!guest)
		add_operands(&t, c);
	else if (c->operands[0].name && !c->operands[0].many)
		text_addf(&t, " %s", c->operands[0].name);
	for (const struct option *o = c->options; o && o->name; o++)
		if (!o->hidden && !o->instead) {
			text_add(&t, " [");
			add_spelling(&t, o);
			text_add(&t, o->kind == OPTION_STRINGS ? "]..." : "]");
		}
	if (guest) {
		struct command tail = *c;
		while (tail.operands[0].name && !tail.operands[0].many)
			memmove(tail.operands, tail.operands + 1, OPERANDS_MAX * sizeof(tail.operands[0]));
		add_operands(&t, &tail);
	}
	for (const struct option *o = c->options; o && o->name; o++)
		if (o->instead) {
			struct command tail = *c;
			memmove(tail.operands, tail.operands + 1, OPERANDS_MAX * sizeof(tail.operands[0]));
			text_addf(&t, "\nvectl %s ", c->name);
			add_spelling(&t, o);
			add_operands(&t, &tail);
		}
	return x_strdup(t.s);
}

char *help_prefix_usage(const char *prefix)
{
	_cleanup_text_ struct text t = { 0 };
	size_t n = strlen(prefix);

	for (size_t i = 0; command_table[i]; i++)
		if (strncmp(command_table[i]->name, prefix, n) == 0 && command_table[i]->name[n] == ' ')
			text_addf(&t, "%svectl %s", t.s ? "\n" : "", command_table[i]->name);
	return x_strdup(t.s ? t.s : "");
}

/* ---- one command ---- */

static void print_wrapped(const char *s, unsigned indent)
{
	_cleanup_text_ struct text t = { 0 };

	format_wrapped(&t, s, indent, help_width());
	fputs(t.s ? t.s : "", stdout);
}

/* A long synopsis goes on in further lines behind the command's words, broken only between its parts. */
static void print_usage(const struct command *c)
{
	_cleanup_free_ char *usage = help_usage(c);
	unsigned width = help_width(), column = 0;
	const char *lead = "Usage: ";
	int depth = 0;

	for (char *s = usage; *s;) {
		size_t n = 0;
		for (; s[n] && s[n] != '\n' && (s[n] != ' ' || depth || !n); n++)
			depth += s[n] == '[' ? 1 : s[n] == ']' ? -1 : 0;
		if (column == 0)
			column = (unsigned)printf("%s", lead);
		else if (column + n > width)
			column = (unsigned)printf("\n%*s", 15, "") - 1;
		column += (unsigned)printf("%.*s", (int)n, s);
		s += n;
		if (*s == '\n') {
			putchar('\n');
			column = 0;
			lead = "       ";
			s++;
		}
	}
	putchar('\n');
}

/* "  -q, --quiet" */
static void add_left(struct text *t, const struct option *o)
{
	if (o->letter)
		text_addf(t, "  -%c, ", o->letter);
	else
		text_add(t, "  ");
	add_spelling(t, o);
}

static void print_option(const struct option *o)
{
	_cleanup_text_ struct text left = { 0 }, right = { 0 };

	if (o->hidden)
		return;
	add_left(&left, o);
	format_wrapped(&right, o->doc, OPTION_COLUMN, help_width());
	if (left.len + 2 > OPTION_COLUMN)
		printf("%s\n%s", left.s, right.s);
	else
		printf("%-*s%s", OPTION_COLUMN, left.s, right.s + OPTION_COLUMN);
}

/* In one line: `vectl --help` explains them. */
static void print_common(void)
{
	_cleanup_text_ struct text t = { 0 };

	text_add(&t, "\nEvery command takes");
	for (const struct option *o = common_options; o->name; o++) {
		text_add(&t, o == common_options ? " " : o[1].name ? ", " : " and ");
		add_spelling(&t, o);
	}
	text_add(&t, "; see 'vectl --help'.");
	print_wrapped(t.s, 0);
}

static void print_options(const struct command *c)
{
	bool any = false;

	for (const struct option *o = c->options; o && o->name; o++) {
		if (!any && !o->hidden)
			puts("\nOptions:");
		any |= !o->hidden;
		print_option(o);
	}
	print_common();
}

static void print_examples(const struct command *c)
{
	if (!c->examples[0].command)
		return;
	puts("\nExamples:");
	for (const struct example *e = c->examples; e->command; e++) {
		for (const char *line = e->command; *line;) {
			size_t n = strcspn(line, "\n");
			printf("  %.*s\n", (int)n, line);
			line += n + (line[n] == '\n');
		}
		print_wrapped(e->says, 6);
	}
}

static void print_exits(const struct command *c)
{
	puts("\nExit codes:");
	for (const char *line = c->exits; line && *line;) {
		size_t n = strcspn(line, "\n");
		_cleanup_free_ char *code = x_strndup(line, strcspn(line, " "));
		_cleanup_free_ char *why = x_strndup(line + strlen(code) + 1, n - strlen(code) - 1);
		_cleanup_text_ struct text t = { 0 };
		format_wrapped(&t, why, 7, help_width());
		printf("  %-5s%s", code, t.s + 7);
		line += n + (line[n] == '\n');
	}
	puts("  vectl(8) lists them all.");
}

void help_command(const struct command *c)
{
	printf("vectl %s - %s\n\n", c->name, c->summary);
	print_usage(c);
	putchar('\n');
	print_wrapped(c->description, 0);
	print_options(c);
	print_examples(c);
	print_exits(c);
}

/* ---- lists of commands ---- */

static void print_summary(const struct command *c)
{
	printf("  %-18s%s\n", c->name, c->summary);
}

void help_prefix(const char *prefix)
{
	size_t n = strlen(prefix);

	printf("Usage: vectl %s COMMAND\n\n", prefix);
	for (size_t i = 0; command_table[i]; i++)
		if (strncmp(command_table[i]->name, prefix, n) == 0 && command_table[i]->name[n] == ' ')
			print_summary(command_table[i]);
	printf("\nvectl %s COMMAND --help tells more.\n", prefix);
}

void help_all(void)
{
	puts("vectl - virtual private servers on one Linux kernel\n\nUsage: vectl COMMAND [NAME] [options]");
	for (enum command_group g = 0; g < GROUP_COUNT; g++) {
		printf("\n%s:\n", command_group_title(g));
		for (size_t i = 0; command_table[i]; i++)
			if (command_table[i]->group == g)
				print_summary(command_table[i]);
	}
	puts("\nEvery command takes:");
	for (const struct option *o = common_options; o->name; o++)
		print_option(o);
	puts("\nA first VE:\n"
	     "  vectl check                  can this host do it?\n"
	     "  vectl image build debian-12\n"
	     "  vectl create web1 --ssh-key ~/.ssh/id_ed25519.pub --start --wait\n"
	     "  vectl enter web1\n"
	     "\nvectl COMMAND --help tells more; so do vectl(8) and a page for each command, vectl-start(8).");
}
