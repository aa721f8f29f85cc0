/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_AUTH_SPF_ORACLE_H
#define REGRESS_SCAND_AUTH_SPF_ORACLE_H

#include "scand/auth/spf.h"

/*
 * What RFC 7208 says of MAIL FROM, without libspf2 and without rewriting, when
 * all answers are known.  The domain is one that can be asked.
 */
enum spf_result	spf_oracle(struct answers *, const struct spf_query *,
		    const char *domain);

#endif
