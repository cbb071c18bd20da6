#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `command`: commands without a shell, and a program that is kept
# running.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

node hub a
box a
for tool in setpriv setsid; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done

# What a resource of commands has: a file that says that it runs.
cat > "$T/ctl" <<'EOF'
#!/bin/sh
f=${0%/*}/"$2"
case $1 in
start) [ ! -e "$f.broken" ] || exit 9
	printf '<%s>' "$@" > "$f" ;;
stop) rm -f "$f" ;;
status) [ -e "$f" ] || exit 3
	[ ! -e "$f.ill" ] || { echo "it is ill"; exit 1; } ;;
odd) exit 77 ;;
hang) exec sleep 60 ;;
esac
EOF
chmod 755 "$T/ctl"
usual=(START="$T/ctl start 'a file'  \"it's \$HOME *\" x''y" STOP="$T/ctl stop 'a file'"
    STATUS="$T/ctl status 'a file'")

title "commands"
check "status: it does not run" result 3 a app command status "${usual[@]}"
check "start" result 0 a app command start "${usual[@]}"
check "words were split, quotes honoured, nothing else had a meaning" \
    is "$(cat "$T/a file")" "<start><a file><it's \$HOME *><xy>"
touch -d 2000-01-01 "$T/a file"
check "start again does nothing" result 0 a app command start "${usual[@]}"
check "and did not run the command" \
    is "$(stat -c %Y "$T/a file")" "$(date -d 2000-01-01 +%s)"
check "status: it runs" result 0 a app command status "${usual[@]}"
check "verify: it is still there" says 1 "still runs" a app command verify \
    "${usual[@]}"
touch "$T/a file.ill"
check "status: it is ill" says 1 "it is ill" a app command status "${usual[@]}"
rm "$T/a file.ill"
check "stop" result 0 a app command stop "${usual[@]}"
check "stop again" result 0 a app command stop "${usual[@]}"
check "verify: it is gone" result 0 a app command verify "${usual[@]}"
touch "$T/a file.broken"
check "a start that fails" says 1 "exit status 9" a app command start \
    "${usual[@]}"
rm "$T/a file.broken"
check "an answer that means nothing is not an answer" \
    says 4 77 a app command status "${usual[@]}" STATUS="$T/ctl odd x"
check "VERIFY has the last word" says 1 "VERIFY says" \
    a app command verify "${usual[@]}" VERIFY="/bin/false"
check "VERIFY says gone" \
    result 0 a app command verify "${usual[@]}" VERIFY="/bin/true"
LIMIT=2
check "a command that hangs is ended before the limit" says 1 "limit of" \
    a app command stop "${usual[@]}" STOP="$T/ctl hang x"
check "in time" less "$TOOK" 2
LIMIT=

title "parameters"
check "no START" says 2 "START is missing" a app command start
check "no STATUS" says 2 "STATUS is missing" a app command start \
    "${usual[@]}" STATUS=
check "a quote that is open" says 2 "is not closed" a app command start \
    "${usual[@]}" STOP="/bin/true 'x"
check "no path" says 2 "begins with /" a app command start \
    "${usual[@]}" STOP="true"
check "no program" says 5 "there is no /nowhere/x" a app command start \
    "${usual[@]}" STOP="/nowhere/x"
check "no such user" says 2 "no such user" a app command start \
    START_DAEMON="/bin/sleep 100" USER=nobody-at-all
check "a name with a mistake" says 2 "STATSU is no parameter of this hook" \
    a app command start "${usual[@]}" STATSU=/bin/true
check "no such signal" says 2 "STOP_SIGNAL=BANG" a app command start \
    START_DAEMON="/bin/sleep 100" STOP_SIGNAL=BANG

# A program with a child that leaves its session, to be found all the same.
cat > "$T/server" <<'EOF'
#!/bin/bash
trap 'exit 0' TERM
[ "$1" != deaf ] || trap '' TERM
echo "begins as $(id -un)"
setsid sleep 1000 &
touch "${0%/*}/$1.ready"
while :; do sleep 0.1; done
EOF
printf '#!/bin/sh\ncat <&"$CARPD_SECRET_FD" > "$1"\n' > "$T/reads"
chmod 755 "$T/server" "$T/reads"
mkfifo "$T/alive"

# alive_start HOOK...: a start with the descriptor that tells of its end.
alive_start() {
	local rc
	exec 8<> "$T/alive" 9> "$T/alive"
	exec 7< "$T/alive" 8>&-
	result 0 "$@"
	rc=$?
	exec 9>&-
	return $rc
}

# The descriptor is closed by everybody: nothing to read, but an end.
alive_ended() {
	read -r -t 0.01 _ <&7
	[ $? = 1 ]
}

owned_there() {
	grep -lsxzF "CARPD_OWNER=$(cat "$T/a/resources/$1/owner")" \
	    /proc/[0-9]*/environ | wc -l
}

title "a program that is kept running"
daemon=(START_DAEMON="$T/server one" USER=nobody READY="/bin/ls $T/one.ready")
chmod 777 "$T"
check "status: it does not run" result 3 a d command status "${daemon[@]}"
check "start" alive_start a d command start "${daemon[@]}"
check "it runs as that user" grep -q "begins as nobody" \
    "$T/a/resources/d/log"
check "the descriptor is open as long as it runs" not alive_ended
check "status: it runs" result 0 a d command status "${daemon[@]}"
check "start again does nothing" result 0 a d command start "${daemon[@]}"
check "verify: it is still there" says 1 "still runs: server" \
    a d command verify "${daemon[@]}"
check "stop" result 0 a d command stop "${daemon[@]}"
note "which took $TOOK s"
check "its child, which had left it, is gone too" is "$(owned_there d)" 0
check "the descriptor has ended" wait_for 1 alive_ended
check "stop again" result 0 a d command stop "${daemon[@]}"
check "verify: gone" result 0 a d command verify "${daemon[@]}"

title "it dies"
check "start" alive_start a d command start "${daemon[@]}"
read -r pid _ < "$T/a/resources/d/main"
in_box a kill -KILL "$pid"
check "status: it has ended, and what it left is named" \
    wait_for 2 says 1 "it has ended" a d command status "${daemon[@]}"
check "verify: something of it is still there" \
    says 1 "sleep" a d command verify "${daemon[@]}"
check "start clears that away" alive_start a d command start "${daemon[@]}"
check "stop" result 0 a d command stop "${daemon[@]}"
check "nothing is left" is "$(owned_there d)" 0

title "a process of somebody else that looks like it"
check "start" result 0 a d command start "${daemon[@]}"
in_box a env CARPD_OWNER="$T/a/resources/d" CARPD_STATE="$T/a/resources/d" \
    CARPD_RESOURCE=d sleep 1000 &
other=$!
check "stop" result 0 a d command stop "${daemon[@]}"
check "verify: gone" result 0 a d command verify "${daemon[@]}"
check "the other lives on" kill $other

title "the passphrase"
echo "s3cret" > "$T/passphrase"
exec 5< "$T/passphrase"
check "start" result 0 a pw command start CARPD_SECRET_FD=5 \
    START_DAEMON="/bin/sleep 1000"
read -r pid _ < "$T/a/resources/pw/main"
check "a program that is kept running has no access to it" \
    is "$(in_box a find "/proc/$pid/fd" -lname "$T/passphrase")" ""
check "stop" result 0 a pw command stop START_DAEMON="/bin/sleep 1000"
check "a command can read it" result 0 a pw command start CARPD_SECRET_FD=5 \
    START="$T/reads $T/read" STOP=/bin/true STATUS=/bin/false
check "as it is" is "$(cat "$T/read")" "s3cret"
exec 5<&-

title "it does not listen to signals, or does not start"
LIMIT=3
check "start" result 0 a deaf command start START_DAEMON="$T/server deaf"
check "stop kills it" result 0 a deaf command stop \
    START_DAEMON="$T/server deaf"
note "which took $TOOK s of 3"
check "before the limit" less "$TOOK" 3
check "nothing is left" is "$(owned_there deaf)" 0
check "one that ends at once" says 1 "ended while it was starting" \
    a bad command start START_DAEMON="/bin/ls /nowhere"
check "with its own words" says 1 "cannot access" \
    a bad command start START_DAEMON="/bin/ls /nowhere"
check "one that is never ready" says 1 "not within" a slow command start \
    START_DAEMON="$T/server slow" READY="/bin/false"
check "is ended again" is "$(owned_there slow)" 0
LIMIT=

title "its program has gone, as with the storage that it was on"
cp "$T/server" "$T/moved"
gone=(START_DAEMON="$T/moved gone" STATUS=/bin/true)
check "start" result 0 a gone command start "${gone[@]}"
rm "$T/moved"
check "status: it runs" result 0 a gone command status "${gone[@]}"
check "stop" result 0 a gone command stop "${gone[@]}"
check "verify: gone" result 0 a gone command verify "${gone[@]}"
check "nothing is left" is "$(owned_there gone)" 0
check "status, as on a node without the storage" result 3 \
    a gone command status "${gone[@]}"
check "start says what is missing" says 5 "there is no $T/moved" \
    a gone command start "${gone[@]}"

title "a STOP that hangs, or is not there, is not all there is"
LIMIT=3
hung=(START_DAEMON="$T/server hung" STOP="/bin/sleep 1000")
check "start" result 0 a hung command start "${hung[@]}"
check "stop" result 0 a hung command stop "${hung[@]}"
check "before the limit" less "$TOOK" 3
check "nothing is left" is "$(owned_there hung)" 0
check "start" result 0 a hung command start START_DAEMON="$T/server hung"
check "stop" result 0 a hung command stop START_DAEMON="$T/server hung" \
    STOP=/nowhere/x
check "nothing is left" is "$(owned_there hung)" 0
LIMIT=

title "its output does not fill the disk"
check "start" result 0 a loud command start START_DAEMON="/usr/bin/yes loud"
sleep 1
check "stop" result 0 a loud command stop START_DAEMON="/usr/bin/yes loud"
check "at most 2000 lines are kept" less \
    "$(cat "$T"/a/resources/loud/log* | wc -l)" 2001
finish
