#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Frames that no honest VE sends (frames.c), written to the wire by the root of a VE, and by the root of a network namespace
# nested in it behind a bridge of the VE's own. The network room alone (net_driver), between network namespaces:
#
#   $R the router              $H the "host"                        $A, $B two "VEs"
#   r0 192.0.2.1/24    ----    up0 192.0.2.2/24    vz5.0, vz6.0 --- eth0
#      2001:db8::1/64              2001:db8::2/64
#
# Each frame carries a mark of its own. Behind the forged ones an honest frame is sent the same way; who watches sees it, and
# nothing before it. No time is waited for.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	DRIVER=$(realpath "${O:-build}/tests/e2e/net_driver") FRAMES=$(realpath "${O:-build}/frames")
	[ -x "$DRIVER" ] && [ -x "$FRAMES" ] # built with the tests; their lack is a failure
	P=vf$$-$BATS_TEST_NUMBER H=$P-h R=$P-r A=$P-a B=$P-b N=$P-n
	for n in "$H" "$R" "$A" "$B" "$N"; do
		ip netns add "$n"
		ip -n "$n" link set lo up
		# The kernel says nothing by itself that would be counted: no duplicate address detection, no router solicitations.
		ip netns exec "$n" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
	done
	ip -n "$H" link add up0 type veth peer name r0 netns "$R"
	ip -n "$H" link set up0 up
	ip -n "$R" link set r0 up
	ip -n "$H" addr add 192.0.2.2/24 dev up0
	ip -n "$H" addr add 2001:db8::2/64 dev up0 nodad
	ip -n "$R" addr add 192.0.2.1/24 dev r0
	ip -n "$R" addr add 2001:db8::1/64 dev r0 nodad
	ip -n "$H" route add default via 192.0.2.1
	ip -n "$H" route add default via 2001:db8::1
	WATCHERS=()
	W4=169.254.1.6 W6=fe80::6 # the next hop of a routed VE with the number 5
}

teardown() {
	for w in "${WATCHERS[@]}"; do kill "$w" 2>/dev/null || true; done
	for n in "$N" "$A" "$B" "$H" "$R"; do ip netns del "$n" 2>/dev/null || true; done
}

in_ns() { ip netns exec "$@"; }
driver() { in_ns "$H" "$DRIVER" "$@"; }
mac() { in_ns "$1" cat "/sys/class/net/$2/address"; }

# wait_file FILE TEXT
wait_file() {
	local deadline=$((SECONDS + 10))
	until grep -q "$2" "$1"; do [ "$SECONDS" -lt "$deadline" ] || return 1; read -rt 0.02 <> <(:) || true; done
}

# watch NAME NS IFACE: from now on, who sees a frame with a mark there? The first one goes to the file NAME.
watch() {
	rm -f "$BATS_TEST_TMPDIR/$1"
	: >"$BATS_TEST_TMPDIR/$1"
	ip netns exec "$2" "$FRAMES" watch "$3" 300 HONE FORG >"$BATS_TEST_TMPDIR/$1" 3>&- &
	WATCHERS+=($!)
	wait_file "$BATS_TEST_TMPDIR/$1" watching
}
# saw NAME WORD: and it was WORD, of which four letters are enough.
saw() {
	wait_file "$BATS_TEST_TMPDIR/$1" "${2:0:4}" || { echo "$1 expected $2 first, got: $(cat "$BATS_TEST_TMPDIR/$1")" >&2; return 1; }
}

# What reached the host itself, or passed through it, by counters of a table of the test's own.
host_counts() {
	in_ns "$H" nft -f - <<-'END'
		table inet seen {
			counter heard { }
			counter nd { }
			counter passed { }
			chain input { type filter hook input priority 300; iifname "vz*" meta l4proto != 58 counter name heard; iifname "vz*" icmpv6 type 133-137 counter name nd; }
			chain forward { type filter hook forward priority 300; iifname "vz*" counter name passed; }
		}
		table arp seen {
			counter arps { }
			chain input { type filter hook input priority 300; iifname "vz*" counter name arps; }
		}
	END
}
nothing_counted() {
	local got
	got="heard $(counted inet heard) nd $(counted inet nd) passed $(counted inet passed) arps $(counted arp arps)"
	[ "$got" = "heard 0 nd 0 passed 0 arps 0" ] || { echo "the host $got" >&2; return 1; }
}
counted() { in_ns "$H" nft -j list counter "$1" seen "$2" | jq '.nftables[] | select(.counter) | .counter.packets'; }

# Forged and honest, for a VE with 192.0.2.10 and 2001:db8::10 and its MAC in $M; $G is the MAC they go to, $O4 and $O6 somebody
# else's addresses, $L6 its link-local address.
forged_ip() {
	local udp4="udp4,dst=$G,dip=192.0.2.1,mark=FORGED" udp6="udp6,dst=$G,dip=2001:db8::1,mark=FORGED"
	cat <<-END
		$udp4,sip=$O4
		$udp4,sip=192.0.2.1
		$udp4,sip=192.0.2.2
		$udp4,sip=$W4
		$udp4,sip=0.0.0.0
		$udp4,sip=127.0.0.1
		$udp4,sip=255.255.255.255
		$udp4,sip=$O4,frag=first
		$udp4,sip=$O4,frag=next
		$udp4,sip=192.0.2.10,src=02:66:66:66:66:66
		$udp4,sip=192.0.2.10,src=$G
		$udp4,sip=192.0.2.10,vlan=7
		$udp4,sip=192.0.2.10,vlan=7:8
		$udp4,sip=192.0.2.10,vlan=7:8,tpid=88a8
		$udp4,sip=192.0.2.10,vlan=0:7
		$udp4,sip=$O4,vlan=0
		echo4,dst=$G,sip=$O4,dip=192.0.2.1,mark=FORGED
		dhcp4-offer,dst=$G,sip=192.0.2.10,dip=192.0.2.1,mark=FORGED
		dhcp4-offer,sip=192.0.2.10,dip=255.255.255.255,mark=FORGED
		$udp6,sip=$O6
		$udp6,sip=2001:db8::1
		$udp6,sip=::1
		$udp6,sip=::
		$udp6,sip=$W6
		$udp6,sip=fe80::66
		$udp6,sip=$O6,frag=first
		$udp6,sip=$O6,frag=next
		$udp6,sip=$O6,ext=hbh
		$udp6,sip=$O6,ext=dst
		$udp6,sip=2001:db8::10,src=02:66:66:66:66:66
		$udp6,sip=2001:db8::10,vlan=7
		$udp6,sip=2001:db8::10,vlan=7:8,tpid=88a8
		echo6,dst=$G,sip=$O6,dip=2001:db8::1,mark=FORGED
		dhcp6-reply,dst=$G,sip=2001:db8::10,dip=2001:db8::1,mark=FORGED
		dhcp6-reply,dst=$G,sip=$L6,dip=fe80::2,mark=FORGED
		dhcp6-reply,dst=$G,sip=2001:db8::10,dip=2001:db8::1,ext=dst,mark=FORGED
		raw,type=88b5,mark=FORGED
		raw,type=8863,mark=FORGED
		raw,type=88cc,mark=FORGED
		raw,type=8035,mark=FORGED
		raw,type=86dd,mark=FORGED
		raw,type=0800,mark=FORGED
		raw,type=dead,dst=$G,mark=FORGED
		llc,mark=FORGED
		stp,dst=01:80:c2:00:00:00,mark=FORGED
	END
}
# A priority tag (VLAN 0) is dropped in a bridge; on the way to a router it is taken off like any frame's head, and what was
# in it is the VE's own.
forged_priority() {
	cat <<-END
		udp4,dst=$G,dip=192.0.2.1,mark=FORGED,sip=192.0.2.10,vlan=0
		udp6,dst=$G,dip=2001:db8::1,mark=FORGED,sip=2001:db8::10,vlan=0
		udp4,dst=$G,dip=192.0.2.1,mark=FORGED,sip=$O4,vlan=0
		udp6,dst=$G,dip=2001:db8::1,mark=FORGED,sip=$O6,vlan=0
		arp-reply,dst=ff:ff:ff:ff:ff:ff,tip=192.0.2.1,mark=FORGED,sip=192.0.2.10,vlan=0
		na,sip=2001:db8::10,dip=ff02::1,mark=FORGED,tip=2001:db8::10,vlan=0
	END
}
forged_arp() {
	local arp="dst=ff:ff:ff:ff:ff:ff,tip=192.0.2.1,mark=FORGED"
	cat <<-END
		arp-request,$arp,sip=$O4
		arp-reply,$arp,sip=$O4
		arp-reply,$arp,sip=192.0.2.1
		arp-reply,$arp,sip=192.0.2.2
		arp-reply,$arp,sip=192.0.2.10,smac=02:66:66:66:66:66
		arp-request,$arp,sip=192.0.2.10,smac=02:66:66:66:66:66
		arp-reply,$arp,sip=192.0.2.10,src=02:66:66:66:66:66
		arp-request,$arp,sip=0.0.0.0
		arp-reply,$arp,sip=192.0.2.10,vlan=7
	END
}
forged_nd() {
	local na="na,sip=2001:db8::10,dip=ff02::1,mark=FORGED" ns="ns,sip=2001:db8::10,dip=ff02::1,tip=2001:db8::1,mark=FORGED"
	cat <<-END
		$na,tip=$O6
		$na,tip=2001:db8::1
		$na,tip=$W6
		$na,tip=2001:db8::10,smac=02:66:66:66:66:66
		$na,tip=2001:db8::10,opt=long
		$na,tip=2001:db8::10,opt=twice
		$na,tip=2001:db8::10,opt=other
		$na,tip=2001:db8::10,hop=64
		$na,tip=2001:db8::10,ext=hbh
		$na,tip=2001:db8::10,ext=dst
		$na,tip=2001:db8::10,frag=first
		$na,tip=$O6,frag=first
		$na,tip=2001:db8::10,vlan=7
		$na,tip=2001:db8::10,src=02:66:66:66:66:66
		na,sip=$O6,dip=ff02::1,tip=2001:db8::10,mark=FORGED
		$ns,smac=02:66:66:66:66:66
		$ns,opt=twice
		$ns,opt=nonce
		$ns,ext=hbh
		ns,sip=$O6,dip=ff02::1,tip=2001:db8::1,mark=FORGED
		dad,sip=::,dip=ff02::1,tip=$O6,opt=none,mark=FORGED
		dad,sip=::,dip=ff02::1,tip=2001:db8::1,opt=nonce,mark=FORGED
		dad,sip=::,dip=ff02::1,tip=2001:db8::10,mark=FORGED
		rs,sip=$L6,dip=ff02::2,smac=02:66:66:66:66:66,mark=FORGED
		rs,sip=::,dip=ff02::2,opt=none,mark=FORGED
		ra,sip=$L6,dip=ff02::1,mark=FORGED
		ra,sip=$W6,dip=ff02::1,mark=FORGED
		ra,sip=$L6,dip=ff02::1,ext=hbh,mark=FORGED
		ra,sip=$L6,dip=ff02::1,frag=first,mark=FORGED
		redirect,sip=$L6,dip=2001:db8::1,tip=fe80::66,mark=FORGED
		redirect,sip=$W6,dip=2001:db8::1,tip=fe80::66,mark=FORGED
	END
}
link_local() { # of a MAC
	local o
	IFS=: read -ra o <<<"$1"
	printf 'fe80::%x:%x:%x:%x\n' $(((0x${o[0]} ^ 2) << 8 | 0x${o[1]})) $((0x${o[2]} << 8 | 0xff)) $((0xfe00 | 0x${o[3]})) $((0x${o[4]} << 8 | 0x${o[5]}))
}

# A namespace nested in the VE $A whose frames go to the wire as they are: its veth and eth0 are ports of a bridge in the VE.
nest() {
	ip -n "$A" link add br0 type bridge
	ip -n "$A" link add inner type veth peer name eth0 netns "$N"
	ip -n "$A" link set inner master br0
	ip -n "$A" link set eth0 master br0
	# The VE's MAC moves to the nested namespace: a bridge takes no frame from outside that has a MAC of its own ports.
	ip -n "$A" link set eth0 address 02:de:ad:00:00:01
	ip -n "$N" link set eth0 address "$M"
	in_ns "$A" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	in_ns "$N" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip -n "$A" link set inner up type bridge_slave learning off
	ip -n "$A" link set br0 up
	ip -n "$N" link set eth0 up
}

routed_pair() {
	driver attach "/run/netns/$A" id=5 if=0:routed:192.0.2.10,2001:db8::10
	driver attach "/run/netns/$B" id=6 if=0:routed:192.0.2.11,2001:db8::11 mac=02:00:00:00:00:06
	M=$(mac "$A" eth0) G=$(mac "$H" vz5.0) O4=192.0.2.11 O6=2001:db8::11 L6=$(link_local "$(mac "$A" eth0)")
}

# send_forged NS KIND...: one frame after the other, with the VE's MAC where none is said (a nested namespace's interface may have
# one of its own).
send_forged() {
	local ns=$1 kind list=()
	shift
	for kind in "$@"; do
		while read -r spec; do list+=("$spec"); done < <("forged_$kind")
	done
	[ "${#list[@]}" -gt 5 ]
	local spec
	for spec in "${!list[@]}"; do
		[[ ${list[spec]} == *,src=* ]] || list[spec]+=",src=$M"
		[[ ${list[spec]} == *,smac=* ]] || list[spec]+=",smac=$M"
	done
	in_ns "$ns" "$FRAMES" send eth0 "${list[@]}"
}

@test "routed: forged frames reach neither the world, nor another VE, nor the host; honest ones do" {
	routed_pair
	host_counts
	watch world "$R" r0
	send_forged "$A" ip arp nd
	# To the other VE likewise.
	in_ns "$A" "$FRAMES" send eth0 "udp4,dst=$G,sip=192.0.2.66,dip=192.0.2.11,mark=FORGED" \
		"udp6,dst=$G,sip=2001:db8::66,dip=2001:db8::11,mark=FORGED" "udp4,dst=$(mac "$B" eth0),sip=192.0.2.10,dip=192.0.2.11,mark=FORGED"
	nothing_counted
	watch other "$B" eth0
	in_ns "$A" "$FRAMES" send eth0 "udp4,dst=$G,sip=192.0.2.10,dip=192.0.2.1,mark=HONEST" "udp4,dst=$G,sip=192.0.2.10,dip=192.0.2.11,mark=HONEST"
	saw world HONEST
	saw other HONEST
	# And IPv6, to the world, to the other VE, to the host.
	watch world6 "$R" r0
	watch other6 "$B" eth0
	in_ns "$A" "$FRAMES" send eth0 "udp6,dst=$G,sip=2001:db8::10,dip=2001:db8::1,mark=HONEST" \
		"udp6,dst=$G,sip=2001:db8::10,dip=2001:db8::11,ext=dst,mark=HONEST" "udp4,dst=$G,sip=192.0.2.10,dip=192.0.2.2,mark=HONEST" \
		"udp6,dst=$G,sip=2001:db8::10,dip=2001:db8::1,frag=first,mark=HONEST"
	saw world6 HONEST
	saw other6 HONEST
	[ "$(counted inet heard)" = 1 ]
}

@test "routed: neighbour discovery and ARP of the VE's own arrive at the host" {
	routed_pair
	host_counts
	in_ns "$A" "$FRAMES" send eth0 "na,sip=2001:db8::10,dip=ff02::1,tip=2001:db8::10" "na,sip=$L6,dip=ff02::1,tip=$L6" \
		"na,sip=2001:db8::10,dip=ff02::1,tip=2001:db8::10,opt=none" "ns,sip=2001:db8::10,dip=ff02::1,tip=$W6" \
		"ns,sip=2001:db8::10,dip=ff02::1,tip=$W6,opt=none" "dad,sip=::,dip=ff02::1,tip=2001:db8::10,opt=none" \
		"dad,sip=::,dip=ff02::1,tip=2001:db8::10,opt=nonce" "rs,sip=$L6,dip=ff02::1" "rs,sip=$L6,dip=ff02::1,opt=none"
	[ "$(counted inet nd)" = 9 ]
	in_ns "$A" "$FRAMES" send eth0 "arp-request,sip=192.0.2.10,tip=$W4" "arp-reply,sip=192.0.2.10,tip=$W4"
	[ "$(counted arp arps)" = 2 ]
}

@test "routed: from a namespace nested in the VE" {
	routed_pair
	nest
	host_counts
	watch world "$R" r0
	send_forged "$N" ip arp nd
	in_ns "$N" "$FRAMES" send eth0 "udp4,src=02:de:ad:00:00:02,dst=$G,sip=192.0.2.10,dip=192.0.2.1,mark=FORGED"
	nothing_counted
	in_ns "$N" "$FRAMES" send eth0 "udp4,src=$M,dst=$G,sip=192.0.2.10,dip=192.0.2.1,mark=HONEST"
	saw world HONEST
}

@test "routed: a prefix is the VE's as a whole, and nothing beside it" {
	driver attach "/run/netns/$A" id=5 if=0:routed:198.51.100.17/29,2001:db8:5::1/64
	driver attach "/run/netns/$B" id=6 if=0:routed:198.51.100.33/29,2001:db8:6::1/64 mac=02:00:00:00:00:06
	M=$(mac "$A" eth0) G=$(mac "$H" vz5.0)
	host_counts
	watch world "$R" r0
	local spec4="udp4,dst=$G,dip=192.0.2.1" spec6="udp6,dst=$G,dip=2001:db8::1"
	in_ns "$A" "$FRAMES" send eth0 "$spec4,mark=FORGED,sip=198.51.100.33" "$spec4,mark=FORGED,sip=198.51.100.24" \
		"$spec4,mark=FORGED,sip=0.0.0.0" "udp4,sip=0.0.0.0,dip=255.255.255.255,mark=FORGED" "udp4,sip=0.0.0.0,dip=224.0.0.1,mark=FORGED" \
		"$spec4,mark=FORGED,sip=$W4" "$spec4,mark=FORGED,sip=192.0.2.1" "$spec4,mark=FORGED,sip=198.51.100.18,src=02:66:66:66:66:66" \
		"$spec6,mark=FORGED,sip=2001:db8:6::1" "$spec6,mark=FORGED,sip=$W6" "$spec6,mark=FORGED,sip=fe80::66" "$spec6,mark=FORGED,sip=::" \
		"$spec6,mark=FORGED,sip=2001:db8::1" "$spec6,mark=FORGED,sip=2001:db8:5::2,src=02:66:66:66:66:66" \
		"ns,sip=::,dip=ff02::1,tip=2001:db8:5::1,mark=FORGED" "echo6,dst=$G,sip=::,dip=ff02::1,mark=FORGED" \
		"na,sip=2001:db8:6::1,dip=ff02::1,tip=2001:db8:5::9,mark=FORGED"
	nothing_counted
	in_ns "$A" "$FRAMES" send eth0 "$spec4,mark=HONEST,sip=198.51.100.18" "$spec6,mark=HONEST,sip=2001:db8:5::aaaa"
	saw world HONEST
	[ "$(counted inet passed)" = 2 ]
	# Which of them a VE has is its own affair: it may answer for all.
	in_ns "$A" "$FRAMES" send eth0 "na,sip=2001:db8:5::aaaa,dip=ff02::1,tip=2001:db8:5::aaaa" "arp-reply,sip=198.51.100.18,tip=$W4"
	[ "$(counted inet nd)$(counted arp arps)" = 11 ]
}

@test "nat: forged frames reach nobody, honest ones the world under the host's address" {
	driver attach "/run/netns/$A" id=5 if=0:nat:10.77.0.10
	driver attach "/run/netns/$B" id=6 if=0:nat:10.77.0.11 mac=02:00:00:00:00:06
	M=$(mac "$A" eth0) G=$(mac "$H" vz5.0) O4=10.77.0.11 O6=2001:db8::11 L6=$(link_local "$(mac "$A" eth0)")
	host_counts
	watch world "$R" r0
	# 192.0.2.10 is not this VE's either.
	send_forged "$A" ip arp nd
	in_ns "$A" "$FRAMES" send eth0 "udp4,dst=$G,sip=10.77.0.11,dip=192.0.2.1,mark=FORGED" "udp4,dst=$G,sip=10.77.0.12,dip=10.77.0.11,mark=FORGED" \
		"udp4,dst=$G,sip=10.77.0.10,dip=192.0.2.1,vlan=7,mark=FORGED" "udp4,dst=$G,sip=10.77.0.11,dip=192.0.2.1,frag=first,mark=FORGED" \
		"dhcp4-offer,dst=$G,sip=10.77.0.10,dip=192.0.2.1,mark=FORGED" "udp6,dst=$G,sip=$L6,dip=2001:db8::1,mark=FORGED"
	nothing_counted
	in_ns "$R" nft 'table ip seen { chain input { type filter hook prerouting priority 0; ip saddr 192.0.2.2 udp dport 9 counter; }; }'
	in_ns "$A" "$FRAMES" send eth0 "udp4,dst=$G,sip=10.77.0.10,dip=192.0.2.1,mark=HONEST"
	saw world HONEST
	in_ns "$R" nft list table ip seen | grep 'counter packets 1 '
}

bridged_pair() {
	driver attach "/run/netns/$A" id=5 if=0:bridged:192.0.2.10/24,2001:db8::10/64
	driver attach "/run/netns/$B" id=6 if=0:bridged:192.0.2.11/24,2001:db8::11/64 mac=02:00:00:00:00:06
	# The uplink and the host's addresses are on the bridge, as on a host that has one.
	ip -n "$H" addr flush dev up0
	ip -n "$H" link set up0 master vectl0
	ip -n "$H" addr add 192.0.2.2/24 dev vectl0
	ip -n "$H" addr add 2001:db8::2/64 dev vectl0 nodad
	M=$(mac "$A" eth0) G=$(mac "$R" r0) O4=192.0.2.11 O6=2001:db8::11 L6=$(link_local "$(mac "$A" eth0)")
}

@test "bridged: forged frames reach neither the wire, nor another VE, nor the host; honest ones do" {
	bridged_pair
	watch world "$R" r0
	watch other "$B" eth0
	watch host "$H" vectl0
	send_forged "$A" ip arp nd priority
	in_ns "$A" "$FRAMES" send eth0 "udp4,dst=$G,sip=192.0.2.10,dip=192.0.2.1,mark=HONEST" \
		"udp4,dst=$(mac "$B" eth0),sip=192.0.2.10,dip=192.0.2.11,mark=HONEST" "udp4,dst=$(mac "$H" vectl0),sip=192.0.2.10,dip=192.0.2.2,mark=HONEST"
	saw world HONEST
	saw other HONEST
	saw host HONEST
	# Everything that a neighbour has to say, in the form in which it is allowed, to all.
	local honest
	for honest in "arp-request,sip=192.0.2.10,tip=192.0.2.1" "arp-reply,sip=192.0.2.10,tip=192.0.2.1" "udp6,sip=2001:db8::10,dip=ff02::1" \
		"na,sip=2001:db8::10,dip=ff02::1,tip=2001:db8::10" "ns,sip=2001:db8::10,dip=ff02::1,tip=2001:db8::1" "na,sip=$L6,dip=ff02::1,tip=$L6" \
		"dad,sip=::,dip=ff02::1,tip=2001:db8::10,opt=none" "dad,sip=::,dip=ff02::1,tip=2001:db8::10,opt=nonce" "rs,sip=$L6,dip=ff02::2" \
		"udp6,sip=2001:db8::10,dip=ff02::1,ext=dst" "udp4,sip=192.0.2.10,dip=255.255.255.255,frag=next" "echo6,sip=2001:db8::10,dip=ff02::1,frag=first"; do
		watch each "$B" eth0
		in_ns "$A" "$FRAMES" send eth0 "$honest,mark=HONEST"
		saw each HONEST || { echo "not let through: $honest" >&2; false; }
	done
}

@test "bridged: from a namespace nested in the VE; what is another's does not reach it" {
	bridged_pair
	nest
	watch world "$R" r0
	send_forged "$N" ip arp nd
	in_ns "$N" "$FRAMES" send eth0 "udp4,src=02:de:ad:00:00:02,dst=$G,sip=192.0.2.10,dip=192.0.2.1,mark=FORGED"
	in_ns "$N" "$FRAMES" send eth0 "udp4,src=$M,dst=$G,sip=192.0.2.10,dip=192.0.2.1,mark=HONEST"
	saw world HONEST
	# Unknown MACs are flooded, but not to VEs.
	watch other "$B" eth0
	in_ns "$R" "$FRAMES" send r0 "udp4,dst=02:99:99:99:99:99,sip=192.0.2.1,dip=192.0.2.77,mark=FORGED" \
		"udp4,dst=$M,sip=192.0.2.1,dip=192.0.2.10,mark=FORGED" "udp4,dst=$(mac "$B" eth0),sip=192.0.2.1,dip=192.0.2.11,mark=HONEST"
	saw other HONEST
}

@test "without the rules the same frames do arrive: the witnesses see" {
	bridged_pair
	in_ns "$H" nft flush ruleset
	watch world "$R" r0
	in_ns "$A" "$FRAMES" send eth0 "ra,sip=$L6,dip=ff02::1,mark=FORGED"
	saw world FORGED
	watch world2 "$R" r0
	in_ns "$A" "$FRAMES" send eth0 "udp4,dst=$G,sip=192.0.2.66,dip=192.0.2.1,mark=FORGED"
	saw world2 FORGED
}

@test "thousand VEs have the rules of one" {
	driver attach "/run/netns/$A" id=5 if=0:routed:192.0.2.10,2001:db8::10
	# Chains and rules: whatever has a handle but is not a VE's counter.
	rules() { in_ns "$H" nft -a list ruleset | grep '# handle' | grep -vc $'^\tcounter vz'; }
	local one
	one=$(rules)
	driver attach "/run/netns/$B" id=6 if=0:routed:192.0.2.11,2001:db8::11 mac=02:00:00:00:00:06
	ip netns add "$P-c"
	driver attach "/run/netns/$P-c" id=7 if=0:bridged:192.0.2.12/24 mac=02:00:00:00:00:07
	[ "$(rules)" = "$one" ]
	ip netns del "$P-c"
}
