#!/bin/bash
# SPDX-License-Identifier: ISC
# The units as they are installed, under a real systemd: readiness, reload,
# crashes of either process, stop; and in failover mode that file systems which
# hooks mount are there for everybody, and outlive a crash.
# shellcheck source-path=SCRIPTDIR source=service/systemd.sh
. "$(dirname "$0")/service/systemd.sh"

make -s -C "$TOP" install "B=$BUILD" PREFIX=/usr "DESTDIR=$T/inst" \
    >/dev/null 2>&1 || skip "make install fails: run make check-install"
cp -a /etc "$T/etc" && mount --bind "$T/etc" /etc &&
    mount -t overlay overlay -o "lowerdir=$T/inst/usr:/usr" /usr ||
    skip "no overlay file system here"
mkdir -p /etc/carpd/hooks
grep -q '^carpd:' /etc/group || echo 'carpd:x:64999:' >> /etc/group
grep -q '^carpd:' /etc/passwd ||
    echo 'carpd:x:64999:64999::/:/usr/sbin/nologin' >> /etc/passwd

node hub a
segment lan
plug a lan eth0 192.0.2.1/24
(umask 077; echo s3cret > /etc/carpd/key)
cat > /etc/carpd/carpd.conf <<END
node { name = A }
interface eth0 {
	critical = true
	vhid 10 {
		address         = $V4/24
		passphrase-file = /etc/carpd/key
	}
}
END
install -d /etc/carpd/notify.d
printf '#!/bin/sh\necho "$$ $2" >> /run/told\n' > /etc/carpd/notify.d/tell
chmod 755 /etc/carpd/notify.d/tell
cat > "$T/units" <<'END'
for u in carpd carpd-failover; do
	ln -s /usr/lib/systemd/system/$u.service /run/systemd/system/
	mkdir /run/systemd/system/$u.service.d
	# Nothing of a whole machine is to be started for it.
	printf '[Unit]\nDefaultDependencies=no\n' \
	    > /run/systemd/system/$u.service.d/test.conf
done
END
boot "$T/units"

systemctl() {
	in_box a systemctl "$@"
}

active() {
	[ "$(systemctl is-active "$1" 2>/dev/null)" = active ]
}

main_pid() {
	systemctl show -p MainPID --value "$1"
}

# carpctl as an administrator has it.
asked() {
	in_box a carpctl "$@"
}

new_main() {
	local p
	p=$(main_pid "$1") && [ "$p" -gt 0 ] && [ "$p" != "$2" ]
}

title "carpd.service"
check "it starts and says that it is ready" systemctl start carpd.service
active carpd.service || { systemctl status carpd.service; finish; exit; }
check "the address comes" wait_for 6 holds a "$V4"
check "carpctl reaches it" asked version
p=$(main_pid carpd.service)
e=$(in_box a pgrep -P "$p" carpd-engine)
check "the engine is another user" is \
    "$(in_box a stat -c %U "/proc/$e")" carpd
ready() {
	in_box a pgrep -P "$p" carp-spare >/dev/null
}
check "a process is ready to become a hook" wait_for 10 ready
ready=$(in_box a pgrep -P "$p" carp-spare)
check "backup, by order" asked backup 10
check "its hook was that process" wait_for 5 eval \
    "in_box a cat /run/told | grep -q '^$ready BACKUP$'"
check "the address comes back" wait_for 10 holds a "$V4"
check "reload" systemctl reload carpd.service
check "it goes on" active carpd.service
in_box a kill -KILL "$e"
check "the engine is killed: the unit goes on" wait_for 2 active carpd.service
check "the address is there again" wait_for 8 holds a "$V4"
check "it is the same supervisor" is "$(main_pid carpd.service)" "$p"
in_box a kill -KILL "$p"
check "the supervisor is killed: systemd starts another" \
    wait_for 10 new_main carpd.service "$p"
check "which gets ready" wait_for 10 active carpd.service
check "the address is there again" wait_for 10 holds a "$V4"
check "stop" systemctl stop carpd.service
check "the address is gone" not holds a "$V4"
check "the result is success" is \
    "$(systemctl show -p Result --value carpd.service)" success

title "carpd-failover.service"
cat > /etc/carpd/hooks/tank <<'END'
#!/bin/sh
dir=/run/tank
here() {
	mountpoint -q $dir
}
case $1 in
start)	mkdir -p $dir; here || mount -t tmpfs tank $dir ;;
stop)	! here || umount $dir ;;
status)	here || exit 3 ;;
verify)	! here ;;
esac
END
chmod 755 /etc/carpd/hooks/tank
cat >> /etc/carpd/carpd.conf <<'END'
failover {
	fence none { }
	storage tank { hook = tank }
	service web {
		hook = command
		set  = { START_DAEMON="/bin/sleep 4000" }
	}
}
END
mounted() {
	in_box a mountpoint -q /run/tank
}
check "it starts" systemctl start carpd-failover.service
check "the address comes" wait_for 8 holds a "$V4"
check "MASTER" wait_for 5 eval '[ "$(asked failover status)" = MASTER ]'
check "what its hook has mounted is there for everybody" mounted
check "the service runs" in_box a pgrep -c -f "sleep 4000"
p=$(main_pid carpd-failover.service)
in_box a kill -KILL "$p"
check "crash of carpd: what was mounted stays" mounted
check "systemd starts another" wait_for 10 new_main carpd-failover.service "$p"
check "which takes it down in order, and is MASTER again" wait_for 20 eval \
    '[ "$(asked failover status)" = MASTER ]'
check "with the file system" mounted
check "stop" systemctl stop carpd-failover.service
check "steps down: nothing is mounted" not mounted
check "no service runs" not in_box a pgrep -f "sleep 4000"
check "the address is gone" not holds a "$V4"
finish
