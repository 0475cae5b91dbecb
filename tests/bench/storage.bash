# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Writing through the storage back ends.

# Writing a file, with its fsync, by the same fio: on the store's file system, and in VEs on it.
fio_args=(--name=w --rw=write --bs=1M --size=256M --ioengine=psync --end_fsync=1 --unlink=1 --output-format=json)
fio_in() { carried "$1" fio --directory=/root "${fio_args[@]}"; }

# write_rate WHERE: bytes a second. What was written and removed before is off the disk's back first.
write_rate() {
	sync
	if [ "$1" = plain ]; then fio "${fio_args[@]}" --directory="$work"; else fio_in "$1"; fi | jq '.jobs[0].write.bw_bytes'
}
# slower WHERE: the median over the rounds of plain / WHERE, of two that follow one another, in turns.
slower() {
	local i plain there
	write_rate "$1" >/dev/null # a new file system is slower the first time: its journal has no blocks yet
	for ((i = 1; i <= 31; i++)); do
		if [ $((i % 2)) = 1 ]; then plain=$(write_rate plain) there=$(write_rate "$1")
		else there=$(write_rate "$1") plain=$(write_rate plain); fi
		awk -v a="$plain" -v b="$there" 'BEGIN { printf "%.3f\n", a / b }'
	done | sort -n | sed -n 16p
}

section_storage() {
	local name
	v create sized --image busybox --disk 2G --set memory.limit=unlimited --start >/dev/null
	v create image --image busybox --set disk.backend=image --disk 2G --set memory.limit=unlimited --start >/dev/null
	v create overlay --image busybox --set memory.limit=unlimited --start >/dev/null
	for name in sized image overlay; do carry $name fio; done
	row "writing through overlay with a size (a file system in a file), the host's file system against it" "$(slower sized)" 1.053
	row "writing through overlay without a size, likewise" "$(slower overlay)"
	row "writing in the back end image, likewise" "$(slower image)"
	stop_all
}
