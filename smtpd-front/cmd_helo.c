/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "smtpd-front/smtpd-front.h"

/*
 * HELO and EHLO (RFC 5321 4.1.1.1).
 */

static int	 helo_take(struct session *, char *);

void
cmd_helo(struct session *s, char *args)
{
	if (helo_take(s, args) == -1)
		return;
	s->esmtp = 0;
	reply_args(s, REPLY_HELO, front.config->node, NULL);
}

void
cmd_ehlo(struct session *s, char *args)
{
	if (helo_take(s, args) == -1)
		return;
	s->esmtp = 1;
	reply_ehlo(s);
}

static int
helo_take(struct session *s, char *args)
{
	char	*helo;

	if (strlen(args) > LIM_HELO || !helo_valid(args)) {
		reply(s, REPLY_HELO_SYNTAX);
		return -1;
	}
	if ((helo = strdup(args)) == NULL) {
		reply(s, REPLY_NOMEM);
		return -1;
	}
	free(s->helo);
	s->helo = helo;
	/* 4.1.4: as if RSET had been said */
	transaction_free(s->transaction);
	/* Who waited for our greeting and has one himself is worth looking up
	   while he goes on talking. */
	if (!s->told && s->class == CLASS_INBOUND)
		scan_client(&s->client);
	s->told = 1;
	return 0;
}
