#!/bin/bash
# SPDX-License-Identifier: ISC
# Critical interfaces and failover groups in failover mode: a lost link moves
# the whole node or nothing of it, and what returns does not make it flap.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

VIP=(10.0.0.100 10.1.0.100 10.2.0.100)
net() {
	local i
	node hub a b
	for i in 0 1 2; do
		segment lan$i
		plug a lan$i eth$i 10.$i.0.1/24
		plug b lan$i eth$i 10.$i.0.2/24
	done
}

two_groups() {
	LINKS=("eth0 10 ${VIP[0]} critical = true group = 1"
	    "eth1 20 ${VIP[1]} critical = true group = 2"
	    "eth2 30 ${VIP[2]}")
}

has() {
	local n=$1 v
	shift
	for v; do
		holds "$n" "$v" || return 1
	done
}
has_none() {
	local n=$1 v
	shift
	for v; do
		! holds "$n" "$v" || return 1
	done
}

# moved FROM TO: watch and diary of a whole node that moved, in order.
moved() {
	local from=$1 to=$2 up down v
	check "addresses of both groups on $to" wait_for 2 has "$to" \
	    "${VIP[0]}" "${VIP[1]}"
	watch_stop
	check "and none on $from" has_none "$from" "${VIP[@]}"
	check "never the groups apart (ms)" is \
	    "$(apart "${VIP[0]}" "${VIP[1]}")" 0.000
	for v in "${VIP[0]}" "${VIP[1]}"; do
		check "$v never at both (ms)" is "$(overlap "$v")" 0.000
	done
	up=$(when "${to^^}" web start)
	down=$(when "${from^^}" web stop)
	check "services stopped there before they started here" \
	    less "${down:-9e9}" "${up:-0}"
	check "storage never had two owners" one_owner
}

net
two_groups
both_conf

title "two critical groups: the active node loses a link"
both_start a b
check "all three addresses are there" wait_for 2 has a "${VIP[@]}"
turn
watch_start a b
t=$(uptime_s)
unplug a eth0
check "b is MASTER" wait_for 6 role_is b MASTER
check "a is BACKUP" wait_for 3 role_is a BACKUP
moved a b
for v in "${VIP[@]}"; do
	note "$v: gone from a after $(event "$t" a del "$v" || echo -) s," \
	    "on b after $(event "$t" b add "$v" || echo -) s"
done
note "a: $(last a cause): $(last a took_ms) ms; b: $(last b took_ms) ms"
check "the one that is not critical is on b, too" wait_for 5 has b "${VIP[2]}"
na=$(transitions a) nb=$(transitions b)
replug a eth0
check "the link returns: b stays active" always 6 active b a
check "and nothing began" is "$(transitions a) $(transitions b)" "$na $nb"
check "b has all addresses" has b "${VIP[@]}"

title "the standby node loses a link: it could not take over all"
unplug a eth1
check "it says so" wait_for 3 reason a DISAGREE_VIP
check "and which one" grep -q "DISAGREE_VIP.*eth1 has no link here" \
    <(ctl a failover disabled)
check "b cannot know" not reason b DISAGREE_VIP
check "b stays active" active b a
replug a eth1
check "it returns" wait_for 3 not reason a DISAGREE_VIP

both_stop

title "a group of two links: one is an alternative to the other"
LINKS=("eth0 10 ${VIP[0]} critical = true group = 1"
    "eth1 20 ${VIP[1]} critical = true group = 1"
    "eth2 30 ${VIP[2]}")
both_conf
both_start a b
check "all three addresses are there" wait_for 2 has a "${VIP[@]}"
na=$(transitions a)
unplug a eth2
check "one that is not critical is lost: nothing moves" always 4 active a b
replug a eth2
check "it returns: its address, too" wait_for 6 has a "${VIP[@]}"
unplug a eth0
check "one of the group is lost: nothing moves" always 5 active a b
check "the address of the other link stays" has a "${VIP[1]}"
check "and b has none" has_none b "${VIP[@]}"
replug a eth0
check "it returns: its address, too" wait_for 6 has a "${VIP[@]}"
check "a is still active" active a b
check "and nothing began" is "$(transitions a)" "$na"
turn
watch_start a b
unplug a eth0
unplug a eth1
check "both are lost: b is MASTER" wait_for 8 active b a
moved a b
note "a: $(last a cause): $(last a took_ms) ms; b: $(last b took_ms) ms"
replug a eth0
replug a eth1
check "the links return: b stays active" always 5 active b a
check "b has all addresses" wait_for 2 has b "${VIP[@]}"

title "no other node: a lost link is no reason to stop serving"
power_off a
rm -f "$T"/b/state/*
na=$(transitions b)
unplug b eth0
unplug b eth2
check "one of two is lost" always 2 role_is b MASTER
check "and the other one still stands for it" not reason b DISAGREE_VIP
check "and its address" wait_for 2 holds b "${VIP[1]}"
turn
unplug b eth1
check "all are lost: nobody knows who else serves, so b steps down" \
    wait_for 5 role_is b UNKNOWN
check "nothing of it is left" has_none b "${VIP[@]}"
check "in order" in_order "web stop, tank stop, tank verify, disks stop" B
check "because" is "$(last b cause)" "the network was lost"
replug b eth1
check "one returns: b serves again" wait_for 8 role_is b MASTER
check "its address" wait_for 2 holds b "${VIP[1]}"
replug b eth0
replug b eth2
check "and the others" wait_for 8 has b "${VIP[@]}"
check "two transitions, no more" is "$(($(transitions b) - na))" 2

finish
