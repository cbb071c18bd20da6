# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# A systemd of its own as process 1 of a node, in a control group made for it.
# shellcheck source=lib.sh
. "$(dirname "$0")/service/lib.sh"

command -v systemctl >/dev/null && [ -x /lib/systemd/systemd ] ||
    skip "systemd is not installed"

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

# boot FILE: node a with the units that the file (sh) writes with unit NAME TEXT.
boot() {
	{
		cat <<'EOF2'
# A systemd that starts empties /tmp and /var/tmp: it gets its own.  What the
# test needs may be below them.
mount --bind "$TOP" /run/t/top || exit 1
for dir in /tmp /var/tmp; do
	mount -t tmpfs tmpfs "$dir" &&
	    [ "$(stat -f -c %T "$dir")" = tmpfs ] || exit 1
done
mkdir -p "$TOP" && mount --bind /run/t/top "$TOP" || exit 1
for u in setup clean setup-dev; do
	ln -s /dev/null "/run/systemd/system/systemd-tmpfiles-$u.service"
done
mkdir -p /run/lock &&
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
EOF2
		cat "$1"
		cat <<'EOF2'
exec env -i PATH="$PATH" container=test /lib/systemd/systemd --system \
    --unit=only.target --log-target=null --show-status=no
EOF2
	} > "$T/boot"
	mkdir -p "$T/top" /run/systemd/system
	export TOP
	enter a sh -c "echo \$\$ > '$mine/cgroup.procs' && exec unshare \
	    --cgroup --mount --pid --uts --ipc --propagation private --fork \
	    --kill-child --mount-proc sh '$T/boot'" > "$T/a/systemd" 2>&1 &
	PID[box.a]=$!
	wait_for 20 boots || {
		cat "$T/a/systemd"
		skip "systemd does not start in a namespace here"
	}
}

boots() {
	read -r -a BOX_PIDS < "/proc/${PID[box.a]}/task/${PID[box.a]}/children"
	[ "${#BOX_PIDS[@]}" = 1 ] || return 1
	BOX[a]=${BOX_PIDS[0]}
	[ "$(in_box a systemctl is-active only.target 2>/dev/null)" = active ]
} 2>/dev/null
