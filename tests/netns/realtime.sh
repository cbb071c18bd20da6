#!/bin/bash
# SPDX-License-Identifier: ISC
# Option realtime: the engine runs with SCHED_RR and its memory locked, and
# nothing else does.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

if ldd "$CARPD" | grep -q libasan; then
	skip "the memory of a sanitizer is too much to be locked"
fi

for tool in chrt prlimit setpriv; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
chrt -r 10 true 2>/dev/null || skip "no real-time priority here"

node hub a
segment lan
plug a lan eth0 192.0.2.1/24
usual_conf a 0 "\"$V4/24\""
mkdir "$T/hooks"
chmod 755 "$T/hooks"

policy() {
	chrt -p "$1" | sed -n 's/.*policy: //p'
}
locked_kb() {
	awk '$1 == "VmLck:" { print $2 }' "/proc/$1/status"
}
resident_kb() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"
}
other_engine() {
	local now
	now=$(engine a) && [ "$now" != "$1" ]
}

title "off, by default"
start a
check "the engine has the usual policy" is "$(policy "$(engine a)")" SCHED_OTHER
check "and locks nothing" is "$(locked_kb "$(engine a)")" 0
sed 's/^node {/node { realtime = true/' "$T/a/carpd.conf" > "$T/a/new"
cp "$T/a/carpd.conf" "$T/a/old"
cp "$T/a/new" "$T/a/carpd.conf"
check "a reload does not change it" not ctl a reload > "$T/a/said" 2>&1
check "and says why" grep -q 'realtime: "true" takes a restart' "$T/a/said"
stop a

title "on"
conf_node a "realtime = true"
cat > "$T/hooks/show" <<'H'
#!/bin/sh
chrt -p $$ > /run/t/hook.new && mv /run/t/hook.new /run/t/hook
H
chmod 755 "$T/hooks/show"
sed -i "s|notify-dir = .*|notify-dir = \"$T/hooks\"|" "$T/a/carpd.conf"
start a
e=$(engine a)
check "the engine has SCHED_RR, not its children" \
    is "$(policy "$e")" 'SCHED_RR|SCHED_RESET_ON_FORK'
check "with a low priority" grep -q 'priority: 10$' <<< "$(chrt -p "$e")"
check "its memory is locked" test "$(locked_kb "$e")" -gt 0
note "$(locked_kb "$e") KiB locked, $(resident_kb "$e") KiB resident"
check "which is not much (KiB)" less "$(resident_kb "$e")" 65536
check "the supervisor has the usual policy" \
    is "$(policy "$(supervisor a)")" SCHED_OTHER
check "and locks nothing" is "$(locked_kb "$(supervisor a)")" 0
check "it becomes master" wait_for 5 state_is a 10 MASTER
check "a hook runs" wait_for 2 test -e "$T/hook"
check "with the usual policy" grep -q 'SCHED_OTHER' "$T/hook"
usual_conf a 0 "$(for i in $(seq 100 200); do
	printf '"192.0.2.%d/24", ' "$i"
done)"
sed -i "s|notify-dir = .*|notify-dir = \"$T/hooks\"|" "$T/a/carpd.conf"
check "memory can still be had: a reload" ctl a reload
check "of many addresses" wait_for 2 holds a 192.0.2.200
kill -KILL "$e"
check "another engine starts" wait_for 6 other_engine "$e"
wait_for 2 answers a
check "with SCHED_RR, too" \
    is "$(policy "$(engine a)")" 'SCHED_RR|SCHED_RESET_ON_FORK'
stop a

title "what it takes"
# refused NAME PATTERN COMMAND...: carpd, started with less, says why not.
refused() {
	local name=$1 pattern=$2
	shift 2
	timeout 10 nsenter --net=/run/netns/a -- "$@" "$CARPD" \
	    -f "$T/a/carpd.conf" -s "$T/a/sock" -S "$T/a/state" \
	    > "$T/refused" 2>&1
	check "$name: exit code 1" is $? 1
	check "$name: a sentence" grep -q -- "$pattern" "$T/refused"
}
refused "no real-time priority" 'real-time priority 10: .*LimitRTPRIO=10' \
    prlimit --rtprio=0 setpriv --bounding-set=-sys_nice --inh-caps=-all
refused "no locked memory" 'cannot lock 256 MiB.*LimitMEMLOCK=256M' \
    prlimit --memlock=65536 setpriv --bounding-set=-sys_resource,-ipc_lock \
    --inh-caps=-all
if ! prlimit --memlock=268435456 true 2>/dev/null; then
	note "no unit: the limit of locked memory cannot be raised here"
	finish
fi
enter a prlimit --rtprio=10 --memlock=268435456 setpriv \
    --bounding-set=-sys_nice,-ipc_lock,-sys_resource --inh-caps=-all \
    "$CARPD" -f "$T/a/carpd.conf" -s "$T/a/sock" -S "$T/a/state" \
    2>> "$T/a/log" &
PID[a]=$!
check "with the limits of the unit it starts" wait_for 5 answers a
check "with SCHED_RR" \
    is "$(policy "$(engine a)")" 'SCHED_RR|SCHED_RESET_ON_FORK'
check "and memory locked" test "$(locked_kb "$(engine a)")" -gt 0
stop a

finish
