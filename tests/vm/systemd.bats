#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Under systemd: where VEs live, and what must not touch them. Each test looks for the same two VEs, with the same init
# as in the beginning. A shutdown has two files of its own, shutdown-before.bats and shutdown-after.bats.
load helpers

setup_file() {
	[ -d /var/lib/vectl/images/busybox ] || ok image build busybox
	quiet_ve web1 --set memory.limit=64M
	quiet_ve web2
	mkdir "$GUESTS/web1/guest/tenants-own"
	for ve in web1 web2; do identity $ve >"$BATS_FILE_TMPDIR/$ve"; done
}

# As they were: running and supervised, the same init, the limit in force, and the tenant's own groups, empty ones too.
untouched() {
	local ve
	for ve in web1 web2; do
		in_state $ve running
		[ "$(identity $ve)" = "$(cat "$BATS_FILE_TMPDIR/$ve")" ]
		inside $ve true
		kill -0 "$(monitor_pid $ve)"
	done
	[ "$(cat "$GUESTS/web1/memory.max")" = $((64 << 20)) ]
	[ -d "$GUESTS/web1/guest/tenants-own" ]
}

@test "this is the machine that most users have: systemd, and cgroup2 alone" {
	[ "$(readlink -f /proc/1/exe)" = /usr/lib/systemd/systemd ]
	[ "$(findmnt -t cgroup,cgroup2 -no TARGET,FSTYPE | tr -s ' ')" = "/sys/fs/cgroup cgroup2" ]
}

@test "the units are well formed, and the service is enabled" {
	systemd-analyze verify --man=no vectl.service vectl-guests.service
	[ "$(systemctl is-enabled vectl.service)" = enabled ]
	[ "$(systemctl is-active vectl.service)" = active ]
}

@test "VEs and monitors live below vectl-guests.service, whoever started them" {
	local ve
	for ve in web1 web2; do
		[[ $(cat "/proc/$(init_pid $ve)/cgroup") == "0::/system.slice/vectl-guests.service/vectl/$ve/guest"* ]]
		[[ $(cat "/proc/$(monitor_pid $ve)/cgroup") == 0::/system.slice/vectl-guests.service/vectl/.monitor* ]]
	done
	untouched
}

@test "stopping vectl.service leaves them" {
	systemctl stop vectl.service
	[ "$(systemctl is-active vectl.service)" = inactive ]
	untouched
	# The manager writes its groups anew: limits must stay through that, too.
	systemctl daemon-reload
	untouched
	systemctl start vectl.service
	untouched
}

@test "restarting vectl.service leaves them" {
	systemctl restart vectl.service
	untouched
	systemctl reload-or-restart vectl.service
	untouched
}

@test "a new manager leaves them" {
	systemctl daemon-reexec
	untouched
}

@test "the unit they live in cannot be stopped by hand" {
	try systemctl stop vectl-guests.service
	[ "$status" -ne 0 ]
	try systemctl restart vectl-guests.service
	[ "$status" -ne 0 ]
	untouched
}

@test "isolating a target that does not want vectl leaves them" {
	systemctl disable vectl.service
	systemctl isolate multi-user.target
	[ "$(systemctl is-active vectl.service)" = inactive ]
	systemctl enable --now vectl.service
	untouched
}

@test "the life of one VE does not touch the others" {
	quiet_ve web3
	ok stop web3
	ok destroy web3
	untouched
}

@test "a logout takes the session's processes, and leaves the VE that was started in it" {
	ok create web4 --image busybox --set network.0.type=none
	try su -l admin -c "cat /proc/self/cgroup; setsid sleep infinity >/dev/null & echo \$!; sudo $VECTL start web4"
	[ "$status" -eq 0 ] || { explain "the session"; return 1; }
	mapfile -t said <<<"$output"
	# It was a session, and logind does kill what it leaves.
	[[ ${said[0]} == *session-*.scope ]]
	wait_until 60 gone "${said[1]}"
	in_state web4 running
	inside web4 true
	[[ $(cat "/proc/$(init_pid web4)/cgroup" "/proc/$(monitor_pid web4)/cgroup") != *session* ]]
	ok destroy --force web4
	untouched
}

@test "installing again, as an upgrade does, leaves them" {
	make -C "$BATS_TEST_DIRNAME/../.." "O=$O" D=1 install
	systemctl daemon-reload
	systemctl try-restart vectl.service
	untouched
	ok recover
	untouched
	ok restart web2
	in_state web2 running
}
