/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/limits.h"
#include "greyd/greyd.h"
#include "regress/greyd/fakestate.h"
#include "regress/unit.h"

/*
 * The greylist's decisions, with a clock that we turn.
 */

#define DELAY	300
#define WINDOW	86400
#define KEEP	(36 * 86400)

static const struct grey_policy	 policy = { DELAY, WINDOW, KEEP };
static const struct backend	*be;
static struct grey_answer	 got;
static int			 answers;
static unsigned			 number;

static void	 on_answer(const struct grey_answer *, void *);
static void	 ask_id(const char *, const char *, const char *, const char *,
		    const char *);
static void	 ask(const char *, const char *, const char *, const char *);
static void	 later(uint64_t);

static void
on_answer(const struct grey_answer *a, void *arg)
{
	(void)arg;
	got = *a;
	answers++;
}

static void
ask_id(const char *id, const char *client, const char *domain,
    const char *sender, const char *rcpts)
{
	struct grey_ask	 q;
	char		 list[1024];

	memset(&q, 0, sizeof(q));
	(void)strlcpy(q.id, id, sizeof(q.id));
	if (netaddr_parse(&q.client, client) == -1)
		errx(1, "%s", client);
	(void)strlcpy(q.domain, domain, sizeof(q.domain));
	(void)strlcpy(q.sender, sender, sizeof(q.sender));
	(void)strlcpy(list, rcpts, sizeof(list));
	q.rcpt_domains = list;
	answers = 0;
	memset(&got, 0, sizeof(got));
	CHECK(grey_decide(be, &policy, &q, on_answer, NULL) == 0);
	CHECK_INT(answers, 1);
	be->turn();
}

static void
ask(const char *client, const char *domain, const char *sender,
    const char *rcpts)
{
	char	 id[ID_SIZE];

	(void)snprintf(id, sizeof(id), "%016u", number++);
	ask_id(id, client, domain, sender, rcpts);
}

static void
later(uint64_t seconds)
{
	fake_ms += seconds * 1000;
}

static void
check_life(void)
{
	ask("192.0.2.9", "", "a@example.org", "x.example");
	CHECK(!got.pass && got.wait_s == DELAY);
	CHECK_STR(got.why, "first contact");
	CHECK_STR(got.client, "192.0.2.0/24");

	later(100);
	ask("192.0.2.9", "", "a@example.org", "x.example");
	CHECK(!got.pass && got.wait_s == DELAY - 100);
	CHECK_STR(got.why, "too early");
	/* Coming too early does not begin the wait again. */
	later(DELAY - 101);
	ask("192.0.2.9", "", "a@example.org", "x.example");
	CHECK(!got.pass && got.wait_s == 1);
	later(1);
	ask("192.0.2.200", "", "A@EXAMPLE.ORG", "X.example");
	CHECK(got.pass && got.wait_s == 0);
	CHECK_STR(got.why, "retry after 300 s");

	/* Known from now on, and each pass renews it. */
	later(KEEP - 10);
	ask("192.0.2.9", "", "a@example.org", "x.example");
	CHECK(got.pass);
	CHECK_STR(got.why, "known since 2026-03-01");
	later(KEEP - 10);
	ask("192.0.2.9", "", "a@example.org", "x.example");
	CHECK(got.pass);
	later(KEEP + 10);
	ask("192.0.2.9", "", "a@example.org", "x.example");
	CHECK(!got.pass);
	CHECK_STR(got.why, "first contact");
}

static void
check_window(void)
{
	ask("192.0.2.9", "", "late@example.org", "x.example");
	CHECK(!got.pass);
	later(WINDOW + 1);
	ask("192.0.2.9", "", "late@example.org", "x.example");
	CHECK(!got.pass && got.wait_s == DELAY);
	CHECK_STR(got.why, "first contact");
	later(WINDOW - 1);
	ask("192.0.2.9", "", "late@example.org", "x.example");
	CHECK(got.pass);
}

/* What makes a triple another one. */
static void
check_key(void)
{
	ask("198.51.100.1", "", "k@example.org", "x.example");
	later(DELAY);
	ask("198.51.101.1", "", "k@example.org", "x.example");
	CHECK(!got.pass);
	ask("198.51.100.1", "", "l@example.org", "x.example");
	CHECK(!got.pass);
	ask("198.51.100.1", "", "k@example.org", "y.example");
	CHECK(!got.pass);
	ask("198.51.100.1", "example.org", "k@example.org", "x.example");
	CHECK(!got.pass);
	ask("198.51.100.250", "", "k@example.org", "x.example");
	CHECK(got.pass);

	/* An authenticated domain is the same from wherever it comes. */
	ask("203.0.113.1", "big.example", "m@big.example", "x.example");
	CHECK(!got.pass);
	later(DELAY);
	ask("2001:db8:1::1", "BIG.example", "m@big.example", "x.example");
	CHECK(got.pass);

	ask("2001:db8:2:3::1", "", "m@six.example", "x.example");
	CHECK_STR(got.client, "2001:db8:2:3::/64");
	later(DELAY);
	ask("2001:db8:2:3:ffff::9", "", "m@six.example", "x.example");
	CHECK(got.pass);
	ask("2001:db8:2:4::1", "", "m@six.example", "x.example");
	CHECK(!got.pass);

	/* The null sender is a sender. */
	ask("192.0.2.1", "", "", "x.example");
	CHECK(!got.pass);
	later(DELAY);
	ask("192.0.2.1", "", "", "x.example");
	CHECK(got.pass);
}

static void
check_repeat(void)
{
	char	 why[sizeof(got.why)];

	ask_id("0000repeated0000", "192.0.2.9", "", "r@example.org",
	    "x.example");
	CHECK(!got.pass && got.wait_s == DELAY && !got.repeated);
	(void)strlcpy(why, got.why, sizeof(why));
	later(10);
	ask_id("0000repeated0000", "192.0.2.9", "", "r@example.org",
	    "x.example");
	CHECK(!got.pass && got.wait_s == DELAY && got.repeated);
	CHECK_STR(got.why, why);
	later(DELAY);
	ask_id("0000repeated0001", "192.0.2.9", "", "r@example.org",
	    "x.example");
	CHECK(got.pass);
	ask_id("0000repeated0001", "192.0.2.9", "", "r@example.org",
	    "x.example");
	CHECK(got.pass && got.repeated);
	CHECK_STR(got.why, "retry after 310 s");
}

/* Several recipient domains: all must pass. */
static void
check_several(void)
{
	ask("192.0.2.9", "", "s@example.org", "one.example");
	later(200);
	ask("192.0.2.9", "", "s@example.org", "one.example\ntwo.example");
	CHECK(!got.pass && got.wait_s == DELAY);
	CHECK_STR(got.why, "first contact");
	later(200);
	ask("192.0.2.9", "", "s@example.org", "one.example\ntwo.example\n");
	CHECK(!got.pass && got.wait_s == DELAY - 200);
	CHECK_STR(got.why, "too early");
	later(100);
	ask("192.0.2.9", "", "s@example.org", "one.example\ntwo.example");
	CHECK(got.pass);
	ask("192.0.2.9", "", "s@example.org", "two.example");
	CHECK(got.pass);
	/* Nobody to wait for. */
	ask("192.0.2.9", "", "nobody@example.org", "");
	CHECK(got.pass);
}

/* A network that has retried often enough for one domain. */
static void
check_pair(void)
{
	char	 sender[32];
	int	 i;

	for (i = 0; i < LIM_GREY_PAIR; i++) {
		(void)snprintf(sender, sizeof(sender), "p%d@example.org", i);
		ask("198.18.5.1", "", sender, "pair.example");
		CHECK(!got.pass);
		later(DELAY);
		ask("198.18.5.1", "", sender, "pair.example");
		CHECK(got.pass);
		/* Passing again is no new sender. */
		ask("198.18.5.1", "", sender, "pair.example");
		CHECK(got.pass);
	}
	ask("198.18.5.77", "", "new@example.org", "pair.example");
	CHECK(got.pass);
	CHECK_STR(got.why, "retried 5 times before");
	ask("198.18.5.77", "", "new@example.org", "other.example");
	CHECK(!got.pass);
	later(KEEP - 5);
	ask("198.18.5.77", "", "newer@example.org", "pair.example");
	CHECK(got.pass);
	later(KEEP + 5);
	ask("198.18.5.77", "", "newest@example.org", "pair.example");
	CHECK(!got.pass);
}

static void
check_clock(void)
{
	ask("192.0.2.9", "", "c@example.org", "x.example");
	CHECK(!got.pass);
	/* Set back by a year: it begins now, and does not wait a year. */
	fake_ms -= 365ULL * 86400 * 1000;
	ask("192.0.2.9", "", "c@example.org", "x.example");
	CHECK(!got.pass && got.wait_s == DELAY);
	later(DELAY);
	ask("192.0.2.9", "", "c@example.org", "x.example");
	CHECK(got.pass);
	fake_ms += 365ULL * 86400 * 1000;
}

/* As many recipients as there can be, long names. */
static void
check_many(void)
{
	struct grey_ask	 q;
	char		*list;
	size_t		 i, len = 0, size = LIM_RCPTS * 270;

	memset(&q, 0, sizeof(q));
	(void)strlcpy(q.id, "0000many00000000", sizeof(q.id));
	(void)netaddr_parse(&q.client, "192.0.2.1");
	memset(q.sender, 'a', LIM_PATH);
	memset(q.domain, 'd', LIM_DOMAIN);
	if ((list = malloc(size)) == NULL)
		err(1, NULL);
	for (i = 0; i < LIM_RCPTS; i++)
		len += (size_t)snprintf(list + len, size - len,
		    "%0*zu.example\n", LIM_DOMAIN - 8, i);
	q.rcpt_domains = list;
	answers = 0;
	CHECK(grey_decide(be, &policy, &q, on_answer, NULL) == 0);
	CHECK(answers == 1 && !got.pass);
	be->turn();
	later(DELAY);
	q.id[0] = '1';
	CHECK(grey_decide(be, &policy, &q, on_answer, NULL) == 0);
	CHECK(answers == 2 && got.pass);
	be->turn();
	free(list);
}

int
main(void)
{
	fake_begin();
	if ((be = backend_lmdb_open(fake_dir, 100000)) == NULL)
		errx(1, "no back end");
	check_life();
	check_window();
	check_key();
	check_repeat();
	check_several();
	check_pair();
	check_clock();
	check_many();
	be->close();
	fake_end();
	return unit_end();
}
