/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_AUTH_SPF_ZONE_H
#define REGRESS_SCAND_AUTH_SPF_ZONE_H

#include "common/resolver.h"

/*
 * DNS out of memory: the stub (dns_ask and so on) is faked in spf_zone.c.
 * Names compare without case; a name that is not there does not exist.
 */

/* Forget everything. */
void	zone_clear(void);
/* fields: the values of the record; of TXT its strings. */
void	zone_add(const char *name, const char *type, char *const *fields,
	    const size_t *lens, size_t nfields);
/* Warm: every answer is known at once.  Cold: it comes with zone_deliver(). */
void	zone_warm(int);
/* Give all answers that were asked for; returns how many. */
size_t	zone_deliver(void);
/* Questions since zone_clear() that went out. */
extern size_t zone_asked;

#endif
