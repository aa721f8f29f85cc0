/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/limits.h"
#include "common/proc.h"
#include "greyd/greyd.h"

/*
 * greyd: the memory of the gateway.  One child, which has the database; the
 * parent starts it and listens for the other daemons.
 */

static uint64_t	 store_fsize(const struct config *);

static const struct process	 processes[] = {
	{
		.role = PEER_STORE,
		.title = "store",
		.user = "store",
		.root = ROOT_STATE,
		.powers = POWER_ACCEPT | POWER_FILES,
		.death = PROC_CORE,
		.serves = 1U << LISTEN_DAEMON | 1U << LISTEN_CONTROL,
		.clients = PEER_SMTP,
		.credits = LIM_CREDITS_GREY,
		.fsize = store_fsize,
		.memory = LIM_STATE_MAP * 2 + (1ULL << 30),
		.init = store_init,
		.start = store_start,
		.verbs = store_verbs,
		.nverbs = STORE_NVERBS,
		.peer_gone = store_peer_gone,
		.drain = store_drain,
	},
};

static const struct daemon	 greyd = {
	.name = "greyd",
	.id = DAEMON_GREYD,
	.procs = processes,
	.nprocs = sizeof(processes) / sizeof(processes[0]),
};

/* The database grows as far as its address space. */
static uint64_t
store_fsize(const struct config *c)
{
	(void)c;
	return LIM_STATE_MAP;
}

int
main(int argc, char *argv[])
{
	return daemon_main(argc, argv, &greyd);
}
