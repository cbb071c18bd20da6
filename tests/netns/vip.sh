#!/bin/bash
# SPDX-License-Identifier: ISC
# Addresses, leases, announcements and the virtual MAC on a real kernel.
#   tests/netns/vip.sh [CASE...]
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${BUILD:-build}

for tool in ip unshare nsenter; do
	command -v $tool >/dev/null || { echo "no $tool here"; exit 77; }
done
driver_bin=$B/tests/netns/vip_driver
[ -x "$driver_bin" ] || { echo "$driver_bin is missing: make it first"; exit 77; }
if [ -z "${IN_NS:-}" ]; then
	how=(--net --mount --pid --fork --kill-child --mount-proc)
	# root stays root: some limits are lifted for it only
	[ "$(id -u)" = 0 ] && [ -z "${AS_USER:-}" ] ||
	    how=(--user --map-root-user "${how[@]}")
	unshare "${how[@]}" true 2>/dev/null ||
	    { echo "no private namespaces here"; exit 77; }
	IN_NS=1 exec unshare "${how[@]}" "$0" "$@"
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT	# processes end with the pid namespace
case=none
failed=0

fail() {
	echo "FAIL $case: $*"
	failed=$((failed + 1))
	return 1
}

# until LIMIT_MS COMMAND...: succeeds as soon as the command does
until_ms() {
	local end=$(($(date +%s%N) / 1000000 + $1))
	shift
	until "$@"; do
		[ $(($(date +%s%N) / 1000000)) -lt "$end" ] || return 1
		sleep 0.01
	done
}

ms() { echo $(($(date +%s%N) / 1000000)); }

# A node with interface eth0, another with eth1, on one wire.
peer=
fresh() {
	local kind=${1:-veth} l
	stop_driver
	for l in $(ip -o link | sed -n 's/^[0-9]*: \([^:@]*\).*/\1/p'); do
		[ "$l" = lo ] || ip link del "$l" 2>/dev/null
	done
	[ -z "$peer" ] || kill "$peer" 2>/dev/null
	unshare --net sleep 300 9>&- &
	peer=$!
	until_ms 2000 other_ns || fail "no second namespace"
	case $kind in
	veth)
		ip link add eth0 type veth peer name eth1 ;;
	bridge)
		ip link add eth0 type bridge
		ip link add port type veth peer name eth1
		ip link set port master eth0 up ;;
	macvlan)
		ip link add wire type veth peer name eth1
		ip link set wire up
		ip link add eth0 link wire type macvlan mode bridge ;;
	esac
	ip link set lo up
	ip link set eth1 netns "$peer"
	there sysctl -qw net.ipv6.conf.eth1.accept_dad=0
	there ip link set eth1 up
	there ip addr add 192.0.2.2/24 dev eth1
	there ip addr add 2001:db8::2/64 nodad dev eth1
	sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	ip link set eth0 up
	ip addr add 192.0.2.1/24 dev eth0
	ip addr add 2001:db8::1/64 nodad dev eth0
	until_ms 5000 running eth0 || fail "eth0 does not come up"
	start_driver
}

other_ns() {
	[ "$(readlink "/proc/$peer/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
running() { ip link show "$1" | grep -q LOWER_UP; }
there() { nsenter -t "$peer" -n "$@"; }

driver=
start_driver() {
	rm -f "$tmp/in"
	: > "$tmp/out" # the driver may come to it after the first question
	mkfifo "$tmp/in"
	"$driver_bin" <"$tmp/in" >"$tmp/out" 2>&1 &
	driver=$!
	exec 9>"$tmp/in"
}
stop_driver() {
	[ -n "$driver" ] || return 0
	exec 9>&-
	wait "$driver" || fail "driver: exit $?"
	driver=
}
kill_driver() {
	kill -KILL "$driver"
	wait "$driver" 2>/dev/null
	exec 9>&-
	driver=
}

answers() { grep -cxE 'ok|[A-Z].*' "$tmp/out"; }
more_than() { [ "$(answers)" -gt "$1" ]; }

# The command's answer must be ok.
try() {
	local n
	n=$(answers)
	echo "$*" >&9
	until_ms 10000 more_than "$n" || fail "no answer to: $*"
	[ "$(grep -xE 'ok|[A-Z].*' "$tmp/out" | tail -n 1)" = ok ] ||
	    fail "$*: $(tail -n 1 "$tmp/out")"
}
said() { grep -q "$1" "$tmp/out"; }
expect_said() { until_ms 2000 said "$1" || fail "was not said: $1"; }
info() { # NAME PATTERN
	try info "$1"
	grep '^info' "$tmp/out" | tail -n 1 | grep -q "$2" ||
	    fail "$2 is not in: $(grep '^info' "$tmp/out" | tail -n 1)"
}

has() { ip -o addr show dev "${2:-eth0}" 2>/dev/null | grep -qF " $1 "; }
hasnt() { ! has "$@"; }
must() { has "$@" || fail "no address $*"; }
mustnt() { hasnt "$@" || fail "address $* is there"; }
tagged() { ip -o addr show dev eth0 | grep -c deprecated; }

addresses() { # the whole life, both families, on KIND
	fresh "$1"
	try new a eth0 10 0 3
	try addrs a 192.0.2.10/24 2001:db8::10/64 198.51.100.7/24
	try commit
	mustnt 192.0.2.10/32
	try up a
	try commit
	must 192.0.2.10/32
	must 2001:db8::10/128
	must 198.51.100.7/24
	ip -o addr show dev eth0 | grep -F 2001:db8::10 |
	    grep -q tentative && fail "detects duplicates"
	try announce a
	try commit
	info a "installed 3 .*announced 3"
	there ping -c 1 -W 2 -q 192.0.2.10 >/dev/null || fail "no IPv4 reply"
	there ping -c 1 -W 2 -q 2001:db8::10 >/dev/null || fail "no IPv6 reply"
	try addrs a 192.0.2.11/24 2001:db8::10/64
	try commit
	mustnt 192.0.2.10/32
	mustnt 198.51.100.7/24
	must 192.0.2.11/32
	try down a
	try commit
	mustnt 192.0.2.11/32
	mustnt 2001:db8::10/128
	must 192.0.2.1/24
	must 2001:db8::1/64
	said "event taken" && fail "says that its own removal was another's"
	try up a
	try commit
	try free a
	mustnt 2001:db8::10/128
	try new a eth0 10 0 3
	try addrs a 192.0.2.10/24
	try up a
	try commit
	stop_driver	# vip_free()
	mustnt 192.0.2.10/32
}
case_veth() { addresses veth; }
case_bridge() { addresses bridge; }
case_macvlan() { addresses macvlan; }

case_lease() {
	local start took
	fresh
	try new a eth0 10 0 2
	try addrs a 192.0.2.10/24 2001:db8::10/64
	try up a
	try every a 500
	start=$(ms)
	until_ms 2000 has 192.0.2.10/32 || fail "not installed"
	until_ms 3500 hasnt 192.0.2.10/32 && fail "gone though renewed"
	must 2001:db8::10/128
	said "event taken" && fail "taken though renewed"
	kill -STOP "$driver"
	start=$(ms)
	until_ms 4000 hasnt 192.0.2.10/32 || fail "IPv4 outlives its lease"
	took=$(($(ms) - start))
	[[ $took -ge 1400 && $took -le 3000 ]] ||
	    fail "IPv4 lease of 2 s ended after $took ms"
	until_ms 2000 hasnt 2001:db8::10/128 || fail "IPv6 outlives its lease"
	took=$(($(ms) - start))
	[ $took -le 3000 ] || fail "IPv6 lease of 2 s ended after $took ms"
	kill -CONT "$driver"
	expect_said "event taken eth0 192.0.2.10"
	until_ms 1000 has 192.0.2.10/32 || fail "not back after the pause"
	until_ms 1000 has 2001:db8::10/128 || fail "not back after the pause"
	try every a 0
	try lease a 0
	try renew a
	try commit
	ip -o addr show dev eth0 | grep -F 192.0.2.10 |
	    grep -q "valid_lft forever" || fail "lease = off has an end"
}

monitored() {
	ip -6 route add blackhole 2001:db8:8::/64
	ip -6 route del blackhole 2001:db8:8::/64
	seen blackhole
}
given() { # COUNT: so often the kernel was given each address
	[ "$(grep -c '^[0-9].* inet 192.0.2.10/' "$tmp/monitor")" = "$1" ] &&
	    [ "$(grep -c '^[0-9].* inet6 2001:db8::10/' "$tmp/monitor")" = "$1" ]
}

case_once() { # a takeover gives a lease once, though an advertisement renews
	local p
	fresh
	try new a eth0 10 0 30
	try addrs a 192.0.2.10/24 2001:db8::10/64
	ip -o monitor route address >"$tmp/monitor" 9>&- &
	p=$!
	until_ms 2000 monitored || fail "no monitor"
	try takeover a
	until_ms 2000 given 1 || fail "not given"
	try commit
	given 1 || fail "given again at once"
	try renew a
	try commit
	until_ms 2000 given 2 || fail "not renewed"
	try renew a
	try commit
	until_ms 2000 given 3 || fail "not renewed again"
	kill "$p"
	wait "$p" 2>/dev/null
}

ours() { ip -6 route show table local proto 112; }
reached() { # is of this machine, whoever says so
	ip -6 route get 2001:db8::10 | grep -q '^local'
}
unreached() { ! reached; }
seen() { grep -q "$1" "$tmp/monitor"; }
last_line() { grep -n "$1" "$tmp/monitor" | tail -n 1 | cut -d : -f 1; }

case_reach() { # IPv6: a route of ours, until the kernel has made its own
	local p
	fresh
	try new a eth0 10 0 2
	try addrs a 192.0.2.10/24 2001:db8::10/64
	try up a
	try commit
	ours | grep -q "local 2001:db8::10 dev eth0 .*expires [0-2]sec" ||
	    fail "no route with an end: $(ours)"
	try down a
	try commit
	[ -z "$(ours)" ] || fail "a route is left: $(ours)"
	reached && fail "still of this machine"
	# an address whose list has changed, at once
	try up a
	try commit
	try addrs a 192.0.2.10/24
	try commit
	[ -z "$(ours)" ] || fail "a route is left: $(ours)"
	# a crash, and the address goes first
	try addrs a 192.0.2.10/24 2001:db8::10/64
	try commit
	kill_driver
	ip addr del 2001:db8::10/128 dev eth0
	reached || fail "no route of ours"
	until_ms 3500 unreached || fail "outlives its lease"
	# a crash, and what is done about it
	start_driver
	try new a eth0 10 0 0
	try addrs a 2001:db8::10/64
	try up a
	try commit
	kill_driver
	start_driver
	try sweep 2001:db8::11
	[ -n "$(ours)" ] || fail "takes what is another's"
	try sweep 2001:db8::10
	[ -z "$(ours)" ] || fail "a route is left: $(ours)"
	reached && fail "still of this machine"
	# all of many answer before the last one is there
	ip addr add 2001:db8:9::ffff/64 nodad dev eth0
	ip -6 monitor route address >"$tmp/monitor" 9>&- &
	p=$!
	until_ms 2000 monitored || fail "no monitor"
	try new a eth0 10 0 30
	try bulk a 6 1000
	try up a
	try announce a
	try finish
	until_ms 2000 seen "inet6 2001:db8:9::1:3e7/" || fail "not seen"
	kill "$p"
	wait "$p" 2>/dev/null
	[ "$(ours | wc -l)" = 1000 ] || fail "$(ours | wc -l) routes of 1000"
	[ "$(last_line "^local .* proto 112 ")" -lt \
	    "$(last_line "inet6 2001:db8:9::1:3e7/")" ] || fail "not ahead"
	info a "installed 1000 .*announced 1000"
}
case_taken() {
	local start took
	fresh
	try new a eth0 10 0 5
	try addrs a 192.0.2.10/24 2001:db8::10/64
	try up a
	try commit
	start=$(ms)
	ip addr del 192.0.2.10/32 dev eth0
	until_ms 1000 has 192.0.2.10/32 || fail "not put back"
	took=$(($(ms) - start))
	[ $took -le 100 ] || fail "put back after $took ms"
	ip addr del 2001:db8::10/128 dev eth0
	until_ms 1000 has 2001:db8::10/128 || fail "IPv6 not put back"
	expect_said "event taken eth0 192.0.2.10"
	expect_said "event taken eth0 2001:db8::10"
	info a "installed 2 .*repaired 2 announced 2"
	ip addr flush dev eth0 2>/dev/null
	until_ms 1000 has 192.0.2.10/24 || fail "not back after a flush"
	until_ms 1000 has 2001:db8::10/64 || fail "IPv6 not back after a flush"
}

case_foreign() {
	fresh
	ip addr add 192.0.2.10/24 dev eth0
	ip addr add 2001:db8::10/64 nodad dev eth0
	try owner 192.0.2.10
	expect_said "owner eth0"
	try new a eth0 10 0 2
	try addrs a 192.0.2.10/24 2001:db8::10/64 192.0.2.11/24
	try up a
	try every a 300
	try announce a
	try commit
	expect_said "event foreign eth0 192.0.2.10"
	expect_said "event foreign eth0 2001:db8::10"
	info a "installed 1 foreign 2 .*announced 1"
	try down a
	try commit
	must 192.0.2.10/24
	must 2001:db8::10/64
	try up a
	try commit
	ip addr del 192.0.2.10/24 dev eth0
	until_ms 1000 has 192.0.2.10/32 || fail "not taken up when it went"
	ip addr add 192.0.2.11/24 dev eth0	# ours is 192.0.2.11/32
	until_ms 1000 hasnt 192.0.2.11/32 || fail "ours stays beside another's"
	try down a
	try commit
	must 192.0.2.11/24
	must 2001:db8::10/64
	mustnt 192.0.2.10/32
}

case_later() { # a real address in our subnet, added after ours
	fresh
	try new a eth0 10 0 5
	try addrs a 198.51.100.10/24 198.51.100.11/24 2001:db8:5::10/64
	try up a
	try commit
	must 198.51.100.10/24
	ip addr add 198.51.100.1/24 dev eth0
	ip addr add 2001:db8:5::1/64 nodad dev eth0
	until_ms 1000 has 198.51.100.10/32 || fail "not made a host address"
	until_ms 1000 has 198.51.100.11/32 || fail "second not made one"
	until_ms 1000 has 2001:db8:5::10/128 || fail "IPv6 not made one"
	mustnt 198.51.100.10/24
	must 198.51.100.1/24
	ip route get 198.51.100.99 | grep -q "src 198.51.100.1 " ||
	    fail "source: $(ip route get 198.51.100.99)"
	try down a
	try commit
	must 198.51.100.1/24
	must 2001:db8:5::1/64
	ip route show dev eth0 | grep -q "198.51.100.0/24.*src 198.51.100.1" ||
	    fail "subnet route is gone"
	# at once, before we hear of it; and by the end of a lease
	try lease a 2
	try up a
	ip addr del 198.51.100.1/24 dev eth0
	try echo
	try commit
	until_ms 1000 has 198.51.100.10/24 || fail "not a network address again"
	kill -STOP "$driver"
	ip addr add 198.51.100.1/24 dev eth0
	until_ms 4000 hasnt 198.51.100.10/24 || fail "outlives its lease"
	until_ms 1000 hasnt 198.51.100.11/24 || fail "outlives its lease"
	must 198.51.100.1/24
	kill -CONT "$driver"
}

case_source() {
	local kind
	for kind in 0 1; do
		fresh
		try new a eth0 10 $kind 5
		try addrs a 192.0.2.3/24 2001:db8::3/64
		try up a
		try commit
		ip route add default via 192.0.2.2
		ip -6 route add default via 2001:db8::2
		for to in 192.0.2.99 203.0.113.1; do
			ip route get $to | grep -q "src 192.0.2.1 " ||
			    fail "source: $(ip route get $to)"
		done
		for to in 2001:db8::99 2001:db8:77::1; do
			ip -6 route get $to | grep -q "src 2001:db8::1 " ||
			    fail "source: $(ip -6 route get $to)"
		done
	done
}

took() { grep '^finish' "$tmp/out" | tail -n 1; }

case_bulk() {
	local n
	fresh
	ip addr add 10.9.0.1/16 dev eth0
	ip addr add 2001:db8:9::ffff/64 nodad dev eth0
	for n in 4 6 46; do
		try new a eth0 10 0 30
		try bulk a $n 1000
		try up a
		try announce a
		try finish
		echo "bulk: 1000 addresses, family $n, announced: $(took)"
		[ "$(tagged)" = 1000 ] || fail "$(tagged) of 1000"
		info a "installed 1000 .*announced 1000"
		try renew a
		try finish
		echo "bulk: 1000 addresses, family $n, renewed: $(took)"
		said "event overrun" && fail "notifications overran"
		try down a
		try finish
		echo "bulk: 1000 addresses, family $n, removed: $(took)"
		[ "$(tagged)" = 0 ] || fail "$(tagged) are left"
		try free a
	done
}

case_turns() { # others have a turn while many addresses come
	fresh
	ip addr add 10.9.0.1/16 dev eth0
	try new a eth0 10 0 30
	try bulk a 4 4000
	try up a
	try announce a
	try commit
	info a "installed [1-9]"
	installed a 4000 && fail "all at once"
	until_ms 5000 installed a 4000 || fail "the rest never came"
	try new b eth0 11 0 30	# in the midst: taken back
	try bulk a 4 0
	try commit
	try bulk a 4 4000
	try commit
	try down a
	try commit
	[ "$(tagged)" = 0 ] || fail "$(tagged) are left"
}
installed() {
	try info "$1"
	grep '^info' "$tmp/out" | tail -n 1 | grep -q "installed $2 "
}

# Every announcement of thousands is received.
case_crowd() {
	local p n=4000
	fresh
	ip addr add 10.9.0.1/16 dev eth0
	nsenter -t "$peer" -n "$driver_bin" capture eth1 9>&- |
	    sed -un 's/^ffffffffffff............08060001080006040001.\{12\}\(0a09....\)0\{12\}\1.*/\1/p' \
	    >"$tmp/frames" &
	p=$!
	try new a eth0 10 0 30
	try bulk a 4 $n
	try up a
	try finish
	try announce a
	try finish
	echo "crowd: $n announced: $(took)"
	info a "installed $n .*announced $n"
	until_ms 5000 distinct $n ||
	    fail "$(sort -u "$tmp/frames" | wc -l) of $n received"
	kill "$p"
	wait "$p" 2>/dev/null
}
distinct() { [ "$(sort -u "$tmp/frames" | wc -l)" = "$1" ]; }

case_syscalls() { # how many for 1,000 addresses, and for nothing to do
	local p n
	fresh
	command -v strace >/dev/null || return 0
	ip addr add 10.9.0.1/16 dev eth0
	try new a eth0 10 0 30
	try bulk a 4 1000
	strace -qq -o "$tmp/trace" -e trace=network -p "$driver" \
	    2>"$tmp/err" 9>&- &
	p=$!
	if ! until_ms 3000 grep -q "^TracerPid:[[:space:]]*[1-9]" \
	    "/proc/$driver/status"; then
		echo "syscalls: not counted: $(cat "$tmp/err")"
		return 0
	fi
	try up a
	try announce a
	try finish
	n=$(grep -c '^send' "$tmp/trace")
	try commit
	try commit
	[ "$(grep -c '^send' "$tmp/trace")" = "$n" ] ||
	    fail "sends with nothing to do"
	kill "$p"
	wait "$p" 2>/dev/null
	echo "syscalls: 1000 addresses: $(grep -c '^sendto\|^sendmsg' \
	    "$tmp/trace") netlink sends, $(grep -c ^sendmmsg "$tmp/trace")" \
	    "packet sends"
	[ "$(grep -c '^sendto\|^sendmsg' "$tmp/trace")" -le 6 ] ||
	    fail "too many netlink sends"
	[ "$(grep -c ^sendmmsg "$tmp/trace")" -le 10 ] ||
	    fail "too many packet sends"
}

case_sweep() {
	fresh
	try new a eth0 10 0 0
	try addrs a 192.0.2.10/24 2001:db8::10/64 192.0.2.11/24
	try new m eth0 11 1 0
	try addrs m 192.0.2.12/24
	try up a
	try up m
	try commit
	kill_driver
	must 192.0.2.10/32
	ip link show dev "$(vmac 11)" >/dev/null || fail "no macvlan"
	start_driver
	try sweep 192.0.2.11 203.0.113.9
	expect_said "removed 1"
	mustnt 192.0.2.11/32
	must 192.0.2.10/32
	try new a eth0 10 0 0
	try addrs a 192.0.2.10/24
	try up a
	try commit	# takes up what was left
	info a "installed 1 foreign 0 failed 0"
	try sweep
	expect_said "removed 3"	# IPv6, that of the macvlan, the macvlan
	must 192.0.2.10/32
	mustnt 2001:db8::10/128
	ip -o link | grep -q carp11 && fail "macvlan is left"
	[ "$(sysctl -n net.ipv4.conf.eth0.arp_ignore)" = 0 ] ||
	    fail "arp_ignore is left"
	must 192.0.2.1/24
	try sweep
	expect_said "removed 0"
}

case_announce() {
	local mac hex ip6=20010db8000000000000000000000010 na p
	fresh
	nsenter -t "$peer" -n "$driver_bin" capture eth1 \
	    >"$tmp/frames" 9>&- &
	p=$!
	until_ms 5000 grep -q listening "$tmp/frames" || fail "no capture"
	mac=$(ip -o link show eth0 | sed 's/.*ether \([^ ]*\) .*/\1/')
	# what the neighbours believe before
	there ip neigh replace 192.0.2.10 lladdr 02:00:00:00:00:99 \
	    nud stale dev eth1
	there ip neigh replace 2001:db8::10 lladdr 02:00:00:00:00:99 \
	    nud stale dev eth1
	try new a eth0 10 0 5
	try addrs a 192.0.2.10/24 2001:db8::10/64
	try up a
	try commit
	grep -q "0806.*c000020a\|8800....[2a]0000000$ip6" "$tmp/frames" &&
	    fail "announced without being told"
	try announce a
	try commit
	until_ms 2000 believes 192.0.2.10 "$mac" || fail "$(there ip neigh)"
	until_ms 2000 believes 2001:db8::10 "$mac" || fail "$(there ip neigh)"
	sysctl -qw net.ipv6.conf.eth0.forwarding=1
	expect_said "event link eth0"
	try link eth0
	expect_said "router 1"
	try announce a
	try commit
	hex=${mac//:/}
	until_ms 2000 frames 2 "^ffffffffffff${hex}08060001080006040001${hex}\
c000020a000000000000c000020a" || fail "gratuitous ARP"
	na="^333300000001${hex}86dd6000000000203aff${ip6}\
ff0200000000000000000000000000018800...."
	until_ms 2000 frames 1 "${na}20000000${ip6}0201${hex}$" || fail "NA"
	until_ms 2000 frames 1 "${na}a0000000${ip6}0201${hex}$" ||
	    fail "NA of a router"
	there grep -q "^Icmp6InCsumErrors[[:space:]]*0$" /proc/net/snmp6 ||
	    fail "checksum"
	kill "$p"
	wait "$p" 2>/dev/null
}
believes() { there ip neigh show "$1" | grep -q "lladdr $2"; }
frames() { [ "$(grep -c "$2" "$tmp/frames")" -eq "$1" ]; }

vmac() { # name of the macvlan of VHID
	ip -o link | sed -n "s/^[0-9]*: \(carp$1\.[0-9]*\)@.*/\1/p"
}

# A client behind a bridge, as a machine on the same switch: the interface of
# the node is another port of it.
switched() {
	fresh bridge
	stop_driver
	ip addr flush dev eth0 2>/dev/null
	ip link set eth0 down
	ip link set eth0 name switch
	ip link set switch up
	ip link add eth0 type veth peer name port0
	ip link set port0 master switch up
	sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	sysctl -qw net.ipv6.conf.switch.disable_ipv6=1
	sysctl -qw net.ipv4.conf.all.rp_filter=1
	ip link set eth0 up
	ip addr add 192.0.2.1/24 dev eth0
	ip addr add 2001:db8::1/64 nodad dev eth0
	start_driver
}

case_vmac() { # with a lifetime, addresses come with the takeover
	local m
	switched
	try new m eth0 10 1 5
	try addrs m 192.0.2.10/24 2001:db8::10/64
	m=$(vmac 10)
	[ -n "$m" ] || fail "no macvlan"
	ip link show dev "$m" | grep -q "link/ether 00:00:5e:00:01:0a" ||
	    fail "not the virtual MAC"
	ip link show dev "$m" | grep -q "[<,]UP[,>]" && fail "up too early"
	[ "$(sysctl -n net.ipv4.conf.eth0.arp_ignore)" = 1 ] ||
	    fail "arp_ignore of eth0"
	[ "$(sysctl -n net.ipv6.conf."${m/./\/}".accept_ra)" = 0 ] ||
	    fail "accepts router advertisements"
	there ping -c 1 -W 1 -q 192.0.2.10 >/dev/null && fail "reply while down"
	try up m
	try announce m
	try commit
	has 192.0.2.10/32 "$m" || fail "no IPv4 address on $m"
	has 2001:db8::10/128 "$m" || fail "no IPv6 address on $m"
	info m "installed 2 .*announced 2"
	there ip neigh flush dev eth1
	ip -o addr show dev "$m" | grep -F 192.0.2.10 |
	    grep -q "valid_lft [0-9]*sec" || fail "no lifetime"
	there ping -c 2 -i 0.2 -W 2 -q 192.0.2.10 >/dev/null || fail "no reply"
	there ping -c 2 -i 0.2 -W 2 -q 2001:db8::10 >/dev/null || fail "no v6"
	there ip neigh show 192.0.2.10 | grep -q 00:00:5e:00:01:0a ||
	    fail "ARP: $(there ip neigh)"
	there ip neigh show 2001:db8::10 | grep -q 00:00:5e:00:01:0a ||
	    fail "ND: $(there ip neigh)"
	# a new neighbour entry of ours must not tell the real MAC as theirs
	ip neigh flush dev eth0
	there ping -c 1 -W 2 -q 192.0.2.10 >/dev/null || fail "no reply"
	there ip neigh show 192.0.2.10 | grep -q 00:00:5e:00:01:0a ||
	    fail "ARP after a question of ours: $(there ip neigh)"
	there ping -c 1 -W 2 -q 192.0.2.1 >/dev/null || fail "real address"
	ip link del "$m"	# somebody does
	until_ms 1000 has 192.0.2.10/32 "$m" || fail "macvlan not put back"
	m=$(vmac 10)
	try down m
	try commit
	ip link show dev "$m" | grep -q "[<,]UP[,>]" && fail "still up"
	there ping -c 1 -W 1 -q 192.0.2.10 >/dev/null && fail "reply when down"
	ip link del eth0
	until_ms 1000 nolink "$m" || fail "macvlan outlives its interface"
	ip link add eth0 type veth peer name port0
	ip link set eth0 up
	try up m
	try commit
	until_ms 1000 vmac_has 10 192.0.2.10/24 || fail "no new macvlan"
	try free m
	[ -z "$(vmac 10)" ] || fail "macvlan is left"
	[ "$(sysctl -n net.ipv4.conf.eth0.arp_ignore)" = 0 ] ||
	    fail "arp_ignore not put back"
	[ "$(sysctl -n net.ipv4.conf.eth0.arp_announce)" = 0 ] ||
	    fail "arp_announce not put back"
	sysctl -qw net.ipv4.conf.all.rp_filter=0
}
replies() { # both families, to a client that knows nothing
	there ip neigh flush dev eth1
	there ping -c 1 -W 2 -q "${1:-192.0.2.10}" >/dev/null &&
	    there ping -c 1 -W 2 -q "${2:-2001:db8::10}" >/dev/null
}
silent() {
	there ip neigh flush dev eth1
	! there ping -c 1 -W 1 -q 192.0.2.10 >/dev/null &&
	    ! there ping -c 1 -W 1 -q 2001:db8::10 >/dev/null
}
linkup() { ip link show dev "$1" | grep -q '[<,]UP[,>]'; }
linkdown() { ! linkup "$1"; }
# On their link, and for this machine as if they were not there.
waiting() { # LINK N
	local v6=2001:db8::10
	until_ms 1000 linkdown "$1" || fail "$1 is up"
	[ "$(ip -o addr show dev "$1" | wc -l)" = "$2" ] ||
	    fail "not $2 addresses: $(ip -o addr show dev "$1")"
	[ -z "$(ip route show table local dev "$1")" ] ||
	    fail "local: $(ip route show table local dev "$1")"
	[ -z "$(ip -6 route show table local dev "$1")" ] ||
	    fail "local: $(ip -6 route show table local dev "$1")"
	ip route get 192.0.2.10 | grep -q "dev eth0" || fail "IPv4 is local"
	ip -6 route get $v6 | grep -q "dev eth0" || fail "IPv6 is local"
	info m "installed 0 .*ready $2"
}

ready() { # LEASE: addresses wait for a takeover, which is one link change
	local m lease=$1 again
	switched
	try new m eth0 10 1 $lease
	try addrs m 192.0.2.10/24 2001:db8::10/64
	try finish
	m=$(vmac 10)
	waiting "$m" 2
	silent || fail "reply while it waits"
	info m "announced 0"
	# another node has them meanwhile, and is reached
	there ip addr add 192.0.2.10/32 dev eth1
	there ip addr add 2001:db8::10/128 nodad dev eth1
	ping -c 1 -W 2 -q 192.0.2.10 >/dev/null || fail "the other: IPv4"
	ping -c 1 -W 2 -q 2001:db8::10 >/dev/null || fail "the other: IPv6"
	there ip addr del 192.0.2.10/32 dev eth1
	there ip addr del 2001:db8::10/128 dev eth1
	ip neigh flush dev eth0
	# what passes through this machine passes
	sysctl -qw net.ipv4.ip_forward=1
	there ip route add 192.0.2.10/32 via 192.0.2.1
	there ping -t 1 -c 1 -W 1 192.0.2.10 | grep -q "Time to live" ||
	    fail "does not forward to the other node"
	there ip route del 192.0.2.10/32
	sysctl -qw net.ipv4.ip_forward=0
	# changes, and what others do
	try addrs m 192.0.2.10/24 2001:db8::10/64 192.0.2.11/24 2001:db8::11/64
	try finish
	waiting "$m" 4
	try addrs m 192.0.2.10/24 2001:db8::10/64 192.0.2.11/24
	try finish
	waiting "$m" 3
	ip addr del 192.0.2.10/32 dev "$m"
	ip addr del 2001:db8::10/128 dev "$m"
	until_ms 1000 has 192.0.2.10/32 "$m" || fail "not put back"
	until_ms 1000 has 2001:db8::10/128 "$m" || fail "IPv6 not put back"
	waiting "$m" 3
	info m "announced 0"
	said "event taken" && fail "told though it matters to nobody"
	ip link set "$m" up
	until_ms 1000 linkdown "$m" || fail "stays up when somebody brings it"
	try finish
	waiting "$m" 3
	for again in 1 2; do
		try up m
		try announce m
		try finish
		linkup "$m" || fail "not up"
		until_ms 1000 replies || fail "no reply ($again)"
		ours | grep -q "2001:db8::10 dev $m " || fail "no route of ours"
		info m "installed 3 .*announced $((again * 3)) ready 0"
		there ip neigh show 192.0.2.10 | grep -q 00:00:5e:00:01:0a ||
		    fail "ARP: $(there ip neigh)"
		there ping -c 1 -W 2 -q 192.0.2.1 >/dev/null ||
		    fail "real address"
		try down m
		try finish
		waiting "$m" 3
		silent || fail "reply when down ($again)"
		there ping -c 1 -W 2 -q 192.0.2.1 >/dev/null ||
		    fail "real address"
	done
	# as master: added, removed, taken by somebody
	try up m
	try announce m
	try finish
	try addrs m 192.0.2.10/24 2001:db8::10/64 192.0.2.12/24 2001:db8::12/64
	try renew m
	try finish
	until_ms 1000 replies 192.0.2.12 2001:db8::12 || fail "added: no reply"
	mustnt 192.0.2.11/32 "$m"
	ip addr del 192.0.2.10/32 dev "$m"
	until_ms 1000 replies || fail "taken, and not put back"
	expect_said "event taken eth0 192.0.2.10"
	try down m
	try finish
	waiting "$m" 4
	silent || fail "reply when down"
	# another lease: one that cannot wait, and back
	try lease m 5
	try finish
	[ -z "$(ip -o addr show dev "$m")" ] || fail "a lifetime waits"
	try lease m 0 ${lease#0 }
	try finish
	waiting "$m" 4
	# crashes: as backup, as master
	kill_driver
	linkdown "$m" || fail "killed: the link is up"
	start_driver
	try new m eth0 10 1 $lease
	try addrs m 192.0.2.10/24 2001:db8::10/64
	try finish
	m=$(vmac 10)
	waiting "$m" 2
	try up m
	try announce m
	try finish
	until_ms 1000 replies || fail "no reply after a crash"
	kill_driver
	start_driver
	try new m eth0 10 1 $lease
	try addrs m 192.0.2.10/24 2001:db8::10/64
	m=$(vmac 10)
	linkdown "$m" || fail "what was left is up"
	silent || fail "what was left replies"
	try finish
	waiting "$m" 2
	try free m
	[ -z "$(vmac 10)" ] || fail "macvlan is left"
	[ "$(sysctl -n net.ipv4.conf.eth0.arp_ignore)" = 0 ] ||
	    fail "arp_ignore not put back"
	try sweep
	stop_driver
	has_tables && fail "tables are left"
	must 192.0.2.1/24
	sysctl -qw net.ipv4.conf.all.rp_filter=0
}
has_tables() { nft list tables 2>/dev/null | grep -q libcarp; }
case_ready() { ready 0; }
case_ready_guard() {
	nft add table inet carptest 2>/dev/null || return 0
	nft delete table inet carptest
	ready "0 5000"
	# nobody renews the lease: silent, though the link is up
	switched
	try new m eth0 10 1 0 300
	try addrs m 192.0.2.10/24 2001:db8::10/64
	try finish
	sleep 0.5	# none while it waits
	try every m 100
	try up m
	try finish
	until_ms 1000 replies || fail "no reply"
	kill -STOP "$driver"
	sleep 0.5
	linkup "$(vmac 10)" || fail "the link is down"
	silent || fail "frozen, it replies"
	kill -CONT "$driver"
	until_ms 2000 replies || fail "no reply after the pause"
	sysctl -qw net.ipv4.conf.all.rp_filter=0
}

case_takeover() { # how long, and that every address answers then
	local n
	for n in 4 6; do
		fresh
		ip addr add 10.9.0.1/16 dev eth0
		ip addr add 2001:db8:9::ffff/64 nodad dev eth0
		there ip addr add 10.9.0.2/16 dev eth1
		there ip addr add 2001:db8:9::fffe/64 nodad dev eth1
		try new m eth0 10 1 0
		try bulk m $n 1000
		try finish
		echo "takeover: 1000 addresses, family $n, made ready: $(took)"
		info m "installed 0 .*ready 1000"
		try up m
		try announce m
		try finish
		echo "takeover: 1000 addresses, family $n, taken: $(took)"
		info m "installed 1000 .*announced 1000"
		if [ $n = 4 ]; then
			there ping -c 1 -W 2 -q 10.9.4.250 >/dev/null
		else
			there ping -c 1 -W 2 -q 2001:db8:9::1:3e7 >/dev/null
		fi || fail "the last one does not answer"
		try down m
		try finish
		echo "takeover: 1000 addresses, family $n, left: $(took)"
		[ -z "$(ip -4 route show table local dev "$(vmac 10)")" ] ||
		    fail "local routes are left"
	done
}
nolink() { ! ip link show dev "$1" >/dev/null 2>&1; }
vmac_has() { [ -n "$(vmac "$1")" ] && has "$2" "$(vmac "$1")"; }

case_vanish() {
	fresh
	try new a eth0 10 0 5
	try addrs a 192.0.2.10/24 2001:db8::10/64
	try up a
	try commit
	ip link del eth0
	expect_said "event link eth0"
	info a "ifindex 0 addrs 2 installed 0"
	try link lo
	said "event taken" && fail "says that somebody took them"
	ip link add eth0 type veth peer name eth1
	ip addr add 192.0.2.1/24 dev eth0
	until_ms 1000 has 192.0.2.10/32 || fail "not put back"
	ip link set eth0 up
	until_ms 1000 has 2001:db8::10/64 || fail "IPv6 not put back"
	ip link set eth0 down
	ip link set eth0 up
	until_ms 1000 has 2001:db8::10/64 || fail "gone after down and up"
	must 192.0.2.10/32
	ip -6 route show table local | grep -q 2001:db8::10 ||
	    fail "IPv6 address without its route"
	# renamed: it is another interface then
	ip link set eth0 down
	ip link set eth0 name eth7
	until_ms 1000 hasnt 192.0.2.10/32 eth7 || fail "left on eth7"
	ip link add eth0 type veth peer name eth8
	until_ms 1000 has 192.0.2.10/24 || fail "not on the new eth0"
	try new b eth9 11 0 5	# need not exist yet
	try addrs b 203.0.113.5/24
	try up b
	try commit
	ip link add eth9 type veth peer name eth6
	until_ms 1000 has 203.0.113.5/24 eth9 || fail "not on eth9"
}

case_two() { # sets with one interface, and one address in common
	fresh
	try new a eth0 10 0 2
	try new b eth0 11 0 0
	try addrs a 192.0.2.10/24 192.0.2.20/24 2001:db8::10/64
	try addrs b 192.0.2.11/24 192.0.2.20/24 2001:db8::20/64
	try up a
	try up b
	try every a 500
	try commit
	info a "installed 3 foreign 0 failed 0"
	info b "installed 3 foreign 0 failed 0"
	ip addr del 192.0.2.20/32 dev eth0
	until_ms 1000 has 192.0.2.20/32 || fail "common one not put back"
	try every a 0
	try down a
	try commit
	mustnt 192.0.2.10/32
	must 192.0.2.11/32
	must 192.0.2.20/32
	ip -o addr show dev eth0 | grep -F 192.0.2.20 |
	    grep -q "valid_lft forever" || fail "has the lease of the other"
	try up a
	try down b
	try commit
	must 192.0.2.20/32
	mustnt 192.0.2.11/32
	try down a
	try commit
	mustnt 192.0.2.20/32
	[ "$(tagged)" = 0 ] || fail "something is left"
	said "failed" && said "event failed" && fail "a failure"
	# the same, with different prefix lengths and no subnet
	try addrs a 198.51.100.1/24 2001:db8:6::1/48
	try addrs b 198.51.100.1/25 2001:db8:6::1/64
	try up a
	try commit
	try up b
	try commit
	try down a
	try commit
	try down b
	try commit
	[ "$(tagged)" = 0 ] || fail "something is left: $(ip -o addr)"
}

case_overrun() {
	local i
	fresh
	ip addr add 10.9.0.1/16 dev eth0
	try new a eth0 10 0 0
	try bulk a 4 200
	try up a
	try commit
	kill -STOP "$driver"
	ip -b - <<-EOF
	$(for i in $(seq 200); do
		echo "addr del 10.9.1.$i/32 dev eth0"
	done; for i in $(seq 40000); do
		echo "link set eth0 alias x$i"
	done)
	EOF
	kill -CONT "$driver"
	until_ms 5000 said "event overrun" || {
		echo "overrun: the buffer took it all"
	}
	until_ms 5000 all_back 200 || fail "$(tagged) of 200 are back"
}
all_back() { [ "$(tagged)" = "$1" ]; }

case_refused() {
	fresh
	sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
	try new a eth0 10 0 2
	try addrs a 192.0.2.10/24 2001:db8::10/64
	try up a
	echo commit >&9
	expect_said "event failed eth0 2001:db8::10 Permission denied"
	must 192.0.2.10/32
	info a "installed 1 foreign 0 failed 1"
	sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
	until_ms 3000 has 2001:db8::10/128 || until_ms 1000 has 2001:db8::10/64 ||
	    fail "not tried again"
	[ "$(grep -c "event failed" "$tmp/out")" = 1 ] || fail "tells it twice"
}

[ $# -gt 0 ] || set -- veth bridge macvlan lease once reach taken foreign later source \
    bulk turns crowd syscalls sweep announce vmac \
    ready ready_guard takeover vanish two overrun refused
for case in "$@"; do
	before=$failed
	"case_$case"
	[ $failed -eq $before ] || sed 's/^/    | /' "$tmp/out" | tail -n 20
	stop_driver
	[ $failed -gt "$before" ] || echo "ok   $case"
done
[ $failed = 0 ]
