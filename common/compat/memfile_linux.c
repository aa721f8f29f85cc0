/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/compat/memfile.h"

/*
 * memfd_create and seals.  The file is never executable where the kernel
 * knows the flag (6.3).
 */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

#define SEALS	(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

int
memfile_open(int *wfd, int *rfd)
{
	static unsigned	 flags = MFD_CLOEXEC | MFD_ALLOW_SEALING |
			    MFD_NOEXEC_SEAL;
	int		 fd;

	fd = memfd_create("message", flags);
	if (fd == -1 && errno == EINVAL && (flags & MFD_NOEXEC_SEAL)) {
		flags &= ~MFD_NOEXEC_SEAL;
		fd = memfd_create("message", flags);
	}
	if (fd == -1)
		return -1;
	*wfd = *rfd = fd;
	return 0;
}

int
memfile_seal(int *wfd, int rfd)
{
	(void)wfd;
	return fcntl(rfd, F_ADD_SEALS, SEALS);
}

int
memfile_check(int rfd)
{
	int	 seals;

	if ((seals = fcntl(rfd, F_GET_SEALS)) == -1)
		return -1;
	return (seals & SEALS) == SEALS ? 0 : -1;
}

const void *
memfile_map(int rfd, size_t size)
{
	void	*p;

	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, rfd, 0);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, size, MADV_DONTDUMP);
	return p;
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
	return 0;
}

int
memfile_supplied(void)
{
	return 0;
}

int
memfile_make(const char *dir, int *wfd, int *rfd)
{
	(void)dir;
	return memfile_open(wfd, rfd);
}

void
memfile_supply(int wfd, int rfd)
{
	(void)close(wfd);
	if (rfd != wfd)
		(void)close(rfd);
}
