# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Do limits hold? By programs in VEs that want more than they may have.

# background VE PROGRAM ARG...: until end_background.
background_pids=()
background() {
	carried "$@" >/dev/null 2>&1 </dev/null &
	background_pids+=($!)
}
end_background() {
	kill "${background_pids[@]}" 2>/dev/null || true
	wait "${background_pids[@]}" 2>/dev/null || true
	background_pids=()
}

# cpu_used VE...: microseconds, a line each, all read at one time; behind them the clock.
cpu_used() {
	v list "$@" --fields name,cpu.used --sort name --json | jq '.[]["cpu.used"] / 1000 | floor'
	echo $((${EPOCHREALTIME/./}))
}
# used_in SECONDS VE...: what each got of one CPU meanwhile.
used_in() {
	local seconds=$1 before after
	shift
	before=$(cpu_used "$@")
	sleep "$seconds"
	after=$(cpu_used "$@")
	paste <(echo "$before") <(echo "$after") | awk '{ d[NR] = $2 - $1 } END { for (i = 1; i < NR; i++) printf "%.4f\n", d[i] / d[NR] }'
}
# off RATIO: how far from 1, as a part of 1.
off() { awk -v r="$1" 'BEGIN { d = r - 1; printf "%.3f", d < 0 ? -d : d }'; }
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

# Both on one CPU, so that each gets what the other one leaves.
cpu_limits() {
	local name got _
	v create one --image busybox --set cpu.set=0 --set cpu.weight=100 --start >/dev/null
	v create three --image busybox --set cpu.set=0 --set cpu.weight=300 --start >/dev/null
	for name in one three; do
		carry $name stress-ng
		background $name stress-ng --temp-path /tmp --cpu 2 --cpu-method int64
	done
	got=$(for _ in 1 2 3 4 5; do used_in 3 one three | paste -sd' ' | awk '{ printf "%.4f\n", $2 / $1 / 3 }'; done | median)
	row "CPU by weight, 300 against 100: off by, as a part of what is due" "$(off "$got")" 0.03
	v set three cpu.limit=0.25 >/dev/null
	got=$(for _ in 1 2 3 4 5; do used_in 3 three | awk '{ print $1 / 0.25 }'; done | median)
	row "cpu.limit=0.25: off by" "$(off "$got")" 0.03
	end_background
	stop_all
}

memory_limit() {
	local peak
	v create hog --image busybox --set memory.limit=128M --set memory.swap=0 --start >/dev/null
	carry hog stress-ng
	carried hog stress-ng --temp-path /tmp --vm 2 --vm-bytes 256M --vm-keep --oomable --timeout 5 >/dev/null 2>&1 || true
	peak=$(v limits hog --json | jq '.[] | select(.resource == "memory") | .peak')
	row "memory.limit=128M: the most that was used, against it" "$(ratio "$peak" $((128 << 20)))" 1
	stop_all
}

# Directly to the disk: the page cache is not the disk (see io.write_bps in vectl-config(5)).
io_limit() {
	local way bps
	v create disk --image busybox --set io.write_bps=10M --set io.read_bps=10M --start >/dev/null
	carry disk fio
	for way in write read; do
		bps=$(carried disk fio --name=x --rw=$way --bs=256k --size=64M --direct=1 --ioengine=psync --directory=/root --output-format=json |
			jq ".jobs[0].$way.bw_bytes")
		row "io.${way}_bps=10M: off by" "$(off "$(awk -v b="$bps" 'BEGIN { print b / (10 * 1048576) }')")" 0.1
	done
	stop_all
}

# What df says is free before, against what a file then holds.
disk_limit() {
	local free held
	v create full --image busybox --disk 256M --start >/dev/null
	free=$(v exec full -- stat -f -c '%a %S' / | awk '{ print $1 * $2 }')
	v exec full -- sh -c 'dd if=/dev/zero of=/root/full bs=4096 2>/dev/null; sync' || true
	held=$(v exec full -- stat -c %s /root/full)
	note "  $free bytes were free, the file has $held"
	row "disk.size=256M: what one file got of what df said was free, off by" "$(off "$(awk -v a="$held" -v b="$free" 'BEGIN { print a / b }')")" 0.01
	stop_all
}

# A VE that lives on its memory limit, and a neighbour's p99; in turns, as the machine is not ours alone.
neighbour() {
	local _
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -static -o "$work/latency" "$here/latency.c"
	v create quiet --image busybox --set cpu.set=0 --start >/dev/null
	v create hog --image busybox --set cpu.set=1 --set memory.limit=128M --start >/dev/null
	carry hog stress-ng
	v exec quiet -- sh -c 'cat >/root/latency && chmod 755 /root/latency' <"$work/latency"
	for _ in 1 2 3 4 5; do
		v exec quiet --cwd /root -- ./latency 2000 >>"$work/p99.quiet"
		background hog stress-ng --temp-path /tmp --vm 2 --vm-bytes 200M --vm-keep --hdd 1 --hdd-bytes 64M --oomable
		v exec quiet --cwd /root -- ./latency 2000 >>"$work/p99.storm"
		end_background
	done
	row "a neighbour's p99 while a VE is at its memory limit, against quiet" \
		"$(ratio "$(median <"$work/p99.storm")" "$(median <"$work/p99.quiet")")" 1.5
	stop_all
}

live_change() {
	v create live --image busybox --set memory.limit=256M --start >/dev/null
	timed up "$VECTL" set live memory.limit=512M ::: down "$VECTL" set live memory.limit=256M
	row "vectl set memory.limit= on a running VE, of 10 ms" "$(ratio "$(us up)" 10000)" 1
	stop_all
}

section_limits() {
	cpu_limits
	memory_limit
	io_limit
	disk_limit
	neighbour
	live_change
}
