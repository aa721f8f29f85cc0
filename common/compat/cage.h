/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_COMPAT_CAGE_H
#define COMMON_COMPAT_CAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/sandbox.h"

/*
 * Between common/sandbox.c, which knows what a power means, and the file of
 * this system, which closes the cage.
 */

/* What of the file system and the network a power leaves open. */
#define REACH_ROOT	0x01	/* files below the root directory */
#define REACH_TCP	0x02	/* TCP connections; never a chosen port */

struct power {
	uint32_t	 bit;		/* POWER_*; 0: the base of everybody */
	const char	*name;
	unsigned	 reach;		/* REACH_*: Landlock, unveil */
	const char	*calls;		/* Linux, system calls */
	const char	*pledge;	/* OpenBSD, promises */
};

/* The table; its first row is the base.  sandbox.c */
extern const struct power	 powers[];
extern const size_t		 npowers;

/* What all powers of a cage together reach. */
unsigned	 cage_reach(uint32_t powers);

/*
 * The system's part.  cage_limits as root, before the users are dropped;
 * cage_close last, for ever.  Fatal on failure.
 */
void		 cage_limits(const struct cage *);
void		 cage_close(const struct cage *);
const char	*cage_describe(void);

/*
 * Acts of sandbox_try().  0: refused, errno tells how; 1: it was possible.
 */
struct act {
	const char	*name;
	uint32_t	 powers;	/* any of them permits it; 0: none */
	int		(*try)(void);
};

/* The parent's process id as the cage knows it: getppid() is not allowed. */
pid_t		 cage_parent(void);
/* Was it refused?  Takes the result of a system call and its errno. */
int		 act_result(long);

/* common/compat/acts.c: every system; the file of this system: its own. */
extern const struct act	 acts[];
extern const size_t	 nacts;
extern const struct act	 system_acts[];
extern const size_t	 nsystem_acts;

#endif
