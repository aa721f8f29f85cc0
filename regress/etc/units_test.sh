#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The units are what systemd understands.

set -eu
command -v systemd-analyze > /dev/null 2>&1 ||
    { echo "no systemd-analyze"; exit 77; }
tmp=${TMPDIR:-/tmp}/units.$$
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp"
for f in etc/systemd/*; do
	sed -e 's,/usr/local/sbin/[a-z-]*,/bin/true,' -e /^Documentation/d \
	    "$f" > "$tmp/${f##*/}"
done
# Of other units of this machine it may say what it likes.
SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$tmp"/* \
    > "$tmp/out" 2>&1 || status=$?
grep -e "$tmp" -e '^pfoertner' -e '^\(smtpd-front\|scand\|greyd\|relayd\)' \
    "$tmp/out" && exit 1
for d in smtpd-front scand greyd relayd-out; do
	grep -q "^ExecStart=/usr/local/sbin/$d -f " etc/systemd/$d.service
	grep -qw $d.service etc/systemd/pfoertner.target
done
echo "systemd-analyze ended with ${status-0}"
