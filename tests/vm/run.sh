#!/bin/bash
# SPDX-License-Identifier: ISC
# Runs tests on the kernel of Debian 12, in a virtual machine: what needs parts
# that the kernel here may lack (SCSI and NVMe targets, device mapper, md, nfsd,
# vlan, bonding), or shall be seen on that kernel.
#	tests/vm/run.sh [TEST...]	default: tests/vm/*.sh but this one
# The machine is this one's root file system, read only, with memory above it:
# what is built and installed here is there, and nothing it writes comes back.
# Without KVM (ACCEL=kvm to use it) it is some ten times slower than this one.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=${BUILD:-build}
vm=$B/vm
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

# What it takes to mount the root file system; the rest is loaded from there.
initramfs() {
	local dir=$vm/initramfs n=0 path

	rm -rf "$dir"
	mkdir -p "$dir/modules"
	cp "$B/tests/vm/init" "$dir/init"
	depmod -b "$vm/kernel" "$release"
	while read -r _ path; do
		cp "$path" "$dir/modules/$((n++))"
	done < <(for m in virtio_pci 9p 9pnet_virtio overlay; do
		modprobe -d "$vm/kernel" -S "$release" --show-depends $m
	done | awk '!seen[$0]++')
	(cd "$dir" && find . | cpio -o -H newc 2>/dev/null) > "$vm/initramfs.cpio"
}

# What its first process does when the root file system is there.
guest() {
	local dir=$vm/guest

	rm -rf "$dir"
	mkdir -p "$dir"
	printf '%s\n' "$@" > "$dir/tests"
	cat > "$dir/guest.sh" <<-EOF
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	export HOME=/root LANG=C.UTF-8 BUILD=$B IN_VM=1
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
	echo "vm: \$(uname -r), \$(nproc) processors, up after \$(cut -d ' ' -f 1 \\
	    /proc/uptime) s"
	mapfile -t tests < /run/guest/tests
	tests/run.sh -j 1 -t 1200 "\${tests[@]}"
	echo "vm: exit status \$?"
	echo o > /proc/sysrq-trigger
	sleep 60
	EOF
}

kernel
release=$(ls "$vm/kernel/lib/modules")
initramfs
if [ $# = 0 ]; then
	for t in tests/vm/*.sh; do
		[ "$t" = tests/vm/run.sh ] || set -- "$@" "$t"
	done
fi
guest "$@"

# The console is the output; its carriage returns are not ours.
timeout "$limit" qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -m 3072 \
    -nodefaults -no-user-config -no-reboot -display none -serial stdio \
    -kernel "$vm/kernel/boot/vmlinuz-$release" -initrd "$vm/initramfs.cpio" \
    -append "console=ttyS0 quiet panic=-1 rdinit=/init" \
    -fsdev "local,id=root,path=/,security_model=passthrough,readonly=on,multidevs=remap" \
    -device virtio-9p-pci,fsdev=root,mount_tag=root \
    -fsdev "local,id=guest,path=$vm/guest,security_model=none,readonly=on" \
    -device virtio-9p-pci,fsdev=guest,mount_tag=guest \
    < /dev/null 2>&1 | stdbuf -o0 tr -d '\r' | tee "$vm/log" ||
    echo "vm: ended by its limit of $limit s, or by itself"
status=$(sed -n 's/^vm: exit status //p' "$vm/log")
[ -n "$status" ] || { echo "vm: it has not come to the end"; exit 1; }
exit "$status"
