/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/proc.h"
#include "common/proc_int.h"

/*
 * A child's links: channels to its siblings, which its parent makes; to other
 * daemons, which it asks its parent for; and what it accepts on sockets.
 */

#define CALL_MS		50	/* a daemon is away: ask again, ... */
#define CALL_MAX_MS	1000	/* ... each time later, up to here */
#define ACCEPTS_A_TURN	64
#define ACCEPT_PAUSE_MS	1000	/* no descriptor left */

struct acceptor {
	TAILQ_ENTRY(acceptor)	 entry;
	enum listen_kind	 kind;
	int			 fd;
	struct event		*ev;
	struct timer		 pause;
};

/* One daemon that this child calls. */
struct call {
	enum daemon_id		 daemon;
	enum peer		 kind;
	uint64_t		 delay;
	struct timer		 again;
};

/* Who answers on the socket of a daemon. */
static const enum peer		 servers[DAEMON_MAX] = {
	[DAEMON_FRONT] = PEER_SMTP,
	[DAEMON_SCAND] = PEER_BROKER,
	[DAEMON_GREYD] = PEER_STORE,
	[DAEMON_RELAYD] = PEER_QUEUE,
};

static struct call		*calls[DAEMON_MAX];
static TAILQ_HEAD(, acceptor)	 acceptors = TAILQ_HEAD_INITIALIZER(acceptors);
static uid_t			*operators;
static size_t			 noperators;

static void	 call_again(void *);
static void	 call_later(struct call *);
static void	 daemon_gone(struct ipc *);
static void	 peer_gone(struct ipc *);
static void	 accept_many(int, short, void *);
static void	 accept_one(struct acceptor *, int);
static void	 accept_resume(void *);

void
link_operators(void)
{
	const struct config_names	*names = &child_config()->operators;
	struct passwd			*pw;
	size_t				 i;

	if (!(child_process->serves & 1U << LISTEN_CONTROL) || names->n == 0)
		return;
	operators = calloc(names->n, sizeof(*operators));
	if (operators == NULL)
		fatal("operators");
	for (i = 0; i < names->n; i++) {
		if ((pw = getpwnam(names->v[i])) == NULL)
			log_warnx("operator %s: no such user", names->v[i]);
		else
			operators[noperators++] = pw->pw_uid;
	}
}

void
child_call(enum daemon_id d)
{
	struct call	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("call");
	c->daemon = d;
	c->kind = servers[d];
	c->delay = CALL_MS;
	timer_init(&c->again, call_again, c);
	calls[d] = c;
	call_again(c);
}

static void
call_again(void *arg)
{
	struct call	*c = arg;
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)c->daemon);
	(void)ipc_send(child_parent, VERB_CALL, 0, -1, &b);
	ibuf_free(&b);
}

int
link_daemon(struct ipc *ipc, struct imsg *im)
{
	const struct process	*p = child_process;
	struct call		*c;
	struct ipc		*peer = NULL;
	uint8_t			 d;

	(void)ipc;
	d = ibuf_get_u8(&im->data);
	if (ibuf_get_end(&im->data) == -1 || d >= DAEMON_MAX ||
	    (c = calls[d]) == NULL)
		return -1;
	if (im->fd != -1) {
		peer = ipc_new_foreign(im->fd, c->kind, p->verbs, p->nverbs,
		    child_generation(), 0, p->peer_up, daemon_gone, NULL);
		im->fd = -1;
	}
	if (peer == NULL)
		call_later(c);
	return 0;
}

/* The owner may use ipc->arg, so the call is found by its kind. */
static void
daemon_gone(struct ipc *ipc)
{
	struct call	*c = NULL;
	size_t		 i;

	for (i = 0; i < DAEMON_MAX; i++)
		if (calls[i] != NULL && calls[i]->kind == ipc->kind)
			c = calls[i];
	if (ipc->greeted) {
		if (c != NULL)
			c->delay = CALL_MS;
		if (child_process->peer_gone != NULL)
			child_process->peer_gone(ipc);
	}
	if (c != NULL)
		call_later(c);
}

static void
call_later(struct call *c)
{
	timer_set(&c->again, c->delay);
	c->delay = c->delay * 2 > CALL_MAX_MS ? CALL_MAX_MS : c->delay * 2;
}

int
link_peer(struct ipc *ipc, struct imsg *im)
{
	const struct process	*p = child_process;
	struct ipc		*peer;
	uint32_t		 which;
	uint8_t			 kind;

	(void)ipc;
	kind = ibuf_get_u8(&im->data);
	which = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1 || kind >= PEER_MAX || im->fd == -1)
		return -1;
	peer = ipc_new(im->fd, kind, which, p->verbs, p->nverbs, peer_gone,
	    NULL);
	im->fd = -1;
	if (peer == NULL)
		fatalx("channel to %s: no memory", peer_name(kind));
	if (p->peer_up != NULL)
		p->peer_up(peer);
	return 0;
}

/* The owner hears of no channel that it was not told of. */
static void
peer_gone(struct ipc *ipc)
{
	if ((!ipc->foreign || ipc->greeted) &&
	    child_process->peer_gone != NULL)
		child_process->peer_gone(ipc);
}

int
link_listen(struct ipc *ipc, struct imsg *im)
{
	struct acceptor	*a;
	uint32_t	 index;
	uint8_t		 kind;

	(void)ipc;
	kind = ibuf_get_u8(&im->data);
	index = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1 || im->fd == -1 ||
	    kind > LISTEN_CONTROL)
		return -1;
	if (kind == LISTEN_MAIL) {
		if (child_process->listen == NULL)
			return -1;
		child_process->listen(im->fd, index);
		im->fd = -1;
		return 0;
	}
	if ((a = calloc(1, sizeof(*a))) == NULL)
		fatal("listen");
	a->kind = kind;
	a->fd = im->fd;
	im->fd = -1;
	timer_init(&a->pause, accept_resume, a);
	a->ev = event_new(loop_base(), a->fd, EV_READ | EV_PERSIST,
	    accept_many, a);
	if (a->ev == NULL || event_add(a->ev, NULL) == -1)
		fatalx("listen: no memory");
	TAILQ_INSERT_TAIL(&acceptors, a, entry);
	return 0;
}

void
link_drain(void)
{
	struct acceptor	*a;

	while ((a = TAILQ_FIRST(&acceptors)) != NULL) {
		TAILQ_REMOVE(&acceptors, a, entry);
		event_free(a->ev);
		timer_free(&a->pause);
		close(a->fd);
		free(a);
	}
}

static void
accept_many(int fd, short what, void *arg)
{
	struct acceptor	*a = arg;
	int		 s, i;

	(void)what;
	for (i = 0; i < ACCEPTS_A_TURN; i++) {
		s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (s != -1) {
			accept_one(a, s);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			log_warn("accept");
			(void)event_del(a->ev);
			timer_set(&a->pause, ACCEPT_PAUSE_MS);
		}
		break;
	}
}

static void
accept_resume(void *arg)
{
	struct acceptor	*a = arg;

	(void)event_add(a->ev, NULL);
}

/* Only root's processes speak for daemons; operators are listed. */
static void
accept_one(struct acceptor *a, int s)
{
	const struct process	*p = child_process;
	struct ipc		*ipc;
	uid_t			 uid;
	gid_t			 gid;
	size_t			 i = 0;

	if (getpeereid(s, &uid, &gid) == -1) {
		close(s);
		return;
	}
	if (uid != 0 && a->kind == LISTEN_CONTROL)
		while (i < noperators && operators[i] != uid)
			i++;
	if (uid != 0 && (a->kind != LISTEN_CONTROL || i == noperators)) {
		log_warnx("user %u may not connect here, refused",
		    (unsigned)uid);
		close(s);
		return;
	}
	if (a->kind == LISTEN_DAEMON)
		ipc = ipc_new_foreign(s, p->clients, p->verbs, p->nverbs,
		    child_generation(), p->credits, p->peer_up, peer_gone,
		    NULL);
	else
		ipc = ipc_new(s, PEER_CONTROL, 0, p->verbs, p->nverbs,
		    peer_gone, NULL);
	if (ipc == NULL)
		return;
	ipc->uid = uid;
	if (a->kind == LISTEN_CONTROL && p->peer_up != NULL)
		p->peer_up(ipc);
}
