/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyc IN.policy OUT.bpf - the compiler of seccomp policies. It runs at build time only.
 *
 * A policy is lines; `#` begins a comment, and on a rule the comment is its reason and must be there.
 *
 *   no_new_privs                     the loader sets no_new_privs first
 *   default ACTION                   what a call gets that no rule names (ALLOW or an errno's name)
 *   other_arch ACTION                what a call of an architecture other than x86-64 and i386 gets (x32 is one)
 *   default_family ACTION            what socket(2) and socketpair(2) answer to a family that no rule names
 *   ACTION CALL[,CALL]... [COND]...  a rule on each of the calls: all conditions must hold
 *   ACTION family AF_X [PROTOCOL]    a rule on socket(2) and socketpair(2)
 *   ACTION socketcall                i386's old multiplexer of all socket calls, as a whole
 *   like NAME but CALL[,CALL]...     all of NAME.policy beside this file, but for its rules on these calls
 *   program                          begins another program with defaults of its own; both must allow a call
 *
 * ACTION is ALLOW, SUCCESS (the call is not made and returns 0), NOTIFY (who listens to the filter answers it; in the first
 * program alone, and only of a policy that denies), or an errno's name. A CALL that begins with `?`
 * may be unknown to the libseccomp of the build, and is then left out. COND is ARG[&MASK]OP VALUE without
 * spaces, with ARG the argument's number from 0, OP one of == != < <= > >=, and VALUE and MASK numbers or names
 * of the table below.
 *
 * Of a policy that denies, the programs are libseccomp's, in order, and rules on families and socketcall become a last one,
 * written out here, because libseccomp widens a rule on socket(2) to all of i386's socketcall(2). A policy whose first
 * program is an allow list becomes one program, a tree (calltree.h).
 *
 * Output: see lib/sec/seccomp.h.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calltree.h"
#include "sec/seccomp.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define NAMESPACE_FLAGS 0x7E020000 /* CLONE_NEW* but NEWTIME, which clone(2) takes for a part of the exit signal */

struct word {
	const char *name;
	uint64_t value;
};
#define WORD(w) { #w, w }

/* From <linux/btrfs.h>, which cannot be included beside <sys/mount.h>: all four take a structure of this size. */
#define BTRFS_REQUEST(n) _IOW(0x94, n, char[4096])
#define BTRFS_IOC_SNAP_CREATE BTRFS_REQUEST(1)
#define BTRFS_IOC_SUBVOL_CREATE BTRFS_REQUEST(14)
#define BTRFS_IOC_SNAP_CREATE_V2 BTRFS_REQUEST(23)
#define BTRFS_IOC_SUBVOL_CREATE_V2 BTRFS_REQUEST(24)

static const struct word values[] = {
	WORD(BTRFS_IOC_SNAP_CREATE), WORD(BTRFS_IOC_SNAP_CREATE_V2), WORD(BTRFS_IOC_SUBVOL_CREATE),
	WORD(BTRFS_IOC_SUBVOL_CREATE_V2), WORD(MNT_FORCE), WORD(UFFD_USER_MODE_ONLY), WORD(TIOCSTI), WORD(TIOCLINUX), WORD(RLIMIT_CORE),
	WORD(NAMESPACE_FLAGS), { "LOW32", UINT32_MAX },
};
static const struct word errnos[] = {
	WORD(ENOSYS), WORD(EPERM), WORD(EACCES), WORD(EINVAL), WORD(ENOTTY), WORD(EAFNOSUPPORT), WORD(EPROTONOSUPPORT),
};
static const struct word families[] = {
	WORD(AF_UNIX), WORD(AF_INET), WORD(AF_INET6), WORD(AF_NETLINK), WORD(AF_PACKET), WORD(AF_ALG), WORD(AF_VSOCK),
	WORD(AF_KEY), WORD(AF_XDP), WORD(AF_CAN), WORD(AF_TIPC), WORD(AF_RDS), WORD(AF_BLUETOOTH), WORD(AF_SMC),
};
static const struct word protocols[] = {
	WORD(NETLINK_ROUTE), WORD(NETLINK_USERSOCK), WORD(NETLINK_SOCK_DIAG), WORD(NETLINK_NFLOG), WORD(NETLINK_XFRM),
	WORD(NETLINK_SELINUX), WORD(NETLINK_ISCSI), WORD(NETLINK_AUDIT), WORD(NETLINK_FIB_LOOKUP),
	WORD(NETLINK_CONNECTOR), WORD(NETLINK_NETFILTER), WORD(NETLINK_KOBJECT_UEVENT), WORD(NETLINK_GENERIC),
	WORD(NETLINK_SCSITRANSPORT), WORD(NETLINK_RDMA), WORD(NETLINK_CRYPTO),
};

enum { MAX_FAMILIES = 64, MAX_WORDS = 10, MAX_RULES = 256 };

struct family_rule {
	uint32_t action, family, protocol;
	bool has_protocol;
};

/* Rules for a tree. */
struct rules {
	struct calltree_rule rule[MAX_RULES];
	unsigned n;
};

/* A program as libseccomp has it, and those of its rules that a tree needs to be told. */
struct list {
	scmp_filter_ctx ctx;
	uint32_t default_action; /* SECCOMP_RET_* */
	struct rules rules;
};

struct policy {
	const char *path;
	unsigned line;
	bool no_new_privs;
	uint32_t default_action, other_arch, default_family, socketcall; /* SECCOMP_RET_* */
	bool has_default;
	struct family_rule families[MAX_FAMILIES];
	unsigned n_families;
	struct list list; /* its ctx is made by its first rule, when its defaults are known */
	struct list done[SECCOMP_MAX_PROGRAMS]; /* the programs before it */
	unsigned n_done;
	const char *but[MAX_WORDS]; /* calls that rules of the file at hand do not count for */
	unsigned n_but;
};

static void __attribute__((noreturn, format(printf, 2, 3))) die(const struct policy *p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(stderr, "policyc: %s:%u: ", p->path, p->line);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(65);
}

static bool word_find(const struct word *table, size_t n, const char *name, size_t length, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0) {
			*ret = table[i].value;
			return true;
		}
	}
	return false;
}

static uint32_t action_of(const struct policy *p, const char *word)
{
	uint64_t value;
	if (!word)
		die(p, "an action is missing");
	if (strcmp(word, "ALLOW") == 0)
		return SECCOMP_RET_ALLOW;
	if (strcmp(word, "SUCCESS") == 0)
		return SECCOMP_RET_ERRNO;
	if (strcmp(word, "NOTIFY") == 0)
		return SECCOMP_RET_USER_NOTIF;
	if (!word_find(errnos, N_OF(errnos), word, strlen(word), &value))
		die(p, "'%s' is no action", word);
	return SECCOMP_RET_ERRNO | (uint32_t)value;
}

static uint64_t number_of(const struct policy *p, const char *text, size_t length)
{
	uint64_t value;
	if (word_find(values, N_OF(values), text, length, &value))
		return value;
	char copy[32], *end;
	if (length == 0 || length >= sizeof(copy))
		die(p, "'%.*s' is no value", (int)length, text);
	memcpy(copy, text, length);
	copy[length] = '\0';
	errno = 0;
	value = strtoull(copy, &end, 0);
	if (*end || errno)
		die(p, "'%s' is no value", copy);
	return value;
}

/* "0&MASK==VALUE". With a mask only (in)equality has a meaning, and only equality has libseccomp. */
static struct scmp_arg_cmp condition_of(const struct policy *p, const char *text)
{
	static const struct {
		const char *text;
		enum scmp_compare op;
	} ops[] = {
		{ "==", SCMP_CMP_EQ }, { "!=", SCMP_CMP_NE }, { "<=", SCMP_CMP_LE },
		{ ">=", SCMP_CMP_GE }, { "<", SCMP_CMP_LT },  { ">", SCMP_CMP_GT },
	};
	if (text[0] < '0' || text[0] > '5')
		die(p, "'%s' does not begin with an argument's number", text);
	unsigned arg = (unsigned)(text[0] - '0');
	size_t at = strcspn(text, "=!<>");
	for (size_t i = 0; i < N_OF(ops); i++) {
		size_t n = strlen(ops[i].text);
		if (strncmp(text + at, ops[i].text, n) != 0)
			continue;
		uint64_t value = number_of(p, text + at + n, strlen(text + at + n));
		if (text[1] != '&' && at == 1)
			return SCMP_CMP64(arg, ops[i].op, value);
		if (text[1] == '&' && ops[i].op == SCMP_CMP_EQ)
			return SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, number_of(p, text + 2, at - 2), value);
	}
	die(p, "'%s' is no condition", text);
}

/* libseccomp's spelling of an action. */
static uint32_t scmp_action(uint32_t action)
{
	if (action == SECCOMP_RET_USER_NOTIF)
		return SCMP_ACT_NOTIFY;
	return action == SECCOMP_RET_ALLOW ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(action & SECCOMP_RET_DATA);
}

static void begin_rules(struct policy *p)
{
	if (p->list.ctx)
		return;
	if (!p->has_default || !p->other_arch)
		die(p, "'default' and 'other_arch' must come before the rules");
	p->list.default_action = p->default_action;
	p->list.ctx = seccomp_init(scmp_action(p->default_action));
	int r = p->list.ctx ? seccomp_attr_set(p->list.ctx, SCMP_FLTATR_ACT_BADARCH, scmp_action(p->other_arch)) : -ENOMEM;
	if (r == 0)
		r = seccomp_arch_add(p->list.ctx, SCMP_ARCH_X86); /* the native one is there already */
	if (r < 0)
		die(p, "cannot begin a filter: %s", strerror(-r));
}

static void note(const struct policy *p, struct rules *rules, const struct calltree_rule *r)
{
	if (rules->n == MAX_RULES)
		die(p, "too many rules with conditions");
	rules->rule[rules->n++] = *r;
}

/* A rule on the call NAME, once for each architecture that has it. */
static void note_call(struct policy *p, uint32_t action, const char *name, const struct scmp_arg_cmp *cmp, unsigned n)
{
	static const struct {
		uint32_t scmp, audit;
	} archs[] = { { SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64 }, { SCMP_ARCH_X86, AUDIT_ARCH_I386 } };
	for (size_t i = 0; i < N_OF(archs); i++) {
		int number = seccomp_syscall_resolve_name_arch(archs[i].scmp, name);
		struct calltree_rule r = { .arch = archs[i].audit, .number = (uint32_t)number, .action = action, .n = n };
		for (unsigned k = 0; k < n; k++) {
			bool masked = cmp[k].op == SCMP_CMP_MASKED_EQ;
			if (!masked && cmp[k].op != SCMP_CMP_EQ)
				die(p, "beside an allow list a condition can only be '=='");
			r.cmp[k] = (struct calltree_cmp){ cmp[k].arg, masked ? cmp[k].datum_a : UINT64_MAX,
							  masked ? cmp[k].datum_b : cmp[k].datum_a };
		}
		if (number >= 0)
			note(p, &p->list.rules, &r);
	}
}

static void add_call(struct policy *p, uint32_t action, const char *name, char **conditions, unsigned n)
{
	begin_rules(p);
	bool optional = name[0] == '?';
	for (unsigned i = 0; i < p->n_but; i++)
		if (strcmp(p->but[i], name + optional) == 0)
			return;
	if (action == SECCOMP_RET_USER_NOTIF && (p->n_done || p->list.default_action != SECCOMP_RET_ALLOW))
		die(p, "NOTIFY is for the first program of a policy that denies");
	int number = seccomp_syscall_resolve_name(name + optional);
	if (number == __NR_SCMP_ERROR) {
		if (!optional)
			die(p, "there is no system call '%s'", name);
		return;
	}
	if (n > 6)
		die(p, "too many conditions");
	struct scmp_arg_cmp cmp[6];
	for (unsigned i = 0; i < n; i++)
		cmp[i] = condition_of(p, conditions[i]);
	int r = seccomp_rule_add_array(p->list.ctx, scmp_action(action), number, n, cmp);
	if (r < 0)
		die(p, "cannot add the rule on '%s': %s", name, strerror(-r));
	/* What an allow list says without conditions can be read from its program. */
	uint32_t first = p->n_done ? p->done[0].default_action : p->default_action;
	if (first != SECCOMP_RET_ALLOW && (n || p->n_done))
		note_call(p, action, name + optional, cmp, n);
}

static void add_family(struct policy *p, uint32_t action, char **words, unsigned n)
{
	uint64_t family, protocol = 0;
	if (n < 1 || n > 2 || p->n_families == MAX_FAMILIES)
		die(p, "a family rule has a family and perhaps a protocol");
	if (!p->default_family)
		die(p, "'default_family' must come before the rules on families");
	if (!word_find(families, N_OF(families), words[0], strlen(words[0]), &family))
		die(p, "'%s' is no family", words[0]);
	if (n == 2 && !word_find(protocols, N_OF(protocols), words[1], strlen(words[1]), &protocol))
		die(p, "'%s' is no protocol", words[1]);
	p->families[p->n_families++] = (struct family_rule){ action, (uint32_t)family, (uint32_t)protocol, n == 2 };
}

/* The program under way is complete. */
static void end_program(struct policy *p)
{
	if (!p->list.ctx)
		die(p, "the program before this line has no rule");
	if (p->n_done == SECCOMP_MAX_PROGRAMS - 1)
		die(p, "too many programs");
	p->done[p->n_done++] = p->list;
	p->list = (struct list){ 0 };
	p->has_default = false;
	p->other_arch = 0;
}

static void read_file(struct policy *p, const char *path);

/* WORDS: NAME but CALL[,CALL]... */
static void read_like(struct policy *p, char **words, unsigned n)
{
	char path[4096], *save = NULL;
	const char *slash = strrchr(p->path, '/');
	if (n != 3 || strcmp(words[1], "but") != 0 || p->n_but || strchr(words[0], '/'))
		die(p, "'like' has a policy's name, 'but' and calls, and stands in no policy that another is like");
	for (char *call = strtok_r(words[2], ",", &save); call; call = strtok_r(NULL, ",", &save)) {
		if (p->n_but == MAX_WORDS)
			die(p, "too many calls");
		p->but[p->n_but++] = call;
	}
	snprintf(path, sizeof(path), "%.*s%s.policy", slash ? (int)(slash + 1 - p->path) : 0, p->path, words[0]);
	const char *above = p->path;
	unsigned line = p->line;
	read_file(p, path);
	p->path = above;
	p->line = line;
	p->n_but = 0;
}

static bool directive(struct policy *p, char **words, unsigned n)
{
	uint32_t *target = NULL;
	if (strcmp(words[0], "like") == 0) {
		read_like(p, words + 1, n - 1);
		return true;
	}
	if (strcmp(words[0], "no_new_privs") == 0 && n == 1)
		return p->no_new_privs = true;
	if (strcmp(words[0], "program") == 0 && n == 1) {
		end_program(p);
		return true;
	}
	if (strcmp(words[0], "default") == 0)
		target = &p->default_action;
	else if (strcmp(words[0], "other_arch") == 0)
		target = &p->other_arch;
	else if (strcmp(words[0], "default_family") == 0)
		target = &p->default_family;
	if (!target)
		return false;
	if (n != 2 || (p->list.ctx && target != &p->default_family))
		die(p, "'%s' has one action and stands before the rules", words[0]);
	*target = action_of(p, words[1]);
	p->has_default |= target == &p->default_action;
	return true;
}

static void read_line(struct policy *p, char *line)
{
	char *words[MAX_WORDS], *save = NULL, *reason = strchr(line, '#');
	unsigned n = 0;
	if (reason)
		*reason++ = '\0';
	for (char *w = strtok_r(line, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save)) {
		if (n == MAX_WORDS)
			die(p, "too many words");
		words[n++] = w;
	}
	if (n == 0 || directive(p, words, n))
		return;
	uint32_t action = action_of(p, words[0]);
	if (n < 2)
		die(p, "a rule has an action and a call");
	if (!reason || strspn(reason, " \t\n") == strlen(reason))
		die(p, "the rule on '%s' has no reason: say it behind a '#'", words[1]);
	if (strcmp(words[1], "family") == 0)
		add_family(p, action, words + 2, n - 2);
	else if (strcmp(words[1], "socketcall") == 0 && n == 2)
		p->socketcall = action;
	else
		for (char *call = strtok_r(words[1], ",", &save); call; call = strtok_r(NULL, ",", &save))
			add_call(p, action, call, words + 2, n - 2);
}

static void read_file(struct policy *p, const char *path)
{
	FILE *in = fopen(path, "re");
	if (!in)
		die(p, "cannot open '%s': %s", path, strerror(errno));
	p->path = path;
	p->line = 0;
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, in) >= 0) {
		p->line++;
		read_line(p, line);
	}
	free(line);
	fclose(in);
}

/* ---- the program on families ------------------------------------------------------------------------- */

enum { PROGRAM_MAX = 16 + 4 * MAX_FAMILIES, I386_SOCKETCALL = 102, I386_SOCKET = 359, I386_SOCKETPAIR = 360,
       X86_64_SOCKET = 41, X86_64_SOCKETPAIR = 53 };

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned n;
};

static void emit(struct program *g, struct sock_filter f)
{
	g->code[g->n++] = f;
}

static void emit_load(struct program *g, size_t offset)
{
	emit(g, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void emit_return(struct program *g, uint32_t action)
{
	emit(g, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Skips N instructions unless the accumulator is K. */
static void emit_unless(struct program *g, uint32_t k, uint8_t n)
{
	emit(g, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n));
}

/* Family and protocol are ints: the kernel looks at the low half only, and so must we. */
static size_t arg_low(unsigned i)
{
	return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t); /* little endian */
}

static void emit_family(struct program *g, const struct family_rule *r)
{
	if (!r->has_protocol) {
		emit_unless(g, r->family, 1);
		emit_return(g, r->action);
		return;
	}
	emit_unless(g, r->family, 4);
	emit_load(g, arg_low(2));
	emit_unless(g, r->protocol, 1);
	emit_return(g, r->action);
	emit_load(g, arg_low(0)); /* the next rule wants the family again */
}

/* What leads to the table of families: the two calls of either architecture; everything else is allowed here. A
 * program that is not of these two architectures, or is x32, was answered by the first program. */
static void emit_families(const struct policy *p, struct program *g)
{
	uint32_t socketcall = p->socketcall ?: SECCOMP_RET_ALLOW;
	emit_load(g, offsetof(struct seccomp_data, arch));
	emit(g, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4));
	emit_load(g, offsetof(struct seccomp_data, nr));
	emit(g, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, X86_64_SOCKET, 9, 0));
	emit(g, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, X86_64_SOCKETPAIR, 8, 0));
	emit_return(g, SECCOMP_RET_ALLOW);
	emit(g, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 5));
	emit_load(g, offsetof(struct seccomp_data, nr));
	emit(g, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, I386_SOCKET, 4, 0));
	emit(g, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, I386_SOCKETPAIR, 3, 0));
	emit_unless(g, I386_SOCKETCALL, 1);
	emit_return(g, socketcall);
	emit_return(g, SECCOMP_RET_ALLOW);
	emit_load(g, arg_low(0)); /* where the jumps of 9, 8, 4 and 3 end */
	for (unsigned i = 0; i < p->n_families; i++)
		emit_family(g, &p->families[i]);
	emit_return(g, p->default_family ?: SECCOMP_RET_ALLOW);
}

/* ---- output ---------------------------------------------------------------------------------------- */

static void put(const struct policy *p, FILE *out, const void *data, size_t size)
{
	if (fwrite(data, 1, size, out) != size)
		die(p, "cannot write: %s", strerror(errno));
}

static void put_program(const struct policy *p, FILE *out, const struct sock_filter *code, uint32_t n)
{
	put(p, out, &n, sizeof(n));
	put(p, out, code, n * sizeof(*code));
}

/* libseccomp writes its program to a descriptor. */
static unsigned program_of(const struct policy *p, const struct list *l, struct sock_filter code[BPF_MAXINSNS])
{
	int fd = memfd_create("policy", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : seccomp_export_bpf(l->ctx, fd);
	if (r < 0)
		die(p, "cannot make the program: %s", strerror(-r));
	const ssize_t room = BPF_MAXINSNS * (ssize_t)sizeof(*code);
	ssize_t n = pread(fd, code, (size_t)room, 0);
	if (n <= 0 || n == room || n % (ssize_t)sizeof(*code))
		die(p, "the program of %zd bytes is too long", n);
	close(fd);
	return (unsigned)((size_t)n / sizeof(*code));
}

/* The rules on families as rules on the calls that have one. */
static void note_families(const struct policy *p, struct rules *rules)
{
	static const struct {
		uint32_t arch, number;
	} calls[] = { { AUDIT_ARCH_X86_64, X86_64_SOCKET }, { AUDIT_ARCH_X86_64, X86_64_SOCKETPAIR },
		      { AUDIT_ARCH_I386, I386_SOCKET }, { AUDIT_ARCH_I386, I386_SOCKETPAIR } };
	for (size_t i = 0; p->default_family && i < N_OF(calls); i++) {
		struct calltree_rule r = { .arch = calls[i].arch, .number = calls[i].number };
		for (unsigned k = 0; k < p->n_families; k++) {
			const struct family_rule *f = &p->families[k];
			r.action = f->action;
			r.n = f->has_protocol ? 2 : 1;
			/* Ints: the kernel looks at the low half only, and so must we. */
			r.cmp[0] = (struct calltree_cmp){ 0, UINT32_MAX, f->family };
			r.cmp[1] = (struct calltree_cmp){ 2, UINT32_MAX, f->protocol };
			note(p, rules, &r);
		}
		r.action = p->default_family;
		r.n = 0;
		note(p, rules, &r);
	}
	if (p->socketcall)
		note(p, rules, &(struct calltree_rule){ .arch = AUDIT_ARCH_I386, .number = I386_SOCKETCALL,
							.action = p->socketcall });
}

/* All programs must allow a call. The first is an allow list and those after it name what is denied all the same, so that of
 * their rules the first that holds is the answer. */
static void put_tree(const struct policy *p, FILE *out)
{
	static struct sock_filter code[BPF_MAXINSNS], tree[BPF_MAXINSNS];
	static struct rules rules;
	const struct list *first = &p->done[0];
	for (unsigned i = 1; i <= p->n_done; i++) {
		const struct list *l = &p->done[i < p->n_done ? i : 0];
		if (i < p->n_done && l->default_action != SECCOMP_RET_ALLOW)
			die(p, "a program after an allow list must have 'default ALLOW'");
		for (unsigned k = 0; k < l->rules.n; k++)
			note(p, &rules, &l->rules.rule[k]);
	}
	note_families(p, &rules);
	int length = calltree_make(code, program_of(p, first, code), rules.rule, rules.n, first->default_action, tree);
	if (length < 0)
		die(p, "cannot make a tree of the allow list: it is too long, or i386's socketcall has no rule of its own");
	put_program(p, out, tree, (uint32_t)length);
}

static void write_policy(const struct policy *p, FILE *out)
{
	uint32_t flags = p->no_new_privs ? SECCOMP_FILE_NO_NEW_PRIVS : 0;
	put(p, out, SECCOMP_FILE_MAGIC, sizeof(SECCOMP_FILE_MAGIC) - 1);
	put(p, out, &flags, sizeof(flags));
	if (p->done[0].default_action != SECCOMP_RET_ALLOW) {
		put_tree(p, out);
		return;
	}
	for (unsigned i = 0; i < p->n_done; i++) {
		static struct sock_filter code[BPF_MAXINSNS];
		put_program(p, out, code, program_of(p, &p->done[i], code));
	}
	if (p->default_family || p->socketcall) {
		struct program families_program = { .n = 0 };
		emit_families(p, &families_program);
		put_program(p, out, families_program.code, families_program.n);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: policyc IN.policy OUT.bpf\n");
		return 64;
	}
	static struct policy p;
	p.path = argv[1];
	read_file(&p, argv[1]);
	end_program(&p);
	char *whole = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&whole, &length);
	if (!memory)
		die(&p, "out of memory");
	write_policy(&p, memory);
	if (fclose(memory) != 0)
		die(&p, "out of memory");
	/* Under another name until it is whole: make believes in a file that is there. */
	char temporary[4096];
	snprintf(temporary, sizeof(temporary), "%s.tmp", argv[2]);
	FILE *out = fopen(temporary, "we");
	if (!out)
		die(&p, "cannot write '%s': %s", temporary, strerror(errno));
	put(&p, out, whole, length);
	free(whole);
	if (fclose(out) != 0 || rename(temporary, argv[2]) < 0)
		die(&p, "cannot write '%s': %s", argv[2], strerror(errno));
	for (unsigned i = 0; i < p.n_done; i++)
		seccomp_release(p.done[i].ctx);
	return 0;
}
