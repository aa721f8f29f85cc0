/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/loop.h"
#include "common/wheel.h"

/*
 * A timing wheel.  A timer hangs in the slot of the tick at which it was due
 * when it was put there.  Touching it leaves it there; when the slot comes
 * up, it is put where it belongs by then, or fires.  Times past the horizon
 * take the last slot and are looked at again there.
 */

#define SLOTS	1024	/* times WHEEL_TICK: a horizon of 102 seconds */

TAILQ_HEAD(slot, wheel);

static struct slot	 slots[SLOTS];
static struct slot	 due;		/* taken from its slot, to be called */
static uint64_t		 done;		/* the last tick that was handled */
static uint64_t		 armed;		/* the tick that the event waits for */
static unsigned		 count;		/* timers in slots */
static struct timer	 hand;

#define SLOT_DUE	SLOTS		/* hangs in `due' */

static void	 wheel_put(struct wheel *, uint64_t);
static void	 wheel_arm(void);
static void	 wheel_turn(void *);

void
wheel_init(struct wheel *w, void (*fn)(void *), void *arg)
{
	w->since = 0;
	w->ms = 0;
	w->slot = -1;
	w->fn = fn;
	w->arg = arg;
}

void
wheel_set(struct wheel *w, uint32_t ms)
{
	wheel_stop(w);
	w->since = loop_now();
	w->ms = ms;
	wheel_put(w, w->since);
	wheel_arm();
}

void
wheel_touch(struct wheel *w)
{
	w->since = loop_now();
}

void
wheel_stop(struct wheel *w)
{
	if (w->slot == -1)
		return;
	if (w->slot == SLOT_DUE)
		TAILQ_REMOVE(&due, w, entry);
	else {
		TAILQ_REMOVE(&slots[w->slot], w, entry);
		count--;
	}
	w->slot = -1;
}

int
wheel_isset(const struct wheel *w)
{
	return w->slot != -1;
}

/* Into the slot of the first tick that is not before its time. */
static void
wheel_put(struct wheel *w, uint64_t now)
{
	uint64_t tick;
	int i;

	if (hand.fn == NULL) {
		for (i = 0; i < SLOTS; i++)
			TAILQ_INIT(&slots[i]);
		TAILQ_INIT(&due);
		timer_init(&hand, wheel_turn, NULL);
	}
	if (count == 0)
		done = now / WHEEL_TICK;
	tick = (w->since + w->ms + WHEEL_TICK - 1) / WHEEL_TICK;
	if (tick <= done)
		tick = done + 1;
	if (tick - done >= SLOTS)
		tick = done + SLOTS - 1;
	w->slot = (int32_t)(tick % SLOTS);
	TAILQ_INSERT_TAIL(&slots[w->slot], w, entry);
	count++;
	if (timer_isset(&hand) && tick < armed)
		timer_stop(&hand);
}

/* Wait for the next slot that holds something. */
static void
wheel_arm(void)
{
	uint64_t now;

	if (count == 0 || timer_isset(&hand))
		return;
	for (armed = done + 1; TAILQ_EMPTY(&slots[armed % SLOTS]); armed++)
		continue;
	now = loop_now();
	timer_set(&hand, armed * WHEEL_TICK > now ?
	    armed * WHEEL_TICK - now : 0);
}

static void
wheel_turn(void *arg)
{
	struct slot late;
	struct wheel *w;
	uint64_t now;

	(void)arg;
	now = loop_now();
	TAILQ_INIT(&late);
	for (; done < now / WHEEL_TICK && count > 0; done++)
		while ((w = TAILQ_FIRST(&slots[(done + 1) % SLOTS])) != NULL) {
			TAILQ_REMOVE(&slots[w->slot], w, entry);
			count--;
			if (w->since + w->ms > now) {
				w->slot = -1;
				TAILQ_INSERT_TAIL(&late, w, entry);
			} else {
				w->slot = SLOT_DUE;
				TAILQ_INSERT_TAIL(&due, w, entry);
			}
		}
	while ((w = TAILQ_FIRST(&late)) != NULL) {
		TAILQ_REMOVE(&late, w, entry);
		wheel_put(w, now);
	}
	/* what is called may stop any of the others */
	while ((w = TAILQ_FIRST(&due)) != NULL) {
		wheel_stop(w);
		w->fn(w->arg);
	}
	wheel_arm();
}
