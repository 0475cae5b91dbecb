#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The two commands on a machine with systemd: units, a Debian VE that one logs in to, and all of it away again. The guest
# has no network: packages are there and the image is carried along; readme.bats has those two on the host.
load helpers

setup_file() { :; }
teardown_file() { :; }

command_of_make() {
	try make -C "$BATS_TEST_DIRNAME/../.." --no-print-directory "O=$O" D=1 "$@"
	[ "$status" -eq 0 ] || { explain "make $*"; return 1; }
}

# The last test takes the installation away that all files here use.
teardown() {
	[ -x "$VECTL" ] || { command_of_make install && systemctl enable --now vectl.service; }
}

@test "quickstart: from no vectl to enabled units and a VE that one logs in to" {
	systemctl disable --now vectl.service
	command_of_make uninstall
	try systemctl cat vectl.service
	[ "$status" -ne 0 ]
	install -d -m 0700 /var/lib/vectl/images
	cp -a "$IMAGE_CACHE/var/lib/vectl/images/debian-12" /var/lib/vectl/images/

	command_of_make quickstart
	[[ $output == *"This is what quickstart changes"*", enabled and started"*"It runs. What to type next"* ]]
	[ "$(systemctl is-enabled vectl.service)" = enabled ]
	[ "$(systemctl is-active vectl.service)" = active ]
	ok list --json --fields name,state,addresses
	json 'length == 1 and .[0].name == "web1" and .[0].state == "running"'
	[ "$(ssh -o BatchMode=yes -o StrictHostKeyChecking=yes "root@$(field '.[0].addresses[0]')" hostname)" = web1 ]
	inside web1 systemctl is-system-running --wait
	[ "$output" = running ]
}

@test "quickstart-clean takes everything away" {
	command_of_make quickstart-clean
	[ ! -e "$VECTL" ]
	[ ! -e /var/lib/vectl ]
	[ ! -e /etc/vectl ]
	[ ! -e /root/.ssh/id_ed25519 ]
	try systemctl cat vectl.service vectl-guests.service
	[ "$status" -ne 0 ]
	[ ! -e "$GUESTS" ]
	try nft list table ip vectl_nat
	[ "$status" -ne 0 ]
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
	[ -z "$(awk '/vectl/ { print $5 }' /proc/self/mountinfo)" ]
}
