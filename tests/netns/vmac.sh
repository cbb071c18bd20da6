#!/bin/bash
# SPDX-License-Identifier: ISC
# virtual-mac = true: the addresses wait at the backup, nobody answers there,
# and a takeover moves them without any client learning anything; also after
# crashes, frozen, reloaded.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

for tool in arping nft; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
nft add table inet carptest 2>/dev/null || skip "no nf_tables here"
nft delete table inet carptest

VMAC=00:00:5e:00:01:0a
usual_net

both() {
	usual_conf a 0 "$1" "virtual-mac = true" "preempt = true"
	usual_conf b 100 "$1" "virtual-mac = true" "preempt = true"
}
link_of() { # the macvlan at NODE
	ip -n "$1" -j link show | jq -r '.[].ifname' | grep '^carp10\.'
}
link_is() { # NODE up|down
	local l
	l=$(link_of "$1") || return 1
	if ip -n "$1" link show dev "$l" | grep -q '[<,]UP[,>]'; then
		is up "$2"
	else
		is down "$2"
	fi
}
ready_is() {
	is "$(host_get "$1" 10 ready)" "$2"
}
waits() { # NODE N: it has the addresses, and is as if it had not
	check "$1: $2 addresses wait" wait_for 3 eval \
	    "[ \"\$(host_get $1 10 ready)\" = $2 ]"
	check "$1: the link is down" wait_for 2 link_is "$1" down
	check "$1: no local route" is "" \
	    "$(ip -n "$1" route show table local dev "$(link_of "$1")")"
	check "$1: none of IPv6" is "" \
	    "$(ip -n "$1" -6 route show table local dev "$(link_of "$1")")"
}
# Both nodes hear the question.
answers_arp() {
	is "$(on c arping -c 3 -w 3 -I eth0 $V4 |
	    grep -oiE '([0-9a-f]{2}:){5}[0-9a-f]{2}' | sort -u |
	    tr '[:upper:]' '[:lower:]')" $VMAC
}
client_knows() {
	is "$(ip -n c -j neigh show $V4 | jq -r '.[0].lladdr')" $VMAC
}

both "\"$V4/24\", \"$V6/64\""
title "one is master, the other waits"
start a
check "a is master" wait_for 5 state_is a 10 MASTER
start b
check "b is backup" wait_for 5 state_is b 10 BACKUP
check "the lease is the guard" is "$(show a 10 .lease.kind)" guard
waits b 2
check "a: its link is up" link_is a up
check "a: both are installed" is "$(host_get a 10 installed)" 2
check "a: none waits" ready_is a 0
check "b: none is installed" is "$(host_get b 10 installed)" 0
check "the client reaches IPv4" wait_for 2 reach c $V4
check "and IPv6" wait_for 2 reach c $V6
check "by the virtual MAC" client_knows
check "b reaches the master by IPv4" reach b $V4
check "and by IPv6" reach b $V6
check "the virtual MAC answers ARP" answers_arp

# What the machine itself did not cost.
remember_lost() {
	local own=$(($(probe_get 4 lost) - STALLED))

	[ $((own > 0 ? own : 0)) -ge "$fewest" ] || fewest=$((own > 0 ? own : 0))
}

# a goes down by itself, and the kernel takes 10 ms and more for its link: the
# other has to hear of it before.
title "hand-over and return, three times"
fewest=999
for _ in 1 2 3; do
	probe_start 4 c $V4
	probe_start 6 c $V6
	stall_start c
	sleep 0.3
	stop a
	check "b is master" wait_for 2 state_is b 10 MASTER
	check "b: its link is up" link_is b up
	check "the client reaches IPv4" wait_for 1 reach c $V4
	check "and IPv6" wait_for 1 reach c $V6
	check "the client has learned nothing" client_knows
	start a
	check "a is master again" wait_for 6 roles 10 a b
	sleep 0.3
	probe_stop 4
	probe_stop 6
	stall_stop
	note "IPv4: $(probe_text 4)"
	note "IPv6: $(probe_text 6)"
	check "IPv4: the longest outage is below 50 ms, and $STALLED" \
	    less "$(probe_get 4 longest_ms)" $((50 + STALLED))
	check "IPv6: the same" less "$(probe_get 6 longest_ms)" $((50 + STALLED))
	check "nobody else answered" is "$(probe_get 4 twice)" 0
	remember_lost
	waits b 2
done
check "the best of three lost at most 4 probes of its own ($fewest)" \
    [ "$fewest" -le 4 ]

# Here b preempts, and a goes on running when it gives way.
title "hand-over and return by maintenance"
fewest=999
for _ in 1 2 3; do
	probe_start 4 c $V4
	stall_start c
	sleep 0.3
	check "a goes into maintenance" ctl a maintenance on
	check "b is master" wait_for 4 roles 10 b a
	waits a 2
	check "a leaves it" ctl a maintenance off
	check "a is master again" wait_for 4 roles 10 a b
	sleep 0.3
	probe_stop 4
	stall_stop
	note "IPv4: $(probe_text 4)"
	remember_lost
done
check "the best of three lost at most 4 probes of its own ($fewest)" \
    [ "$fewest" -le 4 ]
waits b 2

title "addresses come and go by reload"
both "\"$V4/24\", \"$V6/64\", \"192.0.2.101/24\", \"2001:db8::101/64\""
check "b reloads" ctl b reload
waits b 4
check "a reloads" ctl a reload
check "a: four are installed" wait_for 3 eval \
    '[ "$(host_get a 10 installed)" = 4 ]'
check "the new one answers" wait_for 2 reach c 192.0.2.101
check "that of IPv6, too" wait_for 2 reach c 2001:db8::101
both "\"$V4/24\", \"$V6/64\""
ctl b reload
ctl a reload
waits b 2
check "a: two are left" wait_for 3 eval '[ "$(host_get a 10 installed)" = 2 ]'
check "the old ones answer" reach c $V4

title "the engine of the backup is killed"
kill -KILL "$(engine b)"
check "another is backup" wait_for 5 eval 'state_is b 10 BACKUP'
waits b 2
check "a is master all the time" state_is a 10 MASTER

title "a crashes"
probe_start 4 c $V4
crash a
check "b is master" wait_for 5 state_is b 10 MASTER
check "the client reaches IPv4" wait_for 1 reach c $V4
check "and IPv6" wait_for 1 reach c $V6
sleep 0.2
probe_stop 4
check "nobody else answered" is "$(probe_get 4 twice)" 0
check "what a left behind is up" link_is a up
start a
check "what was left is put right" wait_for 5 roles 10 a b
check "a answers" wait_for 2 reach c $V4
waits b 2

title "a is frozen, both processes"
s=$(supervisor a) e=$(engine a)
kill -STOP "$s" "$e"
check "b is master" wait_for 6 state_is b 10 MASTER
check "the link of a is up" link_is a up
check "the virtual MAC answers ARP" answers_arp
check "the client reaches it" reach c $V4
kill -CONT "$e" "$s"
check "released, one is master" wait_for 8 one_master 10 a b

title "a clean end"
stop b
stop a
check "a: no link is left" not link_of a
check "b: no link is left" not link_of b
for n in a b; do
	check "$n: no table is left" not grep -q libcarp \
	    <<< "$(on $n nft list tables)"
done

finish
