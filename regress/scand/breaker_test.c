/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "regress/unit.h"
#include "scand/scand.h"

/*
 * Breakers: when they open and close, and what messages do then.  Time is the
 * test's own.
 */

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "limit dns 10s\n"
    "dnsbl \"a.example\" { 127.0.0.2 points 1 }\n"
    "dnsbl \"b.example\" { 127.0.0.2 points 1 }\n";

#define SLOW	LIM_DNS_SLOW_MS

struct dns_question {
	char		 name[DNS_NAME];
	uint64_t	 ms;
	void		(*cb)(const struct dns_answer *, void *);
	void		*arg;
	int		 open;
};
static struct dns_question	 questions[64];
static size_t			 n, cancelled;
static unsigned			 nchanged, nmoved;
static uint64_t			 now = 1000;
static uint64_t			 last_moved;

/* Of the loop; all of them, so that its file is not linked. */
uint64_t
loop_now(void)
{
	return now;
}

uint64_t
clock_ms(void)
{
	return now;
}

uint64_t
clock_wall_ms(void)
{
	return now;
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	struct dns_question *q = &questions[n++];

	CHECK_INT(type, DNS_A);
	(void)strlcpy(q->name, name, sizeof(q->name));
	q->ms = ms;
	q->cb = cb;
	q->arg = arg;
	q->open = 1;
	return q;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)type;
	memset(a, 0, sizeof(*a));
	a->status = DNS_NXDOMAIN;
	return strncmp(name, "known.", 6) == 0;
}

void
dns_cancel(struct dns_question *q)
{
	if (q == NULL)
		return;
	CHECK_INT(q->open, 1);
	q->open = 0;
	cancelled++;
}

static void
answer(size_t i, enum dns_status status)
{
	static struct dns_answer a;

	a.status = status;
	if (!questions[i].open)
		return;
	questions[i].open = 0;
	questions[i].cb(&a, questions[i].arg);
}

static void
changed(void *arg)
{
	(void)arg;
	nchanged++;
}

static void
moved(unsigned breaker, int open)
{
	nmoved++;
	last_moved = breaker * 2 + (open != 0);
}

static const struct config_dnsbl *
list(const struct config *conf, unsigned index)
{
	const struct config_dnsbl *l;

	TAILQ_FOREACH(l, &conf->dnsbls, entry) {
		if (l->index == index)
			break;
	}
	return l;
}

/* When it opens: so many messages, so long after the first. */
static void
test_opens(void)
{
	breaker_asked(0, 1, now);
	breaker_asked(0, 1, now + 9 * SLOW);
	breaker_asked(0, 2, now + 9 * SLOW);
	breaker_asked(0, 3, now + 9 * SLOW);
	CHECK_INT(breakers_open(), 0);
	breaker_answered(0, DNS_NXDOMAIN, now, now + 1);
	breaker_asked(0, 4, now);
	breaker_asked(0, 5, now);
	breaker_asked(0, 6, now);
	breaker_asked(0, 7, now + SLOW - 1);
	CHECK_INT(breakers_open(), 0);
	/* neither a failure nor a late answer counts */
	breaker_answered(0, DNS_FAIL, now, now + 1);
	breaker_answered(0, DNS_TIMEOUT, now, now + 1);
	breaker_answered(0, DNS_OK, now, now + SLOW);
	breaker_asked(0, 8, now + SLOW);
	CHECK_INT(breakers_open(), 1);
	CHECK_INT(breaker_waits(0), 0);
	CHECK_INT(breaker_waits(1), 1);
	CHECK_INT(nmoved, 1);
	CHECK_INT(last_moved, 1);
	breaker_answered(0, DNS_FAIL, now, now + 1);
	CHECK_INT(breaker_waits(0), 0);
	breaker_answered(0, DNS_NODATA, now, now + 1);
	CHECK_INT(breaker_waits(0), 1);
	CHECK_INT(last_moved, 0);
}

/* A list that is silent, and DNS otherwise well. */
static void
test_list(const struct config *conf)
{
	static struct answers m[6];
	const struct answer *a;
	size_t i;

	n = cancelled = 0;
	for (i = 0; i < 3; i++) {
		answers_init(&m[i], now + 10000, changed, NULL);
		CHECK(answers_get_list(&m[i], list(conf, 1), "x.b.example") ==
		    NULL);
		CHECK(answers_get(&m[i], "y.example", DNS_A) == NULL);
		CHECK_INT(answers_ask(&m[i]), 2);
		answer(2 * i + 1, DNS_OK);
	}
	now += SLOW;
	CHECK_INT(breakers_open(), 0);
	/* the fourth opens it, and all who wait go on */
	answers_init(&m[3], now + 10000, changed, NULL);
	CHECK(answers_get_list(&m[3], list(conf, 1), "x.b.example") == NULL);
	CHECK_INT(answers_ask(&m[3]), 1);
	CHECK_INT(breakers_open(), 2);
	CHECK_INT(questions[6].ms, 10000);
	nchanged = 0;
	answers_release(1);
	CHECK_INT(nchanged, 4);
	CHECK_INT(cancelled, 4);
	for (i = 0; i < 4; i++) {
		CHECK_INT(m[i].open, 0);
		CHECK_INT(m[i].given_up, 1);
		a = answers_get_list(&m[i], list(conf, 1), "x.b.example");
		CHECK(a != NULL && a->status == DNS_TIMEOUT);
	}
	/* the next one does not wait, but a question is asked */
	for (i = 4; i < 6; i++) {
		answers_init(&m[i], now + 10000, changed, NULL);
		a = answers_get_list(&m[i], list(conf, 1), "z.b.example");
		CHECK(a != NULL && a->status == DNS_TIMEOUT);
		a = answers_get_list(&m[i], list(conf, 1), "known.b.example");
		CHECK(a != NULL && a->status == DNS_NXDOMAIN);
		CHECK_INT(m[i].wanted, 0);
	}
	CHECK_INT(n, 8);
	CHECK_STR(questions[7].name, "z.b.example");
	now += 1000;
	answers_get_list(&m[5], list(conf, 1), "more.b.example");
	CHECK_INT(n, 9);
	answer(7, DNS_TIMEOUT);
	CHECK_INT(breakers_open(), 2);
	answer(8, DNS_NXDOMAIN);
	CHECK_INT(breakers_open(), 0);
	CHECK(answers_get_list(&m[5], list(conf, 1), "last.b.example") ==
	    NULL);
	for (i = 0; i < 6; i++)
		answers_free(&m[i]);
}

/* Nothing answers at all: shortly waited for. */
static void
test_dns(void)
{
	static struct answers m[6];
	size_t i;

	n = cancelled = 0;
	now += 100000;
	for (i = 0; i < 4; i++) {
		answers_init(&m[i], now + 10000, changed, NULL);
		CHECK(answers_get(&m[i], "d.example", DNS_A) == NULL);
		CHECK_INT(answers_ask(&m[i]), 1);
		now += SLOW / 3;
	}
	CHECK_INT(breakers_open() >> BREAKER_DNS, 1);
	answers_release(BREAKER_DNS);
	CHECK_INT(cancelled, 4);
	answers_init(&m[4], now + 10000, changed, NULL);
	CHECK(answers_get(&m[4], "e.example", DNS_A) == NULL);
	CHECK_INT(answers_ask(&m[4]), 1);
	/* its own, and one to see whether anything comes again */
	for (i = 5; i < n && questions[i].ms != 10000; i++)
		continue;
	CHECK(i < n);
	CHECK_INT(questions[n - 1].ms, LIM_DNS_GRACE_MS);
	/* however late */
	now += 9000;
	answer(i, DNS_NXDOMAIN);
	CHECK_INT(breakers_open(), 0);
	for (i = 0; i < 5; i++)
		answers_free(&m[i]);
}

int
main(void)
{
	struct config *conf;

	log_init("breaker_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stdout);
	if (conf == NULL)
		return 1;
	/* never before that */
	breaker_asked(1, 1, 0);
	breaker_asked(1, 2, 0);
	breaker_asked(1, 3, 0);
	breaker_asked(1, 4, now);
	CHECK_INT(breakers_open(), 0);
	breaker_answered(1, DNS_OK, now, now);
	breakers_start(conf, moved);
	test_opens();
	test_list(conf);
	test_dns();
	config_free(conf);
	return unit_end();
}
