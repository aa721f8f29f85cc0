/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * The trace fields that are sent ahead of a message: what scand found, above
 * our Received field (RFC 5321 4.4).  Above, because a reader trusts an
 * Authentication-Results field only where it stands before the Received field
 * of the border (RFC 8601 5): no sender can put one there.
 */

static int	 received_make(const struct envelope *, int, int, char *,
		    size_t);

int
trace_make(struct envelope *e, const struct verdict *v, int utf8, int esmtp)
{
	char		 received[4096];
	const char	*found = "";
	char		*all;
	size_t		 size;
	int		 r;

	if (received_make(e, utf8, esmtp, received, sizeof(received)) == -1)
		return -1;
	if (v != NULL && v->trace != NULL && *v->trace != '\0') {
		if (strlen(v->trace) + strlen(received) > LIM_TRACE ||
		    !trace_valid(v->trace))
			log_warnx("%s: trace fields of the verdict are bad, "
			    "left out", e->id);
		else
			found = v->trace;
	}
	size = strlen(found) + strlen(received) + 1;
	if ((all = malloc(size)) == NULL)
		return -1;
	(void)snprintf(all, size, "%s%s", found, received);
	r = envelope_set(&e->trace, all);
	free(all);
	return r;
}

static int
received_make(const struct envelope *e, int utf8, int esmtp, char *buf,
    size_t size)
{
	char		 client[64], date[40], to[LIM_PATH + 16] = "";
	const char	*with;
	int		 n, tls = *e->tls != '\0';

	if (utf8)	/* RFC 6531 4.3 */
		with = tls ? "UTF8SMTPS" : "UTF8SMTP";
	else if (esmtp)	/* RFC 3848 */
		with = tls ? "ESMTPS" : "ESMTP";
	else
		with = "SMTP";
	/* With more than one it would tell each of the others. */
	if (e->nrcpts == 1)
		(void)snprintf(to, sizeof(to), "\r\n\tfor <%s>",
		    e->rcpts[0].address);
	trace_date(e->time, date, sizeof(date));
	n = snprintf(buf, size, "Received: from %s (%s%s%s)\r\n"
	    "\tby %s with %s%s%s%s\r\n\tid %s%s;\r\n\t%s\r\n",
	    *e->helo == '\0' ? "unknown" : e->helo,
	    e->rdns, *e->rdns == '\0' ? "" : " ",
	    netaddr_literal(&e->client, client, sizeof(client)),
	    front.config->node, with, tls ? " (" : "", e->tls, tls ? ")" : "",
	    e->id, to, date);
	return n < 0 || (size_t)n >= size ? -1 : 0;
}

int
trace_valid(const char *s)
{
	const char	*eol, *colon;
	int		 first = 1;

	for (; *s != '\0'; s = eol + 2, first = 0) {
		eol = s + strcspn(s, "\r\n");
		if (eol[0] != '\r' || eol[1] != '\n' || eol == s)
			return 0;
		if (*s == ' ' || *s == '\t') {
			/* A continuation, not of nothing, not blank. */
			if (first || s + strspn(s, " \t") == eol)
				return 0;
			continue;
		}
		colon = s + strcspn(s, ": \t\r");
		if (*colon != ':' || colon == s)
			return 0;
	}
	return 1;
}

void
trace_date(uint64_t wall, char *buf, size_t size)
{
	static const char	 days[] = "SunMonTueWedThuFriSat";
	static const char	 months[] =
	    "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm		 tm;
	time_t			 t = (time_t)(wall / 1000);

	/* strftime(3) would look for the time zone in the file system. */
	if (gmtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	(void)snprintf(buf, size, "%.3s, %d %.3s %d %02d:%02d:%02d +0000",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
