# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the scenarios, which run inside the test VM: TAP, VMs by the stand-in for qm, and what
# the host looks like. The display and its audio are 01:00, the NICs 02:00.0 and 03:00.0, the NVMe
# disk 04:00.0, the USB controller 05:00.0, a group of two endpoints 07:01.0 and 07:02.0.
# shellcheck shell=bash

if [ ! -d /run/rig ]; then
	echo 'Bail out! This changes the host: run it with tests/vm/scenario'
	exit 2
fi
export LC_ALL=C
sys=/sys/bus/pci
hook=$B/pve-vfio-hook
# Other scenarios run beside this one, on few processors.
patience=120

tap_count=0
tap_failed=0

# ok STATUS NAME: one test; what went wrong is printed by the caller, as comments
ok()
{
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=1
		echo "not ok $tap_count - $2"
	fi
}

# skip NAME WHY: a test that could not be made
skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # skip $2"
}

# is GOT WANTED NAME
is()
{
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '#   got:    %s\n#   wanted: %s\n' "${1//$'\n'/$'\n'#           }" "$2"
}

# has TEXT PIECE NAME
has()
{
	[[ $1 == *"$2"* ]]
	ok $? "$3"
	[[ $1 == *"$2"* ]] || printf '#   in:     %s\n#   wanted: %s\n' "${1//$'\n'/$'\n'#           }" "$2"
}

# without TEXT PIECE NAME
without()
{
	[[ $1 != *"$2"* ]]
	ok $? "$3"
	[[ $1 != *"$2"* ]] || printf '#   in:     %s\n#   unwanted: %s\n' "${1//$'\n'/$'\n'#           }" "$2"
}

finish()
{
	echo "1..$tap_count"
	exit $tap_failed
}

# driver ADDRESS: the driver that is bound, or none
driver()
{
	if [ -e "$sys/devices/0000:$1/driver" ]; then
		basename "$(readlink "$sys/devices/0000:$1/driver")"
	else
		echo none
	fi
}

override()
{
	cat "$sys/devices/0000:$1/driver_override"
}

# All that a cycle must not change: drivers, overrides, power control, and who uses which module.
host_state()
{
	lspci -D -k
	grep . $sys/devices/*/driver_override $sys/devices/*/power/control
	cut -d' ' -f1,3 /proc/modules | sort
}

# unchanged BEFORE NAME: the host looks as it did
unchanged()
{
	local after

	after=$(host_state)
	[ "$after" = "$1" ]
	ok $? "$2"
	diff <(echo "$1") <(echo "$after") | sed 's/^/#   /'
}

# new_vm VMID [LINE]...: a VM whose guest lists its PCI devices on the console and sleeps
new_vm()
{
	local vmid=$1

	shift
	printf '%s\n' 'memory: 64' 'kvm: 0' "args: -bios $B/vm/scan.rom" \
		'hookscript: local:snippets/pve-vfio-hook' "$@" >"/etc/pve/qemu-server/$vmid.conf"
}

# Waits until the guest of a VM has listed its devices; prints them.
guest_devices()
{
	local tries=$((patience * 10))

	until grep -q 'L2 READY' "/run/qemu-server/$1.console" 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || break
		sleep 0.1
	done
	tr -d '\r' <"/run/qemu-server/$1.console"
}

[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
export QM_QEMU=/usr/bin/qemu-system-x86_64
cp "$hook" /var/lib/vz/snippets/pve-vfio-hook
PATH=$B:$PATH
