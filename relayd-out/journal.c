/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "relayd-out/spool.h"

/*
 * The journal's lines and what they say together.  From it the schedule of a
 * million messages is back in memory without opening their files.
 *
 *	A id time size flags nrcpts <sender> domain... ~sum	accepted
 *	U id next attempts flags states ~sum			changed
 *	R id d|x ~sum				settled, or never ours
 *	S ~sum				all before this is on the disk
 *
 * Each line ends with a check sum of what stands before it, so that a torn or
 * damaged line is known.  journal_file.c has the file.
 */

static int	 line_whole(const char *, size_t, size_t *);
static int	 record_at(const struct journal_table *, size_t,
		    struct journal_record *);
static void	 line_end(struct text *, size_t);
static int	 word(const char **, const char *, const char **, size_t *);
static int	 word_num(const char **, const char *, uint64_t, uint64_t *);
static int	 parse_add(const char *, const char *, struct journal_record *);
static int	 parse_update(const char *, const char *,
		    struct journal_record *);
static int	 note_record(struct journal_table *,
		    const struct journal_record *, size_t);
static struct journal_entry *table_add(struct journal_table *, const char *);
static int	 table_index(struct journal_table *);
static uint32_t	*table_slot(const struct journal_table *, const char *);

static void
line_end(struct text *t, size_t start)
{
	char	 sum[SUM_SIZE];

	if (t->bad)
		return;
	text_sum(t->p + start, t->len - start, "", sum);
	text_add(t, " ", 1);
	text_add(t, sum, SUM_SIZE - 1);
	text_add(t, "\n", 1);
}

void
journal_print_add(struct text *t, const struct envelope *e)
{
	size_t	 start = t->len;

	text_add(t, "A ", 2);
	text_add(t, e->id, LIM_ID);
	text_add(t, " ", 1);
	text_num(t, e->time);
	text_add(t, " ", 1);
	text_num(t, e->size);
	text_add(t, " ", 1);
	text_num(t, loaded_flags(e));
	text_add(t, " ", 1);
	text_num(t, e->nrcpts);
	text_add(t, " <", 2);
	text_escape(t, e->sender, strlen(e->sender), TEXT_WORD);
	text_add(t, "> ", 2);
	loaded_domains(t, e);
	line_end(t, start);
}

void
journal_print_update(struct text *t, const struct update *u)
{
	size_t	 start = t->len;

	text_add(t, "U ", 2);
	text_add(t, u->id, LIM_ID);
	text_add(t, " ", 1);
	text_num(t, u->next);
	text_add(t, " ", 1);
	text_num(t, u->attempts);
	text_add(t, " ", 1);
	text_num(t, u->flags);
	text_add(t, " ", 1);
	text_str(t, u->state);
	line_end(t, start);
}

void
journal_print_remove(struct text *t, const char *id, int settled)
{
	size_t	 start = t->len;

	text_add(t, "R ", 2);
	text_add(t, id, LIM_ID);
	text_str(t, settled ? " d" : " x");
	line_end(t, start);
}

void
journal_print_synced(struct text *t)
{
	size_t	 start = t->len;

	text_add(t, "S", 1);
	line_end(t, start);
}

/* The next word of a line, without the blank behind it. */
static int
word(const char **pp, const char *end, const char **w, size_t *n)
{
	const char	*sp;

	if (*pp >= end)
		return -1;
	*w = *pp;
	if ((sp = memchr(*pp, ' ', (size_t)(end - *pp))) == NULL)
		sp = end;
	*n = (size_t)(sp - *pp);
	*pp = sp < end ? sp + 1 : end;
	return *n == 0 ? -1 : 0;
}

static int
word_num(const char **pp, const char *end, uint64_t max, uint64_t *out)
{
	const char	*w;
	uint64_t	 v = 0;
	size_t		 i, n;

	if (word(pp, end, &w, &n) == -1 || n > 19)
		return -1;
	for (i = 0; i < n; i++) {
		if (w[i] < '0' || w[i] > '9')
			return -1;
		v = v * 10 + (uint64_t)(w[i] - '0');
	}
	*out = v;
	return v > max ? -1 : 0;
}

static int
parse_add(const char *p, const char *end, struct journal_record *r)
{
	uint64_t	 flags, n;
	const char	*w;
	size_t		 len;

	if (word_num(&p, end, UINT64_MAX, &r->time) == -1 ||
	    word_num(&p, end, UINT64_MAX, &r->size) == -1 ||
	    word_num(&p, end, UINT8_MAX, &flags) == -1 ||
	    word_num(&p, end, LIM_RCPTS, &n) == -1 || n == 0 ||
	    word(&p, end, &w, &len) == -1)
		return -1;
	if (len < 2 || w[0] != '<' || w[len - 1] != '>')
		return -1;
	r->envflags = (uint8_t)flags;
	r->nrcpts = (uint16_t)n;
	r->sender = w + 1;
	r->senderlen = len - 2;
	r->domains = p;
	r->domainslen = (size_t)(end - p);
	while (n-- > 0)
		if (word(&p, end, &w, &len) == -1 || len > LIM_DOMAIN)
			return -1;
	return p == end ? 0 : -1;
}

static int
parse_update(const char *p, const char *end, struct journal_record *r)
{
	uint64_t	 attempts, flags;
	size_t		 i;

	if (word_num(&p, end, UINT64_MAX, &r->next) == -1 ||
	    word_num(&p, end, UINT32_MAX, &attempts) == -1 ||
	    word_num(&p, end, UINT8_MAX, &flags) == -1 ||
	    word(&p, end, &r->state, &r->statelen) == -1 || p != end ||
	    r->statelen > LIM_RCPTS)
		return -1;
	for (i = 0; i < r->statelen; i++)
		if (r->state[i] == '\0' || strchr("pdfx", r->state[i]) == NULL)
			return -1;
	r->attempts = (uint32_t)attempts;
	r->flags = (uint8_t)flags;
	return 0;
}

/* Does the line end in the sum of what stands before?  Its length without. */
static int
line_whole(const char *p, size_t n, size_t *len)
{
	char	 sum[SUM_SIZE];

	if (n < SUM_SIZE)
		return -1;
	*len = n - SUM_SIZE;
	text_sum(p, *len, "", sum);
	return p[*len] == ' ' &&
	    memcmp(p + *len + 1, sum, SUM_SIZE - 1) == 0 ? 0 : -1;
}

int
journal_parse(const char *p, size_t n, struct journal_record *r)
{
	const char	*end, *w;
	size_t		 len;
	char		 kind;

	memset(r, 0, sizeof(*r));
	if (line_whole(p, n, &len) == -1 || len == 0)
		return -1;
	end = p + len;
	kind = *p;
	if (kind == 'S' && len == 1) {
		r->kind = JOURNAL_SYNCED;
		return 0;
	}
	if (len < 2 || p[1] != ' ')
		return -1;
	p += 2;
	if (word(&p, end, &w, &len) == -1 || len != LIM_ID)
		return -1;
	memcpy(r->id, w, len);
	if (!id_valid(r->id))
		return -1;
	switch (kind) {
	case 'A':
		r->kind = JOURNAL_ADD;
		return parse_add(p, end, r);
	case 'U':
		r->kind = JOURNAL_UPDATE;
		return parse_update(p, end, r);
	case 'R':
		r->kind = JOURNAL_REMOVE;
		if (end - p != 1 || (*p != 'd' && *p != 'x'))
			return -1;
		r->settled = *p == 'd';
		return 0;
	}
	return -1;
}

int
journal_read(struct journal_table *t, const char *p, size_t n)
{
	struct journal_record	 r;
	const char		*lf;
	size_t			 i, off;

	memset(t, 0, sizeof(*t));
	t->p = p;
	for (off = 0; off < n; off = t->len) {
		if ((lf = memchr(p + off, '\n', n - off)) == NULL)
			break;		/* torn: never answered for */
		t->len = (size_t)(lf + 1 - p);
		if (journal_parse(p + off, t->len - 1 - off, &r) == -1) {
			t->damaged++;
			continue;
		}
		if (note_record(t, &r, off) == -1) {
			journal_table_free(t);
			errno = ENOMEM;
			return -1;
		}
	}
	/* What follows the last S may never have reached the disk. */
	for (i = t->n; i > t->synced; i--)
		t->v[i - 1].suspect = 1;
	return 0;
}

static int
note_record(struct journal_table *t, const struct journal_record *r,
    size_t off)
{
	struct journal_entry	*e;

	if (r->kind == JOURNAL_SYNCED) {
		t->synced = t->n;
		return 0;
	}
	e = journal_find(t, r->id);
	switch (r->kind) {
	case JOURNAL_ADD:
		if (e == NULL && (e = table_add(t, r->id)) == NULL)
			return -1;
		t->live += !e->live;
		e->live = 1;
		e->add = off;
		e->update = SIZE_MAX;
		break;
	case JOURNAL_UPDATE:
		if (e != NULL && e->live)
			e->update = off;
		break;
	default:
		/* Also one whose beginning was compacted away. */
		if (e == NULL && (e = table_add(t, r->id)) == NULL)
			return -1;
		t->live -= e->live;
		e->live = 0;
		e->settled = (uint8_t)r->settled;
		e->update = off;
		break;
	}
	return 0;
}

static struct journal_entry *
table_add(struct journal_table *t, const char *id)
{
	struct journal_entry	*e;
	size_t			 size;

	if (t->n == t->size) {
		size = t->size == 0 ? 256 : t->size * 2;
		if (size >= UINT32_MAX || (e = recallocarray(t->v, t->size,
		    size, sizeof(*e))) == NULL)
			return NULL;
		t->v = e;
		t->size = size;
		if (table_index(t) == -1)
			return NULL;
	}
	e = &t->v[t->n];
	memcpy(e->id, id, sizeof(e->id));
	*table_slot(t, id) = (uint32_t)++t->n;
	return e;
}

/* An index at most half full for all entries that the table has room for. */
static int
table_index(struct journal_table *t)
{
	size_t	 i;

	free(t->index);
	t->nindex = t->size * 2;
	if ((t->index = calloc(t->nindex, sizeof(*t->index))) == NULL)
		return -1;
	for (i = 0; i < t->n; i++)
		*table_slot(t, t->v[i].id) = (uint32_t)i + 1;
	return 0;
}

static uint32_t *
table_slot(const struct journal_table *t, const char *id)
{
	size_t	 i = 0, k;

	for (k = 0; k < LIM_ID; k++)
		i = (i ^ (uint8_t)id[k]) * 16777619U;
	i = (i ^ i >> 15) & (t->nindex - 1);
	while (t->index[i] != 0 &&
	    memcmp(t->v[t->index[i] - 1].id, id, LIM_ID) != 0)
		i = (i + 1) & (t->nindex - 1);
	return &t->index[i];
}

struct journal_entry *
journal_find(struct journal_table *t, const char *id)
{
	uint32_t	 i;

	if (t->nindex == 0 || (i = *table_slot(t, id)) == 0)
		return NULL;
	return &t->v[i - 1];
}

int
journal_note(struct journal_table *t, const char *id)
{
	struct journal_entry	*e;

	if ((e = journal_find(t, id)) == NULL &&
	    (e = table_add(t, id)) == NULL)
		return -1;
	e->live = 1;
	return 0;
}

void
journal_table_free(struct journal_table *t)
{
	free(t->v);
	free(t->index);
	memset(t, 0, sizeof(*t));
}

/* The record that begins at off. */
static int
record_at(const struct journal_table *t, size_t off, struct journal_record *r)
{
	const char	*lf;

	if ((lf = memchr(t->p + off, '\n', t->len - off)) == NULL)
		return -1;
	return journal_parse(t->p + off, (size_t)(lf - t->p) - off, r);
}

int
journal_loaded(const struct journal_table *t, const struct journal_entry *e,
    struct loaded *l)
{
	struct journal_record	 r;

	memset(l, 0, sizeof(*l));
	memcpy(l->id, e->id, sizeof(l->id));
	if (!e->live)
		return 0;
	l->live = 1;
	if (record_at(t, e->add, &r) == -1 || text_unescape(r.sender,
	    r.senderlen, l->sender, sizeof(l->sender)) == -1)
		return -1;
	l->time = r.time;
	l->size = r.size;
	l->envflags = r.envflags;
	l->nrcpts = r.nrcpts;
	memset(l->state, RCPT_PENDING, l->nrcpts);
	if ((l->domains = strndup(r.domains, r.domainslen)) == NULL)
		return -1;
	if (e->update == SIZE_MAX || record_at(t, e->update, &r) == -1 ||
	    r.statelen != l->nrcpts)
		return 0;
	l->next = r.next;
	l->attempts = r.attempts;
	l->flags = r.flags;
	memcpy(l->state, r.state, r.statelen);
	return 0;
}
