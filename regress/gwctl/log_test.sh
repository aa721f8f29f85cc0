#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# gwctl log and gwctl why over sample logs, against what they should print.

set -u
gwctl=${OBJ:-obj}/gwctl/gwctl
here=regress/gwctl
tmp=$(mktemp -d "${TMPDIR:-/tmp}/log_test.XXXXXX") || exit 1
bad=0

expect() {
	if ! cmp -s "$1" "$tmp/out"; then
		diff -u "$1" "$tmp/out"
		bad=1
	fi
}

$gwctl log $here/log/day.log > "$tmp/out" || bad=1
expect $here/log/day.out
$gwctl log < $here/log/day.log > "$tmp/out" || bad=1
expect $here/log/day.out
$gwctl log - < $here/log/day.log > "$tmp/out" || bad=1
expect $here/log/day.out

# One log of all daemons, by name and through a pipe.
for id in 01hq3vbk2t7m9c4e 01hq3vdd8x0r5q7n; do
	$gwctl why $id $here/log/day.log > "$tmp/out" || bad=1
	expect $here/why/day-$id.out
	cat $here/log/day.log | $gwctl why $id > "$tmp/out" || bad=1
	expect $here/why/day-$id.out
done

# One log a daemon, in any order; stamps of seconds.
(cd $here/why && "$OLDPWD/$gwctl" why 01hq3vbk2t7m9c4e relayd.log scand.log \
    front.log) > "$tmp/out" || bad=1
expect $here/why/three.out

# How messages may end.
for n in 1 2 3 4; do
	$gwctl why 01hq00000000000$n $here/why/ends.log
done > "$tmp/out" || bad=1
expect $here/why/ends.out

$gwctl why 01hq00000000000z $here/why/ends.log > "$tmp/out" 2>&1 && bad=1
$gwctl why nonsense $here/why/ends.log > "$tmp/out" 2>&1 && bad=1
$gwctl log /nonexistent > "$tmp/out" 2>&1 && bad=1

# -f: what is there, what comes, and what comes after a rotation.
cp $here/log/day.log "$tmp/live"
$gwctl log -f "$tmp/live" > "$tmp/out" 2>&1 &
pid=$!
waitfor() {
	i=0
	while ! grep -q "$1" "$tmp/out"; do
		i=$((i + 1))
		if [ $i -gt 100 ]; then
			echo "log -f did not show $1"
			cat "$tmp/out"
			bad=1
			return
		fi
		sleep 0.1
	done
}
waitfor turned-away
printf 'greyd: ev=first a=' >> "$tmp/live"
sleep 0.5
echo 1 >> "$tmp/live"
waitfor 'first .* a=1'
mv "$tmp/live" "$tmp/old"
echo 'greyd: ev=late a=1' >> "$tmp/old"
waitfor 'late '
echo 'greyd: ev=second a=1' > "$tmp/live"
waitfor 'second '
: > "$tmp/live"
sleep 0.5
echo 'greyd: ev=third a=1' >> "$tmp/live"
waitfor 'third '
if grep -q started "$tmp/out" || [ "$(grep -c 'second ' "$tmp/out")" != 1 ]
then
	echo "log -f shows too much"
	bad=1
fi
kill $pid
wait $pid 2> /dev/null

rm -rf "$tmp"
exit $bad
