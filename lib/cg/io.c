/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits of disks: a file of theirs has a line a disk, and takes one value of one disk at a time.
 *
 *   v1   blkio.throttle.read_bps_device    254:0 1048576                  0: no limit
 *   v2   io.max                            254:0 rbps=1048576 wbps=max    "max": no limit
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"
#include "cg/backend.h"
#include "model/units.h"

int cg_io_format(int version, const char *word, dev_t disk, int64_t value, char ret_text[CG_TEXT_MAX])
{
	unsigned maj = major(disk), min = minor(disk);
	if (value <= 0)
		return -ERANGE;
	if (version == 1)
		snprintf(ret_text, CG_TEXT_MAX, "%u:%u %" PRId64, maj, min, value == UNITS_UNLIMITED ? 0 : value);
	else if (value == UNITS_UNLIMITED)
		snprintf(ret_text, CG_TEXT_MAX, "%u:%u %s=max", maj, min, word);
	else
		snprintf(ret_text, CG_TEXT_MAX, "%u:%u %s=%" PRId64, maj, min, word, value);
	return 0;
}

/* Behind the first N characters of the line of ALL that begins with the N of BEGIN; NULL: there is none. */
static const char *line_behind(const char *all, const char *begin, size_t n)
{
	for (const char *line = all; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, begin, n) == 0)
			return line + n;
	return NULL;
}

char *cg_io_old(int version, const char *line, const char *all)
{
	size_t disk = strcspn(line, " ") + 1;
	const char *rest = line_behind(all, line, disk);
	if (version == 1)
		return str_printf("%.*s%.*s", (int)disk, line, rest ? (int)strcspn(rest, "\n") : 1, rest ? rest : "0");
	size_t word = strcspn(line, "=") + 1 - disk;
	const char *end = rest ? rest + strcspn(rest, "\n") : NULL;
	while (rest && rest < end && strncmp(rest, line + disk, word) != 0)
		rest += strcspn(rest, " \n") + 1;
	const char *value = rest && rest < end ? rest + word : "max";
	return str_printf("%.*s%.*s", (int)(disk + word), line, (int)strcspn(value, " \n"), value);
}

static bool is_bfq(dev_t disk)
{
	char path[80], text[128];
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/scheduler", major(disk), minor(disk));
	return file_read_line(AT_FDCWD, path, text, sizeof(text)) > 0 && strstr(text, "[bfq]");
}

static bool is_costed(const struct cg_hierarchy *hi, dev_t disk)
{
	char begin[32];
	_cleanup_free_ char *all = NULL;
	int n = snprintf(begin, sizeof(begin), "%u:%u ", major(disk), minor(disk));
	if (hi->version != 2 || file_read(hi->root_fd, "io.cost.qos", 65536, &all, NULL) < 0)
		return false;
	const char *rest = line_behind(all, begin, (size_t)n);
	return rest && str_starts(rest, "enable=1");
}

bool cg_io_weighs(const struct cg_hierarchy *hi, const struct cg_limits *l)
{
	for (unsigned i = 0; i < l->n_disks; i++)
		if (is_bfq(l->disks[i]) || is_costed(hi, l->disks[i]))
			return true;
	return false;
}
