/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/envelope.h"
#include "common/message.h"
#include "common/protocol.h"
#include "regress/unit.h"

/*
 * The sealed file cannot be changed by anybody, ids are ordered and unique,
 * envelopes and verdicts survive their frames and refuse broken ones.
 */

static void
test_message(void)
{
	static const uint8_t	 abc[MESSAGE_HASH] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41,
		0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3,
		0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
		0x15, 0xad
	};
	uint8_t		 hash[MESSAGE_HASH];
	struct message	*m;
	char		 buf[8];
	int		 fd, plain;

	m = message_new();
	CHECK(m != NULL);
	CHECK_INT(message_write(m, "a", 1), 0);
	CHECK_INT(message_write(m, "bc", 2), 0);
	CHECK_INT((intmax_t)message_size(m), 3);
	fd = message_seal(m, hash);
	CHECK(fd != -1);
	CHECK(memcmp(hash, abc, sizeof(abc)) == 0);
	CHECK_INT(pread(fd, buf, sizeof(buf), 0), 3);
	CHECK(memcmp(buf, "abc", 3) == 0);
	CHECK_INT(message_check(fd, 3), 0);
	CHECK_INT(message_check(fd, 2), -1);
	CHECK_INT(pwrite(fd, "x", 1, 0), -1);
	CHECK_INT(ftruncate(fd, 0), -1);
	CHECK(mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	    MAP_FAILED);
	message_free(m);

	/* Any other file is refused, whoever sent it. */
	plain = open("/dev/null", O_RDONLY);
	CHECK_INT(message_check(plain, 0), -1);
	close(plain);
	plain = memfd_create("x", MFD_ALLOW_SEALING);
	CHECK_INT(message_check(plain, 0), -1);
	close(plain);
	message_free(NULL);
}

static void
test_large(void)
{
	static char	 piece[100000];
	uint8_t		 one[MESSAGE_HASH], two[MESSAGE_HASH];
	struct message	*m;
	struct hash	*h;
	struct stat	 st;
	size_t		 i, n;
	int		 fd;

	for (i = 0; i < sizeof(piece); i++)
		piece[i] = (char)(i % 251);
	m = message_new();
	h = hash_new();
	for (i = 0, n = 0; n < 3000000; i++) {
		size_t	 len = i * 977 % sizeof(piece);

		CHECK_INT(message_write(m, piece, len), 0);
		hash_add(h, piece, len);
		n += len;
	}
	fd = message_seal(m, one);
	hash_final(h, two);
	CHECK(memcmp(one, two, sizeof(one)) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (off_t)n);
	message_free(m);
}

static void
test_ids(void)
{
	char	 last[ID_SIZE] = "", id[ID_SIZE];
	int	 i, order = 0;

	id_init("mail-in01.example.net");
	for (i = 0; i < 20000; i++) {
		id_new(id);
		if (!id_valid(id) || strncmp(last, id, 9) > 0 ||
		    strcmp(last, id) == 0)
			order++;
		memcpy(last, id, sizeof(id));
	}
	CHECK_INT(order, 0);
	CHECK(!id_valid(""));
	CHECK(!id_valid("short"));
	CHECK(!id_valid("01hq3vbk2t7m9c4eX"));
	CHECK(!id_valid("../../etc/passwd"));
}

static struct envelope *
sample(void)
{
	struct envelope	*e = envelope_new();

	id_new(e->id);
	id_new(e->sid);
	e->time = 1700000000123;
	e->class = CLASS_RELAY;
	netaddr_parse(&e->client, "2001:db8::1");
	envelope_set(&e->sender, "a@b.example");
	envelope_set(&e->trace, "Received: x\r\n");
	e->flags = ENV_8BIT;
	e->size = 42;
	envelope_rcpt(e, "c@d.example", "rfc822;c@d.example", NOTIFY_NEVER);
	envelope_rcpt(e, "e@f.example", NULL, 0)->discard = 1;
	return e;
}

static void
test_envelope(void)
{
	struct envelope	*e = sample(), *d;
	struct ibuf	 w, r;
	size_t		 cut;
	int		 i, broken = 0;

	ibuf_init(&w);
	envelope_add(&w, e);
	ibuf_from(&r, w.p, w.len);
	d = envelope_parse(&r);
	CHECK(d != NULL && ibuf_get_end(&r) == 0);
	CHECK_STR(d->id, e->id);
	CHECK_STR(d->sender, "a@b.example");
	CHECK_STR(d->trace, "Received: x\r\n");
	CHECK_STR(d->helo, "");
	CHECK(netaddr_cmp(&d->client, &e->client) == 0);
	CHECK_INT((intmax_t)d->nrcpts, 2);
	CHECK_STR(d->rcpts[0].orcpt, "rfc822;c@d.example");
	CHECK(d->rcpts[1].orcpt == NULL && d->rcpts[1].discard == 1);
	envelope_free(d);
	for (cut = 0; cut < w.len; cut++) {
		ibuf_from(&r, w.p, cut);
		if ((d = envelope_parse(&r)) != NULL)
			broken++;
		envelope_free(d);
	}
	CHECK_INT(broken, 0);
	d = envelope_dup(e);
	CHECK(d != NULL && d->size == 42);
	for (i = 2; i < LIM_RCPTS; i++)
		CHECK(envelope_rcpt(d, "x@y.example", NULL, 0) != NULL);
	CHECK(envelope_rcpt(d, "x@y.example", NULL, 0) == NULL);
	envelope_free(d);
	envelope_free(e);
	ibuf_free(&w);
}

static void
test_verdict(void)
{
	struct verdict	 v, g;
	struct symbol_hit hits[2] = {
		{ "MISSING_DATE", 100, "" }, { "DNSBL", 250, "bl=127.0.0.2" }
	};
	struct ibuf	 w, r;
	size_t		 cut;
	int		 broken = 0;

	memset(&v, 0, sizeof(v));
	id_new(v.id);
	v.score = 350;
	v.nactions = 2;
	v.actions[1] = ACTION_REJECT;
	v.hits = hits;
	v.nhits = 2;
	ibuf_init(&w);
	verdict_add(&w, &v);
	ibuf_from(&r, w.p, w.len);
	CHECK_INT(verdict_parse(&r, &g), 0);
	CHECK_INT(ibuf_get_end(&r), 0);
	CHECK_INT(g.score, 350);
	CHECK_INT(g.actions[1], ACTION_REJECT);
	CHECK_STR(g.hits[1].detail, "bl=127.0.0.2");
	verdict_free(&g);
	for (cut = 0; cut < w.len; cut++) {
		ibuf_from(&r, w.p, cut);
		if (verdict_parse(&r, &g) == 0) {
			broken++;
			verdict_free(&g);
		}
	}
	CHECK_INT(broken, 0);
	ibuf_free(&w);
}

int
main(void)
{
	test_ids();
	test_message();
	test_large();
	test_envelope();
	test_verdict();
	return unit_end();
}
