#!/bin/bash
# SPDX-License-Identifier: ISC
# Two equal nodes that were parted, and both masters for long: whoever is left,
# the clients find it.  They were told of the address by the other one, too.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

ROUNDS=40 # at most; it is by chance who is left

usual_net
for n in a b; do
	usual_conf $n 25 "\"$V4/24\", \"$V6/64\"" "advbase = 0" "lease = off"
	start $n
done

settled() {
	roles 10 a b || roles 10 b a
}

# master: in $M, the other in $O.
masters() {
	if state_is a 10 MASTER; then
		M=a O=b
	else
		M=b O=a
	fi
}

# points ADDRESS NODE: the client's entry.
points() {
	ip -n c neigh show "$1" |
	    grep -q "$(ip -n "$2" -br link show eth0 | awk '{ print $3 }')"
}

check "one is master" wait_for 5 settled
moved=0 stayed=0
for ((i = 0; i < ROUNDS && (moved < 1 || stayed < 1); i++)); do
	masters
	before=$M
	wait_for 2 reach c $V4 && wait_for 2 reach c $V6 ||
	    fail "round $i: the client does not reach $M"
	partition "$O" eth0
	wait_for 5 state_is "$O" 10 MASTER || fail "round $i: $O stays backup"
	# Its next advertisement is as likely the first one as the other's.
	sleep "0.0$((RANDOM % 90 + 10))"
	ctl "$O" master 10 >/dev/null
	sleep 0.5 # what it announces by itself is over
	heal "$O" eth0 lan
	wait_for 5 settled || fail "round $i: two masters"
	masters
	for addr in $V4 $V6; do
		wait_for 2 points $addr "$M" && wait_for 1 reach c $addr ||
		    fail "round $i: $before was, $M is master: c does not" \
			"find $addr"
	done
	if [ "$M" = "$before" ]; then
		stayed=$((stayed + 1))
	else
		moved=$((moved + 1))
	fi
done
note "$i rounds: the master before was left in $stayed, the other in $moved"
check "each of them was left at least once" \
    eval '[ "$moved" -ge 1 ] && [ "$stayed" -ge 1 ]'

finish
