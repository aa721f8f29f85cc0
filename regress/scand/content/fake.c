/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>

#include "regress/scand/content/fake.h"

/* Keeps what the readers of Office formats report and hand on. */

static void	 fake_report(void *, enum finding, const char *, const char *);
static void	 fake_node(void *, unsigned, const char *, enum content_type,
		    uint64_t);

void
fake_start(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->in.report = fake_report;
	f->in.node = fake_node;
	f->in.arg = f;
	budget_default(&f->in.budget);
	f->in.budget.ms_max = 10000;
	budget_start(&f->in.budget);
}

static void
fake_report(void *arg, enum finding finding, const char *where,
    const char *detail)
{
	struct fake *f = arg;

	(void)where;
	f->count[finding]++;
	snprintf(f->detail[finding], sizeof(f->detail[finding]), "%s", detail);
}

static void
fake_node(void *arg, unsigned depth, const char *name, enum content_type type,
    uint64_t size)
{
	struct fake *f = arg;

	(void)depth;
	f->looks++;
	f->type = type;
	f->n = (size_t)size;
	snprintf(f->name, sizeof(f->name), "%s", name == NULL ? "" : name);
}
