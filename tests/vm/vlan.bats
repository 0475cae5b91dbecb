#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What needs a kernel whose bridges filter VLANs and follow connections, as Debian's do: in the guests only.
#
#   host   br7, which filters VLANs; its port trunk0 carries VLAN 7 and 8, tagged
#   world  trunk0 at the other end, and on it trunk0.7 (198.18.7.1) and trunk0.8 (198.18.8.1): who hears what with which tag
load ../e2e/helpers

setup_file() {
	modprobe -a 8021q nf_conntrack_bridge
	world_up || return 1
	on_host ip link add br7 type bridge vlan_filtering 1
	on_host ip link add trunk0 type veth peer name trunk0 netns "$WORLD_NS"
	on_host ip link set trunk0 master br7
	# An address that is still being looked for by others would come after the first look.
	on_host ip link set br7 addrgenmode none
	on_host ip link set trunk0 addrgenmode none
	local vid
	for vid in 7 8; do
		on_host bridge vlan add dev trunk0 vid $vid
		in_world ip link add link trunk0 name trunk0.$vid type vlan id $vid
		in_world ip addr add 198.18.$vid.1/24 dev trunk0.$vid
	done
	on_host ip link set br7 up
	on_host ip link set trunk0 up
	in_world ip link set trunk0 up
	in_world ip link set trunk0.7 up
	in_world ip link set trunk0.8 up
	inventory >"$BATS_FILE_TMPDIR/inventory"
}

# in_vlan NAME VID ADDRESS [CREATE-OPTION]...
in_vlan() {
	ve "$1" --set network.0.type=bridged --set network.0.bridge=br7 --set "network.0.vlan=$2" --ip "$3/24" \
		--set "network.0.gateway=198.18.$2.1" "${@:4}"
	v exec "$1" -- sh -c 'cat >/root/frames && chmod 755 /root/frames' <"$O/frames"
}
send() { v exec "$1" -- /root/frames send eth0 "${@:2}"; }
mac_of() { v exec "$1" -- cat /sys/class/net/eth0/address; }

# watch NAME COMMAND...: a witness; COMMAND leads to where it stands (world IFACE, or a VE). heard NAME WORD: the first thing
# that it heard was WORD, so that what was sent before has not come.
WATCHERS=()
watch() {
	local file=$BATS_TEST_TMPDIR/$1
	rm -f "$file"
	case $2 in
	world) become_world "$O/frames" watch "$3" 120 HONE FORG >"$file" 3>&- & ;;
	*) become_v exec "$2" -- /root/frames watch eth0 120 HONE FORG >"$file" 3>&- & ;;
	esac
	WATCHERS+=($!)
	wait_until 20 grep -q watching "$file"
}
heard() { wait_until 20 grep -q "${2:0:4}" "$BATS_TEST_TMPDIR/$1" || { echo "$1 expected $2, heard: $(cat "$BATS_TEST_TMPDIR/$1")" >&2; return 1; }; }

teardown() {
	local pid
	for pid in "${WATCHERS[@]}"; do kill "$pid" 2>/dev/null || true; done
	destroy_all
	same_as_before
}

@test "a VE in a VLAN: tagged on the trunk, untagged inside; those of one VLAN reach each other, those of another do not hear them" {
	in_vlan web1 7 198.18.7.10
	in_vlan web2 7 198.18.7.11
	in_vlan web3 8 198.18.8.10
	v exec web1 -- ping -c1 -W20 198.18.7.1
	v exec web1 -- ping -c1 -W20 198.18.7.11
	v exec web3 -- ping -c1 -W20 198.18.8.1
	in_world ping -c1 -W20 198.18.7.10
	[ "$(on_host bridge -j vlan show | jq -r '[.[] | select(.ifname | startswith("vz")) | .vlans[] | "\(.vlan) \(.flags | sort | join(","))"] | sort | unique | join(";")')" = \
		"7 Egress Untagged,PVID;8 Egress Untagged,PVID" ]
	# To all: the other one of VLAN 7 and the world in VLAN 7 hear it, VLAN 8 hears what is its own, and nothing before it.
	watch same web2
	watch other web3
	watch world7 world trunk0.7
	watch world8 world trunk0.8
	send web1 "udp4,sip=198.18.7.10,dip=255.255.255.255,mark=FORGED"
	heard same FORGED
	heard world7 FORGED
	in_world "$O/frames" send trunk0.8 "udp4,sip=198.18.8.1,dip=255.255.255.255,mark=HONEST"
	heard other HONEST
	send web3 "udp4,sip=198.18.8.10,dip=255.255.255.255,mark=HONEST"
	heard world8 HONEST
}

@test "tags out of a VE: its own, another's, none's (0), two of them: nothing of it arrives, with the rules and without them" {
	in_vlan web1 7 198.18.7.10
	in_vlan web3 8 198.18.8.10
	local to tag
	to="dip=255.255.255.255"
	watch trunk world trunk0
	watch other web3
	watch world8 world trunk0.8
	for tag in vlan=7 vlan=8 vlan=0 vlan=7:8 vlan=8:7 vlan=8,tpid=88a8 vlan=7:8,tpid=88a8 vlan=1; do
		send web1 "udp4,sip=198.18.7.10,$to,$tag,mark=FORGED" "udp4,sip=198.18.8.10,$to,$tag,mark=FORGED"
	done
	send web1 "udp4,sip=198.18.7.10,$to,mark=HONEST"
	heard trunk HONEST
	in_world "$O/frames" send trunk0.8 "udp4,sip=198.18.8.1,dip=255.255.255.255,mark=HONEST"
	heard other HONEST
	send web3 "udp4,sip=198.18.8.10,$to,mark=HONEST"
	heard world8 HONEST
	# The port itself is in VLAN 7 alone: another VLAN's frames are the bridge's to drop.
	on_host nft flush ruleset
	watch bare8 world trunk0.8
	watch bareve web3
	watch bare7 world trunk0.7
	for tag in vlan=8 vlan=8:7 vlan=1; do send web1 "udp4,sip=198.18.7.10,$to,$tag,mark=FORGED"; done
	send web1 "udp4,sip=198.18.7.66,$to,mark=HONEST"
	heard bare7 HONEST
	in_world "$O/frames" send trunk0.8 "udp4,sip=198.18.8.1,dip=255.255.255.255,mark=HONEST"
	heard bareve HONEST
	send web3 "udp4,sip=198.18.8.10,$to,mark=HONEST"
	heard bare8 HONEST
	ok recover
	ve web4 # the table for nat comes back with the next one that needs it
}

@test "a bridge without filtering is refused with the way to switch it on; vectl0 filters from the first VE that is in a VLAN" {
	on_host ip link add br8 type bridge
	fails 78 create web1 --image busybox --set network.0.type=bridged --set network.0.bridge=br8 --set network.0.vlan=7 \
		--ip 198.18.7.10/24 --start
	says "ip link set br8 type bridge vlan_filtering 1"
	on_host ip link del br8
	ve web1 --set network.0.type=bridged --set network.0.vlan=7 --ip 198.18.7.10/24
	ve web2 --set network.0.type=bridged --set network.0.vlan=8 --ip 198.18.7.11/24
	ve web3 --set network.0.type=bridged --set network.0.vlan=7 --ip 198.18.7.12/24
	v exec web1 -- ping -c1 -W20 198.18.7.12
	not v exec web1 -- ping -c1 -W2 198.18.7.11
}

# opens ADDRESS PORT: from the world.
opens() { in_world timeout 5 socat -u /dev/null "TCP:$1:$2,connect-timeout=3"; }

@test "firewall of a bridged VE: what it may answer and what belongs to what it asked passes, nothing else" {
	in_vlan web1 7 198.18.7.10 --set "firewall.in=allow tcp 22" --set "firewall.out=allow tcp 8080; allow icmp"
	v exec web1 -- sh -c 'nc -ll -p 22 -e cat >/dev/null 2>&1 </dev/null & nc -ll -p 80 -e cat >/dev/null 2>&1 </dev/null &'
	wait_until 20 v exec web1 -- sh -c 'netstat -ltn | grep -q ":80 " && netstat -ltn | grep -q ":22 "'
	wait_until 30 opens 198.18.7.10 22
	not opens 198.18.7.10 80
	not in_world ping -c1 -W3 198.18.7.10
	# Its own questions are answered: echo, and a connection with much in both directions.
	v exec web1 -- ping -c1 -W20 198.18.7.1
	become_world socat TCP-LISTEN:8080,reuseaddr,fork EXEC:cat 3>&- &
	WATCHERS+=($!)
	talks() { [ "$(v exec web1 -- sh -c "head -c 200000 /dev/zero | nc -w 5 198.18.7.1 $1 | wc -c")" = 200000 ]; }
	wait_until 30 talks 8080
	become_world socat TCP-LISTEN:8081,reuseaddr,fork EXEC:cat 3>&- &
	WATCHERS+=($!)
	wait_until 20 in_world timeout 5 socat -u /dev/null TCP:198.18.7.1:8081,connect-timeout=3
	not talks 8081
	# A connection that was allowed goes on when the rules change; a new one is not.
	coproc CLIENT { become_world socat -t 60 - TCP:198.18.7.10:22 3>&-; }
	local client=$CLIENT_PID line
	echo one >&"${CLIENT[1]}"
	read -rt 20 line <&"${CLIENT[0]}"
	[ "$line" = one ]
	ok set web1 "firewall.in=deny tcp 22; allow icmp"
	echo two >&"${CLIENT[1]}"
	read -rt 20 line <&"${CLIENT[0]}"
	[ "$line" = two ]
	kill "$client"
	not opens 198.18.7.10 22
	in_world ping -c1 -W20 198.18.7.10
}
