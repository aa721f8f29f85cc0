/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/envelope.h"
#include "common/protocol.h"

/*
 * The envelope and its way through a frame: make, copy, send, parse, free.
 */

static int	 parse_rcpts(struct ibuf *, struct envelope *);

const char *
class_name(enum session_class c)
{
	static const char *const	 names[] = {
		[CLASS_INBOUND] = "inbound",
		[CLASS_RELAY] = "relay",
		[CLASS_CLUSTER] = "cluster",
	};

	return (size_t)c < sizeof(names) / sizeof(names[0]) ? names[c] : "?";
}

struct envelope *
envelope_new(void)
{
	struct envelope	*e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	if (envelope_set(&e->helo, "") == -1 ||
	    envelope_set(&e->rdns, "") == -1 ||
	    envelope_set(&e->tls, "") == -1 ||
	    envelope_set(&e->participant, "") == -1 ||
	    envelope_set(&e->sender, "") == -1 ||
	    envelope_set(&e->envid, "") == -1 ||
	    envelope_set(&e->trace, "") == -1) {
		envelope_free(e);
		return NULL;
	}
	return e;
}

void
envelope_free(struct envelope *e)
{
	size_t	 i;

	if (e == NULL)
		return;
	for (i = 0; i < e->nrcpts; i++) {
		free(e->rcpts[i].address);
		free(e->rcpts[i].orcpt);
	}
	free(e->rcpts);
	free(e->helo);
	free(e->rdns);
	free(e->tls);
	free(e->participant);
	free(e->sender);
	free(e->envid);
	free(e->trace);
	free(e);
}

int
envelope_set(char **member, const char *value)
{
	char	*s;

	if ((s = strdup(value)) == NULL)
		return -1;
	free(*member);
	*member = s;
	return 0;
}

struct rcpt *
envelope_rcpt(struct envelope *e, const char *address, const char *orcpt,
    uint8_t notify)
{
	struct rcpt	*r;

	if (e->nrcpts >= LIM_RCPTS)
		return NULL;
	r = recallocarray(e->rcpts, e->nrcpts, e->nrcpts + 1, sizeof(*r));
	if (r == NULL)
		return NULL;
	e->rcpts = r;
	r = &e->rcpts[e->nrcpts];
	if ((r->address = strdup(address)) == NULL)
		return NULL;
	if (orcpt != NULL && (r->orcpt = strdup(orcpt)) == NULL) {
		free(r->address);
		r->address = NULL;
		return NULL;
	}
	r->notify = notify;
	e->nrcpts++;
	return r;
}

struct envelope *
envelope_dup(const struct envelope *e)
{
	struct envelope	*c;
	struct ibuf	 b, r;

	ibuf_init(&b);
	envelope_add(&b, e);
	ibuf_from(&r, b.p, b.len);
	c = b.bad ? NULL : envelope_parse(&r);
	ibuf_free(&b);
	return c;
}

void
envelope_add(struct ibuf *b, const struct envelope *e)
{
	size_t	 i;

	ibuf_add_raw(b, e->id, sizeof(e->id));
	ibuf_add_raw(b, e->sid, sizeof(e->sid));
	ibuf_add_u64(b, e->time);
	ibuf_add_u8(b, (uint8_t)e->class);
	netaddr_add(b, &e->client);
	ibuf_add_str(b, e->helo);
	ibuf_add_str(b, e->rdns);
	ibuf_add_str(b, e->tls);
	ibuf_add_str(b, e->participant);
	ibuf_add_str(b, e->sender);
	ibuf_add_str(b, e->envid);
	ibuf_add_u8(b, (uint8_t)e->ret);
	ibuf_add_u8(b, e->flags);
	ibuf_add_u64(b, e->size);
	ibuf_add_raw(b, e->hash, sizeof(e->hash));
	ibuf_add_str(b, e->trace);
	ibuf_add_u16(b, (uint16_t)e->nrcpts);
	for (i = 0; i < e->nrcpts; i++) {
		ibuf_add_str(b, e->rcpts[i].address);
		ibuf_add_str(b, e->rcpts[i].orcpt);
		ibuf_add_u8(b, e->rcpts[i].notify);
		ibuf_add_u8(b, e->rcpts[i].discard);
	}
}

struct envelope *
envelope_parse(struct ibuf *b)
{
	struct envelope	*e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	ibuf_get_raw(b, e->id, sizeof(e->id));
	ibuf_get_raw(b, e->sid, sizeof(e->sid));
	e->time = ibuf_get_u64(b);
	e->class = ibuf_get_u8(b);
	netaddr_get(b, &e->client);
	e->helo = ibuf_get_strdup(b, LIM_HELO);
	e->rdns = ibuf_get_strdup(b, LIM_DOMAIN);
	e->tls = ibuf_get_strdup(b, 128);
	e->participant = ibuf_get_strdup(b, LIM_DOMAIN);
	e->sender = ibuf_get_strdup(b, LIM_PATH);
	e->envid = ibuf_get_strdup(b, LIM_ENVID);
	e->ret = ibuf_get_u8(b);
	e->flags = ibuf_get_u8(b);
	e->size = ibuf_get_u64(b);
	ibuf_get_raw(b, e->hash, sizeof(e->hash));
	e->trace = ibuf_get_strdup(b, LIM_TRACE);
	if (b->bad || !id_valid(e->id) || e->sid[LIM_SID] != '\0' ||
	    (unsigned)e->class > CLASS_CLUSTER ||
	    (unsigned)e->ret > RET_HDRS || parse_rcpts(b, e) == -1) {
		b->bad = 1;
		envelope_free(e);
		return NULL;
	}
	return e;
}

static int
parse_rcpts(struct ibuf *b, struct envelope *e)
{
	struct rcpt	*r;
	uint16_t	 i, n;

	n = ibuf_get_u16(b);
	if (b->bad || n > LIM_RCPTS)
		return -1;
	if (n != 0 && (e->rcpts = calloc(n, sizeof(*r))) == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		r = &e->rcpts[i];
		e->nrcpts++;
		r->address = ibuf_get_strdup(b, LIM_PATH);
		r->orcpt = ibuf_get_strdup(b, LIM_ORCPT);
		r->notify = ibuf_get_u8(b);
		r->discard = ibuf_get_u8(b);
		if (b->bad)
			return -1;
		if (*r->orcpt == '\0') {
			free(r->orcpt);
			r->orcpt = NULL;
		}
	}
	return 0;
}
