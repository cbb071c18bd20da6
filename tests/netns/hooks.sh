#!/bin/bash
# SPDX-License-Identifier: ISC
# Notification hooks: what they are told, in which order, and that none of them
# is in the way of the protocol, however bad it is.  The examples of
# carp-hooks(7) are run as they stand there.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

node hub a
segment lan
plug a lan eth0 192.0.2.1/24
H=$T/a/notify.d
OUT=$T/a/out

# The node's own line for the directory comes after the empty one of the lib.
hooks_conf() {
	usual_conf a 0 "\"$V4/24\""
	sed -i "s|notify-dir = \"\"|notify-dir = \"$1\"\n\tnotify-timeout = 1|" \
	    "$T/a/carpd.conf"
}

# hook NAME: executable, from standard input.
hook() {
	{
		printf '#!/bin/sh\n'
		cat
	} > "$H/.$1"
	chmod 755 "$H/.$1"
	mv "$H/.$1" "$H/$1"
}

MARK=0
mark() {
	MARK=$(stat -c %s "$T/a/log")
}

logged() {
	tail -c "+$((MARK + 1))" "$T/a/log" | grep -q -- "$1"
}

count() {
	tail -c "+$((MARK + 1))" "$T/a/log" | grep -c -- "$1"
}

master() {
	ctl a master 10 >/dev/null
}

backup() {
	ctl a backup 10 >/dev/null
}

# to STATE: by order, and as soon as the order can be given.
to() {
	wait_for 2 not state_is a 10 INIT
	"$1"
}

title "without a directory there are no hooks"
hooks_conf "$H"
start a
to master
wait_for 2 holds a $V4
check "carpd says nothing about it" not logged hook
# The supervisor hears of three changes at once.
kill -STOP "${PID[a]}"
to backup
to master
to backup
kill -CONT "${PID[a]}"
to master
wait_for 2 holds a $V4
stop a
check "nor when it hears of changes late, nor at the stop" not logged hook

title "what a hook is told"
mkdir -m 755 "$H"
hook 10-tell <<-TXT
	{
		echo "\$*"
		env | grep ^CARPD_ | sort
		echo "\$PWD \$(ls /proc/self/fd | wc -l)"
		readlink /proc/self/fd/0
		grep -E '^Sig(Blk|Ign)' /proc/self/status
	} > $OUT
	echo to standard output
	echo to standard error >&2
	printf 'ends without a newline'
TXT
mark
start a
check "INIT -> BACKUP" wait_for 2 logged '10-tell BACKUP: exit status 0'
to master
check "BACKUP -> MASTER" wait_for 2 logged '10-tell MASTER: exit status 0'
cat > "$T/want" <<-TXT
	10@eth0 MASTER
	CARPD_CAUSE=told to
	CARPD_INTERFACE=eth0
	CARPD_NODE=a
	CARPD_PREVIOUS=BACKUP
	CARPD_STATE=MASTER
	CARPD_VHID=10
	/ 4
	/dev/null
	SigBlk:	0000000000000000
	SigIgn:	0000000000000000
TXT
# Two signals are the C library's own: make, for one, leaves them ignored.
check "arguments, environment, descriptors, signals" diff "$T/want" \
    <(sed '/^SigIgn/s/00000001800/00000000000/' "$OUT")
for text in 'to standard output' 'to standard error' 'ends without a newline'
do
	check "the log has: $text" \
	    logged "vhid 10 eth0: hook 10-tell MASTER: $text"
done
mark
stop a
check "MASTER -> INIT, at a stop" logged '10-tell INIT: exit status 0'

# spare NODE: the process that waits to become a hook.
spare() {
	child "$1" carp-spare
}

has_spare() {
	spare "$1" >/dev/null
}

another_spare() {
	local now
	now=$(spare "$1") && [ "$now" != "$2" ]
}

title "a process is kept ready to become the next hook"
sed "s|^\(10@eth0\) .*|\1 BACKUP|
	s|^\(CARPD_PREVIOUS\)=.*|\1=MASTER|
	s|^\(CARPD_STATE\)=.*|\1=BACKUP|" "$T/want" > "$T/want.backup"
sed -i '1a\	echo $$ > '"$T/self" "$H/10-tell"
start a
to master
check "it is there soon after the last hook" wait_for 5 has_spare a
ready=$(spare a)
mark
to backup
check "a hook is run" wait_for 2 logged '10-tell BACKUP: exit status 0'
check "it is that process" is "$(cat "$T/self")" "$ready"
check "and finds what any hook does" diff "$T/want.backup" \
    <(sed '/^SigIgn/s/00000001800/00000000000/' "$OUT")
check "its output is in the log" logged 'hook 10-tell BACKUP: to standard error'
check "then there is another" wait_for 5 another_spare a "$ready"
ready=$(spare a)
kill -KILL "$ready"
mark
to master
check "a hook is run when that was killed" \
    wait_for 2 logged '10-tell MASTER: exit status 0'
check "by a new process" not [ "$(cat "$T/self")" = "$ready" ]
check "and there is another" wait_for 5 another_spare a "$ready"
ready=$(spare a)
mv "$H/10-tell" "$H/.10-tell"
# With nothing changed there is nothing to do.
sed -i 's/notify-timeout = .*/notify-timeout = 2/' "$T/a/carpd.conf"
kill -HUP "$(supervisor a)"
check "without a hook there is none" wait_for 2 gone "$ready"
mv "$H/.10-tell" "$H/10-tell"
to backup
check "with one again there is" wait_for 5 has_spare a
ready=$(spare a)
{ kill -KILL "${PID[a]}"; wait "${PID[a]}"; } 2>/dev/null
check "it goes with carpd, however that ends" wait_for 2 gone "$ready"
wait_for 3 not holds a $V4
hooks_conf "$H"

title "the end of the engine is told"
start a
to master
wait_for 2 logged '10-tell MASTER: exit status 0'
mark
kill -KILL "$(engine a)"
check "INIT" wait_for 2 logged '10-tell INIT: exit status 0'
check "then BACKUP again" wait_for 2 logged '10-tell BACKUP: exit status 0'

title "what is not run, is said once"
hook 20-writable <<< "echo never; touch $T/never"
chmod 777 "$H/20-writable"
hook 21-group <<< "touch $T/never"
chmod 775 "$H/21-group"
hook 22-plain <<< "touch $T/never"
chmod 644 "$H/22-plain"
for name in .hidden 23-copy.bak 23-copy.dpkg-old 23-copy~; do
	hook x <<< "touch $T/never"
	mv "$H/x" "$H/$name"
done
hook target <<< "touch $T/never"
chmod 777 "$H/target"
mv "$H/target" "$T/target"
ln -s "$T/target" "$H/24-link"
ln -s "$T/nothing" "$H/25-dangling"
printf 'no program\n' > "$H/26-noexec"
chmod 755 "$H/26-noexec"
hook 27-failing <<< "exit 3"
hook 28-signal <<< 'kill -TERM $$'
hook 90-last <<< "exit 0"
foreign=no
if [ "$(engine_user)" = nobody ]; then
	hook 29-foreign <<< "touch $T/never"
	chown 12345 "$H/29-foreign"
	foreign=yes
fi
mark
to master
check "the last one in the order is run" \
    wait_for 5 logged '90-last MASTER: exit status 0'
check "writable by others" logged '20-writable: is writable by others: refused'
check "writable by a group" logged '21-group: is writable by its group'
check "not executable" logged '22-plain: is not executable'
check "a link to what is writable" logged '24-link: is writable by others'
check "a link to nothing" logged '25-dangling: No such file'
check "no program" logged '26-noexec MASTER: cannot be run: Exec format'
check "one that fails" logged '27-failing MASTER: exit status 3'
check "one that is ended by a signal" \
    logged '28-signal MASTER: ended by signal 15 (Terminated)'
[ $foreign = no ] ||
    check "of another user" logged '29-foreign: is not owned by root'
check "none of them ran" not test -e "$T/never"
order=$(tail -c "+$((MARK + 1))" "$T/a/log" |
    sed -n 's/.*: hook \([^ ]*\) MASTER: e.*\(status\|signal\).*/\1/p')
check "in the order of their names" is "$(echo $order)" \
    "10-tell 26-noexec 27-failing 28-signal 90-last"
mark
to backup
wait_for 5 logged '90-last BACKUP: exit status 0'
check "the refusals are not said again" not logged refused
chmod 777 "$H"
mark
to master
check "a directory writable by others" \
    wait_for 2 logged "$H: is writable by others: refused"
check "no hook of it runs" is "$(count 'exit status')" 0
chmod 755 "$H"
to backup
rm -f "$H"/2*

title "a hook that hangs delays nobody"
hook 10-tell <<-TXT
	echo \$\$ > $T/hanging
	sleep 1000 &
	echo \$! > $T/grandchild
	wait
TXT
mark
to master
check "the address is there meanwhile" wait_for 1 holds a $V4
wait_for 2 test -s "$T/grandchild"
check "carpctl answers" answers a
check "after the limit it is killed" \
    wait_for 3 logged '10-tell MASTER: killed after its limit of 1 s'
check "with all of its process group" wait_for 1 gone "$(cat "$T/grandchild")"
check "the next hook is run" \
    wait_for 2 logged '90-last MASTER: exit status 0'

title "newest state wins"
hook 10-tell <<-TXT
	echo \$2 >> $OUT
	[ -e $T/go ] || sleep 0.9
TXT
: > "$OUT"
mark
to backup
check "it is told of BACKUP" wait_for 2 grep -q BACKUP "$OUT"
to master
to backup
to master
check "what it is not told of is in the log" \
    wait_for 2 logged 'hooks not told of BACKUP -> MASTER: hooks lag behind'
touch "$T/go"
check "it ends with the newest" wait_for 5 logged '90-last MASTER: exit'
check "told: BACKUP, MASTER" is "$(tr '\n' ' ' < "$OUT")" "BACKUP MASTER "

title "much output is bounded"
hook 10-tell <<-'TXT'
	i=0
	while [ $i -lt 1000 ]; do echo "line $i"; i=$((i + 1)); done
	head -c 100000 /dev/zero | tr '\0' x
TXT
mark
to backup
check "the rest is counted" wait_for 5 \
    logged '10-tell BACKUP: [0-9]* more lines of output left out'
check "100 lines are in the log" is "$(count '10-tell BACKUP: line')" 100

title "a stop waits for hooks, but not for ever"
hook 10-tell <<< "exec sleep 1000"
to master
wait_for 2 holds a $V4
t=$(now_us)
mark
check "exit code 0" stop a
note "after $(since "$t") s"
check "the address went first" not holds a $V4
check "the hook was killed" logged '10-tell [A-Z]*: killed after'
rm -f "$H"/*

title "the examples of carp-hooks(7)"
page=$TOP/man/carp-hooks.7
# example N: the Nth literal display of the EXAMPLES.
example() {
	awk -v n="$1" '
		/^\.Sh/ { here = $2 == "EXAMPLES" }
		here && /^\.Bd -literal/ { i++; on = 1; next }
		/^\.Ed/ { on = 0 }
		on && i == n' "$page" | sed 's/\\e/\\/g; s/^\\&//'
}
example 1 > "$H/10-sh"
chmod 755 "$H/10-sh"
example 2 > "$T/hook.c"
check "the one in C compiles" "${CC:-cc}" -Wall -Wextra -Werror -o "$H/20-c" \
    "$T/hook.c"
mount -t tmpfs tmpfs /var/lib || exit 1
mark
start a
to master
check "sh" wait_for 3 logged '10-sh MASTER: exit status 0'
check "C" wait_for 3 logged '20-c MASTER: exit status 0'
check "sh: it did what the page says" test -s /var/lib/carp-example
check "C: it did what the page says" \
    logged '20-c MASTER: 10 on eth0 is MASTER now: told to'
to backup
check "sh: and at BACKUP" wait_for 3 not test -e /var/lib/carp-example
stop a

finish
