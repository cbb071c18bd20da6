#!/bin/bash
# carpctl dump on a live interface: what is received and sent, and how it ends.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

KEY=736563726574			# "secret"

# send NODE PYTHON: the IP packets of an expression over captures.py.
send() {
	PYTHONPATH=$TOP/tests/cli PYTHONDONTWRITEBYTECODE=1 on "$1" python3 -c "
import socket
from captures import *
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
for ip in [$2]:
    s.send(ethernet(ip))"
}

# dump_start NODE ARGUMENT...: in the background, into $T/out and $T/err.
dump_start() {
	local node=$1
	shift
	: > "$T/out"
	# Not ignored, as the shell would have it for what runs beside it.
	env --default-signal=INT nsenter --net="/run/netns/$node" -- \
	    "$CARPCTL" dump "$@" >> "$T/out" 2> "$T/err" &
	PID[dump]=$!
}

# Sends until the first packet comes out: then it listens.
heard() {
	send b "header(advert(addrs=['192.0.2.100']))"
	wait_for 0.2 test -s "$T/out"
}

dump_end() {
	wait_for 3 gone "${PID[dump]}" || return 99
	wait "${PID[dump]}"
}

# The dump ends by itself with this exit code.
ends() {
	local rc
	dump_end
	rc=$?
	is "$rc" "$1"
}

lines() {
	[ "$(wc -l < "$T/out")" -ge "$1" ]
}

carrier() {
	[ "$(on a cat /sys/class/net/eth0/operstate)" = up ]
}

# The last line that was printed has this member.
last() {
	is "$(tail -n 1 "$T/out" | jq -r ".$1")" "$2"
}

usual_net

title "listening"
dump_start a -i eth0 --json --key-hex $KEY -a $V4
check "a packet is printed as soon as it is there" wait_for 10 heard
check "it is good" last verdict ok
check "the digest was checked" last digest ok
: > "$T/out"
send b "header(advert(key=b'other', addrs=['$V4']))"
check "another key" wait_for 5 lines 1
check "is badauth" last verdict badauth
: > "$T/out"
send b "header(advert(addrs=['$V4']), 'fe80::1', 'ff02::12')"
check "IPv6" wait_for 5 lines 1
check "is good" last src fe80::1
: > "$T/out"
send a "header(advert(addrs=['$V4'], vhid=77), '192.0.2.1')"
check "what this node sends is seen too" wait_for 5 lines 1
check "once" last vhid 77
: > "$T/out"
send b "b'\x45' + bytes(60), header(vrrp3())"
check "other traffic is not shown, VRRP is" wait_for 5 lines 1
check "as such" last verdict vrrp
check "and nothing else" is "$(wc -l < "$T/out")" 1
kill -INT "${PID[dump]}"
check "an interrupt ends it well" ends 0
check "nothing was said on standard error" is "$(cat "$T/err")" ""

title "ends"
dump_start a -i eth0 -c 2
check "-c 2" wait_for 10 heard
wait_for 10 heard
send b "header(advert())"
check "ends after two packets" ends 0
check "two lines" is "$(wc -l < "$T/out")" 2
dump_start a -i eth0
wait_for 10 heard
kill -TERM "${PID[dump]}"
check "SIGTERM ends it well" ends 0

mkfifo "$T/pipe"
nsenter --net=/run/netns/a -- "$CARPCTL" dump -i eth0 > "$T/pipe" \
    2> "$T/err" &
PID[dump]=$!
exec 3< "$T/pipe"
exec 3<&-
check "it ends when nobody reads, without another packet" ends 0
check "and says nothing" is "$(cat "$T/err")" ""

title "what can be wrong"
dump_start a -i nowhere0
check "no such interface: exit 1" ends 1
check "a sentence" grep -qx \
    'carpctl: there is no interface nowhere0' "$T/err"
ip -n a link add down0 type veth peer name down1
dump_start a -i down0
check "an interface that is down: exit 1" ends 1
check "a sentence" grep -qx 'carpctl: interface down0 is down' "$T/err"
on a setpriv --bounding-set -net_raw "$CARPCTL" dump -i eth0 2> "$T/err"
rc=$?
check "without CAP_NET_RAW: exit 4" is "$rc" 4
check "a sentence" grep -q \
    'carpctl: listening on eth0 needs the capability CAP_NET_RAW' "$T/err"
dump_start a -i eth0 --json
wait_for 10 heard
: > "$T/out"
ip -n a link set eth0 down
ip -n a link set eth0 up
wait_for 5 carrier
send b "header(advert(vhid=78))"
check "an interface that was down for a moment is heard again" \
    wait_for 5 lines 1
check "as before" last vhid 78
ip -n a link del eth0
check "an interface that vanishes: exit 1" ends 1
check "a sentence" grep -q '^carpctl: eth0: ' "$T/err"
note "$(cat "$T/err")"

finish
