/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <netinet/in.h>

#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <spf2/spf.h>

#include "common/loop.h"
#include "regress/scand/auth/spf_oracle.h"
#include "regress/scand/auth/spf_zone.h"
#include "regress/unit.h"
#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * SPF against tables of zones and cases: our own, and the suite of RFC 7208
 * where it is.  Each case runs with all answers known, and with answers that
 * come round by round; both must say the same.  With arguments: these tables,
 * or -t and how many times to run each case, to see what it costs.
 *
 * A table has fields with tabs between them, and \xHH for odd octets:
 *
 *	S description			a new zone
 *	Z name TYPE value ...		TXT: its strings; MX: preference, host
 *	Z name TIMEOUT [TYPE]		fails, for types the name has not
 *	Z name EXISTS			with nothing in it
 *	T id client HELO MAIL-FROM result[|result] explanation reference
 *					explanation: \N, =text or =DEFAULT
 */

#define FIELDS	300
#define ROUNDS	40

struct outcome {
	struct spf_check	 check;
	enum spf_result		 second;	/* opinion, when warm */
	unsigned		 rounds;
	size_t			 asked;
};

static int	 no_memory;
static unsigned	 nright, ncases, times;
static unsigned	 most_rounds, all_rounds;
static size_t	 all_asked;

static size_t
unescape(char *s)
{
	char hex[3] = "", *p = s, *q = s;

	while (*p != '\0') {
		if (p[0] == '\\' && p[1] == 'x' && isxdigit((u_char)p[2]) &&
		    isxdigit((u_char)p[3])) {
			hex[0] = p[2];
			hex[1] = p[3];
			*q++ = (char)strtol(hex, NULL, 16);
			p += 4;
		} else
			*q++ = *p++;
	}
	*q = '\0';
	return (size_t)(q - s);
}

static void
changed(void *arg)
{
	(void)arg;
}

static void
run(const struct spf_query *q, int helo, int warm, struct outcome *o)
{
	static struct answers answers;
	size_t before = zone_asked;

	memset(o, 0, sizeof(*o));
	zone_warm(warm);
	answers_init(&answers, loop_now() + 10000, changed, NULL);
	for (o->rounds = 1; o->rounds < ROUNDS; o->rounds++) {
		if ((helo ? spf_helo(&answers, q, &o->check) :
		    spf_mailfrom(&answers, q, &o->check)) == 0)
			break;
		if (answers_ask(&answers) == 0) {
			printf("pending, and nothing asked\n");
			break;
		}
		zone_deliver();
	}
	o->asked = zone_asked - before;
	o->second = o->check.result;
	if (warm && times == 0 && o->check.domain[0] != '\0')
		o->second = spf_oracle(&answers, q, o->check.domain);
	answers_free(&answers);
}

static int
is_expected(const struct spf_check *c, const char *results,
    const char *explanation)
{
	const char *name = spf_result_name(c->result);
	size_t n = strlen(name), k;
	int found = 0;

	for (; !found && *results != '\0'; results += k) {
		results += *results == '|';
		k = strcspn(results, "|");
		found = k == n && memcmp(results, name, n) == 0;
	}
	if (!found || explanation[0] != '=')
		return found;
	return strcmp(c->explanation, strcmp(explanation, "=DEFAULT") == 0 ?
	    "" : explanation + 1) == 0;
}

static int
is_same(const struct spf_check *a, const struct spf_check *b)
{
	return a->result == b->result && a->problem == b->problem &&
	    strcmp(a->domain, b->domain) == 0 &&
	    strcmp(a->where, b->where) == 0 &&
	    strcmp(a->explanation, b->explanation) == 0;
}

static void
measure(const char *id, const struct spf_query *q)
{
	struct timespec a, b;
	struct outcome o;
	unsigned i;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (i = 0; i < times; i++)
		run(q, 0, 1, &o);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	printf("%8.2f us %s\n", ((double)(b.tv_sec - a.tv_sec) * 1e9 +
	    (double)(b.tv_nsec - a.tv_nsec)) / 1e3 / times, id);
}

static void
test_case(char **f, size_t n)
{
	struct outcome warm, cold;
	struct netaddr client;
	struct spf_query q = { &client, "", "", "mx.receiver.example" };
	int right;

	if (n < 8 || netaddr_parse(&client, f[2]) == -1)
		errx(1, "case %s is malformed", f[1]);
	(void)unescape(f[3]);
	(void)unescape(f[4]);
	(void)unescape(f[6]);
	q.helo = f[3];
	q.sender = f[4];
	run(&q, 0, 1, &warm);
	run(&q, 0, 0, &cold);
	right = is_expected(&warm.check, f[5], f[6]);
	if (!right)
		printf("%s: %s \"%s\" (%s: %s), not %s %s\n", f[1],
		    spf_result_name(warm.check.result),
		    warm.check.explanation, warm.check.where,
		    warm.check.problem == NULL ? "" : warm.check.problem,
		    f[5], f[6]);
	CHECK(right);
	CHECK(is_same(&warm.check, &cold.check));
	CHECK(cold.rounds < 20);
	/* libspf2 goes no deeper than 20 records or parts. */
	CHECK(warm.second == warm.check.result || strcmp(f[7], "local") == 0);
	CHECK((warm.check.problem != NULL) ==
	    (warm.check.result == SPF_TEMPERROR ||
	    warm.check.result == SPF_PERMERROR));
	nright += (unsigned)right;
	ncases++;
	all_rounds += cold.rounds;
	all_asked += cold.asked;
	if (cold.rounds > most_rounds)
		most_rounds = cold.rounds;
	if (times > 0)
		measure(f[1], &q);
}

static void
test_line(char **f, size_t n)
{
	size_t lens[FIELDS], i;

	if (strcmp(f[0], "S") == 0)
		zone_clear();
	else if (strcmp(f[0], "Z") == 0 && n > 2) {
		for (i = 1; i < n; i++)
			lens[i] = unescape(f[i]);
		zone_add(f[1], f[2], f + 3, lens + 3, n - 3);
	} else if (strcmp(f[0], "T") == 0)
		test_case(f, n);
	else if (f[0][0] != '#' && f[0][0] != '\0')
		errx(1, "not understood: %s", f[0]);
}

/* -1: it is not there. */
static int
test_table(const char *path, unsigned want)
{
	static char *f[FIELDS];
	char *line = NULL, *p;
	size_t size = 0, n;
	ssize_t len;
	FILE *file;

	if ((file = fopen(path, "r")) == NULL)
		return -1;
	zone_clear();
	nright = ncases = most_rounds = all_rounds = 0;
	all_asked = 0;
	while ((len = getline(&line, &size, file)) != -1) {
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		for (p = line, n = 0; p != NULL && n < FIELDS; n++)
			f[n] = strsep(&p, "\t");
		test_line(f, n);
	}
	free(line);
	fclose(file);
	printf("%s: %u of %u; %u runs, at most %u, %zu questions\n", path,
	    nright, ncases, all_rounds, most_rounds, all_asked);
	if (want > 0)
		CHECK_INT(ncases, want);
	return 0;
}

/* HELO and MAIL FROM are two things. */
static void
test_identities(void)
{
	char pass[] = "v=spf1 +all", fail[] = "v=spf1 -all";
	char *passes[] = { pass }, *fails[] = { fail };
	size_t len = strlen(pass);
	struct netaddr client;
	struct spf_query q = { &client, "helo.example", "a@from.example",
	    "mx.receiver.example" };
	struct outcome o;

	zone_clear();
	zone_add("helo.example", "TXT", passes, &len, 1);
	zone_add("from.example", "TXT", fails, &len, 1);
	CHECK_INT(netaddr_parse(&client, "192.0.2.1"), 0);
	run(&q, 0, 0, &o);
	CHECK_STR(spf_result_name(o.check.result), "fail");
	CHECK_STR(o.check.domain, "from.example");
	run(&q, 1, 0, &o);
	CHECK_STR(spf_result_name(o.check.result), "pass");
	CHECK_STR(o.check.domain, "helo.example");
	/* The null path is postmaster at HELO. */
	q.sender = "";
	run(&q, 0, 0, &o);
	CHECK_STR(spf_result_name(o.check.result), "pass");
	CHECK_STR(o.check.domain, "helo.example");
	q.helo = "[192.0.2.1]";
	run(&q, 1, 0, &o);
	CHECK_STR(spf_result_name(o.check.result), "none");
	CHECK_STR(o.check.domain, "");
	CHECK_INT(o.asked, 0);
	/* Nobody is let pass for where he is. */
	q.sender = "a@from.example";
	CHECK_INT(netaddr_parse(&client, "127.0.0.1"), 0);
	run(&q, 0, 0, &o);
	CHECK_STR(spf_result_name(o.check.result), "fail");
	client.family = 0;
	run(&q, 0, 0, &o);
	CHECK_STR(spf_result_name(o.check.result), "none");
}

/* libspf2 aborts when its DNS layer gives it nothing. */
SPF_dns_rr_t *
SPF_dns_rr_new_init(SPF_dns_server_t *dns, const char *domain, ns_type type,
    int ttl, SPF_dns_stat_t herrno)
{
	SPF_dns_rr_t *rr = no_memory ? NULL : SPF_dns_rr_new();

	if (rr != NULL) {
		rr->source = dns;
		rr->rr_type = type;
		rr->ttl = ttl;
		rr->herrno = herrno;
	}
	(void)domain;
	return rr;
}

static void
test_no_memory(void)
{
	char text[] = "v=spf1 a:from.example -all";
	char *texts[] = { text };
	size_t len = strlen(text);
	struct netaddr client;
	struct spf_query q = { &client, "helo.example", "a@from.example",
	    "mx.receiver.example" };
	struct outcome o;
	int i;

	zone_clear();
	zone_add("from.example", "TXT", texts, &len, 1);
	CHECK_INT(netaddr_parse(&client, "192.0.2.1"), 0);
	for (i = 0; i < 3; i++) {
		no_memory = 1;
		run(&q, 0, 0, &o);
		CHECK_STR(spf_result_name(o.check.result), "temperror");
		CHECK_STR(o.check.problem, "no memory");
		no_memory = 0;
		run(&q, 0, 0, &o);
		CHECK_STR(spf_result_name(o.check.result), "fail");
	}
}

/* What cannot be asked any more is temperror, not an endless wait. */
static void
test_given_up(void)
{
	static struct answers answers;
	struct netaddr client;
	struct spf_query q = { &client, "helo.example", "a@from.example",
	    "mx.receiver.example" };
	struct spf_check c;

	zone_clear();
	zone_warm(0);
	CHECK_INT(netaddr_parse(&client, "192.0.2.1"), 0);
	answers_init(&answers, loop_now() + 10000, changed, NULL);
	CHECK_INT(spf_mailfrom(&answers, &q, &c), 1);
	CHECK_INT(c.result, SPF_PENDING);
	answers_give_up(&answers);
	CHECK_INT(spf_mailfrom(&answers, &q, &c), 0);
	CHECK_INT(c.result, SPF_TEMPERROR);
	CHECK_STR(c.where, "from.example");
	answers_free(&answers);
}

int
main(int argc, char *argv[])
{
	loop_init();
	CHECK_INT(spf_init(), 0);
	if (argc > 2 && strcmp(argv[1], "-t") == 0) {
		times = (unsigned)strtoul(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc > 1) {
		for (; argc > 1; argc--, argv++)
			CHECK_INT(test_table(argv[1], 0), 0);
		return unit_end();
	}
	test_identities();
	test_given_up();
	test_no_memory();
	CHECK_INT(test_table("regress/scand/auth/spf_own.tsv", 0), 0);
	if (test_table("../shared/testdata/spf/rfc7208-tests.tsv", 203) == -1)
		printf("the suite of RFC 7208 is not here\n");
	(void)test_table("../shared/testdata/spf/hardening.tsv", 9);
	return unit_end();
}
