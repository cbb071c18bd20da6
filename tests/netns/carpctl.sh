#!/bin/bash
# carpctl against a running carpd: every command, for people and as JSON, and
# what is said when it does not work.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# says CODE PATTERN ARGUMENT...: carpctl on node a.
says() {
	local code=$1 pattern=$2 rc
	shift 2
	ctl a "$@" > "$T/out" 2>&1
	rc=$?
	check "carpctl $*" said "$rc" "$code" "$pattern"
}

said() {
	[ "$1" = "$2" ] && grep -qE -- "$3" "$T/out" && return
	note "exit $1, expected $2; pattern: $3"
	sed 's/^/          /' "$T/out"
	return 1
}

# json EXPRESSION ARGUMENT...: valid JSON of which the expression holds.
json() {
	local expr=$1
	shift
	ctl a --json "$@" > "$T/out" 2>&1
	check "carpctl --json $*: $expr" json_holds "$expr"
}

json_holds() {
	python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$T/out" "$1" && return
	sed 's/^/          /' "$T/out"
	return 1
}

# In the background, into a file; NAME is also the key in PID.
follow() {
	local name=$1
	shift
	"$CARPCTL" -s "$T/a/sock" "$@" > "$T/$name" 2> "$T/$name.err" &
	PID[$name]=$!
}

# Makes events until one of them was printed: then it follows.
followed() {
	ctl a demote probe 1 > /dev/null
	ctl a demote probe 0 > /dev/null
	wait_for 0.2 test -s "$T/$1"
}

usual_net
usual_conf a 0 "$V4/24, $V6/64"
usual_conf b 100 "$V4/24, $V6/64"
segment lan2
plug a lan2 eth1 198.51.100.2/24
conf_vhid a eth1 11 'address = { 198.51.100.1/24 }'
start a && start b || finish
check "a is master" wait_for 8 roles 10 a b

title "asking"
says 0 '^node a, carpd [0-9.]+, process [0-9]+, up ' status
check "a table with titles" grep -qE \
    '^INTERFACE +VHID +STATE +SINCE +MASTER +DEMOTION +ADDRESSES$' "$T/out"
check "and the host" grep -qE "^eth0 +10 +MASTER +[0-9.]+ s ago +this node \
+0 +$V4/24 $V6/64\$" "$T/out"
check "its columns begin where the titles do" python3 -c '
import sys
lines = open(sys.argv[1]).read().splitlines()
title = next(l for l in lines if l.startswith("INTERFACE"))
host = next(l for l in lines if l.startswith("eth0"))
for word, start in ("STATE", "MASTER"), ("MASTER", "this"), ("ADDR", "192."):
    assert title.index(word) == host.index(start), word' "$T/out"
check "no colours in a pipe" not grep -q $'\033' "$T/out"
json 'o["node"] == "a" and {h["vhid"] for h in o["hosts"]} == {10, 11}' status
json 'o["hosts"][0]["state"] == "MASTER"' status
says 0 '^vhid 10 on eth0: master: ' show 10
for word in state master addresses 'digest over' 'sent to' lease election \
    demotion timers ipackets badauth; do
	check "show has $word" grep -q "$word" "$T/out"
done
json 'o["vhid"] == 10 and "master" in o["why"] and o["timers"]["timeout"] > 2' \
    show 10 eth0
says 1 '^carpctl: there is no vhid 12' show 12
says 1 '^carpctl: .*eth0' show 10 eth1
says 2 'a VHID is a number' show 300
says 0 '^carpd [0-9.]+ on node a$' version
json 'o["node"] == "a" and o["version"]' version
says 0 'vhid 10 eth0: MASTER: ' events
check "one line a host" is "$(wc -l < "$T/out")" 2

title "on a terminal"
tty_status() {
	TERM=xterm script -qec "$CARPCTL -s $T/a/sock status" /dev/null < /dev/null
}
if command -v script > /dev/null; then
	tty_status > "$T/out"
	check "colours" grep -q $'\033\[32mMASTER' "$T/out"
	NO_COLOR=1 tty_status > "$T/out"
	check "unless NO_COLOR is set" not grep -q $'\033' "$T/out"
else
	note "script(1) is not installed: colours were not tried"
fi

title "changing"
says 0 '"test" demotes this node by 5 for 2 min 0 s' demote test 5 --for 2m
says 0 '^this node is demoted: test 5 \(1 min 59 s left\)$' status
json 'o["hosts"][0]["demotion"] == 5' status
says 0 'test 5' show 10
says 0 '"test" demotes no longer' demote test 0
json 'o["hosts"][0]["demotion"] == 0 and o["demotion"] == []' status
says 0 'by -3$' demote test -3
json 'o["hosts"][0]["demotion"] == -3' status
json 'o is True' demote test 0
says 1 '^carpctl: .*maintenance' demote maintenance 5
says 1 '^carpctl: ' demote "$(printf '%048d' 0)" 5
says 0 '"short" demotes' demote short 7 --for 1s
no_causes() {
	ctl a --json status | jq -e '.demotion == []' > /dev/null
}
check "--for 1s: over by itself" wait_for 5 no_causes

says 0 'maintenance is on' maintenance on
says 0 '^maintenance is on' status
json 'o["maintenance"] is True' status
check "the other node takes over" wait_for 8 roles 10 b a
says 0 ' BACKUP .* (192\.0\.2\.2|fe80::[0-9a-f:]+) ' status
says 0 '^vhid 10 on eth0: backup: ' show 10
check "show has the peer" grep -qE '^192\.0\.2\.2 +1 +100 ' "$T/out"
says 0 'maintenance is off' maintenance off
json 'o["maintenance"] is False' status
says 2 'maintenance is "on" or "off"' maintenance maybe

says 0 'vhid 10 was told to become master' master 10
check "master by order" wait_for 5 roles 10 a b
says 0 'vhid 10 was told to become backup' backup 10 eth0
check "backup by order" wait_for 5 state_is a 10 BACKUP
json 'o is True' master 10 eth0
says 1 '^carpctl: there is no vhid 99' master 99

says 0 'the configuration was reloaded' reload
json 'o is True' reload
cp "$T/a/carpd.conf" "$T/a/good"
printf 'interface eth0 { vhid 999 { } }\n' >> "$T/a/carpd.conf"
says 1 '^carpctl: .*carpd.conf' reload
check "each line of the reasons begins so" not grep -qv '^carpctl: ' "$T/out"
cp "$T/a/good" "$T/a/carpd.conf"

title "call"
says 0 '^  "version": ' call carp.version
says 0 '^\[$' call rpc.methods
json 'any(m["name"] == "carp.status" and not m["change"] for m in o)' \
    call rpc.methods
json 'o["vhid"] == 10' call carp.show '{"vhid": 10}'
echo '{"vhid": 10}' | ctl a call carp.show - > "$T/out" 2>&1
check "parameters from standard input" json_holds 'o["vhid"] == 10'
says 1 '^carpctl: ' call carp.nothing
says 1 '^carpctl: ' call carp.show '{"vhid": "ten"}'
says 1 '^carpctl: ' call carp.show '{"vhid": 10, "colour": 1}'
says 2 'the parameters are not JSON' call carp.show '{'

title "events"
follow events events -f --json
check "events come at once" wait_for 10 followed events
ctl a backup 10 > /dev/null
check "a state change" wait_for 10 grep -q '"event":"state"' "$T/events"
check "each line is an object" python3 -c '
import json, sys
for line in open(sys.argv[1]):
    assert {"time", "event"} <= set(json.loads(line))' "$T/events"
kill -TERM "${PID[events]}"
wait "${PID[events]}" 2>/dev/null
follow text events -f
check "for people" wait_for 10 followed text
check "in words" grep -qE \
    '^20[0-9-]+T[0-9:.]+Z .*demotion is 1$' "$T/text"
kill -TERM "${PID[text]}"
wait "${PID[text]}" 2>/dev/null
follow counted events --count 2
check "--count follows" wait_for 10 followed counted
wait_for 5 gone "${PID[counted]}" || ctl a demote probe 9 > /dev/null
check "and ends" wait_for 5 gone "${PID[counted]}"
check "after two" is "$(wc -l < "$T/counted")" 2
mkfifo "$T/pipe"
"$CARPCTL" -s "$T/a/sock" events -f > "$T/pipe" 2> "$T/err" &
PID[pipe]=$!
exec 3< "$T/pipe"
exec 3<&-
check "it ends when nobody reads, without another event" \
    wait_for 5 gone "${PID[pipe]}"
wait "${PID[pipe]}"
check "well" is $? 0
ctl a demote probe 0 > /dev/null

title "conditions"
chmod 600 "$T/b/carpd.conf"
conf_vhid b eth0 10 "address = { $V4/24, $V6/64 }" 'advskew = 100' \
    'key-hex = "00112233"' 'grace = 0'
check "b is given one" ctl b reload > /dev/null
check "another key on the segment" wait_for 15 has_condition a 10 other-key
says 0 '^  ! other-key: .*' status
says 0 '^! other-key: ' show 10
check "with a sentence" grep -qE '! other-key: .{20}' "$T/out"

title "who may"
if [ "$(awk '{ print $3; exit }' /proc/self/uid_map)" -gt 65534 ]; then
	# The tree may be where nobody else can read it.
	mkdir "$T/bin"
	cp "$CARPCTL" "$BUILD"/libcarp.so.? "$T/bin"
	nobody() {
		timeout 20 setpriv --reuid 65534 --regid 65534 --clear-groups \
		    "$T/bin/carpctl" -s "$T/a/sock" "$@" > "$T/out" 2>&1
		said $? "$CODE" "$PATTERN"
	}
	chmod 711 "$T" "$T/a"
	CODE=4 PATTERN='Permission denied; be root, or a member of the group'
	check "who is not in the group is told" nobody status
	chmod 666 "$T/a/sock"
	CODE=0 PATTERN='^node a, '
	check "who may connect may ask" nobody status
	CODE=4 PATTERN='^carpctl: '
	check "but not change" nobody maintenance on
	check "nor demote" nobody demote x 5
	check "nor reload" nobody reload
	json 'o["maintenance"] is False and o["demotion"] == []' status
else
	note "only one user here: permissions were not tried"
fi

title "a daemon that does not answer"
frozen=("$(supervisor a)" "$(engine a)")
kill -STOP "${frozen[@]}"
before=$(now_us)
"$CARPCTL" -s "$T/a/sock" status > "$T/out" 2>&1
check "exit 3" said $? 3 'has not answered within 10 s'
check "after ten seconds" less "$(since "$before")" 11
kill -CONT "${frozen[@]}"
check "goes on" wait_for 10 answers a
follow last events -f
wait_for 10 followed last
stop a
check "who follows is told when the daemon ends" \
    wait_for 5 gone "${PID[last]}"
wait "${PID[last]}"
check "exit 3" is $? 3
check "a sentence" grep -q 'has closed the connection' "$T/last.err"
says 3 'cannot reach carpd at .*: (No such file|Connection refused)' status

finish
