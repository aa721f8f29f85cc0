#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# Every process of the suite, in the cage of its row in the process table,
# tries everything that it must not be able to do, and is refused or killed.
# Then each daemon is started, and its children are as they have to be.
# regress: timeout=300 plain

set -eu
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
: "${OBJ:=obj}"

# What each process needs, said a second time: daemon, process, its user, its
# root, its powers.
table() {
	cat <<-END
	smtpd-front smtp smtp empty accept inet memfile readfd
	scand broker broker empty accept
	scand scanner scanner empty readfd softopen
	scand resolver sresolver empty dns
	scand antivirus antivirus clamd unix
	greyd store store state accept files
	relayd-out queue queue empty accept
	relayd-out spool spool spool files readfd
	relayd-out deliver deliver empty connect inet readfd
	relayd-out resolver rresolver empty dns
	relayd-out dkim dkim empty readfd
	relayd-out keys keys empty
	relayd-out sts sts empty connect
	END
}

tmp=$(mktemp -d)
chmod 755 "$tmp"
pid=
finish() {
	if [ -n "$pid" ]; then
		kill -9 "$pid" 2> /dev/null || :
		wait "$pid" 2> /dev/null || :
	fi
	rm -rf "$tmp"
}
trap finish EXIT

port=$((20000 + $$ % 20000))
cat > "$tmp/conf" <<-END
	service "a.example"
	node "a.example"
	listen on 127.0.0.1 port $port
	antivirus clamd "$tmp/clamd/clamd.ctl"
	resolver { 127.0.0.1 port 9 }
	directory runtime "$tmp/run" spool "$tmp/spool" state "$tmp/state"
	participant "a" contact "p@a.example" {
		domain "a.example" deliver to 127.0.0.1
	}
END
mkdir -p "$tmp/clamd" "$tmp/run/empty" "$tmp/spool" "$tmp/state"
chown _pfspool "$tmp/spool"
chown _pfstore "$tmp/state"
"$OBJ/regress/sandbox/acts" > "$tmp/acts"

fail() {
	echo "$*"
	echo failed > "$tmp/failed"
}

# permitted "powers" "powers": have they one in common?
permitted() {
	for p in $1; do
		for q in $2; do
			[ "$p" != "$q" ] || return 0
		done
	done
	return 1
}

# daemon process powers: all acts that none of the powers permits.
try_all() {
	tried=0
	while read -r act permit; do
		if permitted "$permit" "$3"; then
			continue
		fi
		rc=0
		# A pipe: most may not write to a file, whoever opened it.
		out=$("$OBJ/$1/$1" -f "$tmp/conf" -x "$2" -i 0 -T "$act" \
		    2>&1 < /dev/null) || rc=$?
		case $rc:$out in
		0:*)	;;			# refused
		159:*"$2: forbidden system call"*) ;;
		159:*)	fail "$1 $2 $act: no word of its death" ;;
		*)	fail "$1 $2 can $act ($rc): $out" ;;
		esac
		tried=$((tried + 1))
	done < "$tmp/acts"
	echo "$1 $2: $tried acts refused"
}

# The process really has a row, and no more rows than this table has.
rows() {
	table | grep "^$1 " | cut -d' ' -f2
}

# pid root user: a child that runs is caged like this.
look_at() {
	s=$(cat "/proc/$1/status")
	for want in "Uid:	$3	$3	$3	$3" \
	    "NoNewPrivs:	1" "Seccomp:	2" \
	    "CapEff:	0000000000000000" \
	    "CapPrm:	0000000000000000"; do
		echo "$s" | grep -qxF "$want" ||
		    fail "$name ($1): not $want"
	done
	[ "$(readlink "/proc/$1/root")" = "$2" ] ||
	    fail "$name: its root is $(readlink "/proc/$1/root")"
	# Core files would hold mail.
	grep -q '^Max core file size  *0  *0' "/proc/$1/limits" ||
	    fail "$name: may write a core file"
	grep -q '^Max processes  *0  *0' "/proc/$1/limits" ||
	    fail "$name: may fork"
	# Files it holds lie below its own root, or are no files; 0 to 2 are
	# this test's.
	for fd in "/proc/$1/fd"/*; do
		to=$(readlink "$fd") || continue
		case $fd in
		*/[012]) continue ;;
		esac
		case $to in
		/dev/null|/memfd:*|"$2"|"$2"/*) ;;
		/*)	fail "$name: holds $to" ;;
		esac
	done
}

# One daemon as it runs.
run_daemon() {
	: > "$tmp/log"
	"$OBJ/$1/$1" -d -f "$tmp/conf" 2> "$tmp/log" &
	pid=$!
	n=0
	until grep -q ": ready$" "$tmp/log"; do
		n=$((n + 1))
		if [ $n -gt 200 ]; then
			fail "$1 does not start: $(cat "$tmp/log")"
			return
		fi
		sleep 0.1
	done
	for child in $(cat "/proc/$pid/task/$pid/children"); do
		title=$(tr '\0' ' ' < "/proc/$child/cmdline")
		title=${title#*: }
		title=${title%%\[*}
		name="$1 $title"
		row=$(table | grep "^$1 $title ") ||
		    { fail "$name is not in the table: $title"; continue; }
		read -r _ _ user root _ <<-END
		$row
		END
		case $root in
		empty)	root=$tmp/run/empty ;;
		*)	root=$tmp/$root ;;
		esac
		look_at "$child" "$root" "$(id -u "_pf$user")"
	done
	kill -TERM "$pid"
	wait "$pid" || fail "$1 did not end in order: $(cat "$tmp/log")"
	pid=
	if grep forbidden "$tmp/log"; then
		fail "$1: a child met its cage"
	fi
}

seen=
table > "$tmp/table"
while read -r daemon process _ _ powers; do
	[ -x "$OBJ/$daemon/$daemon" ] || continue
	# Processes of later rooms have no row in their daemon yet.
	grep -Eq "title = \"$process\"" "$daemon/main.c" || continue
	try_all "$daemon" "$process" "$powers"
	case " $seen " in
	*" $daemon "*) ;;
	*)	seen="$seen $daemon" ;;
	esac
done < "$tmp/table"
# Nobody is forgotten.
for daemon in $seen; do
	for title in $(sed -n 's/.*\.title = "\([a-z]*\)".*/\1/p' \
	    "$daemon/main.c"); do
		rows "$daemon" | grep -qx "$title" ||
		    fail "$daemon $title is not in the table"
	done
	run_daemon "$daemon"
done
[ -n "$seen" ] || { echo "no daemon is built"; exit 77; }
[ ! -e "$tmp/failed" ]
