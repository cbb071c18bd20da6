#!/bin/bash
# SPDX-License-Identifier: ISC
# What failover mode remembers and tells: history over crashes and reboots,
# settings over restarts, a broken failover.json, `watch' and `update'.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24
both_conf
STORE=$T/a/state/failover.json

quietly() {
	"$@" >/dev/null 2>&1
}
config() {
	ctl "$1" failover config --json | jq -c '[.disabled, .timeout, .master]'
}
kept() {
	jq -ce "$1" "$STORE" >/dev/null 2>&1
}
# At a standstill in the middle of an import.
importing() {
	instead A.tank.start "while [ -f $T/A.tank.start ]; do sleep 0.1; done"
	start a
	check "a is importing" wait_for 6 role_is a IMPORTING
	check "which is on disk" wait_for 2 kept '.history[-1].result == null'
	crash a
	properly
	rm -f "$T"/world/*.A
}

title "settings survive a restart"
start a
check "a is active" wait_for 6 role_is a MASTER
check "a file was made" wait_for 2 kept '.version == 1'
check "update" quietly ctl a failover update timeout=7 master=false --yes
check "disable" quietly ctl a failover control action=DISABLE --yes
stop a
start a
check "they are as they were" is "$(config a)" "[true,7,false]"
check "disabled: it stays where it is" always 4 not role_is a MASTER
check "update takes nothing that is wrong" not \
    quietly ctl a failover update timeout=-1 --yes
check "nothing has changed" is "$(config a)" "[true,7,false]"
quietly ctl a failover update disabled=false timeout=0 master=true --yes
check "a is active again" wait_for 6 role_is a MASTER
stop a

title "killed in the middle of a transition"
importing
start a
check "the history says so" is \
    "$(ctl a failover history --json | jq -r \
    '[.[] | select(.result == "interrupted")] | last.reason')" \
    "carpd was restarted"
check "and the log" grep -q "a transition was running when carpd ended" \
    "$T/a/log"
check "in words, too" grep -q "interrupted" <(ctl a failover history)
check "a is active" wait_for 6 role_is a MASTER
n=$(transitions a)
stop a

title "the machine went down in the middle of a transition"
importing
sed -i 's/"boot_id": ".*"/"boot_id": "00000000-0000-0000-0000-000000000000"/' \
    "$STORE"
start a
check "the history says so" is \
    "$(ctl a failover history --json | jq -r \
    '[.[] | select(.result == "interrupted")] | last.reason')" \
    "the node was rebooted"
check "the ones before are there" less "$n" "$(transitions a)"
check "the boot id is that of this boot" is "$(ctl a call \
    failover.reboot.info | jq -r .this_node.boot_id)" \
    "$(cat /proc/sys/kernel/random/boot_id)"
check "a is active" wait_for 6 role_is a MASTER

title "watch, not on a terminal: lines"
start b
check "b is standby" wait_for 5 role_is b BACKUP
"$CARPCTL" -s "$T/b/sock" failover watch > "$T/lines" &
watcher=$!
check "it begins with the role" wait_for 2 grep -qx BACKUP "$T/lines"
quietly ctl a failover become_passive --yes
check "b is MASTER" wait_for 4 role_is b MASTER
check "which it tells, and why" wait_for 2 grep -q \
    " MASTER: elected: the other node stepped down" "$T/lines"
for line in "ELECTING: elected" "fence up" "disks start: ok after" \
    "IMPORTING: elected" "storage up" "tank start: ok after" \
    "critical services up" "web start: ok after"; do
	check "$line" grep -q "$line" "$T/lines"
done
check "no escape sequences" not grep -q $'\033' "$T/lines"
check "in this order" is "$(grep -o 'disks start\|tank start\|web start' \
    "$T/lines" | tr '\n' ' ')" "disks start tank start web start "
quietly ctl b failover become_passive --yes
check "a is active" wait_for 4 active a b
instead B.tank.start 'echo "no such pool"; exit 1'
quietly ctl a failover become_passive --yes
check "a failure is told with its reason" wait_for 5 grep -q \
    "tank start: failed after .*no such pool" "$T/lines"
check "a is active again" wait_for 8 role_is a MASTER
kill "$watcher"
properly
check "b is standby" wait_for 20 eval \
    'ctl b failover control action=DISABLE --yes >/dev/null &&
    ctl b failover control action=ENABLE --yes >/dev/null && active a b'

title "update master: the skew on the wire"
skew() {
	[ "$(ctl a --json status | jq '.hosts[0].advskew')" = "$1" ]
}
wire_has() {
	show b 10 '.peers[].advskew' | grep -qx "$1"
}
heard() {
	show b 10 '[.peers[].count] | add'
}
more() {
	[ "$(heard)" -gt "$1" ]
}
# Right after an advertisement: the next one is due in a second.
next_advert() {
	check "an advertisement" wait_for 2 more "$(heard)"
}
check "by default it is that of the file" skew 0
next_advert
quietly ctl a failover update master=false --yes
check "b hears at once that a is not the preferred one" wait_for 0.6 \
    wire_has 100
check "a says so, too" skew 100
next_advert
quietly ctl a failover update master=true --yes
check "and that it is again" wait_for 0.6 wire_has 0
check "a says so, too" skew 0
check "nothing moved" active a b
stop b
stop a

# broken WORDS CONTENT: the file is kept aside, and the node starts.
broken() {
	rm -f "$STORE" "$STORE.bad" "$T/a/log"
	printf '%s' "$2" > "$STORE"
	start a
	check "$1: kept aside" test -f "$STORE.bad"
	check "as it was" is "$(cat "$STORE.bad")" "$2"
	check "the log says so" grep -q "failover.json.*kept as" "$T/a/log"
	check "it fails closed: disabled" is "$(config a)" "[true,0,true]"
	check "that is kept" wait_for 2 kept '.disabled == true'
	check "the log says how to go on" grep -q "action=ENABLE" "$T/a/log"
	quietly ctl a failover control action=ENABLE --yes
	check "enabled, it is active" wait_for 6 role_is a MASTER
	check "and writes a new one" wait_for 2 kept '.version == 1'
	stop a
}

broken "cut short" '{ "version": 1, "disabled": tr'
broken "of a later version" '{"version": 9, "boot_id": "", "disabled": true,
"timeout": 3, "master": 0, "next_id": 1, "history": []}'

title "failover.json is too large"
rm -f "$STORE" "$STORE.bad" "$T/a/log"
truncate -s 1100000 "$STORE"
start a
check "kept aside" test -f "$STORE.bad"
check "the log says why" grep -q "failover.json: File too large" "$T/a/log"
check "it fails closed: disabled" is "$(config a)" "[true,0,true]"
stop a
finish
