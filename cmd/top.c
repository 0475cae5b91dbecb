/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two lists, a moment apart: what has grown in between is a rate. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "cancel.h"
#include "commands.h"
#include "format.h"
#include "report.h"
#include "util.h"

struct top_options {
	unsigned iterations;
	struct seconds interval;
	const char *sort;
};

static const struct option options[] = {
	UNSIGNED("iterations", 'n', "N", struct top_options, iterations, "End after N pictures; 0, or without it: never."),
	SECONDS("interval", struct top_options, interval, "How long each picture is; 2s without it."),
	STRING("sort", "COLUMN", struct top_options, sort,
	       "The column that the busiest is told by: cpu (the default), memory, pids, in, out, read, write."),
	OPTIONS_END,
};

enum { INTERVAL_S = 2, NS_PER_S = 1000000000 };

/* What is shown of a VE, and compared: rates a second, and what there is at the moment. */
enum figure { CPU, MEMORY, PIDS, IN, OUT, READ, WRITE, FIGURES };
static const struct {
	const char *name, *field; /* as --sort and as ve_list() call it */
	bool grows;
} figures[FIGURES] = {
	[CPU] = { "cpu", "cpu.used", true },	    [MEMORY] = { "memory", "memory.used", false },
	[PIDS] = { "pids", "processes", false },    [IN] = { "in", "traffic.in", true },
	[OUT] = { "out", "traffic.out", true },	    [READ] = { "read", "io.read", true },
	[WRITE] = { "write", "io.write", true },
};

struct row {
	const ve_doc *doc;
	double figures[FIGURES]; /* -1: not known */
};

static const ve_doc *find(const ve_doc *list, const char *uuid)
{
	for (size_t i = 0; i < ve_doc_length(list, ""); i++)
		if (str_eq(ve_doc_string(ve_doc_at(list, "", i), "uuid"), uuid))
			return ve_doc_at(list, "", i);
	return NULL;
}

static double figure_of(const ve_doc *old, const ve_doc *now, enum figure f, double seconds)
{
	if (ve_doc_type(now, figures[f].field) != VE_INT)
		return -1;
	double value = (double)ve_doc_int(now, figures[f].field);
	if (!figures[f].grows)
		return value;
	/* One that was started in between, or whose month began, has grown by what it has. */
	double before = old ? (double)ve_doc_int(old, figures[f].field) : value;
	return (value >= before ? value - before : value) / seconds;
}

static int busier(const void *a, const void *b, void *by)
{
	const struct row *x = a, *y = b;
	double dx = x->figures[*(enum figure *)by], dy = y->figures[*(enum figure *)by];

	if (dx != dy)
		return dx < dy ? 1 : -1;
	return strcmp(ve_doc_string(x->doc, "name"), ve_doc_string(y->doc, "name"));
}

/* The running ones, busiest first. */
static size_t make_rows(const ve_doc *old, const ve_doc *now, double seconds, enum figure by, struct row *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < ve_doc_length(now, ""); i++) {
		const ve_doc *doc = ve_doc_at(now, "", i), *before = find(old, ve_doc_string(doc, "uuid"));
		if (ve_doc_type(doc, "cpu.used") != VE_INT)
			continue;
		rows[n].doc = doc;
		for (int f = 0; f < FIGURES; f++)
			rows[n].figures[f] = figure_of(before, doc, f, seconds);
		n++;
	}
	qsort_r(rows, n, sizeof(*rows), busier, &by);
	return n;
}

/* ---- for people ---- */

static void print_bytes(double value, int width)
{
	_cleanup_free_ char *s = value < 0 ? x_strdup("-") : format_bytes((int64_t)value);
	printf(" %*s", width, s);
}

static void print_pressure(const ve_doc *doc, const char *field)
{
	if (ve_doc_type(doc, field) == VE_REAL)
		printf(" %5.1f", ve_doc_real(doc, field));
	else
		printf(" %5s", "-");
}

static void print_row(const struct row *r)
{
	_cleanup_free_ char *name = format_safe(ve_doc_string(r->doc, "name"));
	const double *f = r->figures;

	printf("%-20.20s %6.1f", name, f[CPU] * 100 / NS_PER_S);
	print_bytes(f[MEMORY], 8);
	printf(" %6.0f", f[PIDS]);
	for (int i = IN; i <= WRITE; i++)
		print_bytes(f[i], 8);
	print_pressure(r->doc, "pressure.cpu");
	print_pressure(r->doc, "pressure.memory");
	print_pressure(r->doc, "pressure.io");
	putchar('\n');
}

static void print_picture(const struct row *rows, size_t n)
{
	struct winsize size = { 0 };
	bool screen = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2;
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	if (screen)
		fputs("\033[H\033[J", stdout);
	strftime(when, sizeof(when), "%H:%M:%S", localtime_r(&now, &tm));
	printf("%s  %zu running\n%-20s %6s %8s %6s %8s %8s %8s %8s %5s %5s %5s\n", when, n, "NAME", "CPU%", "MEMORY", "PIDS", "IN/S",
	       "OUT/S", "READ/S", "WRITE/S", "P.CPU", "P.MEM", "P.IO");
	for (size_t i = 0; i < n && (!screen || i + 3 < size.ws_row); i++)
		print_row(&rows[i]);
	if (!screen)
		putchar('\n');
}

/* ---- for programs ---- */

static void add_figure(struct text *t, const char *key, double value)
{
	if (value < 0)
		text_addf(t, ",\"%s\":null", key);
	else
		text_addf(t, ",\"%s\":%" PRId64, key, (int64_t)value);
}

static void add_pressure(struct text *t, const ve_doc *doc, const char *field)
{
	if (ve_doc_type(doc, field) == VE_REAL)
		text_addf(t, ",\"%s\":%.2f", field, ve_doc_real(doc, field));
	else
		text_addf(t, ",\"%s\":null", field);
}

static void print_json(const struct row *rows, size_t n, double seconds)
{
	_cleanup_text_ struct text t = { 0 };
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	text_addf(&t, "{\"time\":\"%s\",\"milliseconds\":%" PRId64 ",\"ves\":[", when, (int64_t)(seconds * 1000));
	for (size_t i = 0; i < n; i++) {
		text_add(&t, i ? ",{\"name\":" : "{\"name\":");
		format_json_string(&t, ve_doc_string(rows[i].doc, "name"));
		text_add(&t, ",\"uuid\":");
		format_json_string(&t, ve_doc_string(rows[i].doc, "uuid"));
		add_figure(&t, "cpu", rows[i].figures[CPU] / 1000000); /* thousandths of a core */
		for (int f = MEMORY; f < FIGURES; f++)
			add_figure(&t, figures[f].name, rows[i].figures[f]);
		add_pressure(&t, rows[i].doc, "pressure.cpu");
		add_pressure(&t, rows[i].doc, "pressure.memory");
		add_pressure(&t, rows[i].doc, "pressure.io");
		text_add(&t, "}");
	}
	text_add(&t, "]}");
	puts(t.s);
}

/* ---- one picture after another ---- */

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / NS_PER_S;
}

/* 0, or -EINTR: it is enough. */
static int pause_for(unsigned seconds)
{
	const struct itimerspec when = { .it_value.tv_sec = seconds };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int r = fd < 0 || timerfd_settime(fd, 0, &when, NULL) < 0 ? -errno : cancel_wait_readable(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static int take(struct call *call, ve_doc **ret_list)
{
	static const char *const fields[] = { "name",	    "uuid",	"cpu.used", "memory.used",  "processes",       "traffic.in",
					      "traffic.out", "io.read", "io.write", "pressure.cpu", "pressure.memory", "pressure.io",
					      NULL };
	const struct ve_list_opts opts = { .size = sizeof(opts), .patterns = call->operands, .fields = fields };
	ve_error *e = NULL;

	int r = ve_list(call->ctx, &opts, ret_list, &e);
	return r < 0 ? report_failure(call, r, e) : 0;
}

static int show(struct call *call, const ve_doc *old, const ve_doc *now, double seconds, enum figure by)
{
	struct row *rows = x_zalloc((ve_doc_length(now, "") + 1) * sizeof(*rows));
	size_t n = make_rows(old, now, seconds, by, rows);

	if (call->common.json)
		print_json(rows, n, seconds);
	else
		print_picture(rows, n);
	free(rows);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int run_pictures(struct call *call, enum figure by)
{
	const struct top_options *o = call->options;
	unsigned interval = o->interval.given && o->interval.value ? o->interval.value : INTERVAL_S;
	_cleanup_doc_ ve_doc *old = NULL;
	double before = now_s();
	int code = take(call, &old);

	for (unsigned i = 0; code == 0 && (o->iterations == 0 || i < o->iterations); i++) {
		ve_doc *now = NULL;
		if (pause_for(interval) < 0)
			return 0;
		double at = now_s();
		code = take(call, &now);
		if (code == 0)
			code = show(call, old, now, at - before, by);
		ve_doc_free(old);
		old = now;
		before = at;
	}
	return code;
}

static int run(struct call *call)
{
	const struct top_options *o = call->options;

	for (int f = 0; f < FIGURES; f++)
		if (!o->sort || str_eq(o->sort, figures[f].name))
			return run_pictures(call, f);
	return report_refusal(call, VE_ERR_USAGE, "columns are: cpu memory pids in out read write", "there is no column '%s'", o->sort);
}

const struct command command_top = {
	.name = "top",
	.group = GROUP_LOOK,
	.flags = COMMAND_CANCEL,
	.operands = { { "PATTERN", .optional = true, .many = true } },
	.options = options,
	.options_size = sizeof(struct top_options),
	.run = run,
	.summary = "show what the running VEs are doing, live",
	.description =
		"Shows the running VEs, or those whose name matches a PATTERN, the busiest first, until it is interrupted: CPU time "
		"in percent of one CPU, memory, processes and threads, bytes a second from (in: towards it) and to the network and the "
		"disks, and the pressure: of the last ten seconds, the percentage in which some of its processes waited for a CPU, "
		"for memory or for a disk.\n\nOn a terminal it is one screen that is painted anew; elsewhere one picture follows another. "
		"With --json each picture is one line, a document of its own.",
	.examples = {
		{ "vectl top", "Who makes the noise?" },
		{ "vectl top --sort write -n 1", "Who writes most at the moment?" },
		{ "vectl top --json --interval 10 | while read -r picture; do ...; done", "For graphs." },
	},
	.exits = "64 there is no such column",
	.see = "list(8) limits(8) status(8) json(7)",
	.since = "0.1",
};
