#!/bin/bash
# SPDX-License-Identifier: ISC
# 1,000 addresses taken over with a virtual MAC: from the other's goodbye to the
# first announcement, which is sent when the link has all addresses; sourced by
# bench.sh.
# shellcheck disable=SC2034,SC2154	# variables are shared with bench.sh

VMAC_ADDR=00:00:5e:00:01:0a

m_vmac() {
	local i t ms

	[ "$1" = carpd ] || {
		none vmac "$1" "it adds one by one, see above"
		return
	}
	thousand
	VMAC=true
	for ((i = 0; i < $(times 7 2); i++)); do
		vmac_pair || { none vmac carpd "the pair did not start"; return; }
		settle
		vmac_capture
		leave carpd
		t=$LEFT
		wait_for 5 eval "vmac_time $t 192.0.2.1 >/dev/null"
		capture_stop
		ms=$(vmac_time "$t" 192.0.2.1) && result vmac carpd "$ms" ||
		    none vmac carpd "no announcement"
		both_down
		vmac_sweep
	done
}

# What was killed has left its link, and the kernel wants no second one.
vmac_sweep() {
	local n

	for n in a b; do
		ip -n "$n" -o link show type macvlan | awk '{
			sub(/@.*/, "", $2); print "link del " $2
		}' | ip -n "$n" -b -
		on "$n" nft flush ruleset 2>/dev/null
	done
}

# Both have the addresses: what tells them apart is their state.
vmac_pair() {
	configure carpd a
	configure carpd b
	up carpd a
	wait_for 15 state_is a 10 MASTER || return 1
	up carpd b
	wait_for 15 all_ready
}

all_ready() {
	[ "$(host_get b 10 ready)" = 1000 ]
}

vmac_capture() {
	: > "$T/packets.err"
	enter c tcpdump -i eth0 -B 16384 -s 128 -e -n -l -tt --immediate-mode \
	    "ether src $VMAC_ADDR or $ADVERTS" > "$T/packets" \
	    2> "$T/packets.err" &
	PID[capture]=$!
	wait_for 5 grep -q listening "$T/packets.err"
}

# vmac_time SINCE ADDRESS: ms from the last advertisement of that address to the
# first announcement after it.
vmac_time() {
	awk -v t="$1" -v a=" $2 > " -v mac="$VMAC_ADDR" '
		$1 < t { next }
		index($0, a) && !/ARP/ { goodbye = $1 }
		goodbye && $2 == mac && /ARP/ { first = $1; exit }
		END {
			if (!first) exit 1
			printf "%.3f\n", (first - goodbye) * 1000
		}' "$T/packets"
}

# The link, with its addresses but not the routes to them, and one frame.
floor_vmac() {
	local i t ms

	for ((i = 0; i < $(times 7 2); i++)); do
		ip -n b link add link eth0 name floor0 address "$VMAC_ADDR" \
		    type macvlan mode bridge
		thousand
		printf 'addr add %s dev floor0\n' "${ADDRS[@]/%\/16/\/32}" |
		    ip -n b -b -
		ip -n b route flush table local dev floor0
		vmac_capture
		t=$(now_s)
		on b "$BENCH/floor" link eth0 floor0
		wait_for 5 eval "vmac_time $t 192.0.2.2 >/dev/null"
		capture_stop
		ms=$(vmac_time "$t" 192.0.2.2) && result vmac floor "$ms"
		ip -n b link del floor0
	done
}
