#!/bin/bash
# SPDX-License-Identifier: ISC
# S4: what happens while a transition runs is acted on after it, newest first.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24
both_conf

# hang NODE: its storage does not come before go NODE.
hang() {
	instead "$1.tank.start" \
	    "while [ -f $T/$1.tank.start ]; do sleep 0.05; done"
}
go() {
	rm -f "$T/$1.tank.start"
}
# to_b: b is importing what a has given.
to_b() {
	hang B
	turn
	ctl a failover become_passive --yes >/dev/null
	check "b is importing" wait_for 4 role_is b IMPORTING
}
back_to_a() {
	ctl b failover become_passive --yes >/dev/null
	check "a is active" wait_for 8 active a b
}

both_start a b

title "become_passive while importing"
to_b
check "is accepted" ctl b failover become_passive --yes
go B
check "the other node serves" wait_for 8 active a b
check "what was begun is undone" wrote B disks stop
check "b never had the address" not holds b "$V4"
check "why" is "$(last b reason)" "become_passive meanwhile"

title "the newest order wins: force_master after become_passive"
instead A.web.stop 'sleep 1'
turn
ctl a failover become_passive --yes >/dev/null
check "a is on its way down" wait_for 2 wrote A web stop
check "force_master" ctl a failover force_master --yes
properly
check "a takes all again" wait_for 10 wrote A web start
check "after it went down, in order" is "$(diary A |
    awk '$2 == "disks" || $2 == "tank" { printf "%s %s, ", $2, $3 }')" \
    "tank stop, tank verify, disks stop, disks start, tank start, "
check "a is active" wait_for 5 active a b
check "storage never had two owners" one_owner

title "a reload while importing"
to_b
check "is taken" ctl b reload
go B
check "the import goes on" wait_for 5 active b a
check "once" is "$(diary B | grep -c 'tank start')" 1
back_to_a

title "a reload that changes resources while importing"
to_b
RESOURCES+=('service extra { hook = diary }')
failover_conf b B 100
check "is refused" not ctl b reload 2> "$T/refused"
check "with the way to do it" grep -q "try again when that has ended" "$T/refused"
check "b is still importing" role_is b IMPORTING
go B
check "the import goes on" wait_for 5 active b a
check "then it is taken" wait_for 3 eval 'ctl b reload >/dev/null 2>&1'
check "b is active" always 1 active b a
check "a service that is new is started" wait_for 3 wrote B extra start
check "nothing else is" is "$(diary B | grep -c start)" \
    "$(diary B | awk '$3 == "start" { print $2 }' | sort -u | wc -l)"
check "the history has it" wait_for 2 eval \
    '[ "$(last b cause)" = "new resources" ]'
turn
RESOURCES+=('storage pool { hook = diary }'
    'service more { hook = diary  critical = true }')
failover_conf b B 100
check "new storage, and a service" ctl b reload
check "in this order, and nothing else" wait_for 3 in_order \
    "pool start, more start" B
RESOURCES=("${RESOURCES[@]:0:4}"
    'service broken { hook = diary  critical = true }')
failover_conf b B 100
instead B.broken.start 'echo "no licence"; exit 1'
turn
check "others are taken out, and one comes that is broken" ctl b reload
check "what is taken out is stopped, and storage shown to be gone" \
    wait_for 3 in_order "more stop, pool stop, pool verify, broken start" B
check "who comes and is broken is told of" wait_for 3 eval \
    '[ "$(last b reason)" = "broken: start: no licence" ]'
check "and in the status" grep -q "broken .*failed.*no licence" <(ctl b status)
check "the fence is not missed" not grep -q "the fence is held" "$T/b/log"
check "b stays active" always 1 active b a
RESOURCES+=('fence late { hook = diary }')
failover_conf b B 100
check "a fence that comes too late is refused" not \
    ctl b reload 2> "$T/refused"
check "with the reason" grep -q "fence late cannot come while storage is up" \
    "$T/refused"
properly
RESOURCES=("${RESOURCES[@]:0:3}")
failover_conf b B 100
check "all taken out" wait_for 3 eval 'ctl b reload >/dev/null 2>&1'
check "and stopped" wait_for 3 wrote B extra stop
back_to_a

title "failover is disabled while importing: the import is finished"
to_b
ctl b failover control action=DISABLE --yes >/dev/null
go B
check "b is active" wait_for 5 active b a
ctl b failover control action=ENABLE --yes >/dev/null
check "and stays" always 1 active b a
back_to_a

title "a critical service ends while failover is disabled"
RESOURCES=("${RESOURCES[@]:0:2}"
    'service web { hook = diary  critical = true  monitor = 0.5 }'
    'service mail { hook = diary  monitor = 0.5 }')
both_conf
check "it is looked at more often" ctl a reload
check "b, too" ctl b reload
check "mail is there" wait_for 3 wrote A mail start
ctl a failover control action=DISABLE --yes >/dev/null
instead A.web.status 'echo "it has crashed"; exit 1'
check "it is seen" wait_for 5 eval \
    'ctl a status | grep -q "web .*it has crashed"'
check "and moves nothing" always 2 role_is a MASTER
turn
ctl a failover control action=ENABLE --yes >/dev/null
check "enabled, the node is failed over" wait_for 8 role_is b MASTER
check "because" grep -q "web: it has crashed" \
    <(ctl a failover history limit=1)
properly
ctl a failover control action=DISABLE --yes >/dev/null
ctl a failover control action=ENABLE --yes >/dev/null
check "a is BACKUP" wait_for 5 active b a

title "a service that is not critical fails"
instead B.mail.status 'echo "no spool"; exit 1'
check "the node is demoted by its name" wait_for 5 eval \
    'ctl b status | grep -q "demoted: .*resource mail 10"'
check "and stays" always 2 active b a
properly
check "until it is well" wait_for 5 not eval \
    'ctl b status | grep -q "resource mail"'
RESOURCES=("${RESOURCES[@]:0:3}")
both_conf
check "taken out" ctl a reload
check "on b, too" ctl b reload
back_to_a

title "the node's own link is lost while importing"
to_b
unplug b eth0
check "b gives up at once" wait_for 3 wrote B disks stop
properly
because() {
	[ "$(last b reason)" = "the network was lost meanwhile" ]
}
check "why" wait_for 3 because # it is written when all is down
check "a serves" wait_for 8 role_is a MASTER
replug b eth0
check "b is BACKUP" wait_for 6 active a b

title "the peer goes while importing"
to_b
unplug a eth0
check "b goes on" always 1 role_is b IMPORTING
go B
check "b is MASTER" wait_for 3 role_is b MASTER
replug a eth0
check "a is BACKUP" wait_for 6 active b a
back_to_a

title "SIGTERM while importing"
to_b
kill -TERM "$(supervisor b)"
go B
check "b ends" wait_for 10 gone "$(supervisor b)"
wait "$(supervisor b)"
check "cleanly" is $? 0
check "what was begun is undone, in order" is \
    "$(diary B | awk '$3 == "stop" || $3 == "verify" { printf "%s ", $2 }')" \
    "tank tank disks "
check "nothing is left" not eval 'ls "$T"/world/*.B 2>/dev/null'
check "a serves again" wait_for 8 role_is a MASTER
check "storage never had two owners" one_owner

stop a
finish
