#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs on Debian what is missing of the packages that the project needs.
#	pkg/deps.sh [build] [demo] [demo-storage] [check] [bench] [vm]
# Default: all but bench and vm.
set -eu

build="gcc libc6-dev make pkg-config libssl-dev libpcap-dev libmnl-dev
    libnl-3-dev libevent-dev libconfuse-dev libjansson-dev
    libcap-ng-dev libiscsi-dev"
demo="iproute2 jq mount util-linux"
storage="e2fsprogs xfsprogs tgt psmisc"
check="check ucarp keepalived tcpdump python3 procps ethtool nftables
    iputils-arping iputils-ping clang clang-format cppcheck g++ git mandoc
    shellcheck e2fsprogs xfsprogs btrfs-progs zfs-fuse lvm2 mdadm psmisc"
# What the hooks of services are tested against.
check="$check tgt libiscsi-bin dnsmasq-base udhcpc samba
    smbclient nfs-ganesha nfs-ganesha-vfs libnfs-utils nfs-kernel-server
    fence-agents resource-agents kmod nginx-light curl systemd"
vm="qemu-system-x86 cpio kmod sg3-utils nfs-common targetcli-fb"
bench="keepalived ucarp tcpdump strace linux-perf"

wanted=
for set in "${@:-all}"; do
	case $set in
	all) wanted="$build $demo $storage $check" ;;
	build) wanted="$wanted $build" ;;
	demo) wanted="$wanted $demo" ;;
	demo-storage) wanted="$wanted $storage" ;;
	check) wanted="$wanted $check" ;;
	bench) wanted="$wanted $bench" ;;
	vm) wanted="$wanted $vm" ;;
	*)
		echo "usage: pkg/deps.sh [build] [demo] [demo-storage]" \
		    "[check] [bench] [vm]" >&2
		exit 2
		;;
	esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: this is not Debian; if something is missing, these are" \
	    "the names there: $(echo "$wanted" | tr -s ' \n' ' ')" >&2
	exit 0
fi

missing=
for package in $wanted; do
	# shellcheck disable=SC2016	# for dpkg-query
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
	*" installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps: missing:$missing" >&2
	echo "deps: run this as root:  pkg/deps.sh $*" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log" "$log".*; [ -z "$policy" ] || rm -f "$policy"' EXIT
trap 'exit 1' INT TERM

# Among them are servers, which nobody wants to run here because of a test:
# they are not started now, nor at the next boot.
policy=
if [ ! -e /usr/sbin/policy-rc.d ]; then
	policy=/usr/sbin/policy-rc.d
	printf '#!/bin/sh\nexit 101\n' > $policy
	chmod 755 $policy
fi
boot_links() {
	find /etc/systemd/system -type l -path '*.wants/*' 2>/dev/null | sort
}
boot_links > "$log.before"
# Words, so not quoted.
# shellcheck disable=SC2086
if ! { apt-get -qq update && apt-get -qq -y --no-install-recommends install \
    $missing; } > "$log" 2>&1; then
	cat "$log" >&2
	echo "deps: apt-get could not install:$missing" >&2
	exit 1
fi
boot_links | comm -13 "$log.before" - | while IFS= read -r link; do
	rm -f "$link"
done
