/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/unit.h"
#include "scand/scand.h"

/*
 * Files with a known verdict as attachments of mails of all kinds, through the
 * whole scan.  The files are not part of the source.  For trying out: -v, -vv
 * tell more, -a puts each file in all disguises, a name chooses files;
 * -f file ... scans files as attachments, -m message ... messages as they are.
 */

#define SAMPLES	"../shared/testdata/attachments"

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "node \"mail-in01.example.net\"\n"
    "network { 192.0.2.0/24 }\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "participant \"uni\" contact \"postmaster@uni.example\" {\n"
    " domain \"uni.example\" deliver to 192.0.2.77\n"
    "}\n";

struct buffer {
	uint8_t	*p;
	size_t	 n, size;
};

static struct buffer	msg;
static uint64_t		slowest_us;
static unsigned		greylisted;
static int		verbose, all;

/* No DNS: the scan is that of a relay's mail. */
struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	(void)name;
	(void)type;
	(void)ms;
	(void)cb;
	(void)arg;
	return NULL;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)name;
	(void)type;
	(void)a;
	return 0;
}

void
dns_cancel(struct dns_question *q)
{
	(void)q;
}

static void
changed(void *arg)
{
	(void)arg;
}

static void
add(const void *p, size_t n)
{
	if (msg.size - msg.n < n) {
		msg.size = 2 * (msg.size + n);
		if ((msg.p = realloc(msg.p, msg.size)) == NULL)
			exit(1);
	}
	memcpy(msg.p + msg.n, p, n);
	msg.n += n;
}

static void
text(const char *s)
{
	add(s, strlen(s));
}

/* Lines of `line' digits; noise: what is between the groups now and then. */
static void
base64(const uint8_t *p, size_t n, size_t line, const char *noise)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, column = 0;
	uint32_t v;
	char four[4];

	for (i = 0; i < n; i += 3) {
		v = (uint32_t)p[i] << 16;
		if (i + 1 < n)
			v |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < n)
			v |= p[i + 2];
		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		four[3] = i + 2 < n ? digits[v & 63] : '=';
		add(four, 4);
		if (noise != NULL && i % 21 == 0)
			text(noise);
		if ((column += 4) >= line) {
			text("\r\n");
			column = 0;
		}
	}
	text("\r\n");
}

static void
quoted(const uint8_t *p, size_t n)
{
	size_t i, column = 0;
	char hex[4];

	for (i = 0; i < n; i++) {
		if (p[i] > 32 && p[i] < 127 && p[i] != '=') {
			add(&p[i], 1);
			column++;
		} else {
			(void)snprintf(hex, sizeof(hex), "=%02X", p[i]);
			text(hex);
			column += 3;
		}
		if (column > 70) {
			text("=\r\n");
			column = 0;
		}
	}
	text("\r\n");
}

static void
uuencoded(const uint8_t *p, size_t n)
{
	size_t i, k, len;
	uint8_t t[3];
	char line[64];

	for (i = 0; i < n; i += 45) {
		len = n - i < 45 ? n - i : 45;
		line[0] = (char)(32 + len);
		for (k = 0; k < len; k += 3) {
			memset(t, 0, sizeof(t));
			memcpy(t, p + i + k, len - k < 3 ? len - k : 3);
			line[1 + k / 3 * 4] = (char)(32 + (t[0] >> 2));
			line[2 + k / 3 * 4] = (char)(32 + ((t[0] << 4 |
			    t[1] >> 4) & 63));
			line[3 + k / 3 * 4] = (char)(32 + ((t[1] << 2 |
			    t[2] >> 6) & 63));
			line[4 + k / 3 * 4] = (char)(32 + (t[2] & 63));
		}
		len = 1 + (len + 2) / 3 * 4;
		for (k = 0; k < len; k++) {
			if (line[k] == ' ')
				line[k] = '`';
		}
		add(line, len);
		text("\r\n");
	}
	text("`\r\nend\r\n");
}

static void
letter(const char *fields)
{
	char date[64];
	time_t t = time(NULL);
	struct tm tm;

	msg.n = 0;
	(void)strftime(date, sizeof(date),
	    "Date: %a, %d %b %Y %H:%M:%S +0000\r\n", gmtime_r(&t, &tm));
	text(date);
	text("From: X Y <x@a.example>\r\nTo: z@uni.example\r\n"
	    "Subject: hello\r\nMessage-ID: <1@a.example>\r\n");
	text(fields);
}

#define MIXED	"MIME-Version: 1.0\r\n"					\
		"Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"
#define HELLO	"--=_b\r\nContent-Type: text/plain\r\n\r\nHello,\r\n"	\
		"here it is.\r\n--=_b\r\n"
#define BASE64	"Content-Transfer-Encoding: base64\r\n"
#define END	"--=_b--\r\n"

static void
named(const char *type, const char *name)
{
	text("Content-Type: ");
	text(type);
	text("\r\nContent-Disposition: attachment; filename=\"");
	text(name);
	text("\"\r\n");
}

static void
wrap_plain(const uint8_t *p, size_t n, const char *name)
{
	letter(MIXED HELLO);
	named("application/octet-stream", name);
	text(BASE64 "\r\n");
	base64(p, n, 76, NULL);
	text(END);
}

static void
wrap_quoted(const uint8_t *p, size_t n, const char *name)
{
	letter(MIXED HELLO);
	named("image/png", name);
	text("Content-Transfer-Encoding: Quoted-Printable (x)\r\n\r\n");
	quoted(p, n);
	text(END);
}

static void
wrap_alone(const uint8_t *p, size_t n, const char *name)
{
	letter("MIME-Version: 1.0\r\n");
	named("text/plain", name);
	text(BASE64 "\r\n");
	base64(p, n, 4, NULL);
}

static void
wrap_noise(const uint8_t *p, size_t n, const char *name)
{
	letter(MIXED HELLO);
	named("text/html", name);
	text("content-transfer-encoding:\r\n\tBASE64\r\n\r\n");
	base64(p, n, 60, "!\r\n \t{}");
	text("\r\n");
}

static void
wrap_uuencode(const uint8_t *p, size_t n, const char *name)
{
	letter("\r\nHello,\r\n\r\nbegin 644 ");
	text(name);
	text("\r\n");
	uuencoded(p, n);
	text("Yours\r\n");
}

static void
wrap_boundary(const uint8_t *p, size_t n, const char *name)
{
	letter("Content-Type: multipart/mixed; boundary=other\r\n\r\n" HELLO);
	named("x/y", name);
	text(BASE64 "\r\n");
	base64(p, n, 76, NULL);
	text(END);
}

static void
wrap_twice(const uint8_t *p, size_t n, const char *name)
{
	letter("Content-Type: text/plain\r\n" MIXED HELLO);
	named("x/y", name);
	text("Content-Transfer-Encoding: 7bit\r\n" BASE64 "\r\n");
	base64(p, n, 76, NULL);
	text(END);
}

static void
wrap_message(const uint8_t *p, size_t n, const char *name)
{
	letter(MIXED HELLO "Content-Type: message/rfc822\r\n\r\n"
	    "Subject: inner\r\n"
	    "Content-Type: multipart/related; boundary*0=a;boundary*1=bc\r\n"
	    "\r\n--abc\r\n\r\none\r\n--abc\r\n");
	named("application/pdf", name);
	text(BASE64 "\r\n");
	base64(p, n, 76, NULL);
	text("--abc--\r\n" END);
}

/* A message that becomes part of the next. */
static struct buffer *
copy(void (*wrap)(const uint8_t *, size_t, const char *), const uint8_t *p,
    size_t n, const char *name)
{
	static struct buffer b;

	wrap(p, n, name);
	if (b.size < msg.n &&
	    (b.p = realloc(b.p, b.size = msg.n)) == NULL)
		exit(1);
	b.n = msg.n;
	memcpy(b.p, msg.p, msg.n);
	return &b;
}

/* A letter in base64 as attachment. */
static void
wrap_inner(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);

	letter(MIXED HELLO "Content-Type: application/octet-stream\r\n"
	    BASE64 "\r\n");
	base64(b->p, b->n, 76, NULL);
	text(END);
}

static void
wrap_header(const uint8_t *p, size_t n, const char *name)
{
	letter(MIXED HELLO);
	named("x/y", name);
	text(" \r\n" BASE64 "no field\r\n\r\n");
	base64(p, n, 76, NULL);
	text("--=_bx\r\n");
}

/* The same as message/rfc822, which must not be encoded. */
static void
wrap_encoded(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);

	letter(MIXED HELLO "Content-Type: message/rfc822\r\n" BASE64 "\r\n");
	base64(b->p, b->n, 76, NULL);
	text(END);
}

/* A multipart that is encoded as a whole. */
static void
wrap_whole(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);
	uint8_t *body = memmem(b->p, b->n, "\r\n\r\n", 4);

	if (body == NULL)
		exit(1);
	letter(BASE64 MIXED);
	base64(body + 4, b->n - (size_t)(body + 4 - b->p), 76, NULL);
}

/* Each line by itself, with padding. */
static void
wrap_padded(const uint8_t *p, size_t n, const char *name)
{
	size_t i;

	letter(MIXED HELLO);
	named("x/y", name);
	text(BASE64 "\r\n");
	for (i = 0; i < n; i += 40)
		base64(p + i, n - i < 40 ? n - i : 40, 76, NULL);
	text(END);
}

/* In the middle stands what some take for a boundary. */
static void
wrap_broken(const uint8_t *p, size_t n, const char *name)
{
	size_t half = n / 2 / 57 * 57;

	letter("Content-Type: multipart/mixed; boundary=..\r\n\r\n--..\r\n");
	named("x/y", name);
	text(BASE64 "\r\n");
	base64(p, half, 76, NULL);
	text("--......\r\n");
	base64(p + half, n - half, 76, NULL);
	text("--..--\r\n");
}

/* The outer boundary, which is noise, inside of the inner part. */
static void
wrap_outer(const uint8_t *p, size_t n, const char *name)
{
	size_t half = n / 2 / 57 * 57;

	letter("MIME-Version: 1.0\r\nContent-Type: multipart/mixed;"
	    " boundary=\"....\"\r\n\r\n--....\r\n"
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n");
	named("x/y", name);
	text(BASE64 "\r\n");
	base64(p, half, 76, NULL);
	text("--....\r\n");
	base64(p + half, n - half, 76, NULL);
	text("--x--\r\n--....--\r\n");
}

static void
wrap_epilogue(const uint8_t *p, size_t n, const char *name)
{
	letter(MIXED HELLO "\r\n--=_b--\r\n");
	named("x/y", name);
	text(BASE64 "\r\n");
	base64(p, n, 76, NULL);
	text("--=_b--\r\n");
}

/* An empty header section, and then another. */
static void
wrap_late(const uint8_t *p, size_t n, const char *name)
{
	letter(MIXED HELLO "\r\n");
	named("x/y", name);
	text(BASE64 "\r\n");
	base64(p, n, 76, NULL);
	text(END);
}

static void
wrap_mbox(const uint8_t *p, size_t n, const char *name)
{
	struct buffer *b = copy(wrap_plain, p, n, name);

	letter(MIXED HELLO "Content-Type: text/plain\r\n" BASE64 "\r\n");
	add("RnJvbSB4QGEuZXhhbXBsZSBNb24gSmFuICAxIDAwOjAwOjAwIDIwMjQK", 56);
	text("\r\n");
	base64(b->p, b->n, 76, NULL);
	text(END);
}

static void
wrap_yenc(const uint8_t *p, size_t n, const char *name)
{
	char head[128];
	uint8_t c, pair[2] = { '=', 0 };
	size_t i, column = 0;

	letter("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n");
	(void)snprintf(head, sizeof(head),
	    "=ybegin line=128 size=%zu name=%s\r\n", n, name);
	text(head);
	for (i = 0; i < n; i++) {
		c = (uint8_t)(p[i] + 42);
		pair[1] = (uint8_t)(c + 64);
		if (c == 0 || c == '\n' || c == '\r' || c == '=' ||
		    (c == '.' && column == 0))
			add(pair, 2);
		else
			add(&c, 1);
		if (++column == 128) {
			text("\r\n");
			column = 0;
		}
	}
	(void)snprintf(head, sizeof(head), "\r\n=yend size=%zu\r\n", n);
	text(head);
}

static const struct {
	const char	*name;
	void		(*wrap)(const uint8_t *, size_t, const char *);
} wraps[] = {
	{ "plain", wrap_plain },
	{ "quoted-printable", wrap_quoted },
	{ "alone", wrap_alone },
	{ "noise", wrap_noise },
	{ "uuencode", wrap_uuencode },
	{ "boundary", wrap_boundary },
	{ "twice", wrap_twice },
	{ "message", wrap_message },
	{ "inner", wrap_inner },
	{ "header", wrap_header },
	{ "encoded", wrap_encoded },
	{ "whole", wrap_whole },
	{ "padded", wrap_padded },
	{ "broken", wrap_broken },
	{ "outer", wrap_outer },
	{ "epilogue", wrap_epilogue },
	{ "late", wrap_late },
	{ "mbox", wrap_mbox },
	{ "yenc", wrap_yenc },
};
#define NWRAPS	(sizeof(wraps) / sizeof(wraps[0]))

static uint64_t
cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The action for the message that was wrapped. */
static enum action
scan(const char *name, const char *how)
{
	static struct verdict v;
	struct job *j = job_new();
	enum action a;
	uint64_t us;
	size_t i;

	if (j == NULL)
		exit(1);
	memset(&j->scan, 0, sizeof(j->scan));
	(void)strlcpy(j->scan.id, "0123456789abcdef", sizeof(j->scan.id));
	j->scan.class = CLASS_INBOUND;
	(void)netaddr_parse(&j->scan.client, "192.0.2.9");
	j->scan.policies[0] = job_config()->policy;
	j->scan.npolicies = 1;
	j->scan.flags = verbose ? SCAN_EXPLAIN : 0;
	j->started = clock_ms();
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	us = cpu_us();
	CHECK_INT(job_content(j, msg.p, msg.n), 0);
	us = cpu_us() - us;
	if (us > slowest_us)
		slowest_us = us;
	/* Its content alone is judged. */
	findings_rewind(&j->found, j->content_n, j->content_len);
	verdict_make(j, &v);
	a = v.actions[0];
	if (verbose) {
		printf("%s (%s): %s, %llu us, %s\n", name, how,
		    action_name(a), (unsigned long long)us, v.reply);
		for (i = 0; i < v.nhits; i++)
			printf("  %s %.2f %s\n", v.hits[i].name,
			    v.hits[i].points / 100.0, v.hits[i].detail);
		if (verbose > 1)
			printf("%s", v.report);
	}
	job_free(j);
	return a;
}

static int
load(const char *path, struct buffer *b)
{
	struct stat st;
	FILE *f = fopen(path, "r");
	int ok = 0;

	if (f == NULL || fstat(fileno(f), &st) == -1)
		goto out;
	if (b->size < (size_t)st.st_size && (b->p = realloc(b->p,
	    b->size = (size_t)st.st_size)) == NULL)
		exit(1);
	b->n = (size_t)st.st_size;
	ok = fread(b->p, 1, b->n, f) == b->n;
out:
	if (f != NULL)
		fclose(f);
	return ok ? 0 : -1;
}

/* One file, plainly. */
static void
attach(const char *path)
{
	static struct buffer file;
	const char *base = strrchr(path, '/');

	if (load(path, &file) == -1) {
		printf("%s: cannot be read\n", path);
		return;
	}
	wrap_plain(file.p, file.n, base == NULL ? path : base + 1);
	(void)scan(path, "file");
}

static void
sample(char *line, unsigned number, const char *only)
{
	static struct buffer file;
	char *field[12], path[512];
	size_t i, n = 0;
	enum action a;

	while (n < 12 && (field[n] = strsep(&line, "\t")) != NULL)
		n++;
	if (n < 9 || strcmp(field[0], "name") == 0 ||
	    (only != NULL && strstr(field[0], only) == NULL))
		return;
	(void)snprintf(path, sizeof(path), SAMPLES "/files/%s", field[0]);
	if (load(path, &file) == -1) {
		CHECK_STR(path, "readable");
		return;
	}
	for (i = 0; i < NWRAPS; i++) {
		/* All of them plainly, and each in one disguise. */
		if (i != 0 && i != 1 + number % (NWRAPS - 1) && !all)
			continue;
		wraps[i].wrap(file.p, file.n, field[8]);
		a = scan(field[0], wraps[i].name);
		greylisted += a == ACTION_GREYLIST;
		if ((strcmp(field[2], "reject") == 0) !=
		    (a == ACTION_REJECT) && strcmp(field[2], "either") != 0) {
			unit_failed++;
			printf("%s (%s, %s): %s, not %s\n", field[0],
			    field[6], wraps[i].name, action_name(a), field[2]);
		} else
			unit_ok++;
	}
}

int
main(int argc, char *argv[])
{
	struct config *conf;
	char *line = NULL;
	const char *only = NULL;
	char **asis = NULL, **files = NULL;
	size_t size = 0;
	unsigned number = 0;
	FILE *f;

	for (; argc > 1; argc--, argv++) {
		if (argv[1][0] == '-' && argv[1][1] == 'v')
			verbose = (int)strlen(argv[1]) - 1;
		else if (strcmp(argv[1], "-a") == 0)
			all = 1;
		else if (strcmp(argv[1], "-m") == 0) {
			asis = argv + 2;
			break;
		} else if (strcmp(argv[1], "-f") == 0) {
			files = argv + 2;
			break;
		} else
			only = argv[1];
	}
	log_init("attachments_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL)
		return 1;
	job_configure(conf);
	if (asis != NULL) {
		verbose += !verbose;
		for (; *asis != NULL; asis++) {
			if (load(*asis, &msg) == 0)
				(void)scan(*asis, "as it is");
		}
		return 0;
	}
	if (files != NULL) {
		verbose += !verbose;
		for (; *files != NULL; files++)
			attach(*files);
		return 0;
	}
	if ((f = fopen(SAMPLES "/manifest.tsv", "r")) == NULL) {
		printf("no samples\n");
		return 77;
	}
	while (getline(&line, &size, f) != -1)
		sample(line, number++, only);
	fclose(f);
	free(line);
	printf("%u greylisted, the slowest took %llu us\n", greylisted,
	    (unsigned long long)slowest_us);
	return unit_end();
}
