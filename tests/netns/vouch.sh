#!/bin/bash
# SPDX-License-Identifier: ISC
# The library's hosts that move together: one of them is demoted by order, and
# the others of that node say at once that they are well, so that nobody takes
# their silence for the loss of their link.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

DRIVER=$TOOLS/engine_driver
[ -x "$DRIVER" ] || skip "$DRIVER is missing: run make first"

node hub a b
for i in 0 1; do
	segment lan$i
	plug a lan$i eth$i 10.$i.0.1/24
	plug b lan$i eth$i 10.$i.0.2/24
done

declare -A TO=()
run() {
	local fd
	mkfifo "$T/$1/in"
	exec {fd}<> "$T/$1/in"
	TO[$1]=$fd
	enter "$1" "$DRIVER" < "$T/$1/in" > "$T/$1/log" 2>&1 &
	PID[$1]=$!
	wait_for 5 grep -q ready "$T/$1/log" || fail "the engine on $1 does not start"
}
tell() {
	local n=$1
	shift
	printf '%s\n' "$*" >&"${TO[$n]}"
}
changes() {
	grep -c "state $2 $3:" "$T/$1/log"
}
became() {
	[ "$(changes "$1" "$2" "$3")" -gt 0 ]
}
adverts() {
	awk '/vrid 10, prio 0/ { n++ } END { print n + 0 }' "$T/packets"
}

for n in a b; do
	run $n
	skew=$([ $n = a ] && echo 0 || echo 100)
	for i in 0 1; do
		tell $n "group eth$i 0"
		tell $n "add eth$i $((i * 10 + 10)) addr=10.$i.0.100/24 base=1" \
		    "skew=$skew lease=off together"
	done
	[ $n = b ] || wait_for 6 became a 'eth1 20' 'BACKUP MASTER'
done
check "b is backup of both" wait_for 3 eval \
    "became b 'eth0 10' 'INIT BACKUP' && became b 'eth1 20' 'INIT BACKUP'"
capture b "$T/packets" 'ip proto 112'
check "an advertisement is heard" wait_for 3 eval '[ "$(adverts)" -gt 0 ]'
sleep 0.2
n=$(adverts)
tell a "hdemote eth1 20 test 240"
check "b takes over the one that is demoted" wait_for 0.5 became b 'eth1 20' \
    'BACKUP MASTER'
check "the other one has said at once that it is well" wait_for 0.5 eval \
    "[ \"\$(adverts)\" -gt $n ]"
check "and stays" always 2 not became b 'eth0 10' 'BACKUP MASTER'
unplug a eth0
check "but the loss of its link moves it" wait_for 6 became b 'eth0 10' \
    'BACKUP MASTER'
capture_stop
for n in a b; do
	tell $n quit
	check "$n ends cleanly" wait_for 5 gone "${PID[$n]}"
done
finish
