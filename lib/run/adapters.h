/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written into a VE at its start where distributions differ: see adapters.c. */
#ifndef RUN_ADAPTERS_H
#define RUN_ADAPTERS_H

#include "run/plan.h"

enum { ADAPTERS_MAX = 8 };

struct adapter_file {
	enum blob_file_kind kind;
	uint32_t families;
	const char *path;
	char *text, *only_with; /* ONLY_WITH: or NULL */
};

/* Those that P's configuration asks for: how many, or -ENOMEM. adapters_done() frees. */
int adapters_files(const struct plan *p, struct adapter_file ret_files[ADAPTERS_MAX]);
void adapters_done(struct adapter_file *files, int n);
/* Warnings for what STARTED, the monitor's MSG_STARTED, says was left undone. */
void adapters_warn(const struct plan *p, const struct msg *started);

#endif
