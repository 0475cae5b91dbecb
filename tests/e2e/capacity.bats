#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was sold against what is there.
load helpers

setup_file() {
	# A pool's file has a directory that comes and goes with it; the store's lock is made with the first.
	world_up && v --quiet pool set warm memory.limit=1G && v --quiet pool remove warm && inventory >"$BATS_FILE_TMPDIR/inventory"
}

@test "what was sold, by template, against what is there" {
	ok capacity --json
	"$BATS_TEST_DIRNAME/../check-json" capacity <<<"$output"
	json '.total.ves == 0 and .templates == [] and .pools == [] and .host.cpu > 0 and .host.memory > 0 and .host.disk > 0 and .ratio.memory == 0'
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

@test "by pool: its VEs together were sold no more than its limits" {
	ok pool set gold memory.limit=100M cpu.limit=1.5
	ok pool set wide memory.limit=1G
	# What they are sold of CPU is one core each, by their template.
	ok create one --image busybox --set pool=gold --set memory.limit=64M
	ok create two --image busybox --set pool=gold --set memory.limit=64M
	ok create three --image busybox --set pool=gold --set memory.limit=unlimited
	ok create four --image busybox --set pool=wide --set memory.limit=64M
	ok create five --image busybox --set memory.limit=8M --set cpu.limit=0.5
	ok capacity --json
	"$BATS_TEST_DIRNAME/../check-json" capacity <<<"$output"
	json '[.pools[] | [.pool, .ves, .cpu.sold, .cpu.limit, .memory.sold, .memory.unlimited, .memory.limit]] ==
		[["gold", 3, 3000, 1500, 134217728, 1, 104857600], ["wide", 1, 1000, null, 67108864, 0, 1073741824]]'
	# 100M of gold, 64M of wide's gigabyte, and 8M
	json '.total.ves == 5 and .total.memory.sold == 172 * 1048576 and .total.memory.unlimited == 0 and .total.cpu.sold == 3000'
	ok capacity
	grep -qE '^gold +3 +0 +3 +1\.5 +128M\+1\* +100M +-' <<<"$output"
	destroy_all
	ok pool remove gold
	ok pool remove wide
}
