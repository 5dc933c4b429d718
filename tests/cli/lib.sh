# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests of the shipped programs share: TAP, and machines built from files, on which
# --root works. A tree answers no write as a kernel does: what binds and unbinds is tested in
# tests/fake and tests/vm.
#
#   . "$(dirname "$0")/lib.sh"
#   machine                  makes a new $tree
#   run PROGRAM ARG...       sets $status, $out and $err
#   is NAME GOT WANTED; done_testing

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
build=${B:-build}
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac
hook=$build/pve-vfio-hook
vfio=$build/pve-vfio

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PVE_MIGRATED_FROM

tests=0 failures=0
ok()
{
	tests=$((tests + 1))
	if [ "$2" = 0 ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		failures=$((failures + 1))
	fi
	return "$2"
}

# is NAME GOT WANTED
is()
{
	[ "$2" = "$3" ]
	ok "$1" $? && return
	printf '# got:\n%s\n# wanted:\n%s\n' "$2" "$3" | sed 's/^[^#]/#   &/'
}

# like NAME GOT PATTERN, an extended regular expression for all of it
like()
{
	[[ $2 =~ ^($3)$ ]]
	ok "$1" $? && return
	printf '# got:\n%s\n# wanted something like:\n%s\n' "$2" "$3" | sed 's/^[^#]/#   &/'
}

done_testing()
{
	echo "1..$tests"
	[ $failures = 0 ]
}

run()
{
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(cat "$work/out") err=$(cat "$work/err")
}

# says NAME STATUS OUT ERR: what the last run came to. How long something took is written 'N'.
says()
{
	local was
	was=$(printf 'status %s\n--- out\n%s\n--- err\n%s' "$status" "$out" "$err" |
		sed -E "s/[0-9]+\.[0-9]{2} s/N s/g; s|$tree|TREE|g")
	is "$1" "$was" "$(printf 'status %s\n--- out\n%s\n--- err\n%s' "$2" "$3" "$4")"
}

# ---- machines

file()
{
	mkdir -p "$tree/$(dirname "$1")"
	printf '%s\n' "${@:2}" >"$tree/$1"
}

link()
{
	mkdir -p "$tree/$(dirname "$2")"
	ln -sfn "$1" "$tree/$2"
}

# What pre-start makes first of all, so that it is no difference.
state()
{
	[ -e "$tree/run/pve-vfio" ] || mkdir -m 700 "$tree/run/pve-vfio"
}

machine()
{
	tree=$work/tree$RANDOM$RANDOM
	mkdir "$tree"
	file proc/sys/kernel/random/boot_id 11111111-2222-3333-4444-555555555555
	file proc/sys/kernel/hostname pve1
	file sys/bus/pci/drivers_probe ''
	file dev/vfio/vfio ''
	mkdir -p "$tree"/run/qemu-server "$tree"/sys/bus/pci/devices "$tree"/etc/pve/qemu-server
	mkdir -p "$tree"/sys/module/vfio_pci "$tree"/sys/bus/pci/drivers/vfio-pci
	file usr/share/misc/pci.ids '10de  NVIDIA Corporation' $'\t2484  GA104 [GeForce RTX 3070]' \
		$'\t228b  GA104 High Definition Audio Controller' '8086  Intel Corporation' \
		$'\t10d3  82574L Gigabit Network Connection'
	device 0000:00:01.0 8086 3420 060400 pcieport 14
	printf '%014d\001%049d' 0 0 | tr 0 '\0' >"$tree/sys/devices/pci0000:00/0000:00:01.0/config"
	device 0000:01:00.0 10de 2484 030000 nouveau 14
	device 0000:01:00.1 10de 228b 040300 snd_hda_intel 14
	device 0000:02:00.0 8086 10d3 020000 e1000e 15
}

# device ADDRESS VENDOR DEVICE CLASS DRIVER GROUP; '' for no driver or group
device()
{
	local folder=sys/devices/pci0000:00/$1
	file "$folder/vendor" "0x$2"
	file "$folder/device" "0x$3"
	file "$folder/class" "0x$4"
	file "$folder/driver_override" '(null)'
	file "$folder/reset_method" 'flr bus'
	head -c 64 /dev/zero >"$tree/$folder/config"
	link "../../../devices/pci0000:00/$1" "sys/bus/pci/devices/$1"
	[ -z "$5" ] || bind "$1" "$5"
	[ -z "$6" ] && return
	link "../../../../devices/pci0000:00/$1" "sys/kernel/iommu_groups/$6/devices/$1"
	link "../../../kernel/iommu_groups/$6" "$folder/iommu_group"
}

bind()
{
	file "sys/bus/pci/drivers/$2/unbind" ''
	link "../../../bus/pci/drivers/$2" "sys/devices/pci0000:00/$1/driver"
}

# The device sits with vfio-pci already, which is all a tree can show of a start that goes well.
with_vfio()
{
	bind "$1" vfio-pci
	file "sys/devices/pci0000:00/$1/driver_override" vfio-pci
	file "dev/vfio/$2" ''
}

config()
{
	file "etc/pve/qemu-server/$1.conf" "${@:2}"
}

# qemu VMID PID [GROUP...]: the VM runs, and has these groups open
qemu()
{
	local number=20 group
	file "run/qemu-server/$1.pid" "$2"
	mkdir -p "$tree/proc/$2/fd"
	printf '/usr/bin/kvm\0-id\0%s\0-pidfile\0/var/run/qemu-server/%s.pid\0' "$1" "$1" \
		>"$tree/proc/$2/cmdline"
	file "proc/$2/comm" kvm
	file "proc/$2/stat" \
		"$2 (kvm) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 4711 23"
	for group in "${@:3}"; do
		link "/dev/vfio/$group" "proc/$2/fd/$number"
		number=$((number + 1))
	done
}

# The VM's QEMU is gone.
qemu_ends()
{
	rm -rf "$tree/proc/$2" "$tree/run/qemu-server/$1.pid"
}

# All there is in the tree, but for the locks.
fingerprint()
{
	(
		cd "$tree" || exit
		find . ! -name '*.lock' -printf '%p %y %m %l\n'
		find . ! -name '*.lock' -type f -exec cksum {} +
	) | sort
}

# unchanged NAME BEFORE, an earlier fingerprint
unchanged()
{
	fingerprint | diff <(echo "$2") - >"$work/diff"
	ok "$1" $? || sed 's/^/#   /' "$work/diff"
}

journal()
{
	cat "$tree/run/pve-vfio/$1.json" 2>/dev/null
}
