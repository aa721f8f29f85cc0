/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "regress/scand/content/fake.h"
#include "scand/content/office.h"

/*
 * Records of Excel, tables of text, and the streams that are no container:
 * each reads the input as its own.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = { data, size };
	struct fake f;

	fake_start(&f);
	f.in.budget.ms_max = 500;
	f.in.budget.out_max = 8 * 1024 * 1024;
	f.in.budget.blobs_max = 200;
	biff_look(&f.in, data, size);
	sylk_look(&f.in, data, size);
	csv_look(&f.in, data, size);
	(void)officecrypt_filepass(data, size);
	word_look(&f.in, data, size);
	ppt_look(&f.in, &s, &s);
	visio_look(&f.in, data, size);
	ole10native_look(&f.in, data, size, 0);
	ole10native_look(&f.in, data, size, 1);
	(void)ole1_look(&f.in, data, size);
	olelink_look(&f.in, data, size);
	activemime_look(&f.in, data, size);
	return 0;
}
