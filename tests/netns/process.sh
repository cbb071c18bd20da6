#!/bin/bash
# SPDX-License-Identifier: ISC
# The two processes of carpd: what one does when the other dies, freezes or is
# told to go; start-up errors; reload by signal; a log that nobody reads; what
# is remembered; the service manager.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || skip "python3 is not installed"

node hub a b
segment lan
plug a lan eth0 192.0.2.1/24
plug b lan eth0 192.0.2.2/24
usual_conf a 0 "\"$V4/24\""
usual_conf b 100 "\"$V4/24\""

# logged NODE PATTERN: since mark().
logged() {
	tail -c "+$((${MARK[$1]:-0} + 1))" "$T/$1/log" | grep -q -- "$2"
}

declare -A MARK=()
mark() {
	MARK[$1]=$(stat -c %s "$T/$1/log" 2>/dev/null || echo 0)
}

# become_master NODE: by order, so that nobody has to wait.
become_master() {
	wait_for 2 not state_is "$1" 10 INIT
	ctl "$1" master 10 >/dev/null
	wait_for 2 holds "$1" "$V4"
}

other_engine() {
	local now
	now=$(engine "$1") && [ "$now" != "$2" ]
}

stopped() {
	local state
	read -r _ _ state _ < "/proc/$1/stat" && [ "$state" = T ]
}

# left AFTER: seconds from there to the address being gone from a.
left() {
	event "$1" a del "$V4"
}

title "the engine runs with two capabilities, as its user"
start a
e=$(engine a)
if [ "$(engine_user)" = nobody ]; then
	check "it has become nobody" is \
	    "$(awk '/^Uid/ { print $2, $3, $4 }' "/proc/$e/status")" \
	    "65534 65534 65534"
fi
for set in Prm Eff; do
	check "Cap$set: CAP_NET_ADMIN and CAP_NET_RAW" is \
	    "$(awk "/^Cap$set/ { print \$2 }" "/proc/$e/status")" \
	    0000000000003000
done
for set in Inh Bnd Amb; do
	check "Cap$set: none" is \
	    "$(awk "/^Cap$set/ { print \$2 }" "/proc/$e/status")" \
	    0000000000000000
done
check "it can get no new ones" \
    grep -q '^NoNewPrivs:.*1$' "/proc/$e/status"
check "the socket is 0660" is "$(stat -c %a "$T/a/sock")" 660

title "SIGKILL of the engine: the address goes at once"
become_master a
watch_start a
for i in 1 2 3; do
	wait_for 3 holds a $V4 || become_master a
	e=$(engine a)
	t=$(uptime_s)
	mark a
	stall_start a
	kill -KILL "$e"
	check "run $i: another one starts" wait_for 6 other_engine a "$e"
	check "run $i: the control socket answers again" wait_for 2 answers a
	gone=$(left "$t")
	stall_stop
	note "gone after $gone s"
	check "run $i: within 0.1 s, and $STALLED ms" \
	    less "${gone:-9}" "$(jq -n "0.1 + $STALLED / 1000")"
	check "run $i: the log names the signal" \
	    logged a 'killed by signal 9 (Killed)'
	become_master a
done
watch_stop

title "SIGSTOP of the engine: it is replaced"
e=$(engine a)
watch_start a
t=$(uptime_s)
mark a
kill -STOP "$e"
check "after 2 s it is killed" wait_for 4 gone "$e"
check "another one starts" wait_for 6 other_engine a "$e"
gone=$(left "$t")
note "address gone after $gone s"
check "before a peer may take over (3 s)" less "${gone:-9}" 3
check "the log says why" logged a 'no sign of life for 2.0 s'
watch_stop

title "the same with timers below a second"
usual_conf a 20 "\"$V4/24\"" "advbase = 0" "lease = off"
ctl a reload >/dev/null
wait_for 2 holds a $V4
e=$(engine a)
watch_start a
t=$(uptime_s)
kill -STOP "$e"
check "another one starts" wait_for 6 other_engine a "$e"
gone=$(left "$t")
note "address gone after $gone s"
check "sooner than with timers of a second" less "${gone:-9}" 1.0
watch_stop
usual_conf a 0 "\"$V4/24\""
wait_for 2 answers a
ctl a reload >/dev/null

title "SIGTERM of the engine: a clean stop, and another one"
become_master a
e=$(engine a)
mark a
kill -TERM "$e"
check "another one starts" wait_for 6 other_engine a "$e"
check "the log says how it ended" logged a 'engine: exit status 0'

title "SIGKILL of the supervisor: the engine bows out and ends"
start b
become_master a
s=$(supervisor a) e=$(engine a)
t=$(now_us)
kill -KILL "$s"
wait "$s" 2>/dev/null
check "the engine ends" wait_for 2 gone "$e"
check "the address is gone" not holds a $V4
check "the peer is master" wait_for 2 state_is b 10 MASTER
note "after $(since "$t") s"
check "since it was told, not after 3 s" less "$(since "$t")" 2.0
check "carpd starts again on the same socket" start a
check "the peer stops" stop b

title "SIGKILL of the supervisor while the engine is stopped"
become_master a
s=$(supervisor a) e=$(engine a)
kill -STOP "$e"
wait_for 1 stopped "$e"
kill -KILL "$s"
wait "$s" 2>/dev/null
check "the engine is woken, and ends" wait_for 2 gone "$e"
check "the address is gone" not holds a $V4
start a

title "SIGKILL of both: the lease ends, or the next start cleans up"
become_master a
watch_start a
t=$(uptime_s)
crash a
check "the kernel ends the address" wait_for 4 not holds a $V4
note "after $(left "$t") s"
check "before a peer may take over (3 s)" less "$(left "$t")" 3
watch_stop
usual_conf a 0 "\"$V4/24\"" "lease = off"
start a
become_master a
crash a
check "without a lease it stays" always 1 holds a $V4
mark a
start a
check "until the next start" not holds a $V4
check "which says so" logged a '1 left address taken away'
usual_conf a 0 "\"$V4/24\""

title "SIGTERM: a clean stop"
become_master a
check "exit code 0" stop a
check "the address is gone" not holds a $V4
check "the socket is gone" not test -e "$T/a/sock"

title "a stopped engine does not hinder a stop"
start a
become_master a
e=$(engine a)
kill -STOP "$e"
t=$(now_us)
check "exit code 0" stop a
note "after $(since "$t") s"
check "the engine is gone" gone "$e"
check "the address is gone" not holds a $V4

title "what prevents a start"
# refused WORDS PATTERN CODE OPTION...: carpd exits with a sentence.
refused() {
	local words=$1 pattern=$2 code=$3 rc
	shift 3
	on a timeout 10 "$CARPD" "$@" > "$T/refused" 2>&1
	rc=$?
	note "$(grep -m 1 -- "$pattern" "$T/refused" || head -n 1 "$T/refused")"
	check "$words: exit code $code" is "$rc" "$code"
	check "$words: a sentence" grep -q -- "$pattern" "$T/refused"
}
start a
become_master a
e=$(engine a)
refused "a second carpd" "another carpd is running with this socket" 1 \
    -f "$T/a/carpd.conf" -s "$T/a/sock" -S "$T/a/state"
check "the first one has lost nothing" holds a $V4
check "nor its engine" is "$(engine a)" "$e"
stop a
sed 's/user = .*/user = "nosuchuser"/' "$T/a/carpd.conf" > "$T/a/bad.conf"
refused "an unknown user" 'useradd --system nosuchuser' 1 \
    -f "$T/a/bad.conf" -s "$T/a/sock" -S "$T/a/state"
sed 's/group = .*/group = "nosuchgroup"/' "$T/a/carpd.conf" > "$T/a/bad.conf"
refused "an unknown group" 'groupadd --system nosuchgroup' 1 \
    -f "$T/a/bad.conf" -s "$T/a/sock" -S "$T/a/state"
echo precious > "$T/a/file"
refused "a file in the place of the socket" 'is no socket' 1 \
    -f "$T/a/carpd.conf" -s "$T/a/file" -S "$T/a/state"
check "and the file is still there" grep -q precious "$T/a/file"
refused "a missing file" 'nosuchfile' 3 -f "$T/nosuchfile" -s "$T/a/sock"
refused "an unknown option" 'unknown option -x' 2 -x
refused "an option without value" 'option -f needs a value' 2 -f
refused "an argument too much" '"more" belongs to no option' 2 more
refused "a mixture of modes" 'option -i does not go with -f' 2 -f x -i eth0
refused "half a command line" 'option -P keyfile is missing' 2 -i eth0 -v 1
# unshare without -r: another user id, and no capabilities outside.
refused_without_root() {
	on a setpriv --bounding-set -all --inh-caps -all --no-new-privs \
	    "$CARPD" -f "$T/a/carpd.conf" -s "$T/a/sock" -S "$T/a/state" \
	    > "$T/refused" 2>&1
	[ $? = 1 ] && grep -q 'run it as root' "$T/refused"
}
if command -v setpriv >/dev/null; then
	check "without capabilities: a sentence" refused_without_root
	note "$(cat "$T/refused")"
fi

title "SIGHUP: reload"
start a
become_master a
e=$(engine a)
mark a
kill -HUP "$(supervisor a)"
check "nothing has changed, and it is said" \
    wait_for 2 logged a 'nothing has changed'
cp "$T/a/carpd.conf" "$T/a/good.conf"
sed -i 's/advskew/advscew/' "$T/a/carpd.conf"
mark a
kill -HUP "$(supervisor a)"
check "a broken file is refused with its line" \
    wait_for 2 logged a 'carpd.conf:[0-9]*:.*advscew'
check "the address stays" holds a $V4
usual_conf a 7 "\"$V4/24\", \"192.0.2.101/24\""
kill -HUP "$(supervisor a)"
check "a good one is applied" wait_for 2 holds a 192.0.2.101
check "the old address stays" holds a $V4
check "by the same engine" is "$(engine a)" "$e"
kill -KILL "$e"
wait_for 6 other_engine a "$e"
wait_for 2 answers a
check "a later engine starts with it" is "$(host_get a 10 advskew)" 7
sed -i 's/group = .*/group = "daemon"/' "$T/a/carpd.conf"
mark a
kill -HUP "$(supervisor a)"
check "another group takes a restart" \
    wait_for 2 logged a 'takes a restart, not a reload'
cp "$T/a/good.conf" "$T/a/carpd.conf"
for i in 1 2 3 4 5; do
	ctl a reload > "$T/reload.$i" 2>&1 &
	reloads[i]=$!
	kill -HUP "$(supervisor a)"
done
for i in 1 2 3 4 5; do
	wait "${reloads[i]}" || fail "reload $i: $(cat "$T/reload.$i")"
done
pass "five reloads at once, by socket and by signal, all end"
check "with what the file says" is "$(host_get a 10 advskew)" 0

title "SIGUSR1: the status goes to the log"
mark a
kill -USR1 "$(supervisor a)"
check "one line for the virtual host" wait_for 2 logged a 'vhid 10 eth0: [a-z]*: .* addresses'

title "maintenance survives every restart"
ctl a maintenance on >/dev/null
check "it is written" wait_for 2 grep -q '"maintenance": true' \
    "$T/a/state/state.json"
e=$(engine a)
kill -KILL "$e"
wait_for 6 other_engine a "$e"
wait_for 2 answers a
check "the next engine knows it" is \
    "$(ctl a --json status | jq .maintenance)" true
stop a
start a
check "the next carpd knows it" is \
    "$(ctl a --json status | jq .maintenance)" true
stop a
echo '{"version": 1, "maint' > "$T/a/state/state.json"
mark a
start a
check "a broken file is told" logged a 'state.json: line 1'
check "and kept" test -s "$T/a/state/state.json.bad"
check "and maintenance is off" is \
    "$(ctl a --json status | jq .maintenance)" false
stop a

title "nobody reads the log"
mkfifo "$T/fifo"
sh -c 'exec sleep 1000' < "$T/fifo" &
PID[reader]=$!
dir=$T/a
enter a "$CARPD" -d -f "$dir/carpd.conf" -s "$dir/sock" -S "$dir/state" \
    2> "$T/fifo" &
PID[a]=$!
wait_for 5 answers a
become_master a
for i in $(seq 1000); do
	kill -USR1 "$(supervisor a)" "$(engine a)"
done
check "carpd answers" answers a
check "the supervisor takes no engine for dead" is "$(engine a)" \
    "$(cat "/proc/$(supervisor a)/task/$(supervisor a)/children" |
    tr -d ' ')"
start b
check "the peer hears every advertisement" always 4 state_is b 10 BACKUP
kill "${PID[reader]}"
timeout 5 cat "$T/fifo" > "$T/late" &
PID[reader]=$!
wait_for 2 eval 'kill -USR1 $(supervisor a) $(engine a); \
    grep -q "lines lost: the reader was too slow" "$T/late"'
check "whoever reads again is told what was lost" \
    grep -q 'lines lost: the reader was too slow' "$T/late"
check "the peer takes over at a stop, with nobody reading" stop a
check "it is master" wait_for 1 state_is b 10 MASTER
stop b

title "the service manager"
cat > "$T/manager.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind("\0" + name[1:] if name[0] == "@" else name)
print("ready", flush=True)
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
PY
for name in "@carpd-test-$$" "$T/manager"; do
	: > "$T/told"
	enter a python3 "$T/manager.py" "$name" > "$T/told" &
	PID[manager]=$!
	wait_for 5 grep -q ready "$T/told"
	(
		export NOTIFY_SOCKET=$name WATCHDOG_USEC=400000
		enter a "$CARPD" -f "$dir/carpd.conf" -s "$dir/sock" \
		    -S "$dir/state" 2>> "$dir/log"
	) &
	PID[a]=$!
	check "READY, with a status" wait_for 5 \
	    grep -q 'READY=1 STATUS=1 virtual host on 1 interface' "$T/told"
	check "WATCHDOG" wait_for 2 grep -q WATCHDOG=1 "$T/told"
	kill -HUP "$(supervisor a)"
	check "RELOADING" wait_for 2 \
	    grep -q 'RELOADING=1 MONOTONIC_USEC=[0-9]' "$T/told"
	check "and READY again" wait_for 2 eval \
	    '[ "$(grep -c READY=1 "$T/told")" = 2 ]'
	e=$(engine a)
	kill -STOP "$e"
	wait_for 5 gone "$e"
	wait_for 5 answers a
	check "READY after the engine was replaced" wait_for 2 eval \
	    '[ "$(grep -c READY=1 "$T/told")" -ge 3 ]'
	stop a
	check "STOPPING" grep -q STOPPING=1 "$T/told"
	kill "${PID[manager]}"
	wait "${PID[manager]}" 2>/dev/null
done

title "without a file"
# alone NAME VHID ADDRESS...: a carpd on a without a configuration file.
alone() {
	local name=$1 vhid=$2 args=()
	shift 2
	for addr; do
		args+=(-a "$addr")
	done
	enter a "$CARPD" -i eth0 -v "$vhid" -P "$dir/key" "${args[@]}" \
	    -u "$(engine_user)" 2>> "$dir/log" &
	PID[$name]=$!
}
mark a
alone a 10 $V4/24 192.0.2.101/24
alone other 11 192.0.2.77/24
check "it becomes master" wait_for 5 holds a $V4
check "the second address is there too" wait_for 1 holds a 192.0.2.101
check "another carpd of the kind runs beside" wait_for 5 holds a 192.0.2.77
check "there is no socket" not test -e "$T/a/sock"
kill -HUP "${PID[a]}"
check "SIGHUP: there is nothing to reload" \
    wait_for 2 logged a 'nothing to reload'
e=$(engine a)
kill -KILL "$e"
check "its addresses go with the engine" wait_for 1 not holds a $V4
check "another one starts" wait_for 6 other_engine a "$e"
check "the address of the other carpd stays" holds a 192.0.2.77
check "exit code 0" stop a
check "it is still there at the end" holds a 192.0.2.77
check "exit code 0 of the other, too" stop other

finish
