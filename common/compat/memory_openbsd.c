/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/compat/compat.h"

/* malloc(3) does so by itself. */
void
compat_memory_return(void)
{
}
