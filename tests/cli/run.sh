#!/bin/bash
# SPDX-License-Identifier: ISC
# carpctl without a daemon: its command line, what it says when it cannot reach
# carpd, and the decoder (dump.py), and failover (failover.py).  Needs no root and no network.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
CARPCTL=$BUILD/carpctl
DATA=tests/data/ucarp-single.pcap
[ -x "$CARPCTL" ] || { echo "skipped: $CARPCTL is missing: run make"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
checks=0 failures=0

# says CODE PATTERN ARGUMENT...: exit code, and what is in the output.
says() {
	local code=$1 pattern=$2 out rc
	shift 2
	out=$(timeout 20 "$CARPCTL" "$@" 2>&1 </dev/null)
	rc=$?
	checks=$((checks + 1))
	[ "$rc" -eq "$code" ] && grep -qE -- "$pattern" <<<"$out" && return
	failures=$((failures + 1))
	printf 'FAIL: carpctl %s\n  exit %s, expected %s; pattern: %s\n%s\n' \
	    "$*" "$rc" "$code" "$pattern" "$out"
}

# A command line that makes no sense is told as such, before anything is done.
says 2 '^usage: carpctl .*COMMAND'
says 0 '^usage: carpctl .*COMMAND' help
says 0 '^usage: carpctl .*COMMAND' --help
says 0 '^usage: carpctl .*COMMAND' status -h
says 0 '^carpctl [0-9]+\.[0-9]+\.[0-9]+$' -V
says 2 'unknown command "statsu"; did you mean "status"\?' statsu
says 2 'unknown command "relaod"; did you mean "reload"\?' relaod
says 2 'unknown command "maintainance"; did you mean "maintenance"\?' \
    maintainance on
says 2 'unknown command "frobnicate"; "carpctl help" lists them' frobnicate
says 2 'unknown command ""' ''
says 2 'unknown option -x;' -x status
says 2 'unknown option --colour;' --colour status
says 2 'status does not take --follow' status -f
says 2 'show does not take --count' show 1 -c 3
says 2 '-s wants a value' status -s
says 2 '--count wants a value' events --count
says 2 'COUNT must be a number from 1 to .*, not "0"' events -f --count 0
says 2 'COUNT must be a number from 1 to .*, not "3x"' events -f --count 3x
says 2 'status: "now" is too much' status now
says 2 'usage: carpctl show VHID' show
for vhid in 0 256 -1 ten 10x '' 0x10 99999999999999999999; do
	says 2 'a VHID is a number from 1 to 255, not' show "$vhid"
	says 2 'a VHID is a number from 1 to 255, not' master "$vhid"
	says 2 'a VHID is a number from 1 to 255, not' backup "$vhid" eth0
done
says 2 'usage: carpctl demote CAUSE AMOUNT' demote backup
for amount in 65536 -65536 x 1.5 ''; do
	says 2 'the amount must be a number from -65535' demote test "$amount"
done
for period in 0s 5w s '' -5s 1.5h 366d 99999999999999999999s; do
	says 2 '--for wants a time like 10s, 5m, 2h or 1d' \
	    demote test 5 --for "$period"
done
says 2 'the cause must be text in UTF-8' demote $'\xff' 5
says 2 'maintenance is "on" or "off", not "yes"' maintenance yes
says 2 'the parameters are not JSON: line 1' call carp.show '{vhid:1}'
says 2 'the parameters are not JSON: line 1' call carp.show '{} {}'
says 2 'the parameters are not JSON' call carp.show -
says 2 'the path of the socket is longer than' \
    -s "/$(printf '%0120d' 0)" status

says 2 'dump wants -i IFACE or -r FILE' dump
says 2 '-i and -r exclude each other' dump -i lo -r x
says 2 '-k and --key-hex exclude each other' \
    dump -r $DATA -k x --key-hex 00 -a 192.0.2.1
says 2 'a key alone cannot verify anything: .* -a' dump -r $DATA --key-hex 00
says 2 '-a is of use only with a key' dump -r $DATA -a 192.0.2.1
says 2 '--lladdr is of use only with a key' \
    dump -r $DATA --lladdr 02:11:22:33:44:55
for mac in 02:11:22:33:44 02:11:22:33:44:55:66 02-11-22-33-44-55 x ''; do
	says 2 '--lladdr wants an address like' \
	    dump -r $DATA --key-hex 00 -a 192.0.2.1 --lladdr "$mac"
done
for list in 192.0.2.256 '192.0.2.1,' ',192.0.2.1' 192.0.2.1/33 x '' \
    '192.0.2.1,,192.0.2.2' "$(printf '%0200d' 1)"; do
	says 2 '-a wants addresses like' \
	    dump -r $DATA --key-hex 00 -a "$list"
done
for hex in 0 0g '' "$(printf '%042d' 0)"; do
	says 2 '--key-hex: ' dump -r $DATA --key-hex "$hex" -a 192.0.2.1
done
says 1 '/nowhere: ' dump -r $DATA -k /nowhere -a 192.0.2.1
says 2 'a VHID is a number from 1 to 255, not "0"' dump -r $DATA -v 0
says 2 'dump: "eth0" is too much' dump eth0 -r $DATA

# Options stand where one likes; what follows "--" is none.
says 0 '"vhid":42' --json dump -r $DATA -c 1
says 0 '"vhid":42' dump -c 1 -r $DATA --json
says 2 'COUNT must be' dump -r $DATA -c -1
says 3 'cannot reach' -s "$T/none" demote test -5 --for 5
says 3 'cannot reach' demote -s "$T/none" -- test -5

says 0 '^usage: carpctl failover COMMAND' failover help
says 2 'status does not take --yes' status --yes
says 2 'status does not take --live' status --live

# Without a daemon.
for command in status 'show 10' events 'events -f' 'demote test 5' \
    'maintenance on' 'master 10' 'backup 10' reload version 'call x' \
    'reload --live' 'failover status' 'failover force_master --yes' 'failover watch' \
    '--json status'; do
	# shellcheck disable=SC2086 # words are to be split
	says 3 "cannot reach carpd at $T/none: No such file or directory; is \
carpd running" -s "$T/none" $command
done
says 0 "^carpctl [0-9]" -s "$T/none" -V
echo text > "$T/file"
says 3 "cannot reach carpd at $T/file: not a socket" -s "$T/file" status
says 3 "cannot reach carpd at $T: not a socket" -s "$T" status
says 3 'cannot reach carpd at : ' -s '' status
python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/dead"
says 3 "$T/dead: Connection refused; carpd is not running" -s "$T/dead" status
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 "$T/dead"
	says 4 "$T/dead: Permission denied; be root, or a member of" \
	    -s "$T/dead" status
fi

# Output that cannot be written is a failure, a reader who has enough is none.
checks=$((checks + 3))
"$CARPCTL" help > /dev/full 2> "$T/err"
if [ $? -ne 1 ] || ! grep -q 'cannot write the output: No space' "$T/err"; then
	failures=$((failures + 1))
	echo "FAIL: a full disk is not told: $(cat "$T/err")"
fi
"$CARPCTL" dump -r $DATA > /dev/full 2> "$T/err"
if [ $? -ne 1 ] || ! grep -q 'cannot write the output' "$T/err"; then
	failures=$((failures + 1))
	echo "FAIL: dump to a full disk is not told: $(cat "$T/err")"
fi
mkfifo "$T/pipe"
{ exec 3< "$T/pipe"; exec 3<&-; } &
reader=$!
exec 4> "$T/pipe"
wait "$reader"
"$CARPCTL" dump -r $DATA >&4 2> "$T/err"
rc=$?
exec 4>&-
if [ $rc -ne 0 ] || [ -s "$T/err" ]; then
	failures=$((failures + 1))
	echo "FAIL: nobody reads: exit $rc, $(cat "$T/err")"
fi

# No colours where nobody looks.
if "$CARPCTL" dump -r $DATA | grep -q $'\033'; then
	failures=$((failures + 1))
	echo "FAIL: colours in a pipe"
fi

echo "command line: $checks checks, $failures failed"
python3 tests/cli/dump.py || failures=$((failures + 1))
python3 tests/cli/failover.py || failures=$((failures + 1))
[ "$failures" -eq 0 ]
