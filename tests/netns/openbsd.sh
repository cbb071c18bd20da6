#!/bin/bash
# SPDX-License-Identifier: ISC
# What OpenBSD asks of its CARP (regress/sys/netinet/carp), asked of carpd: the
# four tests at once, each on a segment of its own.
#   carp_1: virtual MAC, multicast      carp_2: real MAC, multicast
#   carp_3: virtual MAC, unicast        carp_4: real MAC, unicast
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

node hub a b
for i in 1 2 3 4; do
	segment lan$i
	plug a lan$i eth$i 192.168.$i.1/24
	plug b lan$i eth$i 192.168.$i.2/24
done

# section NODE TEST SKEW PEER
section() {
	local lines=("address = { \"192.168.$2.100/24\" }" "advskew = $3"
	    "openbsd-peer = true")
	[ $(($2 % 2)) = 0 ] || lines+=("virtual-mac = true")
	[ "$2" -le 2 ] || lines+=("peer = { \"192.168.$2.$4\" }")
	conf_vhid "$1" "eth$2" 251 "${lines[@]}"
}

for i in 1 2 3 4; do
	section a $i 0 2
	section b $i 100 1
done

# is_now NODE TEST STATE
is_now() {
	ctl "$1" --json status 2>/dev/null | jq -e --arg i "eth$2" --arg s "$3" \
	    'any(.hosts[]; .interface == $i and .state == $s)' >/dev/null
}

pair_is() {
	is_now a "$1" "$2" && is_now b "$1" "$3"
}

start a
start b
title "master and backup after 3.1 s, by skew"
for i in 1 2 3 4; do
	check "carp_$i: the faster is master, the slower backup" \
	    wait_for 4 pair_is $i MASTER BACKUP
done

title "carpdemote on the master swaps the roles at once, without preempt"
watch_start a b
t=$(uptime_s)
check "the master is demoted" ctl a demote carpdemote 1
for i in 1 2 3 4; do
	check "carp_$i: the roles are swapped" \
	    wait_for 1 pair_is $i BACKUP MASTER
	# With a virtual MAC the address was there already: the link tells.
	if [ $((i % 2)) = 0 ]; then
		s=$(event "$t" b add 192.168.$i.100)
		note "carp_$i: after ${s:-?} s"
		check "carp_$i: within 0.5 s" less "${s:-9}" 0.5
	fi
done

title "and back, when the demotion ends"
check "the demotion ends" ctl a demote carpdemote 0
check "the other is demoted" ctl b demote carpdemote 1
for i in 1 2 3 4; do
	check "carp_$i: the roles are swapped again" \
	    wait_for 1 pair_is $i MASTER BACKUP
done
watch_stop

finish
