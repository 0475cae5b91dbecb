/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shell completion: a script made from the table. It has one function that prints candidates (asking
 * vectl itself for the names of VEs, images, templates and keys) and one that decides which are wanted.
 */
#include <stdio.h>

#include "commands.h"
#include "report.h"
#include "util.h"

/* How a word of a synopsis is completed: a shell command that prints candidates. Words that are not here (ADDR,
 * USER, SECONDS) are not completed. */
static const struct {
	const char *word, *shell;
} sources[] = {
	{ "NAME", "vectl list --names" },
	{ "PATTERN", "vectl list --names" },
	{ "IMAGE", "vectl image list --names" },
	{ "TEMPLATE", "vectl template list --names" },
	{ "RECIPE", "printf '%s\\n' debian-11 debian-12 debian-13 busybox" },
	{ "KEY", "vectl keys --names" },
	{ "KEY=VALUE", "vectl keys --names | sed 's/$/=/'" },
	{ "POOL", "vectl pool list --names" },
	{ "SETTING=VALUE", "vectl host show | sed 's/:.*/=/'" },
	{ "SETTING", "vectl --quiet tune --ves 1000000 | sed 's/:.*//'" },
	{ "STATE", "printf '%s\\n' running booted stopped" },
	{ "SHELL", "echo bash" },
	{ "COMMAND", "vectl help --words | cut -d' ' -f1 | uniq" },
	{ "FILE", "compgen -f -- \"$2\"" },
	{ "SRC", "compgen -f -- \"$2\"" },
	{ "DST", "compgen -f -- \"$2\"" },
	{ "DIR", "compgen -d -- \"$2\"" },
};

static const char script_head[] =
	"# bash completion for vectl; made by `vectl completion bash`.\n"
	"_vectl_candidates() {\n"
	"\tcase $1 in\n";

static const char script_walk[] =
	"\tesac 2>/dev/null\n"
	"}\n"
	"\n"
	"_vectl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} command= operands=0 options= kind= value= word i\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ $value ]]; then value=; continue; fi\n"
	"\t\tcase $word in\n";

static const char script_words[] =
	"\t\t-*) ;;\n"
	"\t\t*)\n"
	"\t\t\tcase $command in\n"
	"\t\t\t'') command=$word ;;\n";

static const char script_kinds[] =
	"\t\t\t*) ((operands++)) ;;\n"
	"\t\t\tesac ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase $command in\n";

static const char script_tail[] =
	"\tif [[ $value ]]; then\n"
	"\t\tkind=$value\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$(_vectl_candidates \"$kind\" \"$cur\")\" -- \"$cur\")\n"
	"\tif [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace; fi\n"
	"}\n"
	"complete -F _vectl vectl\n";

static bool has_source(const char *word)
{
	for (size_t i = 0; word && i < ARRAY_SIZE(sources); i++)
		if (str_eq(sources[i].word, word))
			return true;
	return false;
}

static size_t first_word(const struct command *c)
{
	return strcspn(c->name, " ");
}

/* Rows of one first word stand together in the table. */
static bool begins_prefix(size_t i)
{
	size_t n = first_word(command_table[i]);

	return command_table[i]->name[n] && (i == 0 || first_word(command_table[i - 1]) != n ||
					     strncmp(command_table[i - 1]->name, command_table[i]->name, n) != 0);
}

/* "words:image" and the like: the commands below a prefix; "words:" the first words. */
static void print_word_sources(void)
{
	fputs("\twords:) printf '%s\\n'", stdout);
	for (size_t i = 0; command_table[i]; i++)
		if (!command_table[i]->name[first_word(command_table[i])] || begins_prefix(i))
			printf(" %.*s", (int)first_word(command_table[i]), command_table[i]->name);
	puts(" ;;");
	for (size_t i = 0; command_table[i]; i++) {
		const char *name = command_table[i]->name;
		size_t n = first_word(command_table[i]);
		if (!begins_prefix(i))
			continue;
		printf("\twords:%.*s) printf '%%s\\n'", (int)n, name);
		for (size_t j = i; command_table[j] && strncmp(command_table[j]->name, name, n + 1) == 0; j++)
			printf(" %s", command_table[j]->name + n + 1);
		puts(" ;;");
	}
}

/* Options that take the next word, with the kind of that word. Options of one name take the same kind
 * everywhere: a test says so. */
static void print_option_values(const struct option *list, struct text *seen)
{
	for (; list && list->name; list++) {
		_cleanup_free_ char *key = x_printf(" %s ", list->name);
		if (!list->value || list->kind == OPTION_MAYBE_SECONDS || (seen->s && strstr(seen->s, key)))
			continue;
		text_add(seen, key);
		printf("\t\t--%s) value=%s ;;\n", list->name, has_source(list->value) ? list->value : "none");
	}
}

static void print_options(const struct option *list)
{
	for (; list && list->name; list++)
		if (!list->hidden)
			printf("--%s ", list->name);
}

/* What stands at each place of a command's operands; words of the guest's command are nobody's business. */
static void print_kinds(const struct command *c)
{
	bool guest = c->flags & COMMAND_GUEST;

	printf("\t'%s')\n\t\toptions='", c->name);
	print_options(c->options);
	puts("'");
	fputs("\t\tcase $operands in\n", stdout);
	for (unsigned i = 0; c->operands[i].name; i++) {
		_cleanup_free_ char *place = c->operands[i].many && !c->operands[i + 1].name ? x_strdup("*") : x_printf("%u", i);
		if (has_source(c->operands[i].name) && !(guest && c->operands[i].many))
			printf("\t\t%s) kind='%s' ;;\n", place, c->operands[i].name);
	}
	puts("\t\tesac ;;");
}

static void print_script(void)
{
	_cleanup_text_ struct text seen = { 0 };

	fputs(script_head, stdout);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		printf("\t%s) %s ;;\n", sources[i].word, sources[i].shell);
	print_word_sources();
	fputs(script_walk, stdout);
	for (size_t i = 0; command_table[i]; i++)
		print_option_values(command_table[i]->options, &seen);
	print_option_values(common_options, &seen);
	fputs(script_words, stdout);
	for (size_t i = 0; command_table[i]; i++)
		if (begins_prefix(i))
			printf("\t\t\t%.*s) command+=\" $word\" ;;\n", (int)first_word(command_table[i]),
			       command_table[i]->name);
	fputs(script_kinds, stdout);
	puts("\t'') kind=words: ;;");
	for (size_t i = 0; command_table[i]; i++) {
		if (begins_prefix(i))
			printf("\t%1$.*2$s) kind=words:%1$.*2$s ;;\n", command_table[i]->name,
			       (int)first_word(command_table[i]));
		print_kinds(command_table[i]);
	}
	fputs("\tesac\n\toptions+='", stdout);
	print_options(common_options);
	puts("'");
	fputs(script_tail, stdout);
}

static int run(struct call *call)
{
	if (!str_eq(call->operands[0], "bash"))
		return report_refusal(call, VE_ERR_USAGE, "the one there is: vectl completion bash",
				      "there is no completion for '%s'", call->operands[0]);
	print_script();
	return 0;
}

const struct command command_completion = {
	.name = "completion",
	.group = GROUP_HELP,
	.flags = COMMAND_NO_STORE,
	.operands = { { "SHELL" } },
	.run = run,
	.summary = "print a completion script for the shell",
	.description =
		"Prints a script that teaches bash to complete vectl's commands and options, and the names of "
		"VEs, images, templates and keys. 'make install' puts it where bash looks for it.",
	.examples = {
		{ "source <(vectl completion bash)", "For this shell." },
	},
	.exits = "64 there is none for this shell",
	.since = "0.1",
};
