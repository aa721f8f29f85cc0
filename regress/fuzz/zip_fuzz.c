/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/fuzz/content.h"

/*
 * ZIP archives, whatever the input begins with.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inspect in;

	fuzz_begin(&in);
	zip_look(&in, data, size);
	fuzz_end(&in);
	return 0;
}
