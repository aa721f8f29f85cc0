/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_FUZZ_CONTENT_H
#define REGRESS_FUZZ_CONTENT_H

#include <stdlib.h>
#include <string.h>

#include "scand/content/content.h"

/*
 * A walk for fuzz targets: findings are only touched, and the budget is small
 * enough to try much.
 */

static void
fuzz_report(void *arg, enum finding f, const char *where, const char *detail)
{
	(void)arg;
	/* What is said is text that can be shown. */
	if (f >= FINDING_MAX || strlen(where) >= 1024 ||
	    strpbrk(where, "\n\r\033") != NULL ||
	    strpbrk(detail, "\n\r\033") != NULL)
		abort();
}

static void
fuzz_node(void *arg, unsigned depth, const char *name, enum content_type type,
    uint64_t size)
{
	(void)arg;
	(void)name;
	(void)size;
	if (depth > 100 || type >= CONTENT_MAX)
		abort();
}

static void
fuzz_begin(struct inspect *in)
{
	memset(in, 0, sizeof(*in));
	in->report = fuzz_report;
	in->node = fuzz_node;
	budget_default(&in->budget);
	in->budget.blobs_max = 200;
	in->budget.out_max = 16 * 1024 * 1024;
	in->budget.held_max = 32 * 1024 * 1024;
	budget_start(&in->budget);
}

/* All that was taken was given back. */
static void
fuzz_end(const struct inspect *in)
{
	if (in->budget.held != 0 || in->budget.depth != 0 ||
	    in->where_len != 0)
		abort();
}

#endif
