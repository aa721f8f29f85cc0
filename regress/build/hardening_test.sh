#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# What is installed is hardened: position independent, relocations read-only
# before main(), no executable stack, stack protector, fortified calls; and it
# loads no library that its work does not need.
# regress: plain

set -eu
command -v readelf > /dev/null 2>&1 || { echo "no readelf"; exit 77; }

bad() {
	echo "$p: $*"
	exit 1
}

n=0
for room in smtpd-front scand greyd relayd-out gwctl; do
	p=$OBJ/$room/$room
	[ -x "$p" ] || continue
	n=$((n + 1))
	readelf -hW "$p" | grep -q 'Type: *DYN' || bad "no PIE"
	readelf -lW "$p" | grep -q GNU_RELRO || bad "no RELRO"
	readelf -dW "$p" | grep -q 'BIND_NOW\|FLAGS.*NOW' || bad "bound late"
	readelf -dW "$p" | grep -q TEXTREL && bad "text is relocated"
	readelf -lW "$p" | grep 'GNU_STACK' | grep -q 'RWE' &&
	    bad "executable stack"
	readelf -sW "$p" | grep -q __stack_chk_fail || bad "no stack protector"
	readelf -sW "$p" | grep -q '__[a-z]*_chk@' || bad "not fortified"
	readelf -dW "$p" | sed -n "s/.*NEEDED.*\[\(.*\)\]/$room \1/p"
done
# Only these have a resolver.
for room in smtpd-front greyd gwctl; do
	p=$OBJ/$room/$room
	[ -x "$p" ] || continue
	readelf -dW "$p" | grep -q 'NEEDED.*unbound' && bad "loads a resolver"
done
[ $n -gt 0 ] || { echo "no program was built"; exit 77; }
