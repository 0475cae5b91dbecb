/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events of what a VE was refused. */
#ifndef RUN_NOTICE_H
#define RUN_NOTICE_H

#include "run/handle.h"

/* Writes events of what was refused to the running V since the last call, if anything. The VE's lock is held, so that nothing
 * is told twice. Returns how many events; no errors: what is not told now is told the next time. */
int notice_write(struct ve *v);

#endif
