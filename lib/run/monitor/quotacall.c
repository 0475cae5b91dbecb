/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quotacall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is left out: switching quotas on and off is the host's, project quotas are what a host limits a VE with, and the commands of
 * XFS are for no file system of a VE's. */
static const struct quotacall_command commands[] = {
	{ Q_SYNC, 0, 0, QUOTACALL_ALL },
	{ Q_GETFMT, 0, sizeof(uint32_t), QUOTACALL_ALL },
	{ Q_GETINFO, 0, sizeof(struct if_dqinfo), QUOTACALL_ALL },
	{ Q_SETINFO, sizeof(struct if_dqinfo), 0, QUOTACALL_ADMIN },
	{ Q_GETQUOTA, 0, sizeof(struct if_dqblk), QUOTACALL_SELF },
	{ Q_GETNEXTQUOTA, 0, sizeof(struct if_nextdqblk), QUOTACALL_ADMIN },
	{ Q_SETQUOTA, sizeof(struct if_dqblk), 0, QUOTACALL_ADMIN },
};

int quotacall_parse(uint32_t cmd, uint32_t id, uint32_t id_count, struct quotacall *ret)
{
	struct quotacall q = { .type = cmd & SUBCMDMASK, .id = id };
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].number == cmd >> SUBCMDSHIFT)
			q.command = &commands[i];
	if (!q.command || (q.type != USRQUOTA && q.type != GRPQUOTA))
		return -EINVAL;
	/* Where no id is meant, anything may stand. */
	if (q.command->right == QUOTACALL_ALL || q.command->number == Q_SETINFO)
		q.id = 0;
	else if (id >= id_count)
		return -EINVAL;
	*ret = q;
	return 0;
}

/* Behind "KEY:" at the beginning of a line. The first line is a name that the caller has chosen: the kernel escapes its newlines. */
static const char *value_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);
	return at ? at + strlen(key) : NULL;
}

/* The second of a line: real, effective, saved, of the file system. */
static bool read_effective(const char *status, const char *key, uint32_t *ret)
{
	const char *value = value_of(status, key);
	char *end;
	if (!value)
		return false;
	strtoul(value, &end, 10);
	value = end;
	*ret = (uint32_t)strtoul(value, &end, 10);
	return end > value;
}

bool quotacall_read_status(const char *status, struct quotacall_caller *c)
{
	const char *groups = value_of(status, "\nGroups:");
	c->n_groups = 0;
	if (!read_effective(status, "\nUid:", &c->uid) || !read_effective(status, "\nGid:", &c->gid))
		return false;
	while (groups && c->n_groups < QUOTACALL_GROUPS) {
		char *end;
		groups += strspn(groups, " \t");
		uint32_t group = (uint32_t)strtoul(groups, &end, 10);
		if (*groups < '0' || *groups > '9' || (*end != ' ' && *end != '\n'))
			break; /* the end of the line, or of what was read, which may be in the midst of a number */
		c->groups[c->n_groups++] = group;
		groups = end;
	}
	return true;
}

static bool is_himself(const struct quotacall *q, const struct quotacall_caller *c, uint32_t host_id)
{
	if (q->type == USRQUOTA)
		return c->uid == host_id;
	bool member = c->gid == host_id;
	for (unsigned i = 0; i < c->n_groups; i++)
		member = member || c->groups[i] == host_id;
	return member;
}

int quotacall_check(const struct quotacall *q, const struct quotacall_caller *c, uint32_t id_base)
{
	if (q->command->right == QUOTACALL_ALL)
		return 0;
	if (c->in_ve && (c->admin || (q->command->right == QUOTACALL_SELF && is_himself(q, c, id_base + q->id))))
		return 0;
	return -EPERM;
}
