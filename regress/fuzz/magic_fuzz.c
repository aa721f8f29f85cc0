/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/fuzz/content.h"

/*
 * Anything: recognised, and read by whoever reads that.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inspect in;

	fuzz_begin(&in);
	content_look(&in, "a.doc.exe", data, size);
	fuzz_end(&in);
	return 0;
}
