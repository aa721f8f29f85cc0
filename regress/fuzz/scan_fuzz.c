/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"
#include "common/log.h"
#include "common/loop.h"
#include "scand/scand.h"

/*
 * The whole scan: the first three octets choose class, role and what DNS says,
 * the next line is HELO, the next the sender, then comes the message.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "node \"mail-in01.example.net\"\n"
    "network { 192.0.2.0/24 }\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "dnsbl \"bl.example.org\" { 127.0.0.0/8 points 4.0 }\n"
    "dnsbl \"n.example.org\" for domains { 127.0.0.0/8 points -4.0 }\n"
    "dnsbl \"l.example.org\" for links { 127.0.0.0/8 points 4.0 }\n"
    "participant \"uni\" contact \"postmaster@uni.example\" {\n"
    " domain \"uni.example\" deliver to 192.0.2.77\n"
    "}\n";

struct dns_question {
	void	(*cb)(const struct dns_answer *, void *);
	void	*arg;
};
static struct dns_question	 questions[LIM_ANSWERS];
static size_t			 nquestions;

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
	(void)name;
	(void)type;
	(void)ms;
	check(nquestions < LIM_ANSWERS);
	questions[nquestions].cb = cb;
	questions[nquestions].arg = arg;
	return &questions[nquestions++];
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)name;
	(void)type;
	(void)a;
	return 0;
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

/* All questions get an answer made of the message itself. */
static void
answer(uint8_t how, const uint8_t *data, size_t size)
{
	static struct dns_answer a;
	size_t i, n = nquestions;

	memset(&a, 0, sizeof(a));
	a.status = how % (DNS_TIMEOUT + 1);
	for (i = 0; a.status == DNS_OK && i < 3 && size > 0; i++) {
		a.rec[i].data = data;
		a.rec[i].len = how & 0x80 ? 4 : (uint16_t)(data[0] % 64);
		if (a.rec[i].len > size)
			a.rec[i].len = (uint16_t)size;
		data += a.rec[i].len;
		size -= a.rec[i].len;
		a.nrec++;
	}
	nquestions = 0;
	for (i = 0; i < n; i++) {
		if (questions[i].cb != NULL)
			questions[i].cb(&a, questions[i].arg);
	}
}

static void
line(const uint8_t **p, size_t *n, char *dst, size_t size)
{
	size_t i = 0;

	while (*n > 0 && **p != '\n') {
		if (i + 1 < size && **p != '\0')
			dst[i++] = (char)**p;
		(*p)++;
		(*n)--;
	}
	dst[i] = '\0';
	if (*n > 0) {
		(*p)++;
		(*n)--;
	}
}

static void
setup(void)
{
	struct config *conf;

	log_init("scan_fuzz", 1);
	conf = config_parse_text("fuzz", conf_text, sizeof(conf_text) - 1,
	    stderr);
	check(conf != NULL);
	job_configure(conf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict v;
	struct job *j;
	uint8_t choice[3];
	size_t i;
	int rounds = 0;

	if (job_config() == NULL)
		setup();
	if (size < 3)
		return 0;
	memcpy(choice, data, 3);
	data += 3;
	size -= 3;
	j = job_new();
	check(j != NULL);
	memset(&j->scan, 0, sizeof(j->scan));
	(void)strlcpy(j->scan.id, "0123456789abcdef", sizeof(j->scan.id));
	j->scan.class = choice[0] % 3;
	(void)netaddr_parse(&j->scan.client,
	    choice[0] & 0x80 ? "2001:db8::1" : "192.0.2.9");
	j->scan.flags = choice[0] & 0x40 ? SCAN_EXPLAIN : 0;
	j->scan.policies[0] = job_config()->policy;
	j->scan.policies[0].role = choice[1] % (POLICY_DUMMY + 1);
	j->scan.npolicies = 1;
	line(&data, &size, j->scan.helo, sizeof(j->scan.helo));
	line(&data, &size, j->scan.sender, sizeof(j->scan.sender));
	j->started = clock_ms();
	answers_init(&j->answers, loop_now() + 1000, changed, j);
	check(job_content(j, data, size) == 0);
	while (job_evaluate(j) == 1) {
		answer(choice[2], data, size);
		check(++rounds < 10);
	}
	verdict_make(j, &v);
	check(v.nactions == 1 && v.nhits == j->found.n);
	for (i = 0; v.trace[i] != '\0'; i++)
		check(v.trace[i] == '\r' || v.trace[i] == '\n' ||
		    v.trace[i] == '\t' || ((unsigned char)v.trace[i] >= 32 &&
		    (unsigned char)v.trace[i] < 127));
	check(i >= 2 && v.trace[i - 1] == '\n' && v.trace[i - 2] == '\r');
	job_free(j);
	nquestions = 0;
	return 0;
}
