/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "scand/scand.h"

/*
 * What the broker remembers: the verdicts it has given, so that an id that is
 * asked again gets the same answer, and the hashes of messages that have
 * killed scanners, so that they cannot go on doing it under new ids.
 */

struct recent {
	RB_ENTRY(recent)	 node;
	TAILQ_ENTRY(recent)	 entry;		/* oldest first */
	char			 id[ID_SIZE];
	uint64_t		 expires;
	size_t			 len;
	uint8_t			 data[];
};

struct poison {
	uint8_t		hash[MESSAGE_HASH];
	uint64_t	expires;
};

static int	recent_cmp(const struct recent *, const struct recent *);
static void	recent_drop(struct recent *);
static void	recent_expire(void);
static struct recent *recent_find(const char *);

RB_HEAD(recent_tree, recent);
RB_PROTOTYPE(recent_tree, recent, node, recent_cmp)

static struct recent_tree	 tree = RB_INITIALIZER(&tree);
static TAILQ_HEAD(, recent)	 order = TAILQ_HEAD_INITIALIZER(order);
static size_t			 nrecent, octets;
static struct poison		 poisons[LIM_SCAN_POISONS];
static size_t			 npoisons, next_poison;

const uint8_t *
recent_get(const char *id, size_t *len)
{
	struct recent *r;

	recent_expire();
	if ((r = recent_find(id)) == NULL)
		return NULL;
	*len = r->len;
	return r->data;
}

void
recent_put(const char *id, const void *data, size_t len)
{
	struct recent *r;

	if ((r = recent_find(id)) != NULL)
		recent_drop(r);
	if ((r = malloc(sizeof(*r) + len)) == NULL)
		return;
	memcpy(r->id, id, sizeof(r->id));
	memcpy(r->data, data, len);
	r->len = len;
	r->expires = loop_now() + LIM_VERDICT_KEEP_S * 1000ULL;
	RB_INSERT(recent_tree, &tree, r);
	TAILQ_INSERT_TAIL(&order, r, entry);
	nrecent++;
	octets += sizeof(*r) + len;
	recent_expire();
}

size_t
recent_number(void)
{
	return nrecent;
}

static void
recent_expire(void)
{
	struct recent *r;

	while ((r = TAILQ_FIRST(&order)) != NULL && (nrecent > LIM_VERDICTS ||
	    octets > LIM_VERDICTS_SIZE || r->expires <= loop_now()))
		recent_drop(r);
}

static void
recent_drop(struct recent *r)
{
	RB_REMOVE(recent_tree, &tree, r);
	TAILQ_REMOVE(&order, r, entry);
	nrecent--;
	octets -= sizeof(*r) + r->len;
	free(r);
}

static struct recent *
recent_find(const char *id)
{
	struct recent key;

	memcpy(key.id, id, sizeof(key.id));
	return RB_FIND(recent_tree, &tree, &key);
}

static int
recent_cmp(const struct recent *a, const struct recent *b)
{
	return memcmp(a->id, b->id, LIM_ID);
}

RB_GENERATE(recent_tree, recent, node, recent_cmp)

static int
hash_known(const uint8_t hash[MESSAGE_HASH])
{
	size_t i;

	for (i = 0; i < MESSAGE_HASH; i++) {
		if (hash[i] != 0)
			return 1;
	}
	return 0;
}

void
poison_put(const uint8_t hash[MESSAGE_HASH])
{
	struct poison *p = &poisons[next_poison];

	if (!hash_known(hash))
		return;
	memcpy(p->hash, hash, MESSAGE_HASH);
	p->expires = loop_now() + LIM_SCAN_POISON_S * 1000ULL;
	next_poison = (next_poison + 1) % LIM_SCAN_POISONS;
	if (npoisons < LIM_SCAN_POISONS)
		npoisons++;
}

int
poison_is(const uint8_t hash[MESSAGE_HASH])
{
	size_t i;

	for (i = 0; i < npoisons; i++) {
		if (poisons[i].expires > loop_now() &&
		    memcmp(poisons[i].hash, hash, MESSAGE_HASH) == 0)
			return 1;
	}
	return 0;
}

size_t
poison_number(void)
{
	size_t i, n = 0;

	for (i = 0; i < npoisons; i++)
		n += poisons[i].expires > loop_now();
	return n;
}
