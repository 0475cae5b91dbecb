#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs of the provider's at the points of a VE's life: what they get, what their failure means, and which are refused.
load helpers

# Not below /var/tmp: everybody may write there, and so no hook may be there.
setup_file() {
	world_up
	HOOKS=$(mktemp -d /var/lib/vectl-e2e-hooks.XXXXXX)
	export HOOKS
}
teardown_file() {
	rm -rf "$HOOKS"
	world_down
}
setup() { rm -rf "${HOOKS:?}"/*; }

# hook NAME: a program with the script on standard input; prints its path.
hook() {
	{ echo '#!/bin/bash'; cat; } >"$HOOKS/$1"
	chmod 0755 "$HOOKS/$1"
	echo "$HOOKS/$1"
}
# A hook that writes down each of its runs.
recorder() { hook recorder <<<"echo \"\$VECTL_HOOK \$VECTL_NAME \$VECTL_UUID\" >>$HOOKS/log; cat >$HOOKS/json.\$VECTL_HOOK"; }
log() { cut -d' ' -f1 "$HOOKS/log" | tr '\n' ' '; }
POINTS='create before_start started stopping stopped destroyed'
all_of() { local point; for point in $POINTS; do echo "--set hooks.$point=$1"; done; }
event_of() { v events "$1" --kind hook-failed --json; }

@test "each point in its turn, with the VE's document on standard input" {
	local path point
	path=$(recorder)
	# shellcheck disable=SC2046 # words
	ok create web1 --image busybox $(all_of "$path") --set labels.tier=gold
	[ "$(log)" = 'create ' ]
	ok start web1
	[ "$(log)" = 'create before_start started ' ]
	ok stop web1
	[ "$(log)" = 'create before_start started stopping stopped ' ]
	ok start web1
	rm "$HOOKS/log"
	ok restart web1
	[ "$(log)" = 'stopping stopped before_start started ' ]
	rm "$HOOKS/log"
	ok kill web1
	[ "$(log)" = 'stopped ' ]
	ok show web1 --json
	for point in create before_start started stopping stopped; do
		[ "$(jq -S 'del(.revision)' "$HOOKS/json.$point")" = "$(jq -S 'del(.revision)' <<<"$output")" ]
		"$BATS_TEST_DIRNAME/../check-json" show "$HOOKS/json.$point"
	done
	[ "$(cut -d' ' -f2,3 "$HOOKS/log")" = "web1 $(uuid_of web1)" ]
	rm "$HOOKS/log"
	ok destroy web1
	[ "$(log)" = 'destroyed ' ]
	jq -e '.labels.tier == "gold" and .name == "web1"' "$HOOKS/json.destroyed"
}

@test "an end by itself runs stopped; a reboot inside all of it again" {
	local path
	path=$(recorder)
	ok create web1 --image busybox --start --set hooks.before_start="$path" --set hooks.started="$path" --set hooks.stopped="$path"
	rm "$HOOKS/log"
	v exec web1 -- reboot -f || true
	wait_until 20 grep -q started "$HOOKS/log"
	[ "$(log)" = 'stopped before_start started ' ]
	rm "$HOOKS/log"
	v exec web1 -- poweroff -f || true
	wait_until 20 in_state web1 stopped
	wait_until 20 grep -q stopped "$HOOKS/log"
	[ "$(log)" = 'stopped ' ]
}

@test "a fixed environment, directory and umask; no descriptor, no terminal, no signal of the caller's" {
	local path
	path=$(hook look <<-SCRIPT
		exec >$HOOKS/seen
		env | grep -v '^\(_\|SHLVL\|PWD\)=' | sort
		pwd
		umask
		for fd in /proc/\$\$/fd/*; do [ ! -h \$fd ] || [ \${fd##*/} = 255 ] || echo -n "\${fd##*/} "; done
		echo
		grep -E "^Sig(Blk|Ign)" /proc/self/status
		[ \$(ps -o sid= -p \$\$) = \$\$ ] && echo own session
		readlink /proc/\$\$/fd/0
	SCRIPT
	)
	ok create web1 --image busybox
	exec 7>"$BATS_TEST_TMPDIR/leak"
	(
		trap '' USR1
		export SECRET=1
		cd /usr
		umask 0
		ok set web1 hooks.before_start="$path"
		ok start web1
	)
	exec 7>&-
	cat "$HOOKS/seen" >&2
	diff "$HOOKS/seen" - <<-SEEN
		HOME=/root
		LC_ALL=C.UTF-8
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		VECTL_HOOK=before_start
		VECTL_NAME=web1
		VECTL_ROOT=$VECTL_ROOT
		VECTL_UUID=$(uuid_of web1)
		/
		0022
		0 1 2 
		SigBlk:	0000000000000000
		SigIgn:	0000000000000000
		own session
		/memfd:hook (deleted)
	SEEN
}

@test "create: a failure undoes it, and its words are in the error" {
	local path
	path=$(hook no <<<'echo "the billing system says no"; exit 3')
	fails 79 create web1 --image busybox --set hooks.create="$path"
	says "hooks.create: '$path' ended with status 3: the billing system says no"
	same_as_before
	# Whoever was told of a VE that then could not be made is told that it is gone.
	path=$(recorder)
	try env VE_FAULT=config nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" create web1 --image busybox \
		--set hooks.create="$path" --set hooks.destroyed="$path"
	if [ "$status" -ne 0 ]; then
		is 71
		[ "$(log)" = 'create destroyed ' ]
	fi
}

@test "before_start: a failure refuses the start; 75 says that later may do; what failed after it is told to stopped" {
	local no path
	no=$(hook no <<<'exit 3')
	ok create web1 --image busybox --set hooks.before_start="$no"
	inventory >"$BATS_TEST_TMPDIR/before"
	fails 79 start web1
	says 'hooks.before_start'
	in_state web1 stopped
	event_of web1 | jq -es 'length == 1 and (.[0].detail | contains("hooks.before_start"))'
	same_as_before "$BATS_TEST_TMPDIR/before"
	hook no <<<'exit 75'
	fails 75 start web1
	path=$(recorder)
	ok set web1 hooks.before_start="$path" hooks.stopped="$path" init=/nothing-there
	try v start web1
	[ "$status" -ne 0 ]
	[ "$(log)" = 'before_start stopped ' ]
	fails 79 create web2 --image busybox --start --set hooks.before_start="$(hook no <<<'exit 3')"
	not v status web2
}

@test "started, stopping, stopped and destroyed: a failure is a warning and an event, and the verb goes on" {
	local no point
	no=$(hook no <<<'echo broken >&2; exit 9')
	ok create web1 --image busybox
	for point in started stopping stopped destroyed; do ok set web1 hooks.$point="$no"; done
	ok start web1 --json
	json '.warnings | any(contains("hooks.started") and contains("broken"))'
	in_state web1 running
	ok stop web1
	says 'warning: hooks.stopping: .*status 9: broken'
	says 'warning: hooks.stopped: '
	in_state web1 stopped
	event_of web1 | jq -es 'length == 3 and all(.[]; .event == "hook-failed" and (.detail | contains("broken")))'
	event_of web1 | while read -r line; do "$BATS_TEST_DIRNAME/../check-json" event <<<"$line"; done
	ok destroy web1
	says 'hooks.destroyed'
}

@test "one that hangs is killed at the deadline with its whole process group" {
	local path
	path=$(hook hang <<<"echo working; sleep 1000 & echo \$! >$HOOKS/child; echo \$\$ >$HOOKS/pid; trap '' TERM INT HUP; wait; sleep 1000")
	ok create web1 --image busybox --set hooks.before_start="$path" --set hooks.timeout=1
	fails 75 start web1
	says 'did not end within 1 s \(hooks.timeout\) and was killed: working'
	gone "$(<"$HOOKS/pid")"
	wait_until 5 gone "$(<"$HOOKS/child")"
	# One that ends and leaves somebody with its output behind holds nobody up.
	hook hang <<<"sleep 1000 & echo \$! >$HOOKS/child"
	ok set web1 hooks.timeout=1000
	ok start web1
	wait_until 5 gone "$(<"$HOOKS/child")"
	# One that says much, or does not read what it gets.
	hook hang <<<'exec 0<&-; yes | head -c 3000000; echo the end >&2; exit 1'
	ok stop web1
	fails 79 start web1
	says 'the end'
	[ "${#stderr}" -lt 3000 ]
}

@test "interrupted: the hook goes with it, and so does the start" {
	local path verb
	path=$(hook hang <<<"echo \$\$ >$HOOKS/pid; sleep 1000")
	ok create web1 --image busybox --set hooks.before_start="$path" --set hooks.timeout=1000
	become_v start web1 >/dev/null 2>&1 &
	verb=$!
	wait_until 10 test -s "$HOOKS/pid"
	kill -INT $verb
	status=0
	wait $verb || status=$?
	[ "$status" -eq 130 ]
	wait_until 5 gone "$(<"$HOOKS/pid")"
	in_state web1 stopped
	# Killed, it takes its hook along.
	rm "$HOOKS/pid"
	become_v start web1 >/dev/null 2>&1 &
	verb=$!
	wait_until 10 test -s "$HOOKS/pid"
	kill -9 $verb
	wait $verb 2>/dev/null || true
	wait_until 5 gone "$(<"$HOOKS/pid")"
	ok set web1 hooks.before_start=default
	ok recover
	ok start web1
}

@test "a hook that kills its verb in create: recover leaves nothing" {
	local path
	path=$(hook killer <<<'kill -9 $PPID; sleep 1000')
	try v create web1 --image busybox --set hooks.create="$path"
	is 137
	ok recover
	same_as_before
}

@test "what others than root could have written is refused, when it is set and when it is run" {
	local path
	ok create web1 --image busybox
	fails 78 set web1 hooks.started=bin/true
	says 'is no absolute path'
	fails 66 set web1 hooks.started="$HOOKS/none"
	says 'is not there'
	fails 78 set web1 hooks.started="$HOOKS"
	says 'is no file'
	path=$(hook plain <<<'exit 0')
	chmod 0644 "$path"
	fails 78 set web1 hooks.started="$path"
	says 'cannot be executed'
	chmod 0757 "$path"
	fails 78 set web1 hooks.started="$path"
	says "'$path' can be written by others than root"
	chmod 0775 "$path"
	fails 78 set web1 hooks.started="$path"
	chmod 0755 "$path"
	chown 1:1 "$path"
	fails 78 set web1 hooks.started="$path"
	says 'does not belong to root'
	chown 0:0 "$path"
	ln -s plain "$HOOKS/link"
	fails 78 set web1 hooks.started="$HOOKS/link"
	says "'$HOOKS/link' is a symbolic link"
	mkdir -m 0777 "$HOOKS/open"
	cp -p "$path" "$HOOKS/open/hook"
	fails 78 set web1 hooks.started="$HOOKS/open/hook"
	says "'$HOOKS/open' can be written by others than root"
	fails 78 create web2 --image busybox --set hooks.create="$HOOKS/link"
	ok set web1 hooks.before_start="$path"
	chmod 0777 "$path"
	fails 78 start web1
	says "hooks.before_start: '$path' can be written by others"
	rm "$path"
	fails 66 start web1
	# Other keys can be changed all the same.
	ok set web1 hostname=other
	# What root wrote and the kernel cannot run.
	printf 'no program' >"$path"
	chmod 0755 "$path"
	try v start web1
	[ "$status" -ne 0 ]
	says "cannot execute '$path'"
	try v run --image busybox --set hooks.started="$path" -- true
	is 125
	says 'has no hooks'
}

@test "--unprivileged-keys-only refuses keys that hand power over the host, and ways around it" {
	local path key
	path=$(hook plain <<<'exit 0')
	u() { try v --unprivileged-keys-only "$@"; }
	u create web1 --image busybox --set memory.limit=64M
	is 0
	u create web2 --image busybox --set hooks.create="$path"
	is 77
	says 'hooks.create: gives power over the host'
	not v status web2
	for key in hooks.started="$path" hooks.timeout=5 features.nesting=on features.tun=on security.seccomp=none security.capabilities=+sys_nice; do
		u set web1 "$key"
		is 77
		says "^vectl: ${key%%=*}: "
	done
	u set web1 memory.limit=128M security.seccomp=vps
	is 0
	mkdir -p "$VECTL_ROOT/etc/vectl/templates"
	echo '{ "schema": 1, "keys": { "features": { "nesting": true } } }' >"$VECTL_ROOT/etc/vectl/templates/open.json"
	u apply web1 open --dry-run
	is 77
	u create web2 --image busybox --template open
	is 77
	rm -r "$VECTL_ROOT/etc/vectl/templates"
	# What is so already may stay, and be taken along.
	ok set web1 features.tun=on
	u set web1 memory.limit=64M
	is 0
	u set web1 features.tun=default
	is 77
	u run --image busybox --set security.seccomp=none -- true
	is 125
	u run --rootfs / -- true
	is 77
	u --root "$VECTL_ROOT" list
	is 77
	u create web2 --image busybox --ssh-key /etc/hostname
	is 77
	ok keys --json
	"$BATS_TEST_DIRNAME/../check-json" keys <<<"$output"
	json '[.[] | select(.privileged) | .key | split(".")[0]] | unique == ["devices", "features", "hooks", "mounts", "security"]'
	ok keys 'features.tun'
	grep -qE 'restart +host' <<<"$output"
}
