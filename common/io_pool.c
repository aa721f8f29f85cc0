/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "common/io_private.h"

/*
 * Buffers.  Touching fresh memory is the dearest thing that a connection
 * does, so blocks are kept and the one used last is given out first.
 */

#define KEEP_SMALL	64	/* 256 KiB */
#define KEEP_BIG	32	/* 1 MiB */

static struct pool {
	struct blocks	 free;
	unsigned	 n, keep;
	size_t		 size;
} pools[] = {
	{ TAILQ_HEAD_INITIALIZER(pools[0].free), 0, KEEP_SMALL, BLOCK_SMALL },
	{ TAILQ_HEAD_INITIALIZER(pools[1].free), 0, KEEP_BIG, BLOCK_BIG },
};

struct block *
block_get(size_t n)
{
	struct pool *p;
	struct block *b;

	p = &pools[n > BLOCK_SMALL - sizeof(*b)];
	if ((b = TAILQ_FIRST(&p->free)) != NULL) {
		TAILQ_REMOVE(&p->free, b, entry);
		p->n--;
	} else if ((b = malloc(p->size)) == NULL)
		return NULL;
	b->stream = NULL;
	b->size = (uint32_t)(p->size - sizeof(*b));
	b->off = b->len = 0;
	return b;
}

void
block_put(struct block *b)
{
	struct pool *p;

	if (b == NULL)
		return;
	p = &pools[b->size > BLOCK_SMALL - sizeof(*b)];
	if (p->n == p->keep) {
		free(b);
		return;
	}
	TAILQ_INSERT_HEAD(&p->free, b, entry);
	p->n++;
}
