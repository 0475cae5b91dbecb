/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows that make the table: one extern a command file. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "command.h"

extern const struct command command_create;
extern const struct command command_clone;
extern const struct command command_register;
extern const struct command command_start;
extern const struct command command_stop;
extern const struct command command_restart;
extern const struct command command_kill;
extern const struct command command_freeze;
extern const struct command command_thaw;
extern const struct command command_block;
extern const struct command command_unblock;
extern const struct command command_destroy;
extern const struct command command_recover;
extern const struct command command_enter;
extern const struct command command_exec;
extern const struct command command_user_add;
extern const struct command command_user_remove;
extern const struct command command_user_list;
extern const struct command command_user_lock;
extern const struct command command_user_unlock;
extern const struct command command_push;
extern const struct command command_pull;
extern const struct command command_console;
extern const struct command command_logs;
extern const struct command command_passwd;
extern const struct command command_run;
extern const struct command command_list;
extern const struct command command_status;
extern const struct command command_show;
extern const struct command command_get;
extern const struct command command_limits;
extern const struct command command_events;
extern const struct command command_top;
extern const struct command command_traffic;
extern const struct command command_history;
extern const struct command command_keys;
extern const struct command command_wait;
extern const struct command command_set;
extern const struct command command_edit;
extern const struct command command_apply;
extern const struct command command_rename;
extern const struct command command_lock;
extern const struct command command_unlock;
extern const struct command command_image_list;
extern const struct command command_image_build;
extern const struct command command_image_show;
extern const struct command command_image_remove;
extern const struct command command_image_verify;
extern const struct command command_template_list;
extern const struct command command_template_show;
extern const struct command command_template_check;
extern const struct command command_check;
extern const struct command command_tune;
extern const struct command command_host_show;
extern const struct command command_host_set;
extern const struct command command_capacity;
extern const struct command command_pool_list;
extern const struct command command_pool_show;
extern const struct command command_pool_set;
extern const struct command command_pool_remove;
extern const struct command command_version;
extern const struct command command_help;
extern const struct command command_completion;

#endif
