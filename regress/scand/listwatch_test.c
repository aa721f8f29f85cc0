/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "regress/unit.h"
#include "scand/broker.h"

/*
 * Tests of DNS lists: which lists are used after what answers, and that they
 * come back.  DNS is a table of names that may be changed.
 */

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "limit lists 1s\n"
    "dnsbl \"good.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"six.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"only6.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"all.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"all6.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"nothing.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"refuses.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"web.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"silent.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"moved.example\" test 127.0.0.9 { 127.0.0.2 points 1 }\n"
    "dnsbl \"none.example\" test none { 127.0.0.2 points 1 }\n"
    "dnsbl \"names.example\" for domains { 127.0.0.2 points 1 }\n"
    "dnsbl \"named.example\" for domains test \"p.q\""
    " { 127.0.0.2 points 1 }\n"
    "dnsbl \"allnames.example\" for domains { 127.0.0.2 points 1 }\n"
    "dnsbl \"links.example\" for links { 127.0.0.2 points 1 }\n"
    "dnsbl \"links4.example\" for links test 127.0.0.2"
    " { 127.0.0.2 points 1 }\n"
    "dnsbl \"nolinks4.example\" for links { 127.0.0.2 points 1 }\n";
static struct config	*conf;

#define V4	"2.0.0.127."
#define V4NOT	"1.0.0.127."
#define V6	"2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0." \
		"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
#define V6NOT	"1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0." \
		"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."

/* A name's address; "fail" and "timeout"; not there: no such name. */
static struct {
	const char	*name, *value;
} zone[] = {
	{ V4 "good.example", "127.0.0.2" },
	{ V4 "six.example", "127.0.0.4" },
	{ V6 "six.example", "127.0.0.2" },
	{ V6 "only6.example", "127.0.0.2" },
	{ V4 "all.example", "127.0.0.2" },
	{ V4NOT "all.example", "127.0.0.2" },
	{ V4 "all6.example", "127.0.0.2" },
	{ V6 "all6.example", "127.0.0.2" },
	{ V6NOT "all6.example", "127.0.0.2" },
	{ V4 "refuses.example", "127.255.255.254" },
	{ V4NOT "refuses.example", "127.255.255.254" },
	{ V4 "web.example", "192.0.2.1" },
	{ V4 "silent.example", "timeout" },
	{ V4NOT "silent.example", "fail" },
	{ "9.0.0.127.moved.example", "127.0.0.2" },
	{ "test.names.example", "127.0.1.2" },
	{ "p.q.named.example", "127.0.1.2" },
	{ "test.allnames.example", "127.0.1.2" },
	{ "invalid.allnames.example", "127.0.1.2" },
	{ "test.links.example", "127.0.1.2" },
	{ V4 "links.example", "127.0.1.2" },
	{ V4 "links4.example", "127.0.1.2" },
	{ "test.nolinks4.example", "127.0.1.2" },
	{ V4 "nolinks4.example", "127.0.1.255" },
	{ V4NOT "nolinks4.example", "127.0.1.255" },
};
#define ZONE	(sizeof(zone) / sizeof(zone[0]))

struct dns_question {
	struct deferred	 later;
	char		 name[DNS_NAME];
	void		(*cb)(const struct dns_answer *, void *);
	void		*arg;
};

static unsigned	 nasked, ntold, ndispatched;
static char	 status[16384];

static void
zone_set(const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < ZONE; i++) {
		if (strcmp(zone[i].name, name) == 0)
			zone[i].value = value;
	}
}

static void
answer(void *arg)
{
	static struct dns_answer a;
	static uint8_t data[4];
	struct dns_question *q = arg;
	size_t i;

	memset(&a, 0, sizeof(a));
	a.status = DNS_NXDOMAIN;
	for (i = 0; i < ZONE; i++) {
		if (strcmp(zone[i].name, q->name) != 0 ||
		    zone[i].value == NULL)
			continue;
		if (strcmp(zone[i].value, "timeout") == 0)
			a.status = DNS_TIMEOUT;
		else if (strcmp(zone[i].value, "fail") == 0)
			a.status = DNS_FAIL;
		else {
			CHECK_INT(inet_pton(AF_INET, zone[i].value, data), 1);
			a.status = DNS_OK;
			a.rec[0].data = data;
			a.rec[0].len = 4;
			a.nrec = 1;
		}
	}
	q->cb(&a, q->arg);
	free(q);
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	struct dns_question *q = calloc(1, sizeof(*q));

	CHECK_INT(type, DNS_A);
	CHECK_INT(ms, 10000);
	if (q == NULL)
		exit(1);
	(void)strlcpy(q->name, name, sizeof(q->name));
	q->cb = cb;
	q->arg = arg;
	q->later.fn = answer;
	q->later.arg = q;
	loop_defer(&q->later);
	nasked++;
	return q;
}

void
workers_tell_lists(void)
{
	ntold++;
}

unsigned
workers_unwaited(unsigned breaker)
{
	return breaker;
}

void
workers_dispatch(void)
{
	CHECK_INT(lists_settled(), 1);
	ndispatched++;
}

void
operator_text(struct ipc *ipc, uint32_t job, const char *text)
{
	CHECK(ipc == NULL && job == 5);
	(void)strlcat(status, text, sizeof(status));
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
run(unsigned ms)
{
	static struct timer t;

	if (t.fn == NULL)
		timer_init(&t, stop, NULL);
	timer_set(&t, ms);
	loop_run();
}

/* "4", "6", "n" for what may be asked. */
static const char *
may(const char *name)
{
	static char out[4];
	const struct config_dnsbl *l;
	unsigned m = 0;

	TAILQ_FOREACH(l, &conf->dnsbls, entry) {
		if (strncmp(l->zone, name, strlen(name)) == 0 &&
		    l->zone[strlen(name)] == '.')
			m = lists_may(l);
	}
	(void)snprintf(out, sizeof(out), "%s%s%s", m & LIST_ASK_V4 ? "4" : "",
	    m & LIST_ASK_V6 ? "6" : "", m & LIST_ASK_NAMES ? "n" : "");
	return out;
}

static int
says(const char *line)
{
	status[0] = '\0';
	lists_status(NULL, 5);
	if (strstr(status, line) != NULL)
		return 1;
	printf("%s", status);
	return 0;
}

static void
test_first(void)
{
	CHECK_INT(lists_settled(), 0);
	CHECK_STR(may("good"), "");
	CHECK(says("list[good.example] untested\n"));
	run(20);
	CHECK_INT(lists_settled(), 1);
	CHECK_INT(ndispatched, 1);
	CHECK(ntold > 0);
	CHECK_STR(may("good"), "4");
	CHECK_STR(may("six"), "46");
	CHECK_STR(may("only6"), "6");
	CHECK_STR(may("all"), "");
	CHECK_STR(may("all6"), "4");
	CHECK_STR(may("nothing"), "");
	CHECK_STR(may("refuses"), "");
	CHECK_STR(may("web"), "");
	CHECK_STR(may("silent"), "");
	CHECK_STR(may("moved"), "4");
	CHECK_STR(may("none"), "46");
	CHECK_STR(may("names"), "n");
	CHECK_STR(may("named"), "n");
	CHECK_STR(may("allnames"), "");
	CHECK_STR(may("links"), "4n");
	CHECK_STR(may("links4"), "4n");
	CHECK_STR(may("nolinks4"), "n");
	CHECK(says("list[good.example] on ipv4\n"
	    "list[good.example].tests 1\n"
	    "list[good.example].switched-off 0\n"
	    "list[good.example].unwaited 0\n"));
	CHECK(says("list[all.example] off: it has 127.0.0.1, as if it had "
	    "everything\nlist[all.example].tests 1\n"
	    "list[all.example].switched-off 1\n"));
	CHECK(says("list[nothing.example] off: it does not have 127.0.0.2, "
	    "as if it had nothing\n"));
	CHECK(says("list[refuses.example] off: it does not want to be asked "
	    "by us (127.255.255.254)\n"));
	CHECK(says("list[web.example] off: it answers 192.0.2.1 for "
	    "127.0.0.2, which is no return code\n"));
	CHECK(says("list[silent.example] untested, silent\n"));
	CHECK(says("list[allnames.example] off: it has invalid"));
}

/* What is bad becomes good, and the reverse; silence changes nothing. */
static void
test_later(void)
{
	zone_set(V4NOT "all.example", NULL);
	zone_set(V4 "silent.example", "127.0.0.2");
	zone_set(V4NOT "silent.example", NULL);
	zone_set("test.names.example", NULL);
	zone_set(V4 "good.example", "timeout");
	run(1200);
	CHECK_STR(may("all"), "4");
	CHECK_STR(may("silent"), "4");
	CHECK_STR(may("names"), "");
	CHECK_STR(may("good"), "4");
	CHECK(says("list[good.example] on ipv4, silent\n"));
	CHECK(says("list[all.example] on ipv4\nlist[all.example].tests 2\n"
	    "list[all.example].switched-off 1\n"));
	CHECK(says("list[names.example].switched-off 1\n"));
}

int
main(void)
{
	log_init("listwatch_test", 1);
	loop_init();
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stdout);
	if (conf == NULL)
		return 1;
	lists_watch(conf);
	test_first();
	test_later();
	config_free(conf);
	return unit_end();
}
