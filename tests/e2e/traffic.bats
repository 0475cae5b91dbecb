#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Counting, rates and quotas, through VEs. A monitor's minute is short here (VE_ACCOUNT_MS, in test builds): wait_until
# waits for what it has booked.

load helpers

IP=192.0.2.30 IP6=2001:db8::30

# figure NAME FILTER: of the VE's document.
figure() { v traffic "$1" --json | jq -r ".ves[0] | $2"; }
# What is on the disk, without what has been counted since: with the host's rules hidden.
saved() { "$VECTL" traffic "$1" --json | jq -r ".ves[0] | $2"; }
is_saved() { [ "$(saved "$1" "$2")" = "$3" ]; }
is_at_least() { [ "$(figure "$1" "$2")" -ge "$3" ]; }

# Exactly N packets of SIZE bytes with their IP header, each answered by one of the same size.
ping4() { in_world ping -q -c "$1" -i 0.01 -s "$(($2 - 28))" "$IP" >/dev/null; }
ping6() { in_world ping -q -c "$1" -i 0.01 -s "$(($2 - 48))" "$IP6" >/dev/null; }

# A VE that says nothing by itself: neither family's neighbour discovery is counted for it.
counted() {
	ve "$1" --ip "$IP" --ip "$IP6" "${@:2}"
	wait_until 5 in_world ping -c1 -W1 "$IP"
	wait_until 5 in_world ping -c1 -W1 "$IP6"
}

# difference FILTER BEFORE
difference() { echo $(($(figure web "$1") - $2)); }

@test "every packet is counted, in and out, IPv4 and IPv6, and nothing else" {
	counted web
	local i4 o4 i6
	i4=$(figure web .in.ipv4.packets) o4=$(figure web .out.ipv4.bytes) i6=$(figure web .in.ipv6.packets)
	ping4 20 500
	[ "$(difference .in.ipv4.packets "$i4")" = 20 ]
	[ "$(difference .out.ipv4.bytes "$o4")" = 10000 ]
	[ "$(difference .in.ipv6.packets "$i6")" -le 2 ] # neighbour discovery
	ping6 10 400
	[ "$(difference .in.ipv4.packets "$i4")" = 20 ]
	local n
	n=$(difference .in.ipv6.packets "$i6")
	[ "$n" -ge 10 ] && [ "$n" -le 14 ]
	# The sums are sums.
	json_of=$(v traffic web --json)
	jq -e '.ves[0] | .in.bytes == .in.ipv4.bytes + .in.ipv6.bytes and .in.bytes == .total.in.bytes and
		([.days[].out.packets] | add) == .out.packets and ([.interfaces[].in.bytes] | add) == .in.bytes' <<<"$json_of"
}

@test "the monitor saves it, and nobody counts it twice: restarts, a killed monitor" {
	export VE_ACCOUNT_MS=50
	counted web
	ping4 20 500
	local sum
	sum=$(figure web .total.in.ipv4.packets)
	wait_until 5 is_saved web .total.in.ipv4.packets "$sum"

	ping4 5 500
	[ "$(figure web .total.in.ipv4.packets)" = "$((sum + 5))" ]
	wait_until 5 is_saved web .total.in.ipv4.packets "$((sum + 5))"

	# A killed monitor: what it would have saved is counted by the next one, once.
	local pid
	pid=$(monitor_pid web)
	kill -9 "$pid"
	wait_until 5 gone "$pid"
	ping4 5 500
	is_saved web .total.in.ipv4.packets "$((sum + 5))"
	[ "$(figure web .total.in.ipv4.packets)" = "$((sum + 10))" ]
	ok recover
	wait_until 5 is_saved web .total.in.ipv4.packets "$((sum + 10))"

	# The end is saved, also of a VE that ends by itself; the next start goes on from there.
	ping4 5 500
	ok restart web
	[ "$(figure web .total.in.ipv4.packets)" -ge "$((sum + 15))" ]
	[ "$(figure web .total.in.ipv4.packets)" -le "$((sum + 17))" ]
	sum=$(figure web .total.in.ipv4.packets)
	ok stop web
	[ "$(figure web .total.in.ipv4.packets)" = "$sum" ]
	is_saved web .total.in.ipv4.packets "$sum"
}

# ---- what is flushed, made anew -----------------------------------------------------------------------------------

# The counter of what a link receives over IPv4, as an admin or another program could leave it.
remove_counter() {
	on_host nft delete element inet vectl received4 "{ $1 }"
	on_host nft delete counter inet vectl "$1_in4"
}
make_counter() { # LINK COMMENT
	on_host nft add counter inet vectl "$1_in4" "{ comment \"$2\" ; }"
	on_host nft add element inet vectl received4 "{ $1 : $1_in4 }"
}
link_of() { on_host ip -o link | grep -o 'vz[0-9]*\.0' | head -1; }

@test "counters that were made anew, or are gone, are neither counted twice nor taken for small ones" {
	export VE_ACCOUNT_MS=50
	counted web
	ping4 10 500
	local sum link
	sum=$(figure web .total.in.ipv4.packets) link=$(link_of)
	wait_until 5 is_saved web .total.in.ipv4.packets "$sum"
	# More than before, in another counter: the growth is all of it.
	remove_counter "$link"
	make_counter "$link" another
	ping4 $((sum + 10)) 500
	[ "$(figure web .total.in.ipv4.packets)" = "$((sum + sum + 10))" ]
	wait_until 5 is_saved web .total.in.ipv4.packets "$((sum + sum + 10))"
	sum=$((sum + sum + 10))
	remove_counter "$link"
	ping4 5 500
	[ "$(figure web .total.in.ipv4.packets)" = "$sum" ]
	make_counter "$link" third
	ping4 5 500
	[ "$(figure web .total.in.ipv4.packets)" = "$((sum + 5))" ]
	wait_until 5 is_saved web .total.in.ipv4.packets "$((sum + 5))"
}

@test "a counter that was reset is counted on" {
	export VE_ACCOUNT_MS=50
	counted web
	ping4 10 500
	local sum link
	sum=$(figure web .total.in.ipv4.packets) link=$(link_of)
	wait_until 5 is_saved web .total.in.ipv4.packets "$sum"
	on_host nft reset counter inet vectl "${link}_in4"
	ping4 5 500
	[ "$(figure web .total.in.ipv4.packets)" = "$((sum + 5))" ]
	wait_until 5 is_saved web .total.in.ipv4.packets "$((sum + 5))"
}

@test "an address that comes or goes leaves the counters alone" {
	counted web
	local sum
	sum=$(figure web .total.in.ipv4.packets)
	ok set web network.0.ips+=192.0.2.31
	ping4 5 500
	ok set web network.0.ips-=192.0.2.31
	ping4 5 500
	[ "$(figure web .total.in.ipv4.packets)" = "$((sum + 10))" ]
}

# ---- documents ----------------------------------------------------------------------------------------------------

@test "one document for the host, one line a VE; months; what is no month" {
	counted web
	ping4 10 1000
	ok create idle --image busybox
	ok traffic --json
	"$BATS_TEST_DIRNAME/../check-json" traffic <<<"$output"
	json '.month == (now | gmtime | strftime("%Y-%m")) and ([.ves[].name] == ["idle", "web"])'
	json '.ves[0].in.bytes == 0 and .ves[0].since == null and .ves[1].in.ipv4.bytes >= 10000'
	json '.ves[1] | has("days") | not'
	ok traffic web --json
	"$BATS_TEST_DIRNAME/../check-json" traffic <<<"$output"
	json '.ves[0].days[-1].date == (now | gmtime | strftime("%Y-%m-%d"))'
	ok traffic web --month 2020-02 --json
	json '.month == "2020-02" and .ves[0].in.bytes == 0 and .ves[0].days == [] and .ves[0].total.in.bytes >= 10000'
	ok traffic
	[ "$(wc -l <<<"$output")" = 3 ]
	grep -qE '^NAME +IN +OUT' <<<"$output"
	ok traffic web
	grep -qE '^since it was made: ' <<<"$output"
	local month
	for month in 2020-13 2020-00 20-01 2020-1 2020-01-01 x ''; do fails 64 traffic --month "$month"; done
	fails 66 traffic nobody
	ok list --fields name,traffic.in,traffic.out --json
	json '.[1]["traffic.in"] >= 10000 and .[0]["traffic.out"] == 0'
}

@test "a VE made anew under an old name inherits nothing" {
	counted web
	ping4 10 500
	ok destroy --force web
	ok create web --image busybox --ip "$IP"
	[ "$(figure web .total.in.packets)" = 0 ]
}

# ---- rates --------------------------------------------------------------------------------------------------------

# An iperf3 of the host's in the VE's network namespace: nothing needs to be in the image.
in_ve() { nsenter --net="/proc/$(init_pid web)/ns/net" -- "$@"; }

# mbits WHERE IPERF3-ARGUMENT...: what the receiver saw, in Mbit/s, rounded down.
mbits() {
	"$1" timeout 30 iperf3 -J "${@:2}" >"$BATS_TEST_TMPDIR/iperf.json"
	jq '(.end.sum_received // .end.sum).bits_per_second / 1e6 | floor' "$BATS_TEST_TMPDIR/iperf.json"
}
serve() {
	in_world iperf3 -s -D -I "$BATS_TEST_TMPDIR/pid" >/dev/null
	wait_until 5 listens
	CARRIED=$(mbits on_host -c 192.0.2.1 -t 1 -u -b 1G)
}
listens() { in_world ss -ltn | grep -q :5201; }
stop_serving() { kill "$(tr -d '\0' <"$BATS_TEST_TMPDIR/pid")"; }

# An upper bound holds however slow this machine is. The lower one says that it does pass: as much as is asked for, or a part of
# what the host gets over its uplink in packets of this size (CARRIED; a shaped stream has no larger ones, and one in an emulator is slow).
between() {
	local low=$(($1 < CARRIED / 16 ? $1 : CARRIED / 16)) high=$2 got
	shift 2
	got=$(mbits in_ve "$@")
	[ "$got" -ge "$low" ] && [ "$got" -le "$high" ] && return 0
	echo "iperf3 $*: $got Mbit/s, not between $low and $high" >&2
	return 1
}

@test "rates in and out: TCP and UDP, IPv4 and IPv6, changed while it runs" {
	counted web
	serve
	local before
	before=$(on_host ip -o link | wc -l)
	ok set web network.0.rate_in=20M network.0.rate_out=40M
	between 8 40 -c 192.0.2.1 -t 1
	between 4 20 -c 192.0.2.1 -t 1 -R
	between 8 40 -c 2001:db8::1 -t 1
	between 4 20 -c 2001:db8::1 -t 1 -R
	between 8 41 -c 192.0.2.1 -t 1 -u -b 200M
	between 4 21 -c 192.0.2.1 -t 1 -u -b 200M -R
	# A smaller one for what is small: the burst must not be seconds of it.
	ok set web network.0.rate_out=1M
	between 0 2 -c 192.0.2.1 -t 2
	ok set web network.0.rate_in=unlimited network.0.rate_out=default
	between 60 1000000 -c 192.0.2.1 -t 1
	between 60 1000000 -c 192.0.2.1 -t 1 -R
	[ "$(on_host ip -o link | wc -l)" = "$before" ] # no shaper stays
	[ -z "$(on_host tc qdisc show dev "$(link_of)" | grep -v -e noqueue -e ingress_block)" ] # (the fast path's)
	stop_serving
}

@test "a rate is there from the start, outside the VE's reach, and not worth a packet of what stays" {
	ve web --ip "$IP" --set network.0.rate_in=10M --set network.0.rate_out=10M
	wait_until 5 in_world ping -c1 -W1 "$IP"
	serve
	between 2 10 -c 192.0.2.1 -t 1
	local way
	way=$(in_ve ip route show default | sed -n 's/^default via \([^ ]*\).*/\1/p')
	# The VE's root is root in there: it takes away what it can see, and makes its link anew to no avail.
	in_ve tc qdisc del dev eth0 root 2>/dev/null || true
	in_ve ip link set eth0 down
	in_ve ip link set eth0 up
	in_ve ip route add "$way" dev eth0 2>/dev/null || true
	in_ve ip route add default via "$way" 2>/dev/null || true
	between 2 10 -c 192.0.2.1 -t 1
	stop_serving
	# A change of rate while pings go: none is lost.
	in_world ping -q -c 100 -i 0.01 "$IP" >"$BATS_TEST_TMPDIR/ping" &
	local ping=$!
	ok set web network.0.rate_in=50M network.0.rate_out=50M
	ok set web network.0.rate_in=5M
	wait $ping
	grep -q ' 0% packet loss' "$BATS_TEST_TMPDIR/ping"
}

@test "a kernel that lacks what rates need: check says so, and start and set refuse them in the same words (69)" {
	local kind row
	# A sanitized vectl wants its own library to be the first.
	lacking() { ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$O/hide-kind.so HIDE_KIND=$kind try v "$@"; }
	row() { jq -r '.[] | select(.feature == "rates") | "\(.present) \(.detail)"' <<<"$output"; }
	ok check --json
	[[ $(row) == "true "* ]]
	ok create web --image busybox --set network.0.rate_out=1M
	for kind in ifb tbf clsact u32 mirred; do
		lacking check --json
		row=$(row)
		[[ $row == "false the kernel lacks "*"${kind/clsact/sch_ingress}"* ]] || { echo "$kind: $row"; return 1; }
		lacking start web
		is 69
		says "${row#false }"
		in_state web stopped
	done
	ok set web network.0.rate_out=unlimited
	ok start web
	kind=ifb
	lacking set web network.0.rate_out=1M
	is 69
	ok get web network.0.rate_out
	[ "$output" = unlimited ]
}

@test "rates that are none" {
	ok create web --image busybox --ip "$IP"
	fails 78 set web network.0.rate_in=0
	fails 78 set web network.0.rate_out=1
	fails 78 set web network.0.rate_out=fast
	fails 78 set web network.0.rate_out=100MB
	fails 78 set web network.0.quota=0
	fails 78 set web network.0.quota_action=explode
	fails 78 set web network.0.quota_day=29
}

# ---- quotas -------------------------------------------------------------------------------------------------------

EVENTS() { grep -c "\"$1\"" "$VECTL_ROOT/var/log/vectl/events.jsonl" || true; }
events_are() { [ "$(EVENTS "$1")" = "$2" ]; }
passes() { in_world ping -c1 -W1 "$IP"; }

@test "quota: warn is an event, once" {
	export VE_ACCOUNT_MS=50
	counted web --set network.0.quota=20K
	json_of=$(v traffic web --json)
	jq -e '.ves[0].interfaces[0].quota | .limit == 20480 and .spent == false and .action == "warn"' <<<"$json_of"
	ping4 30 500
	wait_until 5 events_are quota-spent 1
	wait_until 5 passes
	ping4 30 500
	[ "$(figure web .interfaces[0].quota.spent)" = true ]
	ok restart web
	wait_until 5 passes
	ping4 3 500
	events_are quota-spent 1
	ok set web network.0.quota=1G
	events_are quota-lifted 1
	[ "$(figure web .interfaces[0].quota.spent)" = false ]
}

@test "quota: throttle and block, lifted when it is raised, kept over a restart" {
	export VE_ACCOUNT_MS=50
	counted web --set network.0.quota=50K --set network.0.quota_action=block
	local spent lifted
	spent=$(EVENTS quota-spent) lifted=$(EVENTS quota-lifted)
	in_world ping -q -c 60 -i 0.01 -s 972 "$IP" >/dev/null || true
	ok status web --json
	wait_until 5 events_are quota-spent $((spent + 1))
	wait_until 5 not passes
	ok status web --json
	json '.quotas | length == 1'
	json '.quotas[0] | .label == 0 and .limit == 51200 and .used >= 51200 and .action == "block" and .spent'
	json '.quotas[0] | (.from | test("^20..-..-..$")) and (.until | test("^20..-..-..$")) and .from < .until'
	local since
	since=$(field '.quotas[0].since')
	[[ $since == 20*Z ]]
	ok status web
	grep -qE '^quotas.0.since: +20' <<<"$output"
	on_host ping -c1 -W1 "$IP" # the host still reaches it
	ok restart web
	wait_until 5 on_host ping -c1 -W1 "$IP"
	not passes
	# It is the same one still.
	ok status web --json
	[ "$(field '.quotas[0].since')" = "$since" ]
	ok set web network.0.quota=1G
	wait_until 5 passes
	events_are quota-lifted $((lifted + 1))
	ok status web --json
	json '.quotas[0] | .spent == false and .since == null and .limit == 1073741824'

	ok set web network.0.quota_action=throttle network.0.quota_rate=500K
	ok set web network.0.quota=50K
	on_host tc qdisc show dev "$(link_of)" | grep -q 'tbf.*rate 500Kbit'
	on_host tc qdisc show dev "$(link_of | sed s/vz/vs/)" | grep -q 'tbf.*rate 500Kbit'
	passes
	ok set web network.0.quota=unlimited
	[ -z "$(on_host tc qdisc show dev "$(link_of)" | grep tbf)" ]
	ok status web --json
	json '.quotas == []'
}

# A month goes by: what was counted was counted forty days ago (see lib/model/ledger.h).
age_ledger() {
	python3 - "$1" <<-'PYTHON'
		import struct, sys
		def fnv(data):
		    h = 0xcbf29ce484222325
		    for b in data:
		        h = (h ^ b) * 0x100000001b3 & 0xffffffffffffffff
		    return h
		with open(sys.argv[1], "r+b") as f:
		    for at in (0, 4096):
		        f.seek(at)
		        head = bytearray(f.read(3816))
		        if struct.unpack_from("<Q", head, 3808)[0] != fnv(head[:3808]):
		            continue
		        for slot in range(16):
		            label, day = struct.unpack_from("<II", head, 96 + 232 * slot)
		            if label:
		                struct.pack_into("<I", head, 96 + 232 * slot + 4, day - 40)
		        struct.pack_into("<Q", head, 3808, fnv(head[:3808]))
		        f.seek(at)
		        f.write(head)
	PYTHON
}

@test "quota: a new billing period lifts it" {
	export VE_ACCOUNT_MS=50
	local day lifted
	day=$(date -u +%-d) lifted=$(EVENTS quota-lifted)
	[ "$day" -le 28 ] || day=1
	counted web --set network.0.quota=20K --set network.0.quota_action=block --set network.0.quota_day="$day"
	ping4 40 500 || true
	wait_until 5 not passes
	[ "$(figure web '.interfaces[0].quota.from | .[8:10] | tonumber')" = "$day" ]
	[ "$(figure web '.interfaces[0].quota.until | .[8:10] | tonumber')" = "$day" ]
	age_ledger "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web)/traffic"
	wait_until 5 passes
	wait_until 5 events_are quota-lifted $((lifted + 1))
	[ "$(figure web '.total.in.bytes + .total.out.bytes')" -gt 20480 ]
}
