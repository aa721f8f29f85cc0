/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/resolver.h"

/*
 * An answer on its way between resolver and stub.
 */

void
dns_answer_add(struct ibuf *b, const struct dns_answer *a)
{
	size_t i;

	ibuf_add_u8(b, (uint8_t)a->status);
	ibuf_add_u8(b, (uint8_t)a->security);
	ibuf_add_u32(b, a->ttl);
	ibuf_add_u8(b, a->truncated != 0);
	ibuf_add_str(b, a->cname);
	ibuf_add_u16(b, (uint16_t)a->nrec);
	for (i = 0; i < a->nrec; i++)
		ibuf_add_blob(b, a->rec[i].data, a->rec[i].len);
}

int
dns_answer_parse(struct ibuf *b, struct dns_answer *a)
{
	static const uint8_t nothing[1];
	const uint8_t *p;
	size_t i, n, len, total = 0;

	memset(a, 0, sizeof(*a));
	a->status = ibuf_get_u8(b);
	a->security = ibuf_get_u8(b);
	a->ttl = ibuf_get_u32(b);
	a->truncated = ibuf_get_u8(b);
	ibuf_get_str(b, a->cname, sizeof(a->cname));
	n = ibuf_get_u16(b);
	if (b->bad || a->status > DNS_TIMEOUT || a->security > DNS_BOGUS ||
	    n > DNS_RECORDS)
		return -1;
	for (i = 0; i < n; i++) {
		p = ibuf_get_blob(b, &len);
		total += len;
		if (b->bad || len > UINT16_MAX || total > DNS_DATA)
			return -1;
		a->rec[i].data = p == NULL ? nothing : p;
		a->rec[i].len = (uint16_t)len;
	}
	a->nrec = n;
	return 0;
}
