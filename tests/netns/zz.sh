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

probes_start() {
	probe_start 10 c $V4
	probe_start 11 c $V6
	probe_start 12 c 2001:db8::112
}

# probes_stop LIMIT: how many each may have lost, or "" if any number.
probes_stop() {
	local v
	for v in 10 11 12; do
		probe_stop $v
		note "vhid $v: $(probe_text $v)"
		[ -z "$1" ] && continue
		check "vhid $v: at most $1 probes lost" \
		    [ "$(probe_get $v lost)" -le "$1" ]
	done
	for v in 10 11 12; do
		check "vhid $v: nobody else answered" \
		    is "$(probe_get $v twice)" 0
	done
}

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

on c tcpdump -Uni eth0 -w /tmp/c.pcap "arp or icmp6[0]==136 or icmp6[0]==135 or proto 112 or ip6 proto 112" 2>/dev/null &
for k in 1 2 3 4 5 6 7 8 9 10 11 12; do
title "planned hand-over: a is stopped"
probes_start
sleep 0.3
check "carpd stops with exit code 0" stop a
check "b is master of all" wait_for 2 eval \
    'for v in 10 11 12 13 20; do state_is b $v MASTER || return 1; done'
sleep 0.3
probes_stop 5
check "a has kept no address" eval "not holds a $V4 && not holds a $V6 &&
    not holds a 192.0.2.112 && not holds a 2001:db8::112"

title "fail-back: a starts, preempts where it is told to"
probes_start
start a
check "a is master again where preempt is on" \
    wait_for 4 all_roles a b 10 11 12 20
sleep 0.3
probes_stop 5
[ $failures -gt 0 ] && break
on a ip -o addr; on c ip neigh; on c ip -6 neigh; ctl a show 12; ctl a show 10
check "b stays master where preempt is off" \
    always 3 all_roles b a 13
check "it can be handed back by order" ctl a master 13
check "b follows" wait_for 2 all_roles a b 13


done
 sleep 1; finish
