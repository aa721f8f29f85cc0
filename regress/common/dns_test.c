/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "common/dns_wire.h"
#include "common/punycode.h"
#include "common/resolver.h"
#include "regress/unit.h"

/* DNS without DNS: packets made here are decoded, answers go into a frame. */

#define A8	"aaaaaaaa"

/* A packet under construction. */
static uint8_t	 pkt[4096];
static size_t	 len;

static void
put(const void *p, size_t n)
{
	memcpy(pkt + len, p, n);
	len += n;
}

static void
put16(unsigned v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(b, 2);
}

static void
put_name(const char *s)
{
	uint8_t n;

	while (*s != '\0') {
		n = (uint8_t)strcspn(s, ".");
		put(&n, 1);
		put(s, n);
		s += n + (s[n] == '.');
	}
	put("", 1);
}

static void
begin(const char *qname, unsigned type, unsigned rcode, unsigned answers,
    unsigned authorities)
{
	len = 0;
	put16(1234);
	put16(0x8180 | rcode);
	put16(1);
	put16(answers);
	put16(authorities);
	put16(0);
	put_name(qname);
	put16(type);
	put16(1);
}

/* Owner, type, TTL, room for the length; returns where that goes. */
static size_t
record(const char *owner, unsigned type, unsigned ttl)
{
	put_name(owner);
	put16(type);
	put16(1);
	put16(ttl >> 16);
	put16(ttl & 0xffff);
	put16(0);
	return len;
}

static void
done(size_t at)
{
	pkt[at - 2] = (uint8_t)((len - at) >> 8);
	pkt[at - 1] = (uint8_t)(len - at);
}

static void
rr(const char *owner, unsigned type, unsigned ttl, const void *data, size_t n)
{
	size_t at = record(owner, type, ttl);

	put(data, n);
	done(at);
}

static void
rr_name(const char *owner, unsigned type, unsigned ttl, const char *name)
{
	size_t at = record(owner, type, ttl);

	put_name(name);
	done(at);
}

static struct dns_store	 store;
static struct dns_answer answer;

static void
decode(enum dns_type type)
{
	uint8_t *copy;

	/* exactly as long as it is, so that overruns show */
	copy = malloc(len + (len == 0));
	memcpy(copy, pkt, len);
	dns_decode(copy, len, type, &answer, &store);
	free(copy);
}

static int
is(size_t i, const void *data, size_t n)
{
	return i < answer.nrec && answer.rec[i].len == n &&
	    memcmp(answer.rec[i].data, data, n) == 0;
}

static void
test_decode(void)
{
	size_t at, i;

	begin("A.Test", DNS_A, 0, 3, 0);
	rr("a.test", DNS_A, 300, "\300\0\2\1", 4);
	rr("a.TEST", DNS_A, 200, "\300\0\2\2", 4);
	rr("other.test", DNS_A, 100, "\300\0\2\3", 4);
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_OK);
	CHECK_INT(answer.nrec, 2);
	CHECK_INT(answer.ttl, 200);
	CHECK_STR(answer.cname, "a.test");
	CHECK(is(0, "\300\0\2\1", 4) && is(1, "\300\0\2\2", 4));

	/* cut off: what is there, or no answer at all */
	pkt[2] |= 0x02;
	decode(DNS_A);
	CHECK(answer.status == DNS_OK && answer.nrec == 2 &&
	    answer.truncated == 1);
	begin("a.test", DNS_MX, 0, 0, 0);
	pkt[2] |= 0x02;
	decode(DNS_MX);
	CHECK_INT(answer.status, DNS_FAIL);

	/* a chain out of order, its least time */
	begin("c.test", DNS_MX, 0, 4, 0);
	at = record("a.test", DNS_MX, 300);
	put16(10);
	put_name("MX1.a.test");
	done(at);
	rr_name("d.test", DNS_CNAME, 50, "a.test");
	rr_name("c.test", DNS_CNAME, 60, "D.test");
	at = record("a.test", DNS_MX, 300);
	put16(0);
	put_name("");
	done(at);
	decode(DNS_MX);
	CHECK_INT(answer.status, DNS_OK);
	CHECK_INT(answer.ttl, 50);
	CHECK_STR(answer.cname, "a.test");
	CHECK(is(0, "\0\12mx1.a.test", 12) && is(1, "\0\0", 2));

	/* asked for the CNAME itself */
	begin("c.test", DNS_CNAME, 0, 1, 0);
	rr_name("c.test", DNS_CNAME, 60, "d.test");
	decode(DNS_CNAME);
	CHECK(is(0, "d.test", 6));
	CHECK_STR(answer.cname, "c.test");

	/* strings joined; a text without any is none */
	begin("t.test", DNS_TXT, 0, 3, 0);
	rr("t.test", DNS_TXT, 60, "\3v=s\4pf1 \0", 10);
	rr("t.test", DNS_TXT, 60, "", 0);
	rr("t.test", DNS_TXT, 60, "\1", 1);
	decode(DNS_TXT);
	CHECK_INT(answer.status, DNS_OK);
	CHECK_INT(answer.nrec, 1);
	CHECK(is(0, "v=spf1 ", 7));
	CHECK_INT(store.dropped, 2);

	/* compressed names: RDATA points at the question */
	begin("9.2.0.192.in-addr.arpa", DNS_PTR, 0, 1, 0);
	at = record("9.2.0.192.in-addr.arpa", DNS_PTR, 60);
	put("\4host\300\14", 7);
	done(at);
	decode(DNS_PTR);
	CHECK(is(0, "host.9.2.0.192.in-addr.arpa", 27));

	/* lengths that are not the type's */
	begin("a.test", DNS_A, 0, 1, 0);
	rr("a.test", DNS_A, 60, "\300\0\2", 3);
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_FAIL);
	CHECK_INT(store.dropped, 1);
	begin("a.test", DNS_AAAA, 0, 1, 0);
	rr("a.test", DNS_AAAA, 60, "\300\0\2\1", 4);
	decode(DNS_AAAA);
	CHECK_INT(answer.status, DNS_FAIL);
	begin("a.test", DNS_TLSA, 0, 2, 0);
	rr("a.test", DNS_TLSA, 60, "\3\1\1", 3);
	rr("a.test", DNS_TLSA, 60, "\3\1\1x", 4);
	decode(DNS_TLSA);
	CHECK(answer.nrec == 1 && is(0, "\3\1\1x", 4));
	/* a name with something behind it, and names that text cannot say */
	begin("a.test", DNS_PTR, 0, 4, 0);
	rr("a.test", DNS_PTR, 60, "\1x\0y", 4);
	rr("a.test", DNS_PTR, 60, "\3a.b\0", 5);
	rr("a.test", DNS_PTR, 60, "\3a\0b\0", 5);
	rr("a.test", DNS_PTR, 60, "\3a b\0", 5);
	decode(DNS_PTR);
	CHECK_INT(answer.status, DNS_FAIL);
	CHECK_INT(store.dropped, 4);
	CHECK_INT(answer.ttl, 0);

	/* more than travels */
	begin("a.test", DNS_A, 0, DNS_RECORDS + 1, 0);
	for (i = 0; i < DNS_RECORDS + 1; i++)
		rr("a.test", DNS_A, 60, "\300\0\2\1", 4);
	decode(DNS_A);
	CHECK_INT(answer.nrec, DNS_RECORDS);
	CHECK_INT(answer.truncated, 1);
	/* a time with the highest bit is none */
	begin("a.test", DNS_A, 0, 1, 0);
	rr("a.test", DNS_A, 0x80000001, "\300\0\2\1", 4);
	decode(DNS_A);
	CHECK_INT(answer.ttl, 0);
}

static void
soa(unsigned ttl, unsigned minimum)
{
	size_t at = record("test", 6, ttl);
	unsigned i;

	put_name("ns.test");
	put_name("root.test");
	for (i = 0; i < 4; i++) {
		put16(0);
		put16(1);
	}
	put16(minimum >> 16);
	put16(minimum & 0xffff);
	done(at);
}

static void
test_negative(void)
{
	size_t at, whole;

	begin("no.test", DNS_A, 3, 0, 1);
	soa(600, 60);
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_NXDOMAIN);
	CHECK_INT(answer.ttl, 60);
	begin("a.test", DNS_A, 0, 0, 1);
	soa(30, 60);
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_NODATA);
	CHECK_INT(answer.ttl, 30);
	begin("a.test", DNS_A, 0, 0, 0);
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_NODATA);
	CHECK_INT(answer.ttl, 0);
	/* the alias of nobody */
	begin("c.test", DNS_A, 3, 1, 1);
	rr_name("c.test", DNS_CNAME, 5, "no.test");
	soa(600, 60);
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_NXDOMAIN);
	CHECK_STR(answer.cname, "no.test");
	CHECK_INT(answer.ttl, 5);

	begin("a.test", DNS_A, 2, 0, 0);
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_FAIL);
	/* a loop */
	begin("c.test", DNS_A, 0, 2, 0);
	rr_name("c.test", DNS_CNAME, 5, "d.test");
	rr_name("d.test", DNS_CNAME, 5, "c.test");
	decode(DNS_A);
	CHECK_INT(answer.status, DNS_FAIL);
	/* pointers to themselves and forward */
	begin("a.test", DNS_PTR, 0, 1, 0);
	at = record("a.test", DNS_PTR, 60);
	put16(0xc000 | (unsigned)at);
	done(at);
	decode(DNS_PTR);
	CHECK_INT(answer.status, DNS_FAIL);

	/* cut anywhere: a failure or less, never an overrun */
	begin("c.test", DNS_MX, 0, 2, 1);
	rr_name("c.test", DNS_CNAME, 60, "a.test");
	at = record("a.test", DNS_MX, 300);
	put16(10);
	put_name("mx1.a.test");
	done(at);
	soa(1, 1);
	for (whole = len; len > 0; len--)
		decode(DNS_MX);
	len = whole;
	decode(DNS_MX);
	CHECK_INT(answer.status, DNS_OK);
}

static void
test_names(void)
{
	static const char *const bad[] = {
		"", ".", "a..b", ".a", "a b", "a\\b", "a\tb", "\xff.test",
		A8 A8 A8 A8 A8 A8 A8 A8 ".test",
	};
	char dst[DNS_NAME], longest[300];
	size_t i;

	CHECK_INT(dns_name("_25._TCP.Mx.Test.", dst), 0);
	CHECK_STR(dst, "_25._tcp.mx.test");
	CHECK_INT(dns_name("user+tag=x.1/2.test", dst), 0);
	CHECK_INT(dns_name("b\xc3\xbc" "cher.Test", dst), 0);
	CHECK_STR(dst, "xn--bcher-kva.test");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(dns_name(bad[i], dst), -1);
	memset(longest, 'a', sizeof(longest));
	for (i = 63; i < sizeof(longest); i += 64)
		longest[i] = '.';
	longest[253] = '\0';
	CHECK_INT(dns_name(longest, dst), 0);
	longest[253] = '.';
	longest[254] = '\0';
	CHECK_INT(dns_name(longest, dst), 0);
	longest[253] = 'a';
	CHECK_INT(dns_name(longest, dst), -1);
}

/* Whoever decodes a label and encodes it again has the label. */
static void
test_label(void)
{
	static const char *const labels[] = {
		"xn--mnchen-3ya", "xn--zckzah", "xn--e28h", "xn--4ca",
		"xn---with-super-monkeys-pc58ag80a8qai00g7n9n",
		"xn--ihqwcrb4cv8a8dqg056pqjye"
	};
	static const char *const wrong[] = {
		"", "xn--", "xn-a", "mnchen-3ya", "xn--\x7f", "xn--a!",
		"xn--99999999", "xn--zzzzzzzzzzzzzzzzzzzz"
	};
	uint32_t chars[PUNYCODE_CHARS];
	char text[4 * PUNYCODE_CHARS + 1], dst[DNS_NAME];
	size_t i, k, n, at;
	uint32_t c;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		n = punycode_label(labels[i], strlen(labels[i]), chars);
		CHECK(n > 0);
		for (k = at = 0; k < n; k++) {
			c = chars[k];
			if (c < 0x80)
				text[at++] = (char)c;
			else if (c < 0x800) {
				text[at++] = (char)(0xc0 | c >> 6);
				text[at++] = (char)(0x80 | (c & 0x3f));
			} else if (c < 0x10000) {
				text[at++] = (char)(0xe0 | c >> 12);
				text[at++] = (char)(0x80 | (c >> 6 & 0x3f));
				text[at++] = (char)(0x80 | (c & 0x3f));
			} else {
				text[at++] = (char)(0xf0 | c >> 18);
				text[at++] = (char)(0x80 | (c >> 12 & 0x3f));
				text[at++] = (char)(0x80 | (c >> 6 & 0x3f));
				text[at++] = (char)(0x80 | (c & 0x3f));
			}
		}
		text[at] = '\0';
		CHECK_INT(punycode_domain(text, dst, sizeof(dst)), 0);
		CHECK_STR(dst, labels[i]);
	}
	CHECK_INT(punycode_label("XN--MNCHEN-3YA", 14, chars), 7);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_INT(punycode_label(wrong[i], strlen(wrong[i]), chars),
		    0);
}

/* RFC 3492 7.1 and names in use. */
static void
test_punycode(void)
{
	static const struct {
		const char *u, *a;
	} cases[] = {
		{ "M\xc3\xbcnchen.de", "xn--mnchen-3ya.de" },
		{ "fa\xc3\x9f.de", "xn--fa-hia.de" },
		{ "\xe4\xbe\x8b\xe3\x81\x88."
		    "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
		    "xn--r8jz45g.xn--zckzah" },
		{ "\xd0\xb8\xd1\x81\xd0\xbf\xd1\x8b\xd1\x82\xd0\xb0\xd0\xbd"
		    "\xd0\xb8\xd0\xb5", "xn--80akhbyknj4f" },
		/* (B) Chinese (simplified) */
		{ "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88"
		    "\xe4\xb8\x8d\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87",
		    "xn--ihqwcrb4cv8a8dqg056pqjye" },
		/* (M) mixed with ASCII */
		{ "\xe5\xae\x89\xe5\xae\xa4\xe5\xa5\x88\xe7\xbe\x8e\xe6\x81\xb5"
		    "-with-super-monkeys",
		    "xn---with-super-monkeys-pc58ag80a8qai00g7n9n" },
		{ "\xf0\x9f\x98\x80.test", "xn--e28h.test" },
		{ "plain.test", "plain.test" },
		{ "a.\xc3\xa4", "a.xn--4ca" },
	};
	char dst[DNS_NAME];
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(punycode_domain(cases[i].u, dst, sizeof(dst)), 0);
		CHECK_STR(dst, cases[i].a);
		for (n = 0; n <= strlen(cases[i].a); n++)
			CHECK_INT(punycode_domain(cases[i].u, dst, n), -1);
	}
	CHECK_INT(punycode_domain("\xc3", dst, sizeof(dst)), -1);
	test_label();
}

static void
test_frame(void)
{
	struct dns_answer a, b;
	struct ibuf w, r;
	uint8_t *copy;
	size_t n;

	memset(&a, 0, sizeof(a));
	a.status = DNS_OK;
	a.security = DNS_SECURE;
	a.ttl = 77;
	a.truncated = 1;
	snprintf(a.cname, sizeof(a.cname), "c.test");
	a.rec[0].data = (const uint8_t *)"abc";
	a.rec[0].len = 3;
	a.rec[1].data = (const uint8_t *)"";
	a.nrec = 2;
	ibuf_init(&w);
	dns_answer_add(&w, &a);
	ibuf_from(&r, w.p, w.len);
	CHECK_INT(dns_answer_parse(&r, &b), 0);
	CHECK_INT(ibuf_get_end(&r), 0);
	CHECK(b.status == DNS_OK && b.security == DNS_SECURE && b.ttl == 77 &&
	    b.truncated == 1 && b.nrec == 2);
	CHECK_STR(b.cname, "c.test");
	CHECK(b.rec[0].len == 3 && memcmp(b.rec[0].data, "abc", 3) == 0);
	CHECK(b.rec[1].len == 0 && b.rec[1].data != NULL);
	for (n = 0; n < w.len; n++) {
		copy = malloc(n + 1);
		memcpy(copy, w.p, n);
		ibuf_from(&r, copy, n);
		CHECK(dns_answer_parse(&r, &b) == -1 ||
		    ibuf_get_end(&r) == -1);
		free(copy);
	}
	w.p[0] = DNS_TIMEOUT + 1;
	ibuf_from(&r, w.p, w.len);
	CHECK_INT(dns_answer_parse(&r, &b), -1);
	ibuf_free(&w);
}

int
main(void)
{
	test_decode();
	test_negative();
	test_names();
	test_punycode();
	test_frame();
	return unit_end();
}
