#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a person at a terminal sees: questions that do not echo, hints, the end by Ctrl-C.
load helpers

# typed LINES VECTL-ARGUMENT...: on a terminal, with LINES typed; $output is all that the terminal showed.
typed() {
	local lines=$1 command
	shift
	printf -v command '%q ' nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" "$@"
	status=0
	# Typed when it is asked for: a question flushes what was typed before it.
	output=$(on_terminal "$command" "$lines") || status=$?
	stderr=
}

# Feeds a line whenever the screen ends in ": ", as a question does.
on_terminal() {
	python3 - "$1" "$2" <<'END'
import os, pty, signal, sys
command, lines = sys.argv[1], sys.argv[2].split("|") if sys.argv[2] else []
pid, fd = os.forkpty()
if pid == 0:
    os.execvp("/bin/sh", ["sh", "-c", "exec " + command])
signal.alarm(60)
shown = b""
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if lines and shown.endswith(b": "):
        os.write(fd, lines.pop(0).encode() if lines[0] == "\x03" else lines.pop(0).encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.stdout.flush()
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
END
}

@test "passwd asks twice and shows neither" {
	ok create web1 --image busybox
	typed 'first secret|first secret' passwd web1
	[ "$status" -eq 0 ] || { explain passwd; return 1; }
	[[ $output == *'New password of root in web1: '*'Once more'* ]]
	[[ $output != *secret* ]]
	typed 'first secret|second secret' passwd web1
	[ "$status" -eq 64 ]
	[[ $output == *'differ'* && $output != *secret* ]]
	typed '|' passwd web1
	[ "$status" -eq 64 ]
}

@test "Ctrl-C at the question changes nothing" {
	ok create web1 --image busybox
	typed $'\x03' passwd web1
	[ "$status" -eq 130 ] || { explain passwd; return 1; }
	[[ $output == *interrupted* ]]
}

@test "Ctrl-C ends a wait" {
	ve web1
	nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" wait web1 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
	local pid=$! status=0
	# It has its handler once it waits: poll(2) or ppoll(2).
	wait_until 5 grep -qsE 'poll|wait' "/proc/$pid/wchan"
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	grep -q interrupted "$BATS_TEST_TMPDIR/stderr"
}

@test "an empty list says what to type, on a terminal only" {
	typed '' list
	[[ $output == *'vectl create NAME'* ]]
	ok list
	[[ $output != *create* && -z $stderr ]]
}

@test "documents are indented on a terminal, one line elsewhere" {
	typed "" host show --json
	[ "$(wc -l <<<"$output")" -gt 2 ]
	ok host show --json
	[ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "edit asks before it changes anything, and again after a mistake" {
	local editor=$BATS_TEST_TMPDIR/editor
	export TMPDIR=$BATS_TEST_TMPDIR/copies EDITOR=$editor
	mkdir "$TMPDIR"
	printf '#!/bin/sh\nexec sed -i s/64M/80M/ "$1"\n' >"$editor"
	chmod +x "$editor"
	ve web1 --set memory.limit=64M
	typed n edit web1
	[ "$status" -eq 0 ]
	[[ $output == *'memory.limit: 64M -> 80M'*'Change it?'*'nothing was changed'* ]]
	typed $'\x03' edit web1
	[ "$status" -eq 130 ]
	[ "$(v get web1 memory.limit)" = 64M ]
	typed y edit web1
	[ "$status" -eq 0 ]
	[ "$(v get web1 memory.limit)" = 80M ]
	# The first round makes a mistake, the second one mends it.
	printf '#!/bin/sh\nif [ -e "$0.again" ]; then sed -i s/80X/96M/ "$1"; else touch "$0.again"; sed -i s/80M/80X/ "$1"; fi\n' >"$editor"
	typed 'e|y' edit web1
	[ "$status" -eq 0 ] || { explain edit; return 1; }
	[[ $output == *'web1.json:'*'memory.limit'*'dit again'* ]]
	[ "$(v get web1 memory.limit)" = 96M ]
	# What needs a restart is asked for.
	printf '#!/bin/sh\njq ".features.tun = true" "$1" >"$1.new" && mv "$1.new" "$1"\n' >"$editor"
	typed p edit web1
	[ "$status" -eq 0 ] || { explain edit; return 1; }
	[[ $output == *'needs a restart'*'next start'* ]]
	ok status web1 --json
	json '.pending == ["features.tun"]'
	[ -z "$(ls -A "$TMPDIR")" ]
}
