/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/fuzz/onekey.h"
#include "scand/auth/auth.h"

/*
 * ARC: sealers, canonical forms and keys.  The first line is the key record
 * that every question gets, the rest the message, whose last seal is believed
 * if it is of lists.example.  With the key known beforehand and with the key
 * that comes later the results must be the same.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
changed(void *arg)
{
	(void)arg;
}

static const struct config *
config(void)
{
	static const char text[] =
	    "service \"mail-in.example.net\"\n"
	    "listen on 127.0.0.1 port 2525\n"
	    "antivirus builtin\n"
	    "arc sealers \"lists.example\"\n"
	    "participant a { domain a.example deliver to 192.0.2.7 }\n";
	static struct config *conf;

	if (conf == NULL)
		conf = config_parse_text("fuzz", text, sizeof(text) - 1,
		    NULL);
	check(conf != NULL);
	return conf;
}

static void
run(const uint8_t *p, size_t n, struct auth *result)
{
	static struct view v;
	struct job *j = job_new();
	int rounds = 0;

	check(j != NULL);
	memset(&j->scan, 0, sizeof(j->scan));
	answers_init(&j->answers, loop_now() + 1000, changed, j);
	v.p = p;
	v.n = n;
	check(header_parse(&v.header, p, n) == 0);
	arc_content(j, &v);
	for (;;) {
		auth_arc(j);
		if (j->arc == NULL)
			break;
		/* The last seal and the message, then the others. */
		check(++rounds < 4);
		(void)answers_ask(&j->answers);
		onekey_answer();
	}
	check(j->auth.arc_sets <= LIM_ARC_SETS);
	check(j->auth.arc != AUTH_FAIL || j->auth.arc_why != NULL);
	check(j->auth.arc == AUTH_NONE || j->auth.arc_sealer[0] != '\0');
	*result = j->auth;
	job_free(j);
	onekey_reset();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct auth cold, warm;
	const uint8_t *letter;

	if ((letter = onekey_set(data, size)) == NULL)
		return 0;
	job_configure(config());
	size -= (size_t)(letter - data);
	onekey_known = 0;
	run(letter, size, &cold);
	onekey_known = 1;
	run(letter, size, &warm);
	check(cold.arc == warm.arc && cold.arc_why == warm.arc_why);
	return 0;
}
