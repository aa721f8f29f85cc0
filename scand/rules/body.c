/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "scand/scand.h"

/*
 * The form of the body.
 */

#define LINE_MAX_OCTETS	998	/* RFC 5322 2.1.1, without the CRLF */

void
rule_body(struct job *j, const struct view *v)
{
	if (v->body.blank)
		findings_add(&j->found, SYM_EMPTY_BODY, NULL);
	if (v->body.longest > LINE_MAX_OCTETS)
		findings_add(&j->found, SYM_LONG_LINES, "%zu",
		    v->body.longest);
}
