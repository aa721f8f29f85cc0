/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "relayd-out/relayd-out.h"

/*
 * Payloads of the verbs between queue, spool and deliver: each type with its
 * functions to add, parse and free.
 */

#define NOTE_MAX	(LIM_REPLY + HOP_KEY + NETADDR_STRLEN + 16)

static int	 states_valid(const char *, size_t);
static char	*get_optional(struct ibuf *, size_t);

/* Exactly n letters that we know. */
static int
states_valid(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "pdfx") == n;
}

/* A string of which "" means none. */
static char *
get_optional(struct ibuf *b, size_t max)
{
	char	*s;

	if ((s = ibuf_get_strdup(b, max)) != NULL && *s == '\0') {
		free(s);
		s = NULL;
	}
	return s;
}

void
stored_add(struct ibuf *b, const struct stored *s)
{
	size_t	 i;

	envelope_add(b, s->env);
	ibuf_add_u64(b, s->next);
	ibuf_add_u32(b, s->attempts);
	ibuf_add_u8(b, s->flags);
	ibuf_add_str(b, s->state);
	for (i = 0; i < s->env->nrcpts; i++)
		ibuf_add_str(b, s->last[i]);
}

struct stored *
stored_parse(struct ibuf *b)
{
	struct stored	*s;
	size_t		 i;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->env = envelope_parse(b)) == NULL)
		goto fail;
	s->next = ibuf_get_u64(b);
	s->attempts = ibuf_get_u32(b);
	s->flags = ibuf_get_u8(b);
	ibuf_get_str(b, s->state, sizeof(s->state));
	for (i = 0; i < s->env->nrcpts && !b->bad; i++)
		s->last[i] = get_optional(b, NOTE_MAX);
	if (b->bad || !states_valid(s->state, s->env->nrcpts))
		goto fail;
	return s;

fail:
	b->bad = 1;
	stored_free(s);
	return NULL;
}

void
stored_free(struct stored *s)
{
	size_t	 i;

	if (s == NULL)
		return;
	envelope_free(s->env);
	for (i = 0; i < LIM_RCPTS; i++)
		free(s->last[i]);
	free(s);
}

void
update_add(struct ibuf *b, const struct update *u)
{
	size_t	 i, n = strlen(u->state);

	ibuf_add_raw(b, u->id, sizeof(u->id));
	ibuf_add_u64(b, u->next);
	ibuf_add_u32(b, u->attempts);
	ibuf_add_u8(b, u->flags);
	ibuf_add_str(b, u->state);
	for (i = 0; i < n; i++)
		ibuf_add_str(b, u->note[i]);
}

int
update_parse(struct ibuf *b, struct update *u)
{
	size_t	 i, n;

	memset(u, 0, sizeof(*u));
	ibuf_get_raw(b, u->id, sizeof(u->id));
	u->next = ibuf_get_u64(b);
	u->attempts = ibuf_get_u32(b);
	u->flags = ibuf_get_u8(b);
	ibuf_get_str(b, u->state, sizeof(u->state));
	n = strlen(u->state);
	for (i = 0; i < n && !b->bad; i++)
		u->note[i] = get_optional(b, NOTE_MAX);
	if (b->bad || !id_valid(u->id) || !states_valid(u->state, n)) {
		update_free(u);
		return -1;
	}
	return 0;
}

void
update_free(struct update *u)
{
	size_t	 i;

	for (i = 0; i < LIM_RCPTS; i++) {
		free(u->note[i]);
		u->note[i] = NULL;
	}
}

void
loaded_add(struct ibuf *b, const struct loaded *l)
{
	ibuf_add_u8(b, l->live);
	ibuf_add_raw(b, l->id, sizeof(l->id));
	if (!l->live)
		return;
	ibuf_add_u64(b, l->time);
	ibuf_add_u64(b, l->size);
	ibuf_add_u64(b, l->next);
	ibuf_add_u32(b, l->attempts);
	ibuf_add_u8(b, l->flags);
	ibuf_add_u8(b, l->envflags);
	ibuf_add_u16(b, l->nrcpts);
	ibuf_add_str(b, l->sender);
	ibuf_add_str(b, l->state);
	ibuf_add_str(b, l->domains);
}

int
loaded_parse(struct ibuf *b, struct loaded *l)
{
	memset(l, 0, sizeof(*l));
	l->live = ibuf_get_u8(b);
	ibuf_get_raw(b, l->id, sizeof(l->id));
	if (b->bad || !id_valid(l->id))
		return -1;
	if (!l->live)
		return 0;
	l->time = ibuf_get_u64(b);
	l->size = ibuf_get_u64(b);
	l->next = ibuf_get_u64(b);
	l->attempts = ibuf_get_u32(b);
	l->flags = ibuf_get_u8(b);
	l->envflags = ibuf_get_u8(b);
	l->nrcpts = ibuf_get_u16(b);
	ibuf_get_str(b, l->sender, sizeof(l->sender));
	ibuf_get_str(b, l->state, sizeof(l->state));
	l->domains = ibuf_get_strdup(b, LOADED_DOMAINS);
	if (b->bad || l->nrcpts > LIM_RCPTS ||
	    !states_valid(l->state, l->nrcpts)) {
		loaded_free(l);
		return -1;
	}
	return 0;
}

void
loaded_free(struct loaded *l)
{
	free(l->domains);
	l->domains = NULL;
}

uint8_t
loaded_flags(const struct envelope *e)
{
	return e->flags | (e->class == CLASS_INBOUND ? LOADED_INBOUND : 0);
}

void
loaded_domains(struct text *t, const struct envelope *e)
{
	char		 last[LIM_PATH + 1] = "", folded[LIM_PATH + 1];
	const char	*d;
	size_t		 i;

	for (i = 0; i < e->nrcpts; i++) {
		if (i != 0)
			text_add(t, " ", 1);
		if (e->rcpts[i].discard) {
			text_add(t, "-", 1);
			continue;
		}
		d = NULL;
		if (address_fold(e->rcpts[i].address, folded,
		    sizeof(folded)) == 0)
			d = address_domain(folded);
		if (d == NULL || *d == '\0' || strlen(d) > LIM_DOMAIN ||
		    strpbrk(d, " \t") != NULL)
			d = ".";
		if (strcmp(d, last) == 0)
			text_add(t, "=", 1);
		else {
			text_str(t, d);
			(void)strlcpy(last, d, sizeof(last));
		}
	}
}

void
result_add(struct ibuf *b, const struct result *r)
{
	size_t	 i;

	ibuf_add_raw(b, r->id, sizeof(r->id));
	ibuf_add_u8(b, r->verdict);
	ibuf_add_u8(b, r->broken);
	ibuf_add_str(b, r->remote);
	ibuf_add_u16(b, (uint16_t)r->n);
	for (i = 0; i < r->n; i++) {
		ibuf_add_u16(b, r->v[i].index);
		ibuf_add_u8(b, r->v[i].status);
		ibuf_add_u8(b, r->v[i].dsn);
		ibuf_add_str(b, r->v[i].code);
		ibuf_add_str(b, r->v[i].text);
	}
}

int
result_parse(struct ibuf *b, struct result *r)
{
	size_t	 i, n;

	memset(r, 0, sizeof(*r));
	ibuf_get_raw(b, r->id, sizeof(r->id));
	r->verdict = ibuf_get_u8(b);
	r->broken = ibuf_get_u8(b);
	ibuf_get_str(b, r->remote, sizeof(r->remote));
	n = ibuf_get_u16(b);
	if (b->bad || !id_valid(r->id) || n > LIM_RCPTS ||
	    r->verdict > HOP_UNTOUCHED)
		return -1;
	for (i = 0; i < n; i++) {
		r->v[i].index = ibuf_get_u16(b);
		r->v[i].status = ibuf_get_u8(b);
		r->v[i].dsn = ibuf_get_u8(b);
		ibuf_get_str(b, r->v[i].code, sizeof(r->v[i].code));
		r->v[i].text = ibuf_get_strdup(b, NOTE_MAX);
		r->n++;
		if (b->bad || r->v[i].index >= LIM_RCPTS ||
		    r->v[i].status > OUTCOME_FAILED) {
			result_free(r);
			return -1;
		}
	}
	return 0;
}

void
result_free(struct result *r)
{
	size_t	 i;

	for (i = 0; i < r->n; i++)
		free(r->v[i].text);
	r->n = 0;
}
