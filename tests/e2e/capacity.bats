#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was sold against what is there.
load helpers

@test "what was sold, by template, against what is there" {
	ok capacity --json
	"$BATS_TEST_DIRNAME/../check-json" capacity <<<"$output"
	json '.total.ves == 0 and .templates == [] and .host.cpu > 0 and .host.memory > 0 and .host.disk > 0 and .ratio.memory == 0'
	ve web1 --template vps-small --set memory.limit=64M --set cpu.cores=unlimited --set cpu.limit=50%
	ok create web2 --image busybox --template vps-small --set memory.limit=32M --set cpu.cores=1
	ok create big1 --image busybox --template vps-large --set memory.limit=unlimited --set cpu.cores=2 --set cpu.limit=500%
	ok capacity --json
	"$BATS_TEST_DIRNAME/../check-json" capacity <<<"$output"
	json '[.templates[] | [.template, .ves, .running, .cpu.sold, .memory.sold, .memory.unlimited]] ==
		[["vps-large", 1, 0, 2000, 0, 1], ["vps-small", 2, 1, 1500, 100663296, 0]]'
	json '.total.cpu.sold == 3500 and .total.memory.sold == 100663296 and .total.disk.unlimited == 3 and .total.memory.used > 0'
	json '(.ratio.memory * .host.memory | round) == 100663296 and (.ratio.cpu * .host.cpu | round) == 3500'
	ok capacity
	grep -qE '^vps-large +1 +0 +2 +0\+1\*' <<<"$output"
	grep -qE '^vps-small +2 +1 +1\.5 +96M' <<<"$output"
	grep -qE '^memory: 96M of .* sold \([0-9]+%\), and 1 without a limit' <<<"$output"
}
