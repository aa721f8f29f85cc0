/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "scand/scand.h"

/*
 * The scanner's side of the antivirus: which of several clamd is asked about a
 * message, and whom next when one fails.  The message is in doubt until one of
 * them has answered or all have failed.
 */

#define SERVERS		16
#define SHUN_MS		5000	/* after a failure others come first */

static struct server {
	struct ipc	*ipc;
	uint64_t	 shunned;	/* loop_now() until when */
} servers[SERVERS];
static unsigned		 turn;		/* spreads the load */

static TAILQ_HEAD(, job)	 asked = TAILQ_HEAD_INITIALIZER(asked);

static int	 server_pick(const struct job *);
static void	 ask(struct job *);
static void	 settle(struct job *, enum virus_status, const char *);
static void	 out_of_time(void *);

void
virus_peer(struct ipc *ipc)
{
	if (ipc->instance < SERVERS) {
		servers[ipc->instance].ipc = ipc;
		servers[ipc->instance].shunned = 0;
	}
}

/* What it was asked is asked of the next, or of it when it is back. */
void
virus_peer_gone(struct ipc *ipc)
{
	struct job *j, *n;

	if (ipc->instance >= SERVERS || servers[ipc->instance].ipc != ipc)
		return;
	servers[ipc->instance].ipc = NULL;
	TAILQ_FOREACH_SAFE(j, &asked, virus.entry, n) {
		if (j->virus.server == (int)ipc->instance)
			ask(j);
	}
}

void
virus_ask(struct job *j, int fd, void (*changed)(void *))
{
	const struct config *conf = job_config();

	j->virus.status = VIRUS_NOT_ASKED;
	if (conf->antivirus != ANTIVIRUS_CLAMD || j->scan.size == 0)
		return;
	j->virus.status = VIRUS_ASKED;
	j->virus.changed = changed;
	j->virus.tried = 0;
	j->virus.name[0] = '\0';
	TAILQ_INSERT_TAIL(&asked, j, virus.entry);
	timer_init(&j->virus.timer, out_of_time, j);
	if ((j->virus.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		settle(j, VIRUS_FAILED, "no descriptor");
		return;
	}
	/* A server may still be coming up: the time is all that is sure. */
	timer_set(&j->virus.timer, j->scan.deadline / 4 * 3 <
	    LIM_VIRUS_S * 1000 ? j->scan.deadline / 4 * 3 :
	    LIM_VIRUS_S * 1000);
	ask(j);
}

/* One that was not tried yet for this message; -1: none is left. */
static int
server_pick(const struct job *j)
{
	uint64_t now = loop_now();
	int i, k, second = -1;

	for (k = 0; k < SERVERS; k++) {
		i = (int)((turn + (unsigned)k) % SERVERS);
		if (servers[i].ipc == NULL || (j->virus.tried & 1U << i))
			continue;
		if (servers[i].shunned <= now) {
			turn = (unsigned)i + 1;
			return i;
		}
		if (second == -1)
			second = i;
	}
	return second;
}

static void
ask(struct job *j)
{
	struct ibuf b;
	int fd;

	if ((j->virus.server = server_pick(j)) == -1) {
		settle(j, VIRUS_FAILED, "no clamd answers");
		return;
	}
	j->virus.tried |= 1U << j->virus.server;
	if ((fd = fcntl(j->virus.fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		settle(j, VIRUS_FAILED, "no descriptor");
		return;
	}
	ibuf_init(&b);
	ibuf_add_u64(&b, j->scan.size);
	(void)ipc_send(servers[j->virus.server].ipc, VERB_VIRUS, j->number,
	    fd, &b);
	ibuf_free(&b);
}

int
virus_answered(struct ipc *ipc, struct imsg *im)
{
	struct job *j;
	char name[sizeof(j->virus.name)];
	uint8_t status;

	status = ibuf_get_u8(&im->data);
	ibuf_get_str(&im->data, name, sizeof(name));
	if (ibuf_get_end(&im->data) == -1 || status > VIRUS_FAILED ||
	    status < VIRUS_CLEAN || ipc->instance >= SERVERS)
		return -1;
	if (status == VIRUS_FAILED)
		servers[ipc->instance].shunned = loop_now() + SHUN_MS;
	TAILQ_FOREACH(j, &asked, virus.entry) {
		if (j->number == im->job &&
		    j->virus.server == (int)ipc->instance)
			break;
	}
	if (j == NULL)
		return 0;	/* it had to go on without */
	if (status == VIRUS_FAILED)
		ask(j);
	else
		settle(j, status, name);
	return 0;
}

static void
out_of_time(void *arg)
{
	settle(arg, VIRUS_FAILED, "no answer in time");
}

static void
settle(struct job *j, enum virus_status status, const char *name)
{
	TAILQ_REMOVE(&asked, j, virus.entry);
	timer_free(&j->virus.timer);
	if (j->virus.fd != -1)
		close(j->virus.fd);
	j->virus.fd = -1;
	j->virus.status = status;
	(void)strlcpy(j->virus.name, name, sizeof(j->virus.name));
	/* Inside virus_ask() nobody waits yet. */
	if (j->parked)
		j->virus.changed(j);
}

void
virus_give_up(struct job *j)
{
	j->parked = 0;
	if (j->virus.status == VIRUS_ASKED)
		settle(j, VIRUS_FAILED, "too many messages wait");
}
