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
WEAK=7			# fence: started, but keeps nobody out

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

# only NAME...: any other is a mistake, such as one letter that is wrong.  A
# name may end in *.  Who tries a hook by hand has many more variables.
only() {
	[ -n "${CARPD_VERSION:-}" ] || return 0
	for only_name in $(awk 'BEGIN { for (k in ENVIRON) print k }' 2>/dev/null); do
		for only_known in "$@" 'CARPD_*' 'AWK*' PATH LANG PWD OLDPWD \
		    SHLVL _; do
			# shellcheck disable=SC2254	# a pattern
			case $only_name in
			$only_known) continue 2 ;;
			esac
		done
		end $WRONG "$HOOK: $only_name is no parameter of this hook," \
		    "which has: $*"
	done
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

# port NAME DEFAULT: a number of TCP or UDP.
port() {
	whole "$1" "$2"
	[ "$(value "$1")" -le 65535 ] || end $WRONG \
	    "$HOOK: $1=$(value "$1"): write a number up to 65535"
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
	[ -z "$out" ] || out=$(printf '%s' "$out" | tr -s '\n\t ' '   ')
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

# left: what this run may take still.  Kept back for its last words is a fifth,
# but not more than 0.5 s, or a fifteenth of a long limit: whoever has that may
# have a slow machine.
left() {
	left_all=$(milliseconds "${CARPD_TIMEOUT:-10}")
	left_keep=$((left_all / 5))
	[ $left_keep -le 500 ] || left_keep=500
	[ $left_keep -ge $((left_all / 15)) ] || left_keep=$((left_all / 15))
	echo $((left_all - left_keep - $(elapsed)))
}

# limit [MS]: what is left, or less, in $limit as `limited` wants it.  It is
# asked so often that it must not cost a process.
# shellcheck disable=SC2120	# hooks give it one
limit() {
	read -r limit_up _ < /proc/uptime
	limit_ms=$((ENDS - ${limit_up%.*} * 1000 - 1${limit_up#*.}0 + 1000))
	[ $limit_ms -gt 50 ] || limit_ms=50
	[ $limit_ms -le "${1:-$limit_ms}" ] || limit_ms=$1
	limit=$((limit_ms % 1000 + 1000))
	limit=$((limit_ms / 1000)).${limit#?}
}

# in_time COMMAND...: ended in time for a last word if it hangs.
in_time() {
	limit
	limited "$limit" "$@"
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

# A hook that uses `secret` says so with SECRET=yes before; to others it is
# closed, for what they run might leave somebody behind who has it open.
dispatch() {
	[ -n "${SECRET:-}" ] || {
		close_descriptor "${CARPD_SECRET_FD:-}"
		unset CARPD_SECRET_FD
	}
	STARTED=$(now)
	ENDS=$((STARTED + $(left)))
	case ${1:-} in
	start | stop | status | verify) ;;
	*) end $WRONG "usage: $HOOK start|stop|status|verify" ;;
	esac
	parameters
	"do_$1"
	exit
}

# ---- services: programs that a hook leaves running ----
#
# What a hook starts carries CARPD_OWNER in its environment and is a session of
# its own.  By both it is found again, whoever became its parent.  The mark
# cannot be guessed, so that nobody can have a process of his stopped, or make
# a resource look as if it were still there.

# The state directory of the resource is where they keep their files.
state_needed() {
	[ -d "${CARPD_STATE:-}" ] ||
	    end $WRONG "$HOOK: CARPD_STATE=${CARPD_STATE:-} is no directory:" \
		"hooks are run by carpd"
}

# words COMMAND... -- STRING: runs the command with the words of the string
# added.  They are separated by blanks; '...' and "..." hold blanks together.
# Nothing else has a meaning: no variables, no patterns, no backslashes.
words() {
	for words_text; do :; done
	words_n=$(($# - 2))
	words_word='' words_some=
	# The command first: what is before the --.
	while [ $words_n -gt 0 ]; do
		set -- "$@" "$1"
		shift
		words_n=$((words_n - 1))
	done
	shift 2
	while [ -n "$words_text" ]; do
		words_quote=${words_text%"${words_text#?}"}
		case $words_quote in
		' ' | '	')
			words_text=${words_text#?}
			[ -z "$words_some" ] || set -- "$@" "$words_word"
			words_word='' words_some=
			;;
		\' | \")
			words_text=${words_text#?} words_some=1
			case $words_text in
			*"$words_quote"*) ;;
			*) end $WRONG "$HOOK: a $words_quote is not closed" ;;
			esac
			words_word=$words_word${words_text%%"$words_quote"*}
			words_text=${words_text#*"$words_quote"}
			;;
		*)
			words_part=${words_text%%[\ \	\'\"]*} words_some=1
			words_word=$words_word$words_part
			words_text=${words_text#"$words_part"}
			;;
		esac
	done
	[ -z "$words_some" ] || set -- "$@" "$words_word"
	"$@"
}

# Seconds for `limited`: what is left, or less.
seconds_left() {
	sl_ms=$(left)
	[ "$sl_ms" -gt 50 ] || sl_ms=50
	[ -z "${1:-}" ] || [ "$sl_ms" -le "$1" ] || sl_ms=$1
	printf '%d.%03d' $((sl_ms / 1000)) $((sl_ms % 1000))
}

# Copies its input to a file, which never gets long.
# shellcheck disable=SC2016	# not for this shell
LOG_KEEPER='n=0
while IFS= read -r line; do
	[ $n -lt 1000 ] || { mv -f "$1" "$1.old"; n=0; }
	printf "%s\n" "$line" >> "$1"
	n=$((n + 1))
done'

# owner: the mark of this resource, until a reboot.
owner() {
	kept owner && return
	read -r owner_mark < /proc/sys/kernel/random/uuid
	keep owner "$owner_mark"
	echo "$owner_mark"
}

# leave_running PROGRAM [ARGUMENT...]: its output goes to $CARPD_STATE/log.  It
# keeps CARPD_ALIVE_FD open, and of the hook nothing else.
leave_running() {
	lr_pipe=$CARPD_STATE/.pipe
	rm -f "$lr_pipe" "$CARPD_STATE/log" "$CARPD_STATE/log.old"
	mkfifo -m 600 "$lr_pipe" ||
	    end $FAILED "$HOOK: cannot write to $CARPD_STATE"
	(umask 077 && : > "$CARPD_STATE/log")
	lr_owner=$(owner)
	{
		close_descriptor "${CARPD_SECRET_FD:-}"
		close_descriptor "${CARPD_ALIVE_FD:-}"
		exec setsid sh -c "$LOG_KEEPER" log "$CARPD_STATE/log"
	} < "$lr_pipe" > /dev/null 2>&1 &
	{
		close_descriptor "${CARPD_SECRET_FD:-}"
		export CARPD_OWNER="$lr_owner"
		exec setsid "$@"
	} < /dev/null > "$lr_pipe" 2>&1 &
	keep main "$! $(start_time $!)"
}

# The shell knows descriptors of one digit only.
close_descriptor() {
	case $1 in
	[3-9]) eval "exec $1>&-" ;;
	esac
}

# start_time PID: so that a number used again is not taken for the old process.
start_time() {
	read -r st_line < "/proc/$1/stat" || return 1
	# shellcheck disable=SC2086	# words
	set -- ${st_line##*) }
	echo "${20}"
} 2>/dev/null

# main_pid: of what leave_running started, if it lives.
main_pid() {
	mp_kept=$(kept main) || return 1
	mp_pid=${mp_kept% *}
	[ "$(start_time "$mp_pid")" = "${mp_kept#* }" ] || return 1
	! grep -qs '^State:.*Z' "/proc/$mp_pid/status" || return 1
	echo "$mp_pid"
}

# running NUMBER...: at least one of them has not ended.
running() {
	for running_pid; do
		read -r running_line < "/proc/$running_pid/stat" || continue
		case ${running_line##*) } in
		[ZX]*) ;;
		*) return 0 ;;
		esac
	done
	return 1
} 2>/dev/null

# owned: the numbers of all processes that belong to the resource.
owned() {
	{
		set +f
		owned_mark=$(kept owner) || return
		grep -lsxzF "CARPD_OWNER=$owned_mark" /proc/[0-9]*/environ |
		    cut -d / -f 3
		owned_kept=$(kept main) && owned_session "${owned_kept% *}" \
		    "${owned_kept#* }"
	} | sort -nu
}

# owned_session NUMBER START: its members, unless the number is used again.
owned_session() {
	os_start=$(start_time "$1") && [ "$os_start" != "$2" ] && return
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v s="$1" '{
		pid = $1
		sub(/.*\) /, "")
		if ($4 == s && $1 != "Z")
			print pid
	}'
}

none_owned() {
	[ -z "$(owned)" ]
}

# names PID...: for people.
names() {
	for names_pid; do
		read -r names_comm < "/proc/$names_pid/comm" || continue
		printf '%s (%s) ' "$names_comm" "$names_pid"
	done 2>/dev/null
}

# stop_owned [SIGNAL]: the main process is asked, and has half of the time that
# is left.  What it leaves is asked too, but not for long, and then killed.
stop_owned() {
	so_all=$(owned)
	[ -n "$so_all" ] || { forget main; return 0; }
	# shellcheck disable=SC2046,SC2086	# numbers
	kill -s "${1:-TERM}" $(main_pid || echo $so_all) 2>/dev/null
	wait_until $(($(left) / 2)) main_ended
	if ! none_owned && main_ended; then
		# shellcheck disable=SC2046
		kill -s TERM $(owned) 2>/dev/null
		so_wait=$(($(left) / 4))
		[ $so_wait -le 500 ] || so_wait=500
		wait_until $so_wait none_owned
	fi
	so_all=$(owned)
	if [ -n "$so_all" ]; then
		# shellcheck disable=SC2086
		say "$HOOK: killed, for it did not end on ${1:-TERM}:" \
		    "$(names $so_all)"
		kill_owned
	fi
	forget main
}

main_ended() {
	! main_pid >/dev/null
}

# Again, until there is none: one of them may have started another before it
# was killed.
# shellcheck disable=SC2086	# numbers
kill_owned() {
	while ko_all=$(owned) && [ -n "$ko_all" ]; do
		kill -s KILL $ko_all 2>/dev/null
		limit
		while running $ko_all && [ $limit_ms -gt 50 ]; do
			sleep 0.01
			limit
		done
		[ $limit_ms -gt 50 ] || end $FAILED "$HOOK: does not end," \
		    "not even killed: $(names $ko_all)"
	done
}

# ready WORDS COMMAND...: waits until what was left running is of use; or it
# is stopped again, and the reason is told.
ready() {
	ready_words=$1
	shift
	ready_main=$(kept main)
	until "$@"; do
		if ! running "${ready_main% *}" && none_owned; then
			sleep 0.05
			end $FAILED "$HOOK: ended while it was starting:" \
			    "$(last_words)"
		fi
		limit
		if [ $limit_ms -lt 300 ]; then
			kill_owned
			end $FAILED "$HOOK: $ready_words: not within" \
			    "$CARPD_TIMEOUT s: $(last_words)"
		fi
		sleep 0.01
	done
}

# The last line that it wrote.
last_words() {
	lw_line=$(tail -n 1 "$CARPD_STATE/log" 2>/dev/null)
	printf '%s' "${lw_line:-it wrote nothing}"
}

# listening PORT: somebody accepts connections there.
listening() {
	[ -n "$(ss -Hltn "sport = :$1" 2>/dev/null)" ]
}

# verify_owned: ends the hook if something of the resource is left.
verify_owned() {
	vo_all=$(owned)
	# shellcheck disable=SC2086	# numbers
	[ -z "$vo_all" ] || end $FAILED "$HOOK: still runs: $(names $vo_all)"
}

# root_only NAME: the file that it names is for root alone.
root_only() {
	absolute "$1"
	ro_file=$(value "$1")
	[ -f "$ro_file" ] || end $WRONG "$HOOK: $1=$ro_file: no such file"
	case $(stat -L -c '%u %a' "$ro_file") in
	'0 '*00 | '0 0' | "$(id -u) "*00) ;;
	*) end $WRONG "$HOOK: $1=$ro_file: others may read it:" \
	    "chown root $ro_file; chmod 600 $ro_file" ;;
	esac
}

# plain NAME CHARACTERS: an optional value that goes into a configuration file
# has only these, given as in [...].
plain() {
	case $(value "$1") in
	*[!$2]*) end $WRONG "$HOOK: $1=$(value "$1"): only these characters" \
	    "can stand there: $2" ;;
	esac
}
# ---- end of services ----
