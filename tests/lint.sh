#!/bin/bash
# Shape of the code, manual pages and exported symbols: what `make lint` checks.
# Runs every check, tells all that is wrong, and fails if anything was.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${BUILD:-build}
bad=0

fail() {
	printf 'lint: %s\n' "$1"
	bad=$((bad + 1))
}

# Runs a check whose output lines are its findings.
none() {
	local what=$1 out
	shift
	out=$("$@" 2>&1)
	[ -z "$out" ] && return
	fail "$what:"
	printf '%s\n' "$out" | sed 's/^/    /'
}

need() {
	command -v "$1" >/dev/null || fail "$1 is not installed: run make deps"
}

sources() {
	git ls-files "$@" 2>/dev/null || find . -path "./$1"
}

# The core: no input, no output, no clock.
core_calls() {
	local o f
	for f in addr carp demotion diagnose digest follow fsm fsm_judge \
	    fsm_time wire; do
		o=$B/lib/carp/$f.o
		[ -f "$o" ] || { echo "$o is missing: run make"; continue; }
		nm -u "$o" | awk '{ print $2 }' | grep -vE \
		    '^(mem(cpy|move|set|cmp)|calloc|free|qsort|SHA1_(Init|Update|Final)|CRYPTO_memcmp|OPENSSL_cleanse|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan)_.*|(carp|digest|follow|fsm)_.*)$' |
		    sed "s|^|$f.o calls |"
	done
}

library_calls() {
	nm -u "$B"/lib/*/*.o | grep -wE \
	    '(|__)(printf|fprintf|vprintf|vfprintf|puts|putchar|fputs|syslog|openlog|exit|_exit|abort|perror|err|warn)(|_chk)'
	size -A "$B"/lib/*/*.o | awk '
		/:$/ { file = $1 }
		$1 ~ /^\.(data|bss|tdata|tbss)$/ && $2 > 0 {
			print file " writable data in " $1 }'
}

forbidden_words() {
	sources 'lib/*.c' 'daemon/*.c' | xargs grep -nE \
	    '\<(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|alloca|system|popen|gets|sleep|usleep)\('
}

first_lines() {
	local f
	for f in $(sources '*.c' '*.h'); do
		head -n 1 "$f" | grep -q 'SPDX-License-Identifier: ISC' ||
		    echo "$f: no licence line"
		sed -n 2p "$f" | grep -q '^/\*' ||
		    echo "$f: line 2 does not say what the file is for"
	done
}

wide_lines() {
	local f
	for f in $(sources '*.c' '*.h'); do
		expand "$f" | awk -v f="$f" 'length > 80 {
			print f ":" NR ": " length " columns" }'
	done
}

# Functions that the public headers declare.
declared() {
	gcc -E -P -Iinclude include/carp/*.h | tr '\n' ' ' | tr ';' '\n' |
	    grep -oE '[[:space:]*](carp|vip)_[a-z0-9_]+\(' |
	    tr -d ' *(' | sort -u
}

mapped() {
	grep -oE '^[[:space:]]+(carp|vip)_[a-z0-9_]+;' lib/libcarp.map |
	    tr -d ' \t;' | sort -u
}

exported() {
	nm -D --defined-only "$B/libcarp.so" | awk '$2 == "T" { print $3 }' |
	    sed 's/@.*//' | sort -u
}

abi() {
	diff <(declared) <(mapped) | sed -n \
	    's/^</declared in a header, not in the map:/p
	     s/^>/in the map, not in a header:/p'
	diff <(mapped) <(exported) | sed -n \
	    's/^</in the map, not in the library:/p
	     s/^>/in the library, not in the map:/p'
}

undocumented() {
	local f
	for f in $(declared); do
		grep -qw "$f" man/libcarp.3 || echo "$f is not in man/libcarp.3"
	done
}

headers_alone() {
	local h
	for h in include/carp/*.h; do
		echo "#include <carp/$(basename "$h")>" |
		    gcc -std=c99 -Wall -Wextra -pedantic -Werror -Iinclude \
		    -x c -fsyntax-only - || echo "$h does not compile alone"
		echo "#include <carp/$(basename "$h")>" |
		    g++ -Wall -Wextra -pedantic -Werror -Iinclude \
		    -x c++ -fsyntax-only - || echo "$h is not C++"
	done
}

pages() {
	local p
	for p in man/*.[1-9]; do
		mandoc -T lint -W warning "$p" |
		    grep -vE 'referenced manual not found|unusual Xr order'
	done
}

scripts() {
	sources '*.sh' .ci/run 'pkg/hooks/*' | sort -u |
	    xargs shellcheck -S warning -x \
	    -P SCRIPTDIR -f gcc
}

# A hook's function takes the place of one of lib.sh, which others there call.
# Only parameters() is meant to.
hook_names() {
	local f
	names() {
		sed -n 's/^\([a-z_][a-z_0-9]*\)() .*/\1/p' "$1" | sort
	}
	for f in $(sources 'pkg/hooks/*'); do
		[ "$f" != pkg/hooks/lib.sh ] || continue
		names "$f" | comm -12 - <(names pkg/hooks/lib.sh) |
		    sed "/^parameters$/d; s|^|$f has its own |"
	done
}

format() {
	sources 'lib/*.[ch]' 'daemon/*.[ch]' 'tests/*.[ch]' |
	    xargs clang-format --dry-run 2>&1 | grep 'warning:' | head -n 20
}

analysis() {
	# An output argument is not a use of what it points at: ctuuninitvar.
	cppcheck --quiet --inline-suppr --std=c11 --enable=warning,portability \
	    --suppress=missingIncludeSystem --suppress=ctuuninitvar \
	    --library=tests/cppcheck.cfg -Iinclude -Ilib \
	    --template='{file}:{line}: {id}: {message}' lib daemon 2>&1
}

for tool in gcc g++ mandoc shellcheck clang-format cppcheck nm; do
	need "$tool"
done
none "the core has input or output" core_calls
none "the library prints, exits or has state" library_calls
none "forbidden functions" forbidden_words
none "first lines" first_lines
none "wide lines" wide_lines
none "headers" headers_alone
none "exported symbols" abi
none "manual page" undocumented
none "mandoc" pages
none "shellcheck" scripts
none "names of lib.sh in hooks" hook_names
none "clang-format (make format)" format
none "cppcheck" analysis

echo "longest files:"
sources 'lib/*.c' 'daemon/*.c' 'tests/*.c' | xargs wc -l | grep -v total |
    sort -rn | head -n 5 | sed 's/^/    /'
echo "longest functions:"
sources 'lib/*.c' 'daemon/*.c' | xargs awk '
	FNR == 1 { start = 0 }
	/^[a-z_0-9]+\(/ { name = $1; sub(/\(.*/, "", name) }
	/^\{/ { start = FNR }
	/^\}/ && start { print FNR - start, FILENAME ": " name; start = 0 }' |
    sort -rn | head -n 5 | sed 's/^/    /'
[ "$bad" -eq 0 ] && echo "lint: nothing found"
[ "$bad" -eq 0 ]
