/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "relayd-out/queue.h"

/*
 * Who is next.  One heap of times holds parts that wait for their retry, hops
 * that are down and entries with a deadline; each hop has a list of parts that
 * are ready; hops that may start one go round robin.  No step costs more than
 * the logarithm of what is queued.
 *
 * A hop begins with a small window of parallel deliveries, which grows with
 * each success and is halved by trouble.  One that does not answer at all is
 * down for a while: everything for it waits, then one delivery probes.
 */

#define WINDOW_START	5
#define HOPS_UNUSED	1024	/* remembered without mail for them */

RB_HEAD(hop_tree, hop);
TAILQ_HEAD(hop_list, hop);

#define OWNER(n, type)							\
	((struct type *)(void *)((char *)(n) - offsetof(struct type, node)))

static struct hop_tree	 hops = RB_INITIALIZER(&hops);
static struct hop_list	 runnable = TAILQ_HEAD_INITIALIZER(runnable);
static struct hop_list	 unused = TAILQ_HEAD_INITIALIZER(unused);
static size_t		 nunused;
static struct node	**heap;		/* heap[1] is the first */
static uint32_t		 nheap, heapsize;
static uint32_t		 window_max = WINDOW_START;
static uint64_t		 hop_first, hop_max;

static int	 hop_cmp(struct hop *, struct hop *);
static void	 hop_update(struct hop *);
static void	 hop_use(struct hop *, int);
static void	 hop_destroy(struct hop *);
static void	 hop_trouble(struct hop *, const char *);
static void	 heap_up(uint32_t);
static void	 heap_down(uint32_t);
static void	 part_leave(struct part *);

RB_PROTOTYPE(hop_tree, hop, tree, hop_cmp)
RB_GENERATE(hop_tree, hop, tree, hop_cmp)

static int
hop_cmp(struct hop *a, struct hop *b)
{
	return strcmp(a->key, b->key);
}

void
sched_init(uint32_t max, uint64_t first_ms, uint64_t max_ms)
{
	window_max = max == 0 ? 1 : max;
	hop_first = first_ms;
	hop_max = max_ms;
}

struct hop *
sched_hop(const struct hopspec *spec)
{
	struct hop	*h, find;
	char		 key[HOP_KEY];

	(void)hopspec_key(spec, key);
	find.key = key;
	if ((h = RB_FIND(hop_tree, &hops, &find)) != NULL)
		return h;
	if ((h = calloc(1, sizeof(*h))) == NULL ||
	    (h->key = strdup(key)) == NULL) {
		free(h);
		return NULL;
	}
	h->spec = *spec;
	h->window = window_max < WINDOW_START ? window_max : WINDOW_START;
	h->node.kind = NODE_HOP;
	TAILQ_INIT(&h->ready);
	RB_INSERT(hop_tree, &hops, h);
	TAILQ_INSERT_TAIL(&unused, h, unused);
	nunused++;
	return h;
}

struct hop *
sched_hop_next(struct hop *h)
{
	return h == NULL ? RB_MIN(hop_tree, &hops) :
	    RB_NEXT(hop_tree, &hops, h);
}

/* Hops without mail are kept for what was learnt of them, but not all. */
static void
hop_use(struct hop *h, int change)
{
	struct hop	*old;

	if (h->nparts == 0) {
		TAILQ_REMOVE(&unused, h, unused);
		nunused--;
	}
	h->nparts += (uint32_t)change;
	if (h->nparts != 0)
		return;
	TAILQ_INSERT_TAIL(&unused, h, unused);
	if (++nunused > HOPS_UNUSED && (old = TAILQ_FIRST(&unused)) != h)
		hop_destroy(old);
}

static void
hop_destroy(struct hop *h)
{
	node_del(&h->node);
	if (h->isrunnable)
		TAILQ_REMOVE(&runnable, h, runnable);
	TAILQ_REMOVE(&unused, h, unused);
	nunused--;
	RB_REMOVE(hop_tree, &hops, h);
	free(h->key);
	free(h->why);
	free(h);
}

/* Put it on the list of those that may start one, or take it off. */
static void
hop_update(struct hop *h)
{
	int	 want;

	want = h->nready != 0 && h->nactive < h->window && h->node.pos == 0;
	if (want == h->isrunnable)
		return;
	if (want)
		TAILQ_INSERT_TAIL(&runnable, h, runnable);
	else
		TAILQ_REMOVE(&runnable, h, runnable);
	h->isrunnable = (uint8_t)want;
}

void
part_init(struct part *p, struct entry *e, struct hop *h)
{
	memset(p, 0, sizeof(*p));
	p->entry = e;
	p->hop = h;
	p->node.kind = NODE_PART;
	p->state = PART_IDLE;
	hop_use(h, 1);
}

/* Out of whatever list it is in; idle. */
static void
part_leave(struct part *p)
{
	switch (p->state) {
	case PART_WAITING:
		node_del(&p->node);
		break;
	case PART_READY:
		TAILQ_REMOVE(&p->hop->ready, p, ready);
		p->hop->nready--;
		break;
	case PART_ACTIVE:
		p->hop->nactive--;
		break;
	}
	p->state = PART_IDLE;
	hop_update(p->hop);
}

void
part_ready(struct part *p)
{
	part_leave(p);
	p->state = PART_READY;
	TAILQ_INSERT_TAIL(&p->hop->ready, p, ready);
	p->hop->nready++;
	hop_update(p->hop);
}

void
part_wait(struct part *p, uint64_t when)
{
	part_leave(p);
	p->state = PART_WAITING;
	node_set(&p->node, when);
}

void
part_idle(struct part *p)
{
	part_leave(p);
}

void
part_free(struct part *p)
{
	if (p->hop == NULL)
		return;
	part_leave(p);
	hop_use(p->hop, -1);
	p->hop = NULL;
}

struct part *
sched_take(void)
{
	struct hop	*h;
	struct part	*p;

	if ((h = TAILQ_FIRST(&runnable)) == NULL)
		return NULL;
	p = TAILQ_FIRST(&h->ready);
	TAILQ_REMOVE(&h->ready, p, ready);
	h->nready--;
	h->nactive++;
	p->state = PART_ACTIVE;
	/* To the end, so that the others have their turn. */
	TAILQ_REMOVE(&runnable, h, runnable);
	h->isrunnable = 0;
	hop_update(h);
	return p;
}

void
sched_result(struct part *p, enum hop_verdict verdict, const char *why,
    uint64_t now)
{
	struct hop	*h = p->hop;

	switch (verdict) {
	case HOP_GOOD:
		if (h->failures != 0)
			log_info("hop %s: is back", h->key);
		h->failures = 0;
		node_del(&h->node);
		if (h->window < window_max)
			h->window++;
		break;
	case HOP_BUSY:
		h->window = h->window > 1 ? h->window / 2 : 1;
		hop_trouble(h, why);
		break;
	case HOP_DOWN:
		h->window = 1;
		hop_trouble(h, why);
		/* Those that were under way together fail together. */
		if (h->node.pos != 0)
			break;
		h->failures++;
		h->until = now + sched_backoff(hop_first, hop_max,
		    h->failures - 1);
		node_set(&h->node, h->until);
		if (h->failures == 1)
			log_warnx("hop %s: down: %s", h->key,
			    h->why == NULL ? "" : h->why);
		break;
	case HOP_UNTOUCHED:
		break;
	}
	part_leave(p);
}

static void
hop_trouble(struct hop *h, const char *why)
{
	char	*s;

	if (why == NULL || (h->why != NULL && strcmp(h->why, why) == 0) ||
	    (s = strdup(why)) == NULL)
		return;
	free(h->why);
	h->why = s;
}

int
sched_prompt(const struct hop *h)
{
	return h->node.pos == 0 && h->nready + h->nactive < 4 * h->window;
}

void
sched_retry_hops(void)
{
	struct hop	*h;

	RB_FOREACH(h, hop_tree, &hops) {
		node_del(&h->node);
		hop_update(h);
	}
}

void
sched_tick(uint64_t now, void (*deadline)(struct entry *))
{
	struct node	*n;

	while (nheap != 0 && (n = heap[1])->when <= now) {
		switch (n->kind) {
		case NODE_PART:
			part_ready(OWNER(n, part));
			break;
		case NODE_HOP:
			node_del(n);
			hop_update(OWNER(n, hop));
			break;
		default:
			node_del(n);
			deadline(OWNER(n, entry));
			break;
		}
	}
}

uint64_t
sched_due(void)
{
	return nheap == 0 ? UINT64_MAX : heap[1]->when;
}

uint64_t
sched_backoff(uint64_t base, uint64_t max, unsigned n)
{
	uint64_t	 t = base;

	while (n-- > 0 && t < max)
		t *= 2;
	if (t > max)
		t = max;
	/* So that what failed together is not tried together for ever. */
	return t - t / 10 + arc4random_uniform((uint32_t)(t / 5) + 1);
}

static void
heap_up(uint32_t i)
{
	struct node	*n = heap[i];

	for (; i > 1 && heap[i / 2]->when > n->when; i /= 2) {
		heap[i] = heap[i / 2];
		heap[i]->pos = i;
	}
	heap[i] = n;
	n->pos = i;
}

static void
heap_down(uint32_t i)
{
	struct node	*n = heap[i];
	uint32_t	 c;

	for (; (c = 2 * i) <= nheap; i = c) {
		if (c < nheap && heap[c + 1]->when < heap[c]->when)
			c++;
		if (heap[c]->when >= n->when)
			break;
		heap[i] = heap[c];
		heap[i]->pos = i;
	}
	heap[i] = n;
	n->pos = i;
}

void
node_set(struct node *n, uint64_t when)
{
	struct node	**new;
	uint32_t	  size;

	if (n->pos == 0) {
		if (nheap + 2 > heapsize) {
			size = heapsize == 0 ? 1024 : heapsize * 2;
			new = recallocarray(heap, heapsize, size,
			    sizeof(*heap));
			/* The schedule of accepted mail: rather start anew
			   from the spool than lose sight of a message. */
			if (new == NULL)
				fatal("schedule");
			heap = new;
			heapsize = size;
		}
		heap[++nheap] = n;
		n->pos = nheap;
	}
	n->when = when;
	heap_up(n->pos);
	heap_down(n->pos);
}

void
node_del(struct node *n)
{
	uint32_t	 i = n->pos;
	struct node	*last;

	if (i == 0)
		return;
	n->pos = 0;
	last = heap[nheap--];
	if (last == n)
		return;
	heap[i] = last;
	last->pos = i;
	heap_up(i);
	heap_down(last->pos);
}
