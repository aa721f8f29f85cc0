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
static size_t		 held;		/* octets, see answers_held() */
/* Those with open questions. */
static TAILQ_HEAD(, answers) waiting = TAILQ_HEAD_INITIALIZER(waiting);

static const struct answer *answers_look(struct answers *, const char *,
			    enum dns_type, unsigned);
static struct answer_slot *answers_note(struct answers *, const char *,
			    uint32_t, enum dns_type, unsigned);
static struct answer_slot *slot_new(const char *);
static void		 slot_free(struct answer_slot *);
static uint64_t		 slot_ask(struct answers *, struct answer_slot *,
			    uint64_t);
static void		 answers_listed(struct answers *);
static void		 answers_come(const struct dns_answer *, void *);
static void		 slot_give_up(struct answers *, struct answer_slot *);
static struct answer	*answer_copy(const struct dns_answer *);
static void		 answer_release(struct answer *);
static size_t		 answer_size(const struct dns_answer *);

void
answers_init(struct answers *a, uint64_t due, void (*changed)(void *),
    void *arg)
{
	static uint64_t serial;

	a->n = a->wanted = a->open = 0;
	a->given_up = 0;
	a->due = due;
	a->changed = changed;
	a->arg = arg;
	a->listed = 0;
	a->serial = ++serial;
}

const struct answer *
answers_get(struct answers *a, const char *name, enum dns_type type)
{
	return answers_look(a, name, type, BREAKER_DNS);
}

const struct answer *
answers_get_list(struct answers *a, const struct config_dnsbl *l,
    const char *name)
{
	return answers_look(a, name, DNS_A, l->index);
}

static const struct answer *
answers_look(struct answers *a, const char *name, enum dns_type type,
    unsigned breaker)
{
	struct answer_slot *s;
	const char *p;
	uint32_t hash = 2166136261U;	/* FNV-1a */
	size_t i;

	for (p = name; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	for (i = 0; i < a->n; i++) {
		s = a->slots[i];
		if (s->hash == hash && s->type == type &&
		    strcmp(s->name, name) == 0)
			return s->answer;
	}
	if ((s = answers_note(a, name, hash, type, breaker)) == NULL) {
		a->given_up++;
		answers_count.given_up++;
		return &gone;
	}
	return s->answer;
}

/* A slot for a name that is asked for the first time. */
static struct answer_slot *
answers_note(struct answers *a, const char *name, uint32_t hash,
    enum dns_type type, unsigned breaker)
{
	static struct dns_answer known;
	struct answer_slot *s, **grown;
	size_t size;

	if (a->n == LIM_ANSWERS || *name == '\0' ||
	    strlen(name) >= DNS_NAME || held > LIM_ANSWERS_HELD)
		return NULL;
	if (a->n == a->size) {
		size = a->size == 0 ? 16 : a->size * 2;
		grown = recallocarray(a->slots, a->size, size, sizeof(*grown));
		if (grown == NULL)
			return NULL;
		a->slots = grown;
		a->size = size;
	}
	if ((s = slot_new(name)) == NULL)
		return NULL;
	a->slots[a->n] = s;
	s->hash = hash;
	s->type = type;
	s->breaker = breaker;
	s->map = a;
	s->question = NULL;
	s->answer = dns_known(name, type, &known) ? answer_copy(&known) :
	    NULL;
	a->n++;
	if (s->answer != NULL) {
		s->state = ANSWER_HERE;
		answers_count.cached++;
	} else if (breaker != BREAKER_DNS && !breaker_waits(breaker)) {
		breaker_test(breaker, name, type, loop_now());
		slot_give_up(a, s);
	} else {
		s->state = ANSWER_WANTED;
		a->wanted++;
	}
	return s;
}

static struct answer_slot *
slot_new(const char *name)
{
	struct answer_slot *s;
	size_t size = sizeof(*s) + strlen(name) + 1;

	if ((s = calloc(1, size)) == NULL)
		return NULL;
	memcpy(s->name, name, size - sizeof(*s));
	held += size;
	return s;
}

static void
slot_free(struct answer_slot *s)
{
	answer_release(s->answer);
	held -= sizeof(*s) + strlen(s->name) + 1;
	free(s);
}

size_t
answers_held(void)
{
	return held;
}

size_t
answers_ask(struct answers *a)
{
	struct answer_slot *s;
	uint64_t now = loop_now(), ms;
	size_t i;

	for (i = 0; a->wanted > 0 && i < a->n; i++) {
		s = a->slots[i];
		if (s->state != ANSWER_WANTED)
			continue;
		a->wanted--;
		if ((ms = slot_ask(a, s, now)) > 0)
			s->question = dns_ask(s->name, s->type, ms,
			    answers_come, s);
		if (s->question == NULL) {
			slot_give_up(a, s);
			continue;
		}
		s->state = ANSWER_ASKED;
		a->open++;
		answers_count.asked++;
	}
	answers_listed(a);
	return a->open;
}

/*
 * How long it may be waited for.  While DNS as such does not answer that is
 * not long; not at all would let three messages that ask for nothing but dead
 * names have the next one judged blindly.
 */
static uint64_t
slot_ask(struct answers *a, struct answer_slot *s, uint64_t now)
{
	uint64_t ms;

	if (now >= a->due)
		return 0;
	ms = a->due - now;
	s->asked = now;
	breaker_asked(BREAKER_DNS, a->serial, now);
	if (s->breaker != BREAKER_DNS)
		breaker_asked(s->breaker, a->serial, now);
	if (breaker_waits(BREAKER_DNS))
		return ms;
	breaker_test(BREAKER_DNS, s->name, s->type, now);
	return ms < LIM_DNS_GRACE_MS ? ms : LIM_DNS_GRACE_MS;
}

/* Among those that wait, or not. */
static void
answers_listed(struct answers *a)
{
	if (a->open > 0 && !a->listed)
		TAILQ_INSERT_TAIL(&waiting, a, entry);
	else if (a->open == 0 && a->listed)
		TAILQ_REMOVE(&waiting, a, entry);
	a->listed = a->open > 0;
}

void
answers_release(unsigned breaker)
{
	struct answers *a, *next;
	struct answer_slot *s;
	uint64_t now = loop_now();
	size_t i, n;

	TAILQ_FOREACH_SAFE(a, &waiting, entry, next) {
		for (i = n = 0; i < a->n; i++) {
			s = a->slots[i];
			if (s->state != ANSWER_ASKED ||
			    (breaker == BREAKER_DNS ?
			    now - s->asked < LIM_DNS_GRACE_MS :
			    s->breaker != breaker))
				continue;
			dns_cancel(s->question);
			s->question = NULL;
			slot_give_up(a, s);
			a->open--;
			n++;
		}
		answers_listed(a);
		if (n > 0)
			a->changed(a->arg);
	}
}

static void
answers_come(const struct dns_answer *d, void *arg)
{
	struct answer_slot *s = arg;
	struct answers *a = s->map;

	s->question = NULL;
	a->open--;
	answers_listed(a);
	breaker_answered(BREAKER_DNS, d->status, s->asked, loop_now());
	if (s->breaker != BREAKER_DNS)
		breaker_answered(s->breaker, d->status, s->asked, loop_now());
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
	answers_listed(a);
}

void
answers_free(struct answers *a)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		dns_cancel(a->slots[i]->question);
		slot_free(a->slots[i]);
	}
	free(a->slots);
	a->slots = NULL;
	a->n = a->size = a->wanted = a->open = 0;
	answers_listed(a);
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
	size_t i, size = sizeof(*a) + answer_size(d);

	if ((a = malloc(size)) == NULL)
		return NULL;
	a->size = size;
	held += size;
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
	if (a == NULL || --a->refs > 0)
		return;
	held -= a->size;
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
