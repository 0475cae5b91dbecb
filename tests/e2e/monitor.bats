#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The monitor: dispensable, recoverable; reboot and poweroff inside; the restart policy; console and log.
load helpers

another_init() { local now; now=$(init_pid web1); [ "$now" != null ] && [ "$now" != "$1" ]; }
kill_monitor() {
	local pid
	pid=$(monitor_pid "$1")
	kill -9 "$pid"
	wait_until 5 gone "$pid"
}

@test "one process a VE, and it is in the monitors' group" {
	ve web1
	local pid
	pid=$(monitor_pid web1)
	[ "$(readlink "/proc/$pid/exe")" = "$(realpath "${VECTL_LIBEXECDIR:-$O}/vectl-monitor")" ]
	grep -q "/$BASE/.monitor" "/proc/$pid/cgroup"
	[ "$(awk '$1 == "PPid:" { print $2 }' "/proc/$(init_pid web1)/status")" = "$pid" ]
	[ "$(processes_of_store | grep -c vectl)" -eq 1 ]
}

@test "it holds no descriptor of the caller's, and not the caller's terminal or session" {
	exec 9<"$VECTL_ROOT"
	ve web1
	exec 9<&-
	local pid
	pid=$(monitor_pid web1)
	not grep -qx "$VECTL_ROOT" <(find "/proc/$pid/fd" -printf '%l\n')
	[ "$(awk '{ print $7 }' "/proc/$pid/stat")" = 0 ]
	[ "$(ps -o sid= -p "$pid" | tr -d ' ')" != "$(ps -o sid= -p $$ | tr -d ' ')" ]
}

@test "kill -9 of the monitor leaves the VE running, list says so, recover adopts it" {
	ve web1
	local init
	init=$(init_pid web1)
	kill_monitor web1
	not gone "$init"
	ok status web1 --json
	json ".state == \"running\" and .monitor_pid == null and .init_pid == $init"
	ok list
	[[ $output == *unsupervised* ]]
	inside web1 true
	ok recover
	ok status web1 --json
	json ".state == \"running\" and .monitor_pid > 1 and .init_pid == $init"
	ok list
	[[ $output != *unsupervised* ]]
	inside web1 true
	changed true stop web1
	json '.warnings == []'
}

@test "an unsupervised VE is stopped, killed and destroyed like any other" {
	local verb
	ok create web1 --image busybox
	for verb in stop kill restart; do
		ok start web1
		kill_monitor web1
		changed true $verb web1
	done
	kill_monitor web1
	ok destroy web1 --force
}

@test "an unsupervised VE that ends: recover says stopped, and takes away what is left" {
	ve web1
	kill_monitor web1
	local init
	init=$(init_pid web1)
	kill -9 "$init"
	wait_until 5 gone "$init"
	ok recover
	in_state web1 stopped
	ok start web1
}

@test "recover changes nothing that is well" {
	ve web1
	ve web2
	ok freeze web2
	local before after
	before=$(v list --json --fields name,state,init_pid,started_at)
	before+=$(init_pid web1)$(monitor_pid web1)$(init_pid web2)$(monitor_pid web2)
	ok recover
	after=$(v list --json --fields name,state,init_pid,started_at)
	after+=$(init_pid web1)$(monitor_pid web1)$(init_pid web2)$(monitor_pid web2)
	[ "$before" = "$after" ]
	in_state web2 frozen
}

@test "reboot(2) inside: the VE starts anew" {
	ve web1
	local init
	init=$(init_pid web1)
	v exec web1 -- reboot -f || true
	wait_until 20 another_init "$init"
	wait_until 20 in_state web1 running
	inside web1 true
}

@test "reboot by init: likewise, and the network comes again" {
	ve web1 --ip 192.0.2.10
	local init
	init=$(init_pid web1)
	v exec web1 -- reboot || true
	wait_until 30 another_init "$init"
	wait_until 20 in_state web1 running
	on_host ping -c1 -W5 192.0.2.10
}

@test "poweroff(2) and halt(2) inside: the VE is stopped, and says why" {
	local how
	for how in poweroff halt; do
		ve web1
		v exec web1 -- $how -f || true
		wait_until 20 in_state web1 stopped
		ok status web1 --json
		json '.last_exit.reason != null'
		ok destroy web1
	done
}

@test "poweroff by init" {
	ve web1
	v exec web1 -- poweroff || true
	wait_until 30 in_state web1 stopped
}

@test "boot.restart=always: init's death restarts it; stop does not" {
	ve web1 --set boot.restart=always
	local init
	init=$(init_pid web1)
	kill -9 "$init"
	wait_until 20 another_init "$init"
	ok stop web1
	in_state web1 stopped
	init=$(processes_of_store)
	[ -z "$init" ]
}

@test "a VE whose init has just ended is not started anew after a stop or a kill" {
	local verb monitor
	for verb in stop kill; do
		ve web1 --set boot.restart=always
		monitor=$(monitor_pid web1)
		kill -STOP "$monitor"
		kill -9 "$(init_pid web1)"
		wait_until 5 in_state web1 stopping
		changed true "$verb" web1
		in_state web1 stopped
		kill -CONT "$monitor"
		wait_until 10 gone "$monitor"
		in_state web1 stopped
		ok destroy web1
	done
}

@test "boot.restart=no: init's death stops it" {
	ve web1
	kill -9 "$(init_pid web1)"
	wait_until 20 in_state web1 stopped
	ok status web1 --json
	json '.last_exit.status == 137'
}

@test "boot.restart=on-failure: a kill restarts it, poweroff does not" {
	ve web1 --set boot.restart=on-failure
	local init
	init=$(init_pid web1)
	kill -9 "$init"
	wait_until 20 another_init "$init"
	wait_until 20 in_state web1 running
	v exec web1 -- poweroff -f || true
	wait_until 20 in_state web1 stopped
}

@test "the console's log" {
	ve web1
	inside web1 sh -c 'for i in 1 2 3; do echo "line $i" >/dev/console; done'
	logged() { v logs web1 | grep -q 'line 3'; }
	wait_until 10 logged
	# A login prompt may come in between: what is asked is that the last lines, and only so many, are shown.
	ok logs web1 --lines 2
	[ "$(wc -l <<<"$output")" -le 2 ]
	[[ $output != *'line 1'* ]]
	ok stop web1
	ok logs web1
	[[ $output == *'line 1'* ]]
}

@test "logs --follow ends when the VE stops" {
	ve web1
	become_v logs web1 --follow >"$BATS_TEST_TMPDIR/follow" &
	local follower=$!
	inside web1 sh -c 'echo followed >/dev/console'
	wait_until 10 grep -q followed "$BATS_TEST_TMPDIR/follow"
	ok stop web1
	wait_until 10 gone $follower
	wait $follower
}

@test "the console's log is bounded" {
	ve web1
	inside web1 sh -c 'head -c 30000000 /dev/zero | tr "\0" x >/dev/console'
	[ "$(du -sk "$VECTL_ROOT/var/log/vectl" | cut -f1)" -lt 20000 ]
}

@test "console: scrollback first, then what is typed; Ctrl-] three times leaves" {
	# A jail whose one process reads the console: in a VE that boots, a login would read there too, and take some of the letters.
	ok create web1 --template jail --image busybox --start --set \
		'command=["/bin/sh","-c","echo scrolled back; read -r line; echo \"heard: $line\"; exec sleep 1000"]'
	speaks() { v logs web1 | grep -q 'scrolled back'; }
	wait_until 10 speaks
	mkfifo "$BATS_TEST_TMPDIR/keys"
	socat -t 5 - "EXEC:'nsenter --net=/run/netns/$HOST_NS -- $VECTL console web1',pty,setsid,ctty,stderr,raw,echo=0" \
		<"$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/screen" &
	local socat=$!
	exec 8>"$BATS_TEST_TMPDIR/keys"
	wait_until 10 grep -q 'scrolled back' "$BATS_TEST_TMPDIR/screen"
	printf 'typed here\n' >&8
	wait_until 10 grep -q 'heard: typed here' "$BATS_TEST_TMPDIR/screen"
	printf '\035\035\035' >&8
	wait_until 10 gone $socat
	exec 8>&-
	in_state web1 running
}

@test "a console is still there after recover" {
	ve web1
	kill_monitor web1
	ok recover
	inside web1 true
	[ -S "$(run_dir web1)/console.sock" ]
}

@test "the monitor keeps to itself: nothing in it is the tenant's to reach" {
	ve web1
	# The VE's processes see no process but their own, and no file of the run directory.
	inside web1 sh -c 'cat /proc/[0-9]*/comm'
	not grep -q vectl <<<"$output"
}

@test "a jail that was started has a console: its words are in the log, also after recover" {
	ok create web1 --template jail --image busybox --set 'command=["/bin/sh","-c","echo jail speaks; exec sleep 1000"]' --start
	speaks() { v logs web1 | grep -q "$1"; }
	wait_until 10 speaks 'jail speaks'
	kill_monitor web1
	ok recover
	inside web1 sh -c 'echo still speaks >/dev/console'
	wait_until 10 speaks 'still speaks'
}

@test "how an adopted VE ended is known where the kernel tells, and else said to be unknown" {
	local told=false how signal code reason
	[ "$(printf '%s\n' 6.15 "$(uname -r)" | sort -V | head -1)" != 6.15 ] || told=true
	ok create web1 --template jail --image busybox \
		--set 'command=["/bin/sh","-c","trap \"exit 3\" TERM; trap \"exit 0\" USR1; while :; do sleep 1000 & wait; done"]'
	for how in TERM:3:crashed USR1:null:unknown KILL:null:unknown; do
		IFS=: read -r signal code reason <<<"$how"
		ok start web1
		kill_monitor web1
		ok recover
		kill -"$signal" "$(init_pid web1)"
		wait_until 20 in_state web1 stopped
		$told || { code=null reason=unknown; }
		ok status web1 --json
		json ".last_exit.reason == \"$reason\" and .last_exit.status == $code"
	done
}

@test "an adopted VE that was switched off is not taken for crashed, and one that reboots starts anew" {
	image debian-13 # its init is the one that says how it ends
	ok create web1 --image debian-13 --set boot.restart=on-failure --start --wait
	local init
	init=$(init_pid web1)
	kill_monitor web1
	ok recover
	v exec web1 -- systemctl reboot || true
	wait_until 60 another_init "$init"
	# Booted, as start --wait sees it: before that nobody inside hears systemctl.
	booted() { [ -e "$(run_dir web1)/ready" ]; }
	wait_until 60 booted
	kill_monitor web1
	ok recover
	v exec web1 -- systemctl poweroff || true
	wait_until 60 in_state web1 stopped
	ok status web1 --json
	json '.last_exit.reason == "poweroff"'
	ok destroy web1
	v image remove debian-13
}
