#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The provider's rules: what reaches a VE and what leaves it, from the world, from the host and from another VE.
load helpers

# serve NAME PORT...: an echo server on each of the ports, inside.
serve() {
	local name=$1 port
	shift
	for port in "$@"; do
		v exec "$name" -- sh -c "nc -ll -p $port -e cat >/dev/null 2>&1 </dev/null &"
	done
	for port in "$@"; do wait_until 5 v exec "$name" -- sh -c "netstat -ltn | grep -q ':$port '"; done
}

# opens WHERE ADDRESS PORT: a connection from there is accepted within a second. WHERE: in_world, on_host, or a VE's name.
opens() {
	case $1 in
	in_world | on_host) "$1" timeout 1 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null ;;
	*) v exec "$1" -- sh -c "nc -w 1 $2 $3 </dev/null >/dev/null 2>&1" ;;
	esac
}
pings() {
	case $1 in
	in_world | on_host) "$1" ping -c1 -W1 "$2" >/dev/null ;;
	*) v exec "$1" -- ping -c1 -W1 "$2" >/dev/null ;;
	esac
}
# How many rules there are, whatever is in the sets.
rules() { on_host nft -s list ruleset | awk '/chain /{ c = 1; next } /}/{ c = 0 } c && !/ hook /{ n++ } END{ print n }'; }

@test "in: what is allowed gets in, nothing else does, and the VE still gets out" {
	ve web1 --ip 192.0.2.10 --ip 2001:db8::10 --set "firewall.in=allow tcp 22,8000-8010"
	serve web1 22 80 8005
	wait_until 5 opens in_world 192.0.2.10 22
	wait_until 5 opens in_world 2001:db8::10 22
	opens in_world 192.0.2.10 8005
	opens on_host 192.0.2.10 22
	not opens in_world 192.0.2.10 80
	not opens in_world 2001:db8::10 80
	not opens on_host 192.0.2.10 80
	not pings in_world 192.0.2.10
	pings web1 198.51.100.1
	v exec web1 -- ping6 -c1 -W5 2001:db8:ffff::1
	ok get web1 firewall.in
	[ "$output" = "allow tcp 22,8000-8010" ]
}

@test "in: from some addresses only; the first rule that matches decides" {
	ve web1 --ip 192.0.2.10 --ip 2001:db8::10 \
		--set "firewall.in=deny tcp 22 from 198.51.100.1; allow tcp 22 from 192.0.2.0/24,198.51.100.0/24,2001:db8::/64; allow icmp from 2001:db8::1"
	serve web1 22
	wait_until 5 opens in_world 192.0.2.10 22
	wait_until 5 opens in_world 2001:db8::10 22
	from() { in_world timeout 1 socat -u /dev/null "TCP:192.0.2.10:22,bind=$1"; }
	from 192.0.2.1
	not from 198.51.100.1
	not pings in_world 192.0.2.10
	wait_until 5 pings in_world 2001:db8::10
	not in_world ping -c1 -W1 -I 2001:db8:ffff::1 2001:db8::10
}

@test "out: what is denied does not leave, answers do" {
	ve web1 --ip 192.0.2.10 --set "firewall.out=deny tcp 25; deny all to 198.51.100.1"
	serve web1 22
	become_world socat TCP-LISTEN:25,fork,reuseaddr EXEC:cat 3>&- &
	local mail=$!
	become_world socat TCP-LISTEN:26,fork,reuseaddr EXEC:cat 3>&- &
	local other=$!
	wait_until 5 opens web1 192.0.2.1 26
	not opens web1 192.0.2.1 25
	pings web1 192.0.2.1
	not pings web1 198.51.100.1
	opens in_world 192.0.2.10 22
	pings in_world 192.0.2.10
	kill $mail $other
}

@test "two VEs: the one's out and the other's in" {
	ve web1 --ip 192.0.2.10
	ve web2 --ip 192.0.2.11 --set "firewall.in=allow tcp 22,80"
	serve web2 22 80 81
	wait_until 5 opens web1 192.0.2.11 22
	not opens web1 192.0.2.11 81
	ok set web1 "firewall.out=deny tcp 80"
	opens web1 192.0.2.11 22
	not opens web1 192.0.2.11 80
	opens in_world 192.0.2.11 80
}

@test "live: rules come, change and go; connections that were allowed go on" {
	ve web1 --ip 192.0.2.10
	serve web1 22 80
	wait_until 5 opens in_world 192.0.2.10 80
	# A connection that lives through it all. It is allowed by a rule: what nobody tracked yet would begin anew.
	ok set web1 "firewall.in=allow tcp 80"
	mkfifo "$BATS_TEST_TMPDIR/to"
	become_world socat STDIO TCP:192.0.2.10:80 <"$BATS_TEST_TMPDIR/to" >"$BATS_TEST_TMPDIR/from" 3>&- &
	local client=$!
	exec 7>"$BATS_TEST_TMPDIR/to"
	says_back() { grep -qx "$1" "$BATS_TEST_TMPDIR/from"; }
	echo one >&7
	wait_until 5 says_back one
	changed true set web1 "firewall.in=allow tcp 22"
	changed false set web1 "firewall.in=allow tcp 22"
	not opens in_world 192.0.2.10 80
	opens in_world 192.0.2.10 22
	echo two >&7
	wait_until 5 says_back two
	ok set web1 "firewall.in+=allow icmp"
	pings in_world 192.0.2.10
	ok set web1 "firewall.in=deny all"
	not opens in_world 192.0.2.10 22
	echo three >&7
	wait_until 5 says_back three
	exec 7>&-
	wait $client
	changed true set web1 firewall.in=default
	opens in_world 192.0.2.10 80
	not grep -q 'chain fw[0-9]' <(on_host nft list ruleset)
}

@test "presets: web and mail-blocked" {
	ve web1 --ip 192.0.2.10 --set firewall.preset=web,mail-blocked --set "firewall.in=allow tcp 8080"
	serve web1 22 80 8080 81
	become_world socat TCP-LISTEN:25,fork,reuseaddr EXEC:cat 3>&- &
	local mail=$!
	wait_until 5 opens in_world 192.0.2.10 80
	opens in_world 192.0.2.10 22
	opens in_world 192.0.2.10 8080
	pings in_world 192.0.2.10
	not opens in_world 192.0.2.10 81
	wait_until 5 opens on_host 192.0.2.1 25
	not opens web1 192.0.2.1 25
	ok set web1 firewall.preset-=mail-blocked
	opens web1 192.0.2.1 25
	kill $mail
	fails 78 set web1 firewall.preset=wbe
	says 'web'
}

@test "firewall.connections: so many at a time, and no more" {
	ve web1 --ip 192.0.2.10 --set firewall.connections=3
	serve web1 80
	# Holds COUNT connections and says how many of them were accepted.
	cat >"$BATS_TEST_TMPDIR/hold.py" <<'EOF'
import socket, sys
held = []
for i in range(int(sys.argv[1])):
    s = socket.socket()
    s.settimeout(3)
    try:
        s.connect(("192.0.2.10", 80))
        held.append(s)
    except OSError:
        pass
print(len(held))
EOF
	wait_until 5 opens in_world 192.0.2.10 80
	settled() { [ "$(in_world python3 "$BATS_TEST_TMPDIR/hold.py" 3)" = 3 ]; }
	# The one of the question before has to be gone.
	wait_until 15 settled
	[ "$(in_world python3 "$BATS_TEST_TMPDIR/hold.py" 6)" -le 3 ]
	ok set web1 firewall.connections=unlimited
	[ "$(in_world python3 "$BATS_TEST_TMPDIR/hold.py" 6)" = 6 ]
}

@test "firewall.packet_rate: a flood is cut, what is slow gets through" {
	ve web1 --ip 192.0.2.10 --set firewall.packet_rate=10
	wait_until 5 pings in_world 192.0.2.10
	local got
	# All at once: how many pass in a flood that takes its time is a matter of the machine.
	got=$(in_world ping -q -c 200 -l 200 -W 1 192.0.2.10 | sed -n 's/.* \([0-9]*\) received.*/\1/p')
	[ "$got" -lt 60 ]
	ok set web1 firewall.packet_rate=100000
	got=$(in_world ping -q -c 200 -i 0.002 -W 1 192.0.2.10 | sed -n 's/.* \([0-9]*\) received.*/\1/p')
	[ "$got" = 200 ]
}

@test "a VE without rules adds no rule; one with rules takes them with it" {
	ve web1 --ip 192.0.2.10
	local before
	before=$(rules)
	ve web2 --ip 192.0.2.11
	[ "$(rules)" = "$before" ]
	ok set web2 "firewall.in=allow tcp 22" firewall.connections=10 firewall.packet_rate=1000
	[ "$(rules)" -gt "$before" ]
	ok stop web2
	[ "$(rules)" = "$before" ]
	ok start web2
	[ "$(rules)" -gt "$before" ]
	ok kill web2
	[ "$(rules)" = "$before" ]
}

@test "a rule that is none: 78, with its column; nothing changes" {
	ve web1 --ip 192.0.2.10
	fails 78 set web1 "firewall.in=allow tcp 22; allow tcp 70000"
	says "firewall.in: 'allow tcp 70000': column 11: '70000' is no port"
	fails 78 set web1 "firewall.out=allow tcp 22 from 192.0.2.1"
	says 'column 14.*firewall.in'
	fails 78 set web1 "firewall.in=deny all; allow tcp 22"
	says "matches everything"
	fails 78 set web1 firewall.connections=0
	not grep -q 'chain fw[0-9]' <(on_host nft list ruleset)
	ok get web1 firewall.in
	[ -z "$output" ]
}

@test "nat: rules are for it too" {
	ve web1 --set "firewall.in=deny all" --set "firewall.out=allow icmp"
	serve web1 80
	local address
	address=$(v status web1 --json | jq -r '.addresses[0]')
	pings web1 198.51.100.1
	not opens on_host "${address%/*}" 80
	not pings on_host "${address%/*}"
	become_world socat TCP-LISTEN:7790,fork,reuseaddr EXEC:cat 3>&- &
	local listener=$!
	wait_until 5 opens on_host 198.51.100.1 7790
	not opens web1 198.51.100.1 7790
	kill $listener
}

# What is asked for cannot be done on every kernel: nf_conntrack_bridge.
tracks_on_bridges() {
	on_host nft 'add table bridge try; add chain bridge try c; add rule bridge try c ct state established accept; delete table bridge try' 2>/dev/null
}

@test "bridged: what is denied does not pass the bridge; blocked is blocked" {
	ve web1 --set network.0.type=bridged --set network.0.ips=10.8.0.1/24 --set "firewall.out=deny tcp 81"
	ve web2 --set network.0.type=bridged --set network.0.ips=10.8.0.2/24 --set "firewall.in=deny tcp 80"
	serve web2 22 80 81
	wait_until 10 opens web1 10.8.0.2 22
	not opens web1 10.8.0.2 80
	not opens web1 10.8.0.2 81
	pings web2 10.8.0.1
	ok block web1 --network
	not pings web1 10.8.0.2
	not pings web2 10.8.0.1
	ok unblock web1
	pings web1 10.8.0.2
	# The rules for blocked VEs on bridges came with the first, and would stay.
	on_host nft delete table inet vectl_blocked
	if tracks_on_bridges; then
		ok set web2 "firewall.in=allow tcp 80"
		opens web1 10.8.0.2 80
		not opens web1 10.8.0.2 22
		pings web2 10.8.0.1
	else
		fails 69 set web2 "firewall.in=allow tcp 80"
		says 'follow connections on bridges'
		opens web1 10.8.0.2 22
	fi
}

@test "a rule of a VE's own that somebody takes out or changes: check names it, recover puts it back, and none is there twice" {
	ve web1 --ip 192.0.2.10 --set "firewall.in=deny tcp 80; allow tcp 22,80" --set firewall.packet_rate=5000
	ve web2 --ip 192.0.2.11
	own() { on_host nft -s list table inet vectl | awk '/chain fw[0-9]/ { c = 1 } c { print } /}/ { c = 0 }'; }
	networks() { v check --json | jq -r '.[] | select(.feature == "ve-networks") | "\(.present) \(.detail)"'; }
	local before chain handle
	before=$(own)
	[ "$(networks)" = "true whole, 2 running VEs" ]
	chain=$(grep -oE 'fw[0-9]+_in' <<<"$before" | head -1)
	handle=$(on_host nft -a list chain inet vectl "$chain" | sed -n '/deny tcp 80/s/.*# handle //p')
	on_host nft delete rule inet vectl "$chain" handle "$handle"
	[ "$(networks)" = "false of 'web1' is missing: rules of its chain '$chain'" ]
	ok recover
	diff <(own) - <<<"$before"
	on_host nft insert rule inet vectl "$chain" accept
	networks | grep -q "^false of 'web1'"
	ok recover
	diff <(own) - <<<"$before"
	on_host nft flush ruleset
	networks | grep -q "^false of 'web[12]'.*; of 1 more"
	# The start of another one brings everything back as well.
	ve web3 --ip 192.0.2.12
	diff <(own) - <<<"$before"
	[ "$(networks)" = "true whole, 3 running VEs" ]
	ok recover --json
	json 'length == 0'
	diff <(own) - <<<"$before"
	# The table for nat is loaded anew by the next VE that needs it.
	ve web4
}
