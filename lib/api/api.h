/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that implement ve.h share. */
#ifndef API_API_H
#define API_API_H

#include <jansson.h>

#include "base/error.h"
#include "run/ctx.h"
#include "run/handle.h"

struct ve_spec {
	struct ve_ctx *ctx;
	struct config *config; /* the assignments merged: for create and run */
	char **assignments;    /* as typed, in order: set applies += and -= to what the VE has */
};

/* A verb begins: yesterday's warnings go. */
void api_begin(struct ve_ctx *ctx);
/* Hands a document over; with RET_DOC NULL it is dropped. Returns R. */
int api_doc(int r, json_t *doc, ve_doc **ret_doc);
/* The part of the caller's options struct that this library knows, over defaults: older callers' structs are shorter. */
#define API_OPTS(type, opts)                                                                                  \
	({                                                                                                    \
		struct type _o = { .size = sizeof(_o) };                                                      \
		if (opts)                                                                                     \
			__builtin_memcpy(&_o, (opts), (opts)->size < sizeof(_o) ? (opts)->size : sizeof(_o)); \
		_o;                                                                                           \
	})

#endif
