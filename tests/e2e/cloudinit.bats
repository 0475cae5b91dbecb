#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=host-only
# Debian's cloud-init and the seed that it is given. (seed.bats has the rest; an emulated guest has no image with it.)
load helpers

setup_file() {
	world_up
	image debian-cloud
	inventory >"$BATS_FILE_TMPDIR/inventory"
}
teardown() {
	for name in web1 web2; do v --quiet destroy --force --if-exists "$name" || true; done
	same_as_before
}

@test "cloud-init inside: finds the seed, does what it says, and leaves the network alone; in a clone it is another instance" {
	cat >"$BATS_TEST_TMPDIR/user-data" <<'END'
#cloud-config
write_files:
  - path: /root/by-cloud-init
    content: "done\n"
END
	ok create web1 --image debian-cloud --user-data "$BATS_TEST_TMPDIR/user-data" --hostname shop --start --wait=300
	wait_until 120 v exec web1 -- test -e /var/lib/cloud/instance/boot-finished
	inside web1 cat /root/by-cloud-init /run/cloud-init/.instance-id
	[ "$output" = "done"$'\n'"$(uuid_of web1)" ]
	inside web1 cloud-init query --format '{{v1.platform}} {{v1.local_hostname}}'
	[[ $output == nocloud\ shop || $output == lxd\ shop ]]
	inside web1 hostname
	[ "$output" = shop ]
	inside web1 sh -c '! grep -r dhcp /etc/network/interfaces.d /etc/systemd/network /etc/netplan 2>/dev/null'
	inside web1 sh -c 'grep -i "network config is disabled" /var/log/cloud-init.log'
	ok stop web1
	ok clone web1 web2
	ok start web2 --wait=300
	wait_until 120 v exec web2 -- test -e /var/lib/cloud/instance/boot-finished
	inside web2 cat /run/cloud-init/.instance-id
	[ "$output" = "$(uuid_of web2)" ]
	inside web2 sh -c '! grep -rq by-cloud-init /var/lib/cloud'
}
