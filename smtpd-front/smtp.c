/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/proc.h"
#include "common/tls.h"
#include "smtpd-front/smtp.h"
#include "smtpd-front/smtpd-front.h"

/*
 * The smtp process: accepts clients on the sockets that it shares with its
 * brothers, makes the TLS contexts from what the parent read, keeps the links
 * to the other daemons, and leaves when it is asked to and nothing is held.
 */

#define ACCEPTS_A_TURN	64	/* then those who are in get their turn */
#define PAUSE_MS	1000	/* no descriptor is free */
#define SWEEP_MS	1000
#define SPARE_FILES	128	/* for channels, frames, the parent's */

struct port {
	TAILQ_ENTRY(port)	 entry;
	int			 fd;
	struct event		*ev;
	struct timer		 pause;
	struct tls		*tls;
};
static TAILQ_HEAD(, port)	 ports = TAILQ_HEAD_INITIALIZER(ports);

struct pki {
	uint32_t		 index;
	int			 cert, key;	/* -1: not come yet, or used */
	struct tls		*server;
};
static struct pki	*pkis;
static size_t		 npkis;
static int		 attached;
static struct timer	 sweeper;
static struct deferred	 leaving;

static void	 count_files(void);
static void	 sweep(void *);
static void	 left(void);
static void	 leave(void *);
static struct pki *pki_find(uint32_t);
static void	 pki_make(struct pki *);
static void	 port_accept(int, short, void *);
static int	 port_one(struct port *);
static void	 port_again(void *);

const struct ipc_verb	 smtp_verbs[] = {
	ASK_VERBS,
	{ VERB_CTL_STATUS, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD,
	    control_status },
	{ VERB_CTL_RELOAD, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD,
	    control_reload },
};
const size_t		 smtp_nverbs = sizeof(smtp_verbs) /
			    sizeof(smtp_verbs[0]);

void
smtp_start(void)
{
	front_init(child_config());
	front.left = left;
	leaving.fn = leave;
	count_files();
	limit_init(front.config);
	ask_init();
	child_call(DAEMON_SCAND);
	child_call(DAEMON_GREYD);
	child_call(DAEMON_RELAYD);
	timer_init(&sweeper, sweep, NULL);
	timer_set(&sweeper, SWEEP_MS);
}

/* A client needs one descriptor, and one more for its message. */
static void
count_files(void)
{
	struct rlimit	 rl;
	uint32_t	 wanted = front.config->limit_connections;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 ||
	    rl.rlim_cur == RLIM_INFINITY)
		return;
	if (rl.rlim_cur > SPARE_FILES + 2)
		front.max_sessions = (unsigned)(rl.rlim_cur - SPARE_FILES) / 2;
	else
		front.max_sessions = 1;
	if (front.max_sessions < wanted)
		log_info("%llu descriptors are enough for %u clients, `limit "
		    "connections' is %u", (unsigned long long)rl.rlim_cur,
		    front.max_sessions, wanted);
}

static void
sweep(void *arg)
{
	(void)arg;
	session_sweep();
	ask_sweep();
	limit_gauge(GAUGE_WAITING, ask_waiting(DAEMON_SCAND) +
	    ask_waiting(DAEMON_GREYD) + ask_waiting(DAEMON_RELAYD));
	timer_set(&sweeper, SWEEP_MS);
}

void
smtp_peer_up(struct ipc *ipc)
{
	if (ipc->kind != PEER_CONTROL)
		ask_up(ipc);
}

void
smtp_peer_gone(struct ipc *ipc)
{
	if (ipc->kind == PEER_CONTROL)
		control_gone(ipc);
	else
		ask_down(ipc);
}

/* Secrets and the page come before the listening sockets. */
void
smtp_share(enum share_kind kind, uint32_t index, int fd)
{
	struct pki	*p;

	switch (kind) {
	case SHARE_LIMITS:
		limit_attach(fd);
		attached = 1;
		return;
	case SHARE_CERT:
	case SHARE_KEY:
		p = pki_find(index);
		if (kind == SHARE_CERT)
			p->cert = fd;
		else
			p->key = fd;
		if (p->cert != -1 && p->key != -1)
			pki_make(p);
		return;
	default:
		close(fd);
		return;
	}
}

static struct pki *
pki_find(uint32_t index)
{
	struct pki	*p;
	size_t		 i;

	for (i = 0; i < npkis; i++)
		if (pkis[i].index == index)
			return &pkis[i];
	p = recallocarray(pkis, npkis, npkis + 1, sizeof(*p));
	if (p == NULL)
		fatal("certificates");
	pkis = p;
	p += npkis++;
	p->index = index;
	p->cert = p->key = -1;
	return p;
}

static void
pki_make(struct pki *p)
{
	struct pki_pem	 pem = { { NULL, 0 }, { NULL, 0 } };
	char		 why[256];

	if (pem_map(&pem.cert, p->cert) == -1 ||
	    pem_map(&pem.key, p->key) == -1)
		fatal("certificate %u", p->index);
	if ((p->server = pki_server(&pem, 1, why, sizeof(why))) == NULL)
		fatalx("certificate %u: %s", p->index, why);
	pem_unmap(&pem.cert);
	pem_unmap(&pem.key);
	close(p->cert);
	close(p->key);
	p->cert = p->key = -1;
}

void
smtp_listen(int fd, uint32_t index)
{
	const struct config_listen	*l;
	struct port			*p;

	TAILQ_FOREACH(l, &front.config->listens, entry)
		if (l->index == index)
			break;
	if (l == NULL || front.draining) {
		close(fd);
		return;
	}
	if (!attached) {
		limit_attach(-1);
		attached = 1;
	}
	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("listen");
	p->fd = fd;
	if (l->pki != NULL &&
	    (p->tls = pki_find(l->pki->index)->server) == NULL)
		fatalx("no certificate for pki \"%s\"", l->pki->name);
	timer_init(&p->pause, port_again, p);
	p->ev = event_new(loop_base(), fd, EV_READ | EV_PERSIST, port_accept,
	    p);
	if (p->ev == NULL || event_add(p->ev, NULL) == -1)
		fatalx("listen: no memory");
	TAILQ_INSERT_TAIL(&ports, p, entry);
}

static void
port_accept(int fd, short what, void *arg)
{
	struct port	*p = arg;
	int		 i;

	(void)fd;
	(void)what;
	for (i = 0; i < ACCEPTS_A_TURN; i++)
		if (port_one(p) == -1)
			return;
}

/* -1: nobody waits, or nobody can be taken now. */
static int
port_one(struct port *p)
{
	struct sockaddr_storage	 ss;
	struct netaddr		 client;
	socklen_t		 len = sizeof(ss);
	int			 s, on = 1;

	s = accept4(p->fd, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (s == -1) {
		switch (errno) {
		case ECONNABORTED:
		case EINTR:
			return 0;
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			/* The socket stays readable: do not spin on it. */
			log_warn("accept");
			(void)event_del(p->ev);
			timer_set(&p->pause, PAUSE_MS);
			break;
		default:
			break;
		}
		return -1;
	}
	if (netaddr_from_sockaddr(&client, (struct sockaddr *)&ss) == -1) {
		close(s);
		return 0;
	}
	/* Replies leave by the turn; to wait for more would delay them. */
	(void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	session_new(s, &client, p->tls);
	return 0;
}

static void
port_again(void *arg)
{
	struct port	*p = arg;

	(void)event_add(p->ev, NULL);
}

void
smtp_drain(int hurry)
{
	struct port	*p;

	while ((p = TAILQ_FIRST(&ports)) != NULL) {
		TAILQ_REMOVE(&ports, p, entry);
		timer_free(&p->pause);
		event_free(p->ev);
		close(p->fd);
		free(p);
	}
	session_drain(hurry);
	left();
}

static void
left(void)
{
	if (front.draining)
		loop_defer(&leaving);
}

static void
leave(void *arg)
{
	(void)arg;
	if (front.nsessions == 0 && (front.norphans == 0 || front.hurry) &&
	    !control_busy())
		child_exit();
}
