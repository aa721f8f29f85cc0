/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_IO_H
#define COMMON_IO_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "common/loop.h"

/*
 * Buffered lines and bytes over a connected stream socket, plain or TLS
 * (libtls).  An idle plain connection holds no buffers: they are taken from
 * a pool when something comes and given back when it is used up, so that an
 * idle client costs less than 4 KiB.
 */
struct io;
struct tls;

enum io_event {
	IO_CONNECTED,	/* io_connect is through */
	IO_TLSREADY,	/* handshake done */
	IO_DATA,	/* something to read: io_line / io_peek; what is left
			   there comes up again with the next octets */
	IO_LOWAT,	/* all that was queued is written */
	IO_TIMEOUT,	/* nothing moved for io_timeout ms; it starts again */
	IO_EOF,		/* the peer has closed its side */
	IO_ERROR	/* io_error tells; only io_free is left */
};

/* Called from the loop only, never from inside a call to io_*. */
typedef void io_cb(struct io *, enum io_event, void *);

/* On a connected, non-blocking socket, which is taken (closed on failure).
   NULL: no memory. */
struct io	*io_new(int fd, io_cb *, void *arg);
/*
 * Connect to ss from source (family 0: any); IO_CONNECTED or IO_ERROR comes.
 * NULL with errno when no socket can be had.
 */
struct sockaddr;
struct io	*io_connect(const struct sockaddr *ss, socklen_t len,
		    const struct sockaddr *source, socklen_t sourcelen,
		    io_cb *, void *arg);
/* Closes the socket.  Allowed inside the callback. */
void		 io_free(struct io *);
int		 io_fd(const struct io *);
/* -1: never. Restarted by every octet in or out. */
void		 io_timeout(struct io *, int64_t ms);

/*
 * Stop and go on reading from the socket (back-pressure).  While paused the
 * end of the connection is not noticed either.  Without a pause reading stops
 * by itself when 32 KiB wait that nobody consumes.  io_resume brings IO_DATA
 * for what is still there.
 */
void		 io_pause(struct io *);
void		 io_resume(struct io *);

/*
 * The next line without its line end, terminated by NUL in place, valid until
 * the next io call or the end of the turn; *len may show NULs inside.  0: none
 * yet; 1: a line; -1: longer than max (the line is being thrown away up to its
 * end; reported once, when its end has come).  *bare is set when the line
 * ended in a lone LF or contained a lone CR.
 */
int		 io_line(struct io *, size_t max, char **line, size_t *len,
		    int *bare);
/* All octets that are there, not consumed. */
const uint8_t	*io_peek(struct io *, size_t *len);
void		 io_consume(struct io *, size_t);
/* Octets read and not consumed. */
size_t		 io_pending(const struct io *);

/* Queue octets; sent at the end of the turn.  -1: no memory. */
int		 io_write(struct io *, const void *, size_t);
int		 io_printf(struct io *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
/*
 * Queue len octets of a file from off, after what is queued already; read
 * with pread in pieces (or sendfile when plain).  fd stays the caller's and
 * must live until IO_LOWAT.  dot: apply dot-stuffing (RFC 5321 4.5.2), as the
 * octets follow a CRLF; hash: also feed these octets (before stuffing) to it.
 */
struct hash;
int		 io_file(struct io *, int fd, uint64_t off, uint64_t len,
		    int dot, struct hash *);
size_t		 io_queued(const struct io *);	/* octets not yet written */

/*
 * Server side: start TLS on this connection now.  ctx is a configured server
 * (pki_server).  What is queued goes out in plain text first, without
 * IO_LOWAT.  -1: octets were waiting already, which a client injected before
 * TLS (RFC 3207 6), or the queue could not go out at once, or no memory: give
 * up the connection.  The handshake may take LIM_TLS_HANDSHAKE_MS or the
 * io_timeout, whichever is less, then IO_ERROR comes.
 */
int		 io_tls_accept(struct io *, struct tls *ctx);
/* Client side; name goes into SNI.  The certificate is not verified here. */
struct tls_config;
int		 io_tls_connect(struct io *, struct tls_config *,
		    const char *name);
int		 io_is_tls(const struct io *);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384" into buf, "" when plain. */
void		 io_tls_info(const struct io *, char *buf, size_t);
/* The libtls connection, for looking at certificates; NULL when plain. */
struct tls	*io_tls(struct io *);
/* Text of the last error, for logs. */
const char	*io_error(const struct io *);

#endif
