/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * What we say to relayd-out: PUT for each message that is to be accepted.
 */

static int	 fill_put(void *, struct ibuf *, int *);
static int	 on_stored(void *, struct imsg *);

void
put_start(struct transaction *t)
{
	struct envelope	*e = t->env;
	const char	*participant = "";

	if (ask_isaway(DAEMON_RELAYD)) {
		transaction_end(t, REPLY_QUEUE_AWAY);
		return;
	}
	if (t->participant != NULL && !t->several)
		participant = t->participant->name;
	if ((t->verdict != NULL &&
	    envelope_set(&e->rdns, t->verdict->rdns) == -1) ||
	    envelope_set(&e->participant, participant) == -1 ||
	    trace_make(e, t->verdict, (e->flags & ENV_UTF8) != 0,
	    t->session->esmtp) == -1) {
		transaction_end(t, REPLY_LOCAL);
		return;
	}
	chain_ask(t, STAGE_PUT, DAEMON_RELAYD, VERB_PUT, fill_put, on_stored);
}

static int
fill_put(void *arg, struct ibuf *b, int *fd)
{
	struct transaction	*t = arg;

	if (chain_file(t, fd) == -1)
		return -1;
	ibuf_add_u32(b, chain_left(t));
	envelope_add(b, t->env);
	return 0;
}

static int
on_stored(void *arg, struct imsg *im)
{
	struct transaction	*t = arg;
	struct answer		 an;
	struct audit		 a;
	char			*text;
	uint8_t			 status;

	status = ibuf_get_u8(&im->data);
	text = ibuf_get_strdup(&im->data, LIM_STRING);
	if (text == NULL || ibuf_get_end(&im->data) == -1 ||
	    status > PUT_FAILED) {
		free(text);
		return -1;
	}
	switch (status) {
	case PUT_DURABLE:
		audit_begin(&a, t->env->id, "accepted");
		audit_str(&a, "how", text);
		audit_ms(&a, "delay", loop_now() - t->began);
		audit_end(&a);
		answer_set(&an, REPLY_ACCEPTED, t->env->id, NULL);
		break;
	case PUT_REFUSED:
		answer_foreign(&an, REPLY_PUT_REFUSED, text);
		if (strcmp(an.status, "5.1.1") == 0)
			greyd_event(&t->env->client, t->env->class,
			    EVENT_UNKNOWN_RCPT, t->env->id);
		break;
	default:
		answer_foreign(&an, REPLY_PUT_FAILED, text);
		break;
	}
	free(text);
	transaction_finish(t, &an);
	return 0;
}
