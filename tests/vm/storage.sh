#!/bin/bash
# SPDX-License-Identifier: ISC
# The hooks lvm and mdraid with the parts of the kernel that they are for.
# shellcheck source-path=SCRIPTDIR
MODULES="dm_mod raid1"
. "$(dirname "$0")/lib.sh"

test_lvm() {
	local n vg=VG=carp-tank dev=/dev/mapper/carp--tank-files

	disk lvm 64
	for n in a b c; do
		mkdir "$T/$n/lvm"
		cat > "$T/$n/lvm/lvm.conf" <<-EOF
		global { system_id_source = "uname" }
		activation { udev_sync = 0 udev_rules = 0 }
		devices { global_filter = [ "a|^$LOOP$|", "r|.*|" ] }
		EOF
		in_box "$n" mount --bind "$T/$n/lvm" /etc/lvm
	done
	in_box a vgcreate -q carp-tank "$LOOP" &&
	    in_box a lvcreate -q -y -Wn -Zn -an -L 16M -n files carp-tank ||
	    { fail "no volume group"; return; }

	title "lvm"
	begins a tank lvm $vg
	check "a file system on it" mkfs.ext4 -q "$dev"
	mount "$dev" "$T/m" && echo here > "$T/m/file"
	check "stop while it is in use: 1" says 1 "cannot be deactivated" \
	    a tank lvm stop $vg
	note "$REASON"
	umount "$T/m"
	ends a tank lvm $vg
	check "start at b, nothing known of a: 1" says 1 "belongs to a" \
	    b tank lvm start $vg
	check "nothing is active" result 0 b tank lvm verify $vg
	check "start at b, a has stepped down" result 0 b tank lvm start $vg \
	    CARPD_PEER=passive
	check "status at b" result 0 b tank lvm status $vg
	mount "$dev" "$T/m"
	check "what a has written is there" is "$(cat "$T/m/file")" here
	umount "$T/m"
	ends b tank lvm $vg
	check "start at a: b has it: 1" says 1 "belongs to b" a tank lvm \
	    start $vg
	check "start at a, b is fenced" result 0 a tank lvm start $vg \
	    CARPD_FENCED=yes
	check "a suspended volume: 1" eval \
	    'dmsetup suspend carp--tank-files &&
	     says 1 "suspended" a tank lvm status $vg'
	dmsetup resume carp--tank-files
	check "status: 0" result 0 a tank lvm status $vg
	ends a tank lvm $vg
	check "no such group: 1" says 1 "no volume group" a none lvm start \
	    VG=none
	check "LOCKING=none" result 0 a tank lvm start $vg LOCKING=none
	check "stop" result 0 a tank lvm stop $vg LOCKING=none
	losetup -d "$LOOP"
}

test_mdraid() {
	local one two dev=/dev/md/carp uuid set

	disk one 32
	one=$LOOP
	disk two 32
	two=$LOOP
	mdadm --create $dev --level=1 --raid-devices=2 --metadata=1.2 --run \
	    --assume-clean "$one" "$two" > "$T/out" 2>&1 &&
	    wait_for 10 mdadm --stop $dev > /dev/null 2>&1 ||
	    { fail "no array: $(tail -n 1 "$T/out")"; return; }
	uuid=$(mdadm --examine "$one" | sed -n 's/ *Array UUID : //p')
	set=("UUID=$uuid" "DEVICE=$dev")

	title "mdraid"
	begins a disks mdraid "${set[@]}"
	check "a file system on it" mkfs.ext4 -q $dev
	mount $dev "$T/m" && echo here > "$T/m/file"
	LIMIT=30 check "stop while it is in use: 1" says 1 "cannot be stopped" \
	    a disks mdraid stop "${set[@]}"
	note "$REASON ($TOOK s)"
	umount "$T/m"
	ends a disks mdraid "${set[@]}"
	check "start at b" result 0 b disks mdraid start "${set[@]}"
	mount $dev "$T/m"
	check "what a has written is there" is "$(cat "$T/m/file")" here
	umount "$T/m"
	ends b disks mdraid "${set[@]}"
	losetup -d "$two"
	check "a disk is missing: 1" result 1 a disks mdraid start "${set[@]}"
	note "$REASON"
	check "stop" result 0 a disks mdraid stop "${set[@]}"
	check "verify: 0" result 0 a disks mdraid verify "${set[@]}"
	check "start, DEGRADED=yes" result 0 a disks mdraid start \
	    "${set[@]}" DEGRADED=yes
	note "$REASON"
	check "status: 0" result 0 a disks mdraid status "${set[@]}" \
	    DEGRADED=yes
	mount $dev "$T/m"
	check "the files are there" is "$(cat "$T/m/file")" here
	umount "$T/m"
	ends a disks mdraid "${set[@]}"
	losetup -d "$one"
	check "no disk at all: 1" result 1 a disks mdraid start "${set[@]}"
	note "$REASON"
}

test_lvm
test_mdraid
finish
