/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <sys/types.h>

#include <stdint.h>

/*
 * The cage of a child.  One table in sandbox.c says for every power what it
 * means on each system: system calls (Linux), Landlock rules, pledges and
 * unveiled paths (OpenBSD).  A child has the base (compute, event loop,
 * read, write, UNIX sockets it was given, descriptors) and the powers of its
 * process table, nothing else.
 */
#define POWER_ACCEPT	(1U << 0)	/* accept on sockets it was given */
#define POWER_INET	(1U << 1)	/* options, names of TCP sockets held */
#define POWER_CONNECT	(1U << 2)	/* TCP to anywhere */
#define POWER_DNS	(1U << 3)	/* UDP and TCP to resolvers */
#define POWER_UNIX	(1U << 4)	/* connect to one UNIX socket (clamd) */
#define POWER_MEMFILE	(1U << 5)	/* make anonymous memory files */
#define POWER_READFD	(1U << 6)	/* pread, map, sendfile descriptors */
#define POWER_FILES	(1U << 7)	/* all of its own root directory */
#define POWER_SOFTOPEN	(1U << 8)	/* open fails with ENOENT instead of
					   death: libraries look for locales */

struct cage {
	const char	*name;		/* for messages: "smtp" */
	const char	*root;		/* directory to chroot to, absolute */
	uid_t		 uid;
	gid_t		 gid;
	uint32_t	 powers;
	uint64_t	 fsize;		/* largest file of any kind; 0: none */
	uint64_t	 memory;	/* address space; 0: no limit */
	unsigned	 files;		/* open descriptors; 0: leave */
	pid_t		 parent;	/* die with it; 0: whoever it is */
};

/*
 * What must be read before the root is gone: time zone, locale, the TLS
 * library's configuration.  Before sandbox_enter, in every child.
 */
void	sandbox_prepare(void);
/*
 * Close the cage for ever, in an order in which no step undoes another:
 * chroot, limits, groups and users, no new privileges, Landlock, system-call
 * filter.  Fatal where any step fails that this system has.  A forbidden call
 * afterwards kills the process, after a line on its log channel that names the
 * call.
 */
void	sandbox_enter(const struct cage *);
/* The exit status of a process that its cage has killed: 128 + SIGSYS, as a
   shell would show it.  Dying of the signal itself is possible too. */
#define SANDBOX_STATUS	159
/* What this kernel offers, for start-up logs: "seccomp landlock-abi=7". */
const char *sandbox_describe(void);

/*
 * Try what a caged process must not be able to do ("open-write", "connect",
 * "exec", "ptrace" ...).  Called in the cage for `-x role -T act'.  0: it was
 * refused (errno tells how); 1: it was possible; -1: no such act.  Some acts
 * end in death by the filter instead: the caller's parent sees that.
 */
int	sandbox_try(const char *act);
/* The n-th act's name, NULL past the end, and which power permits it (0: no
   power does). */
const char *sandbox_act(unsigned n, uint32_t *powers);

#endif
