/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tls.h>

#include "common/io_private.h"
#include "common/limits.h"

/*
 * The TLS layer of a connection, libtls.  Its rules, as measured: a write that
 * was refused is offered again with the same length, octets inside libtls are
 * not seen by poll, error texts hold only after a failure.
 */

struct io_tls {
	struct tls	*conn;
	size_t		 owed;		/* length of a refused tls_write */
	int64_t		 timeout;	/* the owner's, during the handshake */
	uint8_t		 ready;		/* handshake done */
	uint8_t		 get_waits;	/* tls_read must write first */
	uint8_t		 put_waits;	/* tls_write must read first */
};

static int	 tls_begin(struct io *, struct tls *);
static int	 tls_ready(struct io *);
static int	 tls_start(struct io *);

int
io_tls_accept(struct io *io, struct tls *ctx)
{
	struct tls *conn = NULL;

	if (tls_start(io) == -1)
		return -1;
	if (tls_accept_socket(ctx, &conn, io->fd) == -1) {
		io_set_error(io, tls_error(ctx));
		return -1;
	}
	return tls_begin(io, conn);
}

int
io_tls_connect(struct io *io, struct tls_config *config, const char *name)
{
	struct tls *conn;

	if (tls_start(io) == -1)
		return -1;
	if ((conn = tls_client()) == NULL)
		return -1;
	if (tls_configure(conn, config) == -1 ||
	    tls_connect_socket(conn, io->fd, name) == -1) {
		io_set_error(io, tls_error(conn));
		tls_free(conn);
		return -1;
	}
	return tls_begin(io, conn);
}

int
io_is_tls(const struct io *io)
{
	return io->tls != NULL && io->tls->ready;
}

void
io_tls_info(const struct io *io, char *buf, size_t size)
{
	const char *version, *cipher;

	if (!io_is_tls(io)) {
		(void)strlcpy(buf, "", size);
		return;
	}
	version = tls_conn_version(io->tls->conn);
	cipher = tls_conn_cipher(io->tls->conn);
	(void)snprintf(buf, size, "%s %s", version == NULL ? "TLS" : version,
	    cipher == NULL ? "unknown" : cipher);
}

struct tls *
io_tls(struct io *io)
{
	return io_is_tls(io) ? io->tls->conn : NULL;
}

/*
 * The plain part of the connection must be over.  What has been read already
 * came before TLS, and whoever sent it wants it to be taken for what comes
 * after (RFC 3207 6); what we have queued must be out.
 */
static int
tls_start(struct io *io)
{
	if (io->flags & (IOF_FAILED | IOF_CONNECTING | IOF_FREED) ||
	    io->tls != NULL)
		return -1;
	if (io_pending(io) > 0) {
		io_set_error(io, "plain text behind STARTTLS");
		return -1;
	}
	if (io_push(io) == -1) {
		io_set_error(io, "peer does not take our reply");
		return -1;
	}
	return 0;
}

static int
tls_begin(struct io *io, struct tls *conn)
{
	int64_t ms = LIM_TLS_HANDSHAKE_MS;

	if ((io->tls = calloc(1, sizeof(*io->tls))) == NULL) {
		tls_free(conn);
		io_set_error(io, "out of memory");
		return -1;
	}
	io->tls->conn = conn;
	io->tls->timeout = wheel_isset(&io->idle) ?
	    (int64_t)io->idle.ms : -1;
	if (io->tls->timeout != -1 && io->tls->timeout < ms)
		ms = io->tls->timeout;
	/* for the handshake as a whole: octets do not prolong it */
	wheel_set(&io->idle, (uint32_t)ms);
	io->flags |= IOF_SHAKING;
	io_want_read(io);
	io_read_on(io);
	return 0;
}

int
io_tls_step(struct io *io)
{
	const char *text;

	errno = 0;
	switch (tls_handshake(io->tls->conn)) {
	case 0:
		return tls_ready(io);
	case TLS_WANT_POLLIN:
		return 0;
	case TLS_WANT_POLLOUT:
		io_want_write(io);
		return 0;
	default:
		text = tls_error(io->tls->conn);
		io_set_error(io, text == NULL ? "TLS handshake failed" : text);
		return io_fail(io);
	}
}

static int
tls_ready(struct io *io)
{
	io->tls->ready = 1;
	io->flags &= ~IOF_SHAKING;
	io_timeout(io, io->tls->timeout);
	if (io_tell(io, IO_TLSREADY) == -1)
		return -1;
	/* the first record may have come with the handshake */
	io_read_on(io);
	return 0;
}

ssize_t
io_tls_get(struct io *io, uint8_t *p, size_t n)
{
	const char *text;
	ssize_t r;

	io->tls->get_waits = 0;
	r = tls_read(io->tls->conn, p, n);
	switch (r) {
	case TLS_WANT_POLLIN:
		return IO_AGAIN;
	case TLS_WANT_POLLOUT:
		io->tls->get_waits = 1;
		io_want_write(io);
		return IO_AGAIN;
	case -1:
		text = tls_error(io->tls->conn);
		io_set_error(io, text == NULL ? "TLS read failed" : text);
		return IO_BROKEN;
	default:
		return r;
	}
}

ssize_t
io_tls_put(struct io *io, const uint8_t *p, size_t n)
{
	const char *text;
	ssize_t r;

	io->tls->put_waits = 0;
	r = tls_write(io->tls->conn, p, n);
	if (r > 0) {
		io->tls->owed = 0;
		return r;
	}
	switch (r) {
	case TLS_WANT_POLLIN:
		io->tls->owed = n;
		io->tls->put_waits = 1;
		io_want_read(io);
		return IO_AGAIN;
	case TLS_WANT_POLLOUT:
		io->tls->owed = n;
		io_want_write(io);
		return IO_AGAIN;
	default:
		text = tls_error(io->tls->conn);
		io_set_error(io, text == NULL ? "TLS write failed" : text);
		return IO_BROKEN;
	}
}

size_t
io_tls_owed(const struct io *io)
{
	return io->tls->owed;
}

void
io_tls_timeout(struct io *io, int64_t ms)
{
	io->tls->timeout = ms;
}

int
io_tls_get_waits(const struct io *io)
{
	return io->tls != NULL && io->tls->get_waits;
}

int
io_tls_put_waits(const struct io *io)
{
	return io->tls != NULL && io->tls->put_waits;
}

/*
 * Before the socket is closed.  A close_notify goes out if the socket takes
 * it now and no write is half done (libtls would fail then).
 */
void
io_tls_end(struct io *io)
{
	if (io->tls == NULL)
		return;
	if (io->tls->ready && io->tls->owed == 0 && !(io->flags & IOF_FAILED))
		(void)tls_close(io->tls->conn);
	tls_free(io->tls->conn);
	free(io->tls);
	io->tls = NULL;
}
