# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Writing through the storage back ends.

# Writing a file, with its fsync, by the same fio: on the store's file system, and in VEs on it. Bytes a second, each the
# median of five that take turns.
fio_args=(--name=w --rw=write --bs=1M --size=256M --ioengine=psync --end_fsync=1 --unlink=1 --output-format=json)
fio_in() { carried "$1" fio --directory=/root "${fio_args[@]}"; }

section_storage() {
	local _ name at=$((5 / 2 + 1))
	v create sized --image busybox --disk 2G --set memory.limit=unlimited --start >/dev/null
	v create image --image busybox --set disk.backend=image --disk 2G --set memory.limit=unlimited --start >/dev/null
	v create overlay --image busybox --set memory.limit=unlimited --start >/dev/null
	for name in sized image overlay; do carry $name fio; done
	for _ in 1 2 3 4 5; do
		fio "${fio_args[@]}" --directory="$work" | jq '.jobs[0].write.bw_bytes' >>"$work/plain.bw"
		for name in sized image overlay; do fio_in $name | jq '.jobs[0].write.bw_bytes' >>"$work/$name.bw"; done
	done
	for name in plain sized image overlay; do sort -n "$work/$name.bw" | sed -n ${at}p >"$work/$name.median"; done
	rate_of() { cat "$work/$1.median"; }
	row "writing through overlay with a size (a file system in a file), the host's file system against it" \
		"$(ratio "$(rate_of plain)" "$(rate_of sized)")" 1.05
	row "writing through overlay without a size, likewise" "$(ratio "$(rate_of plain)" "$(rate_of overlay)")"
	row "writing in the back end image, likewise" "$(ratio "$(rate_of plain)" "$(rate_of image)")"
	stop_all
}
