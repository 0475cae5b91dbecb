#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whose an address is: the next free one of the host's pool, and what is refused, by whose name.
load helpers

setup_file() {
	world_up && v --quiet host set ip.pool=default && inventory >"$BATS_FILE_TMPDIR/inventory"
}
setup() { v --quiet host set ip.pool=default; }
ip_of() { v get "$1" network.0.ips; }

@test "--ip auto takes the lowest free one; not the host's, not the router's, not a stopped VE's" {
	ok host set ip.pool=192.0.2.0/29
	ok create web1 --image busybox --ip auto
	# 192.0.2.1 is the router, 192.0.2.2 the host.
	[ "$(ip_of web1)" = 192.0.2.3 ]
	ve web2 --ip auto
	[ "$(ip_of web2)" = 192.0.2.4 ]
	in_world ping -c1 -W5 192.0.2.4
	ok create web3 --image busybox --ip 192.0.2.5
	ok create web4 --image busybox --ip auto
	[ "$(ip_of web4)" = 192.0.2.6 ]
	fails 74 create web5 --image busybox --ip auto
	says 'no IPv4 address of the host.s pool is free \(192\.0\.2\.0/29\)'
	ok destroy web1
	ok create web5 --image busybox --ip auto
	[ "$(ip_of web5)" = 192.0.2.3 ]
}

@test "set +=auto, both families, several at once; dry-run takes nothing" {
	ok host set ip.pool=192.0.2.20-192.0.2.24,2001:db8::100/126
	ve web1 --ip auto --ip auto6
	[ "$(ip_of web1)" = 192.0.2.20,2001:db8::101 ]
	wait_until 10 in_world ping -c1 -W2 2001:db8::101
	ok set web1 network.0.ips+=auto --dry-run
	ok set web1 network.0.ips+=auto,auto
	[ "$(ip_of web1)" = 192.0.2.20,2001:db8::101,192.0.2.21,192.0.2.22 ]
	in_world ping -c1 -W5 192.0.2.22
	ok set web1 network.0.ips-=192.0.2.21
	ok create web2 --image busybox --set network.0.ips=auto4
	[ "$(ip_of web2)" = 192.0.2.21 ]
	fails 74 set web2 network.0.ips+=auto,auto,auto
	# What had been taken by then is free again.
	ok create web3 --image busybox --ip auto --ip auto
	[ "$(ip_of web3)" = 192.0.2.23,192.0.2.24 ]
}

@test "no pool: 74, and how to give one" {
	fails 74 create web1 --image busybox --ip auto
	says 'has no pool'
	says 'vectl host set ip.pool='
	ok host set ip.pool=192.0.2.16/28
	fails 74 create web1 --image busybox --ip auto6
	says 'no pool of IPv6'
	for bad in 192.0.2.1/28 192.0.2.9-192.0.2.1 auto 0.0.0.0/0 fe80::/64; do
		fails 78 host set "ip.pool=$bad"
	done
	ok host show --json
	json '.ip.pool == ["192.0.2.16/28"]'
}

@test "many creates at once get different ones" {
	ok host set ip.pool=192.0.2.64/27
	local i pids=()
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		become_v --quiet create "web$i" --image busybox --ip auto 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ip_of "web$i"; done | sort -u | wc -l)" = 12 ]
	[ "$(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ip_of "web$i"; done | sort -V | tail -1)" = 192.0.2.76 ]
}

@test "an address in somebody else's prefix, and a prefix with somebody else's address: 73, by name" {
	ok create web1 --image busybox --ip 2001:db8:1::1/64 --ip 198.51.100.17/28
	fails 73 create web2 --image busybox --ip 2001:db8:1::77
	says "'2001:db8:1::77' overlaps '2001:db8:1::/64', which belongs to VE 'web1'"
	fails 73 create web2 --image busybox --ip 198.51.100.20
	says web1
	fails 73 create web2 --image busybox --ip 2001:db8:1::1:1/60
	says web1
	fails 73 create web2 --image busybox --ip 2001:db8:1::2/64
	says web1
	ok create web2 --image busybox --ip 203.0.113.9 --ip 2001:db8:2::1
	fails 73 set web1 network.0.ips+=203.0.113.10/24
	says "overlaps '203.0.113.9', which belongs to VE 'web2'"
	fails 73 set web2 network.0.ips+=2001:db8:1::5
	# A prefix is given up with its VE, or with the address.
	ok set web1 network.0.ips-=2001:db8:1::1
	ok set web2 network.0.ips+=2001:db8:1::5
	ok destroy web1
	ok set web2 network.0.ips+=198.51.100.20
	# The pool knows of it too.
	ok host set ip.pool=203.0.113.0/29
	ok create web3 --image busybox --ip 203.0.113.1/30
	ok create web4 --image busybox --ip auto
	[ "$(ip_of web4)" = 203.0.113.4 ]
}

@test "what no VE can have: 78, or 73 where it is the host's" {
	local bad
	for bad in 192.0.2 192.0.2.256 0.0.0.0 127.0.0.1 169.254.1.9 224.0.0.5 255.255.255.255 192.0.2.0/24 192.0.2.255/24 :: ::1 fe80::1 \
		ff02::1 2001:db8::/64 ::ffff:192.0.2.1 192.0.2.7/33 host.example 1.2.3.4/2; do
		fails 78 create web1 --image busybox --ip "$bad"
	done
	fails 73 create web1 --image busybox --ip 192.0.2.2
	says "host's own"
	fails 73 create web1 --image busybox --ip 2001:db8::2
	ve web1 --ip 192.0.2.10
	fails 73 set web1 network.0.ips+=192.0.2.2
	fails 78 set web1 network.0.ips+=192.0.2.0/24
	[ "$(ip_of web1)" = 192.0.2.10 ]
}
