# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the tests tests/vm/host-use-*: devices that the host uses, each way on the real
# kernel. A start is refused for the right reason and changes nothing; with the cause gone the same
# start passes. Outside the test VM this starts it with the test as the command; inside it
# defines the words the tests are written in. Prints TAP.
# shellcheck shell=bash

set -u
# shellcheck source=tests/vm/common.sh
. "${BASH_SOURCE%/*}/common.sh"

tools=$B/vm/host-use
if [ ! -e /run/rig/env ]; then
	# Unpacked, not installed: these packages would bring half a system along.
	if [ ! -e "$tools/done" ]; then
		# shellcheck disable=SC1091
		release=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
		for package in lvm2 libdevmapper-event1.02.1 libaio1 mdadm; do
			download "$release" "$package" "$tools"
		done
		touch "$tools/done"
	fi
	need mkfs.ext4 e2fsprogs
	need dmsetup dmsetup
	need sfdisk fdisk
	exec "$repo/tests/vm/run" -t 290 -d base -d sriov -d host-use \
		"$repo/tests/vm/$self"
fi

# ---- inside

export PATH=$tools/sbin:$PATH DM_DISABLE_UDEV=1
# shellcheck disable=SC2034
libraries=$tools/lib/x86_64-linux-gnu:$tools/usr/lib/x86_64-linux-gnu
hook=$B/pve-vfio-hook
pci=/sys/bus/pci/devices
out=/run/out
count=0 failed=0

result()
{
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=$((failed + 1))
		sed 's/^/# /' "$out"
	fi
}

driver()
{
	basename "$(readlink "$pci/$1/driver" || echo none)"
}

# vm VMID ADDRESS: a VM with that device; $device and $vmid from then on
vm()
{
	vmid=$1 device=$2
	printf 'memory: 512\nhostpci0: %s\n' "$device" >"/etc/pve/qemu-server/$vmid.conf"
	own=$(driver "$device")
}

# refused WHY CHECK WORDS: the start is refused by that check with those words, nothing is touched
refused()
{
	timeout 60 "$hook" "$vmid" pre-start >$out 2>&1
	status=$?
	words=$(sed 's/^pve-vfio: *//' $out | tr '\n' ' ')
	[ $status = 1 ] && [ "$(driver "$device")" = "$own" ] &&
		[ "$(cat "$pci/$device/driver_override")" = '(null)' ] &&
		[ ! -e "/run/pve-vfio/$vmid.json" ] &&
		[[ $words == *"error $device [$2]:"* ]] && [[ $words == *"$3"* ]]
	result $? "refused: $1 [$2]"
}

# passes WHEN: the start passes, and the stop gives the device back
passes()
{
	timeout 60 "$hook" "$vmid" pre-start >$out 2>&1 && [ "$(driver "$device")" = vfio-pci ] &&
		timeout 60 "$hook" "$vmid" post-stop >>$out 2>&1 && [ "$(driver "$device")" = "$own" ]
	result $? "passes: $1"
	wait_for "$device"
}

# told WHAT CHECK WORDS: the start passes, and its output has that finding with those words
told()
{
	timeout 60 "$hook" "$vmid" pre-start >$out 2>&1
	status=$?
	words=$(sed 's/^pve-vfio: *//' $out | tr '\n' ' ')
	timeout 60 "$hook" "$vmid" post-stop >>$out 2>&1
	[ $status = 0 ] && [[ $words == *" $device [$2]:"* ]] && [[ $words == *"$3"* ]]
	result $? "told: $1 [$2]"
	wait_for "$device"
}

# wait_for ADDRESS: its disk or interface is back a moment after its driver; $disk, $interface
wait_for()
{
	case $(cat "$pci/$1/class") in
	0x01* | 0x02* | 0x0c03*) ;;
	*) return ;;
	esac
	for _ in $(seq 30); do
		disk='' interface=''
		for link in /sys/class/block/*; do
			[[ $(readlink "$link") == */$1/* ]] && [ ! -e "$link/partition" ] && disk=${link##*/}
		done
		for link in "$pci/$1"/net/*; do
			[ -e "$link" ] && interface=${link##*/}
		done
		[ "$interface$disk" ] && return
		sleep 0.1
	done
}

# in_background SHELL COMMANDS: these and then nothing more, until the next stop_background
in_background()
{
	rm -f /run/ready
	sh -c "$1; touch /run/ready; exec sleep 1000" </dev/null >$out 2>&1 &
	background=$!
	for _ in $(seq 50); do
		[ -e /run/ready ] && return
		sleep 0.1
	done
}

stop_background()
{
	kill "$background"
	wait "$background" 2>/dev/null
}

# The last line of a test.
finish()
{
	echo "1..$count"
	[ $failed = 0 ]
}
