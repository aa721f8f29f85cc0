/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "smtpd-front/smtp.h"
#include "smtpd-front/smtpd-front.h"

/*
 * gwctl(8).  All smtp processes listen on the control socket and whoever is
 * first answers; the counts are those of all of them, from the shared page,
 * only the links are his own.
 */

struct wish {			/* a reload that an operator waits for */
	TAILQ_ENTRY(wish)	 entry;
	struct ipc		*ipc;	/* NULL: he has gone */
	uint32_t		 job;
};
static TAILQ_HEAD(, wish)	 wishes = TAILQ_HEAD_INITIALIZER(wishes);

static void	 send_text(struct ipc *, uint32_t, const char *);
static void	 send_end(struct ipc *, uint32_t, int, const char *);
static void	 reloaded(int, const char *, void *);

int
control_status(struct ipc *ipc, struct imsg *im)
{
	static const enum daemon_id	 others[] = {
		DAEMON_SCAND, DAEMON_GREYD, DAEMON_RELAYD
	};
	char	 text[1024];
	size_t	 i;

	if (ibuf_get_end(&im->data) == -1)
		return -1;
	(void)snprintf(text, sizeof(text),
	    "sessions %llu\nheld %llu\nmemory %llu\nwaiting %llu\n"
	    "connects %llu\nturned-away %llu\naccepted %llu\nrefused %llu\n"
	    "deferred %llu\noctets %llu\ngeneration %u\n",
	    (unsigned long long)limit_sessions(),
	    (unsigned long long)limit_gauged(GAUGE_HELD),
	    (unsigned long long)limit_gauged(GAUGE_MEMORY),
	    (unsigned long long)limit_gauged(GAUGE_WAITING),
	    (unsigned long long)limit_counted(COUNT_CONNECTS),
	    (unsigned long long)limit_counted(COUNT_TURNED_AWAY),
	    (unsigned long long)limit_counted(COUNT_ACCEPTED),
	    (unsigned long long)limit_counted(COUNT_REFUSED),
	    (unsigned long long)limit_counted(COUNT_DEFERRED),
	    (unsigned long long)limit_counted(COUNT_OCTETS),
	    child_generation());
	send_text(ipc, im->job, text);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "link %s %s sent %u waiting %u\n", daemon_name(others[i]),
		    ask_isup(others[i]) ? "up" : "down",
		    ask_sent(others[i]), ask_waiting(others[i]));
		send_text(ipc, im->job, text);
	}
	send_end(ipc, im->job, 0, "");
	return 0;
}

static void
send_text(struct ipc *ipc, uint32_t job, const char *text)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_str(&b, text);
	(void)ipc_send(ipc, VERB_CTL_TEXT, job, -1, &b);
	ibuf_free(&b);
}

static void
send_end(struct ipc *ipc, uint32_t job, int status, const char *error)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)status);
	ibuf_add_str(&b, error);
	(void)ipc_send(ipc, VERB_CTL_END, job, -1, &b);
	ibuf_free(&b);
}

int
control_reload(struct ipc *ipc, struct imsg *im)
{
	struct wish	*w;

	if (ibuf_get_end(&im->data) == -1)
		return -1;
	log_info("reload asked for by user %u", (unsigned)ipc->uid);
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		send_end(ipc, im->job, 1, "out of memory");
		return 0;
	}
	w->ipc = ipc;
	w->job = im->job;
	TAILQ_INSERT_TAIL(&wishes, w, entry);
	child_reload(reloaded, w);
	return 0;
}

static void
reloaded(int ok, const char *text, void *arg)
{
	struct wish	*w = arg;

	if (w->ipc != NULL)
		send_end(w->ipc, w->job, !ok, text);
	TAILQ_REMOVE(&wishes, w, entry);
	free(w);
	if (front.left != NULL)
		front.left();
}

void
control_gone(struct ipc *ipc)
{
	struct wish	*w;

	TAILQ_FOREACH(w, &wishes, entry)
		if (w->ipc == ipc)
			w->ipc = NULL;
}

int
control_busy(void)
{
	return !TAILQ_EMPTY(&wishes);
}
