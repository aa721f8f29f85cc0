#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The sample configuration is one that the daemons take.

set -eu
n=0
tmp=${TMPDIR:-/tmp}/sample.$$
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj /CN=mail-in.example.net -days 2 -keyout "$tmp/key" -out "$tmp/crt" \
    2> "$tmp/err" || { cat "$tmp/err"; exit 1; }
for d in smtpd-front scand greyd relayd-out; do
	[ -x "$OBJ/$d/$d" ] || continue
	"$OBJ/$d/$d" -n -D certificate="$tmp/crt" -D key="$tmp/key" \
	    -f etc/pfoertner.conf
	n=$((n + 1))
done
[ $n -gt 0 ] || { echo "no daemon was built"; exit 77; }
