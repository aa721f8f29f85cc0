/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <unistd.h>

#include "common/compat/syncgroup.h"

/*
 * One flush for all: fsync of one file after the other costs a flush each,
 * however many wait.  Since Linux 5.8 syncfs also reports failed writes.
 */
int
compat_syncgroup(int dirfd, const int *fds, size_t n)
{
	(void)fds;
	(void)n;
	return syncfs(dirfd);
}
