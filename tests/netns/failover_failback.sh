#!/bin/bash
# SPDX-License-Identifier: ISC
# Fail-back with preempt = true: the preferred node comes back to a node that
# serves, waits for its fence, and takes everything in order, once.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24
NODE_WORDS=("preempt = true")
both_conf

title "the preferred node comes back"
both_start a b
power_off a
check "b is active" wait_for 8 role_is b MASTER
turn
instead B.tank.stop 'sleep 0.6'
nb=$(transitions b)
watch_start a b
start a
check "a is active again" wait_for 10 active a b
check "its address" wait_for 2 holds a "$V4"
watch_stop
properly
check "never at both (ms)" is "$(overlap "$V4")" 0.000
check "b stepped down in order" in_order \
    "web stop, tank stop, tank verify, disks stop" B
check "by force: a had taken the addresses" is \
    "$(diary B | awk '{ print $4 }' | sort -u)" forced
check "a waited for the fence" less 1 "$(diary A | grep -c 'disks start')"
check "storage came after b had released it" less \
    "$(when B disks stop)" "$(when A tank start)"
check "storage never had two owners" one_owner
check "one transition of each" is "$(transitions a) $(($(transitions b) - nb))" \
    "2 1"
note "$(last b cause), $(last b took_ms) ms; $(last a cause)," \
    "$(last a took_ms) ms, $(diary A | grep -c 'disks start') starts of the fence"
check "a says why" grep -q "the other node is slower" <(last a cause)
check "it stays so" always 6 active a b
check "and nothing began" is \
    "$(transitions a) $(($(transitions b) - nb))" "2 1"

title "become_passive on the preferred node: it does not come back at once"
turn
ctl a failover become_passive --yes >/dev/null
check "b is active" wait_for 6 active b a
check "and stays" always 4 active b a
check "but it is not out of the race" wait_for 2 eval \
    '[ "$(host_get a 10 state)" = BACKUP ]'
ctl b failover become_passive --yes >/dev/null
check "given back, it takes it" wait_for 4 active a b
check "and keeps it" always 3 active a b

both_stop
finish
