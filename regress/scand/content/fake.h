/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_CONTENT_FAKE_H
#define REGRESS_SCAND_CONTENT_FAKE_H

#include "scand/content/content.h"

/*
 * What the readers of Office formats need of the rest of the room, as little
 * as possible, and what they reported.
 */
struct fake {
	struct inspect	 in;
	unsigned	 count[FINDING_MAX];
	char		 detail[FINDING_MAX][256];	/* of the last */
	unsigned	 looks;		/* content_look() was called */
	char		 name[256];	/* with this, the last time */
	uint8_t		 head[64];
	size_t		 n;
	int		 print;		/* findings to standard output */
};

/* A budget large enough for any test. */
void	fake_start(struct fake *);

#endif
