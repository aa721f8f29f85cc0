/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <tls.h>
#include <unistd.h>

#include "common/message.h"
#include "common/tls.h"
#include "regress/relayd-out/sample.h"
#include "regress/unit.h"
#include "relayd-out/deliver.h"

/* The SMTP client against servers that follow a script. */

#define CRLF	"\r\n"
#define GREETING { NULL, "220 mx.example ready" CRLF }
#define EHLO(offers)							\
	{ "EHLO gw.example", "250-mx.example" CRLF offers "250 HELP" CRLF }
#define END	{ NULL, NULL }

/*
 * What the client must say next (the beginning of a line, or "." for a whole
 * message, "" for the end of the connection), and what it gets; without the
 * former it gets it at once.  "close" closes.
 */
struct step {
	const char	*want, *reply;
};

static const struct step	*script;
static struct io		*server;
static char			 content[600000];
static size_t			 content_len;
static int			 in_content;
static char			 wrong[256];	/* first surprise */
static char			 said[4096];	/* all command lines */

static char			 told[4096];	/* what the owner heard */
static struct delivery		*next;		/* for ready */
static int			 quit_when_ready;
static struct timer		 limit;

static void
server_step(void)
{
	while (script->want == NULL && script->reply != NULL) {
		if (strcmp(script->reply, "close") == 0) {
			io_free(server);
			server = NULL;
			script++;
			return;
		}
		(void)io_write(server, script->reply, strlen(script->reply));
		script++;
	}
}

static void
server_line(const char *line, size_t len)
{
	if (in_content) {
		if (strcmp(line, ".") != 0) {
			if (*line == '.') {
				line++;
				len--;
			}
			memcpy(content + content_len, line, len);
			memcpy(content + content_len + len, CRLF, 2);
			content_len += len + 2;
			return;
		}
		in_content = 0;
	} else {
		(void)strlcat(said, line, sizeof(said));
		(void)strlcat(said, "\n", sizeof(said));
	}
	if (script->want == NULL ||
	    strncmp(line, script->want, strlen(script->want)) != 0) {
		if (*wrong == '\0')
			(void)snprintf(wrong, sizeof(wrong),
			    "\"%s\" instead of \"%s\"", line,
			    script->want == NULL ? "nothing" : script->want);
		return;
	}
	if (strncmp(script->reply, "354", 3) == 0)
		in_content = 1;
	if (strcmp(script->reply, "close") == 0) {
		io_free(server);
		server = NULL;
		script++;
		return;
	}
	(void)io_write(server, script->reply, strlen(script->reply));
	script++;
	server_step();
}

static void
on_server(struct io *io, enum io_event ev, void *arg)
{
	char	*line;
	size_t	 len;
	int	 bare;

	(void)arg;
	if (ev == IO_DATA)
		while (server != NULL &&
		    io_line(io, 8192, &line, &len, &bare) == 1)
			server_line(line, len);
	else if (ev == IO_EOF || ev == IO_ERROR) {
		if (script->want != NULL && *script->want == '\0')
			script++;
		io_free(server);
		server = NULL;
	}
}

static void
tell(const char *fmt, const char *a, const char *b)
{
	char	 buf[1000];

	(void)snprintf(buf, sizeof(buf), "%s:%s%s%s\n", fmt, a,
	    *b == '\0' ? "" : " ", b);
	(void)strlcat(told, buf, sizeof(told));
}

static void
on_ready(struct client *c, void *arg)
{
	struct delivery	*d = next;

	(void)arg;
	if (d == NULL) {
		if (quit_when_ready)
			client_quit(c);
		else
			loop_stop();
		return;
	}
	next = NULL;
	client_send(c, d);
}

static void
on_done(struct client *c, struct delivery *d, void *arg)
{
	static const char *const words[] = { "delivered", "deferred",
	    "failed" };
	char	 buf[800];
	size_t	 i;

	(void)c;
	(void)arg;
	for (i = 0; i < d->result.n; i++) {
		(void)snprintf(buf, sizeof(buf), "%s %s%s",
		    d->result.v[i].code, d->result.v[i].text,
		    d->result.v[i].dsn ? " (dsn)" : "");
		tell(words[d->result.v[i].status], buf, "");
	}
	if (d->result.verdict != HOP_GOOD)
		tell("hop", d->result.verdict == HOP_BUSY ? "busy" :
		    "untouched", d->result.broken ? "broken" : "");
}

static void
on_dead(struct client *c, struct delivery *d, enum client_end how,
    const char *why, int sent, void *arg)
{
	static const char *const words[] = { "unreachable", "tlsfailed",
	    "stale", "lost", "closed" };

	(void)c;
	(void)arg;
	if (how != CLIENT_CLOSED || d != NULL)
		tell(words[how], why, sent ? "(sent)" : "");
	loop_stop();
}

static const struct client_ops	 ops = { on_ready, on_done, on_dead };

static void
too_long(void *arg)
{
	(void)arg;
	(void)strlcpy(wrong, "timed out", sizeof(wrong));
	loop_stop();
}

static struct delivery *
delivery(size_t nrcpts, const char *text, size_t len)
{
	struct delivery	*d = calloc(1, sizeof(*d));
	struct hash	*h = hash_new();
	size_t		 i;

	if (d == NULL || (d->fd = memfd_create("test", 0)) == -1 ||
	    write(d->fd, text, len) != (ssize_t)len)
		err(1, "delivery");
	d->env = sample_envelope(nrcpts);
	d->env->size = len;
	d->env->flags = 0;
	d->env->ret = RET_NONE;
	(void)envelope_set(&d->env->sender, "s@a.example");
	(void)envelope_set(&d->env->envid, "");
	d->env->rcpts[0].notify = 0;
	free(d->env->rcpts[0].orcpt);
	d->env->rcpts[0].orcpt = NULL;
	hash_add(h, text, len);
	hash_final(h, d->env->hash);
	for (i = 0; i < nrcpts; i++)
		d->index[i] = (uint16_t)i;
	return d;
}

static void
delivery_end(struct delivery *d)
{
	result_free(&d->result);
	envelope_free(d->env);
	close(d->fd);
	free(d);
}

/* Runs until the connection is over; the told of it. */
static const char *
run(const struct step *steps, struct delivery *d, int plain)
{
	int	 sp[2];

	script = steps;
	*wrong = *told = *said = '\0';
	content_len = 0;
	in_content = 0;
	next = d;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp) == -1)
		err(1, "socketpair");
	if ((server = io_new(sp[0], on_server, NULL)) == NULL ||
	    client_attach(sp[1], "mx.example", plain, &ops, NULL) == NULL)
		errx(1, "no memory");
	server_step();
	timer_set(&limit, 3000);
	loop_run();
	timer_stop(&limit);
	if (server != NULL) {
		/* The other end has gone: let it see that. */
		timer_set(&limit, 20);
		loop_run();
		(void)strlcpy(wrong, "", sizeof(wrong));
		io_free(server);
		server = NULL;
	}
	CHECK_STR(wrong, "");
	return told;
}

#define MESSAGE	"Subject: x" CRLF CRLF ".dot" CRLF "..two" CRLF "no" CRLF
#define TRACE	"Received: from client.example" CRLF "\tby gw.example; date" \
	CRLF "X-Pfoertner-Score: 1.0" CRLF

static void
plainly(void)
{
	static const struct step oneatatime[] = {
		GREETING, { "EHLO", "502 what" CRLF },
		{ "HELO gw.example", "250 hello" CRLF },
		{ "MAIL FROM:<s@a.example>", "250 ok" CRLF },
		{ "RCPT TO:<r0@Dom0.example>", "250 ok" CRLF },
		{ "DATA", "354 go on" CRLF },
		{ ".", "250 2.0.0 done" CRLF },
		{ "QUIT", "221 bye" CRLF }, END
	};
	struct delivery	*d;

	quit_when_ready = 1;
	d = delivery(1, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(oneatatime, d, 0), "delivered:2.0.0 250 2.0.0 done\n");
	CHECK_INT((intmax_t)content_len, (intmax_t)strlen(TRACE MESSAGE));
	CHECK(memcmp(content, TRACE MESSAGE, content_len) == 0);
	delivery_end(d);

	/* Nothing but a dot: an empty message without trace fields. */
	d = delivery(1, "", 0);
	(void)envelope_set(&d->env->trace, "");
	CHECK_STR(run(oneatatime, d, 0), "delivered:2.0.0 250 2.0.0 done\n");
	CHECK_INT((intmax_t)content_len, 0);
	delivery_end(d);
}

static void
pipelined(void)
{
	static const struct step some[] = {
		GREETING, EHLO("250-PIPELINING" CRLF "250-DSN" CRLF
		    "250-SIZE 1000" CRLF "250-8BITMIME" CRLF),
		{ "MAIL FROM:<s@a.example> SIZE=", "250 2.1.0 ok" CRLF },
		{ "RCPT TO:<r0@Dom0.example> NOTIFY=SUCCESS,DELAY "
		    "ORCPT=rfc822;A+2Bb@x", "250 2.1.5 ok" CRLF },
		{ "RCPT TO:<r1@Dom0.example>", "550 5.1.1 no" CRLF },
		{ "RCPT TO:<r2@Dom1.example>", "452 4.5.3 many" CRLF },
		{ "RCPT TO:<r3@Dom1.example>", "552 too many" CRLF },
		{ "DATA", "354 go on" CRLF },
		{ ".", "250 2.0.0 done" CRLF },
		{ "QUIT", "close" }, END
	};
	static const struct step none[] = {
		GREETING, EHLO("250-PIPELINING" CRLF),
		{ "MAIL", "250 ok" CRLF }, { "RCPT", "550 no" CRLF },
		{ "DATA", "354 go on" CRLF }, { ".", "554 none" CRLF },
		{ "QUIT", "221 bye" CRLF }, END
	};
	static const struct step refused[] = {
		GREETING, EHLO("250-PIPELINING" CRLF),
		{ "MAIL", "250 ok" CRLF }, { "RCPT", "550 5.1.1 no" CRLF },
		{ "DATA", "503 5.5.1 no" CRLF }, { "RSET", "250 ok" CRLF },
		{ "QUIT", "221 bye" CRLF }, END
	};
	static const struct step sender[] = {
		GREETING, EHLO("250-PIPELINING" CRLF),
		{ "MAIL", "451 4.7.1 later" CRLF }, { "RCPT", "503 no" CRLF },
		{ "RCPT", "503 no" CRLF }, { "DATA", "503 no" CRLF },
		{ "QUIT", "221 bye" CRLF }, END
	};
	struct delivery	*d;

	quit_when_ready = 1;
	d = delivery(4, MESSAGE, strlen(MESSAGE));
	d->env->rcpts[0].notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
	d->env->rcpts[0].orcpt = strdup("rfc822;A+b@x");
	CHECK_STR(run(some, d, 0), "delivered:2.0.0 250 2.0.0 done (dsn)\n"
	    "failed:5.1.1 550 5.1.1 no\n"
	    "deferred:4.5.3 452 4.5.3 many\n"
	    "deferred:4.5.3 552 too many\n");
	delivery_end(d);
	d = delivery(1, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(none, d, 0), "failed:5.0.0 550 no\n");
	CHECK_INT((intmax_t)content_len, 0);
	delivery_end(d);
	d = delivery(1, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(refused, d, 0), "failed:5.1.1 550 5.1.1 no\n");
	delivery_end(d);
	d = delivery(2, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(sender, d, 0), "deferred:4.7.1 451 4.7.1 later\n"
	    "deferred:4.7.1 451 4.7.1 later\n");
	delivery_end(d);
}

static void
one_by_one(void)
{
	static const struct step none[] = {
		GREETING, EHLO(""), { "MAIL", "250 ok" CRLF },
		{ "RCPT", "550 5.1.1 no" CRLF }, { "RCPT", "450 4.2.0 busy"
		    CRLF }, { "RSET", "250 ok" CRLF }, { "QUIT", "221" CRLF },
		END
	};
	static const struct step sender[] = {
		GREETING, EHLO(""), { "MAIL", "550 5.7.1 not you" CRLF },
		{ "QUIT", "221" CRLF }, END
	};
	static const struct step leaves[] = {
		GREETING, EHLO(""), { "MAIL", "250 ok" CRLF },
		{ "RCPT", "421 4.3.2 stopping" CRLF }, { "QUIT", "close" },
		END
	};
	static const struct step big[] = {
		GREETING, EHLO("250-SIZE 20" CRLF), { "QUIT", "221" CRLF },
		END
	};
	struct delivery	*d;

	quit_when_ready = 1;
	d = delivery(2, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(none, d, 0), "failed:5.1.1 550 5.1.1 no\n"
	    "deferred:4.2.0 450 4.2.0 busy\n");
	delivery_end(d);
	d = delivery(1, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(sender, d, 0), "failed:5.7.1 550 5.7.1 not you\n");
	delivery_end(d);
	d = delivery(2, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(leaves, d, 0), "deferred:4.3.2 421 4.3.2 stopping\n"
	    "deferred:4.3.2 421 4.3.2 stopping\nhop:busy\n");
	delivery_end(d);
	d = delivery(1, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(big, d, 0), "failed:5.3.4 the message has 108 octets, "
	    "the server takes at most 20\n");
	delivery_end(d);
}

static void
utf8(void)
{
	static const struct step without[] = {
		GREETING, EHLO("250-8BITMIME" CRLF), { "QUIT", "221" CRLF },
		END
	};
	static const struct step notneeded[] = {
		GREETING, EHLO(""), { "MAIL FROM:<s@a.example>", "250" CRLF },
		{ "RCPT", "250" CRLF }, { "DATA", "354" CRLF },
		{ ".", "250" CRLF }, { "QUIT", "221" CRLF }, END
	};
	static const struct step with[] = {
		GREETING, EHLO("250-SMTPUTF8" CRLF "250-8BITMIME" CRLF),
		{ "MAIL FROM:<s@a.example> BODY=8BITMIME SMTPUTF8",
		    "250" CRLF },
		{ "RCPT", "250" CRLF }, { "DATA", "354" CRLF },
		{ ".", "250" CRLF }, { "QUIT", "221" CRLF }, END
	};
	static const char	 eight[] = "Subject: \xc3\xa9" CRLF CRLF;
	struct delivery		*d;

	quit_when_ready = 1;
	d = delivery(1, eight, strlen(eight));
	d->env->flags = ENV_UTF8;
	CHECK_STR(run(without, d, 0), "failed:5.6.7 the message needs "
	    "SMTPUTF8, which the server does not offer\n");
	delivery_end(d);
	d = delivery(1, eight, strlen(eight));
	d->env->flags = ENV_UTF8;
	CHECK_STR(run(with, d, 0), "delivered:2.0.0 250\n");
	delivery_end(d);
	d = delivery(1, MESSAGE "\xc3\xa9" CRLF, strlen(MESSAGE) + 4);
	d->env->flags = ENV_UTF8;
	CHECK_STR(run(notneeded, d, 0), "delivered:2.0.0 250\n");
	delivery_end(d);
}

static void
lost(void)
{
	static const struct step banner[] = {
		{ NULL, "554 5.7.1 not you" CRLF }, { "", "" }, END
	};
	static const struct step nothing[] = { { NULL, "close" }, END };
	static const struct step rubbish[] = {
		{ NULL, "SSH-2.0-x" CRLF }, { "", "" }, END
	};
	static const struct step envelope[] = {
		GREETING, EHLO("250-PIPELINING" CRLF), { "MAIL", "close" },
		END
	};
	static const struct step dot[] = {
		GREETING, EHLO(""), { "MAIL", "250" CRLF },
		{ "RCPT", "250" CRLF }, { "DATA", "354" CRLF },
		{ ".", "close" }, END
	};
	struct delivery	*d;

	d = delivery(1, MESSAGE, strlen(MESSAGE));
	CHECK_STR(run(banner, NULL, 0), "unreachable:554 5.7.1 not you\n");
	CHECK_STR(run(nothing, NULL, 0), "unreachable:connection closed "
	    "while waiting for the greeting\n");
	CHECK_STR(run(rubbish, NULL, 0), "unreachable:not an SMTP answer "
	    "while waiting for the greeting\n");
	CHECK(strncmp(run(envelope, d, 0), "lost:", 5) == 0);
	CHECK(strncmp(run(dot, d, 0), "lost:", 5) == 0);
	CHECK(strstr(told, "(sent)") != NULL);
	delivery_end(d);
}

/* A message that is not what was accepted never gets its dot. */
static void
damaged(void)
{
	static const struct step steps[] = {
		GREETING, EHLO(""), { "MAIL", "250" CRLF },
		{ "RCPT", "250" CRLF }, { "DATA", "354" CRLF },
		{ "", "" }, END
	};
	struct delivery	*d;
	char		*big;
	size_t		 n = 500000, i;

	d = delivery(1, MESSAGE, strlen(MESSAGE));
	d->env->hash[3] ^= 1;
	CHECK_STR(run(steps, d, 0), "deferred:4.3.0 the stored message is "
	    "damaged\nhop:untouched broken\n");
	CHECK_INT((intmax_t)content_len, 0);
	CHECK_INT(in_content, 1);
	delivery_end(d);

	if ((big = malloc(n)) == NULL)
		err(1, NULL);
	for (i = 0; i < n; i++)
		big[i] = i % 50 == 48 ? '\r' : i % 50 == 49 ? '\n' : 'x';
	d = delivery(1, big, n);
	CHECK(pwrite(d->fd, "y", 1, 400000) == 1);
	CHECK_STR(run(steps, d, 0), "deferred:4.3.0 the stored message is "
	    "damaged\nhop:untouched broken\n");
	CHECK(content_len > 0 && in_content);
	delivery_end(d);
	free(big);
}

/* Larger than what is read at once, with dots at all places. */
static void
large(void)
{
	static const struct step steps[] = {
		GREETING, EHLO("250-PIPELINING" CRLF), { "MAIL", "250" CRLF },
		{ "RCPT", "250" CRLF }, { "DATA", "354" CRLF },
		{ ".", "250 2.0.0 big" CRLF }, { "QUIT", "221" CRLF }, END
	};
	struct delivery	*d;
	char		*big;
	size_t		 n = 0, i, size = 550000;

	if ((big = malloc(size)) == NULL)
		err(1, NULL);
	for (i = 0; n + 40 < size; i++) {
		memset(big + n, i % 3 == 0 ? '.' : 'x', i % 33);
		n += i % 33;
		memcpy(big + n, CRLF, 2);
		n += 2;
	}
	d = delivery(1, big, n);
	(void)envelope_set(&d->env->trace, "");
	quit_when_ready = 1;
	CHECK_STR(run(steps, d, 0), "delivered:2.0.0 250 2.0.0 big\n");
	CHECK_INT((intmax_t)content_len, (intmax_t)n);
	CHECK(memcmp(content, big, n) == 0);
	delivery_end(d);
	free(big);
}

static void
tls(void)
{
	static const struct step injected[] = {
		GREETING, EHLO("250-STARTTLS" CRLF),
		{ "STARTTLS", "220 go" CRLF "250 fooled" CRLF }, { "", "" },
		END
	};
	static const struct step not_now[] = {
		GREETING, EHLO("250-STARTTLS" CRLF),
		{ "STARTTLS", "454 4.7.0 not now" CRLF },
		{ "MAIL", "250" CRLF }, { "RCPT", "250" CRLF },
		{ "DATA", "354" CRLF }, { ".", "250 ok" CRLF },
		{ "QUIT", "221" CRLF }, END
	};
	static const struct step unwanted[] = {
		GREETING, EHLO("250-STARTTLS" CRLF), { "QUIT", "221" CRLF },
		END
	};
	struct tls_config	*tc = pki_client();
	struct delivery		*d = delivery(1, MESSAGE, strlen(MESSAGE));

	if (tc == NULL)
		errx(1, "tls");
	client_setup("gw.example", tc, 1000);
	quit_when_ready = 1;
	CHECK_STR(run(injected, NULL, 0), "tlsfailed:TLS cannot begin\n");
	CHECK_STR(run(unwanted, NULL, 1), "");
	CHECK_STR(run(not_now, d, 0), "delivered:2.0.0 250 ok\n");
	delivery_end(d);
	client_setup("gw.example", NULL, 1000);
	tls_config_free(tc);
}

int
main(void)
{
	loop_init();
	timer_init(&limit, too_long, NULL);
	client_setup("gw.example", NULL, 1000);
	plainly();
	pipelined();
	one_by_one();
	utf8();
	lost();
	damaged();
	large();
	tls();
	return unit_end();
}
