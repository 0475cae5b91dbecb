#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images: what is built, listed, shown, verified and removed; damage, users, interruption. No network is needed.
load helpers

IMAGES() { echo "$VECTL_ROOT/var/lib/vectl/images"; }
tree() { echo "$(IMAGES)/$1/current/rootfs"; }
digest() { readlink "$(IMAGES)/$1/current"; }

# A recipe of the host's own: busybox with FILE-TEXT in /etc/mark, so that each text makes another digest.
recipe() {
	local name=$1 text=$2
	mkdir -p "$VECTL_ROOT/etc/vectl/recipes"
	jq --arg text "$text" '.files += [{path: "/etc/mark", lines: [$text], why: "a test"}]' \
		"$VECTL_DATADIR/recipes/busybox.json" >"$VECTL_ROOT/etc/vectl/recipes/$name.json"
}

teardown() {
	destroy_all
	find "$(IMAGES)" -mindepth 1 -maxdepth 1 ! -name busybox -exec rm -rf {} +
	rm -rf "$VECTL_ROOT/etc/vectl/recipes"
	same_as_before
}

@test "build says what it made, and that a second time changes nothing" {
	recipe mine one
	ok image build mine --json
	json '.name == "mine" and .changed and .distribution == "busybox" and .init == "/sbin/init" and .stop_signal == "SIGUSR2"'
	json '(.digest | test("^[0-9a-f]{64}$")) and .size_bytes > 1000000 and .files > 100 and .warnings == []'
	[ "$(field .digest)" = "$(digest mine)" ]
	ok image build mine --json
	json '.changed == false'
	[ "$(field .digest)" = "$(digest mine)" ]
	[ "$(stat -c %a:%u "$(IMAGES)/mine" "$(tree mine)")" = "$(printf '700:0\n755:0')" ]
}

@test "the manifest's and the image's digest are what they say" {
	recipe mine one
	ok image build mine --json
	[ "$(field .tree)" = "$(sha256sum <"$(IMAGES)/mine/current/manifest" | cut -d' ' -f1)" ]
	[ "$(field .files)" = "$(wc -l <"$(IMAGES)/mine/current/manifest")" ]
	[ "$(field '{distribution,version,architecture,init,init_system,stop_signal,tree}' | jq -cS . | tr -d '\n' | sha256sum | cut -d' ' -f1)" = "$(digest mine)" ]
	# And the manifest is true, by other means than ours.
	(cd "$(tree mine)" && sed -nE 's/^([^ ]+) type=file .* sha256=([0-9a-f]+).*/\2  \1/p' ../manifest | sha256sum -c --quiet)
}

@test "a VE keeps the digest it was made from" {
	recipe mine one
	ok image build mine
	ok create old --image mine --set network.0.type=none
	local first
	first=$(digest mine)
	recipe mine two
	ok image build mine --json
	json '.changed'
	[ "$(digest mine)" != "$first" ]
	ok create new --image mine --set network.0.type=none --start
	ok start old
	inside old cat /etc/mark
	[ "$output" = one ]
	inside new cat /etc/mark
	[ "$output" = two ]
	ok image list --json
	json '[.[] | select(.name == "mine") | .current] == [true, false]'
	ok image show "mine@$first" --json
	json '.used_by == ["old"] and .current == false'
	# Made from an older digest, by its name.
	ok create third --image "mine@$first" --set network.0.type=none
	ok image show "mine@$first" --json
	json '.used_by | sort == ["old", "third"]'
}

@test "what a VE uses cannot be removed, by name or by digest" {
	recipe mine one
	ok image build mine
	ok create user --image mine --set network.0.type=none
	local first
	first=$(digest mine)
	fails 79 image remove mine
	says "VE 'user'"
	recipe mine two
	ok image build mine
	fails 79 image remove mine
	fails 79 image remove "mine@$first"
	fails 79 image remove "mine@$(digest mine)" # what the name means, while there is another
	says "what image 'mine' means"
	[ -d "$(IMAGES)/mine/$first/rootfs/bin" ]
	[ -d "$(tree mine)/bin" ]
	ok start user
	ok destroy --force user
	ok image remove "mine@$first"
	[ ! -e "$(IMAGES)/mine/$first" ]
	ok image verify mine
	ok image remove mine
	[ ! -e "$(IMAGES)/mine" ]
	fails 66 image remove mine
}

@test "verify names the file that differs" {
	recipe mine one
	ok image build mine
	ok image verify mine
	local t
	t=$(tree mine)
	echo two >"$t/etc/mark"
	fails 65 image verify mine
	says "'etc/mark' was changed \(content\)"
	echo one >"$t/etc/mark"
	ok image verify mine
	chmod 4755 "$t/bin/busybox"
	fails 65 image verify mine
	says "'bin/busybox' was changed \(mode\)"
	chmod 0755 "$t/bin/busybox"
	rm "$t/bin/sh"
	fails 65 image verify mine
	says "'bin/sh' is missing"
	ln -s /bin/busybox "$t/bin/sh"
	touch "$t/etc/shadow.d"
	fails 65 image verify mine
	says "'etc/shadow.d' was added"
	rm "$t/etc/shadow.d"
	chown 7 "$t/etc/mark"
	fails 65 image verify mine
	says "'etc/mark' was changed \(uid\)"
	chown 0 "$t/etc/mark"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.overlay.opaque", b"y")' "$t/etc"
	fails 65 image verify mine
	says "'etc' has the attribute 'trusted.overlay.opaque'"
	python3 -c 'import os, sys; os.removexattr(sys.argv[1], "trusted.overlay.opaque")' "$t/etc"
	mkdir "$t/mnt/m"
	mount -t tmpfs none "$t/mnt/m"
	fails 65 image verify mine
	says "'mnt/m' (was added|is a mount point)"
	umount "$t/mnt/m"
	rmdir "$t/mnt/m"
	ok image verify mine
}

@test "a truncated or tampered image is refused, and can be removed" {
	recipe mine one
	ok image build mine
	local d
	d=$(IMAGES)/mine/$(digest mine)
	cp "$d/image.json" "$BATS_TEST_TMPDIR/image.json"

	head -c 100 "$BATS_TEST_TMPDIR/image.json" >"$d/image.json"
	fails 65 create x --image mine
	fails 65 image verify mine
	says "image.json of image 'mine'"
	ok image list --json
	json '.[] | select(.name == "mine") | .damaged | test("image.json")'

	# A file of the tree, which only reading it all can tell.
	cp "$BATS_TEST_TMPDIR/image.json" "$d/image.json"
	cp -a "$d/rootfs/etc/mark" "$BATS_TEST_TMPDIR/mark"
	echo evil >"$d/rootfs/etc/mark"
	fails 65 image build mine
	says "etc/mark"
	says "image remove mine"
	cp -a "$BATS_TEST_TMPDIR/mark" "$d/rootfs/etc/mark"
	ok image build mine --json
	json '.changed == false'

	# Another init under the same digest.
	jq '.init = "/bin/evil"' "$BATS_TEST_TMPDIR/image.json" >"$d/image.json"
	fails 65 create x --image mine
	says "does not fit"
	fails 65 image build mine
	says "damaged"

	cp "$BATS_TEST_TMPDIR/image.json" "$d/image.json"
	ok image verify mine
	sed -i 1d "$d/manifest"
	fails 65 image verify mine
	says "manifest was changed"
	rm "$d/manifest"
	fails 65 image verify mine
	mv "$d/rootfs" "$d/rootfs.away"
	fails 65 create x --image mine
	rm "$d/image.json"
	fails 65 create x --image mine
	ok image remove mine
	[ ! -e "$(IMAGES)/mine" ]
}

@test "an image without an init is for jails only" {
	recipe mine one
	jq 'del(.init, .stop_signal) | .init_system = "none"' "$VECTL_ROOT/etc/vectl/recipes/mine.json" >"$BATS_TEST_TMPDIR/r"
	mv "$BATS_TEST_TMPDIR/r" "$VECTL_ROOT/etc/vectl/recipes/mine.json"
	ok image build mine --json
	json '.init == null and .init_system == "none"'
	ok run --image mine --no-network -- cat /etc/mark
	[ "$output" = one ]
	fails 65 create x --image mine
	says "has no init"
}

@test "bad names and recipes" {
	local bad
	for bad in '..' 'a/b' '-rf' $'a\nb' 'Busybox' "$(printf 'a%.0s' {1..64})" "$(cat /proc/sys/kernel/random/uuid)"; do
		fails 64 image build -- "$bad"
		fails 64 image show -- "$bad"
		fails 64 image remove -- "$bad"
		fails 64 image verify -- "$bad"
	done
	fails 66 image build bussybox
	says "no image recipe 'bussybox'"
	says "busybox"
	fails 66 image show bussybox
	says "did you mean 'busybox'"
	fails 64 image show busybox@xyz
	fails 66 image show "busybox@$(printf '0%.0s' {1..64})"
	recipe mine one
	sed -i 's/"links"/"lniks"/' "$VECTL_ROOT/etc/vectl/recipes/mine.json"
	fails 78 image build mine
	says "unknown key 'lniks'"
	[ ! -e "$(IMAGES)/mine" ]
}

@test "a program that the recipe needs is missing" {
	unshare -m sh -c "mount --bind /dev/null /bin/busybox && exec \"\$@\"" - \
		nsenter --net="/run/netns/$HOST_NS" "$VECTL" image build busybox >"$BATS_TEST_TMPDIR/out" 2>&1 && return 1
	grep -q 'no statically linked program' "$BATS_TEST_TMPDIR/out"
	grep -q busybox-static "$BATS_TEST_TMPDIR/out"
}

@test "a full disk leaves nothing" {
	local small=$BATS_TEST_TMPDIR/small
	mkdir "$small"
	mount -t tmpfs -o size=1m,mode=0755 none "$small"
	try on_host "$VECTL" --root "$small" image build busybox
	findmnt -rno TARGET | grep "^$small/" | sort -r | xargs -r -n1 umount
	local left
	left=$(find "$small/var/lib/vectl/images" -mindepth 1)
	umount "$small"
	is 74
	[ -z "$left" ]
}

@test "two builds at once: one waits, then says who holds it" {
	recipe mine one
	local lock
	lock=$(IMAGES)/.mine.lock
	exec 7>"$lock"
	flock_ofd() { python3 -c 'import fcntl,struct,sys; fcntl.fcntl(7, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))'; }
	flock_ofd
	echo -n "pid 1 (image build)" >&7
	fails 75 image build mine --lock-timeout 1
	says "pid 1 \(image build\)"
	exec 7>&-
	ok image build mine
	[ ! -e "$lock" ]
}

@test "what a killed build left goes with the next, and with recover" {
	local left
	recipe mine one
	ok image build mine
	mkdir -p "$(IMAGES)/mine/.build-0123456789abcdef/rootfs/a/b" "$(IMAGES)/mine/.removed-0123456789abcdef/x"
	ln -s nowhere "$(IMAGES)/mine/.current-0123456789abcdef"
	mkdir -p "$(IMAGES)/other/.build-0123456789abcdef"
	: >"$(IMAGES)/.third.lock"
	recipe mine two
	ok image build mine
	left=$(find "$(IMAGES)/mine" -maxdepth 1 -name '.*')
	[ -z "$left" ]
	ok recover
	[ ! -e "$(IMAGES)/other" ]
	[ ! -e "$(IMAGES)/.third.lock" ]
	ok image verify mine
}

@test "SIGINT and SIGKILL in the middle of a build that runs a program" {
	# A program that never ends stands in for mmdebstrap; it mounts something in the tree, as that does.
	local bin=$BATS_TEST_TMPDIR/mmdebstrap pid
	cat >"$bin" <<-'END'
		#!/bin/sh
		for target; do case $target in */rootfs) break ;; esac; done
		mkdir "$target/proc" && mount -t proc proc "$target/proc"
		echo "I: downloading packages" >&2
		trap '' TERM INT HUP
		while :; do sleep 1000; done
	END
	chmod 755 "$bin"
	recipe mine one
	jq '.builder = "mmdebstrap" | .version = "1" | .suite = "x" | .sources = [{mirror: "main", suite: "x"}] | .keyring = "/etc/passwd"' \
		"$VECTL_ROOT/etc/vectl/recipes/mine.json" >"$BATS_TEST_TMPDIR/r"
	mv "$BATS_TEST_TMPDIR/r" "$VECTL_ROOT/etc/vectl/recipes/mine.json"
	running() { grep -qs 'downloading' "$VECTL_ROOT/var/log/vectl/image-mine.log" || [ -d "$(echo "$(IMAGES)"/mine/.build-*/rootfs/proc)" ]; }
	start_build() {
		env --default-signal=INT,QUIT VECTL_MIRROR=http://mirror.example/debian unshare -m sh -c "mount --bind $bin /usr/bin/mmdebstrap && exec \"\$@\"" - \
			nsenter --net="/run/netns/$HOST_NS" "$VECTL" image build mine >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		pid=$!
		wait_until 60 running || { cat "$BATS_TEST_TMPDIR/out" >&2; return 1; }
	}
	children() { pgrep -f "[m]mdebstrap.*$VECTL_ROOT" || true; }

	start_build
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -ne 0 ]
	grep -q interrupted "$BATS_TEST_TMPDIR/out"
	[ -z "$(children)" ]
	[ ! -e "$(IMAGES)/mine" ]
	[ ! -e "$(IMAGES)/.mine.lock" ]

	rm -f "$VECTL_ROOT/var/log/vectl/image-mine.log"
	start_build
	kill -KILL "$pid"
	wait "$pid" || true
	nobody() { [ -z "$(children)" ]; }
	wait_until 10 nobody
	[ -e "$(IMAGES)/mine" ]
	ok recover
	[ ! -e "$(IMAGES)/mine" ]
	[ ! -e "$(IMAGES)/.mine.lock" ]
}
