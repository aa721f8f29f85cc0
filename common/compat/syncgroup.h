/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_COMPAT_SYNCGROUP_H
#define COMMON_COMPAT_SYNCGROUP_H

#include <stddef.h>

/*
 * Make what was written to the n files durable, their names too.  dirfd is a
 * descriptor on the same file system.  Linux flushes that file system once,
 * however many files there are; elsewhere they are flushed one by one.  With
 * n 0 all that was written before is meant.  0, or -1 with errno.
 */
int	compat_syncgroup(int dirfd, const int *fds, size_t n);

#endif
