/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "relayd-out/deliver.h"

/*
 * One transaction on a connection: MAIL, RCPT for each recipient, DATA, the
 * message, its answer.  With PIPELINING (RFC 2920) the whole envelope leaves
 * in one write and the answers are taken in order; without it each step waits
 * for the one before.  Step 0 is MAIL, 1 to n are RCPT, n + 1 is DATA.
 */

static int	 refuse_here(struct client *);
static int	 needs_utf8(const struct delivery *);
static void	 send_steps(struct client *);
static void	 send_mail(struct client *);
static void	 send_rcpt(struct client *, const struct rcpt *);
static void	 reply_mail(struct client *);
static void	 reply_rcpt(struct client *, size_t);
static void	 reply_data(struct client *);
static void	 reply_dot(struct client *);
static void	 send_content(struct client *);
static void	 content_stuck(struct client *, enum content_status);
static void	 abandon(struct client *);
static void	 outcome(struct client *, size_t, int);
static void	 outcome_all(struct client *);
static void	 finish(struct client *);

void
transaction_begin(struct client *c)
{
	struct delivery	*d = c->d;

	(void)strlcpy(d->result.remote, c->remote, sizeof(d->result.remote));
	d->result.verdict = HOP_GOOD;
	d->result.n = d->env->nrcpts;
	memset(d->decided, 0, sizeof(d->decided));
	memset(c->accepted, 0, sizeof(c->accepted));
	c->sent = c->got = c->naccepted = 0;
	c->mail_ok = c->empty = 0;
	client_enter(c, CS_ENVELOPE);
	if (refuse_here(c))
		finish(c);
	else
		send_steps(c);
}

/* What the server would have to refuse need not be sent. */
static int
refuse_here(struct client *c)
{
	struct delivery	*d = c->d;
	const char	*code = NULL;
	char		 text[160];
	size_t		 i;
	uint64_t	 size = d->env->size + strlen(d->env->trace);

	if ((c->caps & EHLO_SIZE) && c->size_max != 0 && size > c->size_max) {
		code = "5.3.4";
		(void)snprintf(text, sizeof(text), "the message has %" PRIu64
		    " octets, the server takes at most %" PRIu64, size,
		    c->size_max);
	} else if (!(c->caps & EHLO_SMTPUTF8) && needs_utf8(d)) {
		code = "5.6.7";
		(void)snprintf(text, sizeof(text), "the message needs "
		    "SMTPUTF8, which the server does not offer");
	} else if (!text_clean(d->env->sender)) {
		code = "5.1.7";
		(void)snprintf(text, sizeof(text), "impossible sender");
	}
	for (i = 0; i < d->env->nrcpts && code != NULL; i++)
		outcome_set(d, i, OUTCOME_FAILED, code, text);
	return code != NULL;
}

/*
 * SMTPUTF8 was given; is there anything that needs it (RFC 6531 3.2)?  8-bit
 * bodies go without 8BITMIME as they are: to turn them into something else
 * would alter the message.
 */
static int
needs_utf8(const struct delivery *d)
{
	const char	*s;
	size_t		 i;

	if (!(d->env->flags & ENV_UTF8))
		return 0;
	for (i = 0; i <= d->env->nrcpts; i++) {
		s = i == d->env->nrcpts ? d->env->sender :
		    d->env->rcpts[i].address;
		for (; *s != '\0'; s++)
			if ((uint8_t)*s > 0x7f)
				return 1;
	}
	return content_8bit_header(d->fd, d->env->size) == 1;
}

static void
send_steps(struct client *c)
{
	size_t	 n = c->d->env->nrcpts;

	do {
		if (c->sent == 0)
			send_mail(c);
		else if (c->sent <= n)
			send_rcpt(c, &c->d->env->rcpts[c->sent - 1]);
		else
			(void)io_printf(c->io, "DATA\r\n");
		c->sent++;
	} while ((c->caps & EHLO_PIPELINING) && c->sent <= n + 1);
}

static void
send_mail(struct client *c)
{
	const struct envelope	*e = c->d->env;
	char			 xtext[LIM_ENVID * 3 + 1];

	(void)io_printf(c->io, "MAIL FROM:<%s>", e->sender);
	if (c->caps & EHLO_SIZE)
		(void)io_printf(c->io, " SIZE=%" PRIu64,
		    e->size + strlen(e->trace));
	if ((c->caps & EHLO_8BITMIME) && (e->flags & (ENV_8BIT | ENV_UTF8)))
		(void)io_printf(c->io, " BODY=8BITMIME");
	if ((c->caps & EHLO_SMTPUTF8) && (e->flags & ENV_UTF8))
		(void)io_printf(c->io, " SMTPUTF8");
	if (c->caps & EHLO_DSN) {
		/* RFC 3461 5.2.1: handed on as they came. */
		if (e->ret != RET_NONE)
			(void)io_printf(c->io, " RET=%s",
			    e->ret == RET_FULL ? "FULL" : "HDRS");
		if (*e->envid != '\0' && xtext_encode(e->envid, xtext,
		    sizeof(xtext)) == 0)
			(void)io_printf(c->io, " ENVID=%s", xtext);
	}
	(void)io_write(c->io, "\r\n", 2);
}

static void
send_rcpt(struct client *c, const struct rcpt *r)
{
	char		 xtext[LIM_ORCPT * 3 + 1];
	const char	*sep = "", *semi;

	/* An impossible address is refused by the server as any other. */
	(void)io_printf(c->io, "RCPT TO:<%s>", text_clean(r->address) ?
	    r->address : "");
	if (c->caps & EHLO_DSN) {
		if (r->notify & NOTIFY_NEVER)
			(void)io_printf(c->io, " NOTIFY=NEVER");
		else if (r->notify != 0) {
			(void)io_printf(c->io, " NOTIFY=");
			if (r->notify & NOTIFY_SUCCESS) {
				(void)io_printf(c->io, "SUCCESS");
				sep = ",";
			}
			if (r->notify & NOTIFY_FAILURE) {
				(void)io_printf(c->io, "%sFAILURE", sep);
				sep = ",";
			}
			if (r->notify & NOTIFY_DELAY)
				(void)io_printf(c->io, "%sDELAY", sep);
		}
		if (r->orcpt != NULL && text_clean(r->orcpt) &&
		    (semi = strchr(r->orcpt, ';')) != NULL &&
		    xtext_encode(semi + 1, xtext, sizeof(xtext)) == 0)
			(void)io_printf(c->io, " ORCPT=%.*s;%s",
			    (int)(semi - r->orcpt), r->orcpt, xtext);
	}
	(void)io_write(c->io, "\r\n", 2);
}

/* The server's answer to the oldest step without one. */
void
transaction_reply(struct client *c)
{
	size_t	 n = c->d->env->nrcpts, step;

	if (c->reply.code == 421) {
		/* RFC 5321 3.8: it closes. */
		outcome_all(c);
		c->d->result.verdict = HOP_BUSY;
		c->spent = 1;
		finish(c);
		return;
	}
	if (c->state == CS_DOT) {
		reply_dot(c);
		return;
	}
	if (c->state == CS_CONTENT) {
		/* It will not have the rest. */
		outcome_all(c);
		abandon(c);
		return;
	}
	if (c->got >= c->sent) {
		client_end(c, CLIENT_LOST, "answered unasked");
		return;
	}
	step = c->got++;
	if (step == 0)
		reply_mail(c);
	else if (step <= n)
		reply_rcpt(c, step - 1);
	else {
		reply_data(c);
		return;
	}
	if (c->got < c->sent)
		return;
	/* One at a time: is the next step worth it? */
	if (!c->mail_ok || (c->sent == n + 1 && c->naccepted == 0))
		finish(c);
	else
		send_steps(c);
}

static void
reply_mail(struct client *c)
{
	size_t	 i;

	c->mail_ok = c->reply.code / 100 == 2;
	for (i = 0; i < c->d->env->nrcpts && !c->mail_ok; i++)
		outcome(c, i, 0);
}

static void
reply_rcpt(struct client *c, size_t i)
{
	if (!c->mail_ok)
		return;		/* pipelined: has its outcome already */
	if (c->reply.code / 100 == 2) {
		c->accepted[i] = 1;
		c->naccepted++;
		return;
	}
	/* RFC 5321 4.5.3.1.10: what some still say for "too many". */
	if (c->reply.code == 552)
		outcome_set(c->d, i, OUTCOME_DEFERRED, "4.5.3",
		    c->reply.text);
	else
		outcome(c, i, 0);
}

static void
reply_data(struct client *c)
{
	if (c->reply.code == 354) {
		if (c->naccepted > 0) {
			send_content(c);
			return;
		}
		/* RFC 2920 3.1: end what should not have begun. */
		c->empty = 1;
		client_enter(c, CS_DOT);
		(void)io_write(c->io, ".\r\n", 3);
		return;
	}
	outcome_all(c);
	finish(c);
}

static void
send_content(struct client *c)
{
	enum content_status	 st;

	client_enter(c, CS_CONTENT);
	st = content_send(&c->content, c->io, c->d);
	if (st == CONTENT_OK)
		client_enter(c, CS_DOT);
	else if (st != CONTENT_MORE)
		content_stuck(c, st);
}

/* A large message is out, but for its dot. */
void
transaction_content_sent(struct client *c)
{
	enum content_status	 st;

	if ((st = content_end(&c->content, c->io)) == CONTENT_OK)
		client_enter(c, CS_DOT);
	else
		content_stuck(c, st);
}

/* Without the dot the server must forget what it has got (4.1.1.4). */
static void
content_stuck(struct client *c, enum content_status st)
{
	struct delivery	*d = c->d;
	struct audit	 a;
	size_t		 i;

	if (st == CONTENT_BROKEN) {
		audit_begin(&a, d->env->id, "broken");
		audit_str(&a, "to", c->remote);
		audit_hex(&a, "sha256", d->env->hash, sizeof(d->env->hash));
		audit_str(&a, "same", "no");
		audit_end(&a);
		d->result.broken = 1;
	}
	d->result.verdict = HOP_UNTOUCHED;
	for (i = 0; i < d->env->nrcpts; i++)
		if (!d->decided[i])
			outcome_set(d, i, OUTCOME_DEFERRED, "4.3.0",
			    st == CONTENT_BROKEN ?
			    "the stored message is damaged" :
			    "the stored message cannot be read now");
	abandon(c);
}

/* The delivery is decided, and the connection cannot be used any more. */
static void
abandon(struct client *c)
{
	struct delivery	*d = c->d;

	c->d = NULL;
	c->ops->done(c, d, c->arg);
	client_end(c, CLIENT_CLOSED, "message not sent");
}

static void
reply_dot(struct client *c)
{
	size_t	 i;

	for (i = 0; i < c->d->env->nrcpts; i++)
		if (!c->d->decided[i])
			outcome(c, i, 1);
	c->mail_ok = 0;		/* the transaction is over, no RSET */
	finish(c);
}

/* The reply decides about recipient i; 2xx only counts for the message. */
static void
outcome(struct client *c, size_t i, int message)
{
	const struct reply	*r = &c->reply;
	enum outcome_status	 st;
	const char		*code;

	switch (r->code / 100) {
	case 5:
		st = OUTCOME_FAILED;
		code = "5.0.0";
		break;
	case 2:
		st = message && c->accepted[i] ? OUTCOME_DELIVERED :
		    OUTCOME_DEFERRED;
		code = message ? "2.0.0" : "4.5.0";
		break;
	default:
		st = OUTCOME_DEFERRED;
		code = "4.0.0";
		break;
	}
	if (r->status[0] != '\0' && (r->code / 100 != 2 || message))
		code = r->status;
	outcome_set(c->d, i, st, code, r->text);
	if (st == OUTCOME_DELIVERED && (c->caps & EHLO_DSN))
		c->d->result.v[i].dsn = 1;
}

/* The same for all that have none. */
static void
outcome_all(struct client *c)
{
	size_t	 i;

	for (i = 0; i < c->d->env->nrcpts; i++) {
		if (c->d->decided[i])
			continue;
		if (c->reply.code == 421)
			outcome_set(c->d, i, OUTCOME_DEFERRED,
			    c->reply.status[0] != '\0' ? c->reply.status :
			    "4.4.2", c->reply.text);
		else
			outcome(c, i, 0);
	}
}

/* The delivery is decided; the connection may go on. */
static void
finish(struct client *c)
{
	struct delivery	*d = c->d;
	int		 rset = c->mail_ok;

	c->d = NULL;
	content_free(&c->content);
	c->mail_ok = c->empty = 0;
	c->ops->done(c, d, c->arg);
	if (c->ended)
		return;
	if (c->spent || c->used >= LIM_HOP_MESSAGES)
		client_quit(c);
	else if (rset) {
		client_enter(c, CS_RSET);
		(void)io_printf(c->io, "RSET\r\n");
	} else
		client_idle(c);
}
