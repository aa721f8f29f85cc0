/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <fcntl.h>

#include "common/log.h"
#include "common/proc.h"
#include "common/resolver.h"
#include "scand/scand.h"

/*
 * scand: judges messages.  The map of the daemon: its processes, what they may
 * do, and who talks to whom.  They are stopped from the last to the first, so
 * the broker can finish what it holds.
 */

#define MB	(1024ULL * 1024)
#define N(a)	(sizeof(a) / sizeof((a)[0]))

static unsigned	 antivirus_count(const struct config *);
static unsigned	 scanner_count(const struct config *);
static void	 shares(const struct config *, enum peer, unsigned);

static const struct process processes[] = {
	{
		/* DNS for the scanners; sees no message. */
		.role = PEER_RESOLVER,
		.title = "resolver",
		.user = "sresolver",
		.root = ROOT_EMPTY,
		.powers = POWER_DNS,
		.death = PROC_WORKER,
		.peers = PEER_BIT(PEER_SCANNER) | PEER_BIT(PEER_BROKER),
		.files = RESOLVER_FILES,
		RESOLVER_HOOKS,
	}, {
		/* Passes messages to one clamd each; does not read them. */
		.role = PEER_ANTIVIRUS,
		.title = "antivirus",
		.user = "antivirus",
		.root = ROOT_CLAMD,
		.powers = POWER_UNIX,
		.death = PROC_WORKER,
		.count = antivirus_count,
		.peers = PEER_BIT(PEER_SCANNER) | PEER_BIT(PEER_BROKER),
		.files = 4096,
		.init = antivirus_init,
		.start = antivirus_start,
		.verbs = antivirus_verbs,
		.nverbs = N(antivirus_verbs),
		.peer_up = antivirus_peer_up,
		.peer_gone = antivirus_peer_gone,
	}, {
		/* Parses and scores content; one message kills at most it. */
		.role = PEER_SCANNER,
		.title = "scanner",
		.user = "scanner",
		.root = ROOT_EMPTY,
		.powers = POWER_READFD | POWER_SOFTOPEN,
		.death = PROC_WORKER,
		.count = scanner_count,
		.peers = PEER_BIT(PEER_BROKER) | PEER_BIT(PEER_RESOLVER),
		.memory = 1024 * MB,	/* the largest message and libraries */
		.files = LIM_SCAN_PARKED + 1024,
		.init = scanner_init,
		.start = scanner_start,
		.verbs = scanner_verbs,
		.nverbs = N(scanner_verbs),
		.peer_up = scanner_peer_up,
		.peer_gone = scanner_peer_gone,
		.share = scanner_share,
		.drain = scanner_drain,
	}, {
		/* Takes jobs, hands them out, times them out. */
		.role = PEER_BROKER,
		.title = "broker",
		.user = "broker",
		.root = ROOT_EMPTY,
		.powers = POWER_ACCEPT,
		.death = PROC_CORE,
		.peers = PEER_BIT(PEER_SCANNER) | PEER_BIT(PEER_RESOLVER),
		.serves = 1U << LISTEN_DAEMON | 1U << LISTEN_CONTROL,
		.kills = PEER_BIT(PEER_SCANNER),
		.credits = LIM_CREDITS_SCAN,
		.clients = PEER_SMTP,
		/* Each job's, those on the way to scanners, and channels. */
		.files = 2 * LIM_SCAN_JOBS + 1024,
		.init = broker_init,
		.start = broker_start,
		.verbs = broker_verbs,
		.nverbs = N(broker_verbs),
		.peer_up = broker_peer_up,
		.peer_gone = broker_peer_gone,
		.share = broker_share,
		.drain = broker_drain,
	}
};

static const struct daemon scand = {
	.name = "scand",
	.id = DAEMON_SCAND,
	.procs = processes,
	.nprocs = N(processes),
	.shares = shares,
};

int
main(int argc, char *argv[])
{
	config_symbol_known = symbol_known;
	return daemon_main(argc, argv, &scand);
}

static unsigned
antivirus_count(const struct config *conf)
{
	return conf->antivirus == ANTIVIRUS_CLAMD ? (unsigned)conf->clamd.n :
	    0;
}

static unsigned
scanner_count(const struct config *conf)
{
	return conf->nscanner;
}

/* The page of running jobs is made once; scanners write, the broker reads. */
static void
shares(const struct config *conf, enum peer role, unsigned instance)
{
	static int wfd = -1, rfd = -1;
	int fd;

	(void)instance;
	if (role != PEER_SCANNER && role != PEER_BROKER)
		return;
	if (wfd == -1 && running_make(conf->dir_runtime, &wfd, &rfd) == -1) {
		log_warn("page of running jobs");
		return;
	}
	fd = fcntl(role == PEER_SCANNER ? wfd : rfd, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		log_warn("page of running jobs");
	else
		proc_share(SHARE_RUNNING, 0, fd);
}
