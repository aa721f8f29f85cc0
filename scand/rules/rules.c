/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "scand/scand.h"

/*
 * Which rules are run for whom.  Rules of the client's address are nothing to
 * machines that we know: they are for inbound mail only, and so is the
 * question who has really sent it.
 */

#define INBOUND	(1U << CLASS_INBOUND)
#define RELAY	(1U << CLASS_RELAY)
#define CLUSTER	(1U << CLASS_CLUSTER)
#define ALL	(INBOUND | RELAY | CLUSTER)

static const struct {
	unsigned	classes;
	void		(*run)(struct job *, const struct view *);
} content_rules[] = {
	{ ALL,			rule_header_fields },
	{ ALL,			rule_header_date },
	{ ALL,			rule_header_from },
	{ ALL,			rule_header_form },
	{ ALL,			rule_body },
	{ INBOUND | RELAY,	rule_links },
	{ ALL,			rule_attachments },
	{ ALL,			rule_password },
	{ ALL,			rule_pattern },
	{ INBOUND,		rule_helo },
	{ INBOUND,		dkim_content },
	{ INBOUND,		arc_content },
	{ INBOUND,		dmarc_content },
	{ INBOUND,		authres_content },
};

static const struct {
	unsigned	classes;
	void		(*run)(struct job *);
} answer_rules[] = {
	{ INBOUND,		dmarc_begin },
	{ INBOUND,		auth_iprev },
	{ INBOUND,		auth_forwarder },
	{ INBOUND,		rule_rdns },
	{ INBOUND,		rule_lists },
	{ INBOUND | RELAY,	rule_sender },
	{ INBOUND,		auth_dkim },
	{ INBOUND,		auth_spf },
	{ INBOUND,		auth_dmarc },
	{ INBOUND,		auth_arc },
	{ INBOUND | RELAY,	rule_domains },
};

#define N(a)	(sizeof(a) / sizeof((a)[0]))

void
rules_content(struct job *j, const struct view *v)
{
	size_t i;

	for (i = 0; i < N(content_rules); i++) {
		if (content_rules[i].classes & 1U << j->scan.class)
			content_rules[i].run(j, v);
	}
}

void
rules_answers(struct job *j)
{
	size_t i;

	for (i = 0; i < N(answer_rules); i++) {
		if (answer_rules[i].classes & 1U << j->scan.class)
			answer_rules[i].run(j);
	}
}
