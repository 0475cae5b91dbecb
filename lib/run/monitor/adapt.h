/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which family of distributions a VE's is, and what therefore is not written into it: see adapt.c. */
#ifndef MONITOR_ADAPT_H
#define MONITOR_ADAPT_H

#include "mon.h"

enum { DISTRIBUTION_ID_SIZE = 32 };

struct distribution {
	char id[DISTRIBUTION_ID_SIZE]; /* of its os-release, lower-case letters, digits and ". _ -"; or empty */
	uint32_t family;	       /* enum blob_family, 0: none that we know */
};

/* TEXT is an os-release(5), whoever wrote it; it is written over. */
void distribution_parse(char *text, size_t n, struct distribution *ret);
/* Of the root we stand in. */
void distribution_find(struct distribution *ret);

/* Is O for a VE of this family? Where nobody can say, that is noted. */
bool adapt_applies(const struct blob_file *o);
/* BF_ZONE: the link PATH to the file of time zone ZONE; a zone that is not there is noted, and no failure. -1 with errno. */
int adapt_zone(const char *path, const char *zone);
/* BF_LOCALE: shall PATH become LINE, "LANG=NAME\n"? Not where it is a link, which leads to another file that is written; nor where NAME
 * is no locale of the VE's, which is noted. */
bool adapt_takes_locale(const char *path, const char *line);
/* A file for the family could not be written. */
void adapt_failed(void);
/* What was noted, for libve: status and object of MSG. */
void adapt_tell(struct msg *msg);

#endif
