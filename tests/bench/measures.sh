#!/bin/bash
# SPDX-License-Identifier: ISC
# The measures.  Each m_NAME DAEMON adds results; sourced by bench.sh.
# shellcheck disable=SC2034,SC2154	# variables are shared with bench.sh

ADVERTS='ip proto 112'

# adverts FILE SINCE: last from a, and then the first from b, in seconds.
adverts() {
	awk -v t="$2" '
		$3 == "192.0.2.1" && !b { a = $1 }
		$3 == "192.0.2.2" && $1 >= t && a { b = $1; exit }
		END { if (!b) exit 1; printf "%s %s\n", a, b }' "$1"
}

has_advert() {
	awk -v t="$2" -v s="$3" '$3 == s && $1 >= t { f = 1; exit }
	    END { exit !f }' "$1"
}

now_s() {
	printf '%s' "${EPOCHREALTIME/,/.}"
}

ms_between() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", (b - a) * 1000 }'
}

minus() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a - b }'
}

# last_to_first DAEMON SINCE MEASURE: also what is over its own rule.
last_to_first() {
	local pair ms

	wait_for 10 has_advert "$T/packets" "$2" 192.0.2.2
	pair=$(adverts "$T/packets" "$2") || {
		none "$3" "$1" "nobody took over"
		return
	}
	# shellcheck disable=SC2086	# two words
	ms=$(ms_between $pair)
	result "$3" "$1" "$ms"
	result "$3-over" "$1" "$(minus "$ms" "$(rule "$1")")"
}

m_crash() {
	local i t

	pair_up "$1" || { none crash "$1" "the pair did not start"; return; }
	for ((i = 0; i < $(times 4 1); i++)); do
		[ "$i" = 0 ] || back_up "$1" || break
		capture c "$T/packets" "$ADVERTS"
		settle
		t=$(now_s)
		kill_all a
		lose_addresses a
		last_to_first "$1" "$t" crash
		capture_stop
	done
}

# Two in one: a is stopped, then it returns.
m_handover() {
	local i

	pair_up "$1" || { none handover "$1" "the pair did not start"; return; }
	for ((i = 0; i < $(times 5 1); i++)); do
		settle
		probe_start ho c "$V4"
		sleep 0.2
		leave "$1"
		wait_for 10 holds b "$V4" ||
		    none handover "$1" "nobody took over"
		wait_for 10 reach c "$V4"
		sleep 0.1
		probe_stop ho
		result handover "$1" "$(probe_get ho lost)"
		settle
		probe_start fb c "$V4"
		sleep 0.2
		back_up "$1" || none failback "$1" "it never came back"
		sleep 0.2
		probe_stop fb
		result failback "$1" "$(probe_get fb lost)"
	done
}

m_linklost() {
	local i t

	for ((i = 0; i < $(times 3 1); i++)); do
		pair_up "$1" || {
			none linklost "$1" "the pair did not start"
			return
		}
		capture c "$T/packets" "$ADVERTS"
		settle
		probe_start ll c "$V4"
		sleep 0.2
		t=$(now_s)
		unplug a eth0
		wait_for 10 has_advert "$T/packets" "$t" 192.0.2.2
		wait_for 2 reach c "$V4"
		sleep 0.2
		probe_stop ll
		last_to_first "$1" "$t" linklost
		result linklost-client "$1" "$(probe_get ll longest_ms)"
		capture_stop
		both_down
		replug a eth0
	done
}

# The same with another interface between the nodes, which is critical as well.
m_second() {
	local i t last first

	[ "$1" = carpd ] || {
		none second "$1" "it does not tell what it has lost"
		return
	}
	GROUP=1
	for ((i = 0; i < $(times 5 2); i++)); do
		pair_up "$1" || { none second "$1" "no pair"; return; }
		settle
		capture c "$T/packets" "$ADVERTS or (icmp and src $V4)"
		probe_start se c "$V4"
		sleep 0.3
		t=$(now_s)
		unplug a eth0
		wait_for 10 has_advert "$T/packets" "$t" 192.0.2.2
		wait_for 2 reach c "$V4"
		sleep 0.2
		probe_stop se
		capture_stop
		first=$(awk -v t="$t" '$3 == "192.0.2.2" && $1 >= t {
			print $1; exit }' "$T/packets")
		last=$(awk -v f="${first:-0}" '$3 == "192.0.2.100" && $1 < f {
			l = $1 } END { print l }' "$T/packets")
		if [ -n "$first" ] && [ -n "$last" ]; then
			result second "$1" "$(ms_between "$last" "$first")"
			result second-client "$1" "$(probe_get se longest_ms)"
		else
			none second "$1" "nobody took over"
		fi
		both_down
		replug a eth0
	done
}

mac_of() {
	ip -n "$1" -j link show dev eth0 | jq -r '.[0].address'
}

# Both processes of the master are stopped.  The client has it as a permanent
# neighbour, so that only it is asked, whoever has taken over.
m_frozen() {
	local i pids advert last rule=93.75

	FAST=8 LEASE=guard
	[ "$1" = carpd ] || plain
	for ((i = 0; i < $(times 3 1); i++)); do
		pair_up "$1" || { none frozen "$1" "no pair"; return; }
		settle
		capture c "$T/packets" "$ADVERTS or (icmp and src $V4)"
		ip -n c neigh replace "$V4" lladdr "$(mac_of a)" nud permanent \
		    dev eth0
		probe_start fr c "$V4"
		sleep 0.5
		mapfile -t pids < <(tree "${PID[a]}")
		kill -STOP "${pids[@]}"
		sleep 5
		last=0
		! reach c "$V4" || last=1
		probe_stop fr
		capture_stop
		ip -n c neigh del "$V4" dev eth0
		both_down
		[ "$last" = 0 ] || {
			none frozen "$1" "it still answers after 5 s"
			return
		}
		advert=$(awk '$3 == "192.0.2.1" { a = $1 } END { print a }' \
		    "$T/packets")
		last=$(awk '$3 == "192.0.2.100" { a = $1 } END { print a }' \
		    "$T/packets")
		[ -n "$advert" ] && [ -n "$last" ] || {
			none frozen "$1" "nothing of it was seen"
			return
		}
		result frozen "$1" "$(ms_between "$advert" "$last")"
		result frozen-over "$1" \
		    "$(minus "$(ms_between "$advert" "$last")" "$rule")"
	done
}

m_start() {
	local i t ms

	configure "$1" a
	STAMP=("$BENCH/floor" stamp "$T/began")
	for ((i = 0; i < $(times 4 1); i++)); do
		rm -f "$T/began"
		capture c "$T/packets" "$ADVERTS"
		up "$1" a
		wait_for 8 has_advert "$T/packets" 0 192.0.2.1
		t=$(awk '$3 == "192.0.2.1" { print $1; exit }' "$T/packets")
		capture_stop
		kill_all a
		lose_addresses a
		[ -n "$t" ] || { none start "$1" "no advertisement"; return; }
		ms=$(ms_between "$(cat "$T/began")" "$t")
		result "${2:-start}" "$1" "$ms"
		[ -n "${2:-}" ] || result start-over "$1" \
		    "$(minus "$ms" "$(start_rule "$1")")"
	done
	[ -z "${2:-}" ] || return 0
	start_fast "$1"
}

start_fast() {
	[ "$1" = carpd ] || return 0
	NODE="fast-start = true" m_start carpd start-fast
}

# The master loses its link to everything and dies, so that nothing of it is
# heard; how long did the client get no answer?
m_fast() {
	local i

	FAST=1 LOAD=true
	for ((i = 0; i < $(times 8 3); i++)); do
		pair_up "$1" || { none fast "$1" "the pair did not start"; return; }
		settle
		probe_start fast c "$V4"
		sleep 0.2
		partition a eth0
		kill_all a
		wait_for 5 reach c "$V4"
		sleep 0.1
		probe_stop fast
		# With such timers the roles may have changed since.
		if [ "$(probe_get fast lost)" = 0 ]; then
			none fast "$1" "the other was master already"
		else
			result fast "$1" "$(probe_get fast longest_ms)"
		fi
		both_down
		heal a eth0 lan
	done
}

# With the same timers, nothing fails; how often does the backup take over?
m_false() {
	local load name loops p i seconds

	seconds=${FALSE_SECONDS:-$(times 60 6)}
	[ "$1" = ucarp ] && { none false-idle ucarp "not below a second"; return; }
	[ "$1" = carpd ] || seconds=$((seconds / 3))
	FAST=1 LOAD=true
	for load in idle:0 2-loops:2 8-loops:8; do
		loops=() name=false-${load%:*}
		pair_up "$1" || { none "$name" "$1" "no pair"; return; }
		settle
		capture c "$T/packets" "$ADVERTS"
		"$BENCH/floor" late "$seconds" > "$T/late" &
		loops+=($!)
		for ((i = 0; i < ${load#*:}; i++)); do
			timeout "$((seconds + 5))" "$BASH" -c 'while :; do :; done' &
			loops+=($!)
		done
		wait "${loops[0]}"
		for p in "${loops[@]:1}"; do
			kill "$p"
			wait "$p" 2>/dev/null
		done
		capture_stop
		result "$name" "$1" "$(awk '
			$3 ~ /^192/ { n += $3 != last && $3 ~ /2$/; last = $3 }
			END { print n + 0 }' "$T/packets")"
		result "$name-late" floor "$(cat "$T/late")"
		both_down
	done
}

thousand() {
	local i

	ADDRS=()
	for ((i = 0; i < 1000; i++)); do
		ADDRS+=("10.0.$((i / 250)).$((i % 250 + 1))/16")
	done
}

ANNOUNCED="$ADVERTS or (arp[14:4] = arp[24:4] and arp[16:2] < 0x0400)"

# From the first that b does, be it an address or a packet, to the last address's
# first announcement.  All nodes share one kernel: a has died long before, so that
# what it gives up does not keep b waiting.
last_garp() {
	local begin

	begin=$(sed -n 's/^\[\([^]]*\)\].*/\1/p' "$T/monitor" | head -n 1)
	[ -z "$begin" ] || begin=$(date -d "$begin" +%s.%6N)
	awk -v t="$1" -v begin="$begin" -v want=1000 '
		$1 < t { next }
		$3 == "192.0.2.2" { if (!first) first = $1; next }
		/ARP/ {
			if (!first) first = $1
			if (match($0, /10\.0\.[0-9]+\.[0-9]+/)) {
				a = substr($0, RSTART, RLENGTH)
				if (!(a in seen)) { seen[a]; n++; last = $1 }
			}
		}
		END {
			if (n < want) { print n + 0 " announced"; exit 1 }
			if (begin && begin < first) first = begin
			printf "%.3f\n", (last - first) * 1000
		}' "$T/packets"
}

# As capture(), for bursts: what is read is written down afterwards, by
# burst_stop, so that tcpdump wants little time; and what addresses come.
burst() {
	enter b ip -ts -4 monitor address > "$T/monitor" &
	PID[monitor]=$!
	raw_capture c eth0 "$ANNOUNCED"
}

# raw_capture NODE INTERFACE FILTER; read in NODE as well, for interfaces' names.
raw_capture() {
	RAW=$1
	enter "$1" tcpdump -i "$2" -B 16384 -s 128 -n --immediate-mode \
	    -w "$T/packets.raw" "$3" 2> "$T/packets.err" &
	PID[capture]=$!
	wait_for 5 grep -q listening "$T/packets.err"
}

raw_stop() {
	capture_stop
	on "$RAW" tcpdump -n -tt -r "$T/packets.raw" > "$T/packets" \
	    2>/dev/null
}

burst_stop() {
	raw_stop
	kill "${PID[monitor]}"
	wait "${PID[monitor]}" 2>/dev/null
}

m_addresses() {
	local i t ms

	[ "$1" = ucarp ] && {
		none addresses ucarp "one address; the rest is its script's"
		return
	}
	thousand
	for ((i = 0; i < $(times 5 1); i++)); do
		pair_up "$1" || {
			none addresses "$1" "the pair did not start"
			return
		}
		settle
		burst
		t=$(now_s)
		kill_all a
		lose_addresses a
		quiet 5
		burst_stop
		ms=$(last_garp "$t") && result addresses "$1" "$ms" ||
		    none addresses "$1" "$ms"
		[ "$i" = 0 ] && [ -z "${QUICK:-}" ] && sends "$1"
		both_down
	done
}

# sends DAEMON: a returns and b is traced as it gives way and takes over again.
sends() {
	local p args=()

	command -v strace >/dev/null || {
		none netlink-sends "$1" "strace is not installed"
		return
	}
	back_up "$1" || return
	sleep 1
	for p in $(tree "${PID[b]}"); do
		args+=(-p "$p")
	done
	enter b strace -f -yy -e trace=sendto,sendmsg,sendmmsg \
	    -o "$T/strace" "${args[@]}" 2> "$T/strace.err" &
	p=$!
	wait_for 5 grep -q attached "$T/strace.err"
	down a
	# Traced it is slow; it is over when nothing was sent for a second.
	wait_for 15 holds b "10.0.3.250"
	wait_for 15 unchanged "$T/strace"
	kill -INT "$p"
	wait "$p" 2>/dev/null
	result netlink-sends "$1" "$(grep -c '<NETLINK' "$T/strace")"
	result packet-sends "$1" "$(grep -c '<PACKET\|<RAW\|<socket:' "$T/strace")"
}

unchanged() {
	local size

	size=$(stat -c %s "$1")
	sleep 1
	[ "$(stat -c %s "$1")" = "$size" ]
}

m_hosts() {
	local i s n

	[ "$1" = ucarp ] && {
		none hosts-master ucarp "one process a host; 2,040 are too many"
		return
	}
	HOSTS=$(times 255 64) s=$(times 7 5)
	n=$((HOSTS * 8))
	configure "$1" a
	configure "$1" b
	up "$1" a
	wait_for 60 eval "[ \$(count_hosts a) -ge $n ]" || {
		none hosts-master "$1" "$(count_hosts a) of $n after 60 s"
		return
	}
	up "$1" b
	sleep 6
	for ((i = 0; i < $([ "$1" = carpd ] && times 3 1 || echo 1); i++)); do
		[ "$i" = 0 ] || sleep 10
		result hosts-master "$1" "$(cpu_percent a "$s")"
		result hosts-backup "$1" "$(cpu_percent b "$s")"
		result hosts-memory "$1" "$(memory_kib a)"
		hosts_crash "$1" "$n"
		hosts_return "$1" "$n"
	done
}

# hosts_crash DAEMON N: all of a dies, b takes over N.
hosts_crash() {
	local t

	raw_capture b any "$ADVERTS"
	sleep 1.5
	t=$(now_s)
	kill_all a
	lose_addresses a
	quiet "$([ "$1" = carpd ] && echo 4.5 || echo 6)"
	wait_for 15 eval "[ \$(count_hosts b) -ge $2 ]"
	sleep 0.2
	raw_stop
	spread "$1" "$t" "$2"
}

# hosts_return DAEMON N: from the start of a to its first advertisement of the
# last of N.
hosts_return() {
	local t

	raw_capture a any "$ADVERTS"
	t=${EPOCHREALTIME/,/.}
	up "$1" a
	quiet 3
	wait_for 20 eval "[ \$(count_hosts a) -ge $2 ]"
	quiet 0.3
	raw_stop
	awk -v t="$t" -v want="$2" '
		$3 == "Out" && match($0, /v[hr]id [0-9]+/) {
			key = $2 substr($0, RSTART, RLENGTH)
			if (key in seen) next
			seen[key]; n++; last = $1
		}
		END {
			if (n < want) { print n + 0; exit 1 }
			printf "%.3f\n", (last - t) * 1000
		}' "$T/packets" > "$T/return" &&
	    result hosts-return "$1" "$(cat "$T/return")" ||
	    none hosts-return "$1" "$(cat "$T/return") of $2 after 20 s"
}

count_hosts() {
	ip -n "$1" -o -4 addr show 2>/dev/null | grep -c ' 10\.[1-8]\.0\.'
}

# spread DAEMON SINCE N: first to last takeover, and beyond their deadlines.
spread() {
	awk -v t="$2" -v want="$3" -v rule="$(rule "$1")" '
		match($0, /v[hr]id [0-9]+/) {
			key = $2 substr($0, RSTART, RLENGTH)
			if ($3 ~ /^(In|M|B)$/ && $1 < t + 0.1) { dead[key] = $1; next }
			if ($3 != "Out" || $1 < t || key in seen) next
			if (!(key in dead)) next
			seen[key]; n++
			d = dead[key] + rule / 1000
			if (n == 1) { first = last = $1; d0 = d1 = d }
			if ($1 < first) first = $1
			if ($1 > last) last = $1
			if (d < d0) d0 = d
			if (d > d1) d1 = d
		}
		END {
			if (n < want) { print n + 0 " of " want; exit 1 }
			printf "%.3f %.3f\n", (last - first) * 1000,
			    (last - first - (d1 - d0)) * 1000
		}' "$T/packets" > "$T/spread" || {
		none hosts-spread "$1" "$(cat "$T/spread") seen"
		return
	}
	result hosts-spread "$1" "$(cut -d ' ' -f 1 "$T/spread")"
	result hosts-spread-over "$1" "$(cut -d ' ' -f 2 "$T/spread")"
}

# From the first advertisement of the new master to main() of the program; ucarp
# runs its script before.
m_hook() {
	local i t first ran n

	n=$(times 8 2)
	[ "$1" = ucarp ] && n=$(times 4 2) # it takes its time

	HOOK=$T/b/notify.d/hook
	install -d -m 755 "$T/a/notify.d" "$T/b/notify.d"
	install -m 755 "$BENCH/hook" "$HOOK"
	for ((i = 0; i < n; i++)); do
		pair_up "$1" || { none hook "$1" "the pair did not start"; break; }
		capture c "$T/packets" "$ADVERTS"
		settle
		rm -f "$T/b/hook.ran"
		leave "$1"
		t=$LEFT
		wait_for 9 [ -s "$T/b/hook.ran" ]
		wait_for 5 has_advert "$T/packets" "$t" 192.0.2.2
		capture_stop
		first=$(adverts "$T/packets" "$t" | cut -d ' ' -f 2)
		ran=$(awk -v t="$t" '$1 >= t { print $1; exit }' "$T/b/hook.ran")
		if [ -n "$first" ] && [ -n "$ran" ]; then
			result hook "$1" "$(ms_between "$first" "$ran")"
		else
			none hook "$1" "the hook did not run"
		fi
		both_down
	done
}

m_reload() {
	local i

	[ "$1" = ucarp ] && { none reload ucarp "it cannot"; return; }
	pair_up "$1" || { none reload "$1" "the pair did not start"; return; }
	settle
	for ((i = 0; i < $(times 5 2); i++)); do
		probe_start re c "$V4"
		sleep 0.2
		kill -HUP "${PID[a]}"
		sleep 0.7
		ADDRS=("$V4/24" "192.0.2.$((120 + i))/24")
		configure "$1" a
		configure "$1" b
		kill -HUP "${PID[a]}" "${PID[b]}"
		wait_for 2 holds a "192.0.2.$((120 + i))" ||
		    none reload "$1" "the address never came"
		sleep 0.5
		probe_stop re
		result reload "$1" "$(probe_get re lost)"
	done
}

# What it costs a master to keep 1,000 addresses: all of it without a lease, and
# how much more with one; in turn, since the machine drifts.
m_lease() {
	local kind s i cost off=''

	[ "$1" = carpd ] || { none lease-address "$1" "it has no leases"; return; }
	s=$(times 10 4)
	thousand
	for ((i = 0; i < $(times 3 1); i++)); do
		for kind in off address guard; do
			LEASE=$kind
			configure carpd a
			up carpd a
			wait_for 15 holds a 10.0.3.250 || {
				none "lease-$kind" carpd "it never came"
				continue
			}
			sleep 2
			cost=$(cpu_percent a "$s")
			[ "$kind" != off ] || off=$cost
			[ "$kind" = off ] && result lease-off carpd "$cost" ||
			    result "lease-$kind" carpd "$(minus "$cost" "$off")"
			down a
		done
	done
}
