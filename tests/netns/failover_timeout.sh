#!/bin/bash
# SPDX-License-Identifier: ISC
# The hold-down of failover mode: a short interruption of the network stops
# nothing, a long one does, and the time is waited for once on each node.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24
FAILOVER_WORDS=("timeout = 3")
both_conf

# serving NODE: services run, nothing is on its way.
serving() {
	role_is "$1" MASTER && [ -e "$T/world/web.${1^^}" ]
}
address_and_role() {
	role_is "$1" "$2" && holds "$1" "$V4"
}
no_timeout() {
	ctl "$1" failover update timeout=0 >/dev/null
}

title "timeout = 3: two nodes start"
start a
start b
check "a is ELECTING: nobody was heard, and that may be an interruption" \
    wait_for 6 role_is a ELECTING
check "it imports nothing for 3 s" always 2.5 role_is a ELECTING
check "then it is MASTER" wait_for 3 active a b
note "the transition took $(last a took_ms) ms"
check "the hold-down was counted" less 2999 "$(last a took_ms)"
check "once" less "$(last a took_ms)" 5000

title "1 s without a network stops nothing"
na=$(transitions a) nb=$(transitions b)
turn
unplug a eth0
check "services go on" always 1 serving a
replug a eth0
check "the address is back" wait_for 6 address_and_role a MASTER
check "services went on" always 1 serving a
check "no hook was called" is "$(diary)" ""
check "no transition at a" is "$(transitions a)" "$na"
check "b began nothing, or gave it back" wait_for 3 role_is b BACKUP
note "transitions of b: $(($(transitions b) - nb))"

title "the network is away for longer"
turn
watch_start a b
t=$(uptime_s)
unplug a eth0
check "services go on at first" always 2 serving a
check "then a steps down" wait_for 3 not role_is a MASTER
check "b is MASTER" wait_for 8 role_is b MASTER
check "its address" wait_for 2 holds b "$V4"
watch_stop
down=$(awk -v t="$t" -v s="$(when A web stop)" 'BEGIN { print s - t }')
up=$(awk -v t="$t" -v s="$(when B tank start)" 'BEGIN { print s - t }')
note "services stopped after $down s, storage taken after $up s," \
    "address after $(event "$t" b add "$V4") s"
check "3 s, once, on a" less 2.9 "$down"
check "not twice" less "$down" 5
check "on b detection and 3 s" less 5.3 "$up"
check "not twice" less "$up" 8.9
check "a was down before b took the storage" less "$down" "$up"
check "storage never had two owners" one_owner
check "why" is "$(last a cause)" "the network was lost"
replug a eth0
check "a is BACKUP" wait_for 6 active b a

title "a planned change is no interruption: nobody waits"
t=$(now_us)
ctl b failover become_passive --yes >/dev/null
check "a is MASTER at once" wait_for 2 active a b
note "after $(since "$t") s"

title "a new timeout takes effect at once, also on one that runs"
unplug a eth0
check "services go on" always 1 serving a
check "update timeout=0" no_timeout a
check "a steps down" wait_for 1 not role_is a MASTER
check "b is ELECTING" wait_for 6 role_is b ELECTING
check "update timeout=0" no_timeout b
check "b is MASTER" wait_for 1 role_is b MASTER
replug a eth0
check "a is BACKUP" wait_for 6 active b a
unplug b eth0
check "without a timeout b steps down at once" wait_for 1 not role_is b MASTER
check "a takes over as soon as it may" wait_for 4 role_is a MASTER
replug b eth0
check "storage never had two owners" one_owner

stop b
stop a
finish
