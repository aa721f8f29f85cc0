#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The users are made, made again without harm, and removed.
# regress: serial

set -eu
[ "$(id -u)" = 0 ] || { echo "only root can make users"; exit 77; }

prefix=_t$$_
trap 'sh etc/setup-users -r $prefix' EXIT
n=$(sed 's/#.*//' etc/users | grep -c .)
sh etc/setup-users $prefix
sh etc/setup-users $prefix
[ "$(getent passwd | grep -c "^$prefix")" = "$n" ]
[ "$(getent group | grep -c "^$prefix")" = "$n" ]
# Nobody can log in, each has a group of its own, and all differ.
getent passwd | grep "^$prefix" | grep -v nologin$ | { ! grep .; }
[ "$(getent passwd | grep "^$prefix" | cut -d: -f3 | sort -u | wc -l)" = "$n" ]
[ "$(getent passwd | grep "^$prefix" | cut -d: -f4 | sort -u | wc -l)" = "$n" ]
sh etc/setup-users -r $prefix
getent passwd | { ! grep "^$prefix"; }
getent group | { ! grep "^$prefix"; }
if sh etc/setup-users 'x y'; then
	exit 1
fi

# Every child of a process table has its user.
users=$(cat */main.c 2> /dev/null |
    sed -n 's/.*\.user *= *"\([a-z]*\)".*/\1/p')
for user in $users; do
	sed 's/#.*//' etc/users | cut -f1 | grep -qx "$user"
done
