# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the scripts of tests/vm/: where things are, a private apt, one build at a time.
# It must not touch the machine beyond the build folder; packages come from tools/packages.
# shellcheck shell=sh

repo=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-$repo/build}
mkdir -p "$B/vm"
B=$(cd "$B" && pwd)
self=${0##*/}

die()
{
	echo "tests/vm/$self: $*" >&2
	exit 1
}

# need COMMAND PACKAGE...: installs the packages when the command is missing
need()
{
	command -v "$1" >/dev/null 2>&1 && return
	wanted=$1
	shift
	"$repo/tools/packages" "$@" >&2 || die "'$wanted' is missing (Debian package $*)"
}

# One of several at a time; the second finds the work of the first done. The lock is descriptor 9.
lock()
{
	exec 9>"$B/vm/.lock-$1"
	flock 9
}

check_suite()
{
	case $1 in
	bookworm | trixie) ;;
	*) die "'$1' is no suite this rig knows (bookworm, trixie)" ;;
	esac
}

# download SUITE PACKAGE DIR: the .deb of a package, unpacked into DIR
download()
{
	mkdir -p "$3" "$3.deb"
	(cd "$3.deb" && "$repo/tools/apt" "$B/apt" "$1" download "$2") || die "cannot download $2 of $1"
	dpkg-deb -x "$3.deb/$2"_*.deb "$3" || die "cannot unpack $2 of $1"
	rm -r "$3.deb"
}
