/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "scand/auth/auth.h"

/*
 * DMARC: the first line is the author's domain, the next three are domains
 * that vouch, the first by SPF; the rest are records of the tree, which a name
 * finds by the number of its labels.  The order in which answers come must not
 * matter, and what is asked is bounded.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define NAMES	4
#define RECORDS	8

struct text {
	const uint8_t	*p;
	uint16_t	 len;
};

struct dns_question {
	char	 name[DNS_NAME];
	void	(*cb)(const struct dns_answer *, void *);
	void	*arg;
};
static struct dns_question	 questions[LIM_ANSWERS];
static size_t			 nquestions;
static struct text		 records[RECORDS];
static int			 known;

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
look(const char *name, struct dns_answer *a)
{
	const struct text *t;
	size_t n = 0;

	for (; *name != '\0'; name++)
		n += *name == '.';
	t = &records[n % RECORDS];
	memset(a, 0, sizeof(*a));
	a->status = t->len == 0 ? DNS_NXDOMAIN : t->p[0] == '!' ? DNS_FAIL :
	    t->p[0] == '-' ? DNS_NODATA : DNS_OK;
	if (a->status == DNS_OK) {
		a->rec[0].data = t->p;
		a->rec[0].len = t->len;
		a->nrec = 1;
	}
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	(void)type;
	(void)ms;
	check(nquestions < LIM_ANSWERS);
	(void)strlcpy(questions[nquestions].name, name, DNS_NAME);
	questions[nquestions].cb = cb;
	questions[nquestions].arg = arg;
	return &questions[nquestions++];
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)type;
	if (known)
		look(name, a);
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

/* As the rules make sure of: a folded name of letters, digits, - _ and . */
static void
name_make(const struct text *t, char *dst, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < t->len && n + 2 < size; i++) {
		if (t->p[i] == '.' && n > 0 && dst[n - 1] != '.')
			dst[n++] = '.';
		else if (t->p[i] != '.')
			dst[n++] = (char)('a' + t->p[i] % 26);
	}
	if (n > 0 && dst[n - 1] == '.')
		n--;
	if (n == 0)
		dst[n++] = 'a';
	dst[n] = '\0';
}

/* Answers come one by one, the last asked first, and each is looked at. */
static void
run(const char *author, const struct dmarc_id *ids, struct dmarc *d)
{
	static struct answers a;
	static struct dns_answer an;
	size_t total = 0;

	nquestions = 0;
	answers_init(&a, loop_now() + 1000, changed, NULL);
	while (dmarc_evaluate(&a, author, ids, NAMES - 1, d)) {
		(void)answers_ask(&a);
		check(nquestions > 0);
		look(questions[nquestions - 1].name, &an);
		nquestions--;
		questions[nquestions].cb(&an, questions[nquestions].arg);
		check(++total <= NAMES * 8 + 1);
	}
	answers_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char names[NAMES][LIM_DOMAIN + 1];
	struct text lines[NAMES + RECORDS];
	struct dmarc_id ids[NAMES - 1];
	struct dmarc cold, warm;
	const uint8_t *lf;
	size_t i, n;

	memset(lines, 0, sizeof(lines));
	for (i = 0; i < NAMES + RECORDS && size > 0; i++) {
		lf = memchr(data, '\n', size);
		n = lf == NULL ? size : (size_t)(lf - data);
		if (n > 4096)
			return 0;
		lines[i].p = data;
		lines[i].len = (uint16_t)n;
		data += n + (lf != NULL);
		size -= n + (lf != NULL);
	}
	for (i = 0; i < NAMES; i++)
		name_make(&lines[i], names[i], sizeof(names[i]));
	memcpy(records, lines + NAMES, sizeof(records));
	for (i = 1; i < NAMES; i++) {
		ids[i - 1].domain = names[i];
		ids[i - 1].spf = i == 1;
		/* One of them fails or is not known. */
		ids[i - 1].result = lines[i].len % 5 == 0 ? AUTH_TEMPERROR :
		    lines[i].len % 5 == 1 ? AUTH_FAIL : AUTH_PASS;
	}
	memset(&cold, 0, sizeof(cold));
	memset(&warm, 0, sizeof(warm));
	known = 0;
	run(names[0], ids, &cold);
	known = 1;
	run(names[0], ids, &warm);
	check(cold.result == warm.result && cold.policy == warm.policy);
	check(strcmp(cold.domain, warm.domain) == 0);
	check(cold.result == AUTH_NONE || cold.result == AUTH_PASS ||
	    cold.result == AUTH_FAIL || cold.result == AUTH_TEMPERROR);
	check((cold.result == AUTH_PASS) == (cold.spf || cold.dkim));
	if (cold.result == AUTH_PASS || cold.result == AUTH_FAIL)
		check(cold.domain[0] != '\0' &&
		    domain_below(cold.domain, names[0]));
	return 0;
}
