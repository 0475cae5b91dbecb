# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A verb on a hundred VEs, against a shell that runs as many at a time; and clones, which take as long whatever is in them.

section_fleet() {
	local rounds=11
	all_of create 1 100 --image busybox
	timed fleet "$VECTL" start --all --parallel 8 ::: -k1 "$VECTL" kill --all --parallel 8 ::: \
		shell sh -c "seq 100 | xargs -P8 -I@ '$VECTL' start s@" ::: -k2 "$VECTL" kill --all --parallel 8
	row "start of 100 VEs, --parallel 8, against a shell that starts 8 at a time" "$(against shell)" 1.05
	timed fleet "$VECTL" set --all --parallel 8 'labels.round={}' ::: \
		shell sh -c "seq 100 | xargs -P8 -I@ '$VECTL' set s@ 'labels.round=x{}'"
	row "... and of set, likewise" "$(against shell)" 1.05
	stop_all
}

# patterns BACKEND: a VE "small", and one "large" with a gibibyte in sixteen files.
patterns() {
	local i
	v create small --image busybox --set "disk.backend=$1" >/dev/null
	v create large --image busybox --set "disk.backend=$1" --start >/dev/null
	for i in {1..16}; do head -c 64M /dev/urandom | v exec large -- sh -c "cat >/root/file$i"; done
	v kill large >/dev/null
	sync
}

# In a store on btrfs, which has snapshots, and reflinks for the back end dir.
section_clone() {
	local outer=$VECTL_ROOT backend
	truncate -s 4G "$work/btrfs.img"
	mkfs.btrfs -q "$work/btrfs.img"
	mkdir "$work/btrfs"
	mount -o loop "$work/btrfs.img" "$work/btrfs"
	export VECTL_ROOT=$work/btrfs/store
	mkdir -p "$VECTL_ROOT"
	v image build busybox >/dev/null
	for backend in btrfs dir; do
		patterns $backend
		timed large "$VECTL" clone large 'l{}' ::: small "$VECTL" clone small 's{}' ::: \
			-d1 "$VECTL" destroy 'l{}' ::: -d2 "$VECTL" destroy 's{}'
		row "clone of a VE with 1 GiB of files, against one of 2 MiB, back end $backend on btrfs" "$(against small)" 1.2
		stop_all
	done
	umount -l "$VECTL_ROOT/var/lib/vectl"
	umount "$work/btrfs"
	export VECTL_ROOT=$outer
}
