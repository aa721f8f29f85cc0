/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <unistd.h>

#include "common/compat/syncgroup.h"

/*
 * There is no flush of one file system that waits.  fsync of a file also
 * writes what its name depends on (FFS).
 */
int
compat_syncgroup(int dirfd, const int *fds, size_t n)
{
	size_t	 i;
	int	 ret = 0;

	(void)dirfd;
	if (n == 0)
		sync();
	for (i = 0; i < n; i++)
		if (fsync(fds[i]) == -1)
			ret = -1;
	return ret;
}
