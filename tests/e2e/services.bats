#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=host-only
# Servers as Debian has them, PostgreSQL, nginx, Redis and Postfix: in a VE with the whole system, and as jails of the shipped
# templates. (An emulated guest has no image with them.)
load helpers

PG=/usr/lib/postgresql/15/bin/postgres

setup_file() {
	world_up
	image debian-services
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown() {
	for name in vps pg www cache mail; do v --quiet destroy --force --if-exists "$name" || true; done
	same_as_before
}

# jail NAME TEMPLATE ADDRESS COMMAND [SETTING]...: created and started.
jail() {
	local settings=() s
	for s in "command=$4" "${@:5}"; do settings+=(--set "$s"); done
	ok create "$1" --template "$2" --image debian-services --ip "$3" --start "${settings[@]}"
}

sql() { v exec "$1" --user postgres -- psql -h "${3:-/var/run/postgresql}" -Atqc "$2"; }
answers_sql() { sql "$@" 'select 1'; }
redis() { local name=$1; shift; v exec "$name" -- redis-cli "$@"; }
page() { in_world curl -sf --max-time 5 "http://$1/"; }
serves() { page "$1" >/dev/null; }
logged() { grep -q "$2" <<<"$(v logs "$1" --lines 1000)"; }
# reaches ADDRESS PORT: from the Internet.
reaches() { in_world timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null; }

# connects SOURCE: to PostgreSQL, from that address of the host's.
connects() { on_host timeout 5 socat -u OPEN:/dev/null "TCP:192.0.2.62:5432,bind=$1,connect-timeout=2" 2>/dev/null; }

@test "in a VE: all four, after its reboot too, with what they have kept" {
	ok create vps --image debian-services --ip 192.0.2.60 --start --wait=300
	inside vps systemctl is-active postgresql@15-main nginx redis-server postfix
	sql vps 'create table t (n int); insert into t select generate_series(1, 1000)'
	inside vps redis-cli set kept 42
	inside vps redis-cli save
	page 192.0.2.60 | grep -q nginx
	ok restart vps --wait=300
	[ "$(sql vps 'select sum(n) from t')" = 500500 ]
	inside vps redis-cli get kept
	[ "$output" = 42 ]
	page 192.0.2.60 | grep -q nginx
	reaches 192.0.2.60 25
	# Not one unit that could not do its work.
	inside vps systemctl --failed --no-legend --plain
	[ -z "$output" ]
}

@test "a web jail: nginx, with its workers as www-data; nothing else is reached, and it comes back when it is killed" {
	jail www web 192.0.2.61 '["nginx","-g","daemon off;"]'
	wait_until 20 serves 192.0.2.61
	page 192.0.2.61 | grep -q nginx
	inside www sh -c 'echo by the tenant >/var/www/html/index.html; ps -o user= -C nginx | sort -u'
	[ "$output" = $'root\nwww-data' ]
	[ "$(page 192.0.2.61)" = "by the tenant" ]
	# A server that it has besides.
	v exec www -- redis-server --bind 0.0.0.0 --port 8000 --protected-mode no --daemonize yes >/dev/null
	wait_until 10 redis www -p 8000 ping
	not reaches 192.0.2.61 8000
	# The command ends in failure: its workers, and what was started by hand, go with it, whoever ended it too.
	try v exec www -- sh -c 'kill -KILL $(cat /run/nginx.pid)'
	wait_until 20 serves 192.0.2.61
	[ "$(page 192.0.2.61)" = "by the tenant" ]
	not redis www -p 8000 ping
	ok stop www
	not serves 192.0.2.61
}

@test "a database jail: PostgreSQL as postgres, reached from private addresses alone, stopped in order" {
	jail pg database 192.0.2.62 "[\"$PG\",\"-D\",\"/var/lib/postgresql/15/main\",\"-c\",\"config_file=/etc/postgresql/15/main/postgresql.conf\",\
\"-c\",\"unix_socket_directories=/tmp\",\"-c\",\"listen_addresses=*\"]" run.user=postgres stop.signal=SIGINT
	wait_until 30 sql pg 'select 1' /tmp
	sql pg 'create table t (n int); insert into t select generate_series(1, 100000)' /tmp
	[ "$(sql pg 'select count(*) from t' /tmp)" = 100000 ]
	# Parallel workers share memory (shm_open), and a sort larger than work_mem has files.
	[ "$(sql pg "set work_mem='64kB'; set min_parallel_table_scan_size=0; set parallel_setup_cost=0; set parallel_tuple_cost=0;
		select count(*) from (select n from t order by n desc) s where n % 7 = 0" /tmp)" = 14285 ]
	# The same host asks, with a public address and with a private one.
	not connects 192.0.2.2
	on_host ip addr add 10.9.9.9/32 dev lo
	local allowed=0
	connects 10.9.9.9 || allowed=$?
	on_host ip addr del 10.9.9.9/32 dev lo
	[ "$allowed" = 0 ]
	ok stop pg
	logged pg 'database system is shut down'
	ok start pg
	wait_until 30 sql pg 'select 1' /tmp
	[ "$(sql pg 'select sum(n) from t' /tmp)" = 5000050000 ]
	not logged pg 'automatic recovery in progress'
}

@test "a database jail: Redis with a tree that is read-only, but for its data" {
	jail cache database 192.0.2.63 '["redis-server","--bind","0.0.0.0","--dir","/var/tmp","--protected-mode","no"]' run.user=redis run.read_only=on
	wait_until 20 redis cache ping
	redis cache set kept 42
	[ "$(redis cache get kept)" = 42 ]
	redis cache save
	not v exec cache -- touch /etc/new 2>/dev/null
	ok stop cache
}

@test "a mail jail: Postfix takes a message from outside and delivers it" {
	cat >"$BATS_TEST_TMPDIR/main.cf" <<-'END'
		compatibility_level = 3.6
		maillog_file = /dev/stdout
		myhostname = mail.example
		mydestination = mail.example
		inet_interfaces = all
		alias_maps =
	END
	ok create mail --template mail --image debian-services --ip 192.0.2.64 --set 'command=["/usr/sbin/postfix","start-fg"]' --set users=ann
	ok push mail "$BATS_TEST_TMPDIR/main.cf" /etc/postfix/main.cf
	ok start mail
	wait_until 30 reaches 192.0.2.64 25
	printf 'From: bob@elsewhere.example\nTo: ann@mail.example\nSubject: hello\n\nover the wire\n' >"$BATS_TEST_TMPDIR/message"
	in_world curl -s --max-time 20 smtp://192.0.2.64 --mail-from bob@elsewhere.example --mail-rcpt ann@mail.example \
		-T "$BATS_TEST_TMPDIR/message"
	wait_until 20 v exec mail -- grep -q 'over the wire' /var/mail/ann
	# No relay for the world.
	not in_world curl -s --max-time 20 smtp://192.0.2.64 --mail-from bob@elsewhere.example --mail-rcpt eve@other.example \
		-T "$BATS_TEST_TMPDIR/message"
	ok stop mail
}
