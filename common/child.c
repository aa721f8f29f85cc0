/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/compat.h"
#include "common/compat/memfile.h"
#include "common/log.h"
#include "common/message.h"
#include "common/proc.h"
#include "common/proc_int.h"

/*
 * The life of a child: configuration from its parent, whatever its role opens,
 * the cage, then its loop, fed with channels and sockets.
 */

#define CALL_MS		50	/* a daemon is away: ask again, ... */
#define CALL_MAX_MS	1000	/* ... each time later, up to here */
#define ACCEPTS_A_TURN	64
#define ACCEPT_PAUSE_MS	1000	/* no descriptor left */
#define MEMFILES_MS	20	/* look after the stock */

struct acceptor {
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

struct reload {
	void	(*cb)(int, const char *, void *);
	void	*arg;
};

static const struct daemon	*daemon_;
static const struct process	*self;
static struct config		*config;
static unsigned			 instance;
static uint32_t			 generation;
static struct imsgbuf		 early;		/* the channel before the cage */
static struct ipc		*up;		/* the same, in the loop */
static struct call		*calls[DAEMON_MAX];
static struct reload		 reloads[16];
static uid_t			*operators;
static size_t			 noperators;
static struct timer		 memfiles;

static const struct process *process_find(const struct daemon *, const char *);
static int	 try_act(const struct proc_options *);
static void	 wait_config(void);
static void	 read_config(struct imsg *);
static void	 find_operators(void);
static void	 enter_cage(void);
static void	 adopt_channel(void);
static void	 parent_gone(struct ipc *);
static void	 peer_gone(struct ipc *);
static void	 daemon_gone(struct ipc *);
static void	 call_again(void *);
static void	 call_later(struct call *);
static void	 accept_many(int, short, void *);
static void	 accept_one(struct acceptor *, int);
static void	 accept_resume(void *);
static void	 memfiles_look(void *);
static int	 on_listen(struct ipc *, struct imsg *);
static int	 on_peer(struct ipc *, struct imsg *);
static int	 on_daemon(struct ipc *, struct imsg *);
static int	 on_share(struct ipc *, struct imsg *);
static int	 on_drain(struct ipc *, struct imsg *);
static int	 on_reloaded(struct ipc *, struct imsg *);

static const struct ipc_verb	 verbs[] = {
	{ VERB_LISTEN,	 PEER_BIT(PEER_PARENT), 5,   IPC_FD,   on_listen },
	{ VERB_PEER,	 PEER_BIT(PEER_PARENT), 5,   IPC_FD,   on_peer },
	{ VERB_DAEMON,	 PEER_BIT(PEER_PARENT), 1,   IPC_FD,   on_daemon },
	{ VERB_SHARE,	 PEER_BIT(PEER_PARENT), 5,   IPC_FD,   on_share },
	{ VERB_DRAIN,	 PEER_BIT(PEER_PARENT), 1,   IPC_NOFD, on_drain },
	{ VERB_RELOADED, PEER_BIT(PEER_PARENT), 1024, IPC_NOFD, on_reloaded },
};

/* Who answers on the socket of a daemon. */
static const enum peer		 servers[DAEMON_MAX] = {
	[DAEMON_FRONT] = PEER_SMTP,
	[DAEMON_SCAND] = PEER_BROKER,
	[DAEMON_GREYD] = PEER_STORE,
	[DAEMON_RELAYD] = PEER_QUEUE,
};

static const struct process *
process_find(const struct daemon *d, const char *title)
{
	size_t	 i;

	for (i = 0; i < d->nprocs; i++)
		if (strcmp(d->procs[i].title, title) == 0)
			return &d->procs[i];
	return NULL;
}

/*
 * The order is always the same: log, configuration, what must be open, cage,
 * loop.
 */
int
child_main(const struct daemon *d, const struct proc_options *o)
{
	char	 name[64];

	daemon_ = d;
	instance = o->instance;
	if ((self = process_find(d, o->title)) == NULL)
		errx(1, "no process %s in %s", o->title, d->name);
	(void)snprintf(name, sizeof(name), "%s[%u]", self->title, instance);
	if (o->act != NULL)
		return try_act(o);
	log_init(d->name, 1);
	log_child(CHILD_FD_LOG, name);
	compat_set_comm(self->title);
	setproctitle("%s", name);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* the terminal's go to the parent */
	signal(SIGHUP, SIG_IGN);
	wait_config();
	find_operators();
	loop_init();
	imsg_reserve_init();
	sandbox_prepare();
	id_init(config->node);
	if (self->init != NULL && self->init(config, instance) == -1)
		fatalx("%s does not start", name);
	enter_cage();
	imsg_reserve_init();
	adopt_channel();
	if (self->start != NULL)
		self->start();
	(void)ipc_send(up, VERB_READY, 0, -1, NULL);
	if ((self->powers & POWER_MEMFILE) && memfile_supplied()) {
		timer_init(&memfiles, memfiles_look, NULL);
		memfiles_look(NULL);
	}
	loop_run();
	return 0;
}

/* -T: in this role's cage, do what must not be possible. */
static int
try_act(const struct proc_options *o)
{
	struct cage	 cage;
	char		 root[1024];
	int		 n;

	log_init(daemon_->name, 1);
	config = config_parse_file(o->file, o->macros, o->nmacros, stderr);
	if (config == NULL)
		return 2;
	sandbox_prepare();
	child_cage(self, config, &cage, root, sizeof(root));
	cage.parent = 0;
	sandbox_enter(&cage);
	if ((n = sandbox_try(o->act)) == -1)
		log_warnx("no such act: %s", o->act);
	return n == -1 ? 2 : n;
}

static void
wait_config(void)
{
	struct pollfd	 pfd = { .fd = CHILD_FD_PARENT, .events = POLLIN };
	struct imsg	 im;
	int		 n;

	imsgbuf_init(&early, CHILD_FD_PARENT);
	for (;;) {
		if ((n = imsgbuf_get(&early, &im)) == -1)
			fatalx("broken frame from the parent");
		if (n == 1)
			break;
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			fatal("poll");
		if ((n = imsgbuf_read(&early)) == 0 ||
		    (n == -1 && errno != EAGAIN))
			_exit(0);	/* the parent has gone */
	}
	if (im.type != VERB_CONFIG || im.fd == -1)
		fatalx("no configuration from the parent");
	read_config(&im);
	close(im.fd);
}

static void
read_config(struct imsg *im)
{
	struct stat	 st;
	char		*text;
	ssize_t		 n;

	generation = ibuf_get_u32(&im->data);
	(void)ibuf_get_u8(&im->data);
	log_verbose(ibuf_get_u8(&im->data));
	if (ibuf_get_end(&im->data) == -1 || fstat(im->fd, &st) == -1 ||
	    st.st_size < 0 || st.st_size > LIM_CONFIG ||
	    (text = malloc((size_t)st.st_size + 1)) == NULL)
		fatalx("configuration");
	/* The offset is shared with all who hold this file: pread. */
	n = pread(im->fd, text, (size_t)st.st_size, 0);
	if (n != st.st_size)
		fatal("configuration");
	config = config_parse_text("configuration", text, (size_t)n, stderr);
	if (config == NULL)
		fatalx("the parent's configuration does not parse");
	freezero(text, (size_t)n);
}

static void
find_operators(void)
{
	struct passwd	*pw;
	size_t		 i;

	if (!(self->serves & 1U << LISTEN_CONTROL) || config->operators.n == 0)
		return;
	operators = calloc(config->operators.n, sizeof(*operators));
	if (operators == NULL)
		fatal("operators");
	for (i = 0; i < config->operators.n; i++) {
		if ((pw = getpwnam(config->operators.v[i])) == NULL)
			log_warnx("operator %s: no such user",
			    config->operators.v[i]);
		else
			operators[noperators++] = pw->pw_uid;
	}
}

void
child_cage(const struct process *p, const struct config *c, struct cage *cage,
    char *root, size_t size)
{
	struct passwd	*pw;
	char		 user[64];
	int		 n;

	n = snprintf(user, sizeof(user), "%s%s", c->user_prefix, p->user);
	if (n < 0 || (size_t)n >= sizeof(user) ||
	    (pw = getpwnam(user)) == NULL || pw->pw_uid == 0)
		fatalx("no user %s: make install makes the users", user);
	switch (p->root) {
	case ROOT_SPOOL:
		n = snprintf(root, size, "%s", c->dir_spool);
		break;
	case ROOT_STATE:
		n = snprintf(root, size, "%s", c->dir_state);
		break;
	default:
		n = snprintf(root, size, "%s/empty", c->dir_runtime);
		break;
	}
	if (n < 0 || (size_t)n >= size)
		fatalx("root directory: name too long");
	memset(cage, 0, sizeof(*cage));
	cage->name = p->title;
	cage->root = root;
	cage->uid = pw->pw_uid;
	cage->gid = pw->pw_gid;
	cage->powers = p->powers;
	cage->fsize = p->fsize == NULL ? 0 : p->fsize(c);
	cage->memory = p->memory;
	cage->files = p->files;
	cage->parent = getppid();
}

static void
enter_cage(void)
{
	struct cage	 cage;
	char		 root[1024];

	child_cage(self, config, &cage, root, sizeof(root));
	sandbox_enter(&cage);
}

/* From the blocking start to the loop, with what was read ahead. */
static void
adopt_channel(void)
{
	up = ipc_new(CHILD_FD_PARENT, PEER_PARENT, 0, verbs,
	    sizeof(verbs) / sizeof(verbs[0]), parent_gone, NULL);
	if (up == NULL)
		fatalx("no channel to the parent");
	up->ibuf = early;
	TAILQ_INIT(&up->ibuf.out);
	/* Frames that are there already make no event. */
	event_active(up->rev, EV_READ, 0);
}

static void
parent_gone(struct ipc *ipc)
{
	(void)ipc;
	log_flush();
	_exit(0);
}

const struct config *
child_config(void)
{
	return config;
}

unsigned
child_instance(void)
{
	return instance;
}

const char *
child_title(void)
{
	return self->title;
}

uint32_t
child_generation(void)
{
	return generation;
}

void
child_exit(void)
{
	loop_flush();
	_exit(0);
}

void
child_kill(enum peer kind, unsigned which)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)kind);
	ibuf_add_u32(&b, which);
	(void)ipc_send(up, VERB_KILL, 0, -1, &b);
	ibuf_free(&b);
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
	(void)ipc_send(up, VERB_CALL, 0, -1, &b);
	ibuf_free(&b);
}

static int
on_daemon(struct ipc *ipc, struct imsg *im)
{
	struct call	*c;
	struct ipc	*peer = NULL;
	uint8_t		 d;

	(void)ipc;
	d = ibuf_get_u8(&im->data);
	if (ibuf_get_end(&im->data) == -1 || d >= DAEMON_MAX ||
	    (c = calls[d]) == NULL)
		return -1;
	if (im->fd != -1) {
		peer = ipc_new_foreign(im->fd, c->kind, self->verbs,
		    self->nverbs, generation, 0, self->peer_up, daemon_gone,
		    NULL);
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
		if (self->peer_gone != NULL)
			self->peer_gone(ipc);
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

static int
on_peer(struct ipc *ipc, struct imsg *im)
{
	struct ipc	*peer;
	uint32_t	 which;
	uint8_t		 kind;

	(void)ipc;
	kind = ibuf_get_u8(&im->data);
	which = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1 || kind >= PEER_MAX || im->fd == -1)
		return -1;
	peer = ipc_new(im->fd, kind, which, self->verbs, self->nverbs,
	    peer_gone, NULL);
	im->fd = -1;
	if (peer == NULL)
		fatalx("channel to %s: no memory", peer_name(kind));
	if (self->peer_up != NULL)
		self->peer_up(peer);
	return 0;
}

static void
peer_gone(struct ipc *ipc)
{
	if (self->peer_gone != NULL)
		self->peer_gone(ipc);
}

static int
on_listen(struct ipc *ipc, struct imsg *im)
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
		if (self->listen == NULL)
			return -1;
		self->listen(im->fd, index);
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
	return 0;
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
	struct ipc	*ipc;
	uid_t		 uid;
	gid_t		 gid;
	size_t		 i = 0;

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
		ipc = ipc_new_foreign(s, self->clients, self->verbs,
		    self->nverbs, generation, self->credits, self->peer_up,
		    peer_gone, NULL);
	else
		ipc = ipc_new(s, PEER_CONTROL, 0, self->verbs, self->nverbs,
		    peer_gone, NULL);
	if (ipc == NULL)
		return;
	ipc->uid = uid;
	if (a->kind == LISTEN_CONTROL && self->peer_up != NULL)
		self->peer_up(ipc);
}

static int
on_share(struct ipc *ipc, struct imsg *im)
{
	static int	 wfd = -1;
	uint32_t	 index;
	uint8_t		 kind;

	(void)ipc;
	kind = ibuf_get_u8(&im->data);
	index = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1 || im->fd == -1)
		return -1;
	if (kind == SHARE_MEMFILE_W)
		wfd = im->fd;
	else if (kind == SHARE_MEMFILE_R && wfd != -1) {
		memfile_supply(wfd, im->fd);
		wfd = -1;
	} else if (self->share != NULL)
		self->share(kind, index, im->fd);
	else
		return -1;
	im->fd = -1;
	return 0;
}

static void
memfiles_look(void *arg)
{
	struct ibuf	 b;
	unsigned	 n;

	(void)arg;
	if ((n = memfile_wanted()) != 0) {
		ibuf_init(&b);
		ibuf_add_u32(&b, n);
		(void)ipc_send(up, VERB_MEMFILES, 0, -1, &b);
		ibuf_free(&b);
	}
	timer_set(&memfiles, MEMFILES_MS);
}

static int
on_drain(struct ipc *ipc, struct imsg *im)
{
	uint8_t	 hurry;

	(void)ipc;
	hurry = ibuf_get_u8(&im->data);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	if (self->drain == NULL)
		child_exit();
	self->drain(hurry);
	return 0;
}

void
child_reload(void (*cb)(int, const char *, void *), void *arg)
{
	uint32_t	 i;

	for (i = 0; i < sizeof(reloads) / sizeof(reloads[0]); i++) {
		if (reloads[i].cb != NULL)
			continue;
		reloads[i].cb = cb;
		reloads[i].arg = arg;
		if (ipc_send(up, VERB_RELOAD, i, -1, NULL) == 0)
			return;
		reloads[i].cb = NULL;
		break;
	}
	cb(0, "too many reloads asked for", arg);
}

static int
on_reloaded(struct ipc *ipc, struct imsg *im)
{
	struct reload	 r;
	char		 text[512];
	uint8_t		 ok;

	(void)ipc;
	ok = ibuf_get_u8(&im->data);
	ibuf_get_str(&im->data, text, sizeof(text));
	if (ibuf_get_end(&im->data) == -1 ||
	    im->job >= sizeof(reloads) / sizeof(reloads[0]))
		return -1;
	r = reloads[im->job];
	reloads[im->job].cb = NULL;
	if (r.cb != NULL)
		r.cb(ok, text, r.arg);
	return 0;
}
