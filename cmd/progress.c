/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

enum { BAR_WIDTH = 24, REDRAW_MS = 100, PHRASE_MAX = 120, LINES_AFTER_MS = 1000 };

/* One program, one terminal: there is one bar. */
static struct {
	bool terminal, drawn;
	char phrase[PHRASE_MAX]; /* the step under way */
	bool printed;            /* its line */
	int64_t drawn_ms, begun_ms;
} bar;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void draw(const char *what, uint64_t done, uint64_t total)
{
	char cells[BAR_WIDTH + 1];

	if (done > total)
		done = total;
	if (total) {
		unsigned full = (unsigned)((double)done / (double)total * BAR_WIDTH);
		memset(cells, '#', full);
		memset(cells + full, '.', BAR_WIDTH - full);
		cells[BAR_WIDTH] = '\0';
		unsigned percent = (unsigned)((double)done / (double)total * 100);
		fprintf(stderr, "\r\033[K[%s] %3u%%  %s", cells, percent, what);
	} else {
		fprintf(stderr, "\r\033[K%s ...", what);
	}
	fflush(stderr);
	bar.drawn = true;
	bar.drawn_ms = now_ms();
}

/* A bar that is longer than the line cannot be drawn over. */
static size_t phrase_room(void)
{
	unsigned width = terminal_width(STDERR_FILENO, 80);

	return width > BAR_WIDTH + 24 && width - BAR_WIDTH - 12 < PHRASE_MAX ? width - BAR_WIDTH - 12 : PHRASE_MAX;
}

/* A log gets no lines of what is done within a second; a bar would be gone again anyway. */
static void print_line(bool new_step)
{
	bar.printed &= !new_step;
	if (bar.printed || now_ms() - bar.begun_ms < LINES_AFTER_MS)
		return;
	fprintf(stderr, "%s ...\n", bar.phrase);
	bar.printed = true;
}

static void on_progress(const char *what, uint64_t done, uint64_t total, void *data)
{
	bool new_step = strncmp(bar.phrase, what, strlen(bar.phrase)) != 0 || !bar.phrase[0];

	(void)data;
	if (new_step)
		snprintf(bar.phrase, bar.terminal ? phrase_room() : sizeof(bar.phrase), "%s", what);
	if (!bar.terminal)
		print_line(new_step);
	else if (new_step || (total && done >= total) || now_ms() - bar.drawn_ms >= REDRAW_MS)
		draw(bar.phrase, done, total);
}

void progress_install(ve_ctx *ctx)
{
	bar.terminal = isatty(STDERR_FILENO);
	bar.begun_ms = now_ms();
	ve_ctx_set_progress(ctx, on_progress, NULL);
}

void progress_done(void)
{
	if (bar.drawn)
		fputs("\r\033[K", stderr);
	bar.drawn = false;
}
