/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "relayd-out/deliver.h"

/*
 * One connection to a next hop, from the connect to QUIT: greeting, EHLO,
 * STARTTLS where it is offered, then transactions one after the other
 * (transaction.c).  What happens is told to the owner by callbacks; nothing
 * here decides where to try next.
 */

#define SECOND		1000

/* How long a step may take without a single octet, RFC 5321 4.5.3.2. */
static const int64_t timeouts[] = {
	[CS_CONNECT] = 0,			/* configured */
	[CS_BANNER] = 300 * SECOND,		/* 4.5.3.2.1 */
	[CS_EHLO] = 300 * SECOND,
	[CS_HELO] = 300 * SECOND,
	[CS_STARTTLS] = 120 * SECOND,
	[CS_TLS] = 60 * SECOND,
	[CS_IDLE] = 5 * SECOND,			/* our patience, not its */
	[CS_ENVELOPE] = 300 * SECOND,		/* 4.5.3.2.2, .3; DATA .4 */
	[CS_CONTENT] = 180 * SECOND,		/* 4.5.3.2.5 */
	[CS_DOT] = 600 * SECOND,		/* 4.5.3.2.6 */
	[CS_RSET] = 60 * SECOND,
	[CS_QUIT] = 5 * SECOND,
};

static const char *const state_words[] = {
	[CS_CONNECT] = "connecting",
	[CS_BANNER] = "waiting for the greeting",
	[CS_EHLO] = "waiting for the answer to EHLO",
	[CS_HELO] = "waiting for the answer to HELO",
	[CS_STARTTLS] = "waiting for the answer to STARTTLS",
	[CS_TLS] = "in the TLS handshake",
	[CS_IDLE] = "idle",
	[CS_ENVELOPE] = "sending the envelope",
	[CS_CONTENT] = "sending the message",
	[CS_DOT] = "waiting for the answer to the message",
	[CS_RSET] = "waiting for the answer to RSET",
	[CS_QUIT] = "leaving",
};

static char			 helo[LIM_DOMAIN + 1] = "localhost";
static struct tls_config	*tls_conf;
static int64_t			 connect_timeout = 30 * SECOND;

static struct client *client_new(const char *, int,
		    const struct client_ops *, void *);
static void	 on_io(struct io *, enum io_event, void *);
static void	 on_event(struct client *, enum io_event);
static void	 leave(struct client *, int);
static void	 shut(struct client *);
static void	 on_lines(struct client *);
static void	 on_reply(struct client *);
static void	 on_lost(struct client *, const char *);
static void	 say_hello(struct client *);
static void	 greeted(struct client *);
static void	 start_tls(struct client *);

void
client_setup(const char *name, struct tls_config *tls, uint64_t connect_ms)
{
	(void)strlcpy(helo, name, sizeof(helo));
	tls_conf = tls;
	connect_timeout = (int64_t)connect_ms;
}

static struct client *
client_new(const char *host, int plain, const struct client_ops *ops,
    void *arg)
{
	struct client	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->ops = ops;
	c->arg = arg;
	c->plain = plain;
	(void)strlcpy(c->host, host, sizeof(c->host));
	return c;
}

struct client *
client_connect(const char *host, const struct netaddr *addr, uint16_t port,
    const struct netaddr *source, int plain, const struct client_ops *ops,
    void *arg)
{
	struct sockaddr_storage	 ss, from;
	struct client		*c;
	char			 a[NETADDR_STRLEN];
	socklen_t		 len, fromlen = 0;
	int			 saved;

	if ((c = client_new(host, plain, ops, arg)) == NULL)
		return NULL;
	(void)snprintf(c->remote, sizeof(c->remote), "%s[%s]", host,
	    netaddr_print(addr, a, sizeof(a)));
	len = netaddr_to_sockaddr(addr, port, &ss);
	memset(&from, 0, sizeof(from));
	if (source->family == addr->family)
		fromlen = netaddr_to_sockaddr(source, 0, &from);
	c->io = io_connect((struct sockaddr *)&ss, len,
	    (struct sockaddr *)&from, fromlen, on_io, c);
	if (c->io == NULL) {
		saved = errno;
		free(c);
		errno = saved;
		return NULL;
	}
	client_enter(c, CS_CONNECT);
	return c;
}

struct client *
client_attach(int fd, const char *host, int plain,
    const struct client_ops *ops, void *arg)
{
	struct client	*c;

	if ((c = client_new(host, plain, ops, arg)) == NULL) {
		close(fd);
		return NULL;
	}
	(void)strlcpy(c->remote, host, sizeof(c->remote));
	if ((c->io = io_new(fd, on_io, c)) == NULL) {
		free(c);
		return NULL;
	}
	client_enter(c, CS_BANNER);
	return c;
}

void
client_enter(struct client *c, enum client_state st)
{
	c->state = st;
	io_timeout(c->io, st == CS_CONNECT ? connect_timeout : timeouts[st]);
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	shut(c);
	if (!c->busy)
		free(c);
}

/* All but its memory. */
static void
shut(struct client *c)
{
	content_free(&c->content);
	io_free(c->io);
	c->io = NULL;
	c->ended = 1;
}

/* Its end: the owner is told; leave() frees it, as we are inside. */
void
client_end(struct client *c, enum client_end how, const char *why)
{
	struct delivery	*d = c->d;
	int		 sent = client_dot_out(c);

	if (c->ended)
		return;
	c->d = NULL;
	c->ops->dead(c, d, how, why, sent, c->arg);
	shut(c);
}

int
client_dot_out(const struct client *c)
{
	return c->state == CS_DOT && !c->empty;
}

unsigned
client_used(const struct client *c)
{
	return c->used;
}

const char *
client_remote(const struct client *c)
{
	return c->remote;
}

const char *
client_tls(const struct client *c)
{
	return c->tls;
}

/* All that comes from the socket passes here. */
static void
on_io(struct io *io, enum io_event ev, void *arg)
{
	struct client	*c = arg;

	(void)io;
	c->busy = 1;
	on_event(c, ev);
	leave(c, 0);
}

/* Its memory stays until nobody of ours stands on it. */
static void
leave(struct client *c, int busy)
{
	c->busy = busy;
	if (!busy && c->ended)
		free(c);
}

static void
on_event(struct client *c, enum io_event ev)
{
	char	 why[128];

	switch (ev) {
	case IO_CONNECTED:
		client_enter(c, CS_BANNER);
		break;
	case IO_TLSREADY:
		io_tls_info(c->io, c->tls, sizeof(c->tls));
		say_hello(c);
		break;
	case IO_DATA:
		on_lines(c);
		break;
	case IO_LOWAT:
		if (c->state == CS_CONTENT && io_queued(c->io) == 0)
			transaction_content_sent(c);
		break;
	case IO_TIMEOUT:
		if (c->state == CS_IDLE) {
			client_quit(c);
			break;
		}
		(void)snprintf(why, sizeof(why), "timed out while %s",
		    state_words[c->state]);
		on_lost(c, why);
		break;
	case IO_EOF:
		(void)snprintf(why, sizeof(why), "connection closed while %s",
		    state_words[c->state]);
		on_lost(c, why);
		break;
	case IO_ERROR:
		(void)snprintf(why, sizeof(why), "%s while %s",
		    io_error(c->io), state_words[c->state]);
		on_lost(c, why);
		break;
	}
}

/* What a broken connection means depends on how far we were. */
static void
on_lost(struct client *c, const char *why)
{
	enum client_end	 how = CLIENT_LOST;

	switch (c->state) {
	case CS_STARTTLS:
	case CS_TLS:
		how = CLIENT_TLSFAILED;
		break;
	case CS_EHLO:
		/* A server that rejects us in TLS 1.3 says so only now. */
		how = *c->tls != '\0' ? CLIENT_TLSFAILED : CLIENT_UNREACHABLE;
		break;
	case CS_CONNECT:
	case CS_BANNER:
	case CS_HELO:
		how = CLIENT_UNREACHABLE;
		break;
	case CS_IDLE:
	case CS_RSET:
	case CS_QUIT:
		how = CLIENT_CLOSED;
		break;
	case CS_ENVELOPE:
		if (c->used > 1 && c->got == 0 && c->reply.code == 0)
			how = CLIENT_STALE;
		break;
	case CS_CONTENT:
	case CS_DOT:
		break;
	}
	client_end(c, how, why);
}

static void
on_lines(struct client *c)
{
	char	*line, why[64];
	size_t	 len;
	int	 n, bare;

	while (!c->ended && (n = io_line(c->io, LIM_REPLY_LINE, &line, &len,
	    &bare)) != 0) {
		if (c->state == CS_IDLE || c->state == CS_QUIT) {
			/* It says good-bye. */
			client_end(c, CLIENT_CLOSED, "closed by the server");
			return;
		}
		if (n == -1 || (n = reply_line(&c->reply, line, len)) == -1) {
			(void)snprintf(why, sizeof(why),
			    "not an SMTP answer while %s",
			    state_words[c->state]);
			on_lost(c, why);
			return;
		}
		if (c->state == CS_EHLO && c->reply.code == 250 &&
		    c->reply.lines > 1)
			c->caps |= reply_ehlo(line, len, &c->size_max);
		if (n == 1)
			on_reply(c);
	}
}

/* A whole reply. */
static void
on_reply(struct client *c)
{
	int	 ok = c->reply.code / 100 == 2;

	switch (c->state) {
	case CS_BANNER:
		if (c->reply.code == 220)
			say_hello(c);
		else
			client_end(c, CLIENT_UNREACHABLE, c->reply.text);
		break;
	case CS_EHLO:
		if (ok)
			greeted(c);
		else if (c->reply.code / 100 == 5 && *c->tls == '\0') {
			/* RFC 5321 3.2 */
			client_enter(c, CS_HELO);
			(void)io_printf(c->io, "HELO %s\r\n", helo);
		} else
			client_end(c, CLIENT_UNREACHABLE, c->reply.text);
		break;
	case CS_HELO:
		if (ok)
			greeted(c);
		else
			client_end(c, CLIENT_UNREACHABLE, c->reply.text);
		break;
	case CS_STARTTLS:
		if (c->reply.code == 220)
			start_tls(c);
		else
			client_idle(c);		/* then without */
		break;
	case CS_ENVELOPE:
	case CS_DOT:
	case CS_CONTENT:
		transaction_reply(c);
		break;
	case CS_RSET:
		if (ok)
			client_idle(c);
		else
			client_quit(c);
		break;
	default:
		client_end(c, CLIENT_UNREACHABLE, "answered unasked");
		break;
	}
	if (!c->ended && c->reply.done)
		reply_reset(&c->reply);
}

static void
say_hello(struct client *c)
{
	client_enter(c, CS_EHLO);
	/* RFC 3207 4.2: what was offered before TLS does not count. */
	c->caps = 0;
	c->size_max = 0;
	(void)io_printf(c->io, "EHLO %s\r\n", helo);
}

static void
greeted(struct client *c)
{
	if ((c->caps & EHLO_STARTTLS) && !c->plain && tls_conf != NULL &&
	    !io_is_tls(c->io)) {
		client_enter(c, CS_STARTTLS);
		(void)io_printf(c->io, "STARTTLS\r\n");
		return;
	}
	client_idle(c);
}

static void
start_tls(struct client *c)
{
	client_enter(c, CS_TLS);
	/* Octets behind the 220 were not protected: whoever put them there,
	   they are not to be taken as said inside. */
	if (io_pending(c->io) != 0 ||
	    io_tls_connect(c->io, tls_conf, c->host) == -1)
		client_end(c, CLIENT_TLSFAILED, "TLS cannot begin");
}

/* It may take a delivery; the owner says what to do. */
void
client_idle(struct client *c)
{
	client_enter(c, CS_IDLE);
	c->ops->ready(c, c->arg);
}

void
client_send(struct client *c, struct delivery *d)
{
	int	 busy = c->busy;

	c->busy = 1;
	c->d = d;
	c->used++;
	reply_reset(&c->reply);
	transaction_begin(c);
	leave(c, busy);
}

void
client_quit(struct client *c)
{
	client_enter(c, CS_QUIT);
	(void)io_printf(c->io, "QUIT\r\n");
}
