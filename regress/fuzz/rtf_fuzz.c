/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/fake.h"

/*
 * RTF and the objects in it.
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
	rtf_look(&f.in, data, size);
	return 0;
}
