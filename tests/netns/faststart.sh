#!/bin/bash
# SPDX-License-Identifier: ISC
# fast-start: alone, beside a better master, and beside a slower one.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

usual_net
conf_node a "fast-start = true" "preempt = true"

# a_starts SKEW
a_starts() {
	usual_conf a "$1" "\"$V4/24\""
	began=$(now_us)
	start a
}

title "without preempt it is refused"
usual_conf a 0 "\"$V4/24\"" "preempt = false"
on a "$CARPD" -n -f "$T/a/carpd.conf" > "$T/refused" 2>&1
check "as makes no sense" is $? 5
note "$(cat "$T/refused")"
check "and with the reason" grep -q "fast-start takes preempt" "$T/refused"

title "alone"
a_starts 0
check "a is master" wait_for 6 state_is a 10 MASTER
took=$(since "$began")
note "after $took s"
check "not before one interval" less 1 "$took"
check "but before three" less "$took" 2.5
check "it stops" stop a

title "beside a better master"
usual_conf b 10 "\"$V4/24\"" "preempt = true"
start b
check "b is master" wait_for 6 state_is b 10 MASTER
a_starts 100
check "a hears it and stays backup" always 5 not state_is a 10 MASTER
check "a has never been master" is "$(show a 10 .counters.preempt)" 0
check "it stops" stop a

title "beside a slower master"
watch_start a b
a_starts 0
check "a takes over" wait_for 4 roles 10 a b
note "after $(since "$began") s, both had the address for $(overlap $V4) ms"
watch_stop

title "a better master that is not heard at the start"
check "a stops" stop a
check "b is master" wait_for 5 state_is b 10 MASTER
partition b eth0
a_starts 100
check "a becomes master beside it" wait_for 4 state_is a 10 MASTER
before=$(show b 10 .counters.preempt)
heal b eth0 lan
healed=$(now_us)
check "a yields when it hears it" wait_for 4 roles 10 b a
note "after $(since "$healed") s: b advertises each 1.04 s"
check "b has stayed master" is "$(show b 10 .counters.preempt)" "$before"

finish
