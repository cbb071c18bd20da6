#!/bin/bash
# SPDX-License-Identifier: ISC
# A backup that is frozen and wakes late: what waited for it is read before it
# acts, so it never announces while a master advertises; and a bow-out that
# others have answered meanwhile, or that is old, is no reason.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

command -v tcpdump >/dev/null || skip "tcpdump is not installed"

usual_net
mac=$(ip -n b -j link show eth0 | jq -r '.[0].address')
# What b must not say: an advertisement, or that the address is there.
OF_B="(ip proto 112 and src host 192.0.2.2) or
    (arp and ether src $mac and arp[14:4] = 0xc0000264)"

for n in a b; do
	usual_conf $n "$([ $n = a ] && echo 0 || echo 100)" "\"$V4/24\""
done

# All of carpd there, so that neither half misses the other.
freeze() {
	stopped=("$(supervisor "$1")" "$(engine "$1")")
	kill -STOP "${stopped[@]}"
}

thaw() {
	kill -CONT "${stopped[@]}"
}

never_master() {
	capture_stop
	check "b has announced nothing" is "$(cat "$T/said")" ""
	check "b has never become master" is \
	    "$(show b 10 .counters.preempt)" "$before"
}

begin() {
	before=$(show b 10 .counters.preempt)
	capture c "$T/said" "$OF_B"
}

start a
check "a is master" wait_for 6 state_is a 10 MASTER
start b
check "b is backup" wait_for 3 state_is b 10 BACKUP

title "frozen for 10 s while the master advertises"
begin
freeze b
sleep 10
thaw
check "b is awake" wait_for 5 answers b
check "b stays backup for more than its time-out" always 4 not \
    state_is b 10 MASTER
never_master

title "frozen while the master leaves, and returns"
begin
freeze b
kill -TERM "${PID[a]}"
check "a is gone" wait_for 5 gone "${PID[a]}"
wait "${PID[a]}" 2>/dev/null
start a
check "a is master again" wait_for 6 state_is a 10 MASTER
sleep 1.2
thaw
check "b is awake" wait_for 5 answers b
check "b stays backup for more than its time-out" always 4 not \
    state_is b 10 MASTER
never_master

title "frozen while the master leaves for good"
begin
freeze b
kill -TERM "${PID[a]}"
check "a is gone" wait_for 5 gone "${PID[a]}"
wait "${PID[a]}" 2>/dev/null
sleep 3
woken=$(now_us)
thaw
check "b takes over" wait_for 8 state_is b 10 MASTER
waited=$(since "$woken")
note "after $waited s"
check "but not before its time-out" less 3 "$waited"
check "and then it is seen to announce" wait_for 2 eval \
    'grep -q ARP "$T/said" && grep -q 192.0.2.2 "$T/said"'
capture_stop
check "for it has heard nobody" eval \
    'show b 10 .cause 2>/dev/null | grep -q "no master"'

title "awake when the master leaves"
start a
check "a is backup" wait_for 6 state_is a 10 BACKUP
began=$(now_us)
kill -TERM "${PID[b]}"
check "a takes over" wait_for 3 state_is a 10 MASTER
note "after $(since "$began") s"
check "at once" less "$(since "$began")" 1.5

finish
