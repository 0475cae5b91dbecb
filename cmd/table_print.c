/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table_print.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "format.h"

enum { GAP = 2, WRAP_MIN = 24, WIDTH_MAX = 140 };

struct grid {
	char **cells;	 /* n_rows * n_columns, row by row */
	unsigned *widths;
	bool *right;	 /* the column holds numbers */
	bool *left;	 /* ... and something else */
	size_t n_rows, n_columns;
};

/* Each character is taken for one column wide: no locale is loaded for the sake of a table. */
static unsigned display_width(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

const ve_doc *table_field(const ve_doc *row, const char *field)
{
	for (size_t i = 0; i < ve_doc_length(row, ""); i++) {
		const char *key = ve_doc_key(row, "", i);
		size_t n = key ? strlen(key) : 0;
		if (str_eq(key, field))
			return ve_doc_at(row, "", i);
		if (n && strncmp(key, field, n) == 0 && field[n] == '.' && ve_doc_type(ve_doc_at(row, "", i), "") == VE_OBJECT)
			return table_field(ve_doc_at(row, "", i), field + n + 1);
	}
	return NULL;
}

static char *title_of(const struct column *c)
{
	char *s = x_strdup(c->title ? c->title : c->field);

	for (char *p = s; *p; p++)
		*p = *p == '_' || *p == '.' ? ' ' : (char)toupper((unsigned char)*p);
	return s;
}

static void put(struct grid *g, size_t row, size_t column, char *cell)
{
	unsigned width = display_width(cell);

	g->cells[row * g->n_columns + column] = cell;
	if (g->widths[column] < width)
		g->widths[column] = width;
}

static const char *unit_of(const ve_doc *row, const struct column *c)
{
	if (c->unit_field)
		return ve_doc_string(row, c->unit_field);
	return c->unit ? c->unit : format_unit_of(c->field);
}

static void fill_row(struct grid *g, size_t row, const ve_doc *doc, const struct column *columns)
{
	for (size_t c = 0; c < g->n_columns; c++) {
		if (columns[c].format) {
			put(g, row, c, columns[c].format(doc));
			g->left[c] = true;
			continue;
		}
		const ve_doc *value = table_field(doc, columns[c].field);
		enum ve_type type = value ? ve_doc_type(value, "") : VE_NULL;
		put(g, row, c, format_value(value, unit_of(doc, &columns[c])));
		if (type == VE_INT || type == VE_REAL)
			g->right[c] = true;
		else if (type != VE_NULL)
			g->left[c] = true;
	}
}

static void add_spaces(struct text *t, unsigned n)
{
	text_addf(t, "%*s", (int)n, "");
}

static void add_wrapped(struct text *t, const char *cell, unsigned indent, unsigned width)
{
	_cleanup_text_ struct text wrapped = { 0 };

	format_wrapped(&wrapped, cell, indent, width);
	if (wrapped.s)
		text_add(t, wrapped.s + indent); /* the first line stands behind the other columns */
	else
		text_add(t, "\n");
}

static void print_row(const struct grid *g, size_t row, unsigned wrap_width, bool header)
{
	_cleanup_text_ struct text t = { 0 };
	unsigned column = 0;

	for (size_t c = 0; c < g->n_columns; c++) {
		const char *cell = g->cells[row * g->n_columns + c];
		unsigned pad = g->widths[c] - display_width(cell);
		bool last = c + 1 == g->n_columns;
		if (last && wrap_width && !header) {
			add_wrapped(&t, cell, column, wrap_width);
			break;
		}
		add_spaces(&t, g->right[c] ? pad : 0);
		text_add(&t, cell);
		add_spaces(&t, (g->right[c] || last ? 0 : pad) + (last ? 0 : GAP));
		text_add(&t, last ? "\n" : "");
		column += g->widths[c] + GAP;
	}
	fputs(t.s, stdout);
}

/* Where the last column is wrapped: only on a terminal, and only if something is left for it. */
static unsigned wrap_width(const struct grid *g, const struct column *columns)
{
	unsigned before = 0, width = isatty(STDOUT_FILENO) ? terminal_width(STDOUT_FILENO, 80) : 0;

	for (size_t c = 0; c + 1 < g->n_columns; c++)
		before += g->widths[c] + GAP;
	if (!columns[g->n_columns - 1].wrap || width < before + WRAP_MIN)
		return 0;
	return width < WIDTH_MAX ? width : WIDTH_MAX;
}

void table_print(const ve_doc *rows, const struct column *columns, size_t n_columns, bool header)
{
	size_t n = ve_doc_length(rows, "");
	struct grid g = {
		.cells = x_zalloc((n + 1) * n_columns * sizeof(char *)),
		.widths = x_zalloc(n_columns * sizeof(unsigned)),
		.right = x_zalloc(n_columns * sizeof(bool)),
		.left = x_zalloc(n_columns * sizeof(bool)),
		.n_rows = n,
		.n_columns = n_columns,
	};

	for (size_t c = 0; c < n_columns; c++)
		put(&g, 0, c, header ? title_of(&columns[c]) : x_strdup(""));
	for (size_t i = 0; i < n; i++)
		fill_row(&g, i + 1, ve_doc_at(rows, "", i), columns);
	for (size_t c = 0; c < n_columns; c++)
		g.right[c] &= !g.left[c];
	unsigned wrap = wrap_width(&g, columns);
	for (size_t i = header ? 0 : 1; i <= n; i++)
		print_row(&g, i, wrap, i == 0);
	for (size_t i = 0; i < (n + 1) * n_columns; i++)
		free(g.cells[i]);
	free(g.cells);
	free(g.widths);
	free(g.right);
	free(g.left);
}

/* ---- one object ---- */

struct line {
	char *key, *value;
};

struct lines {
	struct line *items;
	size_t n;
	unsigned flags;
	char *(*format)(const char *key, void *data);
	void *data;
};

static bool is_empty(const ve_doc *value)
{
	enum ve_type type = ve_doc_type(value, "");

	return type == VE_NULL || ((type == VE_ARRAY || type == VE_OBJECT) && ve_doc_length(value, "") == 0);
}

/* KEY without the unit at its end, which the value has: "wait_ns". */
static char *without_unit(const char *key)
{
	static const char *const suffixes[] = { "_bytes", "_seconds", "_ns", "_s" };
	size_t n = strlen(key);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t m = strlen(suffixes[i]);
		if (n > m && str_eq(key + n - m, suffixes[i]))
			return x_strndup(key, n - m);
	}
	return x_strdup(key);
}

static void add_line(struct lines *l, const char *key, const char *name, const ve_doc *doc)
{
	char *value = l->format ? l->format(key, l->data) : NULL;

	if (!value && l->flags & OBJECT_SET_ONLY && is_empty(doc))
		return;
	if (!value)
		value = format_value(doc, format_unit_of(name));
	l->items = x_realloc(l->items, (l->n + 1) * sizeof(*l->items));
	l->items[l->n++] = (struct line){ without_unit(key), value };
}

/* A list of objects takes a number a line; a list of values is one line. */
static bool is_nested(const ve_doc *value)
{
	enum ve_type type = ve_doc_type(value, "");

	if (ve_doc_length(value, "") == 0)
		return false;
	return type == VE_OBJECT || (type == VE_ARRAY && ve_doc_type(ve_doc_at(value, "", 0), "") == VE_OBJECT);
}

static void flatten(struct lines *l, const char *prefix, const ve_doc *doc)
{
	bool object = ve_doc_type(doc, "") == VE_OBJECT;

	for (size_t i = 0; i < ve_doc_length(doc, ""); i++) {
		const ve_doc *value = ve_doc_at(doc, "", i);
		_cleanup_free_ char *own = object ? x_strdup(ve_doc_key(doc, "", i)) : x_printf("%zu", i);
		_cleanup_free_ char *key = *prefix ? x_printf("%s.%s", prefix, own) : x_strdup(own);
		if (is_nested(value))
			flatten(l, key, value);
		else
			add_line(l, key, own, value);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

void table_print_object(const ve_doc *object, unsigned flags, char *(*format)(const char *key, void *data),
			void *data)
{
	struct lines l = { .flags = flags, .format = format, .data = data };
	unsigned width = 0;

	flatten(&l, "", object);
	if (flags & OBJECT_SORTED && l.n)
		qsort(l.items, l.n, sizeof(*l.items), compare_lines);
	for (size_t i = 0; i < l.n; i++)
		if (display_width(l.items[i].key) > width)
			width = display_width(l.items[i].key);
	for (size_t i = 0; i < l.n; i++) {
		unsigned pad = width - display_width(l.items[i].key);
		printf("%s:%*s %s\n", l.items[i].key, (int)pad, "", l.items[i].value);
		free(l.items[i].key);
		free(l.items[i].value);
	}
	free(l.items);
}

void table_print_names(const ve_doc *rows, const char *field)
{
	for (size_t i = 0; i < ve_doc_length(rows, ""); i++) {
		_cleanup_free_ char *name = format_value(table_field(ve_doc_at(rows, "", i), field), NULL);
		puts(name);
	}
}

void table_print_rows(const ve_doc *rows, const struct column *columns, size_t n_columns, const struct rows_options *o)
{
	if (o->names)
		table_print_names(rows, "name");
	else
		table_print(rows, columns, n_columns, !o->no_header);
}
