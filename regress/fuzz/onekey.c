/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/resolver.h"
#include "regress/fuzz/onekey.h"
#include "scand/scand.h"

/* See onekey.h. */

#define QUESTIONS	(LIM_DKIM_SIGNATURES > LIM_ARC_SETS + 1 ? \
			LIM_DKIM_SIGNATURES : LIM_ARC_SETS + 1)

struct dns_question {
	void	(*cb)(const struct dns_answer *, void *);
	void	*arg;
};
static struct dns_question	 questions[QUESTIONS];
static size_t			 nquestions;
static struct dns_answer	 answer;

int	onekey_known;

const uint8_t *
onekey_set(const uint8_t *data, size_t size)
{
	const uint8_t *lf;

	if (size == 0 || (lf = memchr(data, '\n', size)) == NULL ||
	    lf - data > UINT16_MAX)
		return NULL;
	memset(&answer, 0, sizeof(answer));
	answer.status = lf == data ? DNS_NXDOMAIN : DNS_OK;
	answer.rec[0].data = data;
	answer.rec[0].len = (uint16_t)(lf - data);
	answer.nrec = lf != data;
	return lf + 1;
}

void
onekey_answer(void)
{
	size_t i, n = nquestions;

	nquestions = 0;
	for (i = 0; i < n; i++) {
		if (questions[i].cb != NULL)
			questions[i].cb(&answer, questions[i].arg);
	}
}

void
onekey_reset(void)
{
	nquestions = 0;
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	(void)ms;
	if (strstr(name, "._domainkey.") == NULL || type != DNS_TXT ||
	    nquestions == QUESTIONS)
		abort();
	questions[nquestions].cb = cb;
	questions[nquestions].arg = arg;
	return &questions[nquestions++];
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)name;
	(void)type;
	if (onekey_known)
		*a = answer;
	return onekey_known;
}

void
dns_cancel(struct dns_question *q)
{
	if (q != NULL)
		q->cb = NULL;
}
