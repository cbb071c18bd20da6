#!/bin/bash
# SPDX-License-Identifier: ISC
# S1: no address has two owners, whatever happens to the processes of carpd.
# SIGKILL and SIGSTOP of the engine, of the supervisor and of both, at default
# timers; both nodes' addresses are watched by one clock.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

usual_net
for n in a b; do
	conf_vhid $n eth0 10 "address = { \"$V4/24\" }" \
	    "advskew = $([ $n = a ] && echo 0 || echo 50)"
	conf_vhid $n eth0 11 "address = { \"$V6/64\" }" \
	    "advskew = $([ $n = a ] && echo 0 || echo 50)"
done

both_roles() {
	roles 10 "$1" "$2" && roles 11 "$1" "$2"
}

# The node that shall be master is that, by order.
ready() {
	both_roles a b && return
	wait_for 5 answers a || return 1
	wait_for 5 eval "not state_is a 10 INIT && not state_is a 11 INIT"
	ctl a master 10
	ctl a master 11
	wait_for 4 both_roles a b
}

# The watch has noticed all that has happened.
told() {
	local addr
	watch_stop
	for addr in $V4 $V6; do
		note "$addr: gone from a ${left[$addr]:-?} s, at b" \
		    "$(event "$t" b add "$addr") s after the signal"
		check "$addr: never at both nodes (ms)" \
		    is "$(overlap "$addr")" 0.000
	done
}

# try COMMAND...: until b holds both addresses.
try() {
	local addr
	check "before: a is master" ready || return
	watch_start a b
	t=$(uptime_s)
	"$@"
	check "b is master" wait_for 6 eval \
	    'state_is b 10 MASTER && state_is b 11 MASTER'
	for addr in $V4 $V6; do
		check "$addr: a no longer has it" not holds a "$addr"
		left[$addr]=$(event "$t" a del "$addr")
	done
}

declare -A left=()
start a
start b

title "the engine is killed"
try kill -KILL "$(engine a)"
check "the supervisor starts another, which is backup" \
    wait_for 5 both_roles b a
told

title "the supervisor is killed"
s=$(supervisor a) e=$(engine a)
try kill -KILL "$s"
wait "$s" 2>/dev/null
check "the engine ends by itself" wait_for 5 gone "$e"
told
start a

title "both are killed"
s=$(supervisor a) e=$(engine a)
try kill_both "$s" "$e"
told
start a

title "the engine is frozen"
e=$(engine a)
try kill -STOP "$e"
sleep 1
kill -CONT "$e" 2>/dev/null
check "released (or replaced), it is backup" wait_for 5 both_roles b a
check "and stays so" always 2 both_roles b a
told

title "both are frozen"
ready
s=$(supervisor a) e=$(engine a)
try kill -STOP "$s" "$e"
sleep 1
kill -CONT "$s" "$e"
check "released, it is backup" wait_for 5 both_roles b a
check "and stays so" always 2 both_roles b a
told

title "the supervisor is frozen: whoever is master, there is one"
ready
watch_start a b
t=$(uptime_s)
s=$(supervisor a)
kill -STOP "$s"
sleep 4.5
check "the client reaches the address" reach c $V4
kill -CONT "$s"
check "released: one is master, the other backup" wait_for 5 eval \
    'one_master 10 a b && one_master 11 a b'
for addr in $V4 $V6; do
	left[$addr]=$(event "$t" a del "$addr")
done
told

finish
