# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A Proxmox VE node for commands that need qm, pvesm and pvesh: a machine of lib.sh with the
# stand-ins of tests/pve in it, entered with chroot, so that the shipped program runs as on a node.
#
#   node                     makes a new $tree, node pve1
#   vm VMID LINE...          a VM's configuration, in the order in which qm writes it
#   on_node ARG...           pve-vfio ARG... there; sets $status, $out and $err
#   conf VMID                its configuration

export LC_ALL=C
enter=(chroot)
[ "$(id -u)" = 0 ] || enter=(unshare -r chroot)
# `make coverage`: the folder of what is counted, which is to be the same one in there
[ -z "${COUNTS-}" ] || enter=(tests/coverage/enter)

# perl and what it takes, once; each tree has hard links to it.
base=$work/base
make_base()
{
	local file module
	mkdir -p "$base"/usr/bin "$base"/usr/sbin "$base"/usr/lib "$base"/usr/lib64
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$base/"
	cp -L "$(command -v perl)" "$base/usr/bin/perl"
	ldd "$(command -v perl)" | grep -o '/[^ ]*' | while read -r file; do
		mkdir -p "$base/$(dirname "$file")"
		cp -L "$file" "$base/$file"
	done
	perl -e 'print "$_\n" for grep { m{/perl-base$} } @INC' | while read -r module; do
		mkdir -p "$base/$module"
		cp -r "$module/." "$base/$module"
	done
	cp tests/pve/* "$vfio" "$base/usr/sbin/"
	mkdir -p "$base/usr/libexec/pve-vfio"
	cp "$hook" "$base/usr/libexec/pve-vfio/pve-vfio-hook"
	[ -z "${COUNTS-}" ] || mkdir -p "$base$COUNTS"
}

node()
{
	[ -e "$base" ] || make_base
	machine
	cp -al "$base/." "$tree/"
	mkdir -p "$tree"/etc/pve/nodes/pve1/{qemu-server,lxc} "$tree"/etc/pve/mapping "$tree"/tmp \
		"$tree"/run/lock/qemu-server "$tree"/var/lib/vz/snippets "$tree"/usr/share/kvm
	rmdir "$tree/etc/pve/qemu-server"
	link nodes/pve1/qemu-server etc/pve/qemu-server
	link ../run var/run
	link ../run/lock var/lock
	file dev/null
	: >"$tree/dev/null"
	file etc/pve/storage.cfg 'dir: local' $'\tpath /var/lib/vz' $'\tcontent iso,vztmpl,backup,snippets' ''
	device 0000:00:02.0 8086 5a85 030000 i915 2
	device 0000:03:00.0 1002 1586 030000 amdgpu 20
	device 0000:03:00.1 1002 1640 040300 snd_hda_intel 21
	device 0000:03:00.2 1022 17e0 108000 ccp 22
	device 0000:03:00.4 1022 1587 0c0330 xhci_hcd 23
	device 0000:04:00.0 144d a808 010802 nvme 24
	device 0000:05:00.0 1b21 1242 0c0330 xhci_hcd 25
	device 0000:06:00.0 1002 73bf 030000 amdgpu 26
	device 0000:06:00.1 1002 ab28 040300 snd_hda_intel 26
	printf '%s\n' '1002  Advanced Micro Devices, Inc. [AMD/ATI]' $'\t73bf  Navi 21 [Radeon RX 6800]' \
		>>"$tree/usr/share/misc/pci.ids"
}

vm()
{
	config "$1" "${@:2}"
}

conf()
{
	cat "$tree/etc/pve/qemu-server/$1.conf"
}

on_node()
{
	run "${enter[@]}" "$tree" /usr/sbin/pve-vfio "$@"
}

# What attach and detach may change: everything that is not a lock.
everything()
{
	(
		cd "$tree" || exit
		find etc var run usr/share -path run/lock -prune -o -printf '%p %y %l\n'
		find etc var usr/share -type f -exec cksum {} +
	) | sort
}

# same NAME BEFORE, an earlier everything
same()
{
	everything | diff <(echo "$2") - >"$work/diff"
	ok "$1" $? || sed 's/^/#   /' "$work/diff"
}
