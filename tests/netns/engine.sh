#!/bin/bash
# SPDX-License-Identifier: ISC
# The library without the daemon: two engines on the real kernel, told what to
# do by lines, and a third party that puts wrong things on the wire.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

DRIVER=$TOOLS/engine_driver
[ -x "$DRIVER" ] || skip "$DRIVER is missing"
[ -f "$HERE/engine_frames.py" ] || skip "engine_frames.py is missing"
declare -A TO=() FROM=()

# run NODE: an engine, with its log and a pipe for commands.
run() {
	local fd
	mkdir -p "$T/$1"
	[ -p "$T/$1/in" ] || mkfifo "$T/$1/in"
	exec {fd}<> "$T/$1/in"
	TO[$1]=$fd
	: > "$T/$1/log"
	FROM[$1]=1
	enter "$1" "$DRIVER" < "$T/$1/in" >> "$T/$1/log" 2>&1 &
	PID[$1]=$!
	wait_for 5 heard "$1" ready || fail "the engine on $1 does not start"
}

tell() {
	local node=$1
	shift
	mark "$node"
	printf '%s\n' "$*" >&"${TO[$node]}"
}

# What the log says from here on.
mark() {
	FROM[$1]=$(($(wc -l < "$T/$1/log") + 1))
}

heard() {
	tail -n "+${FROM[$1]}" "$T/$1/log" | grep -q -- "$2"
}

# ask NODE IF VHID: the answer to show.
ask() {
	tell "$1" show "$2" "$3"
	wait_for 5 heard "$1" 'show end\|show none'
	tail -n "+${FROM[$1]}" "$T/$1/log"
}

# shows NODE IF VHID PATTERN
shows() {
	ask "$1" "$2" "$3" | grep -q -- "$4"
}

in_state() {
	ask "$1" eth0 10 | grep -q "^show state $2 "
}

has() {
	ask "$1" eth0 10 | grep -q "^show cond $2 "
}

says() {
	ask "$1" eth0 10 | grep "^show cond $2 " | grep -q -- "$3"
}

# counter NODE NAME [link]: of the host, or of its interface.
counter() {
	ask "$1" eth0 10 | if [ "${3:-}" = link ]; then
		grep '^show link show'
	else
		grep '^show ipackets'
	fi | grep -o " $2 [0-9]*" | head -n 1 | cut -d ' ' -f 3
}

above() {
	[ "$("${@:2}")" -gt "$1" ]
}

inject() {
	on c python3 "$HERE/engine_frames.py" "$@"
}

mac_of() {
	ip -n "$1" -j link show dev eth0 | jq -r '.[0].address'
}

# A clean end: what it has left over, a sanitizer tells.
end() {
	tell "$1" quit
	wait_for 10 gone "${PID[$1]}" || return 1
	wait "${PID[$1]}"
}

FAST_A="base=0 skew=12 lease=off"	# 47 ms, silence 141 ms
FAST_B="base=0 skew=30 lease=off"	# 117 ms, silence 352 ms
BOTH="addr=$V4/24,$V6/64"

pair() {
	tell a "add eth0 10 $BOTH $FAST_A preempt"
	wait_for 3 in_state a MASTER
	tell b "add eth0 10 $BOTH $FAST_B"
	wait_for 3 heard b 'INIT BACKUP'
}

usual_net
node d
plug a lan eth1
run a
run b

title "Election"
pair
check "the first engine is master" wait_for 3 in_state a MASTER
check "the second one is backup" always 0.6 in_state b BACKUP
check "the master has the IPv4 address" wait_for 1 holds a "$V4"
check "the master has the IPv6 address" wait_for 1 holds a "$V6"
check "the backup has none" not holds b "$V4"
check "somebody answers for it" reach c "$V4"
check "and for the other" reach c "$V6"
check "the backup knows the master's IPv4 address" \
    shows b eth0 10 'peer 192.0.2.1 0 12'
check "and its link-local one" shows b eth0 10 'peer fe80'
is "$(on b cat /proc/net/igmp | grep -c 120000E0)" 1 &&
    pass "the group is joined (IGMP)" || fail "the group is not joined"
check "the group is joined (MLD)" \
    grep -q 'eth0 .*ff020000000000000000000000000012' \
    <(on b cat /proc/net/igmp6)
check "the NIC lets the group through" \
    grep -q 01:00:5e:00:00:12 <(ip -n b maddr show dev eth0)
check "no promiscuous mode" grep -q 'promiscuity 0' \
    <(ip -n b -d link show eth0)

title "A changed configuration leaves the state alone"
before=$(counter a opackets)
mark a
mark b
tell a "change eth0 10 $BOTH,192.0.2.101/24 $FAST_A preempt"
tell b "change eth0 10 $BOTH,192.0.2.101/24 $FAST_B"
check "the new address is there" wait_for 1 holds a 192.0.2.101
check "and is known" reach c 192.0.2.101
tell a "change eth0 10 $BOTH $FAST_A preempt"
tell b "change eth0 10 $BOTH $FAST_B"
check "the address goes" wait_for 1 not holds a 192.0.2.101
check "the others stay" holds a "$V4"
check "nobody changed state" not grep -q ' state .* MASTER BACKUP' \
    "$T/a/log"
check "a bad address list is refused" eval \
    'tell a "change eth0 10 addr=224.0.0.1/24 base=0 skew=12"; wait_for 1 heard a "rc -22"'
check "and changed nothing" in_state a MASTER

title "Crash"
start=$(now_us)
kill -KILL "${PID[a]}"
check "the backup takes over" wait_for 2 in_state b MASTER
note "after $(since "$start") s (rule: 0.352 s)"
check "with the address" wait_for 1 holds b "$V4"
wait "${PID[a]}" 2>/dev/null
on a ip addr flush dev eth0 scope global
address a eth0 192.0.2.1/24
run a
tell a "add eth0 10 $BOTH $FAST_A preempt"
check "it comes back and preempts" wait_for 2 in_state a MASTER
check "the other one yields" wait_for 1 in_state b BACKUP
check "and gives the address up" wait_for 1 not holds b "$V4"

title "Freeze"
mark a
mark b
kill -STOP "${PID[a]}"
check "the backup takes over from a frozen master" wait_for 2 in_state b MASTER
tell b "change eth0 10 $BOTH base=0 skew=4 lease=off preempt"
sleep 0.3
mark b
kill -CONT "${PID[a]}"
check "awake, it hears the new master first" wait_for 1 heard a MASTER.BACKUP
check "the new master was not disturbed" not heard b MASTER.BACKUP
check "the address went" wait_for 1 not holds a "$V4"
tell b "change eth0 10 $BOTH $FAST_B"
check "all is as before" wait_for 2 in_state a MASTER

title "Link lost"
tell a "add eth1 20 addr=198.51.100.100/24 $FAST_A"
wait_for 2 heard a 'state eth1 20 BACKUP MASTER'
mark a
mark b
t0=$(now_us)
unplug a eth0
check "its hosts give up" wait_for 1 heard a 'state eth0 10 MASTER INIT'
note "seen within $(since "$t0") s"
check "the address is gone" wait_for 1 not holds a "$V4"
check "the peer takes over" wait_for 2 in_state b MASTER
check "the other interface is demoted" heard a 'demotion 0 240'
check "a condition says so" says a link-down eth0
mark a
on c timeout 6 tcpdump -vlni eth0 igmp > "$T/igmp" 2>/dev/null &
listener=$!
sees_port() {
	on c cat /proc/net/packet | grep -q ' 3  *0003 '
}
wait_for 2 sees_port
replug a eth0
check "it comes back" wait_for 3 heard a 'state eth0 10 INIT BACKUP'
check "and is master again" wait_for 3 in_state a MASTER
check "no longer demoted" wait_for 1 heard a 'demotion 0 0'
check "the switch hears of the group again" \
    wait_for 3 grep -q 224.0.0.18 "$T/igmp"
kill $listener
wait $listener 2>/dev/null
check "the condition ended" wait_for 1 not has a link-down

title "The interface vanishes and comes back"
mark a
ip -n a link del eth0
check "its hosts give up" wait_for 1 heard a 'state eth0 10 MASTER INIT'
check "a condition says so" says a no-interface 'no interface eth0'
check "the peer takes over" wait_for 2 in_state b MASTER
plug a lan eth0 192.0.2.1/24 2001:db8::1/64
check "it is picked up again" wait_for 3 in_state a MASTER
check "with the address" wait_for 1 holds a "$V4"
check "the groups are joined again" \
    grep -q 'eth0 .*ff020000000000000000000000000012' \
    <(on a cat /proc/net/igmp6)

title "Hand-over"
mark b
t0=$(now_us)
tell a stop
check "a bow-out makes the backup master" wait_for 1 heard b 'BACKUP MASTER'
note "within $(since "$t0") s"
check "the addresses went" wait_for 1 not holds a "$V4"
check "it ends cleanly" end a
run a
tell a "add eth0 10 $BOTH $FAST_A preempt"
check "started again it preempts" wait_for 2 in_state a MASTER

title "Demotion and force"
mark b
tell a demote test 240
check "a demoted master is not taken over without preempt" \
    always 0.5 in_state a MASTER
tell b "change eth0 10 $BOTH $FAST_B preempt"
check "but it is by one that preempts" wait_for 2 in_state b MASTER
tell a demote test 0
check "it comes back" wait_for 2 in_state a MASTER
tell a demote short 240 0.6
check "a cause with an end" wait_for 2 in_state b MASTER
check "ends" wait_for 3 in_state a MASTER
tell b "change eth0 10 $BOTH $FAST_B"
tell a force eth0 10 backup
check "forced to backup, with a bow-out" wait_for 1 heard a 'MASTER BACKUP'
wait_for 2 in_state a MASTER

title "Somebody deletes our address"
on a ip addr del "$V4/32" dev eth0 2>/dev/null ||
    on a ip addr del "$V4/24" dev eth0
check "it is back" wait_for 0.5 holds a "$V4"
check "and there is an event" wait_for 1 heard a "repaired $V4"

title "Wrong things on the wire"
inject advert eth0 --key other --addrs "$V4,$V6" --skew 1
check "another key is said" wait_for 2 says a other-key \
    '192.0.2.66 advertises vhid 10 with another key.*compare passphrases'
check "by a master with the warning of two" says a other-key 'two masters'
sleep 1.1
inject advert eth0 --addrs "$V4" --src 192.0.2.67
check "another address list is said" wait_for 2 says a other-addrs \
    "192.0.2.67 .* only: $V4;"
check "badauth is counted" above 1 counter a badauth
inject vrrp eth0 --version 2
check "VRRP version 2 with our number" says a vrrp '192.0.2.66 speaks VRRP'
inject vrrp eth0 --version 3
inject advert eth0 --version 4 --addrs "$V4,$V6"
check "another version" says a other-version 'version 4'
inject advert eth0 --ttl 64 --addrs "$V4,$V6"
check "another TTL" says a ttl 'TTL 64'
inject advert eth0 --dst 192.0.2.1 --addrs "$V4,$V6" \
    --mac "$(mac_of a)"
check "unicast from a stranger" says a unknown-peer multicast
inject advert eth0 --vhid 99
check "another vhid is counted" above 0 counter a badvhid link
inject advert eth0 --vlan 5 --ttl 64 --src 192.0.2.77
check "another VLAN's frames are not ours" not says a ttl 192.0.2.77
inject advert eth0 --vlan 0 --ttl 63 --src 192.0.2.78
check "but a priority tag is nothing" says a ttl 192.0.2.78
inject reflect eth0 --count 3
check "our own packets coming back" says a loop 'come back on eth0'
check "are counted" above 2 counter a own
check "nothing of this changed the state" in_state a MASTER

title "A master beside us"
inject advert eth0 --addrs "$V4,$V6" --base 0 --skew 100 --count 12 \
    --interval 0.3
check "two masters are told of" has a two-masters

title "Garbage"
mark a
mark b
rss() {
	awk '/VmRSS/ { print $2 }' "/proc/${PID[a]}/status"
}
before=$(rss)
# Not through the bridge, which drops what is no IP.
on hub python3 "$HERE/engine_frames.py" garbage a-eth0 --count 4000 --addrs "$V4,$V6" --skew 254 --base 200
check "badsum is counted" above 100 counter a badsum link
check "hdrops is counted" above 100 counter a hdrops link
check "the master is unmoved" in_state a MASTER
check "the backup as well" in_state b BACKUP
grep -q libasan "/proc/${PID[a]}/maps" ||
    check "no memory was lost" less "$(rss)" $((before + 600))

title "Transmission fails"
tell a "add eth1 30 addr=2001:db8:1::1/64 $FAST_A"
wait_for 2 heard a 'state eth1 30 BACKUP MASTER'
ip -n a link set eth1 mtu 70
check "three failures demote" wait_for 3 shows a eth1 30 'demotion 240'
check "and are told" shows a eth1 30 'cond send .* cannot send on eth1'
mark a
ip -n a link set eth1 mtu 1500
check "working again ends it" wait_for 3 heard a 'cond eth1 0 send off'
ip -n a link set eth1 mtu 70
wait_for 3 shows a eth1 30 'demotion 240'
mark a
on hub timeout 14 python3 "$HERE/engine_frames.py" advert a-eth1 --vhid 30 \
    --addrs 2001:db8:1::1 --src 192.0.2.7 --base 0 --skew 3 --count 1000 \
    --interval 0.04 &
faster=$!
check "as a backup, which sends nothing, it stays demoted" \
    wait_for 3 shows a eth1 30 'state BACKUP link 1 demotion 240'
check "but not for ever" wait_for 12 heard a 'cond eth1 0 send off'
check "meanwhile the wrong things are forgotten" not has a vrrp
check "all of them" not has a other-key
kill $faster
wait $faster 2>/dev/null
tell a remove eth1 30

title "Removed"
mark b
tell a remove eth0 10
check "a bow-out is sent" wait_for 1 heard b 'BACKUP MASTER'
check "the address is gone" wait_for 1 not holds a "$V4"
check "the host is gone" shows a eth0 10 none
tell b remove eth0 10

for family in 4 6; do
	title "Unicast, IPv$family"
	if [ $family = 4 ]; then
		peers=(192.0.2.1 192.0.2.2) addr=$V4/24 src=192.0.2.66
	else
		peers=(2001:db8::1 2001:db8::2) addr=$V6/64 src=2001:db8::66
	fi
	tell a "add eth0 10 addr=$addr $FAST_A preempt peer=${peers[1]}"
	tell b "add eth0 10 addr=$addr $FAST_B peer=${peers[0]}"
	check "one is master" wait_for 3 in_state a MASTER
	check "the other is backup" always 0.5 in_state b BACKUP
	inject advert eth0 --addrs "${addr%/*}" --src $src --ttl 64 \
	    --dst "${peers[0]}" \
	    --mac "$(mac_of a)"
	check "a stranger is named" says a unknown-peer "$src .*not among"
	kill -STOP "${PID[a]}"
	check "crash: the backup takes over" wait_for 2 in_state b MASTER
	kill -CONT "${PID[a]}"
	check "and back" wait_for 3 in_state a MASTER
	if [ $family = 4 ]; then
		check "no ICMP error is sent" is "$(on b awk \
		    '/^Icmp: [0-9]/ { print $17 }' /proc/net/snmp)" 0
	else
		check "no ICMPv6 error is sent" is "$(on b awk \
		    '/Icmp6OutParmProblems/ { print $2 }' /proc/net/snmp6)" 0
	fi
	tell a remove eth0 10
	tell b remove eth0 10
done

title "Other interfaces"
ip -n a link add br0 type bridge && ip -n a link set br0 up
ip -n a link set eth1 master br0
tell a "add br0 40 addr=203.0.113.1/24 $FAST_A"
check "a bridge works" wait_for 2 heard a 'state br0 40 BACKUP MASTER'
ip -n b link add mv0 link eth0 type macvlan mode bridge &&
    ip -n b link set mv0 up
tell b "add mv0 40 addr=203.0.113.1/24 $FAST_B"
check "a macvlan works" wait_for 2 heard b 'state mv0 40 INIT BACKUP'
mark b
check "and hears the bridge" not wait_for 1 heard b 'BACKUP MASTER'
with_vlan() {
	local n
	for n in a b; do
		ip -n $n link add link eth0 name eth0.5 type vlan id 5 &&
		    ip -n $n link set eth0.5 up || return
	done 2>/dev/null
}
if with_vlan; then
	tell a "add eth0.5 10 addr=203.0.113.5/24 key=vlan5 $FAST_A"
	tell b "add eth0.5 10 addr=203.0.113.5/24 key=vlan5 $FAST_B"
	tell a "add eth0 10 $BOTH $FAST_A"
	check "a VLAN works" wait_for 2 shows a eth0.5 10 'state MASTER'
	check "its peer hears it" wait_for 2 shows b eth0.5 10 'peer 0.0.0.0'
	check "what is below does not" shows a eth0 10 'badauth 0 own'
	tell a remove eth0 10
	tell a remove eth0.5 10
	tell b remove eth0.5 10
else
	note "this kernel has no VLANs: not tried"
fi
tell a "add lo 41 addr=203.0.113.9/24 $FAST_A"
check "what is not Ethernet is told" \
    wait_for 2 heard a 'cond lo 0 not-ethernet on'
check "and that it cannot be" shows a lo 41 'lo is not Ethernet'
tell a remove lo 41
tell a "add nil0 41 addr=203.0.113.9/24 $FAST_A"
check "an interface need not exist" \
    wait_for 2 heard a 'cond nil0 0 no-interface on'
check "the others are demoted meanwhile" shows a br0 40 'demotion 240'
tell a remove nil0 41
check "until nobody wants it" wait_for 1 shows a br0 40 'demotion 0'

title "Addresses by order"
tell a "add br0 42 addr=203.0.113.42/24 $FAST_A manual"
wait_for 2 heard a 'state br0 42 BACKUP MASTER'
check "a manual master holds nothing by itself" not holds a 203.0.113.42
tell a install br0 42 1
check "until it is told to" wait_for 1 holds a 203.0.113.42
tell a install br0 42 0
check "or not to" wait_for 1 not holds a 203.0.113.42

title "Many"
for i in $(seq 1 8); do
	ip -n a link add "m$i" type veth peer name "p$i" netns d
	ip -n a link set "m$i" up
	ip -n d link set "p$i" up
done
run d
empty=$(awk '/VmRSS/ { print $2 }' "/proc/${PID[d]}/status")
start=$(now_us)
for i in $(seq 1 8); do
	for v in $(seq 1 255); do
		echo "add m$i $v addr=10.$i.$v.1/24 base=1 lease=off"
	done
done >&"${TO[a]}"
for i in $(seq 1 8); do
	for v in $(seq 1 255); do
		echo "add p$i $v addr=10.$i.$v.1/24 base=1 skew=100 lease=off"
	done
done >&"${TO[d]}"
masters() {
	[ "$(grep -c 'state m. [0-9]* BACKUP MASTER' "$T/a/log")" -eq 2040 ]
}
check "2040 virtual hosts become master" wait_for 60 masters
note "$(since "$start") s after the first was added"
cpu() {
	awk '{ print $14 + $15 }' "/proc/${PID[$1]}/stat"
}
wakeups() {
	ask a m1 1 | grep -o 'wakeups [0-9]*' | head -n 1 | cut -d ' ' -f 2
}
# Whoever is demoted says so at once, and goes on from then: at 140 moments.
for v in $(seq 1 140); do
	echo "hdemote m1 $v moment 1"
	sleep 0.005
done >&"${TO[a]}"
# They meet in time; when is the machine's affair.
few() {
	ca=$(cpu a) cd=$(cpu d) wa=$(wakeups)
	sleep 4
	wa=$((($(wakeups) - wa) / 4))
	[ "$wa" -le 70 ]
}
check "those due within 1/64 of a second share a wake-up" wait_for 30 few
note "the master wakes up $wa times a second"
note "processor time a second: master $((($(cpu a) - ca) * 10 / 4)) ms," \
    "backup $((($(cpu d) - cd) * 10 / 4)) ms"
full=$(awk '/VmRSS/ { print $2 }' "/proc/${PID[d]}/status")
note "memory: $(((full - empty) * 1024 / 2040)) bytes a virtual host," \
    "with sockets and buffers of 8 interfaces"
check "no event was lost" not grep -q LOST "$T/a/log" "$T/d/log"
check "the other side is backup" not grep -q 'BACKUP MASTER' "$T/d/log"
mark d
t0=$(now_us)
kill -KILL "${PID[a]}"
slaves() {
	[ "$(grep -c 'BACKUP MASTER' "$T/d/log")" -eq 2040 ]
}
check "all are taken over" wait_for 12 slaves
note "$(since "$t0") s after the crash (rule: 3.39 s)"
check "one ends cleanly" end d
check "and so does the other" end b
finish
