/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/proc.h"

/*
 * A daemon with nothing to do, for family_test.py: a core child and workers
 * that tell in the log who they are, whom they see, and how they leave.
 */

static struct timer	 leave;

static void	 start(void);
static void	 peer_up(struct ipc *);
static void	 peer_gone(struct ipc *);
static void	 drain(int);
static unsigned	 workers(const struct config *);
static int	 on_status(struct ipc *, struct imsg *);

static const struct ipc_verb	 verbs[] = {
	{ VERB_CTL_STATUS, PEER_BIT(PEER_CONTROL), 0, IPC_NOFD, on_status },
};

static const struct process	 processes[] = {
	{
		.role = PEER_STORE, .title = "core", .user = "store",
		.powers = POWER_ACCEPT, .death = PROC_CORE,
		.serves = 1U << LISTEN_CONTROL | 1U << LISTEN_DAEMON,
		.clients = PEER_SMTP, .credits = 7,
		.calls = 1U << DAEMON_GREYD,
		.start = start, .verbs = verbs, .nverbs = 1,
		.peer_up = peer_up, .peer_gone = peer_gone, .drain = drain,
	}, {
		.role = PEER_SMTP, .title = "worker", .user = "smtp",
		.powers = 0, .death = PROC_WORKER, .count = workers,
		.peers = PEER_BIT(PEER_STORE), .calls = 1U << DAEMON_GREYD,
		.start = start, .verbs = verbs, .nverbs = 1,
		.peer_up = peer_up, .peer_gone = peer_gone, .drain = drain,
	},
};

static unsigned
workers(const struct config *c)
{
	return c->nsmtp;
}

static void
go(void *arg)
{
	(void)arg;
	child_exit();
}

static void
start(void)
{
	log_info("up generation %u pid %d reject %d", child_generation(),
	    (int)getpid(), child_config()->policy.reject_at);
	timer_init(&leave, go, NULL);
	if (strcmp(child_title(), "worker") == 0)
		child_call(DAEMON_GREYD);
}

static void
peer_up(struct ipc *ipc)
{
	log_info("sees %s%s credits %u", ipc->foreign ? "foreign " : "",
	    ipc->name, ipc->credits);
}

static void
peer_gone(struct ipc *ipc)
{
	log_info("misses %s%s", ipc->foreign ? "foreign " : "", ipc->name);
}

static void
drain(int hurry)
{
	log_info("drains hurry %d", hurry);
	timer_set(&leave, 50);
}

static int
on_status(struct ipc *ipc, struct imsg *im)
{
	return ipc_send(ipc, VERB_CTL_END, im->job, -1, NULL);
}

static const struct daemon	 family = {
	.name = "greyd", .id = DAEMON_GREYD, .procs = processes,
	.nprocs = sizeof(processes) / sizeof(processes[0]),
};

int
main(int argc, char *argv[])
{
	return daemon_main(argc, argv, &family);
}
