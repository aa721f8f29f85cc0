/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "common/log.h"
#include "common/loop.h"
#include "scand/scand.h"

/*
 * Whoever does not answer is not waited for: a breaker for each DNS list, and
 * one for DNS as such.  It opens when several messages have asked since the
 * last answer (of a list: that came in good time), and the first of them did
 * so long ago; then messages go on without, while a question of our own now
 * and then tells when answers come again.  How long it takes is not noticed by
 * counting time-outs: a hundred messages a second would wait for the first of
 * these.
 */

#define TESTS		16	/* questions of our own, open at a time */
#define TEST_MS		1000	/* between two of them */

struct breaker {
	const char		*name;	/* of the list; NULL: DNS as such */
	uint64_t		 since;	/* the first question without answer */
	unsigned		 maps;	/* messages that have asked since */
	uint64_t		 serial;	/* the last of them */
	int			 open;
	unsigned		 ntests;
	uint64_t		 tested;
};

struct test {
	unsigned	 breaker;
	uint64_t	 asked;
};

static struct breaker	 breakers[BREAKERS];
static uint64_t		 slow_ms;	/* 0: not started, all are closed */
static uint64_t		 limit_ms;
static void		(*moved)(unsigned, int);

static void	 breaker_move(unsigned, int);
static void	 test_done(const struct dns_answer *, void *);

void
breakers_start(const struct config *conf, void (*fn)(unsigned, int))
{
	const struct config_dnsbl *l;

	moved = fn;
	limit_ms = conf->limit_dns_s * 1000ULL;
	slow_ms = limit_ms / 3 < LIM_DNS_SLOW_MS ? limit_ms / 3 :
	    LIM_DNS_SLOW_MS;
	TAILQ_FOREACH(l, &conf->dnsbls, entry)
		breakers[l->index].name = l->zone;
}

int
breaker_waits(unsigned b)
{
	return !breakers[b].open;
}

void
breaker_asked(unsigned b, uint64_t serial, uint64_t now)
{
	struct breaker *k = &breakers[b];

	if (k->maps == 0)
		k->since = now;
	if (k->maps == 0 || k->serial != serial) {
		k->serial = serial;
		k->maps++;
	}
	if (!k->open && slow_ms > 0 && k->maps > LIM_DNS_SLOW &&
	    now - k->since >= slow_ms)
		breaker_move(b, 1);
}

void
breaker_answered(unsigned b, enum dns_status status, uint64_t asked,
    uint64_t now)
{
	struct breaker *k = &breakers[b];

	/* That nobody knows the answer is no sign of life. */
	if (status == DNS_FAIL || status == DNS_TIMEOUT ||
	    (b != BREAKER_DNS && slow_ms > 0 && now - asked >= slow_ms))
		return;
	k->maps = 0;
	if (k->open)
		breaker_move(b, 0);
}

void
breaker_test(unsigned b, const char *name, enum dns_type type, uint64_t now)
{
	struct breaker *k = &breakers[b];
	struct test *t;

	if (k->ntests >= TESTS || (k->ntests > 0 &&
	    now - k->tested < TEST_MS) || (t = malloc(sizeof(*t))) == NULL)
		return;
	t->breaker = b;
	t->asked = now;
	if (dns_ask(name, type, limit_ms, test_done, t) == NULL) {
		free(t);
		return;
	}
	k->tested = now;
	k->ntests++;
}

uint64_t
breakers_open(void)
{
	uint64_t bits = 0;
	unsigned b;

	for (b = 0; b < BREAKERS; b++)
		bits |= (uint64_t)(breakers[b].open != 0) << b;
	return bits;
}

static void
breaker_move(unsigned b, int open)
{
	struct breaker *k = &breakers[b];

	k->open = open;
	if (k->name == NULL)
		log_warnx(open ? "DNS does not answer, and is not waited for "
		    "long" : "DNS answers again");
	else
		log_warnx(open ? "dnsbl %s does not answer, and is not waited "
		    "for" : "dnsbl %s answers again", k->name);
	if (moved != NULL)
		moved(b, open);
}

static void
test_done(const struct dns_answer *a, void *arg)
{
	struct test *t = arg;

	breakers[t->breaker].ntests--;
	breaker_answered(t->breaker, a->status, t->asked, loop_now());
	free(t);
}
