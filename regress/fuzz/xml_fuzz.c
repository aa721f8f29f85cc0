/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "regress/scand/content/fake.h"
#include "scand/content/office.h"

/*
 * XML that holds other things, and every attribute of its tags.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xml x;
	enum xml_event e;
	char text[20];
	size_t len;
	struct fake f;

	fake_start(&f);
	f.in.budget.ms_max = 500;
	f.in.budget.out_max = 8 * 1024 * 1024;
	f.in.budget.blobs_max = 200;
	xml_look(&f.in, data, size);
	xml_open(&x, data, size);
	while ((e = xml_next(&x)) != XML_END) {
		len = 0;
		if (e == XML_TEXT)
			xml_text(x.text, x.text_n, x.cdata, text,
			    sizeof(text), &len);
		else
			(void)xml_attr(&x, "name", text, sizeof(text));
		if (strlen(text) >= sizeof(text))
			abort();
	}
	return 0;
}
