#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `iscsi-tgt`, with Debian's tgtd and libiscsi as the client: what it
# offers, who may log in, that writes are on the disk, and how soon clients see
# the end.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

for tool in tgtd tgtadm iscsi-inq iscsi-ls; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
[ -x "$TOOLS/iscsi_rw" ] || skip "$TOOLS/iscsi_rw is missing: run make check"

usual_net
box a b
for n in a b; do
	address $n eth0 $V4/24 && ip -n $n addr del $V4/24 dev eth0
done
truncate -s 64M "$SERVED/one" "$SERVED/two"
NAME=iqn.2026-01.org.example:tank
ME=iqn.2026-01.org.example:client
usual=(TARGET="$NAME" LUNS="1=$SERVED/one 2=$SERVED/two" INITIATORS=ALL)

# rw NODE-ADDRESS LUN VERB...
rw() {
	local host=$1 lun=$2
	shift 2
	on c timeout 10 "$TOOLS/iscsi_rw" $ME \
	    "iscsi://${CHAP:+$CHAP@}$host/$NAME/$lun" "$@" 2> "$T/rw.err"
}

# tgtd NODE: its number, as the whole test sees it.
tgtd_of() {
	grep -lsxzF "CARPD_OWNER=$(cat "$T/$1/resources/t/owner")" \
	    /proc/[0-9]*/environ |
	    cut -d / -f 3 | head -n 1
}

title "start, and what is offered"
check "status: it does not run" result 3 a t iscsi-tgt status "${usual[@]}"
check "start" result 0 a t iscsi-tgt start "${usual[@]}"
note "which took $TOOK s"
check "status: it runs" result 0 a t iscsi-tgt status "${usual[@]}"
note "which took $TOOK s"
check "start again does nothing" result 0 a t iscsi-tgt start "${usual[@]}"
check "one tgtd" is "$(in_box a pgrep -c -x tgtd)" 1
check "the client writes" rw 192.0.2.1 1 write 7 "seven on one"
check "it reads it again" is "$(rw 192.0.2.1 1 read 7)" "seven on one"
check "the other disk is another" rw 192.0.2.1 2 write 7 "seven on two"
check "what was written is in the file" \
    grep -q "seven on one" "$SERVED/one"
check "the disk says that it caches no writes" \
    is "$(rw 192.0.2.1 1 caching)" "write cache off"
files=$(find "/proc/$(tgtd_of a)/fd" -lname "$SERVED/one")
flags=$(awk '/^flags/ { print $2 }' "/proc/$(tgtd_of a)/fdinfo/${files##*/}")
check "and tgtd writes with O_SYNC" [ $((flags & 04010000)) = $((04010000)) ]
check "it listens where it should and nowhere else" is "$(on a ss -Hltn |
    awk '{ print $4 }' | sort | tr '\n' ' ')" "0.0.0.0:3260 [::]:3260 "
check "a client by IPv6" is "$(rw '[2001:db8::1]' 1 read 7)" "seven on one"
inquiry=$(on c iscsi-inq "iscsi://192.0.2.1/$NAME/1" 2>/dev/null;
    on c iscsi-inq -e 1 -c 131 "iscsi://192.0.2.1/$NAME/1" 2>/dev/null;
    on c iscsi-inq -e 1 -c 128 "iscsi://192.0.2.1/$NAME/1" 2>/dev/null)

title "stop: the client sees it at once, with the address still there"
ip -n a addr add $V4/24 dev eth0
enter c "$TOOLS/iscsi_rw" $ME "iscsi://$V4/$NAME/1" wait 20 \
    > "$T/waiter" 2>&1 &
check "a client is logged in" wait_for 5 grep -q in "$T/waiter"
check "verify: it is still there" says 1 "still runs: tgtd" \
    a t iscsi-tgt verify "${usual[@]}"
before=$(awk '{ print $1 }' /proc/uptime)
check "stop" result 0 a t iscsi-tgt stop "${usual[@]}"
note "which took $TOOK s"
check "the client has seen it" wait_for 10 grep -q end "$T/waiter"
pause=$(awk -v b="$before" '/^end/ { printf "%.2f", $2 - b }' "$T/waiter")
note "$pause s after the stop was ordered"
check "within the second" less "${pause:-99}" 1
check "status: it does not run" result 3 a t iscsi-tgt status "${usual[@]}"
check "verify: gone" result 0 a t iscsi-tgt verify "${usual[@]}"
check "stop again" result 0 a t iscsi-tgt stop "${usual[@]}"
check "no tgtd, no port" eval "not in_box a pgrep -x tgtd > /dev/null &&
    [ -z \"\$(on a ss -Hltn)\" ]"
ip -n a addr del $V4/24 dev eth0

title "the other node: the same disk to a client"
check "start on b, with another address bound before it is there" \
    says 1 "ip_nonlocal_bind" b t iscsi-tgt start "${usual[@]}" PORTALS=$V4
check "and nothing is left of it" result 0 b t iscsi-tgt verify "${usual[@]}"
on b tee /proc/sys/net/ipv4/ip_nonlocal_bind >/dev/null <<< 1
check "start on b after ip_nonlocal_bind = 1" \
    result 0 b t iscsi-tgt start "${usual[@]}" PORTALS=$V4
ip -n b addr add $V4/24 dev eth0
on c ip neigh flush all
check "what a wrote is there" is "$(rw $V4 1 read 7)" "seven on one"
check "it listens on that address only" is "$(on b ss -Hltn |
    awk '{ print $4 }')" "$V4:3260"
check "name, serial number and identity are the same" is "$(
    on c iscsi-inq "iscsi://$V4/$NAME/1" 2>/dev/null
    on c iscsi-inq -e 1 -c 131 "iscsi://$V4/$NAME/1" 2>/dev/null
    on c iscsi-inq -e 1 -c 128 "iscsi://$V4/$NAME/1" 2>/dev/null)" "$inquiry"
check "a disk of another number has another" not is \
    "$(on c iscsi-inq -e 1 -c 128 "iscsi://$V4/$NAME/2" 2>/dev/null)" \
    "$(on c iscsi-inq -e 1 -c 128 "iscsi://$V4/$NAME/1" 2>/dev/null)"
naa=$(on c iscsi-inq -e 1 -c 131 "iscsi://$V4/$NAME/1" 2>/dev/null |
    tr -d '\0' | grep -a -A 4 'NAA' | md5sum)
check "another target: start" result 0 a u iscsi-tgt start \
    TARGET=$NAME.two LUNS="1=$SERVED/one" INITIATORS=ALL
check "its disk 1 has other names than ours" not is \
    "$(on c iscsi-inq -e 1 -c 131 "iscsi://192.0.2.1/$NAME.two/1" 2>/dev/null |
    tr -d '\0' | grep -a -A 4 'NAA' | md5sum)" "$naa"
check "stop" result 0 a u iscsi-tgt stop \
    TARGET=$NAME.two LUNS="1=$SERVED/one" INITIATORS=ALL
kill -KILL "$(tgtd_of b)"
check "tgtd is killed: status says not running" \
    wait_for 2 result 3 b t iscsi-tgt status "${usual[@]}" PORTALS=$V4
check "start" result 0 b t iscsi-tgt start "${usual[@]}" PORTALS=$V4
adm() {
	in_box b env TGT_IPC_SOCKET="$T/b/resources/t/tgtd" tgtadm --lld iscsi "$@"
}
adm --mode logicalunit --op delete --lun 2 --tid \
    "$(adm --mode target --op show | sed -n 's/^Target \([0-9]*\):.*/\1/p')"
check "a disk is lost: status names it" says 1 "2=$SERVED/two" \
    b t iscsi-tgt status "${usual[@]}" PORTALS=$V4
check "start mends it" result 0 b t iscsi-tgt start "${usual[@]}" PORTALS=$V4
check "stop" result 0 b t iscsi-tgt stop "${usual[@]}" PORTALS=$V4

title "who may log in"
one=(TARGET="$NAME" LUNS="1=$SERVED/one")
check "by name: start" result 0 a t iscsi-tgt start "${one[@]}" INITIATORS=$ME
check "that one may" is "$(rw 192.0.2.1 1 read 7)" "seven on one"
check "another may not" not on c timeout 10 "$TOOLS/iscsi_rw" \
    iqn.2026-01.org.example:other "iscsi://192.0.2.1/$NAME/1" read 7 2>/dev/null
hook a t iscsi-tgt stop "${one[@]}" INITIATORS=$ME
check "by address: start" result 0 a t iscsi-tgt start "${one[@]}" \
    INITIATORS=192.0.2.77
check "another address may not" not rw 192.0.2.1 1 read 7 2>/dev/null
hook a t iscsi-tgt stop "${one[@]}" INITIATORS=192.0.2.77
check "by address: start" result 0 a t iscsi-tgt start "${one[@]}" \
    INITIATORS="192.0.2.9 192.0.2.77"
check "this one may" is "$(rw 192.0.2.1 1 read 7)" "seven on one"
hook a t iscsi-tgt stop "${one[@]}" INITIATORS=192.0.2.9
(umask 077; echo "a long password" > "$T/chap")
chap=("${one[@]}" INITIATORS=ALL CHAP_USER=joe CHAP_PASSWORD_FILE="$T/chap")
check "by password: start" result 0 a t iscsi-tgt start "${chap[@]}"
check "without it: no" not rw 192.0.2.1 1 read 7 2>/dev/null
CHAP="joe%wrong password!"
check "with another: no" not rw 192.0.2.1 1 read 7 2>/dev/null
CHAP="joe%a long password"
check "with it: yes" is "$(rw 192.0.2.1 1 read 7)" "seven on one"
CHAP=
hook a t iscsi-tgt stop "${chap[@]}"
chmod 644 "$T/chap"
check "a password that others can read is refused" says 2 "chmod 600" \
    a t iscsi-tgt start "${chap[@]}"
check "without the file it asks for an unlock" \
    says 1 "carpctl failover unlock t" a t iscsi-tgt start "${one[@]}" \
    INITIATORS=ALL CHAP_USER=joe

title "other ways to write"
check "with a cache: start" result 0 a t iscsi-tgt start "${one[@]}" \
    INITIATORS=ALL WRITE_CACHE=on
check "the disk says so" is "$(rw 192.0.2.1 1 caching)" "write cache on"
hook a t iscsi-tgt stop "${one[@]}" INITIATORS=ALL
check "without the page cache: start" result 0 a t iscsi-tgt start \
    "${one[@]}" INITIATORS=ALL DIRECT=yes
check "write" rw 192.0.2.1 1 write 8 "eight"
check "read" is "$(rw 192.0.2.1 1 read 8)" "eight"
hook a t iscsi-tgt stop "${one[@]}" INITIATORS=ALL

title "a tgtd that runs already"
in_box a mkdir -p /run/tgtd
in_box a tgtd -f -C 5 > "$T/a/tgtd" 2>&1 &
shared=("${one[@]}" INITIATORS=ALL CONTROL=5)
check "start" wait_for 5 result 0 a t iscsi-tgt start "${shared[@]}"
check "it serves" is "$(rw 192.0.2.1 1 read 8)" "eight"
check "status" result 0 a t iscsi-tgt status "${shared[@]}"
check "verify: still there" says 1 "still has $SERVED/one open" \
    a t iscsi-tgt verify "${shared[@]}"
enter c "$TOOLS/iscsi_rw" $ME "iscsi://192.0.2.1/$NAME/1" wait 20 \
    > "$T/waiter" 2>&1 &
check "a client is logged in" wait_for 5 grep -q in "$T/waiter"
before=$(awk '{ print $1 }' /proc/uptime)
tgtd=$(in_box a pgrep -x tgtd)
in_box a kill -STOP "$tgtd"
check "it hangs: stop does not say that it has stopped" \
    says 1 "does not answer" a t iscsi-tgt stop "${shared[@]}"
check "nor does status say that it does not run" \
    says 4 "does not answer" a t iscsi-tgt status "${shared[@]}"
in_box a kill -CONT "$tgtd"
check "stop" result 0 a t iscsi-tgt stop "${shared[@]}"
check "the client sees the end" wait_for 10 grep -q end "$T/waiter"
note "after $(awk -v b="$before" '/^end/ { printf "%.2f", $2 - b }' \
    "$T/waiter") s"
check "verify: gone" result 0 a t iscsi-tgt verify "${shared[@]}"
check "status: not running" result 3 a t iscsi-tgt status "${shared[@]}"
check "that tgtd still runs" is "$(in_box a pgrep -c -x tgtd)" 1

title "mistakes"
check "no target" says 2 "TARGET is missing" a x iscsi-tgt start
check "a bad one" says 2 "TARGET=disk" a x iscsi-tgt start TARGET=disk
check "bad disks" says 2 "LUNS: 0=/x" a x iscsi-tgt start TARGET=$NAME \
    LUNS=0=/x INITIATORS=ALL
check "nobody may log in" says 2 "INITIATORS is missing" a x iscsi-tgt start \
    TARGET=$NAME LUNS=1=/x
check "bad portals" says 2 "PORTALS: 192.0.2.1:x" a x iscsi-tgt start \
    "${usual[@]}" PORTALS=192.0.2.1:x
check "portals of a tgtd that has them" says 2 "CONTROL" a x iscsi-tgt start \
    "${usual[@]}" PORTALS=192.0.2.1 CONTROL=5
check "no disk there" says 1 "is its storage there" a x iscsi-tgt start \
    TARGET=$NAME LUNS=1=/nowhere/x INITIATORS=ALL
check "no tgtd there" says 1 "no tgtd answers" a x iscsi-tgt start \
    "${usual[@]}" CONTROL=6
check "nothing runs after all that" result 3 a x iscsi-tgt status "${usual[@]}"
check "tgt is not installed" says 5 "apt-get install tgt" a x iscsi-tgt status \
    "${usual[@]}" PATH=/bin/nowhere
finish
