/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of all commands. A row is written in the command's own file; a new command is that file and a line
 * here and in commands.h. */
#include "commands.h"

#include "util.h"

const struct command *const command_table[] = {
	&command_create,
	&command_clone,
	&command_register,
	&command_start,
	&command_stop,
	&command_restart,
	&command_kill,
	&command_freeze,
	&command_thaw,
	&command_block,
	&command_unblock,
	&command_destroy,
	&command_recover,

	&command_enter,
	&command_exec,
	&command_push,
	&command_pull,
	&command_console,
	&command_logs,
	&command_passwd,
	&command_user_add,
	&command_user_remove,
	&command_user_list,
	&command_user_lock,
	&command_user_unlock,

	&command_run,

	&command_list,
	&command_status,
	&command_show,
	&command_get,
	&command_limits,
	&command_traffic,
	&command_history,
	&command_events,
	&command_top,
	&command_keys,
	&command_wait,

	&command_set,
	&command_edit,
	&command_apply,
	&command_rename,
	&command_lock,
	&command_unlock,

	&command_image_list,
	&command_image_build,
	&command_image_show,
	&command_image_remove,
	&command_image_verify,

	&command_template_list,
	&command_template_show,
	&command_template_check,

	&command_check,
	&command_tune,
	&command_host_show,
	&command_host_set,
	&command_capacity,
	&command_pool_list,
	&command_pool_show,
	&command_pool_set,
	&command_pool_remove,
	&command_version,

	&command_help,
	&command_completion,
	NULL,
};

const char *command_group_title(enum command_group group)
{
	static const char *const titles[GROUP_COUNT] = {
		[GROUP_LIFECYCLE] = "Lifecycle",
		[GROUP_INSIDE] = "Inside a VE",
		[GROUP_JAILS] = "Jails",
		[GROUP_LOOK] = "Look",
		[GROUP_CHANGE] = "Change",
		[GROUP_IMAGES] = "Images",
		[GROUP_TEMPLATES] = "Templates",
		[GROUP_HOST] = "Host",
		[GROUP_HELP] = "Help",
	};
	return titles[group];
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; command_table[i]; i++)
		if (str_eq(command_table[i]->name, name))
			return command_table[i];
	return NULL;
}

bool command_is_prefix(const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; command_table[i]; i++)
		if (strncmp(command_table[i]->name, word, n) == 0 && command_table[i]->name[n] == ' ')
			return true;
	return false;
}
