#!/bin/bash
# SPDX-License-Identifier: ISC
# Storage failover with real parts: reservations on a tgt, ext4 with MMP, an
# iSCSI target on the virtual address, and a client that counts what is lost.
# At the end a control: without fence, MMP and write-through it has to lose.
#
# The observer sees each file system as long as the kernel has it, in whichever
# mount namespace, once a millisecond.  It does not see a write to the disk past
# the file system; nor do reservations stop one here, for a loop device knows
# none: it is the last resort that does.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../storage/nodes.sh"

usual_pair

# scene NODE: who has to serve; what the client and the observer say of it.
scene() {
	check "${1^} serves" wait_for 20 serves "$1"
	check "nothing acknowledged is lost, never two had the disk" watched_end
	note "$(client_text)"
	note "observer: $(tail -n 1 "$T/observed")"
	timeline
}

# back NODE: it is switched on again, and is BACKUP.
back() {
	restart "$1"
	check "${1^} is back as BACKUP" wait_for 10 role_is "$1" BACKUP
}

resorted() {
	[ -s "$T/$1/resort" ]
}

title "two nodes start"
boot a
boot b
run a
run b
check "A serves" wait_for 10 serves a
check "its key is on the disk" is "$(key_holder)" a

title "planned: become_passive"
watched ctl a failover become_passive --yes
scene b
check "B has reserved the disk" is "$(key_holder)" b

title "the active node is switched off, with everything in it"
watched power_off b
scene a
check "B had not left: its MMP block had to be cleared" grep -q \
    "MMP block of .* cleared" "$T/a/log"
back b

title "an export that hangs: the last resort"
hang a
watched ctl a failover become_passive --yes
scene b
check "it was called" resorted a
note "$(cat "$T/a/resort")"
check "A is off" is_off a
back a

title "the reservation is stolen"
watched steal
scene a
check "the last resort was called" resorted b
note "$(cat "$T/b/resort")"
check "because the fence was lost" grep -q "fence" "$T/b/resort"
back b

title "both are stopped: the file system is whole"
for n in b a; do
	check "carpd on ${n^} ends" end $n
done
check "e2fsck finds nothing" whole
check "nothing is left on the disk" is "$(key_holder)" ""

# control: on a new file system, and new nodes.  A sync(2) of anybody on the
# machine writes out what A has in its cache, and nothing is lost: so it is
# tried three times.
control() {
	local n
	for n in a b; do
		power_off $n
		wait "${PID[unshare.$n]}" 2>/dev/null
	done
	rm "$T/image"
	disk_make
	for n in a b; do
		boot $n
		run $n
	done
	wait_for 10 serves a || return 1
	watched freeze a
	wait_for 20 serves b || return 1
	watched_end
	note "$(client_text); two had it for $(both_ms) ms"
	[ "$(client_get lost)" -gt 0 ]
}

title "control: no fence, no MMP, a write cache; A hangs and B takes over"
for n in a b; do
	storage_conf $n "none { }" "$(ext4_set wait)" WRITE_CACHE=on
done
check "the client has lost what it was told is written" \
    eval 'control || control || control'
check "the observer has seen two at once" less 0 "$(both_ms)"

finish
