/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/dns_wire.h"

/*
 * DNS packets as every type of answer, frames with answers, and names.  What
 * is decoded must pass through a frame unharmed.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
through_frame(const struct dns_answer *a)
{
	struct dns_answer b;
	struct ibuf w, r;
	size_t i;

	ibuf_init(&w);
	dns_answer_add(&w, a);
	ibuf_from(&r, w.p, w.len);
	check(dns_answer_parse(&r, &b) == 0 && ibuf_get_end(&r) == 0);
	check(b.status == a->status && b.nrec == a->nrec &&
	    b.ttl == a->ttl && strcmp(b.cname, a->cname) == 0);
	for (i = 0; i < b.nrec; i++)
		check(b.rec[i].len == a->rec[i].len &&
		    memcmp(b.rec[i].data, a->rec[i].data, b.rec[i].len) == 0);
	ibuf_free(&w);
}

static void
one_name(const uint8_t *data, size_t size)
{
	char first[DNS_NAME], again[DNS_NAME], *s;

	if ((s = malloc(size + 1)) == NULL)
		return;
	memcpy(s, data, size);
	s[size] = '\0';
	if (dns_name(s, first) == 0)
		check(dns_name(first, again) == 0 &&
		    strcmp(first, again) == 0);
	free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = {
		DNS_A, DNS_CNAME, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA, DNS_TLSA
	};
	static struct dns_store store;
	struct dns_answer a;
	struct ibuf r;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		dns_decode(data, size, types[i], &a, &store);
		check(store.used <= DNS_DATA && a.nrec <= DNS_RECORDS);
		through_frame(&a);
	}
	ibuf_from(&r, data, size);
	if (dns_answer_parse(&r, &a) == 0)
		through_frame(&a);
	one_name(data, size);
	return 0;
}
