#!/bin/bash
# SPDX-License-Identifier: ISC
# carp-fence on block devices, through the requests of the kernel: a disk of LIO
# to which two initiators of the kernel are connected, as two nodes would be;
# and the same as dm-multipath devices.
# shellcheck source-path=SCRIPTDIR
[ -n "${IN_VM:-}" ] || { echo "skipped: run it by make check-vm"; exit 77; }

CORE=/sys/kernel/config/target/core
ISCSI=/sys/kernel/config/target/iscsi
IQN=iqn.2000-01.invalid.test
GROUP=$ISCSI/$IQN:disk/tpgt_1

#
# Before the sandbox, whose network has no iSCSI of the kernel.
#

give_up() {
	echo "skipped: $*"
	exit 77
}

ramdisk() {
	mkdir -p "$CORE/rd_mcp_0/disk" &&
	    echo rd_pages=2048 > "$CORE/rd_mcp_0/disk/control" &&
	    echo 1 > "$CORE/rd_mcp_0/disk/enable"
}

target() {
	mkdir -p /var/target/pr "$GROUP/lun/lun_0"
	ln -s $CORE/rd_mcp_0/disk $GROUP/lun/lun_0/disk
	echo 0 > $GROUP/attrib/authentication
	echo 1 > $GROUP/attrib/generate_node_acls
	echo 0 > $GROUP/attrib/demo_mode_write_protect
	echo 1 > $GROUP/attrib/cache_dynamic_acls
	mkdir $GROUP/np/127.0.0.1:3260
	echo 1 > $GROUP/enable
}

connect() {
	local node=("-m" node -T "$IQN:disk" -p 127.0.0.1:3260 -I "$1")

	iscsiadm -m iface -I "$1" -o new &&
	    iscsiadm -m iface -I "$1" -o update -n iface.initiatorname \
		-v "$IQN:$1" &&
	    iscsiadm "${node[@]}" -o new &&
	    iscsiadm "${node[@]}" --login
}

if [ -z "${DISKS_THERE:-}" ]; then
	command -v iscsid >/dev/null || give_up "open-iscsi is not there"
	modprobe -a target_core_mod iscsi_target_mod iscsi_tcp sd_mod \
	    sg dm_multipath dm_round_robin || give_up "modules are missing"
	mkdir -p $ISCSI /run/lock/iscsi
	{ ramdisk && target; } || give_up "LIO makes no disk"
	echo "InitiatorName=$IQN:none" > /etc/iscsi/initiatorname.iscsi
	iscsid -f > /run/iscsid.log 2>&1 &
	{ connect a && connect b; } || { cat /run/iscsid.log; exit 1; }
	DISKS_THERE=1 "$0"
	exit
fi

. "$(dirname "$0")/../netns/lib.sh" || exit 1

FENCE=${FENCE:-$BUILD/carp-fence}
[ -x "$FENCE" ] || skip "$FENCE is missing: run make first"
declare -A KEYS=([a]=aaaaaaaa [b]=bbbbbbbb) DISK=()
mkdir -p "$T/a" "$T/b"

# session NODE: its disk, in $DISK.
session() {
	local s
	for s in /sys/class/iscsi_session/session*; do
		[ "$(cat "$s/initiatorname")" = "$IQN:$1" ] || continue
		s=$(echo "$s"/device/target*/*:0/block/*)
		DISK[$1]=/dev/${s##*/}
		[ -b "${DISK[$1]}" ] && return
	done
	return 1
}

fence() {
	local n=$1 verb=$2
	shift 2
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C \
	    CARPD_STATE="$T/$n/fence" KEY="${KEYS[$n]}" DISKS="${DISK[$n]}" \
	    "$@" "$FENCE" "$verb" >> "$T/$n/log" 2>&1
}

exits() {
	local want=$1 rc
	shift
	fence "$@"
	rc=$?
	note "$1 $2: exit $rc: $(tail -n 1 "$T/$1/log")"
	[ "$rc" = "$want" ]
}

# start NODE with a pipe as CARPD_ALIVE_FD; what comes goes to $T/NODE/alive.
start_alive() {
	local n=$1 rc
	shift
	rm -f "$T/$n/alive" "$T/$n/closed" "$T/$n/pipe"
	mkfifo "$T/$n/pipe"
	{
		cat "$T/$n/pipe" > "$T/$n/alive"
		: > "$T/$n/closed"
	} &
	exec 9> "$T/$n/pipe"
	exits 0 "$n" start CARPD_ALIVE_FD=9 "$@"
	rc=$?
	exec 9>&-
	return $rc
}

closed() {
	[ -e "$T/$1/closed" ]
}

keeper() {
	awk -v want="$(stat -c %i "$T/$1/fence/lock")" \
	    '{ split($6, p, ":"); if (p[3] == want) print $5 }' /proc/locks
}

kill_keeper() {
	kill -KILL "$(keeper "$1")"
	wait_for 10 eval '[ -z "$(keeper '"$1"')" ]'
}

# keys NODE: as it sees them, in one line.
keys() {
	"$FENCE" keys "${DISK[$1]}" | awk '
		/^    0x/ {
			k = k " " substr($1, 3, 8)
			if (/holds it/) h = substr($1, 3, 8)
		}
		/reservation: type/ { t = $3 }
		END { printf "keys%s holder %s type %s\n", k, h, t }'
}

full_key() {
	"$FENCE" keys "${DISK[$1]}" | grep -o "0x${KEYS[$1]}[0-9a-f]*" | head -n 1
}

# moved NODE KEY
moved() {
	local now
	now=$(full_key "$1")
	[ -n "$now" ] && [ "$now" != "$2" ]
}

# Both see the same.
owned_by() {
	local want="keys ${KEYS[$1]} holder ${KEYS[$1]} type 5"
	is "$(keys a)" "$want" && is "$(keys b)" "$want"
}

empty() {
	is "$(keys a)" "keys holder  type " && is "$(keys b)" "keys holder  type "
}

writes() {
	dd if=/dev/urandom of="${DISK[$1]}" bs=4096 count=1 seek="${2:-0}" \
	    oflag=direct conv=notrunc 2> "$T/dd"
}

# What a node reads where another has written, past all caches.
reads() {
	dd if="${DISK[$1]}" bs=4096 count=1 skip="${2:-0}" iflag=direct \
	    2> "$T/dd" | sha256sum
}

refused() {
	writes "$@" && return 1
	grep -q 'Invalid exchange\|rror writing' "$T/dd" && return
	note "$(head -n 1 "$T/dd")"
	return 1
}

same_disk() {
	writes a 7 && is "$(reads b 7)" "$(reads a 7)"
}

# Until the disk refuses it.
keep_writing() {
	local i=0
	while writes "$1" $((i % 64)); do
		i=$((i + 1))
	done
	echo "$i: $(head -n 1 "$T/dd")" > "$T/$1/written"
}

life() {
	local k digest

	title "$1: one node: start, status, stop, verify"
	check "both have the same disk" same_disk
	check "status says that it does not run: 3" exits 3 a status
	check "verify: nothing is left: 0" exits 0 a verify
	check "start" timed exits 0 a start
	note "start on a free disk: $took s"
	check "the disk has our key and reservation, and no other" owned_by a
	check "status: 0" exits 0 a status
	check "start again: 0" exits 0 a start
	check "it may write" writes a 1
	digest=$(reads a 1)
	check "the other node may not" refused b 1
	check "nothing of it has arrived" is "$(reads a 1)" "$digest"
	check "but it may read" is "$(reads b 1)" "$digest"
	k=$(full_key a)
	check "the key moves" wait_for 10 moved a "$k"
	check "verify says that it is there: 1" exits 1 a verify
	check "stop" exits 0 a stop
	check "verify: 0" exits 0 a verify
	check "no key is left" empty
	check "stop again: 0" exits 0 a stop
	check "everybody may write" eval 'writes a 2 && writes b 3'
}

live_and_let_live() {
	title "$1: a living peer is left alone"
	check "a has the disk" start_alive a
	check "b: exit 6" timed exits 6 b start CARPD_PEER=unclear
	note "refused after $took s"
	check "the disk is a's, and b has registered nothing" owned_by a
	check "a has not noticed anything" eval '! closed a && exits 0 a status'
	check "stop at b leaves a's disk alone" exits 0 b stop
	check "it is a's" owned_by a
}

take_by_force() {
	title "$1: a peer that is said to be dead, but lives and writes"
	rm -f "$T/a/written"
	keep_writing a &
	PID[writer]=$!
	check "b takes it at once" timed exits 0 b start CARPD_PEER=dead
	note "taken from a living peer by force: $took s"
	check "it is b's alone" owned_by b
	check "a's keeper has noticed" wait_for 20 closed a
	note "a: \"$(cat "$T/a/alive")\""
	check "its reason is written to the pipe" grep -q \
	    'taken\|preempted\|not there' "$T/a/alive"
	check "the writer at a was refused" wait_for 20 test -e "$T/a/written"
	wait "${PID[writer]}"
	note "a, after blocks: $(cat "$T/a/written")"
	check "a may not write" refused a 4
	check "b may" writes b 4
	check "a: status 3" exits 3 a status
	check "a: stop changes nothing for b" exits 0 a stop
	check "it is b's alone" owned_by b
	check "b: status: 0" exits 0 b status

	title "$1: a keeper that was killed"
	kill_keeper b
	check "b: status 3" exits 3 b status
	check "the disk is b's yet" owned_by b
	check "a may not write" refused a 5
	check "b: start adopts it" exits 0 b start
	check "it is b's alone, with one key" owned_by b
	kill_keeper b
	check "a takes it after WATCH" timed exits 0 a start CARPD_PEER=unclear
	note "taken from a dead peer, unclear: $took s"
	check "not before 0.6 s" less 0.6 "$took"
	check "it is a's alone" owned_by a
	check "b may not write" refused b 5
	kill_keeper a
	check "b takes it, CARPD_PEER=passive" timed exits 0 b start \
	    CARPD_PEER=passive
	note "taken from a passive peer: $took s"
	check "it is b's alone" owned_by b
	check "stop" exits 0 b stop
	check "stop where the keeper was killed" exits 0 a stop
	check "no key is left" empty
}

check "both nodes have their disk" eval \
    'wait_for 20 session a && wait_for 20 session b' || finish
note "a: ${DISK[a]}, b: ${DISK[b]}"
life "iSCSI"
live_and_let_live "iSCSI"
take_by_force "iSCSI"

# path NODE: its multipath device with one path.
path() {
	local n
	n=$(cat "/sys/block/${DISK[$1]##*/}/dev")
	dmsetup create "multi_$1" --table "0 16384 multipath 0 0 1 1 \
	    round-robin 0 1 1 $n 1000" && dmsetup mknodes "multi_$1" &&
	    DISK[$1]=/dev/mapper/multi_$1
}
if command -v dmsetup > /dev/null && path a && path b; then
	live_and_let_live "multipath"
	take_by_force "multipath"
else
	note "no multipath devices here"
fi

finish
