#!/bin/bash
# SPDX-License-Identifier: ISC
# What the kernel takes for the same, whoever asks; sourced by bench.sh.

floor_addresses() {
	local i t ms

	for ((i = 0; i < $(times 7 2); i++)); do
		burst
		t=$(now_s)
		on b "$BENCH/floor" addresses eth0 1000
		quiet 0.5
		burst_stop
		ms=$(last_garp "$t") && result addresses floor "$ms" ||
		    none addresses floor "$ms"
		lose_addresses b
	done
	[ -n "${QUICK:-}" ] || result netlink-sends floor 1
	[ -n "${QUICK:-}" ] || result packet-sends floor 1
}

floor_hook() {
	local i t

	mkdir -p "$T/b/notify.d"
	install -m 755 "$BENCH/hook" "$T/b/notify.d/hook"
	for ((i = 0; i < $(times 5 2); i++)); do
		rm -f "$T/b/hook.ran"
		t=$(on b "$BENCH/floor" exec "$T/b/notify.d/hook")
		result hook floor "$(ms_between "$t" "$(cat "$T/b/hook.ran")")"
	done
}

# One process that sends so many frames, and does nothing else.
floor_hosts() {
	result hosts-master floor "$(on b "$BENCH/floor" adverts eth1 \
	    "$(($(times 255 64) * 8))" "$(times 10 5)")"
}
