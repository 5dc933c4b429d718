# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# What the tests of everything that can go wrong with a file share, beside boot.sh:
#
#   busy_machine             makes a new $tree, with all that the checks ask for

# One image of a block, of the display of busy_machine.
option_rom()
{
	perl -e '$rom = "\x55\xaa\x01" . "\0" x 509;
		substr $rom, 0x18, 2, pack "v", 0x60;
		substr $rom, 0x60, 24, pack "a4v4Ca3v2C2v", "PCIR", 0x10de, 0x2484, 0, 24, 0, "\0\0\3",
			1, 0, 0, 0x80, 0;
		substr $rom, 511, 1, chr(-unpack("%8C*", $rom) & 255);
		print $rom'
}

# A node with all that the checks ask for: a display, a NIC with virtual functions, a disk, a share.
busy_machine()
{
	local nic=sys/devices/pci0000:00/0000:02:00.0 disk=sys/devices/pci0000:00/0000:03:00.0
	machine
	state
	device 0000:03:00.0 144d a808 010802 nvme 16
	file $disk/nvme/nvme0/nvme0n1/dev 259:1
	link ../../devices/pci0000:00/0000:03:00.0/nvme/nvme0/nvme0n1 sys/class/block/nvme0n1
	link ../../devices/pci0000:00/0000:03:00.0/nvme/nvme0/nvme0n1 sys/dev/block/259:1
	file dev/nvme0n1 disk
	file sys/module/zfs/version 2.2
	file $nic/sriov_numvfs 0
	file $nic/sriov_totalvfs 8
	mkdir -p "$tree/$nic/net/eno1" "$tree/sys/class/net"
	link ../../devices/pci0000:00/0000:02:00.0/net/eno1 sys/class/net/eno1
	file sys/devices/pci0000:00/0000:01:00.0/boot_vga 1
	file proc/driver/nvidia/gpus/0000:01:00.0/information 'Model: none'
	file proc/meminfo 'MemAvailable: 9999999 kB'
	file proc/1/mountinfo '1 1 259:9 / / rw - ext4 /dev/sda1 rw'
	file proc/swaps 'Filename Type Size Used Priority'
	file proc/net/route ''
	file proc/net/fib_trie ''
	file proc/net/unix ''
	file proc/iomem ''
	file proc/4000/comm bash
	mkdir -p "$tree/proc/4000/fd"
	link /dev/null proc/4000/fd/0
	file etc/pve/storage.cfg 'nfs: nas' $'\tpath /mnt/pve/nas' $'\tserver 10.0.0.9' \
		$'\texport /x' $'\tcontent snippets,backup' ''
	file mnt/pve/nas/snippets/pve-vfio-hook '#!/bin/sh'
	file etc/pve/pve-vfio/101.json '{"deadline_s": 1}'
	file etc/pve/pve-vfio/102.json '{"deadline_s": 1}'
	config 101 'hookscript: nas:snippets/pve-vfio-hook' 'hostpci0: 02:00'
	config 102 'hostpci0: 01:00' 'hostpci1: 03:00.0'
	config 103 'agent: 1'
	option_rom >"$tree/card.rom"
	mkdir -p "$tree/usr/share/kvm"
	cp "$tree/card.rom" "$tree/sys/devices/pci0000:00/0000:01:00.0/rom"
	file sys/devices/pci0000:00/0000:01:00.0/mdev_supported_types/nvidia-63/name 'GRID T4-1Q'
	file sys/devices/pci0000:00/0000:01:00.0/mdev_supported_types/nvidia-63/available_instances 1
}
