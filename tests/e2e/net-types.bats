#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The network room alone (net_driver): bridges, port forwards, and what happens to VEs when somebody empties the host's firewall.
# The namespaces are those of net.bats: $R the router, $H the host, $V and $W two VEs.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	DRIVER=$(realpath "${O:-build}/tests/e2e/net_driver")
	[ -x "$DRIVER" ] # built with the tests; its lack is a failure
	P=vy$$-$BATS_TEST_NUMBER H=$P-h R=$P-r V=$P-v W=$P-w
	for n in "$H" "$R" "$V" "$W"; do
		ip netns add "$n"
		ip -n "$n" link set lo up
	done
	ip -n "$H" link add up0 type veth peer name r0 netns "$R"
	ip -n "$H" link set up0 addrgenmode none
	ip -n "$H" link set up0 up
	ip -n "$R" link set r0 up
	ip -n "$H" addr add 192.0.2.2/24 broadcast + dev up0
	ip -n "$H" addr add 2001:db8::2/64 dev up0 nodad
	ip -n "$R" addr add 192.0.2.1/24 dev r0
	ip -n "$R" addr add 2001:db8::1/64 dev r0 nodad
	ip -n "$R" addr add 198.51.100.1/32 dev lo
	ip -n "$H" route add default via 192.0.2.1
	ip -n "$H" route add default via 2001:db8::1
	PIDS=()
}

teardown() {
	for p in "${PIDS[@]}"; do kill "$p" 2>/dev/null || true; done
	for n in "$H" "$R" "$V" "$W"; do ip netns del "$n" 2>/dev/null || true; done
}

h() { ip netns exec "$H" "$@"; }
driver() { h "$DRIVER" "$@"; }
attach() { driver attach "/run/netns/$V" "$@"; }
answers() { ping -n -q -c 1 -w 5 "$@" >/dev/null; }
silent() { ! ping -n -q -c 1 -W 0.3 "$@" >/dev/null; }
export -f answers silent
from() { local ns=$1; shift; ip netns exec "$ns" bash -c '"$@"' - "$@"; }
# serve NS PORT TEXT: says TEXT to whoever connects.
serve() {
	ip netns exec "$1" socat "TCP-LISTEN:$2,fork,reuseaddr" "SYSTEM:echo $3" 3>&- &
	PIDS+=($!)
	local deadline=$((SECONDS + 10))
	until ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q LISTEN; do [ "$SECONDS" -lt "$deadline" ] || return 1; read -rt 0.02 <> <(:) || true; done
}
says() { [ "$(ip netns exec "$1" timeout 5 socat -u "TCP:$2,connect-timeout=2" - </dev/null)" = "$3" ]; }
W6=mac=02:00:00:00:00:06

@test "bridged: vectl0 is made for the first VE and goes with the last" {
	attach if=0:bridged:192.0.2.10/24,2001:db8::10/64 gw=192.0.2.1 gw=2001:db8::1
	driver attach "/run/netns/$W" id=6 if=0:bridged:192.0.2.11/24 $W6
	from "$V" answers 192.0.2.11
	ip -n "$V" route show default | grep 'via 192.0.2.1 dev eth0'
	ip -n "$V" -6 route show default | grep 'via 2001:db8::1 dev eth0'
	# No address of the host's on the port, and nothing is learned there.
	[ -z "$(ip -n "$H" -o addr show dev vz5.0)" ]
	bridge -n "$H" -d link show dev vz5.0 | grep 'guard on.*learning off flood off'
	# The host's uplink in it: the world is there.
	ip -n "$H" link set up0 master vectl0
	from "$V" answers 192.0.2.1
	from "$V" answers 198.51.100.1
	from "$R" answers 2001:db8::10
	ip -n "$H" link set up0 nomaster
	driver detach if=0:bridged:192.0.2.10/24,2001:db8::10/64
	ip -n "$H" link show vectl0
	driver detach id=6 if=0:bridged:192.0.2.11/24 $W6
	[ -z "$(ip -n "$H" -o link | grep -E 'vectl0|vz')" ]
	# One that the admin has made stays.
	ip -n "$H" link add vectl0 type bridge
	ip netns del "$V" && ip netns add "$V"
	attach if=0:bridged:192.0.2.10/24
	driver detach if=0:bridged:192.0.2.10/24
	ip -n "$H" link show vectl0
}

@test "bridged: a bridge of the host's; live changes; what cannot be" {
	run driver check if=0:bridged:192.0.2.10/24 bridge=br7
	[ "$status" = 78 ]
	[[ "$output" == *"the bridge 'br7' does not exist"* ]]
	run driver check if=0:bridged:192.0.2.10/24 bridge=up0
	[ "$status" = 78 ]
	[[ "$output" == *"'up0' is no bridge"* ]]
	run driver check if=0:bridged:192.0.2.10/24 bridge=abcdefghijklmnop
	[ "$status" = 78 ]
	ip -n "$H" link add br7 type bridge
	ip -n "$H" link set br7 up
	ip -n "$H" link set up0 master br7
	attach if=0:bridged:192.0.2.10/24 bridge=br7
	from "$V" answers 192.0.2.1
	# The same MAC a second time: nobody's traffic is drawn away.
	run driver attach "/run/netns/$W" id=6 if=0:bridged:192.0.2.11/24 bridge=br7
	[ "$status" = 73 ]
	[ -z "$(ip -n "$H" -o link | grep vz6)" ]
	[ -z "$(h nft list ruleset | grep vz6)" ]
	driver change "/run/netns/$V" if=0:bridged:192.0.2.10/24 bridge=br7 -- if=0:bridged:192.0.2.12/24 bridge=br7
	from "$R" answers 192.0.2.12
	from "$R" silent 192.0.2.10
	[ -z "$(h nft list ruleset | grep 192.0.2.10)" ]
	driver detach if=0:bridged:192.0.2.12/24 bridge=br7
	ip -n "$H" link show br7
	[ -z "$(h nft list ruleset | grep vz5)" ]
}

@test "bridged: a VLAN, or a plain word that the kernel or the bridge has none" {
	ip -n "$H" link add br7 type bridge
	run driver check if=0:bridged:192.0.2.10/24 bridge=br7 vlan=7
	[ "$status" = 78 ]
	[[ "$output" == *"filters no VLANs"* ]]
	run attach if=0:bridged:192.0.2.10/24 vlan=7
	if [ "$status" = 69 ]; then # this kernel
		[[ "$output" == *"the kernel knows no VLAN filtering in bridges"* ]]
		[ -z "$(ip -n "$H" -o link | grep -E 'vectl0|vz')" ]
		return 0
	fi
	[ "$status" = 0 ]
	driver attach "/run/netns/$W" id=6 if=0:bridged:192.0.2.11/24 vlan=8 $W6
	from "$V" silent 192.0.2.11
	driver detach id=6 if=0:bridged:192.0.2.11/24 vlan=8 $W6
	ip netns del "$W" && ip netns add "$W"
	driver attach "/run/netns/$W" id=6 if=0:bridged:192.0.2.11/24 vlan=7 $W6
	from "$V" answers 192.0.2.11
}

@test "forwards: from the world, from the host, from another VE, from the VE itself" {
	attach if=0:nat:10.77.0.1 forward=tcp:8080:80 forward=tcp:9000-9002:7000
	driver attach "/run/netns/$W" id=6 if=0:nat:10.77.0.2 $W6
	serve "$V" 80 web
	serve "$V" 7002 third
	says "$R" 192.0.2.2:8080 web
	says "$R" 192.0.2.2:9002 third
	says "$H" 192.0.2.2:8080 web
	says "$W" 192.0.2.2:8080 web
	says "$V" 192.0.2.2:8080 web
	! says "$R" 192.0.2.2:80 web
	# Whoever is only passing through is not led away.
	serve "$R" 8080 router
	says "$V" 198.51.100.1:8080 router
	driver detach if=0:nat:10.77.0.1 forward=tcp:8080:80 forward=tcp:9000-9002:7000
	[ -z "$(h nft list table ip vectl_nat | grep -E '8080|10.77.0.1 ')" ]
}

@test "forwards: live; what stays is not touched; a port that the host uses" {
	attach if=0:nat:10.77.0.1 forward=tcp:8080:80 forward=udp:53:53
	serve "$V" 80 web
	serve "$V" 81 other
	driver change "/run/netns/$V" if=0:nat:10.77.0.1 forward=tcp:8080:80 forward=udp:53:53 -- \
		if=0:nat:10.77.0.1 forward=tcp:8081:80 forward=tcp:8080:81
	says "$R" 192.0.2.2:8081 web
	says "$R" 192.0.2.2:8080 other
	[ -z "$(h nft list map ip vectl_nat forwards | grep udp)" ]
	driver change "/run/netns/$V" if=0:nat:10.77.0.1 forward=tcp:8081:80 forward=tcp:8080:81 -- if=0:nat:10.77.0.1
	[ -z "$(h nft list table ip vectl_nat | grep elements | grep -v 10.77.0.0/16)" ]
	serve "$H" 2222 host
	run driver check if=0:nat:10.77.0.1 forward=tcp:2000-2999:1
	[ "$status" = 73 ]
	[[ "$output" == *"the port tcp 2222 of the host is taken"* ]]
	driver check if=0:nat:10.77.0.1 forward=udp:2222:1
}

@test "nft flush ruleset: noticed, and healed; elements, counters and rules of others stay" {
	attach if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80
	h nft add table inet others
	driver host-check | grep '^yes firewall-rules: loaded, 2 interfaces'
	[ "$(driver heal if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80)" = whole ]
	before=$(h nft -s list ruleset | sed 's|/[0-9a-f]*"||')
	h nft flush ruleset
	driver host-check | grep '^no firewall-rules: .*missing.*recover'
	h nft add table inet others
	[ "$(driver heal if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80)" = mended ]
	diff <(sort <<<"$before") <(h nft -s list ruleset | sed 's|/[0-9a-f]*"||' | sort)
	from "$R" answers 192.0.2.10
	from "$V" answers 198.51.100.1
	driver host-check | grep '^yes firewall-rules: '
	# A chain that somebody has emptied; counters go on.
	counted() { h nft list counter inet vectl vz5.0_out4 | grep -o 'packets [0-9]*' | grep -o '[0-9]*$'; }
	local n
	n=$(counted)
	[ "$n" -gt 0 ]
	h nft flush chain inet vectl ve_in
	driver host-check | grep '^no firewall-rules: '
	[ "$(driver heal if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80)" = mended ]
	[ "$(counted)" -ge "$n" ]
	# One element.
	h nft flush map inet vectl own4
	from "$V" silent 198.51.100.1
	[ "$(driver heal if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80)" = mended ]
	from "$V" answers 198.51.100.1
	[ "$(driver heal if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80)" = whole ]
}

# What somebody takes away with COMMAND... is named (PATTERN), put back as it was, and then nothing is missing.
taken_away() {
	local pattern=$1
	shift
	"$@"
	driver look "${PLAN[@]}" | grep -qE "$pattern" || { echo "not named after '$*': $(driver look "${PLAN[@]}")"; return 1; }
	[ "$(driver heal "${PLAN[@]}")" = mended ]
	[ "$(driver look "${PLAN[@]}")" = whole ]
	[ "$(driver heal "${PLAN[@]}")" = whole ]
	all_there >"$BATS_TEST_TMPDIR/now"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/now"
}
# Counters' numbers and the marks of when they were made are theirs; elements are listed in no order.
all_there() {
	h nft -s list ruleset | sed -E 's|/[0-9a-f]*"||; s/[ ,{}]+/\n/g' | sort
	ip -n "$H" route show table main | sort
	ip -n "$H" neigh show nud permanent | sort
	ip -n "$H" neigh show proxy | sort
	ip -n "$H" -6 neigh show proxy | sort
}

@test "one element, one set, one chain's rules, one route, neighbour or proxy: each is named, and put back" {
	PLAN=(if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80)
	attach "${PLAN[@]}"
	[ "$(driver look "${PLAN[@]}")" = whole ]
	all_there >"$BATS_TEST_TMPDIR/before"
	local mac
	mac=$(ip netns exec "$V" cat /sys/class/net/eth0/address)
	taken_away "'nd6' of the nftables table 'vectl'" h nft flush set inet vectl nd6
	taken_away "'ndmac'" h nft flush set inet vectl ndmac
	taken_away "'ve4'" h nft flush set arp vectl ve4
	taken_away "'own4'" h nft delete element inet vectl own4 "{ \"vz5.0\" . $mac . 192.0.2.10 }"
	taken_away "'received6'" h nft flush map inet vectl received6
	taken_away "'forwards' of the nftables table 'vectl_nat'" h nft flush map ip vectl_nat forwards
	taken_away "'hairpin'" h nft flush set ip vectl_nat hairpin
	# One that leads elsewhere.
	elsewhere() {
		h nft delete element ip vectl_nat forwards '{ tcp . 8080 }'
		h nft add element ip vectl_nat forwards '{ tcp . 8080 : 10.77.0.9 . 81 }'
	}
	taken_away "'forwards'" elsewhere
	taken_away 'the route to 192.0.2.10' ip -n "$H" route del 192.0.2.10
	taken_away 'the route to 2001:db8::10' ip -n "$H" route del 2001:db8::10
	taken_away 'the route to 10.77.0.1' ip -n "$H" route replace 10.77.0.1 dev up0
	taken_away 'the fixed neighbour 192.0.2.10' ip -n "$H" neigh del 192.0.2.10 dev vz5.0
	taken_away 'the fixed neighbour 192.0.2.10' ip -n "$H" neigh replace 192.0.2.10 lladdr 02:66:66:66:66:66 dev vz5.0
	taken_away "the answer for 192.0.2.10 on the uplink 'up0'" ip -n "$H" neigh del proxy 192.0.2.10 dev up0
	taken_away "the answer for 2001:db8::10 on the uplink 'up0'" ip -n "$H" neigh del proxy 2001:db8::10 dev up0
	from "$R" answers 192.0.2.10
	# What the VE's root throws away is no fault of the host's.
	ip -n "$V" link del eth0
	[ "$(driver look "${PLAN[@]}")" = whole ]
}

@test "a port that somebody takes out of its bridge is put back, and vectl0 with it" {
	PLAN=(if=0:bridged:192.0.2.10/24,2001:db8::10/64)
	attach "${PLAN[@]}"
	all_there >"$BATS_TEST_TMPDIR/before"
	taken_away "'vea'" h nft flush set bridge vectl vea
	taken_away "'nd6'" h nft flush set bridge vectl nd6
	taken_away "its place in the bridge 'vectl0'" ip -n "$H" link set vz5.0 nomaster
	ip -n "$H" link set up0 master vectl0
	from "$R" answers 192.0.2.10
	ip -n "$H" link set up0 nomaster
	taken_away "the bridge 'vectl0'" ip -n "$H" link del vectl0
	bridge -n "$H" -d link show dev vz5.0 | grep 'guard on.*learning off flood off'
	ip -n "$H" link set up0 master vectl0
	from "$R" answers 192.0.2.10
}

@test "rules that are not those of the file: taken out, added, changed, or of an older file; elements and counters stay" {
	PLAN=(if=0:routed:192.0.2.10,2001:db8::10 if=1:nat:10.77.0.1 forward=tcp:8080:80)
	attach "${PLAN[@]}"
	all_there >"$BATS_TEST_TMPDIR/before"
	handle_of() { h nft -a list chain "${@:2}" | sed -n "/$1/s/.*# handle //p" | head -1; }
	differs() {
		"$@"
		driver host-check | grep "^no firewall-rules: .*chains are not as the installed files have them; one is .*vectl recover" || return 1
		[ "$(driver heal "${PLAN[@]}")" = mended ]
		driver host-check | grep '^yes firewall-rules: loaded'
		all_there >"$BATS_TEST_TMPDIR/now"
		diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/now"
	}
	differs h nft delete rule inet vectl ve_in handle "$(handle_of 'udp sport 67' inet vectl ve_in)"
	differs h nft insert rule inet vectl ve_in accept
	differs h nft replace rule inet vectl ve_nd handle "$(handle_of 'hoplimit' inet vectl ve_nd)" ip6 hoplimit != 254 counter drop
	# An anonymous set with another element.
	differs h nft replace rule inet vectl ve_in6 handle "$(handle_of 'nexthdr' inet vectl ve_in6)" \
		ip6 nexthdr != '{ 6, 17, 58, 0 }' jump ve_ext
	differs h nft flush chain bridge vectl account
	differs h nft flush chain arp vectl antispoof
	differs h nft flush chain ip vectl_nat postrouting
	gone() {
		h nft flush chain inet vectl antispoof
		h nft delete chain inet vectl antispoof
	}
	gone
	driver host-check | grep '^no firewall-rules: .*missing.*recover'
	[ "$(driver heal "${PLAN[@]}")" = mended ]
	driver host-check | grep '^yes firewall-rules: loaded'
	from "$V" answers 198.51.100.1
	# Tables and chains of others, and what counts, are nobody's fault.
	h nft add chain inet vectl others
	h nft add table inet others
	driver host-check | grep '^yes firewall-rules: loaded'
	# A file that was edited: said until it is loaded, by hand or by recover.
	cp -r templates "$BATS_TEST_TMPDIR/edited"
	sed -i 's/udp sport 547 counter drop/udp sport 547 drop/' "$BATS_TEST_TMPDIR/edited/nft/vectl.nft"
	[ "$(driver heal data="$BATS_TEST_TMPDIR/edited" "${PLAN[@]}")" = mended ]
	driver host-check | grep '^no firewall-rules: .*not as the installed'
	h nft -f templates/nft/vectl.nft
	driver host-check | grep '^yes firewall-rules: loaded'
}

# Everything that a change of the VE in $V can touch.
of_the_ve() {
	all_there
	ip -n "$H" -o link | sed -E 's/^[0-9]+: ([^ @:]*).*/link \1/' | sort
	ip netns exec "$H" tc qdisc show | grep -v noqueue | sed -E 's/ (refcnt|lat|burst) [^ ]*//g' | sort
	ip -n "$V" -o addr show scope global | sed 's/^[0-9]*: //' | sort
	{ ip -n "$V" route show && ip -n "$V" -6 route show; } | sort
}
# change_fails_everywhere FROM -- TO: each message to the kernel fails in turn, as on a host out of memory; what the
# change leaves is what was, or, where it did without that message, all that was asked for.
change_fails_everywhere() {
	local from=() n=0 failed=0 log=$BATS_TEST_TMPDIR/log
	while [ "$1" != -- ]; do
		from+=("$1")
		shift
	done
	shift
	attach "${from[@]}"
	# What comes with the first and stays is there.
	driver change "/run/netns/$V" "${from[@]}" -- "$@"
	driver change "/run/netns/$V" "$@" -- "${from[@]}"
	of_the_ve >"$BATS_TEST_TMPDIR/old"
	driver change "/run/netns/$V" "${from[@]}" -- "$@"
	of_the_ve >"$BATS_TEST_TMPDIR/new"
	driver change "/run/netns/$V" "$@" -- "${from[@]}"
	of_the_ve | diff "$BATS_TEST_TMPDIR/old" -
	while [ "$n" -lt 200 ]; do
		n=$((n + 1))
		# LeakSanitizer is a tracer itself, and cannot look where another one is.
		if h env ASAN_OPTIONS=detect_leaks=0 strace -o "$log" -e trace=sendto -e inject=sendto:error=ENOBUFS:when="$n" \
			"$DRIVER" change "/run/netns/$V" "${from[@]}" -- "$@" 2>"$BATS_TEST_TMPDIR/stderr"; then
			of_the_ve | diff "$BATS_TEST_TMPDIR/new" - || { echo "message $n, done without"; return 1; }
			grep -q INJECTED "$log" || break
			driver change "/run/netns/$V" "$@" -- "${from[@]}"
		else
			failed=$((failed + 1))
			grep -q INJECTED "$log" || { cat "$BATS_TEST_TMPDIR/stderr"; return 1; }
			of_the_ve | diff "$BATS_TEST_TMPDIR/old" - || { echo "message $n"; return 1; }
		fi
	done
	[ "$failed" -ge 8 ]
	[ "$n" -lt 200 ]
}

@test "a change that fails, at whichever message to the kernel, leaves addresses, rates, forwards and elements as they were" {
	change_fails_everywhere if=0:routed:192.0.2.10,2001:db8::10 rate_in=20000000 if=1:nat:10.77.0.1 forward=tcp:8080:80 -- \
		if=0:routed:192.0.2.11,192.0.2.10 rate_in=30000000 rate_out=5000000 if=1:nat:10.77.0.1 forward=tcp:8081:80
}

@test "the same for an interface that is bridged, and cut off by the change" {
	change_fails_everywhere if=0:bridged:192.0.2.10/24 gw=192.0.2.1 -- \
		if=0:bridged:192.0.2.11/24,2001:db8::11/64 gw=192.0.2.1 gw=2001:db8::1 blocked=1
}

@test "an uplink that goes away and comes back: the VE and the host reach one another meanwhile, heal makes the answers anew" {
	attach if=0:routed:192.0.2.10
	ip -n "$R" link del r0
	from "$V" answers 169.254.1.6 # the next hop of the VE with the number 5
	driver host-check | grep '^no uplink: '
	driver heal if=0:routed:192.0.2.10
	ip -n "$H" link add up0 type veth peer name r0 netns "$R"
	ip -n "$H" link set up0 up
	ip -n "$R" link set r0 up
	ip -n "$H" addr add 192.0.2.2/24 dev up0
	ip -n "$R" addr add 192.0.2.1/24 dev r0
	ip -n "$H" route add default via 192.0.2.1
	from "$R" silent 192.0.2.10
	driver heal if=0:routed:192.0.2.10
	ip -n "$R" neigh flush dev r0
	from "$R" answers 192.0.2.10
	from "$V" answers 192.0.2.1
}

@test "the default route moves to another uplink: heal moves the answers, and none stays behind the VE" {
	attach if=0:routed:192.0.2.10,2001:db8::10
	ip -n "$H" link add up1 type veth peer name r1 netns "$R"
	ip -n "$H" link set up1 up
	ip -n "$R" link set r1 up
	ip -n "$H" addr add 192.0.3.2/24 dev up1
	ip -n "$R" addr add 192.0.3.1/24 dev r1
	h ip route replace default via 192.0.3.1
	[ "$(driver heal if=0:routed:192.0.2.10,2001:db8::10)" = mended ]
	[ "$(h ip neigh show proxy | awk '{ print $1, $3 }' | sort | paste -sd,)" = '192.0.2.10 up1,2001:db8::10 up0' ]
	[ "$(driver heal if=0:routed:192.0.2.10,2001:db8::10)" = whole ]
	# Moved once more, and nobody healed: found where they are.
	h ip route replace default via 192.0.2.1
	driver detach if=0:routed:192.0.2.10,2001:db8::10
	[ -z "$(h ip neigh show proxy)" ]
}

@test "answers=: the uplink answers for one family alone, or for none; who runs is brought to it, and none stays behind the VE" {
	local plan=(if=0:routed:192.0.2.10,2001:db8:9::10)
	answered() { { h ip neigh show proxy; h ip -6 neigh show proxy; } | awk '{ print $1 }' | sort -u | paste -sd,; }
	group() { h ip -6 maddr show dev up0 | grep -o ff02::1:ff00:10 || true; }
	attach answers=4 "${plan[@]}"
	[ "$(answered)" = 192.0.2.10 ]
	[ -z "$(group)" ]
	# Whoever routes the prefix here has no question.
	ip -n "$R" route add 2001:db8:9::/64 via 2001:db8::2
	from "$R" answers 2001:db8:9::10
	from "$R" answers 192.0.2.10
	[ "$(driver look answers=4 "${plan[@]}")" = whole ]
	driver look "${plan[@]}" | grep "the answer for 2001:db8:9::10 on the uplink 'up0'"
	[ "$(driver heal "${plan[@]}")" = mended ]
	[ "$(answered)" = 192.0.2.10,2001:db8:9::10 ]
	[ -n "$(group)" ]
	[ "$(driver look "${plan[@]}")" = whole ]
	driver look answers=6 "${plan[@]}" | grep "that the uplink 'up0' does not answer for 192.0.2.10"
	[ "$(driver heal answers=6 "${plan[@]}")" = mended ]
	[ "$(answered)" = 2001:db8:9::10 ]
	[ "$(driver heal answers=6 "${plan[@]}")" = whole ]
	# An address that it is given, one that it has no more, and its end, before anybody has healed.
	driver change "/run/netns/$V" answers=none "${plan[@]}" -- answers=none if=0:routed:192.0.2.11,2001:db8:9::10
	[ "$(answered)" = 2001:db8:9::10 ]
	driver change "/run/netns/$V" answers=none if=0:routed:192.0.2.11,2001:db8:9::10 -- answers=none if=0:routed:192.0.2.11
	[ -z "$(answered)" ]
	driver heal if=0:routed:192.0.2.11
	[ "$(answered)" = 192.0.2.11 ]
	driver detach answers=none if=0:routed:192.0.2.11
	[ -z "$(answered)" ]
}

@test "probe: an address that somebody has is refused with the MAC; a free one is not; start and change announce" {
	ip -n "$R" addr add 192.0.2.77/24 dev r0
	ip -n "$R" addr add 2001:db8::77/64 dev r0 nodad
	mac=$(ip netns exec "$R" cat /sys/class/net/r0/address)
	run driver probe if=0:routed:192.0.2.10,192.0.2.77
	[ "$status" = 73 ]
	[[ "$output" == *"the address 192.0.2.77 is taken: $mac answers for it on 'up0'"* ]]
	run driver probe if=0:routed:2001:db8::77
	[ "$status" = 73 ]
	[[ "$output" == *"2001:db8::77 is taken: $mac"* ]]
	driver probe if=0:routed:192.0.2.10,2001:db8::10
	driver probe if=0:nat:10.77.0.1
	driver probe answers=6 if=0:routed:192.0.2.77 # the network says where it is, whoever else has it
	# The router believes that the address is elsewhere, until it is told.
	ip -n "$R" neigh replace 192.0.2.10 lladdr 02:66:66:66:66:66 dev r0 nud stale
	ip -n "$R" neigh replace 2001:db8::10 lladdr 02:66:66:66:66:66 dev r0 nud stale
	ip -n "$R" neigh replace 192.0.2.11 lladdr 02:66:66:66:66:66 dev r0 nud stale
	attach if=0:routed:192.0.2.10,2001:db8::10
	up=$(h cat /sys/class/net/up0/address)
	known() { local d=$((SECONDS + 5)); until ip -n "$R" neigh show "$1" | grep -q "lladdr $up"; do [ "$SECONDS" -lt "$d" ] || return 1; read -rt 0.02 <> <(:) || true; done; }
	known 192.0.2.10
	known 2001:db8::10
	driver change "/run/netns/$V" if=0:routed:192.0.2.10,2001:db8::10 -- if=0:routed:192.0.2.10,192.0.2.11,2001:db8::10
	known 192.0.2.11
}

@test "probe and announcements in a bridge: somebody's address is refused; neighbours and the bridge learn where the VE is" {
	ip -n "$H" link add br7 type bridge
	ip -n "$H" link set br7 addrgenmode none
	ip -n "$H" link set br7 up
	ip -n "$H" link set up0 master br7
	mac=$(ip netns exec "$R" cat /sys/class/net/r0/address)
	run driver probe if=0:bridged:192.0.2.1/24 bridge=br7
	[ "$status" = 73 ]
	[[ "$output" == *"the address 192.0.2.1 is taken: $mac answers for it on 'br7'"* ]]
	run driver probe if=0:bridged:2001:db8::1/64 bridge=br7
	[ "$status" = 73 ]
	[[ "$output" == *"2001:db8::1 is taken: $mac"* ]]
	driver probe if=0:bridged:192.0.2.10/24,2001:db8::10/64 bridge=br7
	# What is said of an address that the VE has already is no claim to the new one; nor is what its own interface says.
	FRAMES=$(realpath "${O:-build}/frames")
	announcing() { while :; do ip netns exec "$R" "$FRAMES" send r0 "arp-request,$1"; done 3>&- & PIDS+=($!); }
	silence() { { kill "${PIDS[-1]}" && wait "${PIDS[-1]}"; } 2>/dev/null || true; }
	announcing "sip=192.0.2.10,tip=192.0.2.10"
	driver probe if=0:bridged:192.0.2.10/24 bridge=br7 -- if=0:bridged:192.0.2.10/24,192.0.2.11/24 bridge=br7
	run driver probe if=0:bridged:192.0.2.10/24 bridge=br7
	[ "$status" = 73 ]
	silence
	announcing "sip=192.0.2.10,tip=192.0.2.10,src=02:00:00:00:00:07"
	driver probe if=0:bridged:192.0.2.10/24 bridge=br7 mac=02:00:00:00:00:07
	silence
	# A bridge that is not there yet has no neighbours.
	driver probe if=0:bridged:192.0.2.1/24
	# The router believes that the addresses are elsewhere, until it is told.
	for ip in 192.0.2.10 2001:db8::10 192.0.2.11; do ip -n "$R" neigh replace $ip lladdr 02:66:66:66:66:66 dev r0 nud stale; done
	attach if=0:bridged:192.0.2.10/24,2001:db8::10/64 bridge=br7
	ve=$(ip netns exec "$V" cat /sys/class/net/eth0/address)
	known() { local d=$((SECONDS + 5)); until ip -n "$R" neigh show "$1" | grep -q "lladdr $ve"; do [ "$SECONDS" -lt "$d" ] || return 1; read -rt 0.02 <> <(:) || true; done; }
	known 192.0.2.10
	known 2001:db8::10
	driver change "/run/netns/$V" if=0:bridged:192.0.2.10/24,2001:db8::10/64 bridge=br7 -- \
		if=0:bridged:192.0.2.10/24,192.0.2.11/24,2001:db8::10/64 bridge=br7
	known 192.0.2.11
}
