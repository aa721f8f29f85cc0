/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "regress/scand/content/fake.h"
#include "scand/content/office.h"

/*
 * The compression of VBA, its lines and its p-code; and the zlib, base64 and
 * UTF-16 that other formats have.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base64 b64 = { 0, 0, 0 };
	struct buffer b = { NULL, 0, 0, NULL };
	struct vba_lines v;
	uint8_t *out;
	struct fake f;

	fake_start(&f);
	f.in.budget.ms_max = 500;
	f.in.budget.out_max = 8 * 1024 * 1024;
	f.in.budget.blobs_max = 200;
	(void)ovba_unpack(&f.in, &b, data, size, LIM_OVBA_DIR);
	if (b.n > LIM_OVBA_DIR)
		abort();
	buffer_free(&b);
	(void)vba_lines(&f.in, &v, data, size);
	(void)vba_pcode(data, size);
	(void)buffer_inflate(&f.in, &b, data, size, 100000);
	if (b.n > 100000)
		abort();
	buffer_free(&b);
	(void)buffer_utf16(&f.in, &b, data, size, size & 1);
	buffer_free(&b);
	if ((out = malloc(size * 3 / 4 + 3)) != NULL) {
		if (base64_decode(&b64, (const char *)data, size, out) >
		    size * 3 / 4 + 3)
			abort();
		free(out);
	}
	return 0;
}
