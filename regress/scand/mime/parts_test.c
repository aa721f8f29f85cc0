/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "regress/unit.h"
#include "scand/mime/parts.h"

/*
 * Messages and what is found in them: each part with its path, type and names,
 * "?" where not every reader sees it, and what its octets are in each reading
 * ("~" the other ones, "~?" guesses).  AAAA... below is base64: SGVsbG8= is
 * Hello, V29ybGQ= is World.
 */

static struct mime	m;
static struct budget	budget;
static char		got[16384];

static void	out(const char *, ...)
		    __attribute__((format(printf, 1, 2)));

static void
out(const char *fmt, ...)
{
	size_t len = strlen(got);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(got + len, sizeof(got) - len, fmt, ap);
	va_end(ap);
}

static void
out_octets(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && i < 60; i++)
		out("%c", p[i] == '\r' ? '.' : p[i] == '\n' ? '|' :
		    p[i] < 32 || p[i] > 126 ? '#' : p[i]);
	out("\n");
}

static void
dump_part(size_t i)
{
	const struct mime_part *p = &m.parts[i];
	struct reading v[READINGS], w[READINGS];
	struct octets o = { .p = NULL };
	char path[MIME_PATH];
	size_t n, k, j, nw;

	out("%s%s %s", mime_path(&m, i, path, sizeof(path)),
	    p->flags & PART_DOUBTFUL ? "?" : "", mime_string(&m, p->type));
	for (k = 0; k < p->nnames; k++)
		out(" <%s>", mime_string(&m, p->name[k]));
	if (p->flags & PART_PARTIAL)
		out(" partial");
	out("\n");
	if (!(p->flags & PART_LEAF) && p->encoding[0] == ENCODING_NONE)
		return;
	n = mime_readings(&m, p, v);
	for (k = 0; k < n; k++) {
		CHECK_INT(octets_read(&o, &m, &budget, &v[k]), 0);
		out("  %s", v[k].guess ? "~?" : k > 0 ? "~" : "=");
		out_octets(o.p, o.n);
		nw = mime_readings_base64(&v[k], o.differs, w);
		for (j = 0; j < nw; j++) {
			CHECK_INT(octets_read(&o, &m, &budget, &w[j]), 0);
			out("  ~~");
			out_octets(o.p, o.n);
		}
	}
	octets_free(&o, &budget);
}

static void
check(const char *name, const char *msg, const char *want)
{
	char *crlf = malloc(2 * strlen(msg) + 1);
	size_t i, n = 0;

	for (i = 0; msg[i] != '\0'; i++) {
		if (msg[i] == '\n')
			crlf[n++] = '\r';
		crlf[n++] = msg[i];
	}
	budget_default(&budget);
	budget_start(&budget);
	CHECK_INT(mime_parse(&m, &budget, (uint8_t *)crlf, n, 0), 0);
	CHECK_INT(m.cut, 0);
	got[0] = '\0';
	for (i = 0; i < m.nparts; i++)
		dump_part(i);
	CHECK_INT(budget.held, 0);
	if (strcmp(got, want) != 0) {
		printf("--- %s: got\n%s--- wanted\n%s", name, got, want);
		unit_failed++;
	}
	unit_ok++;
	free(crlf);
}

static void
test_plain(void)
{
	check("letter", "Subject: x\n\nHello\nyou\n",
	    "1 \n  =Hello.|you.|\n");
	check("empty", "", "1 \n");
	check("no body", "Subject: x\n", "1 \n");
	check("no header", "\nHello\n", "1 \n  =Hello.|\n");
	check("base64",
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: base64\n\nSGVs\nbG8=\n",
	    "1 text/plain\n  =Hello\n  ~?SGVs.|bG8=.|\n");
	check("quoted-printable",
	    "Content-Transfer-Encoding: Quoted-Printable\n\n"
	    "a=3D=20  \nb=\nc= \nd=4zz=\n",
	    "1 \n  =a= .|bcd=4zz\n"
	    "  ~?a=3D=20  .|b=.|c= .|d=4zz=.|\n");
	check("lines of CR only",
	    "Content-Type: multipart/mixed; boundary=b\r"
	    "\r--b\r\rHello\r--b--\r",
	    "0 multipart/mixed\n1 \n  =Hello\n");
}

static void
test_multipart(void)
{
	check("two",
	    "MIME-Version: 1.0\n"
	    "Content-Type: multipart/mixed; boundary=\"b b\"\n\n"
	    "preamble\n--b b\n\nHello\n--b b  \n"
	    "Content-Type: Application/ZIP; name=a.zip\n"
	    "Content-Disposition: attachment;\n filename=\"a.zip\"\n"
	    "Content-Transfer-Encoding: base64\n\nV29ybGQ=\n--b b--\nend\n",
	    "0 multipart/mixed\n1 \n  =Hello\n"
	    "2 application/zip <a.zip>\n  =World\n  ~?V29ybGQ=\n");
	check("nested",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	    "Content-Type: multipart/alternative; boundary=ab\n\n"
	    "--ab\n\none\n--ab\nContent-Type: text/html\n\ntwo\n--ab--\n\n"
	    "--a\n\nthree\n--a--\n",
	    "0 multipart/mixed\n1 multipart/alternative\n1.1 \n  =one\n"
	    "1.2 text/html\n  =two\n2 \n  =three\n");
	check("message",
	    "Content-Type: multipart/digest; boundary=a\n\n--a\n\n"
	    "Subject: x\n\none\n--a\nContent-Type: message/rfc822\n\n"
	    "Content-Type: multipart/mixed; boundary=c\n\n"
	    "--c\n\ntwo\n--c\n\nthree\n--c--\n\n--a--\n",
	    "0 multipart/digest\n1 \n1.1 \n  =one\n"
	    "2 message/rfc822\n2 multipart/mixed\n2.1 \n  =two\n"
	    "2.2 \n  =three\n");
	check("no end",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n"
	    "--a\n\ntwo\n",
	    "0 multipart/mixed\n1 \n  =one\n2 \n  =two.|\n");
	check("no empty line",
	    "Content-Type: multipart/mixed; boundary=a\n--a\n"
	    "Content-Type: text/html\n--a\none\n--a--\n",
	    "0 multipart/mixed\n1 text/html\n2 \n  =one\n");
	check("empty parts",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n--a\n\n--a--\n",
	    "0 multipart/mixed\n1 \n2 \n");
	check("no boundary told",
	    "Content-Type: multipart/mixed\n\npre\n--xy\n\none\n--xy--\n",
	    "0 multipart/mixed\n  =pre.|--xy.|.|one.|--xy--.|\n  ~pre\n"
	    "1? \n  =one\n");
	check("another boundary told",
	    "Content-Type: multipart/mixed; boundary=ab\n\n--xy\n"
	    "Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n"
	    "SGVsbG8=\n--xy\n\ntwo\n--xy--\n",
	    "0 multipart/mixed\n"
	    "  =--xy.|Content-Type: a/b.|Content-Transfer-Encoding: base64.|\n"
	    "1? a/b\n  =Hello\n  ~?SGVsbG8=\n2? \n  =two\n");
}

/* What some reader takes otherwise than another. */
static void
test_doubtful(void)
{
	check("a line in base64 that nobody announced",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	    "Content-Transfer-Encoding: base64\n\n"
	    "SGVs\n--xxxx\nContent-X: x\n\nbG8=\n--a--\n",
	    "0 multipart/mixed\n1 \n  =Hel##q|##z{W###\n"
	    "  ~~Hel##q#########lo\n  ~Hel\n"
	    "  ~?SGVs.|--xxxx.|Content-X: x.|.|bG8=\n2? \n  =bG8=\n"
	    "  ~bG8=.|--a--.|\n");
	check("more behind the boundary",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	    "Content-Transfer-Encoding: base64\n\n"
	    "SGVs\n--a===\n\nbG8=\n--a\n\none\n--a--\n",
	    "0 multipart/mixed\n1 \n  =Hello\n  ~~Hel\n  ~~Heli##\n"
	    "  ~~Hel##lo\n  ~Hel\n  ~?SGVs.|--a===.|.|bG8=\n2? \n"
	    "  =bG8=\n3 \n  =one\n");
	check("after the end",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n"
	    "--a--\nContent-Type: x/y\n\ntwo\n--a\n\nthree\n--a--\n",
	    "0 multipart/mixed\n1 \n  =one\n2? x/y\n  =two\n"
	    "3? \n  =three\n");
	check("the outer one inside the inner one",
	    "Content-Type: multipart/mixed; boundary====\n\n--===\n"
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	    "Content-Transfer-Encoding: base64\n\nSGVs\n--===\n"
	    "bG8=\n--b--\n--===--\n",
	    "0 multipart/mixed\n1 multipart/mixed\n1.1 \n  =Hel\n"
	    "  ~Hello\n  ~~Hel\n  ~~Hello\n  ~~Hel#lo\n  ~?SGVs\n2 \n"
	    "  =bG8=.|--b--\n  ~bG8=\n  ~--b--\n");
	check("two types",
	    "Content-Type: text/plain\n"
	    "Content-Type: multipart/mixed; boundary=a\n\n"
	    "--a\n\none\n--a--\n",
	    "0 text/plain\n  =--a.|.|one.|--a--.|\n1 \n  =one\n");
	check("two encodings",
	    "Content-Transfer-Encoding: 7bit\n"
	    "Content-Transfer-Encoding: base64\n\nSGVsbG8=\n",
	    "1 \n  =SGVsbG8=.|\n  ~Hello\n");
	check("two boundaries",
	    "Content-Type: multipart/mixed; boundary=a; boundary=\"b\"\n\n"
	    "--a\n\none\n--b\n\ntwo\n--b--\n",
	    "0 multipart/mixed\n1 \n  =one\n2 \n  =two\n");
	check("blanks instead of the empty line",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	    "Content-Type: text/plain\n \n"
	    "Content-Transfer-Encoding: base64\n\nSGVsbG8=\n--a--\n",
	    "0 multipart/mixed\n1 text/plain\n  =Hello\n"
	    "  ~|##z{S###}######x#j###!####\n"
	    "  ~~|##z{~N######I#######{###[##\n  ~?SGVsbG8=\n");
	check("a line in the header section",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	    "Content-Transfer-Encoding: base64\nABCD\n\nSGVsbG8=\n--a--\n",
	    "0 multipart/mixed\n1 \n  =###Hello\n  ~Hello\n"
	    "  ~?ABCD.|.|SGVsbG8=\n");
	check("no header section in a part",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	    "one\ntwo\n\nthree\n--a--\n",
	    "0 multipart/mixed\n1 \n  =one.|two.|.|three\n  ~three\n");
	check("a fold first",
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	    " Content-Transfer-Encoding: base64\n\nSGVsbG8=\n--a--\n",
	    "0 multipart/mixed\n1 \n  =Hello\n  ~?SGVsbG8=\n");
	check("base64 that is not told",
	    "Content-Type: application/pdf\n\n"
	    "SGVsbG9IZWxsb0hlbGxvSGVsbG9IZWxsb0hlbGxvSGVsbG9IZWxsb0hlbGxv\n"
	    "SGVsbG8=\n",
	    "1 application/pdf\n"
	    "  =SGVsbG9IZWxsb0hlbGxvSGVsbG9IZWxsb0hlbGxvSGVsbG9IZWxsb0hlbGxv\n"
	    "  ~?HelloHelloHelloHelloHelloHelloHelloHelloHelloHello\n");
	check("padding inside",
	    "Content-Transfer-Encoding: base64\n\n"
	    "SGVsbG8=V29ybGQ=\n",
	    "1 \n  =HelloWorld\n  ~~Hello\n  ~~Hello#####\n"
	    "  ~?SGVsbG8=V29ybGQ=.|\n");
	check("other digits",
	    "Content-Transfer-Encoding: base64\n\n-_-_\n",
	    "1 \n  =\n  ~~###\n  ~?-_-_.|\n");
}

static void
test_fields(void)
{
	check("names",
	    "Content-Type: a/b; name=\"=?utf-8?B?w6Q=?= x.doc\"\n"
	    "Content-Disposition: attachment;\n"
	    " filename*0*=iso-8859-1''%e4%20;\n filename*1=\"b.docm\";\n"
	    " filename=\"a\\\"b.pdf\"\n\nx\n",
	    "1 a/b <a\"b.pdf> <\xc3\xa4" " b.docm> <\xc3\xa4" " x.doc>\n"
	    "  =x.|\n");
	check("names of other kinds",
	    "Content-Type: a/b;\n name=my file.doc;name*=utf-8'de'%c3%bc.doc\n"
	    "Content-Disposition: inline; filename=\n =?utf-8?q?a=2Ed?=\n"
	    " =?utf-8?q?oc?=\n\nx\n",
	    "1 a/b <a.doc> <my file.doc> <\xc3\xbc" ".doc>\n  =x.|\n");
	check("encodings",
	    "Content-Type: multipart/mixed; boundary=a\n\n"
	    "--a\nContent-Transfer-Encoding : \"BASE64\" (x)\n\nSGVsbG8=\n"
	    "--a\nContent-Transfer-Encoding:\n base64\n\nSGVsbG8=\n"
	    "--a\ncontent-transfer-encoding: bas\n e64\n\nSGVsbG8=\n"
	    "--a\nContent-Transfer-Encoding: (quoted-printable) base64;x\n\n"
	    "SGVsbG8=\n--a--\n",
	    "0 multipart/mixed\n1 \n  =Hello\n  ~?SGVsbG8=\n2 \n"
	    "  =Hello\n  ~?SGVsbG8=\n3 \n  =Hello\n  ~?SGVsbG8=\n4 \n"
	    "  =Hello\n  ~?SGVsbG8=\n");
	check("boundaries",
	    "Content-Type: multipart/mixed; boundary*0=\"a\"; boundary*1=b\n\n"
	    "--ab\n"
	    "Content-Type: multipart/mixed; boundary='c'\n\n--c\n"
	    "Content-Type: multipart/mixed boundary = \"d\\e\" ;\n\n--de\n"
	    "Content-Type: (x) Multipart / Mixed (;boundary=y); boundary=f(z)"
	    "\n\n--f\n\none\n--f--\n--d\\e--\n--c--\n--ab--\n",
	    "0 multipart/mixed\n1 multipart/mixed\n1.1 multipart/mixed\n"
	    "1.1.1 multipart/mixed\n1.1.1.1 \n  =one\n");
}

int
main(void)
{
	test_plain();
	test_multipart();
	test_doubtful();
	test_fields();
	mime_free(&m);
	return unit_end();
}
