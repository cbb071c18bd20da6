#!/bin/bash
# SPDX-License-Identifier: ISC
# What FreeBSD asks of its CARP (tests/sys/netinet/carp.sh and carp.py), asked
# of carpd.  Not expressible, since carpd does not speak VRRP: vrrp_v4, vrrp_v6
# and test_source_mac_vrrp.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

macs() {
	on c tcpdump -i eth0 -n -e -l --immediate-mode -c 4 \
	    'ip proto 112 or ip6 proto 112' 2>/dev/null | awk '{ print $2 }' |
	    sort -u | tr '\n' ' '
}

neighbour() {
	[ "$(ip -n c -j neigh show "$1" | jq -r '.[0].lladdr')" = "$2" ]
}

# The two nodes of the unicast tests, with a router between their subnets.
routed_net() {
	node r
	segment west
	segment east
	plug r west eth0 198.51.100.1/25 2001:db8:1::1/64
	plug r east eth1 198.51.100.129/25 2001:db8:2::1/64
	node w e
	plug w west eth0 198.51.100.2/25 2001:db8:1::2/64
	plug e east eth0 198.51.100.224/25 2001:db8:2::224/64
	ip -n w route add default via 198.51.100.1
	ip -n w route add default via 2001:db8:1::1
	ip -n e route add default via 198.51.100.129
	ip -n e route add default via 2001:db8:2::1
	on r tee /proc/sys/net/ipv4/ip_forward \
	    /proc/sys/net/ipv6/conf/all/forwarding >/dev/null <<< 1
}

# The router is told where the address is now, and asks there.
reach_routed() {
	local dev=eth0
	state_is e "$1" MASTER && dev=eth1
	ip -n r route replace "$2" dev "$dev"
	reach r "${2%/*}"
}

usual_net
node l
plug l lan eth0 192.0.2.3/24
routed_net
ll_a=$(ip -n a -j addr show dev eth0 | jq -r \
    '.[0].addr_info[] | select(.scope == "link").local')
ll_b=$(ip -n b -j addr show dev eth0 | jq -r \
    '.[0].addr_info[] | select(.scope == "link").local')

for n in a b; do
	conf_vhid $n eth0 1 "address = { \"$V4/24\" }"
	conf_vhid $n eth0 2 "address = { \"$V6/64\" }"
done
conf_vhid a eth0 3 'address = { "2001:db8::103/64" }' "peer = { \"$ll_b\" }"
conf_vhid b eth0 3 'address = { "2001:db8::103/64" }' "peer = { \"$ll_a\" }"
conf_vhid a eth0 4 'address = { "192.0.2.104/24" }' "preempt = true"
conf_vhid b eth0 4 'address = { "192.0.2.104/24" }' "preempt = true" \
    "advskew = 100"
for n in a b; do
	conf_vhid $n eth0 5 'address = { "2001:db8::105/64" }' \
	    "virtual-mac = true" "advskew = $([ $n = a ] && echo 0 || echo 100)"
done
conf_vhid l eth0 9 'address = { "192.0.2.109/24" }'
conf_vhid w eth0 6 'address = { "203.0.113.6/32" }' \
    'peer = { "198.51.100.224" }' "allow-foreign-subnet = true"
conf_vhid e eth0 6 'address = { "203.0.113.6/32" }' \
    'peer = { "198.51.100.2" }' "allow-foreign-subnet = true"
conf_vhid w eth0 7 'address = { "2001:db8:3::7/128" }' \
    'peer = { "2001:db8:2::224" }' "allow-foreign-subnet = true"
conf_vhid e eth0 7 'address = { "2001:db8:3::7/128" }' \
    'peer = { "2001:db8:1::2" }' "allow-foreign-subnet = true"

for n in a b l w e; do
	start $n
done

title "switch: told to be backup and master on a lone node"
check "a lone node is master" wait_for 6 state_is l 9 MASTER
check "it accepts the order to be backup" ctl l backup 9
check "it accepts the order to be master" ctl l master 9
check "it is master" wait_for 1 state_is l 9 MASTER
check "it still runs" answers l

title "basic_v4: two nodes of the same skew"
check "exactly one is master" wait_for 6 one_master 1 a b
check "the client reaches the address" reach c $V4

title "basic_v6: two nodes of the same skew"
check "exactly one is master" wait_for 6 one_master 2 a b
check "the client reaches the address" reach c $V6

title "unicast_ll_v6: link-local peers"
check "exactly one is master" wait_for 6 one_master 3 a b
check "the client reaches the address" reach c 2001:db8::103

title "unicast_v4: peers in different subnets, one ends in .224"
check "exactly one is master" wait_for 6 one_master 6 w e
check "the address is reached through the router" \
    reach_routed 6 203.0.113.6/32
conf_vhid w eth0 6 'address = { "203.0.113.6/32" }' "advskew = 50" \
    'peer = { "198.51.100.224" }' "allow-foreign-subnet = true"
check "a new advskew is taken" ctl w reload
check "the peer is kept" is "$(show w 6 '.advskew, .peers_configured[]' |
    tr '\n' ' ')" "50 198.51.100.224 "
check "there is still one master" always 3 one_master 6 w e

title "unicast_v6: peers in different subnets"
check "exactly one is master" wait_for 6 one_master 7 w e
check "the address is reached through the router" \
    reach_routed 7 2001:db8:3::7/128

title "negative_demotion: -1 on the master of a pair that preempts"
check "the faster one is master" wait_for 6 roles 4 a b
check "the master is demoted by -1" ctl a demote test -1
check "it stays the only master" always 3.5 roles 4 a b
ctl a demote test 0

title "nd6_ns_source_mac: the virtual MAC"
check "the faster one is master" wait_for 6 roles 5 a b
check "the backup cannot ping from the address" \
    not reach b 2001:db8::9 -S 2001:db8::105
check "the master can" reach a 2001:db8::9 -S 2001:db8::105
check "the client has learned the virtual MAC" \
    wait_for 3 neighbour 2001:db8::105 00:00:5e:00:01:05

title "test_source_mac: advertisements come from the virtual MAC"
for n in a b; do
	for v in 2 3 4 5; do
		conf_vhid $n eth0 $v
	done
	ctl $n reload
done
ctl l backup 9
stop l
check "00:00:5e:00:01:01 and no other" is "$(macs)" "00:00:5e:00:01:01 "

finish
