/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nftables: whether our rules are there is asked over netlink; the firewall files are loaded by nft(8), which only runs where
 * something of them is missing or speaks of another range.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/elements.h"
#include "net/priv.h"
#include "sys/syscalls.h"

#define NAT_TABLE NFT_NAT_TABLE
#define NAT_SET "range"

enum { NFT_DEADLINE_MS = 30000 };

struct nlmsghdr *nft_put_ask(struct nl *nl, unsigned message, uint16_t flags, uint8_t family, const char *what)
{
	struct nlmsghdr *m = nl_add(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, "%s", what);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return m;
}

int nft_open(struct nl **ret_nl, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	_cleanup_err_ ve_error *error = NULL;
	int r = nl_open(NETLINK_NETFILTER, &nl, &error);
	if (r == 0) {
		/* Of a subsystem that it does not know nfnetlink says EINVAL; of one it knows, the number of its
		 * ruleset. */
		nft_put_ask(nl, NFT_MSG_GETGEN, 0, NFPROTO_UNSPEC, "ask for nftables");
		r = nl_commit(nl, &error);
	}
	if (r == 0) {
		*ret_nl = steal_ptr(&nl);
		return 0;
	}
	if (r == -EINVAL || r == -EPROTONOSUPPORT || r == -EAFNOSUPPORT || r == -ENOSYS || r == -EOPNOTSUPP) {
		r = err_plain(ret_error, VE_ERR_UNSUPPORTED, -r, "network", LACK_NFTABLES);
		err_hint(ret_error, LACK_NFTABLES_HINT);
	} else {
		err_propagate(ret_error, &error);
	}
	return r;
}

int nft_probe(ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	return nft_open(&nl, ret_error);
}

/* ---- are the rules loaded? --------------------------------------------------------------------------- */

/* Chains without which a VE may send what it likes: for those who have no time to compare (compare.c). */
struct fence {
	uint8_t family;
	const char *chain;
};
static const struct fence fences[] = {
	{ NFPROTO_INET, "antispoof" },	 { NFPROTO_INET, "ve_in" },    { NFPROTO_INET, "leave" },
	{ NFPROTO_ARP, "antispoof" },	 { NFPROTO_ARP, "ve_in" },     { NFPROTO_BRIDGE, "antispoof" },
	{ NFPROTO_BRIDGE, "ve_in" },	 { NFPROTO_BRIDGE, "forward" },
};

/* 1: all N chains are there, at most ARRAY_SIZE(fences). */
static int chains_there(const char *table, const struct fence *chains, size_t n, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	int missing[ARRAY_SIZE(fences)], any = 0;
	int r = nft_open(&nl, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *m = nft_put_ask(nl, NFT_MSG_GETCHAIN, 0, chains[i].family, "look for the firewall's chains");
		mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, table);
		mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chains[i].chain);
		nl_result_into(nl, &missing[i]);
	}
	r = nl_commit(nl, ret_error);
	for (size_t i = 0; i < n; i++)
		any |= missing[i] != 0;
	return r < 0 ? r : !any;
}

int nft_rules_loaded(ve_error **ret_error)
{
	return chains_there(NFT_TABLE, fences, ARRAY_SIZE(fences), ret_error);
}

/* ---- is masquerading loaded? ----------------------------------------------------------------------- */

struct range_seen {
	uint32_t first, behind; /* of the wanted range, BEHIND is 0 where it ends with the address space */
	bool begins, ends, others;
};

/* An interval is two elements: its first address, and the address behind its last with a flag. */
static void read_element(const struct nlattr *element, struct range_seen *seen)
{
	const struct nlattr *attr, *inner;
	uint32_t flags = 0, key = 0;
	mnl_attr_for_each_nested(attr, element) {
		if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_FLAGS)
			flags = ntohl(mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_KEY)
			continue;
		mnl_attr_for_each_nested(inner, attr)
			if (mnl_attr_get_type(inner) == NFTA_DATA_VALUE &&
			    mnl_attr_get_payload_len(inner) == sizeof(key))
				key = ntohl(mnl_attr_get_u32(inner));
	}
	if (flags & NFT_SET_ELEM_INTERVAL_END)
		seen->ends |= key == seen->behind;
	else if (key == seen->first)
		seen->begins = true;
	else
		seen->others = true;
}

static void read_elements(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *element;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(element, attr)
			read_element(element, data);
	}
}

int nft_nat_loaded(const struct net_addr *range, ve_error **ret_error)
{
	_cleanup_nl_ struct nl *nl = NULL;
	int r = nft_open(&nl, ret_error);
	if (r < 0)
		return r;
	uint32_t first = ntohl(range->v4.s_addr);
	struct range_seen seen = { .first = first,
				   .behind = first + (uint32_t)((uint64_t)1 << (32 - range->prefix)) };
	struct nlmsghdr *m =
		nft_put_ask(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP, NFPROTO_IPV4, "look for the table ip " NAT_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, NAT_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, NAT_SET);
	nl_on_reply(nl, read_elements, &seen);
	nl_tolerate(nl, ENOENT);
	r = nl_commit(nl, ret_error);
	if (r < 0)
		return r;
	return seen.begins && (seen.ends || seen.behind == 0) && !seen.others;
}

/* ---- loading the file ------------------------------------------------------------------------------ */

const char *nft_program(void)
{
	/* Fixed places: what root's PATH is at the moment is not to decide. */
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/bin/nft",
					      "/usr/local/sbin/nft" };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* In the child, until exec: nothing is allocated. Its handlers are gone already (CLONE_CLEAR_SIGHAND). */
static void __attribute__((noreturn)) become_nft(const char *const *argv, int output_fd, int netns_fd)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) < 0)
		_exit(127);
	if (null_fd >= 0 && dup2(null_fd, 0) == 0 && dup2(output_fd, 1) == 1 && dup2(output_fd, 2) == 2) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(argv[0], (char *const *)argv, (char *const *)env);
	}
	_exit(127);
}

/* Runs ARGV to its end, in NETNS_FD unless that is -1. RET_STATUS: as wait(2) says. Its exit signal is none, so that a caller who reaps all
 * children, or ignores SIGCHLD, neither sees it nor takes it from us. */
static int run_to_end(const char *const *argv, int output_fd, int netns_fd, int *ret_status)
{
	int pid_fd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&pid_fd,
	};
	int pid = sys_clone3(&args);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become_nft(argv, output_fd, netns_fd);
	_cleanup_close_ int guard = pid_fd;
	struct pollfd p = { .fd = guard, .events = POLLIN };
	int r;
	do
		r = poll(&p, 1, NFT_DEADLINE_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		pidfd_send_signal(guard, SIGKILL, NULL, 0);
	siginfo_t info;
	do
		r = waitid(P_PIDFD, (id_t)guard, &info, WEXITED | __WALL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	*ret_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

/* What nft wrote, its first line. */
static void first_line(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

int nft_load_file(const char *data_dir, const char *name, const char *range, int netns_fd, ve_error **ret_error)
{
	const char *program = nft_program();
	_cleanup_free_ char *file = str_printf("%s/nft/%s", data_dir, name);
	if (!file)
		return err_nomem(ret_error);
	if (!program) {
		int r = err_plain(ret_error, VE_ERR_UNSUPPORTED, ENOENT, "network",
				  "cannot load the firewall file '%s': " LACK_NFT, file);
		err_hint(ret_error, LACK_NFT_HINT);
		return r;
	}
	_cleanup_free_ char *define = str_printf("nat_range=%s", range ?: "");
	_cleanup_close_ int output_fd = memfd_create("nft", MFD_CLOEXEC);
	if (!define)
		return err_nomem(ret_error);
	if (output_fd < 0)
		return err_sys(ret_error, errno, "network", "cannot make a memory file");
	const char *const with_range[] = { program, "-D", define, "-f", file, NULL };
	const char *const plain[] = { program, "-f", file, NULL };
	int status = 0, r = run_to_end(range ? with_range : plain, output_fd, netns_fd, &status);
	if (r < 0)
		return err_sys(ret_error, -r, "network", "cannot run '%s'", program);
	if (status == 0)
		return 0;
	char line[400];
	first_line(output_fd, line, sizeof(line));
	_cleanup_free_ char *quoted = str_quote(line);
	return err_plain(ret_error, VE_ERR_KERNEL, EIO, "network", "'%s' could not load '%s' (status %d): %s",
			 program, file, status, quoted ?: "");
}

/* What one of the files comes to. */
struct wanted {
	const char *name, *range; /* RANGE: of the file for nat */
	struct net_addr parsed;
	int (*ask)(const struct wanted *w, ve_error **ret_error);
};

/* 1: it was loaded, 0: it was there. That nft(8) has ended well is not believed: nothing else keeps a VE from sending what it
 * likes. */
static int ensure(const char *data_dir, const struct wanted *w, ve_error **ret_error)
{
	enum { TRIES = 3 };
	for (int i = 0; i <= TRIES; i++) {
		int r = w->ask(w, ret_error);
		if (r != 0)
			return r < 0 ? r : i > 0;
		if (i < TRIES)
			r = nft_load_file(data_dir, w->name, w->range, -1, ret_error);
		if (r < 0)
			return r;
	}
	int r = err_plain(ret_error, VE_ERR_KERNEL, EIO, "network", "'%s' was loaded %d times, and is not there", w->name, TRIES);
	err_hint(ret_error, "see what takes it away: nft monitor");
	return r;
}

static int ask_rules(const struct wanted *w, ve_error **ret_error)
{
	(void)w;
	return nft_rules_loaded(ret_error);
}

static int ask_nat(const struct wanted *w, ve_error **ret_error)
{
	return nft_nat_loaded(&w->parsed, ret_error);
}

static int ask_blocked(const struct wanted *w, ve_error **ret_error)
{
	static const struct fence forward = { NFPROTO_INET, "forward" };
	(void)w;
	return chains_there(NFT_BLOCKED_TABLE, &forward, 1, ret_error);
}

int nft_ensure_rules(const char *data_dir, ve_error **ret_error)
{
	return ensure(data_dir, &(struct wanted){ .name = NFT_FILE, .ask = ask_rules }, ret_error);
}

int nft_ensure_nat(const char *data_dir, const char *range, ve_error **ret_error)
{
	struct wanted w = { .name = NFT_NAT_FILE, .range = range, .ask = ask_nat };
	int r = net_range_parse(range, &w.parsed, ret_error);
	if (r == 0)
		r = ensure(data_dir, &w, ret_error);
	return r < 0 ? r : 0;
}

int nft_ensure_blocked(const char *data_dir, ve_error **ret_error)
{
	int r = ensure(data_dir, &(struct wanted){ .name = NFT_BLOCKED_FILE, .ask = ask_blocked }, ret_error);
	return r < 0 ? r : 0;
}
