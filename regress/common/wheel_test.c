/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "common/loop.h"
#include "common/wheel.h"
#include "regress/unit.h"

/* Coarse timers: never early, late by a tick, touched, stopped, by the many. */

static struct wheel	 w[8], many[2000];
static uint64_t		 start, fired[8];
static unsigned		 order, seen[8], nmany;

static void
fire(void *arg)
{
	struct wheel *me = arg;

	fired[me - w] = loop_now() - start;
	seen[me - w] = ++order;
	if (me == &w[0])
		wheel_stop(&w[1]);	/* due in the same turn */
	if (me == &w[3] && order < 10)
		wheel_set(&w[3], 150);
	if (me == &w[7])
		loop_stop();
}

static void
fire_many(void *arg)
{
	struct wheel *me = arg;

	CHECK(loop_now() >= me->since + me->ms);
	nmany++;
}

static void
touch(void *arg)
{
	(void)arg;
	wheel_touch(&w[2]);
}

int
main(void)
{
	struct timer t;
	size_t i;

	loop_init();
	start = loop_now();
	for (i = 0; i < 8; i++)
		wheel_init(&w[i], fire, &w[i]);
	timer_init(&t, touch, NULL);
	timer_set(&t, 150);

	wheel_set(&w[0], 200);
	wheel_set(&w[1], 200);
	wheel_set(&w[2], 250);		/* touched at 150: 400 */
	wheel_set(&w[3], 50);		/* and again 150 later */
	wheel_set(&w[4], 300);
	wheel_stop(&w[4]);
	wheel_set(&w[5], 200000);	/* past the horizon */
	wheel_set(&w[6], 100000);
	wheel_set(&w[6], 0);
	wheel_set(&w[7], 600);
	CHECK(wheel_isset(&w[5]) && !wheel_isset(&w[4]));
	for (i = 0; i < 2000; i++) {
		wheel_init(&many[i], fire_many, &many[i]);
		wheel_set(&many[i], (uint32_t)(i % 500));
	}
	loop_run();

	CHECK(fired[0] >= 200 && fired[0] < 450);
	CHECK_INT(fired[1], 0);
	CHECK(fired[2] >= 400 && fired[2] < 600);
	CHECK(fired[3] >= 200);
	CHECK_INT(fired[4], 0);
	CHECK_INT(fired[5], 0);
	CHECK(seen[6] != 0 && fired[6] < 200);
	CHECK(fired[7] >= 600);
	CHECK_INT(nmany, 2000);
	CHECK(wheel_isset(&w[5]));
	wheel_stop(&w[5]);
	wheel_stop(&w[5]);
	timer_free(&t);
	return unit_end();
}
