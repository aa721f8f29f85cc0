/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_WHEEL_H
#define COMMON_WHEEL_H

#include <sys/queue.h>

#include <stdint.h>

/*
 * Coarse timers by the thousand: one event for all of them.  Starting again
 * costs one store, so that every octet of a connection may do it.  They fire
 * up to WHEEL_TICK late, never early.
 */
#define WHEEL_TICK	100	/* ms */

struct wheel {
	TAILQ_ENTRY(wheel)	  entry;
	uint64_t		  since;	/* loop_now() at its start */
	uint32_t		  ms;
	int32_t			  slot;		/* -1: not set */
	void			(*fn)(void *);
	void			 *arg;
};

void	 wheel_init(struct wheel *, void (*)(void *), void *arg);
/*
 * Call fn(arg) once, ms from now (at most 49 days); moves a running timer.
 * The struct is embedded in its owner; wheel_stop before that goes.
 */
void	 wheel_set(struct wheel *, uint32_t ms);
/* The same time again from now, if it runs. */
void	 wheel_touch(struct wheel *);
void	 wheel_stop(struct wheel *);
int	 wheel_isset(const struct wheel *);

#endif
