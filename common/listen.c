/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/proc_int.h"

/*
 * A parent's listening sockets: for mail, for the other daemons, for
 * operators.  The parent opens and keeps them, children accept.
 */

#define BACKLOG		1024

struct listener {
	TAILQ_ENTRY(listener)	 entry;
	enum listen_kind	 kind;
	struct netaddr		 addr;		/* LISTEN_MAIL */
	uint16_t		 port;
	uint32_t		 index;
	char			 path[sizeof(((struct sockaddr_un *)
				    0)->sun_path)];
	int			 fd;
	int			 wanted;	/* by the newest file */
};

static TAILQ_HEAD(, listener)	 listeners = TAILQ_HEAD_INITIALIZER(listeners);

static int	 want_mail(const struct config *, char *, size_t);
static int	 want_unix(const struct config *, enum listen_kind,
		    const char *, char *, size_t);
static int	 bind_mail(struct listener *);
static int	 bind_unix(struct listener *, mode_t);
static int	 unix_address(const char *, struct sockaddr_un *);
static struct listener *listener_new(enum listen_kind);
static void	 listener_close(struct listener *);

static uint32_t
serves(void)
{
	uint32_t	 mask = 0;
	size_t		 i;

	for (i = 0; i < parent.daemon->nprocs; i++)
		mask |= parent.daemon->procs[i].serves;
	return mask;
}

int
listen_open(const struct config *c, char *why, size_t size)
{
	struct listener	*l, *next;
	uint32_t	 mask = serves();

	TAILQ_FOREACH(l, &listeners, entry)
		l->wanted = 0;
	if (((mask & 1U << LISTEN_MAIL) && want_mail(c, why, size) == -1) ||
	    ((mask & 1U << LISTEN_DAEMON) &&
	    want_unix(c, LISTEN_DAEMON, "sock", why, size) == -1) ||
	    ((mask & 1U << LISTEN_CONTROL) &&
	    want_unix(c, LISTEN_CONTROL, "ctl", why, size) == -1)) {
		/* Back to what was: the new ones go, the old ones stay. */
		TAILQ_FOREACH_SAFE(l, &listeners, entry, next) {
			if (l->fd == -1)
				listener_close(l);
			else
				l->wanted = 1;
		}
		return -1;
	}
	return 0;
}

void
listen_close_old(void)
{
	struct listener	*l, *next;

	TAILQ_FOREACH_SAFE(l, &listeners, entry, next)
		if (!l->wanted)
			listener_close(l);
}

void
listen_end(void)
{
	struct listener	*l, *next;

	TAILQ_FOREACH_SAFE(l, &listeners, entry, next) {
		if (l->kind != LISTEN_MAIL)
			(void)unlink(l->path);
		listener_close(l);
	}
}

static struct listener *
listener_new(enum listen_kind kind)
{
	struct listener	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		fatal("listen");
	l->kind = kind;
	l->fd = -1;
	l->wanted = 1;
	TAILQ_INSERT_TAIL(&listeners, l, entry);
	return l;
}

static void
listener_close(struct listener *l)
{
	TAILQ_REMOVE(&listeners, l, entry);
	if (l->fd != -1)
		close(l->fd);
	free(l);
}

static int
want_mail(const struct config *c, char *why, size_t size)
{
	struct config_listen	*cl;
	struct listener		*l;
	char			 text[NETADDR_STRLEN];

	TAILQ_FOREACH(cl, &c->listens, entry) {
		TAILQ_FOREACH(l, &listeners, entry)
			if (l->kind == LISTEN_MAIL && l->port == cl->port &&
			    netaddr_cmp(&l->addr, &cl->addr) == 0)
				break;
		if (l == NULL) {
			l = listener_new(LISTEN_MAIL);
			l->addr = cl->addr;
			l->port = cl->port;
			if (bind_mail(l) == -1) {
				(void)snprintf(why, size, "%s:%u: listen on "
				    "%s port %u: %s", cl->where.file,
				    cl->where.line, netaddr_print(&l->addr,
				    text, sizeof(text)), l->port,
				    strerror(errno));
				return -1;
			}
		}
		l->index = cl->index;
		l->wanted = 1;
	}
	return 0;
}

static int
bind_mail(struct listener *l)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 fd, saved, on = 1;

	len = netaddr_to_sockaddr(&l->addr, l->port, &ss);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		goto fail;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		goto fail;
	if (ss.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == -1)
		goto fail;
	if (bind(fd, (struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, BACKLOG) == -1)
		goto fail;
	l->fd = fd;
	return 0;
fail:
	saved = errno;
	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

static int
want_unix(const struct config *c, enum listen_kind kind, const char *suffix,
    char *why, size_t size)
{
	struct listener	*l;
	char		 path[sizeof(l->path)];
	mode_t		 mode = 0600;
	int		 n;

	/* Operators are told from others by their credentials. */
	if (kind == LISTEN_CONTROL && c->operators.n != 0)
		mode = 0666;
	n = snprintf(path, sizeof(path), "%s/%s.%s", c->dir_runtime,
	    parent.daemon->name, suffix);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		(void)snprintf(why, size, "%s: too long for a socket",
		    c->dir_runtime);
		return -1;
	}
	TAILQ_FOREACH(l, &listeners, entry)
		if (l->kind == kind && strcmp(l->path, path) == 0)
			break;
	if (l == NULL) {
		l = listener_new(kind);
		(void)strlcpy(l->path, path, sizeof(l->path));
	}
	l->wanted = 1;
	if ((l->fd == -1 ? bind_unix(l, mode) : chmod(path, mode)) == 0)
		return 0;
	(void)snprintf(why, size, "%s: %s", l->path, strerror(errno));
	return -1;
}

static int
unix_address(const char *path, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	return strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >=
	    sizeof(sun->sun_path) ? -1 : 0;
}

/* The lock of the runtime directory says that a socket there is stale. */
static int
bind_unix(struct listener *l, mode_t mode)
{
	struct sockaddr_un	 sun;
	mode_t			 old;
	int			 saved, fd = -1;

	if (unix_address(l->path, &sun) == -1 ||
	    (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		goto fail;
	if (unlink(l->path) == -1 && errno != ENOENT)
		goto fail;
	old = umask(0177);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		(void)umask(old);
		goto fail;
	}
	(void)umask(old);
	if (chmod(l->path, mode) == -1 || listen(fd, BACKLOG) == -1)
		goto fail;
	l->fd = fd;
	return 0;
fail:
	saved = errno;
	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

void
listen_pass(struct child *c)
{
	struct listener	*l;
	struct ibuf	 b;
	int		 fd;

	TAILQ_FOREACH(l, &listeners, entry) {
		if (!l->wanted || !(c->process->serves & 1U << l->kind))
			continue;
		if ((fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0)) == -1)
			fatal("listen");
		ibuf_init(&b);
		ibuf_add_u8(&b, (uint8_t)l->kind);
		ibuf_add_u32(&b, l->index);
		(void)ipc_send(c->ipc, VERB_LISTEN, 0, fd, &b);
		ibuf_free(&b);
	}
}

int
listen_connect(enum daemon_id d)
{
	struct sockaddr_un	 sun;
	char			 path[sizeof(sun.sun_path)];
	int			 fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s.sock",
	    parent.config->dir_runtime, daemon_name(d)) >= sizeof(path) ||
	    unix_address(path, &sun) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* A full backlog is EAGAIN: the child will ask again. */
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}
