/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "scand/scand.h"

/*
 * The antivirus process: one for each clamd socket of the configuration, with
 * the socket's directory as its root.  It passes a message's descriptor on
 * (FILDES) and hands clamd's word back; it never reads the message itself.
 *
 * Each question has a connection of its own: clamd gives each a thread, and a
 * reply that is late or odd then harms nobody else.
 */

#define OPEN_MAX_	32	/* connections to one clamd */
#define WAIT_MAX	1024	/* questions, with a descriptor each */
#define REPLY_MAX	512	/* octets of clamd's reply */
#define VERSION_MS	600000	/* how often its database is asked for */
#define VERSION_DOWN_MS	5000	/* the same while it is away */
#define VERSION_WAIT_MS	10000

struct question {
	TAILQ_ENTRY(question)	 entry;
	struct ipc		*scanner;	/* NULL: the version */
	uint32_t		 job;
	int			 fd;		/* -1 once it was passed on */
	struct io		*io;
};
TAILQ_HEAD(questions, question);

static struct questions	 waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct questions	 asked = TAILQ_HEAD_INITIALIZER(asked);
static unsigned		 nwaiting, nasked;
static char		 path[LIM_PATHNAME];	/* in this root */
static struct timer	 version_timer;
static struct ipc	*broker;
static char		 version[128];		/* "": it is away */

static int	 on_virus(struct ipc *, struct imsg *);
static void	 next(void *);
static int	 ask(struct question *);
static int	 dial(void);
static int	 pass(int, int);
static void	 replied(struct io *, enum io_event, void *);
static void	 judge(struct question *, char *);
static void	 answer(struct question *, enum virus_status, const char *);
static void	 question_free(struct question *);
static void	 ask_version(void *);
static void	 version_is(const char *);
static void	 tell_broker(void);

static struct deferred	 more = { .fn = next };

const struct ipc_verb antivirus_verbs[1] = {
	{ VERB_VIRUS, PEER_BIT(PEER_SCANNER), 8, IPC_FD, on_virus },
};

int
antivirus_init(const struct config *conf, unsigned instance)
{
	const char *base;

	if (instance >= conf->clamd.n ||
	    (base = strrchr(conf->clamd.v[instance], '/')) == NULL)
		return -1;
	return strlcpy(path, base, sizeof(path)) >= sizeof(path) ? -1 : 0;
}

void
antivirus_start(void)
{
	timer_init(&version_timer, ask_version, NULL);
	ask_version(NULL);
}

void
antivirus_peer_up(struct ipc *ipc)
{
	if (ipc->kind != PEER_BROKER)
		return;
	broker = ipc;
	tell_broker();
}

/* Who asked has gone; a clamd that is at it finishes for nobody. */
void
antivirus_peer_gone(struct ipc *ipc)
{
	struct question *q, *n;

	if (ipc == broker)
		broker = NULL;
	TAILQ_FOREACH_SAFE(q, &asked, entry, n) {
		if (q->scanner == ipc)
			question_free(q);
	}
	TAILQ_FOREACH_SAFE(q, &waiting, entry, n) {
		if (q->scanner == ipc)
			question_free(q);
	}
}

static int
on_virus(struct ipc *ipc, struct imsg *im)
{
	struct question *q;
	uint64_t size;

	size = ibuf_get_u64(&im->data);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return 0;	/* the scanner's time runs out */
	q->scanner = ipc;
	q->job = im->job;
	q->fd = im->fd;
	im->fd = -1;
	TAILQ_INSERT_TAIL(&waiting, q, entry);
	nwaiting++;
	if (q->fd == -1 || message_check(q->fd, size) == -1 ||
	    nwaiting > WAIT_MAX)
		answer(q, VIRUS_FAILED, "descriptor or queue");
	else
		loop_defer(&more);
	return 0;
}

/* As many as clamd may be asked at a time. */
static void
next(void *arg)
{
	struct question *q;

	(void)arg;
	while (nasked < OPEN_MAX_ && (q = TAILQ_FIRST(&waiting)) != NULL) {
		if (ask(q) == 0)
			continue;
		version_is("");
		answer(q, VIRUS_FAILED, strerror(errno));
	}
}

static int
ask(struct question *q)
{
	static const char version_cmd[] = "zVERSION";
	int fd;

	if ((fd = dial()) == -1)
		return -1;
	if (q->scanner == NULL ?
	    write(fd, version_cmd, sizeof(version_cmd)) !=
	    sizeof(version_cmd) : pass(fd, q->fd) == -1) {
		close(fd);
		return -1;
	}
	if (q->fd != -1)
		close(q->fd);
	q->fd = -1;
	if ((q->io = io_new(fd, replied, q)) == NULL)
		return -1;
	TAILQ_REMOVE(&waiting, q, entry);
	nwaiting--;
	TAILQ_INSERT_TAIL(&asked, q, entry);
	nasked++;
	io_timeout(q->io, q->scanner == NULL ? VERSION_WAIT_MS :
	    LIM_VIRUS_S * 1000);
	return 0;
}

static int
dial(void)
{
	struct sockaddr_un sun;
	int fd, saved;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* A clamd that does not accept any more (EAGAIN) is as good as away. */
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* clamd(8) FILDES: the command, then one octet that the descriptor rides on. */
static int
pass(int s, int fd)
{
	static char cmd[] = "zFILDES";
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct msghdr msg;
	struct iovec iov;
	char octet = 0;

	if (write(s, cmd, sizeof(cmd)) != sizeof(cmd))
		return -1;
	memset(&msg, 0, sizeof(msg));
	memset(&ctl, 0, sizeof(ctl));
	iov.iov_base = &octet;
	iov.iov_len = 1;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = ctl.buf;
	msg.msg_controllen = sizeof(ctl.buf);
	ctl.hdr.cmsg_level = SOL_SOCKET;
	ctl.hdr.cmsg_type = SCM_RIGHTS;
	ctl.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&ctl.hdr), &fd, sizeof(fd));
	return sendmsg(s, &msg, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Its reply ends with a NUL, and clamd closes after it. */
static void
replied(struct io *io, enum io_event event, void *arg)
{
	struct question *q = arg;
	const uint8_t *p;
	char line[REPLY_MAX];
	size_t n;

	switch (event) {
	case IO_DATA:
	case IO_EOF:
		p = io_peek(io, &n);
		if (n < sizeof(line) && memchr(p, '\0', n) == NULL &&
		    event == IO_DATA)
			return;
		if (n >= sizeof(line))
			n = sizeof(line) - 1;
		if (n != 0)
			memcpy(line, p, n);
		line[n] = '\0';
		judge(q, line);
		break;
	case IO_TIMEOUT:
		version_is("");
		answer(q, VIRUS_FAILED, "no answer in time");
		break;
	case IO_ERROR:
		version_is("");
		answer(q, VIRUS_FAILED, io_error(io));
		break;
	default:
		break;
	}
}

/* "fd[11]: OK", "fd[11]: NAME FOUND", "fd[11]: TEXT ERROR". */
static void
judge(struct question *q, char *line)
{
	char *text, *end;
	size_t n;

	if (q->scanner == NULL) {
		version_is(line);
		question_free(q);
		return;
	}
	text = strstr(line, ": ");
	text = text == NULL ? line : text + 2;
	n = strlen(text);
	if (strcmp(text, "OK") == 0) {
		answer(q, VIRUS_CLEAN, "");
		return;
	}
	end = text + (n > 6 ? n - 6 : 0);
	if (n > 6 && strcmp(end, " FOUND") == 0) {
		*end = '\0';
		answer(q, VIRUS_FOUND, text);
		return;
	}
	log_warnx("clamd says: %s", *text == '\0' ? "nothing" : text);
	answer(q, VIRUS_FAILED, text);
}

static void
answer(struct question *q, enum virus_status status, const char *text)
{
	struct ibuf b;

	if (q->scanner == NULL)
		version_is("");
	else {
		ibuf_init(&b);
		ibuf_add_u8(&b, (uint8_t)status);
		ibuf_add_str(&b, text);
		(void)ipc_send(q->scanner, VERB_VIRUSED, q->job, -1, &b);
		ibuf_free(&b);
	}
	question_free(q);
}

static void
question_free(struct question *q)
{
	if (q->io != NULL) {
		TAILQ_REMOVE(&asked, q, entry);
		nasked--;
		io_free(q->io);
	} else {
		TAILQ_REMOVE(&waiting, q, entry);
		nwaiting--;
	}
	if (q->fd != -1)
		close(q->fd);
	free(q);
	if (nwaiting != 0)
		loop_defer(&more);
}

/* Also how it is noticed that clamd is back. */
static void
ask_version(void *arg)
{
	struct question *q;

	(void)arg;
	timer_set(&version_timer, *version == '\0' ? VERSION_DOWN_MS :
	    VERSION_MS);
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return;
	q->fd = -1;
	TAILQ_INSERT_HEAD(&waiting, q, entry);
	nwaiting++;
	loop_defer(&more);
}

/* The empty one: away.  The broker shows it, the log says it once. */
static void
version_is(const char *text)
{
	if (strcmp(text, version) == 0)
		return;
	if (*text == '\0') {
		log_warnx("clamd at %s does not answer",
		    child_config()->clamd.v[child_instance()]);
		timer_set(&version_timer, VERSION_DOWN_MS);
	} else
		log_info("clamd at %s: %s",
		    child_config()->clamd.v[child_instance()], text);
	(void)strlcpy(version, text, sizeof(version));
	tell_broker();
}

static void
tell_broker(void)
{
	struct ibuf b;

	if (broker == NULL)
		return;
	ibuf_init(&b);
	ibuf_add_str(&b, version);
	(void)ipc_send(broker, VERB_VIRUS_STATE, 0, -1, &b);
	ibuf_free(&b);
}
