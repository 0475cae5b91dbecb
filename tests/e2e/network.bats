#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE's network, seen from inside, from the host and from beyond its uplink.
load helpers

from_inside() { try v exec web1 -- "$@"; [ "$status" -eq 0 ] || { explain "inside: $*"; return 1; }; }

@test "routed: reached from the host and from the world, IPv4 and IPv6, both ways" {
	ve web1 --ip 192.0.2.10 --ip 2001:db8::10
	on_host ping -c1 -W5 192.0.2.10
	in_world ping -c1 -W5 192.0.2.10
	wait_until 10 on_host ping -c1 -W2 2001:db8::10
	wait_until 10 in_world ping -c1 -W2 2001:db8::10
	from_inside ping -c1 -W5 192.0.2.2
	from_inside ping -c1 -W5 198.51.100.1
	from_inside ping6 -c1 -W5 2001:db8:ffff::1
	ok status web1 --json
	json '.addresses | tostring | contains("192.0.2.10") and contains("2001:db8::10")'
}

@test "routed: the world sees the VE's own address" {
	ve web1 --ip 192.0.2.10
	become_world socat -u TCP-LISTEN:7777,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR' >"$BATS_TEST_TMPDIR/peer" 3>&- &
	local listener=$!
	reach() { v exec web1 -- nc -w 2 198.51.100.1 7777 </dev/null; }
	wait_until 10 reach
	wait $listener
	[ "$(cat "$BATS_TEST_TMPDIR/peer")" = 192.0.2.10 ]
}

@test "routed: two VEs reach each other" {
	ve web1 --ip 192.0.2.10
	ve web2 --ip 192.0.2.11
	from_inside ping -c1 -W5 192.0.2.11
}

@test "routed: a host route inside the uplink's own network, proxied there" {
	ve web1 --ip 192.0.2.10
	grep -q '^192.0.2.10' <(on_host ip route)
	# Nobody but the VE answers for the address, and the answer is the uplink's.
	[ "$(in_world ping -c1 -W5 192.0.2.10 >/dev/null; in_world ip neigh show 192.0.2.10 | awk '{ print $5 }')" = \
		"$(on_host cat /sys/class/net/up0/address 2>/dev/null || on_host ip -j link show up0 | jq -r '.[0].address')" ] ||
		[ "$(in_world ip neigh show 192.0.2.10 | awk '{ print $5 }')" = "$(on_host ip -j link show up0 | jq -r '.[0].address')" ]
}

@test "proxy=: the uplink answers for one family alone; check says who runs otherwise, recover brings them to it" {
	answers() { { on_host ip neigh show proxy; on_host ip -6 neigh show proxy; } | awk '{ print $1 }' | sort -u | paste -sd,; }
	fails 78 host set proxy=maybe
	says 'on, ipv4, ipv6'
	ve web1 --ip 192.0.2.10 --ip 2001:db8::10
	[ "$(answers)" = 192.0.2.10,2001:db8::10 ]
	ok host set proxy=ipv4
	ok host show --json
	json '.proxy == "ipv4"'
	try v check --json
	json '.[] | select(.feature == "ve-networks") | .detail | contains("does not answer for 2001:db8::10")'
	ok recover
	[ "$(answers)" = 192.0.2.10 ]
	ve web2 --ip 192.0.2.11 --ip 2001:db8::11
	[ "$(answers)" = 192.0.2.10,192.0.2.11 ]
	# One that is stopped takes its answers along, whatever is asked for now.
	ok host set proxy=off
	ok stop web2
	[ "$(answers)" = 192.0.2.10 ]
	ok host set proxy=on
	ok recover
	[ "$(answers)" = 192.0.2.10,2001:db8::10 ]
	rm -f "$VECTL_ROOT/etc/vectl/host.json" "$VECTL_ROOT/var/lib/vectl/lock"
}

@test "an address that is taken: 73, with its owner" {
	ve web1 --ip 192.0.2.10
	fails 73 create web2 --image busybox --ip 192.0.2.10
	says 'web1'
	ok create web2 --image busybox --ip 192.0.2.11
	fails 73 set web2 network.0.ips=192.0.2.10
	ok destroy web1 --force
	ok set web2 network.0.ips=192.0.2.10
}

@test "the host's own address is refused" {
	try v create web1 --image busybox --ip 192.0.2.2 --start
	[ "$status" -ne 0 ]
	says '192\.0\.2\.2'
}

@test "nat: a VE made without options reaches what the host reaches, under the host's address" {
	ve web1
	from_inside ping -c1 -W5 198.51.100.1
	become_world socat -u TCP-LISTEN:7778,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR' >"$BATS_TEST_TMPDIR/peer" 3>&- &
	local listener=$!
	reach() { v exec web1 -- nc -w 2 198.51.100.1 7778 </dev/null; }
	wait_until 10 reach
	wait $listener
	[ "$(cat "$BATS_TEST_TMPDIR/peer")" = 192.0.2.2 ]
	[ "$(on_host sysctl -n net.ipv4.ip_forward 2>/dev/null || on_host cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
}

@test "nat: its private address is its alone, and stays over a restart" {
	ve web1
	ve web2
	local one two
	one=$(v status web1 --json | jq -r '.addresses[0]') two=$(v status web2 --json | jq -r '.addresses[0]')
	[ "$one" != "$two" ]
	[[ $one == 10.77.* ]]
	on_host ping -c1 -W5 "${one%/*}"
	ok restart web1
	[ "$(v status web1 --json | jq -r '.addresses[0]')" = "$one" ]
}

@test "none: lo, up, and nothing else" {
	ve web1 --set network.0.type=none
	from_inside sh -c 'ls /sys/class/net; ping -c1 -W2 127.0.0.1'
	[[ $output == lo$'\n'* ]]
}

@test "/etc/resolv.conf: the given servers, or the host's real ones; never a loopback stub" {
	ve web1 --set dns.servers=192.0.2.53,2001:db8::53 --set dns.search=example.org
	from_inside cat /etc/resolv.conf
	grep -qx 'nameserver 192.0.2.53' <<<"$output"
	grep -qx 'nameserver 2001:db8::53' <<<"$output"
	grep -q '^search.*example.org' <<<"$output"
	ve web2
	try v exec web2 -- cat /etc/resolv.conf
	not grep -qE 'nameserver (127\.|::1)' <<<"$output"
	if grep -qE '^nameserver' /etc/resolv.conf && not grep -qE '^nameserver (127\.|::1)' /etc/resolv.conf; then
		diff <(grep ^nameserver /etc/resolv.conf) <(grep ^nameserver <<<"$output")
	fi
}

@test "names are resolved through the given server" {
	# A DNS server of one answer: whatever is asked, A 198.51.100.77.
	cat >"$BATS_TEST_TMPDIR/dns.py" <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.1", 53))
while True:
    q, a = s.recvfrom(512)
    end = q.index(b"\0", 12) + 5
    answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + bytes([198, 51, 100, 77]) if q[end - 3] == 1 else b""
    s.sendto(q[:2] + b"\x81\x80\0\x01" + (b"\0\x01" if answer else b"\0\0") + b"\0\0\0\0" + q[12:end] + answer, a)
END
	# Itself in the place of the shell, so that it is what is killed; and without what bats waits for the end of.
	become_world python3 "$BATS_TEST_TMPDIR/dns.py" 3>&- &
	local server=$!
	ve web1 --set dns.servers=198.51.100.1
	resolves() { v exec web1 -- nslookup www.example.org | grep -q 198.51.100.77; }
	wait_until 15 resolves || { kill $server; false; }
	kill $server
}

@test "stop takes links, routes, proxies and claims away; start brings them again" {
	ve web1 --ip 192.0.2.10 --ip 2001:db8::10
	ok stop web1
	inventory >"$BATS_TEST_TMPDIR/before"
	ok start web1
	not inventory_equals "$BATS_TEST_TMPDIR/before"
	ok stop web1
	same_as_before "$BATS_TEST_TMPDIR/before"
	ok start web1
	ok kill web1
	same_as_before "$BATS_TEST_TMPDIR/before"
	ok start web1
	v exec web1 -- poweroff -f || true
	wait_until 20 in_state web1 stopped
	same_as_before "$BATS_TEST_TMPDIR/before"
}

@test "host links are named after the VE's number, never after the VE" {
	ve "$(head -c 63 /dev/zero | tr '\0' x)"
	grep -qE '^[0-9]+: vz' <(on_host ip -o link)
	not grep -q xxxx <(on_host ip -o link)
}

@test "the VE's root cannot leave its network: another address is not answered for it" {
	ve web1 --ip 192.0.2.10
	from_inside ip addr add 192.0.2.99/32 dev eth0
	not in_world ping -c1 -W1 192.0.2.99
}

@test "several interfaces" {
	ve web1 --ip 192.0.2.10 --set network.1.type=nat
	from_inside ls /sys/class/net
	[[ $output == *eth0*eth1* ]]
	on_host ping -c1 -W5 192.0.2.10
}

@test "an address that a machine beyond the uplink has: 73, at create and at set, and nothing is left" {
	fails 73 create web1 --image busybox --ip 192.0.2.1
	says '192\.0\.2\.1 is taken: .* answers for it'
	ve web1 --ip 192.0.2.10
	fails 73 set web1 network.0.ips+=2001:db8::1
	says '2001:db8::1 is taken'
	ok get web1 network.0.ips
	[ "$output" = 192.0.2.10 ]
}

@test "bridged, from the command line: vectl0 comes and goes; the gateway; live addresses" {
	ve web1 --set network.0.type=bridged --ip 192.0.2.10/24 --set network.0.gateway=192.0.2.1
	on_host ip link show vectl0
	from_inside ip route
	[[ $output == *"default via 192.0.2.1 dev eth0"* ]]
	ve web2 --set network.0.type=bridged --ip 192.0.2.11/24
	from_inside ping -c1 -W5 192.0.2.11
	ok set web1 network.0.ips+=192.0.2.12/24
	from_inside ping -c1 -W5 -I 192.0.2.12 192.0.2.11
	ok stop web2
	on_host ip link show vectl0
	ok stop web1
	[ -z "$(on_host ip -o link show vectl0 2>/dev/null)" ]
}

@test "forwards: a port that is another VE's is refused by its name; a live one leads there" {
	ve web1 --set network.0.forwards=tcp:8080:80
	fails 73 create web2 --image busybox --set network.0.forwards=tcp:8000-8100:80
	says "tcp:8080.*web1"
	try v exec web1 -- sh -c 'mkdir -p /www; echo hello >/www/index.html; httpd -p 80 -h /www'
	reached() { [ "$(in_world curl -s --max-time 2 http://192.0.2.2:8080/)" = hello ]; }
	wait_until 10 reached
	ok set web1 network.0.forwards=tcp:8081:80
	not reached
	[ "$(in_world curl -s --max-time 5 http://192.0.2.2:8081/)" = hello ]
	ok create web2 --image busybox --set network.0.forwards=tcp:8080:80
	fails 78 set web2 network.0.forwards=tcp:80
	fails 78 set web2 network.0.forwards=tcp:1-80:81,tcp:80:80
}

@test "nft flush ruleset: vectl check says so, vectl recover heals" {
	ve web1 --ip 192.0.2.10
	on_host nft flush ruleset
	try v check --json
	json '[.. | objects | select(.feature? == "firewall-rules")][0].present == false'
	ok recover
	in_world ping -c1 -W5 192.0.2.10
	try v check --json
	json '[.. | objects | select(.feature? == "firewall-rules")][0].present == true'
	# The table for nat is loaded anew by the next VE that needs it.
	ve web2
}

@test "nft flush ruleset: the next start, and set, bring everybody's rules back" {
	ve web1 --ip 192.0.2.10
	on_host nft flush ruleset
	ve web2 --ip 192.0.2.11
	wait_until 30 in_world ping -c1 -W1 192.0.2.11
	wait_until 30 in_world ping -c1 -W1 192.0.2.10
	on_host nft flush ruleset
	ok set web2 network.0.ips+=192.0.2.12
	local ip
	for ip in 192.0.2.10 192.0.2.11 192.0.2.12; do wait_until 30 in_world ping -c1 -W1 $ip; done
	try v check --json
	json '[.. | objects | select(.feature? == "firewall-rules")][0].present == true'
	# The table for nat is loaded anew by the next VE that needs it.
	ve web3
}
