/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <stdlib.h>
#include <string.h>

#include "smtpd-front/smtpd-front.h"

/*
 * What we say to scand: CLIENT when somebody comes, SENDER at MAIL, SCAN for
 * each message.
 */

static int	 fill_scan(void *, struct ibuf *, int *);
static int	 on_verdict(void *, struct imsg *);

void
scan_client(const struct netaddr *client)
{
	struct ibuf	 b;

	ibuf_init(&b);
	netaddr_add(&b, client);
	ask_tell(DAEMON_SCAND, VERB_CLIENT, &b);
	ibuf_free(&b);
}

void
scan_sender(const char *helo, const char *sender)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_str(&b, helo);
	ibuf_add_str(&b, sender);
	ask_tell(DAEMON_SCAND, VERB_SENDER, &b);
	ibuf_free(&b);
}

void
scan_start(struct transaction *t)
{
	if (ask_isaway(DAEMON_SCAND)) {
		transaction_end(t, REPLY_UNSCANNED);
		return;
	}
	chain_ask(t, STAGE_SCAN, DAEMON_SCAND, VERB_SCAN, fill_scan,
	    on_verdict);
}

static int
fill_scan(void *arg, struct ibuf *b, int *fd)
{
	static struct scan	 sc;
	struct transaction	*t = arg;
	const struct envelope	*e = t->env;
	uint32_t		 left = chain_left(t);
	size_t			 i, n = 1;
	int			 r = -1;

	memset(&sc, 0, sizeof(sc));
	memcpy(sc.id, e->id, sizeof(sc.id));
	/* An eighth is kept for what comes after the verdict. */
	sc.deadline = left - left / 8;
	sc.class = e->class;
	sc.client = e->client;
	(void)strlcpy(sc.helo, e->helo, sizeof(sc.helo));
	(void)strlcpy(sc.tls, e->tls, sizeof(sc.tls));
	(void)strlcpy(sc.sender, e->sender, sizeof(sc.sender));
	sc.size = e->size;
	memcpy(sc.hash, e->hash, sizeof(sc.hash));
	sc.nrcpts = (uint16_t)e->nrcpts;
	for (i = 0; i < e->nrcpts; i++)
		n += strlen(e->rcpts[i].address) + 1;
	if ((sc.rcpts = malloc(n)) == NULL)
		return -1;
	sc.rcpts[0] = '\0';
	for (i = 0; i < e->nrcpts; i++) {
		(void)strlcat(sc.rcpts, e->rcpts[i].address, n);
		(void)strlcat(sc.rcpts, "\n", n);
	}
	memcpy(sc.policies, t->policies, t->npolicies * sizeof(t->policies[0]));
	sc.npolicies = t->npolicies;
	if (chain_file(t, fd) == 0) {
		scan_add(b, &sc);
		r = 0;
	}
	scan_free(&sc);
	return r;
}

static int
on_verdict(void *arg, struct imsg *im)
{
	struct transaction	*t = arg;
	struct verdict		*v;

	if ((v = calloc(1, sizeof(*v))) == NULL ||
	    verdict_parse(&im->data, v) == -1) {
		free(v);
		return -1;
	}
	if (ibuf_get_end(&im->data) == -1 || strcmp(v->id, t->env->id) != 0 ||
	    v->nactions != t->npolicies) {
		verdict_free(v);
		free(v);
		return -1;
	}
	t->verdict = v;
	chain_verdict(t);
	return 0;
}
