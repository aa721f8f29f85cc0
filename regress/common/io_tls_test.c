/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <tls.h>
#include <unistd.h>

#include "common/io.h"
#include "common/limits.h"
#include "common/message.h"
#include "common/tls.h"
#include "regress/common/testcert.h"
#include "regress/unit.h"

/* TLS connections between two ios, and what goes wrong with them. */

struct side {
	struct io	*io;
	char		 events[4096];
	size_t		 total;
	uint8_t		 last;		/* octet */
	int		 quiet;		/* do not consume */
	char		 until;
	struct hash	*hash;
};

static struct timer		 limit;
static struct tls		*server;
static struct tls_config	*client;

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
run(unsigned ms)
{
	timer_set(&limit, ms);
	loop_run();
	timer_stop(&limit);
}

static void
callback(struct io *io, enum io_event event, void *arg)
{
	struct side *s = arg;
	const uint8_t *p;
	size_t n = strlen(s->events);
	char c = "cTdltex"[event];

	if (n < sizeof(s->events) - 1 && (n == 0 || s->events[n - 1] != c)) {
		s->events[n] = c;
		s->events[n + 1] = '\0';
	}
	if (c == s->until)
		loop_stop();
	if (event != IO_DATA || s->quiet)
		return;
	p = io_peek(io, &n);
	s->total += n;
	if (n > 0)
		s->last = p[n - 1];
	if (s->hash != NULL)
		hash_add(s->hash, p, n);
	io_consume(io, n);
}

static void
make(struct side *a, struct side *b)
{
	int sv[2];

	memset(a, 0, sizeof(*a));
	memset(b, 0, sizeof(*b));
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	a->io = io_new(sv[0], callback, a);
	b->io = io_new(sv[1], callback, b);
}

static void
shake(struct side *a, struct side *b)
{
	make(a, b);
	a->until = b->until = 'T';
	CHECK_INT(io_tls_accept(a->io, server), 0);
	CHECK_INT(io_tls_connect(b->io, client, "mx.example"), 0);
	CHECK_INT(io_is_tls(a->io), 0);
	run(2000);
	run(2000);
	CHECK_STR(a->events, "T");
	CHECK_STR(b->events, "T");
	a->until = b->until = 0;
}

static void
test_both_ways(void)
{
	struct side a, b;
	uint8_t sum[MESSAGE_HASH], sum2[MESSAGE_HASH];
	char info[64], *text;
	size_t i, size = 400000;
	struct hash *h;
	FILE *f;
	int fd;

	shake(&a, &b);
	CHECK_INT(io_is_tls(a.io), 1);
	io_tls_info(b.io, info, sizeof(info));
	CHECK(strncmp(info, "TLSv1.3 TLS_", 12) == 0);
	CHECK_STR(tls_conn_servername(io_tls(a.io)), "mx.example");
	CHECK(tls_peer_cert_contains_name(io_tls(b.io), "mx.example"));

	/* lines in front of and behind a file, dotted; octets the other way */
	text = malloc(size);
	for (i = 0; i < size; i++)
		text[i] = ".x\r\n"[i % 4];
	f = tmpfile();
	fd = fileno(f);
	CHECK_INT(write(fd, text, size), size);
	b.hash = hash_new();
	h = hash_new();
	hash_add(h, "head\r\n", 6);
	for (i = 0; i < size; i += 4)
		hash_add(h, "..x\r\n", 5);
	hash_add(h, ".\r\n", 3);
	io_printf(a.io, "head\r\n");
	CHECK_INT(io_file(a.io, fd, 0, size, 1, NULL), 0);
	io_printf(a.io, ".\r\n");
	CHECK_INT(io_write(b.io, text, size), 0);
	for (i = 0; i < 400 && (a.total < size ||
	    b.total < 9 + size / 4 * 5); i++)
		run(5);
	CHECK_INT(a.total, size);
	CHECK_INT(b.total, 9 + size / 4 * 5);
	hash_final(b.hash, sum);
	hash_final(h, sum2);
	CHECK(memcmp(sum, sum2, sizeof(sum)) == 0);
	b.hash = NULL;

	/* a reader that pauses: what is inside libtls must not be lost */
	io_pause(b.io);
	b.total = 0;
	io_write(a.io, text, 100000);
	run(30);
	CHECK_INT(b.total, 0);
	io_resume(b.io);
	for (i = 0; i < 100 && b.total < 100000; i++)
		run(5);
	CHECK_INT(b.total, 100000);
	/* and one that does not consume */
	b.quiet = 1;
	io_write(a.io, text, 100000);
	run(30);
	CHECK(io_pending(b.io) > 30000 && io_pending(b.io) <= 32768);
	b.quiet = 0;
	b.total = io_pending(b.io);
	io_consume(b.io, b.total);
	for (i = 0; i < 100 && b.total < 100000; i++)
		run(5);
	CHECK_INT(b.total, 100000);

	/* small writes with the other side in the way: "bad length" */
	io_pause(b.io);
	b.total = 0;
	for (i = 0; i < 3000; i++) {
		io_write(a.io, text, i % 777 + 1);
		if (i % 50 == 0)
			run(0);
	}
	size = io_queued(a.io);
	CHECK(size > 0);
	io_resume(b.io);
	for (i = 0; i < 400 && io_queued(a.io) > 0; i++)
		run(5);
	run(20);
	for (i = 0, size = 0; i < 3000; i++)
		size += i % 777 + 1;
	CHECK_INT(b.total, size);
	CHECK(strpbrk(a.events, "xe") == NULL);

	/* close_notify */
	b.until = 'e';
	io_free(a.io);
	run(1000);
	CHECK(strchr(b.events, 'e') != NULL);
	CHECK(strchr(b.events, 'x') == NULL);
	io_free(b.io);
	free(text);
	fclose(f);
}

static void
test_starttls(void)
{
	struct side a, b;

	/* the reply to STARTTLS leaves in plain text before the handshake */
	make(&a, &b);
	io_write(a.io, "220 go\r\n", 8);
	b.until = 'd';
	b.quiet = 1;
	CHECK_INT(io_tls_accept(a.io, server), 0);
	CHECK_INT(io_tls_accept(a.io, server), -1);
	run(1000);
	CHECK_INT(io_pending(b.io), 8);
	/* the client must have consumed it */
	CHECK_INT(io_tls_connect(b.io, client, "mx.example"), -1);
	CHECK_STR(io_error(b.io), "plain text behind STARTTLS");
	io_consume(b.io, 8);
	CHECK_INT(io_tls_connect(b.io, client, "mx.example"), 0);
	b.until = 'T';
	run(1000);
	run(100);
	CHECK_INT(io_is_tls(a.io), 1);
	CHECK_INT(io_is_tls(b.io), 1);
	io_free(a.io);
	io_free(b.io);

	/* commands behind STARTTLS */
	make(&a, &b);
	a.quiet = 1;
	a.until = 'd';
	io_write(b.io, "RSET\r\n", 6);
	run(1000);
	CHECK_INT(io_tls_accept(a.io, server), -1);
	CHECK_STR(io_error(a.io), "plain text behind STARTTLS");
	CHECK_INT(io_is_tls(a.io), 0);
	io_free(a.io);
	io_free(b.io);

	/* not a handshake at all */
	make(&a, &b);
	a.until = 'x';
	CHECK_INT(io_tls_accept(a.io, server), 0);
	io_write(b.io, "EHLO there this is no hello of TLS\r\n", 36);
	run(1000);
	CHECK_STR(a.events, "x");
	io_free(a.io);
	io_free(b.io);

	/* a handshake that does not come: limited as a whole */
	make(&a, &b);
	a.until = 'x';
	io_timeout(a.io, 200);
	CHECK_INT(io_tls_accept(a.io, server), 0);
	run(1000);
	CHECK_STR(a.events, "x");
	CHECK_STR(io_error(a.io), "TLS handshake timed out");
	io_free(a.io);
	io_free(b.io);

	/* freed in the middle of it */
	make(&a, &b);
	CHECK_INT(io_tls_accept(a.io, server), 0);
	CHECK_INT(io_tls_connect(b.io, client, NULL), 0);
	io_free(b.io);
	a.until = 'x';
	run(1000);
	CHECK_STR(a.events, "x");
	io_free(a.io);

	/* the time-out of the owner is back afterwards */
	shake(&a, &b);
	a.until = 't';
	io_timeout(a.io, 100);
	run(1000);
	CHECK_STR(a.events, "Tt");
	io_free(a.io);
	/* gone without close_notify is an error, not an end */
	io_free(b.io);
}

static void
test_pki(void)
{
	struct pki_pem pkis[2], bad;
	struct pem pem;
	struct side a, b;
	struct tls *two;
	char why[200];
	FILE *f;
	int fd;

	testcert("mx.example", &pkis[0]);
	testcert("other.example", &pkis[1]);
	two = pki_server(pkis, 2, why, sizeof(why));
	CHECK(two != NULL);
	make(&a, &b);
	a.until = b.until = 'T';
	CHECK_INT(io_tls_accept(a.io, two), 0);
	CHECK_INT(io_tls_connect(b.io, client, "other.example"), 0);
	run(1000);
	run(1000);
	CHECK(io_tls(b.io) != NULL &&
	    tls_peer_cert_contains_name(io_tls(b.io), "other.example"));
	io_free(a.io);
	io_free(b.io);
	tls_free(two);

	/* key of another certificate */
	bad.cert = pkis[0].cert;
	bad.key = pkis[1].key;
	why[0] = '\0';
	CHECK(pki_server(&bad, 1, why, sizeof(why)) == NULL);
	CHECK(why[0] != '\0');
	bad.key.text = (const uint8_t *)"garbage";
	bad.key.len = 7;
	CHECK(pki_server(&bad, 1, why, sizeof(why)) == NULL);
	bad.cert = bad.key;
	CHECK(pki_server(&bad, 1, why, sizeof(why)) == NULL);

	/* from a descriptor, wherever its offset is */
	f = tmpfile();
	fd = fileno(f);
	CHECK_INT(pem_map(&pem, fd), -1);
	CHECK_INT(write(fd, pkis[0].cert.text, pkis[0].cert.len),
	    pkis[0].cert.len);
	CHECK_INT(pem_map(&pem, fd), 0);
	CHECK_INT(pem.len, pkis[0].cert.len);
	CHECK(memcmp(pem.text, pkis[0].cert.text, pem.len) == 0);
	pem_unmap(&pem);
	pem_unmap(&pem);
	CHECK_INT(ftruncate(fd, LIM_PEM + 1), 0);
	CHECK_INT(pem_map(&pem, fd), -1);
	fclose(f);
}

int
main(void)
{
	struct pki_pem pki;
	char why[200];

	signal(SIGPIPE, SIG_IGN);
	loop_init();
	timer_init(&limit, stop, NULL);
	testcert("mx.example", &pki);
	server = pki_server(&pki, 1, why, sizeof(why));
	client = pki_client();
	CHECK(server != NULL && client != NULL);
	test_both_ways();
	test_starttls();
	test_pki();
	tls_free(server);
	tls_config_free(client);
	return unit_end();
}
