/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include_next <sys/queue.h>

/*
 * Only for the analyzer of clang-tidy: it does not see that what was removed
 * through the pointer of its neighbour is no longer the first, and reports
 * each loop that empties a list as a use after free.
 */
#ifndef LINT_QUEUE_H
#define LINT_QUEUE_H

#define LINT_REMOVED(first, next, elm, field) do {			\
	(first) = (next);						\
	if ((first) == (elm))						\
		__builtin_unreachable();				\
} while (0)

#undef TAILQ_REMOVE
#define TAILQ_REMOVE(head, elm, field)					\
	LINT_REMOVED((head)->tqh_first, (elm)->field.tqe_next, elm, field)
#undef LIST_REMOVE
#define LIST_REMOVE(elm, field) do {					\
	*(elm)->field.le_prev = (elm)->field.le_next;			\
} while (0)

#endif
