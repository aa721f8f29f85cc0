/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_CONTENT_FAKE_H
#define REGRESS_SCAND_CONTENT_FAKE_H

#include "scand/content/content.h"

/*
 * A walk in which a reader is called without content_look(), and what it
 * reported.
 */
struct fake {
	struct inspect	 in;
	unsigned	 count[FINDING_MAX];
	char		 detail[FINDING_MAX][256];	/* of the last */
	unsigned	 looks;		/* things handed to content_look() */
	char		 name[256];	/* the last one's */
	enum content_type type;
	size_t		 n;
};

/* A budget large enough for any test. */
void	fake_start(struct fake *);

#endif
