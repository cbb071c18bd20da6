#!/bin/bash
# SPDX-License-Identifier: ISC
# Its name comes last, since the kernel is not whole any more afterwards.
# carp-fence on a disk that never answers: start fails in its time, although the
# kernel waits for ever.  Linux 6.1 never carries out a PREEMPT AND ABORT that
# comes by its loopback.  No sandbox ends then, for its processes do not: none
# here.
[ -n "${IN_VM:-}" ] || { echo "skipped: run it by make check-vm"; exit 77; }

LOOPBACK=/sys/kernel/config/target/loopback
DISK=/sys/kernel/config/target/core/rd_mcp_1/disk

# port NAME: a view of the disk by way of a loopback.
port() {
	local p=$LOOPBACK/naa.600140500000000$1/tpgt_1

	mkdir -p "$p/lun/lun_0"
	echo "naa.600140500000001$1" > "$p/nexus"
	ln -s $DISK "$p/lun/lun_0/disk"
}

# disk_of PORT: the block device.
disk_of() {
	local s
	s=$(cat "$LOOPBACK/naa.600140500000000$1/tpgt_1/address")
	s=$(echo "/sys/class/scsi_device/${s%:*}":*/device/block/*)
	echo "/dev/${s##*/}"
}

# by_loopback PORT NAME=VALUE...: carp-fence start.
by_loopback() {
	mkdir -p "/run/port$1"
	env -i CARPD_STATE="/run/port$1" KEY="cccc000$1" \
	    DISKS="$(disk_of "$1")" "${@:2}" "$BUILD/carp-fence" start
}

hangs() {
	local begin=$SECONDS rc

	{ port 1 && port 2; } || return
	while ! [ -b "$(disk_of 1)" ] || ! [ -b "$(disk_of 2)" ]; do
		[ $((SECONDS - begin)) -lt 60 ] || return
		sleep 0.2
	done
	by_loopback 1 CARPD_PEER=unclear || return
	begin=$SECONDS
	by_loopback 2 CARPD_PEER=dead CARPD_TIMEOUT=5
	rc=$?
	echo "        exit $rc after $((SECONDS - begin)) s"
	[ $rc = 1 ] && [ $((SECONDS - begin)) -lt 20 ]
}

modprobe -a target_core_mod tcm_loop sd_mod sg || {
	echo "skipped: modules are missing"
	exit 77
}
mkdir -p $LOOPBACK /var/target/pr $DISK
echo rd_pages=2048 > $DISK/control
echo 1 > $DISK/enable
hangs
