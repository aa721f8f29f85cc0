/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/io_private.h"
#include "common/message.h"
#include "regress/unit.h"

/* Plain connections; the other end is a bare socket in the same process. */

struct side {
	struct io	*io;
	char		 events[64];	/* a letter each */
	char		 lines[1024];	/* what io_line gave */
	size_t		 total;		/* octets consumed */
	int		 mode;		/* what the callback does */
	char		 until;		/* stop the loop at this event */
};
enum { M_LINES, M_EAT, M_IGNORE, M_FREE, M_PAUSE, M_ECHO };

static struct timer	 limit;

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

/* Run the loop for at most ms, or until a side has seen what it waits for. */
static void
run(unsigned ms)
{
	timer_set(&limit, ms);
	loop_run();
	timer_stop(&limit);
}

static void
get_lines(struct side *s)
{
	char *line;
	size_t len;
	int r, bare;

	while ((r = io_line(s->io, 20, &line, &len, &bare)) != 0) {
		if (r == 1 && strlen(line) == len) {
			strlcat(s->lines, line, sizeof(s->lines));
			strlcat(s->lines, bare ? "!" : "|", sizeof(s->lines));
		} else
			strlcat(s->lines, r == 1 ? "NUL|" : "LONG|",
			    sizeof(s->lines));
		if (s->mode == M_PAUSE) {
			io_pause(s->io);
			break;
		}
	}
}

static void
callback(struct io *io, enum io_event event, void *arg)
{
	struct side *s = arg;
	const uint8_t *p;
	size_t n;
	char c = "cTdltex"[event];

	n = strlen(s->events);
	if (n < sizeof(s->events) - 1) {
		s->events[n] = c;
		s->events[n + 1] = '\0';
	}
	if (c == s->until)
		loop_stop();
	if (s->mode == M_FREE) {
		io_free(io);
		io_free(io);
		s->io = NULL;
		return;
	}
	if (event != IO_DATA || s->mode == M_IGNORE)
		return;
	if (s->mode == M_LINES || s->mode == M_PAUSE) {
		get_lines(s);
		return;
	}
	p = io_peek(io, &n);
	if (s->mode == M_ECHO)
		CHECK_INT(io_write(io, p, n), 0);
	io_consume(io, n);
	s->total += n;
}

static void
pair(int sv[2])
{
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
}

static void
side(struct side *s, int fd, int mode, char until)
{
	memset(s, 0, sizeof(*s));
	s->mode = mode;
	s->until = until;
	s->io = io_new(fd, callback, s);
	CHECK(s->io != NULL);
}

static void
put(int fd, const char *text)
{
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
}

static size_t
drain(int fd)
{
	static char buf[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += (size_t)n;
	return total;
}

static void
test_lines(void)
{
	struct side s;
	int sv[2];
	char big[3000];

	pair(sv);
	side(&s, sv[0], M_LINES, 0);
	put(sv[1], "one\r\ntw");
	run(20);
	CHECK_STR(s.lines, "one|");
	CHECK_INT(io_pending(s.io), 2);
	put(sv[1], "o\r");
	run(20);
	put(sv[1], "\nbare\nlone\rcr\r\n\r\n");
	run(20);
	CHECK_STR(s.lines, "one|two|bare!lone\rcr!|");
	CHECK_INT(io_pending(s.io), 0);

	/* a long line, in pieces: nothing of it is kept, told once */
	s.lines[0] = '\0';
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	put(sv[1], big);
	run(20);
	CHECK_INT(io_pending(s.io), 0);
	put(sv[1], big);
	run(20);
	CHECK_STR(s.lines, "");
	put(sv[1], "\r\nok\r\n");
	run(20);
	CHECK_STR(s.lines, "LONG|ok|");
	CHECK_INT(write(sv[1], "a\0b\r\n", 5), 5);
	run(20);
	CHECK_STR(s.lines, "LONG|ok|NUL|");

	/* the rest of a line without its end, then the end of all */
	put(sv[1], "rest");
	close(sv[1]);
	s.until = 'e';
	run(500);
	CHECK_INT(io_pending(s.io), 4);
	CHECK(strstr(s.events, "de") != NULL);
	CHECK_STR(s.lines, "LONG|ok|NUL|");
	io_free(s.io);
}

static void
test_pause(void)
{
	struct side s;
	int sv[2];

	pair(sv);
	side(&s, sv[0], M_PAUSE, 0);
	put(sv[1], "a\r\nb\r\nc\r\n");
	run(20);
	CHECK_STR(s.lines, "a|");
	put(sv[1], "d\r\n");
	run(20);
	CHECK_STR(s.lines, "a|");
	io_resume(s.io);
	CHECK_STR(s.lines, "a|");
	run(20);
	CHECK_STR(s.lines, "a|b|");
	s.mode = M_LINES;
	io_resume(s.io);
	run(20);
	CHECK_STR(s.lines, "a|b|c|d|");

	/* nobody consumes: 32 KiB and no more are taken off the socket */
	s.mode = M_IGNORE;
	while (write(sv[1], s.lines, sizeof(s.lines)) > 0)
		continue;
	run(30);
	CHECK(io_pending(s.io) > 30000);
	CHECK(io_pending(s.io) <= 32768);
	s.mode = M_EAT;
	s.total = io_pending(s.io);
	io_consume(s.io, s.total);
	run(50);
	CHECK_INT(s.total % sizeof(s.lines), 0);
	CHECK(s.total > 32768);
	CHECK_INT(io_pending(s.io), 0);
	io_free(s.io);
	close(sv[1]);
}

static void
test_gather(void)
{
	struct side s;
	int sv[2], i;
	char buf[8192];

	/* a record socket keeps the borders of writes */
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv),
	    0);
	side(&s, sv[0], M_EAT, 'l');
	for (i = 0; i < 1000; i++)
		CHECK_INT(io_printf(s.io, "%04d\r\n", i), 0);
	CHECK_INT(io_queued(s.io), 6000);
	CHECK_INT(read(sv[1], buf, sizeof(buf)), -1);
	run(500);
	CHECK_INT(read(sv[1], buf, sizeof(buf)), 6000);
	CHECK_INT(read(sv[1], buf, sizeof(buf)), -1);
	CHECK_INT(io_queued(s.io), 0);
	CHECK_STR(s.events, "l");

	memset(buf, 'y', 5000);
	buf[5000] = '\0';
	CHECK_INT(io_printf(s.io, "%s", buf), 0);
	run(500);
	CHECK_INT(read(sv[1], buf, sizeof(buf)), 5000);
	io_free(s.io);
	close(sv[1]);
}

static int
file(const char *text, size_t n)
{
	FILE *f;
	int fd = -1;

	if ((f = tmpfile()) != NULL) {
		fd = dup(fileno(f));
		fclose(f);
	}
	CHECK_INT(write(fd, text, n), n);
	return fd;
}

static void
test_file(void)
{
	static char text[3 * 40000], got[4 * 40000 + 100];
	static const char dot[3] = { '.', '\r', '\n' };
	static const char want[] = "head\r\n..a\r\nb\r\n.....\r\n.\r\n";
	uint8_t sum[MESSAGE_HASH], sum2[MESSAGE_HASH];
	struct hash *h;
	struct side s;
	size_t i, total;
	ssize_t n;
	int sv[2], fd;

	pair(sv);
	side(&s, sv[0], M_EAT, 'l');
	fd = file("XX.a\r\nb\r\n....\r\nYY", 17);
	h = hash_new();
	io_write(s.io, "head\r\n", 6);
	CHECK_INT(io_file(s.io, fd, 2, 13, 1, h), 0);
	CHECK_INT(io_file(s.io, fd, 0, 0, 1, h), 0);
	io_write(s.io, ".\r\n", 3);
	run(500);
	n = read(sv[1], got, sizeof(got));
	got[n < 0 ? 0 : n] = '\0';
	CHECK_STR(got, want);
	hash_final(h, sum);
	h = hash_new();
	hash_add(h, ".a\r\nb\r\n....\r\n", 13);
	hash_final(h, sum2);
	CHECK(memcmp(sum, sum2, sizeof(sum)) == 0);

	/* undotted */
	CHECK_INT(io_file(s.io, fd, 2, 13, 0, NULL), 0);
	run(500);
	n = read(sv[1], got, sizeof(got));
	CHECK_INT(n, 13);
	close(fd);

	/* the worst there is, to a reader that is slow */
	for (i = 0; i < sizeof(text); i += 3)
		memcpy(text + i, dot, 3);
	fd = file(text, sizeof(text));
	CHECK_INT(io_file(s.io, fd, 0, sizeof(text), 1, NULL), 0);
	for (total = 0, i = 0; i < 1000; i++) {
		run(1);
		n = read(sv[1], got + total, 5000);
		if (n <= 0)
			break;
		total += (size_t)n;
	}
	CHECK_INT(total, 4 * 40000);
	CHECK(i > 10);
	for (i = 0; i < total; i += 4)
		if (memcmp(got + i, "..\r\n", 4) != 0)
			break;
	CHECK_INT(i, total);
	CHECK_INT(io_queued(s.io), 0);

	/* a file that is not as long as it should be */
	s.events[0] = '\0';
	s.until = 'x';
	CHECK_INT(io_file(s.io, fd, 10, sizeof(text), 0, NULL), 0);
	for (i = 0; i < 100 && strchr(s.events, 'x') == NULL; i++) {
		run(1);
		drain(sv[1]);
	}
	CHECK_STR(io_error(s.io), "file is shorter than promised");
	CHECK_INT(io_write(s.io, "x", 1), -1);
	io_free(s.io);
	close(sv[1]);
	close(fd);
}

/* 1 MB out and back through an echo: both directions, with full sockets. */
static void
test_echo(void)
{
	static uint8_t chunk[100000];
	struct side a, b;
	int sv[2], i;

	pair(sv);
	side(&a, sv[0], M_EAT, 0);
	side(&b, sv[1], M_ECHO, 0);
	for (i = 0; i < 10; i++)
		CHECK_INT(io_write(a.io, chunk, sizeof(chunk)), 0);
	for (i = 0; i < 100 && a.total < 1000000; i++)
		run(10);
	CHECK_INT(a.total, 1000000);
	CHECK_INT(io_queued(a.io) + io_queued(b.io), 0);
	CHECK(strchr(a.events, 'l') != NULL);
	io_free(a.io);
	io_free(b.io);
}

static void
test_free(void)
{
	struct side s;
	int sv[2];

	/* inside each kind of callback */
	pair(sv);
	side(&s, sv[0], M_FREE, 'd');
	put(sv[1], "x");
	run(500);
	CHECK(s.io == NULL);
	CHECK_STR(s.events, "d");
	CHECK_INT(read(sv[1], s.lines, 1), 0);
	close(sv[1]);

	pair(sv);
	side(&s, sv[0], M_FREE, 'e');
	close(sv[1]);
	run(500);
	CHECK_STR(s.events, "e");

	pair(sv);
	side(&s, sv[0], M_FREE, 'l');
	io_write(s.io, "x", 1);
	run(500);
	CHECK_STR(s.events, "l");
	close(sv[1]);

	pair(sv);
	side(&s, sv[0], M_FREE, 't');
	io_timeout(s.io, 10);
	run(1000);
	CHECK_STR(s.events, "t");
	close(sv[1]);

	pair(sv);
	side(&s, sv[0], M_FREE, 'x');
	close(sv[1]);
	io_pause(s.io);
	io_write(s.io, "x", 1);
	run(500);
	CHECK_STR(s.events, "x");

	/* outside, with everything pending */
	pair(sv);
	side(&s, sv[0], M_LINES, 0);
	put(sv[1], "abc");
	run(20);
	io_write(s.io, "x", 1);
	io_pause(s.io);
	io_resume(s.io);
	io_timeout(s.io, 50);
	io_free(s.io);
	run(200);
	CHECK_STR(s.events, "d");
	io_free(NULL);
	close(sv[1]);
}

static void
test_timeout(void)
{
	struct side s;
	int sv[2], i;

	pair(sv);
	side(&s, sv[0], M_EAT, 't');
	io_timeout(s.io, 250);
	for (i = 0; i < 4; i++) {
		run(90);
		put(sv[1], "x");
	}
	CHECK(strchr(s.events, 't') == NULL);
	run(1000);
	CHECK(strchr(s.events, 't') != NULL);
	io_timeout(s.io, -1);
	s.events[0] = '\0';
	run(400);
	CHECK_STR(s.events, "");
	io_free(s.io);
	close(sv[1]);
}

static void
test_connect(void)
{
	struct sockaddr_in sin, from, peer;
	socklen_t len = sizeof(sin);
	struct side s;
	int l, fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from = sin;
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	l = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(bind(l, (struct sockaddr *)&sin, sizeof(sin)), 0);
	CHECK_INT(listen(l, 5), 0);
	CHECK_INT(getsockname(l, (struct sockaddr *)&sin, &len), 0);

	memset(&s, 0, sizeof(s));
	s.mode = M_LINES;
	s.until = 'd';
	s.io = io_connect((struct sockaddr *)&sin, sizeof(sin),
	    (struct sockaddr *)&from, sizeof(from), callback, &s);
	CHECK(s.io != NULL);
	/* before it is connected: kept and sent then */
	io_write(s.io, "early\r\n", 7);
	io_timeout(s.io, 2000);
	memset(&peer, 0, sizeof(peer));
	len = sizeof(peer);
	fd = accept(l, (struct sockaddr *)&peer, &len);
	CHECK(fd != -1);
	CHECK_INT(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK + 1);
	put(fd, "220 hi\r\n");
	run(1000);
	CHECK_STR(s.lines, "220 hi|");
	CHECK(s.events[0] == 'c');
	CHECK_INT(recv(fd, s.lines, sizeof(s.lines), MSG_DONTWAIT), 7);
	io_free(s.io);
	close(fd);

	/* nobody there any more */
	close(l);
	memset(&s, 0, sizeof(s));
	s.until = 'x';
	s.io = io_connect((struct sockaddr *)&sin, sizeof(sin), NULL, 0,
	    callback, &s);
	CHECK(s.io != NULL);
	run(1000);
	CHECK_STR(s.events, "x");
	CHECK_STR(io_error(s.io), strerror(ECONNREFUSED));
	io_free(s.io);

	/* an address that is not ours */
	from.sin_addr.s_addr = htonl(0xc0000201);
	errno = 0;
	CHECK(io_connect((struct sockaddr *)&sin, sizeof(sin),
	    (struct sockaddr *)&from, sizeof(from), callback, &s) == NULL);
	CHECK_INT(errno, EADDRNOTAVAIL);
}

#define IDLE 200

/* The bound: an idle plain connection costs well under 1 KiB here. */
static void
test_idle(void)
{
	static struct side s[IDLE];
	static int sv[IDLE][2];
	int i;

	CHECK(sizeof(struct io) <= 320);
	for (i = 0; i < IDLE; i++) {
		pair(sv[i]);
		side(&s[i], sv[i][0], M_LINES, 0);
		io_timeout(s[i].io, 300000);
		io_write(s[i].io, "220 hello\r\n", 11);
		put(sv[i][1], "EHLO x\r\n");
	}
	run(20);
	for (i = 0; i < IDLE; i++) {
		CHECK_STR(s[i].lines, "EHLO x|");
		/* nothing but the struct is left of it */
		CHECK(s[i].io->in == NULL && TAILQ_EMPTY(&s[i].io->out) &&
		    s[i].io->wev == NULL);
		io_free(s[i].io);
		close(sv[i][1]);
	}
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	loop_init();
	timer_init(&limit, stop, NULL);
	test_lines();
	test_pause();
	test_gather();
	test_file();
	test_echo();
	test_free();
	test_timeout();
	test_connect();
	test_idle();
	return unit_end();
}
