#!/bin/bash
# SPDX-License-Identifier: ISC
# carpd on kinds of interfaces that not every kernel has: a VLAN, a bond, a
# member of a VRF, a dummy, an ipvlan; and the virtual MAC on them.
# shellcheck source-path=SCRIPTDIR/../netns
[ -n "${IN_VM:-}" ] || { echo "skipped: for the virtual machine"; exit 77; }
. "$(dirname "$0")/../netns/lib.sh"

START_LIMIT=60 # seconds; this machine is slow

begin() {
	check "carpd on $1 answers" start "$1"
}

node hub a b c
segment lan
plug c lan eth0

# What stands in a node, whoever made it.
picture() {
	ip -n "$1" -o link | sed 's/^[0-9]*: \([^:@]*\).*/link \1/'
	ip -n "$1" -o addr | awk '{ print "addr", $2, $4 }'
	ip -n "$1" -o route show table all type local
	ip -n "$1" -o -6 route show table all type local | sed 's/ expires .*//'
	on "$1" nft list tables
}
remember() {
	local n
	for n; do
		picture "$n" > "$T/$n/before"
	done
}
nothing_left() {
	picture "$1" > "$T/$1/after"
	diff "$T/$1/before" "$T/$1/after" > "$T/$1/diff" && return
	sed 's/^/        /' "$T/$1/diff"
	return 1
}
well() { # NODE VHID: the interface is judged to be one that works
	is "$(host_get "$1" "$2" 'conditions | map(.name) | join(" ")')" "" &&
	    is "$(state_of "$1" "$2")" "$3"
}
# Since when it is what it is, in whole seconds of the machine's clock.
since_of() {
	awk -v ago="$(host_get "$1" "$2" since)" \
	    '{ printf "%d", $1 - ago + 0.5 }' /proc/uptime
}
same_since() {
	[ $(($(since_of "$1" "$2") - $3)) -le 2 ]
}

# addresses NODE INTERFACE NET: those of the node itself; NET is one number.
addresses() {
	local host
	host=$(printf '%d' "'$1")
	address "$1" "$2" "10.0.$3.$((host - 96))/24"
	address "$1" "$2" "2001:db8:$3::$((host - 96))/64"
}
reached() {
	check "the client reaches IPv4" wait_for 10 reach c "10.0.$1.100"
	check "and IPv6" wait_for 10 reach c "2001:db8:$1::100"
}

# pair_up INTERFACE NET [LINE...]: the virtual host has the number of the net.
pair_up() {
	local ifname=$1 net=$2 n
	shift 2
	remember a b
	for n in a b; do
		conf_vhid "$n" "$ifname" "$net" "$@" \
		    "address = { \"10.0.$net.100/24\", \"2001:db8:$net::100/64\" }" \
		    "advskew = $([ "$n" = a ] && echo 0 || echo 100)"
	done
	begin a
	check "a is master" wait_for 20 state_is a "$net" MASTER
	begin b
	check "b is backup" wait_for 20 state_is b "$net" BACKUP
	check "a: nothing is wrong" well a "$net" MASTER
	check "b: nothing is wrong" well b "$net" BACKUP
	reached "$net"
}
pair_moves() {
	crash a
	check "a is killed, b is master" wait_for 20 state_is b "$1" MASTER
	reached "$1"
	check "a has left nothing that answers" eval \
	    "reach c 10.0.$1.100 && client_knows b $1"
}
client_knows() { # NODE NET: who answers the client
	[ -z "${mac[$1]:-}" ] || is "${mac[$1]}" "$(ip -n c -j neigh show \
	    "10.0.$2.100" | jq -r '.[0].lladdr')"
}
# Started once more, a clears up what it left when it was killed.
pair_down() {
	local n
	begin a
	check "a is back" wait_for 20 state_is a "$2" BACKUP
	for n in b a; do
		check "$n stops" stop "$n"
		check "$n: nothing is left" nothing_left "$n"
		conf_vhid "$n" "$1" "$2"
	done
}
declare -A mac=()
learn_macs() { # INTERFACE
	local n
	for n in a b; do
		mac[$n]=$(ip -n "$n" -j link show dev "$1" | jq -r '.[0].address')
	done
}
pair() {
	learn_macs "$1"
	pair_up "$@"
	pair_moves "$2"
	pair_down "$1" "$2"
}

# One with the same number beside it, untagged, must not be mixed up with it.
case_vlan() {
	local n
	title "VLAN 7, and the same vhid beside it"
	for n in a b c; do
		[ $n = c ] || plug $n lan eth0
		ip -n $n link add vlan7 link eth0 type vlan id 7 &&
		    ip -n $n link set vlan7 up
		addresses $n vlan7 7
	done
	address a eth0 10.0.8.1/24
	conf_vhid a eth0 7 'address = { "10.0.8.100/24" }'
	pair vlan7 7
	conf_vhid a eth0 7
}

case_vlan_vmac() {
	title "the virtual MAC on a VLAN"
	mac=([a]=00:00:5e:00:01:07 [b]=00:00:5e:00:01:07)
	pair_up vlan7 7 "virtual-mac = true"
	check "b: both addresses wait" wait_for 10 eval \
	    '[ "$(host_get b 7 ready)" = 2 ]'
	pair_moves 7
	pair_down vlan7 7
}

# bond NODE: of two cables.
bond() {
	local s
	ip -n "$1" link add bond0 type bond mode active-backup miimon 100 ||
	    return
	for s in s0 s1; do
		plug "$1" lan $s
		ip -n "$1" link set $s down
		ip -n "$1" link set $s master bond0
	done
	ip -n "$1" link set bond0 up
}
active_is() {
	is "$(ip -n "$1" -d -j link show dev bond0 |
	    jq -r '.[0].linkinfo.info_data.active_slave')" "$2"
}
case_bond() {
	local n since
	title "a bond, active-backup"
	for n in a b; do
		bond $n
		addresses $n bond0 20
	done
	addresses c eth0 20
	learn_macs bond0
	pair_up bond0 20
	since=$(since_of a 20)
	ip -n a link set s1 up
	ip -n a link set bond0 type bond active_slave s1
	check "the other cable is active" wait_for 5 active_is a s1
	reached 20
	unplug a s1
	check "it is lost, the first is active" wait_for 10 active_is a s0
	reached 20
	check "a was master all the time" same_since a 20 "$since"
	unplug a s0
	check "both are lost: a is none" wait_for 10 state_is a 20 INIT
	check "b is master" wait_for 20 state_is b 20 MASTER
	reached 20
	replug a s0
	replug a s1
	check "they are back: a is backup" wait_for 20 state_is a 20 BACKUP
	ctl a master 20 > /dev/null
	check "and master" wait_for 20 roles 20 a b
	pair_moves 20
	pair_down bond0 20
}

vrf() {
	ip -n "$1" link add red type vrf table 1000 &&
	    ip -n "$1" link set red up
	plug "$1" lan eth2
	ip -n "$1" link set eth2 master red
}
# Of all tables the addresses are in that of the VRF alone.
in_vrf_alone() {
	is "$(for f in 4 6; do
		ip -n "$1" -o -$f route show table all type local |
		    sed -n "s/.*[.:]100 .* table \\([^ ]*\\).*/IPv$f \\1/p"
	done | sort -u | paste -sd ' ')" "IPv4 1000 IPv6 1000"
}

case_vrf() {
	local n
	title "a member of a VRF"
	for n in a b; do
		vrf $n
		addresses $n eth2 30
	done
	addresses c eth0 30
	learn_macs eth2
	pair_up eth2 30
	check "a: the address is in its VRF only" in_vrf_alone a
	pair_moves 30
	check "b: the address is in its VRF only" in_vrf_alone b
	pair_down eth2 30
}
case_vrf_vmac() {
	title "the virtual MAC in a VRF"
	mac=([a]=00:00:5e:00:01:1e [b]=00:00:5e:00:01:1e)
	pair_up eth2 30 "virtual-mac = true"
	check "a: the address is in its VRF only" in_vrf_alone a
	pair_moves 30
	check "b: the address is in its VRF only" in_vrf_alone b
	pair_down eth2 30
}

case_dummy() {
	title "a dummy, which carries nothing"
	ip -n a link add dm0 type dummy && ip -n a link set dm0 up
	addresses a dm0 40
	remember a
	conf_vhid a dm0 40 \
	    'address = { "10.0.40.100/24", "2001:db8:40::100/64" }'
	begin a
	check "a is master" wait_for 20 state_is a 40 MASTER
	check "nothing is wrong" well a 40 MASTER
	check "IPv4 is there" wait_for 10 reach a 10.0.40.100
	check "and IPv6" wait_for 10 reach a 2001:db8:40::100
	check "a stops" stop a
	check "nothing is left" nothing_left a
	conf_vhid a dm0 40
}

# above KIND [ARGUMENT...]: a link of that kind, on a card of its own.
above() {
	local n
	for n in a b; do
		plug $n lan "under$1"
		ip -n $n link add "$1" link "under$1" type "$@" &&
		    ip -n $n link set "$1" up
	done
}
case_macvlan() {
	title "a macvlan"
	above macvlan mode bridge
	addresses a macvlan 50
	addresses b macvlan 50
	addresses c eth0 50
	pair macvlan 50
}
case_ipvlan() {
	title "an ipvlan"
	above ipvlan mode l2
	addresses a ipvlan 60
	addresses b ipvlan 60
	addresses c eth0 60
	pair ipvlan 60
}
# refuses INTERFACE NET: a virtual MAC there, and says why.
refuses() {
	remember a
	conf_vhid a "$1" "$2" "virtual-mac = true" \
	    "address = { \"10.0.$2.100/24\", \"2001:db8:$2::100/64\" }"
	check "carpd does not start" not on a timeout 30 "$CARPD" \
	    -f "$T/a/carpd.conf" -s "$T/a/sock" -S "$T/a/state" 2> "$T/said"
	check "it says why" grep -q "interface $1 is a .* cannot carry it" \
	    "$T/said" || sed 's/^/        /' "$T/said"
	check "nothing is left" nothing_left a
	conf_vhid a "$1" "$2"
}
case_refused() {
	local kind
	for kind in macvlan ipvlan; do
		title "the virtual MAC on this $kind is refused"
		refuses $kind "$([ $kind = macvlan ] && echo 50 || echo 60)"
	done
}

for c in ${CASES:-vlan vlan_vmac bond vrf vrf_vmac dummy macvlan ipvlan \
    refused}; do
	since=$SECONDS
	"case_$c"
	note "took $((SECONDS - since)) s"
done
finish
