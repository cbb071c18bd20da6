# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034
# What the shipped resource hooks share.  A hook sources it from beside itself
# and ends with `dispatch "$@"`, which calls do_start, do_stop, do_status or
# do_verify.  The contract is in carp-hooks(7).

HOOK=${0##*/}
HOOKS=${0%/*}

# Exit statuses of the contract.
FAILED=1		# status: not healthy; verify: still there
WRONG=2			# parameters
ABSENT=3		# status: cleanly not running
UNKNOWN=4
MISSING=5		# what is needed is not installed
ALIVE=6			# fence: the peer is alive and holds it

# A line for the log.
say() {
	printf '%s\n' "$*"
}

# end STATUS WORDS: the words are the reason.
end() {
	end_status=$1
	shift
	printf '%s\n' "$*" >&2
	exit "$end_status"
}

#
# Parameters: `set` names of the resource, which are variables here.
#

# value NAME: what the parameter has, or nothing.
value() {
	eval "printf '%s' \"\${$1-}\""
}

# need NAME WORDS: it must be there.
need() {
	need_name=$1
	shift
	[ -n "$(value "$need_name")" ] ||
	    end $WRONG "$HOOK: $need_name is missing: $*"
}

# one_of NAME VALUE...: the first is the default.
one_of() {
	one_name=$1
	shift
	one_value=$(value "$one_name")
	[ -n "$one_value" ] || { eval "$one_name=\$1"; return; }
	for one_allowed; do
		[ "$one_value" != "$one_allowed" ] || return 0
	done
	end $WRONG "$HOOK: $one_name=$one_value: write one of: $*"
}

# whole NAME DEFAULT: a number without sign or fraction.
whole() {
	whole_value=$(value "$1")
	[ -n "$whole_value" ] || { eval "$1=\$2"; return; }
	case $whole_value in
	*[!0-9]* | ??????????*)
		end $WRONG "$HOOK: $1=$whole_value: write a whole number" ;;
	esac
}

# absolute NAME: a path from the root.
absolute() {
	case $(value "$1") in
	/*) ;;
	*) end $WRONG "$HOOK: $1=$(value "$1"): write a path that begins" \
	    "with /" ;;
	esac
}

# tool PROGRAM PACKAGE: it must be installed.
tool() {
	command -v "$1" >/dev/null 2>&1 ||
	    end $MISSING "$HOOK: $1 is not installed: apt-get install $2"
}

# has LIST WORD: the comma-separated list has it.
has() {
	case ,$1, in
	*,"$2",*) return 0 ;;
	esac
	return 1
}

#
# Running things.
#

# quiet COMMAND...: its output goes to $out, as one line.  Not for what leaves
# a process behind: the end of the output is waited for.
quiet() {
	out=$("$@" 2>&1)
	quiet_status=$?
	out=$(printf '%s' "$out" | tr -s '\n\t ' '   ')
	return $quiet_status
}

# limited SECONDS COMMAND...: stays in the process group, so that the time limit
# of carpd reaches it too.
limited() {
	limited_for=$1
	shift
	timeout --foreground -k 1 "$limited_for" "$@"
}

#
# Time, in milliseconds.
#

# milliseconds SECONDS[.FRACTION]
milliseconds() {
	ms_whole=${1%%.*}
	case $1 in
	*.*) ms_part=${1#*.}000 ;;
	*) ms_part=000 ;;
	esac
	ms_part=${ms_part%"${ms_part#???}"}
	# The 1 before them: leading zeros are not octal.
	echo $((ms_whole * 1000 + 1$ms_part - 1000))
}

now() {
	read -r now_up _ < /proc/uptime
	milliseconds "$now_up"
}

# Since the hook was started.
elapsed() {
	echo $(($(now) - STARTED))
}

# left: what this run may take still, with a fifth, at most 0.5 s, kept back
# for its last words.
left() {
	left_all=$(milliseconds "${CARPD_TIMEOUT:-10}")
	left_keep=$((left_all / 5))
	[ $left_keep -le 500 ] || left_keep=500
	echo $((left_all - left_keep - $(elapsed)))
}

# in_time COMMAND...: ended in time for a last word if it hangs.
in_time() {
	in_time_ms=$(left)
	[ "$in_time_ms" -ge 100 ] || in_time_ms=100
	limited "$((in_time_ms / 1000)).$((in_time_ms % 1000 / 100))" "$@"
}

# wait_until MS COMMAND...: until it succeeds, asked every 50 ms.
wait_until() {
	wait_end=$(($(now) + $1))
	shift
	until "$@"; do
		[ "$(now)" -lt $wait_end ] || return 1
		sleep 0.05
	done
}

#
# What a hook remembers of its resource, until a reboot.
#

# keep NAME VALUE
keep() {
	[ -d "${CARPD_STATE:-}" ] || return 0
	printf '%s\n' "$2" > "$CARPD_STATE/.$1" &&
	    mv -f "$CARPD_STATE/.$1" "$CARPD_STATE/$1"
}

# kept NAME: prints it, or fails.
kept() {
	[ -n "${CARPD_STATE:-}" ] && cat "$CARPD_STATE/$1" 2>/dev/null
}

forget() {
	[ -z "${CARPD_STATE:-}" ] || rm -f "$CARPD_STATE/$1"
}

fenced() {
	[ "${CARPD_FENCED:-no}" = yes ]
}

# The passphrase, if an administrator has given one.
secret() {
	case ${CARPD_SECRET_FD:-} in
	[0-9]) eval "cat <&$CARPD_SECRET_FD" ;;
	*) return 1 ;;
	esac
}

#
# The verbs.
#

# A hook may define `parameters`, which looks at its `set` names: before every
# verb, so that a mistake is told by any of them.
parameters() {
	:
}

dispatch() {
	STARTED=$(now)
	case ${1:-} in
	start | stop | status | verify) ;;
	*) end $WRONG "usage: $HOOK start|stop|status|verify" ;;
	esac
	parameters
	"do_$1"
	exit
}
