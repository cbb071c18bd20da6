#!/bin/bash
# SPDX-License-Identifier: ISC
# What NetBSD asks of its CARP (tests/net/carp/t_basic.sh), asked of carpd:
# carp_handover_halt, carp_handover_ifdown and the two of IPv6, each pair at
# once.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

V4=10.1.1.100
V6=fd00:1::100

node hub a b c
segment lan
plug a lan eth0 10.1.1.1/24 fd00:1::1/64
plug b lan eth0 10.1.1.2/24 fd00:1::2/64
plug c lan eth0 10.1.1.9/24 fd00:1::9/64
for n in a b; do
	skew=$([ $n = a ] && echo 0 || echo 200)
	conf_vhid $n eth0 175 "address = { \"$V4/24\" }" "advskew = $skew"
	conf_vhid $n eth0 176 "address = { \"$V6/64\" }" "advskew = $skew"
done

# Five tries of a second each, as the original does.
within_5_tries() {
	local i
	for i in 1 2 3 4 5; do
		reach c "$1" && note "answered at try $i" && return
	done
	return 1
}

before() {
	check "IPv4: master and backup within 4 s" wait_for 4.5 roles 175 a b
	check "IPv6: master and backup within 4 s" wait_for 4.5 roles 176 a b
	check "IPv4: the address is reached" reach c $V4
	check "IPv6: the address is reached" reach c $V6
}

after() {
	check "IPv4: the address is back within 5 tries" within_5_tries $V4
	check "IPv6: the address is back within 5 tries" within_5_tries $V6
	# The kernel of a node whose carpd is dead answers for up to 2 s more.
	check "IPv4: the backup is master now" \
	    wait_for 4 state_is b 175 MASTER
	check "IPv6: the backup is master now" \
	    wait_for 4 state_is b 176 MASTER
	check "IPv4: and answers" reach c $V4
	check "IPv6: and answers" reach c $V6
}

title "carp_handover_halt, carp6_handover_halt: the master is killed"
start a
start b
before
crash a
after
check "the backup stops cleanly" stop b

title "carp_handover_ifdown, carp6_handover_ifdown: the master is set down"
start a
start b
before
ip -n a link set eth0 down
after
check "the old master has no state to speak of" \
    wait_for 1 state_is a 175 INIT

finish
