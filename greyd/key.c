/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/message.h"
#include "greyd/greyd.h"

/*
 * Names of records, and the clock that they age by.  A record is only ever
 * looked up, never listed, so a hash of what it is about is enough, and the
 * database tells nobody who wrote to whom.
 */

static uint64_t	(*clock_fn)(void) = clock_wall_ms;

void
key_make(struct key *k, const char *kind, const char *a, const char *b,
    const char *c)
{
	const char	*parts[] = { kind, a, b, c };
	struct hash	*h;
	uint8_t		 digest[MESSAGE_HASH];
	size_t		 i;

	if ((h = hash_new()) == NULL)
		fatalx("no memory for a hash");
	/* With the terminator of each part: ab, c is not a, bc. */
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i] == NULL)
			break;
		hash_add(h, parts[i], strlen(parts[i]) + 1);
	}
	hash_final(h, digest);
	memcpy(k->b, digest, KEY_SIZE);
}

uint64_t
state_now(void)
{
	return clock_fn();
}

void
state_clock(uint64_t (*fn)(void))
{
	clock_fn = fn;
}
