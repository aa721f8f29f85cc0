/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <sys/queue.h>

#include <event2/event.h>

#include <stdint.h>

/*
 * The event loop of a process: one libevent base and work put off to the
 * end of the turn, so that frames, log lines and replies of one wake-up
 * leave together (facts: a wake-up across processors costs seven frames).
 */

struct deferred {
	TAILQ_ENTRY(deferred)	  entry;
	void			(*fn)(void *);
	void			 *arg;
	int			  queued;
};

/* Once, after exec and before any event is made. */
void			 loop_init(void);
struct event_base	*loop_base(void);
/* Until loop_stop(); runs deferred work and log_flush() after each turn. */
void			 loop_run(void);
void			 loop_stop(void);
/* Deferred work and log_flush() now: before leaving without a last turn. */
void			 loop_flush(void);
/* Run d->fn(d->arg) at the end of this turn, once however often asked. */
void			 loop_defer(struct deferred *);
/* Take it back; needed before its memory goes. */
void			 loop_undefer(struct deferred *);

/* Milliseconds since some point, monotonic, read once a turn. */
uint64_t		 loop_now(void);
/* The same, read now. */
uint64_t		 clock_ms(void);
/* Milliseconds since 1970, wall clock. */
uint64_t		 clock_wall_ms(void);

/*
 * A timer: fires fn(arg) once, ms from now.  timer_set on a running timer
 * moves it.  The struct is embedded in its owner; timer_free before that.
 */
struct timer {
	struct event	*ev;
	void		(*fn)(void *);
	void		*arg;
};
void			 timer_init(struct timer *, void (*)(void *), void *);
void			 timer_set(struct timer *, uint64_t ms);
void			 timer_stop(struct timer *);
int			 timer_isset(const struct timer *);
void			 timer_free(struct timer *);

#endif
