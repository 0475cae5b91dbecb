/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nothing here is reported: a counter that cannot be read now is read the next time, and what could not be written is in
 * the counters still. Of a quota that is due it is told only that: a process of libve's looks, and acts.
 */
#include "account.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/ledger.h"
#include "mon.h"

static int64_t boottime_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void account_init(struct account *a, const struct mon *m)
{
	*a = (struct account){ .fd = mon_fd(m, m->blob->fd_traffic), .every_ms = m->blob->account_ms };
	a->next_ms = boottime_ms() + a->every_ms;
}

int account_left(const struct account *a)
{
	if (a->fd < 0 || a->every_ms == 0)
		return -1;
	int64_t left = a->next_ms - boottime_ms();
	return left <= 0 ? 0 : (int)left;
}

/* At most one at a time: it waits for the VE's lock. */
static void call_helper(struct account *a, const struct mon *m)
{
	if (a->helper > 0 && waitpid(a->helper, NULL, WNOHANG) == 0)
		return;
	a->helper = fork();
	if (a->helper == 0) {
		helper_become(m, "quota", NULL);
		_exit(127);
	}
}

void account_turn(struct account *a, const struct mon *m)
{
	/* From now on, not from when it was due: what was missed (a suspended host) is not made up for. */
	a->next_ms = boottime_ms() + a->every_ms;
	if (a->helper > 0 && waitpid(a->helper, NULL, WNOHANG) == a->helper)
		a->helper = 0;
	ledger_account(a->fd, time(NULL));
	if (ledger_quota_due(a->fd, time(NULL)))
		call_helper(a, m);
}
