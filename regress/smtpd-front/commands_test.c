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
	harness_early("192.0.2.9", "EHLO x\r\nMAIL FROM:<>\r\n");
	CHECK_STR(harness_line(), "554 5.5.1 mx1.example.net talks first");
	CHECK(harness_line() == NULL);
	harness_hangup();
	CHECK_INT(harness_seen(VERB_EVENT), 1);		/* the trap */
	CHECK(harness_seen(VERB_CLIENT) > 10);
	CHECK(harness_seen(VERB_SENDER) > 10);
	CHECK_INT(harness_failed(), 0);
	printf("%u expectations\n", harness_checked());
	return unit_end();
}
