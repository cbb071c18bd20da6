#!/bin/bash
# SPDX-License-Identifier: ISC
# The hook fence-agent, with fence_dummy of Debian's fence-agents (whose switch
# is a file), and with an agent written here, which shows what it is told.
set -u
cd "$(dirname "$0")/.." || exit 1
hook=$PWD/pkg/hooks/fence-agent
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
mkdir "$T/state"
failed=0 checks=0
PATH=$PATH:/usr/sbin

# run CODE VERB [NAME=VALUE...]: as carpd does; its output is in $T/out.
run() {
	local want=$1 verb=$2 rc
	shift 2
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C \
	    CARPD_STATE="$T/state" CARPD_TIMEOUT=4.000 "$@" \
	    timeout -s KILL 60 setsid -w "$hook" "$verb" \
	    > "$T/out" 2>&1 < /dev/null
	rc=$?
	checks=$((checks + 1))
	if [ $rc = "$want" ]; then
		printf '  ok    %s %s: %s: %s\n' "$verb" "${*//"$T"/}" $rc \
		    "$(tail -n 1 "$T/out")"
		return
	fi
	failed=$((failed + 1))
	printf '  FAIL  %s %s: %s instead of %s\n' "$verb" "$*" $rc "$want"
	cat "$T/out"
}

holds() {
	local words=$1
	shift
	checks=$((checks + 1))
	if "$@"; then
		printf '  ok    %s\n' "$words"
	else
		failed=$((failed + 1))
		printf '  FAIL  %s\n' "$words"
	fi
}

# An agent that reads name=value lines and keeps the switch in a file.
cat > "$T/agent" <<'END'
#!/bin/sh
action= switch= how=
while IFS='=' read -r name value; do
	printf '%s=%s\n' "$name" "$value" >> "${0%/*}/told"
	case $name in
	action) action=$value ;;
	switch) switch=$value ;;
	how) how=$value ;;
	esac
done
echo "$action" >> "${0%/*}/actions"
[ "$how" != hangs ] || exec sleep 1000
case $how:$action in
broken:off) echo "no answer from the switch"; exit 1 ;;
stuck:off) exit 0 ;;
*:on | *:off) echo "$action" > "$switch" ;;
*:status)
	echo "Status: $(tr a-z A-Z < "$switch")"
	[ "$(cat "$switch")" = off ] && exit 2
	;;
esac
exit 0
END
chmod +x "$T/agent"
echo on > "$T/switch"
mine=(AGENT="$T/agent" OPT_SWITCH="$T/switch")

echo "an agent written for this test"
run 3 status "${mine[@]}"
run 0 verify "${mine[@]}"
run 0 start "${mine[@]}" CARPD_PEER=unclear
holds "the switch is off" [ "$(cat "$T/switch")" = off ]
run 0 status "${mine[@]}"
run 1 verify "${mine[@]}"
run 0 start "${mine[@]}"
holds "off once only" [ "$(grep -cx off "$T/actions")" = 1 ]
run 0 stop "${mine[@]}"
holds "never switched on" [ "$(grep -cx on "$T/actions")" = 0 ]
run 0 verify "${mine[@]}"
run 0 stop "${mine[@]}"
echo on > "$T/switch"
run 7 start "${mine[@]}" CARPD_PEER=passive
holds "a peer that stepped down is left on" [ "$(cat "$T/switch")" = on ]
run 0 start "${mine[@]}" CARPD_PEER=passive PASSIVE=off
holds "unless PASSIVE=off" [ "$(cat "$T/switch")" = off ]
run 0 stop "${mine[@]}" ON_RELEASE=yes
holds "ON_RELEASE=yes switches it on" [ "$(cat "$T/switch")" = on ]
run 1 start "${mine[@]}" OPT_HOW=broken
holds "it says what the agent said" grep -q 'no answer from the switch' \
    "$T/out"
run 1 start "${mine[@]}" OPT_HOW=stuck
holds "off is believed only if status says so" grep -q 'is not off' "$T/out"
run 3 status "${mine[@]}"
run 1 start "${mine[@]}" OPT_HOW=hangs
holds "one that hangs is ended, with a word" grep -q 'no answer within' \
    "$T/out"

echo "an agent that cannot be run ends with 2, too, as one that says off"
printf '#!/bin/sh\ncase\n' > "$T/broken"
chmod +x "$T/broken"
"$T/broken" < /dev/null 2>/dev/null
holds "it does" [ $? = 2 ]
run 1 start AGENT="$T/broken"
run 3 status AGENT="$T/broken"

echo "passwords"
printf '# comment\npassword=s3cret=x\n' > "$T/params"
chmod 644 "$T/params"
run 2 start "${mine[@]}" PARAMS="$T/params"
chmod 600 "$T/params"
run 0 start "${mine[@]}" PARAMS="$T/params" OPT_SSL_INSECURE=1
holds "the agent is told" grep -qx 'password=s3cret=x' "$T/told"
holds "names are in small letters" grep -qx 'ssl_insecure=1' "$T/told"
holds "comments are not told" eval '! grep -q comment "$T/told"'
run 0 stop "${mine[@]}"

echo "parameters"
run 2 start AGENT=
run 5 start AGENT=fence_of_nobody
run 2 start "${mine[@]}" PARAMS="$T/none"
run 2 start "${mine[@]}" ON_RELEASE=maybe
run 2 start "${mine[@]}" PASSIVE=maybe
run 2 restart "${mine[@]}"
run 2 start "${mine[@]}" CARPD_VERSION=1 PASSIV=off
holds "it says which name is wrong" grep -q 'PASSIV is no parameter' "$T/out"
run 0 verify "${mine[@]}" CARPD_VERSION=1 OPT_X=1

if command -v fence_dummy >/dev/null; then
	echo "fence_dummy of fence-agents"
	dummy=(AGENT=fence_dummy OPT_STATUS_FILE="$T/dummy")
	printf on > "$T/dummy"	# a newline it would not understand
	run 0 start "${dummy[@]}" MONITOR=yes CARPD_TIMEOUT=30
	holds "its switch is off" grep -q off "$T/dummy"
	run 0 status "${dummy[@]}" MONITOR=yes
	run 0 start "${dummy[@]}" CARPD_PEER=dead
	run 0 stop "${dummy[@]}"
	holds "it has stayed off" grep -q off "$T/dummy"
	run 0 verify "${dummy[@]}"
	run 7 start AGENT=fence_dummy OPT_TYPE=fail OPT_PLUG=1 \
	    CARPD_PEER=passive
	run 1 start AGENT=fence_dummy OPT_TYPE=fail OPT_PLUG=1 \
	    OPT_POWER_TIMEOUT=2
else
	echo "fence_dummy is not installed: only the agent written here was run"
fi

printf '\nfence-agent: %d checks, %d failed\n' $checks $failed
[ $failed = 0 ]
