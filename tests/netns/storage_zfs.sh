#!/bin/bash
# SPDX-License-Identifier: ISC
# Storage failover with ZFS: a zfs-fuse on each node, one pool on the disk that
# they share, reservations, an iSCSI target and a client that counts what is
# lost.  No node gets the pool by force while the other one has it.
#
# The observer looks into the nodes' mount tables: it does not see a pool that
# is imported, but not mounted.
# shellcheck source-path=SCRIPTDIR source=../storage/nodes.sh
. "$(dirname "$0")/../storage/nodes.sh"

storage_needs zfs-fuse zpool
[ -c /dev/fuse ] || skip "no /dev/fuse here"
[ ! -e /proc/spl ] || skip "this kernel has a ZFS of its own"
storage_hooks
storage_net
truncate -s 256M "$T/image"
mkdir "$T/pool" && ln -s ../image "$T/pool/disk"
MMP_AT=
disk_export
STORAGE_HOOK=zfs
ZFS_SET="POOL=tank, DEVDIR=$T/pool"
fenced_storage "$ZFS_SET"

# boot_zfs NODE: with a host identity and a zfs-fuse of its own.
boot_zfs() {
	boot "$1"
	printf '%b' "\\x0$1\\0\\0\\0001" > "$T/$1/hostid"
	[ -e /etc/hostid ] || touch /etc/hostid
	within "$1" sh -c 'mkdir -p /run/zfs /run/lock/zfs &&
		mount --bind "$1" /etc/hostid && mount -t tmpfs tmpfs /run/zfs &&
		mount -t tmpfs tmpfs /run/lock/zfs &&
		mount -t tmpfs tmpfs /var/lib/zfs' sh "$T/$1/hostid" ||
	    skip "no place for zfs-fuse here"
	leave "$1" zfs-fuse --no-daemon
	wait_for 10 within "$1" zpool list > /dev/null 2>&1 ||
	    skip "zfs-fuse does not start here"
}

# In place of the one for ext4.
observe_start() {
	rm -f "$T/both"
	while sleep 0.01; do
		grep -qs " $TANK fuse" "/proc/${INIT[a]}/mounts" &&
		    grep -qs " $TANK fuse" "/proc/${INIT[b]}/mounts" &&
		    echo both >> "$T/both"
	done &
	PID[observe]=$!
}

observe_stop() {
	kill "${PID[observe]}"
	wait "${PID[observe]}" 2>/dev/null
	! [ -e "$T/both" ]
}

scene() {
	check "${1^} serves" wait_for 30 serves "$1"
	check "nothing acknowledged is lost, never two had the pool" watched_end
	note "$(client_text)"
	timeline
}

# by_hand NODE FENCED: the hook's start, as carpd would run it.
by_hand() {
	within "$1" env -i PATH="$PATH" LANG=C CARPD_STATE=/run/carpd \
	    CARPD_TIMEOUT=20.000 CARPD_FENCED="$2" POOL=tank \
	    DEVDIR="$T/pool" /etc/carpd/hooks/zfs start > "$T/by-hand" 2>&1
}

refused() {
	by_hand "$1" no
	[ $? = 1 ] && grep -q "without a fence" "$T/by-hand"
}

imported() {
	[ -n "$(within "$1" zpool list -H -o name tank 2>/dev/null)" ]
}

title "a pool, made on A and exported"
boot_zfs a
boot_zfs b
within a sh -c 'zpool create -m "$1" tank "$2" &&
    dd if=/dev/zero of="$3" bs=1M count="$4" status=none &&
    zpool export tank' sh "$TANK" "$T/pool/disk" "$LUN" "$LUN_MB" ||
    skip "zfs-fuse cannot make a pool here"

title "two nodes start"
run a
run b
check "A serves" wait_for 20 serves a
check "it has imported the pool" imported a
check "B has not" not imported b

title "while A has the pool, B gets it neither by the hook nor by hand"
check "the hook refuses without a fence" refused b
note "$(tail -n 1 "$T/by-hand")"
check "zpool import refuses" not within b zpool import -d "$T/pool" tank \
    2> /dev/null
check "B has no pool" not imported b

title "planned: become_passive"
watched ctl a failover become_passive --yes
scene b
check "A has exported the pool" not imported a

title "the active node is switched off, with everything in it"
watched power_off b
scene a
check "the import was forced, for the peer is fenced" grep -q \
    "the peer is fenced: the import is forced" "$T/a/log"

title "the other one comes back"
wait "${PID[unshare.b]}" 2>/dev/null
boot_zfs b
run b
check "B is BACKUP" wait_for 10 role_is b BACKUP
check "and has no pool" not imported b

end b
end a
check "the pool is exported" not imported a
check "no reservation is left" is "$(key_holder)" ""

finish
