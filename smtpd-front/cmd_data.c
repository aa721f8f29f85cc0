/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "smtpd-front/smtpd-front.h"

/*
 * DATA (RFC 5321 4.1.1.4).
 */

void
cmd_data(struct session *s, char *args)
{
	struct transaction	*t = s->transaction;
	unsigned		 say;

	(void)args;
	if (t->env->nrcpts == 0) {
		reply(s, t->nrefused != 0 ? REPLY_NO_RCPTS : REPLY_NEED_RCPT);
		return;
	}
	if ((say = transaction_open(t)) == REPLY_DATA)
		session_enter(s, SESSION_DATA);
	reply(s, say);
}
