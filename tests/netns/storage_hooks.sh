#!/bin/bash
# SPDX-License-Identifier: ISC
# The shipped storage hooks against the real things, on two nodes that are
# mount and process namespaces: file systems on loop devices, where a second
# loop device over the same file is the shared disk seen from the other node.
# And the example of a resource hook in carp-hooks(7).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

[ "$(engine_user)" = nobody ] || skip "block devices need root"
[ -b /dev/loop0 ] && [ -c /dev/loop-control ] || skip "no loop devices here"
for tool in losetup mkfs.ext4 mkfs.xfs mkfs.btrfs xfs_io fuser; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
HELD=$BUILD/carp-held
[ -x "$HELD" ] || skip "$HELD is missing: run make first"

# As installed.
H=$T/lib/carpd/hooks
mkdir -p "$H" "$T/disk" "$T/m"
cp "$TOP"/pkg/hooks/* "$H" && cp "$HELD" "$H/.." || exit 1

#
# Nodes and disks.
#

# boot NODE: its mounts and processes; PID[NODE] is its first process.
boot() {
	mkdir -p "$T/$1" "$T/$1/state" "$T/etc"
	echo "$1" > "$T/$1/name"
	unshare --mount --propagation private --uts --pid --fork \
	    --kill-child --mount-proc sh -c \
	    'hostname "$1"; : > "$2/up"; exec sleep 1000' sh "$1" "$T/$1" 2>/dev/null &
	PID[unshare.$1]=$!
	wait_for 5 test -e "$T/$1/up" || exit 1
	rm "$T/$1/up"
	read -r "PID[$1]" _ < "/proc/$!/task/$!/children"
}

# within NODE COMMAND...
within() {
	local node=$1
	shift
	nsenter -t "${PID[$node]}" --mount --uts --pid -- "$@"
}

# leave NODE COMMAND...: runs on, as process $LEFT of the node.
leave() {
	local node=$1
	shift
	LEFT=$(within "$node" sh -c \
	    '"$@" > /dev/null 2>&1 < /dev/null & echo $!' sh "$@")
	wait_for 5 sleeps "$node" "$LEFT"
}

sleeps() {
	[ "$(within "$1" cat "/proc/$2/comm" 2>/dev/null)" = sleep ]
}

# Nobody there waits for its children.
ended() {
	local state
	state=$(within "$1" awk '$1 == "State:" { print $2 }' \
	    "/proc/$2/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

# power_off NODE: all of its processes and with them its mounts, at once.
power_off() {
	kill -KILL "${PID[$1]}"
	wait "${PID[unshare.$1]}" 2>/dev/null
	rm -f "$T/$1"/state/*
}

# loop FILE: a device over it, in $LOOP, that goes when the test ends, however
# it ends: it lives as long as the descriptor.  That stands for a fence, too,
# which has the disk open, so that the kernel keeps what it has cached of it.
loop() {
	local fd
	LOOP=$(losetup -f --show "$1") || exit 1
	exec {fd}<> "$LOOP" || exit 1
	losetup -d "$LOOP"
	FD[${LOOP##*/}]=$fd
}
declare -A FD=()

unloop() {
	local fd=${FD[${1##*/}]}
	exec {fd}>&-
}

# hook NODE NAME VERB [NAME=VALUE...]: as carpd runs it.  Its output is in $OUT,
# its exit status in $RC, how long it took in $TOOK.
hook() {
	local node=$1 name=$2 verb=$3 t
	shift 3
	t=$(now_us)
	OUT=$(within "$node" env -i PATH="${HOOK_PATH:-/usr/sbin:/usr/bin:/sbin:/bin}" \
	    LANG=C CARPD_VERSION=1 CARPD_NODE="$node" CARPD_RESOURCE=tank \
	    CARPD_PHASE=storage CARPD_ACTION="$verb" CARPD_MODE=up \
	    CARPD_CAUSE=test CARPD_TIMEOUT=10.000 CARPD_FENCED=no \
	    CARPD_PEER=unclear CARPD_STATE="$T/$node/state" "$@" \
	    timeout -k 1 60 setsid -w "$H/$name" "$verb" 2>&1 < /dev/null)
	RC=$?
	TOOK=$(since "$t")
}

# gives WORDS STATUS PATTERN HOOK-ARGUMENTS...: the last line fits the pattern.
gives() {
	local words=$1 status=$2 pattern=$3
	shift 3
	hook "$@"
	if [ "$RC" = "$status" ] &&
	    { [ -z "$pattern" ] || tail -n 1 <<< "$OUT" |
	    grep -q -- "$pattern"; }; then
		pass "$words -> $RC, $TOOK s"
	else
		fail "$words"
	fi
	[ -z "$OUT" ] || note "${OUT//$'\n'/$'\n        '}"
	if [ "$RC" != "$status" ]; then
		note "exit status $RC, expected $status"
		return 1
	fi
}

boot a
boot b

#
# Mistakes.
#

title "mount: parameters"
D=DEVICE=/dev/loop0
gives "nothing" 2 "DEVICE is missing: write" a mount start
gives "a relative device" 2 "DEVICE=sda: write" a mount start DEVICE=sda
gives "no DIR" 2 "DIR is missing" a mount stop $D
gives "a relative DIR" 2 "DIR=x: write" a mount status $D DIR=x
gives "no TYPE" 2 "TYPE is missing" a mount verify $D DIR=/x
gives "an unknown TYPE" 2 "TYPE=ntfs: write one of: ext4 xfs btrfs" \
    a mount start $D DIR=/x TYPE=ntfs
gives "MMP without ext4" 2 "xfs has no MMP" \
    a mount start $D DIR=/x TYPE=xfs MMP=clear
gives "norecovery" 2 "OPTIONS has norecovery" \
    a mount start $D DIR=/x TYPE=xfs OPTIONS=noatime,norecovery
gives "an unknown verb" 2 "usage: mount start|stop|status|verify" \
    a mount restart
gives "a device that is not there" 1 "no such block device here" \
    a mount start DEVICE=/dev/none DIR="$T/m" TYPE=ext4
gives "nothing is known of it" 4 "not to be found" \
    a mount verify DEVICE=UUID=none DIR="$T/m" TYPE=ext4
mkdir "$T/bin"
for tool in sh env timeout setsid cat findmnt mount awk grep; do
	ln -s "$(command -v $tool)" "$T/bin/$tool"
done
HOOK_PATH=$T/bin gives "a tool is missing" 5 \
    "blkid is not installed: apt-get install util-linux" \
    a mount start $D DIR=/x TYPE=ext4

#
# The example of carp-hooks(7).
#

title "the resource hook in carp-hooks(7)"
awk '/^\.Ss A hook of/ { here = 1 }
	/^\.Ed/ { here = on = 0 }
	on
	here && /^\.Bd -literal/ { on = 1 }' "$TOP/man/carp-hooks.7" > "$H/flag"
chmod 755 "$H/flag"
F=FILE=$T/flag
gives "no FILE" 2 "FILE is missing" a flag start
gives "status before" 3 "" a flag status "$F"
gives "stop before" 0 "" a flag stop "$F"
gives "start" 0 "" a flag start "$F"
gives "start again" 0 "" a flag start "$F"
check "it is there" test -s "$T/flag"
gives "status" 0 "" a flag status "$F"
gives "verify" 1 "" a flag verify "$F"
gives "stop" 0 "" a flag stop "$F"
gives "stop again" 0 "" a flag stop "$F"
gives "verify" 0 "" a flag verify "$F"

#
# ext4 with MMP.
#

title "ext4: start, status, stop, verify, each of them twice"
truncate -s 64M "$T/disk/e"
# The shortest interval makes the kernel wait 11 s where it waits 22.
mkfs.ext4 -q -O mmp -E mmp_update_interval=1 "$T/disk/e"
loop "$T/disk/e"; A=$LOOP
loop "$T/disk/e"; B=$LOOP
E=(DIR="$T/m" TYPE=ext4)
on_a=(DEVICE="$A" "${E[@]}")
on_b=(DEVICE="$B" "${E[@]}")
gives "status before" 3 "" a mount status "${on_a[@]}"
gives "stop before" 0 "" a mount stop "${on_a[@]}"
gives "verify before" 0 "" a mount verify "${on_a[@]}"
gives "DIR is missing" 1 "is not a directory: mkdir -p" \
    a mount start "${on_a[@]}" DIR="$T/none"
gives "wrong type" 2 "has ext4, not xfs" a mount start "${on_a[@]}" TYPE=xfs
gives "start" 0 "mounted on $T/m in" a mount start "${on_a[@]}"
gives "start again" 0 "mounted on $T/m already" a mount start "${on_a[@]}"
gives "status" 0 "" a mount status "${on_a[@]}"
check "it is mounted" within a mountpoint -q "$T/m"
check "once" is "$(within a grep -c " $T/m " /proc/self/mountinfo)" 1
gives "verify while it is mounted" 1 "mounted on $T/m still" \
    a mount verify "${on_a[@]}"
gives "elsewhere on this node" 1 "in use on this node: mounted on $T/m" \
    a mount start "${on_a[@]}" DIR="$T"
gives "another one on DIR" 1 "$A is mounted on $T/m: unmount it" \
    a mount start DEVICE="$B" "${E[@]}"
gives "stop" 0 "unmounted in" a mount stop "${on_a[@]}"
gives "stop again" 0 "" a mount stop "${on_a[@]}"
gives "verify" 0 "" a mount verify "${on_a[@]}"
gives "status after" 3 "" a mount status "${on_a[@]}"

title "ext4: a mount that lives on in another mount namespace"
hook a mount start "${on_a[@]}"
leave a unshare --mount --propagation private sleep 1000
gives "umount returns 0" 0 "unmounted in" a mount stop "${on_a[@]}"
check "nothing is mounted in the namespace of the hook" \
    not within a mountpoint -q "$T/m"
gives "verify sees it, and who" 1 \
    "still held: mounted on $T/m as process [0-9]* (sleep) sees it" \
    a mount verify "${on_a[@]}" CARPD_TIMEOUT=2.000
within a kill -KILL "$LEFT"
gives "verify when that is gone" 0 "" a mount verify "${on_a[@]}"
gives "a device that is not there" 4 "No such file" \
    a mount verify DEVICE=/dev/gone "${E[@]}" \
    CARPD_STATE="$(mkdir -p "$T/other" &&
	echo "/dev/gone /dev/gone" > "$T/other/devices" && echo "$T/other")"

title "ext4: what is in use"
hook a mount start "${on_a[@]}"
leave a sh -c 'cd "$1" && exec sleep 1000' sh "$T/m"
gives "stop kills nobody, and names who it is" 1 "used by sleep (" \
    a mount stop "${on_a[@]}" CARPD_TIMEOUT=1.000
check "it lives" within a kill -0 "$LEFT"
check "it is mounted still" within a mountpoint -q "$T/m"
gives "stop with KILL=yes" 0 "unmounted in" a mount stop "${on_a[@]}" KILL=yes
check "it has ended" wait_for 2 ended a "$LEFT"
gives "verify" 0 "" a mount verify "${on_a[@]}"

title "ext4: what is mounted but ill"
hook a mount start "${on_a[@]}"
within a mount -o remount,ro "$T/m"
gives "read-only" 1 "has become read-only" a mount status "${on_a[@]}"
within a mount -o remount,rw "$T/m"
gives "read and write" 0 "" a mount status "${on_a[@]}"
hook a mount stop "${on_a[@]}"

title "ext4: the other node has it"
gives "it is mounted there" 0 "mounted on" b mount start "${on_b[@]}"
within b sh -c 'echo 1 > "$1/file"; sync' sh "$T/m"
gives "mmp: it is seen to be alive" 6 "is mounted by .*, which is alive" \
    a mmp start DEVICE="$A" CARPD_TIMEOUT=15.000
gives "mmp: not started" 3 "" a mmp status DEVICE="$A"
gives "mount: too little time is told at once" 1 \
    "MMP needs 22 s .* start-timeout = 32" a mount start "${on_a[@]}"
gives "mount: refused, with MMP=clear but no fence" 1 "in use by" \
    a mount start "${on_a[@]}" MMP=clear CARPD_TIMEOUT=60.000
check "nothing is mounted" not within a mountpoint -q "$T/m"

title "ext4: the other node dies"
# Its kernel would unmount: what a power failure leaves is a copy taken before.
cp "$T/disk/e" "$T/disk/crash"
power_off b
check "the device is free soon" wait_for 5 "$HELD" "$B"
unloop "$A"
unloop "$B"
for n in fenced watched waited; do
	cp "$T/disk/crash" "$T/disk/$n"
done
loop "$T/disk/fenced"; A=$LOOP
on_a=(DEVICE="$A" "${E[@]}")
gives "with a proven fence the block is cleared" 0 "mounted on" \
    a mount start "${on_a[@]}" MMP=clear CARPD_FENCED=yes
note "fenced: $TOOK s, fsck and all"
check "fenced, it takes less than 2 s" less "$TOOK" 2
check "what was written is there" is "$(within a cat "$T/m/file")" 1
hook a mount stop "${on_a[@]}"
gives "fsck" 0 "mounted on" a mount start "${on_a[@]}" FSCK=auto
check "it was run" grep -q "^fsck: .*clean" <<< "$OUT"
hook a mount stop "${on_a[@]}"
unloop "$A"

loop "$T/disk/watched"; A=$LOOP
gives "mmp: a silent peer is watched for its time" 7 "has been silent for" \
    a mmp start DEVICE="$A" CARPD_TIMEOUT=15.000
check "mmp: for 11 s" less 10.5 "$TOOK"
gives "mmp: again" 7 "" a mmp start DEVICE="$A" CARPD_TIMEOUT=15.000
check "mmp: at once" less "$TOOK" 2
gives "mmp: status" 0 "" a mmp status DEVICE="$A"
gives "mmp: verify" 1 "still started" a mmp verify DEVICE="$A"
gives "mmp: stop" 0 "" a mmp stop DEVICE="$A"
gives "mmp: stop again" 0 "" a mmp stop DEVICE="$A"
gives "mmp: verify" 0 "" a mmp verify DEVICE="$A"
gives "mmp: status" 3 "" a mmp status DEVICE="$A"
gives "mmp: a peer that is dead need not be watched" 7 "which is dead" \
    a mmp start DEVICE="$A" CARPD_PEER=dead
gives "mmp: too little time" 1 "takes 11 s .* start-timeout = 16" \
    a mmp start DEVICE="$A" CARPD_STATE="$T/other"
tune2fs -f -E clear_mmp "$A" >/dev/null 2>&1
tune2fs -O ^mmp "$A" >/dev/null 2>&1
gives "mmp: switched off meanwhile" 1 "MMP of .* has been switched off" \
    a mmp status DEVICE="$A"
hook a mmp stop DEVICE="$A"
gives "mmp: not switched on" 2 "has no MMP: .*tune2fs -O mmp" \
    a mmp start DEVICE="$A"
gives "mount: without MMP it says so" 0 "mounted on" \
    a mount start DEVICE="$A" "${E[@]}"
check "it said so" grep -q "has no MMP" <<< "$OUT"
hook a mount stop DEVICE="$A" "${E[@]}"
unloop "$A"

loop "$T/disk/waited"; A=$LOOP
on_a=(DEVICE="$A" "${E[@]}")
gives "without a fence it waits" 0 "mounted on" \
    a mount start "${on_a[@]}" MMP=clear CARPD_TIMEOUT=60.000
note "not fenced: $TOOK s"
check "not fenced, it takes the kernel's 22 s" less 21 "$TOOK"
hook a mount stop "${on_a[@]}"
unloop "$A"

#
# xfs and btrfs: no MMP.
#

title "xfs"
boot b
truncate -s 320M "$T/disk/x"
mkfs.xfs -q "$T/disk/x"
loop "$T/disk/x"; A=$LOOP
on_a=(DEVICE="$A" DIR="$T/m" TYPE=xfs)
gives "start" 0 "mounted on" a mount start "${on_a[@]}"
gives "start again" 0 "already" a mount start "${on_a[@]}"
cp "$T/disk/x" "$T/disk/x2"
loop "$T/disk/x2"; X2=$LOOP
mkdir "$T/m2"
gives "a copy with the same UUID" 1 "several devices have its UUID" \
    a mount start DEVICE="$X2" DIR="$T/m2" TYPE=xfs CARPD_STATE="$T/other"
uuid=$(blkid -p -o value -s UUID "$A")
gives "by a UUID that two devices have" 1 "several devices are UUID=" \
    b mount start DEVICE=UUID="$uuid" DIR="$T/m" TYPE=xfs
unloop "$X2"
gives "stop" 0 "unmounted" a mount stop "${on_a[@]}"
gives "stop again" 0 "" a mount stop "${on_a[@]}"
gives "verify" 0 "" a mount verify "${on_a[@]}"
gives "by its UUID" 0 "mounted on" \
    b mount start DEVICE=UUID="$uuid" DIR="$T/m" TYPE=xfs
gives "verify on the other node" 1 "still held" a mount verify "${on_a[@]}"
within b sh -c 'echo 1 > "$1/file"; sync' sh "$T/m"
within b xfs_io -x -c shutdown "$T/m"
gives "a file system that the kernel has shut down" 1 "does not answer" \
    b mount status DEVICE=UUID="$uuid" DIR="$T/m" TYPE=xfs
gives "is stopped all the same" 0 "unmounted" \
    b mount stop DEVICE=UUID="$uuid" DIR="$T/m" TYPE=xfs
gives "its log is recovered by the next mount" 0 "mounted on" \
    a mount start "${on_a[@]}"
check "what was written is there" is "$(within a cat "$T/m/file")" 1
hook a mount stop "${on_a[@]}"
unloop "$A"

title "btrfs on two devices"
for n in 1 2; do
	truncate -s 128M "$T/disk/b$n"
	loop "$T/disk/b$n"
	declare "B$n=$LOOP"
done
mkfs.btrfs -q -d raid1 -m raid1 "$B1" "$B2" || fail "mkfs.btrfs"
btrfs device scan --forget >/dev/null 2>&1
on_a=(DEVICE="$B2" DIR="$T/m" TYPE=btrfs)
if [ -c /dev/btrfs-control ]; then
	gives "start, by the second" 0 "mounted on" a mount start "${on_a[@]}"
	gives "start again" 0 "already" a mount start "${on_a[@]}"
	gives "status" 0 "" a mount status "${on_a[@]}"
	check "both are held" not "$HELD" "$B1" 2>/dev/null
	gives "verify while it is mounted" 1 "mounted on $T/m still" \
	    a mount verify "${on_a[@]}"
	gives "verify by the first, on the other node" 1 "still held" \
	    b mount verify DEVICE="$B1" DIR="$T/m" TYPE=btrfs
	gives "stop" 0 "unmounted" a mount stop "${on_a[@]}"
	gives "stop again" 0 "" a mount stop "${on_a[@]}"
	gives "verify" 0 "" a mount verify "${on_a[@]}"
	gives "status" 3 "" a mount status "${on_a[@]}"
	btrfs device scan --forget >/dev/null 2>&1
else
	note "not on two devices: there is no /dev/btrfs-control"
fi
unloop "$B1"
unloop "$B2"

#
# LVM and RAID: what can be seen without them in the kernel.
#

title "lvm"
gives "no VG" 2 "VG is missing" a lvm start
gives "a bad VG" 2 "VG=a/b: write" a lvm start VG=a/b
gives "bad LOCKING" 2 "LOCKING=x: write one of: system_id lvmlockd none" \
    a lvm start VG=tank LOCKING=x
HOOK_PATH=$T/bin gives "not installed" 5 "vgs is not installed: .* lvm2" \
    a lvm start VG=tank
gives "a name with a mistake" 2 "LOKING is no parameter" \
    a lvm start VG=tank LOKING=none
if grep -qw device-mapper /proc/devices; then
	gives "no such group" 1 "" a lvm start VG=carpd-test-none LOCKING=none
elif command -v vgchange >/dev/null; then
	gives "no device mapper" 5 "this kernel has no device mapper" \
	    a lvm start VG=tank
fi
gives "stop" 0 "" a lvm stop VG=carpd-test-none
gives "status" 3 "" a lvm status VG=carpd-test-none
gives "verify" 0 "" a lvm verify VG=carpd-test-none

# Groups and their owners need no device mapper: only activating does, so the
# kernel is said to have it.
title "lvm: a group belongs to one node"
G=carpd-test-$$
truncate -s 64M "$T/disk/lvm"
loop "$T/disk/lvm"; A=$LOOP
boot c
cp -a /etc/lvm "$T/lvm.etc"
sed -i 's/^[#[:space:]]*system_id_source = .*/system_id_source = "uname"/' \
    "$T/lvm.etc/lvm.conf"
{ cat /proc/devices; echo "250 device-mapper"; } > "$T/devices"
for n in a c; do
	within $n sh -c 'mount --bind "$1/lvm.etc" /etc/lvm &&
	    mount --bind "$1/devices" /proc/devices' sh "$T"
done
lvm() {
	within "$1" env LVM_SUPPRESS_FD_WARNINGS=1 "${@:2}" 2>/dev/null
}
owner() {
	lvm a vgs --noheadings --foreign -o systemid $G | tr -d ' '
}
if [ -e /dev/mapper/control ]; then
	note "not tried: here it would be activated"
elif lvm a pvcreate -qy "$A" >/dev/null && lvm a vgcreate -q $G "$A" >/dev/null
then
	check "it is the first node's" is "$(owner)" a
	gives "no such group" 1 "no volume group carpd-none: are its disks" \
	    a lvm start VG=carpd-none
	exec 9< /dev/null	# as CARPD_ALIVE_FD
	gives "not taken from a peer that may live" 1 \
	    "$G belongs to a, which is neither fenced nor has stepped down" \
	    c lvm start VG=$G
	check "it is the first node's still" is "$(owner)" a
	gives "but from one that is fenced" 1 "no volume of it is there" \
	    c lvm start VG=$G CARPD_FENCED=yes
	check "it is the other node's" is "$(owner)" c
	gives "and from one that has stepped down" 1 "no volume of it" \
	    a lvm start VG=$G CARPD_PEER=passive
	check "it is the first node's again" is "$(owner)" a
	exec 9<&-
	lvm a vgremove -qy $G >/dev/null
else
	note "no group can be made here"
fi
power_off c
unloop "$A"

title "mdraid"
M=(UUID=01234567:89abcdef:01234567:89abcdef DEVICE=/dev/md/carpd-test)
gives "no UUID" 2 "UUID is missing" a mdraid start
gives "a bad UUID" 2 "UUID=1234: write 32" a mdraid start UUID=1234
gives "no DEVICE" 2 "DEVICE is missing" a mdraid start "${M[0]}"
gives "a bad DEVICE" 2 "DEVICE=/dev/sda: write" \
    a mdraid start "${M[0]}" DEVICE=/dev/sda
HOOK_PATH=$T/bin:$(dirname "$(command -v tr)") gives "not installed" 5 \
    "mdadm is not installed" a mdraid start "${M[@]}"
if [ -e /proc/mdstat ]; then
	gives "no such array" 1 "cannot be assembled" a mdraid start "${M[@]}"
elif command -v mdadm >/dev/null; then
	gives "no RAID" 5 "this kernel has no software RAID" \
	    a mdraid start "${M[@]}"
fi
gives "stop" 0 "" a mdraid stop "${M[@]}"
gives "status" 3 "" a mdraid status "${M[@]}"
gives "verify" 0 "" a mdraid verify "${M[@]}"

#
# ZFS.
#

# zfs_up NODE: its own zfs-fuse, with a host id of its own.
zfs_up() {
	cp -a /etc "$T/$1/etc"
	printf '%4.4s' "$1$1$1$1" > "$T/$1/etc/hostid"
	within "$1" sh -c 'mount --bind "$1/etc" /etc && mkdir -p /run/zfs \
	    /run/lock && mount -t tmpfs none /run/zfs &&
	    mount -t tmpfs none /run/lock && mount -t tmpfs none /var/lib/zfs' \
	    sh "$T/$1" || return
	ZFS[$1]=$(within "$1" sh -c 'zfs-fuse -n --no-kstat-mount \
	    > "$1/zfs-fuse" 2>&1 < /dev/null & echo $!' sh "$T/$1")
	wait_for 10 zfs_answers "$1"
}
declare -A ZFS=()

zfs_answers() {
	within "$1" zpool list >/dev/null 2>&1
}

title "zfs: parameters"
gives "no POOL" 2 "POOL is missing" a zfs start
gives "a bad POOL" 2 "POOL=-f: write" a zfs start POOL=-f
gives "a cache file" 2 "leave out cachefile" \
    a zfs start POOL=tank OPTIONS=cachefile=/x
HOOK_PATH=$T/bin gives "not installed" 5 "zpool is not installed" \
    a zfs start POOL=tank
if ! command -v zfs-fuse >/dev/null || [ ! -c /dev/fuse ]; then
	note "zfs-fuse is not tested: not installed, or no /dev/fuse"
	finish
fi
rm -f "$T"/[ab]/state/*
gives "no zfs-fuse runs" 1 "zfs-fuse does not run" a zfs start POOL=tank
gives "verify: so nothing is imported" 0 "" a zfs verify POOL=tank
check "zfs-fuse on both nodes" eval 'zfs_up a && zfs_up b'
mkdir "$T/pool"
truncate -s 128M "$T/pool/disk"
within a zpool create -o cachefile=none -m "$T/m" tank "$T/pool/disk" \
    2>/dev/null
within a zpool export tank
Z=(POOL=tank DEVDIR="$T/pool" ALTROOT="$T/alt")

title "zfs: import, export, each of them twice"
gives "status before" 3 "" a zfs status "${Z[@]}"
gives "stop before" 0 "" a zfs stop "${Z[@]}"
gives "verify before" 0 "" a zfs verify "${Z[@]}"
gives "MOUNT=no" 2 "MOUNT=no: zfs-fuse mounts" a zfs start "${Z[@]}" MOUNT=no
gives "no such pool" 1 "no such pool below $T/pool" \
    a zfs start "${Z[@]}" POOL=pond
within a mv /etc/hostid /etc/hostid.away
gives "no host id" 2 "this node has no host id" a zfs start "${Z[@]}"
gives "mmp: no host id" 2 "this node has no host id" \
    a mmp start TYPE=zfs POOL=tank DEVDIR="$T/pool"
within a mv /etc/hostid.away /etc/hostid
gives "start" 0 "tank imported in" a zfs start "${Z[@]}"
gives "start again" 0 "tank is imported already" a zfs start "${Z[@]}"
gives "status" 0 "" a zfs status "${Z[@]}"
check "it is mounted below ALTROOT" within a mountpoint -q "$T/alt$T/m"
check "it has no cache file" is "$(within a zpool get cachefile tank |
    awk '$2 == "cachefile" { print $3 }')" none
gives "verify while it is imported" 1 "tank is still imported" \
    a zfs verify "${Z[@]}"
gives "mmp: no multihost in zfs-fuse" 2 "knows no multihost" \
    a mmp start TYPE=zfs POOL=tank DEVDIR="$T/pool"

title "zfs: the other node has it"
within a sh -c 'echo 1 > "$1/file"; sync' sh "$T/alt$T/m"
gives "refused" 1 "without a fence the import is never forced" \
    b zfs start "${Z[@]}"
gives "nothing is imported" 0 "" b zfs verify "${Z[@]}"
guid=$(within a zpool get guid tank | awk '$2 == "guid" { print $3 }')
gives "stop" 0 "tank exported in" a zfs stop "${Z[@]}"
gives "stop again" 0 "" a zfs stop "${Z[@]}"
gives "verify" 0 "" a zfs verify "${Z[@]}"
gives "then the other node has it, by its GUID" 0 "tank imported in" \
    b zfs start "${Z[@]}" POOL="$guid"
gives "status by its GUID" 0 "" b zfs status "${Z[@]}" POOL="$guid"
check "what was written is there" is "$(within b cat "$T/alt$T/m/file")" 1

title "zfs: the other node dies"
power_off b
gives "not fenced: refused" 1 "without a fence the import is never forced" \
    a zfs start "${Z[@]}"
gives "fenced: forced" 0 "tank imported in" \
    a zfs start "${Z[@]}" CARPD_FENCED=yes
check "it said so" grep -q "the import is forced" <<< "$OUT"
leave a sh -c 'cd "$1" && exec sleep 1000' sh "$T/alt$T/m"
gives "a busy one, even in a forced stop" 1 "used by sleep" \
    a zfs stop "${Z[@]}" CARPD_MODE=forced CARPD_TIMEOUT=1.000
check "verify: it is there" eval 'hook a zfs verify "${Z[@]}"; is $RC 1'
gives "forced stop with KILL=yes" 0 "tank exported in" \
    a zfs stop "${Z[@]}" CARPD_MODE=forced KILL=yes
gives "verify" 0 "" a zfs verify "${Z[@]}"

title "zfs: zfs-fuse hangs, or dies"
gives "start" 0 "imported" a zfs start "${Z[@]}"
within a kill -STOP "${ZFS[a]}"
gives "hangs: verify does not know" 4 "cannot be told whether tank" \
    a zfs verify "${Z[@]}" CARPD_TIMEOUT=2.000
check "in its time" less "$TOOK" 2
gives "hangs: nor does status" 4 "cannot be told" \
    a zfs status "${Z[@]}" CARPD_TIMEOUT=2.000
gives "hangs: stop fails" 1 "cannot be told" \
    a zfs stop "${Z[@]}" CARPD_TIMEOUT=2.000
within a kill -KILL "${ZFS[a]}"
wait_for 5 ended a "${ZFS[a]}"
gives "dead: status" 3 "" a zfs status "${Z[@]}"
gives "dead: stop" 0 "" a zfs stop "${Z[@]}"
gives "dead: verify" 0 "" a zfs verify "${Z[@]}"
check "its mounts have gone" not within a grep -q fuse.zfs /proc/self/mountinfo

finish
