#!/bin/bash
# Configuration files and what is said about them: each NAME.conf in bad/ and
# good/ has a NAME.out with the messages, what was read, and the exit code.
#   tests/conf/run.sh [--update]	writes the .out files anew; read the diff!
#
# Files are copied to a folder of their own and given the mode 600, since those
# with key-hex must not be readable by others, and git keeps no modes.  For the
# same reason the key files are made here, in keys/ beside bad/ and good/.
# Every file in bad/ is broken wherever it is: without keys/ even more so.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
here=$top/tests/conf
dump=$top/${BUILD:-build}/tests/conf/conf_dump
update=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077
failed=0
count=0

keys() {
	mkdir keys keys/directory.key
	printf 's3cret\n' >keys/good.key
	printf 's3cret' >keys/no-newline.key
	printf 'nineteen bytes long' >keys/nineteen.key
	printf 'twenty bytes long ok' >keys/too-long.key
	printf 's3cret\n' >keys/open.key
	printf 's3cret\n' >keys/group-writable.key
	printf 's3cret\n' >keys/group-readable.key
	: >keys/empty.key
	printf '\n' >keys/empty-line.key
	printf 's3\0cret\n' >keys/nul.key
	printf 's3cret\nmore\n' >keys/two-lines.key
	printf 's3cret\r\n' >keys/carriage-return.key
	mkfifo keys/fifo.key
	chmod 604 keys/open.key
	chmod 620 keys/group-writable.key
	chmod 640 keys/group-readable.key
}

# The output of one file, as it is to be, and as it is.
compare() {
	local name=$1 want=$here/$1.out rc
	timeout 20 "$dump" "$name.conf" >"$name.got" 2>&1
	rc=$?
	echo "exit $rc" >>"$name.got"
	count=$((count + 1))
	if [ "$update" = --update ]; then
		cat "$name.got" >"$want"
	elif ! diff -u "$want" "$name.got"; then
		failed=$((failed + 1))
	fi
	case $name:$rc in
	bad/*:[1-6] | good/*:0) ;;
	*)	echo "$name: exit $rc"
		failed=$((failed + 1)) ;;
	esac
}

# A command, the exit code and one line that it must print.
expect() {
	local rc=$1 line=$2 got
	shift 2
	got=$(timeout 20 "$dump" "$@" 2>&1)
	if [ $? -ne "$rc" ] || [ "${got%%$'\n'*}" != "$line" ]; then
		printf '%s: wanted %s, "%s", got:\n%s\n' "$*" "$rc" "$line" \
		    "$got"
		failed=$((failed + 1))
	fi
	count=$((count + 1))
}

# Each line says where and what, and after a semicolon what to do.
check_form() {
	local lines
	lines=$(cat bad/*.got | grep -v '^exit ' |
	    grep -vE '^bad/[a-z0-9-]+\.conf(:[0-9]+)?: .+; .+')
	[ -z "$lines" ] && return
	printf 'not of the form FILE:LINE: what; what to do:\n%s\n' "$lines"
	failed=$((failed + 1))
}

# What cannot be kept in git: by mode, kind and size.
special() {
	local file
	cp good/one-address.conf open.conf
	chmod 644 open.conf
	expect 5 "open.conf:5: key-hex is in a file that others can read; run chmod 600 on it, and take a new key" open.conf
	chmod 602 open.conf
	expect 5 "open.conf: anybody can write into this file; run chmod o-w on it, and look at what it says" open.conf
	expect 3 "none.conf: No such file or directory; write it (carpd.conf(5) has examples), or name another with -f" none.conf
	mkdir dir.conf
	expect 3 "dir.conf: is a directory; name the file in it" dir.conf
	mkfifo fifo.conf
	expect 3 "fifo.conf: is not a regular file; copy it into one" fifo.conf
	head -c 1048577 /dev/zero | tr '\0' '#' >huge.conf
	expect 3 "huge.conf: has more than 1 MiB; is this a configuration file at all?" huge.conf
	file=$(printf 'd%.0s' {1..256})
	expect 3 "$file: the path is longer than 255 bytes; shorten it" "$file"
	cp good/one-address.conf closed.conf
	chmod 000 closed.conf
	[ -r closed.conf ] ||
	    expect 3 "closed.conf: cannot be read: Permission denied; check its path and permissions" closed.conf
}

# Speed: all that eight interfaces can have, and files made to be slow.
slow() {
	local rc=$1 limit=$2 file=$3 took
	took=$("$dump" -t "$file" 2>&1)
	[ $? -eq "$rc" ] || { echo "$file: $took"; failed=$((failed + 1)); }
	took=${took##*$'\n'}
	echo "$file: $took"
	[ "${took% ms}" -lt "$limit" ] || failed=$((failed + 1))
	count=$((count + 1))
}

large() {
	awk 'BEGIN { for (i = 0; i < 8; i++) {
		printf "interface eth%d {\n", i
		for (v = 1; v < 256; v++)
			printf "vhid %d { address = { 10.%d.%d.1/16, " \
			    "2001:db8:%d:%d::1/64 }\nkey-hex = 01 }\n",
			    v, i, v, i, v
		print "}" } }' >large.conf
	slow 0 2000 large.conf
	awk 'BEGIN { for (i = 0; i < 150000; i++) print "a=1" }' >words.conf
	slow 4 5000 words.conf
	awk 'BEGIN { print "interface eth0 {\nvhid 1 {\nkey-hex = 01"
		printf "digest-address = {"
		for (i = 0; i < 4096; i++)
			printf "10.%d.%d.1,\n", i / 256, i % 256
		print "}\naddress = 10.0.0.1/8 }\n}" }' >digests.conf
	slow 0 2000 digests.conf
}

# The complete files in the manual page, and that of two controllers in README.
examples() {
	[ -f "$top/man/carpd.conf.5" ] || return
	"$here/examples.sh" "$top/man/carpd.conf.5" examples
	local f got
	sed -n '/^    node { name = A }/,/^    }$/p; /^    failover {/,/^    }$/p' \
	    "$top/README.md" | sed 's/^    //' >examples/readme.conf
	grep -q "^failover" examples/readme.conf || failed=$((failed + 1))
	for f in examples/*.conf; do
		count=$((count + 1))
		# Their keys are where they belong on a real machine.
		sed -i "s|/etc/carpd/.*\.key|$work/keys/good.key|" "$f"
		got=$("$dump" "$f") && continue
		printf '%s\n' "$got"
		failed=$((failed + 1))
	done
}

cp -r "$here/bad" "$here/good" "$work/"
cd "$work" || exit 1
chmod 600 bad/* good/*
keys
for file in bad/*.conf good/*.conf; do
	compare "${file%.conf}"
done
check_form
special
large
examples
echo "$count configurations, $failed wrong"
[ "$failed" -eq 0 ]
