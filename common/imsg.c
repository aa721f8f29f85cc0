/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/imsg.h"

/*
 * Frames with descriptors.  A frame that carries one begins a sendmsg of its
 * own, so a descriptor that the receiver had no room for (MSG_CTRUNC) is
 * known to be exactly one, and later descriptors still find their frames.
 */

#define HDR_FD		0x80000000U
#define OUT_IOV		64	/* frames of one sendmsg */
#define READ_SIZE	(64 * 1024)
#define FD_LOST		(-2)
#define FD_MARGIN	64	/* descriptors kept free while receiving */

struct imsg_hdr {
	uint32_t	type;
	uint32_t	len;	/* payload; HDR_FD */
	uint32_t	job;
	uint32_t	pid;
};

struct imsg_out {
	TAILQ_ENTRY(imsg_out)	 entry;
	int			 fd;
	size_t			 off, len;
	uint8_t			 data[];
};

static rlim_t	 fd_limit;	/* 0: not asked for */
static int	 fd_careful;

static int	 read_room(struct imsgbuf *);
static int	 fd_room(int);
static void	 take_fds(struct imsgbuf *, struct msghdr *);
static void	 out_done(struct imsgbuf *, size_t);
static void	 out_free(struct imsgbuf *, struct imsg_out *);

void
imsg_reserve_init(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0)
		fd_limit = rl.rlim_cur;
}

void
imsgbuf_init(struct imsgbuf *b, int fd)
{
	memset(b, 0, sizeof(*b));
	b->fd = fd;
	TAILQ_INIT(&b->out);
}

void
imsgbuf_clear(struct imsgbuf *b)
{
	struct imsg_out	*o;
	size_t		 i;

	while ((o = TAILQ_FIRST(&b->out)) != NULL)
		out_free(b, o);
	for (i = 0; i < b->nfds; i++)
		if (b->fds[i] >= 0)
			close(b->fds[i]);
	free(b->rbuf);
	if (b->fd != -1)
		close(b->fd);
	memset(b, 0, sizeof(*b));
	b->fd = -1;
	TAILQ_INIT(&b->out);
}

/* Move what is left to the front and make room for a whole frame. */
static int
read_room(struct imsgbuf *b)
{
	struct imsg_hdr	 hdr;
	size_t		 need = READ_SIZE;
	uint8_t		*p;

	if (b->roff != 0) {
		memmove(b->rbuf, b->rbuf + b->roff, b->rlen - b->roff);
		b->rlen -= b->roff;
		b->roff = 0;
	}
	if (b->rlen >= sizeof(hdr)) {
		memcpy(&hdr, b->rbuf, sizeof(hdr));
		/* A length out of range is imsgbuf_get's to find. */
		if ((hdr.len & ~HDR_FD) <= LIM_FRAME)
			need += hdr.len & ~HDR_FD;
	}
	if (b->rsize < need) {
		if ((p = realloc(b->rbuf, need)) == NULL)
			return -1;
		b->rbuf = p;
		b->rsize = need;
	}
	return 0;
}

/*
 * Descriptors are dealt out lowest first, so the number of a new one tells
 * how full the table is.  Asked only while that was high lately.
 */
static int
fd_room(int any)
{
	int	 fd;

	if (!fd_careful)
		return 1;
	if ((fd = fcntl(any, F_DUPFD_CLOEXEC, 0)) == -1)
		return 0;
	close(fd);
	if (fd_limit == 0)
		return 1;
	if ((rlim_t)fd + FD_MARGIN < fd_limit) {
		fd_careful = 0;
		return 1;
	}
	return (rlim_t)fd + 2 < fd_limit;
}

int
imsgbuf_read(struct imsgbuf *b)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int) * 4)];
	} ctl;
	struct msghdr	 msg;
	struct iovec	 iov;
	ssize_t		 n;

	if (b->nfds + 4 > LIM_FDS_QUEUED || !fd_room(b->fd)) {
		errno = EMFILE;
		return -1;
	}
	if (read_room(b) == -1)
		return -1;
	memset(&msg, 0, sizeof(msg));
	iov.iov_base = b->rbuf + b->rlen;
	iov.iov_len = b->rsize - b->rlen;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = ctl.buf;
	msg.msg_controllen = sizeof(ctl.buf);
	do {
		n = recvmsg(b->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	take_fds(b, &msg);
	if (n == 0)
		return 0;
	b->rlen += (size_t)n;
	return 1;
}

static void
take_fds(struct imsgbuf *b, struct msghdr *msg)
{
	struct cmsghdr	*c;
	size_t		 i, n;
	int		 fd, got = 0;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (fd_limit != 0 &&
			    (rlim_t)fd + 2 * FD_MARGIN >= fd_limit)
				fd_careful = 1;
			/* We send one a message; more is not our peer. */
			if (got++ == 0)
				b->fds[b->nfds++] = fd;
			else
				close(fd);
		}
	}
	if ((msg->msg_flags & MSG_CTRUNC) && got == 0) {
		b->fds[b->nfds++] = FD_LOST;
		fd_careful = 1;
	}
}

int
imsgbuf_get(struct imsgbuf *b, struct imsg *im)
{
	struct imsg_hdr	 hdr;
	size_t		 len;

	if (b->rlen - b->roff < sizeof(hdr))
		return 0;
	memcpy(&hdr, b->rbuf + b->roff, sizeof(hdr));
	len = hdr.len & ~HDR_FD;
	if (len > LIM_FRAME)
		return -1;
	if (b->rlen - b->roff - sizeof(hdr) < len)
		return 0;
	memset(im, 0, sizeof(*im));
	im->type = hdr.type;
	im->job = hdr.job;
	im->pid = (pid_t)hdr.pid;
	im->fd = -1;
	if (hdr.len & HDR_FD) {
		/* It came with the first octet of the frame or before. */
		if (b->nfds == 0)
			return -1;
		if (b->fds[0] == FD_LOST)
			im->fdlost = 1;
		else
			im->fd = b->fds[0];
		b->nfds--;
		memmove(b->fds, b->fds + 1, b->nfds * sizeof(b->fds[0]));
	}
	ibuf_from(&im->data, b->rbuf + b->roff + sizeof(hdr), len);
	b->roff += sizeof(hdr) + len;
	return 1;
}

int
imsgbuf_add(struct imsgbuf *b, uint32_t type, uint32_t job, int fd,
    const struct ibuf *data)
{
	static pid_t	 pid;
	struct imsg_hdr	 hdr;
	struct imsg_out	*o = NULL;
	size_t		 len = data == NULL ? 0 : data->len;

	if (pid == 0)
		pid = getpid();
	if ((data != NULL && data->bad) || b->nout >= LIM_FRAMES_QUEUED ||
	    (o = malloc(sizeof(*o) + sizeof(hdr) + len)) == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	hdr.type = type;
	hdr.len = (uint32_t)len | (fd != -1 ? HDR_FD : 0);
	hdr.job = job;
	hdr.pid = (uint32_t)pid;
	o->fd = fd;
	o->off = 0;
	o->len = sizeof(hdr) + len;
	memcpy(o->data, &hdr, sizeof(hdr));
	if (len != 0)
		memcpy(o->data + sizeof(hdr), data->p, len);
	TAILQ_INSERT_TAIL(&b->out, o, entry);
	b->nout++;
	return 0;
}

int
imsgbuf_flush(struct imsgbuf *b)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct iovec	 iov[OUT_IOV];
	struct msghdr	 msg;
	struct imsg_out	*first, *o;
	ssize_t		 n;

	while ((first = TAILQ_FIRST(&b->out)) != NULL) {
		memset(&msg, 0, sizeof(msg));
		msg.msg_iov = iov;
		for (o = first; o != NULL && msg.msg_iovlen < OUT_IOV;
		    o = TAILQ_NEXT(o, entry)) {
			if (o != first && o->fd != -1)
				break;
			iov[msg.msg_iovlen].iov_base = o->data + o->off;
			iov[msg.msg_iovlen++].iov_len = o->len - o->off;
		}
		if (first->fd != -1) {
			memset(&ctl, 0, sizeof(ctl));
			ctl.hdr.cmsg_level = SOL_SOCKET;
			ctl.hdr.cmsg_type = SCM_RIGHTS;
			ctl.hdr.cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(&ctl.hdr), &first->fd, sizeof(int));
			msg.msg_control = ctl.buf;
			msg.msg_controllen = sizeof(ctl.buf);
		}
		n = sendmsg(b->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1) {
			if (errno == EINTR)
				continue;
			/* Too many descriptors on the way: like a full pipe. */
			if (errno == EAGAIN || errno == ENOBUFS ||
			    errno == ETOOMANYREFS)
				return 1;
			return -1;
		}
		if (first->fd != -1) {
			close(first->fd);
			first->fd = -1;
		}
		out_done(b, (size_t)n);
	}
	return 0;
}

/* n octets have left. */
static void
out_done(struct imsgbuf *b, size_t n)
{
	struct imsg_out	*o;

	while (n != 0 && (o = TAILQ_FIRST(&b->out)) != NULL) {
		if (n < o->len - o->off) {
			o->off += n;
			return;
		}
		n -= o->len - o->off;
		out_free(b, o);
	}
}

static void
out_free(struct imsgbuf *b, struct imsg_out *o)
{
	TAILQ_REMOVE(&b->out, o, entry);
	b->nout--;
	if (o->fd != -1)
		close(o->fd);
	free(o);
}
