#!/bin/bash
# SPDX-License-Identifier: ISC
# Why failover would not work: each reason that one node can know is caused, is
# told by `disabled reasons' and to subscribers, and goes away with its cause.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24

# hear NODE: events, into $T/NODE/events.
hear() {
	: > "$T/$1/events"
	"$CARPCTL" -s "$T/$1/sock" --json failover watch > "$T/$1/events" &
}
# told NODE REASON: the last that subscribers heard has it.
told() {
	jq -se --arg r "$2" 'map(select(.event == "failover.disabled.reasons"))
	    | last.reasons | index($r) != null' "$T/$1/events" >/dev/null
}
# now_true NODE REASON [SECONDS], no_more: asked, and heard.
now_true() {
	check "$1: $2" wait_for "${3:-3}" reason "$1" "$2"
	check "$1: subscribers are told" wait_for 2 told "$1" "$2"
}
no_more() {
	check "$1: $2 is over" wait_for "${3:-3}" not reason "$1" "$2"
	check "$1: subscribers are told" wait_for 2 not told "$1" "$2"
}
details() {
	ctl "$1" call failover.disabled.reasons '{"detail": true}' |
	    jq -r --arg r "$2" '.[] | select(.code == $r).detail'
}
no_reason() {
	[ "$(ctl "$1" failover disabled reasons --json)" = "[]" ]
}

title "two healthy nodes: none"
both_conf
both_start a b
hear a
hear b
check "a has none" wait_for 3 no_reason a
check "b has none" wait_for 3 no_reason b

title "LOC_FAILOVER_ONGOING: a hook hangs"
instead B.tank.start "while [ -f $T/B.tank.start ]; do sleep 0.1; done"
ctl a failover become_passive --yes >/dev/null
now_true b LOC_FAILOVER_ONGOING
check "with the phase" grep -q "^storage: elected" <(details b \
    LOC_FAILOVER_ONGOING)
check "in_progress" is "$(ctl b failover in_progress)" true
properly
no_more b LOC_FAILOVER_ONGOING
check "b is active" wait_for 3 active b a

title "NO_FAILOVER"
ctl b failover control action=DISABLE --yes >/dev/null
now_true b NO_FAILOVER
check "become_passive is refused: nobody would take over" not \
    ctl b failover become_passive --yes 2> "$T/refused"
check "with it" grep -q NO_FAILOVER "$T/refused"

title "NO_VOLUME: the storage of a node that may not fail over is sick"
instead B.tank.status 'echo "2 of 4 disks"; exit 1'
now_true b NO_VOLUME 30
check "with its name" is "$(details b NO_VOLUME)" "tank: 2 of 4 disks"
check "b stays active: failover is disabled" role_is b MASTER
properly
no_more b NO_VOLUME 30
ctl b failover control action=ENABLE --yes >/dev/null
no_more b NO_FAILOVER
check "b stays active" active b a
ctl b failover become_passive --yes >/dev/null
check "a is active" wait_for 4 active a b

title "DISAGREE_VIP: two masters, of which one hears the other"
on hub bridge link set dev b-eth0 mcast_flood off flood off
now_true a DISAGREE_VIP 8
check "with the vhid" is "$(details a DISAGREE_VIP)" "vhid 10 has two masters"
check "a goes on" role_is a MASTER
check "b imports nothing" not role_is b MASTER
check "become_passive is refused" not \
    ctl a failover become_passive --yes 2> "$T/refused"
check "with it" grep -q DISAGREE_VIP "$T/refused"
on hub bridge link set dev b-eth0 mcast_flood on flood on
no_more a DISAGREE_VIP 15
check "a is active" wait_for 5 active a b

title "DISAGREE_VIP: nobody is master"
ctl b failover control action=DISABLE --yes >/dev/null
power_off a
now_true b DISAGREE_VIP 10
check "because" is "$(details b DISAGREE_VIP)" "nobody is master"
ctl b failover control action=ENABLE --yes >/dev/null
check "b is active" wait_for 8 role_is b MASTER
no_more b DISAGREE_VIP

title "NO_FENCED: the fence is lost, the last resort called, storage still here"
disks=$(printf '/dev/disk/by-id/wwn-0x5000c5008a00%03d, ' {1..7})
instead B.disks.status "echo 'another key is there: ${disks}to the end'; exit 1"
now_true b NO_FENCED 20
check "with its name" is "$(details b NO_FENCED)" disks
check "the last resort was called for it" wait_for 2 \
    grep -q "fence is lost: disks: another key is there" "$T/resort"
check "and told all of it" grep -q "8a00007, to the end" "$T/resort"
check "role" role_is b ERROR
properly
power_off b

title "what the configuration lacks: NO_CRITICAL_INTERFACES, NO_VOLUME"
LINKS=("eth0 10 $V4 critical = false")
RESOURCES=('service web { hook = diary }')
failover_conf b B 100
rm -f "$T"/b/state/* "$T/resort"
start b
hear b
# Who listens from the start on is told what changes, not what is so.
check "no critical interface" wait_for 3 reason b NO_CRITICAL_INTERFACES
check "no storage" reason b NO_VOLUME
check "with what is missing" is "$(details b NO_VOLUME)" \
    "no storage section is configured"
check "b serves all the same" wait_for 5 role_is b MASTER
ctl b failover control action=DISABLE --yes >/dev/null
check "failover cannot be enabled so" not \
    ctl b failover control action=ENABLE --yes 2> "$T/refused"
check "with it" grep -q NO_CRITICAL_INTERFACES "$T/refused"

title "NO_VIP cannot be: a virtual host has an address, or is refused"
sed 's/address = .*//' "$T/b/carpd.conf" > "$T/b/none.conf"
check "without an address" not "$CARPD" -n -f "$T/b/none.conf" \
    > "$T/refused" 2>&1
check "with what is missing" grep -q "has no address" "$T/refused"

title "the interlink: NO_CARRIER_ON_HEARTBEAT, NO_HEARTBEAT_IFACE"
FAILOVER_WORDS=("interlink il0 { peer = 10.255.0.2 }")
failover_conf b B 100
check "a reload" ctl b reload
now_true b NO_HEARTBEAT_IFACE
ip -n b link add il0 type veth peer name il1
now_true b NO_CARRIER_ON_HEARTBEAT
no_more b NO_HEARTBEAT_IFACE
check "with its name" is "$(details b NO_CARRIER_ON_HEARTBEAT)" il0
ip -n b link set il0 up
ip -n b link set il1 up
no_more b NO_CARRIER_ON_HEARTBEAT
ip -n b link del il0
now_true b NO_HEARTBEAT_IFACE

stop b
finish
