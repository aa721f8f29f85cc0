/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>

#include "common/loop.h"
#include "common/protocol.h"
#include "common/resolver.h"
#include "regress/unit.h"

/* The DNS stub, with a resolver that this file plays. */

static struct ipc	*stub_end, *resolver_end;
static char		 asked[512], got[512];
static unsigned		 nasked;
static uint32_t		 lastjob;
static int		 silent, inside;
static unsigned		 fake_ttl;
static enum dns_status	 fake_status;
static struct dns_question *other;
static struct timer	 limit;

static void
fake_reply(uint32_t job)
{
	struct dns_answer a;
	struct ibuf b;

	memset(&a, 0, sizeof(a));
	a.status = fake_status;
	a.ttl = fake_ttl;
	if (a.status == DNS_OK) {
		a.rec[0].data = (const uint8_t *)"\300\0\2\1";
		a.rec[0].len = 4;
		a.nrec = 1;
	}
	ibuf_init(&b);
	dns_answer_add(&b, &a);
	CHECK_INT(ipc_send(resolver_end, VERB_ANSWER, job, -1, &b), 0);
	ibuf_free(&b);
}

static int
fake_ask(struct ipc *ipc, struct imsg *im)
{
	char name[DNS_NAME];

	(void)ipc;
	ibuf_get_str(&im->data, name, sizeof(name));
	(void)ibuf_get_u16(&im->data);
	CHECK(ibuf_get_u32(&im->data) <= LIM_DNS_MS);
	CHECK_INT(ibuf_get_end(&im->data), 0);
	strlcat(asked, name, sizeof(asked));
	strlcat(asked, " ", sizeof(asked));
	nasked++;
	lastjob = im->job;
	if (!silent)
		fake_reply(im->job);
	return 0;
}

static const struct ipc_verb fake_verbs[] = {
	{ VERB_ASK, PEER_BIT(PEER_SCANNER), 512, IPC_NOFD, fake_ask }
};
static const struct ipc_verb stub_verbs[] = { RESOLVER_VERB_ANSWER };

static void
stub_gone(struct ipc *ipc)
{
	dns_peer_gone(ipc);
	if (ipc == stub_end)
		stub_end = NULL;
}

static void
fake_gone(struct ipc *ipc)
{
	if (ipc == resolver_end)
		resolver_end = NULL;
}

static void
connect_fake(void)
{
	int sv[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	stub_end = ipc_new(sv[0], PEER_RESOLVER, 0, stub_verbs, 1, stub_gone,
	    NULL);
	resolver_end = ipc_new(sv[1], PEER_SCANNER, 0, fake_verbs, 1,
	    fake_gone, NULL);
	dns_peer(stub_end);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
run(unsigned ms)
{
	timer_set(&limit, ms);
	loop_run();
	timer_stop(&limit);
}

static void
reset(void)
{
	asked[0] = got[0] = '\0';
	nasked = 0;
}

/* One letter an answer: its status, as number. */
static void
told(const struct dns_answer *a, void *arg)
{
	size_t n = strlen(got);

	CHECK(!inside);
	if (n < sizeof(got) - 1) {
		got[n] = (char)('0' + a->status);
		got[n + 1] = '\0';
	}
	if (arg == &other) {
		dns_cancel(other);
		other = NULL;
	}
}

static struct dns_question *
ask(const char *name, unsigned ms)
{
	struct dns_question *q;

	inside = 1;
	q = dns_ask(name, DNS_A, ms, told, NULL);
	inside = 0;
	CHECK(q != NULL);
	return q;
}

static void
ask_many(const char *letter, unsigned n, unsigned ms)
{
	char name[32];
	unsigned i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s%u.test", letter, i);
		ask(name, ms);
		if (i % 1000 == 999 && !silent)
			run(10);
	}
}

static void
test_warm(void)
{
	static struct dns_answer a;

	reset();
	ask("a.test", 1000);
	ask("A.test.", 1000);
	run(20);
	CHECK_STR(asked, "a.test ");
	CHECK_STR(got, "00");
	ask("a.test", 1000);
	CHECK_STR(got, "00");
	run(20);
	CHECK_STR(asked, "a.test ");
	CHECK_STR(got, "000");
	/* without a question, too */
	CHECK_INT(dns_known("A.test.", DNS_A, &a), 1);
	CHECK_INT(a.status, DNS_OK);
	CHECK_INT(a.nrec, 1);
	CHECK_INT(dns_known("a.test", DNS_AAAA, &a), 0);
	CHECK_INT(dns_known("other.test", DNS_A, &a), 0);
	CHECK_INT(dns_known("a..b", DNS_A, &a), 0);
	/* another type is another question */
	CHECK(dns_ask("a.test", DNS_AAAA, 1000, told, NULL) != NULL);
	run(20);
	CHECK_STR(asked, "a.test a.test ");
	/* nor is one that is only asked known */
	silent = 1;
	ask("late.test", 100);
	CHECK_INT(dns_known("late.test", DNS_A, &a), 0);
	run(300);
	silent = 0;

	/* what must not be kept: failures, and answers without a time */
	reset();
	fake_ttl = 0;
	ask("short.test", 1000);
	run(20);
	ask("short.test", 1000);
	run(20);
	fake_ttl = 60;
	fake_status = DNS_FAIL;
	ask("fail.test", 1000);
	run(20);
	ask("fail.test", 1000);
	run(20);
	CHECK_INT(nasked, 4);
	CHECK_STR(got, "0033");
	/* and what may: that there is nothing */
	reset();
	fake_status = DNS_NXDOMAIN;
	ask("no.test", 1000);
	run(20);
	ask("no.test", 1000);
	run(20);
	CHECK_INT(nasked, 1);
	CHECK_STR(got, "22");
	/* what is no name costs nothing and does not exist */
	reset();
	ask("a..b", 1000);
	run(20);
	CHECK_INT(nasked, 0);
	CHECK_STR(got, "2");
	fake_status = DNS_OK;
}

static void
test_cancel(void)
{
	/* before the answer, and a warm one before the turn ends */
	reset();
	dns_cancel(ask("cancel.test", 1000));
	dns_cancel(ask("a.test", 1000));
	dns_cancel(NULL);
	run(20);
	CHECK_STR(got, "");
	CHECK_STR(asked, "cancel.test ");
	ask("cancel.test", 1000);
	run(20);
	CHECK_INT(nasked, 1);
	CHECK_STR(got, "0");

	/* one callback takes back the other, and itself */
	reset();
	CHECK(dns_ask("two.test", DNS_A, 1000, told, &other) != NULL);
	other = ask("two.test", 1000);
	run(20);
	CHECK_STR(got, "0");
	reset();
	other = dns_ask("self.test", DNS_A, 1000, told, &other);
	run(20);
	CHECK_STR(got, "0");
}

static void
test_late(void)
{
	/* the one's time is up, not the other's */
	reset();
	silent = 1;
	ask("slow.test", 100);
	ask("slow.test", 600);
	run(350);
	CHECK_STR(got, "4");
	fake_reply(lastjob);
	run(20);
	CHECK_STR(got, "40");

	/* the resolver's time was up, somebody here has more */
	reset();
	ask("again.test", 300);
	run(5);
	ask("again.test", 2000);
	fake_status = DNS_TIMEOUT;
	fake_reply(lastjob);
	run(20);
	CHECK_INT(nasked, 2);
	CHECK_STR(got, "");
	fake_status = DNS_OK;
	fake_reply(lastjob);
	run(20);
	CHECK_STR(got, "00");
}

static void
test_restart(void)
{
	struct ipc *old, *oldend;

	/* the resolver dies: what is open is asked of the next one */
	reset();
	silent = 1;
	ask("open.test", 2000);
	dns_cancel(ask("orphan.test", 2000));
	run(20);
	CHECK_STR(asked, "open.test orphan.test ");
	ipc_close(resolver_end);
	run(20);
	CHECK(stub_end == NULL);
	ask("meanwhile.test", 2000);
	reset();
	silent = 0;
	connect_fake();
	run(20);
	CHECK_STR(asked, "open.test meanwhile.test ");
	CHECK_STR(got, "00");

	/* an old channel that closes later is no loss */
	reset();
	old = stub_end;
	oldend = resolver_end;
	connect_fake();
	ask("moved.test", 1000);
	ipc_close(oldend);
	ipc_close(old);
	run(20);
	CHECK_STR(asked, "moved.test ");
	CHECK_STR(got, "0");
}

static void
test_bounds(void)
{
	reset();
	silent = 1;
	ask_many("n", LIM_DNS_QUESTIONS + 5, 300);
	run(100);
	CHECK_STR(got, "33333");
	CHECK_INT(nasked, LIM_DNS_QUESTIONS);
	reset();
	run(600);
	CHECK_INT(strlen(got), sizeof(got) - 1);

	silent = 0;
	ask_many("m", 2 * LIM_DNS_CACHE, 1000);
	run(100);
	reset();
	ask("m0.test", 1000);
	ask("m8191.test", 1000);
	run(20);
	CHECK_STR(asked, "m0.test ");
	CHECK_STR(got, "00");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	loop_init();
	timer_init(&limit, stop, NULL);
	fake_ttl = 60;
	fake_status = DNS_OK;
	connect_fake();
	test_warm();
	test_cancel();
	test_late();
	test_restart();
	test_bounds();
	ipc_close(stub_end);
	ipc_close(resolver_end);
	return unit_end();
}
