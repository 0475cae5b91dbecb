#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a start writes where distributions differ. Debian is the real one; RHEL, Arch, SUSE and Alpine are trees of busybox with the
# files that vectl reads and writes, as these distributions ship them.
load helpers

# fixture NAME OS_RELEASE HOSTNAME LOCALTIME: an image like that.
fixture() {
	local recipes=$VECTL_ROOT/etc/vectl/recipes
	mkdir -p "$recipes"
	jq --arg release "$2" --arg hostname "$3" --arg localtime "$4" '
		.files |= map(select(.path != "/etc/hostname")) |
		.directories += [{path: "/usr/share/zoneinfo/Europe", mode: "0755"}, {path: "/usr/lib", mode: "0755"}] |
		.files += [{path: "/usr/lib/os-release", lines: ($release | split(";"))},
			{path: "/etc/hostname", lines: [$hostname]},
			{path: "/usr/share/zoneinfo/UTC", lines: ["TZif UTC"]},
			{path: "/usr/share/zoneinfo/Europe/Berlin", lines: ["TZif Berlin"]}] |
		.files |= map(.why //= "fixture") |
		.links += [{path: "/etc/os-release", target: "../usr/lib/os-release", why: "fixture"},
			{path: "/etc/localtime", target: $localtime, why: "fixture"}]' \
		"$VECTL_DATADIR/recipes/busybox.json" >"$recipes/$1.json"
	v image build "$1" >&2
}

setup_file() {
	world_up && image debian-12 && image debian-13 || return 1
	fixture like-debian 'PRETTY_NAME="Like Debian 14";ID=debian;VERSION_ID="14"' '' /usr/share/zoneinfo/Etc/UTC &&
		fixture like-alpine 'NAME="Like Alpine";ID=alpine;VERSION_ID=3.99.0' localhost /etc/zoneinfo/UTC &&
		fixture like-rhel 'NAME="Like Linux";ID="rocky";ID_LIKE="rhel centos fedora"' localhost.localdomain ../usr/share/zoneinfo/UTC &&
		fixture like-arch 'ID=arch;BUILD_ID=rolling' '' /usr/share/zoneinfo/UTC &&
		fixture like-suse 'ID="opensuse-leap";ID_LIKE="suse opensuse"' localhost /usr/share/zoneinfo/UTC &&
		fixture plan9 'ID=plan9;VERSION_ID=4' glenda ../usr/share/zoneinfo/UTC && inventory >"$BATS_FILE_TMPDIR/inventory"
}

berlin=../usr/share/zoneinfo/Europe/Berlin
# What the files in which distributions differ say, and which they are.
state_of() { v exec "$1" -- sh -c 'cd /etc; readlink localtime; cat timezone hostname 2>/dev/null; stat -c "%n %i %Y %Z" localtime timezone hostname hosts resolv.conf 2>/dev/null; true'; }

@test "each family gets its files, and a second start writes none of them" {
	local d expected before
	for d in debian alpine rhel arch suse; do
		changed true create "$d" --image "like-$d" --set timezone=Europe/Berlin --start
		json '.warnings == []'
		inside "$d" sh -c 'readlink /etc/localtime; cat /etc/localtime; cat /etc/timezone 2>/dev/null; cat /etc/hostname; hostname'
		case $d in
		debian) expected=$berlin$'\nTZif Berlin\nEurope/Berlin\n\ndebian' ;;
		alpine) expected=$berlin$'\nTZif Berlin\nalpine\nalpine' ;;
		rhel) expected=$berlin$'\nTZif Berlin\nlocalhost.localdomain\nrhel' ;;
		arch) expected=$berlin$'\nTZif Berlin\n\narch' ;;
		suse) expected=$berlin$'\nTZif Berlin\nlocalhost\nsuse' ;;
		esac
		[ "$output" = "$expected" ] || { explain "$d: expected: $expected"; return 1; }
		inside "$d" sh -c 'grep -q nameserver /etc/resolv.conf && grep "set by vectl" /etc/hosts'
		before=$(state_of "$d")
		ok restart "$d"
		[ "$(state_of "$d")" = "$before" ] || { explain "$d: before: $before, after: $(state_of "$d")"; return 1; }
		ok destroy "$d" --force
	done
}

@test "Debian itself: the clock is of that zone" {
	local d
	for d in debian-12 debian-13; do
		ok run --image "$d" --no-network --set timezone=Pacific/Auckland -- date -d 2024-01-15T00:00Z +%H:%Z
		[ "$output" = 13:NZDT ] || { explain "$d"; return 1; }
		[ -z "$stderr" ]
		ok run --image "$d" --no-network --set timezone=Asia/Tokyo -- cat /etc/timezone
		[ "$output" = Asia/Tokyo ]
		ok run --image "$d" --no-network -- date +%Z
		[ "$output" = UTC ]
	done
}

@test "a distribution that nobody knows is left alone, and starts" {
	changed true create web1 --image plan9 --set timezone=Europe/Berlin --start
	json '.warnings | length == 1 and (.[0] | test("plan9.*time zone"))'
	inside web1 sh -c 'readlink /etc/localtime; cat /etc/hostname; test ! -e /etc/timezone; hostname'
	[ "$output" = $'../usr/share/zoneinfo/UTC\nglenda\nweb1' ]
	# What is the same everywhere is written here too.
	inside web1 grep -c nameserver /etc/resolv.conf
	inside web1 sh -c 'printf "ID=\"\033[31mevil\"\n" >/usr/lib/os-release'
	ok restart web1
	says "does not say in its os-release"
	[[ $stderr != *$'\033'* ]]
	# A jail that asks for nothing is told nothing.
	ok run --image plan9 --no-network -- true
	[ -z "$stderr" ]
	ok run --image plan9 --no-network --set timezone=UTC -- true
	says plan9
}

@test "a zone that the VE does not have is a warning, and what was there stays" {
	changed true create web1 --image like-rhel --set timezone=Mars/Olympus --start
	json '.warnings | length == 1 and (.[0] | test("zoneinfo/Mars/Olympus"))'
	inside web1 readlink /etc/localtime
	[ "$output" = ../usr/share/zoneinfo/UTC ]
	changed true create web2 --image like-debian --set timezone=Mars/Olympus --start
	inside web2 test ! -e /etc/timezone
	# As soon as it has it, the next start takes it.
	inside web1 sh -c 'mkdir /usr/share/zoneinfo/Mars && echo TZif >/usr/share/zoneinfo/Mars/Olympus'
	changed true restart web1
	json '.warnings == []'
	inside web1 readlink /etc/localtime
	[ "$output" = ../usr/share/zoneinfo/Mars/Olympus ]
}

@test "a zone is changed with a restart, and its name leads nowhere" {
	local bad
	ve web1
	for bad in ../UTC /etc/passwd Europe/../../UTC Europe// a\ b $'a\nb' .; do
		fails 78 set web1 "timezone=$bad"
	done
	ok stop web1
	ok create web2 --image like-arch --start
	fails 79 set web2 timezone=UTC
	says timezone
	ok set web2 timezone=UTC --pending
	ok restart web2
	inside web2 readlink /etc/localtime
	[ "$output" = ../usr/share/zoneinfo/UTC ]
	ok set web2 timezone=default --pending
	ok restart web2
	inside web2 readlink /etc/localtime
	[ "$output" = ../usr/share/zoneinfo/UTC ]
}

@test "whatever a tenant has put there, the VE starts and nothing of the host's is touched" {
	local how outside=$BATS_TEST_TMPDIR/outside
	echo untouched >"$outside"
	ok create web1 --image like-debian --set timezone=Europe/Berlin --start
	for how in 'rm /usr/lib/os-release; mkfifo /usr/lib/os-release' \
		'rm /usr/lib/os-release; truncate -s 10G /usr/lib/os-release' \
		'rm /usr/lib/os-release; ln -s os-release /usr/lib/os-release' \
		'rm /etc/os-release; ln -s /dev/console /etc/os-release' \
		'rm /etc/os-release; mkdir /etc/os-release' \
		"rm -f /etc/localtime; mkdir /etc/localtime" \
		"rm -f /etc/timezone; ln -s ../../../../../../../..$outside /etc/timezone" \
		"rm -f /etc/localtime /etc/localtime.vectl-new; ln -s ../../../../../../../..$outside /etc/localtime; ln -s $outside /etc/localtime.vectl-new" \
		"rm -rf /usr/share/zoneinfo; ln -s ../../../../../../../..${outside%/*} /usr/share/zoneinfo" \
		'mv /etc /etc.away; ln -s /proc/1/root/etc.away /etc'; do
		inside web1 sh -c "$how"
		ok restart web1
		inside web1 true
		[ "$(cat "$outside")" = untouched ] && [ ! -L "$outside" ] || { explain "after: $how"; return 1; }
		ok destroy web1 --force
		ok create web1 --image like-debian --set timezone=Europe/Berlin --start
	done
}

@test "a locale: each family's file, the link of Debian 13, and none that the VE does not have" {
	local d file
	for d in debian rhel arch suse alpine; do
		changed true create "$d" --image "like-$d" --set locale=C.UTF-8 --start
		json '.warnings == []'
		case $d in
		debian) file=/etc/default/locale ;;
		alpine) file=/etc/profile.d/00-vectl-locale.sh ;;
		*) file=/etc/locale.conf ;;
		esac
		inside "$d" cat "$file"
		[ "${output#export }" = LANG=C.UTF-8 ]
		ok set "$d" locale=de_DE.UTF-8 --pending
		changed true restart "$d"
		inside "$d" cat "$file"
		if [ "$d" = alpine ]; then
			[ "$output" = 'export LANG=de_DE.UTF-8' ]
			continue
		fi
		[ "$output" = LANG=C.UTF-8 ]
		inside "$d" mkdir -p /usr/lib/locale/de_DE.utf8
		changed true restart "$d"
		json '.warnings == []'
		inside "$d" cat "$file"
		[ "$output" = LANG=de_DE.UTF-8 ]
	done
	changed true create web1 --image like-arch --set locale=de_DE.UTF-8 --start
	json '.warnings | length == 1 and (.[0] | test("no locale .de_DE.UTF-8"))'
	inside web1 test ! -e /etc/locale.conf
	for bad in ../C 'a b' '$(id)' -x; do fails 78 set web1 "locale=$bad"; done
	# A command has it in its environment, unless it has another there.
	ok run --image like-debian --no-network --set locale=de_DE.UTF-8 -- sh -c 'echo $LANG'
	[ "$output" = de_DE.UTF-8 ]
	ok run --image like-debian --no-network --set locale=de_DE.UTF-8 --env LANG=C -- env
	[ "$(grep -c ^LANG= <<<"$output")" = 1 ]
	[[ $output == *LANG=C* ]]
	ok run --image like-debian --no-network -- env
	[[ $output != *LANG=* ]]
}

@test "Debian itself: a shell that logs in has the locale" {
	local d
	for d in debian-12 debian-13; do
		changed true create "$d" --image "$d" --set locale=POSIX --start --wait
		json '.warnings == []'
		inside "$d" sh -c 'cat /etc/default/locale; test ! -e /etc/locale.conf || cat /etc/locale.conf; su -l root -c "echo \$LANG"'
		[ "$(sort -u <<<"$output")" = $'LANG=POSIX\nPOSIX' ]
		inside "$d" sh -c '[ ! -e /etc/locale.conf ] || readlink /etc/default/locale'
		[ -z "$output" ] || [ "$output" = ../locale.conf ]
		ok destroy "$d" --force
	done
}
