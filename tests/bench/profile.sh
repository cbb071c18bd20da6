#!/bin/bash
# SPDX-License-Identifier: ISC
# Where the time of the engine goes with 2,040 virtual hosts: as master, as
# backup, and while it takes all of them over.
#	tests/bench/profile.sh [DIRECTORY for the recordings of perf(1)]
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2034,SC2154	# variables are shared with daemons.sh
. "$(dirname "$0")/../netns/lib.sh"
. "$TOP/tests/bench/daemons.sh"

OUT=${1:-$T}
N=$((255 * 8))

command -v perf >/dev/null || skip "perf is not installed (linux-perf)"
perf record -q -e cpu-clock -o "$T/try" true 2>/dev/null ||
    skip "perf may not record here"

all_of() {
	[ "$(ip -n "$1" -o -4 addr show 2>/dev/null | grep -c ' 10\.[1-8]\.0\.')" -ge $N ]
}

record() {
	exec perf record -q -F 5000 -e cpu-clock -g -o "$OUT/$1.perf" \
	    -p "$(engine "$2")" -- sleep "$3" 2>/dev/null
}

# Each sample counts for the first of these that is on its stack.
shares() {
	title "$1"
	perf script -i "$OUT/$1.perf" -F ip,sym,dso 2>/dev/null | awk '
		BEGIN { RS = ""; FS = "\n" }
		{ n++ }
		/__sys_sendmmsg/ && /process_backlog|net_rx_action/ {
			c["packets: bridge and receivers"]++; next
		}
		/__sys_sendmmsg/ { c["packets: sending"]++; next }
		/netlink_sendmsg/ { c["addresses and leases"]++; next }
		/__sys_sendmsg/ { c["notes to the supervisor"]++; next }
		/ksys_write/ { c["log"]++; next }
		/recvmmsg|__sys_recv/ { c["receiving"]++; next }
		/epoll|ep_|timerfd/ { c["waiting for packets and time"]++; next }
		$1 ~ /kernel/ { c["kernel, other"]++; next }
		$1 ~ /libcarp/ { c["libcarp"]++; next }
		$1 ~ /libcrypto/ { c["SHA-1"]++; next }
		{ c["libc, libevent, carpd"]++ }
		END {
			for (k in c)
				printf "%6.1f %%  %s\n", 100 * c[k] / n, k
		}' | sort -rn
}

usual_net ""
for ((i = 1; i <= 8; i++)); do
	segment "lan$i"
	plug a "lan$i" "eth$i" "10.$i.255.1/16"
	plug b "lan$i" "eth$i" "10.$i.255.2/16"
done
plain
HOSTS=255
configure carpd a
configure carpd b
up carpd a
wait_for 30 all_of a || skip "a did not become master of all"
up carpd b
sleep 4
note "processor: master $(cpu_percent a 6) %, backup $(cpu_percent b 6) %"
note "memory of the engine: $(memory_kib a) KiB"
(record master a 6)
(record backup b 6)
(record takeover b 6) &
p=$!
sleep 0.5
kill_all a
lose_addresses a
wait "$p"
for what in master backup takeover; do
	shares "$what"
done
kill_all b
