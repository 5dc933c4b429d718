# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
# Sourced by tests/bench/native and tests/cli/test-cost, behind tests/cli/lib.sh or boot.sh: machines
# of any size, and what a program costs on them in numbers that come out the same each time.

bench=$build/bench

# sized FUNCTIONS: a machine with so many, of which VM 101 has one, in $tree
sized()
{
	tree=$work/sized$1
	[ ! -e "$tree" ] || return 0
	tests/bench/machine "$1" >"$work/sized.machine"
	tests/cli/machines/expand "$work/sized.machine" "$tree"
	mkdir -p "$tree/dev/vfio" "$tree/etc/pve/qemu-server" "$tree/usr/share/misc" "$tree/run"
	: >"$tree/dev/vfio/1"
	cp /usr/share/misc/pci.ids "$tree/usr/share/misc/"
	config 101 'hostpci0: 01:00.0'
	config 102 'agent: 1' 'net0: virtio=BC:24:11:00:00:01,bridge=vmbr0'
}

# calls COMMAND...: how many system calls it makes, with all of its children
calls()
{
	strace -f -c -o "$work/strace" "$@" >/dev/null 2>&1 </dev/null
	awk '$NF == "total" { print $4 }' "$work/strace"
}

# instructions COMMAND...: how many the process runs that does the work: of all that are started, the
# one with the most (base/guard.h); those before its start are counted in. The programs in $bench are
# the shipped ones but for openat2(2), which valgrind does not know. The start of a program goes through
# all of its environment, so it gets none.
instructions()
{
	env -i PATH="$PATH" valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >/dev/null </dev/null |
		awk '$2 == "Collected" && $4 > most { most = $4 } END { print most }'
}
