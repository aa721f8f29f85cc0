/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/time.h>

#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/loop.h"

static struct event_base	*base;
static TAILQ_HEAD(, deferred)	 deferreds = TAILQ_HEAD_INITIALIZER(deferreds);
static uint64_t			 now;		/* 0: not read this turn */
static int			 stopped;

static void	 run_deferred(void);
static void	 timer_fire(int, short, void *);

void
loop_init(void)
{
	if ((base = event_base_new()) == NULL)
		fatalx("no event base");
}

struct event_base *
loop_base(void)
{
	return base;
}

void
loop_run(void)
{
	stopped = 0;
	while (!stopped) {
		loop_flush();
		if (stopped)
			break;
		now = 0;	/* time passes in the wait */
		if (event_base_loop(base, EVLOOP_ONCE) == -1)
			fatal("event loop");
	}
	loop_flush();
}

void
loop_flush(void)
{
	run_deferred();
	log_flush();
}

void
loop_stop(void)
{
	stopped = 1;
	(void)event_base_loopbreak(base);
}

/*
 * Work may put off more work for the same turn (a closed channel answers
 * jobs, which queues replies), so until none is left.
 */
static void
run_deferred(void)
{
	struct deferred	*d;

	while ((d = TAILQ_FIRST(&deferreds)) != NULL) {
		TAILQ_REMOVE(&deferreds, d, entry);
		d->queued = 0;
		d->fn(d->arg);
	}
}

void
loop_defer(struct deferred *d)
{
	if (d->queued)
		return;
	d->queued = 1;
	TAILQ_INSERT_TAIL(&deferreds, d, entry);
}

void
loop_undefer(struct deferred *d)
{
	if (!d->queued)
		return;
	d->queued = 0;
	TAILQ_REMOVE(&deferreds, d, entry);
}

uint64_t
clock_ms(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock");
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_wall_ms(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		fatal("clock");
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
loop_now(void)
{
	/* Handlers of one turn may take long; a turn is the unit of time. */
	if (now == 0)
		now = clock_ms();
	return now;
}

void
timer_init(struct timer *t, void (*fn)(void *), void *arg)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
	t->arg = arg;
}

static void
timer_fire(int fd, short what, void *arg)
{
	struct timer	*t = arg;

	(void)fd;
	(void)what;
	t->fn(t->arg);
}

void
timer_set(struct timer *t, uint64_t ms)
{
	struct timeval	 tv;

	if (t->ev == NULL &&
	    (t->ev = evtimer_new(base, timer_fire, t)) == NULL)
		fatalx("timer: no memory");
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	(void)evtimer_add(t->ev, &tv);
}

void
timer_stop(struct timer *t)
{
	if (t->ev != NULL)
		(void)evtimer_del(t->ev);
}

int
timer_isset(const struct timer *t)
{
	return t->ev != NULL && evtimer_pending(t->ev, NULL);
}

void
timer_free(struct timer *t)
{
	if (t->ev != NULL)
		event_free(t->ev);
	t->ev = NULL;
}
