#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `dnsmasq`, with a DHCP client: leases move with the storage, so that
# the other node gives nobody an address that is taken.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

for tool in dnsmasq udhcpc ss; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
usual_net
for n in d e; do
	node $n
	plug $n lan eth0
done
box a b
echo "192.0.2.200 storage.example" > "$SERVED/hosts"
echo "addn-hosts=$SERVED/hosts" > "$SERVED/more.conf"
usual=(INTERFACE=eth0 RANGE="192.0.2.50,192.0.2.59,1h" LEASES="$SERVED/leases"
    OPTION="3,$V4 6,$V4" CONFIG="$SERVED/more.conf")

# lease NODE: the address that it is given, and what goes with it.
cat > "$T/told" <<'EOF'
#!/bin/sh
[ "$1" = bound ] && echo "$ip router $router dns $dns"
EOF
chmod 755 "$T/told"
lease() {
	on "$1" timeout 20 udhcpc -f -q -n -t 10 -T 1 -i eth0 -s "$T/told" \
	    2>/dev/null | grep router
}

# asks ADDRESS: the name, of the server there.
asks() {
	echo "nameserver $1" > "$T/resolv.conf"
	on c unshare --mount sh -c "
		mount --bind '$T/resolv.conf' \"\$(readlink -f /etc/resolv.conf)\"
		exec getent hosts storage.example"
}

title "start, and what is offered"
check "status: it does not run" result 3 a d dnsmasq status "${usual[@]}"
check "start" result 0 a d dnsmasq start "${usual[@]}"
note "which took $TOOK s"
check "status: it runs" result 0 a d dnsmasq status "${usual[@]}"
check "start again does nothing" result 0 a d dnsmasq start "${usual[@]}"
first=$(lease d)
note "$first"
check "a client is given an address, and the virtual one as router and DNS" \
    [ "${first#192.0.2.5? }" = "router $V4 dns $V4" ]
check "the lease is on the shared storage" \
    grep -q " ${first%% *} " "$SERVED/leases"
check "a name is found" is "$(asks 192.0.2.1)" \
    "192.0.2.200     storage.example"
check "a virtual address that comes later is served" \
    ip -n a addr add $V4/24 dev eth0
check "a name is found there" wait_for 5 eval \
    '[ "$(asks $V4)" = "192.0.2.200     storage.example" ]'
ip -n a addr del $V4/24 dev eth0
check "verify: it is still there" says 1 "still runs: dnsmasq" \
    a d dnsmasq verify "${usual[@]}"
check "stop" result 0 a d dnsmasq stop "${usual[@]}"
note "which took $TOOK s"
check "stop again" result 0 a d dnsmasq stop "${usual[@]}"
check "verify: gone" result 0 a d dnsmasq verify "${usual[@]}"
check "status: it does not run" result 3 a d dnsmasq status "${usual[@]}"
check "no dnsmasq, no port" eval "not in_box a pgrep -x dnsmasq &&
    [ -z \"\$(on a ss -Hlun)\" ]"

title "the other node"
check "start" result 0 b d dnsmasq start "${usual[@]}"
check "the same client is given the same address" is "$(lease d)" "$first"
second=$(lease e)
check "another client another one" not is "${second%% *}" "${first%% *}"
in_box b pkill -KILL -x dnsmasq
check "it is killed: status says not running" \
    wait_for 2 result 3 b d dnsmasq status "${usual[@]}"
check "start" result 0 b d dnsmasq start "${usual[@]}"
check "the other client keeps its address" is "$(lease e)" "$second"
crash_box b
check "the node fails: start on the other" \
    result 0 a d dnsmasq start "${usual[@]}"
check "the client keeps its address" is "$(lease e)" "$second"
check "stop" result 0 a d dnsmasq stop "${usual[@]}"

title "mistakes"
check "no interface" says 2 "INTERFACE is missing" a x dnsmasq start
check "no file for leases" says 2 "LEASES is missing" a x dnsmasq start \
    INTERFACE=eth0 RANGE=192.0.2.50,192.0.2.60,1h
check "a range that dnsmasq refuses" says 2 "bad dhcp-range" a x dnsmasq start \
    "${usual[@]}" RANGE=192.0.2.50,x
check "something else in it" says 2 "only these characters" a x dnsmasq start \
    "${usual[@]}" RANGE='1;x'
check "the storage is not there" says 1 "is its storage there" \
    a x dnsmasq start "${usual[@]}" LEASES=/nowhere/leases
on a dnsmasq -k -C /dev/null -p 53 --bind-interfaces --listen-address=192.0.2.1 \
    -x "$T/other.pid" > "$T/other" 2>&1 &
other=$!
check "another one is there" wait_for 5 eval '[ -n "$(on a ss -Hlun)" ]'
check "start fails, with its reason" says 1 "ended while it was starting" \
    a x dnsmasq start "${usual[@]}"
kill $other
check "nothing runs after all that" result 3 a x dnsmasq status "${usual[@]}"
finish
