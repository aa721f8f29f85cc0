/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "relayd-out/spool.h"

/*
 * Reads what envfile.c has printed.  The accepted part must be perfect; the
 * blocks behind it count when they are.
 */

/* What is being read. */
struct reader {
	struct stored	*s;
	struct envelope	*e;
	struct text	 trace;
	int		 head;		/* first line seen */
	int		 ended;		/* the accepted part is whole */
	int		 inblock;
	const char	*start;		/* of what the next sum is over */
	struct rcpt	*rcpt;		/* the last one */
	/* A block, until its end has come. */
	uint64_t	 next;
	uint32_t	 attempts;
	uint8_t		 flags;
	char		 state[LIM_RCPTS + 1];
	char		*last[LIM_RCPTS];
};

typedef int reader_fn(struct reader *, const char *, size_t);

static reader_fn read_id, read_sid, read_time, read_class, read_client,
	    read_ret, read_flags, read_size, read_hash, read_trace,
	    read_rcpt, read_orcpt, read_notify, read_discard, read_ignore,
	    block_update, block_attempts, block_next, block_flags, block_state;

struct key {
	const char	*name;
	reader_fn	*fn;
};

static const struct key accepted_keys[] = {
	{ "id", read_id },
	{ "sid", read_sid },
	{ "time", read_time },
	{ "date", read_ignore },
	{ "class", read_class },
	{ "client", read_client },
	{ "ret", read_ret },
	{ "flags", read_flags },
	{ "size", read_size },
	{ "sha256", read_hash },
	{ "trace", read_trace },
	{ "rcpt", read_rcpt },
	{ "orcpt", read_orcpt },
	{ "notify", read_notify },
	{ "discard", read_discard },
};

static const struct key block_keys[] = {
	{ "update", block_update },
	{ "date", read_ignore },
	{ "attempts", block_attempts },
	{ "next", block_next },
	{ "flags", block_flags },
	{ "state", block_state },
};

static int	 parse_words(const struct word *, const char *, size_t,
		    unsigned *);
static int	 parse_num(const char *, size_t, uint64_t *);
static int	 parse_string(char **, size_t, const char *, size_t);
static int	 parse_line(struct reader *, const char *, size_t);
static int	 parse_value(struct reader *, const char *, size_t,
		    const char *, size_t);
static int	 key_is(const char *, const char *, size_t);
static int	 block_end(struct reader *, const char *);
static void	 block_reset(struct reader *);

struct stored *
envfile_parse(const uint8_t *buf, size_t n)
{
	struct reader	 r;
	struct stored	*s = NULL;
	const char	*p = (const char *)buf, *end = p + n, *lf;

	memset(&r, 0, sizeof(r));
	if ((r.s = calloc(1, sizeof(*r.s))) == NULL ||
	    (r.e = r.s->env = envelope_new()) == NULL)
		goto out;
	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (parse_line(&r, p, (size_t)(lf - p)) == -1)
			goto out;
		p = lf + 1;
	}
	if (!r.ended)
		goto out;
	s = r.s;
	r.s = NULL;

out:
	block_reset(&r);
	text_free(&r.trace);
	stored_free(r.s);
	return s;
}

/*
 * The accepted part must be perfect.  Behind it stand blocks, and a line that
 * makes no sense spoils only the block that it is in.
 */
static int
parse_line(struct reader *r, const char *p, size_t n)
{
	const char	*value;
	size_t		 len;

	if (!r->head) {
		r->head = 1;
		r->start = p;
		return n == strlen(ENVFILE_HEAD) &&
		    memcmp(p, ENVFILE_HEAD, n) == 0 ? 0 : -1;
	}
	if (n == 3 + SUM_SIZE && memcmp(p, "end ", 4) == 0)
		return block_end(r, p);
	if (n > 7 && memcmp(p, "update:", 7) == 0)
		r->start = p;
	if ((value = memchr(p, ':', n)) != NULL) {
		len = (size_t)(value++ - p);
		n -= len + 1;
		if (n > 0 && *value == ' ') {
			value++;
			n--;
		}
		if (parse_value(r, p, len, value, n) == 0)
			return 0;
	}
	if (!r->ended)
		return -1;
	r->inblock = 0;
	return 0;
}

static int
key_is(const char *name, const char *key, size_t keylen)
{
	return strlen(name) == keylen && memcmp(name, key, keylen) == 0;
}

static int
parse_value(struct reader *r, const char *key, size_t keylen, const char *p,
    size_t n)
{
	const struct key	*keys = r->ended ? block_keys : accepted_keys;
	const struct envfile_string *s;
	size_t			 i, nkeys;

	nkeys = r->ended ? sizeof(block_keys) / sizeof(*block_keys) :
	    sizeof(accepted_keys) / sizeof(*accepted_keys);
	for (i = 0; i < nkeys; i++)
		if (key_is(keys[i].name, key, keylen))
			return keys[i].fn(r, p, n);
	for (i = 0; i < ENVFILE_STRINGS && !r->ended; i++) {
		s = &envfile_strings[i];
		if (key_is(s->name, key, keylen))
			return parse_string((char **)(void *)((char *)r->e +
			    s->offset), s->max, p, n);
	}
	return -1;
}

/* "end" at p: the accepted part, or a block, is whole. */
static int
block_end(struct reader *r, const char *p)
{
	struct stored	*s = r->s;
	char		 sum[SUM_SIZE];
	size_t		 i;

	text_sum(r->start, (size_t)(p - r->start), r->e->id, sum);
	if (memcmp(p + 4, sum, SUM_SIZE - 1) != 0) {
		r->inblock = 0;
		return r->ended ? 0 : -1;
	}
	if (!r->ended) {
		r->ended = 1;
		if (!id_valid(r->e->id) || r->e->nrcpts == 0)
			return -1;
		text_add(&r->trace, "", 1);
		if (r->trace.bad || r->trace.len > LIM_TRACE + 1 ||
		    strlen(r->trace.p) + 1 != r->trace.len ||
		    envelope_set(&r->e->trace, r->trace.p) == -1)
			return -1;
		for (i = 0; i < r->e->nrcpts; i++)
			s->state[i] = r->e->rcpts[i].discard ?
			    RCPT_DISCARDED : RCPT_PENDING;
		return 0;
	}
	if (!r->inblock)
		return 0;
	s->next = r->next;
	s->attempts = r->attempts;
	s->flags = r->flags;
	for (i = 0; i < r->e->nrcpts; i++) {
		if (r->state[i] != '\0')
			s->state[i] = r->state[i];
		if (r->last[i] != NULL) {
			free(s->last[i]);
			s->last[i] = r->last[i];
			r->last[i] = NULL;
		}
	}
	block_reset(r);
	return 0;
}

static void
block_reset(struct reader *r)
{
	size_t	 i;

	for (i = 0; i < LIM_RCPTS; i++) {
		free(r->last[i]);
		r->last[i] = NULL;
	}
	memset(r->state, 0, sizeof(r->state));
	r->inblock = 0;
}

static int
parse_num(const char *p, size_t n, uint64_t *out)
{
	uint64_t	 v = 0;
	size_t		 i;

	if (n == 0 || n > 19)
		return -1;
	for (i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*out = v;
	return 0;
}

static int
parse_words(const struct word *words, const char *p, size_t n, unsigned *out)
{
	const struct word	*w;
	size_t			 len;

	for (*out = 0; n > 0; p += len, n -= len) {
		for (len = 0; len < n && p[len] != ' '; len++)
			;
		for (w = words; w->name != NULL; w++)
			if (strlen(w->name) == len &&
			    memcmp(w->name, p, len) == 0)
				break;
		if (w->name == NULL)
			return -1;
		*out |= w->value;
		if (len < n)
			len++;
	}
	return 0;
}

/* An escaped value of at most max octets into a new string. */
static int
parse_string(char **member, size_t max, const char *p, size_t n)
{
	char	*s;

	if (n > 4 * max || (s = malloc(n + 1)) == NULL)
		return -1;
	if (text_unescape(p, n, s, n + 1) == -1 || strlen(s) > max) {
		free(s);
		return -1;
	}
	free(*member);
	*member = s;
	return 0;
}

static int
read_ignore(struct reader *r, const char *p, size_t n)
{
	(void)r;
	(void)p;
	(void)n;
	return 0;
}

static int
read_id(struct reader *r, const char *p, size_t n)
{
	return text_unescape(p, n, r->e->id, sizeof(r->e->id));
}

static int
read_sid(struct reader *r, const char *p, size_t n)
{
	return text_unescape(p, n, r->e->sid, sizeof(r->e->sid));
}

static int
read_time(struct reader *r, const char *p, size_t n)
{
	return parse_num(p, n, &r->e->time);
}

static int
read_class(struct reader *r, const char *p, size_t n)
{
	unsigned	 c;

	for (c = 0; c <= CLASS_CLUSTER; c++)
		if (strlen(class_name(c)) == n &&
		    memcmp(class_name(c), p, n) == 0) {
			r->e->class = c;
			return 0;
		}
	return -1;
}

static int
read_client(struct reader *r, const char *p, size_t n)
{
	char	 buf[NETADDR_STRLEN];

	if (text_unescape(p, n, buf, sizeof(buf)) == -1)
		return -1;
	return netaddr_parse(&r->e->client, buf);
}

static int
read_ret(struct reader *r, const char *p, size_t n)
{
	unsigned	 v;

	if (parse_words(envfile_ret, p, n, &v) == -1 || v > RET_HDRS)
		return -1;
	r->e->ret = v;
	return 0;
}

static int
read_flags(struct reader *r, const char *p, size_t n)
{
	unsigned	 v;

	if (parse_words(envfile_flags, p, n, &v) == -1)
		return -1;
	r->e->flags = (uint8_t)v;
	return 0;
}

static int
read_size(struct reader *r, const char *p, size_t n)
{
	return parse_num(p, n, &r->e->size);
}

static int
read_hash(struct reader *r, const char *p, size_t n)
{
	static const char	 hex[] = "0123456789abcdef";
	const char		*d;
	size_t			 i;

	if (n != 2 * MESSAGE_HASH)
		return -1;
	memset(r->e->hash, 0, sizeof(r->e->hash));
	for (i = 0; i < n; i++) {
		if (p[i] == '\0' || (d = strchr(hex, p[i])) == NULL)
			return -1;
		r->e->hash[i / 2] |= (uint8_t)((d - hex) << (i % 2 ? 0 : 4));
	}
	return 0;
}

static int
read_trace(struct reader *r, const char *p, size_t n)
{
	char	*s = NULL;

	if (parse_string(&s, LIM_TRACE, p, n) == -1)
		return -1;
	text_str(&r->trace, s);
	text_str(&r->trace, "\r\n");
	free(s);
	return r->trace.len > LIM_TRACE ? -1 : 0;
}

static int
read_rcpt(struct reader *r, const char *p, size_t n)
{
	char	 buf[LIM_PATH + 1];

	if (text_unescape(p, n, buf, sizeof(buf)) == -1)
		return -1;
	r->rcpt = envelope_rcpt(r->e, buf, NULL, 0);
	return r->rcpt == NULL ? -1 : 0;
}

static int
read_orcpt(struct reader *r, const char *p, size_t n)
{
	if (r->rcpt == NULL)
		return -1;
	return parse_string(&r->rcpt->orcpt, LIM_ORCPT, p, n);
}

static int
read_notify(struct reader *r, const char *p, size_t n)
{
	unsigned	 v;

	if (r->rcpt == NULL || parse_words(envfile_notify, p, n, &v) == -1)
		return -1;
	r->rcpt->notify = (uint8_t)v;
	return 0;
}

static int
read_discard(struct reader *r, const char *p, size_t n)
{
	if (r->rcpt == NULL || n != 3 || memcmp(p, "yes", 3) != 0)
		return -1;
	r->rcpt->discard = 1;
	return 0;
}

static int
block_update(struct reader *r, const char *p, size_t n)
{
	uint64_t	 when;

	block_reset(r);
	if (parse_num(p, n, &when) == -1)
		return -1;
	r->inblock = 1;
	return 0;
}

static int
block_attempts(struct reader *r, const char *p, size_t n)
{
	uint64_t	 v;

	if (parse_num(p, n, &v) == -1 || v > UINT32_MAX)
		return -1;
	r->attempts = (uint32_t)v;
	return 0;
}

static int
block_next(struct reader *r, const char *p, size_t n)
{
	return parse_num(p, n, &r->next);
}

static int
block_flags(struct reader *r, const char *p, size_t n)
{
	unsigned	 v;

	if (parse_words(envfile_entry, p, n, &v) == -1)
		return -1;
	r->flags = (uint8_t)v;
	return 0;
}

/* "3 delivered mx.example[192.0.2.1]: 250 2.0.0 ok" */
static int
block_state(struct reader *r, const char *p, size_t n)
{
	const struct word	*w;
	const char		*sp;
	uint64_t		 i;
	size_t			 len;

	if ((sp = memchr(p, ' ', n)) == NULL ||
	    parse_num(p, (size_t)(sp - p), &i) == -1 || i >= r->e->nrcpts)
		return -1;
	n -= (size_t)(sp + 1 - p);
	p = sp + 1;
	for (len = 0; len < n && p[len] != ' '; len++)
		;
	for (w = envfile_states; w->name != NULL; w++)
		if (strlen(w->name) == len && memcmp(w->name, p, len) == 0)
			break;
	if (w->name == NULL)
		return -1;
	r->state[i] = (char)w->value;
	if (len + 1 < n)
		return parse_string(&r->last[i], 2 * LIM_REPLY, p + len + 1,
		    n - len - 1);
	return 0;
}
