#!/bin/bash
# SPDX-License-Identifier: ISC
# Runs tests on the kernel of Debian 12, in a virtual machine: what needs parts
# that the kernel here may lack (SCSI and NVMe targets, device mapper, md, nfsd,
# vlan, bonding), or shall be seen on that kernel.
#	tests/vm/run.sh [TEST...]	default: all of tests/vm
# The machine is this one's root file system, read only, with memory above it:
# what is built and installed here is there, and nothing it writes comes back.
# VERBOSE=1 shows what the tests say as they say it; CASES="bond vrf" are those
# of links.sh.
# Without KVM (ACCEL=kvm to use it) it is some ten times slower than this one.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=${BUILD:-build}
vm=$B/vm
run=$vm/run.$$
accel=${ACCEL:-tcg}
limit=${LIMIT:-1800}

skip() {
	echo "skipped: $*"
	exit 77
}

[ "$(uname -m)" = x86_64 ] || skip "the virtual machine is one of x86_64"
[ "$(id -u)" = 0 ] || skip "its root file system is read as root"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86 is missing"
command -v cpio >/dev/null || skip "cpio is missing"

# Installed, this one would give the machine a name of its own as an initiator.
EXTRA="open-iscsi libopeniscsiusr libisns0"

# The kernel's package is unpacked, not installed.
kernel() {
	local package

	mkdir -p "$vm"
	[ -d "$vm/kernel" ] && return
	package=$(apt-cache depends linux-image-amd64 |
	    awk '/Depends:/ { print $2; exit }')
	[ -n "$package" ] || skip "no linux-image-amd64: run apt-get update"
	rm -rf "$vm/unpack"
	mkdir -p "$vm/unpack"
	(cd "$vm/unpack" && apt-get -qq download "$package" 2>&1 &&
	    dpkg-deb -x linux-image-*.deb . && rm linux-image-*.deb) ||
	    skip "$package cannot be downloaded"
	mv "$vm/unpack" "$vm/kernel"
}

# Without them, tests that want them are skipped.
extra() {
	[ -d "$vm/extra" ] && return
	rm -rf "$vm/packages"
	mkdir -p "$vm/packages"
	# Words, so not quoted.
	# shellcheck disable=SC2086
	(cd "$vm/packages" && apt-get -qq download $EXTRA 2>&1) || return 0
	mv "$vm/packages" "$vm/extra"
}

# What it takes to mount the root file system; the rest is loaded from there.
initramfs() {
	local dir=$run/initramfs n=0 path

	rm -rf "$dir"
	mkdir -p "$dir/modules"
	cp "$B/tests/vm/init" "$dir/init"
	depmod -b "$vm/kernel" "$release"
	while read -r _ path; do
		cp "$path" "$dir/modules/$((n++))"
	done < <(for m in virtio_pci 9p 9pnet_virtio overlay; do
		modprobe -d "$vm/kernel" -S "$release" --show-depends $m
	done | awk '!seen[$0]++')
	(cd "$dir" && find . | cpio -o -H newc 2>/dev/null) > "$run/initramfs.cpio"
}

# What its first process does when the root file system is there.
guest() {
	local dir=$run/guest

	rm -rf "$dir"
	mkdir -p "$dir"
	printf '%s\n' "$@" > "$dir/tests"
	cat > "$dir/guest.sh" <<-EOF
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	export HOME=/root LANG=C.UTF-8 BUILD=$B IN_VM=1 CASES="${CASES:-}"
	mkdir -p /lib/modules
	mount --bind "$PWD/$vm/kernel/lib/modules" /lib/modules
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	modprobe configfs
	mount -t configfs configfs /sys/kernel/config
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	ln -sf /proc/self/fd /dev/fd
	ip link set lo up
	hostname vm
	cd "$PWD"
	for deb in $vm/extra/*.deb; do
		dpkg-deb --fsys-tarfile \$deb |
		    tar -x --keep-directory-symlink -C /
	done
	echo "vm: \$(uname -r), \$(nproc) processors, up after \$(cut -d ' ' -f 1 \\
	    /proc/uptime) s"
	mapfile -t tests < /run/guest/tests
	if [ -n "${VERBOSE:-}" ]; then
		mkdir -p $B/test-logs
		for t in "\${tests[@]#tests/}"; do
			: > "$B/test-logs/\${t//\//.}.log"
		done
		tail -q -n +1 -F $B/test-logs/vm.*.log &
	fi
	tests/run.sh -j 1 -t 1200 "\${tests[@]}"
	echo "vm: exit status \$?"
	echo o > /proc/sysrq-trigger
	sleep 60
	EOF
}

kernel
extra
trap 'rm -rf "$run"' EXIT
release=$(ls "$vm/kernel/lib/modules")
initramfs
if [ $# = 0 ]; then
	for t in tests/vm/*.sh; do
		case $t in
		*/run.sh | */lib.sh) ;;
		*) set -- "$@" "$t" ;;
		esac
	done
fi
guest "$@"

# The console is the output; its carriage returns are not ours.
timeout "$limit" qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -m 3072 \
    -nodefaults -no-user-config -no-reboot -display none -serial stdio \
    -kernel "$vm/kernel/boot/vmlinuz-$release" -initrd "$run/initramfs.cpio" \
    -append "console=ttyS0 quiet panic=-1 rdinit=/init" \
    -fsdev "local,id=root,path=/,security_model=passthrough,readonly=on,multidevs=remap" \
    -device virtio-9p-pci,fsdev=root,mount_tag=root \
    -fsdev "local,id=guest,path=$run/guest,security_model=none,readonly=on" \
    -device virtio-9p-pci,fsdev=guest,mount_tag=guest \
    < /dev/null 2>&1 | stdbuf -o0 tr -d '\r' | tee "$run/log" ||
    echo "vm: ended by its limit of $limit s, or by itself"
status=$(sed -n 's/^vm: exit status //p' "$run/log")
[ -n "$status" ] || { echo "vm: it has not come to the end"; exit 1; }
exit "$status"
