/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_COMPAT_MEMFILE_H
#define COMMON_COMPAT_MEMFILE_H

#include <stddef.h>

/*
 * Anonymous memory files.  Linux makes and seals them; OpenBSD has none, so
 * there a privileged process makes pairs of descriptors of unlinked files on
 * a memory file system and supplies them to who writes messages.
 */

/*
 * A new file: *wfd to write, *rfd to hand on (the same descriptor where the
 * system seals).  The caller owns both.  -1 with errno; EAGAIN: none left.
 */
int	memfile_open(int *wfd, int *rfd);
/*
 * No more writing by anybody: seals it, or closes *wfd (set to -1).
 * -1 with errno.
 */
int	memfile_seal(int *wfd, int rfd);
/* Is it a regular file that nobody can change?  0 or -1. */
int	memfile_check(int rfd);
/*
 * All size (not 0) octets of a file that nobody can change, as one view that
 * is in no core dump.  NULL with errno.
 */
const void *memfile_map(int rfd, size_t size);
void	memfile_unmap(const void *, size_t size);
/*
 * How many pairs a process should be supplied with now: 0 where it makes its
 * own, and while more than half of its stock is left.
 */
unsigned memfile_wanted(void);
/* Does this system need supplies at all? */
int	memfile_supplied(void);
/* Privileged: make a pair in dir.  -1 with errno. */
int	memfile_make(const char *dir, int *wfd, int *rfd);
/* Take a pair for later memfile_open calls; closes it when full. */
void	memfile_supply(int wfd, int rfd);

#endif
