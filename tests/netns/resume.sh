#!/bin/bash
# SPDX-License-Identifier: ISC
# S8: an engine that crashes has a successor at once.  Its first crash after a
# good while costs the client little and no other node anything; one that
# crashes again soon bows out, so that the other node need not wait.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

GOOD_WHILE=11		# seconds; the daemon's own measure is 10

usual_net
for n in a b; do
	conf_vhid $n eth0 10 "address = { \"$V4/24\", \"$V6/64\" }" \
	    "advskew = $([ $n = a ] && echo 0 || echo 50)"
done

crash_engine() {
	old=$(engine a)
	probe_start v4 c $V4
	probe_start v6 c $V6
	check "the client is answered" reach c $V4
	kill -KILL "$old"
	check "another engine runs" wait_for 3 eval \
	    '[ -n "$(engine a)" ] && [ "$(engine a)" != "$old" ] && answers a'
}

told() {
	probe_stop v4
	probe_stop v6
	note "IPv4: $(probe_text v4)"
	note "IPv6: $(probe_text v6)"
	check "nobody else answered" is \
	    "$(probe_get v4 twice) $(probe_get v6 twice)" "0 0"
}

quick() {
	local v
	for v in v4 v6; do
		awk -v ms="$(probe_get $v longest_ms)" -v most="$1" \
		    'BEGIN { exit ms > most }' || return 1
	done
}

title "a crash after a good while"
start a
check "a is master" wait_for 6 state_is a 10 MASTER
start b
check "b is backup" wait_for 3 state_is b 10 BACKUP
check "a has run for $GOOD_WHILE s" wait_for $((GOOD_WHILE + 5)) eval \
    '[ "$(host_get a 10 since | cut -d. -f1)" -ge '"$GOOD_WHILE"' ]'
before=$(show b 10 .counters.preempt)
crash_engine
check "it goes on as master" wait_for 2 state_is a 10 MASTER
check "a holds the address again" wait_for 2 holds a $V4
told
check "the client missed it for less than a second" quick 1000
check "b has never been master" is \
    "$(show b 10 .counters.preempt)" "$before"

title "another crash, at once"
crash_engine
check "b is master: the new engine has bowed out for the old one" \
    wait_for 2 state_is b 10 MASTER
check "a is backup" wait_for 2 state_is a 10 BACKUP
check "a does not hold the address" not holds a $V4
told
check "the client missed it for less than two seconds" quick 2000

finish
