#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook `ocf` with agents of Debian's resource-agents as they are: Dummy,
# Filesystem on a loop device, anything, nginx and IPaddr2.
# shellcheck source-path=SCRIPTDIR source=service/lib.sh
. "$(dirname "$0")/service/lib.sh"

[ -d /usr/lib/ocf/resource.d/heartbeat ] ||
    skip "resource-agents is not installed"
usual_net
box a
LOOP=
trap '[ -z "$LOOP" ] || losetup -d "$LOOP"' EXIT

# whole_life WORDS RESOURCE NAME=VALUE...: all verbs, in the order in which
# they come.
whole_life() {
	local words=$1 resource=$2
	shift 2
	title "$words"
	check "status: it does not run" result 3 a "$resource" ocf status "$@"
	check "verify: it is not there" result 0 a "$resource" ocf verify "$@"
	check "stop of what does not run" result 0 a "$resource" ocf stop "$@"
	check "start" result 0 a "$resource" ocf start "$@"
	note "which took $TOOK s"
	check "start again" result 0 a "$resource" ocf start "$@"
	check "status: it runs" result 0 a "$resource" ocf status "$@"
	note "which took $TOOK s"
	check "verify: it is still there" \
	    says 1 "still runs" a "$resource" ocf verify "$@"
	[ -z "${MEANWHILE:-}" ] || $MEANWHILE
	check "stop" result 0 a "$resource" ocf stop "$@"
	check "verify: gone" result 0 a "$resource" ocf verify "$@"
	check "status: it does not run" result 3 a "$resource" ocf status "$@"
}

whole_life "Dummy" dummy AGENT=heartbeat:Dummy P_STATE="$T/dummy"

title "the passphrase is not for agents, nor for whoever they leave running"
mkdir -p "$T/ocf/resource.d/heartbeat"
sed 's|^dummy_start() {|&\nls -l /proc/self/fd > "$OCF_RESKEY_state.fds"|' \
    /usr/lib/ocf/resource.d/heartbeat/Dummy \
    > "$T/ocf/resource.d/heartbeat/Dummy"
chmod 755 "$T/ocf/resource.d/heartbeat/Dummy"
ln -s /usr/lib/ocf/lib "$T/ocf/lib"
echo "s3cret" > "$T/passphrase"
exec 5< "$T/passphrase"
own=(AGENT=Dummy OCF_ROOT="$T/ocf" P_STATE="$T/dummy")
check "start" result 0 a pw ocf start CARPD_SECRET_FD=5 "${own[@]}"
exec 5<&-
check "the agent has told what it has open" grep -q " 1 ->" "$T/dummy.fds"
check "not that" not grep -q passphrase "$T/dummy.fds"
check "stop" result 0 a pw ocf stop "${own[@]}"

title "parameters of an agent"
check "a state file was where P_STATE said" \
    result 0 a dummy ocf start AGENT=Dummy P_STATE="$T/here"
check "as the agent spells it" [ -e "$T/here" ]
hook a dummy ocf stop AGENT=Dummy P_STATE="$T/here"
check "one that it does not know is refused, and the others are named" \
    says 2 "P_STAT: it knows no such parameter, but: state fake" \
    a dummy ocf start AGENT=Dummy P_STAT=/x
check "one that it needs is asked for" says 2 "P_BINFILE is missing" \
    a any ocf start AGENT=anything
check "what validate-all refuses" says 2 "validate-all" a dummy ocf start \
    AGENT=Dummy P_STATE=/nowhere/x
check "its own reason is told" says 2 "is not writable" a dummy ocf start \
    AGENT=Dummy P_STATE=/nowhere/x
check "no agent" says 2 "AGENT is missing" a dummy ocf start
check "a bad name" says 2 "write PROVIDER:NAME" a dummy ocf start \
    AGENT=../../../bin/sh
check "an agent that is not there" says 5 "there is no" a dummy ocf start \
    AGENT=heartbeat:Nothing
check "no agents at all" says 5 "apt-get install resource-agents" \
    a dummy ocf start AGENT=Dummy OCF_ROOT=/nowhere

title "the descriptions of all agents that are installed"
agents=0 odd=
for file in /usr/lib/ocf/resource.d/heartbeat/*; do
	agents=$((agents + 1))
	hook a all ocf status AGENT="${file##*/}" P_NO_SUCH_NAME=x
	[ $? = 2 ] && [[ $REASON == *"it knows no such parameter, but: "?* ]] ||
	    odd="$odd ${file##*/}: $REASON"
done
note "$agents agents"
check "of each the parameters are known" is "$odd" ""

# A real provider of our own, for what no Debian agent does on demand.
mkdir -p "$T/ocf/resource.d/heartbeat" "$T/ocf/resource.d/test"
cat > "$T/ocf/resource.d/test/codes" <<'EOF'
#!/bin/sh
case $1 in
meta-data) cat <<'END'
<?xml version="1.0"?>
<resource-agent name="codes" version="1.0">
<parameters>
<parameter name="InstanceName" unique="1"><content type="string"/></parameter>
</parameters>
<actions><action name="start" timeout="20s"/></actions>
</resource-agent>
END
	exit 0 ;;
esac
env | grep -E '^(OCF_|HA_)' | sort > "${0%/*}/env"
[ ! -e "${0%/*}/hang" ] || exec sleep 60
echo "said in passing"
echo "ocf-exit-reason:the reason" >&2
read -r code < "${0%/*}/$1" || exit 3
exit "$code"
EOF
chmod 755 "$T/ocf/resource.d/test/codes"
codes=(OCF_ROOT="$T/ocf" AGENT=test:codes)
code() {
	echo "$2" > "$T/ocf/resource.d/test/$1"
}
title "exit statuses"
code start 0
code stop 0
for row in 0:0 7:3 8:0 1:1 2:2 3:1 4:1 5:5 6:2 9:1; do
	code monitor ${row%:*}
	check "status: monitor's ${row%:*} is ${row#*:}" \
	    result ${row#*:} a codes ocf status "${codes[@]}"
done
check "with the agent's reason" says 1 "the reason" a codes ocf status \
    "${codes[@]}"
for row in 0:1 7:0 8:1 1:4 5:4; do
	code monitor ${row%:*}
	check "verify: monitor's ${row%:*} is ${row#*:}" \
	    result ${row#*:} a codes ocf verify "${codes[@]}"
done
code monitor 7
for row in 1:1 2:2 5:5 6:2; do
	code start ${row%:*}
	check "start's ${row%:*} is ${row#*:}" \
	    result ${row#*:} a codes ocf start "${codes[@]}"
done
code start 0
check "a start after which monitor does not find it has failed" \
    says 1 "monitor after start" a codes ocf start "${codes[@]}"
code stop 1
check "a stop that fails, but monitor finds nothing: stopped" \
    result 0 a codes ocf stop "${codes[@]}"
code monitor 0
check "a stop that fails" says 1 "the reason" a codes ocf stop "${codes[@]}"
code monitor 7
code stop 0
check "parameters: as the agent spells them" result 0 a codes ocf stop \
    "${codes[@]}" P_INSTANCENAME="a b"
check "in capitals and small letters" \
    grep -qx "OCF_RESKEY_InstanceName=a b" "$T/ocf/resource.d/test/env"
for name in OCF_ROOT OCF_RESOURCE_INSTANCE=codes OCF_RESOURCE_TYPE=codes \
    OCF_RESOURCE_PROVIDER=test OCF_RA_VERSION_MAJOR=1 OCF_CHECK_LEVEL=0 \
    OCF_RESKEY_CRM_meta_timeout HA_RSCTMP; do
	check "it is told $name" grep -q "^$name" "$T/ocf/resource.d/test/env"
done
touch "$T/ocf/resource.d/test/hang"
LIMIT=2
check "one that hangs" says 1 "not done within" a codes ocf stop "${codes[@]}"
check "is ended before the limit" less "$TOOK" 2
LIMIT=

mounted() {
	check "it is mounted, and can be written to" \
	    in_box a touch "$T/mnt/file"
}
truncate -s 64M "$T/image"
LOOP=$(losetup -f --show "$T/image" 2>/dev/null) || LOOP=
if [ -n "$LOOP" ] && mkfs.ext4 -q "$LOOP" && mkdir "$T/mnt"; then
	MEANWHILE=mounted
	whole_life "Filesystem: ext4 on a loop device" fs AGENT=Filesystem \
	    P_DEVICE="$LOOP" P_DIRECTORY="$T/mnt" P_FSTYPE=ext4
	MEANWHILE=
	check "nothing is mounted there any more" \
	    not in_box a mountpoint -q "$T/mnt"
else
	note "Filesystem: no loop device here"
fi

whole_life "anything" any AGENT=anything P_BINFILE=/bin/sleep \
    P_CMDLINE_OPTIONS=1000 P_PIDFILE="$T/any.pid" P_LOGFILE=/dev/null

answered() {
	check "it answers" wait_for 5 is "$(on c curl -s http://192.0.2.1:8080/x)" \
	    "from nginx"
}
if command -v nginx >/dev/null && command -v curl >/dev/null; then
	cat > "$T/nginx.conf" <<-EOF
	pid $T/nginx.pid;
	error_log $T/nginx.log;
	events {}
	http {
		access_log off;
		server {
			listen 8080;
			location / { return 200 "from nginx"; }
		}
	}
	EOF
	MEANWHILE=answered
	whole_life "nginx" web AGENT=nginx P_CONFIGFILE="$T/nginx.conf" \
	    P_STATUS10URL=http://127.0.0.1:8080/ P_STATUS10REGEX=nginx
	MEANWHILE=
else
	note "nginx: it is not installed, or curl is not"
fi

there() {
	check "the client reaches it" reach c 192.0.2.150
}
MEANWHILE=there
whole_life "IPaddr2" ip AGENT=IPaddr2 P_IP=192.0.2.150 P_CIDR_NETMASK=24 \
    P_NIC=eth0
finish
