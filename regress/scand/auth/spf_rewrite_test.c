/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "regress/unit.h"
#include "scand/auth/spf.h"

/* What libspf2 gets to read. */

static const char *
rewritten(const char *text, sa_family_t family, size_t off)
{
	static char dst[SPF_REWRITTEN];
	struct spf_record r;
	const char *why;

	memset(&r, 0, sizeof(r));
	r.text = text;
	r.len = strlen(text);
	if (!spf_record_is(text, r.len))
		return "no record";
	if (spf_record_check(&r, &why) == -1)
		return why;
	if (spf_rewrite(&r, 3, off, family, dst, sizeof(dst)) == -1)
		return "no room";
	return dst;
}

static void
v4(const char *text, const char *want)
{
	CHECK_STR(rewritten(text, AF_INET, SPF_VERSION_LEN), want);
}

static void
v6(const char *text, const char *want)
{
	CHECK_STR(rewritten(text, AF_INET6, SPF_VERSION_LEN), want);
}

static void
test_terms(void)
{
	v4("v=spf1", "v=spf1");
	v4("V=SPF1   A    -ALL ", "v=spf1 +a:t3.9.x -all");
	v4("v=spf1 ?a:x.example/24//64 ~mx/32",
	    "v=spf1 ?a:t3.7.x/24 ~mx:t3.27.x");
	v6("v=spf1 ?a:x.example/24//64 ~mx/32",
	    "v=spf1 ?a:t3.7.x//64 ~mx:t3.27.x");
	v4("v=spf1 a/0//0", "v=spf1 +a:t3.7.x");
	v4("v=spf1 include:x.example exists:%{i}.x.example ptr",
	    "v=spf1 +include:t3.7.x +exists:t3.25.x +exists:t3.47.x");
	v4("v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -ip4:192.0.2.0/24",
	    "v=spf1 +ip4:192.0.2.1/32 -ip4:192.0.2.0/24");
	v6("v=spf1 ip4:192.0.2.1 ip6:2001:DB8:0::/32 -ip6:::1",
	    "v=spf1 +ip6:2001:db8::/32 -ip6:::1/128");
	v4("v=spf1 ~ip4:192.0.2.1/0", "v=spf1 ~ip4:0.0.0.0/1 ~ip4:128.0.0.0/1");
	v6("v=spf1 ~ip6:::1/0", "v=spf1 ~ip6:::/1 ~ip6:8000::/1");
	/* redirect= comes last, or not at all; other modifiers are not its. */
	v4("v=spf1 redirect=x.example exp=y.example z=%{c} a",
	    "v=spf1 +a:t3.47.x redirect=t3.7.x");
	v4("v=spf1 redirect=x.example ?all a", "v=spf1 ?all");
}

static void
test_wrong(void)
{
	v4("v=spf10", "no record");
	v4("v=spf1 a:x.example all.", "an unknown mechanism");
	v4("v=spf1 a:%{d0}.example", "a wrong domain");
	v4("v=spf1 a/33", "a wrong prefix length");
	v4("v=spf1 ip4:1.2.3", "a wrong address");
	v4("v=spf1 include", "a mechanism without its argument");
	v4("v=spf1 all:x.example", "something wrong behind a mechanism");
	v4("v=spf1 exp=", "a wrong value of a modifier");
	v4("v=spf1 a\tmx", "octets that are not printable ASCII");
}

static void
test_parts(void)
{
	char text[LIM_SPF_RECORD + 1] = "v=spf1";
	const char *out, *next;
	struct spf_place p;
	size_t i, n = 0, off = SPF_VERSION_LEN;

	for (i = 0; i < 200; i++)
		CHECK(strlcat(text, " ip4:192.0.2.1", sizeof(text)) <
		    sizeof(text));
	CHECK(strlcat(text, " redirect=x.example", sizeof(text)) <
	    sizeof(text));
	for (;;) {
		out = rewritten(text, AF_INET, off);
		for (next = out; (next = strstr(next, " +ip4:")) != NULL;
		    next++)
			n++;
		if ((next = strstr(out, " redirect=p")) == NULL)
			break;
		CHECK_INT(spf_place_read(next + 10, &p), 0);
		CHECK_INT(p.kind, 'p');
		CHECK_INT(p.record, 3);
		CHECK(p.off > off);
		off = p.off;
	}
	CHECK_INT(n, 200);
	CHECK(strstr(out, " redirect=t3.2807.x") != NULL);
}

static void
test_places(void)
{
	struct spf_place p;

	CHECK_INT(spf_place_read("m3.2806.9.x", &p), 0);
	CHECK_INT(p.kind, 'm');
	CHECK_INT(p.record, 3);
	CHECK_INT(p.off, 2806);
	CHECK_INT(p.host, 9);
	CHECK_INT(spf_place_read("t3.7.x", &p), 0);
	CHECK_INT(spf_place_read("", &p), -1);
	CHECK_INT(spf_place_read("t", &p), -1);
	CHECK_INT(spf_place_read("t3.7", &p), -1);
	CHECK_INT(spf_place_read("t3.7.x.", &p), -1);
	CHECK_INT(spf_place_read("t3.7.1.x", &p), -1);
	CHECK_INT(spf_place_read("m3.7.x", &p), -1);
	CHECK_INT(spf_place_read("t3.99999999999999999999999.x", &p), -1);
	CHECK_INT(spf_place_read("x.example", &p), -1);
}

int
main(void)
{
	test_terms();
	test_wrong();
	test_parts();
	test_places();
	return unit_end();
}
