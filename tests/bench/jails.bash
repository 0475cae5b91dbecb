# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A jail's whole life, and a command in a running VE.

section_jail() {
	timed vectl "$VECTL" run --image busybox --no-network -- /bin/true ::: \
		floor "$work/floor" "$work/root" /bin/true ::: \
		@crun "${crun[@]}" run -b "$work/true" 'c{}' ::: \
		@runc "${runc[@]}" run -b "$work/true" 'r{}' ::: \
		bubblewrap bwrap --unshare-all --ro-bind "$work/root" / --proc /proc --dev /dev /bin/true ::: \
		systemd-nspawn env SYSTEMD_SECCOMP=0 systemd-nspawn -q --settings=no --resolv-conf=off --timezone=off \
			--link-journal=no --register=no --keep-unit --private-network --private-users=$ids:65536 \
			-D "$work/root" /bin/true ::: \
		@lxc-execute lxc-execute -P "$work/lxc" -n x -f "$work/lxc.conf" -- /bin/true
	row "a jail's whole life, against the floor" "$(against floor)" 3
	row "a jail's whole life, against crun run" "$(against crun)" 0.8
	row "a jail's whole life, against runc run" "$(against runc)"
	row "a jail's whole life, against bubblewrap (no cgroup, no seccomp, no id range)" "$(against bubblewrap)"
	row "a jail's whole life, against systemd-nspawn (its seccomp filters off)" "$(against systemd-nspawn)"
	row "a jail's whole life, against lxc-execute" "$(against lxc-execute)"
}

section_exec() {
	v create e1 --image busybox --start >/dev/null
	in_peers "${crun[@]}" run -d -b "$work/sleep" sleep >"$work/out" 2>&1
	in_peers lxc-start -P "$work/lxc" -n e1 -f "$work/lxc.conf"
	timed vectl "$VECTL" exec e1 -- /bin/true ::: \
		@crun "${crun[@]}" exec sleep /bin/true ::: \
		@lxc-attach lxc-attach -P "$work/lxc" -n e1 -f "$work/lxc.conf" -- /bin/true
	row "exec into a running VE, against crun exec" "$(against crun)" 1
	row "exec into a running VE, against lxc-attach" "$(against lxc-attach)"
	in_peers lxc-stop -k -P "$work/lxc" -n e1
	in_peers "${crun[@]}" delete -f sleep
	v destroy --force e1 >/dev/null
}
