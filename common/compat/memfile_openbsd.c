/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/compat/memfile.h"

/*
 * Pairs of descriptors of unlinked files.  The parent makes them on the
 * memory file system of the runtime directory, a child keeps a stock.
 */

#define STOCK	256

static int	 stock[STOCK][2];
static unsigned	 nstock;

int
memfile_open(int *wfd, int *rfd)
{
	if (nstock == 0) {
		errno = EAGAIN;
		return -1;
	}
	nstock--;
	*wfd = stock[nstock][0];
	*rfd = stock[nstock][1];
	return 0;
}

int
memfile_seal(int *wfd, int rfd)
{
	int	 fd = *wfd;

	(void)rfd;
	*wfd = -1;
	return close(fd);
}

int
memfile_check(int rfd)
{
	int	 flags;

	if ((flags = fcntl(rfd, F_GETFL)) == -1)
		return -1;
	return (flags & O_ACCMODE) == O_RDONLY ? 0 : -1;
}

const void *
memfile_map(int rfd, size_t size)
{
	void	*p;

	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_CONCEAL, rfd, 0);
	return p == MAP_FAILED ? NULL : p;
}

void
memfile_unmap(const void *p, size_t size)
{
	union { const void *c; void *v; } u = { p };

	(void)munmap(u.v, size);
}

unsigned
memfile_wanted(void)
{
	return nstock > STOCK / 2 ? 0 : STOCK - nstock;
}

int
memfile_supplied(void)
{
	return 1;
}

int
memfile_make(const char *dir, int *wfd, int *rfd)
{
	char	 path[PATH_MAX];
	int	 n, saved;

	n = snprintf(path, sizeof(path), "%s/message.XXXXXXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((*wfd = mkostemp(path, O_CLOEXEC)) == -1)
		return -1;
	*rfd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	saved = errno;
	(void)unlink(path);
	if (*rfd == -1) {
		(void)close(*wfd);
		errno = saved;
		return -1;
	}
	return 0;
}

void
memfile_supply(int wfd, int rfd)
{
	if (nstock == STOCK) {
		(void)close(wfd);
		(void)close(rfd);
		return;
	}
	stock[nstock][0] = wfd;
	stock[nstock++][1] = rfd;
}
