/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What most commands begin with. The functions return 0, or the exit code after they reported what is wrong. */
#ifndef CMD_CALL_H
#define CMD_CALL_H

#include "command.h"

/* The VE that the first operand names. */
int call_open_ve(struct call *call, ve **ret_ve);
/* The whole of a verb that takes nothing but a VE: VERB on it, and one of two sentences, DONE or ALREADY (see
 * report_change_plain). */
int call_verb(struct call *call, int (*verb)(ve *v, ve_error **ret_error), const char *done, const char *already);
/* ITEMS ("KEY=VALUE"), or NULL, as a checked specification, or on top of SPEC. */
int call_make_spec(struct call *call, const char *const *items, ve_spec **ret_spec);
int call_assign(struct call *call, ve_spec *spec, const char *const *items);
/* The unit of the configuration key KEY, or NULL. KEYS is ve_keys() of the whole schema. */
const char *call_key_unit(const ve_doc *keys, const char *key);
/* "--env" takes K=V only. */
int call_check_env(struct call *call, const struct strings *env);

#endif
