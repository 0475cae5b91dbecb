/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs the network room alone, in whatever network namespace it is started in (tests/e2e/net.bats).
 *
 *   net_driver check WORD...            net_driver attach NETNS WORD...     net_driver undo NETNS WORD...
 *   net_driver detach WORD...           net_driver change NETNS WORD... -- WORD...
 *   net_driver look WORD...             net_driver heal WORD...
 *   net_driver host-check               net_driver resolvers                net_driver time NETNS ROUNDS WORD...
 *
 * NETNS is a file such as /run/netns/x. The words make a plan: id=5 uplink=up0 range=10.77.0.0/16 data=DIR fastpath
 * answers=46|4|6|none (46 where it is not said), and for each interface if=LABEL:TYPE[:ADDRESS[,ADDRESS]...], followed by
 * rate_in= rate_out= bridge= vlan= mtu= mac= gw= forward= blocked= of its own. The exit status is the error's; its sentence goes
 * to stderr.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/str.h"
#include "net/net.h"

#define UUID "0b0e5f6e-6a55-4a3c-9d9d-5a0c3f1e7a11"

static const char *const types[NET_TYPE_COUNT] = {
	[NET_NONE] = "none", [NET_ROUTED] = "routed", [NET_NAT] = "nat", [NET_BRIDGED] = "bridged"
};

static void fail(ve_error *error)
{
	fprintf(stderr, "%s: %s\n", ve_category_name(ve_error_category(error)), ve_error_message(error));
	if (ve_error_hint(error))
		fprintf(stderr, "hint: %s\n", ve_error_hint(error));
	exit(ve_category_exit_code(ve_error_category(error)));
}

static void usage(const char *what)
{
	fprintf(stderr, "net_driver: bad word '%s'\n", what);
	exit(64);
}

static void parse_if(struct net_if *i, char *text)
{
	char *label = strsep(&text, ":"), *type = strsep(&text, ":");
	if (!label || !type)
		usage("if=");
	*i = (struct net_if){ .label = (unsigned)atoi(label), .type = NET_TYPE_COUNT };
	for (unsigned t = 0; t < NET_TYPE_COUNT; t++)
		if (strcmp(type, types[t]) == 0)
			i->type = t;
	if (i->type == NET_TYPE_COUNT)
		usage(type);
	net_mac(UUID, i->label, i->mac);
	i->addrs = calloc(64, sizeof(*i->addrs));
	/* Behind the second ':' everything is addresses, also IPv6 ones. */
	for (char *a; text && (a = strsep(&text, ",")) && i->n_addrs < 64;) {
		ve_error *error = NULL;
		if (*a && net_addr_parse(a, &i->addrs[i->n_addrs++], &error) < 0)
			fail(error);
	}
}

/* A word about the interface named last. */
static bool parse_if_word(struct net_plan *plan, const char *w)
{
	struct net_if *i = plan->n_ifs ? &plan->ifs[plan->n_ifs - 1] : NULL;
	ve_error *error = NULL;
	if (!i)
		return false;
	if (str_starts(w, "bridge=")) {
		i->bridge = w + 7;
	} else if (str_starts(w, "vlan=")) {
		i->vlan = (unsigned)atoi(w + 5);
	} else if (str_starts(w, "mtu=")) {
		i->mtu = (unsigned)atoi(w + 4);
	} else if (str_starts(w, "mac=")) {
		unsigned char *m = i->mac;
		if (sscanf(w + 4, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
			usage(w);
	} else if (str_starts(w, "blocked=")) {
		i->blocked = atoi(w + 8);
	} else if (str_starts(w, "gw=")) {
		struct net_addr *g = &i->gateway[strchr(w, ':') != NULL];
		g->family = strchr(w, ':') ? AF_INET6 : AF_INET;
		g->prefix = g->family == AF_INET ? 32 : 128;
		if (inet_pton(g->family, w + 3, &g->v6) != 1)
			usage(w);
	} else if (str_starts(w, "forward=")) {
		if (!i->forwards)
			i->forwards = calloc(16, sizeof(*i->forwards));
		if (i->n_forwards == 16 || portforward_parse(w + 8, &i->forwards[i->n_forwards++], &error) < 0)
			fail(error);
	} else {
		return false;
	}
	return true;
}

static void parse_plan(struct net_plan *plan, int *argc, char ***argv)
{
	*plan = (struct net_plan){ .link_id = 5,
				   .nat_range = "10.77.0.0/16",
				   .uuid = UUID,
				   .answers4 = true,
				   .answers6 = true,
				   .data_dir = "templates" };
	plan->ifs = calloc(8, sizeof(*plan->ifs));
	for (; *argc > 0; (*argc)--, (*argv)++) {
		char *w = (*argv)[0];
		if (strcmp(w, "--") == 0) {
			(*argc)--, (*argv)++;
			return;
		}
		if (str_starts(w, "id="))
			plan->link_id = (uint32_t)strtoul(w + 3, NULL, 10);
		else if (str_starts(w, "uplink="))
			plan->uplink = w + 7;
		else if (str_starts(w, "range="))
			plan->nat_range = w + 6;
		else if (str_starts(w, "data="))
			plan->data_dir = w + 5;
		else if (str_starts(w, "answers=")) {
			plan->answers4 = strchr(w, '4');
			plan->answers6 = strchr(w, '6');
		} else if (strcmp(w, "fastpath") == 0)
			plan->fastpath = true;
		else if (parse_if_word(plan, w))
			;
		else if (str_starts(w, "if=") && plan->n_ifs < 8)
			parse_if(&plan->ifs[plan->n_ifs++], w + 3);
		else if (str_starts(w, "rate_in=") && plan->n_ifs > 0)
			plan->ifs[plan->n_ifs - 1].rate_in = strtoull(w + 8, NULL, 10);
		else if (str_starts(w, "rate_out=") && plan->n_ifs > 0)
			plan->ifs[plan->n_ifs - 1].rate_out = strtoull(w + 9, NULL, 10);
		else
			usage(w);
	}
}

static void free_plan(struct net_plan *plan)
{
	for (unsigned k = 0; k < plan->n_ifs; k++) {
		free(plan->ifs[k].addrs);
		free(plan->ifs[k].forwards);
	}
	free(plan->ifs);
}

static void print_row(const char *feature, bool present, const char *detail, const char *hint, void *data)
{
	printf("%s %s: %s%s%s\n", present ? "yes" : "no", feature, detail, hint ? " | " : "", hint ? hint : "");
}

static int resolvers(void)
{
	ve_error *error = NULL;
	_cleanup_strv_ char **servers = NULL, **search = NULL;
	if (net_host_resolvers(&servers, &search, &error) < 0)
		fail(error);
	for (char **s = servers; *s; s++)
		printf("nameserver %s\n", *s);
	for (char **s = search; *s; s++)
		printf("search %s\n", *s);
	return 0;
}

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static int measure(const struct net_plan *plan, int netns_fd, int rounds)
{
	ve_error *error = NULL;
	double check = 1e9, attach = 1e9, detach = 1e9; /* the best of all rounds: other load only adds */
	for (int i = 0; i < rounds; i++) {
		struct undo undo = { 0 };
		double t0 = now_ms();
		if (net_check(plan, &error) < 0)
			fail(error);
		double t1 = now_ms();
		if (net_attach(plan, netns_fd, &undo, &error) < 0)
			fail(error);
		double t2 = now_ms();
		undo_commit(&undo);
		if (net_detach(plan, &error) < 0)
			fail(error);
		check = least(check, t1 - t0);
		attach = least(attach, t2 - t1);
		detach = least(detach, now_ms() - t2);
	}
	printf("check %.3f ms, attach %.3f ms, detach %.3f ms\n", check, attach, detach);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		usage("");
	const char *verb = argv[1];
	argc -= 2, argv += 2;
	if (str_eq(verb, "host-check")) {
		net_host_check("templates", true, print_row, NULL);
		return 0;
	}
	if (str_eq(verb, "resolvers"))
		return resolvers();

	_cleanup_close_ int netns_fd = -1;
	int rounds = 0;
	if (!str_eq(verb, "check") && !str_eq(verb, "heal") && !str_eq(verb, "look") && !str_eq(verb, "probe") && !str_eq(verb, "detach")) {
		netns_fd = argc > 0 ? open(argv[0], O_RDONLY | O_CLOEXEC) : -1;
		if (netns_fd < 0)
			usage("NETNS");
		argc--, argv++;
	}
	if (str_eq(verb, "time") && argc > 0) {
		rounds = atoi(argv[0]);
		argc--, argv++;
	}
	struct net_plan plan, new_plan;
	parse_plan(&plan, &argc, &argv);
	bool has_new = argc > 0;
	parse_plan(&new_plan, &argc, &argv);

	ve_error *error = NULL;
	struct undo undo = { 0 };
	int r = 0;
	if (str_eq(verb, "check")) {
		r = net_check(&plan, &error);
	} else if (str_eq(verb, "detach")) {
		r = net_detach(&plan, &error);
	} else if (str_eq(verb, "change")) {
		r = net_change(&plan, &new_plan, netns_fd, &error);
	} else if (str_eq(verb, "probe")) {
		r = net_probe(has_new ? &plan : NULL, has_new ? &new_plan : &plan, &error);
	} else if (str_eq(verb, "heal")) {
		bool rules, mended;
		r = net_heal_rules(&plan, &rules, &error);
		if (r == 0)
			r = net_heal(&plan, &mended, &error);
		if (r == 0)
			puts(rules || mended ? "mended" : "whole");
	} else if (str_eq(verb, "look")) {
		struct net_missing m;
		r = net_look(&plan, &m, &error);
		if (r == 0)
			puts(m.n ? m.first : "whole");
	} else if (str_eq(verb, "time")) {
		r = measure(&plan, netns_fd, rounds);
	} else if (str_eq(verb, "attach") || str_eq(verb, "undo")) {
		r = net_check(&plan, &error);
		if (r == 0)
			r = net_attach(&plan, netns_fd, &undo, &error);
		if (r < 0 || str_eq(verb, "undo"))
			undo_run(&undo);
		else
			undo_commit(&undo);
	} else {
		usage(verb);
	}
	free_plan(&plan);
	free_plan(&new_plan);
	if (r < 0)
		fail(error);
	return 0;
}
