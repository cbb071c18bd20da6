# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# What the tests of the service hooks share: nodes that are machines of their
# own as far as programs can see, a disk that both reach, and hooks run as carpd
# runs them.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

HOOKS=$TOP/pkg/hooks
SERVED=$T/served	# the shared storage
mkdir -p "$SERVED"
declare -A BOX=()

# box NODE...: own mounts, processes and host name, in the node's network.  Its
# process 1 collects the dead; when it is killed, so is everything in it.
box() {
	local n
	for n; do
		mkdir -p "$T/$n/resources"
		enter "$n" unshare --mount --pid --uts --propagation private \
		    --fork --kill-child --mount-proc \
		    sh -c "hostname $n; while :; do sleep 0.2; done" \
		    2>> "$T/$n/log" &
		PID[box.$n]=$!
		wait_for 5 box_child "$n" || exit 1
	done
}

box_child() {
	read -r -a BOX_PIDS < "/proc/${PID[box.$1]}/task/${PID[box.$1]}/children"
	[ "${#BOX_PIDS[@]}" = 1 ] &&
	    [ "$(cat "/proc/${BOX_PIDS[0]}/comm")" = sh ] || return 1
	BOX[$1]=${BOX_PIDS[0]}
} 2>/dev/null

# in_box NODE COMMAND...
in_box() {
	local n=$1
	shift
	nsenter -t "${BOX[$n]}" --mount --net --pid --uts -- "$@"
}

# The machine fails: all at once.
crash_box() {
	kill -KILL "${BOX[$1]}"
	wait "${PID[box.$1]}" 2>/dev/null
}

# hook NODE RESOURCE HOOK VERB [NAME=VALUE...]: as carpd runs it.  What it has
# written last is $REASON, how long it took $TOOK.  The alive descriptor is 9 if
# the test has opened one.
hook() {
	local n=$1 resource=$2 hook=$3 verb=$4 rc begin alive=()
	shift 4
	mkdir -p "$T/$n/resources/$resource"
	[ "$verb" != start ] || [ ! -e /dev/fd/9 ] ||
	    alive=(CARPD_ALIVE_FD=9)
	begin=$(now_us)
	in_box "$n" timeout -s KILL "${LIMIT:-20}" setsid -w env -i \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C CARPD_VERSION=1 \
	    CARPD_NODE="$n" CARPD_RESOURCE="$resource" CARPD_PHASE=service \
	    CARPD_ACTION="$verb" CARPD_MODE=up CARPD_CAUSE=test \
	    CARPD_TIMEOUT="${LIMIT:-20}.000" CARPD_FENCED=no \
	    CARPD_PEER=unclear "${alive[@]}" \
	    CARPD_STATE="$T/$n/resources/$resource" \
	    "$@" "$HOOKS/$hook" "$verb" < /dev/null > "$T/output" 2>&1
	rc=$?
	TOOK=$(since "$begin")
	REASON=$(tail -n 1 "$T/output")
	{
		echo "$n $resource: $hook $verb: $rc after $TOOK s"
		sed 's/^/    /' "$T/output"
	} >> "$T/$n/log"
	return $rc
}

# result STATUS NODE RESOURCE HOOK VERB [NAME=VALUE...]: it ends with that, and
# a failing one says why in one line.
result() {
	local want=$1 got
	shift
	hook "$@"
	got=$?
	is "$got" "$want" || { note "${REASON:-no reason}"; return 1; }
	[ "$want" = 0 ] || [ "$want" = 3 ] || [ -n "$REASON" ] || {
		note "no reason is given"
		return 1
	}
}

# says STATUS WORDS NODE RESOURCE HOOK VERB...: and these words in its reason.
says() {
	local status=$1 words=$2
	shift 2
	result "$status" "$@" || return 1
	[[ $REASON == *"$words"* ]] && return
	note "the reason is: $REASON"
	return 1
}
