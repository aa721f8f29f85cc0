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
 * DKIM: guards and libopendkim together.  The first line is the key record
 * that every question gets, the rest the message.  With the key known
 * beforehand and with the key that comes later the results must be the same,
 * and the library must give back what it took.
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

static void
run(const uint8_t *p, size_t n, struct auth *result)
{
	static struct view v;
	struct job *j = job_new();
	size_t i;
	int rounds = 0;

	check(j != NULL);
	memset(&j->scan, 0, sizeof(j->scan));
	answers_init(&j->answers, loop_now() + 1000, changed, j);
	v.p = p;
	v.n = n;
	check(header_parse(&v.header, p, n) == 0);
	body_look(&v.body, p + v.header.size, n - v.header.size);
	dkim_content(j, &v);
	for (;;) {
		auth_dkim(j);
		if (j->dkim == NULL)
			break;
		check(++rounds < 3);
		(void)answers_ask(&j->answers);
		onekey_answer();
	}
	check(j->auth.nsigs <= LIM_DKIM_SIGNATURES);
	for (i = 0; i < j->auth.nsigs; i++) {
		check(j->auth.sigs[i].result != AUTH_NONE);
		check(j->auth.sigs[i].result == AUTH_PASS ||
		    j->auth.sigs[i].why != NULL);
	}
	*result = j->auth;
	job_free(j);
	onekey_reset();
	check(dkim_held() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct auth cold, warm;
	const uint8_t *letter;
	size_t i;

	if ((letter = onekey_set(data, size)) == NULL)
		return 0;
	check(dkim_init_library() == 0);
	size -= (size_t)(letter - data);
	onekey_known = 0;
	run(letter, size, &cold);
	onekey_known = 1;
	run(letter, size, &warm);
	check(cold.nsigs == warm.nsigs);
	for (i = 0; i < cold.nsigs; i++)
		check(cold.sigs[i].result == warm.sigs[i].result);
	return 0;
}
