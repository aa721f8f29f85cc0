/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwctl/gwctl.h"

/*
 * One question to a daemon's control socket, and its answer: any number of
 * CTL_TEXT frames and one CTL_END.
 */

#define SILENCE_S	10

static const char	 stranger[] = "only root and the operators of "
			    "pfoertner.conf(5) are answered";

static int	 control_connect(struct talk *);
static int	 control_answer(struct talk *, struct imsgbuf *);
static int	 control_frame(struct talk *, struct imsg *, int *status);
static int	 control_wait(struct talk *, struct imsgbuf *, int writing);
static int	 fail(struct talk *, const char *);

void
talk_init(struct talk *t, enum daemon_id daemon, uint32_t verb)
{
	memset(t, 0, sizeof(*t));
	t->daemon = daemon;
	t->verb = verb;
	t->fd = -1;
	t->seconds = SILENCE_S;
}

int
talk(struct talk *t)
{
	struct imsgbuf	 ibuf;
	int		 s, status;

	t->error[0] = '\0';
	if ((s = control_connect(t)) == -1) {
		if (t->fd != -1)
			close(t->fd);
		t->fd = -1;
		return -1;
	}
	imsgbuf_init(&ibuf, s);
	if (imsgbuf_add(&ibuf, t->verb, 0, t->fd, t->data) == -1)
		status = fail(t, "the question is too long");
	else
		status = control_answer(t, &ibuf);
	t->fd = -1;
	imsgbuf_clear(&ibuf);
	return status;
}

static int
control_connect(struct talk *t)
{
	struct sockaddr_un	 sun;
	int			 s, n;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.ctl",
	    gwctl_config()->dir_runtime, daemon_name(t->daemon));
	if (n < 0 || (size_t)n >= sizeof(sun.sun_path))
		return fail(t, "the name of its socket is too long");
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s == -1)
		return fail(t, strerror(errno));
	if (connect(s, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return s;
	if (errno == ENOENT || errno == ECONNREFUSED)
		(void)fail(t, "it is not running");
	else if (errno == EAGAIN)
		(void)fail(t, "it does not answer");
	else if (errno == EACCES)
		(void)fail(t, stranger);
	else
		(void)fail(t, strerror(errno));
	close(s);
	return -1;
}

static int
control_answer(struct talk *t, struct imsgbuf *ibuf)
{
	struct imsg	 im;
	int		 n, left, status, done;

	for (;;) {
		if ((left = imsgbuf_flush(ibuf)) == -1 && errno != EPIPE &&
		    errno != ECONNRESET)
			return fail(t, strerror(errno));
		while ((n = imsgbuf_get(ibuf, &im)) == 1) {
			done = control_frame(t, &im, &status);
			if (im.fd != -1)
				close(im.fd);
			if (done)
				return status;
		}
		if (n == -1)
			return fail(t, "its answer is broken");
		if (control_wait(t, ibuf, left == 1) == -1)
			return -1;
		/* It hangs up on others, with what they said unread. */
		if ((n = imsgbuf_read(ibuf)) == 0 ||
		    (n == -1 && errno == ECONNRESET))
			return fail(t, geteuid() == 0 ? "it closed the "
			    "connection" : stranger);
		if (n == -1 && errno != EAGAIN)
			return fail(t, strerror(errno));
	}
}

/* 1 when that was the last. */
static int
control_frame(struct talk *t, struct imsg *im, int *status)
{
	char	*text;
	int	 bad = 0;

	if (im->type == VERB_CTL_TEXT) {
		text = ibuf_get_strdup(&im->data, LIM_FRAME);
		bad = text == NULL || ibuf_get_end(&im->data) == -1;
		if (!bad && t->text != NULL)
			t->text(text, t->arg);
		free(text);
		if (!bad)
			return 0;
	} else if (im->type == VERB_CTL_END) {
		*status = ibuf_get_u8(&im->data);
		ibuf_get_str(&im->data, t->error, sizeof(t->error));
		bad = ibuf_get_end(&im->data) == -1;
		if (!bad)
			return 1;
	}
	*status = fail(t, "its answer is broken");
	return 1;
}

static int
control_wait(struct talk *t, struct imsgbuf *ibuf, int writing)
{
	struct pollfd	 pfd;
	int		 n;

	pfd.fd = ibuf->fd;
	pfd.events = (short)(writing ? POLLIN | POLLOUT : POLLIN);
	do
		n = poll(&pfd, 1, t->seconds * 1000);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return fail(t, strerror(errno));
	if (n == 0)
		return fail(t, "it does not answer");
	return 0;
}

static int
fail(struct talk *t, const char *why)
{
	(void)strlcpy(t->error, why, sizeof(t->error));
	return -1;
}
