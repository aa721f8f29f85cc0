/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/scand.h"

/*
 * Fixed texts that filters are tested with: GTUBE for spam, EICAR for viruses,
 * as they are or inside base64.  Both have one stretch in common, which is
 * looked for first, so the content is searched only once.  The texts stand
 * here in pieces, lest some other scanner finds them in this file.
 */

#define COMMON	"-STANDARD-ANTI"

struct pattern {
	enum symbol_id	 symbol;
	const char	*before, *after;	/* of the common stretch */
	const char	*name;
};

static const struct pattern patterns[] = {
	{ SYM_GTUBE, "XJS*C4JDBQADN1.NSBN3*2IDNEN*" "GTUBE",
	    "-UBE-TEST-EMAIL*C.34X", NULL },
	{ SYM_VIRUS, "X5O!P%@AP[4\\PZX54(P^)7CC)7}" "$EICAR",
	    "VIRUS-TEST-FILE!$H+H*", "EICAR test file" },
};

void
rule_pattern(struct job *j, const struct view *v)
{
	pattern_found(j, pattern_search(v->p, v->n));
}

void
pattern_found(struct job *j, unsigned bits)
{
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!(bits & 1U << i) ||
		    findings_has(&j->found, patterns[i].symbol))
			continue;
		if (patterns[i].name == NULL)
			findings_add(&j->found, patterns[i].symbol, NULL);
		else
			findings_add(&j->found, patterns[i].symbol, "%s",
			    patterns[i].name);
	}
}

unsigned
pattern_search(const uint8_t *p, size_t n)
{
	unsigned seen = 0;
	const uint8_t *at = p, *end = p + n;
	size_t i, before, after, common = sizeof(COMMON) - 1;

	while ((at = memmem(at, (size_t)(end - at), COMMON, common)) != NULL) {
		for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
			before = strlen(patterns[i].before);
			after = strlen(patterns[i].after);
			if ((size_t)(at - p) >= before &&
			    (size_t)(end - at) >= common + after &&
			    memcmp(at - before, patterns[i].before,
			    before) == 0 && memcmp(at + common,
			    patterns[i].after, after) == 0)
				seen |= 1U << i;
		}
		at += common;
	}
	return seen;
}
