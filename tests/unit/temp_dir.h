/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of a test's own, as cmocka's state: temp_dir_setup and temp_dir_teardown are for cmocka_unit_test_setup_teardown. */
#ifndef TESTS_TEMP_DIR_H
#define TESTS_TEMP_DIR_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

struct dir {
	char path[64];
	int fd;
};

static inline int temp_dir_setup(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));
	if (!d)
		return -1;
	strcpy(d->path, "/tmp/ve-unit-XXXXXX");
	if (!mkdtemp(d->path)) {
		free(d);
		return -1;
	}
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = d;
	return 0;
}

static inline int temp_dir_teardown(void **state)
{
	struct dir *d = *state;
	close(d->fd);
	int r = file_remove_tree(AT_FDCWD, d->path);
	free(d);
	return r;
}

#endif
