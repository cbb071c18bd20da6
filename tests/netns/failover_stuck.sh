#!/bin/bash
# SPDX-License-Identifier: ISC
# A hook whose children the kernel does not let go, as when a disk hangs: they
# wait for a file system that is frozen.  What a killed start has begun may
# still happen, so its fence is held, and a status that hangs is a bad one.
# shellcheck source-path=SCRIPTDIR source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

[ "$(engine_user)" = nobody ] || skip "block devices need root"
for tool in losetup mkfs.ext4 fsfreeze; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
truncate -s 16M "$T/image"
LOOP=$(losetup -f --show "$T/image" 2>/dev/null) && mkfs.ext4 -q "$LOOP" ||
    skip "no loop device here"
D=$T/frozen
mkdir "$D"
mount "$LOOP" "$D" || skip "it cannot be mounted"
losetup -d "$LOOP"	# with the mount
thaw() {
	fsfreeze -u "$D" 2>/dev/null
}
trap thaw EXIT

node hub a
segment lan
plug a lan eth0 192.0.2.1/24
# SIGKILL is on its way to it.
dying() {
	awk '$1 == "SigPnd:" || $1 == "ShdPnd:" { print $2 }' \
	    "/proc/$(pgrep -f "^touch $D/late")/status" 2>/dev/null |
	    grep -q '1..$'
}
logged() {
	grep -q -- "$1" "$T/a/log"
}

title "a start is killed at its limit, what it has called is not"
RESOURCES[1]='storage tank { hook = diary  start-timeout = 1 }'
failover_conf a A 0
instead A.tank.start "touch $D/late; exit 1"
instead A.tank.verify "[ ! -e $D/late ]"
fsfreeze -f "$D"
start a
check "it does not end" wait_for 12 logged \
    "tank: diary start: was killed, but does not end"
check "so it is not shown to be gone: the last resort" wait_for 5 grep -q \
    "a killed start of it has not ended" "$T/resort"
check "the fence is held" always 1 not wrote A disks stop
thaw
check "it has ended" wait_for 5 logged "tank: diary start: killed after its limit"
check "what it had begun has happened" test -e "$D/late"
check "the fence is held still" not wrote A disks stop
crash a
rm -f "$T"/world/* "$T"/a/state/* "$T/resort" "$D/late"
properly

title "what it has called ends a moment after it"
turn
instead A.tank.start "touch $D/late; exit 1"
instead A.tank.stop "rm -f $D/late; rm -f $T/world/tank.A"
fsfreeze -f "$D"
start a
wait_for 12 eval '[ -n "$(pgrep -f "^touch $D/late")" ]'
wait_for 3 dying
thaw
check "stopped, and shown to be gone" wait_for 5 wrote A disks stop
check "no last resort" not test -e "$T/resort"
check "nothing of it is left" not test -e "$D/late"
stop a
rm -f "$T"/world/* "$T"/a/state/* "$T/resort" "$D/late"
properly

title "a status that hangs"
RESOURCES[1]='storage tank { hook = diary  status-timeout = 1  monitor = 1 }'
failover_conf a A 0
start a
check "MASTER" wait_for 10 role_is a MASTER
instead A.tank.status "touch $D/seen; exit 0"
fsfreeze -f "$D"
check "it is lost" wait_for 10 role_is a ERROR
check "it was asked once" is \
    "$(pgrep -cf "^touch $D/seen")" 1
thaw
properly
stop a
finish
