#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The fast path (lib/net/fastpath.c): what takes it is counted to the byte, is what the rules would have let pass, and what has
# changed is so from the next packet on. The frames are made by frames.c, as a VE's root could: each test sends a flow until the rules
# see it no more (burst), and then what differs from it, in one go. Behind what must not arrive goes something that does; who looks
# sees the one and not the other. No time is waited for; what would be late shows as a packet that the rules have seen.
load helpers

setup_file() {
	world_up
	# What is sent to the ports 7000 to 7999 ends here, and is counted.
	in_world nft -f - <<-'END'
		table inet sink {
			counter all4 { }
			counter all6 { }
			chain in {
				type filter hook prerouting priority -500
				meta l4proto { 6, 17 } th dport 7000-7999 meta nfproto ipv4 counter name all4 drop
				meta l4proto { 6, 17 } th dport 7000-7999 counter name all6 drop
			}
		}
	END
	# The host's kernel says nothing to VEs by itself (neighbours, groups), which would be counted when it comes to its mind.
	on_host nft 'table inet quiet { chain out { type filter hook output priority 0; oifname "vz*" icmpv6 type { 130-132, 133-137, 143 } drop; }; }'
	# What `vectl host set` makes is no left-over.
	v --quiet host set fastpath=off
	v --quiet host set fastpath=on
	inventory >"$BATS_FILE_TMPDIR/inventory"
}

FRAMES=$O/frames MAPS=$O/tests/e2e/fastpath_maps
declare -gA INIT HOST_END VE_MAC HOST_MAC

mac_in() { "${@:2}" ip -o link show "$1" | sed -E 's/.*link\/ether ([^ ]*).*/\1/'; }
in_net() { nsenter --net="/proc/${INIT[$1]}/ns/net" -- "${@:2}"; }

# known NAME ADDRESS4 [ADDRESS6]: what the helpers below want to know of the VE NAME. It says nothing by itself from now on: no IPv6 of
# the kernel's, no answers to what comes to the ports 7000 to 7999; and nobody asks it where it is.
known() {
	local name=$1 address
	INIT[$name]=$(init_pid "$name")
	HOST_END[$name]=$(on_host ip -o route get "$2" | sed -E 's/.* dev ([^ ]*).*/\1/')
	VE_MAC[$name]=$(mac_in eth0 in_net "$name")
	HOST_MAC[$name]=$(mac_in "${HOST_END[$name]}" on_host)
	WORLD_TO=$(mac_in up0 on_host)
	in_net "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	in_net "$name" nft 'table inet sink { chain in { type filter hook prerouting priority -500; meta l4proto { 6, 17 } th dport 7000-7999 drop; }; }'
	for address in "${@:2}"; do
		on_host ip neigh replace "$address" lladdr "${VE_MAC[$name]}" dev "${HOST_END[$name]}" nud permanent
	done
}
both() { # NAME 10: 192.0.2.10 and 2001:db8::10
	ve "$1" --ip "192.0.2.$2" --ip "2001:db8::$2" "${@:3}"
	known "$1" "192.0.2.$2" "2001:db8::$2"
}

teardown() {
	# A look that has not seen its end, and other servants: the shell of each, and what runs in it.
	local job
	for job in $(jobs -p); do
		pkill -P "$job" || true
		kill "$job" 2>/dev/null || true
	done
	[ -z "${NESTED-}" ] || ip netns delete "$NESTED"
	on_host ip link set up0 mtu 1500
	is_fast up0 || on_host tc qdisc del dev up0 clsact 2>/dev/null || true
	destroy_all
	same_as_before
}

# Frames to the host's end, or from the world to the host's uplink.
ve_sends() {
	local name=$1 spec list=()
	shift
	for spec in "$@"; do list+=("$spec,dst=${HOST_MAC[$name]}"); done
	in_net "$name" "$FRAMES" send eth0 "${list[@]}"
}
world_sends() {
	local spec list=()
	for spec in "$@"; do list+=("$spec,dst=$WORLD_TO"); done
	in_world "$FRAMES" send up0 "${list[@]}"
}

# look NAME WHERE... -- IFACE: who sees frames there from now on; the file NAME gets a line for each with FORGED or HONEST in it, and
# the look ends with the first that has THEEND.
look() {
	local file=$BATS_TEST_TMPDIR/$1 where=()
	shift
	while [ "$1" != -- ]; do where+=("$1"); shift; done
	: >"$file"
	"${where[@]}" "$FRAMES" look "$2" 60 FORGED HONEST THEEND >"$file" 3>&- &
	wait_until 5 grep -q watching "$file"
}
seen() { wait_until 10 grep -q THEEND "$BATS_TEST_TMPDIR/$1" || { cat "$BATS_TEST_TMPDIR/$1" >&2; return 1; }; }
none_above_1300() { awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^len=/ && substr($i, 5) + 0 > 1300) exit 1 }' "$BATS_TEST_TMPDIR/world"; }
no_forged() { ! grep FORGED "$BATS_TEST_TMPDIR/$1" >&2; }
lines() { grep -c "$2" "$BATS_TEST_TMPDIR/$1"; }

# Packets that the rules have counted: NAME KIND (out4 out6 in4 in6).
ruled() { on_host nft list counter inet vectl "${HOST_END[$1]}_$2" | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
arrived() { in_world nft list counter inet sink "all$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
figure() { v traffic "$1" --json | jq -r ".ves[0] | $2"; }
figure_is() { local got; got=$(figure "$1" "$2") && [ "$got" = "$3" ] || { echo "$1 $2: $got, not $3" >&2; return 1; }; }
saved() { "$VECTL" traffic "$1" --json | jq -r ".ves[0] | $2"; }
is_saved() { [ "$(saved "$1" "$2")" = "$3" ]; }
# counts NAME DIRECTION FAMILY: "packets bytes", as the document has it.
counts() { figure "$1" ".$2.ipv$3 | \"\(.packets) \(.bytes)\""; }
counts_are() { local got; got=$(counts "$1" "$2" "$3") && [ "$got" = "$4" ] || { echo "$1 $2 $3: $got, not $4" >&2; return 1; }; }

is_fast() { on_host tc qdisc show dev "$1" | grep -q 'clsact.* ingress_block 1986330625 egress_block 1986330626'; }
maps() { on_host "$MAPS"; }

# A flow that the rules see no more: of its packets so many as a test sends, half would be very many.
burst() { echo "$1,times=${2:-40},mark=HONEST"; }

# spec FAMILY PROTOCOL FROM TO: of VE numbers or "world".
spec() {
	local family=$1 proto=$2 a=$3 b=$4 four=192.0.2. six=2001:db8::
	[ "$a" != world ] || a=1
	[ "$b" != world ] || b=1
	if [ "$family" = 4 ]; then echo "${proto}4,sip=$four$a,dip=$four$b,dport=7001,hop=64"
	else echo "${proto}6,sip=$six$a,dip=$six$b,dport=7001,hop=64"; fi
}

# ---- counting ---------------------------------------------------------------------------------------------------

@test "UDP and TCP, IPv4 and IPv6, out of a VE and into it: the rules see few packets, the counters all, to the byte" {
	both web1 10
	figure_is web1 .in.ipv6.packets 0
	is_fast up0
	is_fast "${HOST_END[web1]}"
	local family proto way rules before after n=600 size=100
	for family in 4 6; do
		for proto in udp tcp; do
			local length=$((size + (family == 4 ? 20 : 40)))
			[ "$proto" = udp ] && length=$((length + 8)) || length=$((length + 20))
			for way in out in; do
				rules=$(ruled web1 "$way$family") before=$(counts web1 "$way" "$family")
				if [ "$way" = out ]; then
					local here
					here=$(arrived "$family")
					ve_sends web1 "$(spec "$family" "$proto" 10 world),size=$size,times=$n"
					arrived_all() { [ "$(arrived "$family")" = $((here + n)) ]; }
					wait_until 10 arrived_all
				else
					world_sends "$(spec "$family" "$proto" world 10),size=$size,times=$n"
				fi
				after="$((${before% *} + n)) $((${before#* } + n * length))"
				wait_until 10 counts_are web1 "$way" "$family" "$after" || { counts web1 "$way" "$family"; echo "$after"; false; } >&2
				rules=$(($(ruled web1 "$way$family") - rules))
				[ "$rules" -ge 1 ] && [ "$rules" -lt $((n / 2)) ] || { echo "$proto$family $way: the rules saw $rules of $n" >&2; false; }
			done
		done
	done
}

@test "from one VE to another: both count" {
	both web1 10
	both web2 11
	local family rules other out in n=400
	for family in 4 6; do
		out=$(counts web1 out "$family") in=$(counts web2 in "$family")
		rules=$(ruled web1 "out$family") other=$(ruled web2 "in$family")
		ve_sends web1 "$(spec "$family" udp 10 11),size=200,times=$n"
		local length=$((200 + 8 + (family == 4 ? 20 : 40)))
		wait_until 10 counts_are web2 in "$family" "$((${in% *} + n)) $((${in#* } + n * length))"
		counts_are web1 out "$family" "$((${out% *} + n)) $((${out#* } + n * length))"
		[ $(($(ruled web1 "out$family") - rules)) -lt $((n / 2)) ]
		[ $(($(ruled web2 "in$family") - other)) -lt $((n / 2)) ]
	done
}

@test "booked once: by the monitor, by the end, over a restart, with the rules' counters reset" {
	export VE_ACCOUNT_MS=50
	both web1 10
	local sum
	send() { ve_sends web1 "$(spec 4 udp 10 world),times=$1"; }
	sum=$(figure web1 .total.out.ipv4.packets)
	send 300
	wait_until 10 is_saved web1 .total.out.ipv4.packets $((sum + 300))
	sum=$((sum + 300))
	# What is booked is subtracted once.
	figure_is web1 .total.out.ipv4.packets "$sum"
	# A reset is noted by the next look.
	local ledger noted
	ledger=$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)/traffic
	noted=$(stat -c %y "$ledger")
	on_host nft reset counters >/dev/null
	has_noted() { [ "$(stat -c %y "$ledger")" != "$noted" ]; }
	wait_until 10 has_noted
	figure_is web1 .total.out.ipv4.packets "$sum"
	send 200
	wait_until 10 is_saved web1 .total.out.ipv4.packets $((sum + 200))
	sum=$((sum + 200))
	# A monitor that is no more: the next one books what came meanwhile.
	local pid
	pid=$(monitor_pid web1)
	kill -9 "$pid"
	wait_until 5 gone "$pid"
	send 100
	is_saved web1 .total.out.ipv4.packets "$sum"
	wait_until 10 figure_is web1 .total.out.ipv4.packets $((sum + 100))
	ok recover
	wait_until 10 is_saved web1 .total.out.ipv4.packets $((sum + 100))
	sum=$((sum + 100))
	# The end books what the minute has not.
	kill -STOP "$(monitor_pid web1)"
	send 150
	wait_until 10 figure_is web1 .total.out.ipv4.packets $((sum + 150))
	kill -CONT "$(monitor_pid web1)"
	ok stop web1
	sum=$((sum + 150))
	is_saved web1 .total.out.ipv4.packets "$sum"
	figure_is web1 .total.out.ipv4.packets "$sum"
	[ -z "$(maps)" ]
	ok start web1
	known web1 192.0.2.10 2001:db8::10
	figure_is web1 .total.out.ipv4.packets "$sum"
	send 120
	wait_until 10 figure_is web1 .total.out.ipv4.packets $((sum + 120))
	ok restart web1
	known web1 192.0.2.10 2001:db8::10
	figure_is web1 .total.out.ipv4.packets $((sum + 120))
	ok destroy --force web1
}

@test "TCP of the kernel's own, with segments as large as it makes them: what it says it sent is what is counted" {
	ve web1 --ip 192.0.2.10
	known web1 192.0.2.10
	in_net web1 nft 'table ip truth { counter in { }; counter out { }; chain a { type filter hook prerouting priority -400; iif eth0 counter name in; }; chain b { type filter hook postrouting priority 400; oif eth0 counter name out; }; }'
	truth() { in_net web1 nft list counter ip truth "$1" | sed -n 's/.*packets \([0-9]*\) bytes \([0-9]*\).*/\1 \2/p'; }
	become_world socat -u TCP-LISTEN:8001,reuseaddr OPEN:/dev/null 3>&- &
	local sink=$! rules
	wait_until 5 listens_in_world 8001
	local out in
	out=$(counts web1 out 4) in=$(counts web1 in 4)
	[ "$out $in" = "0 0 0 0" ]
	rules=$(ruled web1 out4)
	head -c 20000000 /dev/zero | in_net web1 socat -u STDIN TCP:192.0.2.1:8001
	wait $sink
	same_as_truth() { [ "$(counts web1 out 4)" = "$(truth out)" ] && [ "$(counts web1 in 4)" = "$(truth in)" ]; }
	wait_until 10 same_as_truth || { counts web1 out 4; truth out; counts web1 in 4; truth in; false; } >&2
	out=$(counts web1 out 4)
	[ "${out#* }" -gt 20000000 ]
	[ $(($(ruled web1 out4) - rules)) -lt $((${out% *} / 2)) ]
}
listens_in_world() { in_world ss -ltn | grep -q ":$1 "; }

# ---- what differs from a known packet ---------------------------------------------------------------------------

@test "what arrives has a hop less, a right sum, and the addresses of its wire" {
	both web1 10
	local family to
	to=$(mac_in up0 in_world)
	for family in 4 6; do
		look world in_world -- up0
		ve_sends web1 "$(burst "$(spec "$family" udp 10 world)")" "$(spec "$family" udp 10 world),mark=THEEND"
		seen world
		[ "$(lines world HONEST)" = 40 ]
		[ "$(grep -cE "HONEST ip=$family proto=17 len=[0-9]+ hop=63 sum=ok frag=no to=$to from=$WORLD_TO\$" "$BATS_TEST_TMPDIR/world")" = 40 ]
		look inside in_net web1 -- eth0
		world_sends "$(burst "$(spec "$family" tcp world 10)")" "$(spec "$family" tcp world 10),mark=THEEND"
		seen inside
		[ "$(grep -cE "HONEST ip=$family proto=6 len=[0-9]+ hop=63 sum=ok frag=no to=${VE_MAC[web1]} from=${HOST_MAC[web1]}\$" "$BATS_TEST_TMPDIR/inside")" = 40 ]
	done
}

# forge FAMILY: what a VE's root could send once its flow is known, and nobody may see.
forge() {
	local known
	known=$(spec "$1" udp 10 world),mark=FORGED
	echo "$known,src=02:66:66:66:66:66"
	echo "$known,src=${VE_MAC[web2]}"
	echo "$known,vlan=7"
	echo "$known,vlan=7:8"
	echo "$known,hop=1"
	echo "$known,hop=0"
	if [ "$1" = 4 ]; then
		echo "$known,sip=192.0.2.11"
		echo "$known,sip=192.0.2.66"
		echo "$known,sip=192.0.2.11,frag=next"
		echo "$known,sip=192.0.2.66,ipopt=1"
	else
		echo "$known,sip=2001:db8::11"
		echo "$known,sip=2001:db8::66"
		echo "$known,sip=2001:db8::66,ext=dst"
	fi
}

# forged_from RUN: forgeries behind a burst of what is known; RUN sends from web1's wire.
forged_from() {
	local family forged rules
	# The other VE's flow, so that its addresses and ports are known, too, though not from here.
	for family in 4 6; do
		mapfile -t forged < <(forge "$family")
		forged=("${forged[@]/#/}")
		look world in_world -- up0
		rules=$(ruled web1 "out$family")
		local other
		other=$(spec "$family" udp 11 world),sport=6011
		ve_sends web2 "$(burst "$other")"
		"$@" "$(burst "$(spec "$family" udp 10 world)")" "${forged[@]}" "$other,mark=FORGED" "$(spec "$family" udp 10 world),mark=THEEND"
		seen world
		no_forged world
		[ $(($(ruled web1 "out$family") - rules)) -lt 20 ]
	done
}

@test "hostile: with a flow known, another MAC, address, interface, tag, or no hop left do not pass in its shadow" {
	both web1 10
	both web2 11
	forged_from ve_sends web1
}

@test "hostile: the same from a network namespace nested in the VE, behind a bridge of its own" {
	both web1 10
	both web2 11
	# As in hostile-net.bats: the VE's MAC moves in there.
	in_net web1 ip link add br0 type bridge
	in_net web1 nft delete table inet sink # a bridge may ask the rules for IP, too
	NESTED=ve2en-${VECTL_ROOT##*.}
	ip netns add "$NESTED"
	in_net web1 ip link add inner type veth peer name eth0 netns "$NESTED"
	in_net web1 ip link set inner master br0
	in_net web1 ip link set eth0 master br0
	in_net web1 ip link set eth0 address 02:de:ad:00:00:01
	in_net web1 ip link set inner up type bridge_slave learning off
	in_net web1 ip link set br0 up
	in_nested() { nsenter --net="/run/netns/$NESTED" -- "$@"; }
	in_nested ip link set eth0 address "${VE_MAC[web1]}" up
	forwarding() { [ "$(in_net web1 ip -d -o link show master br0 | grep -c 'state forwarding')" = 2 ]; }
	wait_until 10 forwarding
	nested_sends() {
		local spec list=()
		for spec in "$@"; do list+=("$spec,dst=${HOST_MAC[web1]}"); done
		in_nested "$FRAMES" send eth0 "${list[@]}"
	}
	forged_from nested_sends
}

@test "hostile: fragments and options of a known flow take the long way, and arrive once; no hop left: the sender hears of it" {
	both web1 10
	local family known
	for family in 4 6; do
		known=$(spec "$family" udp 10 world)
		look world in_world -- up0
		local rules odd=("$known,frag=first,mark=HONEST" "$known,frag=next,mark=HONEST")
		if [ "$family" = 4 ]; then odd+=("$known,ipopt=1,mark=HONEST"); else odd+=("$known,ext=dst,mark=HONEST"); fi
		ve_sends web1 "$known,times=40"
		rules=$(ruled web1 "out$family")
		ve_sends web1 "${odd[@]}" "$known,mark=THEEND"
		seen world
		# Two pieces that are no whole: where connections of IPv4 are tracked (it is, since the file's first VE), they stay there.
		local arrives=$((family == 4 ? 1 : 3))
		[ "$(lines world 'HONEST.* hop=63 sum=ok')" = "$arrives" ] || { cat "$BATS_TEST_TMPDIR/world" >&2; false; }
		[ "$(lines world 'HONEST.* frag=yes')" = $((arrives - 1)) ]
		[ $(($(ruled web1 "out$family") - rules)) -ge "$arrives" ]
		# The answer has what it answers in it.
		look world in_world -- up0
		look inside in_net web1 -- eth0
		ve_sends web1 "$known,times=40" "$known,hop=1,mark=FORGED" "$known,mark=THEEND"
		seen world
		no_forged world
		wait_until 10 grep -q "FORGED ip=$family proto=\(1\|58\) " "$BATS_TEST_TMPDIR/inside"
	done
}

@test "hostile: larger than the uplink's MTU is not forwarded whole, neither as a packet nor as one to be cut" {
	on_host ip link set up0 mtu 1400
	both web1 10
	on_host ip link set up0 mtu 1300
	in_net web1 ip link set eth0 mtu 9000
	local known
	known=$(spec 4 udp 10 world)
	look world in_world -- up0
	ve_sends web1 "$known,times=40" "$known,size=1350,mark=HONEST" "$known,size=1272,mark=HONEST" "$known,size=1273,mark=HONEST" "$known,mark=THEEND"
	seen world
	[ "$(lines world 'HONEST.* len=1300 .*frag=no')" = 1 ]
	[ "$(lines world 'HONEST.*frag=yes')" = 2 ]
	none_above_1300 || { cat "$BATS_TEST_TMPDIR/world" >&2; false; }
	known=$(spec 6 udp 10 world)
	look world in_world -- up0
	ve_sends web1 "$known,times=40" "$known,size=1252,mark=HONEST" "$known,size=1253,mark=FORGED" "$known,mark=THEEND"
	seen world
	no_forged world
	[ "$(lines world HONEST)" = 1 ]
	# Packets that are cut into smaller ones on the way, those too large, of the kernel's own making.
	cat >"$BATS_TEST_TMPDIR/cut.py" <<-'PYTHON'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(0, 10, 3)  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: as large as the own interface takes it
		s.bind(("192.0.2.10", 5000))
		s.connect(("192.0.2.1", 7001))
		def send(size, mark, n=3):
		    s.setsockopt(17, 103, size)  # UDP_SEGMENT
		    s.send((mark + b"\0" * (size - len(mark))) * n)
		s.send(b"x" * 10)
		for i in range(20):
		    send(1272, b"HONEST")
		s.setsockopt(0, 10, 3)
		for i in range(3):
		    try:
		        send(1273 + 40 * i, b"FORGED")
		    except OSError:
		        pass  # the router's answer to the one before
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.sendto(b"THEEND", ("192.0.2.1", 7001))
	PYTHON
	look world in_world -- up0
	in_net web1 python3 "$BATS_TEST_TMPDIR/cut.py"
	seen world
	no_forged world
	[ "$(lines world HONEST)" -ge 20 ]
}

@test "what the host's own rules make of packets is made of all; what is no VE's they see to the last packet" {
	both web1 10
	on_host nft 'table inet host { chain f { type filter hook forward priority 10; oif up0 udp dport 7002 ip dscp set cs1; oif up0 udp dport 7003 ip ttl set 9; }; }'
	look world in_world -- up0
	ve_sends web1 "$(spec 4 udp 10 world),dport=7003,times=40,mark=HONEST" "$(spec 4 udp 10 world),mark=THEEND"
	seen world
	[ "$(lines world 'HONEST.* hop=9 sum=ok')" = 40 ]
	in_world nft 'table inet marked { counter cs1 { }; chain a { type filter hook prerouting priority -510; udp dport 7002 ip dscp cs1 counter name cs1; }; }'
	ve_sends web1 "$(spec 4 udp 10 world),dport=7002,times=40"
	all_marked() { in_world nft list counter inet marked cs1 | grep -q 'packets 40 '; }
	wait_until 10 all_marked
	in_world nft delete table inet marked
	on_host nft delete table inet host
	# Under the host's address, as the host has it; that address is not the VE's to send from.
	on_host nft 'table ip host { chain p { type nat hook postrouting priority 90; oif up0 udp dport 7005 snat to 192.0.2.2; }; }'
	look world in_world -- up0
	local known
	known=$(spec 4 udp 10 world),dport=7005
	ve_sends web1 "$known,times=40,mark=HONEST" "$known,sip=192.0.2.2,mark=FORGED" "$known,mark=THEEND"
	seen world
	no_forged world
	[ "$(lines world HONEST)" = 40 ]
	on_host nft delete table ip host
	# From the world to the world, by way of the host.
	on_host ip route add 198.51.100.7 via 192.0.2.1
	on_host nft 'table inet host { counter through { }; chain f { type filter hook forward priority 10; iif up0 oif up0 counter name through; }; }'
	on_host sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.up0.rp_filter=0
	world_sends "udp4,sip=203.0.113.7,dip=198.51.100.7,dport=7001,hop=64,times=40"
	all_through() { on_host nft list counter inet host through | grep -q 'packets 40 '; }
	wait_until 5 all_through || { on_host nft list table inet host; false; } >&2
	on_host ip route del 198.51.100.7
	on_host nft delete table inet host
}

# ---- changes ----------------------------------------------------------------------------------------------------

# stopped WHERE-IS-LOOKED SENDER FLOW OTHER -- VECTL-ARGUMENT...: FLOW passes until the command, and not a packet after it; OTHER goes
# on. Each has ports that nobody has used: it was learned a moment ago.
stopped() {
	local sender=$1 flow=$2 other=$3
	shift 4
	look changed in_world -- up0
	$sender "$flow,mark=HONEST,times=40" "$other,times=40"
	wait_until 10 grep -q HONEST "$BATS_TEST_TMPDIR/changed"
	ok "$@"
	$sender "$flow,mark=FORGED,times=5" "$other,mark=THEEND"
	seen changed
	no_forged changed || { echo "passed after: vectl $*" >&2; return 1; }
	[ "$(lines changed HONEST)" = 40 ]
}
from_web1() { ve_sends web1 "$@"; }
PORT=6100
flow() { PORT=$((PORT + 1)); FLOW=$(spec "$1" udp 10 world),sport=$PORT; }

@test "a change is there from the next packet on: rules, blocks, addresses" {
	both web1 10 --ip 192.0.2.20
	both web2 11
	local family
	mixed() { # to web1's wire all but the last, which web2 sends
		ve_sends web1 "${@:1:$#-1}"
		ve_sends web2 "${@:$#}"
	}
	for family in 4 6; do
		flow "$family"
		stopped from_web1 "$FLOW,dport=7002" "$FLOW" -- set web1 "firewall.out=deny udp 7002"
		flow "$family"
		# Established, where anybody had said so: it is the rule that counts.
		stopped from_web1 "$FLOW,dport=7003" "$FLOW" -- set web1 "firewall.out=deny udp 7002-7003"
		ok set web1 firewall.out=default
		flow "$family"
		stopped mixed "$FLOW" "$(spec "$family" udp 11 world),sport=$PORT" -- block web1 --network
		ok unblock web1
	done
	stopped from_web1 "udp4,sip=192.0.2.20,dip=192.0.2.1,dport=7001,sport=6001" "$(spec 4 udp 10 world)" -- set web1 network.0.ips-=192.0.2.20
	# And in: to an address that is gone, and to a port that is closed.
	into() {
		look changed in_net web1 -- eth0
		world_sends "$1,mark=HONEST,times=40" "$2,times=40"
		wait_until 10 grep -q HONEST "$BATS_TEST_TMPDIR/changed"
		ok "${@:3}"
		world_sends "$1,mark=FORGED,times=5" "$2,mark=THEEND"
		seen changed
		no_forged changed
	}
	into "$(spec 6 udp world 10),dport=7004" "$(spec 6 udp world 10),dport=7005" set web1 "firewall.in=deny udp 7004"
	into "$(spec 4 udp world 10),dport=7006" "$(spec 4 udp world 10),dport=7005" set web1 "firewall.in=deny udp 7004; deny udp 7006"
	known=$(spec 6 udp world 10),sport=6300
	into "$known" "$(spec 4 udp world 10),sport=6300" set web1 network.0.ips-=2001:db8::10
}

@test "between two VEs: the other one's rules count from the next packet on" {
	both web1 10
	both web2 11
	look changed in_net web2 -- eth0
	ve_sends web1 "$(spec 4 udp 10 11),mark=HONEST,times=40" "$(spec 4 udp 10 11),dport=7002,times=40"
	ok set web2 "firewall.in=deny udp 7001"
	ve_sends web1 "$(spec 4 udp 10 11),mark=FORGED,times=5" "$(spec 4 udp 10 11),dport=7002,mark=THEEND"
	seen changed
	no_forged changed
	ok set web2 firewall.in=default
	look changed in_net web2 -- eth0
	ve_sends web1 "$(spec 4 udp 10 11),mark=HONEST,times=40,sport=6001"
	ok block web2 --network
	ve_sends web1 "$(spec 4 udp 10 11),mark=FORGED,times=5,sport=6001"
	ok unblock web2
	ve_sends web1 "$(spec 4 udp 10 11),mark=THEEND,sport=6001"
	seen changed
	no_forged changed
}

# A stream from web2, numbered by what the sender has sent, until it is told to end; it prints how many.
stream() {
	cat >"$BATS_TEST_TMPDIR/stream.py" <<-'PYTHON'
		import select, socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.connect((sys.argv[1], int(sys.argv[2])))
		n = 0
		while not select.select([sys.stdin], [], [], 0.002)[0]:
		    s.send(b"stream")
		    n += 1
		print(n)
	PYTHON
	mkfifo "$BATS_TEST_TMPDIR/end"
	"$@" <"$BATS_TEST_TMPDIR/end" >"$BATS_TEST_TMPDIR/sent" 3>&- &
	STREAM=$!
	exec 7>"$BATS_TEST_TMPDIR/end"
}
stream_ends() {
	echo >&7
	exec 7>&-
	wait "$STREAM"
	cat "$BATS_TEST_TMPDIR/sent"
}

@test "what a change does not concern loses no packet; a VE that is stopped under a stream leaves nothing behind" {
	both web1 10
	both web2 11
	local here there sent
	here=$(arrived 4) there=$(figure web2 .total.out.ipv4.packets)
	stream in_net web2 python3 "$BATS_TEST_TMPDIR/stream.py" 192.0.2.1 7007
	arrives() { [ "$(arrived 4)" -gt "$here" ]; }
	wait_until 10 arrives
	# The witness goes on sending to web1.
	become_world "$BASH" -c "while :; do '$FRAMES' send up0 '$(spec 4 udp world 10),dst=$WORLD_TO,times=100'; done" 3>&- &
	local witness=$!
	into_web1() { [ "$(figure web1 .total.in.ipv4.packets)" -gt 200 ]; }
	wait_until 10 into_web1
	ok set web1 "firewall.out=deny udp 7002"
	ok set web1 network.0.ips+=192.0.2.20
	ok set web1 network.0.rate_out=10M
	ok set web1 network.0.rate_out=default firewall.out=default
	ok block web1 --network
	ok unblock web1
	ok stop web1
	local sum
	sum=$(figure web1 .total.in.ipv4.packets)
	[ "$(maps | grep -c '^name ')" = 1 ]
	[ "$(maps | grep -c '^link ')" = 1 ]
	ok start web1
	known web1 192.0.2.10 2001:db8::10
	again() { [ "$(figure web1 .total.in.ipv4.packets)" -gt $((sum + 200)) ]; }
	wait_until 10 again
	ok recover
	kill $witness
	wait $witness || true
	sent=$(stream_ends)
	all_there() { [ $(($(arrived 4) - here)) = "$sent" ]; }
	wait_until 10 all_there || { echo "sent $sent, arrived $(($(arrived 4) - here))" >&2; false; }
	figure_is web2 .total.out.ipv4.packets $((there + sent))
	# All of it, not a packet a second.
	[ "$(ruled web2 out4)" -lt $((sent / 2)) ]
}

# ---- who takes part ---------------------------------------------------------------------------------------------

@test "a rate of its own, or a limit of packets, takes a VE off it and back, counted all the time" {
	both web1 10
	local link=${HOST_END[web1]} sum=0
	all_count() { # N: so many more packets, all counted
		ve_sends web1 "$(spec 4 udp 10 world),times=$1"
		sum=$((sum + $1))
		wait_until 10 figure_is web1 .total.out.ipv4.packets "$sum"
	}
	sum=$(figure web1 .total.out.ipv4.packets)
	is_fast "$link"
	all_count 100
	ok set web1 network.0.rate_out=20M
	not is_fast "$link"
	is_fast up0
	on_host tc qdisc show dev "${link/vz/vs}" | grep -q 'tbf.*rate 20Mbit'
	local rules
	rules=$(ruled web1 out4)
	all_count 30
	[ "$(ruled web1 out4)" = $((rules + 30)) ]
	on_host tc -s qdisc show dev "${link/vz/vs}" | grep -qE 'Sent [1-9][0-9]* bytes (30|3[1-9]) pkt'
	# Shaped from within, the way in stays short.
	ok set web1 network.0.rate_out=default network.0.rate_in=50M
	is_fast "$link"
	[ -z "$(on_host ip -o link show "${link/vz/vs}" 2>/dev/null)" ]
	rules=$(ruled web1 out4)
	all_count 100
	[ $(($(ruled web1 out4) - rules)) -lt 50 ]
	local in
	in=$(figure web1 .total.in.ipv4.packets) rules=$(ruled web1 in4)
	world_sends "$(spec 4 udp world 10),times=100"
	wait_until 10 figure_is web1 .total.in.ipv4.packets $((in + 100))
	[ $(($(ruled web1 in4) - rules)) -lt 50 ]
	on_host tc -s qdisc show dev "$link" | grep -A1 tbf | grep -qE 'Sent [0-9]+ bytes 1[0-9][0-9] pkt'
	ok set web1 network.0.rate_in=default firewall.packet_rate=100000
	not is_fast "$link"
	rules=$(ruled web1 out4)
	all_count 60
	[ "$(ruled web1 out4)" = $((rules + 60)) ]
	ok set web1 firewall.packet_rate=default
	is_fast "$link"
	rules=$(ruled web1 out4)
	all_count 100
	[ $(($(ruled web1 out4) - rules)) -lt 50 ]
}

told() { v check --json | jq -r '.[] | select(.feature == "fastpath") | .detail'; }

@test "fastpath=off: gone from the VEs and the uplink, and nothing that was counted with it; on: back" {
	both web1 10
	both web2 11
	local sum rules
	sum=$(figure web1 .total.out.ipv4.packets)
	ve_sends web1 "$(spec 4 udp 10 world),times=200"
	wait_until 10 figure_is web1 .total.out.ipv4.packets $((sum + 200))
	ok host set fastpath=off
	ok recover
	[ -z "$(on_host tc qdisc show | grep clsact)" ]
	told | grep -q '^off'
	figure_is web1 .total.out.ipv4.packets $((sum + 200))
	rules=$(ruled web1 out4)
	ve_sends web1 "$(spec 4 udp 10 world),times=100"
	wait_until 10 figure_is web1 .total.out.ipv4.packets $((sum + 300))
	[ "$(ruled web1 out4)" = $((rules + 100)) ]
	ok restart web2
	[ -z "$(on_host tc qdisc show | grep clsact)" ]
	ok host set fastpath=on
	ok recover
	known web2 192.0.2.11 2001:db8::11
	is_fast up0
	is_fast "${HOST_END[web1]}"
	is_fast "${HOST_END[web2]}"
	told | grep -q '^in use'
	ve_sends web1 "$(spec 4 udp 10 world),times=100"
	wait_until 10 figure_is web1 .total.out.ipv4.packets $((sum + 400))
	[ "$(ruled web1 out4)" -lt $((rules + 150)) ]
}

@test "somebody else's clsact at the uplink stays as it is; VEs work without" {
	on_host tc qdisc del dev up0 clsact 2>/dev/null || true
	on_host tc qdisc add dev up0 clsact
	on_host tc filter add dev up0 ingress prio 7 protocol all u32 match u32 0 0 flowid 1:1
	local before
	theirs() { on_host tc qdisc show dev up0; on_host tc filter show dev up0 ingress; }
	before=$(theirs)
	both web1 10
	[ "$(theirs)" = "$before" ]
	not is_fast up0
	told | grep -qv '^in use'
	local rules
	rules=$(ruled web1 out4)
	ve_sends web1 "$(spec 4 udp 10 world),times=100"
	all_ruled() { [ "$(ruled web1 out4)" = $((rules + 100)) ]; }
	wait_until 10 all_ruled
	ok recover
	ok host set fastpath=off
	ok recover
	ok host set fastpath=on
	ok recover
	[ "$(theirs)" = "$before" ]
	on_host tc qdisc del dev up0 clsact
	ok recover
	is_fast up0
	is_fast "${HOST_END[web1]}"
}

@test "without libbpf there is none, and check says what to install; with the next recover behind that it is there" {
	both web1 10
	ok host set fastpath=off
	ok recover
	ok host set fastpath=on
	hidden() { # COMMAND...: in a world without libbpf
		on_host unshare --mount --propagation private bash -c '
			for file in $(ldconfig -p | sed -n "s/.*libbpf[.]so[.]1 .*=> //p"); do mount --bind /dev/null "$file"; done
			exec "$@"' - "$@"
	}
	told_there() { hidden "$VECTL" check --json | jq -r '.[] | select(.feature == "fastpath") | .detail'; }
	told_there | grep 'apt install libbpf1'
	hidden "$VECTL" recover
	told_there | grep 'apt install libbpf1'
	[ -z "$(told | grep '^in use')" ]
	local rules
	rules=$(ruled web1 out4)
	ve_sends web1 "$(spec 4 udp 10 world),times=100"
	all_ruled() { [ "$(ruled web1 out4)" = $((rules + 100)) ]; }
	wait_until 10 all_ruled
	ok recover
	told | grep '^in use'
}

@test "an uplink made anew has it again with the next recover; one without frames of Ethernet has it not" {
	both web1 10
	local mac
	mac=$(mac_in up0 on_host)
	on_host ip link del up0
	make_uplink() {
		on_host ip link add up0 address "$mac" type veth peer name up0 netns "$WORLD_NS"
		in_world ip addr add 192.0.2.1/24 dev up0
		in_world ip addr add 2001:db8::1/64 dev up0 nodad
		in_world ip link set up0 up
		on_host ip addr add 192.0.2.2/24 dev up0
		on_host ip addr add 2001:db8::2/64 dev up0 nodad
		on_host ip link set up0 up
		on_host ip route add default via 192.0.2.1
		on_host ip -6 route add default via 2001:db8::1
	}
	make_uplink
	wait_until 10 on_host ping -c1 -W1 192.0.2.1
	not is_fast up0
	ok recover
	is_fast up0
	local rules
	rules=$(ruled web1 out4)
	ve_sends web1 "$(spec 4 udp 10 world),times=100"
	local sum
	all_count() { [ "$(figure web1 .total.out.ipv4.packets)" -ge 100 ]; }
	wait_until 10 all_count
	[ $(($(ruled web1 out4) - rules)) -lt 50 ]
	ok host set uplink=tun7
	on_host ip tuntap add dev tun7 mode tun
	on_host ip link set tun7 up
	ok recover
	[ -z "$(on_host tc qdisc show dev tun7 | grep clsact)" ]
	ok host set uplink=up0
	on_host ip link del tun7
}

# ---- connection tracking ----------------------------------------------------------------------------------------

tracked() { on_host cat /proc/net/nf_conntrack | grep "192\.0\.2\.10 .*dport=$1 "; } # PORT
# An RST may not be quite the one that tracking waits for, as it has not seen what went before it; kernels differ in how long they then
# wait for the other end to protest.
no_more_tracked() { # PORT
	local wait
	wait=$(on_host cat /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_unacknowledged)
	[ "$wait" -lt 3600 ]
	tracked "$1" | awk -v wait="$wait" '$6 == "ESTABLISHED" && $5 > wait { stays = 1 } END { exit !NR || stays }' || { tracked "$1"; false; } >&2
}

@test "a tracked connection goes on while it is judged anew, and one that is reset is not kept as established" {
	ve web1 --ip 192.0.2.10 --set "firewall.in=allow tcp 22" --set "firewall.out=deny tcp 25"
	known web1 192.0.2.10
	cat >"$BATS_TEST_TMPDIR/serve.py" <<-'PYTHON'
		import socket, struct, sys
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.bind(("192.0.2.10", 22))
		s.listen()
		print("listens", flush=True)
		for i in range(1):
		    c, _ = s.accept()
		    while True:
		        try:
		            data = c.recv(65536)
		        except ConnectionResetError:
		            print("reset", flush=True)
		            break
		        if not data:
		            break
		        c.sendall(data)
	PYTHON
	# Echoed until the rules have seen the connection a few seconds' worth (they see a packet a second of each way), and it has gone
	# beyond half of the sequence numbers, where the machine is fast enough.
	cat >"$BATS_TEST_TMPDIR/talk.py" <<-'PYTHON'
		import socket, struct, sys, time
		c = socket.create_connection(("192.0.2.10", 22))
		data, begun = b"x" * 100000, time.monotonic()
		n = 0
		while time.monotonic() < begun + 3 or (n * len(data) < 2400000000 and time.monotonic() < begun + 15):
		    c.sendall(data)
		    got = 0
		    while got < len(data):
		        got += len(c.recv(65536))
		    n += 1
		print(n, flush=True)
		c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		c.close()
	PYTHON
	in_net web1 python3 "$BATS_TEST_TMPDIR/serve.py" >"$BATS_TEST_TMPDIR/served" 3>&- &
	wait_until 10 grep -q listens "$BATS_TEST_TMPDIR/served"
	local rules
	rules=$(ruled web1 in4)
	in_world timeout 60 python3 "$BATS_TEST_TMPDIR/talk.py" >"$BATS_TEST_TMPDIR/talked"
	[ "$(cat "$BATS_TEST_TMPDIR/talked")" -gt 20 ]
	wait_until 10 grep -q reset "$BATS_TEST_TMPDIR/served"
	rules=$(($(ruled web1 in4) - rules))
	[ "$rules" -ge 5 ] && [ "$rules" -lt "$(cat "$BATS_TEST_TMPDIR/talked")" ] || { echo "$rules of $(cat "$BATS_TEST_TMPDIR/talked")"; false; } >&2
	no_more_tracked 22
	# From outside nothing begins but what is allowed.
	not in_world timeout 1 bash -c 'exec 3<>/dev/tcp/192.0.2.10/80'
	look inside in_net web1 -- eth0
	world_sends "$(spec 4 tcp world 10),mark=FORGED,times=20" "$(spec 4 udp world 10),mark=FORGED" "udp4,sip=192.0.2.1,dip=192.0.2.10,mark=FORGED"
	ok set web1 firewall.in=default
	world_sends "$(spec 4 udp world 10),mark=THEEND"
	seen inside
	not grep 'FORGED.*proto=17' "$BATS_TEST_TMPDIR/inside" >&2
}

@test "of a transfer that is broken off tracking learns the end, whichever side it is that has enough" {
	ve web1 --ip 192.0.2.10 --set "firewall.in=allow tcp 2222" --set "firewall.out=deny tcp 25"
	known web1 192.0.2.10
	cat >"$BATS_TEST_TMPDIR/serve.py" <<-'PYTHON'
		import socket, sys
		s = socket.socket()
		s.bind((sys.argv[1], 2222))
		s.listen()
		print("listens", flush=True)
		while True:
		    c, _ = s.accept()
		    try:
		        c.recv(3000, socket.MSG_WAITALL)
		        while True:
		            c.sendall(b"x" * 100000)
		    except ConnectionError:
		        print("broken off", flush=True)
	PYTHON
	cat >"$BATS_TEST_TMPDIR/take.py" <<-'PYTHON'
		import socket, struct, sys
		for i in range(10):
		    c = socket.create_connection((sys.argv[1], 2222))
		    c.sendall(b"x" * 3000)
		    n = 0
		    while n < 10000000:
		        n += len(c.recv(65536))
		    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    c.close()
	PYTHON
	local address rules
	for address in 192.0.2.10 192.0.2.1; do
		local serves=(in_world) takes=(in_net web1)
		[ "$address" != 192.0.2.10 ] || serves=(in_net web1) takes=(in_world)
		"${serves[@]}" python3 "$BATS_TEST_TMPDIR/serve.py" "$address" >"$BATS_TEST_TMPDIR/$address" 3>&- &
		wait_until 10 grep -q listens "$BATS_TEST_TMPDIR/$address"
		rules=$(ruled web1 in4)
		"${takes[@]}" timeout 60 python3 "$BATS_TEST_TMPDIR/take.py" "$address"
		ended() { [ "$(grep -c broken "$BATS_TEST_TMPDIR/$address")" -eq 10 ]; }
		wait_until 10 ended
		# They were on the fast path.
		[ $(($(ruled web1 in4) - rules)) -lt 500 ] || { echo "$(ruled web1 in4), before $rules"; false; } >&2
		no_more_tracked 2222
	done
}

# ---- failures ---------------------------------------------------------------------------------------------------

@test "a start that fails or is killed behind the network leaves nothing in the maps" {
	v version --json | jq -e '.faults' >/dev/null || skip "this build has no fault switch (make D=1)"
	both web2 11
	ok create web1 --image busybox --ip 192.0.2.10 --ip 2001:db8::10
	local before
	before=$(maps | sed 's/ [0-9]*$//')
	[ "$(grep -c . <<<"$before")" = 2 ]
	same_maps() { [ "$(maps | sed 's/ [0-9]*$//')" = "$before" ]; }
	for stage in record mounts exec commit; do
		try env VE_FAULT="$stage" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" start web1
		[ "$status" != 0 ]
		same_maps || { echo "VE_FAULT=$stage"; maps; false; } >&2
		try env VE_FAULT="$stage:kill" nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" start web1
		ok recover
		in_state web1 stopped || ok stop web1
		same_maps || { echo "VE_FAULT=$stage:kill"; maps; false; } >&2
	done
	ok start web1
	[ "$(maps | grep -c '^link ')" = 2 ]
}
