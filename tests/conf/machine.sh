#!/bin/bash
# Configurations against a machine, in a network namespace of its own: which
# addresses fit the interfaces that are there.
set -u
if [ -z "${IN_NS:-}" ]; then
	how=(--net --mount --pid --fork --mount-proc)
	[ "$(id -u)" = 0 ] || how=(--user --map-root-user "${how[@]}")
	unshare "${how[@]}" true 2>/dev/null || {
		echo "skipped: no private namespaces here (unshare failed)"
		exit 77
	}
	IN_NS=1 exec unshare "${how[@]}" "$0" "$@"
fi
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
check=$top/${BUILD:-build}/tests/conf/conf_check
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
umask 077
failed=0
count=0

ip link set lo up
ip link add eth0 type veth peer name far0 && ip link set eth0 up &&
    ip link set far0 up || { echo "no veth here"; exit 77; }
ip link add eth1 type veth peer name far1 && ip link set eth1 up &&
    ip link set far1 up
ip link add bare type veth peer name far2 && ip link set bare up
ip addr add 192.0.2.1/24 dev eth0
ip addr add 2001:db8::1/64 dev eth0 nodad
ip addr add 198.51.100.1/24 dev eth1
ip addr add 198.51.100.7/24 dev eth1
ip addr add fe80::7/64 dev eth1 nodad
ip link add above link eth1 type macvlan &&
    ip addr add 10.1.0.1/24 dev above || { echo "no macvlan here"; exit 77; }
ip tuntap add dev tun7 mode tun 2>/dev/null && tunnel=1 || tunnel=0

# WHY, exit code, what the output must match ("": nothing), interface, words
# of the vhid, which is in line 2.
try() {
	local why=$1 rc=$2 want=$3 ifname=$4 words=$5 got
	printf 'interface %s {\nvhid 10 {\nkey-hex = 01\n%s\n}\n}\n' \
	    "$ifname" "$words" >x.conf
	got=$(timeout 20 "$check" x.conf 2>&1)
	if [ $? -ne "$rc" ] || ! [[ $got =~ ^$want$ ]]; then
		printf '%s: wanted %s, "%s", got:\n%s\n' "$why" "$rc" "$want" \
		    "$got"
		failed=$((failed + 1))
	fi
	count=$((count + 1))
}

try "inside the subnet" 0 "" eth0 \
    "address = { 192.0.2.10/24, 2001:db8::10/64 }"
try "the virtual MAC on a veth" 0 "" eth0 \
    $'virtual-mac = true\naddress = 192.0.2.10/24'
try "a macvlan" 0 "" above "address = 10.1.0.10/24"
try "the virtual MAC on a macvlan" 6 \
    "x.conf:2: virtual-mac = true of vhid 10: interface above is a macvlan .*" \
    above $'virtual-mac = true\naddress = 10.1.0.10/24'
try "link-local fits everywhere" 0 "" eth0 "address = fe80::10/64"
try "outside, IPv4" 6 \
    "x.conf:2: address 203.0.113.10/24 of vhid 10 is in no subnet of eth0; .*allow-foreign-subnet = true" \
    eth0 "address = 203.0.113.10/24"
try "outside, IPv6" 6 ".*2001:db8:1::10/64 .* is in no subnet of eth0; .*" \
    eth0 "address = 2001:db8:1::10/64"
try "in the subnet of another interface" 6 ".*is in no subnet of eth0.*" \
    eth0 "address = 198.51.100.10/24"
try "outside, allowed" 0 "" eth0 \
    "address = 203.0.113.10/24 allow-foreign-subnet = true"
try "no address of the family" 6 \
    "x.conf:2: address 2001:db8::10/64 of vhid 10 is in no subnet of eth1, which has no IPv6 address; .*" \
    eth1 "address = 2001:db8::10/64"
try "no address at all" 6 ".*bare, which has no IPv4 address; .*" bare \
    "address = 192.0.2.10/24"
try "no address at all, allowed" 0 "" bare \
    "address = 192.0.2.10/24 allow-foreign-subnet = true"
try "own address of the interface" 6 \
    "x.conf:2: address 192.0.2.1 of vhid 10 is an own address of this node, on eth0; .*" \
    eth0 "address = 192.0.2.1/24"
try "own address of another interface" 6 ".*own address of this node, on eth1; .*" \
    eth0 "address = 198.51.100.7/24 allow-foreign-subnet = true"
try "own IPv6 address" 6 ".*own address of this node, on eth0; .*" eth0 \
    "address = 2001:db8::1/64"
try "own link-local address" 6 ".*own address of this node, on eth1; .*" eth1 \
    "address = fe80::7/64"
try "link-local address of another interface" 0 "" eth0 \
    "address = fe80::7/64"
try "two are wrong, both told" 6 \
    ".*192.0.2.1 of .*"$'\n'".*203.0.113.10/24 of .*" eth0 \
    "address = { 192.0.2.1/24, 203.0.113.10/24 }"
try "a peer that is this node" 6 \
    "x.conf:2: peer 192.0.2.1 of vhid 10 is this node itself, on eth0; .*" \
    eth0 "address = 192.0.2.10/24 peer = { 192.0.2.1, 192.0.2.2 }"
try "an interface that may come" 0 \
    "x.conf:2: warning: interface eth7 does not exist; .*" eth7 \
    "address = 192.0.2.10/24"
try "own address, interface that may come" 6 \
    ".*warning: .*"$'\n'".*own address of this node, on eth0; .*" eth7 \
    "address = 192.0.2.1/24"
try "lo" 6 "x.conf:2: interface lo cannot carry CARP; .*" lo \
    "address = 192.0.2.10/24"
[ "$tunnel" = 1 ] &&
	try "a tunnel" 6 "x.conf:2: interface tun7 is not Ethernet .*" tun7 \
	    "address = 192.0.2.10/24 allow-foreign-subnet = true"
# What carries our tag is not the node's own.  (ip(8) of Debian 12 cannot set
# it.)
tagged() {
	python3 - "$1" "$2" <<'EOF'
import socket, struct, sys
index = socket.if_nametoindex(sys.argv[1])
ip = socket.inet_aton(sys.argv[2])
attr = b"".join(struct.pack("HH", 4 + len(v), t) + v + b"\0" * (-len(v) % 4)
    for t, v in ((1, ip), (2, ip), (11, b"\x70")))	# IFA_PROTO: 112
body = struct.pack("BBBBi", socket.AF_INET, 32, 0, 0, index) + attr
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.send(struct.pack("IHHII", 16 + len(body), 20, 0x605, 1, 0) + body)
sys.exit(struct.unpack("i", s.recv(4096)[16:20])[0] != 0)
EOF
}
tagged eth0 192.0.2.10 &&
	try "ours from before" 0 "" eth0 "address = 192.0.2.10/24"

# The programs of failover.  The directories of this machine stay as they are.
second=/usr/local/lib/carpd/hooks
hooks() {
	mount -t tmpfs none /etc && mkdir -p /etc/carpd/hooks || return
	printf '#!/bin/sh\n' | tee /etc/carpd/hooks/{own,both,bare,open} \
	    /etc/carpd/{last,closed} >/dev/null
	mkdir /etc/carpd/hooks/folder
	chmod 755 /etc/carpd/hooks/{own,both} /etc/carpd/last /etc/carpd/hooks
	chmod 775 /etc/carpd/hooks/open
}

# The other directory is where this was built for.
second_hooks() {
	strings "$check" | grep -qx "$second" &&
	    mount -t tmpfs none /usr/local/lib && mkdir -p "$second" || return
	printf '#!/bin/sh\n' | tee "$second"/{zfs,both} >/dev/null
	chmod 755 "$second/zfs" "$second"
}

# WHY, exit code, what the output must match, words of failover.
check_with=() # directories of hooks
failover() {
	local why=$1 rc=$2 want=$3 words=$4 got
	printf 'node { name = A }\nfailover {\n%s\n}\n%s\n' "$words" \
	    'interface eth0 { vhid 10 { key-hex = 01
	    address = 192.0.2.10/24 } }' >x.conf
	got=$(timeout 20 "$check" x.conf "${check_with[@]}" 2>&1)
	if [ $? -ne "$rc" ] || ! [[ $got =~ ^$want$ ]]; then
		printf '%s: wanted %s, "%s", got:\n%s\n' "$why" "$rc" "$want" \
		    "$got"
		failed=$((failed + 1))
	fi
	count=$((count + 1))
}

# The example of the manual page, with programs that have the names in it.
example() {
	local name got
	got=$(grep -l '^failover' examples/*.conf) || return
	printf 's3cret\n' >good.key
	sed -i "s|/etc/carpd/.*\.key|$work/good.key|" "$got"
	for name in scsi-pr zfs mount systemd; do
		cp -p /etc/carpd/last "/etc/carpd/hooks/$name"
	done
	timeout 20 "$check" "$got" || return
	# What becomes of it, in the line that carpd -n prints.
	[ -x "$top/${BUILD:-build}/carpd" ] || return 0
	timeout 20 "$top/${BUILD:-build}/carpd" -n -f "$got" | grep -q \
	    '^failover: node A takes over by fence disks, then storage tank, '
}

"$top/tests/conf/examples.sh" "$top/man/carpd.conf.5" examples
if hooks; then
	if second_hooks; then
		failover "both directories" 0 "" \
		    "fence a { hook = own } storage b { hook = zfs }"
		failover "the first one counts" 0 "" "service a { hook = both }"
		failover "no hook for fence none" 0 "" \
		    "fence none { } storage b { hook = zfs }"
		chmod 777 $second
		failover "directory writable by all" 6 \
		    "x.conf:3: directory $second of hook zfs can be written .*; .*" \
		    "service b { hook = zfs }"
		failover "the other directory does not matter" 0 "" \
		    "service b { hook = own }"
		chown 7 /etc/carpd/hooks/own 2>/dev/null &&
			failover "of another user" 6 ".*own of b does not belong .*" \
			    "service b { hook = own }"
	fi
	mkdir elsewhere
	cp -p /etc/carpd/last elsewhere/moved
	check_with=(/etc/carpd/hooks elsewhere)
	failover "another directory" 0 "" "service b { hook = moved }"
	failover "both are named" 6 \
	    "x.conf:3: hook nfs of b is neither in /etc/carpd/hooks nor in elsewhere; .*" \
	    "service b { hook = nfs }"
	check_with=()
	failover "no such hook" 6 \
	    "x.conf:3: hook nfs of b is neither in /etc/carpd/hooks nor in /.*/carpd/hooks; .*" \
	    "service b { hook = nfs }"
	failover "two are wrong, both told" 6 ".*hook x.*"$'\n'".*hook y.*" \
	    "service b { hook = x } service c { hook = y }"
	failover "not executable" 6 \
	    "x.conf:3: hook /etc/carpd/hooks/bare of b is not executable; run chmod \+x on it" \
	    "service b { hook = bare }"
	failover "writable by a group" 6 ".* can be written by others .*; .*" \
	    "service b { hook = open }"
	failover "a directory" 6 ".* is no regular file; .*" \
	    "service b { hook = folder }"
	chmod 777 /etc/carpd
	failover "a directory above is writable by all" 6 \
	    "x.conf:3: hook .*/both of b: /etc/carpd is writable by others: .*" \
	    "service b { hook = both }"
	failover "so for the last resort" 6 \
	    "x.conf: last-resort /etc/carpd/last: /etc/carpd is writable .*" \
	    "last-resort = /etc/carpd/last"
	chmod 1777 /etc/carpd
	failover "it is sticky" 0 "" "service b { hook = both }"
	chmod 755 /etc/carpd
	failover "last resort" 0 "" "last-resort = /etc/carpd/last"
	failover "no last resort" 6 \
	    "x.conf: last-resort /etc/carpd/none does not exist; install it" \
	    "last-resort = /etc/carpd/none"
	failover "last resort that cannot run" 6 \
	    "x.conf: last-resort /etc/carpd/closed is not executable; .*" \
	    "last-resort = /etc/carpd/closed"
	failover "interlink" 0 "" "interlink eth1 { peer = 198.51.100.2 }"
	failover "interlink that may come" 0 \
	    "x.conf: warning: interlink eth7 does not exist; .*" \
	    "interlink eth7 { peer = 198.51.100.2 }"
	failover "interlink with itself" 6 \
	    "x.conf: peer 198.51.100.1 of interlink eth1 is this node itself, on eth1; .*" \
	    "interlink eth1 { peer = 198.51.100.1 }"
	count=$((count + 1))
	got=$(example 2>&1) || {
		printf 'the example: %s\n' "$got"
		failed=$((failed + 1))
	}
else
	echo "skipped: hooks: no tmpfs can be mounted here"
fi

echo "$count checks, $failed failed"
[ "$failed" -eq 0 ]
