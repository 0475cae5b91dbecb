# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What it takes to have many VEs: create, list, the 500th start.

# big_image: the busybox image with a gibibyte of files more, under the name "big". (Its digest no longer fits its files; only
# `image verify` would look.)
big_image() {
	local images=$VECTL_ROOT/var/lib/vectl/images digest i
	digest=$(readlink "$images/busybox/current")
	cp -a "$images/busybox" "$images/big"
	jq '.name = "big"' "$images/busybox/$digest/image.json" >"$images/big/$digest/image.json"
	for i in {1..16}; do head -c 64M /dev/urandom >"$images/big/$digest/rootfs/var/tmp/large$i"; done
	for i in {1..2000}; do echo "$i" >"$images/big/$digest/rootfs/var/tmp/small$i"; done
}

section_create() {
	big_image
	timed big "$VECTL" create 'b{}' --image big ::: small "$VECTL" create 'c{}' --image busybox ::: \
		floor "$work/floor" "$work/root" /bin/true ::: \
		-d1 "$VECTL" destroy 'b{}' ::: -d2 "$VECTL" destroy 'c{}'
	row "create from an image of 1 GiB, against one of 2 MiB" "$(against small)"
	row "create from an image of 1 GiB, of 20 ms" "$(ratio "$(us big)" 20000)" 1
	timed -create "$VECTL" create 'b{}' --image big ::: first "$VECTL" start 'b{}' ::: -kill1 "$VECTL" kill 'b{}' ::: \
		second "$VECTL" start 'b{}' ::: -kill2 "$VECTL" kill 'b{}' ::: -destroy "$VECTL" destroy 'b{}'
	row "a VE's first start, against its second" "$(against second)" 1.1
}

section_list() {
	all_of create 1 1 --image busybox
	v start s1 >/dev/null
	timed one "$VECTL" list
	local one i
	one=$(us one)
	all_of create 2 "$scale" --image busybox
	all_of start 2 $running
	# Every tenth is a customer's.
	for ((i = 1; i <= scale; i += 10)); do v set "s$i" owner=C42 >/dev/null; done
	timed all "$VECTL" list ::: customer "$VECTL" list --where owner=C42 --fields name,memory.used ::: floor "$work/floor" "$work/root" /bin/true
	row "list of $scale VEs, $running running, of 50 ms" "$(ratio "$(us all)" 50000)" 1
	row "list of a customer's VEs with the memory they use, of 50 ms" "$(ratio "$(us customer)" 50000)" 1
	row "list of $scale VEs, $running running, against list of one" "$(ratio "$(us all)" "$one")"
	stop_all
}

# Two moments cannot be timed in turn; the floor is timed at both and says what the machine did meanwhile.
section_scale() {
	local first first_floor first_stop
	all_of create 1 "$scale" --image busybox
	timed start "$VECTL" start s1 ::: stop "$VECTL" kill s1 ::: floor "$work/floor" "$work/root" /bin/true ::: -none true
	first=$(us start) first_floor=$(us floor) first_stop=$(us stop)
	all_of start 1 $((scale - 1))
	timed start "$VECTL" start "s$scale" ::: stop "$VECTL" kill "s$scale" ::: floor "$work/floor" "$work/root" /bin/true ::: -none true
	row "start of VE $scale, against the first" "$(ratio "$(us start)" "$first")" 1.3
	row "... and the floor at the same two moments" "$(ratio "$(us floor)" "$first_floor")"
	row "kill of VE $scale, against the first" "$(ratio "$(us stop)" "$first_stop")"
	stop_all
}
