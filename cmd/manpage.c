/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manpage.h"

#include <ctype.h>
#include <stdio.h>

#include "util.h"

/* The date that the pages show: of this version, so that a build is reproducible. */
#define PAGE_DATE "November 21, 2026"

/* ---- mdoc ---- */

/* Text for a page, as it is: nothing in it is taken for a macro or an escape, and '-' can be copied. */
static void literal(const char *s)
{
	for (bool line_start = true; *s; s++) {
		if (line_start && (*s == '.' || *s == '\''))
			fputs("\\&", stdout);
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else
			putchar(*s);
		line_start = *s == '\n';
	}
	putchar('\n');
}

/* Prose: an empty line begins a paragraph, a sentence a line of the source, as mdoc wants it. */
static void body(const char *s)
{
	_cleanup_text_ struct text t = { 0 };

	for (; *s; s++) {
		if (s[0] == '\n' && s[1] == '\n') {
			literal(t.s ? t.s : "");
			puts(".Pp");
			t.len = 0;
			s++;
		} else if (s[0] == '.' && s[1] == ' ' && isupper((unsigned char)s[2])) {
			text_add(&t, ".\n");
			s++;
		} else {
			text_add_n(&t, s, 1);
		}
	}
	literal(t.s ? t.s : "");
}

/* The same as one line: for .Dl and .Nd. */
static void inline_text(const char *s)
{
	_cleanup_free_ char *line = x_strdup(s);

	for (char *c = line; *c; c++)
		if (*c == '\n')
			*c = ' ';
	body(line);
}

static void head(const char *title, const char *section)
{
	puts(".\\\" SPDX-License-Identifier: LGPL-2.1-or-later");
	printf(".Dd " PAGE_DATE "\n.Dt ");
	for (const char *c = title; *c; c++)
		putchar(*c == ' ' ? '-' : toupper((unsigned char)*c));
	printf(" %s\n.Os vectl %s\n", section, ve_version());
}

/* "Fl \-wait Ns Op = Ns Ar SECONDS" */
static void spelling(const struct option *o)
{
	if (o->letter)
		printf("Fl %c , ", o->letter);
	printf("Fl \\-%s", o->name);
	if (o->kind == OPTION_MAYBE_SECONDS)
		printf(" Ns Op = Ns Ar %s", o->value);
	else if (o->value)
		printf(" Ar %s", o->value);
}

static void synopsis_options(const struct command *c)
{
	for (const struct option *o = c->options; o && o->name; o++) {
		if (o->hidden || o->instead)
			continue;
		struct option bare = *o;
		bare.letter = 0;
		fputs(".Op ", stdout);
		spelling(&bare);
		puts(o->kind == OPTION_STRINGS ? " ..." : "");
	}
}

static void synopsis_operand(const struct command *c, const struct operand *o)
{
	bool guest = o->many && c->flags & COMMAND_GUEST;

	if (guest)
		puts(".Op Fl \\-");
	printf(o->optional ? ".Op Ar %s" : ".Ar %s", o->name);
	if (guest)
		printf(o->optional ? " Op Ar ARG ..." : "\n.Op Ar ARG ...");
	else if (o->many)
		fputs(" ...", stdout);
	putchar('\n');
}

static void synopsis(const struct command *c)
{
	bool guest = c->flags & COMMAND_GUEST;
	const struct operand *o = c->operands;

	puts(".Sh SYNOPSIS");
	printf(".Nm vectl %s\n", c->name);
	for (; o->name && !(guest && o->many); o++)
		synopsis_operand(c, o);
	synopsis_options(c);
	if (o->name)
		synopsis_operand(c, o);
	for (const struct option *i = c->options; i && i->name; i++)
		if (i->instead) {
			printf(".Nm vectl %s\n.Fl \\-%s%s%s\n", c->name, i->name, i->value ? " Ar " : "", i->value ? i->value : "");
			for (o = c->operands[0].name ? c->operands + 1 : c->operands; o->name; o++)
				synopsis_operand(c, o);
		}
}

static void option_list(const struct option *list)
{
	puts(".Bl -tag -width Ds");
	for (; list->name; list++) {
		if (list->hidden)
			continue;
		fputs(".It ", stdout);
		spelling(list);
		putchar('\n');
		body(list->doc);
	}
	puts(".El");
}

static bool has_options(const struct command *c)
{
	for (const struct option *o = c->options; o && o->name; o++)
		if (!o->hidden)
			return true;
	return false;
}

static void exits(const char *line)
{
	puts(".Sh EXIT STATUS");
	if (line) {
		puts(".Bl -tag -width 125");
		while (*line) {
			size_t n = strcspn(line, "\n"), code = strcspn(line, " ");
			_cleanup_free_ char *why = x_strndup(line + code + 1, n - code - 1);
			printf(".It %.*s\n", (int)code, line);
			body(why);
			line += n + (line[n] == '\n');
		}
		puts(".El\n.Pp");
	}
	puts("All codes are listed in\n.Xr vectl 8 .");
}

static void examples(const struct command *c)
{
	if (!c->examples[0].command)
		return;
	puts(".Sh EXAMPLES");
	for (const struct example *e = c->examples; e->command; e++) {
		if (e != c->examples)
			puts(".Pp");
		inline_text(e->says);
		puts(".Bd -literal -offset indent");
		literal(e->command);
		puts(".Ed");
	}
}

/* Pages stand by section, then by name. */
static int compare_pages(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int by_section = strcmp(strrchr(x, ' '), strrchr(y, ' '));

	return by_section ? by_section : strcmp(x, y);
}

/* From "start(8) config(5)": pages of vectl. */
static void see_also(const struct command *c)
{
	_cleanup_strings_ struct strings pages = { 0 };

	strings_add(&pages, x_strdup("vectl 8"));
	for (const char *s = c->see ? c->see : ""; *s;) {
		size_t n = strcspn(s, "(");
		strings_add(&pages, x_printf("vectl-%.*s %c", (int)n, s, s[n + 1]));
		s += n + 3;
		s += strspn(s, " ");
	}
	qsort(pages.items, pages.n, sizeof(*pages.items), compare_pages);
	puts(".Sh SEE ALSO");
	for (size_t i = 0; i < pages.n; i++)
		printf(".Xr %s%s\n", pages.items[i], i + 1 < pages.n ? " ," : "");
}

void manpage_command(const struct command *c)
{
	_cleanup_free_ char *title = x_printf("vectl %s", c->name), *dashed = x_strdup(title);

	for (char *s = dashed; *s; s++)
		if (*s == ' ')
			*s = '-';
	head(title, "8");
	printf(".Sh NAME\n.Nm %s\n.Nd ", dashed);
	inline_text(c->summary);
	synopsis(c);
	puts(".Sh DESCRIPTION");
	body(c->description);
	if (has_options(c)) {
		puts(".Pp\nThe options are:");
		option_list(c->options);
	}
	puts(".Pp\nEvery command takes:");
	option_list(common_options);
	exits(c->exits);
	examples(c);
	see_also(c);
	printf(".Sh HISTORY\n.Nm vectl %s\nis there since vectl %s.\n", c->name, c->since);
}

/* ---- parts of the hand-written pages ---- */

static void part_commands(void)
{
	for (enum command_group g = 0; g < GROUP_COUNT; g++) {
		printf(".Ss %s\n.Bl -tag -compact -width \"template\\ list\"\n", command_group_title(g));
		for (size_t i = 0; command_table[i]; i++) {
			if (command_table[i]->group != g)
				continue;
			_cleanup_free_ char *dashed = x_strdup(command_table[i]->name);
			for (char *s = dashed; *s; s++)
				if (*s == ' ')
					*s = '-';
			printf(".It Cm %s\n", command_table[i]->name);
			inline_text(command_table[i]->summary);
			printf(".Pq Xr vectl-%s 8\n", dashed);
		}
		puts(".El");
	}
}

static void part_exits(void)
{
	static const char *const why[VE_ERR_COUNT] = {
		[VE_ERR_USAGE] = "The command line makes no sense.",
		[VE_ERR_DATA] = "An image, an archive or a record is damaged.",
		[VE_ERR_NOT_FOUND] = "There is no such VE, image, template, key or file.",
		[VE_ERR_UNSUPPORTED] = "The host, or this version, lacks the feature.",
		[VE_ERR_BUG] = "A bug in vectl.",
		[VE_ERR_KERNEL] = "The kernel refused.",
		[VE_ERR_EXISTS] = "It exists already, or the address is taken.",
		[VE_ERR_NO_ROOM] = "No room: disk, quota, ids or memory.",
		[VE_ERR_BUSY] = "Busy, locked or timed out: try again.",
		[VE_ERR_PERMISSION] = "The caller may not; vectl works as root.",
		[VE_ERR_CONFIG] = "The configuration, a template or a value is bad.",
		[VE_ERR_STATE] = "The VE is in the wrong state, blocked or protected: do not try again.",
	};

	puts(".Bl -tag -width 125\n.It 0\nDone, or already so.\n.It 1\nSome of several failed.");
	for (enum ve_category c = VE_ERR_NONE + 1; c < VE_ERR_COUNT; c++) {
		printf(".It %d Pq Li %s\n", ve_category_exit_code(c), ve_category_name(c));
		body(why[c] ? why[c] : ve_category_name(c));
	}
	puts(".It 128+N\nInterrupted by signal N (130 by Ctrl\\-C): what was begun is undone.\n.El");
}

static const char *key_change(const ve_doc *row)
{
	if (ve_doc_bool(row, "fixed"))
		return "fixed at create";
	return ve_doc_bool(row, "live") ? "may change while the VE runs" : "a change needs a restart";
}

static int part_keys(ve_ctx *ctx)
{
	_cleanup_doc_ ve_doc *keys = NULL;
	ve_error *e = NULL;

	if (ve_keys(ctx, NULL, &keys, &e) < 0) {
		fprintf(stderr, "vectl: %s\n", ve_error_message(e));
		ve_error_free(e);
		return -1;
	}
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < ve_doc_length(keys, ""); i++) {
		const ve_doc *row = ve_doc_at(keys, "", i);
		const char *unit = ve_doc_string(row, "unit"), *def = ve_doc_string(row, "default");
		printf(".It Va %s\n", ve_doc_string(row, "key"));
		body(ve_doc_string(row, "doc") ? ve_doc_string(row, "doc") : "");
		bool has_unit = unit && *unit;
		_cleanup_free_ char *facts =
			x_printf("Type: %s%s%s; default: %s; %s%s.", ve_doc_string(row, "type"),
				 has_unit ? ", " : "", has_unit ? unit : "", def && *def ? def : "none",
				 key_change(row), ve_doc_bool(row, "privileged") ? "; hands power over the host" : "");
		puts(".br");
		literal(facts);
		if (!ve_doc_bool(row, "built"))
			puts("Not in this version: refused with 69.");
	}
	puts(".El");
	return 0;
}

static void part_fields(ve_ctx *ctx)
{
	_cleanup_doc_ ve_doc *fields = NULL;

	if (ve_list_fields(ctx, &fields, NULL) < 0)
		return;
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < ve_doc_length(fields, ""); i++) {
		const ve_doc *row = ve_doc_at(fields, "", i);
		printf(".It Va %s%s\n", ve_doc_string(row, "field"), ve_doc_bool(row, "default") ? " *" : "");
		body(ve_doc_string(row, "doc") ? ve_doc_string(row, "doc") : "");
	}
	puts(".El");
}

bool manpage_part(ve_ctx *ctx, const char *part)
{
	if (strncmp(part, "head-", 5) == 0 && strrchr(part, '-') > part + 5) {
		const char *section = strrchr(part, '-');
		_cleanup_free_ char *title = x_strndup(part + 5, (size_t)(section - part - 5));
		head(title, section + 1);
	} else if (str_eq(part, "commands")) {
		part_commands();
	} else if (str_eq(part, "options")) {
		option_list(common_options);
	} else if (str_eq(part, "exits")) {
		part_exits();
	} else if (str_eq(part, "keys")) {
		return part_keys(ctx) == 0;
	} else if (str_eq(part, "fields")) {
		part_fields(ctx);
	} else {
		return false;
	}
	return true;
}
