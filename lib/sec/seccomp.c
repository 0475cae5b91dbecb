/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loader of compiled seccomp policies: reads NAME.bpf and checks it; it loads nothing into the kernel. */
#include "sec/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/str.h"

enum { MAGIC_LENGTH = sizeof(SECCOMP_FILE_MAGIC) - 1, FILE_MAX = 1 << 20 };

/* A reader over the bytes of a file; what is read past the end is refused. */
struct cursor {
	const char *data;
	size_t left;
};

static bool take(struct cursor *c, void *ret, size_t n)
{
	if (c->left < n)
		return false;
	memcpy(ret, c->data, n);
	c->data += n;
	c->left -= n;
	return true;
}

/* One instruction at index I of N, by the rules of the kernel's seccomp_check_filter() and bpf_check_classic():
 * known opcodes, jumps forward and inside, loads only of whole words of struct seccomp_data. */
static bool instruction_ok(const struct sock_filter *f, uint32_t i, uint32_t n)
{
	uint32_t after = n - i - 1; /* instructions behind this one */
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k < sizeof(struct seccomp_data) && f->k % 4 == 0;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_JMP | BPF_JA:
		return f->k < after;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return f->jt < after && f->jf < after;
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_LD | BPF_IMM:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
		return true;
	default: /* the kernel knows a few more; the compiler makes none of them */
		return false;
	}
}

/* NULL, or what is wrong with it. */
static const char *program_fault(const struct sock_filter *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!instruction_ok(&f[i], i, n))
			return "an instruction is not one of a filter";
	return f[n - 1].code == (BPF_RET | BPF_K) ? NULL : "a program does not end with a return";
}

/* Parses DATA into RET; the programs of RET point into one block that it owns. NULL, or what is wrong. */
static const char *parse(const char *data, size_t size, struct seccomp_policy *ret, bool *ret_oom)
{
	struct cursor c = { data, size };
	char magic[MAGIC_LENGTH];
	uint32_t flags, n;
	if (!take(&c, magic, sizeof(magic)) || memcmp(magic, SECCOMP_FILE_MAGIC, sizeof(magic)) != 0)
		return "it does not begin as a compiled policy does";
	if (!take(&c, &flags, sizeof(flags)) || (flags & ~(uint32_t)SECCOMP_FILE_NO_NEW_PRIVS))
		return "its flags are unknown";
	struct sock_filter *out = malloc(c.left ?: 1);
	*ret_oom = !out;
	if (!out)
		return "";
	*ret = (struct seccomp_policy){ .data = out, .no_new_privs = flags & SECCOMP_FILE_NO_NEW_PRIVS };
	while (c.left) {
		if (!take(&c, &n, sizeof(n)) || n == 0 || n > BPF_MAXINSNS)
			return "the length of a program is wrong";
		if (ret->n_programs == SECCOMP_MAX_PROGRAMS)
			return "it has too many programs";
		if (!take(&c, out, n * sizeof(*out)))
			return "it is cut short";
		const char *fault = program_fault(out, n);
		if (fault)
			return fault;
		ret->programs[ret->n_programs++] = (struct sock_fprog){ .len = (unsigned short)n, .filter = out };
		out += n;
	}
	return ret->n_programs ? NULL : "it has no program";
}

/* The name becomes a file name. */
static bool name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n > 0 && n < 64 && name[n] == '\0' && name[0] != '-';
}

static int refuse_name(const char *name, ve_error **ret_error)
{
	_cleanup_free_ char *quoted = str_quote(name);
	return err_plain(ret_error, VE_ERR_CONFIG, EINVAL, "seccomp",
			 "'%s' is not the name of a seccomp policy", quoted ?: "?");
}

int seccomp_policy_load(const char *dir, const char *name, struct seccomp_policy *ret_policy, ve_error **ret_error)
{
	if (!name_ok(name))
		return refuse_name(name, ret_error);
	if (str_eq(name, "none")) {
		*ret_policy = (struct seccomp_policy){ 0 };
		return 0;
	}
	_cleanup_free_ char *path = str_printf("%s/%s.bpf", dir, name), *data = NULL;
	if (!path)
		return err_nomem(ret_error);
	size_t size;
	int r = file_read(AT_FDCWD, path, FILE_MAX, &data, &size);
	if (r < 0) {
		err_sys(ret_error, -r, "seccomp", "cannot read the compiled seccomp policy '%s'", path);
		if (r == -ENOENT)
			err_hint(ret_error, "the policies of this version are vps, jail and none");
		return r;
	}
	struct seccomp_policy p = { 0 };
	bool oom = false;
	const char *fault = parse(data, size, &p, &oom);
	if (!fault) {
		*ret_policy = p;
		return 0;
	}
	seccomp_policy_done(&p);
	if (oom)
		return err_nomem(ret_error);
	r = err_plain(ret_error, VE_ERR_DATA, EBADMSG, "seccomp", "the compiled seccomp policy '%s' is damaged: %s",
		      path, fault);
	err_hint(ret_error, "install vectl again");
	return r;
}

/* The instructions of all programs of P. */
static size_t n_instructions(const struct seccomp_policy *p)
{
	size_t n = 0;
	for (unsigned i = 0; i < p->n_programs; i++)
		n += p->programs[i].len;
	return n;
}

/* Copies the programs of FROM behind OUT and lists them in TO. Returns the place behind them. */
static struct sock_filter *append(struct seccomp_policy *to, struct sock_filter *out,
				  const struct seccomp_policy *from)
{
	for (unsigned i = 0; i < from->n_programs; i++) {
		unsigned short n = from->programs[i].len;
		memcpy(out, from->programs[i].filter, n * sizeof(*out));
		to->programs[to->n_programs++] = (struct sock_fprog){ .len = n, .filter = out };
		out += n;
	}
	return out;
}

int seccomp_policy_add(const char *dir, const char *name, struct seccomp_policy *policy, ve_error **ret_error)
{
	struct seccomp_policy more;
	int r = seccomp_policy_load(dir, name, &more, ret_error);
	if (r < 0)
		return r;
	if (policy->n_programs + more.n_programs > SECCOMP_MAX_PROGRAMS) {
		seccomp_policy_done(&more);
		return err_plain(ret_error, VE_ERR_CONFIG, E2BIG, "seccomp",
				 "the seccomp policy '%s' has too many programs to be added to another", name);
	}
	struct sock_filter *out = reallocarray(NULL, n_instructions(policy) + n_instructions(&more) + 1, sizeof(*out));
	if (!out) {
		seccomp_policy_done(&more);
		return err_nomem(ret_error);
	}
	struct seccomp_policy both = { .data = out, .no_new_privs = policy->no_new_privs || more.no_new_privs };
	append(&both, append(&both, out, policy), &more);
	seccomp_policy_done(policy);
	seccomp_policy_done(&more);
	*policy = both;
	return 0;
}

void seccomp_policy_done(struct seccomp_policy *p)
{
	free(p->data);
	*p = (struct seccomp_policy){ 0 };
}
