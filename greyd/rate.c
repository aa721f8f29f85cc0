/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "greyd/greyd.h"

/*
 * Rates: at most so much in any period.  Two counters a key, of this period
 * and of the one before, whose share is taken to leave evenly: a sliding
 * window that costs one addition, also where several gateways share a store.
 */

#define EVENT_PERIOD_S	86400

struct rate {
	const struct backend	*be;
	struct key		 key;
	uint32_t		 cost, limit, period_s;
	void			(*cb)(const struct rate_answer *, void *);
	void			*arg;
};

static void	 counted(enum backend_status, uint64_t, uint64_t, void *);
static void	 forgotten(enum backend_status, uint64_t, uint64_t, void *);

int
rate_take(const struct backend *be, const char *key, uint32_t cost,
    uint32_t limit, uint32_t period_s,
    void (*cb)(const struct rate_answer *, void *), void *arg)
{
	struct rate	*r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return -1;
	if (period_s == 0)
		period_s = 1;
	if (period_s > LIM_RATE_PERIOD_S)
		period_s = LIM_RATE_PERIOD_S;
	r->be = be;
	r->cost = cost < LIM_RATE_LIMIT ? cost : LIM_RATE_LIMIT;
	r->limit = limit < LIM_RATE_LIMIT ? limit : LIM_RATE_LIMIT;
	r->period_s = period_s;
	r->cb = cb;
	r->arg = arg;
	key_make(&r->key, "rate", key, NULL, NULL);
	/* First counted, then judged: so no two can both take the last one. */
	be->count(&r->key, (int64_t)r->cost, period_s, counted, r);
	return 0;
}

static void
counted(enum backend_status status, uint64_t now, uint64_t before, void *arg)
{
	struct rate		*r = arg;
	struct rate_answer	 a = { .pass = 1 };
	uint64_t		 at;

	if (status == BACKEND_FAILED)
		a.failed = 1;
	else if (r->limit != 0) {
		at = state_now() % ((uint64_t)r->period_s * 1000);
		a.wait_s = rate_wait(now < r->cost ? 0 : now - r->cost, before,
		    at, r->cost, r->limit, r->period_s);
		a.pass = a.wait_s == 0;
	}
	if (!a.pass)
		r->be->count(&r->key, -(int64_t)r->cost, r->period_s,
		    forgotten, NULL);
	r->cb(&a, r->arg);
	free(r);
}

uint32_t
rate_wait(uint64_t now, uint64_t before, uint64_t at, uint32_t cost,
    uint32_t limit, uint32_t period_s)
{
	uint64_t	 period = (uint64_t)period_s * 1000, room, ms;

	/* Bounded, so that the products below fit. */
	if (now > LIM_RATE_LIMIT)
		now = LIM_RATE_LIMIT;
	if (before > LIM_RATE_LIMIT)
		before = LIM_RATE_LIMIT;
	if (cost > limit)
		return period_s;	/* never; it has to ask for less */
	room = limit - cost;
	/*
	 * Half a unit more than room, so that what is left of the other
	 * period is rounded to the nearest: small limits are met on average.
	 */
	if (now <= room) {
		/* What is left of the last period must shrink to room. */
		room -= now;
		if (2 * before * (period - at) <= (2 * room + 1) * period)
			return 0;
		ms = period - at - (2 * room + 1) * period / (2 * before);
	} else {
		/* In the next period this one is the one before. */
		ms = period - at + period -
		    (2 * room + 1) * period / (2 * now);
	}
	return (uint32_t)((ms + 999) / 1000);
}

void
event_count(const struct backend *be, enum client_event event,
    const struct netaddr *client)
{
	struct netaddr	 net;
	struct key	 key;
	char		 addr[NETADDR_STRLEN];

	netaddr_network(&net, client);
	key_make(&key, "event", event_name(event),
	    netaddr_print(&net, addr, sizeof(addr)), NULL);
	be->count(&key, 1, EVENT_PERIOD_S, forgotten, NULL);
}

static void
forgotten(enum backend_status status, uint64_t now, uint64_t before, void *arg)
{
	(void)status;
	(void)now;
	(void)before;
	(void)arg;
}

const char *
event_name(enum client_event event)
{
	static const char *const	 names[] = {
		[EVENT_TRAP] = "trap",
		[EVENT_REFUSED] = "refused",
		[EVENT_UNKNOWN_RCPT] = "unknown-rcpt",
	};

	return event < sizeof(names) / sizeof(names[0]) ? names[event] :
	    "other";
}
