#!/bin/bash
# SPDX-License-Identifier: ISC
# The three daemons behind one set of words: write its configuration, start it,
# stop it, kill it.  Sourced by bench.sh, after tests/netns/lib.sh.
#
# Node a is preferred and preempts: carpd and ucarp with advskew 0 and 100,
# keepalived with priority 200 and 100.
# shellcheck disable=SC2034,SC2154	# variables are shared with bench.sh

# What the next configurations say; plain() puts it back.
plain() {
	ADDRS=("$V4/24")	# of the one virtual host
	FAST=			# fastest timers
	LOAD=false		# carpd with realtime, keepalived as well
	GROUP=			# carpd: a second path, and both interfaces critical
	HOOK=			# program that hears of changes
	HOSTS=			# virtual hosts on each of eth1 ... eth8
	LEASE=			# of carpd
	VMAC=			# of carpd: virtual MAC
	RETURNS=true		# a preempts
	STAMP=()		# what execs it
}

skew_of() {
	[ "$1" = a ] && echo 0 || echo 100
}

priority_of() {
	if [ "$1" = a ]; then
		echo 200
	else
		[ -n "$FAST" ] && echo 190 || echo 100
	fi
}

# rule DAEMON: ms from the last advertisement to the takeover, as it says.
rule() {
	case $1 in
	carpd | ucarp) echo 3390.625 ;;
	keepalived) echo 3609.375 ;;
	esac
}

# The same for the start of node a alone.
start_rule() {
	case $1 in
	carpd | ucarp) echo 3000 ;;
	keepalived) echo 3218.75 ;;
	esac
}

# configure DAEMON NODE
configure() {
	"conf_$1" "$2"
}

conf_carpd() {
	local list lines=()

	rm -f "$T/$1"/eth*.[0-9]*
	if [ -n "$HOSTS" ]; then
		hosts_carpd "$1"
		return
	fi
	list=$(printf '"%s", ' "${ADDRS[@]}")
	if [ -n "$FAST" ]; then
		lines=("advbase = 0" "advskew = $FAST" "lease = ${LEASE:-off}")
	else
		lines=("advskew = $(skew_of "$1")" "preempt = $RETURNS")
		[ -z "$LEASE" ] || lines+=("lease = $LEASE")
		[ -z "$VMAC" ] || lines+=("virtual-mac = $VMAC")
	fi
	conf_node "$1" "realtime = $LOAD" ${NODE:+"$NODE"}
	conf_vhid "$1" eth0 10 "address = { ${list%, } }" "${lines[@]}"
	[ -z "$GROUP" ] || {
		conf_vhid "$1" eth1 20 'address = { "10.1.0.20/16" }' \
		    "${lines[@]}"
		sed -i 's/^interface eth[01] {/&\n\tcritical = true/' \
		    "$T/$1/carpd.conf"
	}
	[ -z "$HOOK" ] || sed -i \
	    "s|notify-dir = \"\"|notify-dir = \"$T/$1/notify.d\"|" \
	    "$T/$1/carpd.conf"
}

hosts_carpd() {
	local i v

	conf_write "$1"
	for ((i = 1; i <= 8; i++)); do
		printf 'interface eth%d {\n' "$i"
		for ((v = 1; v <= HOSTS; v++)); do
			printf '\tvhid %d {\n\t\taddress = { "10.%d.0.%d/16" }\n' \
			    "$v" "$i" "$v"
			printf '\t\tpassphrase-file = "%s/key"\n' "$T/$1"
			printf '\t\tadvskew = %d\n\t\tpreempt = true\n\t}\n' \
			    "$(skew_of "$1")"
		done
		printf '}\n'
	done >> "$T/$1/carpd.conf"
}

conf_keepalived() {
	local i v version=2 interval=1

	[ -z "$FAST" ] || version=3 interval=0.01
	{
		printf 'global_defs {\n\trouter_id %s\n\tvrrp_version %s\n' \
		    "$1" "$version"
		[ "$LOAD" = false ] || printf '\tvrrp_%s\n' \
		    "rt_priority 10" "no_swap"
		printf '\tscript_user root\n\tenable_script_security\n}\n'
		if [ -n "$HOSTS" ]; then
			for ((i = 1; i <= 8; i++)); do
				for ((v = 1; v <= HOSTS; v++)); do
					instance "$1" "eth$i" "$v" "$interval" \
					    "10.$i.0.$v/16"
				done
			done
		else
			instance "$1" eth0 10 "$interval" "${ADDRS[@]}"
		fi
	} > "$T/$1/keepalived.conf"
}

# instance NODE INTERFACE ID INTERVAL ADDRESS...
instance() {
	local node=$1 ifname=$2 id=$3 interval=$4
	shift 4
	cat <<-END
		vrrp_instance $ifname.$id {
			state BACKUP
			interface $ifname
			virtual_router_id $id
			priority $(priority_of "$node")
			advert_int $interval
			virtual_ipaddress {
				$1
			}
	END
	[ "$RETURNS" = true ] || printf '\tnopreempt\n'
	[ -z "$HOOK" ] || printf '\tnotify_master "%s"\n' "$HOOK"
	shift
	[ $# -eq 0 ] || {
		printf '\tvirtual_ipaddress_excluded {\n'
		printf '\t\t%s\n' "$@"
		printf '\t}\n'
	}
	printf '}\n'
}

# ucarp has no file: its scripts hold the address.
conf_ucarp() {
	cat > "$T/up" <<-END
		#!/bin/sh
		${HOOK:+"$HOOK"}
		ip addr add "\$2/24" dev "\$1"
	END
	cat > "$T/down" <<-END
		#!/bin/sh
		ip addr del "\$2/24" dev "\$1"
	END
	chmod 755 "$T/up" "$T/down"
}

# up DAEMON NODE: starts it.
up() {
	local dir=$T/$2 opts=()

	mkdir -p "$dir/state"
	: > "$dir/log"
	case $1 in
	carpd)
		enter "$2" "${STAMP[@]}" "$CARPD" -f "$dir/carpd.conf" -s "$dir/sock" \
		    -S "$dir/state" >> "$dir/log" 2>&1 & ;;
	keepalived)
		enter "$2" "${STAMP[@]}" /usr/sbin/keepalived -n -l -G -P \
		    -f "$dir/keepalived.conf" -p "$dir/keepalived.pid" -r "$dir/vrrp.pid" \
		    >> "$dir/log" 2>&1 & ;;
	ucarp)
		opts=(-k "$(skew_of "$2")")
		[ "$2" = b ] || [ "$RETURNS" = false ] || opts+=(-P)
		[ -z "$FAST" ] || opts=(-k 0 -b 1 -r 1)
		enter "$2" "${STAMP[@]}" /usr/sbin/ucarp -i eth0 \
		    -s "$(own "$2")" -v 10 -p s3cret -a "$V4" -u "$T/up" -d "$T/down" -z "${opts[@]}" \
		    >> "$dir/log" 2>&1 & ;;
	esac
	PID[$2]=$!
}

own() {
	[ "$1" = a ] && echo 192.0.2.1 || echo 192.0.2.2
}

# It and all that it has started.
tree() {
	local p children

	echo "$1"
	children=$(cat "/proc/$1/task/"*/children 2>/dev/null)
	for p in $children; do
		tree "$p"
	done
}

# Without a last word of any of its processes.
kill_all() {
	local pids

	[ -n "${PID[$1]:-}" ] || return 0
	mapfile -t pids < <(tree "${PID[$1]}")
	kill -STOP "${pids[@]}" 2>/dev/null
	kill -KILL "${pids[@]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	PID[$1]=
}

# What a machine that has lost its power does not have any more.
lose_addresses() {
	local i

	ip -n "$1" addr flush dev eth0 to "$V4" 2>/dev/null
	ip -n "$1" addr flush dev eth0 to 10.0.0.0/17 2>/dev/null
	ip -n "$1" addr flush dev eth0 to 192.0.2.112/28 2>/dev/null
	for ((i = 1; i <= 8; i++)); do
		ip -n "$1" addr flush dev "eth$i" to "10.$i.0.0/17" 2>/dev/null
	done
	return 0
}

down() {
	[ -n "${PID[$1]:-}" ] || return 0
	kill -TERM "${PID[$1]}" 2>/dev/null
	wait_for 10 gone "${PID[$1]}" || kill_all "$1"
	[ -z "${PID[$1]}" ] || wait "${PID[$1]}" 2>/dev/null
	PID[$1]=
	lose_addresses "$1"
}

# quiet SECONDS: nothing of the bench wants a processor meanwhile.
quiet() {
	[ -n "${NOTHING:-}" ] || {
		mkfifo "$T/nothing"
		exec {NOTHING}<> "$T/nothing"
	}
	read -r -t "$1" -u "$NOTHING"
	return 0
}

# leave DAEMON: a is stopped, at LEFT, in peace until b has taken over.
leave() {
	local s

	case $1 in
	carpd) s=0.6 ;;
	keepalived) s=1.5 ;;
	ucarp) s=6 ;;
	esac
	quiet 0.1
	LEFT=${EPOCHREALTIME/,/.}
	kill -TERM "${PID[a]}" 2>/dev/null
	quiet "$s"
	down a
}

# Both at once: nobody takes over meanwhile.
both_down() {
	kill_all a
	kill_all b
	lose_addresses a
	lose_addresses b
}

is_backup() {
	grep -q 'BACKUP' "$T/$1/log"
}

a_is_master() {
	holds a "${ADDRS[0]%/*}" && ! holds b "${ADDRS[0]%/*}"
}

# pair_up DAEMON: a is master, b backup.
pair_up() {
	configure "$1" a
	configure "$1" b
	up "$1" a
	wait_for 15 a_is_master || return 1
	up "$1" b
	wait_for 15 is_backup b || return 1
	# With the fastest timers the second may start as an equal master.
	[ -z "$FAST" ] || [ "$1" != carpd ] || a_is_master ||
	    ctl a master 10 >/dev/null
	wait_for 2 a_is_master
}

# back_up DAEMON: a again, which takes over.
back_up() {
	up "$1" a
	wait_for 15 a_is_master
}

# At another phase of the timers each time, and after the last announcements.
settle() {
	sleep "1.$((RANDOM % 900 + 100))"
}

# cpu_ns NODE: processor time of all its processes so far.
cpu_ns() {
	local p sum=0 ns

	for p in $(tree "${PID[$1]}"); do
		ns=$(cut -d ' ' -f 1 "/proc/$p/schedstat" 2>/dev/null)
		sum=$((sum + ${ns:-0}))
	done
	echo "$sum"
}

# memory_kib NODE: of its greatest process, what is in memory and its alone.
memory_kib() {
	local p

	for p in $(tree "${PID[$1]}"); do
		awk '/^Private/ { n += $2 } END { print n + 0 }' \
		    "/proc/$p/smaps_rollup" 2>/dev/null
	done | sort -n | tail -n 1
}

# cpu_percent NODE SECONDS: of one core.
cpu_percent() {
	local t0 t1 n0 n1

	n0=$(cpu_ns "$1") t0=$(now_us)
	sleep "$2"
	n1=$(cpu_ns "$1") t1=$(now_us)
	awk -v n=$((n1 - n0)) -v t=$((t1 - t0)) \
	    'BEGIN { printf "%.3f\n", n / t / 10 }'
}
