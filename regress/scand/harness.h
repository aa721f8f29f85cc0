/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_HARNESS_H
#define REGRESS_SCAND_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "common/envelope.h"
#include "common/ipc.h"
#include "common/message.h"
#include "common/protocol.h"

/*
 * What is around the broker: fronts that ask, scanners that do only what the
 * test tells them, operators, and a resolver that knows one name, all in the
 * process of the test, over real channels.
 */

#define FAKE_SCANNERS	4
#define FAKE_GIVEN	64

/* Scanners: what they have been given and not answered. */
struct fake_scanner {
	struct ipc	*ipc;		/* NULL: gone */
	struct {
		uint32_t	number;
		char		id[ID_SIZE];
		size_t		npolicies;
	}		 v[FAKE_GIVEN];
	size_t		 n;
	unsigned	 cancels;
};
extern struct fake_scanner scanners[FAKE_SCANNERS];

/* The verdicts that came back to fronts. */
struct got {
	uint32_t	number;
	int32_t		score;
	enum action	action;
};
extern struct got	 got[256];
extern size_t		 ngot;
extern int		 front_up;

/* What operators were told. */
extern char		 text[4096], end_error[256];
extern int		 nends, end_status;

/* Calls of the machinery of children and of DNS. */
extern unsigned		 nkilled, nquestions, nreloads;

/* The id of the last question. */
extern char		 last_id[ID_SIZE];

/* The configuration of all of them; ends the test if it is wrong. */
const struct config *harness_config(void);

void	 scanner_start_fake(unsigned);
/* The k-th of what scanner i holds is done; with a score of 77, it has a
   report as well. */
void	 scanner_result(unsigned i, size_t k, int32_t score);

/* A front, or an operator: the end that asks. */
struct ipc *front_start(enum peer);
/* A sealed message with its hash; the caller closes it. */
int	 message_fd(const char *, uint8_t hash[MESSAGE_HASH]);
/* Ask for a verdict within so many milliseconds; with id NULL a new one. */
void	 ask(struct ipc *front, uint32_t number, const char *id,
	    const char *content, uint32_t deadline);

/* Let the loop run for so many milliseconds, and on a busy machine for some
   turns. */
void	 settle(uint64_t ms);

#endif
