#!/bin/bash
# SPDX-License-Identifier: ISC
# Packets that are forged, truncated, oversized, random or replayed change
# nothing and are counted; VRRP with the same number is told; interfaces that
# do not exist, are down, vanish and return.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || skip "python3 is not installed"
usual_net
for n in a b; do
	conf_vhid $n eth0 10 "address = { \"$V4/24\", \"$V6/64\" }" \
	    "advskew = $([ $n = a ] && echo 10 || echo 100)"
done

# inject KIND [COUNT [PAUSE]]: from the client; prints how many.
inject() {
	on c python3 "$HERE/inject.py" eth0 10 $V4,$V6 "$@" 2>>"$T/inject.err"
}

# counted NODE NAME: by the virtual host and, before it is known, eth0.
counted() {
	local h
	h=$(show "$1" 10 ".counters.$2 // 0")
	ctl "$1" --json status | jq --argjson h "$h" \
	    "[.interfaces[] | select(.name == \"eth0\").stats.$2 // 0][0] + \$h"
}

as_before() {
	roles 10 a b && holds a $V4 && holds a $V6 && not holds b $V4
}

# harmless KIND COUNTER [COUNT]: changes nothing, and is counted.
harmless() {
	local kind=$1 counter=$2 n a b
	a=$(counted a "$counter") b=$(counted b "$counter")
	n=$(inject "$kind" "${3:-10}")
	sleep 0.1
	a=$(($(counted a "$counter") - a)) b=$(($(counted b "$counter") - b))
	note "$kind: $n sent, $counter grew by $a at a and $b at b"
	check "$kind: counted as $counter at both" [ "$a" -gt 0 -a "$b" -gt 0 ]
	check "$kind: a is master, b backup, as before" as_before
}

start a
start b
check "a is master, b backup" wait_for 6 roles 10 a b
before=$(show a 10 .since)
watch_start a b
probe_start all c $V4

title "packets that are wrong"
harmless forged badauth 50
harmless badsum badsum
harmless badver badver
harmless badttl badttl
harmless badvhid badvhid
harmless short badlen
harmless oversized badauth
n=$(inject lying 5)
note "lying: $n sent"
check "lengths that lie: a is master, b backup, as before" as_before
n=$(inject noise 20)
note "noise: $n sent"
check "random bytes: a is master, b backup, as before" as_before

title "a replay of what the master has sent"
n=$(inject replay 300 0.01)
note "replay: $n sent within 3 s"
check "a is master, b backup, as before" as_before
check "a has seen its own packets come back: loop" has_condition a 10 loop

title "good packets of a slower peer"
n=$(inject good 20)
note "good: $n sent"
check "a is master, b backup, as before" as_before

title "what was lost meanwhile"
probe_stop all
watch_stop
note "$(probe_text all)"
check "no probe was lost" is "$(probe_get all lost)" 0
check "no address came or went" is "$(grep -c ' add 192.0.2.100\| del ' \
    "$T/watch")" "$(grep -c "ready" "$T/watch")"
check "a has been master all the time" eval \
    "less $before \$(show a 10 .since)"

title "VRRP with the same number"
harmless vrrp2 vrrp
harmless vrrp3 vrrp
check "it is the condition vrrp at a" has_condition a 10 vrrp
check "it is the condition vrrp at b" has_condition b 10 vrrp
if command -v keepalived >/dev/null; then
	cat > "$T/c/keepalived.conf" <<-END
		global_defs {
		    router_id test
		}
		vrrp_instance x {
		    state MASTER
		    interface eth0
		    virtual_router_id 10
		    priority 255
		    advert_int 1
		    virtual_ipaddress {
		        192.0.2.210/24
		    }
		}
	END
	n=$(counted a vrrp)
	enter c keepalived -n -l -f "$T/c/keepalived.conf" -p "$T/c/pid" \
	    -r "$T/c/vrrp.pid" > "$T/c/log" 2>&1 &
	PID[keepalived]=$!
	more() { [ "$(counted a vrrp)" -gt "$n" ]; }
	check "packets of a real keepalived are counted" wait_for 10 more
	check "a is master, b backup, as before" always 2 as_before
	kill "${PID[keepalived]}"
	wait "${PID[keepalived]}" 2>/dev/null
	: > "$T/c/log"
else
	note "keepalived is not installed: not tried"
fi
check "a status shows it" eval "ctl a status | grep -i vrrp"

# comes NAME: an interface of node d, with somebody at the other end.
comes() {
	ip -n d link add "$1" type veth peer name "peer$1" &&
	    ip -n d link set "peer$1" up
}

title "an interface that does not exist"
node d
for i in 8 9; do
	conf_vhid d eth$i ${i}0 "address = { \"203.0.113.${i}0/24\" }" \
	    "allow-foreign-subnet = true"
done
comes eth8
start d
check "it is the condition no-interface" has_condition d 90 no-interface
check "the virtual host waits in INIT" state_is d 90 INIT
comes eth9
ip -n d link set eth9 up
check "it comes: its virtual host becomes master" \
    wait_for 6 state_is d 90 MASTER
check "the address is there" holds d 203.0.113.90
check "the condition has ended" not has_condition d 90 no-interface
ip -n d link del eth9
check "it vanishes: INIT" wait_for 2 state_is d 90 INIT
check "no-interface again" wait_for 2 has_condition d 90 no-interface
comes eth9
ip -n d link set eth9 up
check "it returns under another index: master again" \
    wait_for 6 state_is d 90 MASTER
check "the address is there again" holds d 203.0.113.90

title "an interface that is down"
check "it is the condition link-down" has_condition d 80 link-down
check "INIT, without an address" eval \
    'state_is d 80 INIT && not holds d 203.0.113.80'
ip -n d link set eth8 up
check "set up: master" wait_for 6 state_is d 80 MASTER
ip -n d link set eth8 down
check "set down: INIT" wait_for 2 state_is d 80 INIT
check "the address is gone" wait_for 1 not holds d 203.0.113.80

check "all daemons still run" eval 'answers a && answers b && answers d'
finish
