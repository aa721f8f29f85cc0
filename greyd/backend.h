/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef GREYD_BACKEND_H
#define GREYD_BACKEND_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The key/value store behind greyd.  Keys are hashes, values are small and
 * opaque, everything expires.  Answers come by callback: from inside the call
 * where the store is at hand, later where it is on the network.  A callback
 * comes exactly once.
 */
#define KEY_SIZE	16

struct key {
	uint8_t	 b[KEY_SIZE];
};

enum backend_status {
	BACKEND_FOUND,
	BACKEND_NONE,		/* no such record, or it has expired */
	BACKEND_FAILED		/* the store is out of order */
};

/* value is borrowed for the call; NULL unless BACKEND_FOUND. */
typedef void	backend_get_cb(enum backend_status, const uint8_t *value,
		    size_t len, void *arg);
/*
 * The counter of this period and of the one before; FAILED: both 0.
 */
typedef void	backend_count_cb(enum backend_status, uint64_t now,
		    uint64_t before, void *arg);

struct backend {
	const char	*name;
	void	(*get)(const struct key *, backend_get_cb *, void *arg);
	/* At most LIM_STATE_VALUE octets, for ttl_s seconds from now. */
	void	(*put)(const struct key *, const void *value, size_t len,
		    uint32_t ttl_s);
	void	(*remove)(const struct key *);
	/* A record that is there expires ttl_s seconds from now. */
	void	(*expire)(const struct key *, uint32_t ttl_s);
	/*
	 * Add (or take away) and read, as one step.  Periods are counted from
	 * 1970, all of the same length for one key; a counter does not go
	 * below 0 and expires with the period after its last.
	 */
	void	(*count)(const struct key *, int64_t add, uint32_t period_s,
		    backend_count_cb *, void *arg);
	/* At the end of each turn of the loop in which it was used. */
	void	(*turn)(void);
	/*
	 * Once a second: expiry in small steps, syncing.  1: there is more to
	 * expire, call again soon.
	 */
	int	(*tick)(void);
	/* Lines "key value" about itself. */
	void	(*status)(FILE *);
	/* Make durable what there is and close. */
	void	(*close)(void);
};

/*
 * backend_lmdb.c.  dir is where the file greyd.mdb is or will be; max is how
 * many records it holds at most.  A damaged file is moved aside and an empty
 * one begun, with a warning; NULL if the directory cannot be used.
 */
const struct backend	*backend_lmdb_open(const char *dir, uint64_t max);

#endif
