/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io_private.h"
#include "common/message.h"

/*
 * The queue of what is to be written: blocks of octets, and files that are
 * read when it is their turn.  Everything that one turn queues leaves in one
 * system call, as far as the socket takes it.
 */

#define GATHER		65536	/* octets of one call */
#define GATHER_IOV	16
#define WRITE_TURN	262144	/* octets of one connection, then others */
#define RECORD		16384	/* RFC 8446 5.1 */
/* Octets of a file that fit into a block even if each line is a dot. */
#define PIECE		((BLOCK_BIG - sizeof(struct block)) / 4 * 3 - 4)

struct stream {
	int			 fd;
	uint64_t		 off, left;
	struct hash		*hash;
	int			 dot;
	struct stuff_state	 stuff;
};

static int		 out_gather(struct io *, size_t, struct iovec *,
			    size_t *);
static ssize_t		 out_put(struct io *, size_t *);
static ssize_t		 out_put_tls(struct io *);
static void		 out_done(struct io *, size_t);
static void		 out_free(struct io *, struct block *);
static struct block	*out_fill(struct io *, struct block *);

int
io_write(struct io *io, const void *data, size_t n)
{
	const uint8_t *p = data;
	struct block *b;
	size_t take;

	if (io->flags & (IOF_FAILED | IOF_FREED))
		return -1;
	while (n > 0) {
		b = TAILQ_LAST(&io->out, blocks);
		if (b == NULL || b->stream != NULL ||
		    b->size == b->off + b->len) {
			if ((b = block_get(n)) == NULL) {
				/* half of it is queued: the end */
				io_fail_later(io, "out of memory");
				return -1;
			}
			TAILQ_INSERT_TAIL(&io->out, b, entry);
		}
		take = b->size - b->off - b->len;
		if (take > n)
			take = n;
		memcpy(b->data + b->off + b->len, p, take);
		b->len += (uint32_t)take;
		io->queued += take;
		p += take;
		n -= take;
	}
	loop_defer(&io->task);
	return 0;
}

int
io_printf(struct io *io, const char *fmt, ...)
{
	char buf[1024], *text;
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -1;
	if ((size_t)n < sizeof(buf))
		return io_write(io, buf, (size_t)n);
	if ((text = malloc((size_t)n + 1)) == NULL)
		return -1;
	va_start(ap, fmt);
	n = vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	r = n < 0 ? -1 : io_write(io, text, (size_t)n);
	free(text);
	return r;
}

int
io_file(struct io *io, int fd, uint64_t off, uint64_t len, int dot,
    struct hash *hash)
{
	struct block *b;

	if (io->flags & (IOF_FAILED | IOF_FREED))
		return -1;
	if (len == 0)
		return 0;
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return -1;
	if ((b->stream = calloc(1, sizeof(*b->stream))) == NULL) {
		free(b);
		return -1;
	}
	b->stream->fd = fd;
	b->stream->off = off;
	b->stream->left = len;
	b->stream->dot = dot;
	b->stream->hash = hash;
	TAILQ_INSERT_TAIL(&io->out, b, entry);
	io->queued += len;
	loop_defer(&io->task);
	return 0;
}

size_t
io_queued(const struct io *io)
{
	return io->queued;
}

int
io_flush(struct io *io)
{
	size_t offered, done = 0;
	ssize_t n;

	if (TAILQ_EMPTY(&io->out))
		return 0;
	do {
		if (io->tls != NULL) {
			n = out_put_tls(io);
			offered = 0;
		} else
			n = out_put(io, &offered);
		if (n == IO_BROKEN)
			return io_fail(io);
		if (n == IO_AGAIN)
			return 0;
		out_done(io, (size_t)n);
		wheel_touch(&io->idle);
		done += (size_t)n;
	} while (!TAILQ_EMPTY(&io->out) && done < WRITE_TURN &&
	    (size_t)n >= offered);
	if (!TAILQ_EMPTY(&io->out)) {
		io_want_write(io);
		return 0;
	}
	return io_tell(io, IO_LOWAT);
}

int
io_push(struct io *io)
{
	size_t offered;
	ssize_t n;

	while (!TAILQ_EMPTY(&io->out)) {
		if ((n = out_put(io, &offered)) < 0)
			return -1;
		out_done(io, (size_t)n);
	}
	return 0;
}

void
io_drop_queue(struct io *io)
{
	struct block *b;

	while ((b = TAILQ_FIRST(&io->out)) != NULL)
		out_free(io, b);
	io->queued = 0;
}

static ssize_t
out_put(struct io *io, size_t *offered)
{
	struct iovec iov[GATHER_IOV];
	ssize_t n;
	int niov;

	if ((niov = out_gather(io, GATHER, iov, offered)) == -1)
		return IO_BROKEN;
	if ((n = writev(io->fd, iov, niov)) != -1)
		return n;
	if (errno == EAGAIN || errno == EINTR) {
		io_want_write(io);
		return IO_AGAIN;
	}
	io_set_error(io, strerror(errno));
	return IO_BROKEN;
}

/*
 * One record.  What libtls has refused once must be offered again with the
 * same octets, though not at the same place: they still head the queue.
 */
static ssize_t
out_put_tls(struct io *io)
{
	static uint8_t record[RECORD];
	struct iovec iov[GATHER_IOV];
	size_t n, owed, take;
	int i, niov;

	owed = io_tls_owed(io);
	niov = out_gather(io, owed > 0 ? owed : RECORD, iov, &n);
	if (niov <= 0)
		return IO_BROKEN;
	if (n > RECORD)
		n = RECORD;
	if (owed > 0)
		n = owed;
	if (iov[0].iov_len >= n)
		return io_tls_put(io, iov[0].iov_base, n);
	for (i = 0, take = 0; i < niov && take < n; i++) {
		if (iov[i].iov_len > n - take)
			iov[i].iov_len = n - take;
		memcpy(record + take, iov[i].iov_base, iov[i].iov_len);
		take += iov[i].iov_len;
	}
	return io_tls_put(io, record, n);
}

/*
 * The head of the queue, `want' octets or a little more, files read as far as
 * that needs.  Returns the number of pieces, -1 with the error set.
 */
static int
out_gather(struct io *io, size_t want, struct iovec *iov, size_t *total)
{
	struct block *b;
	int n = 0;

	*total = 0;
	for (b = TAILQ_FIRST(&io->out); b != NULL && n < GATHER_IOV &&
	    *total < want; b = TAILQ_NEXT(b, entry)) {
		if (b->stream != NULL && (b = out_fill(io, b)) == NULL)
			return -1;
		iov[n].iov_base = b->data + b->off;
		iov[n].iov_len = b->len;
		*total += b->len;
		n++;
	}
	return n;
}

/* The next piece of a file, as a block in front of what is left of it. */
static struct block *
out_fill(struct io *io, struct block *file)
{
	static uint8_t raw[PIECE];
	struct stream *st = file->stream;
	struct block *b;
	uint8_t *p;
	size_t want;
	ssize_t n;

	want = st->left > PIECE ? PIECE : (size_t)st->left;
	if ((b = block_get(st->dot ? STUFF_ROOM(want) : want)) == NULL) {
		io_set_error(io, "out of memory");
		return NULL;
	}
	p = st->dot ? raw : b->data;
	if ((n = pread(st->fd, p, want, (off_t)st->off)) <= 0) {
		io_set_error(io, n == 0 ? "file is shorter than promised" :
		    strerror(errno));
		block_put(b);
		return NULL;
	}
	if (st->hash != NULL)
		hash_add(st->hash, p, (size_t)n);
	b->len = (uint32_t)(st->dot ?
	    line_stuff(&st->stuff, raw, (size_t)n, b->data) : (size_t)n);
	io->queued += b->len - (size_t)n;
	st->off += (uint64_t)n;
	st->left -= (uint64_t)n;
	TAILQ_INSERT_BEFORE(file, b, entry);
	if (st->left == 0)
		out_free(io, file);
	return b;
}

static void
out_done(struct io *io, size_t n)
{
	struct block *b;

	io->queued -= n;
	while (n > 0 && (b = TAILQ_FIRST(&io->out)) != NULL) {
		if (n < b->len) {
			b->off += (uint32_t)n;
			b->len -= (uint32_t)n;
			return;
		}
		n -= b->len;
		out_free(io, b);
	}
}

static void
out_free(struct io *io, struct block *b)
{
	TAILQ_REMOVE(&io->out, b, entry);
	if (b->stream == NULL)
		block_put(b);
	else {
		free(b->stream);
		free(b);
	}
}
