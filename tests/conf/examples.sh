#!/bin/bash
# The complete files in the EXAMPLES of a manual page: those that begin with
# their own path as a comment.  Written to FOLDER as 1.conf, 2.conf, ...
#   tests/conf/examples.sh PAGE FOLDER
set -eu
mkdir -p "$2"
awk -v dir="$2" '
	/^\.Sh/ { on = /EXAMPLES/ }
	/^\.Bd -literal/ { first = on; next }
	/^\.Ed/ { if (file) close(file); file = ""; next }
	first { first = 0
		if (/^# \/etc\/carpd\/carpd\.conf/) file = dir "/" ++n ".conf" }
	file { print > file }
	END { if (!n) exit 1 }' "$1"
chmod 600 "$2"/*.conf
