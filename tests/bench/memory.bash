# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a VE costs the host beyond its own processes.

# What the kernel and the tmpfs mounts use, in KiB: everything but page cache and processes' own memory, which others on
# this machine change all the time.
kernel_kib_now() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '{ m[$1] = $2 } END { print m["MemTotal:"] - m["MemFree:"] - m["Buffers:"] - (m["Cached:"] - m["Shmem:"]) - m["AnonPages:"] }' /proc/meminfo
}
# Dead namespaces and groups are freed later: read again until it falls no more (by a MiB in half a second).
kernel_kib() {
	local last now i
	last=$(kernel_kib_now)
	for i in {1..20}; do
		sleep 0.5
		now=$(kernel_kib_now)
		[ $((last - now)) -gt 1024 ] || break
		last=$now
	done
	echo $((now < last ? now : last))
}
# pss PID...: the mean of the processes' PSS, in KiB.
pss() {
	local pid
	for pid; do awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup"; done |
		awk '{ s += $1; n++ } END { printf "%.0f", s / n }'
}

# child_of PID: its only child.
child_of() { tr -d ' ' <"/proc/$1/task/$1/children"; }
runs_busybox() { [[ $(readlink "/proc/$(child_of "$1")/exe") == */busybox ]]; }

# kib_each N START STOP: what each of the N containers that START makes costs, in KiB; the median of five times, because others
# start and end processes meanwhile.
kib_each() {
	local n=$1 start=$2 stop=$3 i before
	for i in 1 2 3 4 5; do
		before=$(kernel_kib)
		$start "$n"
		echo $((($(kernel_kib) - before) / n))
		$stop "$n"
	done | sort -n | sed -n 3p
}

floors=()
floors_start() {
	local i
	floors=()
	for ((i = 0; i < $1; i++)); do
		"$work/floor" "$work/root" /bin/sleep 100000 >/dev/null 2>&1 &
		floors+=($!)
	done
	for i in "${floors[@]}"; do until runs_busybox "$i"; do :; done; done
}
floors_stop() {
	local i
	[ ${#floors[@]} -gt 0 ] || return 0
	for i in "${floors[@]}"; do kill -9 "$(child_of "$i")"; done
	wait "${floors[@]}" || true
	floors=()
}

lxcs_start() { local i; for ((i = 1; i <= $1; i++)); do in_peers lxc-start -P "$work/lxc" -n "m$i" -f "$work/lxc.conf"; done; }
lxcs_stop() { local i; for ((i = 1; i <= $1; i++)); do in_peers lxc-stop -k -P "$work/lxc" -n "m$i"; done; }
# The parent of its init is LXC's monitor.
lxc_monitor() { ps -o ppid= -p "$(in_peers lxc-info -P "$work/lxc" -n "m$1" -pH)" | tr -d ' '; }
vectls_start() { all_of start 1 "$1"; }
vectls_stop() { all_of kill 1 "$1"; }
vectl_monitor() { v status "s$1" --json | jq .monitor_pid; }

# monitors_pss N FUNCTION: their mean PSS while they are all there.
monitors_pss() {
	local i pids=()
	for ((i = 1; i <= $1; i++)); do pids+=("$($2 "$i")"); done
	pss "${pids[@]}"
}

section_memory() {
	local n=100 floor lxc ours monitor
	floor=$(kib_each $n floors_start floors_stop)
	lxc=$(kib_each $n lxcs_start lxcs_stop)
	lxcs_start $n
	monitor=$(monitors_pss $n lxc_monitor)
	lxcs_stop $n
	lxc=$((lxc + monitor))
	note "  the floor costs $floor KiB a container, LXC $lxc, $monitor of them its monitor"
	# One process that sleeps, as in the others.
	all_of create 0 $n --image busybox --set 'command=/bin/sleep 100000'
	v start s0 >/dev/null # what a host has once
	ours=$(kib_each $n vectls_start vectls_stop)
	vectls_start $n
	monitor=$(monitors_pss $n vectl_monitor)
	stop_all
	ours=$((ours + monitor))
	note "  vectl costs $ours KiB a VE, $monitor of them its monitor"
	row "a monitor's PSS, mean of 100, of 300 KiB" "$(ratio "$monitor" 300)" 1
	row "the host's memory a VE beyond its processes, of 650 KiB" "$(ratio "$ours" 650)" 1
	row "the host's memory a VE, against the floor (no network, no cgroup)" "$(ratio "$ours" "$floor")"
	row "the host's memory a VE, against LXC (no network)" "$(ratio "$ours" "$lxc")"
}
