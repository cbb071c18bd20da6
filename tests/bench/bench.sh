#!/bin/bash
# SPDX-License-Identifier: ISC
# carpd, keepalived and ucarp side by side, in private network namespaces:
#	[M="crash handover"] [D="carpd keepalived"] [QUICK=1] tests/bench/bench.sh
# Prints a table and writes it to bench.json in the build directory.
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2034,SC2154	# variables are shared with the other files
. "$(dirname "$0")/../netns/lib.sh"
BENCH=$BUILD/tests/bench
. "$TOP/tests/bench/daemons.sh"
. "$TOP/tests/bench/measures.sh"
. "$TOP/tests/bench/floors.sh"
. "$TOP/tests/bench/vmac.sh"

ALL="crash handover linklost second frozen start fast addresses vmac hook"
ALL+=" reload lease hosts false"
M=${M:-$ALL}
D=${D:-carpd keepalived ucarp}
OUT=${OUT:-$BUILD/bench.json}
LIMIT=1500	# seconds in all
RESULTS=$T/results

# What is measured: name, unit, what carpd's median may be at most, text.  An aim
# of x2 is twice the floor's median; one that is missed is marked.  The order is
# that of the table.
TEXT="
crash|ms||crash, default timers: last advertisement to the new master's first
crash-over|ms|5|  beyond the daemon's own rule
handover|lost|1|clean stop of the master: lost probes, one each ms
failback|lost|0|fail-back by preemption: lost probes
linklost|ms||own link lost: last advertisement to the new master's first
linklost-over|ms|5|  beyond the daemon's own rule
linklost-client|ms||  outage at the client
second|ms|20|own link lost, a second path: last answer to the peer's first advertisement
second-client|ms|20|  outage at the client
frozen|ms||both processes frozen, timers below a second: last advertisement to last answer
frozen-over|ms|0|  beyond the soonest takeover (negative: before it)
start|ms||exec to first advertisement, alone
start-over|ms|10|  beyond the daemon's own rule
start-fast|ms||  with preempt and the option to start after one interval
fast|ms|16|crash, fastest timers: outage at the client
false-idle|count|0|false takeovers with these timers, idle
false-idle-late|ms||  the machine: latest wake-up at the same priority
false-2-loops|count|0|  with 2 busy loops
false-2-loops-late|ms||  the machine
false-8-loops|count|0|  with 8 busy loops
false-8-loops-late|ms||  the machine
addresses|ms|x1.1|1,000 addresses: first change to the last address announced
netlink-sends|count|20|  netlink sends
packet-sends|count|20|  packet sends
vmac|ms|3|1,000 addresses, virtual MAC: goodbye to the first announcement
hook|ms|1.5|first advertisement to the first instruction of a hook
reload|lost|0|reload, unchanged and one address more: lost probes elsewhere
lease-off|%||1,000 addresses held: processor, lease = off
lease-address|%|1.5|  more than that with lease = address
lease-guard|%|0.1|  more than that with lease = guard
hosts-master|%|2.5|virtual hosts (n below), 1 s: processor of the master
hosts-backup|%|2|  of the backup
hosts-memory|KiB|6128|  private memory of the greatest process
hosts-spread|ms||  crash: first to last taken over
hosts-spread-over|ms|20|  beyond the spread of their timers
hosts-return|ms|1490|  the preferred node starts: until it has all back
"

times() {
	[ -n "${QUICK:-}" ] && echo "$2" || echo "$1"
}

result() {
	printf '%s %s %s\n' "$1" "$2" "$3" >> "$RESULTS"
	printf '        %-18s %-11s %s\n' "$1" "$2" "$3" >&2
}

# none MEASURE DAEMON WHY
none() {
	local name=$1

	case $name in
	lease) name=lease-address ;;
	hosts) name=hosts-master ;;
	false) name=false-idle ;;
	esac
	printf '%s %s - %s\n' "$name" "$2" "$3" >> "$RESULTS"
	printf '        %-18s %-11s - (%s)\n' "$1" "$2" "$3" >&2
}

# What one measure leaves, the next must not find.
clean() {
	local n p

	for p in capture monitor probe.ho probe.fb probe.ll probe.fast probe.re \
	    probe.se probe.fr; do
		[ -n "${PID[$p]:-}" ] && kill -KILL "${PID[$p]}" 2>/dev/null
		PID[$p]=
	done
	both_down
	# A carpd that was killed leaves its address, and the guard that silences it.
	for n in a b; do
		on $n nft flush ruleset
	done
	ip -n hub link set a-eth0 master lan up
	ip -n c neigh flush dev eth0
	ip -n c neigh del "$V4" dev eth0 2>/dev/null
	rm -f "$T"/a/eth* "$T"/b/eth*
	plain
}

net() {
	local i n

	usual_net
	ip -n a addr add 10.0.255.1/16 dev eth0
	ip -n b addr add 10.0.255.2/16 dev eth0
	for ((i = 1; i <= 8; i++)); do
		segment "lan$i"
		plug a "lan$i" "eth$i" "10.$i.255.1/16"
		plug b "lan$i" "eth$i" "10.$i.255.2/16"
	done
	# A client learns of a new owner from any of its packets.
	on c tee /proc/sys/net/ipv4/conf/eth0/arp_accept >/dev/null <<< 1
	for n in a b; do
		mkdir -p "$T/$n"
	done
}

# As JSON: for each measure and daemon how often, and what was found.
to_json() {
	jq -Rn --arg text "$TEXT" --arg quick "${QUICK:-}" \
	    --arg kernel "$(uname -r)" --arg cores "$(nproc)" \
	    --arg hosts "$(($(times 255 64) * 8))" \
	    --arg carpd "$("$CARPD" -V 2>&1 | head -n 1)" \
	    --arg keepalived "$(keepalived -v 2>&1 | head -n 1)" \
	    --arg ucarp "$(ucarp -h 2>&1 | awk '/^ucarp/ { print $2; exit }')" '
	def median: sort | length as $n | if $n % 2 == 1 then .[($n - 1) / 2]
	    else (.[$n / 2 - 1] + .[$n / 2]) / 2 end;
	def round3: . * 1000 | round / 1000;
	[ $text | split("\n")[] | select(. != "") | split("|") |
	    { name: .[0], unit: .[1], aim: .[2], text: .[3] } ] as $names |
	# The greatest median that is no miss, or null.
	def bound($floor): if .aim == "" then null
	    elif .aim[0:1] != "x" then .aim | tonumber
	    elif $floor == null then null
	    else (.aim[1:] | tonumber) * $floor | round3 end;
	[ inputs | capture("^(?<m>\\S+) (?<d>\\S+) (?<v>\\S+) ?(?<why>.*)$") ]
	as $rows |
	{ kernel: $kernel, cores: ($cores | tonumber), quick: ($quick != ""),
	  hosts: ($hosts | tonumber),
	  versions: { carpd: $carpd, keepalived: $keepalived, ucarp: $ucarp },
	  measures: [ $names[] as $n |
	    [ $rows[] | select(.m == $n.name) ] as $mine |
	    $n + { daemons: ([ "carpd", "keepalived", "ucarp", "floor" ] |
		map(. as $d | [ $mine[] | select(.d == $d) ] as $r |
		    [ $r[] | select(.v != "-") | .v | tonumber ] as $v |
		    { key: $d, value: (
			if ($v | length) > 0 then
			    { n: ($v | length), min: ($v | min),
			      median: ($v | median | round3),
			      max: ($v | max), values: $v,
			      failed: ([ $r[] | select(.v == "-") ] | length) }
			elif ($r | length) > 0 then { n: 0, why: $r[0].why }
			else { n: 0 } end) }) | from_entries) } |
	    . + { at_most: bound(.daemons.floor.median) } |
	    . + { missed: (.at_most != null and
		.daemons.carpd.median != null and
		.daemons.carpd.median > .at_most),
		sometimes: (.at_most != null and .daemons.carpd.max != null and
		.daemons.carpd.max > .at_most) } ] }' \
	    < "$RESULTS" > "$OUT"
}

table() {
	jq -r '
	def cell: if . == null then "-" else tostring end;
	.measures[] | select([ .daemons[] | select(.n > 0 or .why) ] |
	    length > 0) |
	.daemons.carpd.median as $c |
	"T|\(.text) (\(.unit))" + (if .at_most == null then ""
	    elif .missed then ": MISSED, aim \(.at_most)"
	    elif .daemons.carpd.median == null then ", aim \(.at_most)"
	    elif .sometimes then ": aim \(.at_most) met, but not always"
	    else ": aim \(.at_most) met" end),
	(.daemons | to_entries[] | select(.value.n > 0 or .value.why) |
	    "R|\(.key)|\(.value.n)|\(.value.min | cell)|" +
	    "\(.value.median | cell)|\(.value.max | cell)|" +
	    (if ($c // 0) > 0 and .value.median != null
	    then (.value.median / $c * 100 | round / 100 | tostring)
	    else "-" end) + "|\(.value.why // "")")' "$OUT" |
	awk -F '|' '
	BEGIN {
		printf "%-24s %4s %10s %10s %10s %8s\n", "", "n", "min",
		    "median", "max", "/ carpd"
	}
	$1 == "T" { printf "%s\n", $2 }
	$1 == "R" {
		printf "    %-20s %4s %10s %10s %10s %8s%s\n", $2, $3, $4, $5,
		    $6, $7, $8 == "" ? "" : "  " $8
	}'
}

for m in $M; do
	case $m in
	failback) M=${M/failback/handover} ;;
	*) [[ " $ALL " == *" $m "* ]] || {
		echo "bench: $m is none of: $ALL" >&2
		exit 2
	} ;;
	esac
done
command -v tcpdump >/dev/null || skip "tcpdump is not installed"
: > "$RESULTS"
began_all=$(now_us)
plain
net
for m in $M; do
	title "$m (at $(since "$began_all") s)" >&2
	for d in $D floor; do
		if [ "$(($(now_us) - began_all))" -gt "$((LIMIT * 1000000))" ]
		then
			none "$m" "$d" "no time left"
			continue
		fi
		clean
		if [ "$d" = floor ]; then
			declare -F "floor_$m" >/dev/null && "floor_$m"
		elif [ -n "${QUICK:-}" ] && [ "$d" = ucarp ] &&
		    [[ " crash handover start " != *" $m "* ]]; then
			none "$m" ucarp "not in a quick run"
		elif [ -n "${QUICK:-}" ] && [ "$d:$m" = keepalived:false ]; then
			none false keepalived "not in a quick run"
		elif ! command -v "$d" >/dev/null && [ "$d" != carpd ]; then
			none "$m" "$d" "$d is not installed"
		else
			"m_$m" "$d"
		fi
	done
done
clean
to_json
printf '\n'
table
printf '\n%s hosts; %s s in all; %s\n' "$(jq .hosts "$OUT")" \
    "$(since "$began_all")" "$OUT"
