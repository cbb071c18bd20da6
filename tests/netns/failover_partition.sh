#!/bin/bash
# SPDX-License-Identifier: ISC
# Failover mode when nodes hear each other no more, in part or not at all,
# although all links are up; and fail-back to the preferred node.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

VIP=(10.0.0.100 10.1.0.100)
LINKS=("eth0 10 ${VIP[0]} critical = true group = 1"
    "eth1 20 ${VIP[1]} critical = true group = 2")
node hub a b
for i in 0 1; do
	segment lan$i
	plug a lan$i eth$i 10.$i.0.1/24
	plug b lan$i eth$i 10.$i.0.2/24
done

has_both() {
	holds "$1" "${VIP[0]}" && holds "$1" "${VIP[1]}"
}
has_none() {
	! holds "$1" "${VIP[0]}" && ! holds "$1" "${VIP[1]}"
}
cut_all() {
	partition a eth0
	partition a eth1
}
heal_all() {
	heal a eth0 lan0
	heal a eth1 lan1
}

# serves NODE OTHER: as if nothing had happened.
serves() {
	role_is "$1" MASTER && has_both "$1" && has_none "$2"
}

# pause_before N: seconds between the ends of the last transitions but N and the
# beginning of the one after, at b.
pause_before() {
	ctl b failover history --json | jq -r --argjson n "$1" '
	    def s: (.[:19] + "Z" | fromdate) + (.[20:23] | tonumber) / 1000;
	    (.[-$n].began | s) - ((.[-$n - 1].began | s) +
	    .[-$n - 1].took_ms / 1000)'
}

for preferred in a b; do
	FAILOVER_WORDS=("fence-wait = 2")
	failover_conf a A "$([ $preferred = a ] && echo 0 || echo 100)"
	failover_conf b B 50
	title "one segment is cut; $preferred has the smaller skew"
	start a
	check "a is active" wait_for 8 role_is a MASTER
	start b
	check "b is standby" wait_for 5 role_is b BACKUP
	na=$(transitions a) nb=$(transitions b)
	turn
	partition a eth0
	check "b is master of it on the wire" wait_for 6 state_is b 10 MASTER
	check "a goes on, b imports nothing" always 3 serves a b
	heal a eth0 lan0
	check "b gives it back" wait_for 5 state_is b 10 BACKUP
	check "a goes on" always 2 serves a b
	check "no transition" is "$(transitions a) $(transitions b)" "$na $nb"
	check "b has started nothing" is "$(diary B)" ""
	[ $preferred = a ] || break
	both_stop
done

title "all segments are cut: the fence of a living node is not taken"
turn
cut_all
check "b is ELECTING" wait_for 6 role_is b ELECTING
check "and in ERROR after fence-wait" wait_for 5 role_is b ERROR
note "fence-wait is 2 s, the attempt took $(last b took_ms) ms and" \
    "$(diary B | grep -c 'disks start') starts of the fence"
check "the fence said why" grep -q "the peer is alive" <(last b reason)
check "b started nothing else" not grep -q "tank start\|web start" <(diary B)
check "a goes on" serves a b
check "b tries again, and fails again" wait_for 22 eval \
    '[ "$(transitions b)" -ge 2 ] && role_is b ERROR &&
    [ "$(last b result)" = failed ]'
note "$(pause_before 1) s later"
check "then it sits out for longer" always 14 role_is b ERROR
check "a goes on" serves a b
check "two attempts" is "$(transitions b)" 2
heal_all
check "healed: a goes on" always 3 serves a b
check "no transition there" is "$(transitions a)" "$na"
check "nothing was stopped there" is "$(diary A)" ""
ctl b failover control action=DISABLE --yes >/dev/null
ctl b failover control action=ENABLE --yes >/dev/null
check "b is BACKUP" wait_for 5 role_is b BACKUP
check "storage never had two owners" one_owner

title "healed while the other one is ELECTING"
nb=$(transitions b)
cut_all
check "b is ELECTING" wait_for 6 role_is b ELECTING
heal_all
check "b is BACKUP" wait_for 5 role_is b BACKUP
check "a goes on" always 2 serves a b
check "one attempt" is "$(($(transitions b) - nb))" 1
check "because" is "$(last b reason)" "another node became master meanwhile"
check "no transition at a" is "$(transitions a)" "$na"
both_stop
finish
