#!/bin/bash
# SPDX-License-Identifier: ISC
# lease = guard: a frozen node is silent before another may take over; what a
# dead one leaves is silent and is swept; nothing else is touched; to renew
# is cheap.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

for tool in tcpdump arping nft; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
nft add table inet carptest 2>/dev/null || skip "no nf_tables here"
nft delete table inet carptest

usual_net

both() {
	usual_conf "$1" "$2" "\"$V4/24\", \"$V6/64\"" "lease = guard" "${@:3}"
}
tables() {
	on "$1" nft list tables | grep -c libcarp
}
addresses_guarded() {
	on "$1" nft list table inet libcarp 2>/dev/null | grep -o 'jump lease' |
	    wc -l
}
mac_of() {
	ip -n "$1" -j link show dev eth0 | jq -r '.[0].address'
}
frames_start() {
	: > "$T/frames.err"
	enter c tcpdump -i eth0 -e -n -l -tt --immediate-mode \
	    'proto 112 or icmp or icmp6 or arp' > "$T/frames" \
	    2> "$T/frames.err" &
	PID[frames]=$!
	wait_for 5 grep -q listening "$T/frames.err"
}
frames_stop() {
	kill -INT "${PID[frames]}"
	wait "${PID[frames]}" 2>/dev/null
}
# ms_after MAC TO: from its last advertisement to its last word of V4 and V6.
ms_after() {
	awk -v m="$1" '
		/192\.0\.2\.1 > 224\.0\.0\.18: / { advert = $1 }
		$2 == m && /192\.0\.2\.100 >|2001:db8::100 >|100 is-at/ {
			last = $1
		}
		END { printf "%.1f", advert && last ? (last - advert) * 1000 : 1e9 }
	' "$T/frames"
}
seen() {
	grep -q "$1" "$T/frames"
}
resume() {
	kill -CONT "$@" 2>/dev/null
}

# frozen WORDS LIMIT_MS: the master a is stopped, both processes.
frozen() {
	local s e took
	s=$(supervisor a) e=$(engine a)
	frames_start
	probe_start 4 c $V4
	probe_start 6 c $V6
	check "$1: an advertisement and answers are seen" wait_for 5 eval \
	    "seen '192.0.2.1 > 224.0.0.18' && seen '$V4 >' && seen '$V6 >'"
	kill -STOP "$s" "$e"
	check "$1: b is master" wait_for 6 state_is b 10 MASTER
	check "$1: it answers" wait_for 2 reach c $V4
	check "$1: at both addresses" wait_for 2 reach c $V6
	probe_stop 4
	probe_stop 6
	frames_stop
	took=$(ms_after "$A_MAC")
	note "last word of a $took ms after its last advertisement;" \
	    "another may take over after $2 ms"
	check "$1: a is silent before that" less "$took" "$2"
	check "$1: both addresses still are at a" holds a $V4
	resume "$e" "$s"
	check "$1: a is backup" wait_for 6 state_is a 10 BACKUP
	check "$1: and gives them up" wait_for 2 not holds a $V4
}
A_MAC=$(mac_of a)

title "default timers"
both a 0
both b 100
start a
check "a is master" wait_for 5 state_is a 10 MASTER
start b
check "status tells the lease" is "$(show a 10 .lease.kind)" guard
check "and its length" is "$(show a 10 .lease.seconds)" 2.9
check "the addresses are permanent in the kernel" grep -q \
    'valid_lft forever' <<< "$(ip -n a addr show to $V4)"
check "the MAC address of a is known" grep -q : <<< "$A_MAC"
check "two addresses are guarded" is "$(addresses_guarded a)" 2
check "none at the backup" is "$(addresses_guarded b)" 0
check "the client reaches IPv4" reach c $V4
check "and IPv6" reach c $V6
check "the backup reaches it, too" reach b $V4
check "for several leases" always 4 reach c $V4
check "a demoted master holds them, too" ctl a demote test 5
check "nothing lost" always 1 reach c $V4
ctl a demote test 0
wait_for 5 roles 10 a b || ctl a master 10
wait_for 5 roles 10 a b
frozen "default" 3000
stop b
stop a
check "a clean stop leaves no table" is "$(tables a)" 0
check "nor at b" is "$(tables b)" 0

TICK_MS=$(python3 -c 'import time
print(time.clock_getres(6) * 1000)' 2>/dev/null || echo 4)
# Below 8 it takes realtime, which a sanitizer's memory does not allow.
realtime=false
chrt -r 10 true 2>/dev/null && ! ldd "$CARPD" | grep -q libasan &&
    realtime=true
for skew in 1 2 4 5 8 20; do
	title "advbase = 0, advskew = $skew"
	conf_node a
	conf_node b
	if [ $skew -lt 8 ]; then
		both a $skew "advbase = 0"
		"$CARPD" -n -f "$T/a/carpd.conf" > "$T/said" 2>&1
		check "without realtime: a sentence" \
		    grep -q "takes realtime = true" "$T/said"
		$realtime || continue
		conf_node a "realtime = true"
		conf_node b "realtime = true"
	fi
	both a $skew "advbase = 0"
	both b $((skew + 20)) "advbase = 0"
	if less "$(awk -v s=$skew 'BEGIN { print s / 256 * 1500 }')" \
	    "$(awk -v t="$TICK_MS" 'BEGIN { print 2 * t }')" >/dev/null; then
		"$CARPD" -n -f "$T/a/carpd.conf" > "$T/said" 2>&1
		check "too fast for the clock of this kernel: a sentence" \
		    grep -q "lease = guard.*greater advskew" "$T/said"
		continue
	fi
	start a
	check "a is master" wait_for 5 state_is a 10 MASTER
	start b
	check "b is backup" wait_for 5 state_is b 10 BACKUP
	probe_start loss c $V4
	sleep 1
	probe_stop loss
	note "$(probe_text loss)"
	frozen "skew $skew" \
	    "$(awk -v s=$skew 'BEGIN { printf "%.1f", s / 256 * 3000 }')"
	stop b
	stop a
done

title "killed: silent, and then swept"
conf_node a
conf_node b
both a 0
start a
check "a is master" wait_for 5 state_is a 10 MASTER
crash a
check "it does not answer any more" wait_for 5 not reach c $V4
check "the address is still there" holds a $V4
check "nor does that of IPv6" not reach c $V6
on c ip neigh flush dev eth0
check "no ARP reply" not on c arping -q -c 2 -w 2 -I eth0 $V4
on c ip neigh flush dev eth0
not reach c $V6 >/dev/null
check "no neighbour advertisement" not grep -q lladdr \
    <<< "$(ip -n c -6 neigh show $V6)"
check "other addresses of the node do" reach c 192.0.2.1
check "of both families" reach c 2001:db8::1
usual_conf a 0 "\"192.0.2.200/24\"" "lease = guard"
start a
check "the next start has taken it away" not holds a $V4
check "it becomes master of another" wait_for 5 holds a 192.0.2.200
check "only that one is guarded" is "$(addresses_guarded a)" 1
check "and answers" reach c 192.0.2.200

title "somebody flushes all tables"
on a nft flush ruleset
check "they are made again" wait_for 3 eval '[ "$(addresses_guarded a)" = 1 ]'
check "the address answers" always 2 reach c 192.0.2.200

title "another lease, by reload"
usual_conf a 0 "\"192.0.2.200/24\""
check "reloaded" ctl a reload
check "the kernel ends it now" wait_for 3 eval \
    '! ip -n a addr show to 192.0.2.200 | grep -q "valid_lft forever"'
check "the guard is gone" wait_for 3 eval '[ "$(addresses_guarded a)" = 0 ]'
usual_conf a 0 "\"192.0.2.200/24\"" "lease = guard"
check "reloaded" ctl a reload
check "it is guarded again" wait_for 3 eval '[ "$(addresses_guarded a)" = 1 ]'
check "permanent" wait_for 3 eval \
    'ip -n a addr show to 192.0.2.200 | grep -q "valid_lft forever"'
check "and answers" always 1 reach c 192.0.2.200
stop a
check "no table is left" is "$(tables a)" 0

title "with a virtual MAC"
both a 0 "virtual-mac = true"
start a
check "a is master" wait_for 5 state_is a 10 MASTER
check "the address answers" wait_for 2 reach c $V4
check "for several leases" always 4 reach c $V4
crash a
check "killed: it does not answer" wait_for 5 not reach c $V4
start a
stop a
check "no table is left" is "$(tables a)" 0

title "on the command line"
enter a "$CARPD" -i eth0 -v 10 -P "$T/a/key" -a "$V4/24" -l guard \
    -u "$(engine_user)" -s "$T/a/sock" -S "$T/a/state" 2>> "$T/a/log" &
PID[a]=$!
check "it answers on its socket" wait_for 5 answers a
check "-l guard: status tells the lease" is "$(show a 10 .lease.kind)" guard
check "a is master" wait_for 5 state_is a 10 MASTER
check "the address is guarded" is "$(addresses_guarded a)" 1
check "and answers" wait_for 2 reach c $V4
stop a
check "no table is left" is "$(tables a)" 0

title "1,000 addresses"
list=$(for i in $(seq 0 999); do
	printf '"10.9.%d.%d/16", ' $((i / 250)) $((i % 250 + 1))
done)
address a eth0 10.9.255.1/16
usual_conf a 0 "$list" "lease = guard"
start a
check "a is master" wait_for 5 holds a 10.9.3.250
check "all are guarded" is "$(addresses_guarded a)" 1000
cpu() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}
e=$(engine a)
before=$(cpu "$e")
if command -v strace >/dev/null; then
	timeout 5 strace -f -e trace=sendto -o "$T/strace" -p "$e" 2>/dev/null
	note "$(grep -c AF_NETLINK "$T/strace") netlink sends in 5 s, of at most" \
	    "$(grep AF_NETLINK "$T/strace" | sed 's/.*= //' | sort -n | tail -n 1) bytes"
	check "one send each advertisement" \
	    less "$(grep -c AF_NETLINK "$T/strace")" 7
	check "and small" less "$(grep AF_NETLINK "$T/strace" |
	    sed 's/.*= //' | sort -n | tail -n 1)" 1024
else
	sleep 5
fi
note "$(($(cpu "$e") - before)) ticks of 10 ms in 5 s"
stop a
check "no table is left" is "$(tables a)" 0

finish
