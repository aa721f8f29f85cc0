/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/mman.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * Counts that hold over all smtp children and over reloads: one shared page, a
 * row for each child, which only that child writes and all read.  A child
 * takes a free row by putting its process id there; the parent empties the
 * rows of those that have died.  Connections of a network are counted in a
 * sketch (count-min): fixed in size however many networks call, and it can
 * err only upwards, for networks that share all their cells with busy ones.
 */

#define ROWS		(2 * LIM_PROCESSES)	/* old and new ones at reload */
#define SKETCH_DEPTH	4
#define SKETCH_WIDTH	2048
#define SPLIT_WAYS	4
#define SPLIT_SLOTS	4096
#define SPLIT_MIN	(24 * 60)		/* remembered, in minutes */

struct limit_row {
	_Atomic uint64_t	 counts[COUNT_MAX];
	_Atomic uint64_t	 gauges[GAUGE_MAX];
	_Atomic uint16_t	 sketch[SKETCH_DEPTH][SKETCH_WIDTH];
};

struct limit_page {
	uint64_t		 secret[2];	/* nobody aims at a cell */
	_Atomic uint64_t	 past[COUNT_MAX];	/* of dead children */
	_Atomic uint64_t	 splits[SPLIT_SLOTS];	/* key, minute */
	/* Beside each other, as each connection looks at all of them. */
	_Atomic uint32_t	 pids[ROWS];	/* 0: the row is free */
	_Atomic uint32_t	 sessions[ROWS];
	struct limit_row	 rows[ROWS];
};

static struct limit_page	*page;		/* of the child */
static struct limit_page	*parents;
static struct limit_row		*own;
static _Atomic uint32_t		*own_sessions;

static void		 network_cells(const struct netaddr *, uint32_t *);
static uint32_t		 network_count(const uint32_t *);
static uint64_t		 split_key(const struct netaddr *, const char *);
static uint32_t		 split_minute(void);
static uint64_t		 keyed_hash(const void *, size_t);

#define load(p)		atomic_load_explicit(p, memory_order_relaxed)
#define store(p, v)	atomic_store_explicit(p, v, memory_order_relaxed)
#define plus(p, n)	atomic_fetch_add_explicit(p, n, memory_order_relaxed)
#define minus(p, n)	atomic_fetch_sub_explicit(p, n, memory_order_relaxed)

int
limit_page_make(int fd)
{
	if (ftruncate(fd, sizeof(*parents)) == -1)
		return -1;
	parents = mmap(NULL, sizeof(*parents), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (parents == MAP_FAILED) {
		parents = NULL;
		return -1;
	}
	arc4random_buf(parents->secret, sizeof(parents->secret));
	return 0;
}

void
limit_page_sweep(void)
{
	struct limit_row	*r;
	unsigned		 i, c;
	uint32_t		 pid;

	if (parents == NULL)
		return;
	for (i = 0; i < ROWS; i++) {
		r = &parents->rows[i];
		pid = load(&parents->pids[i]);
		if (pid == 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		for (c = 0; c < COUNT_MAX; c++)
			plus(&parents->past[c], load(&r->counts[c]));
		memset(r, 0, sizeof(*r));
		store(&parents->sessions[i], 0);
		atomic_store(&parents->pids[i], 0);
	}
}

void
limit_attach(int fd)
{
	void		*p;
	uint32_t	 none;
	unsigned	 i;

	p = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
	    fd == -1 ? MAP_SHARED | MAP_ANON : MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fatal("page of counts");
	if (fd != -1)
		close(fd);
	page = p;
	if (fd == -1)
		arc4random_buf(page->secret, sizeof(page->secret));
	for (i = 0; i < ROWS; i++) {
		none = 0;
		if (!atomic_compare_exchange_strong(&page->pids[i], &none,
		    (uint32_t)getpid()))
			continue;
		own = &page->rows[i];
		own_sessions = &page->sessions[i];
		return;
	}
	fatalx("page of counts: no row is free");
}

int
limit_connect(const struct netaddr *client)
{
	uint32_t	 cells[SKETCH_DEPTH];
	unsigned	 d;

	if (limit_sessions() >= front.config->limit_connections)
		return 1;
	network_cells(client, cells);
	if (network_count(cells) >= front.config->limit_netconnections)
		return 2;
	for (d = 0; d < SKETCH_DEPTH; d++)
		plus(&own->sketch[d][cells[d]], 1);
	plus(own_sessions, 1);
	return 0;
}

void
limit_disconnect(const struct netaddr *client)
{
	uint32_t	 cells[SKETCH_DEPTH];
	unsigned	 d;

	network_cells(client, cells);
	for (d = 0; d < SKETCH_DEPTH; d++)
		minus(&own->sketch[d][cells[d]], 1);
	minus(own_sessions, 1);
}

uint64_t
limit_network_hash(const struct netaddr *client)
{
	struct netaddr	 net;
	uint8_t		 key[17];

	netaddr_network(&net, client);
	key[0] = (uint8_t)net.family;
	memcpy(key + 1, net.octets, sizeof(net.octets));
	return keyed_hash(key, sizeof(key));
}

static void
network_cells(const struct netaddr *client, uint32_t *cells)
{
	uint64_t	 h = limit_network_hash(client);
	unsigned	 d;

	/* 11 bits of the hash a row of the sketch */
	for (d = 0; d < SKETCH_DEPTH; d++, h >>= 16)
		cells[d] = (uint32_t)h % SKETCH_WIDTH;
}

static uint32_t
network_count(const uint32_t *cells)
{
	uint32_t	 least = UINT32_MAX, sum;
	unsigned	 d, i;

	for (d = 0; d < SKETCH_DEPTH; d++) {
		sum = 0;
		for (i = 0; i < ROWS; i++)
			if (load(&page->pids[i]) != 0)
				sum += load(&page->rows[i].sketch[d][cells[d]]);
		if (sum < least)
			least = sum;
	}
	return least;
}

uint64_t
limit_sessions(void)
{
	uint64_t	 n = 0;
	unsigned	 i;

	for (i = 0; i < ROWS; i++)
		if (load(&page->pids[i]) != 0)
			n += load(&page->sessions[i]);
	return n;
}

void
limit_count(enum limit_count c, uint64_t n)
{
	plus(&own->counts[c], n);
}

void
limit_gauge(enum limit_gauge g, uint64_t value)
{
	store(&own->gauges[g], value);
}

uint64_t
limit_counted(enum limit_count c)
{
	uint64_t	 n = load(&page->past[c]);
	unsigned	 i;

	for (i = 0; i < ROWS; i++)
		if (load(&page->pids[i]) != 0)
			n += load(&page->rows[i].counts[c]);
	return n;
}

uint64_t
limit_gauged(enum limit_gauge g)
{
	uint64_t	 n = 0;
	unsigned	 i;

	for (i = 0; i < ROWS; i++)
		if (load(&page->pids[i]) != 0)
			n += load(&page->rows[i].gauges[g]);
	return n;
}

/*
 * Of client network and sender 40 bits of a keyed hash are kept, with the
 * minute; four places each, the oldest gives way.
 */
void
limit_split_add(const struct netaddr *client, const char *sender)
{
	uint64_t	 key = split_key(client, sender), v;
	_Atomic uint64_t *slot, *old = NULL;
	uint32_t	 now = split_minute();
	unsigned	 i;

	for (i = 0; i < SPLIT_WAYS; i++) {
		slot = &page->splits[(key + i) % SPLIT_SLOTS];
		v = load(slot);
		if (v == 0 || v >> 24 == key >> 24) {
			old = slot;
			break;
		}
		if (old == NULL || ((now - v) & 0xffffff) >
		    ((now - load(old)) & 0xffffff))
			old = slot;
	}
	store(old, (key & ~0xffffffULL) | now);
}

int
limit_split_has(const struct netaddr *client, const char *sender)
{
	uint64_t	 key = split_key(client, sender), v;
	uint32_t	 now = split_minute();
	unsigned	 i;

	for (i = 0; i < SPLIT_WAYS; i++) {
		v = load(&page->splits[(key + i) % SPLIT_SLOTS]);
		if (v != 0 && v >> 24 == key >> 24)
			return ((now - v) & 0xffffff) < SPLIT_MIN;
	}
	return 0;
}

static uint64_t
split_key(const struct netaddr *client, const char *sender)
{
	struct netaddr	 net;
	uint8_t		 key[17 + LIM_PATH];
	size_t		 n = strlen(sender);

	netaddr_network(&net, client);
	key[0] = (uint8_t)net.family;
	memcpy(key + 1, net.octets, sizeof(net.octets));
	if (n > LIM_PATH)
		n = LIM_PATH;
	memcpy(key + 17, sender, n);
	return keyed_hash(key, 17 + n);
}

static uint32_t
split_minute(void)
{
	/* 0 would make a key of zeroes look free; 24 bits are 31 years */
	return (uint32_t)(clock_wall_ms() / 60000 + 1) & 0xffffff;
}

/* SipHash-2-4 (Aumasson, Bernstein 2012). */
#define ROTATE(x, b)	(((x) << (b)) | ((x) >> (64 - (b))))

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[0] = ROTATE(v[0], 32);
	v[2] += v[3];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[2] = ROTATE(v[2], 32);
}

static uint64_t
keyed_hash(const void *data, size_t n)
{
	const uint8_t	*p = data;
	uint64_t	 v[4], m;
	size_t		 i, left = n;

	v[0] = page->secret[0] ^ 0x736f6d6570736575ULL;
	v[1] = page->secret[1] ^ 0x646f72616e646f6dULL;
	v[2] = page->secret[0] ^ 0x6c7967656e657261ULL;
	v[3] = page->secret[1] ^ 0x7465646279746573ULL;
	for (;; p += 8, left -= 8) {
		m = left < 8 ? (uint64_t)n << 56 : 0;
		for (i = 0; i < 8 && i < left; i++)
			m |= (uint64_t)p[i] << (8 * i);
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
		if (left < 8)
			break;
	}
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
