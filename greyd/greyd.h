/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef GREYD_GREYD_H
#define GREYD_GREYD_H

#include <stdint.h>
#include <stdio.h>

#include "common/config/config.h"
#include "common/ipc.h"
#include "common/protocol.h"
#include "greyd/backend.h"

/* --- store.c: the process ------------------------------------------------ */

int	store_init(const struct config *, unsigned instance);
void	store_start(void);
void	store_peer_gone(struct ipc *);
void	store_drain(int hurry);
#define STORE_NVERBS	6
extern const struct ipc_verb	store_verbs[STORE_NVERBS];
/* Run on this back end with this policy: the part of the start that tests
   do themselves. */
struct grey_policy;
void	store_use(const struct backend *, const struct grey_policy *);

/* --- key.c: names of records --------------------------------------------- */

/*
 * The key of a record: SHA-256, truncated, over the kind and the parts (NULL:
 * there is no further one), so no address or name stands in the database.
 */
void	key_make(struct key *, const char *kind, const char *a, const char *b,
	    const char *c);
/* Milliseconds since 1970; tests have a clock of their own. */
uint64_t state_now(void);
void	state_clock(uint64_t (*)(void));

/* --- grey.c: may this message be tried again later? ---------------------- */

struct grey_policy {
	uint32_t	 delay_s;	/* before this, a retry is too early */
	uint32_t	 window_s;	/* after this, it begins anew */
	uint32_t	 keep_s;	/* known, from the last pass on */
};

struct grey_answer {
	int		 pass;
	uint32_t	 wait_s;	/* 0 with pass */
	int		 repeated;	/* the answer given before to this id */
	int		 failed;	/* the store is out of order: pass */
	char		 why[80];	/* in plain words */
	char		 client[64];	/* the network, for logs */
};

/*
 * Decide; cb is called once, maybe from inside.  The question is not needed
 * afterwards.  -1: no memory, cb is not called.
 */
int	grey_decide(const struct backend *, const struct grey_policy *,
	    const struct grey_ask *,
	    void (*cb)(const struct grey_answer *, void *), void *arg);

/* --- rate.c: how often may this happen? ----------------------------------- */

struct rate_answer {
	int		 pass;
	uint32_t	 wait_s;	/* until the same question passes */
	int		 failed;	/* the store is out of order: pass */
};

/*
 * May key cost again, with at most limit in any period_s seconds?  What
 * passes is counted, what does not is not.  cb is called once, maybe from
 * inside.  -1: no memory, cb is not called.
 */
int	rate_take(const struct backend *, const char *key, uint32_t cost,
	    uint32_t limit, uint32_t period_s,
	    void (*cb)(const struct rate_answer *, void *), void *arg);
/* Seconds to wait (0: it passes) from the two counters, both without cost;
   at is the position in the period, in ms. */
uint32_t rate_wait(uint64_t now, uint64_t before, uint64_t at, uint32_t cost,
	    uint32_t limit, uint32_t period_s);
/* Count an event of a client's network, a day. */
void	event_count(const struct backend *, enum client_event,
	    const struct netaddr *client);
/* "trap", "refused", "unknown-rcpt" */
const char *event_name(enum client_event);

#endif
