#!/bin/bash
# SPDX-License-Identifier: ISC
# From the end of a wait to the first announcement, carpd neither allocates nor
# writes, forks or waits.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

[ -x "$TOOLS/hotpath.so" ] || skip "$TOOLS/hotpath.so is missing"
! ldd "$CARPD" | grep -q libasan ||
    skip "a sanitizer has an allocator of its own"

# The last line says it; none is there of a node that announced nothing.
paths() {
	grep -c '^hot path' "$T/b/log"
}

# quick TEXT: the first announcement since there were $seen lines.
quick() {
	local line

	check "$1: b takes over" wait_for 6 state_is b 10 MASTER
	check "and announces" wait_for 2 more_than_seen
	line=$(grep '^hot path' "$T/b/log" | sed -n "$((seen + 1))p")
	note "$line"
	check "without an allocation" grep -q ' 0 allocations' <<< "$line"
	check "without a line of the log" grep -q ' 0 writes' <<< "$line"
	check "without a new process" grep -q ' 0 forks' <<< "$line"
	check "without a wait" grep -q ' 0 waits' <<< "$line"
	seen=$(paths)
}

more_than_seen() {
	[ "$(paths)" -gt "$seen" ]
}

usual_net
list="\"$V4/24\", \"$V6/64\""
for ((i = 1; i <= 60; i++)); do
	list+=", \"192.0.2.$((i + 110))/24\", \"2001:db8::1:$i/64\""
done
usual_conf a 0 "$list" "preempt = true"
usual_conf b 50 "$list"

title "what is counted"
start a
check "a is master" wait_for 6 state_is a 10 MASTER
LD_PRELOAD=$TOOLS/hotpath.so start b
check "b is backup" wait_for 6 state_is b 10 BACKUP
seen=$(paths)
is "$seen" 0 && pass "b has announced nothing" || fail "$seen lines of b"

title "the master is gone"
crash a
quick "time is over"
line=$(grep '^hot path' "$T/b/log" | sed -n 1p)
read -r -a sums <<< "${line##*in all }"
check "allocations are counted" [ "${sums[0]}" -gt 0 ]
check "writes are counted" [ "${sums[1]}" -gt 0 ]

title "the master says goodbye"
start a
check "a is master again" wait_for 6 state_is a 10 MASTER
check "b is backup" wait_for 6 state_is b 10 BACKUP
check "it stops" stop a
quick "the goodbye"

finish
