#!/bin/bash
# SPDX-License-Identifier: ISC
# carpd and Debian's ucarp as the two nodes of a pair, in both directions.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

command -v ucarp >/dev/null || skip "ucarp is not installed"
usual_net

# The two scripts of ucarp: they hold the address and remember the state.
for what in up down; do
	word=$([ $what = up ] && echo add || echo del)
	state=$([ $what = up ] && echo MASTER || echo BACKUP)
	cat > "$T/$what" <<-END
		#!/bin/sh
		ip addr $word "\$2/32" dev "\$1" 2>/dev/null
		echo $state > "\$3"
	END
	chmod +x "$T/$what"
done

# ucarp NODE VHID ADDRESS SKEW PASSWORD [options]
ucarp_start() {
	local node=$1 vhid=$2 addr=$3 skew=$4 pass=$5 own
	shift 5
	own=$(ip -n "$node" -j -4 addr show dev eth0 |
	    jq -r '.[0].addr_info[0].local')
	echo BACKUP > "$T/$node/ucarp.$vhid"
	enter "$node" ucarp -i eth0 -s "$own" -v "$vhid" -p "$pass" \
	    -a "$addr" -k "$skew" -x "$T/$node/ucarp.$vhid" -u "$T/up" \
	    -d "$T/down" "$@" >> "$T/$node/log" 2>&1 &
	PID[ucarp.$vhid]=$!
}

# As a machine that loses power: its addresses are gone as well.
ucarp_kill() {
	kill -KILL "${PID[ucarp.$2]}"
	wait "${PID[ucarp.$2]}" 2>/dev/null
	ip -n "$1" addr del "$3/32" dev eth0 2>/dev/null
	echo DEAD > "$T/$1/ucarp.$2"
}

ucarp_is() {
	[ "$(cat "$T/$1/ucarp.$2")" = "$3" ]
}

# carpd on a, ucarp on b.
both_are() {
	state_is a "$1" "$2" && ucarp_is b "$1" "$3"
}

# One of them is master, and the other is not.
settled() {
	both_are "$1" MASTER BACKUP || both_are "$1" BACKUP MASTER
}

# Settled, and as it was when first asked.
unchanged() {
	[ "$(state_of a "$1") $(cat "$T/b/ucarp.$1")" = "$2" ]
}

usual_conf a 0 '"192.0.2.100/24"' "preempt = true"
conf_vhid a eth0 20 'address = { "192.0.2.120/24" }' 'advskew = 100'
conf_vhid a eth0 30 'address = { "192.0.2.130/24", "192.0.2.131/24" }'
conf_vhid a eth0 40 'address = { "192.0.2.140/24", "192.0.2.141/24" }' \
    'digest-address = { "192.0.2.140/24" }' "advskew = 0"
conf_vhid a eth0 50 'address = { "192.0.2.150/24" }' "advskew = 50"
conf_vhid a eth0 60 'address = { "192.0.2.160/24" }' "key-hex = \"313233\""
chmod 600 "$T/a/carpd.conf"

start a
ucarp_start b 10 192.0.2.100 100 s3cret
ucarp_start b 20 192.0.2.120 0 s3cret -P
ucarp_start b 30 192.0.2.130 0 s3cret
ucarp_start b 40 192.0.2.140 100 s3cret
ucarp_start b 50 192.0.2.150 50 s3cret
ucarp_start b 60 192.0.2.160 50 321

title "who becomes master, by skew"
check "carpd 0, ucarp 100: carpd is master" \
    wait_for 8 both_are 10 MASTER BACKUP
check "carpd 100, ucarp 0: ucarp is master" \
    wait_for 8 both_are 20 BACKUP MASTER
check "the client reaches the address at carpd" reach c 192.0.2.100
check "the client reaches the address at ucarp" reach c 192.0.2.120

title "ucarp hashes one address only: digest-address"
check "with it, carpd holds two addresses and ucarp follows" \
    wait_for 8 both_are 40 MASTER BACKUP
check "both addresses are held" holds a 192.0.2.141

title "what is wrong is said"
check "another key: both are masters" wait_for 8 both_are 60 MASTER MASTER
check "another key: it is the condition other-key" \
    wait_for 5 has_condition a 60 other-key
check "another address list: both are masters" \
    wait_for 8 both_are 30 MASTER MASTER
check "another address list: it is the condition other-addrs" \
    wait_for 5 has_condition a 30 other-addrs
ctl a status | sed 's/^/        | /'
ucarp_kill b 30 192.0.2.130
ucarp_kill b 60 192.0.2.160

title "ucarp is killed"
t=$(now_us)
ucarp_kill b 20 192.0.2.120
check "carpd takes over" wait_for 6 state_is a 20 MASTER
note "after $(since "$t") s (rule: at most 3.39 s)"
check "the client reaches the address" wait_for 2 reach c 192.0.2.120
ucarp_start b 20 192.0.2.120 0 s3cret -P
check "ucarp -P returns and takes it back" \
    wait_for 8 both_are 20 BACKUP MASTER

title "equal skew"
check "one of them is master" wait_for 10 settled 50
for round in 1 2 3; do
	partition b eth0
	wait_for 10 both_are 50 MASTER MASTER ||
	    fail "round $round: apart, both should be masters"
	heal b eth0 lan
	t=$(now_us)
	# The partition is seen to have ended when it has settled for a while.
	check "round $round: healed, it settles" wait_for 15 settled 50
	for _ in 1 2 3; do
		was="$(state_of a 50) $(cat "$T/b/ucarp.50")"
		always 4.5 unchanged 50 "$was" && settled 50 && break
	done
	took=$(awk -v t="$(since "$t")" 'BEGIN { printf "%.1f", t - 4.5 }')
	check "round $round: and stays so (carpd ${was% *}, ucarp ${was#* })" \
	    unchanged 50 "$was"
	note "settled within $took s"
done

title "carpd bows out, ucarp takes it"
check "before: carpd is master" wait_for 8 both_are 10 MASTER BACKUP
t=$(now_us)
stop a
check "ucarp is master" wait_for 2 ucarp_is b 10 MASTER
note "after $(since "$t") s"
check "carpd has left no address" not holds a 192.0.2.100

title "carpd returns and preempts"
start a
check "carpd is master again" wait_for 8 both_are 10 MASTER BACKUP
check "and does not preempt where ucarp is faster" \
    both_are 20 BACKUP MASTER

title "carpd is killed"
t=$(now_us)
crash a
check "ucarp takes over" wait_for 8 ucarp_is b 10 MASTER
note "after $(since "$t") s (its rule: 3.39 s; it waits up to 1 s more twice)"
check "the address is gone from the dead node" not holds a 192.0.2.100
check "the client reaches the address" wait_for 2 reach c 192.0.2.100

finish
