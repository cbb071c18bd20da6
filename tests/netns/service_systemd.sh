#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `systemd`, with a systemd of its own as process 1 of the node.
# shellcheck source-path=SCRIPTDIR source=service/systemd.sh
. "$(dirname "$0")/service/systemd.sh"

node hub a
mkdir -p "$T/a/resources"
cat > "$T/units" <<'EOF'
unit web.service "ExecStart=/bin/sleep 1000"
unit db.service "ExecStart=/bin/sleep 2000"
unit bad.service "Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/false"
unit deaf.service "ExecStart=/bin/sleep 1000
ExecStop=/bin/sleep 1000
TimeoutStopSec=1000"
unit left.service "ExecStart=/bin/sh -c 'sleep 3000 & exec sleep 1000'
KillMode=process"
ln -s /dev/null /run/systemd/system/masked.service
EOF
boot "$T/units"

usual=(UNIT="db.service web.service")
title "two units"
check "status: they do not run" result 3 a s systemd status "${usual[@]}"
check "verify: not there" result 0 a s systemd verify "${usual[@]}"
check "start" result 0 a s systemd start "${usual[@]}"
note "which took $TOOK s"
check "both run" is "$(in_box a pgrep -c -x sleep)" 2
check "start again" result 0 a s systemd start "${usual[@]}"
check "status: they run" result 0 a s systemd status "${usual[@]}"
note "which took $TOOK s"
check "verify: still there" says 1 "db.service is still active" \
    a s systemd verify "${usual[@]}"
in_box a systemctl stop web.service
check "one is stopped: status names it" says 1 "web.service is not active" \
    a s systemd status "${usual[@]}"
check "start starts it" result 0 a s systemd start "${usual[@]}"
in_box a systemctl kill -s KILL web.service
check "one dies: status tells how" wait_for 5 says 1 \
    "web.service is failed (signal)" a s systemd status "${usual[@]}"
check "stop" result 0 a s systemd stop "${usual[@]}"
check "stop again" result 0 a s systemd stop "${usual[@]}"
check "verify: gone" result 0 a s systemd verify "${usual[@]}"
check "no process" not in_box a pgrep -x sleep

title "what goes wrong"
check "a unit that fails" says 1 "bad.service is failed (exit-code)" \
    a s systemd start UNIT=bad.service
check "no such unit" says 2 "there is no none.service" \
    a s systemd start UNIT=none.service
check "stop of no such unit" result 0 a s systemd stop UNIT=none.service
check "a masked unit" says 2 "systemctl unmask masked.service" \
    a s systemd start UNIT=masked.service
check "start" result 0 a s systemd start UNIT=deaf.service
# shellcheck disable=SC2034	# of service/lib.sh
LIMIT=2
check "one that does not stop in time" says 1 "deaf.service is deactivating" \
    a s systemd stop UNIT=deaf.service
check "the limit was kept" less "$TOOK" 2
# shellcheck disable=SC2034
LIMIT=
check "verify: still there" says 1 "still deactivating" \
    a s systemd verify UNIT=deaf.service
check "start" result 0 a s systemd start UNIT=left.service
check "its child runs" wait_for 5 eval \
    '[ -n "$(in_box a pgrep -f "sleep 3000")" ]'
check "stop" result 0 a s systemd stop UNIT=left.service
check "verify: a process that it has left is found" \
    says 1 "still runs: sleep" a s systemd verify UNIT=left.service
in_box a pkill -f "sleep 3000"
check "and when it is gone, it is gone" \
    wait_for 5 result 0 a s systemd verify UNIT=left.service
finish
