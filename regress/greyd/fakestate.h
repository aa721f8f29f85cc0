/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_GREYD_FAKESTATE_H
#define REGRESS_GREYD_FAKESTATE_H

#include <sys/stat.h>

#include <err.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "greyd/greyd.h"

/*
 * A state directory and a clock for the tests of greyd.
 */

static char	 fake_dir[32];
static uint64_t	 fake_ms;		/* the clock */

static inline uint64_t
fake_clock(void)
{
	return fake_ms;
}

/* 2026-03-01 12:00:00 UTC */
#define FAKE_START	1772366400000ULL

static inline void
fake_begin(void)
{
	(void)snprintf(fake_dir, sizeof(fake_dir), "/tmp/pf-grey.XXXXXXXX");
	if (mkdtemp(fake_dir) == NULL)
		err(1, "mkdtemp");
	fake_ms = FAKE_START;
	state_clock(fake_clock);
}

static inline int
fake_remove(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	(void)st;
	(void)what;
	(void)ftw;
	return remove(path);
}

static inline void
fake_end(void)
{
	if (nftw(fake_dir, fake_remove, 8, FTW_DEPTH | FTW_PHYS) == -1)
		warn("%s", fake_dir);
}

#endif
