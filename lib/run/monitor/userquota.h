/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * disk.user_quota: quotactl(2) of a VE's processes, answered for the file system that is its root.
 *
 * The kernel lets nobody ask for quotas but who has CAP_SYS_ADMIN outside of all user namespaces. So the VE's filter (policy
 * vps-quota) has the call wait for a process of ours, one a VE, which looks at who asks and for what, asks the kernel for him
 * (quotactl_fd(2) on the mount that the VE was given: no path, no device of the tenant's naming is ever followed), and answers.
 *
 * It is no part of the monitor: a change of quotas waits for the file system's journal, which the VE can keep busy; and as it
 * goes on without the monitor, a VE whose monitor was killed keeps its quotas. It ends with the VE's init. When it is killed
 * itself, the kernel answers ENOSYS from then on, until the VE is started again.
 *
 * A filter that is listened to is one process's and its children's. What joins the VE later (`exec`) has one of its own, whose
 * descriptor the joiner sends to the socket quota.sock in the run directory.
 */
#ifndef MONITOR_USERQUOTA_H
#define MONITOR_USERQUOTA_H

#include "mon.h"

/* Makes that process for the listener of M's child, where it has one. */
void userquota_begin(struct mon *m);
/* A joiner's: LISTENER, which is closed, goes to the VE's. Where that is gone the joined process is answered ENOSYS. */
void userquota_hand_on(const struct mon *m, int listener);

#endif
