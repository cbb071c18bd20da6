# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034	# variables are for the tests
# What the tests of hooks in the virtual machine share: two nodes that have
# their own names, networks and configurations, but one kernel, so that what one
# has active the other sees too.  MODULES are loaded before.
[ -n "${IN_VM:-}" ] || { echo "skipped: run it by make check-vm"; exit 77; }

if [ -z "${MODULES_THERE:-}" ]; then
	# Words, so not quoted.
	# shellcheck disable=SC2086
	modprobe -a loop ext4 $MODULES || {
		echo "skipped: modules are missing: $MODULES"
		exit 77
	}
	MODULES_THERE=1 exec "$0"
fi
# shellcheck source=../netns/service/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../netns/service/lib.sh" || exit 1

LIMIT=90
usual_net
box a b c

# disk NAME MEGABYTES: a loop device, in $LOOP.
disk() {
	truncate -s "$2M" "$T/disk.$1"
	LOOP=$(losetup -f --show "$T/disk.$1") || exit 1
}

# begins and ends NODE RESOURCE HOOK [NAME=VALUE...]: what every hook does.
begins() {
	local n=$1 r=$2 h=$3
	shift 3
	check "status before: 3" result 3 "$n" "$r" "$h" status "$@"
	check "verify before: 0" result 0 "$n" "$r" "$h" verify "$@"
	check "start" result 0 "$n" "$r" "$h" start "$@"
	note "start: $TOOK s"
	check "start again" result 0 "$n" "$r" "$h" start "$@"
	check "status: 0" result 0 "$n" "$r" "$h" status "$@"
	check "status again: 0" result 0 "$n" "$r" "$h" status "$@"
	check "verify tells that it is there: 1" result 1 "$n" "$r" "$h" \
	    verify "$@"
}

ends() {
	local n=$1 r=$2 h=$3
	shift 3
	check "stop" result 0 "$n" "$r" "$h" stop "$@"
	note "stop: $TOOK s"
	check "stop again" result 0 "$n" "$r" "$h" stop "$@"
	check "status: 3" result 3 "$n" "$r" "$h" status "$@"
	check "verify: 0" result 0 "$n" "$r" "$h" verify "$@"
	check "verify again: 0" result 0 "$n" "$r" "$h" verify "$@"
}

mkdir -p "$T/m"
