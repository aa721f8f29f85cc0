/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_IMSG_H
#define COMMON_IMSG_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

/*
 * Frames over UNIX stream sockets.  A frame is a header of 16 octets (type,
 * payload length with the flag "has a descriptor", job, pid; host order, as
 * both ends are on one machine) and a payload that is written and read field
 * by field, never as a struct.
 *
 * Readers and writers are sticky: after the first failure all later calls do
 * nothing, and the failure shows once, in ibuf_get_end() or when the frame is
 * sent.  So a handler reads all its fields and checks once.
 */

struct ibuf {
	uint8_t	*p;
	size_t	 len;		/* octets held */
	size_t	 size;		/* octets allocated; 0: borrowed, read only */
	size_t	 rpos;
	int	 bad;
};

/* Writing.  The buffer grows up to LIM_FRAME; past that it is bad. */
void	 ibuf_init(struct ibuf *);
void	 ibuf_free(struct ibuf *);
void	 ibuf_reset(struct ibuf *);	/* empty again, memory kept */
void	 ibuf_add_u8(struct ibuf *, uint8_t);
void	 ibuf_add_u16(struct ibuf *, uint16_t);
void	 ibuf_add_u32(struct ibuf *, uint32_t);
void	 ibuf_add_i32(struct ibuf *, int32_t);
void	 ibuf_add_u64(struct ibuf *, uint64_t);
/* Exactly len octets, without a length. */
void	 ibuf_add_raw(struct ibuf *, const void *, size_t);
/* Length and octets; NULL is written as the empty string. */
void	 ibuf_add_str(struct ibuf *, const char *);
void	 ibuf_add_blob(struct ibuf *, const void *, size_t);

/* Reading from borrowed memory. */
void	 ibuf_from(struct ibuf *, const void *, size_t);
uint8_t	 ibuf_get_u8(struct ibuf *);
uint16_t ibuf_get_u16(struct ibuf *);
uint32_t ibuf_get_u32(struct ibuf *);
int32_t	 ibuf_get_i32(struct ibuf *);
uint64_t ibuf_get_u64(struct ibuf *);
void	 ibuf_get_raw(struct ibuf *, void *, size_t);
/* Into dst, always terminated; too long or with a NUL inside is bad. */
void	 ibuf_get_str(struct ibuf *, char *dst, size_t dstsize);
/* A copy that the caller frees, at most max octets; NULL when bad. */
char	*ibuf_get_strdup(struct ibuf *, size_t max);
/* Borrowed octets of a blob; NULL and *len 0 when bad or empty. */
const uint8_t *ibuf_get_blob(struct ibuf *, size_t *len);
size_t	 ibuf_left(const struct ibuf *);
/* 0 if nothing went wrong and nothing is left over, else -1. */
int	 ibuf_get_end(const struct ibuf *);

struct imsg {
	uint32_t	 type;
	uint32_t	 job;		/* the asker's number, in both ways */
	pid_t		 pid;
	struct ibuf	 data;		/* borrowed until the next read */
	int		 fd;		/* -1: none (or lost, then fdlost) */
	int		 fdlost;	/* one was cut off on the way */
};

struct imsg_out;
struct imsgbuf {
	int			 fd;
	uint8_t			*rbuf;
	size_t			 rlen, roff, rsize;
	int			 fds[LIM_FDS_QUEUED];	/* as they arrived */
	size_t			 nfds;
	TAILQ_HEAD(, imsg_out)	 out;
	size_t			 nout;
};

/* Takes the descriptor (non-blocking). */
void	 imsgbuf_init(struct imsgbuf *, int fd);
/* Closes everything it holds. */
void	 imsgbuf_clear(struct imsgbuf *);
/*
 * Read what is there.  1: something came; 0: end of file; -1: error (errno;
 * EAGAIN: nothing now; EMFILE: no descriptor is free to receive one, look
 * again later).
 */
int	 imsgbuf_read(struct imsgbuf *);
/*
 * The next whole frame.  1: *im is filled, the caller owns im->fd; 0: none;
 * -1: the stream is broken (length out of range).
 */
int	 imsgbuf_get(struct imsgbuf *, struct imsg *);
/*
 * Queue one frame; fd (or -1) is taken, also on failure.  data may be NULL.
 * -1: data is bad, or LIM_FRAMES_QUEUED frames wait already.
 */
int	 imsgbuf_add(struct imsgbuf *, uint32_t type, uint32_t job, int fd,
	    const struct ibuf *data);
/* Send what the socket takes.  0: all sent; 1: some is left; -1: error. */
int	 imsgbuf_flush(struct imsgbuf *);

/*
 * A spare descriptor, given up while receiving, so that a process at its
 * limit notices instead of losing what was sent: descriptors for which there
 * is no room are cut off without a word.
 */
void	 imsg_reserve_init(void);

#endif
