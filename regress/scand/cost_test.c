/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

/* regress: timeout=300 plain */

#include <sys/wait.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <dkim.h>

#include "common/compat/compat.h"
#include "common/log.h"
#include "common/loop.h"
#include "regress/scand/auth/zone.h"
#include "regress/scand/letters.h"
#include "regress/unit.h"
#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * What a scan costs: processor time, and memory of its own.  A test has to
 * pass on a machine that is busy or slow, so it allows several times of what
 * is promised; the figures are told.  Large messages are a tenth as large, but
 * for the long tests.
 *
 * cost_test [-lv] [-n rounds] [name]
 */

#define SLACK		6		/* times of what is promised */
#define MEMORY_KB	(128 * 1024)

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "node \"mail-in01.example.net\"\n"
    "network { 192.0.2.0/24 }\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "participant \"uni\" contact \"postmaster@uni.example\" {\n"
    " domain \"uni.example\" deliver to 192.0.2.77\n"
    "}\n";

static struct letter	 msg;
static size_t		 large = 5 * 1024 * 1024;	/* of a large one */

#define PLAIN	"Content-Type: text/plain; charset=utf-8\r\n"
#define MIXED	"Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"
#define BASE64	"Content-Transfer-Encoding: base64\r\n\r\n"
#define PART	"--=_b\r\n"
#define END	"--=_b--\r\n"

static void
make_plain(void)
{
	letter_begin(&msg, PLAIN "\r\n");
	letter_words(&msg, 10000);
}

static void
make_html(void)
{
	letter_begin(&msg, "Content-Type: text/html; charset=iso-8859-1\r\n"
	    "\r\n");
	letter_html(&msg, 10000);
}

static void
make_encoded(void)
{
	static uint8_t copy[8000];

	letter_begin(&msg, "");
	letter_words(&msg, 7500);
	memcpy(copy, msg.p + msg.n - 7500, 7500);
	letter_begin(&msg, PLAIN BASE64);
	letter_base64(&msg, copy, 7400);
}

static void
attach(const char *type, const uint8_t *p, size_t n)
{
	letter_begin(&msg, MIXED PART PLAIN "\r\n");
	letter_words(&msg, 1000);
	letter_text(&msg, PART "Content-Type: ");
	letter_text(&msg, type);
	letter_text(&msg, BASE64);
	letter_base64(&msg, p, n);
	letter_text(&msg, END);
}

static void
make_docx(void)
{
	struct packing z;

	packing_begin(&z, 1024 * 1024);
	packing_docx(&z, 200 * 1024);
	attach("application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document; name=a.docx\r\n", z.zip.p, z.zip.n);
	packing_free(&z);
}

static void
make_text(void)
{
	letter_begin(&msg, PLAIN "\r\n");
	letter_words(&msg, large);
}

static void
make_page(void)
{
	letter_begin(&msg, "Content-Type: text/html; charset=utf-8\r\n\r\n");
	letter_html(&msg, large);
}

static void
make_picture(void)
{
	struct letter l;

	letter_init(&l, large / 78 * 57);
	noise(l.p, l.size);
	memcpy(l.p, "\xff\xd8\xff\xe0", 4);
	attach("image/jpeg; name=a.jpg\r\n", l.p, l.size);
	letter_free(&l);
}

static void
make_octets(void)
{
	struct letter l;

	letter_init(&l, large / 78 * 57);
	noise(l.p, l.size);
	attach("application/octet-stream; name=a.bin\r\n", l.p, l.size);
	letter_free(&l);
}

static void
make_parts(void)
{
	size_t i;

	letter_begin(&msg, MIXED);
	for (i = 0; msg.n < large; i++) {
		letter_text(&msg, PART PLAIN "Content-Disposition: attachment;"
		    " filename=\"one of many.txt\"\r\n\r\n");
		letter_words(&msg, 4900);
	}
	letter_text(&msg, END);
}

/* n octets of a member, of which `times' are packed into one. */
static void
pack(size_t n, size_t member, int stored)
{
	struct letter l;
	struct packing z;
	char name[32];
	size_t i;

	letter_init(&l, member + 100);
	packing_begin(&z, n + member + 1024 * 1024);
	for (i = 0; z.zip.n < n; i++) {
		l.n = 0;
		if (stored)
			noise(l.p, member);
		else
			letter_words(&l, member - 100);
		(void)snprintf(name, sizeof(name), "folder/%zu.txt", i);
		packing_add(&z, name, l.p, member, stored);
	}
	packing_end(&z);
	attach("application/zip; name=a.zip\r\n", z.zip.p, z.zip.n);
	packing_free(&z);
	letter_free(&l);
}

static void
make_zip(void)
{
	pack(large / 78 * 57, 50000, 0);
}

static void
make_zip_stored(void)
{
	pack(large / 78 * 57, large / 4, 1);
}

/* Runs of a block: packs to a hundredth, less than is refused at once. */
static void
bomb(size_t n, unsigned members)
{
	struct letter l;
	struct packing z;
	char name[32];
	size_t i;

	letter_init(&l, n);
	for (i = 0; i + 3000 < n; i += 3000) {
		if (i % 30000 == 0)
			noise(l.p + i, 200);
		memcpy(l.p + i + 200, "x", 1);
	}
	packing_begin(&z, 32 * 1024 * 1024);
	for (i = 0; i < members; i++) {
		(void)snprintf(name, sizeof(name), "%zu.bin", i);
		packing_add(&z, name, l.p, n, 0);
	}
	packing_end(&z);
	attach("application/zip; name=a.zip\r\n", z.zip.p, z.zip.n);
	packing_free(&z);
	letter_free(&l);
}

static void
make_bomb(void)
{
	bomb(4 * large, 10);
}

static void
make_bomb_one(void)
{
	bomb(18 * large, 1);
}

/*
 * What somebody makes who wants to occupy us.
 */

/* Boundaries that nobody has declared: each part goes on to the end. */
static void
make_undeclared(void)
{
	char buf[80];
	int i;

	letter_begin(&msg, PLAIN "\r\n");
	for (i = 0; i < 9000; i++) {
		(void)snprintf(buf, sizeof(buf), "--%d\r\nContent-Type: "
		    "text/plain\r\n\r\nx\r\n", i);
		letter_text(&msg, buf);
	}
	letter_words(&msg, large - msg.n);
}

/* The same, encoded in three ways at once. */
static void
make_contradicting(void)
{
	char buf[400];
	int i;

	letter_begin(&msg, PLAIN "\r\n");
	for (i = 0; i < 9000; i++) {
		(void)snprintf(buf, sizeof(buf), "--%d\r\nContent-Type: "
		    "text/plain\r\nContent-Transfer-Encoding: 8bit\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n"
		    "Content-Transfer-Encoding: base64\r\nx\r\n\r\nx\r\n", i);
		letter_text(&msg, buf);
	}
	letter_words(&msg, large - msg.n);
}

/* Multiparts without an end, said to be encoded, of which nothing is left. */
static void
make_nothing(void)
{
	char buf[200];
	int i;

	letter_begin(&msg, MIXED);
	for (i = 0; i < 4500; i++) {
		(void)snprintf(buf, sizeof(buf), "--=_b\r\nContent-Type: "
		    "multipart/mixed; boundary=%d\r\nContent-Transfer-"
		    "Encoding: quoted-printable\r\n\r\n--%d\r\n\r\n", i, i);
		letter_text(&msg, buf);
	}
	while (msg.n + 10 < large)
		letter_text(&msg, "=\r\n");
}

/* Lines that may be boundaries, of multiparts without number. */
static void
make_marks(void)
{
	char buf[200];
	int i;

	letter_begin(&msg, MIXED);
	for (i = 0; i < 9000; i++) {
		(void)snprintf(buf, sizeof(buf), "--=_b\r\nContent-Type: "
		    "multipart/mixed; boundary=%d\r\n\r\n", i);
		letter_text(&msg, buf);
	}
	while (msg.n + 10 < large)
		letter_text(&msg, "--\r\n--=_\r\n");
}

static void
fill(const char *fields, const char *what)
{
	size_t len = strlen(what);

	letter_begin(&msg, fields);
	while (msg.n + len < large)
		letter_add(&msg, what, len);
}

static void
make_tags(void)
{
	fill("Content-Type: text/html\r\n\r\n", "<a href='//b.example/"
	    "?u=http%3a//c.example'>&amp;x.example</a>");
}

static void
make_begins(void)
{
	fill(PLAIN "\r\n", "begin 644 a\r\n!\r\n");
}

static void
make_bars(void)
{
	fill(PLAIN "\r\n", "=|\r\n");
}

static void
make_quoted(void)
{
	fill("Content-Type: text/html; charset=utf-7\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	    "+AGEAYgBj-=20=\r\n");
}

static void
make_endless(void)
{
	fill("Content-Type: text/html\r\n\r\n", "<a \"' <!-- ");
}

static void
make_objects(void)
{
	fill("Content-Type: text/html\r\n\r\n", "%PDF-1.4\n1 0 obj<</A[");
}

static void
make_fields(void)
{
	letter_begin(&msg, "");
	while (msg.n + 10 < large)
		letter_text(&msg, "To: a,b\r\n <");
}

/*
 * SPF, DKIM and DMARC of a letter of 10 KB.
 */
static void
make_signed(void)
{
	static unsigned char id[] = "test", selector[] = "s";
	static unsigned char domain[] = "a.example";
	struct letter body;
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *pem = BIO_new(BIO_s_mem());
	uint8_t *der = NULL, text[1024];
	char record[1200], *end, *line, *next;
	unsigned char *field;
	size_t len;
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	DKIM_STAT st;
	DKIM *d;
	int n;

	if (key == NULL || pem == NULL || lib == NULL ||
	    PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) != 1
	    || BIO_write(pem, "", 1) != 1 || (n = i2d_PUBKEY(key, &der)) < 0)
		abort();
	(void)EVP_EncodeBlock(text, der, n);
	(void)snprintf(record, sizeof(record), "v=DKIM1; p=%s", text);
	zone_txt("s._domainkey.a.example", record);
	zone_txt("a.example", "v=spf1 mx ip4:192.0.2.8/30 -all");
	zone_add("a.example", DNS_MX, DNS_OK, "\0\012m.a.example", 13);
	zone_add("m.a.example", DNS_A, DNS_OK, "\xc0\0\2\7", 4);
	zone_txt("_dmarc.a.example", "v=DMARC1; p=reject");
	zone_known = 1;

	make_plain();
	(void)BIO_get_mem_data(pem, &end);
	d = dkim_sign(lib, id, NULL, (unsigned char *)end, selector, domain,
	    DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1,
	    &st);
	letter_init(&body, msg.size);
	letter_add(&body, msg.p, msg.n);
	letter_add(&body, "", 1);
	end = strstr((char *)body.p, "\r\n\r\n");
	for (line = (char *)body.p; d != NULL && line < end + 2; line = next) {
		next = strstr(line, "\r\n") + 2;
		(void)dkim_header(d, (unsigned char *)line,
		    (size_t)(next - line) - 2);
	}
	if (d == NULL || dkim_eoh(d) != DKIM_STAT_OK || dkim_body(d,
	    (unsigned char *)end + 4, strlen(end + 4)) != DKIM_STAT_OK ||
	    dkim_eom(d, NULL) != DKIM_STAT_OK || dkim_getsighdr_d(d, 16,
	    &field, &len) != DKIM_STAT_OK)
		abort();
	msg.n = 0;
	letter_text(&msg, "DKIM-Signature: ");
	for (; len > 0; len--, field++) {
		if (*field == '\n' && field[-1] != '\r')
			letter_text(&msg, "\r");
		letter_add(&msg, field, 1);
	}
	letter_text(&msg, "\r\n");
	letter_text(&msg, (char *)body.p);
	letter_free(&body);
	(void)dkim_free(d);
	dkim_close(lib);
	BIO_free(pem);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static const struct {
	const char		*name;
	void			(*make)(void);
	enum session_class	 class;
	double			 ms;	/* that is promised */
	unsigned		 rounds;
	int			 full;	/* in the long test only */
} cases[] = {
	{ "plain", make_plain, CLASS_RELAY, 0.3, 300, 0 },
	{ "html", make_html, CLASS_RELAY, 0.3, 300, 0 },
	{ "encoded", make_encoded, CLASS_RELAY, 0.3, 300, 0 },
	{ "signed", make_signed, CLASS_INBOUND, 0.3 + 0.5, 300, 0 },
	{ "parked", make_signed, CLASS_INBOUND, 0, 0, 0 },
	{ "docx", make_docx, CLASS_RELAY, 5, 20, 0 },
	{ "text", make_text, CLASS_RELAY, 1500, 1, 0 },
	{ "page", make_page, CLASS_RELAY, 1500, 1, 0 },
	{ "picture", make_picture, CLASS_RELAY, 1500, 1, 0 },
	{ "octets", make_octets, CLASS_RELAY, 1500, 1, 0 },
	{ "parts", make_parts, CLASS_RELAY, 1500, 1, 0 },
	{ "zip", make_zip, CLASS_RELAY, 1500, 1, 0 },
	{ "stored", make_zip_stored, CLASS_RELAY, 1500, 1, 0 },
	{ "one bomb", make_bomb_one, CLASS_RELAY, 1500, 1, 0 },
	{ "bomb", make_bomb, CLASS_RELAY, 1500, 1, 1 },
	{ "undeclared", make_undeclared, CLASS_RELAY, 1500, 1, 1 },
	{ "contradicting", make_contradicting, CLASS_RELAY, 1500, 1, 1 },
	{ "nothing", make_nothing, CLASS_RELAY, 1500, 1, 1 },
	{ "marks", make_marks, CLASS_RELAY, 1500, 1, 1 },
	{ "tags", make_tags, CLASS_RELAY, 1500, 1, 1 },
	{ "begins", make_begins, CLASS_RELAY, 1500, 1, 1 },
	{ "bars", make_bars, CLASS_RELAY, 1500, 1, 1 },
	{ "quoted", make_quoted, CLASS_RELAY, 1500, 1, 1 },
	{ "endless", make_endless, CLASS_RELAY, 1500, 1, 1 },
	{ "objects", make_objects, CLASS_RELAY, 1500, 1, 1 },
	{ "fields", make_fields, CLASS_RELAY, 1500, 1, 1 },
};

static double
cpu_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
changed(void *arg)
{
	(void)arg;
}

static struct job *
job_begin(enum session_class from)
{
	struct job *j = job_new();

	if (j == NULL)
		exit(1);
	memset(&j->scan, 0, sizeof(j->scan));
	(void)strlcpy(j->scan.id, "0123456789abcdef", sizeof(j->scan.id));
	(void)strlcpy(j->scan.sender, "x@a.example", sizeof(j->scan.sender));
	(void)strlcpy(j->scan.helo, "m.a.example", sizeof(j->scan.helo));
	(void)netaddr_parse(&j->scan.client, "192.0.2.9");
	j->scan.class = from;
	j->scan.size = msg.n;
	j->scan.policies[0] = job_config()->policy;
	j->scan.npolicies = 1;
	j->started = clock_ms();
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	CHECK_INT(job_content(j, msg.p, msg.n), 0);
	return j;
}

/* All that a scanner does of it, but for its frames. */
static void
scan(enum session_class class, int told)
{
	static struct verdict v;
	struct job *j = job_begin(class);
	size_t i;

	while (job_evaluate(j) == 1)
		(void)zone_answer();
	verdict_make(j, &v);
	if (class == CLASS_INBOUND)
		CHECK(j->auth.spf.result == AUTH_PASS && j->auth.nsigs == 1 &&
		    j->auth.sigs[0].result == AUTH_PASS &&
		    j->auth.dmarc[0].result == AUTH_PASS);
	for (i = 0; told && i < v.nhits; i++)
		printf("  %s %s\n", v.hits[i].name, v.hits[i].detail);
	job_free(j);
}

/* kB: a field of this process's status, 0 where systems do not tell. */
static long
memory(const char *field)
{
	char line[128];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, field, strlen(field)) == 0)
			kb = strtol(line + strlen(field), NULL, 10);
	}
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

/* As many as may wait for answers, and one that is large. */
static void
park(size_t k)
{
	FILE *f;
	long kb;
	int i;

	zone_known = 0;
	for (i = 0; i < LIM_SCAN_PARKED; i++)
		CHECK_INT(job_evaluate(job_begin(cases[k].class)), 1);
	make_bomb_one();
	/* The highest from now on. */
	if ((f = fopen("/proc/self/clear_refs", "w")) != NULL) {
		(void)fputs("5\n", f);
		(void)fclose(f);
	}
	if (job_content(job_new(), msg.p, msg.n) == -1)
		CHECK(0);
	kb = memory("VmHWM:") - memory("RssShmem:") - memory("RssFile:");
	printf("%d parked: %ld kB; %zu known, for DNS %zu, DKIM %zu\n", i, kb,
	    jobs_held() / 1024, answers_held() / 1024, dkim_held() / 1024);
	CHECK(kb < MEMORY_KB);
}

/* In a process of its own, as if it had seen nothing else. */
static void
run(size_t k, unsigned rounds, int told)
{
	double first, ms;
	long kb;
	unsigned i;

	first = cpu_ms();
	scan(cases[k].class, told);
	ms = cpu_ms();
	first = ms - first;
	/* The highest of all, without what it shares with others. */
	kb = memory("VmHWM:") - memory("RssShmem:") - memory("RssFile:");
	for (i = 0; i < rounds; i++)
		scan(cases[k].class, 0);
	ms = (cpu_ms() - ms) / rounds;
	printf("%-13s %8zu octets %9.3f ms (first %8.3f), %6ld kB\n",
	    cases[k].name, msg.n, ms, first, kb);
	CHECK(ms < cases[k].ms * SLACK);
	CHECK(kb < MEMORY_KB);
}

int
main(int argc, char *argv[])
{
	struct config *conf;
	const char *only = NULL;
	unsigned rounds = 0;
	size_t k;
	int ch, status, full = getenv("REGRESS_LONG") != NULL, told = 0;
	pid_t pid;

	while ((ch = getopt(argc, argv, "ln:v")) != -1) {
		if (ch == 'l')
			full = 1;
		else if (ch == 'v')
			told = 1;
		else if (ch == 'n')
			rounds = (unsigned)strtoul(optarg, NULL, 10);
	}
	if (optind < argc)
		only = argv[optind];
	if (full)
		large = 50 * 1024 * 1024 - 8192;
	log_init("cost_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL || spf_init() == -1 || dkim_init_library() == -1)
		return 1;
	compat_memory_return();
	job_configure(conf);
	letter_init(&msg, 64 * 1024 * 1024);
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		if (only != NULL ? strcmp(only, cases[k].name) != 0 :
		    cases[k].full && !full)
			continue;
		cases[k].make();
		(void)fflush(stdout);
		if ((pid = fork()) == 0) {
			unit_ok = unit_failed = 0;
			if (cases[k].rounds == 0)
				park(k);
			else
				run(k, rounds != 0 ? rounds :
				    cases[k].rounds, told);
			(void)fflush(stdout);
			_exit(unit_failed != 0);
		}
		if (pid == -1 || waitpid(pid, &status, 0) != pid)
			return 1;
		CHECK_INT(status, 0);
	}
	return unit_end();
}
