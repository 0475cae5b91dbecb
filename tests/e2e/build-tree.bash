# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where the programs under test are. O: the build tree (default: build); an installation is tested by setting VECTL (and,
# where it is not below a usual prefix, VECTL_DATADIR and VECTL_LIBEXECDIR) itself.

tests_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
O=${O:-$tests_top/build}
[[ $O == /* ]] || O=$tests_top/$O
export O

if [ -z "${VECTL-}" ]; then
	VECTL=$O/vectl
	export VECTL_DATADIR=${VECTL_DATADIR:-$O/share} VECTL_LIBEXECDIR=${VECTL_LIBEXECDIR:-$O}
fi
export VECTL
[ -x "$VECTL" ] || { echo "'$VECTL' is not built: make O=$O" >&2; exit 1; }
