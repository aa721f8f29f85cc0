/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_AUTH_ZONE_H
#define REGRESS_SCAND_AUTH_ZONE_H

#include <stddef.h>

#include "common/resolver.h"

/*
 * A resolver of a few records in place of the stub, for tests of the rules.
 * A name exists if it, or one below it, has a record.
 */

/* Names are folded.  A record, or with DNS_FAIL and others the status of all
   questions for the name. */
void	 zone_add(const char *name, enum dns_type, enum dns_status,
	    const void *data, size_t len);
void	 zone_txt(const char *name, const char *text);
void	 zone_clear(void);
/* Answer the first question.  0: there is none. */
int	 zone_step(void);
/* Answer what is open, the last question first.  How many. */
size_t	 zone_answer(void);
/* Questions since the start. */
extern unsigned zone_asked;
/* All is known beforehand, as from a cache. */
extern int	zone_known;

#endif
