/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/proc.h"
#include "common/resolver.h"
#include "relayd-out/relayd-out.h"

/*
 * relayd-out: takes accepted mail, keeps it until it is delivered, delivers
 * it.  The table is the map of the daemon; each process is one file of its
 * name.  Stopping goes through it from below: deliver finishes what it talks
 * about, queue settles it, spool writes that down.
 */

static unsigned	 count_deliver(const struct config *);
static uint64_t	 largest_file(const struct config *);

static const struct process processes[] = {
	{
		.role = PEER_RESOLVER,
		.title = "resolver",
		.user = "rresolver",
		.root = ROOT_EMPTY,
		.powers = POWER_DNS,
		.death = PROC_WORKER,
		.peers = PEER_BIT(PEER_DELIVER),
		.files = RESOLVER_FILES,
		RESOLVER_HOOKS,
	}, {
		.role = PEER_SPOOL,
		.title = "spool",
		.user = "spool",
		.root = ROOT_SPOOL,
		.powers = POWER_FILES | POWER_READFD,
		.death = PROC_CORE,
		.peers = PEER_BIT(PEER_QUEUE),
		.fsize = largest_file,
		.files = 2048,
		.init = spool_init,
		.start = spool_start,
		.verbs = spool_verbs,
		.nverbs = SPOOL_NVERBS,
		.peer_up = spool_peer_up,
		.peer_gone = spool_peer_gone,
		.drain = spool_drain,
	}, {
		.role = PEER_QUEUE,
		.title = "queue",
		.user = "queue",
		.root = ROOT_EMPTY,
		.powers = POWER_ACCEPT,
		.death = PROC_CORE,
		.peers = PEER_BIT(PEER_SPOOL) | PEER_BIT(PEER_DELIVER),
		.serves = 1U << LISTEN_DAEMON | 1U << LISTEN_CONTROL,
		.credits = LIM_CREDITS_PUT,
		.clients = PEER_SMTP,
		.start = queue_start,
		.verbs = queue_verbs,
		.nverbs = QUEUE_NVERBS,
		.peer_up = queue_peer_up,
		.peer_gone = queue_peer_gone,
		.drain = queue_drain,
	}, {
		.role = PEER_DELIVER,
		.title = "deliver",
		.user = "deliver",
		.root = ROOT_EMPTY,
		.powers = POWER_CONNECT | POWER_INET | POWER_READFD,
		.death = PROC_WORKER,
		.count = count_deliver,
		.peers = PEER_BIT(PEER_QUEUE) | PEER_BIT(PEER_RESOLVER),
		.files = 2048,
		.init = deliver_init,
		.start = deliver_start,
		.verbs = deliver_verbs,
		.nverbs = DELIVER_NVERBS,
		.peer_up = deliver_peer_up,
		.peer_gone = deliver_peer_gone,
		.drain = deliver_drain,
	}
};

static unsigned
count_deliver(const struct config *c)
{
	return c->ndeliver;
}

/* Messages are bounded by who accepts them, the journal by what is queued. */
static uint64_t
largest_file(const struct config *c)
{
	(void)c;
	return 1ULL << 40;
}

int
main(int argc, char *argv[])
{
	static const struct daemon relayd = {
		.name = "relayd-out",
		.id = DAEMON_RELAYD,
		.procs = processes,
		.nprocs = sizeof(processes) / sizeof(processes[0]),
	};

	return daemon_main(argc, argv, &relayd);
}
