/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/prctl.h>

#include <unistd.h>

#include "common/compat/compat.h"

void
compat_title_init(int argc, char *argv[])
{
	setproctitle_init(argc, argv, environ);
}

void
compat_set_comm(const char *name)
{
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}
