/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/smtpd-front/harness.h"
#include "regress/unit.h"

/*
 * The dialogue up to DATA: every command, every reply, in order and out of it.
 */

int
main(void)
{
	harness_init("");
	harness_file("regress/smtpd-front/commands.dialogue");
	CHECK_INT(harness_seen(VERB_EVENT), 1);		/* the trap */
	CHECK(harness_seen(VERB_CLIENT) > 10);
	CHECK_INT(harness_failed(), 0);
	printf("%u expectations\n", harness_checked());
	return unit_end();
}
