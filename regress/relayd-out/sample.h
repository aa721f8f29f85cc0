/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_RELAYD_OUT_SAMPLE_H
#define REGRESS_RELAYD_OUT_SAMPLE_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/envelope.h"

/*
 * An envelope with something in every field; of its recipients the second is
 * one that is discarded.
 */
static inline struct envelope *
sample_envelope(size_t nrcpts)
{
	struct envelope	*e;
	struct rcpt	*r;
	char		 a[64];
	size_t		 i;

	if ((e = envelope_new()) == NULL)
		errx(1, "no memory");
	memcpy(e->id, "01hq3vbk2t7m9c4e", ID_SIZE);
	memcpy(e->sid, "01hq3vbk2s000001", ID_SIZE);
	e->time = 1700000000123ULL;
	e->class = CLASS_RELAY;
	if (netaddr_parse(&e->client, "2001:db8::9") == -1 ||
	    envelope_set(&e->helo, "client.example") == -1 ||
	    envelope_set(&e->rdns, "client.example") == -1 ||
	    envelope_set(&e->tls, "TLSv1.3 TLS_AES_256_GCM_SHA384") == -1 ||
	    envelope_set(&e->participant, "uni-a") == -1 ||
	    envelope_set(&e->sender, "\"a \\\" b\"@sender.example") == -1 ||
	    envelope_set(&e->envid, "QQ 1+2") == -1 ||
	    envelope_set(&e->trace, "Received: from client.example\r\n"
	    "\tby gw.example; date\r\nX-Pfoertner-Score: 1.0\r\n") == -1)
		errx(1, "envelope");
	e->ret = RET_HDRS;
	e->flags = ENV_8BIT | ENV_UTF8;
	e->size = 12345;
	for (i = 0; i < MESSAGE_HASH; i++)
		e->hash[i] = (uint8_t)(i * 7);
	for (i = 0; i < nrcpts; i++) {
		(void)snprintf(a, sizeof(a), "r%zu@Dom%zu.example", i, i / 2);
		r = envelope_rcpt(e, a, i == 0 ? "rfc822;Orig@x.example" :
		    NULL, i == 0 ? NOTIFY_SUCCESS | NOTIFY_DELAY : 0);
		if (r == NULL)
			errx(1, "recipient");
		r->discard = i == 1;
	}
	return e;
}

/* Ids of a test's own, in order. */
static inline void
sample_id(char id[ID_SIZE], unsigned n)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	int	 i;

	memcpy(id, "01hq3000000000000", ID_SIZE);
	for (i = 15; i >= 9; i--, n >>= 5)
		id[i] = digits[n & 31];
	id[16] = '\0';
}

#endif
