# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# What the tests of failover mode share: nodes whose fence, storage and service
# are hooks that keep a diary of what they did and when.
# shellcheck source=../lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034	# variables are for the tests

# Hooks are looked for in /etc/carpd: one of our own.
cp -a /etc "$T/etc" && mount --bind "$T/etc" /etc || skip "no private /etc"
mkdir -p /etc/carpd/hooks "$T/world"

# What a hook does to the world: $T/world/RESOURCE.NODE is there while it is up.
# $T/NODE.RESOURCE.VERB, if it is there, is what to do instead.  A fence that
# the other node holds is taken only from one that is known to be dead or down.
cat > /etc/carpd/hooks/diary <<END
#!/bin/sh
read -r now rest < /proc/uptime
up=$T/world/\$CARPD_RESOURCE.\$CARPD_NODE
other=$T/world/\$CARPD_RESOURCE.\$([ \$CARPD_NODE = A ] && echo B || echo A)
echo "\$CARPD_NODE \$CARPD_RESOURCE \$1 \$CARPD_MODE \$CARPD_PEER \$now" \
    >> $T/diary
instead=$T/\$CARPD_NODE.\$CARPD_RESOURCE.\$1
[ -f "\$instead" ] && . "\$instead"
case \$1 in
start)	if [ \$CARPD_PHASE != service ] && [ -e "\$other" ]; then
		[ \$CARPD_PHASE = storage ] && echo "\$now" >> $T/violations
		[ \$CARPD_PEER = unclear ] && echo "the peer is alive" && exit 6
		rm -f "\$other"
	fi
	touch "\$up" ;;
stop)	rm -f "\$up" ;;
status)	[ -e "\$up" ] || exit 3 ;;
verify)	! [ -e "\$up" ] || { echo "it is still there"; exit 1; } ;;
esac
END
cat > /etc/carpd/hooks/resort <<END
#!/bin/sh
echo "\$*" >> $T/resort
END
chmod 755 /etc/carpd/hooks/*

# What failover_conf() writes; a test changes it before.
# "INTERFACE VHID ADDRESS [WORD = VALUE...]": the words are of the interface.
LINKS=("eth0 10 $V4 critical = true")
NODE_WORDS=() FAILOVER_WORDS=() NOTIFY_DIR=
RESOURCES=('fence disks { hook = diary }' 'storage tank { hook = diary }'
    'service web { hook = diary  critical = true }')

# failover_conf NODE NAME SKEW
failover_conf() {
	local dir=$T/$1 name=$2 skew=$3 ifname vhid addr words link
	mkdir -p "$dir"
	[ -f "$dir/key" ] || (umask 077; echo s3cret > "$dir/key")
	{
		printf 'node {\n\tname = %s\n\tuser = "%s"\n' "$name" \
		    "$(engine_user)"
		printf '\tgroup = "root"\n\tnotify-dir = "%s"\n' \
		    "$NOTIFY_DIR"
		[ ${#NODE_WORDS[@]} = 0 ] || printf '\t%s\n' "${NODE_WORDS[@]}"
		printf '}\n'
		for link in "${LINKS[@]}"; do
			read -r ifname vhid addr words <<< "$link"
			printf 'interface %s {\n\t%s\n' "$ifname" "$words"
			printf '\tvhid %s {\n\t\taddress = { "%s/24" }\n' \
			    "$vhid" "$addr"
			printf '\t\tadvskew = %s\n' "$skew"
			printf '\t\tpassphrase-file = "%s/key"\n\t}\n}\n' "$dir"
		done
		printf 'failover {\n'
		printf '\tlast-resort = "/etc/carpd/hooks/resort"\n'
		[ ${#RESOURCES[@]} = 0 ] || printf '\t%s\n' "${RESOURCES[@]}"
		[ ${#FAILOVER_WORDS[@]} = 0 ] ||
		    printf '\t%s\n' "${FAILOVER_WORDS[@]}"
		printf '}\n'
	} > "$dir/carpd.conf"
}

# both_conf: A is the preferred node.
both_conf() {
	failover_conf a A 0
	failover_conf b B 100
}

role() {
	ctl "$1" failover status 2>/dev/null
}

role_is() {
	[ "$(role "$1")" = "$2" ]
}

# active NODE STANDBY: one is MASTER, the other BACKUP.
active() {
	role_is "$1" MASTER && role_is "$2" BACKUP
}

# both_start ACTIVE STANDBY
both_start() {
	start a
	start b
	check "$1 is active" wait_for 8 active "$1" "$2"
}

# What is left of both, and of what was said about them.
both_stop() {
	properly
	stop b
	stop a
	rm -f "$T"/world/* "$T"/[ab]/state/* "$T/violations" "$T/resort"
}

# The power of a node goes, and what it held is free.
power_off() {
	local name=A
	[ "$1" = a ] || name=B
	crash "$1"
	rm -f "$T"/world/*."$name"
}

# diary [NODE]: what was done since turn(), but for looking.
page=0
diary() {
	tail -n "+$((page + 1))" "$T/diary" 2>/dev/null |
	    grep -v ' status ' | grep "^${1:-}"
}
turn() {
	page=$(wc -l < "$T/diary" 2>/dev/null || echo 0)
}

# in_order WORDS NODE: the entries of the diary (RESOURCE VERB) come so.
in_order() {
	local want=$1 got
	got=$(diary "$2" | awk '{ printf "%s%s %s", sep, $2, $3; sep=", " }')
	[ "$got" = "$want" ] || { note "diary: $got"; return 1; }
}

# wrote NODE RESOURCE VERB: there is such an entry.
wrote() {
	diary "$1" | grep -q "^$1 $2 $3 "
}

# when NODE RESOURCE VERB: of the last such entry, on the clock of watch.
when() {
	diary "$1" | awk -v r="$2" -v v="$3" '
	    $2 == r && $3 == v { t = $6 }
	    END { print t; exit t == "" }'
}

instead() {
	printf '%s\n' "$2" > "$T/$1"
}
properly() {
	rm -f "$T"/[AB].*.*
}

one_owner() {
	! [ -e "$T/violations" ]
}

reason() {
	ctl "$1" failover disabled reasons 2>/dev/null | grep -qw "$2"
}

# last NODE MEMBER: of the newest transition in the history.
last() {
	ctl "$1" failover history --json | jq -r ".[-1].$2"
}

# transitions NODE: how many there were.
transitions() {
	ctl "$1" failover history --json | jq length
}

# apart ADDRESS ADDRESS...: for how many ms they were not all on one node while
# another node had one of them.
apart() {
	awk -v list="$*" '
		BEGIN { n = split(list, want) }
		function split_up(i, j, k, m) {
			for (i = 1; i <= n; i++)
				for (j = i + 1; j <= n; j++)
					for (k in node)
						for (m in node)
							if (k != m && (k, want[i]) in held &&
							    (m, want[j]) in held)
								return 1
			return 0
		}
		$3 == "add" || $3 == "renew" { node[$2]; held[$2, $4] }
		$3 == "del" { delete held[$2, $4] }
		{
			s = split_up()
			if (s && !from) from = $1
			if (!s && from) { sum += $1 - from; from = 0 }
		}
		END {
			if (from) sum += 3600
			printf "%.3f", sum * 1000
		}' "$T/watch"
}
