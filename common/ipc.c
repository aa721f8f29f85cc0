/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/log.h"
#include "common/protocol.h"

/*
 * Channels: events on the socket, dispatch by table, greeting of other
 * daemons.  Frames leave at the end of the turn, together.
 */

#define READS_A_TURN	256	/* then others get their turn */
#define PAUSE_MS	100	/* no descriptor free: look again */

static const char *const	 peer_names[PEER_MAX] = {
	[PEER_PARENT] = "parent",
	[PEER_SMTP] = "smtp",
	[PEER_BROKER] = "broker",
	[PEER_SCANNER] = "scanner",
	[PEER_ANTIVIRUS] = "antivirus",
	[PEER_RESOLVER] = "resolver",
	[PEER_STORE] = "store",
	[PEER_QUEUE] = "queue",
	[PEER_SPOOL] = "spool",
	[PEER_DELIVER] = "deliver",
	[PEER_DKIM] = "dkim",
	[PEER_KEYS] = "keys",
	[PEER_STS] = "sts",
	[PEER_CONTROL] = "control",
};

static struct ipc	*channel_new(int, enum peer, uint32_t,
			    const struct ipc_verb *, size_t,
			    void (*)(struct ipc *), void *);
static void		 channel_read(int, short, void *);
static void		 channel_write(int, short, void *);
static void		 channel_flush(void *);
static void		 channel_resume(void *);
static void		 channel_destroy(struct ipc *);
static int		 channel_take(struct ipc *);
static int		 dispatch(struct ipc *, struct imsg *);
static int		 greet(struct ipc *, struct imsg *);

const char *
peer_name(enum peer p)
{
	return p < PEER_MAX ? peer_names[p] : "unknown";
}

static struct ipc *
channel_new(int fd, enum peer kind, uint32_t instance,
    const struct ipc_verb *verbs, size_t nverbs, void (*gone)(struct ipc *),
    void *arg)
{
	struct ipc	*ipc;

	if ((ipc = calloc(1, sizeof(*ipc))) == NULL) {
		close(fd);
		return NULL;
	}
	imsgbuf_init(&ipc->ibuf, fd);
	ipc->kind = kind;
	ipc->instance = instance;
	ipc->verbs = verbs;
	ipc->nverbs = nverbs;
	ipc->gone = gone;
	ipc->arg = arg;
	ipc->flush.fn = channel_flush;
	ipc->flush.arg = ipc;
	timer_init(&ipc->pause, channel_resume, ipc);
	(void)snprintf(ipc->name, sizeof(ipc->name), "%s[%u]",
	    peer_name(kind), instance);
	ipc->rev = event_new(loop_base(), fd, EV_READ | EV_PERSIST,
	    channel_read, ipc);
	ipc->wev = event_new(loop_base(), fd, EV_WRITE, channel_write, ipc);
	if (ipc->rev == NULL || ipc->wev == NULL ||
	    event_add(ipc->rev, NULL) == -1) {
		ipc->gone = NULL;
		channel_destroy(ipc);
		return NULL;
	}
	return ipc;
}

struct ipc *
ipc_new(int fd, enum peer kind, uint32_t instance,
    const struct ipc_verb *verbs, size_t nverbs, void (*gone)(struct ipc *),
    void *arg)
{
	return channel_new(fd, kind, instance, verbs, nverbs, gone, arg);
}

struct ipc *
ipc_new_foreign(int fd, enum peer kind, const struct ipc_verb *verbs,
    size_t nverbs, uint32_t generation, uint32_t credits,
    void (*up)(struct ipc *), void (*gone)(struct ipc *), void *arg)
{
	static uint32_t	 number;
	struct ipc	*ipc;
	struct ibuf	 b;

	ipc = channel_new(fd, kind, number++, verbs, nverbs, gone, arg);
	if (ipc == NULL)
		return NULL;
	ipc->foreign = 1;
	ipc->up = up;
	ibuf_init(&b);
	ibuf_add_u32(&b, PROTOCOL_VERSION);
	ibuf_add_u32(&b, generation);
	ibuf_add_u32(&b, credits);
	(void)ipc_send(ipc, VERB_HELLO, 0, -1, &b);
	ibuf_free(&b);
	return ipc;
}

void
ipc_close(struct ipc *ipc)
{
	if (ipc == NULL || ipc->closing)
		return;
	ipc->closing = 1;
	if (!ipc->busy)
		channel_destroy(ipc);
}

static void
channel_destroy(struct ipc *ipc)
{
	ipc->closing = 1;
	if (ipc->gone != NULL)
		ipc->gone(ipc);
	loop_undefer(&ipc->flush);
	timer_free(&ipc->pause);
	/* Before the descriptor is closed: facts on libevent. */
	if (ipc->rev != NULL)
		event_free(ipc->rev);
	if (ipc->wev != NULL)
		event_free(ipc->wev);
	imsgbuf_clear(&ipc->ibuf);
	free(ipc);
}

int
ipc_send(struct ipc *ipc, uint32_t type, uint32_t job, int fd,
    const struct ibuf *data)
{
	if (ipc->closing) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (imsgbuf_add(&ipc->ibuf, type, job, fd, data) == -1) {
		log_warnx("%s: frame %u not sent: too many are waiting",
		    ipc->name, type);
		return -1;
	}
	loop_defer(&ipc->flush);
	return 0;
}

static void
channel_flush(void *arg)
{
	struct ipc	*ipc = arg;

	switch (imsgbuf_flush(&ipc->ibuf)) {
	case 0:
		break;
	case 1:
		(void)event_add(ipc->wev, NULL);
		break;
	default:
		if (errno != EPIPE && errno != ECONNRESET)
			log_warn("%s: send", ipc->name);
		ipc_close(ipc);
		break;
	}
}

static void
channel_write(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	channel_flush(arg);
}

/* There may be a free descriptor now. */
static void
channel_resume(void *arg)
{
	struct ipc	*ipc = arg;

	(void)event_add(ipc->rev, NULL);
}

static void
channel_read(int fd, short what, void *arg)
{
	struct ipc	*ipc = arg;
	int		 i, n;

	(void)fd;
	(void)what;
	ipc->busy = 1;
	/* A channel may be adopted with frames that were read before. */
	if (channel_take(ipc) == -1)
		ipc->closing = 1;
	for (i = 0; i < READS_A_TURN && !ipc->closing; i++) {
		if ((n = imsgbuf_read(&ipc->ibuf)) == 1) {
			if (channel_take(ipc) == -1)
				ipc->closing = 1;
			continue;
		}
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1 && errno == EMFILE) {
			/* What is there would wake us again at once. */
			(void)event_del(ipc->rev);
			timer_set(&ipc->pause, PAUSE_MS);
			break;
		}
		if (n == -1 && errno != ECONNRESET)
			log_warn("%s: receive", ipc->name);
		ipc->closing = 1;
	}
	ipc->busy = 0;
	if (ipc->closing)
		channel_destroy(ipc);
}

/* All whole frames that are there. */
static int
channel_take(struct ipc *ipc)
{
	struct imsg	 im;
	int		 n;

	while (!ipc->closing && (n = imsgbuf_get(&ipc->ibuf, &im)) != 0) {
		if (n == -1) {
			log_warnx("%s: broken frame, channel closed",
			    ipc->name);
			return -1;
		}
		n = dispatch(ipc, &im);
		if (im.fd != -1)
			close(im.fd);
		if (n == -1) {
			log_warnx("%s: frame %u does not decode, channel "
			    "closed", ipc->name, im.type);
			return -1;
		}
	}
	return 0;
}

static int
dispatch(struct ipc *ipc, struct imsg *im)
{
	const struct ipc_verb	*v;
	size_t			 i;

	if (ipc->foreign && !ipc->greeted)
		return greet(ipc, im);
	for (i = 0; i < ipc->nverbs; i++) {
		v = &ipc->verbs[i];
		if (v->type != im->type || !(v->from & PEER_BIT(ipc->kind)))
			continue;
		if (im->data.len > v->max)
			return -1;
		if (v->fd == IPC_NOFD && (im->fd != -1 || im->fdlost))
			return -1;
		return v->handler(ipc, im);
	}
	log_warnx("%s: frame %u is not for us, refused", ipc->name, im->type);
	return 0;
}

/* The other daemon's HELLO: it must speak our version. */
static int
greet(struct ipc *ipc, struct imsg *im)
{
	uint32_t	 version;

	if (im->type != VERB_HELLO)
		return -1;
	version = ibuf_get_u32(&im->data);
	ipc->generation = ibuf_get_u32(&im->data);
	ipc->credits = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	if (version != PROTOCOL_VERSION) {
		log_warnx("%s: protocol version %u, ours is %u", ipc->name,
		    version, PROTOCOL_VERSION);
		ipc->closing = 1;
		return 0;
	}
	ipc->greeted = 1;
	if (ipc->up != NULL)
		ipc->up(ipc);
	return 0;
}
