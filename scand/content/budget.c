/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <time.h>

#include "common/limits.h"
#include "scand/content/content.h"

/*
 * The budget of one message.  Asking for it is nearly free: the clock, a
 * system call, is looked at after 64 KB or 256 steps, which is well below a
 * millisecond of any decoder's work.
 */

#define CLOCK_OCTETS	65536
#define CLOCK_STEPS	256
#define GLOBAL		(BUDGET_BLOBS | BUDGET_OUT | BUDGET_TIME)

static uint64_t	 cpu_us(void);
static int	 look_at_clock(struct budget *);

void
budget_default(struct budget *b)
{
	memset(b, 0, sizeof(*b));
	b->depth_max = LIM_DEF_SCAN_DEPTH;
	b->blobs_max = LIM_DEF_SCAN_THINGS;
	b->out_max = LIM_DEF_SCAN_OUT;
	b->ratio_max = LIM_DEF_SCAN_RATIO;
	b->ms_max = LIM_DEF_SCAN_MS;
	b->held_max = LIM_DEF_SCAN_HELD;
}

void
budget_start(struct budget *b)
{
	b->depth = b->blobs = b->steps = 0;
	b->out = b->held = b->since = 0;
	b->over = 0;
	b->start_us = cpu_us();
}

int
budget_is_over(const struct budget *b)
{
	return (b->over & GLOBAL) != 0;
}

int
budget_out(struct budget *b, size_t n)
{
	if (budget_is_over(b))
		return -1;
	b->out += n;
	if (b->out_max != 0 && b->out > b->out_max) {
		b->over |= BUDGET_OUT;
		return -1;
	}
	return budget_work(b, n);
}

int
budget_work(struct budget *b, size_t n)
{
	if (budget_is_over(b))
		return -1;
	b->since += n;
	return b->since >= CLOCK_OCTETS ? look_at_clock(b) : 0;
}

int
budget_step(struct budget *b)
{
	if (budget_is_over(b))
		return -1;
	return ++b->steps >= CLOCK_STEPS ? look_at_clock(b) : 0;
}

int
budget_hold(struct budget *b, uint64_t n)
{
	if (b->held_max != 0 &&
	    (b->held > b->held_max || n > b->held_max - b->held)) {
		b->over |= BUDGET_HELD;
		return -1;
	}
	b->held += n;
	return 0;
}

void
budget_release(struct budget *b, uint64_t n)
{
	b->held -= n;
}

static int
look_at_clock(struct budget *b)
{
	b->since = 0;
	b->steps = 0;
	if (b->ms_max == 0 ||
	    cpu_us() - b->start_us < (uint64_t)b->ms_max * 1000)
		return 0;
	b->over |= BUDGET_TIME;
	return -1;
}

/* A scanner has one thread and works on one message at a time. */
static uint64_t
cpu_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == -1)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
