#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Docker in a VE, as Debian has it, with an image made there: no registry is asked.
load helpers

setup_file() { world_up && image debian-docker && inventory >"$BATS_FILE_TMPDIR/inventory"; }

teardown() {
	destroy_all
	# shellcheck disable=SC2119
	same_as_before
}

docker() { inside d1 docker "$@"; }

# Of busybox, which the VE has.
import_image() {
	inside d1 sh -c 'mkdir -p /root/tree/bin && cp /bin/busybox /root/tree/bin && ln -s busybox /root/tree/bin/sh &&
		tar -C /root/tree -c . | docker import - tool'
}

@test "overlay2 on a VE's own disk: images, layers, containers, and all of it after a restart" {
	ok create d1 --image debian-docker --template docker-host --disk 1G
	ok start d1 --wait=300
	docker info --format '{{.Driver}} {{.DriverStatus}}'
	[[ $output == "overlay2 "* ]]
	import_image
	docker run --name first tool /bin/sh -c 'echo written >/file && /bin/busybox id -u'
	[ "$output" = 0 ]
	# A layer over another one, which has lost a file of it.
	docker commit first tool:second
	docker run --rm tool:second /bin/sh -c '/bin/busybox cat /file && /bin/busybox rm /file /bin/sh && /bin/busybox ls /bin'
	[ "$output" = $'written\nbusybox' ]
	docker run --rm tool:second /bin/busybox cat /file
	[ "$output" = written ]
	ok restart d1 --wait=300
	docker start -a first
	[ "$output" = 0 ]
	# What it holds is the VE's: of the size that this was sold.
	docker info --format '{{.DockerRootDir}}'
	[ "$(v exec d1 -- df -B1 --output=size "$output" | tail -1)" -le $((1 << 30)) ]
}

@test "containers have a network, and each other's names" {
	ok create d1 --image debian-docker --template docker-host
	ok start d1 --wait=300
	import_image
	docker network create inner
	docker run -d --name server --network inner tool /bin/busybox nc -ll -p 80 -e /bin/busybox echo answered
	asked() { docker run --rm --network inner tool /bin/busybox nc -w 5 server 80 && [ "$output" = answered ]; }
	wait_until 20 asked
	# The VE reaches it by a port of its own.
	docker run -d --name published -p 8080:80 tool /bin/busybox nc -ll -p 80 -e /bin/busybox echo published
	reached() { v exec d1 -- busybox nc -w 5 127.0.0.1 8080 </dev/null | grep -x published; }
	wait_until 20 reached
}

@test "a clone has its images, and is another engine" {
	local id
	ok create d1 --image debian-docker --template docker-host
	ok start d1 --wait=300
	import_image
	docker info --format '{{.ID}}'
	id=$output
	ok stop d1
	ok clone d1 d2
	ok start d2 --wait=300
	inside d2 docker run --rm tool /bin/busybox echo here
	[ "$output" = here ]
	inside d2 docker info --format '{{.ID}}'
	[ "$output" != "$id" ]
}
