# SPDX-License-Identifier: LGPL-2.1-or-later
# For suites about disks: a store whose var/ is a file system made for it, in a file, so that the tests mean the same on every
# host; and what they look at in VEs.

# world_up_on_disk MIB MOUNT_OPTIONS MKFS...: $HOLDER is the file.
world_up_on_disk() {
	local size=${1}M options=$2
	shift 2
	HOLDER=$(mktemp /var/tmp/vectl-e2e-disk.XXXXXX)
	export HOLDER
	truncate -s "$size" "$HOLDER" && "$@" "$HOLDER" && world_up_on "mount -o loop$options $HOLDER"
}

world_down_from_disk() {
	local status=0 root=$VECTL_ROOT
	destroy_all >/dev/null 2>&1
	umount "$root/var/lib/vectl" 2>/dev/null || true
	wait_until 20 umount "$root/var"
	world_down || status=1
	rm -f "$HOLDER"
	return $status
}

# Bytes that df shows inside.
size_inside() { v exec "$1" -- df -k / | awk 'END { print $(NF - 4) * 1024 }'; }
# fill NAME FILE: until no more goes in; that it fails is what is expected.
fill() { v exec "$1" -- dd if=/dev/zero of="$2" bs=64k >/dev/null 2>&1; }
# full NAME: what was told of its disks, as "KIND RESOURCE" each.
full() { v events "$1" --kind disk-full --kind host-disk-full --json | jq -r '"\(.event) \(.resource)"' | xargs; }
told() { [ "$(full "$1")" = "$2" ]; }
