# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154
# What the tests of setup and undo share: the /etc of machines as the installer of Proxmox VE leaves
# it, and what each of the five guides does to it.
#
#   . "$(dirname "$0")/boot.sh"
#   boot_machine NAME        makes a new $tree: one of $boot_machines
#   guide NUMBER             does to it what that guide says
#   boot_host                one with update-grub and update-initramfs in it; needs pve.sh

# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

boot_machines='pve7-bios pve8-secure-boot pve8-zfs pve9-bios pve9-image'

# kernel RELEASE [CONFIG-LINE...]
kernel()
{
	file "boot/vmlinuz-$1" kernel
	file "boot/config-$1" "${@:2}"
}

efivar()
{
	mkdir -p "$tree/sys/firmware/efi/efivars"
	{
		printf '\6\0\0\0'
		cat
	} >"$tree/sys/firmware/efi/efivars/$1"
}

utf16()
{
	printf %s "$1" | sed 's/./&\x0/g'
	printf '\0\0'
}

# The files of a new installation.
common()
{
	tree=$work/tree$RANDOM$RANDOM
	mkdir "$tree"
	mkdir -p "$tree"/var/lib "$tree"/etc/default/grub.d "$tree"/etc/udev/rules.d "$tree"/etc/kernel
	mkdir -p "$tree"/etc/initramfs-tools/{hooks,scripts/init-top}
	file etc/default/grub '# If you change this file, run update-grub afterwards.' '' \
		'GRUB_DEFAULT=0' 'GRUB_TIMEOUT=5' \
		'GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`' \
		'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' 'GRUB_CMDLINE_LINUX=""'
	file etc/default/grub.d/init-select.cfg '# nothing'
	file etc/modules '# /etc/modules: kernel modules to load at boot time.' '#' ''
	mkdir "$tree/etc/modules-load.d"
	ln -s ../modules "$tree/etc/modules-load.d/modules.conf"
	file etc/modprobe.d/pve-blacklist.conf \
		'# This file contains a list of modules which are not supported by Proxmox VE' '' \
		'# nvidiafb see bugreport' 'blacklist nvidiafb'
}

running()
{
	file proc/sys/kernel/osrelease "$1"
	file proc/cmdline "$2"
	file proc/cpuinfo "vendor_id	: $3"
	file proc/interrupts '  1:  9  IR-IO-APIC  1-edge  i8042'
	local driver
	mkdir -p "$tree/sys/kernel" "$tree/sys/module"
	device 0000:00:02.0 8086 5a85 030000 i915 0
	device 0000:01:00.0 10de 1381 030000 nouveau 14
	device 0000:01:00.1 10de 0fbc 040300 snd_hda_intel 14
	device 0000:03:00.0 1002 1586 030000 amdgpu 20
	device 0000:03:00.1 1002 1640 040300 snd_hda_intel 20
	device 0000:04:00.0 8086 10c9 020000 igb 21
	file sys/bus/pci/devices/0000:04:00.0/sriov_totalvfs 7
	for driver in snd_hda_intel nouveau i915; do
		link "../../../../module/$driver" "sys/bus/pci/drivers/$driver/module"
	done
}

# A machine is made once, and copied.
boot_machine()
{
	if ! [ -e "$work/machine-$1" ]; then
		make_machine "$1"
		mv "$tree" "$work/machine-$1"
	fi
	tree=$work/tree$RANDOM$RANDOM
	cp -a "$work/machine-$1" "$tree"
}

make_machine()
{
	common
	case $1 in
	pve7-bios)
		kernel 5.15.158-2-pve '# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set'
		kernel 5.13.19-6-pve '# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set'
		running 5.15.158-2-pve 'BOOT_IMAGE=/boot/vmlinuz-5.15.158-2-pve root=/dev/mapper/pve-root ro quiet' GenuineIntel
		;;
	pve8-secure-boot)
		# ZFS, and a command line for systemd-boot: neither counts where GRUB starts it
		kernel 6.5.13-5-pve '# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set'
		kernel 6.8.12-4-pve 'CONFIG_INTEL_IOMMU_DEFAULT_ON=y'
		running 6.8.12-4-pve 'BOOT_IMAGE=/vmlinuz-6.8.12-4-pve root=ZFS=rpool/ROOT/pve-1 ro boot=zfs quiet' GenuineIntel
		printf '\1' | efivar SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
		file etc/kernel/proxmox-boot-uuids 9F1A-44B2
		file etc/kernel/cmdline 'root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet'
		;;
	pve8-zfs)
		kernel 6.5.13-5-pve '# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set'
		kernel 6.8.12-4-pve 'CONFIG_INTEL_IOMMU_DEFAULT_ON=y'
		running 6.8.12-4-pve 'initrd=\EFI\proxmox\6.8.12-4-pve\initrd.img-6.8.12-4-pve root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet' AuthenticAMD
		utf16 'systemd-boot 252.31-1~deb12u1' |
			efivar LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
		printf '\0' | efivar SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
		file etc/kernel/proxmox-boot-uuids 9F1A-44B2 A01C-77D0
		printf 'root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet' >"$tree/etc/kernel/cmdline"
		;;
	pve9-bios)
		kernel 6.14.8-2-pve 'CONFIG_INTEL_IOMMU_DEFAULT_ON=y'
		running 6.14.8-2-pve 'BOOT_IMAGE=/boot/vmlinuz-6.14.8-2-pve root=/dev/mapper/pve-root ro quiet' GenuineIntel
		;;
	pve9-image)
		# nothing runs, and both boot loaders could be
		kernel 6.14.8-2-pve 'CONFIG_INTEL_IOMMU_DEFAULT_ON=y'
		file etc/kernel/proxmox-boot-uuids 9F1A-44B2
		file etc/kernel/cmdline 'root=ZFS=rpool/ROOT/pve-1 boot=zfs'
		;;
	esac
}

# boot_words WORD...: puts words where the guides put them
boot_words()
{
	sed -i "s/^GRUB_CMDLINE_LINUX_DEFAULT=.*/GRUB_CMDLINE_LINUX_DEFAULT=\"quiet $*\"/" \
		"$tree/etc/default/grub"
}

vfio_modules()
{
	printf '%s\n' vfio vfio_iommu_type1 vfio_pci vfio_virqfd
}

guide()
{
	case $1 in
	none) ;;
	0)
		boot_words iommu=pt intel_iommu=on i915.enable_guc=2 video=efifb:off video=vesa:off
		vfio_modules >>"$tree/etc/modules"
		file etc/modprobe.d/vfio.conf 'options vfio-pci ids=8086:5a85,8086:5a98'
		file etc/modprobe.d/blacklist.conf 'blacklist snd_hda_intel' \
			'blacklist snd_hda_codec_hdmi' 'blacklist snd_soc_skl' \
			'blacklist snd_soc_avs' 'blacklist i915'
		;;
	1)
		boot_words intel_iommu=on iommu=pt pcie_acs_override=downstream,multifunction \
			initcall_blacklist=sysfb_init video=simplefb:off video=vesafb:off \
			video=efifb:off video=vesa:off disable_vga=1 \
			vfio_iommu_type1.allow_unsafe_interrupts=1 kvm.ignore_msrs=1 \
			modprobe.blacklist=radeon,nouveau,nvidia,nvidiafb,nvidia-gpu,snd_hda_intel,snd_hda_codec_hdmi,i915
		{
			echo '# Modules required for PCI passthrough'
			vfio_modules
		} >>"$tree/etc/modules"
		;;
	2)
		boot_words amd_iommu=on ipcie_acs_override=downstream,multifunction video=efifb:off
		vfio_modules >>"$tree/etc/modules"
		file etc/modprobe.d/iommu_unsafe_interrupts.conf \
			'options vfio_iommu_type1 allow_unsafe_interrupts=1'
		file etc/modprobe.d/vfio.conf 'options vfio-pci ids=10de:1381,10de:0fbc disable_vga=1'
		printf '%s\n' 'blacklist nvidia' 'blacklist amd' 'blacklist radeon' 'blacklist nouveau' \
			>>"$tree/etc/modprobe.d/pve-blacklist.conf"
		;;
	3)
		boot_words amd_iommu=on iommu=pt video=efifb:off
		if [ -e "$tree/etc/kernel/cmdline" ]; then
			file etc/kernel/cmdline "root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet amd_iommu=on iommu=pt video=efifb:off initcall_blacklist=sysfb_init"
		fi
		vfio_modules >"$tree/etc/modules-load.d/vfio.conf"
		file etc/modprobe.d/vfio.conf 'options vfio-pci ids=1002:1586,1002:1640 disable_vga=1' \
			'softdep amdgpu pre: vfio-pci' 'softdep snd_hda_intel pre: vfio-pci'
		file etc/modprobe.d/blacklist-gpu.conf 'blacklist amdgpu' 'blacklist radeon' \
			'blacklist snd_hda_intel'
		;;
	4)
		file etc/modprobe.d/blacklist.conf 'blacklist nouveau' 'blacklist nvidia*'
		;;
	esac
}

# The options by which setup makes what the guide wanted: the table of README.md.
guide_options()
{
	case $1 in
	none | 4) ;;
	0) echo --param i915.enable_guc=2 --no-boot-framebuffer --early 00:02.0 ;;
	1) echo --acs-override --no-boot-framebuffer --unsafe-interrupts --ignore-msrs \
		--blacklist radeon nouveau i915 ;;
	2) echo --acs-override --unsafe-interrupts --early 01:00 ;;
	3) echo --no-boot-framebuffer --early 03:00.0 03:00.1 ;;
	esac
}

# program NAME LINE...: in Perl; it notes each call first
program()
{
	rm -f "$tree/usr/sbin/$1"
	file "usr/sbin/$1" '#!/usr/bin/perl' 'use strict; use warnings;' \
		'open(my $log, ">>", "/tmp/log"); print $log join(" ", $0 =~ s{.*/}{}r, @ARGV), "\n"; close($log);' \
		'sub slurp { open(my $f, "<", $_[0]) or return ""; local $/; return <$f> }' "${@:2}"
	chmod 755 "$tree/usr/sbin/$1"
}

# A host with both, on which they do what they should; with pve.sh.
boot_host()
{
	[ -e "$base" ] || make_base
	boot_machine pve9-bios
	cp -al "$base/." "$tree/"
	mkdir -p "$tree/tmp" "$tree/dev" "$tree/boot/grub"
	: >"$tree/dev/null"
	file boot/grub/grub.cfg 'linux /boot/vmlinuz root=/dev/mapper/pve-root ro quiet'
	program update-initramfs
	program update-grub \
		'my $words = join(" ", map { slurp($_) =~ /^GRUB_CMDLINE_LINUX_DEFAULT=.*?"(.*)"/m ? $1 : () }' \
		'	("/etc/default/grub", "/etc/default/grub.d/zz-pve-vfio.cfg"));' \
		'$words =~ s/\$GRUB_CMDLINE_LINUX_DEFAULT//;' \
		'open(my $f, ">", $ARGV[0] ? $ARGV[1] : "/boot/grub/grub.cfg") or die "$!";' \
		'print $f "linux /boot/vmlinuz root=/dev/mapper/pve-root ro $words\n";'
}
