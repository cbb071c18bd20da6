#!/bin/bash
# SPDX-License-Identifier: ISC
# How long storage failover takes: N times planned, N times with the active
# node switched off; each phase, and what a client notices.
#	N=10 [FENCE_SET=INTERVAL=0.1] tests/storage/figures.sh
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/nodes.sh"

N=${N:-10}
usual_pair

# put WHAT MS
put() {
	printf '%s\t%s\n' "$1" "$2" >> "$T/figures"
}

# phase KIND NODE DIRECTION PHASE WORDS: of the newest transition there.
phase() {
	put "$1: $5" "$(last "$2" "first(.phases[] | select(.direction == \"$3\"
	    and .phase == \"$4\") | .took_ms)")"
}

way_up() {
	phase "$1" "$2" up fence "take the fence"
	phase "$1" "$2" up storage "mount"
	phase "$1" "$2" up "service (critical)" "start the target"
}

# over KIND NODE: it serves; what came of it.
over() {
	wait_for 20 serves "$2" || { fail "${2^} does not serve"; finish; }
	watched_end || fail "something is lost: $(client_text) $(both_ms)"
	put "$1: client's longest pause" "$(client_get longest_pause_ms)"
	acked=$((acked + $(client_get acknowledged)))
	way_up "$1" "$2"
}

# planned FROM TO
planned() {
	watched ctl "$1" failover become_passive --yes > /dev/null
	over planned "$2"
	phase planned "$1" down service "stop the target"
	phase planned "$1" down storage "unmount, verify"
	phase planned "$1" down fence "release the fence"
}

# crash FROM TO
crash_of() {
	watched power_off "$1"
	over crash "$2"
	put "crash: detection" "$(last "$2" ".began
	    | (sub(\"\\\\.[0-9]+\"; \"\") | fromdate) * 1000
	      + (capture(\"\\\\.(?<f>[0-9]+)\").f | tonumber) - $began * 1000")"
	restart "$1"
	wait_for 10 role_is "$1" BACKUP || fail "${1^} is not BACKUP"
}

# Median, smallest, largest of each.
table() {
	printf '%-32s %3s %9s %9s %9s\n' "" n median min max
	sort -s -t "$(printf '\t')" -k 1,1 -k 2,2n "$T/figures" |
	    awk -F '\t' '
		function out() {
			if (!n)
				return
			m = (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2
			printf "%-32s %3d %9.1f %9.1f %9.1f\n", name, n, m,
			    v[1], v[n]
			n = 0
		}
		$1 != name { out(); name = $1 }
		{ v[++n] = $2 }
		END { out() }'
}

boot a
boot b
run a
run b
wait_for 10 serves a || fail "A does not serve"
acked=0 from=a to=b
for ((i = 0; i < 2 * N; i++)); do
	if [ $((i % 4)) -lt 2 ]; then
		planned $from $to
	else
		crash_of $from $to
	fi
	printf '%s %s: %s\n' "$((i + 1))" \
	    "$([ $((i % 4)) -lt 2 ] && echo planned || echo crash)" \
	    "$(client_text)"
	read -r from to <<< "$to $from"
done
end b
end a
check "the file system is whole" whole
printf '\nMilliseconds.  %d blocks acknowledged, all there.\n\n' "$acked"
table
finish
