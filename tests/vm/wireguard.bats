#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# WireGuard between two VEs: its interface is made by netlink in the VE's own network namespace, without features.tun. In the guests
# only, as it needs a kernel with WireGuard; wg(8) is carried into the VEs with the C library it is linked to.
load ../e2e/helpers

# The host's programs stand in the store's own world, as in the end-to-end tests.
setup_file() {
	modprobe wireguard
	world_up
}

# carry NAME: wg, the loader and the C library, to /root/wg.
carry() {
	local file
	v exec "$1" -- mkdir -p /root/wg
	for file in "$(command -v wg)" $(ldd "$(command -v wg)" | grep -o '/[^ ]*'); do
		v exec "$1" -- sh -c "cat >/root/wg/${file##*/} && chmod 755 /root/wg/${file##*/}" <"$(realpath "$file")"
	done
}
wg_in() {
	local name=$1
	shift
	v exec "$name" -- sh -c "cd /root/wg && ./ld-linux-x86-64.so.2 --library-path . ./wg $*"
}

# peer NAME OWN KEY-FILE PEER-KEY PEER-ADDRESS PEER-OWN
peer() {
	v exec "$1" -- sh -c 'cat >/root/key && chmod 600 /root/key' <"$3"
	v exec "$1" -- ip link add wg0 type wireguard
	wg_in "$1" set wg0 private-key /root/key listen-port 51820 peer "$4" endpoint "$5:51820" allowed-ips "$6/32"
	v exec "$1" -- ip addr add "$2/32" dev wg0
	v exec "$1" -- ip link set wg0 up
	v exec "$1" -- ip route add "$6/32" dev wg0
}

@test "WireGuard between two VEs" {
	local k=$BATS_TEST_TMPDIR
	wg genkey >"$k/a"
	wg genkey >"$k/b"
	ve web1 --ip 192.0.2.10
	ve web2 --ip 192.0.2.11
	carry web1
	carry web2
	peer web1 10.99.0.1 "$k/a" "$(wg pubkey <"$k/b")" 192.0.2.11 10.99.0.2
	peer web2 10.99.0.2 "$k/b" "$(wg pubkey <"$k/a")" 192.0.2.10 10.99.0.1
	wait_until 30 v exec web1 -- ping -c1 -W2 10.99.0.2
	v exec web2 -- ping -c1 -W5 10.99.0.1
	# What went between them was not in clear: the rules of the host have seen UDP.
	wg_in web1 show wg0 latest-handshakes | grep -q '[1-9]'
	not on_host ip link show wg0
}
