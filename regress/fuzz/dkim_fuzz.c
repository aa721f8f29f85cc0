/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "scand/auth/auth.h"

/*
 * DKIM: guards and libopendkim together.  The first line is the key record
 * that every question gets, the rest the message.  With the key known
 * beforehand and with the key that comes later the results must be the same,
 * and the library must give back what it took.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct dns_question {
	void	(*cb)(const struct dns_answer *, void *);
	void	*arg;
};
static struct dns_question	 questions[LIM_DKIM_SIGNATURES];
static size_t			 nquestions;
static struct dns_answer	 answer;
static int			 known;

static void
check(int ok)
{
	if (!ok)
		abort();
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	(void)ms;
	check(strstr(name, "._domainkey.") != NULL && type == DNS_TXT);
	check(nquestions < LIM_DKIM_SIGNATURES);
	questions[nquestions].cb = cb;
	questions[nquestions].arg = arg;
	return &questions[nquestions++];
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)name;
	(void)type;
	if (known)
		*a = answer;
	return known;
}

void
dns_cancel(struct dns_question *q)
{
	if (q != NULL)
		q->cb = NULL;
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
	size_t i, k;
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
		k = nquestions;
		nquestions = 0;
		for (i = 0; i < k; i++)
			questions[i].cb(&answer, questions[i].arg);
	}
	check(j->auth.nsigs <= LIM_DKIM_SIGNATURES);
	for (i = 0; i < j->auth.nsigs; i++) {
		check(j->auth.sigs[i].result != AUTH_NONE);
		check(j->auth.sigs[i].result == AUTH_PASS ||
		    j->auth.sigs[i].why != NULL);
	}
	*result = j->auth;
	job_free(j);
	nquestions = 0;
	check(dkim_held() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct auth cold, warm;
	const uint8_t *lf;
	size_t i;

	if (size == 0 || (lf = memchr(data, '\n', size)) == NULL ||
	    lf - data > UINT16_MAX)
		return 0;
	check(dkim_init_library() == 0);
	memset(&answer, 0, sizeof(answer));
	answer.status = lf == data ? DNS_NXDOMAIN : DNS_OK;
	answer.rec[0].data = data;
	answer.rec[0].len = (uint16_t)(lf - data);
	answer.nrec = lf != data;
	lf++;
	known = 0;
	run(lf, size - (size_t)(lf - data), &cold);
	known = 1;
	run(lf, size - (size_t)(lf - data), &warm);
	check(cold.nsigs == warm.nsigs);
	for (i = 0; i < cold.nsigs; i++)
		check(cold.sigs[i].result == warm.sigs[i].result);
	return 0;
}
