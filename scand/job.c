/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "scand/scand.h"

/*
 * One message: its content is looked at once and forgotten, then the rules
 * that read answers are run as often as answers come.  No half-finished state
 * is kept between those runs: what they found is taken back first.  The one
 * exception are hashes of the content, for signatures that wait for their keys.
 */

static TAILQ_HEAD(, job) pool = TAILQ_HEAD_INITIALIZER(pool);
static size_t		 npool, njobs;	/* in the pool, in use */
/* The parts of a message that is being parsed; used again for the next. */
static struct mail_text	 text;
static struct view	 view = { .text = &text };
static const struct config *config;
static void	(*progress)(const char *);

static void	judge_virus(struct job *);

void
job_configure(const struct config *conf)
{
	config = conf;
	symbols_configure(conf);
}

const struct config *
job_config(void)
{
	return config;
}

void
job_progress(void (*fn)(const char *))
{
	progress = fn;
}

void
job_at(const char *path)
{
	if (progress != NULL)
		progress(path);
}

struct job *
job_new(void)
{
	struct job *j;

	if ((j = TAILQ_FIRST(&pool)) != NULL) {
		TAILQ_REMOVE(&pool, j, entry);
		npool--;
	} else if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	njobs++;
	answers_init(&j->answers, 0, NULL, NULL);
	j->changed = j->parked = 0;
	j->virus.status = VIRUS_NOT_ASKED;
	j->cpu_us = 0;
	findings_reset(&j->found);
	j->links.n = j->links.len = 0;
	auth_reset(&j->auth);
	j->nblames = j->treelen = 0;
	j->found_names[0] = j->found_where[0] = '\0';
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	dkim_end(j);
	arc_end(j);
	answers_free(&j->answers);
	virus_give_up(j);
	scan_free(&j->scan);
	free(j->tree);
	j->tree = NULL;
	njobs--;
	if (npool == LIM_SCAN_BACKLOG) {
		free(j);
		return;
	}
	TAILQ_INSERT_HEAD(&pool, j, entry);
	npool++;
}

size_t
jobs_held(void)
{
	return njobs * sizeof(struct job) + answers_held() + dkim_held() +
	    arc_held();
}

int
job_content(struct job *j, const uint8_t *p, size_t n)
{
	const char *d;

	j->sender_domain[0] = '\0';
	if ((d = address_domain(j->scan.sender)) != NULL &&
	    strlcpy(j->sender_domain, d, sizeof(j->sender_domain)) <
	    sizeof(j->sender_domain))
		domain_fold(j->sender_domain);
	view.p = p;
	view.n = n;
	if (header_parse(&view.header, p, n) == -1)
		return -1;
	body_look(&view.body, p + view.header.size, n - view.header.size);
	attachment_budget(&view.budget);
	if (mime_parse(&view.mime, &view.budget, p, n, 0) == -1)
		return -1;
	text.n = 0;
	text.p[0] = '\0';
	if ((j->scan.flags & SCAN_EXPLAIN) &&
	    (j->tree = calloc(1, LIM_TREE)) == NULL)
		return -1;
	rules_content(j, &view);
	j->content_n = j->found.n;
	j->content_len = j->found.len;
	return 0;
}

int
job_evaluate(struct job *j)
{
	do {
		findings_rewind(&j->found, j->content_n, j->content_len);
		rules_answers(j);
		if (j->answers.wanted == 0 && j->answers.open == 0) {
			if (j->virus.status == VIRUS_ASKED)
				return 1;
			judge_virus(j);
			if (j->answers.given_up > 0)
				findings_add(&j->found, SYM_DNS_GIVEN_UP,
				    "%u", j->answers.given_up);
			return 0;
		}
		/* None open: all were given up at once, so this is the end. */
	} while (answers_ask(&j->answers) == 0);
	return 1;
}

static void
judge_virus(struct job *j)
{
	if (j->virus.status == VIRUS_FOUND)
		findings_add(&j->found, SYM_VIRUS, "%s", j->virus.name);
	else if (j->virus.status == VIRUS_FAILED)
		findings_add(&j->found, SYM_ANTIVIRUS_DOWN, "%s",
		    j->virus.name);
}
