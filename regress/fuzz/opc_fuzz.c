/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "regress/scand/content/fake.h"
#include "scand/content/office.h"

/*
 * A package: members of a name that ends in NUL, a length of 16 bits and its
 * octets.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul;
	struct opc *o;
	char *name;
	size_t n;
	struct fake f;

	fake_start(&f);
	f.in.budget.ms_max = 500;
	f.in.budget.out_max = 8 * 1024 * 1024;
	f.in.budget.blobs_max = 200;
	o = opc_new(&f.in);
	while ((nul = size == 0 ? NULL : memchr(data, 0, size)) != NULL) {
		if ((name = strdup((const char *)data)) == NULL)
			break;
		size -= (size_t)(nul - data) + 1;
		data = nul + 1;
		n = size < 2 ? 0 : le16(data);
		if (size >= 2) {
			data += 2;
			size -= 2;
		}
		if (n > size)
			n = size;
		opc_member(o, name, n == 0xff ? NULL : data, n);
		free(name);
		data += n;
		size -= n;
	}
	opc_end(o);
	return 0;
}
