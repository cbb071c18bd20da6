#!/bin/bash
# SPDX-License-Identifier: ISC
# The control socket of a real carpd under clients that behave badly: half
# requests, garbage, too many of them, slow readers, users without rights; and
# how long a status of 2,040 virtual hosts takes.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# One that other users may run, too.
PYTHON=$(PATH=/usr/bin:$PATH command -v python3) ||
    skip "python3 is not installed"
cp "$HERE/control.py" "$T"

# cases NODE CASE...: each is a check.
cases() {
	local node=$1 name
	shift
	for name; do
		check "$name" "$PYTHON" "$T/control.py" "$T/$node/sock" "$name"
	done
}

# as_user NODE CASE...: as one who may read but not change: group root.
as_user() {
	local node=$1 name
	shift
	for name; do
		check "$name" setpriv --reuid 1 --regid 0 --clear-groups \
		    "$PYTHON" "$T/control.py" "$T/$node/sock" "$name"
	done
}

node hub a big
segment lan
plug a lan eth0 192.0.2.1/24
usual_conf a 0 '"192.0.2.100/24"' "advbase = 1"
conf_vhid a eth0 11 'address = { "192.0.2.101/24" }'
start a

title "lines"
cases a garbage no_request bytes pipeline notification long_line half \
    half_closed
title "clients"
cases a many gone storm slow_reader unfinished_is_closed
title "what they ask for"
cases a subscribe slow_subscriber force reload maintenance
title "users without rights"
if [ "$(engine_user)" = root ]; then
	note "not tried: there is only one user here"
else
	as_user a denied places_for_root
	check "nothing was changed" \
	    is "$(ctl a --json status | jq -c .demotion)" "[]"
fi
check "the engine is the same as in the beginning" \
    is "$(grep -c 'restart' "$T/a/log")" 0
check "carpd stops cleanly" stop a

title "2,040 virtual hosts"
for i in 0 1 2 3 4 5 6 7; do
	plug big lan eth$i 10.$i.0.1/16
	for v in $(seq 255); do
		printf '\t\taddress = { "10.%s.1.%s/16" }\n' "$i" "$v" \
		    > "$T/big/eth$i.$v"
	done
done
conf_write big
start big
check "all are there" is "$(ctl big --json status | jq '.hosts | length')" 2040
cases big status_time
check "and carpd stops cleanly" stop big
finish
