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
 * the cage, then its loop.  Its channels and sockets are link.c's.
 */

#define MEMFILES_MS	20	/* look after the stock */

struct reload {
	void	(*cb)(int, const char *, void *);
	void	*arg;
};

static const struct daemon	*daemon_;
static struct config		*config;
static unsigned			 instance;
static uint32_t			 generation;
static struct imsgbuf		 early;		/* channel before the cage */
static struct reload		 reloads[16];
const struct process		*child_process;
struct ipc			*child_parent;
static struct timer		 memfiles;

static const struct process *process_find(const struct daemon *,
		    const char *);
static int	 try_act(const struct proc_options *);
static void	 wait_config(void);
static void	 read_config(struct imsg *);
static void	 enter_cage(void);
static void	 adopt_channel(void);
static void	 parent_gone(struct ipc *);
static void	 memfiles_look(void *);
static int	 on_share(struct ipc *, struct imsg *);
static int	 on_drain(struct ipc *, struct imsg *);
static int	 on_reloaded(struct ipc *, struct imsg *);

static const struct ipc_verb	 verbs[] = {
	{ VERB_LISTEN,	 PEER_BIT(PEER_PARENT), 5,   IPC_FD,   link_listen },
	{ VERB_PEER,	 PEER_BIT(PEER_PARENT), 5,   IPC_FD,   link_peer },
	{ VERB_DAEMON,	 PEER_BIT(PEER_PARENT), 1,   IPC_FD,   link_daemon },
	{ VERB_SHARE,	 PEER_BIT(PEER_PARENT), 5,   IPC_FD,   on_share },
	{ VERB_DRAIN,	 PEER_BIT(PEER_PARENT), 1,   IPC_NOFD, on_drain },
	{ VERB_RELOADED, PEER_BIT(PEER_PARENT), 1024, IPC_NOFD, on_reloaded },
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
	if ((child_process = process_find(d, o->title)) == NULL)
		errx(1, "no process %s in %s", o->title, d->name);
	(void)snprintf(name, sizeof(name), "%s[%u]", child_process->title,
	    instance);
	if (o->act != NULL)
		return try_act(o);
	log_init(d->name, 1);
	log_child(CHILD_FD_LOG, name);
	compat_set_comm(child_process->title);
	setproctitle("%s", name);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* the terminal's go to the parent */
	signal(SIGHUP, SIG_IGN);
	wait_config();
	link_operators();
	loop_init();
	imsg_reserve_init();
	sandbox_prepare();
	id_init(config->node);
	if (child_process->init != NULL &&
	    child_process->init(config, instance) == -1)
		fatalx("%s does not start", name);
	enter_cage();
	imsg_reserve_init();
	adopt_channel();
	if (child_process->start != NULL)
		child_process->start();
	(void)ipc_send(child_parent, VERB_READY, 0, -1, NULL);
	if ((child_process->powers & POWER_MEMFILE) && memfile_supplied()) {
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
	const char	*act;
	char		 root[1024];
	uint32_t	 powers;
	unsigned	 i = 0;

	log_init(daemon_->name, 1);
	while ((act = sandbox_act(i++, &powers)) != NULL)
		if (strcmp(act, o->act) == 0)
			break;
	if (act == NULL) {
		log_warnx("no such act: %s", o->act);
		return TRY_FAILED;
	}
	if ((powers & child_process->powers) != 0)
		return TRY_PERMITTED;
	config = config_parse_file(o->file, o->macros, o->nmacros, stderr);
	if (config == NULL)
		return TRY_FAILED;
	sandbox_prepare();
	child_cage(child_process, instance, config, &cage, root,
	    sizeof(root));
	cage.parent = 0;
	sandbox_enter(&cage);
	return sandbox_try(o->act) == 0 ? TRY_REFUSED : TRY_POSSIBLE;
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

void
child_cage(const struct process *p, unsigned number, const struct config *c,
    struct cage *cage, char *root, size_t size)
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
	case ROOT_CLAMD:
		if (number >= c->clamd.n)
			fatalx("%s: no clamd number %u", p->title, number);
		n = (int)strlcpy(root, c->clamd.v[number], size);
		if (n > 0 && (size_t)n < size && strrchr(root, '/') != root)
			*strrchr(root, '/') = '\0';
		else if ((size_t)n < size)
			root[1] = '\0';
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

	child_cage(child_process, instance, config, &cage, root,
	    sizeof(root));
	sandbox_enter(&cage);
}

/* From the blocking start to the loop, with what was read ahead. */
static void
adopt_channel(void)
{
	child_parent = ipc_new(CHILD_FD_PARENT, PEER_PARENT, 0, verbs,
	    sizeof(verbs) / sizeof(verbs[0]), parent_gone, NULL);
	if (child_parent == NULL)
		fatalx("no channel to the parent");
	child_parent->ibuf = early;
	TAILQ_INIT(&child_parent->ibuf.out);
	/* Frames that are there already make no event. */
	event_active(child_parent->rev, EV_READ, 0);
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
	return child_process->title;
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
	(void)ipc_send(child_parent, VERB_KILL, 0, -1, &b);
	ibuf_free(&b);
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
	} else if (child_process->share != NULL)
		child_process->share(kind, index, im->fd);
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
		(void)ipc_send(child_parent, VERB_MEMFILES, 0, -1, &b);
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
	link_drain();
	if (child_process->drain == NULL)
		child_exit();
	child_process->drain(hurry);
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
		if (ipc_send(child_parent, VERB_RELOAD, i, -1, NULL) == 0)
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
