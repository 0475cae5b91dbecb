#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A billing panel takes a customer through his life with the commands of vectl-panel(7), as they stand there.
load helpers

setup_file() {
	world_up
	v host set ip.pool=192.0.2.64/29
	inventory >"$BATS_FILE_TMPDIR/inventory"
}

PAGE=$BATS_TEST_DIRNAME/../../man/vectl-panel.7.in

# The commands of a section of the page, as they are typed.
block() {
	awk -v section=".Ss $1" '$0 == section { found = 1; next } /^\.S[sh] / { found = 0 }
		found && /^\.Ed/ { inside = 0 } inside { gsub(/\\e/, "\\"); print } found && /^\.Bd/ { inside = 1 }' "$PAGE"
}

# A panel that knows nothing but the page: each section is a button. The last command's document is in $output.
panel() {
	local commands
	commands=$(block "$1")
	[ -n "$commands" ] || { echo "vectl-panel(7) has no section '$1'" >&2; return 1; }
	pressed+=("$1")
	try on_host env PATH="$(dirname "$VECTL"):$PATH" VECTL_ACTOR=panel VE=c4711 PLAN="$PLAN" IMAGE=busybox DOMAIN=www.example.org \
		CUSTOMER=C42 ORDER=1001 INVOICE=2026-17 PASSWORD="$BATS_TEST_TMPDIR/password" MONTH="$(date -u +%Y-%m)" \
		bash -euc "$commands"
}
does() {
	panel "$1"
	is 0
	while read -r document; do
		jq -e . <<<"$document" >/dev/null
	done <<<"$output"
	output=$(tail -n 1 <<<"$output")
}
shadow() { v exec c4711 -- grep '^root:' /etc/shadow; }

@test "a customer's whole life: order, upgrade, non-payment, payment, password, reinstallation, cancellation" {
	local pressed=() PLAN=vps-small address before
	echo "correct horse" >"$BATS_TEST_TMPDIR/password"

	does Order
	json '.changed and .state == "running"'
	does Order # the panel crashed and says it again
	json '.changed == false'
	does Overview
	json 'length == 1 and .[0].name == "c4711" and .[0].state == "running" and .[0].blocked == null and (.[0].addresses | length) == 1'
	address=$(field '.[0].addresses[0]')
	[[ $address == 192.0.2.* ]]
	before=$(shadow)
	[[ $before == 'root:$y$'* ]]

	PLAN=vps-medium
	does "Another plan"
	json '.changed and .state == "running"'
	ok get c4711 template
	[ "$output" = vps-medium ]
	does "Another plan"
	json '.changed == false'

	does Non-payment
	json '.changed and .state == "blocked"'
	fails 79 start c4711
	says 'invoice 2026-17'
	does Overview
	json '.[0].blocked != null'
	does Payment
	json '.changed and .state == "running"'

	echo "battery staple" >"$BATS_TEST_TMPDIR/password"
	does Password
	[ "$(shadow)" != "$before" ]
	does Restart
	json '.changed and .state == "running"'
	wait_until 5 in_world ping -c1 -W1 "$address"
	does Usage
	json 'map(.resource) | contains(["memory"])'

	inside c4711 sh -c 'echo mine >/root/file'
	does Reinstallation
	json '.changed and .state == "running"'
	not v exec c4711 -- test -e /root/file
	ok get c4711 network.0.ips
	[ "$output" = "$address" ]

	does Cancellation
	json '.changed'
	does Cancellation
	json '.changed == false'
	does Dispute
	json 'map(.verb) | contains(["create", "apply", "block", "unblock", "passwd", "destroy"])'
	json 'all(.[] | select(.result == "ok"); .actor == "panel")'
	not grep -rqE 'correct horse|battery staple' "$VECTL_ROOT/var/lib/vectl/ve" "$VECTL_ROOT/var/log" "$VECTL_ROOT/run"

	# Every button of the page was pressed.
	diff <(printf '%s\n' "${pressed[@]}" | sort -u) <(sed -n 's/^\.Ss //p' "$PAGE" | sort)
}
