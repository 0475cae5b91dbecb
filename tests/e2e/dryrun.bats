#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --dry-run: what the command would answer, and a store that is byte for byte what it was.
load helpers

setup_file() {
	world_up || return 1
	v --quiet pool set warm memory.limit=1G && v --quiet pool remove warm
	inventory >"$BATS_FILE_TMPDIR/inventory"
}

# Every file of the store with what is in it, and what the kernel has; who held a lock last is nobody's business.
everything() {
	(cd "$VECTL_ROOT" && find . -path './var/lib/vectl/images/*/*' -prune -o -printf '%y %p %l %m %U:%G\n' | sort
		find . -path './var/lib/vectl/images/*/*' -prune -o -type f ! -name lock ! -name traffic ! -name 'cgroups*' ! -name cpu-load ! -name '*.console.log' \
			-exec md5sum {} + | sort -k2)
	inventory
}
before() { everything >"$BATS_TEST_TMPDIR/everything"; }
nothing_done() { diff "$BATS_TEST_TMPDIR/everything" <(everything); }

# would WOULD_BE VECTL-ARGUMENT...: it would be done, the VE would be WOULD_BE then, and nothing is.
would() {
	local state=$1
	shift
	before
	changed true "$@" --dry-run
	json ".dry_run and .would_be == $state"
	ok "$@" --dry-run
	[[ $output == "would be done: "* ]] || { explain 'expected "would be done"'; return 1; }
	nothing_done
}
# would_not CODE VECTL-ARGUMENT...: it is refused as it would be without --dry-run, in the same words.
would_not() {
	local code=$1 said
	shift
	before
	fails "$code" "$@" --dry-run
	said=$stderr
	nothing_done
	fails "$code" "$@"
	[ "$said" = "$stderr" ] || { explain "with --dry-run it said: $said"; return 1; }
}

@test "create: the address that it would have; a name, an address, an image and keys that are refused" {
	local there
	would '"stopped"' create web1 --image busybox
	ok create web1 --image busybox --dry-run --json
	json '.state == null and (.addresses | length) == 1'
	there=$(field '.addresses[0]')
	ok create web1 --image busybox
	[ "$(v list web1 --fields addresses --no-header)" = "$there" ]
	would '"running"' create web2 --image busybox --ip 192.0.2.10 --start --wait
	ok create web2 --image busybox --ip 192.0.2.10
	would_not 73 create web1 --image busybox
	would_not 73 create web3 --image busybox --ip 192.0.2.10
	would_not 73 create web3 --image busybox --set aliases=web2
	would_not 66 create web3 --image none
	would_not 64 create Web3 --image busybox
	would_not 78 create web3 --image busybox --set memory.limit=lots
	would_not 66 create web3 --image busybox --set pool=none
	in_world ip addr add 192.0.2.77/32 dev up0
	would_not 73 create web3 --image busybox --ip 192.0.2.77
	in_world ip addr del 192.0.2.77/32 dev up0
	before
	changed false create web1 --if-missing --dry-run
	nothing_done
	ok host set ip.pool=192.0.2.40/30
	ok create web3 --image busybox --ip auto --dry-run --json
	there=$(field '.addresses[0]')
	ok create web3 --image busybox --ip auto
	[ "$(v get web3 network.0.ips)" = "$there" ]
	ok host set ip.pool=default
	rm "$VECTL_ROOT/etc/vectl/host.json"
}

@test "a store that is not there is not made" {
	fails 66 --root "$BATS_TEST_TMPDIR/none" create web1 --image busybox --dry-run
	[ ! -e "$BATS_TEST_TMPDIR/none" ]
	would_not 66 start web1
}

@test "start, stop, restart, kill, freeze, thaw, destroy: the state that would follow" {
	ok create web1 --image busybox --ip 192.0.2.10
	would '"running"' start web1 --wait
	would '"running"' restart web1
	would null destroy web1
	would_not 79 freeze web1
	before
	changed false stop web1 --dry-run
	changed false kill web1 --dry-run
	json '.would_be == "stopped"'
	nothing_done
	ok start web1
	for verb in stop kill; do would '"stopped"' $verb web1; done
	would '"running"' restart web1
	would '"frozen"' freeze web1
	would null destroy web1 --force
	would_not 79 destroy web1
	before
	changed false start web1 --dry-run
	nothing_done
	ok freeze web1
	would '"running"' thaw web1
	would '"running"' restart web1
	would_not 79 start web1
	in_state web1 frozen
	ok stop web1
	mv "$VECTL_ROOT/var/lib/vectl/images/busybox" "$VECTL_ROOT/var/lib/vectl/images/gone"
	would_not 66 start web1
	mv "$VECTL_ROOT/var/lib/vectl/images/gone" "$VECTL_ROOT/var/lib/vectl/images/busybox"
}

@test "block, unblock, lock, unlock, protect" {
	ve web1
	would '"blocked"' block web1
	would '"frozen"' block web1 --freeze
	would '"running"' block web1 --network
	ok block web1 --reason 'invoice 4711'
	would '"stopped"' unblock web1
	would_not 79 start web1
	would_not 79 restart web1
	before
	changed false block web1 --reason 'invoice 4711' --dry-run
	nothing_done
	ok unblock web1
	would '"stopped"' lock web1 --reason moving
	ok lock web1 --reason moving --actor ann
	would_not 75 start web1 --actor bob
	would_not 75 set web1 memory.limit=64M --actor bob
	would '"stopped"' unlock web1 --force
	ok unlock web1 --force
	ok set web1 protect=on
	would_not 79 destroy web1
	ok start web1
	would_not 79 stop web1
	ok set web1 protect=off
}

@test "clone, rename, users and passwords" {
	ve web1 --ip 192.0.2.10
	would_not 79 clone web1 web2
	would_not 79 rename web1 web2
	would '"running"' user add web1 ann
	would '"running"' user lock web1 root
	would '"running"' user unlock web1 root
	would '"running"' user remove web1 ann
	try_stdin=<(echo secret) changed true passwd web1 --dry-run
	ok stop web1
	would '"stopped"' clone web1 web2
	would_not 73 clone web1 web2 --ip 192.0.2.10
	would_not 73 clone web1 web1
	would '"stopped"' rename web1 shop1 --keep-alias
	[[ $output == *"renamed to shop1: web1" ]]
	ok create web2 --image busybox
	would_not 73 rename web1 web2
	ok set web1 memory.limit=32M --dry-run
	[ "$(v get web1 memory.limit)" != 32M ]
	ok set web2 network.0.type=routed network.0.ips=192.0.2.11
	before
	fails 73 set web1 network.0.ips+=192.0.2.11 --dry-run
	nothing_done
}

@test "register: its files are looked at, and nothing is copied" {
	ok create web1 --image busybox
	cp -a "$VECTL_ROOT/var/lib/vectl/ve/$(uuid_of web1)" "$BATS_TEST_TMPDIR/web2"
	would '"stopped"' register "$BATS_TEST_TMPDIR/web2" --name web2 --new-uuid
	would_not 73 register "$BATS_TEST_TMPDIR/web2" --name web2
	would_not 73 register "$BATS_TEST_TMPDIR/web2" --new-uuid
	mknod "$BATS_TEST_TMPDIR/web2/overlay/upper/disk" b 7 0
	would_not 65 register "$BATS_TEST_TMPDIR/web2" --name web2 --new-uuid
}

@test "pools, the host, images" {
	before
	ok pool set acme memory.limit=1G --dry-run
	[[ $output == 'would be done: acme: set' ]]
	ok pool set acme memory.limit=1G --dry-run --json
	json '.changed and .dry_run and .name == "acme"'
	ok host set default.template=vps-medium --dry-run
	ok image remove busybox --dry-run --json
	json '.changed and .dry_run'
	nothing_done
	would_not 78 host set nonsense=1
	would_not 78 pool set acme nonsense=1
	would_not 66 image remove none
	would_not 66 pool remove acme
	ok pool set acme memory.limit=1G
	ok pool set acme memory.limit=1G --dry-run
	[[ $output == 'acme: is so already' ]]
	ok create web1 --image busybox --set pool=acme
	would_not 79 pool remove acme
	would_not 79 image remove busybox
	ok destroy web1
	before
	ok pool remove acme --dry-run
	nothing_done
	ok pool remove acme
}

@test "several at once; what cannot be tried has no such option" {
	ve web1
	ok create web2 --image busybox
	before
	ok start --all --dry-run --json
	json 'map(.changed) == [false, true] and all(.[]; .dry_run)'
	ok destroy --all --force --dry-run --json
	json 'all(.[]; .changed and .would_be == null)'
	nothing_done
	fails 64 exec web1 --dry-run -- true
	for verb in enter console recover wait "image build"; do fails 64 $verb web1 --dry-run; done
	fails 64 start --boot --dry-run
	says 'no dry run'
}

@test "no hook is run, no event told, nothing is in the history" {
	local hook hooks
	# Not below /var/tmp: everybody may write there, and so no hook may be there.
	hooks=$(mktemp -d /var/lib/vectl-e2e-hooks.XXXXXX)
	hook=$hooks/hook
	printf '#!/bin/sh\necho ran >>%s\n' "$BATS_TEST_TMPDIR/ran" >"$hook"
	chmod 0755 "$hook"
	ok create web1 --image busybox --set hooks.before_start="$hook" --set hooks.stopping="$hook" --set hooks.destroyed="$hook" \
		--set hooks.create="$hook"
	rm -f "$BATS_TEST_TMPDIR/ran"
	ok create web2 --image busybox --set hooks.create="$hook" --dry-run
	ok start web1 --dry-run
	ok clone web1 web3 --dry-run
	ok destroy web1 --dry-run
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
	ok history web1 --json
	json 'length == 1'
	ok set web1 hooks.before_start=default hooks.stopping=default hooks.destroyed=default hooks.create=default
	rm -r "$hooks"
}
