/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/bootid.h"

#include <fcntl.h>
#include <pthread.h>

#include "base/file.h"

static struct {
	pthread_once_t once;
	int error;
	char id[BOOT_ID_SIZE];
} boot = { .once = PTHREAD_ONCE_INIT };

static void read_id(void)
{
	int r = file_read_line(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot.id, sizeof(boot.id));
	boot.error = r < 0 ? r : 0;
}

int boot_id(const char **ret_id)
{
	pthread_once(&boot.once, read_id);
	*ret_id = boot.id;
	return boot.error;
}
