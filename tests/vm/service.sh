#!/bin/bash
# SPDX-License-Identifier: ISC
# The hooks nfs and lio with the parts of the kernel that they are for.
#	CASES="lio nfs"		which of them
# shellcheck source-path=SCRIPTDIR
MODULES="nfsd nfsv4 target_core_mod target_core_file
    target_core_iblock iscsi_target_mod"
. "$(dirname "$0")/lib.sh"

# mount_at NODE, umount_at NODE: the shared file system, and the address.
mount_at() {
	in_box "$1" mount "$LOOP" "$T/served" && address "$1" eth0 $V4/24 &&
	    on c ip neigh flush all
}

umount_at() {
	in_box "$1" umount "$T/served" && ip -n "$1" addr del $V4/24 dev eth0
}

# The client has the lock, and writes when it is told to.
lock_holder() {
	in_box c "$BASH" -c '
		exec 8<> "$1/locked" && flock -n 8 && : > "$2/lock.ready"
		read -r line < "$2/lock.go"
		echo "$line" >&8 && sync -d "$1/locked" && : > "$2/lock.done"
		read -r line < "$2/lock.go"' \
	    lock "$T/client" "$T"
}

# locked_for NODE: another client, which cannot have the lock.
locked_for() {
	local rc

	in_box "$1" mkdir -p "$T/other"
	in_box "$1" mount -t nfs4 -o vers=4.2,sec=sys $V4:/ "$T/other" ||
	    return
	in_box "$1" flock -n -E 9 "$T/other/locked" true
	rc=$?
	in_box "$1" umount "$T/other"
	[ $rc = 9 ]
}

test_nfs() {
	# The root of this machine cannot be exported, so this is the client's.
	local n set=("EXPORTS=192.0.2.0/24:$T/served/files"
		"OPTIONS=rw,sync,no_subtree_check,fsid=0"
		"STATE=$T/served/.nfs" GRACE=10 LEASE=10 THREADS=4)

	disk nfs 64
	mkfs.ext4 -q "$LOOP"
	mkdir -p "$T/client"
	mkfifo "$T/lock.go"
	for n in a b c; do
		in_box "$n" mount -t tmpfs nfs /var/lib/nfs
		in_box "$n" mkdir /var/lib/nfs/{sm,v4recovery,nfsdcld}
		in_box "$n" touch /var/lib/nfs/{etab,rmtab,xtab}
	done

	title "nfs"
	check "without its storage: 1" result 1 a files nfs start "${set[@]}"
	note "$REASON"
	mount_at a && mkdir "$T/x" && in_box a mkdir -m 777 "$T/served/files"
	begins a files nfs "${set[@]}"
	check "a client mounts it" in_box c mount -t nfs4 \
	    -o vers=4.2,sec=sys $V4:/ "$T/client"
	in_box c mountpoint -q "$T/client" || return
	check "and writes" in_box c sh -c 'echo one > "$1/file" && sync' \
	    sh "$T/client"
	check "what it has written is on the disk" is \
	    "$(in_box a cat "$T/served/files/file")" one
	lock_holder &
	holder=$!
	check "it locks a file" wait_for 20 test -e "$T/lock.ready"
	check "nobody else can have the lock" locked_for b
	check "the record of clients is on the storage" in_box a test -s \
	    "$T/served/.nfs/main.sqlite"
	ends a files nfs "${set[@]}"
	check "nothing keeps the file system" umount_at a

	mount_at b
	check "start at b with the same record" result 0 b files nfs start \
	    "${set[@]}"
	note "start: $TOOK s"
	check "status" result 0 b files nfs status "${set[@]}"
	t=$(now_us)
	echo again > "$T/lock.go" &
	check "the client writes to the file that it has locked" wait_for 60 \
	    test -e "$T/lock.done"
	note "after $(since "$t") s"
	check "it is on the disk" is \
	    "$(in_box b cat "$T/served/files/locked")" again
	check "it has its lock yet" locked_for a
	check "the other file is there" is \
	    "$(in_box c cat "$T/client/file")" one
	pid=$(in_box b pgrep -x rpc.mountd)
	in_box b kill -KILL "$pid"
	check "rpc.mountd is killed: status 1" says 1 "does not run" \
	    b files nfs status "${set[@]}"
	check "start mends it" result 0 b files nfs start "${set[@]}"
	check "status: 0" result 0 b files nfs status "${set[@]}"
	echo end > "$T/lock.go"
	wait "$holder"
	check "the client unmounts it" in_box c umount "$T/client"
	ends b files nfs "${set[@]}"
	check "nothing keeps the file system" umount_at b
	losetup -d "$LOOP"
}

test_lio() {
	local name=iqn.2026-01.invalid.test:tank set me=iqn.2026-01.invalid.test:c
	local rw=("$TOOLS/iscsi_rw" "$me" "iscsi://192.0.2.1/$name/0")

	disk lio 16
	truncate -s 16M "$T/served/image"
	set=("TARGET=$name" "LUNS=0=$LOOP 1=$T/served/image" "INITIATORS=$me")

	title "lio"
	check "a disk is missing: 1" says 1 "there is no" a iscsi lio start \
	    "${set[@]}" "LUNS=0=$T/none"
	begins a iscsi lio "${set[@]}"
	check "a client writes" on c timeout 20 "${rw[@]}" write 0 hello
	check "and reads it" is "$(on c timeout 20 "${rw[@]}" read 0)" hello
	check "the file, too" on c timeout 20 "$TOOLS/iscsi_rw" "$me" \
	    "iscsi://192.0.2.1/$name/1" write 0 file
	check "it is on the disk" grep -q hello "$LOOP"
	check "others may not log in" not on c timeout 20 "$TOOLS/iscsi_rw" \
	    iqn.2026-01.invalid.test:x "iscsi://192.0.2.1/$name/0" read 0
	before=$(on c iscsi-inq -i "$me" -e 1 -c 0x80 "iscsi://192.0.2.1/$name/0")
	on c iscsi-readcapacity16 -i "$me" "iscsi://192.0.2.1/$name/0"
	echo 0 > "/sys/kernel/config/target/iscsi/$name/tpgt_1/enable"
	check "switched off by somebody: status 1" result 1 a iscsi lio \
	    status "${set[@]}"
	check "start mends it" result 0 a iscsi lio start "${set[@]}"
	check "the client reads" is "$(on c timeout 20 "${rw[@]}" read 0)" hello
	ends a iscsi lio "${set[@]}"
	check "nobody answers" not on c timeout 20 "${rw[@]}" read 0
	check "start at b" result 0 b iscsi lio start "${set[@]}"
	rw[2]=iscsi://192.0.2.2/$name/0
	check "the client reads what is there" is \
	    "$(on c timeout 20 "${rw[@]}" read 0)" hello
	after=$(on c iscsi-inq -i "$me" -e 1 -c 0x80 "${rw[2]}")
	check "it is the same disk" is "$after" "$before"
	ends b iscsi lio "${set[@]}"
	check "a password" eval '(umask 077; echo secret-secret > "$T/pw")
	    result 0 b iscsi lio start "${set[@]}" CHAP_USER=user \
	    "CHAP_PASSWORD_FILE=$T/pw"'
	check "without it nobody logs in" not on c timeout 20 "${rw[@]}" read 0
	rw[2]=iscsi://user%secret-secret@192.0.2.2/$name/0
	check "with it the client does" is \
	    "$(on c timeout 20 "${rw[@]}" read 0)" hello
	ends b iscsi lio "${set[@]}"
	(umask 077; echo NULLnull > "$T/pw")
	check "a password that the kernel takes for none: 2" says 2 \
	    "begins with NULL" b iscsi lio start "${set[@]}" CHAP_USER=user \
	    "CHAP_PASSWORD_FILE=$T/pw"
	losetup -d "$LOOP"
}

for c in ${CASES:-lio nfs}; do
	"test_$c"
done
finish
