/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "regress/unit.h"
#include "scand/scand.h"

/* The answer map over a faked stub: asking, answers, giving up, limits. */

struct dns_question {
	char		 name[DNS_NAME];
	void		(*cb)(const struct dns_answer *, void *);
	void		*arg;
	int		 open;
};
static struct dns_question	 questions[2 * LIM_ANSWERS];
static size_t			 n;
static unsigned			 cancelled, nchanged;
static uint64_t			 last_ms;
static int			 no_memory;

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	(void)type;
	if (no_memory)
		return NULL;
	(void)strlcpy(questions[n].name, name, DNS_NAME);
	questions[n].cb = cb;
	questions[n].arg = arg;
	questions[n].open = 1;
	last_ms = ms;
	return &questions[n++];
}

void
dns_cancel(struct dns_question *q)
{
	if (q == NULL)
		return;
	CHECK_INT(q->open, 1);
	q->open = 0;
	cancelled++;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)type;
	if (strcmp(name, "known.example") != 0)
		return 0;
	memset(a, 0, sizeof(*a));
	a->status = DNS_NODATA;
	return 1;
}

static void
changed(void *arg)
{
	(void)arg;
	nchanged++;
}

static void
answer(size_t i, enum dns_status status, const char *text)
{
	static struct dns_answer a;
	char copy[64];

	memset(&a, 0, sizeof(a));
	a.status = status;
	a.ttl = 300;
	if (text != NULL) {
		(void)strlcpy(copy, text, sizeof(copy));
		a.rec[0].data = (uint8_t *)copy;
		a.rec[0].len = (uint16_t)strlen(text);
		a.nrec = 1;
	}
	questions[i].open = 0;
	questions[i].cb(&a, questions[i].arg);
	memset(copy, 'x', sizeof(copy));
}

static void
test_ask(struct answers *a)
{
	const struct answer *got;
	char text[DNS_NAME];

	answers_init(a, loop_now() + 5000, changed, NULL);
	CHECK(answers_get(a, "a.example", DNS_A) == NULL);
	CHECK(answers_get(a, "a.example", DNS_A) == NULL);
	CHECK(answers_get(a, "a.example", DNS_AAAA) == NULL);
	CHECK_INT(a->wanted, 2);
	CHECK_INT(answers_ask(a), 2);
	CHECK_INT(n, 2);
	CHECK_INT(last_ms, 5000);
	CHECK_INT(a->wanted, 0);
	/* Asked once only. */
	CHECK(answers_get(a, "a.example", DNS_A) == NULL);
	CHECK_INT(answers_ask(a), 2);
	answer(0, DNS_OK, "name.example");
	CHECK_INT(nchanged, 1);
	CHECK_INT(a->open, 1);
	got = answers_get(a, "a.example", DNS_A);
	CHECK(got != NULL && got->status == DNS_OK && got->nrec == 1);
	if (got == NULL)
		return;
	/* A copy: the stub's memory is gone. */
	CHECK(record_is(&got->rec[0], "name.example"));
	CHECK(!record_is(&got->rec[0], "name.exampl"));
	CHECK_INT(record_text(&got->rec[0], 5, text, sizeof(text)), 0);
	CHECK_STR(text, "example");
	CHECK_INT(record_text(&got->rec[0], 5, text, 7), -1);
	CHECK_INT(record_text(&got->rec[0], 13, text, sizeof(text)), -1);
	answer(1, DNS_TIMEOUT, NULL);
	CHECK_INT(a->open, 0);
	CHECK_INT(a->given_up, 1);
	got = answers_get(a, "a.example", DNS_AAAA);
	CHECK(got != NULL && got->status == DNS_TIMEOUT);
	/* Kept by the stub: nothing to ask. */
	got = answers_get(a, "known.example", DNS_A);
	CHECK(got != NULL && got->status == DNS_NODATA);
	CHECK_INT(answers_ask(a), 0);
	answers_free(a);
	CHECK_INT(cancelled, 0);
}

static void
test_give_up(struct answers *a)
{
	const struct answer *got;

	n = 0;
	answers_init(a, loop_now() + 5000, changed, NULL);
	CHECK(answers_get(a, "a.example", DNS_A) == NULL);
	CHECK_INT(answers_ask(a), 1);
	CHECK(answers_get(a, "b.example", DNS_A) == NULL);
	answers_give_up(a);
	CHECK_INT(cancelled, 1);
	CHECK_INT(a->given_up, 2);
	got = answers_get(a, "a.example", DNS_A);
	CHECK(got != NULL && got->status == DNS_TIMEOUT);
	/* What comes later is not asked any more. */
	CHECK(answers_get(a, "c.example", DNS_A) == NULL);
	CHECK_INT(answers_ask(a), 0);
	CHECK(answers_get(a, "c.example", DNS_A) != NULL);
	CHECK_INT(n, 1);
	answers_free(a);

	/* Nor is anything when the time is up. */
	answers_init(a, loop_now(), changed, NULL);
	CHECK(answers_get(a, "a.example", DNS_A) == NULL);
	CHECK_INT(answers_ask(a), 0);
	CHECK(answers_get(a, "a.example", DNS_A) != NULL);
	answers_free(a);

	/* A message that goes takes its questions with it. */
	answers_init(a, loop_now() + 5000, changed, NULL);
	CHECK(answers_get(a, "a.example", DNS_A) == NULL);
	CHECK_INT(answers_ask(a), 1);
	answers_free(a);
	CHECK_INT(cancelled, 2);

	no_memory = 1;
	answers_init(a, loop_now() + 5000, changed, NULL);
	CHECK(answers_get(a, "a.example", DNS_A) == NULL);
	CHECK_INT(answers_ask(a), 0);
	CHECK(answers_get(a, "a.example", DNS_A) != NULL);
	answers_free(a);
	no_memory = 0;
}

static void
test_limits(struct answers *a)
{
	char name[2 * DNS_NAME];
	int i;

	n = 0;
	answers_init(a, loop_now() + 5000, changed, NULL);
	for (i = 0; i < LIM_ANSWERS; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		CHECK(answers_get(a, name, DNS_A) == NULL);
	}
	CHECK(answers_get(a, "more.example", DNS_A) != NULL);
	CHECK_INT(answers_ask(a), LIM_ANSWERS);
	CHECK_INT(a->given_up, 1);
	answers_free(a);
	answers_init(a, loop_now() + 5000, changed, NULL);
	CHECK(answers_get(a, "", DNS_A) != NULL);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK(answers_get(a, name, DNS_A) != NULL);
	CHECK_INT(answers_ask(a), 0);
	answers_free(a);
	CHECK_INT(answers_held(), 0);
}

/* Many messages that wait for many answers, and one that comes then. */
static void
test_memory(void)
{
	static struct answers many[1000];
	char name[DNS_NAME];
	size_t i, held;
	int k;

	memset(name, 'x', sizeof(name));
	name[200] = '\0';
	for (i = 0; i < 1000 && answers_held() <= LIM_ANSWERS_HELD; i++) {
		answers_init(&many[i], loop_now() + 5000, changed, NULL);
		for (k = 0; k < LIM_ANSWERS; k++) {
			name[0] = (char)('a' + k % 16);
			name[1] = (char)('a' + k / 16);
			(void)answers_get(&many[i], name, DNS_A);
		}
	}
	CHECK(i > 100 && i < 1000);
	CHECK(many[i - 1].given_up > 0);
	held = answers_held();
	CHECK(held < LIM_ANSWERS_HELD + 1000);
	while (i > 0)
		answers_free(&many[--i]);
	CHECK_INT(answers_held(), 0);
}

int
main(void)
{
	static struct answers a;

	test_ask(&a);
	test_give_up(&a);
	test_limits(&a);
	test_memory();
	return unit_end();
}
