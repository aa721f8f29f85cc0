#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# gwctl as a whole: its options, and selftest against scripts that play
# daemons whose cages are closed, open, or not to be entered.

set -u
gwctl=$PWD/${OBJ:-obj}/gwctl/gwctl
tmp=$(mktemp -d "${TMPDIR:-/tmp}/main_test.XXXXXX") || exit 1
bad=0

# status expected, text expected, command
try() {
	want=$1 text=$2
	shift 2
	"$@" > "$tmp/out" 2>&1 < /dev/null
	got=$?
	if [ $got != "$want" ] || ! grep -q -- "$text" "$tmp/out"; then
		echo "$*: status $got, not $want; not seen: $text"
		cat "$tmp/out"
		bad=1
	fi
}

try 1 'usage: gwctl' $gwctl
try 0 'usage: gwctl' $gwctl help
try 1 'there is no command burn' $gwctl burn
try 1 'there is no option -q' $gwctl -q status
try 1 'usage: gwctl queue' $gwctl queue burn
try 1 'usage: gwctl why' $gwctl why
try 1 'usage: gwctl log' $gwctl log -x
try 1 '/nonexistent' $gwctl -f /nonexistent status

cat > "$tmp/conf" <<-END
	service mx.example
	listen on 127.0.0.1 port \$port
	antivirus builtin
	directory runtime $tmp/run
	participant a {
	    domain a.example deliver to mx.a.example
	}
END
try 1 "$tmp/conf:2: the macro \"port\" is not defined" \
    $gwctl -f "$tmp/conf" status
try 1 'it is not running' $gwctl -D port=2525 -f "$tmp/conf" status
try 1 'relayd-out: it is not running' \
    $gwctl -f "$tmp/conf" -D port=2525 reload
echo 'Subject: x' > "$tmp/message"
try 1 'scand: it is not running' \
    $gwctl -f "$tmp/conf" -D port=2525 scan "$tmp/message"
try 1 'is no address' $gwctl scan -c nonsense "$tmp/message"

# selftest
mkdir "$tmp/bin"
daemon() {
	cat > "$tmp/bin/$1" <<-END
		#!/bin/sh
		case "\$*" in
		*"-f $tmp/conf -D port=2525 -T children")
			echo $2; exit 0 ;;
		*"-f $tmp/conf -D port=2525 -x $2 -T "*)
			$3 ;;
		*)	echo "called with \$*"; exit 1 ;;
		esac
	END
	chmod 755 "$tmp/bin/$1"
}
if [ "$(id -u)" = 0 ]; then
	daemon smtpd-front smtp 'exit 0'
	daemon scand scanner 'exit 159'
	daemon greyd store 'exit 4'
	daemon relayd-out queue 'kill -9 $$'
	set -- $gwctl -f "$tmp/conf" -D port=2525 selftest -b "$tmp/bin"
	try 0 'smtpd-front smtp  *[1-9][0-9]* refused,  0 permitted' "$@"
	try 0 'greyd  *store  *0 refused, [1-9][0-9]* permitted' "$@"
	try 0 ' 0 possible that should not be, 0 not tried' "$@"
	daemon greyd store 'exit 3'
	try 1 'greyd store CAN ' "$@"
	daemon greyd store 'echo no user; exit 1'
	try 1 'greyd store: .* cannot be tried: no user' "$@"
	rm "$tmp/bin/greyd"
	try 1 'greyd: not found' "$@"
else
	try 1 'run it as root' $gwctl selftest
fi

rm -rf "$tmp"
exit $bad
