#!/bin/bash
# SPDX-License-Identifier: ISC
# `failover unlock': a passphrase reaches the hooks by a descriptor, and is found
# nowhere else: no log, argument, variable or file.
# shellcheck source=failover/lib.sh
. "$(dirname "$0")/failover/lib.sh"

node hub a
segment lan
plug a lan eth0 192.0.2.1/24
LINKS=("eth0 10 $V4 critical = true")
RESOURCES=('fence disks { hook = diary }' 'storage tank { hook = opener }'
    'storage vault { hook = opener }'
    'service web { hook = diary  critical = true }')

# What was read goes beside, as a digest: the test must not keep it either.
cat > /etc/carpd/hooks/opener <<END
#!/bin/sh
if [ "\$1" = start ]; then
	if [ -n "\$CARPD_SECRET_FD" ]; then
		eval "exec 0<&\$CARPD_SECRET_FD"
		sha256sum | cut -d ' ' -f 1 > $T/got.\$CARPD_RESOURCE
		env > $T/environ.\$CARPD_RESOURCE
		cat /proc/self/cmdline > $T/cmdline.\$CARPD_RESOURCE
	else
		echo none > $T/got.\$CARPD_RESOURCE
	fi
	[ ! -f $T/hold ] || while [ -f $T/hold ]; do sleep 0.1; done
fi
exec /etc/carpd/hooks/diary "\$@"
END
chmod 755 /etc/carpd/hooks/opener

ONE='correct-horse-7d1f' TWO='battery-staple-93ce'

digest() {
	printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}
got() {
	cat "$T/got.$1" 2>/dev/null
}
unlock() {
	local text=$1
	shift
	printf '%s\n' "$text" | ctl a failover unlock "$@" > "$T/said" 2>&1
}
# call PARAMS: what a program that is not carpctl may send.
call() {
	ctl a call failover.unlock "$1" > "$T/said" 2>&1
}
down_and_up() {
	ctl a failover become_passive --yes >/dev/null
	check "down" wait_for 3 not role_is a MASTER
	rm -f "$T"/got.*
	check "up again" wait_for 8 role_is a MASTER
}
# Files of processes, of the state, and of what was said.
nowhere() {
	local file found
	found=$(for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline \
	    "$T"/a/log "$T"/a/state/* "$T"/resources/* "$T"/a/resources/*/* \
	    "$T"/environ.* "$T"/cmdline.* "$T/said" "$T/history"; do
		[ -f "$file" ] || continue
		case $file in /proc/$$/*) continue ;; esac
		grep -l -a -e "$ONE" -e "$TWO" "$file" 2>/dev/null
	done)
	[ -z "$found" ] && return
	note "found in: $found"
	return 1
}

# in_memory PID TEXT: how often it is there.
in_memory() {
	python3 - "$1" "$2" <<'END'
import sys

pid, text = sys.argv[1], sys.argv[2].encode()
found = 0
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
    for line in maps:
        place, mode = line.split()[:2]
        start, end = (int(x, 16) for x in place.split("-"))
        if "w" in mode:
            mem.seek(start)
            found += mem.read(end - start).count(text)
print(found)
END
}

title "without a passphrase"
failover_conf a A 0
start a
check "a is active" wait_for 6 role_is a MASTER
check "the hooks have none" is "$(got tank) $(got vault)" "none none"

title "one for all, and one for one of them"
check "for all" unlock "$ONE"
check "for vault" unlock "$TWO" vault
check "the engine, through which it went, has none of it left" is \
    "$(in_memory "$(engine a)" "$TWO")" 0
check "the supervisor has it, once" is \
    "$(in_memory "$(supervisor a)" "$TWO")" 1
down_and_up
check "tank has that for all" is "$(got tank)" "$(digest "$ONE")"
check "vault has its own" is "$(got vault)" "$(digest "$TWO")"

title "nowhere else, also while a hook that has it runs"
touch "$T/hold"
ctl a failover become_passive --yes >/dev/null
rm -f "$T"/got.*
check "a hook has read it" wait_for 8 test -s "$T/got.vault"
ctl a failover history --json > "$T/history"
check "no log, argument, variable or file" nowhere
check "the check can fail" not eval 'echo "$ONE" >> "$T/said"; nowhere >/dev/null'
rm -f "$T/hold"
check "a is active" wait_for 5 role_is a MASTER
check "the memory of the supervisor is locked for it" grep -q "^VmLck:[[:space:]]*[1-9]" \
    "/proc/$(supervisor a)/status"

title "bad ones are refused, and say why"
check "a resource that is not" not unlock "$ONE" tonk
check "its name" grep -q 'no resource "tonk"' "$T/said"
check "two lines" not unlock "$ONE
more"
check "why" grep -q "more than one line" "$T/said"
printf 'a\0b\n' | ctl a failover unlock > "$T/said" 2>&1 &&
    fail "a zero byte is refused"
check "a zero byte: why" grep -q "zero byte" "$T/said"
check "an empty one" not unlock ""
check "why" grep -q "empty" "$T/said"
check "one that is too long" not unlock "$(printf '%01100d' 7)"
check "why" grep -q "more than 1024 bytes" "$T/said"
check "a zero byte by a program" not call '{"passphrase": "a\u0000b"}'
check "a line end by a program" not call '{"passphrase": "a\nb"}'
check "of a wrong type" not call '{"passphrase": 1}'
down_and_up
check "the good ones are as they were" is "$(got tank) $(got vault)" \
    "$(digest "$ONE") $(digest "$TWO")"

title "dropped, with an empty one by a program"
check "that of vault" call '{"passphrase": "", "resource": "vault"}'
down_and_up
check "vault has that for all" is "$(got vault)" "$(digest "$ONE")"
check "that for all" call '{"passphrase": ""}'
down_and_up
check "nobody has any" is "$(got tank) $(got vault)" "none none"

title "a restart forgets it"
check "for all" unlock "$ONE"
stop a
rm -f "$T"/got.*
start a
check "a is active" wait_for 6 role_is a MASTER
check "none" is "$(got tank) $(got vault)" "none none"
rm -f "$T/said"
check "and it is nowhere" nowhere
stop a
finish
