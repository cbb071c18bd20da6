#!/bin/bash
# SPDX-License-Identifier: ISC
# Two nodes started at the same moment, ten times: exactly one becomes MASTER,
# the other BACKUP, also if neither is preferred.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24

# launch NODE: as start(), but nobody waits.
launch() {
	mkdir -p "$T/$1/state"
	enter "$1" "$CARPD" -f "$T/$1/carpd.conf" -s "$T/$1/sock" \
	    -S "$T/$1/state" 2>> "$T/$1/log" &
	PID[$1]=$!
}
settled() {
	active a b || active b a
}
owners() {
	echo "$(holds a "$V4" && echo a)$(holds b "$V4" && echo b)"
}

# Who has started the storage, and not stopped it.
having() {
	diary | awk '$2 == "tank" && $3 == "start" { has[$1] }
	    $2 == "tank" && $3 == "stop" { delete has[$1] }
	    END { for (n in has) print n }'
}

for i in 1 2 3 4 5 6 7 8 9 10; do
	# The second half without a preferred node.
	if [ "$i" -le 5 ]; then
		both_conf
	else
		failover_conf a A 0
		failover_conf b B 0
	fi
	turn
	if [ $((i % 2)) = 0 ]; then
		launch a
		launch b
	else
		launch b
		launch a
	fi
	check "$i: one MASTER, one BACKUP" wait_for 10 settled
	up=a down=b
	role_is a MASTER || { up=b down=a; }
	[ "$i" -gt 5 ] || check "$i: the preferred one" is $up a
	check "$i: the address is there only" wait_for 2 eval \
	    '[ "$(owners)" = '$up' ]'
	check "$i: one of them only has something" is "$(having)" "${up^^}"
	if [ "$i" -le 5 ]; then
		check "$i: the other has started nothing" \
		    not wrote "${down^^}" tank start
	elif wrote "${down^^}" tank start; then
		note "a tie within milliseconds: $down has undone what it did"
	fi
	note "$up: $(last $up took_ms) ms; transitions of $down:" \
	    "$(transitions $down)"
	stop $down &
	stop $up
	wait "${PID[$down]}"
	rm -f "$T"/[ab]/state/*
done
check "storage never had two owners" one_owner
finish
