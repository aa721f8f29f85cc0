/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "relayd-out/queue.h"

/*
 * Delivery status notifications: RFC 3464 form, RFC 3461 wishes, RFC 6533
 * where addresses are not ASCII.  A report is head, what is returned of the
 * message (spool puts it in), and tail.
 */

/* A report must not be larger than what most mailboxes take. */
#define RETURN_MAX	(10 * 1024 * 1024)

static const char *const action_words[] = {
	[DSN_FAILED] = "failed",
	[DSN_DELAYED] = "delayed",
	[DSN_RELAYED] = "relayed",
};

static int	 is_ascii(const char *);
static int	 needs_utf8(const struct dsn *);
static void	 print_header(const struct dsn *, struct text *);
static void	 print_people(const struct dsn *, struct text *);
static void	 print_machines(const struct dsn *, struct text *, int);
static void	 print_rcpt(const struct dsn *, const struct dsn_rcpt *,
		    struct text *, int);
static void	 print_address(struct text *, const char *, const char *, int);
static void	 print_returned(const struct dsn *, struct text *, int);

const char *
dsn_action_name(enum dsn_action a)
{
	return action_words[a];
}

int
dsn_wanted(const struct envelope *env, const struct rcpt *r,
    enum dsn_action action)
{
	if (*env->sender == '\0')
		return 0;
	if (r->notify & NOTIFY_NEVER)
		return 0;
	switch (action) {
	case DSN_FAILED:
		return r->notify == 0 || (r->notify & NOTIFY_FAILURE);
	case DSN_DELAYED:
		/* RFC 3461 4.1: without NOTIFY a delay may be reported. */
		return r->notify == 0 || (r->notify & NOTIFY_DELAY);
	case DSN_RELAYED:
		return (r->notify & NOTIFY_SUCCESS) != 0;
	}
	return 0;
}

/* RFC 3461 4.3: RET is about failures; other reports return the headers. */
enum compose
dsn_returns(const struct dsn *d)
{
	if (d->action == DSN_FAILED && d->env->ret == RET_FULL &&
	    d->env->size <= RETURN_MAX)
		return COMPOSE_ALL;
	return COMPOSE_HEADERS;
}

void
dsn_print(const struct dsn *d, struct text *head, struct text *tail)
{
	int	 utf8 = needs_utf8(d);

	print_header(d, head);
	print_people(d, head);
	print_machines(d, head, utf8);
	print_returned(d, head, utf8);
	text_fmt(tail, "\r\n--=_%s--\r\n", d->id);
}

static int
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s > 0x7f)
			return 0;
	return 1;
}

static int
needs_utf8(const struct dsn *d)
{
	size_t	 i;

	if (!is_ascii(d->env->sender))
		return 1;
	for (i = 0; i < d->nrcpts; i++)
		if (!is_ascii(d->rcpts[i].rcpt->address))
			return 1;
	return 0;
}

static void
print_header(const struct dsn *d, struct text *t)
{
	static const char *const subjects[] = {
		[DSN_FAILED] = "Your message could not be delivered",
		[DSN_DELAYED] = "Your message is delayed, no action needed",
		[DSN_RELAYED] = "Your message was handed on",
	};
	char	 date[TEXT_DATE];

	text_fmt(t, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <%s>\r\n"
	    "Subject: %s\r\n"
	    "Date: %s\r\n"
	    "Message-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"=_%s\"\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n"
	    "\r\n"
	    "This is a report about a message, in three parts (RFC 3464).\r\n",
	    d->service, d->env->sender, subjects[d->action],
	    text_date(d->now, 0, date), d->id, d->node, d->id);
}

/* The part for people. */
static void
print_people(const struct dsn *d, struct text *t)
{
	const struct dsn_rcpt	*r;
	char			 date[TEXT_DATE], line[LIM_REPLY];
	size_t			 i;

	text_fmt(t, "\r\n--=_%s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n"
	    "\r\n"
	    "This is the mail gateway %s.\r\n"
	    "\r\n"
	    "It took a message from you on %s.\r\n",
	    d->id, d->node, text_date(d->env->time, 0, date));
	switch (d->action) {
	case DSN_FAILED:
		text_str(t, "It could not be delivered to the recipients "
		    "below and will not be\r\ntried again.\r\n");
		break;
	case DSN_DELAYED:
		text_str(t, "It has not been delivered to the recipients "
		    "below yet. You need not send\r\nit again: ");
		text_fmt(t, "it will be tried until %s.\r\n",
		    text_date(d->until, 0, date));
		break;
	case DSN_RELAYED:
		text_str(t, "It was handed on for the recipients below, to "
		    "a server that does not\r\nreport deliveries. You will "
		    "hear no more of it unless it fails.\r\n");
		break;
	}
	for (i = 0; i < d->nrcpts; i++) {
		r = &d->rcpts[i];
		text_fmt(t, "\r\n    <%s>\r\n", r->rcpt->address);
		if (r->text == NULL)
			continue;
		text_printable(r->text, line, sizeof(line));
		if (r->remote != NULL)
			text_fmt(t, "      %s answered:\r\n", r->remote);
		text_fmt(t, "      %s\r\n", line);
	}
	text_fmt(t, "\r\nIf you ask about it, please tell its id, %s:\r\n"
	    "%s\r\n", d->env->id, d->contact);
}

static void
print_address(struct text *t, const char *field, const char *address, int utf8)
{
	text_fmt(t, "%s: %s; %s\r\n", field,
	    utf8 && !is_ascii(address) ? "utf-8" : "rfc822", address);
}

/* The part for machines: RFC 3464 2.2, 2.3. */
static void
print_machines(const struct dsn *d, struct text *t, int utf8)
{
	char	 date[TEXT_DATE], envid[LIM_ENVID + 1];
	size_t	 i;

	text_fmt(t, "\r\n--=_%s\r\n"
	    "Content-Type: message/%s\r\n"
	    "%s"
	    "\r\n"
	    "Reporting-MTA: dns; %s\r\n",
	    d->id, utf8 ? "global-delivery-status" : "delivery-status",
	    utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "", d->node);
	/* RFC 3464 2.2.1: without the encoding that SMTP needs. */
	if (*d->env->envid != '\0') {
		text_printable(d->env->envid, envid, sizeof(envid));
		text_fmt(t, "Original-Envelope-Id: %s\r\n", envid);
	}
	text_fmt(t, "X-Pfoertner-Id: %s\r\n"
	    "Arrival-Date: %s\r\n",
	    d->env->id, text_date(d->env->time, 0, date));
	for (i = 0; i < d->nrcpts; i++)
		print_rcpt(d, &d->rcpts[i], t, utf8);
}

static void
print_rcpt(const struct dsn *d, const struct dsn_rcpt *r, struct text *t,
    int utf8)
{
	char		 date[TEXT_DATE], line[LIM_REPLY];
	const char	*end;

	text_str(t, "\r\n");
	/* ORCPT has its type before it: "rfc822;a@b". */
	if (r->rcpt->orcpt != NULL &&
	    (end = strchr(r->rcpt->orcpt, ';')) != NULL &&
	    (utf8 || is_ascii(r->rcpt->orcpt)))
		text_fmt(t, "Original-Recipient: %.*s; %s\r\n",
		    (int)(end - r->rcpt->orcpt), r->rcpt->orcpt, end + 1);
	print_address(t, "Final-Recipient", r->rcpt->address, utf8);
	text_fmt(t, "Action: %s\r\nStatus: %s\r\n", action_words[d->action],
	    r->code);
	if (r->text != NULL) {
		text_printable(r->text, line, sizeof(line));
		if (r->remote != NULL) {
			text_fmt(t, "Remote-MTA: dns; %.*s\r\n",
			    (int)strcspn(r->remote, "["), r->remote);
			text_fmt(t, "Diagnostic-Code: smtp; %s\r\n", line);
		} else
			text_fmt(t, "Diagnostic-Code: x-pfoertner; %s\r\n",
			    line);
	}
	text_fmt(t, "Last-Attempt-Date: %s\r\n", text_date(d->now, 0, date));
	if (d->action == DSN_DELAYED)
		text_fmt(t, "Will-Retry-Until: %s\r\n",
		    text_date(d->until, 0, date));
}

/* The head of the part that spool fills with the message. */
static void
print_returned(const struct dsn *d, struct text *t, int utf8)
{
	int	 all = dsn_returns(d) == COMPOSE_ALL;

	text_fmt(t, "\r\n--=_%s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n"
	    "\r\n", d->id,
	    all ? (utf8 ? "message/global" : "message/rfc822") :
	    (utf8 ? "message/global-headers" : "text/rfc822-headers"));
	text_str(t, d->env->trace);
}
