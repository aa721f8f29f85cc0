/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <netinet/in.h>

#include <stdlib.h>

#include "common/cidr.h"
#include "regress/unit.h"

/* Addresses and ranges: text both ways, masks, membership, list names. */

static const struct {
	const char	*text;
	const char	*print;		/* NULL: refused */
	const char	*literal;
	const char	*network;
	const char	*reverse;	/* below "z" */
} addrs[] = {
	{ "192.0.2.9", "192.0.2.9", "[192.0.2.9]", "192.0.2.0",
	    "9.2.0.192.z" },
	{ "2001:DB8::1", "2001:db8::1", "[IPv6:2001:db8::1]", "2001:db8::",
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
	    ".z" },
	{ "::ffff:192.0.2.9", "192.0.2.9", "[192.0.2.9]", "192.0.2.0",
	    "9.2.0.192.z" },
	{ "::FFFF:c000:209", "192.0.2.9", "[192.0.2.9]", "192.0.2.0",
	    "9.2.0.192.z" },
	{ "::", "::", "[IPv6:::]", "::",
	    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
	    ".z" },
	{ "0.0.0.0", "0.0.0.0", "[0.0.0.0]", "0.0.0.0", "0.0.0.0.z" },
	{ "192.0.2", NULL, NULL, NULL, NULL },
	{ "192.0.2.256", NULL, NULL, NULL, NULL },
	{ "192.0.2.01", NULL, NULL, NULL, NULL },
	{ "192.0.2.9 ", NULL, NULL, NULL, NULL },
	{ "[192.0.2.9]", NULL, NULL, NULL, NULL },
	{ "fe80::1%lo", NULL, NULL, NULL, NULL },
	{ "2001:db8:::1", NULL, NULL, NULL, NULL },
	{ "", NULL, NULL, NULL, NULL },
};

static const struct {
	const char	*text;
	int		 result;
	const char	*print;
	const char	*in, *out;
} ranges[] = {
	{ "192.0.2.0/24", 0, "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
	{ "192.0.2.128/25", 0, "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
	{ "192.0.2.77", 0, "192.0.2.77", "192.0.2.77", "192.0.2.76" },
	{ "0.0.0.0/0", 0, "0.0.0.0/0", "255.1.2.3", "::1" },
	{ "2001:db8::/33", 0, "2001:db8::/33", "2001:db8:7fff::1",
	    "2001:db8:8000::" },
	{ "2001:db8:77::/64", 0, "2001:db8:77::/64", "2001:db8:77::9",
	    "2001:db8:77:1::9" },
	{ "::/0", 0, "::/0", "ffff::1", "1.2.3.4" },
	{ "::1", 0, "::1", "::1", "::2" },
	{ "::ffff:192.0.2.0/120", 0, "192.0.2.0/24", "::ffff:192.0.2.9",
	    "192.0.3.1" },
	{ "::ffff:0.0.0.0/96", 0, "0.0.0.0/0", "9.9.9.9", "::2" },
	{ "::ffff:0.0.0.0/95", -1, NULL, NULL, NULL },
	{ "192.0.2.1/24", -2, NULL, NULL, NULL },
	{ "2001:db8::1/64", -2, NULL, NULL, NULL },
	{ "192.0.2.0/33", -1, NULL, NULL, NULL },
	{ "2001:db8::/129", -1, NULL, NULL, NULL },
	{ "192.0.2.0/", -1, NULL, NULL, NULL },
	{ "192.0.2.0/ 8", -1, NULL, NULL, NULL },
	{ "192.0.2.0/+8", -1, NULL, NULL, NULL },
	{ "192.0.2.0/24/1", -1, NULL, NULL, NULL },
	{ "192.0.2.0/255.255.255.0", -1, NULL, NULL, NULL },
	{ "/24", -1, NULL, NULL, NULL },
	{ "example.net/24", -1, NULL, NULL, NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222/24", -1,
	    NULL, NULL, NULL },
};

static void
test_addresses(void)
{
	struct netaddr a, b, net;
	struct sockaddr_storage ss;
	struct sockaddr_in6 sin6;
	socklen_t len;
	char buf[128];
	size_t i;

	for (i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		CHECK_INT(netaddr_parse(&a, addrs[i].text),
		    addrs[i].print == NULL ? -1 : 0);
		if (addrs[i].print == NULL) {
			CHECK_INT(a.family, 0);
			continue;
		}
		CHECK_STR(netaddr_print(&a, buf, NETADDR_STRLEN),
		    addrs[i].print);
		CHECK_STR(netaddr_literal(&a, buf, 54), addrs[i].literal);
		netaddr_network(&net, &a);
		CHECK_STR(netaddr_print(&net, buf, sizeof(buf)),
		    addrs[i].network);
		CHECK_INT(netaddr_reverse(&a, "z", buf, sizeof(buf)), 0);
		CHECK_STR(buf, addrs[i].reverse);
		CHECK_INT(netaddr_reverse(&a, "z", buf,
		    strlen(addrs[i].reverse)), -1);

		len = netaddr_to_sockaddr(&a, 2525, &ss);
		CHECK(len > 0);
		CHECK_INT(netaddr_from_sockaddr(&b,
		    (struct sockaddr *)&ss), 0);
		CHECK_INT(netaddr_cmp(&a, &b), 0);
	}

	/* a mapped address from a dual-stack socket is IPv4 */
	memset(&sin6, 0, sizeof(sin6));
	sin6.sin6_family = AF_INET6;
	memcpy(&sin6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	CHECK_INT(netaddr_from_sockaddr(&a, (struct sockaddr *)&sin6), 0);
	CHECK_STR(netaddr_print(&a, buf, sizeof(buf)), "192.0.2.1");

	memset(&ss, 0, sizeof(ss));
	ss.ss_family = AF_UNIX;
	CHECK_INT(netaddr_from_sockaddr(&a, (struct sockaddr *)&ss), -1);
	CHECK_INT(netaddr_to_sockaddr(&a, 25, &ss), 0);
	CHECK_STR(netaddr_print(&a, buf, sizeof(buf)), "none");
	CHECK_INT(netaddr_reverse(&a, "z", buf, sizeof(buf)), -1);
	netaddr_mask(&a, 0);

	CHECK_INT(netaddr_parse(&a, "2001:db8:ffff::"), 0);
	netaddr_mask(&a, 35);
	CHECK_STR(netaddr_print(&a, buf, sizeof(buf)), "2001:db8:e000::");
	netaddr_mask(&a, 0);
	CHECK_STR(netaddr_print(&a, buf, sizeof(buf)), "::");

	CHECK_INT(netaddr_parse(&a, "10.0.0.1"), 0);
	CHECK_INT(netaddr_parse(&b, "10.0.0.2"), 0);
	CHECK(netaddr_cmp(&a, &b) < 0);
	CHECK(netaddr_cmp(&b, &a) > 0);
	CHECK_INT(netaddr_parse(&b, "::1"), 0);
	CHECK(netaddr_cmp(&a, &b) != 0);
}

static void
test_ranges(void)
{
	struct cidr c;
	struct cidr_list list;
	struct netaddr a;
	char buf[64], text[32];
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		CHECK_INT(cidr_parse(&c, ranges[i].text), ranges[i].result);
		if (ranges[i].result != 0)
			continue;
		CHECK_STR(cidr_print(&c, buf, sizeof(buf)), ranges[i].print);
		CHECK_INT(netaddr_parse(&a, ranges[i].in), 0);
		CHECK(cidr_contains(&c, &a));
		CHECK_INT(netaddr_parse(&a, ranges[i].out), 0);
		CHECK(!cidr_contains(&c, &a));
		a.family = 0;
		CHECK(!cidr_contains(&c, &a));
	}

	memset(&list, 0, sizeof(list));
	CHECK(!cidr_list_contains(&list, &a));
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "10.%zu.0.0/16", i);
		CHECK_INT(cidr_parse(&c, text), 0);
		CHECK_INT(cidr_list_add(&list, &c), 0);
	}
	CHECK_INT(list.n, 100);
	CHECK_INT(netaddr_parse(&a, "10.99.3.4"), 0);
	CHECK(cidr_list_contains(&list, &a));
	CHECK_INT(netaddr_parse(&a, "10.100.3.4"), 0);
	CHECK(!cidr_list_contains(&list, &a));
	cidr_list_free(&list);
	CHECK_INT(list.n, 0);
	cidr_list_free(NULL);
}

int
main(void)
{
	test_addresses();
	test_ranges();
	return unit_end();
}
