#!/bin/bash
# SPDX-License-Identifier: ISC
# Interfaces that are critical: a node that loses one, or all of a group, hands
# everything over, at once and never half; others do not move it; a third node
# is left alone; the link returns.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

node hub a b c
for i in 0 1 2; do
	segment lan$i
	plug a lan$i eth$i 10.$i.0.1/24
	plug b lan$i eth$i 10.$i.0.2/24
	plug c lan$i eth$i 10.$i.0.9/24
done
for n in a:1 b:2 c:9; do
	address ${n%:*} eth0 2001:db8::${n#*:}/64
done

# Of each interface what stands in its section; see usual().
declare -A LINK=()

# usual NODE SKEW [LINE...]: vhid 10, 20, 30 on eth0, eth1, eth2.
usual() {
	local n=$1 skew=$2 i more
	shift 2
	for i in 0 1 2; do
		more=
		[ $i = 0 ] && more=', "2001:db8::100/64"'
		conf_vhid "$n" eth$i $((i * 10 + 10)) "advskew = $skew" \
		    "address = { \"10.$i.0.100/24\"$more }" "$@"
	done
	for i in 0 1 2; do
		sed -i "s|^interface eth$i {|&\n\t${LINK[$i]:-}|" \
		    "$T/$n/carpd.conf"
	done
}
all_critical() {
	LINK=([0]="critical = true" [1]="critical = true" [2]="critical = true")
}
all_roles() {
	roles 10 "$1" "$2" && roles 20 "$1" "$2" && roles 30 "$1" "$2"
}
masters() {
	local n=$1 v
	shift
	for v; do
		state_is "$n" "$v" MASTER || return 1
	done
}
demotion() {
	ctl "$1" --json status | jq '[.demotion[].amount] | add // 0'
}
demotion_is() {
	[ "$(demotion "$1")" = "$2" ]
}
both_up() {
	start a
	wait_for 6 masters a 10 20 30
	start b
	check "a is master of all, b backup" wait_for 6 all_roles a b
	sleep 1.1 # an advertisement of each was heard; links settle
}
both_stop() {
	stop b
	stop a
}

# cut WORDS ADDRESS...: eth0 of a is lost, b has all of these soon.
cut_eth0() {
	local words=$1 down addr s
	shift
	watch_start a b
	unplug a eth0
	wait_for 6 masters b 10
	sleep 0.2
	watch_stop
	down=$(awk '$2 == "a" && $3 == "down" && $4 == "eth0" { print $1; exit }' \
	    "$T/watch")
	for addr; do
		s=$(event "$down" b add "$addr")
		note "$addr: at b ${s:-?} s after the link was lost"
		check "$words: $addr within 0.5 s" less "${s:-9}" 0.5
		check "$words: $addr not at both for long (ms)" \
		    less "$(overlap "$addr")" 50
	done
}
EVERY=(10.0.0.100 2001:db8::100 10.1.0.100 10.2.0.100)

for preempt in false true; do
	title "every interface is critical, preempt = $preempt"
	all_critical
	usual a 0 "preempt = $preempt"
	usual b 100 "preempt = $preempt"
	both_up
	cut_eth0 "eth0 lost" "${EVERY[@]}"
	check "b is master of all" masters b 10 20 30
	check "the lost one moved because of the others" grep -q \
	    'vhid 10 eth0: BACKUP -> MASTER: the master is demoted and silent' \
	    "$T/b/log"
	check "a is backup of what it can hear" wait_for 1 eval \
	    'state_is a 20 BACKUP && state_is a 30 BACKUP'
	check "a is demoted" is "$(demotion a)" 240
	replug a eth0
	check "the link is back: no demotion" wait_for 3 demotion_is a 0
	if [ $preempt = true ]; then
		check "a has all back" wait_for 6 all_roles a b
	else
		check "all stay with b" wait_for 6 all_roles b a
		check "and go on so" always 2 all_roles b a
	fi
	both_stop
done

title "both have lost it: nobody has all, nothing moves to and fro"
both_up
unplug a eth0
unplug b eth0
check "both are demoted" wait_for 3 eval 'demotion_is a 240 && demotion_is b 240'
wait_for 6 one_master 20 a b
wait_for 6 one_master 30 a b
n=$(grep -c 'MASTER' "$T/a/log" "$T/b/log" | awk -F : '{ s += $2 } END { print s }')
check "one master of each other host" always 2 eval \
    'one_master 20 a b && one_master 30 a b'
check "which stays" is "$(grep -c 'MASTER' "$T/a/log" "$T/b/log" |
    awk -F : '{ s += $2 } END { print s }')" "$n"
replug a eth0
replug b eth0
check "healed" wait_for 8 all_roles a b
both_stop

title "eth0 and eth1 are alternatives, eth2 is not critical"
LINK=([0]="critical = true group = 1" [1]="group = 1 critical = true" [2]="")
usual a 0 "preempt = true"
usual b 100 "preempt = true"
both_up
unplug a eth2
check "eth2 is lost: no demotion" wait_for 2 state_is a 30 INIT
check "it moves by the rule" wait_for 6 masters b 30
check "nothing else has moved" eval 'demotion_is a 0 && masters a 10 20'
replug a eth2
check "it returns" wait_for 8 all_roles a b
unplug a eth0
check "eth0 is lost, eth1 works: eth0 moves by the rule" \
    wait_for 6 masters b 10
check "nothing else" eval 'demotion_is a 0 && masters a 20 30'
sleep 1.1
watch_start a b
t=$(uptime_s)
unplug a eth1
check "eth1 is lost as well, and with it the group" \
    wait_for 3 demotion_is a 240
check "all have moved" wait_for 6 masters b 10 20 30
watch_stop
for addr in 10.1.0.100 10.2.0.100; do
	s=$(event "$t" b add "$addr")
	note "$addr: at b ${s:-?} s after the last link was cut"
	check "$addr: within 1 s" less "${s:-9}" 1
done
replug a eth0
check "one is back: no demotion" wait_for 3 demotion_is a 0
check "eth2 is back at a" wait_for 4 roles 30 a b
replug a eth1
check "all are" wait_for 8 all_roles a b
all_critical
usual a 0 "preempt = true"
check "a reload makes each critical" ctl a reload
unplug a eth2
check "eth2 is lost: now it counts" wait_for 2 demotion_is a 240
LINK=([0]="critical = true" [1]="critical = true" [2]="")
usual a 0 "preempt = true"
check "a reload takes it back" ctl a reload
check "no demotion" wait_for 2 demotion_is a 0
LINK=()
usual a 0 "preempt = true"
check "nothing critical any more: as without the word" ctl a reload
check "each lost link counts" wait_for 2 demotion_is a 240
replug a eth2
check "it is back" wait_for 8 all_roles a b
both_stop

title "three nodes: the master of vhid 10 is another one"
all_critical
usual c 0 "preempt = true"
usual a 50 "preempt = true"
usual b 100 "preempt = true"
conf_vhid c eth1 20
conf_vhid c eth2 30
start c
check "c is master of 10" wait_for 6 state_is c 10 MASTER
start a
check "a is master of 20 and 30" wait_for 6 masters a 20 30
start b
check "b of nothing" wait_for 3 eval 'state_is b 10 BACKUP &&
    state_is b 20 BACKUP && state_is b 30 BACKUP'
sleep 1.1
: > "$T/b/log"
unplug a eth2
check "a has lost eth2: b has 20 and 30" wait_for 6 masters b 20 30
check "c still has 10" always 2 state_is c 10 MASTER
check "b has never had it" is \
    "$(grep -c 'vhid 10 .*BACKUP -> MASTER' "$T/b/log")" 0

finish
