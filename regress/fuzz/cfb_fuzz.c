/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/fake.h"

/*
 * Compound files, with all that is in them and in that again: streams of Word,
 * Excel, PowerPoint, Visio and Outlook, projects, packages.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake f;

	fake_start(&f);
	f.in.budget.ms_max = 500;
	f.in.budget.out_max = 8 * 1024 * 1024;
	f.in.budget.blobs_max = 200;
	cfb_look(&f.in, data, size);
	return 0;
}
