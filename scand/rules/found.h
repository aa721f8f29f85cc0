/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_RULES_FOUND_H
#define SCAND_RULES_FOUND_H

#include "scand/content/content.h"
#include "scand/scand.h"

/*
 * found.c: between the walk over the parts of a message (attachment.c) and
 * what becomes of its findings: symbols, the names that a refusal tells, the
 * words of the audit line and, where it is asked for, the tree.
 */

#define FOUND_LEVELS	64	/* above what `limit scan depth' may be */

struct found {
	struct inspect	 in;
	struct job	*j;
	struct mail_text	*text;
	unsigned	 inner;		/* messages inside of the message */
	unsigned	 doubtful;	/* of these, how many are doubtful */
	int		 other;		/* not the usual reading of a part */
	int		 guess;		/* and nobody may have it */
	int		 known;		/* a reading of it was something */
	unsigned	 patterns;	/* see pattern_search() */
	const char	*label;		/* of the part, not yet in the tree */
	/* What is in what, from the outside: level[in.budget.depth]. */
	struct {
		char			name[64];	/* printable ASCII */
		enum content_type	type;
	}		 level[FOUND_LEVELS];
};

/* A new message. */
void	found_begin(struct found *, struct job *, const struct view *);
/* What follows is inside of this; returns what found_leave() takes. */
size_t	found_enter(struct found *, const char *);
void	found_leave(struct found *, size_t);
/* The same for a part with its path.  Containers are shown at once. */
size_t	found_part(struct found *, const struct mime *,
	    const struct mime_part *, const char *path);
/* A finding that is not one of content.h. */
void	found_symbol(struct found *, enum symbol_id, const char *detail);
/* What is at a depth now; name may be NULL. */
void	found_level(struct found *, unsigned depth, const char *name,
	    enum content_type);

#endif
