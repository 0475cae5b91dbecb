/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ns/idrange.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

enum { N_RANGES = 65536, SUBID_MAX_BYTES = 1 << 20 };

/* One bit a range of 65,536 ids of the whole 32-bit space. */
struct used {
	uint8_t bits[N_RANGES / 8];
};

static void use(struct used *u, uint64_t first, uint64_t count)
{
	for (uint64_t n = first / IDRANGE_SIZE; count && n <= (first + count - 1) / IDRANGE_SIZE && n < N_RANGES; n++)
		u->bits[n / 8] |= (uint8_t)(1U << (n % 8));
}

static bool is_used(const struct used *u, uint32_t n)
{
	return u->bits[n / 8] >> (n % 8) & 1;
}

/* Lines "name:first:count" of subuid(5). A missing file delegates nothing. */
static void use_subids(struct used *u, const char *path)
{
	_cleanup_free_ char *text = NULL;
	if (file_read(AT_FDCWD, path, SUBID_MAX_BYTES, &text, NULL) < 0)
		return;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long first, count;
		const char *colon = strchr(line, ':');
		if (colon && sscanf(colon, ":%llu:%llu", &first, &count) == 2)
			use(u, first, count);
	}
}

static int use_claims(struct used *u, const struct store *s)
{
	int fd = file_opendir(s->claims_fd, "ids");
	if (fd == -ENOENT)
		return 0;
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return fd < 0 ? fd : -errno;
	for (struct dirent *e; (e = readdir(dir));) {
		char *end;
		unsigned long long first = strtoull(e->d_name, &end, 10);
		if (*end == '\0' && end != e->d_name)
			use(u, first, IDRANGE_SIZE);
	}
	return 0;
}

/* Stores below another root than "/" begin elsewhere, so that two of them on one host rarely share ids. */
static uint32_t first_try(const struct store *s, uint32_t lowest, uint32_t highest)
{
	unsigned long long tag = s->tag[0] ? strtoull(s->tag + 1, NULL, 16) : 0;
	return s->tag[0] ? lowest + (uint32_t)(tag % (highest - lowest)) : lowest;
}

int idrange_claim(struct store *s, const struct host *h, const char *uuid, struct idrange *ret_range,
		  ve_error **ret_error)
{
	_cleanup_free_ struct used *u = calloc(1, sizeof(*u));
	if (!u)
		return err_nomem(ret_error);
	use_subids(u, "/etc/subuid");
	use_subids(u, "/etc/subgid");
	int r = use_claims(u, s);
	if (r < 0)
		return err_sys(ret_error, -r, "ids", "cannot read the id ranges that are taken");
	uint32_t id_first = h->id_first < IDRANGE_LOWEST ? IDRANGE_LOWEST : h->id_first;
	uint32_t lowest = (id_first + IDRANGE_SIZE - 1) / IDRANGE_SIZE;
	uint32_t highest = (uint32_t)(((uint64_t)h->id_last + 1) / IDRANGE_SIZE);
	uint32_t start = highest > lowest ? first_try(s, lowest, highest) : lowest;
	for (uint32_t i = 0; i < highest - lowest && highest > lowest; i++) {
		uint32_t n = lowest + (start - lowest + i) % (highest - lowest);
		char key[16];
		if (is_used(u, n))
			continue;
		snprintf(key, sizeof(key), "%u", n * IDRANGE_SIZE);
		_cleanup_err_ ve_error *taken = NULL;
		r = store_claim(s, CLAIM_IDS, key, uuid, &taken);
		if (r == -EEXIST)
			continue; /* another create was quicker */
		if (r < 0) {
			if (ret_error)
				*ret_error = steal_ptr(&taken);
			return r;
		}
		*ret_range = (struct idrange){ .base = n * IDRANGE_SIZE, .link_id = n };
		return 0;
	}
	r = err_plain(ret_error, VE_ERR_NO_ROOM, ENOSPC, "ids", "no range of %d ids is free between %u and %u",
		      IDRANGE_SIZE, h->id_first, h->id_last);
	err_hint(ret_error, "give vectl more ids: vectl host set ids.last=...");
	return r;
}

void idrange_release(struct store *s, const char *uuid, const struct idrange *range)
{
	char key[16];
	snprintf(key, sizeof(key), "%u", range->base);
	store_unclaim(s, CLAIM_IDS, key, uuid);
}
