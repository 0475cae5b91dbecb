# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VE's network against plain routing.

# The plain way: another "host" with the same links, a veth pair, routes, and no rule at all.
#
#	far.ours 192.0.2.1 -- up0 this namespace vzN.0 -- VE 192.0.2.10
#	far.plain 192.0.2.1 -- up0 plain pv0           -- plainve 192.0.2.10
plain_pids=()
far_ours='' far_plain='' plain='' plain_ve='' guest='' measured=''
hold() { # NAME: a network namespace that lives as long as its process, whose pid is $NAME.
	unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
	plain_pids+=($!)
	printf -v "$1" %s $!
	until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/$$/ns/net)" ]; do :; done
}
plain_stop() { [ ${#plain_pids[@]} = 0 ] || kill "${plain_pids[@]}"; plain_pids=(); }
in_net() { local pid=$1; shift; nsenter --net="/proc/$pid/ns/net" "$@"; }

# serve PID: an iperf3 server in its namespace, and the far end's address and routes.
serve() {
	in_net "$1" ip link set lo up
	in_net "$1" ip addr add 192.0.2.1/24 dev far0
	in_net "$1" ip link set far0 up
	# (Not by in_net: the shell that would run it in the background is not what has to be ended.)
	nsenter --net="/proc/$1/ns/net" iperf3 -s >/dev/null 2>&1 </dev/null &
	plain_pids+=($!)
	nsenter --net="/proc/$1/ns/net" socat -u UDP-RECV:9,rcvbuf=2048 OPEN:/dev/null >/dev/null 2>&1 </dev/null &
	plain_pids+=($!)
	until in_net "$1" ss -ltn | grep -q :5201; do :; done
}

network_up() {
	hold far_ours
	hold far_plain
	hold plain
	hold plain_ve
	ip link del up0 # and with it the far end, which all sections but this one have in this namespace
	ip link add up0 type veth peer name far0 netns "$far_ours"
	ip addr add 192.0.2.2/24 dev up0
	ip link set up0 up
	ip route add default via 192.0.2.1
	in_net "$plain" ip link add up0 type veth peer name far0 netns "$far_plain"
	in_net "$plain" ip addr add 192.0.2.2/24 dev up0
	in_net "$plain" ip link set up0 up
	in_net "$plain" ip link add pv0 type veth peer name eth0 netns "$plain_ve"
	in_net "$plain" ip addr add 169.254.1.1/32 dev pv0
	in_net "$plain" ip link set pv0 up
	in_net "$plain" ip route add 192.0.2.10/32 dev pv0
	in_net "$plain" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.up0.proxy_arp=1
	in_net "$plain_ve" ip link set eth0 up
	in_net "$plain_ve" ip addr add 192.0.2.10/32 dev eth0
	in_net "$plain_ve" ip route add 169.254.1.1 dev eth0
	in_net "$plain_ve" ip route add default via 169.254.1.1
	serve "$far_ours"
	serve "$far_plain"
}

# Mbit/s that the receiver saw, and packets a second that a CPU takes all the way (see packets.c).
tcp_rate() { in_net "$1" timeout 60 iperf3 -J -c 192.0.2.1 -t 1 -O 0.3 | jq '.end.sum_received.bits_per_second / 1e6'; }
packet_rate() { in_net "$1" "$work/packets" 192.0.2.1 20000 | awk '{ print 1e9 / $1 }'; }

# paired ROUNDS PLAIN OURS FUNCTION [ARGUMENT]...: the median over the rounds, taken in turns, of plain / ours.
paired() {
	local n=$1 plain_pid=$2 our_pid=$3 what=$4 i a b
	shift 4
	for ((i = 1; i <= n; i++)); do
		if [ $((i % 2)) = 1 ]; then a=$("$what" "$plain_pid" "$@") b=$("$what" "$our_pid" "$@")
		else b=$("$what" "$our_pid" "$@") a=$("$what" "$plain_pid" "$@"); fi
		awk -v a="$a" -v b="$b" 'BEGIN { printf "%.3f %.0f %.0f\n", a / b, a, b }'
	done | sort -n | sed -n $(((n + 1) / 2))p
}

nth_words() { # N WORD...: of the VE N, the words of its plan
	local n=$1
	shift
	echo id=$((100000 + n)) uplink=up0 "data=$O/share" fastpath "$@" "if=0:routed:198.18.$((n / 250)).$((n % 250 + 1)),2001:db8:1::$n"
}
attach_us() { # PID WORD ADDRESSES: thirty rounds of check and attach
	"$O/tests/e2e/net_driver" time "/proc/$1/ns/net" 30 id=100001 uplink=up0 data="$O/share" fastpath "$2" "if=0:routed:$3" |
		sed -E 's/check ([0-9.]+) ms, attach ([0-9.]+) ms.*/\1 \2/' | awk '{ print ($1 + $2) * 1000 }'
}
# least NAME PID: the best of five times thirty rounds, in turn, into NAME_four (with an IPv4 address), NAME_both (with an IPv6 address
# besides, which the network routes to the host), NAME_answered (with one that the uplink answers for).
least() {
	local i
	for ((i = 0; i < 5; i++)); do
		echo "four $(attach_us "$2" answers=46 198.51.100.1)"
		echo "both $(attach_us "$2" answers=4 198.51.100.1,2001:db8:5::1)"
		echo "answered $(attach_us "$2" answers=46 198.51.100.1,2001:db8:5::1)"
	done >"$work/least"
	for i in four both answered; do printf -v "$1_$i" %s "$(awk -v i="$i" '$1 == i { print $2 }' "$work/least" | sort -n | head -1)"; done
}

section_network() {
	local pid tcp packets first_four first_both first_answered nth_four nth_both nth_answered i
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -o "$work/packets" "$here/packets.c"
	network_up
	v create net1 --image busybox --ip 192.0.2.10 --set 'firewall.in=allow tcp 22,80,443' \
		--set 'firewall.out=deny tcp 25; allow all' --start >/dev/null
	pid=$(v status net1 --json | jq .init_pid)
	tcp=$(paired 15 "$plain_ve" "$pid" tcp_rate)
	note "  plain routing $(cut -d' ' -f2 <<<"$tcp") Mbit/s, ours $(cut -d' ' -f3 <<<"$tcp")"
	row "TCP through a VE's interface (anti-spoofing, firewall, accounting): plain routing's rate, against its" "${tcp%% *}" 1.053
	packets=$(paired 41 "$plain_ve" "$pid" packet_rate)
	note "  plain routing $(cut -d' ' -f2 <<<"$packets") packets a second of CPU time, ours $(cut -d' ' -f3 <<<"$packets")"
	row "... and small packets a second of CPU time" "${packets%% *}" 1.053
	v set net1 firewall.in=default firewall.out=default >/dev/null
	packets=$(paired 41 "$plain_ve" "$pid" packet_rate)
	row "... the same without a firewall of its own" "${packets%% *}"
	v destroy --force net1 >/dev/null

	# Both are started in turn; the difference is the network's.
	v create with --image busybox --ip 192.0.2.10 >/dev/null
	v create without --image busybox --set network.0.type=none >/dev/null
	timed with "$VECTL" start with ::: without "$VECTL" start without ::: -kill1 "$VECTL" kill with ::: \
		-kill2 "$VECTL" kill without
	row "start with network, beyond start without, of 3 ms" \
		"$(awk -v a="$(us with)" -v b="$(us without)" 'BEGIN { printf "%.2f", (a - b) / 3000 }')" 1
	stop_all

	hold measured
	least first "$measured"
	# shellcheck disable=SC2046 # words
	for ((i = 2; i <= 1000; i++)); do
		hold guest
		"$O/tests/e2e/net_driver" attach "/proc/$guest/ns/net" $(nth_words "$i" answers=4)
	done
	least nth "$measured"
	row "adding the 1,000th VE's network, against the first's" "$(ratio "$nth_four" "$first_four")" 1.2
	row "... with an IPv6 address besides, of a prefix that is routed to the host (proxy=ipv4)" "$(ratio "$nth_both" "$first_both")" 1.2
	# shellcheck disable=SC2046 # words
	for ((i = 2; i <= 1000; i++)); do "$O/tests/e2e/net_driver" heal $(nth_words "$i") >/dev/null; done
	least nth "$measured"
	row "... with one that the uplink has to answer for, as for each of them" "$(ratio "$nth_answered" "$first_answered")" 1.2
	plain_stop
}
