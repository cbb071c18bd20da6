#!/bin/bash
# SPDX-License-Identifier: ISC
# Two nodes with carpd at default timers, with IPv4 only, IPv6 only and mixed
# virtual hosts at once, on a switch that snoops multicast: kill, stop, cut
# link, with and without preempt.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

usual_net snooping
segment lan2
plug a lan2 eth1 198.51.100.1/24
plug b lan2 eth1 198.51.100.2/24
plug c lan2 eth1 198.51.100.9/24

# 10: IPv4, 11: IPv6, 12: both; 13: IPv4 without preempt; 20: the other net.
for n in a b; do
	skew=$([ $n = a ] && echo 0 || echo 100)
	conf_vhid $n eth0 10 "address = { \"$V4/24\" }" "advskew = $skew" \
	    "preempt = true"
	conf_vhid $n eth0 11 "address = { \"$V6/64\" }" "advskew = $skew" \
	    "preempt = true"
	conf_vhid $n eth0 12 "advskew = $skew" "preempt = true" \
	    'address = { "192.0.2.112/24", "2001:db8::112/64" }'
	conf_vhid $n eth0 13 'address = { "192.0.2.113/24" }' "advskew = $skew"
	conf_vhid $n eth1 20 'address = { "198.51.100.120/24" }' \
	    "advskew = $skew" "preempt = true"
done

# all MASTER-NODE BACKUP-NODE [VHID...]
all_roles() {
	local v
	for v in "${@:3}"; do
		roles "$v" "$1" "$2" || return 1
	done
}

# masters NODE VHID...: what the other says of itself does not count.
masters() {
	local v
	for v in "${@:2}"; do
		state_is "$1" "$v" MASTER || return 1
	done
}

probes_start() {
	probe_start 10 c $V4
	probe_start 11 c $V6
	probe_start 12 c 2001:db8::112
	stall_start c
}

# probes_stop LIMIT: how many each may have lost beside what the machine is to
# blame for, or "" if any number.
probes_stop() {
	local v
	stall_stop
	for v in 10 11 12; do
		probe_stop $v
		note "vhid $v: $(probe_text $v)"
		[ -z "$1" ] && continue
		check "vhid $v: at most $1 probes lost, and $STALLED" \
		    [ "$(probe_get $v lost)" -le $(($1 + STALLED)) ]
	done
	for v in 10 11 12; do
		check "vhid $v: nobody else answered" \
		    is "$(probe_get $v twice)" 0
	done
}

# Who is told moves at once, less what the machine needs for others; who is not,
# after 3 s.  make bench measures it on a machine that does nothing else.
TOLD=5

start a
start b
title "start: a has skew 0, b has skew 100"
check "a is master of all, b backup" \
    wait_for 6 all_roles a b 10 11 12 13 20
check "the client reaches all addresses" eval \
    "reach c $V4 && reach c $V6 && reach c 192.0.2.112 &&
     reach c 2001:db8::112 && reach c 192.0.2.113"
check "b holds none of them" eval "not holds b $V4 && not holds b $V6 &&
    not holds b 192.0.2.112 && not holds b 2001:db8::112"
check "the node's own connections do not come from a virtual address" \
    is "$(ip -n a -j route get 192.0.2.9 | jq -r '.[0].prefsrc')" 192.0.2.1

title "planned hand-over: a is stopped"
probes_start
sleep 0.3
check "carpd stops with exit code 0" stop a
check "b is master of all" wait_for 2 masters b 10 11 12 13 20
sleep 0.3
probes_stop $TOLD
check "a has kept no address" eval "not holds a $V4 && not holds a $V6 &&
    not holds a 192.0.2.112 && not holds a 2001:db8::112"

title "fail-back: a starts, preempts where it is told to"
probes_start
start a
check "a is master again where preempt is on" \
    wait_for 4 all_roles a b 10 11 12 20
sleep 0.3
probes_stop $TOLD
check "b stays master where preempt is off" \
    always 3 all_roles b a 13
check "it can be handed back by order" ctl a master 13
check "b follows" wait_for 2 all_roles a b 13

title "planned hand-over and fail-back by maintenance"
probes_start
check "a goes into maintenance" ctl a maintenance on
check "b is master of all" wait_for 4 all_roles b a 10 11 12 13 20
check "a leaves maintenance" ctl a maintenance off
check "a is master again where preempt is on" \
    wait_for 4 all_roles a b 10 11 12 20
sleep 0.3
probes_stop $TOLD

title "crash: supervisor and engine of a are killed"
ctl a master 13
wait_for 2 all_roles a b 13
probes_start
watch_start a b
t=$(uptime_s)
crash a
check "b is master of all" wait_for 6 masters b 10 11 12 13 20
sleep 0.3
probes_stop ""
watch_stop
for addr in $V4 $V6 192.0.2.112 2001:db8::112; do
	s=$(event "$t" b add "$addr")
	note "$addr: at b ${s:-?} s after the crash (rule: at most 3.39 s)"
	check "$addr: not later than 3.6 s" less "${s:-9}" 3.6
	check "$addr: never at both nodes" is "$(overlap "$addr")" 0.000
done
start a
check "a is master again where preempt is on" \
    wait_for 4 all_roles a b 10 11 12 20
check "b stays master where preempt is off" state_is b 13 MASTER

# b takes over and gives way at once: its announcement must not come last.
title "only the engine of a is killed, with preempt"
probes_start
t=$(now_us)
kill -KILL "$(engine a)"
wait_for 1 not holds a $V4
check "a is master again, with a new engine" \
    wait_for 6 all_roles a b 10 11 12 20
note "after $(since "$t") s"
wait_for 1 reach c $V4
s=$(uptime_s)
sleep 1
probes_stop ""
for v in 10 11 12; do
	check "vhid $v: no probe was lost any more" is "$(jq --argjson t "$s" \
	    '[.list[] | select(.from + .ms / 1000 > $t)] | length' \
	    "$T/probe.$v")" 0
done

title "own link lost: the cable of eth0 at a is cut"
watch_start a b
unplug a eth0
check "b is master on eth0" wait_for 6 masters b 10 11 12 13
watch_stop
down=$(awk '$2 == "a" && $3 == "down" && $4 == "eth0" { print $1; exit }' \
    "$T/watch")
for addr in $V4 192.0.2.112 $V6 2001:db8::112; do
	s=$(event "$down" a del "$addr")
	note "$addr: given up ${s:-?} s after the link was lost"
	check "$addr: within 0.5 s" less "${s:-9}" 0.5
done
s=$(event "$down" b add 198.51.100.120)
note "198.51.100.120 (eth1, demoted): at b ${s:-?} s after the link was lost"
check "the virtual host of eth1 has moved too, within 0.5 s" \
    less "${s:-9}" 0.5
check "a is in INIT on eth0 and BACKUP on eth1" wait_for 1 eval \
    'state_is a 10 INIT && state_is a 20 BACKUP'
check "a says so: link-down" has_condition a 10 link-down
replug a eth0
check "the cable is back: a is master again" \
    wait_for 6 all_roles a b 10 11 12 20
check "without preempt it stays where it is" state_is b 13 MASTER

title "a switch that drops everything between them"
partition b eth0
check "both are masters" wait_for 6 eval \
    'masters a 10 11 12 && masters b 10 11 12'
heal b eth0 lan
check "healed: one master again, of each" \
    wait_for 4 all_roles a b 10 11 12
check "and it stays so" always 2 all_roles a b 10 11 12

finish
