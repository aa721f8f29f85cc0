/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "scand/scand.h"

/*
 * The answer map of a message.  What the stub has kept from earlier messages
 * is there at once; the rest is asked for together.
 */

struct answers_count	 answers_count;

static struct answer	 gone = { .status = DNS_TIMEOUT, .refs = 1 };

static struct answer_slot *answers_note(struct answers *, const char *,
			    enum dns_type);
static void		 answers_come(const struct dns_answer *, void *);
static void		 slot_give_up(struct answers *, struct answer_slot *);
static struct answer	*answer_copy(const struct dns_answer *);
static void		 answer_release(struct answer *);
static size_t		 answer_size(const struct dns_answer *);

void
answers_init(struct answers *a, uint64_t due, void (*changed)(void *),
    void *arg)
{
	a->n = a->wanted = a->open = 0;
	a->given_up = 0;
	a->due = due;
	a->changed = changed;
	a->arg = arg;
}

const struct answer *
answers_get(struct answers *a, const char *name, enum dns_type type)
{
	struct answer_slot *s;
	size_t i;

	for (i = 0; i < a->n; i++) {
		s = a->slots[i];
		if (s->type == type && strcmp(s->name, name) == 0)
			return s->answer;
	}
	if ((s = answers_note(a, name, type)) == NULL) {
		a->given_up++;
		answers_count.given_up++;
		return &gone;
	}
	return s->answer;
}

/* A slot for a name that is asked for the first time. */
static struct answer_slot *
answers_note(struct answers *a, const char *name, enum dns_type type)
{
	static struct dns_answer known;
	struct answer_slot *s, **grown;
	size_t size;

	if (a->n == LIM_ANSWERS || *name == '\0')
		return NULL;
	if (a->n == a->size) {
		size = a->size == 0 ? 16 : a->size * 2;
		grown = recallocarray(a->slots, a->size, size, sizeof(*grown));
		if (grown == NULL)
			return NULL;
		a->slots = grown;
		a->size = size;
	}
	/* Slots are kept from message to message. */
	if ((s = a->slots[a->n]) == NULL) {
		if ((s = calloc(1, sizeof(*s))) == NULL)
			return NULL;
		a->slots[a->n] = s;
	}
	if (strlcpy(s->name, name, sizeof(s->name)) >= sizeof(s->name))
		return NULL;
	s->type = type;
	s->map = a;
	s->question = NULL;
	s->answer = dns_known(name, type, &known) ? answer_copy(&known) :
	    NULL;
	a->n++;
	if (s->answer != NULL) {
		s->state = ANSWER_HERE;
		answers_count.cached++;
	} else {
		s->state = ANSWER_WANTED;
		a->wanted++;
	}
	return s;
}

size_t
answers_ask(struct answers *a)
{
	struct answer_slot *s;
	uint64_t now = loop_now();
	size_t i;

	for (i = 0; a->wanted > 0 && i < a->n; i++) {
		s = a->slots[i];
		if (s->state != ANSWER_WANTED)
			continue;
		a->wanted--;
		if (now < a->due)
			s->question = dns_ask(s->name, s->type, a->due - now,
			    answers_come, s);
		if (s->question == NULL) {
			slot_give_up(a, s);
			continue;
		}
		s->state = ANSWER_ASKED;
		a->open++;
		answers_count.asked++;
	}
	return a->open;
}

static void
answers_come(const struct dns_answer *d, void *arg)
{
	struct answer_slot *s = arg;
	struct answers *a = s->map;

	s->question = NULL;
	a->open--;
	answers_count.secure += d->security == DNS_SECURE;
	answers_count.bogus += d->security == DNS_BOGUS;
	if (d->status == DNS_TIMEOUT ||
	    (s->answer = answer_copy(d)) == NULL)
		slot_give_up(a, s);
	else
		s->state = ANSWER_HERE;
	a->changed(a->arg);
}

static void
slot_give_up(struct answers *a, struct answer_slot *s)
{
	s->state = ANSWER_HERE;
	s->answer = &gone;
	gone.refs++;
	a->given_up++;
	answers_count.given_up++;
}

void
answers_give_up(struct answers *a)
{
	struct answer_slot *s;
	size_t i;

	for (i = 0; i < a->n; i++) {
		s = a->slots[i];
		if (s->state == ANSWER_HERE)
			continue;
		dns_cancel(s->question);
		s->question = NULL;
		slot_give_up(a, s);
	}
	a->wanted = a->open = 0;
	a->due = 0;
}

void
answers_free(struct answers *a)
{
	struct answer_slot *s;
	size_t i;

	for (i = 0; i < a->n; i++) {
		s = a->slots[i];
		dns_cancel(s->question);
		s->question = NULL;
		answer_release(s->answer);
		s->answer = NULL;
	}
	a->n = a->wanted = a->open = 0;
}

static size_t
answer_size(const struct dns_answer *d)
{
	size_t i, size = d->nrec * sizeof(d->rec[0]);

	for (i = 0; i < d->nrec; i++)
		size += d->rec[i].len;
	return size;
}

static struct answer *
answer_copy(const struct dns_answer *d)
{
	struct dns_record *rec;
	struct answer *a;
	uint8_t *data;
	size_t i;

	if ((a = malloc(sizeof(*a) + answer_size(d))) == NULL)
		return NULL;
	rec = (struct dns_record *)(a + 1);
	data = (uint8_t *)(rec + d->nrec);
	a->status = d->status;
	a->security = d->security;
	a->truncated = d->truncated;
	a->nrec = d->nrec;
	a->rec = rec;
	a->refs = 1;
	for (i = 0; i < d->nrec; i++) {
		rec[i].data = data;
		rec[i].len = d->rec[i].len;
		memcpy(data, d->rec[i].data, d->rec[i].len);
		data += d->rec[i].len;
	}
	return a;
}

static void
answer_release(struct answer *a)
{
	if (a != NULL && --a->refs == 0)
		free(a);
}

int
record_is(const struct dns_record *r, const char *name)
{
	return strlen(name) == r->len && memcmp(r->data, name, r->len) == 0;
}

int
record_text(const struct dns_record *r, size_t off, char *dst, size_t dstsize)
{
	size_t len;

	if (off > r->len || (len = r->len - off) >= dstsize ||
	    memchr(r->data + off, 0, len) != NULL)
		return -1;
	memcpy(dst, r->data + off, len);
	dst[len] = '\0';
	return 0;
}
