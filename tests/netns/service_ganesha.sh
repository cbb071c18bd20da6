#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `ganesha`, with Debian's nfs-ganesha and libnfs as the client: files
# and the record of clients move from node to node with the storage.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

for tool in ganesha.nfsd nfs-cat nfs-cp; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
usual_net
box a b
LOOP=
trap '[ -z "$LOOP" ] || losetup -d "$LOOP"' EXIT
truncate -s 64M "$T/image"
LOOP=$(losetup -f --show "$T/image" 2>/dev/null) && mkfs.ext4 -q "$LOOP" ||
    skip "no loop device here"

# storage NODE on|off: the shared disk, in the node's own mounts.
storage() {
	case $2 in
	on) in_box "$1" mount "$LOOP" "$SERVED" ;;
	off) in_box "$1" umount "$SERVED" ;;
	esac
}

LIMIT=30
usual=(STATE="$SERVED/ganesha" EXPORTS="/tank=$SERVED/files" GRACE=2 LEASE=2
    SQUASH=no_root_squash)

# What the client asks for, again until the time of grace is over.
reads() {
	on c timeout 10 nfs-cat "nfs://$1/tank/there?version=4" 2> "$T/nfs"
}
writes() {
	on c timeout 10 nfs-cp "$T/sent" "nfs://$1/tank/$2?version=4" \
	    > "$T/nfs" 2>&1
}

title "start, and what is offered"
storage a on
in_box a mkdir "$SERVED/files"
check "status: it does not run" result 3 a n ganesha status "${usual[@]}"
check "start" result 0 a n ganesha start "${usual[@]}"
note "which took $TOOK s"
check "status: it runs" result 0 a n ganesha status "${usual[@]}"
check "start again does nothing" result 0 a n ganesha start "${usual[@]}"
echo "from the client" > "$T/sent"
begin=$(now_us)
check "a client writes, when the time of grace is over" \
    wait_for 30 writes 192.0.2.1 there
note "$(since "$begin") s later"
check "it is on the shared disk" \
    is "$(in_box a cat "$SERVED/files/there")" "from the client"
check "and can be read" is "$(reads 192.0.2.1)" "from the client"
check "the record of clients is on the shared disk" \
    in_box a test -d "$SERVED/ganesha"
check "verify: it is still there" says 1 "still runs: ganesha.nfsd" \
    a n ganesha verify "${usual[@]}"
check "stop" result 0 a n ganesha stop "${usual[@]}"
note "which took $TOOK s"
check "stop again" result 0 a n ganesha stop "${usual[@]}"
check "verify: gone" result 0 a n ganesha verify "${usual[@]}"
check "status: it does not run" result 3 a n ganesha status "${usual[@]}"
check "no ganesha, no port" eval "not in_box a pgrep ganesha &&
    [ -z \"\$(on a ss -Hltn)\" ]"
check "nothing holds the disk any more" storage a off

title "the other node"
storage b on
check "start" result 0 b n ganesha start "${usual[@]}"
check "what was written is there" wait_for 30 \
    eval '[ "$(reads 192.0.2.2)" = "from the client" ]'
in_box b pkill -KILL ganesha
check "it is killed: status says not running" \
    wait_for 5 result 3 b n ganesha status "${usual[@]}"
check "start" result 0 b n ganesha start "${usual[@]}"
check "a client writes" wait_for 30 writes 192.0.2.2 again
crash_box b
storage a on
check "the node fails: start on the other" \
    result 0 a n ganesha start "${usual[@]}"
check "what was written is there" \
    is "$(in_box a cat "$SERVED/files/again")" "from the client"
check "a client writes" wait_for 30 writes 192.0.2.1 more
check "stop" result 0 a n ganesha stop "${usual[@]}"

title "who may"
check "start for one other" result 0 a n ganesha start "${usual[@]}" \
    CLIENTS=192.0.2.77
sleep 3
check "this one may not read" not is "$(reads 192.0.2.1)" "from the client"
check "stop" result 0 a n ganesha stop "${usual[@]}"
check "start for this network" result 0 a n ganesha start "${usual[@]}" \
    CLIENTS=192.0.2.0/24
check "this one may read" wait_for 30 \
    eval '[ "$(reads 192.0.2.1)" = "from the client" ]'
check "a second one on the same port is refused" says 1 "another program" \
    a y ganesha start "${usual[@]}"
check "stop" result 0 a n ganesha stop "${usual[@]}"

title "mistakes"
check "no STATE" says 2 "STATE is missing" a x ganesha start
check "no exports" says 2 "EXPORTS is missing" a x ganesha start STATE=/x/y
check "bad exports" says 2 "EXPORTS: tank" a x ganesha start STATE=/x/y \
    EXPORTS=tank=/x
check "bad times" says 2 "GRACE=soon" a x ganesha start "${usual[@]}" GRACE=soon
check "a lease with which grace never ends" says 2 "LEASE=1" a x ganesha start \
    "${usual[@]}" LEASE=1
check "the storage is not there" says 1 "is its storage there" \
    a x ganesha start STATE=/nowhere/y EXPORTS=/a=/b
echo "EXPORT { half" > "$T/bad.conf"
check "a configuration that it refuses" says 1 "ended while it was starting" \
    a x ganesha start "${usual[@]}" CONFIG="$T/bad.conf"
check "nothing runs after all that" result 3 a x ganesha status "${usual[@]}"
finish
