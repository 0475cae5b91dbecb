#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who changed what, when, why, and how it ended: audit.jsonl and vectl history.
load helpers

setup() { export VECTL_ACTOR=anna; }

history() { ok history "$@" --json; "$BATS_TEST_DIRNAME/../check-json" audit <<<"$output"; }
# last FILTER: of the VE's last line.
last() { json ".[-1] | $1"; }

@test "every verb of a VE's life leaves a line: who, what, from what to what, why, how it ended" {
	ok create web1 --image busybox --set memory.limit=64M --actor panel --reason 'order 4711'
	history web1
	last '.actor == "panel" and .verb == "create" and .result == "ok" and .reason == "order 4711" and .name == "web1"'
	last '.changes | any(.key == "memory.limit" and .old == null and .new == "64M")'
	last '(.uuid | length) == 36 and .duration_ms >= 0 and (.time | startswith("20"))'
	ok start web1
	history web1
	last '.verb == "start" and .actor == "anna" and .changes == [{key: "state", old: "stopped", new: "running"}] and .reason == null'
	ok set web1 memory.limit=128M hostname=other
	history web1
	last '.verb == "set" and (.changes | length) == 2 and any(.changes[]; .old == "64M" and .new == "128M")'
	ok freeze web1
	ok thaw web1
	ok restart web1
	ok block web1 --reason 'invoice 12'
	history web1
	last '.verb == "block" and .reason == "invoice 12" and any(.changes[]; .key == "blocked" and .old == null and .new == "stop")'
	ok unblock web1
	ok lock web1 --reason 'is mine'
	ok unlock web1
	ok kill web1
	history web1
	json '[.[].verb] == ["create", "start", "set", "freeze", "thaw", "restart", "block", "unblock", "lock", "unlock"]'
	json '[.[].seq] | . == sort and length == (unique | length)'
	ok history web1
	grep -qE '^20.* +anna +set +web1 +ok +.*memory\.limit: 64M -> 128M' <<<"$output"
	grep -qF '(invoice 12)' <<<"$output"
}

@test "what was refused or failed is there; what changed nothing, or only looked, is not" {
	ve web1
	ok lock web1 --reason 'is mine'
	fails 75 stop web1 --actor otto
	history web1
	last '.actor == "otto" and .verb == "stop" and .result == "busy" and (.message | test("locked by anna"))'
	fails 79 set web1 features.nesting=on
	history web1
	last '.verb == "set" and .result == "state" and .changes[0].key == "features.nesting"'
	fails 73 create web1 --image busybox
	local n
	n=$(v history --json | jq length)
	changed false start web1
	changed false unblock web1
	ok set web1 memory.limit=50M --dry-run
	ok show web1
	inside web1 true
	ok recover
	[ "$(v history --json | jq length)" = "$n" ]
	grep -q 'exists already' <<<"$(v history --json | jq -r '.[-1].message')"
}

@test "secrets never appear" {
	ve web1
	echo hunter2-the-password >"$BATS_TEST_TMPDIR/secret"
	try_stdin=$BATS_TEST_TMPDIR/secret ok passwd web1
	ok set web1 environment+=TOKEN=hunter2-the-token --pending
	try_stdin=$BATS_TEST_TMPDIR/secret ok create web2 --image busybox --password-stdin --set environment+=TOKEN=hunter2-again
	history
	json 'any(.[]; .verb == "passwd" and .changes[0].key == "password of root" and .changes[0].new == null)'
	json 'any(.[]; .verb == "set" and .changes[0].key == "environment")'
	not grep -q hunter2 "$VECTL_ROOT/var/log/vectl/audit.jsonl"
	# The hash is a secret, too.
	not grep -qF '$y$' "$VECTL_ROOT/var/log/vectl/audit.jsonl"
	[ "$(stat -c %a "$VECTL_ROOT/var/log/vectl/audit.jsonl")" = 640 ]
}

@test "a VE that is gone is found by uuid and by its name; the next of that name inherits nothing" {
	local uuid
	ok create web9 --image busybox
	uuid=$(uuid_of web9)
	ok destroy web9 --reason 'contract ended'
	history web9
	last '.verb == "destroy" and .reason == "contract ended"'
	ok create web9 --image busybox
	history web9
	json 'length == 1'
	history "$uuid"
	json 'length == 2'
	fails 66 history no-such-ve
}

@test "--since: seconds ago, dates; images and the host's configuration are there, too" {
	ok create web1 --image busybox
	ok host set stop.timeout=31
	history --since 1h
	json 'any(.[]; .verb == "create") and (.[-1] | .verb == "host set" and .name == null and .uuid == null)'
	last '.changes == [{key: "stop.timeout", old: .changes[0].old, new: "31"}] and .changes[0].old != "31"'
	history --since 2020-01-31
	json 'length > 0'
	history --since 2199-01-31T10:00:00Z
	json '. == []'
	fails 64 history --since yesterday
	fails 66 image remove nosuch
	history
	last '.verb == "image remove" and .name == "nosuch" and .result == "not-found"'
	rm -f "$VECTL_ROOT/etc/vectl/host.json" "$VECTL_ROOT/var/lib/vectl/lock"
}

@test "a log that cannot be written is a warning, and no failure" {
	ve web1
	mv "$VECTL_ROOT/var/log/vectl/audit.jsonl" "$BATS_TEST_TMPDIR/"
	mkdir "$VECTL_ROOT/var/log/vectl/audit.jsonl"
	ok set web1 memory.limit=50M
	rmdir "$VECTL_ROOT/var/log/vectl/audit.jsonl"
	says "warning: cannot write down in 'audit.jsonl' what was done"
	ok get web1 memory.limit
	[ "$output" = 50M ]
}
