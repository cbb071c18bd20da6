#!/bin/bash
# SPDX-License-Identifier: ISC
# carp-fence on real iSCSI targets (tgt): two nodes, four disks.  Who may take
# them and how long it takes; what the keeper notices and when; what is left.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

FENCE=${FENCE:-$BUILD/carp-fence}
[ -x "$FENCE" ] || skip "$FENCE is missing: run make first"
IO=$TOOLS/disk_io
[ -x "$IO" ] || skip "$IO is missing: run make first"
for tool in tgtd tgtadm; do
	command -v $tool >/dev/null || skip "$tool is not installed: apt install tgt"
done

usual_net
mkdir -p /run/tgtd
IQN=iqn.2000-01.invalid.test:disks
URL=iscsi://192.0.2.9/${IQN}1
declare -A KEYS=([a]=aaaaaaaa [b]=bbbbbbbb [x]=cccccccc)

# tgtd N LUN...: a target in the namespace c; N is its control port.
target() {
	local n=$1 port=$2 lun
	shift 2
	enter c tgtd -f -C "$n" --iscsi "portal=192.0.2.9:$port" \
	    > "$T/c/log.$n" 2>&1 &
	PID[tgtd$n]=$!
	wait_for 5 adm "$n" --mode sys --op show > /dev/null || return 1
	adm "$n" --mode target --op new --tid 1 --targetname $IQN$n
	for lun; do
		truncate -s 8M "$T/c/disk.$n.$lun"
		adm "$n" --mode logicalunit --op new --tid 1 --lun "$lun" \
		    --backing-store "$T/c/disk.$n.$lun"
	done
	adm "$n" --mode target --op bind --tid 1 --initiator-address ALL
}

adm() {
	local n=$1
	shift
	on c tgtadm -C "$n" --lld iscsi "$@" 2>/dev/null
}

# fence NODE VERB [NAME=VALUE...]: as carpd would run it.
fence() {
	local n=$1 verb=$2
	shift 2
	on "$([ "$n" = x ] && echo b || echo "$n")" env -i \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C \
	    CARPD_STATE="$T/$n/fence" KEY="${KEYS[$n]}" DISKS="$URL/1" "$@" \
	    "$FENCE" "$verb" >> "$T/$n/log" 2>&1
}

# exits CODE NODE VERB ...: and what it said last.
exits() {
	local want=$1 rc
	shift
	fence "$@"
	rc=$?
	note "$1 $2: exit $rc: $(tail -n 1 "$T/$1/log")"
	[ "$rc" = "$want" ]
}

# start NODE with a pipe as CARPD_ALIVE_FD; what is written and when it is
# closed goes to $T/NODE/alive.
start_alive() {
	local n=$1 rc
	shift
	rm -f "$T/$n/alive" "$T/$n/closed" "$T/$n/pipe"
	mkfifo "$T/$n/pipe"
	{
		cat "$T/$n/pipe" > "$T/$n/alive"
		now_us > "$T/$n/closed.new"
		mv "$T/$n/closed.new" "$T/$n/closed"
	} &
	exec 9> "$T/$n/pipe"
	fence "$n" start CARPD_ALIVE_FD=9 "$@"
	rc=$?
	exec 9>&-
	return $rc
}

keeper() {
	awk -v want="$(stat -c %i "$T/$1/fence/lock")" \
	    '{ split($6, p, ":"); if (p[3] == want) print $5 }' /proc/locks
}

# keys DISK: the high halves, and who holds it, in one line.
keys() {
	on c "$FENCE" keys "$1" | awk '
		/^    0x/ {
			k = k " " substr($1, 3, 8)
			if (/holds it/) h = substr($1, 3, 8)
		}
		/reservation: type/ { t = $3 }
		END { printf "keys%s holder %s type %s\n", k, h, t }'
}

ours() {
	is "$(keys "$2")" "keys ${KEYS[$1]} holder ${KEYS[$1]} type 5"
}

empty() {
	is "$(keys "$1")" "keys holder  type "
}

full_key() {
	on c "$FENCE" keys "$1" | grep -o "0x${KEYS[$2]}[0-9a-f]*" | head -n 1
}

# Another session on a node: what does the disk itself let it do?
io() {
	local rc
	on "$1" "$IO" "${@:2}"
	rc=$?
	[ $rc = 24 ] && note "$2: reservation conflict"
	return $rc
}

conflict() {
	io "$@"
	[ $? = 24 ]
}

closed() {
	[ -e "$T/$1/closed" ]
}

# Seconds from a time to the closing of the pipe of a node.
closed_after() {
	awk -v a="$2" -v b="$(cat "$T/$1/closed")" \
	    'BEGIN { printf "%.3f", (b - a) / 1e6 }'
}

ALL="DISKS=$URL/1 $URL/2 $URL/3 $URL/4"

# Who has the disks now: a, b, both or none; "both" is also half and half.
owner() {
	local d who=
	for d in 1 2 3 4; do
		case $(keys "$URL/$d") in
		"keys ${KEYS[a]} holder ${KEYS[a]} type 5") who=${who}a ;;
		"keys ${KEYS[b]} holder ${KEYS[b]} type 5") who=${who}b ;;
		*) who=${who}x ;;
		esac
	done
	case $who in
	aaaa) echo a ;;
	bbbb) echo b ;;
	*) echo "$who" ;;
	esac
}

# Does the node of this name believe to have what it has not?
deluded() {
	[ -n "$(keeper "$1")" ] && [ "$(owner)" != "$1" ]
}

# contest ROUNDS PEER: both start at the same moment.  Counts the rounds in
# which both or none won, and those that ended with something else than one
# owner and its keeper.
contest() {
	local i pa pb ra rb
	both=0 none=0 wrong=0
	for ((i = 0; i < $1; i++)); do
		fence a start "$ALL" CARPD_PEER="$2" &
		pa=$!
		fence b start "$ALL" CARPD_PEER="$2" &
		pb=$!
		wait $pa
		ra=$?
		wait $pb
		rb=$?
		[ $ra$rb = 00 ] && both=$((both + 1))
		[ $ra != 0 ] && [ $rb != 0 ] && none=$((none + 1))
		if [ $ra = 0 ] || [ $rb = 0 ]; then
			wait_for 2 eval '! deluded a && ! deluded b' ||
			    wrong=$((wrong + 1))
			case $(owner) in
			a | b) ;;
			*) wrong=$((wrong + 1)) ;;
			esac
			[ -n "$(keeper a)$(keeper b)" ] || wrong=$((wrong + 1))
		fi
		fence a stop "$ALL"
		fence b stop "$ALL"
	done
}

mkdir -p "$T/x" "$T/c"
target 1 3260 1 2 3 4 || skip "tgtd does not start here: $(tail -n 1 "$T/c/log.1")"

title "one node: start, status, stop, verify"
check "status says that it does not run: 3" exits 3 a status
check "verify: nothing is left: 0" exits 0 a verify
check "stop of what does not run: 0" exits 0 a stop
check "start" timed exits 0 a start CARPD_PEER=unclear
note "start on a free disk: $took s"
check "the disk has our key and reservation, and no other" ours a "$URL/1"
check "the disk refuses writes of others" conflict b write "$URL/1"
check "but not reads" io b read "$URL/1"
check "and not writes of this node, if they say whose they are" \
    io a write "$URL/1" aaaaaaaa00000077
check "status: 0" exits 0 a status
lines=$(wc -l < "$T/a/log")
check "status when carpd monitors" fence a status CARPD_MODE=monitor
check "is not logged each second" is "$(wc -l < "$T/a/log")" "$lines"
check "start again: 0 at once" exits 0 a start
check "still one keeper" is "$(keeper a | wc -l)" 1
check "others are told from ours" eval \
    'io b read "$URL/1" cccccccc00000001 && exits 1 a status'
on b env KEY=cccccccc DISKS="$URL/1" CARPD_STATE="$T/x/none" "$FENCE" stop \
    > /dev/null
check "status: 0, when they are gone" exits 0 a status
k=$(full_key "$URL/1" a)
moved() {
	local now
	now=$(full_key "$URL/1" a)
	[ -n "$now" ] && [ "$now" != "$k" ]
}
check "its key moves" wait_for 2 moved
check "verify says that it is there: 1" exits 1 a verify
check "stop" timed exits 0 a stop
note "stop: $took s"
check "verify: 0" exits 0 a verify
check "nothing is left on the disk" empty "$URL/1"
check "everybody may write" io b write "$URL/1"
check "stop again: 0" exits 0 a stop

title "several disks at once"
check "start with four" timed exits 0 a start "$ALL"
note "start on four free disks: $took s"
for i in 1 2 3 4; do
	check "disk $i is ours" ours a "$URL/$i"
done
check "status" exits 0 a status "$ALL"
check "stop although the configuration names one now" exits 0 a stop
for i in 1 2 3 4; do
	check "disk $i is free" empty "$URL/$i"
done

title "the configuration has changed since the start"
check "start with one" exits 0 a start
check "start with two: refused, for the second is not fenced: 1" \
    exits 1 a start "DISKS=$URL/1 $URL/2"
check "in words" grep -q "$URL/2: was named after" "$T/a/log"
check "the second was not touched" empty "$URL/2"
check "the first is ours yet" exits 0 a status
check "stop" exits 0 a stop
check "start with two" exits 0 a start "DISKS=$URL/1 $URL/2"
check "start with one: 0, both are ours" exits 0 a start
check "the second stays ours" ours a "$URL/2"
kill -KILL "$(keeper a)"
wait_for 2 eval '[ -z "$(keeper a)" ]'
check "start with one after the keeper was killed" exits 0 a start
check "the second is not forgotten" wait_for 2 eval \
    'ours a "$URL/2" && k=$(full_key "$URL/2" a) &&
     sleep 0.5 && [ "$k" != "$(full_key "$URL/2" a)" ]'
check "stop" exits 0 a stop
check "both are free" eval 'empty "$URL/1" && empty "$URL/2"'

title "a disk that is named in two ways counts once"
TWICE="DISKS=$URL/1 iscsi://192.0.2.9:3260/${IQN}1/1"
check "start" start_alive a "$TWICE" LOSS=1
check "it is ours" ours a "$URL/1"
check "and stays ours" always 3 eval 'ours a "$URL/1" && ! closed a'
check "it counts once" eval 'exits 0 a status "$TWICE" &&
    tail -n 1 "$T/a/log" | grep -q "^1 disk"'
check "stop" exits 0 a stop "$TWICE"
check "nothing is left" empty "$URL/1"

title "a living peer is left alone"
check "a has the disk" start_alive a
check "b: exit 6" timed exits 6 b start CARPD_PEER=unclear
note "refused after $took s"
check "the disk is a's, and b has registered nothing" ours a "$URL/1"
check "a has not noticed anything" eval '! closed a && exits 0 a status'
check "stop at b leaves a's disk alone" exits 0 b stop
check "it is a's" ours a "$URL/1"

title "a peer that is said to be dead, but lives: it loses the disk"
t=$(now_us)
check "b takes it at once" timed exits 0 b start CARPD_PEER=dead
note "taken from a living peer by force: $took s"
check "it is b's alone" ours b "$URL/1"
check "a's keeper has noticed" wait_for 3 closed a
loss=$(closed_after a "$t")
note "a: \"$(cat "$T/a/alive")\" $loss s after b began"
check "within a second" less "$loss" 1.0
check "the reason is written to the pipe" grep -q taken\\\|preempted\\\|"not there" "$T/a/alive"
check "a: status 3" exits 3 a status
check "a: stop changes nothing for b" exits 0 a stop
check "it is b's alone" ours b "$URL/1"

title "a peer whose keeper was killed: the reservation stays, and is watched"
kill -KILL "$(keeper b)"
wait_for 2 eval '[ -z "$(keeper b)" ]'
check "b: status 3" exits 3 b status
check "the disk is b's yet" ours b "$URL/1"
check "a takes it after WATCH" timed exits 0 a start CARPD_PEER=unclear
note "taken from a dead peer, unclear: $took s"
check "not before 0.6 s" less 0.6 "$took"
check "it is a's alone" ours a "$URL/1"

title "a shorter INTERVAL makes a shorter WATCH"
check "a: stop" exits 0 a stop
check "b has it" exits 0 b start CARPD_PEER=dead INTERVAL=0.1
check "a sees that it lives" exits 6 a start INTERVAL=0.1
kill -KILL "$(keeper b)"
check "a takes it" timed exits 0 a start CARPD_PEER=unclear INTERVAL=0.1
note "taken from a dead peer, unclear, INTERVAL=0.1: $took s"
check "not before 0.26 s" less 0.26 "$took"
check "but before the usual WATCH" less "$took" 0.6
check "it is a's alone" ours a "$URL/1"

title "the same, said to be passive or dead: at once"
for peer in passive dead; do
	check "a: stop" exits 0 a stop
	check "b has it" exits 0 b start CARPD_PEER=dead
	kill -KILL "$(keeper b)"
	check "a takes it, CARPD_PEER=$peer" timed exits 0 a start \
	    CARPD_PEER=$peer
	note "taken from a $peer peer: $took s"
	check "without watching" less "$took" 0.6
	check "it is a's alone" ours a "$URL/1"
done

title "own keeper killed: the next start adopts what is left"
kill -KILL "$(keeper a)"
wait_for 2 eval '[ -z "$(keeper a)" ]'
check "the disk is a's yet" ours a "$URL/1"
check "a: start" timed exits 0 a start
note "adopted in $took s"
check "it is a's alone, with one key" ours a "$URL/1"
kill -KILL "$(keeper a)"
wait_for 2 eval '[ -z "$(keeper a)" ]'
check "stop without a keeper" exits 0 a stop
check "nothing is left" empty "$URL/1"

title "the keeper is told to end, but not by carp-fence stop"
start_alive a
kill -TERM "$(keeper a)"
check "it ends" wait_for 2 closed a
note "a: \"$(cat "$T/a/alive")\""
check "the disk stays a's" ours a "$URL/1"
check "stop" exits 0 a stop
check "nothing is left" empty "$URL/1"

title "the keeper is stopped: it keeps nothing, and status says so"
check "start" start_alive a
kill -STOP "$(keeper a)"
check "the disk is ours yet" ours a "$URL/1"
check "status: 1" wait_for 6 eval '! fence a status'
check "in words" grep -q 'has stood still' "$T/a/log"
check "stop wakes it up" timed exits 0 a stop
check "it did not have to be killed" less "$took" 2.0
check "nothing is left" empty "$URL/1"

title "stolen by another node by hand"
start_alive a INTERVAL=0.25
sleep 0.3
t=$(now_us)
check "a third node clears the disk" on b env KEY=cccccccc "$FENCE" clear \
    "$URL/1" --yes > /dev/null
check "a's keeper has noticed" wait_for 3 closed a
loss=$(closed_after a "$t")
note "a: \"$(cat "$T/a/alive")\" after $loss s"
check "within a second" less "$loss" 1.0
check "without --yes nothing is cleared" eval "fence b start &&
    not on a '$FENCE' clear '$URL/1' > /dev/null 2>&1 && ours b '$URL/1'"
fence b stop

title "two nodes start at the same time, each unclear about the other"
contest 10 unclear
check "never both" is $both 0
check "one of them each time" is $none 0
check "and that one has all disks" is $wrong 0

title "the same, each told that the other is dead"
contest 30 dead
note "the later took it from the earlier in $both of 30"
check "one of them each time" is $none 0
check "in the end one has all disks, and no other thinks so" is $wrong 0
for i in 1 2 3 4; do
	check "disk $i is free" empty "$URL/$i"
done

title "start is killed while it watches"
fence b start
kill -KILL "$(keeper b)"
wait_for 2 eval '[ -z "$(keeper b)" ]'
fence a start WATCH=5 &
p=$!
wait_for 2 eval '[ -n "$(keeper a)" ]'
k=$(keeper a)
kill -KILL "$k"
check "start has failed" eval '! wait $p'
check "the disk is as it was" ours b "$URL/1"
check "b takes it again" exits 0 b start
check "stop" exits 0 b stop

title "both processors are busy: a living peer is seen to live"
check "a has the disk" start_alive a
hogs=()
for i in 1 2 3 4; do
	while :; do :; done &
	hogs+=($!)
done
seen=0
for i in 1 2 3 4 5 6 7 8; do
	fence b start CARPD_PEER=unclear
	[ $? = 6 ] && seen=$((seen + 1))
done
check "exit 6 each time" is $seen 8
check "a has not noticed anything" not closed a
kill "${hogs[@]}"
check "stop" exits 0 a stop

title "a target that hangs"
target 2 3261 1
HUNG=iscsi://192.0.2.9:3261/${IQN}2/1
kill -STOP "${PID[tgtd2]}"
check "start fails within its limit" timed exits 1 a start \
    "DISKS=$URL/1 $HUNG" CARPD_TIMEOUT=4
note "failed after $took s"
check "bounded" less "$took" 4.0
check "nothing is left on the other disk" empty "$URL/1"
check "MISSING: half is refused: 2" exits 2 a start "DISKS=$URL/1 $HUNG" \
    MISSING=1
check "MISSING=1 of three: start" timed exits 0 a start \
    "DISKS=$URL/1 $URL/2 $HUNG" MISSING=1
note "started after $took s"
check "status: 0" exits 0 a status "DISKS=$URL/1 $URL/2 $HUNG" MISSING=1
kill -CONT "${PID[tgtd2]}"
check "the absent disk is taken when it comes" wait_for 5 ours a "$HUNG"
check "stop" exits 0 a stop "DISKS=$URL/1 $URL/2 $HUNG" MISSING=1
check "verify" exits 0 a verify "DISKS=$URL/1 $URL/2 $HUNG"

THREE="DISKS=$URL/1 $URL/2 $HUNG"
check "another node has a disk" exits 0 x start "DISKS=$HUNG" LOSS=60 \
    TIMEOUT=0.3
kill -STOP "${PID[tgtd2]}"
# After a pause of the disk its keeper must be given time to come back, too.
check "it hangs: start without it" start_alive a "$THREE" MISSING=1 \
    TIMEOUT=0.3 WATCH=3
kill -CONT "${PID[tgtd2]}"
check "it comes back" wait_for 5 ours x "$HUNG"
check "a living node keeps it" always 5 eval \
    'ours x "$HUNG" && ! closed a'
check "that is no loss: status 0" exits 0 a status "$THREE" MISSING=1
kill -KILL "$(keeper x)"
check "it is taken when that node is dead" wait_for 10 ours a "$HUNG"
check "stop" exits 0 a stop "$THREE" MISSING=1

check "start with both" start_alive a "DISKS=$URL/1 $HUNG" LOSS=1.5 \
    TIMEOUT=0.5
t=$(now_us)
kill -STOP "${PID[tgtd2]}"
sleep 0.8
kill -CONT "${PID[tgtd2]}"
check "a pause shorter than LOSS is survived" always 2 not closed a
check "status" exits 0 a status "DISKS=$URL/1 $HUNG"
check "the disk is ours, with one key" ours a "$HUNG"
t=$(now_us)
kill -STOP "${PID[tgtd2]}"
check "a longer one is a loss" wait_for 5 closed a
loss=$(closed_after a "$t")
note "LOSS=1.5: \"$(cat "$T/a/alive")\" after $loss s"
check "not before" less 1.2 "$loss"
check "stop fails, for the disk cannot be reached: 1" timed exits 1 a stop \
    "DISKS=$URL/1 $HUNG" CARPD_TIMEOUT=4
check "bounded" less "$took" 4.0
check "verify: not known: 4" exits 4 a verify "DISKS=$URL/1 $HUNG" \
    CARPD_TIMEOUT=2
check "stop of a node that has taken nothing: 0" exits 0 b stop \
    "DISKS=$HUNG" CARPD_TIMEOUT=4
kill -CONT "${PID[tgtd2]}"
check "stop when it is back" exits 0 a stop "DISKS=$URL/1 $HUNG"
check "verify" exits 0 a verify "DISKS=$URL/1 $HUNG"

title "the target forgets everything (no APTPL): the keeper notices"
check "start" start_alive a "DISKS=$HUNG"
kill -KILL "${PID[tgtd2]}"
wait "${PID[tgtd2]}" 2>/dev/null
t=$(now_us)
target 2 3261 1
check "the loss is noticed" wait_for 8 closed a
note "\"$(cat "$T/a/alive")\" after $(closed_after a "$t") s"
check "stop" exits 0 a stop "DISKS=$HUNG"

title "two nodes with one identity"
check "a has the disk" exits 0 a start
KEYS[x]=${KEYS[a]}
check "the other is told so: 1" exits 1 x start CARPD_PEER=dead
check "in words" grep -q 'same machine-id' "$T/x/log"
check "a has it" ours a "$URL/1"
check "stop" exits 0 a stop

title "parameters"
check "KEY=0" exits 2 a start KEY=0
check "KEY=hello" exits 2 a start KEY=hello
check "INTERVAL=fast" exits 2 a start INTERVAL=fast
check "LOSS shorter than two intervals" exits 2 a start INTERVAL=1 LOSS=1.5
check "MISSING=-1" exits 2 a start MISSING=-1
check "CARPD_PEER=gone" exits 2 a start CARPD_PEER=gone
check "WATCH longer than the limit" exits 2 a start WATCH=4 CARPD_TIMEOUT=4
check "no DISKS" exits 2 a start DISKS=
check "a relative path" exits 2 a start DISKS=sda
check "a pattern without a match" exits 1 a start "DISKS=/dev/disk/by-id/none-*"
check "a URL without a target" exits 1 a start DISKS=iscsi://192.0.2.9/
check "nobody listens there" exits 1 a start "DISKS=iscsi://192.0.2.9:9/$IQN/1"
check "no such unit" exits 1 a start "DISKS=$URL/9"
check "a unit that no disk can have" eval \
    'exits 1 a start "DISKS=$URL/65537" && grep -q "LUN is not" "$T/a/log"'
check "a URL that would be cut off" exits 2 a start \
    "DISKS=iscsi://192.0.2.9/$(printf 'x%.0s' {1..300})/1"
check "a password is not logged" eval \
    'exits 1 a start "DISKS=iscsi://u%pass-word@192.0.2.9:9/$IQN/1";
     ! grep -q pass-word "$T/a/log"'

title "block devices: only what has no reservations is here"
check "not a block device" exits 1 a start DISKS=/dev/null
dev=$(losetup -f 2>/dev/null) && truncate -s 1M "$T/image" &&
    losetup "$dev" "$T/image" 2>/dev/null || dev=
if [ -n "$dev" ]; then
	trap 'losetup -d "$dev" 2>/dev/null' EXIT
	check "a loop device" exits 1 a start "DISKS=$dev"
	check "it says what the device lacks" grep -q \
	    'driver has no persistent reservations' "$T/a/log"
	losetup -d "$dev"
else
	note "no loop device here"
fi

finish
