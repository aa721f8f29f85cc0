/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/dns_wire.h"
#include "common/punycode.h"

/*
 * Packets come from libunbound, which has looked at them, but their RDATA is
 * as the owner of a zone made it.  Everything here is bounded by the packet;
 * a record that is not what its type says is left out and counted.
 */

#define HEADER		12	/* RFC 1035 4.1.1 */
#define TYPE_SOA	6
#define CLASS_IN	1
#define RCODE_NXDOMAIN	3
#define CHAIN_MAX	16	/* CNAMEs, as many as libunbound follows */
#define LABEL_MAX	63	/* RFC 1035 2.3.4 */
#define TTL_MAX		604800	/* RFC 8767 4: no more than a week */

struct packet {
	const uint8_t	*p;
	size_t		 n, off;
};

struct record {
	char		 owner[DNS_NAME];
	uint16_t	 type, class;
	uint32_t	 ttl;
	size_t		 data, len;	/* RDATA, inside the packet */
};

/* Where the parts of a packet begin. */
struct sections {
	char		 qname[DNS_NAME];
	unsigned	 answers, authorities;
	size_t		 answer;
};

static int	packet_open(struct packet *, struct sections *);
static int	packet_record(struct packet *, struct record *);
static int	packet_name(struct packet *, char *);
static int	name_label(char *, size_t *, const uint8_t *, size_t);
static int	follow(struct packet *, const struct sections *,
		    struct dns_answer *, unsigned *);
static void	collect(struct packet *, const struct sections *,
		    enum dns_type, struct dns_answer *, struct dns_store *);
static int	negative_ttl(struct packet *, const struct sections *,
		    uint32_t *);
static int	rdata(struct packet *, const struct record *, uint8_t *,
		    size_t, size_t *);
static int	rdata_name(struct packet *, const struct record *, size_t,
		    uint8_t *, size_t, size_t *);
static int	rdata_text(const uint8_t *, size_t, uint8_t *, size_t,
		    size_t *);
static uint16_t	get16(const uint8_t *);
static uint32_t	get32(const uint8_t *);
static uint32_t	get_ttl(const uint8_t *);

/* Results of rdata(): the record is malformed, or does not fit. */
#define RDATA_BAD	(-1)
#define RDATA_LONG	(-2)

void
dns_decode(const uint8_t *p, size_t n, enum dns_type type,
    struct dns_answer *a, struct dns_store *store)
{
	struct packet pkt = { p, n, 0 };
	struct sections s;
	unsigned rcode;

	memset(a, 0, sizeof(*a));
	a->status = DNS_FAIL;
	store->used = 0;
	store->dropped = 0;
	if (packet_open(&pkt, &s) == -1)
		return;
	rcode = p[3] & 0x0f;
	if (rcode != 0 && rcode != RCODE_NXDOMAIN)
		return;
	a->ttl = TTL_MAX;
	(void)memcpy(a->cname, s.qname, sizeof(a->cname));
	if (type != DNS_CNAME && follow(&pkt, &s, a, &store->dropped) == -1)
		return;
	if (rcode == 0)
		collect(&pkt, &s, type, a, store);
	/* TC: libunbound could not pack the answer, and may have left out all
	   of it; that is not an answer without records. */
	if (p[2] & 0x02)
		a->truncated = 1;
	if (a->nrec > 0)
		a->status = DNS_OK;
	else if (store->dropped > 0 || a->truncated) {
		/* there is something, only nothing that we can use */
		a->status = DNS_FAIL;
		a->ttl = 0;
	} else {
		a->status = rcode == 0 ? DNS_NODATA : DNS_NXDOMAIN;
		if (negative_ttl(&pkt, &s, &a->ttl) == -1)
			a->ttl = 0;
	}
}

int
dns_name(const char *name, char *dst)
{
	char ascii[DNS_NAME];
	const char *p;
	size_t n = 0, label = 0;

	if (punycode_domain(name, ascii, sizeof(ascii)) == -1)
		return -1;
	for (p = ascii; *p != '\0'; p++) {
		if (*p == '.') {
			if (label == 0)
				return -1;
			label = 0;
			if (p[1] == '\0')
				break;
		} else if (*p <= ' ' || *p > '~' || *p == '\\' ||
		    ++label > LABEL_MAX)
			return -1;
		dst[n++] = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') :
		    *p;
	}
	dst[n] = '\0';
	/* 255 octets in wire form, RFC 1035 2.3.4 */
	return n == 0 || n > 253 ? -1 : 0;
}

static int
packet_open(struct packet *pkt, struct sections *s)
{
	if (pkt->n < HEADER || !(pkt->p[2] & 0x80) || get16(pkt->p + 4) != 1)
		return -1;
	s->answers = get16(pkt->p + 6);
	s->authorities = get16(pkt->p + 8);
	pkt->off = HEADER;
	if (packet_name(pkt, s->qname) != 0 || pkt->n - pkt->off < 4)
		return -1;
	s->answer = pkt->off + 4;
	return 0;
}

/* One record; -1: the packet ends here, whatever its header promised. */
static int
packet_record(struct packet *pkt, struct record *r)
{
	const uint8_t *p;

	switch (packet_name(pkt, r->owner)) {
	case -1:
		return -1;
	case 1:
		/* of nobody that we asked for */
		r->owner[0] = '\0';
		break;
	}
	if (pkt->n - pkt->off < 10)
		return -1;
	p = pkt->p + pkt->off;
	r->type = get16(p);
	r->class = get16(p + 2);
	r->ttl = get_ttl(p + 4);
	r->len = get16(p + 8);
	r->data = pkt->off + 10;
	if (r->len > pkt->n - r->data)
		return -1;
	pkt->off = r->data + r->len;
	return 0;
}

/*
 * The name at pkt->off as text, which moves behind it.  A pointer must lead
 * backwards from where the last one led, so there is no loop (RFC 1035
 * 4.1.4).  -1: malformed; 1: a name that text without escapes cannot say.
 */
static int
packet_name(struct packet *pkt, char *dst)
{
	size_t off = pkt->off, floor = pkt->off, n = 0;
	int jumped = 0, odd = 0;
	unsigned len;

	for (;;) {
		if (off >= pkt->n)
			return -1;
		len = pkt->p[off];
		if (len == 0)
			break;
		if ((len & 0xc0) == 0xc0) {
			if (off + 1 >= pkt->n)
				return -1;
			if (!jumped)
				pkt->off = off + 2;
			jumped = 1;
			off = (len & 0x3fU) << 8 | pkt->p[off + 1];
			if (off >= floor)
				return -1;
			floor = off;
			continue;
		}
		if ((len & 0xc0) != 0 || len > pkt->n - off - 1)
			return -1;
		switch (name_label(dst, &n, pkt->p + off + 1, len)) {
		case -1:
			return -1;
		case 1:
			odd = 1;
			break;
		}
		off += len + 1;
	}
	if (!jumped)
		pkt->off = off + 1;
	dst[n] = '\0';
	return odd;
}

static int
name_label(char *dst, size_t *n, const uint8_t *p, size_t len)
{
	size_t i;
	int odd = 0;

	/* 253 characters of text are the 255 octets of the wire */
	if (*n + (*n > 0) + len > 253)
		return -1;
	if (*n > 0)
		dst[(*n)++] = '.';
	for (i = 0; i < len; i++) {
		if (p[i] <= ' ' || p[i] > '~' || p[i] == '.' || p[i] == '\\')
			odd = 1;
		dst[(*n)++] = (char)(p[i] >= 'A' && p[i] <= 'Z' ?
		    p[i] - 'A' + 'a' : p[i]);
	}
	return odd;
}

/* From the question's name along the CNAMEs, in whatever order they stand. */
static int
follow(struct packet *pkt, const struct sections *s, struct dns_answer *a,
    unsigned *dropped)
{
	struct record r;
	unsigned hops, i;
	size_t end;

	for (hops = 0; hops < CHAIN_MAX; hops++) {
		pkt->off = s->answer;
		for (i = 0; i < s->answers; i++) {
			if (packet_record(pkt, &r) == -1)
				return -1;
			if (r.type == DNS_CNAME && r.class == CLASS_IN &&
			    strcmp(r.owner, a->cname) == 0)
				break;
		}
		if (i == s->answers)
			return 0;
		end = pkt->off;
		pkt->off = r.data;
		if (packet_name(pkt, a->cname) != 0 || pkt->off != end) {
			(*dropped)++;
			return -1;
		}
		if (r.ttl < a->ttl)
			a->ttl = r.ttl;
	}
	return -1;
}

static void
collect(struct packet *pkt, const struct sections *s, enum dns_type type,
    struct dns_answer *a, struct dns_store *store)
{
	struct record r;
	unsigned i;
	size_t len;

	pkt->off = s->answer;
	for (i = 0; i < s->answers; i++) {
		if (packet_record(pkt, &r) == -1) {
			store->dropped++;
			return;
		}
		if (r.type != type || r.class != CLASS_IN ||
		    strcmp(r.owner, a->cname) != 0)
			continue;
		if (a->nrec == DNS_RECORDS) {
			a->truncated = 1;
			return;
		}
		switch (rdata(pkt, &r, store->data + store->used,
		    sizeof(store->data) - store->used, &len)) {
		case RDATA_BAD:
			store->dropped++;
			break;
		case RDATA_LONG:
			a->truncated = 1;
			break;
		default:
			a->rec[a->nrec].data = store->data + store->used;
			a->rec[a->nrec].len = (uint16_t)len;
			a->nrec++;
			store->used += len;
			if (r.ttl < a->ttl)
				a->ttl = r.ttl;
		}
	}
}

/* RFC 2308 5: the lesser of the SOA's own time and its minimum field. */
static int
negative_ttl(struct packet *pkt, const struct sections *s, uint32_t *ttl)
{
	struct record r;
	uint32_t minimum;
	unsigned i;

	pkt->off = s->answer;
	for (i = 0; i < s->answers + s->authorities; i++) {
		if (packet_record(pkt, &r) == -1)
			return -1;
		if (i < s->answers || r.type != TYPE_SOA || r.len < 22)
			continue;
		minimum = get_ttl(pkt->p + r.data + r.len - 4);
		if (r.ttl < *ttl)
			*ttl = r.ttl;
		if (minimum < *ttl)
			*ttl = minimum;
		return 0;
	}
	return -1;
}

/* RDATA in the form of resolver.h; leaves pkt->off where it was. */
static int
rdata(struct packet *pkt, const struct record *r, uint8_t *dst, size_t size,
    size_t *len)
{
	const uint8_t *p = pkt->p + r->data;

	switch (r->type) {
	case DNS_PTR:
	case DNS_CNAME:
		return rdata_name(pkt, r, 0, dst, size, len);
	case DNS_MX:
		return r->len < 3 ? RDATA_BAD :
		    rdata_name(pkt, r, 2, dst, size, len);
	case DNS_TXT:
		return rdata_text(p, r->len, dst, size, len);
	case DNS_A:
		if (r->len != 4)
			return RDATA_BAD;
		break;
	case DNS_AAAA:
		if (r->len != 16)
			return RDATA_BAD;
		break;
	case DNS_TLSA:
		/* RFC 6698 2.1: three octets and the data */
		if (r->len < 4)
			return RDATA_BAD;
		break;
	default:
		return RDATA_BAD;
	}
	if (r->len > size)
		return RDATA_LONG;
	memcpy(dst, p, r->len);
	*len = r->len;
	return 0;
}

/* `skip' octets as they are, then a name that ends the RDATA. */
static int
rdata_name(struct packet *pkt, const struct record *r, size_t skip,
    uint8_t *dst, size_t size, size_t *len)
{
	char name[DNS_NAME];
	size_t saved = pkt->off, n;
	int ok;

	pkt->off = r->data + skip;
	ok = packet_name(pkt, name) == 0 && pkt->off == r->data + r->len;
	pkt->off = saved;
	if (!ok)
		return RDATA_BAD;
	n = strlen(name);
	if (skip + n > size)
		return RDATA_LONG;
	memcpy(dst, pkt->p + r->data, skip);
	memcpy(dst + skip, name, n);
	*len = skip + n;
	return 0;
}

/* RFC 1035 3.3.14: one or more strings; SPF and DKIM join them. */
static int
rdata_text(const uint8_t *p, size_t n, uint8_t *dst, size_t size, size_t *len)
{
	size_t off, total = 0;

	for (off = 0; off < n; off += (size_t)p[off] + 1) {
		if (p[off] > n - off - 1)
			return RDATA_BAD;
		total += p[off];
	}
	if (n == 0)
		return RDATA_BAD;
	if (total > size)
		return RDATA_LONG;
	for (off = 0; off < n; off += (size_t)p[off] + 1) {
		memcpy(dst, p + off + 1, p[off]);
		dst += p[off];
	}
	*len = total;
	return 0;
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* RFC 2181 8: with the highest bit set it is zero. */
static uint32_t
get_ttl(const uint8_t *p)
{
	uint32_t ttl = get32(p);

	return ttl > INT32_MAX ? 0 : ttl;
}
