#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `systemd`, with a systemd of its own as process 1 of the node, in a
# control group made for it.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

command -v systemctl >/dev/null && [ -x /lib/systemd/systemd ] ||
    skip "systemd is not installed"
node hub a
mkdir -p "$T/a/resources"

# Nothing of the machine may be changed by it: kernel parameters are read-only,
# its control groups are below one of ours.
CGROUPS=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$CGROUPS" ] || skip "no control groups of version 2 here"
mine=$CGROUPS/carpd-test-$(readlink /proc/self/ns/pid | tr -cd 0-9)
mkdir "$mine" 2>/dev/null || skip "control groups cannot be made here"

# Everything in it has to be dead before it can be removed.
cleanup() {
	[ -z "${BOX[a]:-}" ] || crash_box a
	wait_for 5 eval '[ -z "$(find "$mine" -name cgroup.procs \
	    -exec cat {} + 2>/dev/null)" ]'
	find "$mine" -depth -type d -exec rmdir {} + 2>/dev/null
}
trap cleanup EXIT

cat > "$T/boot" <<'EOF'
mkdir -p /run/lock /run/systemd/system &&
    mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys ||
    exit 1
while mountpoint -q /sys/fs/cgroup; do
	umount -R /sys/fs/cgroup || exit 1
done
mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
unit() {
	printf '[Unit]\nDefaultDependencies=no\n' > "/run/systemd/system/$1"
	[ -z "$2" ] || printf '[Service]\nStandardOutput=null\n%s\n' "$2" \
	    >> "/run/systemd/system/$1"
}
unit only.target ''
unit web.service "ExecStart=/bin/sleep 1000"
unit db.service "ExecStart=/bin/sleep 2000"
unit bad.service "Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/false"
unit deaf.service "ExecStart=/bin/sleep 1000
ExecStop=/bin/sleep 1000
TimeoutStopSec=1000"
unit left.service "ExecStart=/bin/sh -c 'sleep 3000 & exec sleep 1000'
KillMode=process"
ln -s /dev/null /run/systemd/system/masked.service
exec env -i PATH="$PATH" container=test /lib/systemd/systemd --system \
    --unit=only.target --log-target=null --show-status=no
EOF

enter a sh -c "echo \$\$ > '$mine/cgroup.procs' && exec unshare --cgroup \
    --mount --pid --uts --ipc --propagation private --fork --kill-child \
    --mount-proc sh '$T/boot'" > "$T/a/systemd" 2>&1 &
PID[box.a]=$!
boots() {
	read -r -a BOX_PIDS < "/proc/${PID[box.a]}/task/${PID[box.a]}/children"
	[ "${#BOX_PIDS[@]}" = 1 ] || return 1
	BOX[a]=${BOX_PIDS[0]}
	[ "$(in_box a systemctl is-active only.target 2>/dev/null)" = active ]
} 2>/dev/null
wait_for 20 boots || {
	cat "$T/a/systemd"
	skip "systemd does not start in a namespace here"
}

usual=(UNIT="db.service web.service")
title "two units"
check "status: they do not run" result 3 a s systemd status "${usual[@]}"
check "verify: not there" result 0 a s systemd verify "${usual[@]}"
check "start" result 0 a s systemd start "${usual[@]}"
note "which took $TOOK s"
check "both run" is "$(in_box a pgrep -c -x sleep)" 2
check "start again" result 0 a s systemd start "${usual[@]}"
check "status: they run" result 0 a s systemd status "${usual[@]}"
note "which took $TOOK s"
check "verify: still there" says 1 "db.service is still active" \
    a s systemd verify "${usual[@]}"
in_box a systemctl stop web.service
check "one is stopped: status names it" says 1 "web.service is not active" \
    a s systemd status "${usual[@]}"
check "start starts it" result 0 a s systemd start "${usual[@]}"
in_box a systemctl kill -s KILL web.service
check "one dies: status tells how" wait_for 5 says 1 \
    "web.service is failed (signal)" a s systemd status "${usual[@]}"
check "stop" result 0 a s systemd stop "${usual[@]}"
check "stop again" result 0 a s systemd stop "${usual[@]}"
check "verify: gone" result 0 a s systemd verify "${usual[@]}"
check "no process" not in_box a pgrep -x sleep

title "what goes wrong"
check "a unit that fails" says 1 "bad.service is failed (exit-code)" \
    a s systemd start UNIT=bad.service
check "no such unit" says 2 "there is no none.service" \
    a s systemd start UNIT=none.service
check "stop of no such unit" result 0 a s systemd stop UNIT=none.service
check "a masked unit" says 2 "systemctl unmask masked.service" \
    a s systemd start UNIT=masked.service
check "start" result 0 a s systemd start UNIT=deaf.service
LIMIT=2
check "one that does not stop in time" says 1 "deaf.service is deactivating" \
    a s systemd stop UNIT=deaf.service
check "the limit was kept" less "$TOOK" 2
LIMIT=
check "verify: still there" says 1 "still deactivating" \
    a s systemd verify UNIT=deaf.service
check "start" result 0 a s systemd start UNIT=left.service
check "its child runs" wait_for 5 eval \
    '[ -n "$(in_box a pgrep -f "sleep 3000")" ]'
check "stop" result 0 a s systemd stop UNIT=left.service
check "verify: a process that it has left is found" \
    says 1 "still runs: sleep" a s systemd verify UNIT=left.service
in_box a pkill -f "sleep 3000"
check "and when it is gone, it is gone" \
    wait_for 5 result 0 a s systemd verify UNIT=left.service
finish
