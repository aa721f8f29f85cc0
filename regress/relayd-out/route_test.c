/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <err.h>
#include <stdlib.h>

#include "common/loop.h"
#include "regress/unit.h"
#include "relayd-out/deliver.h"

/* From next hops to addresses, with a DNS that the test plays. */

/* One name of the zone: "MX 10 a.example", "A 192.0.2.1", "FAIL" ... */
struct zone {
	const char	*name;
	enum dns_type	 type;
	const char	*data;
};

static const struct zone zone[] = {
	{ "two.example", DNS_MX, "20 mx2.two.example" },
	{ "two.example", DNS_MX, "10 mx1.two.example" },
	{ "mx1.two.example", DNS_A, "192.0.2.1" },
	{ "mx1.two.example", DNS_AAAA, "2001:db8::1" },
	{ "mx2.two.example", DNS_A, "192.0.2.2" },
	{ "bare.example", DNS_A, "192.0.2.3" },
	{ "null.example", DNS_MX, "0 " },
	{ "dead.example", DNS_MX, "5 nowhere.example" },
	{ "void.example", DNS_TXT, "" },
	{ "fails.example", DNS_MX, "FAIL" },
	{ "half.example", DNS_MX, "5 fails-a.example" },
	{ "half.example", DNS_MX, "6 mx2.two.example" },
	{ "fails-a.example", DNS_A, "FAIL" },
	{ "onlyfails.example", DNS_MX, "5 fails-a.example" },
	{ "backup.example", DNS_MX, "10 mx1.two.example" },
	{ "backup.example", DNS_MX, "20 gw01.example" },
	{ "backup.example", DNS_MX, "30 mx2.two.example" },
	{ "loop.example", DNS_MX, "10 GW.example" },
	{ "loopaddr.example", DNS_MX, "10 other.example" },
	{ "loopaddr.example", DNS_MX, "20 mx1.two.example" },
	{ "betteraddr.example", DNS_MX, "10 mx2.two.example" },
	{ "betteraddr.example", DNS_MX, "20 other.example" },
	{ "betteraddr.example", DNS_MX, "30 mx1.two.example" },
	{ "other.example", DNS_A, "192.0.2.25" },
	{ "silly.example", DNS_MX, "10 zero.example" },
	{ "zero.example", DNS_A, "0.0.0.0" },
	{ "zero.example", DNS_A, "224.0.0.1" },
	{ "host.example", DNS_A, "192.0.2.9" },
	{ NULL, 0, NULL }
};

struct dns_question {
	struct deferred	  d;
	char		  name[256];
	enum dns_type	  type;
	void		(*cb)(const struct dns_answer *, void *);
	void		 *arg;
};

static struct config	 conf;
static int		 open_questions;
static char		 result[1024];

static void
answer(void *arg)
{
	struct dns_question	*q = arg;
	static uint8_t		 data[DNS_RECORDS][300];
	struct dns_answer	 a;
	const struct zone	*z;
	struct netaddr		 na;
	char			*end;
	int			 exists = 0;

	memset(&a, 0, sizeof(a));
	a.ttl = 77;
	a.status = DNS_NXDOMAIN;
	for (z = zone; z->name != NULL; z++) {
		if (strcmp(z->name, q->name) != 0)
			continue;
		exists = 1;
		if (z->type != q->type)
			continue;
		if (strcmp(z->data, "FAIL") == 0) {
			a.status = DNS_FAIL;
			break;
		}
		a.rec[a.nrec].data = data[a.nrec];
		if (z->type == DNS_MX) {
			long	 pref = strtol(z->data, &end, 10);

			data[a.nrec][0] = (uint8_t)(pref >> 8);
			data[a.nrec][1] = (uint8_t)pref;
			memcpy(data[a.nrec] + 2, end + 1, strlen(end + 1));
			a.rec[a.nrec].len = (uint16_t)(2 + strlen(end + 1));
		} else {
			if (netaddr_parse(&na, z->data) == -1)
				errx(1, "%s", z->data);
			memcpy(data[a.nrec], na.octets, 16);
			a.rec[a.nrec].len = na.family == AF_INET ? 4 : 16;
		}
		a.nrec++;
		a.status = DNS_OK;
	}
	if (a.status == DNS_NXDOMAIN && exists)
		a.status = DNS_NODATA;
	open_questions--;
	q->cb(&a, q->arg);
	free(q);
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	struct dns_question	*q = calloc(1, sizeof(*q));

	(void)ms;
	if (q == NULL)
		return NULL;
	(void)strlcpy(q->name, name, sizeof(q->name));
	q->type = type;
	q->cb = cb;
	q->arg = arg;
	q->d.fn = answer;
	q->d.arg = q;
	loop_defer(&q->d);
	open_questions++;
	return q;
}

void
dns_cancel(struct dns_question *q)
{
	loop_undefer(&q->d);
	open_questions--;
	free(q);
}

static void
routed(enum route_status st, const struct route *r, const char *code,
    const char *why, void *arg)
{
	char	 a[NETADDR_STRLEN];
	size_t	 i;

	(void)why;
	(void)arg;
	(void)snprintf(result, sizeof(result), "%s", st == ROUTE_OK ? "ok" :
	    st == ROUTE_DEFER ? "later" : "fail");
	if (st != ROUTE_OK) {
		(void)strlcat(result, " ", sizeof(result));
		(void)strlcat(result, code, sizeof(result));
		return;
	}
	for (i = 0; i < r->n; i++) {
		(void)strlcat(result, " ", sizeof(result));
		(void)strlcat(result, netaddr_print(&r->v[i].addr, a,
		    sizeof(a)), sizeof(result));
	}
}

static const char *
find(enum hop_kind kind, const char *name)
{
	struct hopspec	 spec = { .kind = kind, .port = 25 };

	if (kind == HOP_ADDR) {
		if (netaddr_parse(&spec.addr, name) == -1)
			errx(1, "%s", name);
	} else
		(void)strlcpy(spec.host, name, sizeof(spec.host));
	(void)strlcpy(result, "nothing", sizeof(result));
	if (route_find(&conf, &spec, routed, NULL) == NULL)
		errx(1, "no memory");
	if (strcmp(result, "nothing") != 0)
		errx(1, "answered from inside");
	loop_flush();
	return result;
}

int
main(void)
{
	struct config_listen	 l = { .port = 25 };
	struct hopspec		 spec = { .kind = HOP_MX, .port = 25 };
	struct route_ask	*a;
	char			 service[] = "gw.example",
				 node[] = "gw01.example";

	loop_init();
	conf.service = service;
	conf.node = node;
	TAILQ_INIT(&conf.listens);
	if (netaddr_parse(&l.addr, "192.0.2.25") == -1)
		errx(1, "address");
	TAILQ_INSERT_TAIL(&conf.listens, &l, entry);

	CHECK_STR(find(HOP_MX, "two.example"),
	    "ok 2001:db8::1 192.0.2.1 192.0.2.2");
	CHECK_STR(find(HOP_MX, "bare.example"), "ok 192.0.2.3");
	CHECK_STR(find(HOP_MX, "null.example"), "fail 5.1.10");
	CHECK_STR(find(HOP_MX, "dead.example"), "fail 5.4.4");
	CHECK_STR(find(HOP_MX, "void.example"), "fail 5.1.2");
	CHECK_STR(find(HOP_MX, "no.example"), "fail 5.1.2");
	CHECK_STR(find(HOP_MX, "fails.example"), "later 4.4.3");
	CHECK_STR(find(HOP_MX, "half.example"), "ok 192.0.2.2");
	CHECK_STR(find(HOP_MX, "onlyfails.example"), "later 4.4.3");
	/* Where we are an MX, only better ones; by name and by address. */
	CHECK_STR(find(HOP_MX, "backup.example"),
	    "ok 2001:db8::1 192.0.2.1");
	CHECK_STR(find(HOP_MX, "loop.example"), "fail 5.4.6");
	CHECK_STR(find(HOP_MX, "loopaddr.example"), "fail 5.4.6");
	CHECK_STR(find(HOP_MX, "betteraddr.example"), "ok 192.0.2.2");
	CHECK_STR(find(HOP_MX, "silly.example"), "fail 5.4.4");
	CHECK_STR(find(HOP_HOST, "host.example"), "ok 192.0.2.9");
	CHECK_STR(find(HOP_HOST, "no.example"), "later 4.4.4");
	CHECK_STR(find(HOP_HOST, "other.example"), "fail 5.4.6");
	CHECK_STR(find(HOP_ADDR, "192.0.2.7"), "ok 192.0.2.7");
	CHECK_STR(find(HOP_ADDR, "192.0.2.25"), "fail 5.4.6");
	CHECK_STR(find(HOP_NONE, ""), "fail 5.1.3");
	CHECK_STR(find(HOP_UNROUTED, ""), "later 4.3.5");
	CHECK_INT(open_questions, 0);

	/* Taken back, nobody is told. */
	(void)strlcpy(spec.host, "two.example", sizeof(spec.host));
	(void)strlcpy(result, "nothing", sizeof(result));
	a = route_find(&conf, &spec, routed, NULL);
	route_cancel(a);
	loop_flush();
	CHECK_STR(result, "nothing");
	CHECK_INT(open_questions, 0);
	return unit_end();
}
