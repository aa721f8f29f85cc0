#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The list of packages: every library that a files.mk names has one, and all
# that `make run' needs is needed by `make regress', too.

set -eu
tmp=${TMPDIR:-/tmp}/packages.$$
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp"

regress/setup -l run > "$tmp/run"
regress/setup -l regress > "$tmp/regress"
for p in gcc byacc pkg-config python3 libbsd-dev libevent-dev libtls-dev; do
	[ "$(uname -s)" != Linux ] || grep -qx $p "$tmp/run"
done
comm -23 "$tmp/run" "$tmp/regress" | { ! grep .; }
if [ "$(uname -s)" = Linux ]; then
	comm -13 "$tmp/run" "$tmp/regress" | grep -qx cppcheck
fi

# The libraries of configure and those of setup are the same.
sed -n 's/^	library \([a-z0-9_]*\) .*/\1/p' configure | sort > "$tmp/known"
echo bsd >> "$tmp/known"
sort -o "$tmp/known" -u "$tmp/known"
sed -n '/^libraries()/,/^}/s/^	\([a-z0-9_]*\)	.*/\1/p' regress/setup |
    sort > "$tmp/setup"
diff "$tmp/known" "$tmp/setup"
