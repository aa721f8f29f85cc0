/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_UNIT_H
#define REGRESS_UNIT_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * The least that a unit test needs: checks that count, and an exit status.
 * A test's main() ends with `return unit_end();'.
 */

static int unit_ok, unit_failed;

#define CHECK(e) do {							\
	if (e)								\
		unit_ok++;						\
	else {								\
		unit_failed++;						\
		printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #e);	\
	}								\
} while (0)

#define CHECK_STR(got, want) do {					\
	const char *g_ = (got), *w_ = (want);				\
	if (g_ != NULL && strcmp(g_, w_) == 0)				\
		unit_ok++;						\
	else {								\
		unit_failed++;						\
		printf("%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__,	\
		    __LINE__, #got, g_ == NULL ? "(null)" : g_, w_);	\
	}								\
} while (0)

#define CHECK_INT(got, want) do {					\
	intmax_t g_ = (got), w_ = (want);				\
	if (g_ == w_)							\
		unit_ok++;						\
	else {								\
		unit_failed++;						\
		printf("%s:%d: %s is %jd, not %jd\n", __FILE__,		\
		    __LINE__, #got, g_, w_);				\
	}								\
} while (0)

static inline int
unit_end(void)
{
	printf("%d checks, %d failed\n", unit_ok + unit_failed, unit_failed);
	return unit_failed != 0 || unit_ok == 0;
}

#endif
