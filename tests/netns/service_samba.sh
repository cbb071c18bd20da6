#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `samba`, with Debian's smbd and smbclient: users and files move from
# node to node with the storage.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

for tool in smbd smbclient testparm smbpasswd; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
usual_net
box a b
mkdir -p "$SERVED/files" && chmod 777 "$SERVED/files"
usual=(STATE="$SERVED/samba" NAME=STORAGE SHARES="files=$SERVED/files")

# smb ADDRESS COMMANDS: as joe.
smb() {
	on c timeout 10 smbclient "//$1/files" -U "${WHO:-root%one two}" \
	    --option="lock directory=$T/c" --option="state directory=$T/c" \
	    --option="cache directory=$T/c" --option="private dir=$T/c" \
	    -s /dev/null -c "$2" > "$T/smb" 2>&1
}

title "start, and what is offered"
check "status: it does not run" result 3 a s samba status "${usual[@]}"
check "start" result 0 a s samba start "${usual[@]}"
note "which took $TOOK s"
check "status: it runs" result 0 a s samba status "${usual[@]}"
note "which took $TOOK s"
check "start again does nothing" result 0 a s samba start "${usual[@]}"
printf 'one two\none two\n' | in_box a smbpasswd -s -a \
    -c "$T/a/resources/s/smb.conf" root > "$T/passwd" 2>&1 ||
    note "$(cat "$T/passwd")"
echo "from the client" > "$T/sent"
check "a client writes a file" smb 192.0.2.1 "put $T/sent there"
check "it is in the shared storage" cmp -s "$T/sent" "$SERVED/files/there"
WHO=root%wrong
check "with another password it may not" not smb 192.0.2.1 "ls"
WHO=
check "the machine's own directories were not touched" \
    eval '[ -z "$(find /var/lib/samba /var/cache/samba /run/samba \
	-newer "$T/passwd" -type f 2>/dev/null)" ]'

title "stop, with a client in the middle"
mkfifo "$T/pipe"
on c smbclient "//192.0.2.1/files" -U "root%one two" -s /dev/null \
    --option="lock directory=$T/c" --option="state directory=$T/c" \
    --option="cache directory=$T/c" --option="private dir=$T/c" \
    < "$T/pipe" > "$T/smb" 2>&1 &
exec 6> "$T/pipe"
connected() {
	[ -n "$(on a ss -Htn state established sport = :445)" ]
}
check "a client is connected" wait_for 5 connected
check "verify: it is still there" says 1 "still runs: smbd" \
    a s samba verify "${usual[@]}"
check "stop" result 0 a s samba stop "${usual[@]}"
note "which took $TOOK s"
check "no connection is left" not connected
exec 6>&-
check "status: it does not run" result 3 a s samba status "${usual[@]}"
check "verify: gone" result 0 a s samba verify "${usual[@]}"
check "stop again" result 0 a s samba stop "${usual[@]}"
check "no smbd" not in_box a pgrep -x smbd

title "the other node"
check "start" result 0 b s samba start "${usual[@]}"
check "the user is known, and the file is there" \
    smb 192.0.2.2 "get there $T/got"
check "as it was written" cmp -s "$T/sent" "$T/got"
in_box b pkill -KILL -x smbd
check "all of smbd is killed: status says not running" \
    wait_for 2 result 3 b s samba status "${usual[@]}"
check "start" result 0 b s samba start "${usual[@]}"
check "a client writes" smb 192.0.2.2 "put $T/sent again"
crash_box b
check "the node fails: start on the other" \
    result 0 a s samba start "${usual[@]}"
check "the file is there" cmp -s "$T/sent" "$SERVED/files/again"
check "stop" result 0 a s samba stop "${usual[@]}"

title "mistakes"
check "no STATE" says 2 "STATE is missing" a x samba start
check "no NAME" says 2 "NAME is missing" a x samba start STATE=/x
check "no shares" says 2 "SHARES is missing" a x samba start STATE=/x/y NAME=x
check "bad shares" says 2 "SHARES: a=b" a x samba start STATE=/x/y NAME=x \
    SHARES=a=b
check "one that smbd takes for something else" says 2 "SHARES: Global=/b" \
    a x samba start STATE=/x/y NAME=x SHARES="a=/b Global=/b"
check "a bad port" says 2 "PORT=70000" a x samba start STATE=/x/y NAME=x \
    SHARES=a=/b PORT=70000
check "a name that does not fit" says 2 "at most 15" a x samba start \
    STATE=/x/y NAME=x123456789012345 SHARES=a=/b
check "the storage is not there" says 1 "is its storage there" a x samba start \
    STATE=/nowhere/y NAME=x SHARES=a=/b
echo "no such option = 1
[half" > "$T/bad.conf"
check "a configuration that testparm refuses" says 2 testparm a x samba start \
    "${usual[@]}" CONFIG="$T/bad.conf"
check "nothing runs after all that" result 3 a x samba status "${usual[@]}"
check "start" result 0 a s samba start "${usual[@]}"
check "a second one on the same port is refused" says 1 "another program" \
    a y samba start "${usual[@]}" STATE="$SERVED/samba2"
check "stop" result 0 a s samba stop "${usual[@]}"
finish
