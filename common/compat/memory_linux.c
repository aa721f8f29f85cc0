/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <malloc.h>

#include "common/compat/compat.h"

#define LARGE	(4 * 1024 * 1024)

/*
 * glibc learns from each large piece that is freed to take the next of its
 * size from the heap, where up to 64 MB then stay.  A few stay with us: pages
 * that are given back and taken again cost more than what is done with most of
 * them.
 */
void
compat_memory_return(void)
{
#ifdef M_MMAP_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE);
#endif
}
