# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The images of the end-to-end tests: those that vectl ships recipes for, and what a test needs besides. Built in a store that is
# only a cupboard. Needs build-tree.bash.

# image_recipe STORE NAME: writes it, where it is one of the tests' own.
image_recipe() {
	local recipes=$1/etc/vectl/recipes
	case $2 in
	debian-managers) # all that could take a link away from vectl
		mkdir -p "$recipes"
		jq '.packages += ["network-manager", "ifupdown", "netplan.io"]' "$tests_top/templates/recipes/debian-13.json" \
			>"$recipes/$2.json"
		;;
	debian-cloud) # with cloud-init as Debian has it
		mkdir -p "$recipes"
		jq '.packages += ["cloud-init"]' "$tests_top/templates/recipes/debian-12.json" >"$recipes/$2.json"
		;;
	debian-services) # servers, for jails and for whole systems
		mkdir -p "$recipes"
		jq '.packages += ["postgresql", "nginx-light", "redis-server", "postfix"]' "$tests_top/templates/recipes/debian-12.json" \
			>"$recipes/$2.json"
		;;
	debian-docker) # with Docker as Debian has it, and a program to run in it
		mkdir -p "$recipes"
		jq '.packages += ["docker.io", "docker-cli", "iptables", "busybox-static"]' "$tests_top/templates/recipes/debian-13.json" \
			>"$recipes/$2.json"
		;;
	esac
}

# image_build STORE NAME: at most once, also when several ask for it at a time.
image_build() {
	local store=$1 name=$2
	mkdir -p "$store"
	(
		flock 9
		if [ ! -e "$store/var/lib/vectl/images/$name/current" ]; then
			image_recipe "$store" "$name" && "$VECTL" --root "$store" image build "$name" >&2 || exit 1
		fi
		# A store is bound onto itself for as long as the host is up.
		if mountpoint -q "$store/var/lib/vectl"; then umount "$store/var/lib/vectl"; fi
	) 9>"$store/lock"
}
