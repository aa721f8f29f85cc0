/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <err.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/smtpd-front/fakes.h"
#include "regress/smtpd-front/harness.h"
#include "smtpd-front/smtpd-front.h"

/*
 * The client and its dialogue, see harness.h.
 */

#define WAIT_MS		2000
#define QUIET_MS	12

static const char	 base[] =
    "service \"mail-in.example.net\"\n"
    "node \"mx1.example.net\"\n"
    "contact \"https://mail-in.example.net/why\"\n"
    "network { 192.0.2.0/24 }\n"
    "cluster { 192.0.2.200/29 }\n"
    "listen on 192.0.2.1 port 2525\n"
    "antivirus builtin\n"
    "greylist at 4.0 delay 5m window 1d keep 36d\n"
    "reject at 8.0\n"
    "participant \"uni-a\" contact \"postmaster@uni-a.example\" {\n"
    "	domain { \"uni-a.example\", \"uni-b.example\" } deliver to "
    "192.0.2.10\n"
    "	domain \"strict.example\" deliver to 192.0.2.11 reject at 5.0\n"
    "	domain \"inside.example\" deliver to 192.0.2.201\n"
    "	relay from { 192.0.2.77 } limit 3/h\n"
    "	relay from { 192.0.2.78 }\n"
    "	discard \"noreply@uni-a.example\"\n"
    "	trap \"old.lists@uni-a.example\"\n"
    "}\n"
    "participant \"uni-c\" contact \"postmaster@uni-c.example\" {\n"
    "	domain \"uni-c.example\" deliver to 192.0.2.12\n"
    "}\n";

static int		 client = -1;
static struct event	*client_ev;
static char		*got;
static size_t		 got_len, got_size, got_off;
static int		 got_eof;
static unsigned		 failed, checked;
static const char	*test_name;
static size_t		 test_line;
static unsigned		 failed_before;
static size_t		 unescaped;

static void	 run_line(const char *);

void
complain(const char *what, const char *detail)
{
	failed++;
	printf("%s, line %zu: %s%s%s\n", test_name == NULL ? "-" : test_name,
	    test_line, what, detail == NULL ? "" : ": ",
	    detail == NULL ? "" : detail);
}

/* --- the client ---------------------------------------------------------- */

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

void
harness_wait(unsigned ms)
{
	struct timer	 t;

	timer_init(&t, stop, NULL);
	timer_set(&t, ms);
	loop_run();
	timer_free(&t);
}

static void
client_read(int fd, short what, void *arg)
{
	ssize_t	 n;

	(void)what;
	(void)arg;
	if (got_size - got_len < 4096) {
		got_size = got_size * 2 + 8192;
		if ((got = realloc(got, got_size)) == NULL)
			err(1, NULL);
	}
	n = read(fd, got + got_len, got_size - got_len - 1);
	if (n > 0)
		got_len += (size_t)n;
	else {
		got_eof = 1;
		(void)event_del(client_ev);
	}
	loop_stop();
}

void
harness_hangup(void)
{
	if (client == -1)
		return;
	event_free(client_ev);
	close(client);
	client = -1;
	harness_wait(5);
}

void
harness_connect(const char *addr)
{
	harness_early(addr, "");
}

void
harness_early(const char *addr, const char *text)
{
	struct netaddr	 a;
	int		 sp[2];

	harness_hangup();
	if (netaddr_parse(&a, addr) == -1)
		errx(1, "%s", addr);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    sp) == -1)
		err(1, "socketpair");
	client = sp[1];
	got_len = got_off = 0;
	got_eof = 0;
	client_ev = event_new(loop_base(), client, EV_READ | EV_PERSIST,
	    client_read, NULL);
	(void)event_add(client_ev, NULL);
	harness_send(text, strlen(text));
	session_new(sp[0], &a, NULL);
}

void
harness_send(const void *data, size_t n)
{
	const char	*p = data;
	ssize_t		 w;

	while (n > 0) {
		w = write(client, p, n);
		if (w == -1) {
			harness_wait(2);
			if (got_eof)
				return;
			continue;
		}
		p += w;
		n -= (size_t)w;
	}
}

const char *
harness_line_now(void)
{
	char	*eol, *line = got + got_off;

	if (got_off == got_len)
		return NULL;
	got[got_len] = '\0';
	if ((eol = strstr(line, "\r\n")) == NULL)
		return NULL;
	*eol = '\0';
	got_off = (size_t)(eol + 2 - got);
	return line;
}

const char *
harness_line(void)
{
	uint64_t	 until = clock_ms() + WAIT_MS;
	const char	*line;

	while ((line = harness_line_now()) == NULL && !got_eof &&
	    clock_ms() < until)
		harness_wait(50);
	return line;
}

int
harness_turn(void)
{
	size_t	 before = got_len;
	int	 i;

	for (i = 0; i < 8; i++)
		harness_wait(0);
	return got_len != before;
}

static void
expect(const char *pattern)
{
	const char	*line;

	checked++;
	if ((line = harness_line()) == NULL)
		complain(got_eof ? "hung up instead of" : "silence instead of",
		    pattern);
	else if (fnmatch(pattern, line, 0) != 0) {
		complain("expected", pattern);
		printf("    got: %s\n", line);
	}
}

static void
expect_end(const char *arg)
{
	uint64_t	 until = clock_ms() + WAIT_MS;

	(void)arg;
	checked++;
	while (!got_eof && clock_ms() < until)
		harness_wait(50);
	if (got_off < got_len) {
		got[got_len] = '\0';
		complain("more came", got + got_off);
	} else if (!got_eof)
		complain("not hung up", NULL);
}

static void
expect_quiet(const char *arg)
{
	(void)arg;
	checked++;
	harness_wait(QUIET_MS);
	harness_wait(1);
	if (got_off < got_len) {
		got[got_len] = '\0';
		complain("not quiet", got + got_off);
	}
}

/* As if this had been so long ago. */
static void
pass_time(unsigned seconds)
{
	struct session	*s;

	harness_wait(5);
	TAILQ_FOREACH(s, &front.sessions, entry) {
		s->since -= (uint64_t)seconds * 1000;
		if (s->transaction != NULL)
			s->transaction->window -= (uint64_t)seconds * 1000;
	}
	session_sweep();
}

static void
be_late(const char *arg)
{
	struct session	*s;
	struct timer	*t;

	(void)arg;
	TAILQ_FOREACH(s, &front.sessions, entry)
		if (s->transaction != NULL &&
		    timer_isset(&s->transaction->timer)) {
			t = &s->transaction->timer;
			timer_stop(t);
			t->fn(t->arg);
			return;
		}
	complain("nobody waits", NULL);
}

static void
line_send(const char *s)
{
	harness_send(s, strlen(s));
	harness_send("\r\n", 2);
}

static void
line_raw(const char *s)
{
	/* a NUL was written as \0 and stands behind the end of the text */
	harness_send(s, unescaped);
}

static void
line_half(const char *s)
{
	(void)s;
	harness_wait(5);
	(void)shutdown(client, SHUT_WR);
}

static void
line_time(const char *s)
{
	pass_time((unsigned)strtoul(s, NULL, 10));
}

static void
line_drain(const char *s)
{
	(void)s;
	session_drain(0);
}

static void
line_hurry(const char *s)
{
	(void)s;
	session_drain(1);
}

/* What comes again and again: lines with %s for the argument. */
static const struct {
	const char	*word, *lines;
} macros[] = {
	{ "hello", "C 192.0.2.9\nE 220 mx1.example.net ESMTP Pfoertner\n"
	    "S EHLO client.example\nE 250-mx1.example.net greets *\n"
	    "E 250-SIZE *\nE 250-PIPELINING\nE 250-8BITMIME\nE 250-SMTPUTF8\n"
	    "E 250-ENHANCEDSTATUSCODES\nE 250-DSN\nE 250 LIMITS RCPTMAX=*\n" },
	{ "helo", "C %\nE 220 *\nS HELO client.example\nE 250 *\n" },
	{ "mail", "S MAIL FROM:<a@b.example>\nE 250 2.1.0 *\n" },
	{ "rcpt", "S RCPT TO:<%>\nE 250 2.1.5 *\n" },
	{ "to", "mail\nrcpt %\n" },
	{ "data", "S DATA\nE 354 *\n" },
	{ "letter", "data\nR Subject: x\\r\\n\\r\\nhello\\r\\n.\\r\\n\n" },
	{ "id", "E % id ????????????????, https://mail-in.example.net/why\n" },
};

static const struct {
	const char	*word;
	void		(*run)(const char *);
} words[] = {
	{ "C", harness_connect }, { "S", line_send }, { "R", line_raw },
	{ "F", line_half }, { "E", expect }, { "X", expect_end },
	{ "Q", expect_quiet }, { "~", line_time }, { "late", be_late },
	{ "scan", fake_scan }, { "says", fake_says }, { "grey", fake_grey },
	{ "put", fake_put }, { "down", fake_lose }, { "up", fake_join },
	{ "answer", fake_answer }, { "drain", line_drain },
	{ "hurry", line_hurry },
};

/* In place; the length goes into unescaped, as there may be NULs. */
static void
unescape(const char *s, char *out, size_t size)
{
	char	 hex[3] = "";
	char	*end;
	size_t	 n = 0, times;

	for (; *s != '\0' && n + 1 < size; s++) {
		if (*s != '\\') {
			out[n++] = *s;
			continue;
		}
		switch (*++s) {
		case 'r':
			out[n++] = '\r';
			break;
		case 'n':
			out[n++] = '\n';
			break;
		case '0':
			out[n++] = '\0';
			break;
		case 'x':
			(void)strlcpy(hex, s + 1, sizeof(hex));
			out[n++] = (char)strtoul(hex, NULL, 16);
			s += 2;
			break;
		case '(':
			times = strtoul(s + 1, &end, 10);
			for (; times > 0 && n + 1 < size; times--)
				out[n++] = 'x';
			s = end;
			break;
		default:
			out[n++] = *s;
			break;
		}
	}
	out[n] = '\0';
	unescaped = n;
}

static void
run_macro(const char *lines, const char *arg)
{
	char		 line[1024];
	const char	*hole;
	size_t		 n;

	for (; *lines != '\0'; lines += n + 1) {
		n = strcspn(lines, "\n");
		hole = memchr(lines, '%', n);
		if (hole == NULL)
			(void)snprintf(line, sizeof(line), "%.*s", (int)n,
			    lines);
		else
			(void)snprintf(line, sizeof(line), "%.*s%s%.*s",
			    (int)(hole - lines), lines, arg,
			    (int)(n - (size_t)(hole - lines) - 1), hole + 1);
		run_line(line);
	}
}

static void
run_line(const char *line)
{
	char		 arg[4096];
	const char	*s;
	size_t		 i, n = strcspn(line, " ");

	s = line[n] == ' ' ? line + n + 1 : line + n;
	for (i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		if (strlen(macros[i].word) == n &&
		    strncmp(macros[i].word, line, n) == 0) {
			run_macro(macros[i].lines, s);
			return;
		}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == n &&
		    strncmp(words[i].word, line, n) == 0) {
			/* patterns have backslashes of their own */
			if (words[i].run == expect)
				(void)strlcpy(arg, s, sizeof(arg));
			else
				unescape(s, arg, sizeof(arg));
			words[i].run(arg);
			return;
		}
	errx(1, "%s: no such line: %s", test_name, line);
}

static void
dialogue_begin(const char *name)
{
	test_name = name;
	failed_before = failed;
}

/* Everybody leaves, and the daemons are as they were. */
static void
dialogue_end(void)
{
	harness_hangup();
	harness_wait(5);
	session_drop_all();
	front.draining = front.hurry = 0;
	fake_reset();
	if (front.nsessions != 0)
		complain("sessions are left", NULL);
	test_name = NULL;
}

void
harness_script(const char *name, const char *text)
{
	char	 line[1024];
	size_t	 n;

	dialogue_begin(name);
	for (test_line = 1; *text != '\0' && failed == failed_before;
	    test_line++, text += n + 1) {
		n = strcspn(text, "\n");
		(void)snprintf(line, sizeof(line), "%.*s", (int)n, text);
		run_line(line);
	}
	dialogue_end();
}

void
harness_file(const char *path)
{
	static char	 name[128];
	char		 line[4096];
	FILE		*f;

	if ((f = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	for (test_line = 1; fgets(line, sizeof(line), f) != NULL; test_line++) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "== ", 3) == 0) {
			if (test_name != NULL)
				dialogue_end();
			(void)strlcpy(name, line + 3, sizeof(name));
			dialogue_begin(name);
		} else if (*line != '\0' && *line != '#' &&
		    failed == failed_before)
			run_line(line);
	}
	fclose(f);
	if (test_name != NULL)
		dialogue_end();
}

unsigned
harness_failed(void)
{
	return failed;
}

unsigned
harness_checked(void)
{
	return checked;
}

void
harness_init(const char *more)
{
	struct config	*c;
	char		*text;
	int		 fd;

	signal(SIGPIPE, SIG_IGN);
	if (asprintf(&text, "%s%s", more, base) == -1)
		err(1, NULL);
	c = config_parse_text("test", text, strlen(text), stderr);
	free(text);
	if (c == NULL)
		exit(1);
	/* The log of a test is of no interest to anybody, unless it is. */
	log_init("test", 1);
	if (getenv("TEST_LOG") == NULL &&
	    (fd = open("/dev/null", O_WRONLY)) != -1) {
		(void)dup2(fd, STDERR_FILENO);
		close(fd);
	}
	loop_init();
	imsg_reserve_init();
	id_init("mx1.example.net");
	limit_attach(-1);
	front_init(c);
	limit_init(c);
	ask_init();
	fake_start();
}
