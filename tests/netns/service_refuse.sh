#!/bin/bash
# SPDX-License-Identifier: ISC
# The hooks `lio`, `nfs` and `systemd` where the kernel or the machine has not
# what they need: they say so, and change nothing.  The whole of them cannot be
# tried without.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

node hub a
box a
mkdir -p "$SERVED/files"
touch "$SERVED/disk"

title "lio"
usual=(TARGET=iqn.2026-01.org.example:tank LUNS="1=$SERVED/disk"
    INITIATORS=ALL)
if [ -d /sys/kernel/config/target ]; then
	note "this kernel has LIO: what it says without is not tried"
else
	check "start: the kernel has none" says 5 "modprobe iscsi_target_mod" \
	    a l lio start "${usual[@]}"
fi
check "status: it does not run" result 3 a l lio status "${usual[@]}"
check "stop: nothing to do" result 0 a l lio stop "${usual[@]}"
check "verify: not there" result 0 a l lio verify "${usual[@]}"
check "no target" says 2 "TARGET is missing" a l lio start
check "a bad one" says 2 "in lower case" a l lio start TARGET=iqn.X:y
check "bad disks" says 2 "LUNS: one=/x" a l lio start "${usual[@]}" LUNS=one=/x
check "nobody may log in" says 2 "INITIATORS is missing" a l lio start \
    "${usual[@]}" INITIATORS=
check "an address is no name" says 2 "INITIATORS: 192.0.2.1" a l lio start \
    "${usual[@]}" INITIATORS=192.0.2.1
check "bad portals" says 2 "PORTALS: here" a l lio start "${usual[@]}" \
    PORTALS=here
check "a bad cache" says 2 "WRITE_CACHE=maybe" a l lio start "${usual[@]}" \
    WRITE_CACHE=maybe
check "a name that the kernel takes for none" says 2 "begins with NULL" \
    a l lio start "${usual[@]}" CHAP_USER=NULL

title "nfs"
if command -v rpc.nfsd >/dev/null && command -v nfsdcld >/dev/null; then
	usual=(EXPORTS="192.0.2.0/24:$SERVED/files" STATE="$SERVED/nfs")
	if grep -qw nfsd /proc/filesystems; then
		note "this kernel has nfsd: what it says without is not tried"
	else
		check "start: the kernel has none" says 5 "modprobe nfsd" \
		    a n nfs start "${usual[@]}"
		check "no directory was made" not test -e "$SERVED/nfs"
		check "nothing was exported" not grep -qs "$SERVED" \
		    /var/lib/nfs/etab
	fi
	check "status: it does not run" result 3 a n nfs status "${usual[@]}"
	check "stop: nothing to do" result 0 a n nfs stop "${usual[@]}"
	check "verify: not there" result 0 a n nfs verify "${usual[@]}"
	check "no exports" says 2 "EXPORTS is missing" a n nfs start
	check "no STATE" says 2 "STATE is missing" a n nfs start \
	    "${usual[@]}" STATE=
	check "bad exports" says 2 "EXPORTS: /srv" a n nfs start \
	    "${usual[@]}" EXPORTS=/srv
	check "async is refused" says 2 "write sync" a n nfs start \
	    "${usual[@]}" OPTIONS=rw,async
	check "a time that the kernel refuses" says 2 "10 to 3600" a n nfs \
	    start "${usual[@]}" GRACE=5
	check "bad threads" says 2 "THREADS=many" a n nfs start "${usual[@]}" \
	    THREADS=many
else
	usual=(EXPORTS="192.0.2.0/24:$SERVED/files" STATE="$SERVED/nfs")
	check "it is not installed" says 5 "apt-get install" a n nfs start \
	    "${usual[@]}"
fi

title "systemd"
check "no unit" says 2 "UNIT is missing" a s systemd start
check "what kind of unit" says 2 "write nginx.service" a s systemd start \
    UNIT=nginx
check "no name of a unit" says 2 "not the name" a s systemd start \
    UNIT="--now.service"
in_box a mkdir -p /run/systemd
check "systemd does not run, or is not installed" says 5 systemd a s systemd \
    status UNIT=nginx.service
finish
