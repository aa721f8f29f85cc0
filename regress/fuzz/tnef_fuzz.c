/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/fuzz/content.h"
#include "scand/content/mac.h"

/*
 * TNEF, what S/MIME signs, OneNote, files inside texts and those of the
 * Macintosh.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inspect in;

	fuzz_begin(&in);
	tnef_look(&in, data, size);
	pkcs7_look(&in, data, size);
	onenote_look(&in, data, size);
	uuencode_look(&in, data, size);
	binhex_look(&in, data, size);
	applesingle_look(&in, data, size);
	macbinary_look(&in, data, size);
	fuzz_end(&in);
	return 0;
}
