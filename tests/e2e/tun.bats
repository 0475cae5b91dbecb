#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# features.tun: a VPN program inside a VE has its device, and only with it.
load helpers

# put NAME: the program, into the VE.
put() { v exec "$1" -- sh -c 'cat >/root/tunnel && chmod 755 /root/tunnel' <"$O/tunnel"; }

# connect NAME OWN PEER OTHER: a tunnel from VE NAME to the address PEER; inside it OWN talks to OTHER.
connect() {
	v exec "$1" -- sh -c "/root/tunnel tun0 5000 $3 </dev/null >/root/log 2>&1 &"
	wait_until 5 v exec "$1" -- ip addr add "$2/32" dev tun0
	v exec "$1" -- ip link set tun0 up
	v exec "$1" -- ip route add "$4/32" dev tun0
}

@test "a tunnel between two VEs, through the host's routing" {
	ve web1 --ip 192.0.2.10 --set features.tun=on
	ve web2 --ip 192.0.2.11 --set features.tun=on
	put web1
	put web2
	connect web1 10.99.0.1 192.0.2.11 10.99.0.2
	connect web2 10.99.0.2 192.0.2.10 10.99.0.1
	wait_until 5 v exec web1 -- ping -c1 -W1 10.99.0.2
	v exec web2 -- ping -c1 -W2 10.99.0.1
	# The interface is the VE's, not the host's; and the packets in it are nobody's business.
	not on_host ip link show tun0
	ok restart web1
	v exec web1 -- sh -c 'ls -l /dev/net/tun | grep -q "^crw-rw-rw-.*root.*root.*10, *200"'
}

@test "without it there is no device, and a node of one's own does not open" {
	ve web1
	put web1
	try v exec web1 -- /root/tunnel tun0 5000 192.0.2.1
	is 1
	says '/dev/net/tun'
	not v exec web1 -- test -e /dev/net
	not v exec web1 -- mknod /root/tun c 10 200
	fails 79 set web1 features.tun=on
	ok set web1 features.tun=on --restart
	v exec web1 -- test -c /dev/net/tun
	# Nothing else of the host's misc devices is open with it.
	try v exec web1 -- sh -c 'mknod /root/fuse c 10 229 && : </root/fuse'
	[ "$status" -ne 0 ]
	ok set web1 features.tun=off --restart
	not v exec web1 -- test -e /dev/net/tun
}
