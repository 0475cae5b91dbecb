#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Network managers inside leave the interfaces alone; /etc/hosts and /etc/resolv.conf.
load helpers

setup_file() { world_up && image debian-13 && image debian-managers && inventory >"$BATS_FILE_TMPDIR/inventory"; }

@test "what is told to whom, and only where it is there" {
	ve web1 --ip 192.0.2.10 --set network.3.type=nat
	not v exec web1 -- test -e /run/systemd
	not v exec web1 -- test -e /run/network
	inside web1 sh -c 'mkdir -p /etc/network /etc/NetworkManager /usr/share/dbus-1/system-services &&
		touch /usr/share/dbus-1/system-services/org.freedesktop.network1.service &&
		printf "auto eth0\niface eth0 inet static\n\taddress 10.9.9.9\n\tnetmask 255.0.0.0\n" >/etc/network/interfaces'
	ok restart web1
	inside web1 cat /run/systemd/network/00-vectl.network
	grep -qx 'Name=eth0 eth3' <<<"$output"
	grep -qx 'Unmanaged=yes' <<<"$output"
	inside web1 cat /run/NetworkManager/conf.d/zz-vectl.conf
	grep -qx 'match-device=interface-name:eth0,interface-name:eth3' <<<"$output"
	grep -qx 'managed=0' <<<"$output"
	inside web1 cat /run/network/ifstate
	[ "$output" = $'eth0=eth0\neth3=eth3' ]
	inside web1 sh -c 'cd /run/network; grep . ifstate.eth0 ifstate.eth3'
	[ "$output" = $'ifstate.eth0:eth0\nifstate.eth3:eth3' ]
	# The tenant's own file is as it was.
	inside web1 grep -c . /etc/network/interfaces
	[ "$output" = 4 ]
}

@test "systemd-networkd, with a configuration of the tenant's that matches everything, changes nothing" {
	ok create deb --image debian-13 --ip 192.0.2.50 --start --wait=180
	inside deb sh -c 'printf "[Match]\nName=*\n[Network]\nDHCP=yes\nAddress=10.9.9.9/8\n" >/etc/systemd/network/50-all.network'
	inside deb ip -br addr show dev eth0 scope global
	local before=$output routes
	inside deb ip route
	routes=$output
	ok exec deb -- systemctl start systemd-networkd
	settled() { v exec deb -- networkctl --no-pager --no-legend list | grep -q 'eth0.*unmanaged'; }
	wait_until 30 settled
	inside deb ip -br addr show dev eth0 scope global
	[ "$output" = "$before" ] || { explain "before: $before"; return 1; }
	inside deb ip route
	[ "$output" = "$routes" ]
	in_world ping -c1 -W5 192.0.2.50
}

# ---- each manager as Debian has it, told by the tenant to take eth0, and switched on ---------------------------------

global_addresses() { inside deb sh -c 'ip -br addr show dev eth0 scope global | sed "s/^[^ ]* *//"'; }
# as_given: what a start has brought about, and nothing else.
as_given() {
	global_addresses
	[ "$output" = "$ADDRESSES" ] || { explain "before: $ADDRESSES"; return 1; }
	inside deb sh -c 'ip route; ip -6 route show default'
	[ "$output" = "$ROUTES" ] || { explain "before: $ROUTES"; return 1; }
	in_world ping -q -c1 -W5 192.0.2.50
	in_world ping -q -c1 -W5 2001:db8::50
}

# managed UNIT...: boots a VE in which only these do anything; the tenant's configurations of all of them stand there.
managed() {
	ok create deb --image debian-managers --ip 192.0.2.50 --ip 2001:db8::50 --start --wait=180
	global_addresses
	ADDRESSES=$output
	inside deb sh -c 'ip route; ip -6 route show default'
	ROUTES=$output
	inside deb systemctl disable --quiet systemd-networkd networking NetworkManager
	inside deb systemctl enable --quiet "$@"
}
boot_again() {
	ok restart deb --wait=180
	try v exec deb -- systemctl is-system-running --wait
	[ "$output" = running ] || { v exec deb -- systemctl status --failed --no-pager >&2; return 1; }
}

@test "NetworkManager as a whole system has it: the link stays unmanaged, and what its profile says does not happen" {
	managed NetworkManager
	inside deb sh -c 'umask 077; printf "[connection]\nid=mine\ntype=ethernet\nautoconnect=true\n[ipv4]\nmethod=manual\naddress1=10.9.9.9/8,10.0.0.1\n" >/etc/NetworkManager/system-connections/mine.nmconnection'
	boot_again
	left_alone() { v exec deb -- nmcli -t -f DEVICE,STATE device | grep -qx eth0:unmanaged; }
	inside deb systemctl is-active NetworkManager
	wait_until 30 left_alone
	as_given
}

@test "ifupdown: ifup of all finds the link up already" {
	managed networking
	inside deb sh -c 'printf "auto lo eth0\niface lo inet loopback\niface eth0 inet static\n\taddress 10.9.9.9\n\tnetmask 255.0.0.0\n\tgateway 10.0.0.1\n" >/etc/network/interfaces'
	boot_again
	inside deb systemctl is-active networking
	as_given
	inside deb ifup -a
	as_given
}

@test "netplan, for systemd-networkd and for NetworkManager" {
	local renderer unit
	managed systemd-networkd
	for renderer in networkd NetworkManager; do
		unit=${renderer/#networkd/systemd-networkd}
		inside deb sh -c "umask 077; printf 'network:\n  version: 2\n  renderer: $renderer\n  ethernets:\n    eth0:\n      addresses: [10.9.9.9/8]\n      routes: [{to: default, via: 10.0.0.1}]\n' >/etc/netplan/50-mine.yaml"
		inside deb systemctl enable --quiet "$unit"
		boot_again
		inside deb systemctl is-active "$unit"
		inside deb find /run/systemd/network /run/NetworkManager -name '*netplan*'
		[[ $output == *netplan* ]] # it has said what it wants
		as_given
		inside deb systemctl disable --quiet "$unit"
	done
}

@test "/etc/hosts has the VE's name, and what its owner wrote stays" {
	ve web1 --ip 192.0.2.10
	inside web1 cat /etc/hosts
	grep -qP '^192\.0\.2\.10\tweb1\t# set by vectl$' <<<"$output"
	grep -q '^127.0.0.1.*localhost' <<<"$output"
	inside web1 sh -c 'echo "192.0.2.99 db" >>/etc/hosts'
	ok set web1 hostname=www.example.org
	ok restart web1
	inside web1 cat /etc/hosts
	grep -qP '^192\.0\.2\.10\twww.example.org\t# set by vectl$' <<<"$output"
	grep -q '^192.0.2.99 db' <<<"$output"
	[ "$(grep -c 'set by vectl' <<<"$output")" = 1 ]
	# Links lead nowhere but where the VE's root could go itself, and are left as they are.
	inside web1 sh -c 'ln -sf /etc/passwd /etc/hosts; cp /etc/passwd /root/before'
	ok restart web1
	inside web1 cmp /etc/passwd /root/before
}
