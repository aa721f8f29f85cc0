/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/limits.h"
#include "greyd/greyd.h"
#include "regress/greyd/fakestate.h"
#include "regress/unit.h"

/*
 * Rates: never more than the limit in any period, and the wait that is told
 * is right.
 */

static const struct backend	*be;
static struct rate_answer	 got;

static void	 on_answer(const struct rate_answer *, void *);
static int	 take(const char *, uint32_t, uint32_t, uint32_t);

static void
on_answer(const struct rate_answer *a, void *arg)
{
	(void)arg;
	got = *a;
}

static int
take(const char *key, uint32_t cost, uint32_t limit, uint32_t period)
{
	memset(&got, 0, sizeof(got));
	if (rate_take(be, key, cost, limit, period, on_answer, NULL) == -1)
		errx(1, "no memory");
	be->turn();
	return got.pass;
}

static void
check_simple(void)
{
	int	 i;

	for (i = 0; i < 20; i++)
		CHECK(take("simple", 1, 20, 3600));
	CHECK(!take("simple", 1, 20, 3600));
	CHECK(got.wait_s > 0 && got.wait_s <= 3600 * 11 / 10);
	/* Another key is another count. */
	CHECK(take("simple2", 1, 20, 3600));
	/* What was refused was not counted: the wait is as told. */
	for (i = 0; i < 100; i++)
		CHECK(!take("simple", 1, 20, 3600));
	fake_ms += (uint64_t)got.wait_s * 1000;
	CHECK(take("simple", 1, 20, 3600));
	CHECK(!take("simple", 1, 20, 3600));
	/* Costs. */
	CHECK(take("cost", 15, 20, 60));
	CHECK(!take("cost", 6, 20, 60));
	CHECK(take("cost", 5, 20, 60));
	CHECK(!take("big", 21, 20, 60) && got.wait_s == 60);
	/* No limit, no period. */
	CHECK(take("free", 1000000, 0, 60));
	CHECK(take("zero", 1, 1, 0));
	CHECK(take("huge", UINT32_MAX, UINT32_MAX, UINT32_MAX));
	CHECK(!take("huge", UINT32_MAX, UINT32_MAX, UINT32_MAX));
	CHECK(got.wait_s <= LIM_RATE_PERIOD_S * 2);
}

/* One that always asks: at most about the limit in any period. */
static void
check_flood(void)
{
	static uint8_t	 passed[4000];
	size_t		 i, k, sum, worst = 0;
	const size_t	 period = 600, limit = 50;

	for (i = 0; i < sizeof(passed); i++, fake_ms += 1000)
		passed[i] = (uint8_t)take("flood", 1, limit, period);
	for (i = 0; i + period < sizeof(passed); i++) {
		for (sum = 0, k = i; k < i + period; k++)
			sum += passed[k];
		if (sum > worst)
			worst = sum;
	}
	printf("worst period: %zu of %zu\n", worst, limit);
	/* Two counters assume an even flow of the period before; a burst at
	   its end lets some more through. */
	CHECK(worst <= 2 * limit && worst >= limit);
	for (sum = 0, i = 0; i < sizeof(passed); i++)
		sum += passed[i];
	CHECK(sum <= sizeof(passed) / period * limit + 2 * limit);
	CHECK(sum >= (sizeof(passed) / period - 1) * limit);
}

/* The arithmetic: after the wait it passes, a little before it does not. */
static void
check_wait(void)
{
	uint64_t	 now, before, at, period = 1000, t;
	uint32_t	 w, limit = 100, cost, seed = 1;
	int		 i, bad = 0, early = 0;

	for (i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		now = (seed >> 8) % 130;
		before = (seed >> 16) % 130;
		at = seed % (period * 1000);
		cost = 1 + (seed >> 4) % 50;
		w = rate_wait(now, before, at, cost, limit, (uint32_t)period);
		if (w == 0)
			continue;
		t = at + (uint64_t)w * 1000;
		if (t < period * 1000 ? rate_wait(now, before, t, cost, limit,
		    (uint32_t)period) != 0 : t < 2 * period * 1000 &&
		    rate_wait(0, now, t - period * 1000, cost, limit,
		    (uint32_t)period) != 0)
			bad++;
		if (w < 2)
			continue;
		t -= 1001;
		if (t < period * 1000 ? rate_wait(now, before, t, cost, limit,
		    (uint32_t)period) == 0 : rate_wait(0, now,
		    t - period * 1000, cost, limit, (uint32_t)period) == 0)
			early++;
	}
	CHECK_INT(bad, 0);
	/* Across the edge of a period the estimate jumps; rarely. */
	printf("%d of 20000 could have been told a shorter wait\n", early);
	CHECK(early < 200);
	CHECK_INT(rate_wait(UINT64_MAX, UINT64_MAX, 0, 1, LIM_RATE_LIMIT,
	    LIM_RATE_PERIOD_S) > 0, 1);
}

/* One a period, asked for every second: so it is, on average. */
static void
check_one(void)
{
	int	 i, n = 0;

	for (i = 0; i < 6000; i++, fake_ms += 1000)
		n += take("one", 1, 1, 600);
	printf("%d of 10\n", n);
	CHECK(n >= 8 && n <= 11);
}

static void
check_events(void)
{
	struct netaddr	 client;

	if (netaddr_parse(&client, "192.0.2.77") == -1)
		errx(1, "address");
	event_count(be, EVENT_TRAP, &client);
	event_count(be, EVENT_TRAP, &client);
	be->turn();
	CHECK_STR(event_name(EVENT_REFUSED), "refused");
	CHECK_STR(event_name((enum client_event)99), "other");
}

int
main(void)
{
	fake_begin();
	if ((be = backend_lmdb_open(fake_dir, 100000)) == NULL)
		errx(1, "no back end");
	check_simple();
	check_flood();
	check_wait();
	check_one();
	check_events();
	be->close();
	fake_end();
	return unit_end();
}
