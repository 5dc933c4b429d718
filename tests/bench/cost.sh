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

# moving: a machine whose devices change hands as those of a node do (tests/bench/in-tree.c), with VMs for
# them: 201 a NIC, 202 an NVMe disk, 203 a display with its audio, 204 sixteen functions
moving()
{
	local bus group=10

	tree=$work/moving
	{
		cat <<-END
			host moving
			kernel 6.8.12-10-pve vfio
			cpu intel 6 vmx
			iommu intel
			device 0000:01:00.0 8086:1533 020000 group=1 driver=igb reset=flr modalias
			nic ens1 0000:01:00.0
			device 0000:02:00.0 144d:a80a 010802 group=2 driver=nvme reset=flr modalias
			disk nvme0n1 0000:02:00.0
			device 0000:03:00.0 10de:2484 030000 group=3 driver=nouveau reset=flr bars=256Mp@e0000000 modalias
			device 0000:03:00.1 10de:228b 040300 group=3 driver=snd_hda_intel reset=flr modalias
		END
		for bus in 08 09 0a 0b; do
			cat <<-END
				device 0000:$bus:00.0 10de:2484 030000 group=$group driver=nouveau reset=flr modalias
				device 0000:$bus:00.1 10de:228b 040300 group=$((group + 1)) driver=snd_hda_intel reset=flr modalias
				device 0000:$bus:00.2 8086:1533 020000 group=$((group + 2)) driver=igb reset=flr modalias
				device 0000:$bus:00.3 144d:a80a 010802 group=$((group + 3)) driver=nvme reset=flr modalias
			END
			group=$((group + 4))
		done
	} >"$work/moving.machine"
	tests/cli/machines/expand "$work/moving.machine" "$tree"
	mkdir -p "$tree/dev/vfio" "$tree/etc/pve/qemu-server" "$tree/usr/share/misc" "$tree/run"
	for group in "$tree"/sys/kernel/iommu_groups/*; do
		: >"$tree/dev/vfio/${group##*/}"
	done
	: >"$tree/sys/bus/pci/drivers/vfio-pci/unbind"
	cp /usr/share/misc/pci.ids "$tree/usr/share/misc/"
	config 201 'hostpci0: 01:00.0'
	config 202 'hostpci0: 02:00.0'
	config 203 'hostpci0: 03:00'
	config 204 'hostpci0: 08:00' 'hostpci1: 09:00' 'hostpci2: 0a:00' 'hostpci3: 0b:00'
}

# crowd PROCESSES DESCRIPTORS: so many processes in $tree, with so many files open each: sockets, files that
# others have open too, and what everybody has
crowd()
{
	perl -e '
		my ($tree, $processes, $descriptors) = @ARGV;
		for my $pid (10000 .. 9999 + $processes) {
			mkdir "$tree/proc/$pid";
			mkdir "$tree/proc/$pid/fd";
			symlink "/usr/bin/worker", "$tree/proc/$pid/exe";
			for my $fd (0 .. $descriptors - 1) {
				my @targets = ("/dev/null", "/var/lib/worker/$fd", "socket:[$pid$fd]");
				symlink $targets[$fd % 3], "$tree/proc/$pid/fd/$fd";
			}
		}' "$tree" "$1" "$2"
}

# moved VMID: the system calls of taking and of giving back, as "TAKE GIVE"
moved()
{
	local phase

	for phase in pre-start post-stop; do
		paths "$bench/pve-vfio-hook" --root "$tree" "$1" $phase |
			awk '{ sum += $1 } END { printf "%d ", sum }'
	done
}

# paths COMMAND...: how often it looks at which path of the tree, as tests/bench/paths prints it
paths()
{
	strace -f -y -o "$work/strace" "$@" >"$work/said" 2>&1 </dev/null &&
		tests/bench/paths "$tree" <"$work/strace"
}
