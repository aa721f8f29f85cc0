/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <err.h>
#include <stdlib.h>
#include <time.h>

#include "regress/unit.h"
#include "relayd-out/queue.h"

/* The schedule, by a clock that the test moves. */

#define MANY	100000

static uint64_t		 now = 1000000;
static struct entry	*late;
static unsigned		 nlate;

static void
deadline(struct entry *e)
{
	late = e;
	nlate++;
}

static struct hop *
hop(const char *name)
{
	struct hopspec	 spec = { .kind = HOP_MX, .port = 25 };
	struct hop	*h;

	(void)strlcpy(spec.host, name, sizeof(spec.host));
	if ((h = sched_hop(&spec)) == NULL)
		errx(1, "no memory");
	return h;
}

/* How many parts can be started now; they stay active. */
static unsigned
take(struct part **out, unsigned max)
{
	struct part	*p;
	unsigned	 n = 0;

	while (n < max && (p = sched_take()) != NULL)
		out[n++] = p;
	return n;
}

static void
windows(void)
{
	static struct part	 parts[200];
	struct part		*got[200];
	struct hop		*h = hop("window.example");
	unsigned		 i, n, round, want[] = { 5, 10, 20, 20 };

	CHECK(hop("window.example") == h);
	for (i = 0; i < 200; i++) {
		part_init(&parts[i], NULL, h);
		part_ready(&parts[i]);
	}
	/* It begins small, and grows with each success up to the maximum. */
	for (round = 0; round < 4; round++) {
		n = take(got, 200);
		CHECK_INT(n, want[round]);
		CHECK(round > 0 || got[0] == &parts[0]);
		for (i = 0; i < n; i++)
			sched_result(got[i], HOP_GOOD, NULL, now);
	}
	/* Trouble halves it. */
	n = take(got, 200);
	sched_result(got[0], HOP_BUSY, "421 slowly", now);
	for (i = 1; i < n; i++)
		sched_result(got[i], HOP_UNTOUCHED, NULL, now);
	CHECK_INT(take(got, 200), 10);
	CHECK_STR(h->why, "421 slowly");
	for (i = 0; i < 200; i++)
		part_free(&parts[i]);
	CHECK_INT(h->nparts, 0);
	CHECK_INT(h->nready, 0);
	CHECK_INT(h->nactive, 0);
}

/* A hop that does not answer: all wait, one probes, the pauses grow. */
static void
down_and_back(void)
{
	static struct part	 parts[50];
	struct part		*got[50];
	struct hop		*h = hop("down.example");
	uint64_t		 pause, last = 0;
	unsigned		 i, n, round;

	for (i = 0; i < 50; i++) {
		part_init(&parts[i], NULL, h);
		part_ready(&parts[i]);
	}
	n = take(got, 50);
	CHECK_INT(n, 5);
	for (i = 0; i < n; i++) {
		sched_result(got[i], HOP_DOWN, "refused", now);
		part_ready(got[i]);
	}
	for (round = 0; round < 4; round++) {
		CHECK(sched_take() == NULL);
		CHECK(!sched_prompt(h));
		CHECK(sched_due() != UINT64_MAX);
		pause = sched_due() - now;
		CHECK(pause > last);
		last = pause;
		now += pause - 1;
		sched_tick(now, deadline);
		CHECK(sched_take() == NULL);
		now += 1;
		sched_tick(now, deadline);
		CHECK_INT(take(got, 50), 1);
		if (round == 3)
			break;
		sched_result(got[0], HOP_DOWN, "refused", now);
		part_ready(got[0]);
	}
	sched_result(got[0], HOP_GOOD, NULL, now);
	CHECK_INT(h->failures, 0);
	CHECK_INT(take(got, 50), 2);
	CHECK(sched_due() == UINT64_MAX);
	sched_result(got[0], HOP_DOWN, "refused", now);
	sched_retry_hops();
	CHECK(sched_due() == UINT64_MAX);
	for (i = 0; i < 50; i++)
		part_free(&parts[i]);
	CHECK(sched_take() == NULL);
}

/* Hops take turns, so none waits behind the many of another. */
static void
fair(void)
{
	static struct part	 parts[30];
	struct part		*got[30];
	struct hop		*h[3];
	unsigned		 i;

	h[0] = hop("fair0.example");
	h[1] = hop("fair1.example");
	h[2] = hop("fair2.example");
	for (i = 0; i < 30; i++) {
		part_init(&parts[i], NULL, h[i / 10]);
		part_ready(&parts[i]);
	}
	CHECK_INT(take(got, 30), 15);
	for (i = 0; i < 15; i++)
		CHECK(got[i]->hop == h[i % 3]);
	for (i = 0; i < 30; i++)
		part_free(&parts[i]);
}

static void
waiting(void)
{
	static struct part	 parts[100];
	struct part		*got[100];
	struct entry		 e;
	struct hop		*h[100];
	char			 name[32];
	unsigned		 i, n;

	for (i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "w%u.example", i);
		h[i] = hop(name);
		part_init(&parts[i], NULL, h[i]);
		/* in no order */
		part_wait(&parts[i], now + (i * 37) % 100 + 1);
	}
	memset(&e, 0, sizeof(e));
	e.node.kind = NODE_ENTRY;
	node_set(&e.node, now + 50);
	for (i = 1; i <= 100; i++) {
		sched_tick(now + i, deadline);
		n = take(got, 100);
		CHECK_INT(n, 1);
		CHECK(n == 1 && got[0]->node.when == now + i);
		CHECK_INT(nlate, i >= 50);
	}
	CHECK(late == &e);
	CHECK(sched_due() == UINT64_MAX);
	part_wait(&parts[0], now + 7);
	CHECK(sched_due() == now + 7);
	part_wait(&parts[0], now + 3);
	CHECK(sched_due() == now + 3);
	part_idle(&parts[0]);
	CHECK(sched_due() == UINT64_MAX);
	for (i = 0; i < 100; i++)
		part_free(&parts[i]);
}

static void
backoff(void)
{
	uint64_t	 t;
	unsigned	 i, n;
	int		 odd = 0;

	for (i = 0; i < 1000; i++)
		for (n = 0; n < 40; n++) {
			t = sched_backoff(900000, 14400000, n);
			if (n < 5)
				odd += t < (900000ULL << n) * 9 / 10 ||
				    t > (900000ULL << n) * 11 / 10 + 1;
			else
				odd += t > 14400000ULL * 11 / 10 + 1;
		}
	CHECK_INT(odd, 0);
}

static double
seconds(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * 100,000 messages in a thousand hops, each failing once: no step may cost
 * more because many wait.
 */
static void
many(void)
{
	struct part	*parts, *p;
	char		 name[32];
	double		 begin = seconds(), used;
	unsigned	 i, done = 0, failed = 0;

	if ((parts = calloc(MANY, sizeof(*parts))) == NULL)
		errx(1, "no memory");
	for (i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "m%u.example", i % 1000);
		part_init(&parts[i], NULL, hop(name));
		part_ready(&parts[i]);
	}
	while (done < MANY) {
		sched_tick(now, deadline);
		while ((p = sched_take()) != NULL) {
			if (p->attempts == 0) {
				p->attempts = 1;
				failed++;
				sched_result(p, HOP_GOOD, NULL, now);
				part_wait(p, now + 1 + failed % 5000);
			} else {
				sched_result(p, HOP_GOOD, NULL, now);
				part_free(p);
				done++;
			}
		}
		now += 100;
	}
	used = seconds() - begin;
	printf("%d messages, %.3f s\n", MANY, used);
	CHECK_INT(failed, MANY);
	/* Generous for a slow machine; a linear step would take minutes. */
	CHECK(used < 20);
	free(parts);
}

int
main(void)
{
	sched_init(20, 15000, 900000);
	windows();
	down_and_back();
	fair();
	waiting();
	backoff();
	many();
	return unit_end();
}
