/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor's minute: the growth of its VE's traffic counters goes into the ledger. */
#ifndef MONITOR_ACCOUNT_H
#define MONITOR_ACCOUNT_H

#include <stdint.h>
#include <sys/types.h>

struct mon;

struct account {
	int fd; /* the ledger, -1: none is kept */
	int64_t next_ms;
	uint32_t every_ms;
	pid_t helper; /* that looks at a quota, 0: none */
};

void account_init(struct account *a, const struct mon *m);
/* Milliseconds until account_turn() is due; -1: never. */
int account_left(const struct account *a);
void account_turn(struct account *a, const struct mon *m);

#endif
