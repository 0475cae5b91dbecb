# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What every .bats file here loads. Each file gets a world of its own, made by setup_file and gone after teardown_file:
#
#   store    an empty --root below /var/tmp, with the busybox image
#   host     a network namespace that stands for the host's: vectl, and whatever looks at links, routes and rules, runs there
#   world    another one at the end of host's uplink: 192.0.2.1 and 2001:db8::1 are the routers, 198.51.100.1 "the Internet"
#
# After each test all VEs are destroyed, and what is left must equal what was there before the first: see inventory.
# There are no sleeps; wait_until asks again until its deadline.

bats_require_minimum_version 1.5.0
# shellcheck source-path=SCRIPTDIR source=build-tree.bash
. "${BASH_SOURCE[0]%/*}/build-tree.bash"
# shellcheck source-path=SCRIPTDIR source=images.bash
. "${BASH_SOURCE[0]%/*}/images.bash"

# Where images are kept between runs: a Debian image takes a minute to build.
IMAGE_CACHE=${VECTL_E2E_CACHE:-$O/e2e-images}

# ---- calling vectl --------------------------------------------------------------------------------------------

# In the host's network namespace.
on_host() { nsenter --net="/run/netns/$HOST_NS" -- "$@"; }
in_world() { nsenter --net="/run/netns/$WORLD_NS" -- "$@"; }
v() { on_host "$VECTL" "$@"; }
# For the background only: becomes vectl, so that $! is its pid. (bash has its background commands ignore SIGINT.)
become_world() { exec nsenter --net="/run/netns/$WORLD_NS" -- "$@"; }
become_v() { exec env --default-signal=INT,QUIT nsenter --net="/run/netns/$HOST_NS" -- "$VECTL" "$@"; }

# try COMMAND...: runs it with no input (or with stdin as given by the caller through try_stdin); sets status, output
# and stderr. Unlike bats' run it keeps the two streams apart and has no opinion about 127.
try() {
	status=0
	"$@" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" <"${try_stdin:-/dev/null}" || status=$?
	text_of output "$BATS_TEST_TMPDIR/stdout"
	text_of stderr "$BATS_TEST_TMPDIR/stderr"
}

# text_of VARIABLE FILE: as VARIABLE=$(cat FILE) without the NULs, and without a process: try is called everywhere, and in
# an emulated guest (tests/vm) each process costs a tenth of a second.
text_of() {
	local parts text
	mapfile -d '' -t parts <"$2"
	printf -v text %s "${parts[@]}"
	while [[ $text == *$'\n' ]]; do text=${text%$'\n'}; done
	printf -v "$1" %s "$text"
}

explain() { printf '%s\n' "$1" "status: $status" "stdout: $output" "stderr: $stderr" >&2; }

# is CODE: the last try's status.
is() { [ "$status" -eq "$1" ] || { explain "expected exit status $1"; return 1; }; }

# ok VECTL-ARGUMENT...: must exit 0.
ok() {
	try v "$@"
	[ "$status" -eq 0 ] || { explain "vectl $*: expected to succeed"; return 1; }
}

# fails CODE VECTL-ARGUMENT...: must exit with CODE and say why, beginning with "vectl: ", and nothing on stdout.
fails() {
	local code=$1
	shift
	try v "$@"
	[ "$status" -eq "$code" ] || { explain "vectl $*: expected exit status $code"; return 1; }
	[[ $stderr == *"vectl: "* || $stderr == '{"error":'* ]] || { explain "vectl $*: expected an error message"; return 1; }
	[ -z "$output" ] || { explain "vectl $*: expected nothing on standard output"; return 1; }
}

# inside NAME COMMAND...: vectl exec, which must succeed; the output is in $output.
inside() {
	local name=$1
	shift
	ok exec "$name" -- "$@"
}

# says PATTERN: the last command's standard error matches the extended regular expression.
says() { grep -qE -- "$1" <<<"$stderr" || { explain "expected on stderr: $1"; return 1; }; }

# json FILTER: the filter over the last output is true; else both are shown. field FILTER: its raw value.
json() { jq -e "$1" <<<"$output" >/dev/null || { explain "not true: $1"; return 1; }; }
field() { jq -r "$1" <<<"$output"; }

# changed true|false, VECTL-ARGUMENT...: a verb whose document must say so.
changed() {
	local expected=$1
	shift
	ok "$@" --json
	json ".changed == $expected"
	json 'has("name") and has("uuid") and has("state") and has("pending") and (.warnings | type == "array")'
}

# status_field NAME KEY: the string or number that the document has at its top. (Debian 12's jq takes half a second to
# come up in a guest, and wait_until asks often; documents are read properly by json and field.)
status_field() {
	local document
	document=$(v status "$1" --json) || return
	[[ $document =~ \"$2\":\ *(\"([^\"]*)\"|[0-9]+|null) ]] || return
	echo "${BASH_REMATCH[2]:-${BASH_REMATCH[1]}}"
}
state_of() { status_field "$1" state; }
in_state() { [ "$(state_of "$1")" = "$2" ]; }
init_pid() { status_field "$1" init_pid; }
monitor_pid() { status_field "$1" monitor_pid; }

uuid_of() { status_field "$1" uuid; }
run_dir() { echo "$VECTL_ROOT/run/vectl/$(uuid_of "$1")"; }

# ve NAME [CREATE-OPTION]...: a busybox VE, created and started.
ve() {
	local name=$1
	shift
	ok create "$name" --image busybox --start "$@"
}

# group_file NAME FILE [V1-FILE]: what a file of the VE's group says, on cgroup2 or, where that has no such file, on v1.
group_file() {
	local file
	for file in "${@:2}"; do
		file=$(find /sys/fs/cgroup -path "*/$BASE/$1/$file" | head -1)
		[ -z "$file" ] || { cat "$file"; return; }
	done
	return 1
}

# ---- waiting --------------------------------------------------------------------------------------------------

# wait_until SECONDS COMMAND...: until it succeeds; fails, showing the command, at the deadline. The pause between two
# questions only spares the machine: no test depends on its length.
wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || { echo "not so before the deadline: $*" >&2; return 1; }
		read -rt 0.02 <> <(:) || true
	done
}
gone() { [ ! -d "/proc/$1" ] || grep -qs '^State:.*[ZX]' "/proc/$1/status"; }
not() { ! "$@"; }

# ---- what is left ---------------------------------------------------------------------------------------------

# The name that this store's groups begin with: "vectl-" and the FNV-1a of the root's path.
store_base() {
	local h=2166136261 i c path
	path=$(realpath "$VECTL_ROOT")
	for ((i = 0; i < ${#path}; i++)); do
		printf -v c %d "'${path:i:1}"
		h=$(((h ^ c) * 16777619 & 0xffffffff))
	done
	printf 'vectl-%08x' $h
}

# For a subshell that asks much: bats' trap, which takes ten commands for each command, is not for it, and what vanishes
# while it is looked at ends nothing.
light() {
	trap - DEBUG
	set +e
}

groups_of_store() { find /sys/fs/cgroup -type d -path "*/$BASE*" | sort; }
mounts_of_store() { awk '{ print $5 }' /proc/self/mountinfo | grep -F "$VECTL_ROOT/" | sort; }

# Every process in the store's groups, or with the monitor's binary in the host's network namespace: pid and name.
processes_of_store() (
	light
	{
		grep -ls "/$BASE" /proc/[0-9]*/cgroup
		find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -lname '*/vectl-monitor' 2>/dev/null | while read -r file; do
			[ ! "${file%/exe}/ns/net" -ef "/run/netns/$HOST_NS" ] || echo "$file"
		done
	} | sort -t/ -k3,3n -u | while IFS=/ read -r _ _ pid _; do
		# One that ends while it is looked at has no name any more.
		if read -r name <"/proc/$pid/comm" && ! gone "$pid"; then echo "$pid $name"; fi
	done 2>/dev/null
)

# Everything of the kernel's and of the store that a verb makes, as sorted text: two of them are compared. Each test
# asks for it, so that its processes are few.
inventory() (
	light
	{
		awk -v root="$VECTL_ROOT" 'index($4 $5, root) { print "[mounts]", $4, $5, $6 }' /proc/self/mountinfo
		# But for those that all VEs share: they come with the first, and may go with the last.
		find /sys/fs/cgroup -type d -path "*/$BASE*" ! -path "*/$BASE" ! -path "*/$BASE/.*" -printf '[groups] %p\n'
		processes_of_store | while read -r _ file; do echo "[processes] $file"; done
		on_host ip -o -batch - <<<$'link\naddr\nroute show table all\nrule\nneigh show proxy' | awk '
			/^[0-9]+:\tfrom / { print "[rules]", $0; next }
			/^[0-9]+: [^ ]+: </ { sub(/[@:].*/, "", $2); print "[links]", $2; next }
			/^[0-9]+: / { print "[addresses]", $2, $3, $4; next }
			/ proxy *$/ { print "[proxies]", $0; next }
			{ sub(/ expires [0-9]+sec/, ""); print "[routes]", $0 }'
		for file in /sys/block/loop*/loop/backing_file; do
			if read -r backing 2>/dev/null <"$file" && [[ $backing == *"$VECTL_ROOT"* ]]; then echo "[loops] $backing"; fi
		done
		# Files of the store but for logs, caches, and what the trees of images and VEs hold.
		(cd "$VECTL_ROOT" && find . \( -path './var/log' -o -path './run/vectl/cpu-load' -o -path './run/vectl/cgroups' \
			-o -path './var/lib/vectl/images/*/*' -o -path '*/overlay/upper/*' -o -path '*/overlay/work/*' \
			-o -path '*/rootfs/*' \) -prune -o -printf '[files] %y %p %l\n')
	} | sort
	echo "[nft]"
	on_host nft -s list ruleset
)

destroy_all() {
	local name
	# Frozen, half made or without a monitor: recover first, so that destroy can be asked for anything.
	v recover >/dev/null 2>&1 || true
	for name in $(v list --names); do
		v --quiet destroy --force "$name" && continue
		v --quiet unlock --force "$name"
		v --quiet set "$name" protect=off
		v --quiet destroy --force "$name"
	done
}

# same_as_before: the inventory equals the one that FILE (default: setup_file's) holds. Kernel objects that go
# asynchronously (links of a dead namespace) get a moment.
inventory_equals() { inventory >"$BATS_TEST_TMPDIR/inventory" && cmp -s "$1" "$BATS_TEST_TMPDIR/inventory"; }
# shellcheck disable=SC2120
same_as_before() {
	local before=${1:-$BATS_FILE_TMPDIR/inventory}
	wait_until 5 inventory_equals "$before" 2>/dev/null && return 0
	echo "left behind (+) or lost (-):" >&2
	diff -u "$before" "$BATS_TEST_TMPDIR/inventory" | tail -n +3 >&2
	return 1
}

# ---- images ---------------------------------------------------------------------------------------------------

# image NAME: the recipe's image, built at most once in the cache, put into this file's store.
image() {
	local name=$1 cache=$BATS_RUN_TMPDIR/images
	# busybox is built in no time, and anew in each run.
	[ "$name" = busybox ] || cache=$IMAGE_CACHE
	image_build "$cache" "$name" || return 1
	mkdir -p "$VECTL_ROOT/var/lib/vectl/images"
	chmod 0700 "$VECTL_ROOT/var/lib/vectl/images"
	cp -a "$cache/var/lib/vectl/images/$name" "$VECTL_ROOT/var/lib/vectl/images/"
}

# ---- the file's world -----------------------------------------------------------------------------------------

make_network() {
	local ns
	for ns in "$HOST_NS" "$WORLD_NS"; do
		ip netns add "$ns"
		nsenter --net="/run/netns/$ns" -- ip link set lo up
	done
	on_host ip link add up0 type veth peer name up0 netns "$WORLD_NS"
	in_world ip addr add 192.0.2.1/24 dev up0
	in_world ip addr add 2001:db8::1/64 dev up0 nodad
	in_world ip addr add 198.51.100.1/32 dev lo
	in_world ip addr add 2001:db8:ffff::1/128 dev lo nodad
	# Addresses are good at once: no probe for duplicates on a wire with two ends.
	for ns in "$HOST_NS" "$WORLD_NS"; do
		nsenter --net="/run/netns/$ns" -- sh -c 'echo 0 >/proc/sys/net/ipv6/conf/up0/accept_dad'
	done
	in_world ip link set up0 up
	on_host ip addr add 192.0.2.2/24 dev up0
	on_host ip addr add 2001:db8::2/64 dev up0 nodad
	on_host ip link set up0 up
	on_host ip route add default via 192.0.2.1
	on_host ip -6 route add default via 2001:db8::1
	wait_until 5 on_host ping -c1 -W1 2001:db8::1
}

# What a host has after its first VE of a kind (the firewall's tables, forwarding, caches) is no left-over of the second:
# the whole lives of two go before the first look.
warm_up() {
	v --quiet create warm1 --image busybox --start &&
		v --quiet create warm2 --image busybox --ip 192.0.2.250 --ip 2001:db8::250 --start &&
		v --quiet destroy --force warm1 && v --quiet destroy --force warm2
}

world_up() { world_up_on true; }

# world_up_on COMMAND: with the store's var/ on a file system of its own, which COMMAND DIRECTORY mounts.
world_up_on() {
	[ "$(id -u)" = 0 ] || { echo "these tests need root" >&2; return 1; }
	VECTL_ROOT=$(mktemp -d /var/tmp/vectl-e2e.XXXXXX)
	chmod 0755 "$VECTL_ROOT"
	mkdir "$VECTL_ROOT/var"
	# shellcheck disable=SC2086 # words
	$1 "$VECTL_ROOT/var" || return 1
	HOST_NS=ve2eh-${VECTL_ROOT##*.} WORLD_NS=ve2ew-${VECTL_ROOT##*.}
	export VECTL_ROOT HOST_NS WORLD_NS
	BASE=$(store_base)
	export BASE
	make_network && image busybox && warm_up || return 1
	inventory >"$BATS_FILE_TMPDIR/inventory"
}

# A monitor that does not end by itself is killed here by its pid, so that a failed test does not fail the next run.
world_down() {
	local pid d
	destroy_all >/dev/null 2>&1
	for pid in $(processes_of_store | cut -d' ' -f1); do kill -9 "$pid" 2>/dev/null; done
	for pid in $(processes_of_store | cut -d' ' -f1); do wait_until 5 gone "$pid"; done
	for d in $(groups_of_store | sort -r); do rmdir "$d" 2>/dev/null; done
	mounts_of_store | sort -r | xargs -r -n1 umount -l
	ip netns delete "$HOST_NS"
	ip netns delete "$WORLD_NS"
	rm -rf --one-file-system "$VECTL_ROOT"
	# Whatever stays here stays until somebody wonders what it is.
	for d in $(groups_of_store) $(mounts_of_store); do echo "still there: $d" >&2; done
	[ -z "$(groups_of_store)$(mounts_of_store)" ] && [ ! -e "$VECTL_ROOT" ]
}

# What a .bats file does without saying so; one that needs more defines its own and calls these.
setup_file() { world_up; }
teardown_file() { world_down; }
teardown() {
	destroy_all
	# shellcheck disable=SC2119
	same_as_before
}
