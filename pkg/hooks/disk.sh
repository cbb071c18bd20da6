# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034
# What the storage hooks know of block devices: their names, who holds them or
# uses what is on them, and the multiple mount protection (MMP) of ext4.

# Of the MMP block: nobody has it mounted; fsck runs.
MMP_CLEAN=0xff4d4d50
MMP_FSCK=0xe24d4d50

# device_name NAME: how the parameter names a device.
device_name() {
	need "$1" "write a path, UUID=... or LABEL=..."
	case $(value "$1") in
	/* | UUID=?* | LABEL=?*) ;;
	*) end "$WRONG" "$HOOK: $1=$(value "$1"): write a path that begins" \
	    "with /, UUID=... or LABEL=..." ;;
	esac
}

# find_devices SPEC: all that bear the name, in $devices, or fails.
find_devices() {
	case $1 in
	/*)
		devices=$(readlink -f "$1") && [ -b "$devices" ]
		;;
	*)	# Not from the cache: a disk that has gone is still there.
		devices=$(blkid -c /dev/null -o device -t "$1" | tr '\n' ' ')
		devices=${devices% }
		[ -n "$devices" ]
		;;
	esac
}

# probe TAG DEVICE: TYPE, UUID or LABEL of what is on it.
probe() {
	blkid -p -o value -s "$1" "$2" 2>/dev/null
}

# number DEVICE: as in the kernel's list of mounts.
number() {
	# Words, so not quoted.
	# shellcheck disable=SC2046
	set -- $(stat -L -c '0x%t 0x%T' "$1" 2>/dev/null)
	[ $# = 2 ] && echo "$(($1)):$(($2))"
}

# refresh DEVICE...: forgets what this node has cached of them.  While anything
# has a device open, a fence for instance, the kernel keeps its blocks, and the
# next mount would believe what the disk held when it was here last, the MMP
# block included.
refresh() {
	blockdev --flushbufs "$@"
}

# held DEVICE...: 0 by nobody, 1 by something in this kernel, 4 not known.
held() {
	[ -x "$HOOKS/../carp-held" ] ||
	    end "$MISSING" "$HOOK: $HOOKS/../carp-held is not installed:" \
		"install carpd whole"
	quiet "$HOOKS/../carp-held" "$@"
}

# holder DEVICE: who that may be, in words.
holder() {
	holder_number=$(number "$1") || return 0
	for holder_file in /proc/[0-9]*/mountinfo; do
		holder_dir=$(awk -v n="$holder_number" -v d="$1" '
			$3 == n || $(NF - 1) == d { print $5; exit }' \
		    "$holder_file" 2>/dev/null)
		[ -n "$holder_dir" ] || continue
		holder_pid=${holder_file#/proc/}
		holder_pid=${holder_pid%/mountinfo}
		echo "mounted on $holder_dir as process $holder_pid" \
		    "($(cat "/proc/$holder_pid/comm" 2>/dev/null)) sees it"
		return
	done
	for holder_file in "/sys/dev/block/$holder_number/holders"/*; do
		[ -e "$holder_file" ] || continue
		echo "part of ${holder_file##*/}"
		return
	done
	echo "held by a process, swap or the kernel"
}

# users DIR: processes with files of what is mounted there, as words.
users() {
	users_pids=$(limited 1 fuser -M -m "$1" 2>/dev/null)
	[ -n "$users_pids" ] || {
		echo "no process is seen to use it, so a mount below it, an" \
		    "NFS export, a loop device or a swap file"
		return
	}
	users_text=
	for users_pid in $users_pids; do
		users_text="$users_text, $(cat "/proc/$users_pid/comm" \
		    2>/dev/null) ($users_pid)"
	done
	echo "used by ${users_text#, }"
}

# kill_users TRY DIR...: ends them, first softly, until TRY succeeds.  Only for
# what is left over after services have been stopped.
kill_users() {
	command -v fuser >/dev/null || return
	kill_try=$1
	shift
	for kill_dir; do
		say "$kill_dir: ending what still uses it: $(users "$kill_dir")"
		limited 1 fuser -s -k -TERM -M -m "$kill_dir" >/dev/null 2>&1
	done
	wait_until 500 "$kill_try" && return
	for kill_dir; do
		say "$kill_dir: killing: $(users "$kill_dir")"
		limited 1 fuser -s -k -KILL -M -m "$kill_dir" >/dev/null 2>&1
	done
}

# has_host_id: one by which ZFS can tell this node from the other.  What
# hostid(1) makes up of an address may be the same on both.
has_host_id() {
	[ ! -s /etc/hostid ] || return 0
	host_id=$(cat /sys/module/spl/parameters/spl_hostid 2>/dev/null)
	[ "${host_id:-0}" != 0 ]
}

#
# MMP of ext4.
#

# ext4_mmp DEVICE: whether it is switched on.
ext4_mmp() {
	dumpe2fs -h "$1" 2>/dev/null |
	    grep -q '^Filesystem features:.* mmp\( \|$\)'
}

# mmp_read DEVICE: what is on the disk now, past the cache of this node.
# In $mmp_sequence, $mmp_interval (seconds) and $mmp_node.
mmp_read() {
	mmp_text=$(e2mmpstatus -i "$1" 2>/dev/null) || return 1
	mmp_sequence=$(mmp_get mmp_sequence)
	mmp_interval=$(mmp_get mmp_check_interval)
	mmp_node=$(mmp_get mmp_node_name)
	case $mmp_interval in
	'' | *[!0-9]*) return 1 ;;
	esac
	[ -n "$mmp_sequence" ]
}

mmp_get() {
	printf '%s\n' "$mmp_text" | awk -v key="$1:" '$1 == key { print $2 }'
}

# How long the kernel watches a block that is not clean before it writes its
# own number, and once more as long after that: seconds.
mmp_watch() {
	[ "$mmp_interval" -ge 5 ] || mmp_interval=5
	if [ $((mmp_interval * 2 + 1)) -lt $((mmp_interval + 60)) ]; then
		echo $((mmp_interval * 2 + 1))
	else
		echo $((mmp_interval + 60))
	fi
}
