/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VE's console: see console.c. */
#ifndef MONITOR_CONSOLE_H
#define MONITOR_CONSOLE_H

#include "mon.h"

enum { CONSOLE_CLIENTS = 4 };

struct console {
	int master, slave; /* the slave is held open: else reads fail with EIO whenever the VE closes its own */
	int listen, log_dir, log;
	const char *log_name;
	uint64_t log_bytes, log_max_bytes;
	int clients[CONSOLE_CLIENTS];
};

void console_init(struct console *c, const struct mon *m);
/* One read. false: the terminal has hung up for good. */
bool console_output(struct console *c);
void console_input(struct console *c, unsigned client);
void console_accept(struct console *c);
/* What is left in the pty after the VE's end. */
void console_drain(struct console *c);

#endif
