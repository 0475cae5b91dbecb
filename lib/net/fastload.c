/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads the fast path's programs (bpf/fastpath.bpf.c, compiled to DATA_DIR/bpf/fastpath.o) and puts them into their blocks. By
 * libbpf, which is looked for only here: one start in a host's life needs it. The filters' name has a sum of the file, so that after an
 * upgrade the programs are changed for the new ones, which go on with the maps of the old.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fnv.h"
#include "base/guard.h"
#include "base/str.h"
#include "net/fastpath.h"
#include "net/priv.h"
#include "sys/fastpath.h"

/* What we call of libbpf. */
struct libbpf {
	void *handle;
	__typeof__(&libbpf_set_print) set_print;
	__typeof__(&bpf_object__open_mem) open_mem;
	__typeof__(&bpf_object__load) load;
	__typeof__(&bpf_object__close) close;
	__typeof__(&bpf_object__find_program_by_name) find_program;
	__typeof__(&bpf_program__fd) program_fd;
	__typeof__(&bpf_object__find_map_fd_by_name) find_map_fd;
	__typeof__(&bpf_object__find_map_by_name) find_map;
	__typeof__(&bpf_map__reuse_fd) reuse_fd;
	__typeof__(&bpf_prog_bind_map) bind_map;
};

static void libbpf_done(struct libbpf *l)
{
	if (l->handle)
		dlclose(l->handle);
}
#define _cleanup_libbpf_ __attribute__((cleanup(libbpf_done)))

enum { NAME_MAX_BYTES = 32, OBJECT_MAX_BYTES = 1 << 20 };

struct object {
	void *bytes;
	size_t size;
	char name[NAME_MAX_BYTES]; /* of its filters */
};

static void object_done(struct object *o)
{
	free(o->bytes);
}
#define _cleanup_object_ __attribute__((cleanup(object_done)))

static int object_read(const char *data_dir, struct object *ret, ve_error **ret_error)
{
	_cleanup_free_ char *path = str_printf("%s/bpf/fastpath.o", data_dir);
	ret->bytes = malloc(OBJECT_MAX_BYTES);
	if (!path || !ret->bytes)
		return err_nomem(ret_error);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret->bytes, OBJECT_MAX_BYTES);
	if (n < 0)
		return err_sys(ret_error, errno, "network", "cannot read the fast path's programs '%s'", path);
	ret->size = (size_t)n;
	snprintf(ret->name, sizeof(ret->name), "vectl-%016llx", (unsigned long long)fnv_add(FNV_BEGIN, ret->bytes, ret->size));
	return 0;
}

static int library_open(struct libbpf *l, ve_error **ret_error)
{
	l->handle = dlopen("libbpf.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return err_plain(ret_error, VE_ERR_UNSUPPORTED, ELIBACC, "network", "cannot load libbpf: %s", dlerror());
	l->set_print = (__typeof__(l->set_print))dlsym(l->handle, "libbpf_set_print");
	l->open_mem = (__typeof__(l->open_mem))dlsym(l->handle, "bpf_object__open_mem");
	l->load = (__typeof__(l->load))dlsym(l->handle, "bpf_object__load");
	l->close = (__typeof__(l->close))dlsym(l->handle, "bpf_object__close");
	l->find_program = (__typeof__(l->find_program))dlsym(l->handle, "bpf_object__find_program_by_name");
	l->program_fd = (__typeof__(l->program_fd))dlsym(l->handle, "bpf_program__fd");
	l->find_map_fd = (__typeof__(l->find_map_fd))dlsym(l->handle, "bpf_object__find_map_fd_by_name");
	l->find_map = (__typeof__(l->find_map))dlsym(l->handle, "bpf_object__find_map_by_name");
	l->reuse_fd = (__typeof__(l->reuse_fd))dlsym(l->handle, "bpf_map__reuse_fd");
	l->bind_map = (__typeof__(l->bind_map))dlsym(l->handle, "bpf_prog_bind_map");
	if (l->set_print && l->open_mem && l->load && l->close && l->find_program && l->program_fd && l->find_map_fd && l->find_map &&
	    l->reuse_fd && l->bind_map)
		return 0;
	return err_plain(ret_error, VE_ERR_UNSUPPORTED, ELIBBAD, "network", "cannot use libbpf: it lacks a function: %s", dlerror());
}

static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* ---- the filters ---- */

static struct nlmsghdr *put_filter(struct nl *nl, uint16_t type, uint16_t flags, uint32_t block)
{
	struct nlmsghdr *m = nl_add(nl, type, flags, "put the fast path's programs in their place");
	struct tcmsg *t = mnl_nlmsg_put_extra_header(m, sizeof(*t));
	t->tcm_ifindex = (int)TCM_IFINDEX_MAGIC_BLOCK;
	t->tcm_block_index = block;
	t->tcm_handle = FASTPATH_HANDLE;
	t->tcm_info = TC_H_MAKE((uint32_t)FASTPATH_PRIORITY << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(m, TCA_KIND, "bpf");
	return m;
}

static void put_program(struct nl *nl, uint32_t block, int program, const char *name)
{
	struct nlmsghdr *m = put_filter(nl, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, block);
	struct nlattr *options = mnl_attr_nest_start(m, TCA_OPTIONS);
	mnl_attr_put_u32(m, TCA_BPF_FD, (uint32_t)program);
	mnl_attr_put_strz(m, TCA_BPF_NAME, name);
	mnl_attr_put_u32(m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_put_u32(m, TCA_BPF_FLAGS_GEN, TCA_CLS_FLAGS_SKIP_HW); /* no card is asked to do it */
	mnl_attr_nest_end(m, options);
}

static void read_name(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *option;
	mnl_attr_for_each(attr, nlh, sizeof(struct tcmsg)) {
		if (mnl_attr_get_type(attr) != TCA_OPTIONS)
			continue;
		mnl_attr_for_each_nested(option, attr)
			if (mnl_attr_get_type(option) == TCA_BPF_NAME)
				snprintf(data, NAME_MAX_BYTES, "%s", mnl_attr_get_str(option));
	}
}

int fastpath_is_current(struct nl *nl, const char *data_dir)
{
	_cleanup_object_ struct object o = { 0 };
	char in[NAME_MAX_BYTES] = "", out[NAME_MAX_BYTES] = "";
	put_filter(nl, RTM_GETTFILTER, 0, FASTPATH_BLOCK_IN);
	nl_on_reply(nl, read_name, in);
	put_filter(nl, RTM_GETTFILTER, 0, FASTPATH_BLOCK_OUT);
	nl_on_reply(nl, read_name, out);
	int r = nl_commit(nl, NULL);
	if (r == 0)
		r = object_read(data_dir, &o, NULL);
	return r < 0 ? r : str_eq(in, o.name) && str_eq(out, o.name);
}

/* ---- loading ---- */

static int reuse(const struct libbpf *l, struct bpf_object *object, const struct fastpath_maps *maps)
{
	const struct {
		const char *name;
		int fd;
	} ours[] = { { FASTPATH_LINKS, maps->links }, { FASTPATH_NAMES, maps->names }, { FASTPATH_EPOCH, maps->epoch } };
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ours) && r == 0; i++) {
		struct bpf_map *map = l->find_map(object, ours[i].name);
		r = map ? l->reuse_fd(map, ours[i].fd) : -ENOENT;
	}
	return r;
}

static int place(const struct libbpf *l, struct bpf_object *object, struct nl *nl, const char *name, ve_error **ret_error)
{
	int forward = l->program_fd(l->find_program(object, "forward")), learn = l->program_fd(l->find_program(object, "learn"));
	int names = l->find_map_fd(object, FASTPATH_NAMES);
	/* No program looks into it; bound to one, it lives as long. */
	if (forward < 0 || learn < 0 || names < 0 || l->bind_map(forward, names, NULL) < 0)
		return err_sys(ret_error, errno, "network", "cannot bind the fast path's map of names");
	/* Who learns before who forwards: by the latter the fast path is found. */
	put_program(nl, FASTPATH_BLOCK_OUT, learn, name);
	put_program(nl, FASTPATH_BLOCK_IN, forward, name);
	return nl_commit(nl, ret_error);
}

int fastpath_load(struct nl *nl, const char *data_dir, const struct fastpath_maps *maps, ve_error **ret_error)
{
	_cleanup_libbpf_ struct libbpf l = { 0 };
	_cleanup_object_ struct object o = { 0 };
	int r = object_read(data_dir, &o, ret_error);
	if (r == 0)
		r = library_open(&l, ret_error);
	if (r == 0) {
		l.set_print(say_nothing);
		struct bpf_object *object = l.open_mem(o.bytes, o.size, NULL);
		if (!object || (maps && reuse(&l, object, maps) < 0) || l.load(object) < 0)
			r = err_make(ret_error, VE_ERR_UNSUPPORTED, errno, "network", "the kernel does not take the fast path's programs");
		else
			r = place(&l, object, nl, o.name, ret_error);
		l.close(object);
	}
	return r;
}

bool fastpath_has_library(void)
{
	_cleanup_libbpf_ struct libbpf l = { 0 };
	return library_open(&l, NULL) == 0;
}
