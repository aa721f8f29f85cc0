/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/smtpd-front/harness.h"
#include "regress/unit.h"
#include "smtpd-front/smtpd-front.h"

/*
 * Classes of clients and recipients, one action out of many, and what others
 * say turned into replies.
 */

static enum session_class
class_of(const char *addr, const struct config_relay **relay)
{
	struct netaddr	 a;

	CHECK_INT(netaddr_parse(&a, addr), 0);
	return policy_session(&a, relay);
}

static void
test_session(void)
{
	const struct config_relay	*relay;

	CHECK_INT(class_of("192.0.2.9", &relay), CLASS_INBOUND);
	CHECK(relay == NULL);
	CHECK_INT(class_of("192.0.2.77", &relay), CLASS_RELAY);
	CHECK(relay != NULL && relay->limit == 3);
	CHECK_INT(class_of("192.0.2.201", &relay), CLASS_CLUSTER);
	CHECK(relay == NULL);
	CHECK_INT(class_of("2001:db8::1", &relay), CLASS_INBOUND);
}

static int
target(const char *address, struct target *t)
{
	char	 a[LIM_PATH + 1];

	(void)strlcpy(a, address, sizeof(a));
	return policy_target(a, sizeof(a), t);
}

static void
test_target(void)
{
	struct target	 t, u;
	char		 a[LIM_PATH + 1] = "postmaster";

	CHECK_INT(target("x@uni-a.example", &t), 0);
	CHECK(t.domain != NULL && !t.trap && !t.discard);
	CHECK_INT(t.policy.role, POLICY_ORDINARY);
	CHECK_INT(t.policy.reject_at, 800);
	CHECK_INT(target("X@Uni-B.EXAMPLE", &u), 0);
	CHECK(policy_same(&t.policy, &u.policy));
	CHECK_STR(u.policy.participant, "uni-a");
	(void)strlcpy(u.policy.participant, "uni-c",
	    sizeof(u.policy.participant));
	CHECK(!policy_same(&t.policy, &u.policy));
	CHECK_INT(target("x@strict.example", &u), 0);
	CHECK(!policy_same(&t.policy, &u.policy));
	CHECK_INT(target("Abuse@uni-a.example", &u), 0);
	CHECK_INT(u.policy.role, POLICY_POSTMASTER);
	CHECK_INT(target("\"postmaster\"@uni-a.example", &u), 0);
	CHECK_INT(u.policy.role, POLICY_POSTMASTER);
	CHECK_INT(target("NoReply@uni-a.example", &u), 0);
	CHECK(u.discard && u.policy.role == POLICY_DUMMY);
	CHECK_INT(target("old.lists@uni-a.example", &u), 0);
	CHECK(u.trap);
	CHECK_INT(target("x@elsewhere.example", &u), 0);
	CHECK(u.domain == NULL);
	/* the service's contact is no address here: the first participant's */
	CHECK_INT(policy_target(a, sizeof(a), &u), 0);
	CHECK_STR(a, "postmaster@uni-a.example");
	CHECK_INT(u.policy.role, POLICY_POSTMASTER);
	(void)strlcpy(a, "MAILER-DAEMON@Mail-In.example.net", sizeof(a));
	CHECK_INT(policy_target(a, sizeof(a), &u), 0);
	CHECK_STR(a, "postmaster@uni-a.example");
	(void)strlcpy(a, "bert@mail-in.example.net", sizeof(a));
	CHECK_INT(policy_target(a, sizeof(a), &u), 0);
	CHECK_STR(a, "bert@mail-in.example.net");
	CHECK_INT(target("x@inside.example", &u), 0);
	CHECK(policy_inside(u.domain));
	CHECK(!policy_inside(t.domain));
	CHECK(!policy_inside(NULL));
}

static void
test_agree(void)
{
	static const struct {
		uint8_t			 roles[3], actions[3];
		size_t			 n;
		enum session_class	 class;
		unsigned		 want;
	} t[] = {
		{ { 0 }, { ACTION_ACCEPT }, 1, CLASS_INBOUND, ACTION_ACCEPT },
		{ { 0 }, { ACTION_GREYLIST }, 1, CLASS_INBOUND,
		    ACTION_GREYLIST },
		{ { 0 }, { ACTION_GREYLIST }, 1, CLASS_RELAY, ACTION_ACCEPT },
		{ { 0 }, { ACTION_GREYLIST }, 1, CLASS_CLUSTER,
		    ACTION_ACCEPT },
		{ { 0, 1 }, { ACTION_GREYLIST, ACTION_ACCEPT }, 2, CLASS_RELAY,
		    ACTION_ACCEPT },
		{ { 0, 0 }, { ACTION_REJECT, ACTION_REJECT }, 2, CLASS_INBOUND,
		    ACTION_REJECT },
		{ { 0, 1 }, { ACTION_REJECT, ACTION_ACCEPT }, 2, CLASS_INBOUND,
		    POLICY_SPLIT },
		{ { 0, 0 }, { ACTION_GREYLIST, ACTION_ACCEPT }, 2,
		    CLASS_INBOUND, POLICY_SPLIT },
		{ { 0, 1, 0 }, { ACTION_REJECT, ACTION_ACCEPT,
		    ACTION_TEMPFAIL }, 3, CLASS_INBOUND, ACTION_TEMPFAIL },
		{ { POLICY_DUMMY, 0 }, { ACTION_ACCEPT, ACTION_REJECT }, 2,
		    CLASS_INBOUND, ACTION_REJECT },
		{ { 0, POLICY_DUMMY }, { ACTION_ACCEPT, ACTION_REJECT }, 2,
		    CLASS_INBOUND, ACTION_ACCEPT },
		{ { POLICY_DUMMY }, { ACTION_REJECT }, 1, CLASS_INBOUND,
		    ACTION_REJECT },
		{ { 0 }, { 99 }, 1, CLASS_INBOUND, ACTION_TEMPFAIL },
	};
	struct policy	 p[3];
	size_t		 i, k;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(p, 0, sizeof(p));
		for (k = 0; k < 3; k++)
			p[k].role = t[i].roles[k];
		CHECK_INT(policy_agree(p, t[i].actions, t[i].n, t[i].class),
		    t[i].want);
	}
}

static void
test_rate(void)
{
	const struct config_relay	*relay;
	struct netaddr			 a;

	CHECK_INT(netaddr_parse(&a, "192.0.2.77"), 0);
	(void)policy_session(&a, &relay);
	CHECK_INT(policy_rate(relay), 0);
	CHECK_INT(policy_rate(relay), 0);
	CHECK_INT(policy_rate(relay), 0);
	CHECK_INT(policy_rate(relay), 3600);
}

static void
test_answers(void)
{
	static const struct {
		unsigned	 id;
		const char	*text;
		unsigned	 code;
		const char	*status, *lines;
	} t[] = {
		{ REPLY_REJECT, "", 554, "5.7.1",
		    "Message rejected: SPAM message rejected." },
		{ REPLY_REJECT, "5.7.0 no", 554, "5.7.0", "no" },
		{ REPLY_REJECT, "no", 554, "5.7.1", "no" },
		{ REPLY_REJECT, "451 4.7.1 later", 554, "5.7.1", "later" },
		{ REPLY_REJECT, "5.7.1", 554, "5.7.1", "5.7.1" },
		{ REPLY_REJECT, "5.7.1 a\n5.7.1 b\n", 554, "5.7.1", "a\nb" },
		{ REPLY_REJECT, "\n", 554, "5.7.1",
		    "Message rejected: SPAM message rejected." },
		{ REPLY_PUT_REFUSED, "550 5.1.1 x", 550, "5.1.1", "x" },
		{ REPLY_PUT_REFUSED, "550-5.1.1 x\r\n550 5.1.1 y", 550,
		    "5.1.1", "x\ny" },
		{ REPLY_PUT_REFUSED, "550 x", 550, "5.0.0", "x" },
		{ REPLY_PUT_REFUSED, "250 2.0.0 x", 554, "5.0.0", "x" },
		{ REPLY_PUT_REFUSED, "999 x", 554, "5.0.0", "999 x" },
		{ REPLY_PUT_FAILED, "452 4.3.1 full", 452, "4.3.1", "full" },
		{ REPLY_PUT_FAILED, "550 5.0.0 x", 451, "4.3.0", "x" },
	};
	struct answer	 an;
	char		 big[4096];
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		answer_foreign(&an, t[i].id, t[i].text);
		CHECK_INT(an.code, t[i].code);
		CHECK_STR(an.status, t[i].status);
		CHECK_STR(an.text, t[i].lines);
	}
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	answer_foreign(&an, REPLY_REJECT, big);
	CHECK_INT(strlen(an.text), sizeof(an.text) - 1);
}

static void
test_trace(void)
{
	char	 date[40];

	CHECK(trace_valid(""));
	CHECK(trace_valid("A: b\r\n"));
	CHECK(trace_valid("A: b\r\n c\r\nD-E:\r\n"));
	CHECK(!trace_valid("A: b"));
	CHECK(!trace_valid("A: b\n"));
	CHECK(!trace_valid(" A: b\r\n"));
	CHECK(!trace_valid("A b\r\n"));
	CHECK(!trace_valid(": b\r\n"));
	CHECK(!trace_valid("A: b\r\n\r\n"));
	CHECK(!trace_valid("A: b\r\n  \r\nC: d\r\n"));
	CHECK(!trace_valid("A: b\rc\r\n"));
	trace_date(1763979120000ULL, date, sizeof(date));
	CHECK_STR(date, "Mon, 24 Nov 2025 10:12:00 +0000");
	trace_date(951827696000ULL, date, sizeof(date));
	CHECK_STR(date, "Tue, 29 Feb 2000 12:34:56 +0000");
}

static void
test_splits(void)
{
	struct netaddr	 a, b, c;
	char		 sender[40];
	int		 i, kept = 0;

	CHECK_INT(netaddr_parse(&a, "192.0.2.9"), 0);
	CHECK_INT(netaddr_parse(&b, "192.0.2.99"), 0);
	CHECK_INT(netaddr_parse(&c, "192.0.3.9"), 0);
	CHECK(!limit_split_has(&a, "x@y"));
	limit_split_add(&a, "x@y");
	CHECK(limit_split_has(&a, "x@y"));
	CHECK(limit_split_has(&b, "x@y"));
	CHECK(!limit_split_has(&c, "x@y"));
	CHECK(!limit_split_has(&a, "x@z"));
	limit_split_add(&a, "");
	CHECK(limit_split_has(&a, ""));
	/* it is fixed in size, and remembers most of the last ones */
	for (i = 0; i < 1000; i++) {
		(void)snprintf(sender, sizeof(sender), "s%d@example", i);
		limit_split_add(&a, sender);
	}
	for (i = 0; i < 1000; i++) {
		(void)snprintf(sender, sizeof(sender), "s%d@example", i);
		kept += limit_split_has(&a, sender);
	}
	CHECK(kept > 900);
}

int
main(void)
{
	harness_init("");
	test_session();
	test_target();
	test_agree();
	test_rate();
	test_answers();
	test_trace();
	test_splits();
	return unit_end();
}
