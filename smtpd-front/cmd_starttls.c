/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/io.h"
#include "smtpd-front/smtpd-front.h"

/*
 * STARTTLS (RFC 3207).  Nothing may have come behind it: what a stranger put
 * there in the clear would else be taken for the client's own words.  The
 * dispatcher has looked (NEED_LAST), and io_tls_accept looks again.
 */

void
cmd_starttls(struct session *s, char *args)
{
	(void)args;
	if (io_is_tls(s->io)) {
		reply(s, REPLY_TLS_ON);
		return;
	}
	if (s->tls == NULL) {
		reply(s, REPLY_NO_TLS);
		return;
	}
	reply(s, REPLY_TLS);
	session_enter(s, SESSION_TLS);
	if (io_tls_accept(s->io, s->tls) == -1)
		s->failed = 1;
}
