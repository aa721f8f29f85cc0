/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_IO_PRIVATE_H
#define COMMON_IO_PRIVATE_H

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stddef.h>
#include <stdint.h>

#include "common/io.h"
#include "common/line.h"
#include "common/loop.h"
#include "common/wheel.h"

/*
 * What the files of io share: io.c (life, events, reading), io_out.c (the
 * queue of what is to be written), io_tls.c (the TLS layer), io_pool.c.
 */

/* io_pool.c: blocks of two sizes, kept for the next one who needs one. */
#define BLOCK_SMALL	4096	/* with the header */
#define BLOCK_BIG	32768	/* holds a TLS record, as libtls wants it */

struct stream;

struct block {
	TAILQ_ENTRY(block)	 entry;
	struct stream		*stream;	/* io_out.c: a file, no data */
	uint32_t		 size;		/* of data */
	uint32_t		 off, len;	/* what is used of it */
	uint8_t			 data[];
};
TAILQ_HEAD(blocks, block);

/* One that holds at least n octets, as far as there is one; NULL: no memory. */
struct block	*block_get(size_t n);
void		 block_put(struct block *);

#define IOF_CONNECTING	0x0001
#define IOF_LISTED	0x0002	/* the read event is added */
#define IOF_PAUSED	0x0004	/* by io_pause */
#define IOF_FULL	0x0008	/* nobody consumes: not read any more */
#define IOF_EOF		0x0010
#define IOF_FAILED	0x0020	/* only io_free is left */
#define IOF_FREED	0x0040	/* io_free came inside the callback */
#define IOF_SHAKING	0x0080	/* TLS handshake under way */
/* Owed to the owner or to ourselves, by the deferred task. */
#define IOF_TELL_CONN	0x0100
#define IOF_TELL_ERROR	0x0200
#define IOF_TELL_DATA	0x0400
#define IOF_READ_ON	0x0800

struct io_tls;

struct io {
	struct event		 rev;
	struct event		*wev;		/* when a write must wait */
	io_cb			*cb;
	void			*arg;
	int			 fd;
	uint32_t		 flags;		/* IOF_ */
	struct line_state	 line;
	struct block		*in;		/* NULL: nothing waits */
	struct blocks		 out;
	size_t			 queued;
	struct deferred		 task;
	struct wheel		 idle;
	struct io_tls		*tls;
	char			*error;
	int			 busy;		/* inside the callback */
};

/* What the transports return besides a number of octets. */
#define IO_AGAIN	(-1)	/* the event to wait for is set */
#define IO_BROKEN	(-2)	/* io_set_error() has been called */

/* io.c.  -1 from these: the io has failed or is freed, touch it no more. */
int	 io_tell(struct io *, enum io_event);
int	 io_fail(struct io *);			/* after io_set_error */
void	 io_fail_later(struct io *, const char *);
void	 io_set_error(struct io *, const char *);
void	 io_want_read(struct io *);
void	 io_want_write(struct io *);
void	 io_read_on(struct io *);	/* next turn, whatever poll says */

/* io_out.c: write what goes; -1 as above. */
int	 io_flush(struct io *);
int	 io_push(struct io *);	/* all of it, plain, nobody told; 0 or -1 */
void	 io_drop_queue(struct io *);

/* io_tls.c, the last five for plain connections too. */
int	 io_tls_step(struct io *);	/* of the handshake; -1 as above */
ssize_t	 io_tls_get(struct io *, uint8_t *, size_t);
ssize_t	 io_tls_put(struct io *, const uint8_t *, size_t);
size_t	 io_tls_owed(const struct io *);	/* to be offered again */
void	 io_tls_timeout(struct io *, int64_t);
/* libtls must write before it can read, or the other way round. */
int	 io_tls_get_waits(const struct io *);
int	 io_tls_put_waits(const struct io *);
void	 io_tls_end(struct io *);

#endif
