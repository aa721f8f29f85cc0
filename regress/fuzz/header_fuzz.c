/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scand/mime/mime.h"

/*
 * Header sections and what is read from their fields; bodies as lines.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
one_field(const struct field *f, const uint8_t *data, size_t size)
{
	struct mailbox m[3];
	char found[80];
	int64_t t;
	size_t n, i;

	check(f->name >= data && f->name + f->namelen < data + size);
	check(f->namelen > 0);
	check(f->raw > f->name && f->raw + f->rawlen <= data + size);
	check(f->len <= f->rawlen);
	check(f->value[f->len] == '\0');
	(void)date_parse(f->value, f->len, &t);
	(void)mailbox_list(f->value, f->len, m, 3, &n);
	for (i = 0; i < n && i < 3; i++) {
		check(strlen(m[i].display) < sizeof(m[i].display));
		check(strlen(m[i].address) < sizeof(m[i].address));
	}
	if (mailbox_in_text(f->value, found, sizeof(found)) == 0)
		check(strchr(found, '@') != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct header h;
	struct body b;
	size_t i, count = 0;

	check(header_parse(&h, data, size) == 0);
	check(h.size <= size);
	check(h.textlen <= h.textsize);
	for (i = 0; i < h.nfields; i++)
		one_field(&h.fields[i], data, size);
	for (i = 0; i < FIELD_MAX; i++) {
		count += h.count[i];
		if (h.count[i] > 0)
			check(h.fields[h.first[i]].id == i);
	}
	check(count == h.nfields);
	body_look(&b, data + h.size, size - h.size);
	check(b.longest <= size - h.size);
	return 0;
}
