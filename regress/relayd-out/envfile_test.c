/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/relayd-out/sample.h"
#include "regress/unit.h"
#include "relayd-out/spool.h"

/* The envelope file: what is written is read, what is torn is known. */

static void
same_recipients(const struct envelope *r, const struct envelope *e)
{
	CHECK_INT((intmax_t)r->nrcpts, 3);
	CHECK_STR(r->rcpts[0].address, e->rcpts[0].address);
	CHECK_STR(r->rcpts[0].orcpt, e->rcpts[0].orcpt);
	CHECK_INT(r->rcpts[0].notify, e->rcpts[0].notify);
	CHECK_INT(r->rcpts[1].discard, 1);
	CHECK(r->rcpts[2].orcpt == NULL && r->rcpts[2].notify == 0);
}

static void
round_trip(void)
{
	struct envelope	*e = sample_envelope(3), *r;
	struct stored	*s;
	struct text	 t = { 0 };

	envfile_print(&t, e);
	CHECK(!t.bad);
	s = envfile_parse((const uint8_t *)t.p, t.len);
	CHECK(s != NULL);
	if (s == NULL)
		return;
	r = s->env;
	CHECK_STR(r->id, e->id);
	CHECK_STR(r->sid, e->sid);
	CHECK(r->time == e->time);
	CHECK_INT(r->class, e->class);
	CHECK(netaddr_cmp(&r->client, &e->client) == 0);
	CHECK_STR(r->helo, e->helo);
	CHECK_STR(r->rdns, e->rdns);
	CHECK_STR(r->tls, e->tls);
	CHECK_STR(r->participant, e->participant);
	CHECK_STR(r->sender, e->sender);
	CHECK_STR(r->envid, e->envid);
	CHECK_INT(r->ret, e->ret);
	CHECK_INT(r->flags, e->flags);
	CHECK(r->size == e->size);
	CHECK(memcmp(r->hash, e->hash, sizeof(r->hash)) == 0);
	CHECK_STR(r->trace, e->trace);
	same_recipients(r, e);
	CHECK_STR(s->state, "pxp");
	stored_free(s);
	text_free(&t);
	envelope_free(e);
}

/* Whatever is missing at the end, it is not taken for a message. */
static void
torn(void)
{
	struct envelope	*e = sample_envelope(2);
	struct stored	*s;
	struct text	 t = { 0 };
	size_t		 n, taken = 0;

	envfile_print(&t, e);
	for (n = 0; n < t.len; n++) {
		s = envfile_parse((const uint8_t *)t.p, n);
		taken += s != NULL;
		stored_free(s);
	}
	CHECK_INT((intmax_t)taken, 0);
	text_free(&t);
	envelope_free(e);
}

static const char *
state_of(const struct text *t)
{
	static char	 state[LIM_RCPTS + 1];
	struct stored	*s;

	s = envfile_parse((const uint8_t *)t->p, t->len);
	(void)strlcpy(state, s == NULL ? "none" : s->state, sizeof(state));
	stored_free(s);
	return state;
}

static void
updates(void)
{
	struct envelope	*e = sample_envelope(3);
	struct update	 u = { .next = 7000, .attempts = 2,
			    .flags = ENTRY_HELD | ENTRY_WARNED };
	struct stored	*s;
	struct text	 t = { 0 }, cut = { 0 };
	char		 note[] = "mx[192.0.2.1]: 451 4.7.1 \t\\ later\r\n";
	size_t		 whole, n;
	int		 odd = 0;

	envfile_print(&t, e);
	memcpy(u.id, e->id, sizeof(u.id));
	memcpy(u.state, "dxp", 4);
	u.note[2] = note;
	whole = t.len;
	envfile_update(&t, &u, 6000);
	s = envfile_parse((const uint8_t *)t.p, t.len);
	CHECK(s != NULL);
	if (s != NULL) {
		CHECK(s->next == 7000);
		CHECK_INT(s->attempts, 2);
		CHECK_INT(s->flags, ENTRY_HELD | ENTRY_WARNED);
		CHECK_STR(s->state, "dxp");
		CHECK_STR(s->last[2], note);
		CHECK(s->last[0] == NULL);
	}
	stored_free(s);

	/* A torn change is no change, and the next one counts again. */
	memcpy(u.state, "fxd", 4);
	for (n = whole; n < t.len; n++) {
		text_reset(&cut);
		text_add(&cut, t.p, n);
		odd += strcmp(state_of(&cut), "pxp") != 0;
		envfile_update(&cut, &u, 6001);
		odd += strcmp(state_of(&cut), "fxd") != 0;
	}
	CHECK_INT(odd, 0);
	text_free(&cut);
	text_free(&t);
	envelope_free(e);
}

/* Is this, with a right end behind it, an envelope? */
static int
accepted(const char *text)
{
	struct stored	*s;
	struct text	 t = { 0 };
	char		 sum[SUM_SIZE];
	int		 ok;

	text_str(&t, text);
	text_sum(t.p, t.len, "01hq3vbk2t7m9c4e", sum);
	text_fmt(&t, "end %s\n", sum);
	s = envfile_parse((const uint8_t *)t.p, t.len);
	ok = s != NULL;
	stored_free(s);
	text_free(&t);
	return ok;
}

static void
wrong(void)
{
#define HEAD	"pfoertner-envelope: 1\n"
#define ID	"id: 01hq3vbk2t7m9c4e\n"
	static const char *const texts[] = {
		"", "\n", HEAD, HEAD ID,
		"pfoertner-envelope: 2\n" ID "rcpt: a\n",
		HEAD "id: short\nrcpt: a\n",
		HEAD "id: 01hq3vbk2t7m9c4f\nrcpt: a\n",
		HEAD ID "rcpt: a\nsize: -1\n",
		HEAD ID "rcpt: a\nsender: \\x0\n",
		HEAD ID "rcpt: a\nwhat: x\n",
		HEAD ID "notify: never\nrcpt: a\n",
		HEAD ID "rcpt: a\nret: full headers\n",
	};
	static const char	 endless[] = HEAD ID "rcpt: a\nend\n";
	size_t			 i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK(!accepted(texts[i]));
	CHECK(accepted(HEAD ID "rcpt: a\n"));
	CHECK(envfile_parse((const uint8_t *)endless, strlen(endless)) ==
	    NULL);
}

/* What another message left behind in a file that is used again. */
static void
leftover(void)
{
	struct envelope	*e = sample_envelope(3);
	struct update	 u = { .next = 7000 };
	struct text	 t = { 0 };

	envfile_print(&t, e);
	memcpy(u.id, e->id, sizeof(u.id));
	u.id[15] = 'z';
	memcpy(u.state, "ddd", 4);
	envfile_update(&t, &u, 6000);
	CHECK_STR(state_of(&t), "pxp");
	text_free(&t);
	envelope_free(e);
}

static void
escapes(void)
{
	struct text	 t = { 0 };
	char		 all[256], back[256];
	int		 i;

	for (i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	text_escape(&t, all, 255, TEXT_WORD);
	CHECK(memchr(t.p, ' ', t.len) == NULL);
	CHECK(memchr(t.p, '\n', t.len) == NULL);
	CHECK_INT(text_unescape(t.p, t.len, back, sizeof(back)), 0);
	CHECK(memcmp(all, back, sizeof(all)) == 0);
	CHECK_INT(text_unescape(t.p, t.len, back, sizeof(back) - 1), -1);
	CHECK_INT(text_unescape("\\x0", 3, back, sizeof(back)), -1);
	CHECK_INT(text_unescape("\\x00", 4, back, sizeof(back)), -1);
	CHECK_INT(text_unescape("\\y41", 4, back, sizeof(back)), -1);
	text_free(&t);
}

static void
dates(void)
{
	char	 buf[TEXT_DATE];

	CHECK_STR(text_date(951782400000ULL, 0, buf),
	    "Tue, 29 Feb 2000 00:00:00 +0000");
	CHECK_STR(text_date(951782400000ULL, 1, buf), "2000-02-29T00:00:00Z");
}

int
main(void)
{
	round_trip();
	torn();
	updates();
	wrong();
	leftover();
	escapes();
	dates();
	return unit_end();
}
