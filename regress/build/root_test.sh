#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# Who is not root is told the command to use, and nothing is run.

set -eu
[ "$(id -u)" = 0 ] || { echo "only root can become somebody else"; exit 77; }

copy=${TMPDIR:-/tmp}/copy.$$
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy"
cp -R Makefile configure common etc regress "$copy/"
chown -R nobody "$copy"
for make in make bmake; do
	command -v $make > /dev/null 2>&1 || continue
	for target in run regress regress-long; do
		if su -s /bin/sh nobody -c "cd $copy && $make $target" \
		    > "$copy/out" 2>&1; then
			echo "$make $target was not refused"
			exit 1
		fi
		grep -x "    cd $copy && sudo make $target" "$copy/out"
		[ ! -e "$copy/obj" ]
	done
done
