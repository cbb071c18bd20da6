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
	    'hostname "$1"; : > "$2/up"; exec sleep 1000' sh "$1" "$T/$1" &
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

# power_off NODE: all of its processes and with them its mounts, at once.
power_off() {
	kill -KILL "${PID[$1]}"
	wait "${PID[unshare.$1]}" 2>/dev/null
	rm -f "$T/$1"/state/*
}

# loop FILE: a device over it, in $LOOP, that goes when the test ends, however
# it ends: it lives as long as the descriptor.
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
