/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/queue.h>

#include <stdlib.h>

#include "smtpd-front/smtpd-front.h"

/*
 * The budget for messages in memory.  The configuration's number is dealt out
 * to the smtp processes in equal slices.  An eighth of a slice is kept for
 * small messages, so that a few large ones do not stop the post; one client
 * network holds at most a quarter, but one message of the largest size always
 * fits when nothing else is held.
 */

#define BUCKETS	256

struct share {
	LIST_ENTRY(share)	 entry;
	struct netaddr		 network;
	uint64_t		 size;
	unsigned		 holds;
};
static LIST_HEAD(shares, share)	 shares[BUCKETS];

static uint64_t	 slice, reserve, quarter, held;

static struct shares	*share_bucket(const struct netaddr *);
static struct share	*share_find(const struct netaddr *);
static int		 fits(const struct share *, uint64_t, uint64_t);

void
limit_init(const struct config *c)
{
	slice = c->memory / (c->nsmtp == 0 ? 1 : c->nsmtp);
	reserve = slice / LIM_RESERVE;
	quarter = slice / 4;
	if (quarter < c->message_max)
		quarter = c->message_max;
	if (quarter > slice - reserve)
		quarter = slice - reserve;
}

/* May a message grow from `from' to `to' octets? */
static int
fits(const struct share *sh, uint64_t from, uint64_t to)
{
	uint64_t	 more = to - from;
	uint64_t	 all = to <= LIM_SMALL ? slice : slice - reserve;

	if (more > slice || held + more > all)
		return 0;
	return more <= quarter && (sh == NULL ? 0 : sh->size) + more <= quarter;
}

static struct shares *
share_bucket(const struct netaddr *client)
{
	return &shares[limit_network_hash(client) % BUCKETS];
}

static struct share *
share_find(const struct netaddr *client)
{
	struct netaddr	 net;
	struct share	*sh;

	netaddr_network(&net, client);
	LIST_FOREACH(sh, share_bucket(client), entry)
		if (netaddr_cmp(&sh->network, &net) == 0)
			return sh;
	return NULL;
}

int
limit_room(const struct netaddr *client, uint64_t size)
{
	return fits(share_find(client), 0, size);
}

int
limit_hold(struct hold *h, const struct netaddr *client, uint64_t size)
{
	struct share	*sh = h->share;

	if (size <= h->size)
		return 0;
	if (sh == NULL)
		sh = share_find(client);
	if (!fits(sh, h->size, size))
		return -1;
	if (sh == NULL) {
		if ((sh = calloc(1, sizeof(*sh))) == NULL)
			return -1;
		netaddr_network(&sh->network, client);
		LIST_INSERT_HEAD(share_bucket(client), sh, entry);
	}
	if (h->share == NULL) {
		h->share = sh;
		sh->holds++;
	}
	sh->size += size - h->size;
	held += size - h->size;
	h->size = size;
	limit_gauge(GAUGE_MEMORY, held);
	return 0;
}

void
limit_release(struct hold *h)
{
	struct share	*sh = h->share;

	if (sh == NULL)
		return;
	held -= h->size;
	sh->size -= h->size;
	h->size = 0;
	h->share = NULL;
	if (--sh->holds == 0) {
		LIST_REMOVE(sh, entry);
		free(sh);
	}
	limit_gauge(GAUGE_MEMORY, held);
}
