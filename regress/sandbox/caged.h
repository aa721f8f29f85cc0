/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SANDBOX_CAGED_H
#define REGRESS_SANDBOX_CAGED_H

#include <sys/types.h>

#include <stdint.h>

#include "common/sandbox.h"

/*
 * Running a function in a cage, for the tests of this folder.
 */

#define CAGED_UID	65534
#define CAGED_LOG	4096	/* what the child said, at most */

/* How a caged child ended. */
enum caged_end {
	CAGED_ZERO,	/* exit status 0 */
	CAGED_ONE,	/* exit status 1 */
	CAGED_KILLED,	/* by its filter */
	CAGED_OTHER	/* anything else */
};

struct caged {
	enum caged_end	 end;
	int		 status;		/* of waitpid */
	char		 log[CAGED_LOG];	/* its log channel, as sent */
};

/*
 * Two directories below /tmp: an empty one and one that CAGED_UID may write.
 * -1: not root (the test is skipped) or no directory.
 */
int		 caged_begin(void);
void		 caged_end_all(void);
const char	*caged_empty_root(void);
const char	*caged_own_root(void);

/* A cage of these powers: root and limits as the daemons have them. */
void		 caged_fill(struct cage *, const char *name, uint32_t powers);
/*
 * Fork, call before (or NULL) as root, enter the cage, exit with what in
 * returns.  At most ten seconds.
 */
void		 caged_run(struct caged *, const struct cage *,
		    void (*before)(void *), int (*in)(void *), void *arg);

#endif
