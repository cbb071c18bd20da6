#!/bin/bash
# SPDX-License-Identifier: ISC
# S5: a configuration is applied whole or not at all.  Reload with every broken
# file of tests/conf/bad, unchanged, with a virtual host or an address more or less,
# with another key: nothing is lost and nothing doubled.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

command -v tcpdump >/dev/null || skip "tcpdump is not installed"
usual_net

# vhid_10 NODE ADDRESSES [LINE...]
vhid_10() {
	local node=$1 addrs=$2
	shift 2
	usual_conf "$node" "$([ "$node" = a ] && echo 0 || echo 50)" "$addrs" \
	    "$@"
}

for n in a b; do
	vhid_10 $n "\"$V4/24\", \"$V6/64\""
	conf_vhid $n eth0 20 'address = { "192.0.2.120/24" }' \
	    "advskew = $([ $n = a ] && echo 10 || echo 60)"
done

all_roles() {
	roles 10 a b && roles 20 a b
}

# What must not change: states, since when, addresses, demotion.
picture() {
	ctl a --json status | jq -c '[.hosts[] | [.interface, .vhid, .state,
	    .advskew, .installed, .addresses, .demotion]], .maintenance'
	ip -n a -j addr show dev eth0 |
	    jq -c '[.[0].addr_info[] | [.local, .prefixlen]] | sort'
}

# No advertisement of a vhid sooner than 0.9 s after the last one.
no_extra_packet() {
	awk '/vhid|vrid|CARP|VRRP/ {
		key = $2
		if (match($0, /v[hr]id [0-9]+/))
			key = key substr($0, RSTART, RLENGTH)
		if (key in last && $1 - last[key] < 0.9) {
			print; bad = 1
		}
		last[key] = $1; n++
	}
	END { exit bad || n < 4 }' "$1"
}

# Gone or come, of what we watch; renewals do not count.
touched() {
	awk -v a="$1" '/ready/ { on = 1 }
	    on && $2 == "a" && ($3 == "del" || ($3 == "add" && known[$4])) &&
	    $4 == a { print; bad = 1 }
	    $2 == "a" && $3 == "add" { known[$4] = 1 }
	    END { exit !bad }' "$T/watch"
}

start a
start b
check "a is master, b backup" wait_for 6 all_roles
# The second announcement comes with the second advertisement after the first.
wait_for 6 eval "less 2.5 \$(show a 10 .since) >/dev/null"
since_10=$(show a 10 .since) began=$(now_us)
watch_start a b
probe_start v4 c $V4
probe_start v6 c $V6
probe_start other c 192.0.2.120

title "an unchanged file"
capture c "$T/packets" 'ip proto 112 or ip6 proto 112 or
    (arp[6:2] = 1 and arp[14:4] = arp[24:4])'
before=$(picture)
for i in 1 2 3 4 5 6 7 8 9 10; do
	ctl a reload >/dev/null || fail "reload $i of the unchanged file"
	sleep 0.25
done
capture_stop
check "ten reloads change nothing" is "$(picture)" "$before"
check "no packet more than one a second and virtual host" \
    no_extra_packet "$T/packets" || cat "$T/packets"
check "nothing was announced again" not grep -q ARP "$T/packets"

title "broken files"
cp "$T/a/carpd.conf" "$T/good.conf"
n=0 bad=0 some=""
# What is as before after ten of them, is so after each, or two undo each other.
unchanged() {
	[ "$(picture)" = "$before" ] || fail "$some: something has changed"
	some=""
}
for file in "$TOP"/tests/conf/bad/*.conf; do
	[ -f "$file" ] || continue
	cat "$file" > "$T/a/carpd.conf"
	n=$((n + 1))
	some="$some ${file##*/}"
	if ctl a reload > "$T/out" 2>&1; then
		fail "${file##*/}: reload should have failed"
	elif ! grep -q '[a-z]' "$T/out"; then
		fail "${file##*/}: no reason was given"
	else
		bad=$((bad + 1))
	fi
	[ $((n % 10)) != 0 ] || unchanged
done
unchanged
note "the last one: $(head -n 1 "$T/out")"
check "each of $n is refused with a reason, and changes nothing" is $bad $n
check "they are at least 60" [ "$n" -ge 60 ]
rm "$T/a/carpd.conf"
check "so is a file that is gone" not ctl a reload 2>/dev/null
echo 'interface eth0 { vhid 10 { advskw = 7 } }' > "$T/a/carpd.conf"
kill -HUP "$(supervisor a)"
check "SIGHUP: the reason is in the log" \
    wait_for 2 grep -q advskw "$T/a/log"
check "and nothing has changed" is "$(picture)" "$before"
cp "$T/good.conf" "$T/a/carpd.conf"
check "the good file is accepted again" ctl a reload
check "and nothing has changed" is "$(picture)" "$before"
check "a is master, b backup" all_roles

title "a virtual host more"
for n in b a; do
	conf_vhid $n eth0 30 'address = { "192.0.2.130/24" }' \
	    "advskew = $([ $n = a ] && echo 0 || echo 50)"
	check "$n: it is added" ctl $n reload
done
check "it has a master and a backup" wait_for 8 one_master 30 a b
check "the others are as before" all_roles

title "an address more: first the backup, then the master"
vhid_10 b "\"$V4/24\", \"$V6/64\", \"192.0.2.111/24\""
check "the backup has it" ctl b reload
check "for 5 s: still one master" always 5 all_roles
vhid_10 a "\"$V4/24\", \"$V6/64\", \"192.0.2.111/24\""
check "the master has it" ctl a reload
check "it is there" wait_for 1 holds a 192.0.2.111
check "the client reaches it" wait_for 1 reach c 192.0.2.111
check "for 4 s: still one master" always 4 all_roles

title "and less: first the backup, then the master"
for n in b a; do
	vhid_10 $n "\"$V4/24\", \"$V6/64\""
	ctl $n reload
done
check "it is gone" wait_for 1 not holds a 192.0.2.111
check "for 4 s: still one master" always 4 all_roles

title "another key: first the backup, then the master"
for n in b a; do
	(umask 077; echo n3w > "$T/$n/key.new")
	vhid_10 $n "\"$V4/24\", \"$V6/64\"" \
	    "passphrase-file = \"$T/$n/key.new\""
	check "$n: reloaded" ctl $n reload
	check "for 4 s: still one master" always 4 all_roles
done

title "a virtual host less"
conf_vhid a eth0 30
check "it is removed from the master" ctl a reload
check "which holds the address no longer" not holds a 192.0.2.130
check "the backup takes over at once, since it said goodbye" \
    wait_for 1 state_is b 30 MASTER

title "what was lost in all this"
for p in v4 v6 other; do
	probe_stop $p
	note "$(probe_text $p)"
	check "$p: no probe was lost" is "$(probe_get $p lost)" 0
	check "$p: none was answered twice" is "$(probe_get $p twice)" 0
done
watch_stop
for addr in $V4 $V6 192.0.2.120; do
	check "$addr: never touched" not touched $addr
	check "$addr: never at both nodes (ms)" is "$(overlap $addr)" 0.000
done
check "a has been master all the time" less \
    "$(since "$began")" "$(show a 10 ".since - $since_10 + 0.5")"

finish
