#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The network room alone (net_driver), between three network namespaces:
#
#   $R the router             $H the "host"                    $V the "VE"
#   r0 192.0.2.1/24    ----   up0 192.0.2.2/24      vz5.0 ---- eth0
#      2001:db8::1/64             2001:db8::2/64
#   lo 198.51.100.1, 2001:db8:ffff::1: the Internet
#
# Needs root and iproute2, ping, nft, jq, busybox.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	DRIVER=$(realpath "${O:-build}/tests/e2e/net_driver")
	FRAMES=$(realpath "${O:-build}/frames")
	[ -x "$DRIVER" ] && [ -x "$FRAMES" ] # built with the tests; their lack is a failure
	GATEWAY4=169.254.1.6 GATEWAY6=fe80::6 # of the VE with the number 5
	P=vt$$-$BATS_TEST_NUMBER H=$P-h R=$P-r V=$P-v
	for n in "$H" "$R" "$V"; do
		ip netns add "$n"
		ip -n "$n" link set lo up
	done
	ip -n "$H" link add up0 mtu 1400 type veth peer name r0 netns "$R"
	# No link-local addresses of the kernel's making: their duplicate address detection would end in the midst of a test.
	ip -n "$H" link set up0 addrgenmode none
	ip -n "$H" link set up0 up
	ip -n "$R" link set r0 up
	ip -n "$H" addr add 192.0.2.2/24 broadcast + dev up0
	ip -n "$H" addr add 2001:db8::2/64 dev up0 nodad
	ip -n "$R" addr add 192.0.2.1/24 dev r0
	ip -n "$R" addr add 2001:db8::1/64 dev r0 nodad
	ip -n "$R" addr add 198.51.100.1/32 dev lo
	ip -n "$R" addr add 2001:db8:ffff::1/128 dev lo
	ip -n "$H" route add default via 192.0.2.1
	ip -n "$H" route add default via 2001:db8::1
	h sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
}

teardown() {
	[ -z "${SERVER_PID:-}" ] || kill "$SERVER_PID" || true
	for n in "$H" "$R" "$V"; do ip netns del "$n" 2>/dev/null || true; done
}

h() { ip netns exec "$H" "$@"; }
r() { ip netns exec "$R" "$@"; }
v() { ip netns exec "$V" "$@"; }
driver() { h "$DRIVER" "$@"; }
attach() { driver attach "/run/netns/$V" "$@"; }
answers() { ping -n -q -c 1 -w 5 "$@" >/dev/null; }
silent() { ! ping -n -q -c 1 -W 0.3 "$@" >/dev/null; }
export -f answers silent
# `r answers 192.0.2.10`: ping from there.
from() { local ns=$1; shift; ip netns exec "$ns" bash -c '"$@"' - "$@"; }

# Everything of the host that an attach touches, but for what may stay on.
inventory() {
	# Whether a link has its carrier yet is the kernel's matter, and takes its time.
	h ip -o link | sed -E 's/^[0-9]*: //; s/NO-CARRIER,|,LOWER_UP//g; s/ state [A-Z]+//'
	h ip -o addr | sed 's/^[0-9]*: //; s/tentative *//'
	h ip route show table all
	h ip -6 route show table all
	h ip neigh show nud permanent
	h ip neigh show proxy
	h sysctl -a 2>/dev/null | grep -E 'conf\.(all|default|lo|up0)\.' | grep -vE 'forwarding|mc_forwarding|proxy_ndp|accept_ra |stable_secret'
	h nft -s list ruleset
}

@test "routed: both families, both ways, through the router's and the host's eyes" {
	attach if=0:routed:192.0.2.10,192.0.2.11,2001:db8::10
	from "$R" answers 192.0.2.10
	from "$R" answers 192.0.2.11
	from "$R" answers 2001:db8::10
	from "$V" answers 198.51.100.1
	from "$V" answers -I 192.0.2.11 198.51.100.1
	from "$V" answers 2001:db8:ffff::1
	from "$V" answers 192.0.2.2
	from "$V" answers 2001:db8::2
	from "$V" answers $GATEWAY4
	from "$H" answers 192.0.2.10
	from "$H" answers 2001:db8::10
	# The router believes that the host is the VE: the uplink answered for it.
	mac=$(h cat /sys/class/net/up0/address)
	r ip neigh show 192.0.2.10 | grep "lladdr $mac"
	r ip neigh show 2001:db8::10 | grep "lladdr $mac"
	# And for nobody else.
	from "$R" silent 192.0.2.99
	[ "$(h cat /proc/sys/net/ipv4/conf/up0/proxy_arp)" = 0 ]
	# The VE: its uplink's MTU, the fixed MAC, one default route a family.
	v ip -o link show eth0 | grep 'mtu 1400'
	v ip -o link show eth0 | grep 'link/ether 02:39:32:58:a2:a7'
	[ "$(v ip route | sort)" = "$(printf '%s \n' "$GATEWAY4 dev eth0 proto static scope link" "default via $GATEWAY4 dev eth0 proto static")" ]
	v ip -6 route show default | grep "^default via $GATEWAY6 dev eth0"
	# What the host itself sends to the VE comes from its own address, not from the gateway's.
	h ip route get 192.0.2.10 | grep 'src 192.0.2.2'
}

@test "routed: a whole prefix" {
	attach if=0:routed:2001:db8:5::1/64
	h ip -6 route | grep '^2001:db8:5::/64 dev vz5.0'
	v ip -6 -o addr show eth0 | grep '2001:db8:5::1/64'
	ip -n "$R" route add 2001:db8:5::/64 via 2001:db8::2
	from "$R" answers 2001:db8:5::1
}

@test "nat: reaches what the host reaches, under the host's address; the file is loaded once" {
	attach if=0:nat:10.77.0.1
	from "$V" answers 198.51.100.1
	from "$V" answers 192.0.2.2
	from "$H" answers 10.77.0.1
	[ -z "$(h ip neigh show proxy)" ]
	# The router has no way back to 10.77.0.0/16: without masquerading nothing comes back.
	h nft delete table ip vectl_nat
	from "$V" silent 198.51.100.1
	driver detach if=0:nat:10.77.0.1
	attach if=0:nat:10.77.0.1
	from "$V" answers 198.51.100.1
	driver detach if=0:nat:10.77.0.1
	# Loaded already: the file is not even looked for.
	attach data=/nonexistent if=0:nat:10.77.0.1
	driver detach if=0:nat:10.77.0.1
	# Another range: loaded anew.
	run attach range=10.78.0.0/24 data=/nonexistent if=0:nat:10.78.0.1
	[ "$status" = 66 ]
	attach range=10.78.0.0/24 if=0:nat:10.78.0.1
	h nft list set ip vectl_nat range | grep 'elements = { 10.78.0.0/24 }'
	from "$V" answers 198.51.100.1
}

@test "two VEs: nat reaches routed and keeps its address there" {
	ip netns add "$V"2
	attach id=5 if=0:nat:10.77.0.1
	driver attach "/run/netns/$V"2 id=6 if=0:routed:192.0.2.20
	from "$V" answers 192.0.2.20
	from "$V"2 answers 10.77.0.1
	ip netns del "$V"2
}

@test "no network: nothing at all happens" {
	before=$(inventory; h sysctl -a 2>/dev/null | grep forwarding)
	attach if=0:none
	[ "$before" = "$(inventory; h sysctl -a 2>/dev/null | grep forwarding)" ]
	driver detach if=0:none
	[ "$(v ip -o link | wc -l)" = 1 ]
}

@test "undo leaves links, addresses, routes, neighbours, proxies and settings as before" {
	attach if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1
	driver detach if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1
	before=$(inventory)
	driver undo "/run/netns/$V" if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1
	diff <(echo "$before") <(inventory)
}

@test "a failure half-way leaves nothing" {
	attach if=0:nat:10.77.0.1
	driver detach if=0:nat:10.77.0.1
	before=$(inventory)
	# The second interface's name is taken.
	h ip link add vz5.1 type bridge
	run attach if=0:routed:192.0.2.10 if=1:nat:10.77.0.1
	[ "$status" = 73 ]
	[[ "$output" == *"cannot make the interface 'vz5.1'"* ]]
	h ip link del vz5.1
	diff <(echo "$before") <(inventory)
	# A route to the address is somebody else's.
	h ip route add 192.0.2.11/32 via 192.0.2.1
	run attach if=0:routed:192.0.2.10,192.0.2.11
	[ "$status" = 73 ]
	[[ "$output" == *"cannot route 192.0.2.11 to 'vz5.0'"* ]]
	h ip route show | grep '192.0.2.11 via'
	h ip route del 192.0.2.11/32
	diff <(echo "$before") <(inventory)
}

@test "detach after the VE's death, after a change of uplink, and with nothing there" {
	attach if=0:routed:192.0.2.10,2001:db8::10
	driver detach if=0:routed:192.0.2.10,2001:db8::10
	before=$(inventory)
	attach if=0:routed:192.0.2.10,2001:db8::10
	ip netns del "$V"
	driver detach if=0:routed:192.0.2.10,2001:db8::10
	diff <(echo "$before") <(inventory)
	driver detach if=0:routed:192.0.2.10,2001:db8::10

	ip netns add "$V"
	attach if=0:routed:192.0.2.10,2001:db8::10
	h ip route del default
	h ip -6 route del default
	driver detach if=0:routed:192.0.2.10,2001:db8::10
	[ -z "$(h ip neigh show proxy)" ]
	[ -z "$(h ip -o link show type veth | grep vz)" ]
}

@test "change: adds, removes, and keeps an open connection" {
	attach if=0:routed:192.0.2.10,192.0.2.11
	ip netns exec "$V" busybox nc -ll -p 7 -e /bin/cat 3>&- & # no function: $! is to be its pid
	SERVER_PID=$!
	from "$R" answers 192.0.2.10
	cat >"$BATS_TEST_TMPDIR/client" <<-'EOF'
		until { exec 4<>/dev/tcp/192.0.2.10/7; } 2>/dev/null; do # it may not listen yet
			((SECONDS < 20)) || exit 9
		done
		echo one >&4; read -r -t 5 x <&4; [ "$x" = one ] || exit 1
		"$@" || exit 2
		echo two >&4; read -r -t 5 x <&4; [ "$x" = two ] || exit 3
	EOF
	r bash "$BATS_TEST_TMPDIR/client" ip netns exec "$H" "$DRIVER" change "/run/netns/$V" \
		if=0:routed:192.0.2.10,192.0.2.11 -- if=0:routed:192.0.2.10,192.0.2.12,2001:db8::10
	from "$R" answers 192.0.2.12
	from "$R" answers 2001:db8::10
	from "$V" answers 2001:db8:ffff::1
	from "$R" silent 192.0.2.11
	[ -z "$(h ip route show 192.0.2.11; h ip neigh show 192.0.2.11; h ip neigh show proxy | grep -w 192.0.2.11)" ]
	[ "$(v ip -o -4 addr show eth0 | grep -c inet)" = 2 ]
	# All of one family away, all replaced, another prefix of the same address.
	driver change "/run/netns/$V" if=0:routed:192.0.2.10,192.0.2.12,2001:db8::10 -- if=0:routed:192.0.2.30
	[ -z "$(v ip -6 route show default)" ]
	from "$R" answers 192.0.2.30
	from "$V" answers 198.51.100.1
	driver change "/run/netns/$V" if=0:routed:192.0.2.30 -- if=0:routed:192.0.2.30,2001:db8:5::1
	driver change "/run/netns/$V" if=0:routed:192.0.2.30,2001:db8:5::1 -- if=0:routed:192.0.2.30,2001:db8:5::1/64
	v ip -6 -o addr show eth0 | grep '2001:db8:5::1/64'
	h ip -6 route | grep '^2001:db8:5::/64 dev vz5.0'
	from "$H" answers 2001:db8:5::1
	# None at all, and back.
	driver change "/run/netns/$V" if=0:routed:192.0.2.30,2001:db8:5::1/64 -- if=0:routed:
	driver change "/run/netns/$V" if=0:routed: -- if=0:routed:192.0.2.30
	from "$V" answers 198.51.100.1
	driver detach if=0:routed:192.0.2.30
	[ -z "$(h ip neigh show proxy)" ]
}

@test "change: what cannot be added leaves what was" {
	attach if=0:routed:192.0.2.10
	before=$(inventory)
	h ip route add 192.0.2.12/32 via 192.0.2.1
	run driver change "/run/netns/$V" if=0:routed:192.0.2.10 -- if=0:routed:192.0.2.13,192.0.2.12
	[ "$status" = 73 ]
	h ip route show | grep '192.0.2.12 via'
	h ip route del 192.0.2.12/32
	diff <(echo "$before") <(inventory)
	from "$R" answers 192.0.2.10
	[ "$(v ip -o -4 addr show eth0 | grep -c inet)" = 1 ]
	# The VE's root has thrown its interface away.
	v ip link del eth0
	run driver change "/run/netns/$V" if=0:routed:192.0.2.10 -- if=0:routed:192.0.2.13
	[ "$status" = 79 ]
	[[ "$output" == *"vz5.0' is gone"* ]]
	# Not an address.
	run driver change "/run/netns/$V" if=0:routed:192.0.2.10 -- if=0:nat:192.0.2.10
	[ "$status" = 79 ]
}

@test "check: addresses that are the host's, uplinks that are not, ranges that collide" {
	run driver check if=0:routed:192.0.2.2
	[ "$status" = 73 ]
	[[ "$output" == *"192.0.2.2 is taken: it is the host's own"* ]]
	run driver check if=0:routed:2001:db8::2
	[ "$status" = 73 ]
	run driver check if=0:routed:192.0.2.255
	[ "$status" = 78 ]
	run driver check if=0:routed:192.0.2.10/24
	[ "$status" = 78 ]
	[[ "$output" == *"host's own address 192.0.2.2 is in it"* ]]
	[[ "$output" == *"write 192.0.2.10" ]]
	run driver check uplink=nosuch0 if=0:routed:192.0.2.10
	[ "$status" = 78 ]
	[[ "$output" == *"the uplink 'nosuch0' does not exist"* ]]
	run driver check range=192.0.2.128/25 if=0:nat:192.0.2.130
	[ "$status" = 78 ]
	[[ "$output" == *"overlaps a network that the host is in"* ]]
	run driver check range=10.77.0.1/16 if=0:nat:10.77.0.1
	[ "$status" = 78 ]
	run driver check data=/nonexistent if=0:nat:10.77.0.1
	[ "$status" = 66 ]
	driver check uplink=up0 if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1
	[ -z "$(h nft list ruleset)" ]
	[ "$(h cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
}

@test "a firewall file that nft refuses is quoted, and nothing is left" {
	h sysctl -qw net.ipv4.ip_forward=1
	before=$(inventory)
	mkdir "$BATS_TEST_TMPDIR/nft"
	echo 'table inet vectl { nonsense }' >"$BATS_TEST_TMPDIR/nft/vectl.nft"
	run attach data="$BATS_TEST_TMPDIR" if=0:routed:192.0.2.10
	[ "$status" = 71 ]
	[[ "$output" == *"could not load '$BATS_TEST_TMPDIR/nft/vectl.nft' (status 1): "*"rror"* ]]
	diff <(echo "$before") <(inventory)
}

@test "an interface that a killed start has left is in nobody's way; one of somebody else's is" {
	attach if=0:routed:192.0.2.10
	ip netns add "$V-again"
	driver attach "/run/netns/$V-again" if=0:routed:192.0.2.10
	from "$V-again" answers 192.0.2.1
	ip netns del "$V-again"
	# (The kernel takes its time for that; or not.)
	attach if=0:routed:192.0.2.10
	from "$V" answers 192.0.2.1
	driver detach if=0:routed:192.0.2.10
	h ip link add vz5.0 type veth peer name other
	if attach if=0:routed:192.0.2.10 2>"$BATS_TEST_TMPDIR/stderr"; then false; fi
	grep "'vz5.0': File exists" "$BATS_TEST_TMPDIR/stderr"
	h ip link show other
}

@test "a host without a default route: host and VE reach one another, nothing is answered for" {
	h ip route del default
	h ip -6 route del default
	attach if=0:routed:192.0.2.10,2001:db8:7::10
	from "$H" answers 192.0.2.10
	from "$V" answers 192.0.2.2
	from "$H" answers 2001:db8:7::10
	[ -z "$(h ip neigh show proxy)" ]
	driver detach if=0:routed:192.0.2.10,2001:db8:7::10
	# A named uplink needs no default route.
	attach uplink=up0 if=0:routed:192.0.2.10
	from "$R" answers 192.0.2.10
	driver detach if=0:routed:192.0.2.10
	# No other address at all.
	h ip addr flush dev up0
	attach if=0:nat:10.77.0.1
	from "$H" answers 10.77.0.1
	from "$V" answers $GATEWAY4
}

@test "the uplink is the default route's, also where a VPN covers both halves, and the best of several" {
	h ip link add tun1 type veth peer name tun2
	h ip link set tun1 up
	h ip addr add 172.16.0.1/24 dev tun1
	h ip route add 0.0.0.0/1 dev tun1
	h ip route add 128.0.0.0/1 dev tun1
	h ip route add default dev tun1 metric 500
	driver host-check | grep '^yes uplink: IPv4: up0, IPv6: up0$'
	h ip route add default metric 900 nexthop via 172.16.0.2 dev tun1 nexthop via 172.16.0.3 dev tun1
	h ip route del default via 192.0.2.1
	driver host-check | grep '^yes uplink: IPv4: tun1, IPv6: up0$'
	h ip -6 route del default
	h ip -6 route add unreachable default
	driver host-check | grep '^yes uplink: IPv4: tun1, IPv6: none$'
}

# The host has its default route from what the router has said, and not from us.
learned() { h ip -6 route show default proto ra | grep -q "via $ROUTER dev up0"; }
# The router says that it is one, for half an hour, until the host knows it: a frame that is lost is sent again.
advertised() {
	local deadline=$((SECONDS + 10))
	ROUTER=fe80::1
	until learned; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		r "$FRAMES" send r0 "ra,dst=33:33:00:00:00:01,sip=$ROUTER,dip=ff02::1"
		read -rt 0.02 <> <(:) || true
	done
}

@test "forwarding IPv6 does not cost the host its own router" {
	h ip -6 route del default
	h sysctl -qw net.ipv6.conf.up0.accept_ra=1
	advertised
	attach if=0:nat:10.77.0.1
	[ "$(h cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	[ "$(h cat /proc/sys/net/ipv6/conf/all/forwarding)" = 0 ] # IPv4 alone needs none
	[ "$(h cat /proc/sys/net/ipv6/conf/up0/accept_ra)" = 1 ]
	driver detach if=0:nat:10.77.0.1
	attach if=0:routed:2001:db8::10
	[ "$(h cat /proc/sys/net/ipv6/conf/all/forwarding)" = 1 ]
	[ "$(h cat /proc/sys/net/ipv6/conf/up0/accept_ra)" = 2 ]
	learned
	# Further ones are still listened to: one that is gone comes back with the next.
	h ip -6 route del default
	advertised
	driver detach if=0:routed:2001:db8::10
	# A daemon that reads the advertisements itself has set 0.
	h sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.up0.accept_ra=0
	attach if=0:routed:2001:db8::10
	[ "$(h cat /proc/sys/net/ipv6/conf/up0/accept_ra)" = 0 ]
}

@test "the VE's root: forged sources, router advertisements, ARP for the host's other addresses" {
	attach if=0:routed:192.0.2.10,2001:db8::10
	ip -n "$V" addr add 192.0.2.77/32 dev eth0
	r nft 'table ip seen { chain input { type filter hook input priority 0; ip saddr 192.0.2.77 counter; ip saddr 192.0.2.10 counter; }; }'
	from "$V" silent -I 192.0.2.77 198.51.100.1
	from "$V" answers -I 192.0.2.10 198.51.100.1
	r nft list table ip seen | grep '192.0.2.77 counter packets 0 '
	r nft list table ip seen | grep '192.0.2.10 counter packets 1 '
	[ "$(h cat /proc/sys/net/ipv6/conf/vz5.0/accept_ra)" = 0 ]
	[ "$(h cat /proc/sys/net/ipv6/conf/vz5.0/forwarding)" = 1 ]
	[ "$(h cat /proc/sys/net/ipv4/conf/vz5.0/accept_redirects)" = 0 ]
	ip -n "$V" route add 192.0.2.2/32 dev eth0
	from "$V" silent 192.0.2.2
	v ip neigh show 192.0.2.2 | grep -E 'FAILED|INCOMPLETE'
	# Another MAC does not move the address away from where the host knows it.
	[ "$(h ip -o neigh show dev vz5.0 nud permanent | wc -l)" = 2 ]
	driver detach if=0:routed:192.0.2.10,2001:db8::10
	# Without IPv6 addresses the host's end has none, and hears nothing that is said in it.
	ip netns del "$V" && ip netns add "$V"
	attach if=0:routed:192.0.2.10
	[ -z "$(h ip -6 -o addr show dev vz5.0)" ]
	[ "$(h cat /proc/sys/net/ipv6/conf/vz5.0/accept_ra)" = 0 ]
	ip -n "$V" addr add 2001:db8::66/128 dev eth0 nodad
	ip -n "$V" -6 route add default dev eth0
	h nft 'table ip6 seen { chain input { type filter hook input priority 0; iifname vz5.0 counter; }; chain forward { type filter hook forward priority 0; iifname vz5.0 counter; }; }'
	from "$V" silent ff02::1%eth0
	from "$V" silent -I 2001:db8::66 2001:db8::1
	[ "$(h nft list table ip6 seen | grep -c 'counter packets 0 ')" = 2 ]
}

@test "several interfaces: the lowest label has the default route, each address answers" {
	attach if=1:nat:10.77.0.1 if=0:routed:192.0.2.10
	v ip route show default | head -1 | grep 'dev eth0'
	from "$R" answers 192.0.2.10
	from "$H" answers 10.77.0.1
	from "$V" answers 198.51.100.1
	driver detach if=1:nat:10.77.0.1 if=0:routed:192.0.2.10
	[ -z "$(h ip -o link | grep vz)" ]
}

@test "host-check names the chain that blocks forwarding, until it knows the VEs' interfaces" {
	driver host-check | grep '^yes forward-policy: '
	# Modules that nobody has asked for yet are the kernel's affair.
	run driver host-check
	[ -z "$(grep '^no ' <<<"$output" | grep -v '; not loaded: ')" ] || { echo "$output"; return 1; }
	h nft add table ip filter
	h nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'
	h nft add chain ip filter INPUT '{ type filter hook input priority 0; policy drop; }'
	h nft add table inet other
	h nft add chain inet other passing '{ type filter hook forward priority 10; policy accept; }'
	run driver host-check
	[[ "$output" == *"no forward-policy: the chain 'FORWARD' of the table 'ip filter' drops forwarded IPv4 packets"* ]]
	[ "$(grep -c forward-policy <<<"$output")" = 1 ]
	# The hint, as typed, mends it.
	attach if=0:routed:192.0.2.10
	from "$R" silent 192.0.2.10
	hint=$(grep forward-policy <<<"$output" | sed 's/.*interfaces: //')
	h bash -c "$hint"
	driver host-check | grep "^yes forward-policy: the chain 'FORWARD'"
	from "$R" answers 192.0.2.10
}

@test "host-check names the policy of iptables-legacy, which nft does not show, until it knows the VEs' interfaces" {
	# Asking does not make the tables.
	driver host-check | grep '^yes forward-policy: no other firewall'
	[ -z "$(h cat /proc/net/ip_tables_names)" ]
	h iptables-legacy -A FORWARD -i docker0 -j ACCEPT
	driver host-check | grep '^yes forward-policy: no other firewall'
	h iptables-legacy -P FORWARD DROP
	h ip6tables-legacy -P FORWARD DROP
	run driver host-check
	[[ "$output" == *"no forward-policy: the chain 'FORWARD' of the table 'ip filter' (iptables-legacy) drops forwarded IPv4 packets"* ]]
	[[ "$output" == *"no forward-policy: the chain 'FORWARD' of the table 'ip6 filter' (iptables-legacy) drops forwarded IPv6 packets"* ]]
	# The hints, as typed, mend it.
	attach if=0:routed:192.0.2.10,2001:db8::10
	from "$R" silent 192.0.2.10
	from "$R" silent 2001:db8::10
	while read -r hint; do h bash -c "$hint"; done < <(sed -n 's/.*interfaces: //p' <<<"$output")
	[ "$(driver host-check | grep -c "^yes forward-policy: the chain 'FORWARD'")" = 2 ]
	from "$R" answers 192.0.2.10
	from "$R" answers 2001:db8::10
}

@test "a hundred addresses" {
	list=$(printf '192.0.2.%d,' $(seq 100 150))
	list6=$(printf '2001:db8::%x,' $(seq 256 266))
	attach "if=0:routed:$list$list6"
	[ "$(h ip neigh show proxy | wc -l)" = 62 ]
	from "$R" answers 192.0.2.150
	from "$R" answers 2001:db8::10a
	driver detach "if=0:routed:$list$list6"
	[ -z "$(h ip neigh show proxy)" ]
}
