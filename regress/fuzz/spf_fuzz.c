/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <netinet/in.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spf2/spf.h>

#include "common/loop.h"
#include "regress/scand/auth/spf_oracle.h"
#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * SPF records through guard and libspf2 together.  The first octet says what
 * client it is and what DNS is like; then come lines: HELO, local part, and
 * TXT records, the one of the domain first, of which include:nN.x names others.
 * Addresses, exchanges and names of the client are made from the name that is
 * asked for.  Evaluation with all answers, with answers that come later, and
 * without libspf2 must agree, and libspf2 must keep all that it is given.
 */

#define LINES	24

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct line {
	const uint8_t	*p;
	uint16_t	 n;
};

struct dns_question {
	char		 name[DNS_NAME];
	enum dns_type	 type;
	void		(*cb)(const struct dns_answer *, void *);
	void		*arg;
};

static struct line		 lines[LINES];
static size_t			 nlines;
static uint8_t			 mode;
static int			 warm;
static struct dns_question	 questions[LIM_ANSWERS];
static size_t			 nquestions;
static struct netaddr		 client;

static void
check(int ok)
{
	if (!ok)
		abort();
}

static uint32_t
hash(const char *name, uint32_t h)
{
	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619;
	return h ^ h >> 15;
}

/* What this DNS says of a name, always the same. */
static void
answer(const char *name, enum dns_type type, struct dns_answer *a)
{
	static uint8_t data[DNS_RECORDS][24];
	uint32_t h = hash(name, 2166136261U + mode + type);
	size_t i, n = h % 5, line;

	memset(a, 0, sizeof(*a));
	a->status = (h >> 8) % 16 == 0 && mode & 2 ? DNS_FAIL : DNS_NODATA;
	if (a->status == DNS_FAIL)
		return;
	if (type == DNS_TXT) {
		line = name[0] == 'n' ? strtoul(name + 1, NULL, 10) : h;
		for (i = 0; i <= (h >> 16) % 8 / 7 && nlines > 2; i++) {
			line = 2 + (line + i) % (nlines - 2);
			a->rec[a->nrec].data = lines[line].p;
			a->rec[a->nrec++].len = lines[line].n;
		}
	} else if ((h >> 16) % 32 == 0)
		n = (h >> 21) % 70;
	for (i = 0; i < n && i < DNS_RECORDS && type != DNS_TXT; i++) {
		a->rec[a->nrec].data = data[i];
		memcpy(data[i], client.octets, 16);
		a->rec[a->nrec].len = type == DNS_A ? 4 : 16;
		if (type == DNS_MX || type == DNS_PTR) {
			data[i][0] = 0;
			data[i][1] = (uint8_t)(h >> (i & 15) & 3);
			memcpy(data[i] + 2, "n0.x", 4);
			data[i][3] = (uint8_t)('0' + (h + i) % 10);
			a->rec[a->nrec].data += type == DNS_MX ? 0 : 2;
			a->rec[a->nrec].len = type == DNS_MX ? 6 : 4;
		} else
			data[i][i % 4] ^= (uint8_t)(h >> (i & 15));
		a->nrec++;
	}
	a->truncated = n > DNS_RECORDS;
	if (a->nrec > 0)
		a->status = DNS_OK;
}

struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	struct dns_question *q = &questions[nquestions];

	(void)ms;
	check(nquestions < LIM_ANSWERS);
	nquestions++;
	check(strlcpy(q->name, name, sizeof(q->name)) <= 253);
	q->type = type;
	q->cb = cb;
	q->arg = arg;
	return q;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	if (warm)
		answer(name, type, a);
	return warm;
}

void
dns_cancel(struct dns_question *q)
{
	(void)q;
}

static void
changed(void *arg)
{
	(void)arg;
}

static void
evaluate(const struct spf_query *q, struct spf_check *c)
{
	static struct answers answers;
	static struct dns_answer a;
	unsigned rounds;
	size_t i, n;

	answers_init(&answers, loop_now() + 10000, changed, NULL);
	for (rounds = 0; spf_mailfrom(&answers, q, c) == 1; rounds++) {
		check(c->result == SPF_PENDING && rounds < 40);
		check(answers_ask(&answers) > 0);
		n = nquestions;
		for (i = 0; i < n; i++) {
			answer(questions[i].name, questions[i].type, &a);
			questions[i].cb(&a, questions[i].arg);
		}
		nquestions = 0;
	}
	check(c->result > SPF_PENDING && c->result < SPF_RESULTS);
	for (i = 0; c->explanation[i] != '\0'; i++)
		check(c->explanation[i] >= ' ' && c->explanation[i] <= '~');
	if (warm && (c->problem == NULL ||
	    strcmp(c->problem, "records within records, too deep") != 0))
		check(spf_oracle(&answers, q, c->domain) == c->result);
	check(c->problem == NULL || strstr(c->problem, "libspf2") == NULL);
	answers_free(&answers);
}

/* One record as libspf2 reads it: of our letters, and nothing lost. */
static void
rewrite(const struct line *l, sa_family_t family)
{
	static SPF_server_t *server;
	static SPF_dns_server_t nobody;
	char text[SPF_REWRITTEN];
	SPF_request_t *request;
	SPF_response_t *response;
	SPF_record_t *record;
	struct spf_record r;
	struct spf_place p;
	const char *why;
	size_t off = SPF_VERSION_LEN, i, terms;

	memset(&r, 0, sizeof(r));
	r.text = (const char *)l->p;
	r.len = l->n;
	if (!spf_record_is(l->p, l->n) || l->n > LIM_SPF_RECORD ||
	    spf_record_check(&r, &why) == -1)
		return;
	if (server == NULL)
		server = SPF_server_new_dns(&nobody, 0);
	for (;;) {
		check(spf_rewrite(&r, 10, off, family, text,
		    sizeof(text)) == 0);
		for (i = terms = 0; text[i] != '\0'; i++) {
			check(strchr("abcdefghijklmnopqrstuvwxyz0123456789"
			    " =:./+-?~", text[i]) != NULL);
			terms += text[i] == ' ';
		}
		request = SPF_request_new(server);
		response = SPF_response_new(request);
		check(SPF_record_compile(server, response, &record, text) ==
		    SPF_E_SUCCESS);
		check(SPF_response_messages(response) == 0);
		check(record->num_mech == terms && record->mech_len <= 511);
		SPF_record_free(record);
		SPF_response_free(response);
		SPF_request_free(request);
		if ((why = strstr(text, " redirect=p")) == NULL)
			break;
		check(spf_place_read(why + strlen(" redirect="), &p) == 0 &&
		    p.record == 10 && p.off > off);
		off = p.off;
	}
}

static int
read_lines(const uint8_t *p, size_t n)
{
	size_t k;

	for (nlines = 0; nlines < LINES && n > 0; nlines++) {
		for (k = 0; k < n && p[k] != '\n'; k++)
			;
		if (k > DNS_DATA)
			return -1;
		lines[nlines].p = p;
		lines[nlines].n = (uint16_t)k;
		k += k < n;
		p += k;
		n -= k;
	}
	return nlines > 2 ? 0 : -1;
}

static void
copy_line(const struct line *l, char *dst, size_t size)
{
	size_t n = l->n < size - 1 ? l->n : size - 1;

	memcpy(dst, l->p, n);
	dst[n] = '\0';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char helo[LIM_HELO + 1], sender[LIM_PATH + 1];
	struct spf_query q = { &client, helo, sender, "mx.example" };
	struct spf_check cold, hot;
	size_t i;

	if (size < 1 || read_lines(data + 1, size - 1) == -1)
		return 0;
	mode = data[0];
	check(netaddr_parse(&client, mode & 1 ? "2001:db8::1" :
	    "192.0.2.1") == 0);
	copy_line(&lines[0], helo, sizeof(helo));
	copy_line(&lines[1], sender, LIM_LOCALPART + 1);
	check(strlcat(sender, "@n0.x", sizeof(sender)) < sizeof(sender));
	for (i = 2; i < nlines; i++)
		rewrite(&lines[i], client.family);
	warm = 1;
	evaluate(&q, &hot);
	warm = 0;
	nquestions = 0;
	evaluate(&q, &cold);
	check(cold.result == hot.result && cold.problem == hot.problem &&
	    strcmp(cold.where, hot.where) == 0 &&
	    strcmp(cold.explanation, hot.explanation) == 0);
	return 0;
}
