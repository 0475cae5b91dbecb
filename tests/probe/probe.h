/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

/* calls.c: what system calls answer that must be refused, and some that must not. */
void report_calls(void);
/* writable.c: what in /proc and /sys opens for writing. */
void report_writable(void);

#endif
