/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <malloc.h>

#include "common/compat/compat.h"

#define LARGE	(1024 * 1024)

/*
 * glibc learns from each large piece that is freed to take the next of its
 * size from the heap, where up to 64 MB then stay.
 */
void
compat_memory_return(void)
{
#ifdef M_MMAP_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
#endif
}
