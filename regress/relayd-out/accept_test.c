/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/message.h"
#include "common/proc.h"
#include "regress/relayd-out/sample.h"
#include "regress/unit.h"
#include "relayd-out/queue.h"

/*
 * queue between a front that asks and a spool that the test plays: a message
 * that a dead queue had stored is asked for again, and then not any more,
 * before spool has told all that it has.
 */

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "node \"mail-in01.example.net\"\n"
    "network { 192.0.2.0/24 }\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "participant \"uni\" contact \"postmaster@uni.example\" {\n"
    " domain \"uni.example\" deliver to 192.0.2.77\n"
    "}\n";
static struct config	*conf;
static unsigned		 nputs, nremoves, nstored;
static struct ipc	*spool, *front;

const struct config *
child_config(void)
{
	return conf;
}

uint32_t
child_generation(void)
{
	return 1;
}

void
child_exit(void)
{
	exit(1);
}

void
child_reload(void (*cb)(int, const char *, void *), void *arg)
{
	cb(0, "", arg);
}

static int
on_put(struct ipc *ipc, struct imsg *im)
{
	struct ibuf	 b;

	(void)im;
	nputs++;
	ibuf_init(&b);
	ibuf_add_raw(&b, "01hq3vbk2t7m9c4e", ID_SIZE);
	ibuf_add_u8(&b, 1);
	ibuf_add_str(&b, "");
	(void)ipc_send(ipc, VERB_SPOOL_STORED, 0, -1, &b);
	ibuf_free(&b);
	return 0;
}

static int
on_remove(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	(void)im;
	nremoves++;
	return 0;
}

/* To deliver it; there is nobody to do that. */
static int
on_open(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	(void)im;
	return 0;
}

static int
on_stored(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	(void)im;
	nstored++;
	return 0;
}

static const struct ipc_verb spool_side[] = {
	{ VERB_SPOOL_PUT, ~0U, LIM_FRAME, IPC_FD, on_put },
	{ VERB_SPOOL_OPEN, ~0U, 64, IPC_NOFD, on_open },
	{ VERB_SPOOL_REMOVE, ~0U, LIM_FRAME, IPC_NOFD, on_remove },
};
static const struct ipc_verb front_side[] = {
	{ VERB_STORED, ~0U, LIM_FRAME, IPC_NOFD, on_stored },
};

static void
gone(struct ipc *ipc)
{
	(void)ipc;
}

static struct ipc *
connect_queue(enum peer kind, const struct ipc_verb *verbs, size_t nverbs)
{
	struct ipc	*theirs;
	int		 sp[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp), 0);
	theirs = ipc_new(sp[0], PEER_QUEUE, 0, verbs, nverbs, gone, NULL);
	queue_peer_up(ipc_new(sp[1], kind, 0, queue_verbs, QUEUE_NVERBS,
	    queue_peer_gone, NULL));
	return theirs;
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
settle(void)
{
	struct timer	 t;

	timer_init(&t, stop, NULL);
	timer_set(&t, 20);
	loop_run();
	timer_free(&t);
}

static void
put(uint32_t job)
{
	struct envelope	*e = sample_envelope(1);
	struct message	*m = message_new();
	struct ibuf	 b;
	int		 fd;

	CHECK_INT(message_write(m, "a letter\r\n", 10), 0);
	fd = dup(message_seal(m, e->hash));
	message_free(m);
	e->size = 10;
	ibuf_init(&b);
	ibuf_add_u32(&b, 60000);
	envelope_add(&b, e);
	(void)ipc_send(front, VERB_PUT, job, fd, &b);
	ibuf_free(&b);
	envelope_free(e);
	settle();
}

/* spool has it from before. */
static void
loaded(void)
{
	static struct loaded	 l;
	struct envelope		*e = sample_envelope(1);
	struct text		 domains = { 0 };
	struct ibuf		 b;

	l.live = 1;
	memcpy(l.id, e->id, sizeof(l.id));
	l.time = e->time;
	l.size = 10;
	l.nrcpts = 1;
	(void)strlcpy(l.sender, e->sender, sizeof(l.sender));
	l.state[0] = RCPT_PENDING;
	loaded_domains(&domains, e);
	text_add(&domains, "", 1);
	l.domains = domains.p;
	ibuf_init(&b);
	loaded_add(&b, &l);
	(void)ipc_send(spool, VERB_SPOOL_LOADED, 0, -1, &b);
	ibuf_free(&b);
	text_free(&domains);
	envelope_free(e);
	settle();
}

static void
ready(void)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u64(&b, 1);
	(void)ipc_send(spool, VERB_SPOOL_READY, 0, -1, &b);
	ibuf_free(&b);
	settle();
}

int
main(void)
{
	log_init("accept_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL)
		return 1;
	id_init("test");
	loop_init();
	queue_start();
	front = connect_queue(PEER_SMTP, front_side, 1);
	spool = connect_queue(PEER_SPOOL, spool_side, 3);

	/* Stored by another queue; its client goes before spool is read. */
	put(1);
	CHECK_INT(nputs, 0);
	loaded();
	CHECK_INT(ipc_send(front, VERB_CANCEL, 1, -1, NULL), 0);
	settle();
	ready();
	CHECK_INT(nputs, 1);
	CHECK_INT(nremoves, 1);
	CHECK_INT(nstored, 0);
	CHECK(entry_find("01hq3vbk2t7m9c4e") == NULL);

	/* And one whose client stays. */
	put(2);
	CHECK_INT(nputs, 2);
	CHECK_INT(nstored, 1);
	CHECK_INT(nremoves, 1);
	CHECK(entry_find("01hq3vbk2t7m9c4e") != NULL);
	return unit_end();
}
