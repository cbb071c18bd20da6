#!/bin/bash
# SPDX-License-Identifier: ISC
# Two nodes with everything that a machine has of its own: mounts, processes,
# network, name.  They share a disk: an image that tgt exports with persistent
# reservations, and that each node has as a loop device.  A client writes
# numbered blocks to an iSCSI target on the virtual address.
#
# Sourced instead of tests/netns/lib.sh, which it sources itself.
# shellcheck disable=SC2034,SC2119,SC2120,SC2154	# for the tests
# shellcheck source-path=SCRIPTDIR source=../netns/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"

# The first process of a sandbox hears of no signal that it does not ask for.
trap 'exit 130' INT TERM

TANK=/run/tank			# where the file system is mounted
LUN=$TANK/lun			# what the target offers
LUN_MB=64			# as much as the client may write
DISK_IQN=iqn.2026-01.org.example:disk
TANK_IQN=iqn.2026-01.org.example:tank
DISK=iscsi://198.51.100.9/$DISK_IQN/1
URL=iscsi://$V4/$TANK_IQN/1
BLOCKS=$BUILD/tests/storage/blocks
OBSERVE=$BUILD/tests/storage/observe
SKEW_B=100
declare -A INIT=() LOOP=() FD=() KEYS=([a]=aaaaaaaa [b]=bbbbbbbb)

storage_needs() {
	local tool
	[ "$(engine_user)" = nobody ] || skip "block devices need root"
	[ -b /dev/loop0 ] && [ -c /dev/loop-control ] ||
	    skip "no loop devices here"
	for tool in losetup mkfs.ext4 xfs_io tgtd tgtadm "$@"; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
	for tool in "$BUILD"/carp-{fence,held} "$BLOCKS" "$OBSERVE"; do
		[ -x "$tool" ] || skip "$tool is missing: run make first"
	done
	[ -d /proc/fs/ext4 ] || skip "no /proc/fs/ext4 to look at"
}

# Hooks as installed, in an /etc of our own; and what is the last resort there:
# a program that has the plug of its node pulled, as a power switch would.
storage_hooks() {
	cp -a /etc "$T/etc" && mount --bind "$T/etc" /etc ||
	    skip "no private /etc"
	rm -rf /etc/carpd && mkdir -p /etc/carpd/hooks "$TANK"
	cp "$TOP"/pkg/hooks/* /etc/carpd/hooks
	cp "$BUILD/carp-held" /etc/carpd
	cp "$BUILD/carp-fence" /etc/carpd/hooks/scsi-pr
	cat > /etc/carpd/resort <<-END
		#!/bin/sh
		n=\$(hostname)
		read -r up _ < /proc/uptime
		echo "\$up \$1" >> $T/\$n/resort
		echo off > $T/\$n/switch
	END
	chmod 755 /etc/carpd/resort
	echo > "$T/sysrq"	# never the real one
}

#
# Network: clients on one segment, the disk on another.
#

storage_net() {
	local n
	node hub a b c disk
	segment lan
	segment san
	plug a lan eth0 192.0.2.1/24
	plug b lan eth0 192.0.2.2/24
	plug c lan eth0 192.0.2.9/24
	plug a san eth1 198.51.100.1/24
	plug b san eth1 198.51.100.2/24
	plug disk san eth1 198.51.100.9/24
	for n in a b; do
		# The target listens on the address before it is there.
		on $n tee /proc/sys/net/ipv4/ip_nonlocal_bind >/dev/null <<< 1
	done
}

#
# The disk.
#

# disk_make [MKFS OPTION...]: an image with one ext4, and on it a file without
# holes, so that what is written later is data alone.
disk_make() {
	truncate -s $((LUN_MB + 64))M "$T/image" &&
	    mkfs.ext4 -q -F "$@" "$T/image" &&
	    mount -o loop "$T/image" "$TANK" &&
	    dd if=/dev/zero of="$LUN" bs=1M count=$LUN_MB status=none &&
	    umount "$TANK" || skip "no ext4 on a loop device here"
	MMP_AT=$(dumpe2fs -h "$T/image" 2>/dev/null |
	    awk -F ': *' '$1 == "MMP block number" { print $2 }')
	BLOCK=$(dumpe2fs -h "$T/image" 2>/dev/null |
	    awk -F ': *' '$1 == "Block size" { print $2 }')
}

# mmp_save, mmp_restore: the block as it stands on the disk.
mmp_save() {
	[ -z "$MMP_AT" ] || dd if="$T/image" of="$T/mmp" bs="$BLOCK" count=1 \
	    skip="$MMP_AT" status=none
}
mmp_restore() {
	[ -z "$MMP_AT" ] || dd if="$T/mmp" of="$T/image" bs="$BLOCK" count=1 \
	    seek="$MMP_AT" conv=notrunc status=none
}

disk_export() {
	mkdir -p /run/tgtd
	enter disk tgtd -f -C 1 --iscsi portal=198.51.100.9:3260 \
	    > "$T/disk/log" 2>&1 &
	PID[disk]=$!
	wait_for 5 disk_adm --mode sys --op show >/dev/null ||
	    skip "tgtd does not start here: $(tail -n 1 "$T/disk/log")"
	disk_adm --mode target --op new --tid 1 --targetname $DISK_IQN &&
	    disk_adm --mode logicalunit --op new --tid 1 --lun 1 \
		--backing-store "$T/image" &&
	    disk_adm --mode target --op bind --tid 1 --initiator-address ALL
}

disk_adm() {
	on disk tgtadm -C 1 --lld iscsi "$@" 2>/dev/null
}

# Who has the disk by its reservation: a, b, or nobody.
key_holder() {
	on disk "$BUILD/carp-fence" keys "$DISK" 2>/dev/null |
	    sed -n 's/^ *0x\(.\).*holds it.*/\1/p'
}

#
# Nodes.
#

# boot NODE: its mounts, processes, name and its way to the disk.
boot() {
	local n=$1 fd=${FD[$1]:-}
	heal "$n" eth0 lan
	heal "$n" eth1 san
	# The device goes with its descriptor, however this ends, but not with
	# the node: the observer must not take another test's for it.
	[ -z "$fd" ] || exec {fd}>&-
	LOOP[$n]=$(losetup -f --show "$T/image") &&
	    exec {fd}<> "${LOOP[$n]}" && losetup -d "${LOOP[$n]}" || exit 1
	rm -f "$T/$n/up"
	FD[$n]=$fd
	nsenter --net="/run/netns/$n" -- unshare --mount \
	    --propagation private --uts --pid --fork --kill-child \
	    --mount-proc "$BASH" -c '
		hostname "$1" &&
		mkdir -p /run/carpd && mount -t tmpfs tmpfs /run/carpd &&
		{ ! [ -e /proc/sysrq-trigger ] ||
		    mount --bind "$3" /proc/sysrq-trigger; } &&
		echo > "$2/$1/up"
		while :; do sleep 1000 & wait $!; done' \
	    "$n" "$n" "$T" "$T/sysrq" \
	    2> "$T/$n/boot" &
	PID[unshare.$n]=$!
	wait_for 5 test -e "$T/$n/up" ||
	    { cat "$T/$n/boot"; exit 1; }
	read -r "INIT[$n]" _ < "/proc/$!/task/$!/children"
	power_switch "$n"
}

# within NODE COMMAND...
within() {
	local n=$1
	shift
	nsenter -t "${INIT[$n]}" --mount --uts --pid --net -- "$@"
}

# power_off NODE: as if its plug were pulled.  Nothing it does reaches anybody
# any more, what it has not written is lost, and its processes do not end, they
# are gone.  When the last of them is, the kernel unmounts: xfs_io sees to it
# that nothing is written then, but for the MMP block, which it marks as clean
# all the same, and which no dead node would have touched.
power_off() {
	local n=$1
	partition "$n" eth0
	partition "$n" eth1
	! is_off "$n" || return 0
	mmp_save
	within "$n" sh -c 'kill -STOP -1
		! grep -q " $1 ext4 " /proc/self/mounts || xfs_io -x -c shutdown "$1"' \
	    sh "$TANK" > /dev/null 2>&1
	kill -KILL "${INIT[$n]}" 2>/dev/null
	wait_for 5 not test -e "/proc/fs/ext4/${LOOP[$n]##*/}"
	wait_for 5 is_off "$n"
	mmp_restore
	ip -n "$n" addr del $V4/24 dev eth0 2>/dev/null
	return 0
}

# freeze NODE: it hangs, and may wake up at any time.
freeze() {
	within "$1" sh -c 'kill -STOP -1'
}

# Somebody who pulls the plug when the last resort asks for it.
power_switch() {
	rm -f "$T/$1/switch"
	mkfifo "$T/$1/switch"
	{
		read -r _ < "$T/$1/switch" && power_off "$1"
	} &
	PID[switch.$1]=$!
}

# leave NODE COMMAND...: in the background there, until the node goes.
leave() {
	local n=$1
	shift
	within "$n" sh -c '"$@" > /dev/null 2>&1 < /dev/null &' sh "$@"
}

# hang NODE: what it has mounted cannot be unmounted, and not only there.
hang() {
	leave "$1" sh -c "cd $TANK && exec sleep 1000"
	leave "$1" unshare --mount --propagation private \
	    sh -c "cd $TANK && exec sleep 1000"
}

# A third one takes the disk from whoever has it, by hand.
steal() {
	on disk env KEY=cccccccc "$BUILD/carp-fence" clear "$DISK" --yes \
	    > /dev/null
}

# The file system is in order.
whole() {
	e2fsck -fn "$T/image" > "$T/fsck" 2>&1
}

# restart NODE: it is switched on again.
restart() {
	wait "${PID[unshare.$1]}" 2>/dev/null
	boot "$1"
	run "$1"
}

is_off() {
	! kill -0 "${INIT[$1]}" 2>/dev/null
}

# storage_conf NODE FENCE STORAGE-SET [SERVICE-SET]: the hook is mount, or
# what STORAGE_HOOK says.
STORAGE_HOOK=mount
storage_conf() {
	local n=$1 fence=$2 storage=$3 service=${4:-}
	[ -f "$T/$n/key" ] || (umask 077; echo s3cret > "$T/$n/key")
	cat > "$T/$n/carpd.conf" <<-END
		node {
			name = $(tr ab AB <<< "$n")
			user = "$(engine_user)"
			group = "root"
			notify-dir = ""
		}
		interface eth0 {
			critical = true
			vhid 10 {
				address = { "$V4/24" }
				advskew = $([ "$n" = a ] && echo 0 || echo $SKEW_B)
				passphrase-file = "$T/$n/key"
			}
		}
		failover {
			last-resort = "/etc/carpd/resort"
			fence $fence
			storage tank {
				hook = $STORAGE_HOOK
				set = { $storage }
			}
			service iscsi {
				hook = iscsi-tgt
				set = {
					TARGET=$TANK_IQN, LUNS="1=$LUN",
					INITIATORS=ALL, PORTALS=$V4
					${service:+, $service}
				}
				critical = true
			}
		}
	END
	mv "$T/$n/carpd.conf" "$T/$n/conf.in"
}

# ext4_set MMP: parameters of the hook mount.
ext4_set() {
	printf 'DEVICE="@LOOP@", DIR=%s, TYPE=ext4, MMP=%s' "$TANK" "$1"
}

# fenced_storage STORAGE-SET: on both nodes, fenced by reservations, with the
# settings of FENCE_SET, such as INTERVAL=0.1.
fenced_storage() {
	local n
	for n in a b; do
		storage_conf $n "disks {
			hook = scsi-pr
			set = {
				DISKS=\"$DISK\", KEY=${KEYS[$n]}
				${FENCE_SET:+, $FENCE_SET}
			}
		}" "$1"
	done
}

# The usual one: reservations, MMP as the last line.
usual_storage() {
	fenced_storage "$(ext4_set clear)"
}

# All of it, ready to be booted: one ext4 with MMP behind the fence.
usual_pair() {
	storage_needs
	storage_hooks
	storage_net
	disk_make -O mmp
	disk_export
	usual_storage
}

# run NODE: carpd there, until it answers.
run() {
	local n=$1
	mkdir -p "$T/$n/state"
	sed "s|@LOOP@|${LOOP[$n]}|" "$T/$n/conf.in" > "$T/$n/carpd.conf"
	# A child of the first process there: an nsenter that waits for it
	# would keep the mounts of a node that is off.
	within "$n" sh -c '"$@" 2>> "$0/log" & echo $! > "$0/pid"' \
	    "$T/$n" "$CARPD" -f "$T/$n/carpd.conf" -s "$T/$n/sock" \
	    -S "$T/$n/state" > /dev/null < /dev/null
	wait_for 5 answers "$n" && return
	fail "carpd on $n does not answer on its control socket"
	return 1
}

# end NODE: a clean stop of carpd there.
end() {
	local pid
	pid=$(cat "$T/$1/pid")
	within "$1" sh -c "kill -TERM $pid"
	wait_for 10 not within "$1" sh -c "kill -0 $pid" 2>/dev/null
}

role() {
	ctl "$1" failover status 2>/dev/null
}

role_is() {
	[ "$(role "$1")" = "$2" ]
}

serves() {
	role_is "$1" MASTER && holds "$1" $V4
}

#
# What is seen.
#

# client_start [OPTION...]
client_start() {
	rm -f "$T"/client.*
	enter c "$BLOCKS" -d 120 "$@" "$URL" > "$T/client.json" \
	    2> "$T/client.log" &
	PID[client]=$!
}

client_writes() {
	grep -q 'under way' "$T/client.log"
}

client_stop() {
	kill -TERM "${PID[client]}"
	wait "${PID[client]}"
}

client_get() {
	jq -r ".$1" "$T/client.json"
}

client_text() {
	jq -r '"client: \(.acknowledged) blocks acknowledged, \(.lost) lost, longest pause \(.longest_pause_ms) ms"' \
	    "$T/client.json"
}

# observe_start: which node has the file system, a thousand times a second.
observe_start() {
	"$OBSERVE" a="/proc/fs/ext4/${LOOP[a]##*/}" \
	    b="/proc/fs/ext4/${LOOP[b]##*/}" > "$T/observed" &
	PID[observe]=$!
}

observe_stop() {
	kill -TERM "${PID[observe]}"
	wait "${PID[observe]}"
}

# watched COMMAND...: while a client writes.  The scene began at $began.
watched() {
	observe_start
	client_start
	wait_for 10 client_writes || fail "the client cannot write"
	began=$EPOCHREALTIME
	"$@"
}

# Whoever serves now does so for a moment, then the client looks for what it
# wrote.  Fails if something is lost, or two had the file system at once.
watched_end() {
	local rc=0
	sleep 0.3
	client_stop || rc=1
	observe_stop || rc=1
	return $rc
}

# The record of a node; that of one that is off from its disk.
history() {
	if is_off "$1"; then
		jq .history "$T/$1/state/failover.json"
	else
		ctl "$1" failover history --json
	fi
}

# last NODE EXPRESSION: of its newest transition.
last() {
	history "$1" | jq -r ".[-1] | $2"
}

# both_ms: for how long two had the file system, as far as was seen.
both_ms() {
	tail -n 1 "$T/observed" | jq .both_ms
}

# timeline: what both nodes did since the scene began, phase by phase.
timeline() {
	local n
	for n in a b; do
		history $n | jq -r --arg n ${n^} --argjson t0 "$began" '
		    .[] | (.began | sub("\\.[0-9]+"; "") | fromdate) as $s
		    | (.began | capture("\\.(?<f>[0-9]+)").f | tonumber / 1000)
			as $f
		    | ($s - $t0 + $f) as $at | select($at > -0.01) | . as $t
		    | [$at, "", $n, "\(.from): \(.cause)"],
		      (.phases[] | [$at + .at_ms / 1000, .took_ms, $n,
			  "  \(.phase) \(.direction)"
			  + (.runs | map("  [\(.resource) \(.verb) \(.took_ms
			      | round)]") | join(""))
			  + (if .ok == false then "  failed" else "" end)]),
		      [$at + .took_ms / 1000, "", $n, "\(.to)"
			  + (if .result != "ok" then ": \(.reason)" else "" end)]
		    | @tsv'
	done | sort -s -n -k 1,1 | awk -F '\t' '{
		printf "%9.3f s  %s  %9s  %s\n", $1, $3,
		    $2 == "" ? "" : sprintf("%.1f ms", $2), $4 }'
}
