#!/bin/bash
# Installs into an empty folder and builds the example program against what is
# there, with pkg-config alone; it must print its usage and find the library.
set -eu
cd "$(dirname "$0")/.."
B=${BUILD:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

make -s B="$B" install DESTDIR="$dir" PREFIX=/usr LIBDIR=/usr/lib >/dev/null
# The libraries below ours are where they always are.
PKG_CONFIG_LIBDIR=$dir/usr/lib/pkgconfig:$(pkg-config --variable pc_path \
    pkg-config)
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR=$dir
# The flags are words, so they are not quoted.  CFLAGS: the sanitizers, if the
# library has them.
# shellcheck disable=SC2046,SC2086
cc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror ${CFLAGS:-} \
    -o "$dir/example" tests/example/example.c \
    $(pkg-config --cflags --libs libcarp)
needed=$(objdump -p "$dir/example" | awk '$1 == "NEEDED" { print $2 }')
case "$needed" in
*libcarp.so.0*) ;;
*) echo "the example does not need libcarp.so.0: $needed"; exit 1 ;;
esac
out=$(LD_LIBRARY_PATH=$dir/usr/lib "$dir/example" 2>&1) && rc=0 || rc=$?
case "$rc:$out" in
2:*[Uu]sage*) ;;
*) echo "the example without arguments: exit $rc: $out"; exit 1 ;;
esac
# What libcarp(3) prints is this program.
sed -n '/^\.Bd -literal/,/^\.Ed/p' man/libcarp.3 | sed '1d;$d;s/\\e/\\/g' |
    diff - tests/example/example.c
for f in sbin/carpd sbin/carpctl share/man/man3/libcarp.3 \
    share/man/man5/carpd.conf.5 share/man/man7/carp-hooks.7 \
    share/man/man8/carpd.8 share/man/man8/carpctl.8 \
    share/man/man8/carp-fence.8 include/carp/carp.h \
    lib/libcarp.a lib/systemd/system/carpd.service \
    lib/systemd/system/carpd-failover.service sbin/carp-fence \
    lib/carpd/hooks/mount; do
	[ -s "$dir/usr/$f" ] || { echo "not installed: $f"; exit 1; }
done
for f in "$dir"/usr/lib/carpd/hooks/*; do
	[ ! -L "$f" ] || continue # to where it is not, here
	case $f in
	*.sh) [ ! -x "$f" ] || { echo "executable: $f"; exit 1; } ;;
	*) "$f" >/dev/null 2>&1 && rc=0 || rc=$?
	   [ "$rc" = 2 ] || { echo "without a verb: $f: exit $rc"; exit 1; } ;;
	esac
done
for p in carp-held carp-spare; do
	[ -x "$dir/usr/lib/carpd/$p" ] || { echo "no $p"; exit 1; }
done
[ "$(readlink "$dir/usr/lib/carpd/hooks/scsi-pr")" = /usr/sbin/carp-fence ]
"$dir/usr/sbin/carp-fence" --help >/dev/null
for p in carpd carpctl; do
	if objdump -p "$dir/usr/sbin/$p" | grep -qE 'R(UN)?PATH'; then
		echo "the installed $p has a run path"
		exit 1
	fi
	LD_LIBRARY_PATH=$dir/usr/lib "$dir/usr/sbin/$p" --help >/dev/null
done
if command -v systemd-analyze >/dev/null; then
	for u in carpd carpd-failover; do
		sed "s|^ExecStart=.*|ExecStart=$dir/usr/sbin/carpd|
		    s|^ExecReload=.*|ExecReload=$dir/usr/sbin/carpctl reload|" \
		    "$dir/usr/lib/systemd/system/$u.service" > "$dir/$u.service"
		out=$(systemd-analyze verify --man=no --recursive-errors=no \
		    "$dir/$u.service" 2>&1) && [ -z "$out" ] || {
			echo "$u.service: $out"
			exit 1
		}
	done
fi
echo "install: ok"
