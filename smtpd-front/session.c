/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * A session: from the greeting to the end of the connection.  It reads lines
 * and gives them to the commands, or octets and gives them to the transaction,
 * and stops reading while either waits for somebody else.  Time limits are
 * looked after once a second for all sessions, so an idle one needs no timer.
 */

#define TURNED_AWAY_MS	1000	/* one line a second, floods are counted */
#define UNSENT_MS	30000	/* for the last reply to be taken */

struct front	 front;

static void	 turn_away(int, const struct netaddr *, unsigned);
static int	 talks_first(int);
static void	 session_event(struct io *, enum io_event, void *);
static void	 session_input(struct session *);
static int	 session_line(struct session *);
static int	 session_data(struct session *);
static void	 after_command(struct session *);
static void	 session_secured(struct session *);
static void	 session_written(struct session *);
static void	 session_silent(struct session *);
static void	 session_expired(struct session *);
static int	 may_go(const struct session *, int);
static void	 session_free(struct session *);

void
front_init(const struct config *c)
{
	memset(&front, 0, sizeof(front));
	front.config = c;
	TAILQ_INIT(&front.sessions);
}

void
session_new(int fd, const struct netaddr *client, struct tls *tls)
{
	struct session	*s;
	struct audit	 a;
	char		 text[NETADDR_STRLEN];
	int		 early;

	limit_count(COUNT_CONNECTS, 1);
	if (front.max_sessions != 0 && front.nsessions >= front.max_sessions) {
		turn_away(fd, client, REPLY_CONNECTIONS);
		return;
	}
	switch (limit_connect(client)) {
	case 1:
		turn_away(fd, client, REPLY_CONNECTIONS);
		return;
	case 2:
		turn_away(fd, client, REPLY_NETCONNECTIONS);
		return;
	}
	early = talks_first(fd);
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->io = io_new(fd, session_event, s)) == NULL) {
		limit_disconnect(client);
		if (s == NULL)
			turn_away(fd, client, REPLY_MEMORY);
		free(s);
		return;
	}
	id_new(s->sid);
	s->client = *client;
	s->tls = tls;
	s->class = policy_session(client, &s->relay);
	s->began = loop_now();
	session_enter(s, SESSION_COMMAND);
	TAILQ_INSERT_TAIL(&front.sessions, s, entry);
	front.nsessions++;

	audit_begin(&a, NULL, "connect");
	audit_str(&a, "sid", s->sid);
	audit_str(&a, "class", class_name(s->class));
	audit_str(&a, "addr", netaddr_print(client, text, sizeof(text)));
	audit_end(&a);
	if (early)
		session_close(s, REPLY_EARLY, "early talker");
	else
		reply_args(s, REPLY_BANNER, front.config->node, NULL);
}

/* Not worth a session: one reply, one line a second for all of them. */
static void
turn_away(int fd, const struct netaddr *client, unsigned reply_id)
{
	static uint64_t	 last;
	static unsigned	 unsaid;
	struct audit	 a;
	char		 text[NETADDR_STRLEN];

	limit_count(COUNT_TURNED_AWAY, 1);
	reply_fd(fd, reply_id);
	close(fd);
	if (last != 0 && loop_now() - last < TURNED_AWAY_MS) {
		unsaid++;
		return;
	}
	audit_begin(&a, NULL, "turned-away");
	audit_str(&a, "addr", netaddr_print(client, text, sizeof(text)));
	audit_str(&a, "why", reply_id == REPLY_CONNECTIONS ? "connections" :
	    reply_id == REPLY_NETCONNECTIONS ? "network" : "memory");
	if (unsaid != 0)
		audit_num(&a, "others", unsaid);
	audit_end(&a);
	last = loop_now();
	unsaid = 0;
}

/* RFC 5321 4.3.1: clients wait for the greeting. */
static int
talks_first(int fd)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

void
session_enter(struct session *s, enum session_state state)
{
	s->state = state;
	s->since = loop_now();
}

static void
session_event(struct io *io, enum io_event event, void *arg)
{
	struct session	*s = arg;

	switch (event) {
	case IO_DATA:
		session_input(s);
		break;
	case IO_TLSREADY:
		session_secured(s);
		break;
	case IO_LOWAT:
		session_written(s);
		break;
	case IO_EOF:
		session_silent(s);
		break;
	case IO_ERROR:
		if (s->why == NULL)
			s->why = s->state == SESSION_TLS ? "tls" : "lost";
		if (s->state == SESSION_TLS)
			log_debug("sid=%s tls: %s", s->sid, io_error(io));
		session_free(s);
		break;
	default:
		break;
	}
}

/*
 * All that is there, as long as nothing has to be waited for: another daemon's
 * answer, or a client that does not read our replies.
 */
static void
session_input(struct session *s)
{
	int	 more = 1;

	s->busy = 1;
	while (more && !s->failed) {
		switch (s->state) {
		case SESSION_COMMAND:
			more = session_line(s);
			break;
		case SESSION_DATA:
			more = session_data(s);
			break;
		case SESSION_CLOSING:
			io_consume(s->io, io_pending(s->io));
			more = 0;
			break;
		default:
			more = 0;
			break;
		}
	}
	s->busy = 0;
	if (s->eof && s->state == SESSION_COMMAND)
		session_close(s, REPLY_MAX, "eof");
	if (s->failed || (s->eof && s->state == SESSION_CLOSING &&
	    io_queued(s->io) == 0))
		session_free(s);
}

void
session_resume(struct session *s)
{
	if (s->busy)
		return;
	after_command(s);
	session_input(s);
}

static int
session_line(struct session *s)
{
	static char	 copy[LIM_COMMAND + 1];
	char		*line;
	size_t		 len;
	int		 r, bare = 0;

	if (io_queued(s->io) > LIM_UNREAD)
		return 0;
	if ((r = io_line(s->io, LIM_COMMAND, &line, &len, &bare)) == 0)
		return 0;
	s->since = loop_now();
	s->commands++;
	if (r == -1 || len >= sizeof(copy))
		reply(s, REPLY_LONG);
	else if (memchr(line, '\0', len) != NULL)
		reply(s, REPLY_NUL);
	else if (bare)
		reply(s, REPLY_LINE_END);
	else {
		/* The next call to io takes the line away. */
		memcpy(copy, line, len);
		copy[len] = '\0';
		command_run(s, copy);
	}
	after_command(s);
	return 1;
}

/* Whether the session may go on. */
static void
after_command(struct session *s)
{
	if (s->state != SESSION_COMMAND)
		return;
	if (s->errors >= front.config->limit_errors)
		session_close(s, REPLY_ERRORS, "errors");
	else if (s->commands >= front.config->limit_commands)
		session_close(s, REPLY_COMMANDS, "commands");
	else if (front.draining && s->transaction == NULL)
		session_close(s, REPLY_DRAIN, "drain");
}

static int
session_data(struct session *s)
{
	const uint8_t	*p;
	size_t		 n;

	p = io_peek(s->io, &n);
	if (n == 0)
		return 0;
	io_consume(s->io, transaction_data(s->transaction, p, n));
	after_command(s);
	return 1;
}

void
session_close(struct session *s, unsigned reply_id, const char *why)
{
	if (s->state == SESSION_CLOSING)
		return;
	transaction_abandon(s->transaction);
	if (s->why == NULL)
		s->why = why;
	if (reply_id == REPLY_BYE)
		reply_args(s, reply_id, front.config->service, NULL);
	else {
		s->linger = !s->eof;
		if (reply_id != REPLY_MAX)
			reply_args(s, reply_id, front.config->node, NULL);
	}
	session_enter(s, SESSION_CLOSING);
	/* Nothing to be sent: the sweep frees it. */
}

static void
session_written(struct session *s)
{
	if (s->state != SESSION_CLOSING) {
		session_input(s);
		return;
	}
	/*
	 * To close with unread octets waiting resets the connection, and the
	 * client may never see why.
	 */
	if (s->linger && !s->eof && !io_is_tls(s->io) &&
	    shutdown(io_fd(s->io), SHUT_WR) == 0)
		return;
	session_free(s);
}

static void
session_secured(struct session *s)
{
	struct audit	 a;
	char		 tls[64];

	io_tls_info(s->io, tls, sizeof(tls));
	audit_begin(&a, NULL, "tls");
	audit_str(&a, "sid", s->sid);
	audit_str(&a, "tls", tls);
	audit_end(&a);
	/* RFC 3207 4.2: what was said before may have been said by others */
	free(s->helo);
	s->helo = NULL;
	s->esmtp = 0;
	session_enter(s, SESSION_COMMAND);
	session_input(s);
}

/*
 * End of file.  One who has sent more behind his dot (QUIT) has said all and
 * may still listen; one who has not and waits for our word has gone.
 */
static void
session_silent(struct session *s)
{
	s->eof = 1;
	if (s->why == NULL)
		s->why = "eof";
	switch (s->state) {
	case SESSION_COMMAND:
		session_input(s);
		return;
	case SESSION_ASK:
	case SESSION_HELD:
		if (io_pending(s->io) > 0)
			return;
		break;
	case SESSION_CLOSING:
		if (io_queued(s->io) > 0)
			return;
		break;
	}
	session_free(s);
}

void
session_sweep(void)
{
	struct session	*s, *next;

	TAILQ_FOREACH_SAFE(s, &front.sessions, entry, next)
		session_expired(s);
}

static void
session_expired(struct session *s)
{
	uint64_t	 age = loop_now() - s->since;

	switch (s->state) {
	case SESSION_COMMAND:
		if (age >= (uint64_t)front.config->limit_idle_s * 1000)
			session_close(s, REPLY_IDLE, "idle");
		break;
	case SESSION_DATA:
		if (transaction_slow(s->transaction))
			session_close(s, REPLY_SLOW, "slow");
		break;
	case SESSION_CLOSING:
		if (age >= (io_queued(s->io) > 0 ? UNSENT_MS :
		    s->linger ? LIM_LINGER_S * 1000 : 0))
			session_free(s);
		break;
	}
}

void
session_drain(int hurry)
{
	struct session	*s, *next;

	front.draining = 1;
	if (hurry)
		front.hurry = 1;
	TAILQ_FOREACH_SAFE(s, &front.sessions, entry, next) {
		if (s->busy)
			continue;
		if (s->state == SESSION_TLS && hurry)
			session_free(s);
		else if (may_go(s, hurry))
			session_close(s, REPLY_DRAIN, "drain");
		else if (hurry && s->state == SESSION_HELD)
			chain_hurry(s->transaction);
		else if (hurry)
			s->linger = 0;
	}
}

/* One who waits for our word on a message is given it first. */
static int
may_go(const struct session *s, int hurry)
{
	switch (s->state) {
	case SESSION_COMMAND:
		return hurry || s->transaction == NULL;
	case SESSION_ASK:
	case SESSION_DATA:
		return hurry;
	default:
		return 0;
	}
}

void
session_drop_all(void)
{
	struct session	*s;

	while ((s = TAILQ_FIRST(&front.sessions)) != NULL)
		session_free(s);
}

static void
session_free(struct session *s)
{
	struct audit	 a;

	transaction_abandon(s->transaction);
	audit_begin(&a, NULL, "disconnect");
	audit_str(&a, "sid", s->sid);
	audit_str(&a, "why", s->why == NULL ? "dropped" : s->why);
	audit_num(&a, "messages", s->messages);
	audit_num(&a, "accepted", s->accepted);
	audit_num(&a, "refused", s->refused);
	audit_num(&a, "errors", s->errors);
	audit_ms(&a, "time", loop_now() - s->began);
	audit_end(&a);
	limit_disconnect(&s->client);
	TAILQ_REMOVE(&front.sessions, s, entry);
	front.nsessions--;
	io_free(s->io);
	free(s->helo);
	free(s);
	if (front.left != NULL)
		front.left();
}
