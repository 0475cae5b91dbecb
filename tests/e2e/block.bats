#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE that its provider has closed: stopped, cut off or frozen, with reason and date, until it is unblocked.
load helpers

# The rules for blocked VEs on bridges come with the first, and stay: they go before the first look at what is there.
setup_file() {
	world_up
	v --quiet create warm3 --image busybox --set network.0.type=bridged --ip 192.0.2.251/24
	v --quiet block warm3 --network
	v --quiet start warm3
	v --quiet destroy --force warm3
	inventory >"$BATS_FILE_TMPDIR/inventory"
}

reaches() { v exec web1 -- ping -c1 -W1 "$1" >/dev/null 2>&1; }

@test "block stops it, and it will not start; status, list and the refusal say why and since when" {
	ve web1 --ip 192.0.2.10
	changed true block web1 --reason 'invoice 4711'
	json '.state == "blocked"'
	in_state web1 blocked
	ok status web1 --json
	json '.blocked.how == "stop" and .blocked.reason == "invoice 4711" and (.blocked.at | startswith("20")) and .init_pid == null'
	json '.last_exit.reason == "blocked"'
	fails 79 start web1
	says "blocked by the provider since 20.*invoice 4711"
	says 'vectl unblock web1'
	fails 79 exec web1 -- true || is 125
	fails 79 restart web1
	ok list --where blocked=stop --names
	[ "$output" = web1 ]
	ok list
	grep -qE 'web1 +blocked' <<<"$output"
	changed false block web1 --reason 'invoice 4711'
	changed false stop web1
	ok wait web1 --state stopped --timeout 1
	ok set web1 hostname=other
	changed true unblock web1
	json '.state == "stopped"'
	changed false unblock web1
	ok status web1 --json
	json '.blocked == null'
	ok start web1
}

@test "a block is kept over a restart of the host, and boot.auto does not start it; after unblock it does" {
	ve web1
	ok block web1
	# As after a boot: nothing below /run is left.
	rm -rf "$VECTL_ROOT/run/vectl"
	in_state web1 blocked
	ok start --boot
	in_state web1 blocked
	ok unblock web1
	# It ran when it was blocked.
	ok start --boot
	in_state web1 running
}

@test "--network: it runs, and reaches nothing but the host; nothing else reaches it" {
	ve web1 --ip 192.0.2.10
	ve web2 --ip 192.0.2.11
	reaches 198.51.100.1
	local init
	init=$(init_pid web1)
	changed true block web1 --network --reason spam
	json '.state == "running"'
	[ "$(init_pid web1)" = "$init" ]
	not reaches 198.51.100.1
	not reaches 192.0.2.1
	not reaches 192.0.2.11
	not in_world ping -c1 -W1 192.0.2.10
	not v exec web2 -- ping -c1 -W1 192.0.2.10
	reaches 192.0.2.2
	on_host ping -c1 -W2 192.0.2.10
	ok status web1 --json
	json '.state == "running" and .blocked.how == "network" and .blocked.reason == "spam"'
	ok restart web1
	not reaches 198.51.100.1
	reaches 192.0.2.2
	changed true unblock web1
	reaches 198.51.100.1
	in_world ping -c1 -W2 192.0.2.10
}

@test "--network on a stopped VE is there when it starts, for nat as well" {
	ok create web1 --image busybox
	changed true block web1 --network
	in_state web1 stopped
	ok start web1
	not reaches 198.51.100.1
	ok unblock web1
	reaches 198.51.100.1
}

# As on a host whose bridge has an address and leads to the world: br7, 198.18.7.1, with a way back from there.
bridge_with_router() {
	on_host ip link add br7 type bridge
	on_host ip link set br7 up
	on_host ip addr add 198.18.7.1/24 dev br7
	on_host ip addr add 2001:db8:7::1/64 dev br7 nodad
	in_world ip route add 198.18.7.0/24 via 192.0.2.2
	in_world ip route add 2001:db8:7::/64 via 2001:db8::2
}
teardown() {
	destroy_all
	if on_host ip link del br7 2>/dev/null; then
		in_world ip route del 198.18.7.0/24
		in_world ip route del 2001:db8:7::/64
	fi
	same_as_before
}
inside_reaches() { v exec web1 -- ping -c1 -W1 "$@" >/dev/null 2>&1; }

@test "--network, bridged: neither over the bridge nor through the host's own routing, from no address, either way" {
	bridge_with_router
	local bridged=(--set network.0.type=bridged --set network.0.bridge=br7)
	ve web1 "${bridged[@]}" --ip 198.18.7.10/24 --ip 2001:db8:7::10/64 \
		--set network.0.gateway=198.18.7.1,2001:db8:7::1
	ve web2 "${bridged[@]}" --ip 198.18.7.11/24
	ve web3 --ip 192.0.2.11
	wait_until 10 inside_reaches 198.51.100.1
	wait_until 10 inside_reaches 2001:db8:ffff::1
	inside_reaches 192.0.2.11
	inside_reaches 198.18.7.11
	wait_until 10 in_world ping -c1 -W1 198.18.7.10
	ok block web1 --network
	not inside_reaches 198.51.100.1
	not inside_reaches 2001:db8:ffff::1
	not inside_reaches 192.0.2.11
	not inside_reaches 198.18.7.11
	inside_reaches 198.18.7.1
	wait_until 10 inside_reaches 2001:db8:7::1
	# Nor does anything reach it, answered or not.
	heard() { v exec web1 -- cat /proc/net/snmp | awk '/^Icmp: [0-9]/ { print $2 }'; }
	local n
	n=$(heard)
	not in_world ping -c1 -W1 198.18.7.10
	not in_world ping -c1 -W1 2001:db8:7::10
	not v exec web3 -- ping -c1 -W1 198.18.7.10
	[ "$(heard)" = "$n" ]
	on_host ping -c1 -W2 198.18.7.10
	# Others go on, and an address that it gets meanwhile is no way out.
	v exec web2 -- ip route add default via 198.18.7.1
	v exec web2 -- ping -c1 -W5 198.51.100.1
	ok set web1 network.0.ips+=198.18.7.12/24
	not inside_reaches -I 198.18.7.12 198.51.100.1
	inside_reaches -I 198.18.7.12 198.18.7.1
	ok restart web1
	not inside_reaches 198.51.100.1
	ok set web1 network.0.ips-=198.18.7.12/24
	ok unblock web1
	inside_reaches 198.51.100.1
	wait_until 10 inside_reaches 2001:db8:ffff::1
	# Nothing stays of it: an address given to another one is that one's.
	[ "$(on_host nft list table inet vectl_blocked | grep -c elements)" = 0 ]
	ok block web1 --network
	ok destroy web1 --force
	[ "$(on_host nft list table inet vectl_blocked | grep -c elements)" = 0 ]
}

@test "--freeze holds it; thaw is refused; unblock lets it go on" {
	ve web1
	local init
	init=$(init_pid web1)
	changed true block web1 --freeze --reason 'being looked at'
	json '.state == "frozen"'
	fails 79 thaw web1
	says 'being looked at'
	in_state web1 frozen
	changed true unblock web1
	json '.state == "running"'
	[ "$(init_pid web1)" = "$init" ]
	v exec web1 -- true
	ok block web1 --freeze
	ok kill web1
	in_state web1 blocked
	fails 79 start web1
}

@test "one block replaces another" {
	ve web1 --ip 192.0.2.10
	ok block web1 --freeze
	changed true block web1 --network --reason 'to be mended'
	in_state web1 running
	not reaches 198.51.100.1
	changed true block web1
	in_state web1 blocked
	changed true block web1 --network
	in_state web1 stopped
	ok start web1
	not reaches 198.51.100.1
	ok unblock web1
	reaches 198.51.100.1
}

@test "a reboot inside while the block waits for its lock starts nothing" {
	ve web1
	ok block web1
	in_state web1 blocked
	ok recover
	in_state web1 blocked
}

@test "bad input: 64 and 66; destroy takes a blocked one" {
	ve web1
	fails 64 block web1 --network --freeze
	fails 66 block nobody
	fails 66 unblock nobody
	fails 78 block web1 --reason $'two\nlines'
	in_state web1 running
	ok block web1
	ok destroy web1
}
