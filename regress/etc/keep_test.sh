#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The parent of last resort: a daemon that dies is started again, SIGHUP goes
# on to it, and SIGTERM ends both.

set -eu
tmp=${TMPDIR:-/tmp}/keep.$$
mkdir -p "$tmp/run"
keep=
trap '[ -z "$keep" ] || kill $keep 2> /dev/null; rm -rf "$tmp"' EXIT

# A daemon that knows -nv, goes into the background and writes down its pid.
cat > "$tmp/testd" <<END
#!/bin/sh
case "\$*" in
*-nv*)	echo 'directory runtime "$tmp/run" spool "/x" state "/y"'; exit ;;
esac
(
	trap 'echo hup >> $tmp/log' HUP
	trap 'echo term >> $tmp/log; exit 0' TERM
	while :; do sleep 0.1; done
) > /dev/null 2>&1 &
echo \$! > $tmp/run/testd.pid
echo start "\$@" >> $tmp/log
END
chmod 755 "$tmp/testd"

wait_for() {	# wait_for COUNT LINE
	for i in $(seq 100); do
		n=$(grep -cx "$2" "$tmp/log" 2> /dev/null || :)
		[ "${n:-0}" -ge "$1" ] && return
		sleep 0.1
	done
	echo "not $1 times: $2"
	cat "$tmp/log"
	exit 1
}

etc/rc.d/keep "$tmp/testd" -f x.conf 2> "$tmp/err" &
keep=$!
wait_for 1 "start -f x.conf"
sleep 0.5
kill -HUP $keep
wait_for 1 hup
first=$(cat "$tmp/run/testd.pid")
kill -KILL "$first"
wait_for 2 "start -f x.conf"
second=$(cat "$tmp/run/testd.pid")
[ "$first" != "$second" ]
kill -0 "$second"
sleep 0.5
kill -TERM $keep
wait $keep
keep=
wait_for 1 term
! kill -0 "$second" 2> /dev/null
