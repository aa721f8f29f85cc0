/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io_private.h"

/*
 * A connection: its events, and reading.  The callback is only ever called
 * from an event or from the deferred task, never from inside a call that the
 * owner made, and it may free the io: whatever tells the owner something
 * looks at the result and lets go.
 */

#define READ_TURN	65536	/* octets of one connection, then others */
#define TLS_RECORD	16384	/* RFC 8446 5.1 */

static struct io	*io_make(int, io_cb *, void *);
static void		 io_readable(int, short, void *);
static void		 io_writable(int, short, void *);
static void		 io_connected(struct io *);
static void		 io_receive(struct io *);
static ssize_t		 io_get(struct io *, uint8_t *, size_t);
static size_t		 in_room(struct io *);
static void		 in_settle(struct io *);
static void		 io_unlist(struct io *);
static void		 io_idle(void *);
static void		 io_task(void *);
static int		 io_owes(struct io *, uint32_t);

struct io *
io_new(int fd, io_cb *cb, void *arg)
{
	struct io *io;

	if ((io = io_make(fd, cb, arg)) == NULL)
		return NULL;
	io_want_read(io);
	return io;
}

struct io *
io_connect(const struct sockaddr *sa, socklen_t len,
    const struct sockaddr *source, socklen_t sourcelen, io_cb *cb, void *arg)
{
	struct io *io;
	int fd, on = 1, saved;

	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		return NULL;
	if (source != NULL && sourcelen > 0 && source->sa_family != 0) {
#ifdef IP_BIND_ADDRESS_NO_PORT
		/* else each of our ports serves one connection at a time */
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		    sizeof(on));
#endif
		if (bind(fd, source, sourcelen) == -1)
			goto fail;
	}
	/* writes are gathered by the turn, waiting would only delay them */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if ((io = io_make(fd, cb, arg)) == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	io->flags |= IOF_CONNECTING;
	if (connect(fd, sa, len) == 0) {
		io->flags |= IOF_TELL_CONN;
		loop_defer(&io->task);
	} else if (errno == EINPROGRESS)
		io_want_write(io);
	else
		io_fail_later(io, strerror(errno));
	return io;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return NULL;
}

static struct io *
io_make(int fd, io_cb *cb, void *arg)
{
	struct io *io;

	if ((io = calloc(1, sizeof(*io))) == NULL) {
		close(fd);
		return NULL;
	}
	io->fd = fd;
	io->cb = cb;
	io->arg = arg;
	TAILQ_INIT(&io->out);
	io->task.fn = io_task;
	io->task.arg = io;
	wheel_init(&io->idle, io_idle, io);
	event_assign(&io->rev, loop_base(), fd, EV_READ | EV_PERSIST,
	    io_readable, io);
	return io;
}

void
io_free(struct io *io)
{
	if (io == NULL || io->flags & IOF_FREED)
		return;
	loop_undefer(&io->task);
	wheel_stop(&io->idle);
	/* close last: libevent would miss that the number is used again */
	event_del(&io->rev);
	if (io->wev != NULL)
		event_free(io->wev);
	io_tls_end(io);
	close(io->fd);
	io_drop_queue(io);
	block_put(io->in);
	io->in = NULL;
	free(io->error);
	io->error = NULL;
	io->flags |= IOF_FREED;
	if (!io->busy)
		free(io);
}

int
io_fd(const struct io *io)
{
	return io->fd;
}

const char *
io_error(const struct io *io)
{
	return io->error == NULL ? "out of memory" : io->error;
}

void
io_timeout(struct io *io, int64_t ms)
{
	if (io->flags & IOF_SHAKING)
		io_tls_timeout(io, ms);
	else if (ms < 0 || io->flags & IOF_FAILED)
		wheel_stop(&io->idle);
	else
		wheel_set(&io->idle, ms > UINT32_MAX ? UINT32_MAX :
		    (uint32_t)ms);
}

/* The event stays until it fires: most pauses end before anything comes. */
void
io_pause(struct io *io)
{
	io->flags |= IOF_PAUSED;
}

void
io_resume(struct io *io)
{
	if (!(io->flags & IOF_PAUSED))
		return;
	io->flags &= ~IOF_PAUSED;
	if (io->flags & (IOF_CONNECTING | IOF_FAILED))
		return;
	if (!(io->flags & IOF_FULL))
		io_want_read(io);
	if (io->in != NULL) {
		io->flags |= IOF_TELL_DATA;
		loop_defer(&io->task);
	}
	if (io->tls != NULL)
		io_read_on(io);
}

int
io_line(struct io *io, size_t max, char **line, size_t *len, int *bare)
{
	enum line_result r;
	uint8_t *p;
	size_t used;

	*bare = 0;
	if (io->in == NULL)
		return 0;
	/* a line must fit into the block with its end, else it never comes */
	if (max > BLOCK_BIG - sizeof(struct block) - 2)
		max = BLOCK_BIG - sizeof(struct block) - 2;
	p = io->in->data + io->in->off;
	r = line_find(&io->line, p, io->in->len, max, len, &used, bare);
	io_consume(io, used);
	if (r == LINE_FOUND) {
		p[*len] = '\0';
		*line = (char *)p;
		return 1;
	}
	return r == LINE_LONG ? -1 : 0;
}

const uint8_t *
io_peek(struct io *io, size_t *len)
{
	*len = io_pending(io);
	return *len == 0 ? NULL : io->in->data + io->in->off;
}

void
io_consume(struct io *io, size_t n)
{
	struct block *b = io->in;

	if (b == NULL || n == 0)
		return;
	if (n > b->len)
		n = b->len;
	b->off += (uint32_t)n;
	b->len -= (uint32_t)n;
	io->line.scanned = 0;
	if (io->flags & IOF_FULL) {
		io->flags &= ~IOF_FULL;
		if (!(io->flags & IOF_PAUSED)) {
			io_want_read(io);
			if (io->tls != NULL)
				io_read_on(io);
		}
	}
	if (!io->busy)
		loop_defer(&io->task);
}

size_t
io_pending(const struct io *io)
{
	return io->in == NULL ? 0 : io->in->len;
}

static void
io_readable(int fd, short what, void *arg)
{
	struct io *io = arg;

	(void)fd;
	(void)what;
	if (io->flags & IOF_SHAKING)
		(void)io_tls_step(io);
	else if (io_tls_put_waits(io) && io_flush(io) == -1)
		return;
	else if (io->flags & (IOF_PAUSED | IOF_FULL | IOF_EOF | IOF_FAILED))
		io_unlist(io);
	else
		io_receive(io);
}

static void
io_writable(int fd, short what, void *arg)
{
	struct io *io = arg;

	(void)fd;
	(void)what;
	if (io->flags & IOF_CONNECTING)
		io_connected(io);
	else if (io->flags & IOF_SHAKING)
		(void)io_tls_step(io);
	else if (io_flush(io) == 0 && io_tls_get_waits(io) &&
	    !(io->flags & (IOF_PAUSED | IOF_FULL | IOF_EOF | IOF_FAILED)))
		io_receive(io);
}

static void
io_connected(struct io *io)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		io_set_error(io, strerror(error));
		(void)io_fail(io);
		return;
	}
	io->flags |= IOF_TELL_CONN;
	loop_defer(&io->task);
}

static void
io_receive(struct io *io)
{
	size_t got = 0, room;
	ssize_t n;

	for (;;) {
		if ((room = in_room(io)) == 0) {
			if (io->in == NULL) {
				(void)io_fail(io);
				return;
			}
			io->flags |= IOF_FULL;
			io_unlist(io);
			break;
		}
		n = io_get(io, io->in->data + io->in->off + io->in->len, room);
		if (n == IO_AGAIN)
			break;
		if (n == IO_BROKEN) {
			(void)io_fail(io);
			return;
		}
		wheel_touch(&io->idle);
		if (n == 0) {
			io->flags |= IOF_EOF;
			io_unlist(io);
			if (io_tell(io, IO_EOF) == -1)
				return;
			break;
		}
		io->in->len += (uint32_t)n;
		got += (size_t)n;
		if (io_tell(io, IO_DATA) == -1)
			return;
		if (io->flags & (IOF_PAUSED | IOF_SHAKING | IOF_FAILED))
			break;
		/* what poll cannot see stays inside libtls: read on */
		if (io->tls == NULL && ((size_t)n < room || got >= READ_TURN))
			break;
		if (got >= READ_TURN) {
			io_read_on(io);
			break;
		}
	}
	in_settle(io);
}

static ssize_t
io_get(struct io *io, uint8_t *p, size_t room)
{
	ssize_t n;

	if (io->tls != NULL)
		return io_tls_get(io, p, room);
	if ((n = read(io->fd, p, room)) != -1)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return IO_AGAIN;
	io_set_error(io, strerror(errno));
	return IO_BROKEN;
}

/*
 * How much may be read now; 0: the block is full, or (in NULL) there is no
 * memory.
 */
static size_t
in_room(struct io *io)
{
	struct block *b = io->in, *big;

	if (b == NULL || b->size < TLS_RECORD) {
		if ((big = block_get(TLS_RECORD)) == NULL) {
			io->in = NULL;
			block_put(b);
			return 0;
		}
		if (b != NULL) {
			memcpy(big->data, b->data + b->off, b->len);
			big->len = b->len;
			block_put(b);
		}
		io->in = big;
		return big->size - big->len;
	}
	if (b->off > 0 && b->size - b->off - b->len < TLS_RECORD) {
		memmove(b->data, b->data + b->off, b->len);
		b->off = 0;
	}
	return b->size - b->off - b->len;
}

/* Give back the block, or all of it that a remainder does not need. */
static void
in_settle(struct io *io)
{
	struct block *b = io->in, *small;

	if (b == NULL)
		return;
	if (b->len == 0)
		small = NULL;
	else if (b->size < TLS_RECORD || b->len > BLOCK_SMALL / 2 ||
	    (small = block_get(b->len)) == NULL)
		return;
	if (small != NULL) {
		memcpy(small->data, b->data + b->off, b->len);
		small->len = b->len;
	}
	block_put(b);
	io->in = small;
}

int
io_tell(struct io *io, enum io_event event)
{
	io->busy = 1;
	io->cb(io, event, io->arg);
	io->busy = 0;
	if (!(io->flags & IOF_FREED))
		return 0;
	free(io);
	return -1;
}

void
io_set_error(struct io *io, const char *text)
{
	free(io->error);
	io->error = text == NULL ? NULL : strdup(text);
}

int
io_fail(struct io *io)
{
	if (io->flags & IOF_FAILED)
		return -1;
	io->flags &= ~(IOF_CONNECTING | IOF_SHAKING);
	io->flags |= IOF_FAILED;
	io_unlist(io);
	if (io->wev != NULL)
		event_del(io->wev);
	wheel_stop(&io->idle);
	io_drop_queue(io);
	(void)io_tell(io, IO_ERROR);
	return -1;
}

void
io_fail_later(struct io *io, const char *text)
{
	io_set_error(io, text);
	io->flags |= IOF_TELL_ERROR;
	loop_defer(&io->task);
}

void
io_want_read(struct io *io)
{
	if (io->flags & (IOF_LISTED | IOF_EOF | IOF_FAILED))
		return;
	if (event_add(&io->rev, NULL) == -1)
		io_fail_later(io, "event_add failed");
	else
		io->flags |= IOF_LISTED;
}

static void
io_unlist(struct io *io)
{
	event_del(&io->rev);
	io->flags &= ~IOF_LISTED;
}

void
io_want_write(struct io *io)
{
	if (io->wev == NULL)
		io->wev = event_new(loop_base(), io->fd, EV_WRITE, io_writable,
		    io);
	if (io->wev == NULL || event_add(io->wev, NULL) == -1)
		io_fail_later(io, "event_add failed");
}

/*
 * By way of the deferred task: an event made active inside an event is
 * handled in the same turn, which would then never end.
 */
void
io_read_on(struct io *io)
{
	io->flags |= IOF_READ_ON;
	loop_defer(&io->task);
}

static void
io_idle(void *arg)
{
	struct io *io = arg;

	if (io->flags & IOF_SHAKING) {
		io_set_error(io, "TLS handshake timed out");
		(void)io_fail(io);
		return;
	}
	wheel_set(&io->idle, io->idle.ms);
	(void)io_tell(io, IO_TIMEOUT);
}

/* The end of the turn: what is owed, then everything that was queued. */
static void
io_task(void *arg)
{
	struct io *io = arg;

	if (io_owes(io, IOF_TELL_ERROR)) {
		(void)io_fail(io);
		return;
	}
	if (io_owes(io, IOF_TELL_CONN)) {
		io->flags &= ~IOF_CONNECTING;
		io_want_read(io);
		wheel_touch(&io->idle);
		if (io_tell(io, IO_CONNECTED) == -1)
			return;
	}
	if (io_owes(io, IOF_TELL_DATA) && io_pending(io) > 0 &&
	    !(io->flags & (IOF_PAUSED | IOF_SHAKING | IOF_FAILED)) &&
	    io_tell(io, IO_DATA) == -1)
		return;
	if (io_owes(io, IOF_READ_ON))
		event_active(&io->rev, EV_READ, 0);
	if (!(io->flags & (IOF_CONNECTING | IOF_SHAKING | IOF_FAILED)) &&
	    !(io->wev != NULL && event_pending(io->wev, EV_WRITE, NULL)) &&
	    io_flush(io) == -1)
		return;
	in_settle(io);
}

static int
io_owes(struct io *io, uint32_t flag)
{
	int owed = (io->flags & flag) != 0;

	io->flags &= ~flag;
	return owed;
}
