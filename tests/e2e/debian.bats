#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian 11, 12 and 13 boot to running with no failed unit, and are logged into by ssh, with a key and with a password.
# The images are kept between runs (VECTL_E2E_CACHE); building one needs the host's Debian archive.
load helpers

setup_file() {
	world_up
	image debian-11
	image debian-12
	image debian-13
	inventory >"$BATS_FILE_TMPDIR/inventory"
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_FILE_TMPDIR/key"
	printf '#!/bin/sh\necho "correct horse"\n' >"$BATS_FILE_TMPDIR/askpass"
	chmod 755 "$BATS_FILE_TMPDIR/askpass"
}

login() { on_host ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=10 "$@"; }
by_key() { login -o BatchMode=yes -i "$BATS_FILE_TMPDIR/key" root@192.0.2.50 "$@"; }
by_password() {
	SSH_ASKPASS=$BATS_FILE_TMPDIR/askpass SSH_ASKPASS_REQUIRE=force login -o PubkeyAuthentication=no \
		-o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 root@192.0.2.50 "$@"
}

# hardened NAME: what the units of Debian's servers ask systemd for, one service with all of it.
hardened() {
	local o options=()
	for o in PrivateUsers=yes PrivateTmp=yes PrivateDevices=yes PrivateNetwork=yes PrivateMounts=yes ProtectSystem=strict \
		ProtectHome=yes ProtectHostname=yes ProtectClock=yes ProtectKernelLogs=yes ProtectKernelModules=yes \
		ProtectKernelTunables=yes ProtectControlGroups=yes ProtectProc=invisible ProcSubset=pid DynamicUser=yes \
		MemoryDenyWriteExecute=yes RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes LockPersonality=yes \
		RestrictAddressFamilies=AF_UNIX SystemCallArchitectures=native SystemCallFilter=@system-service CapabilityBoundingSet= \
		DevicePolicy=closed IPAddressDeny=any KeyringMode=private LimitMEMLOCK=infinity LimitNOFILE=1048576 OOMScoreAdjust=-500 \
		Nice=-10 UMask=0077 StateDirectory=hardened SetCredential=word:secret BindReadOnlyPaths=/etc:/mnt; do
		options+=(-p "$o")
	done
	ok exec "$1" -- systemd-run --quiet --wait --pipe "${options[@]}" -- \
		sh -c 'cat "$CREDENTIALS_DIRECTORY/word"; touch /etc/new 2>/dev/null || echo " sealed"'
	[ "$output" = "secret sealed" ]
}

# boots IMAGE: the whole of it; the console's end is shown where it does not.
boots() {
	try_stdin=<(echo 'correct horse') try v create deb --image "$1" --ip 192.0.2.50 --ip 2001:db8::50 \
		--ssh-key "$BATS_FILE_TMPDIR/key.pub" --password-stdin --start --wait=180
	[ "$status" -eq 0 ] || { explain "create $1"; v logs deb --lines 40 >&2 || true; return 1; }
	ok wait deb --state booted --timeout 60

	try v exec deb -- systemctl is-system-running --wait
	[ "$output" = running ] || { explain "is-system-running"; v exec deb -- systemctl --failed --no-pager >&2; return 1; }
	ok exec deb -- systemctl --failed --no-legend --no-pager
	[ -z "$output" ]
	ok exec deb -- systemd-detect-virt --container
	ok exec deb -- hostname
	[ "$output" = deb ]

	wait_until 30 by_key true
	[ "$(by_key hostname)" = deb ]
	[ "$(by_password id -u)" = 0 ]
	wait_until 10 on_host ping -c1 -W2 2001:db8::50

	# Identity is the VE's own, and not the image's.
	local image=$VECTL_ROOT/var/lib/vectl/images/$1/current/rootfs
	[ ! -s "$image/etc/machine-id" ] || [ "$(cat "$image/etc/machine-id")" = uninitialized ]
	[ -z "$(find "$image/etc/ssh" -name 'ssh_host_*_key')" ]
	ok exec deb -- cat /etc/machine-id
	[ "${#output}" -eq 32 ]

	hardened deb

	local init
	init=$(init_pid deb)
	by_key reboot || true
	another() { local now; now=$(init_pid deb); [ "$now" != null ] && [ "$now" != "$init" ]; }
	wait_until 60 another
	ok wait deb --state booted --timeout 180
	wait_until 30 by_key true

	changed true stop deb
	json '.warnings == []'
}

@test "debian-11" { boots debian-11; }
@test "debian-12" { boots debian-12; }
@test "debian-13" { boots debian-13; }

@test "passwd and a key for a VE that is stopped, and for one that runs" {
	ok create deb --image debian-12 --ip 192.0.2.50
	try_stdin=<(echo 'correct horse') try v passwd deb
	is 0
	ok start deb --wait
	wait_until 30 by_password true
	try_stdin=<(echo 'another one') try v passwd deb root
	is 0
	not by_password true
	ok exec deb -- grep -E '^root:\$y\$' /etc/shadow
	# No secret in what the host keeps.
	not grep -rqE 'correct horse|another one' "$VECTL_ROOT/var/lib/vectl/ve"/*/*.json "$VECTL_ROOT/var/log" "$VECTL_ROOT/run"
}
