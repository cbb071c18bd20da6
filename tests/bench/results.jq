# SPDX-License-Identifier: ISC
# build/bench.json as a table for a text: make bench-results.

# Four digits are as many as the noise leaves.
def short: if . == null then "-"
    elif fabs >= 1000 then round
    elif fabs >= 10 then (. * 10 | round / 10)
    else (. * 100 | round / 100) end | tostring;
def value: if (.n // 0) == 0 then "-"
    elif .n == 1 then .median | short
    else "\(.median | short) (\(.min | short) to \(.max | short))" end;
def over($carpd): if (.n // 0) == 0 or ($carpd // 0) <= 0 or .median < 0
    then "" else .median / $carpd | if . >= 100 then round
    else . * 100 | round / 100 end | tostring end;

"\(.versions.carpd), \(.versions.keepalived), ucarp \(.versions.ucarp); " +
"Linux \(.kernel), \(.cores) processors; \(.hosts) hosts.\n",
"| | unit | carpd | aim | keepalived | ratio | ucarp | ratio | floor | ratio |",
"|---|---|---|---|---|---|---|---|---|---|",
(.measures[] | .daemons as $d | $d.carpd.median as $c |
    select([ $d[] | select(.n > 0) ] | length > 0) |
    "| \(.text | sub("^ +"; "... ")) | \(.unit) | \($d.carpd | value) | " +
    "\(if .at_most == null then "" else .at_most | short end)" +
    "\(if .missed then ", missed" else "" end) | " +
    ([ $d.keepalived, $d.ucarp, $d.floor |
	"\(value) | \(over($c))" ] | join(" | ")) + " |")
