#!/bin/bash
# SPDX-License-Identifier: ISC
# Resources of failover mode and the supervisor that keeps them: what is up does
# not stay up without an engine, nor without carpd; what a dead carpd has left is
# found; storage that does not go calls the last resort, once.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

node hub a
segment lan
plug a lan eth0 192.0.2.1/24
R=$T/a/what

# The hooks are in /etc, but in none that outlives the test.
mkdir -p "$T/etc.up" "$T/etc.work" "$R" &&
    mount -t overlay -o "lowerdir=/etc,upperdir=$T/etc.up,workdir=$T/etc.work" \
	overlay /etc 2>/dev/null || skip "no overlay on /etc here"
if ! rm -rf /etc/carpd || ! mkdir -p /etc/carpd/hooks; then
	skip "/etc cannot be changed here"
fi
chmod 755 /etc/carpd /etc/carpd/hooks

# up NAME: as long as its file is there.  NAME.stuck: it does not go.
cat > /etc/carpd/hooks/file <<-SH
	#!/bin/sh
	f=$R/\$CARPD_RESOURCE
	echo "\$CARPD_RESOURCE \$1 \$CARPD_MODE" >> $R/log
	case \$1 in
	start)	: > "\$f" ;;
	stop)	[ -e "\$f.stuck" ] || rm -f "\$f" ;;
	status)	[ -e "\$f" ] || exit 3 ;;
	verify)	[ ! -e "\$f" ] || { echo "\$f is there"; exit 1; } ;;
	esac
SH
cat > "$T/a/resort" <<-SH
	#!/bin/sh
	echo "\$1" >> $R/resort
SH
chmod 755 /etc/carpd/hooks/file "$T/a/resort"

conf() {
	usual_conf a 0 "\"$V4/24\""
	sed -i 's/name = "a"/name = "A"/' "$T/a/carpd.conf"
	cat >> "$T/a/carpd.conf" <<-TXT
		failover {
		    last-resort = "$T/a/resort"
		    fence disks { hook = "file" }
		    storage tank { hook = "file" stop-timeout = 1 }
		    service nfs { hook = "file" }
		}
	TXT
}

conf
"$CARPD" -n -f "$T/a/carpd.conf" > "$T/a/check" 2>&1 ||
    { cat "$T/a/check"; skip "this carpd knows no failover section"; }

logged() {
	grep -q -- "$1" "$T/a/log"
}

# As it would be if the carpd before had started it.
all_up() {
	: > "$R/log"
	touch "$R/disks" "$R/tank" "$R/nfs"
	(umask 077; mkdir -p "$T/a/resources/.notes")
	echo "1 0 0 1000" > "$T/a/resources/.notes/tank"
}

is_up() {
	[ -e "$R/$1" ]
}

# ordered LINE LINE...: they stand in the hooks' log, in this order.
ordered() {
	local line at last=0
	for line; do
		at=$(grep -n -m 1 -x -- "$line" "$R/log" | cut -d : -f 1)
		[ -n "$at" ] && [ "$at" -gt "$last" ] || return 1
		last=$at
	done
}

all_down() {
	ordered "nfs stop $1" "tank stop $1" "tank verify $1" \
	    "disks stop $1" && return
	note "not in order: $(tr '\n' , < "$R/log")"
	return 1
}

# No process of ours on the way, and first in line: no engine gets ready.
# Hooks that begin are children, too, with another name.
kill_engines() {
	local p name='' children=() end
	end=$(($(now_us) + 20000000))
	mkfifo "$T/never"
	exec 9<> "$T/never"
	chrt -r -p 1 $BASHPID >/dev/null 2>&1
	while [ -e "$R/tank" ] && [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ]; do
		read -r -a children < "/proc/${PID[a]}/task/${PID[a]}/children"
		for p in "${children[@]}"; do
			read -r name < "/proc/$p/comm" || continue
			[ "$name" != carpd-engine ] || kill -KILL "$p"
		done
		read -r -t 0.0003 -u 9
	done 2>/dev/null
	chrt -o -p 0 $BASHPID >/dev/null 2>&1
}

title "what is there is asked for, and a clean stop takes it down"
all_up
start a
check "status of all" wait_for 3 ordered 'tank status check'
check "exit code 0" stop a
for r in nfs tank disks; do
	check "$r is down" not is_up $r
done
check "first the service, then storage, shown to be gone, then the fence" \
    all_down '[a-z]*'

title "a death of carpd leaves what is up; the next one finds it"
all_up
start a
# What is found running goes down first, and would take what comes now along.
check "what it finds goes down" wait_for 5 ordered 'disks stop [a-z]*'
touch "$R/tank" "$R/disks" "$R/nfs"
crash a
check "storage is still there" is_up tank
: > "$R/log"
start a
check "the next carpd asks for it" wait_for 3 ordered 'tank status check'
check "exit code 0" stop a
check "and takes it down when it ends" not is_up tank

title "without an engine for some time, all goes down"
rm -f "$R"/{disks,tank,nfs}
: > "$R/log"
start a
check "alone, it becomes active" wait_for 15 is_up nfs
: > "$R/log"
# Each new one dies, too, and the supervisor waits longer for the next.
kill_engines
check "storage is down" not is_up tank
check "the fence is released after it" wait_for 5 not is_up disks
check "in the same order, forced" all_down forced
check "the log says why" logged "there is no engine"
check "carpd lives" wait_for 10 answers a
stop a

title "storage that does not go: the last resort, once, and the fence stays"
all_up
touch "$R/tank.stuck"
rm -f "$R/resort"
start a
wait_for 3 ordered 'tank status check'
touch "$R/tank" "$R/disks" "$R/nfs"
stop a
check "it was called" wait_for 5 test -s "$R/resort"
check "with the reason" grep -q "tank is there" "$R/resort"
check "once" is "$(wc -l < "$R/resort")" 1
check "the fence is held" is_up disks
check "the log says it" logged 'last resort: '

finish
