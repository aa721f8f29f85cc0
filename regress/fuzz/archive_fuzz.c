/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/fuzz/content.h"
#include "scand/content/inspect.h"

/*
 * What libarchive and our decoders read; the first octet chooses the type.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum content_type types[] = {
		CONTENT_TAR, CONTENT_GZIP, CONTENT_BZIP2, CONTENT_XZ,
		CONTENT_LZMA, CONTENT_LZIP, CONTENT_ZSTD, CONTENT_COMPRESS,
		CONTENT_LZH, CONTENT_CAB, CONTENT_ISO, CONTENT_CPIO,
		CONTENT_AR, CONTENT_ARJ
	};
	struct inspect in;
	size_t i;

	if (size == 0)
		return 0;
	fuzz_begin(&in);
	i = data[0] % (sizeof(types) / sizeof(types[0]));
	if (types[i] == CONTENT_ARJ)
		arj_look(&in, data + 1, size - 1);
	else if (types[i] == CONTENT_AR)
		ar_look(&in, data + 1, size - 1);
	else if (types[i] == CONTENT_CPIO)
		cpio_look(&in, data + 1, size - 1);
	else
		archive_look(&in, types[i], data + 1, size - 1);
	fuzz_end(&in);
	return 0;
}
