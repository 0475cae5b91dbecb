#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line itself: words, options, exit codes, what is said on which stream. No VE is made.
load helpers

setup_file() {
	VECTL_ROOT=$(mktemp -d /var/tmp/vectl-cli.XXXXXX)
	export VECTL_ROOT
}
teardown_file() {
	awk '{ print $5 }' /proc/self/mountinfo | grep -F "$VECTL_ROOT" | sort -r | xargs -r -n1 umount
	rm -rf --one-file-system "$VECTL_ROOT"
}
teardown() { :; }
v() { "$VECTL" "$@"; }

commands() { v help --words; }
usage_error() {
	fails 64 "$@"
	[[ $stderr == vectl:* ]] || { explain "expected a sentence"; return 1; }
}

# ---- help -----------------------------------------------------------------------------------------------------

# Texts of the program against one another, in a few hundred calls: two minutes of a guest, and the same everywhere.
# bats test_tags=host-only
@test "help, man pages and completion agree" { "$BATS_TEST_DIRNAME/../check-help"; }

@test "the issue's commands are all there" {
	local c
	for c in create start stop restart kill freeze thaw destroy recover enter exec console logs passwd run list status show get \
		keys set wait 'image list' 'image build' 'image show' 'image remove' 'image verify' 'template list' 'template show' \
		'template check' check 'host show' 'host set' version help completion; do
		commands | grep -qxF "$c" || { echo "no command '$c'" >&2; return 1; }
	done
}

@test "help asks for no operand, and for no store" {
	ok start --help
	[[ $output == 'vectl start - '* ]]
	ok --root /no/such/dir create -h
	ok --help
	[[ $output == *'Lifecycle:'* ]]
	ok image --help
	[[ $output == *'image build'* ]]
}

@test "nothing at all is a usage error, on standard error" {
	usage_error
	says 'vectl --help'
	usage_error image
	says 'vectl image list'
}

@test "the version, spelled both ways" {
	ok version
	local version=$output
	[[ $version =~ ^vectl\ [0-9]+\.[0-9]+ ]]
	ok --version
	[ "$output" = "$version" ]
}

# ---- words ----------------------------------------------------------------------------------------------------

@test "words of other tools are answered with ours" {
	local theirs ours
	while read -r theirs ours; do
		usage_error "$theirs" web1
		says "$ours" || return 1
	done <<-'END'
		rm vectl destroy web1
		delete vectl destroy web1
		ls vectl list
		ps vectl list
		reboot vectl restart web1
		shutdown vectl stop web1
		suspend vectl freeze web1
		resume vectl thaw web1
		copy vectl clone web1
		poweroff vectl stop web1
		inspect vectl status web1
		info vectl status web1
		launch vectl create web1
		attach vectl console web1
		unset vectl set web1 KEY=default
	END
	usage_error image ls
	says 'vectl image list'
	usage_error image rm x
	says 'vectl image remove'
}

@test "words of later versions: 69" {
	fails 69 image import x
	says 'not in this version'
}

@test "mistyped words get the nearest one" {
	usage_error strat web1
	says "did you mean 'vectl start'"
	usage_error lst
	says "did you mean 'vectl list'"
	usage_error image lits
	says "did you mean 'vectl image list'"
	usage_error web1 start
	says 'vectl start web1'
	usage_error qqqqqqqq
	says 'vectl --help'
}

@test "no abbreviations, of commands or options" {
	usage_error sta web1
	usage_error crea web1
	usage_error list --nam
	usage_error list --js
	usage_error list --jsonx
}

@test "control characters in a word do not reach the terminal" {
	usage_error $'\e[31mred\n\x07'
	[[ $stderr != *$'\e'* && $stderr != *$'\x07'* ]]
}

# ---- options --------------------------------------------------------------------------------------------------

@test "options may stand anywhere" {
	ok --json version
	json .version
	ok version --json
	json .version
	ok --root="$VECTL_ROOT" list --no-header
	ok list --no-header --root "$VECTL_ROOT"
	ok image --json list
	json '. == []'
}

@test "unknown options, with the nearest" {
	usage_error start --wiat web1
	says -- '--wait'
	usage_error start -x web1
	usage_error --bogus
	usage_error create web1 --timeout 3
}

@test "values: missing, empty, too much, not what it should be" {
	usage_error list --where
	usage_error list --where=
	usage_error list --json=yes
	usage_error stop web1 --timeout x
	usage_error stop web1 --timeout -1
	usage_error stop web1 --timeout 1.5
	usage_error stop web1 --timeout 99999999999999999999
	usage_error start web1 --wait=
	usage_error start web1 --wait=MB
	usage_error logs web1 -n x
	usage_error logs web1 -n
	usage_error wait web1 --state asleep
	usage_error exec web1 --env NOVALUE true
	usage_error exec web1 --env =x true
}

@test "operands: too few, too many" {
	local c
	for c in create start stop restart kill freeze thaw destroy enter exec console logs passwd status show get set wait; do
		usage_error $c
		says 'is missing' || return 1
	done
	for c in enter console logs status show wait; do
		usage_error $c web1 web2
		says "'web2' is one too many" || return 1
	done
	usage_error get web1
	usage_error set web1
	usage_error exec web1
	usage_error version x
	usage_error start web1 --boot
	usage_error stop --shutdown --timeout 3
}

@test "-- ends the options" {
	fails 66 start -- --boot --help
	says "no VE '--boot'"
	fails 66 start -- nosuch
	fails 66 -- start nosuch
}

@test "in exec and run the first word that is no option begins the command" {
	# No such VE, no such image: what stands behind is nobody's option.
	fails 125 exec nosuch true --bogus --json
	[[ $stderr == vectl:* ]]
	fails 125 exec nosuch --user root -- true --bogus
	fails 125 run --image nosuch true --bogus
	usage_error run --bogus true
	usage_error exec nosuch --bogus true
}

@test "options that exclude each other" {
	usage_error create web1 --wait
	usage_error create web1 --keep
	usage_error create web1 --ssh-key - --password-stdin
	usage_error create web1 --ssh-key - --ssh-key -
	usage_error set web1 hostname=x --pending --restart
	usage_error run --image a --rootfs /b true
	usage_error list --names --fields name
}

# ---- secrets --------------------------------------------------------------------------------------------------

@test "a private key is not taken for a public one" {
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/key"
	usage_error create web1 --ssh-key "$BATS_TEST_TMPDIR/key"
	says 'private key'
	usage_error create web1 --ssh-key "$(cat "$BATS_TEST_TMPDIR/key.pub")"
	says 'name of a file'
	fails 66 create web1 --ssh-key "$BATS_TEST_TMPDIR/nosuch"
	: >"$BATS_TEST_TMPDIR/empty"
	usage_error create web1 --ssh-key "$BATS_TEST_TMPDIR/empty"
}

@test "a password is one line, and not an empty one" {
	local bad
	for bad in '' '\n' 'a\0b\n'; do
		# shellcheck disable=SC2059
		printf "$bad" >"$BATS_TEST_TMPDIR/in"
		try_stdin=$BATS_TEST_TMPDIR/in usage_error create web1 --password-stdin
	done
	head -c 5000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/in"
	try_stdin=$BATS_TEST_TMPDIR/in usage_error create web1 --password-stdin
}

# ---- errors ---------------------------------------------------------------------------------------------------

@test "errors are one JSON document on standard error, wherever --json stands" {
	local line
	while read -r line; do
		# shellcheck disable=SC2086
		try v $line
		[ "$status" -ne 0 ]
		[ -z "$output" ]
		"$BATS_TEST_DIRNAME/../check-json" error <<<"$stderr" || { explain "vectl $line"; return 1; }
	done <<-'END'
		start --json
		--json start nosuch
		--json rm web1
		clone --json web1
		start --bogus --json web1
		--bogus --json
		status nosuch --json
		exec --json nosuch true
		stop nosuch --timeout x --json
	END
}

@test "a missing VE is 66, by every verb" {
	local c
	for c in start stop restart kill freeze thaw destroy console logs passwd status show wait recover; do
		fails 66 $c nosuch
		says 'nosuch' || return 1
	done
	fails 66 get nosuch hostname
	fails 66 set nosuch hostname=x
	fails 125 enter nosuch
	ok destroy nosuch --if-exists
	ok destroy nosuch --if-exists --json
	json '.changed == false and .name == "nosuch" and .state == null'
}

@test "output that cannot be written is an error" {
	status=0
	"$VECTL" version >/dev/full 2>"$BATS_TEST_TMPDIR/stderr" || status=$?
	[ "$status" -eq 74 ]
	grep -q 'standard output' "$BATS_TEST_TMPDIR/stderr"
}

@test "nothing of this made anything in the store" {
	[ -z "$(find "$VECTL_ROOT" -path "*/var/lib/vectl/ve/*" -print -quit)" ]
}

# ---- documents and tables -------------------------------------------------------------------------------------

# document SCHEMA VECTL-ARGUMENT...
document() {
	local schema=$1
	shift
	ok "$@" --json
	"$BATS_TEST_DIRNAME/../check-json" "$schema" <<<"$output" || { explain "vectl $* --json"; return 1; }
}

@test "the schema files are schemas, and describe every key" { "$BATS_TEST_DIRNAME/../check-json" --schemas; }

@test "documents that need no VE are as their schemas say" {
	document version version
	document keys keys
	document keys keys 'memory.*'
	document list list
	document list-fields list --fields help
	document image-list image list
	document template-list template list
	document template template show vps-small
	document valid template check vps-small
	document host host show
	document capacity capacity
	document pool-list pool list
	document tune tune
	document recover recover
	try v check --json
	"$BATS_TEST_DIRNAME/../check-json" check <<<"$output"
}

@test "check: what is optional alarms nobody" {
	ok check --json
	local n
	json 'all(.[]; .present == (.state == "present"))'
	json 'all(.[] | select(.required); .present)'
	n=$(field '[.[] | select(.state == "low")] | length')
	ok check
	[ "$(grep -c '^low ' <<<"$output")" = "$n" ]
	grep -q '^This host can run VEs\.' <<<"$output"
	run ! grep -iE '^missing|needed by' <<<"$output"
	# What every VE needs is in capitals.
	try "$O/hide" setns -- "$VECTL" check
	is 69
	grep -qE '^MISSING +setns-pidfd ' <<<"$output"
	grep -q '^This host cannot run VEs: 1 of' <<<"$output"
}

@test "tables: a header, none, names only" {
	ok keys 'cpu.*'
	[[ ${output%%$'\n'*} == KEY*DEFAULT* ]]
	ok keys 'cpu.*' --no-header
	[[ $output == cpu.* ]]
	ok keys 'cpu.*' --names
	[[ $output != *' '* && $output == *cpu.weight* ]]
	ok template list --names
	grep -qx vps-small <<<"$output"
}

# ---- completion -----------------------------------------------------------------------------------------------

# completes EXPECTED WORD...: the last word is the one being typed.
completes() {
	local expected=$1
	shift
	COMP_WORDS=(vectl "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_vectl 2>/dev/null || true
	[[ " ${COMPREPLY[*]} " == *" $expected "* ]] ||
		{ echo "vectl $*: expected '$expected' among: ${COMPREPLY[*]}" >&2; return 1; }
}

@test "bash completion knows commands, options, keys, templates and states" {
	PATH=$(dirname "$VECTL"):$PATH
	eval "$(v completion bash)"
	# compopt works only while bash completes.
	compopt() { :; }
	completes start st
	completes verify image v
	completes --wait start web1 --w
	completes --json list --j
	completes memory.limit get web1 memory.l
	completes memory.limit= set web1 memory.l
	completes vps-small create web1 --template vps
	completes booted wait web1 --state b
	completes debian-12 image build deb
	completes bash completion b
	COMP_WORDS=(vectl exec web1 l) COMP_CWORD=3 COMPREPLY=()
	_vectl || true
	[ "${#COMPREPLY[@]}" -eq 0 ]
}
