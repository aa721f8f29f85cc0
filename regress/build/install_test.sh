#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# make install into a DESTDIR, and make uninstall, which leaves nothing.

set -eu
dest=${TMPDIR:-/tmp}/dest.$$
trap 'rm -rf "$dest"' EXIT

make OBJ="$OBJ" DESTDIR="$dest" install
prefix=$(sed -n 's/^PREFIX = //p' "$OBJ/rules.mk")
mandir=$(sed -n 's/^MANDIR = //p' "$OBJ/rules.mk")

for room in smtpd-front scand greyd relayd-out gwctl; do
	[ ! -f $room/main.c ] || [ -x "$dest$prefix/sbin/$room" ]
done
for m in */*.[1-9]; do
	[ ! -f "$m" ] || [ -f "$dest$mandir/man${m##*.}/${m##*/}" ]
done
[ -f "$dest$prefix/share/examples/pfoertner/pfoertner.conf" ]
[ ! -e "$dest/etc/pfoertner.conf" ]
[ "$(stat -c %a "$dest/var/spool/pfoertner")" = 700 ]
[ "$(stat -c %a "$dest/var/db/pfoertner")" = 700 ]
# The names of paths in units and scripts are those of this installation.
if grep -r /usr/local "$dest" --include='*.service' | grep -v "$prefix/"; then
	exit 1
fi
# Nothing that anybody may write to.
find "$dest" -perm /022 ! -type l | { ! grep .; }

make OBJ="$OBJ" DESTDIR="$dest" uninstall
find "$dest" -type f | { ! grep .; }

# Another place for the configuration: the programs look there, and manuals,
# units and the sample say so.
other=$dest.other
trap 'rm -rf "$dest" "$other"' EXIT
./configure --objdir="$other" --prefix=/opt/pf --sysconfdir=/opt/pf/etc
for o in common/proc.o gwctl/main.o; do
	make -r -f "$other/rules.mk" OBJ="$other" "$other/$o"
	grep -q /opt/pf/etc/pfoertner.conf "$other/$o"
done
sed -e 's,^PREFIX = .*,PREFIX = /opt/pf,' -e 's,^MANDIR = .*,MANDIR = /opt/m,' \
    -e 's,^SYSCONFDIR = .*,SYSCONFDIR = /opt/pf/etc,' "$OBJ/rules.mk" \
    > "$other/rules.mk"
etc/install "$other" "$dest"
grep -q /opt/pf/etc/pfoertner.conf "$dest/opt/m/man8/gwctl.8"
if grep -r '[^f]/etc/pfoertner\.conf' "$dest/opt"; then
	exit 1
fi
