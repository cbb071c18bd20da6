#!/bin/bash
# Runs tests side by side, tells of each how it ended, and counts.
#   tests/run.sh [-j N] [-t SECONDS] TEST...
# A test exits 0, or 77 (skipped: its last line says why), or anything else
# (failed: its output is shown).  Exit status: 0 if none failed.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${BUILD:-build}
jobs=$(($(nproc) * 2)) # most of them wait
limit=300
while getopts j:t: opt; do
	case $opt in
	j) jobs=$OPTARG ;;
	t) limit=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
logs=$B/test-logs
mkdir -p "$logs"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
trap 'trap - TERM; end_all; kill 0; exit 143' INT TERM

# A test and what it has started are a process group of their own.
end_all() {
	local file
	for file in "$results"/pid.*; do
		[ ! -e "$file" ] || kill "$(cat "$file")"
	done
}
# Check allows a unit test 4 s by itself: too few where ten others run.
export CK_DEFAULT_TIMEOUT=60

# What is wrong first, then the end, which may be all logs of daemons.
tell() {
	{
		grep -n -B 2 '^  FAIL ' "$1" | head -n 40
		echo "... the end of $1:"
		tail -n 60 "$1"
	} | sed 's/^/    | /'
}

# run_one TEST NUMBER
run_one() {
	local test=$1 name log start took rc
	name=${test#"$B"/}
	name=${name#tests/}
	log=$logs/${name//\//.}.log
	start=$EPOCHREALTIME
	BUILD=$B timeout -k 10 "$limit" "./$test" >"$log" 2>&1 </dev/null &
	echo $! > "$results/pid.$2"
	wait $!
	rc=$?
	rm "$results/pid.$2"
	took=$(awk -v a="$start" -v b="$EPOCHREALTIME" \
	    'BEGIN { printf "%.1f", b - a }')
	case $rc in
	0)	printf 'ok       %-28s %6s s\n' "$name" "$took" ;;
	77)	printf 'skipped  %-28s %s\n' "$name" "$(tail -n 1 "$log")" ;;
	124|137) printf 'FAILED   %-28s after its limit of %s s\n' "$name" \
		    "$limit"; tell "$log" ;;
	*)	printf 'FAILED   %-28s %6s s, exit %s\n' "$name" "$took" "$rc"
		tell "$log" ;;
	esac > "$results/$2"
	cat "$results/$2"
}

begin=$SECONDS n=0
for test in "$@"; do
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	n=$((n + 1))
	run_one "$test" $n &
done
wait
count() {
	cat "$results"/* 2>/dev/null | grep -c "^$1 "
}
passed=$(count ok) failed=$(count FAILED) skipped=$(count skipped)
# One that has not told how it ended has not passed.
failed=$((failed + n - passed - failed - skipped))
echo "took $((SECONDS - begin)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
