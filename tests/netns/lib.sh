#!/bin/bash
# SPDX-License-Identifier: ISC
# What the tests in private network namespaces share.  A test sources it first:
# it is then started again in a sandbox (own network, mounts and processes), in
# which everything ends with the test, whatever happens.
#
# The sandbox has a namespace `hub` with bridges, and one namespace a node.
# shellcheck disable=SC2034	# variables are for the tests

set -u

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
BUILD=$(cd "$TOP" && realpath -m "${BUILD:-build}")
TOOLS=$BUILD/tests/netns
CARPD=${CARPD:-$BUILD/carpd}
CARPCTL=${CARPCTL:-$BUILD/carpctl}
PATH=$PATH:/usr/sbin:/sbin

skip() {
	printf 'skipped: %s\n' "$1"
	exit 77
}

# As root without a user namespace, so that carpd can change its user.
enter_sandbox() {
	local how=(--net --mount --pid --fork --kill-child --mount-proc)

	[ "$(id -u)" = 0 ] || how=(--user --map-root-user "${how[@]}")
	unshare "${how[@]}" true 2>/dev/null ||
	    skip "no private namespaces here (unshare ${how[*]} failed)"
	IN_SANDBOX=1 exec unshare "${how[@]}" "$BASH" "$0" "$@"
}

[ -n "${IN_SANDBOX:-}" ] || enter_sandbox "$@"
unset IN_SANDBOX

for tool in ip nsenter jq; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
for file in "$CARPD" "$CARPCTL" "$TOOLS/probe" "$TOOLS/stall" "$TOOLS/watch"; do
	[ -x "$file" ] || skip "$file is missing: run make first"
done

# Nobody in here may restart the machine; reboot(2) ends the sandbox only.
[ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null /proc/sysrq-trigger ||
    exit 1
mount -t tmpfs tmpfs /run && mkdir /run/netns /run/t || exit 1
T=/run/t

# Whatever starts in here, a service manager that clears /tmp when it boots among
# it, changes a copy; the source tree may be there, so it has to be seen.
private_copy() {
	mkdir -p "/run/copy$1/upper" "/run/copy$1/work"
	mount -t overlay -o "lowerdir=$1,upperdir=/run/copy$1/upper" \
	    -o "workdir=/run/copy$1/work" overlay "$1" 2>/dev/null ||
	    { mount --rbind "$1" "$1" && mount -o remount,bind,ro "$1"; } ||
	    mount -t tmpfs tmpfs "$1" || exit 1
}
private_copy /tmp
private_copy /var/tmp
checks=0 failures=0
declare -A PID=()

#
# Reporting.
#

title() {
	printf '\n%s\n' "$*"
}

note() {
	printf '        %s\n' "$*"
}

pass() {
	checks=$((checks + 1))
	printf '  ok    %s\n' "$*"
}

fail() {
	checks=$((checks + 1))
	failures=$((failures + 1))
	printf '  FAIL  %s\n' "$*"
}

# check WORDS COMMAND...: the words say what holds if the command succeeds.
check() {
	local words=$1
	shift
	if "$@"; then
		pass "$words"
	else
		fail "$words"
		return 1
	fi
}

not() {
	! "$@"
}

is() {
	[ "$1" = "$2" ] && return
	note "expected \"$2\", found \"$1\""
	return 1
}

# Seconds for COMMAND, in $took.
timed() {
	local t rc
	t=$(now_us)
	"$@"
	rc=$?
	took=$(since "$t")
	return $rc
}

# Numbers with a fraction: less A B.
less() {
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }' && return
	note "$1 is not below $2"
	return 1
}

finish() {
	local log

	if [ "$failures" -gt 0 ]; then
		for log in "$T"/*/log; do
			[ -s "$log" ] || continue
			printf '\n--- %s (last lines)\n' "${log#"$T"/}"
			tail -n 40 "$log"
		done
	fi
	printf '\n%s: %d checks, %d failed\n' "$(basename "$0" .sh)" \
	    "$checks" "$failures"
	[ "$failures" -eq 0 ]
	exit
}

#
# Time.
#

now_us() {
	printf '%s' "${EPOCHREALTIME/[.,]/}"
}

# Seconds since what now_us() told.
since() {
	awk -v a="$1" -v b="${EPOCHREALTIME/[.,]/}" \
	    'BEGIN { printf "%.3f", (b - a) / 1e6 }'
}

# wait_for SECONDS COMMAND...: until it succeeds, asked every 20 ms.
wait_for() {
	local end
	end=$(($(now_us) + $(awk -v s="$1" 'BEGIN { printf "%d", s * 1e6 }')))
	shift
	until "$@"; do
		[ "$(now_us)" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# always SECONDS COMMAND...: it holds all the time.
always() {
	local end
	end=$(($(now_us) + $(awk -v s="$1" 'BEGIN { printf "%d", s * 1e6 }')))
	shift
	while [ "$(now_us)" -lt "$end" ]; do
		"$@" || return 1
		sleep 0.05
	done
}

#
# Network.
#

on() {
	local node=$1
	shift
	nsenter --net="/run/netns/$node" -- "$@"
}

# The same in place of the shell: only for `enter ... &`, so that $! is right.
enter() {
	local node=$1
	shift
	exec nsenter --net="/run/netns/$node" -- "$@"
}

# A switch hands frames on: no packet filter looks at them, where br_netfilter
# is in the kernel.
plain_switch() {
	local file

	on hub find /proc/sys/net/bridge -name 'bridge-nf-call-*' 2>/dev/null |
	    while read -r file; do
		on hub tee "$file" >/dev/null <<< 0
	    done
}

# node NAME...: a namespace each.
node() {
	local n
	for n; do
		mkdir -p "$T/$n" && ip netns add "$n" || exit 1
		# No waiting for duplicate address detection, no routers.
		on "$n" tee /proc/sys/net/ipv6/conf/{all,default}/accept_{dad,ra} \
		    >/dev/null <<< 0
		ip -n "$n" link set lo up
		[ "$n" != hub ] || plain_switch
	done
}

# segment NAME [snooping]: a bridge in the hub.
segment() {
	ip -n hub link add "$1" type bridge mcast_snooping 0 &&
	    ip -n hub link set "$1" up || exit 1
	[ "${2:-}" = snooping ] || return 0
	ip -n hub link set "$1" type bridge mcast_snooping 1 mcast_querier 1 \
	    mcast_query_response_interval 50 mcast_startup_query_interval 50
}

# plug NODE SEGMENT INTERFACE [ADDRESS/LEN...]
plug() {
	local node=$1 seg=$2 ifname=$3 a
	shift 3
	ip -n hub link add "$node-$ifname" type veth peer name "$ifname" \
	    netns "$node" &&
	    ip -n hub link set "$node-$ifname" master "$seg" up &&
	    ip -n "$node" link set "$ifname" up || exit 1
	for a; do
		address "$node" "$ifname" "$a"
	done
}

# Without duplicate address detection, which IPv4 does not know.
address() {
	case $3 in
	*:*) ip -n "$1" addr add "$3" dev "$2" nodad ;;
	*) ip -n "$1" addr add "$3" dev "$2" ;;
	esac
}

# The cable of a node: both ends see it.
unplug() {
	ip -n hub link set "$1-$2" down
}

replug() {
	ip -n hub link set "$1-$2" up
}

# The switch loses a port: nobody sees it, but nothing passes.
partition() {
	ip -n hub link set "$1-$2" nomaster
}

heal() {
	ip -n hub link set "$1-$2" master "$3"
}

# The whole usual net: hub, nodes a and b, client c, one segment.
usual_net() {
	node hub a b c
	segment lan "${1:-}"
	plug a lan eth0 192.0.2.1/24 2001:db8::1/64
	plug b lan eth0 192.0.2.2/24 2001:db8::2/64
	plug c lan eth0 192.0.2.9/24 2001:db8::9/64
}

V4=192.0.2.100
V6=2001:db8::100

holds() {
	[ -n "$(ip -n "$1" -o addr show to "$2" 2>/dev/null)" ]
}

# reach NODE ADDRESS [probe options]: somebody answers within a second.
reach() {
	local node=$1 addr=$2
	shift 2
	on "$node" "$TOOLS/probe" -c -d 1 -i 20000 "$@" "$addr" 2>/dev/null
}

# probe_start NAME NODE ADDRESS: one echo a millisecond, in the background.
probe_start() {
	enter "$2" "$TOOLS/probe" -j -d 60 "$3" > "$T/probe.$1" &
	PID[probe.$1]=$!
}

probe_stop() {
	kill -INT "${PID[probe.$1]}"
	wait "${PID[probe.$1]}"
}

# probe_get NAME MEMBER
probe_get() {
	jq -r ".$2" "$T/probe.$1"
}

probe_text() {
	jq -r '"\(.sent) probes, \(.lost) lost, longest outage \(.longest_ms) ms"' \
	    "$T/probe.$1"
}

# stall_start and stall_stop: how many milliseconds the machine kept everybody
# waiting meanwhile, in $STALLED: what other tests cost, and no fault of carpd.
stall_start() {
	enter "$1" "$TOOLS/stall" > "$T/stall" &
	PID[stall]=$!
}

stall_stop() {
	kill -INT "${PID[stall]}"
	wait "${PID[stall]}"
	STALLED=$(jq .sum_ms "$T/stall")
	note "the machine: $(jq -r '"waits of \(.sum_ms) ms, longest for the " +
	    "processor \(.processor_ms), for the network \(.lock_ms)"' "$T/stall")"
}

#
# carpd.
#

engine_user() {
	if [ "$(awk '{ print $3; exit }' /proc/self/uid_map)" -gt 65534 ]; then
		echo nobody
	else
		echo root
	fi
}

# conf_node NODE [LINE...]: what stands in the node section.
conf_node() {
	local node=$1
	shift
	printf '\t%s\n' "$@" > "$T/$node/node"
	conf_write "$node"
}

# conf_vhid NODE INTERFACE VHID [LINE...]; without a line the section goes.
conf_vhid() {
	local node=$1 file="$T/$1/$2.$3"
	shift 3
	if [ $# -gt 0 ]; then
		printf '\t\t%s\n' "$@" > "$file"
	else
		rm -f "$file"
	fi
	conf_write "$node"
}

conf_write() {
	local dir=$T/$1 file ifname last=""

	[ -f "$dir/key" ] || (umask 077; echo s3cret > "$dir/key")
	{
		printf 'node {\n\tname = "%s"\n\tuser = "%s"\n' "$1" \
		    "$(engine_user)"
		printf '\tgroup = "root"\n\tnotify-dir = ""\n'
		cat "$dir/node" 2>/dev/null
		printf '}\n'
		for file in "$dir"/*.[0-9]*; do
			[ -f "$file" ] || continue
			ifname=$(basename "${file%.*}")
			if [ "$ifname" != "$last" ]; then
				[ -z "$last" ] || printf '}\n'
				printf 'interface %s {\n' "$ifname"
				last=$ifname
			fi
			printf '\tvhid %s {\n' "${file##*.}"
			grep -q 'key-hex\|passphrase-file' "$file" ||
			    printf '\t\tpassphrase-file = "%s/key"\n' "$dir"
			cat "$file"
			printf '\t}\n'
		done
		[ -z "$last" ] || printf '}\n'
	} > "$dir/carpd.conf"
}

# usual_conf NODE SKEW ADDRESSES [LINE...]: vhid 10 on eth0.
usual_conf() {
	local node=$1 skew=$2 addrs=$3
	shift 3
	conf_vhid "$node" eth0 10 "address = { $addrs }" "advskew = $skew" "$@"
}

# start NODE: carpd, until it answers on its socket.
start() {
	local dir=$T/$1
	mkdir -p "$dir/state"
	enter "$1" "$CARPD" -f "$dir/carpd.conf" -s "$dir/sock" \
	    -S "$dir/state" 2>> "$dir/log" &
	PID[$1]=$!
	wait_for "${START_LIMIT:-5}" answers "$1" && return
	fail "carpd on $1 does not answer on its control socket"
	return 1
}

answers() {
	ctl "$1" version >/dev/null 2>&1
}

supervisor() {
	echo "${PID[$1]}"
}

# child NODE NAME: the process with that name which the supervisor has started.
child() {
	local p name children
	read -r -a children < "/proc/${PID[$1]}/task/${PID[$1]}/children"
	for p in "${children[@]}"; do
		read -r name < "/proc/$p/comm" && [ "$name" = "$2" ] || continue
		echo "$p"
		return
	done
	return 1
}

engine() {
	child "$1" carpd-engine
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# A clean stop; the exit code is carpd's.
stop() {
	kill -TERM "${PID[$1]}"
	wait_for 10 gone "${PID[$1]}" || return 99
	wait "${PID[$1]}"
}

# kill_both SUPERVISOR ENGINE: without a last word of either.  Both are stopped
# before, since the one that is killed second would notice.
kill_both() {
	kill -STOP "$2" "$1"
	kill -KILL "$2" "$1"
	wait "$1" 2>/dev/null
	wait_for 2 gone "$2"
}

# crash NODE: all of carpd there.
crash() {
	kill_both "$(supervisor "$1")" "$(engine "$1")"
}

# The daemon on a node, asked as an administrator would.
ctl() {
	local node=$1
	shift
	timeout 10 "$CARPCTL" -s "$T/$node/sock" "$@"
}

host_get() {
	ctl "$1" --json status 2>/dev/null |
	    jq -r --argjson v "$2" "[.hosts[] | select(.vhid == \$v)][0].$3"
}

state_of() {
	host_get "$1" "$2" state
}

state_is() {
	[ "$(state_of "$1" "$2")" = "$3" ]
}

# show NODE VHID EXPRESSION
show() {
	ctl "$1" --json show "$2" 2>/dev/null | jq -r "$3"
}

has_condition() {
	ctl "$1" --json status 2>/dev/null | jq -e --argjson v "$2" \
	    --arg c "$3" 'any(.hosts[] | select(.vhid == $v)
	    | .conditions[]; .name == $c)' >/dev/null
}

# roles VHID MASTER BACKUP...: who is what.
roles() {
	local vhid=$1 b
	state_is "$2" "$vhid" MASTER || return 1
	for b in "${@:3}"; do
		state_is "$b" "$vhid" BACKUP || return 1
	done
}

# one_master VHID NODE...: exactly one of them.
one_master() {
	local vhid=$1 n masters=0
	shift
	for n; do
		case $(state_of "$n" "$vhid") in
		MASTER) masters=$((masters + 1)) ;;
		BACKUP) ;;
		*) return 1 ;;
		esac
	done
	[ "$masters" = 1 ]
}

# capture NODE FILE FILTER: what passes, with time stamps; -l: line by line.
capture() {
	: > "$2.err"
	enter "$1" tcpdump -i eth0 -n -l -tt --immediate-mode "$3" \
	    > "$2" 2> "$2.err" &
	PID[capture]=$!
	wait_for 5 grep -q listening "$2.err"
}

capture_stop() {
	kill -INT "${PID[capture]}"
	wait "${PID[capture]}" 2>/dev/null
}

# Seconds on the clock of watch and probe, to 10 ms.
uptime_s() {
	cut -d ' ' -f 1 /proc/uptime
}

# watch_start NODE...: when addresses come and go, into $T/watch.
watch_start() {
	local n args=()
	for n; do
		args+=("$n=/run/netns/$n")
	done
	: > "$T/watch"
	"$TOOLS/watch" "${args[@]}" > "$T/watch" &
	PID[watch]=$!
	wait_for 5 grep -q ready "$T/watch"
}

watch_stop() {
	kill "${PID[watch]}"
	wait "${PID[watch]}" 2>/dev/null
}

# event SINCE NODE WORD WHAT: seconds from SINCE to the first such line.
event() {
	awk -v t="$1" -v n="$2" -v w="$3" -v a="$4" '
		$1 >= t && $2 == n && $3 == w && $4 == a {
			printf "%.4f\n", $1 - t; found = 1; exit
		}
		END { exit !found }' "$T/watch"
}

# overlap ADDRESS: for how many ms more than one node held it at once.
overlap() {
	awk -v a="$1" '
		$4 != a { next }
		$3 == "add" || $3 == "renew" {
			if (!($2 in held)) { held[$2]; n++ }
			if (n == 2 && !from) from = $1
		}
		$3 == "del" && $2 in held {
			if (n == 2) { sum += $1 - from; from = 0 }
			delete held[$2]; n--
		}
		END {
			if (from) sum += 3600
			printf "%.3f", sum * 1000
		}' "$T/watch"
}
