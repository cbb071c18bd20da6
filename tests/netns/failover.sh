#!/bin/bash
# SPDX-License-Identifier: ISC
# Failover mode, end to end: two nodes whose fence, storage and service are
# hooks that keep a diary.  The order of the phases both ways, every way to
# lose the role, failures, the last resort, restarts, and failover.* commands.
# shellcheck source-path=SCRIPTDIR source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

RESOURCES+=('service extra { hook = diary }')
LINKS=("eth0 10 $V4 critical = true  group = 1")
NOTIFY_DIR=/etc/carpd/notify.d
mkdir -p $NOTIFY_DIR
cat > $NOTIFY_DIR/tell <<END
#!/bin/sh
read -r now rest < /proc/uptime
echo "\$CARPD_NODE \$CARPD_STATE \$now" >> $T/told
END
chmod 755 $NOTIFY_DIR/tell

# told NODE STATE: the notification hooks were, after all that is in the diary.
told() {
	local at
	at=$(awk -v n="$1" -v s="$2" '$1 == n && $2 == s { t = $3 }
	    END { print t; exit t == "" }' "$T/told") &&
	    less "$(diary "$1" | awk 'END { printf "%.3f", $6 - 0.001 }')" \
		"$at"
}

# Services that do not depend on each other stop at once.
way_down() {
	local rest="tank stop, tank verify, disks stop"
	in_order "extra stop, web stop, $rest" "$1" >/dev/null ||
	    in_order "web stop, extra stop, $rest" "$1"
}

named() {
	ip -n "$1" link show "$2" | grep -q "alias $3"
}

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24
both_conf

title "two nodes start: one becomes active, phase by phase"
start a
check "until it is elected, it is not active" role_is a UNKNOWN
start b
check "the preferred one becomes MASTER" wait_for 8 role_is a MASTER
check "the other BACKUP" wait_for 3 role_is b BACKUP
check "fence, storage, critical service, other service" in_order \
    "disks start, tank start, web start, extra start" A
check "the address is there" holds a "$V4"
check "notification hooks hear of it after that" wait_for 3 told A MASTER
check "and nowhere else" not holds b "$V4"
check "nothing ran on B" is "$(diary B)" ""
check "the interface has its name" named a eth0 CriticalGroup1
check "also in carpctl status" grep -q "eth0 CriticalGroup1" \
    <(ctl a status)
note "$(ctl a failover history --json | jq -c '.[-1] | .took_ms, [.phases[] |
    {(.phase): .took_ms}]')"

title "become_passive: services, storage, verify, fence, then the addresses"
turn
watch_start a b
check "it is accepted" ctl a failover become_passive --yes
check "B is MASTER" wait_for 4 role_is b MASTER
watch_stop
check "A is BACKUP" wait_for 2 role_is a BACKUP
check "its record ends so" is \
    "$(ctl a failover history --json | jq -r '.[-1].to')" BACKUP
check "the way down" way_down A
check "the way up" in_order \
    "disks start, tank start, web start, extra start" B
check "B knew that A had stepped down" is \
    "$(diary B | awk '$2 == "disks" { print $5 }')" passive
check "planned" is "$(diary A | awk '{ print $4 }' | sort -u)" planned
check "the address is on B" holds b "$V4"
check "and not on A" not holds a "$V4"
check "storage never had two owners" one_owner

title "a node that is not active cannot become passive"
check "it says so" grep -q "not active" \
    <(ctl a failover become_passive --yes 2>&1)

title "crash of the active node"
turn
power_off b
t0=$(now_us)
check "A takes over" wait_for 6 role_is a MASTER
note "after $(since "$t0") s"
check "and did not know what B was doing" is \
    "$(diary A | awk '$2 == "disks" { print $5; exit }')" unclear
check "the address is on A" holds a "$V4"

title "the crashed node comes back as BACKUP"
turn
start b
check "BACKUP" wait_for 5 role_is b BACKUP
check "nothing was started there" not grep -q start <(diary B)
check "A is not disturbed" role_is a MASTER

title "a crash of carpd alone leaves storage: a restart cleans up"
turn
touch "$T"/world/{disks,tank,web}.B
crash b
start b
check "stopped, shown to be gone, released" wait_for 5 in_order \
    "web stop, tank stop, tank verify, disks stop" B
check "BACKUP" wait_for 3 role_is b BACKUP

title "the engine of the active node is killed: nothing is stopped"
turn
ip -n hub link set b-eth0 down
sleep 11	# an engine that ran for ten seconds is succeeded
kill -KILL "$(engine a)"
check "MASTER again" wait_for 5 role_is a MASTER
check "the address is there" wait_for 2 holds a "$V4"
check "no hook stopped anything" not grep -q stop <(diary A)
ip -n hub link set b-eth0 up
check "B is BACKUP" wait_for 8 role_is b BACKUP

title "the peer is alive and holds the disks: it is waited for"
turn
instead A.tank.stop 'sleep 1'
ctl a failover become_passive --yes
check "B is MASTER at last" wait_for 10 role_is b MASTER
properly
check "storage never had two owners" one_owner

title "storage does not come: undone, demoted, the other takes its turn"
turn
instead A.tank.start 'echo "no such pool"; exit 1'
ctl b failover become_passive --yes
check "A is in ERROR" wait_for 6 role_is a ERROR
undone() {
	diary A | grep -q "disks stop"
}
check "what was started is undone" wait_for 4 undone
check "B is MASTER again" wait_for 10 role_is b MASTER
check "the reason is in the history" grep -q "no such pool" \
    <(ctl a failover history --json)
check "A is demoted by name" grep -q "failed tank" \
    <(ctl a --json status)
properly
check "A recovers by itself" wait_for 15 role_is a ERROR

title "a resource that fails while active"
turn
ctl a failover control action=DISABLE --yes >/dev/null
ctl a failover control action=ENABLE --yes >/dev/null
check "A is BACKUP again" wait_for 5 role_is a BACKUP
instead B.web.status 'echo "it has crashed"; exit 1'
note "monitored each 10 s: waiting"
check "the node is failed over" wait_for 35 role_is a MASTER
check "B is in ERROR" wait_for 3 role_is b ERROR
check "the reason names it" grep -q "web: it has crashed" \
    <(ctl b failover history --json)
properly
ctl b failover control action=DISABLE --yes >/dev/null
ctl b failover control action=ENABLE --yes >/dev/null
check "B is BACKUP again" wait_for 5 role_is b BACKUP

title "storage that does not go: the last resort, and the fence is held"
turn
rm -f "$T/resort"
instead A.tank.verify 'echo "still mounted"; exit 1'
ctl a failover become_passive --yes
check "it is called" wait_for 10 test -s "$T/resort"
check "with the reason" grep -q "still mounted" "$T/resort"
check "the fence is not released" not grep -q "disks stop" <(diary A)
check "A gives no address" wait_for 2 not holds a "$V4"
check "B does not become MASTER: the disks are held" \
    always 2 not role_is b MASTER
check "once" is "$(wc -l < "$T/resort")" 1
power_off a
properly
check "until A is gone" wait_for 25 role_is b MASTER
check "storage never had two owners" one_owner

title "booting with failover disabled: standby until force_master"
start a
wait_for 5 role_is a BACKUP
ctl a failover control action=DISABLE --yes >/dev/null
check "NO_FAILOVER" reason a NO_FAILOVER
stop a
check "the disabled state is remembered" start a
check "NO_FAILOVER after a restart" reason a NO_FAILOVER
turn
power_off b
check "A stays where it is" always 5 not role_is a MASTER
check "force_master is accepted" ctl a failover force_master --yes
check "MASTER" wait_for 5 role_is a MASTER
check "the fence was told that B is dead" is \
    "$(diary A | awk '$2 == "disks" && $3 == "start" { print $5 }')" dead
ctl a failover control action=ENABLE --yes >/dev/null

title "reasons, each caused"
check "none but what is true now" not reason a NO_FAILOVER
check "NO_CRITICAL_INTERFACES is not" not reason a NO_CRITICAL_INTERFACES
ip -n a link add il0 type veth peer name il1
FAILOVER_WORDS=("interlink il0 { peer = 10.255.0.2 }")
failover_conf a A 0
check "a reload that changes no network is accepted" ctl a reload
check "no carrier on the interlink" wait_for 3 reason a \
    NO_CARRIER_ON_HEARTBEAT
ip -n a link set il0 up
ip -n a link set il1 up
check "it has one" wait_for 3 not reason a NO_CARRIER_ON_HEARTBEAT
check "the interlink has its name" wait_for 3 named a il0 Interlink
check "its kind is read from the system" is "$(ctl a failover hardware)" VETH
ip -n a link del il0
check "it is gone" wait_for 3 reason a NO_HEARTBEAT_IFACE

title "a reload that changes the network is refused while enabled"
sed -i 's/advskew = 0/advskew = 7/' "$T/a/carpd.conf"
check "refused, with the way to do it" grep -q "disable it" \
    <(ctl a reload 2>&1)
check "--live does it" ctl a reload --live
check "and nothing moved" role_is a MASTER

title "commands"
check "config" grep -q '"timeout": *0' <(ctl a failover config --json)
check "update" ctl a failover update timeout=5 --yes
check "is kept" grep -q '"timeout": *5' <(ctl a failover config --json)
check "out of range is refused" not ctl a failover update timeout=121 --yes
ctl a failover update timeout=0 --yes >/dev/null
check "node" is "$(ctl a failover node)" A
check "licensed" is "$(ctl a failover licensed)" false
check "in_progress" is "$(ctl a failover in_progress)" false
check "get_ips" is "$(ctl a failover get_ips | tr '\n' ' ')" \
    "https://$V4 http://$V4 "
check "no peer link" grep -q NO_PONG \
    <(ctl a failover sync_to_peer --yes 2>&1)

title "a clean stop steps down first"
turn
stop a
check "in order" way_down A
check "the address is gone" not holds a "$V4"

finish
