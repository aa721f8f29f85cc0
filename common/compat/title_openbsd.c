/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/compat/compat.h"

void
compat_title_init(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
}

void
compat_set_comm(const char *name)
{
	(void)name;
}
