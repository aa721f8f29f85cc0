/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/log.h"
#include "common/message.h"
#include "common/protocol.h"

/*
 * Plays smtpd-front for relayd-out: puts messages and waits for the answers;
 * when the daemon goes away it connects again and asks again, by id.
 *
 *	put [-8vz] [-c inflight] [-f sender] [-F file] [-n count] [-s size]
 *	    [-N notify] [-t deadline] socket recipient...
 *
 * Prints a line "id status text" for each answer.  Without -F a message says
 * its id in X-Test-Id; -z is the null sender.  A recipient "!a@b" is one that
 * is discarded.  Exit status 0 when all are durable.
 */

struct put {
	TAILQ_ENTRY(put)	 entry;
	uint32_t		 job;
	struct envelope		*env;
	int			 fd;
};

static TAILQ_HEAD(, put)	 open_puts = TAILQ_HEAD_INITIALIZER(open_puts);
static const char	*path, *sender = "sender@test.example";
static char		**rcpts;
static char		*text;
static size_t		 textlen;
static size_t		 size = 10240;
static int		 nrcpts, verbose, flags, notify;
static unsigned long	 count = 1, inflight = 20, begun, ended, notdurable;
static uint32_t		 deadline = 120000;
static struct ipc	*queue;
static struct timer	 again;

static int	 on_stored(struct ipc *, struct imsg *);

static const struct ipc_verb verbs[] = {
	{ VERB_STORED, PEER_BIT(PEER_QUEUE), 1024, IPC_NOFD, on_stored },
};

static void
ask(struct put *p)
{
	struct ibuf	 b;

	if (queue == NULL)
		return;
	ibuf_init(&b);
	ibuf_add_u32(&b, deadline);
	envelope_add(&b, p->env);
	if (ipc_send(queue, VERB_PUT, p->job, fcntl(p->fd, F_DUPFD_CLOEXEC, 0),
	    &b) == -1)
		errx(1, "send");
	ibuf_free(&b);
}

/* The message of this id, filled up with lines to the size. */
static void
fill(struct message *m, const char *id)
{
	static const char line[] = "The quick brown fox jumps over the lazy "
	    "dog. 0123456789\r\n";
	char	 head[256];
	int	 n;

	if (text != NULL) {
		if (message_write(m, text, textlen) == -1)
			err(1, "message");
		return;
	}
	n = snprintf(head, sizeof(head), "From: <%s>\r\nSubject: test\r\n"
	    "X-Test-Id: %s\r\n\r\n.a line with a dot\r\n", sender, id);
	if (message_write(m, head, (size_t)n) == -1)
		err(1, "message");
	while (message_size(m) + sizeof(line) < size)
		if (message_write(m, line, sizeof(line) - 1) == -1)
			err(1, "message");
}

static void
begin(void)
{
	struct message	*m;
	struct put	*p;
	struct rcpt	*r;
	char		 trace[256];
	int		 i;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->env = envelope_new()) == NULL || (m = message_new()) == NULL)
		err(1, "message");
	p->job = (uint32_t)++begun;
	id_new(p->env->id);
	fill(m, p->env->id);
	memcpy(p->env->sid, p->env->id, sizeof(p->env->sid));
	p->env->time = clock_wall_ms();
	p->env->class = CLASS_RELAY;
	p->env->flags = (uint8_t)flags;
	p->env->size = message_size(m);
	(void)netaddr_parse(&p->env->client, "127.0.0.1");
	(void)snprintf(trace, sizeof(trace), "Received: from test.example\r\n"
	    "\tby test.example id %s\r\n", p->env->id);
	if (envelope_set(&p->env->sender, sender) == -1 ||
	    envelope_set(&p->env->trace, trace) == -1 ||
	    (p->fd = message_seal(m, p->env->hash)) == -1 ||
	    (p->fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0)) == -1)
		err(1, "message");
	message_free(m);
	for (i = 0; i < nrcpts; i++) {
		r = envelope_rcpt(p->env, rcpts[i] + (*rcpts[i] == '!'), NULL,
		    (uint8_t)notify);
		if (r == NULL)
			errx(1, "recipients");
		r->discard = *rcpts[i] == '!';
	}
	TAILQ_INSERT_TAIL(&open_puts, p, entry);
	ask(p);
}

static int
on_stored(struct ipc *ipc, struct imsg *im)
{
	static const char *const words[] = { "durable", "refused", "failed" };
	struct put	*p;
	char		 how[600];
	uint8_t		 st;

	(void)ipc;
	st = ibuf_get_u8(&im->data);
	ibuf_get_str(&im->data, how, sizeof(how));
	if (ibuf_get_end(&im->data) == -1 || st > PUT_FAILED)
		return -1;
	TAILQ_FOREACH(p, &open_puts, entry)
		if (p->job == im->job)
			break;
	if (p == NULL)
		return 0;
	if (verbose || st != PUT_DURABLE)
		printf("%s %s %s\n", p->env->id, words[st], how);
	else
		printf("%s %s\n", p->env->id, words[st]);
	notdurable += st != PUT_DURABLE;
	ended++;
	TAILQ_REMOVE(&open_puts, p, entry);
	envelope_free(p->env);
	close(p->fd);
	free(p);
	while (begun < count && begun - ended < inflight)
		begin();
	if (ended == count)
		loop_stop();
	return 0;
}

static void
up(struct ipc *ipc)
{
	struct put	*p;

	queue = ipc;
	TAILQ_FOREACH(p, &open_puts, entry)
		ask(p);
	while (begun < count && begun - ended < inflight)
		begin();
}

static void
gone(struct ipc *ipc)
{
	(void)ipc;
	queue = NULL;
	timer_set(&again, 50);
}

static void
connect_again(void *arg)
{
	struct sockaddr_un	 sun;
	int			 fd;

	(void)arg;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		errx(1, "%s: too long", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		close(fd);
		timer_set(&again, 50);
		return;
	}
	if (ipc_new_foreign(fd, PEER_QUEUE, verbs, 1, 1, 0, up, gone, NULL) ==
	    NULL)
		errx(1, "channel");
}

static void
read_file(const char *name)
{
	FILE	*f;

	if ((f = fopen(name, "r")) == NULL || fseek(f, 0, SEEK_END) == -1)
		err(1, "%s", name);
	textlen = (size_t)ftell(f);
	rewind(f);
	if ((text = malloc(textlen + 1)) == NULL ||
	    fread(text, 1, textlen, f) != textlen)
		err(1, "%s", name);
	fclose(f);
}

int
main(int argc, char *argv[])
{
	int	 c;

	while ((c = getopt(argc, argv, "8c:f:F:n:N:s:t:vz")) != -1) {
		switch (c) {
		case '8': flags |= ENV_8BIT; break;
		case 'c': inflight = strtoul(optarg, NULL, 10); break;
		case 'f': sender = optarg; break;
		case 'F': read_file(optarg); break;
		case 'n': count = strtoul(optarg, NULL, 10); break;
		case 'N': notify = (int)strtoul(optarg, NULL, 10); break;
		case 's': size = strtoul(optarg, NULL, 10); break;
		case 't': deadline = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'v': verbose = 1; break;
		case 'z': sender = ""; break;
		default: errx(1, "usage: put [options] socket recipient...");
		}
	}
	if (argc - optind < 2)
		errx(1, "usage: put [options] socket recipient...");
	path = argv[optind];
	rcpts = argv + optind + 1;
	nrcpts = argc - optind - 1;
	signal(SIGPIPE, SIG_IGN);
	loop_init();
	id_init("test");
	timer_init(&again, connect_again, NULL);
	connect_again(NULL);
	loop_run();
	return notdurable != 0;
}
