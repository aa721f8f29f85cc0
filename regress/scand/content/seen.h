/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_CONTENT_SEEN_H
#define REGRESS_SCAND_CONTENT_SEEN_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scand/content/content.h"

/*
 * What a walk reports, kept for a test to ask.
 */
struct seen {
	struct inspect	 in;
	unsigned	 count[FINDING_MAX];
	char		 where[FINDING_MAX][1024];	/* of the first */
	char		 detail[FINDING_MAX][256];
	char		 tree[4096];	/* "1 name type size" a line */
	unsigned	 things;
};

static inline void
seen_report(void *arg, enum finding f, const char *where, const char *detail)
{
	struct seen *s = arg;

	if (s->count[f]++ > 0)
		return;
	snprintf(s->where[f], sizeof(s->where[f]), "%s", where);
	snprintf(s->detail[f], sizeof(s->detail[f]), "%s", detail);
}

static inline void
seen_node(void *arg, unsigned depth, const char *name, enum content_type type,
    uint64_t size)
{
	struct seen *s = arg;
	size_t len = strlen(s->tree);

	s->things++;
	snprintf(s->tree + len, sizeof(s->tree) - len, "%u %s %s %ju\n",
	    depth, name == NULL ? "-" : name, content_type_name(type),
	    (uintmax_t)size);
}

static inline void
seen_begin(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	s->in.report = seen_report;
	s->in.node = seen_node;
	s->in.arg = s;
	budget_default(&s->in.budget);
	budget_start(&s->in.budget);
}

/* The findings of one thing, by their numbers, in s. */
static inline void
seen_look(struct seen *s, const char *name, const void *p, size_t n)
{
	uint8_t *copy;

	/* Exactly as large, so that overruns show. */
	if ((copy = malloc(n + (n == 0))) == NULL)
		err(1, NULL);
	memcpy(copy, p, n);
	seen_begin(s);
	content_look(&s->in, name, copy, n);
	free(copy);
}

/* How many kinds of findings there were. */
static inline unsigned
seen_kinds(const struct seen *s)
{
	unsigned i, n = 0;

	for (i = 0; i < FINDING_MAX; i++)
		n += s->count[i] != 0;
	return n;
}

/* A file below the top of the source; to be freed. */
static inline uint8_t *
seen_file(const char *path, size_t *n)
{
	FILE *f;
	uint8_t *p;
	long len;

	if ((f = fopen(path, "r")) == NULL || fseek(f, 0, SEEK_END) == -1 ||
	    (len = ftell(f)) == -1 || fseek(f, 0, SEEK_SET) == -1 ||
	    (p = malloc((size_t)len + 1)) == NULL ||
	    fread(p, 1, (size_t)len, f) != (size_t)len)
		err(1, "%s", path);
	fclose(f);
	*n = (size_t)len;
	return p;
}

#endif
