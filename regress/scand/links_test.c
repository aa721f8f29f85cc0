/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <time.h>

#include "regress/unit.h"
#include "scand/rules/links.h"

/*
 * Links in text and HTML.  What is found is printed as one line: hosts in
 * order, then what is odd.
 */

static const char *const odd_names[LINK_ODDS] = {
	"address", "obscured", "user", "port", "mixed", "differs",
	"document"
};

static const char *
found(const char *text, size_t n, int is_html)
{
	static struct links l;
	static char out[4096];
	size_t i;

	links_reset(&l);
	links_scan(&l, text, n, is_html);
	out[0] = '\0';
	for (i = 0; i < l.n; i++) {
		if (i > 0)
			(void)strlcat(out, " ", sizeof(out));
		(void)strlcat(out, l.v[i].host, sizeof(out));
		CHECK(strlen(l.v[i].host) > 0);
	}
	for (i = 0; i < LINK_ODDS; i++) {
		if (l.odd[i].n > 0) {
			(void)strlcat(out, " +", sizeof(out));
			(void)strlcat(out, odd_names[i], sizeof(out));
		}
	}
	return out;
}

#define TEXT(t, want)	CHECK_STR(found(t, sizeof(t) - 1, 0), want)
#define HTML(t, want)	CHECK_STR(found(t, sizeof(t) - 1, 1), want)

static void
test_text(void)
{
	TEXT("", "");
	TEXT("no link, 3.14 and e.g. this/that", "");
	TEXT("http://a.example/x", "a.example");
	TEXT("see <http://A.Example.>, and (https://b.example)!",
	    "a.example b.example");
	TEXT("http://a.example, http://b.example; \"http://c.example\"",
	    "a.example b.example c.example");
	TEXT("www.a.example WWW.b.example/x (www.c.example).",
	    "www.a.example www.b.example www.c.example");
	TEXT("bit.example/abc and/or example.com, file.txt or c.d",
	    "bit.example example.com");
	TEXT("mail x@a.example or x@www.a.example", "");
	TEXT("ftp://a.example xhttp://b.example mailto:x@c.example",
	    "a.example b.example");
	TEXT("http:/ http:// http://. https://x", "");
	TEXT("http://a.example\xc2\xa0then \xe3\x80\x8c"
	    "http://b.example\xe3\x80\x8d", "a.example b.example");
	TEXT("http://b\xc3\xbc" "cher.example\xe2\x80\x9d",
	    "xn--bcher-kva.example");
	TEXT("\xe8\xaf\xb7\xe7\x9c\x8bhttp://a.example\xef\xbc\x8c\xe8\xaf\xb7",
	    "a.example");
	TEXT("http://a.example/?u=http://b.example/&v=https%3A%2F%2Fc.example",
	    "a.example b.example c.example");
	TEXT("http://one.two.three.four.five.example/",
	    "three.four.five.example");
	/* each once */
	TEXT("http://a.example http://a.example www.a.example",
	    "a.example www.a.example");
	TEXT("http://\xff\xfe/ http://a.example", "a.example");
	TEXT("http://a..example http://-.- http://a.example.c", "");
}

static void
test_odd(void)
{
	TEXT("http://192.0.2.1/", "192.0.2.1 +address");
	TEXT("http://[2001:db8::1]:8080/x", "2001:db8::1 +address +port");
	TEXT("http://[::ffff:192.0.2.1]/", "192.0.2.1 +address +obscured");
	TEXT("http://3221225985/", "192.0.2.1 +address +obscured");
	TEXT("http://0xc0000201/", "192.0.2.1 +address +obscured");
	TEXT("http://0300.0.2.1/", "192.0.2.1 +address +obscured");
	TEXT("http://192.0.513", "192.0.2.1 +address +obscured");
	TEXT("http://0xC0.0.0x2.01", "192.0.2.1 +address +obscured");
	TEXT("http://192.0.2.1./", "192.0.2.1 +address");
	TEXT("http://256.1.1.1 http://1.2.3.4.5 http://08.1.1.1", "");
	TEXT("http://4294967296 http://1.2.3.256 http://0x.0.0.x", "");
	TEXT("http://192.168.1.1/ http://127.0.0.1/ http://[::1]/", "");
	TEXT("http://www.bank.example@192.0.2.1/",
	    "192.0.2.1 +address +user");
	TEXT("http://www.bank.example@evil.example/", "evil.example +user");
	TEXT("http://a:b@c@d.example", "d.example +user");
	TEXT("http://@d.example http://d.example/@x", "d.example");
	TEXT("http://a.example:80/ http://b.example:443/ http://c.example:/",
	    "a.example b.example c.example");
	TEXT("http://a.example:8443/", "a.example +port");
	TEXT("http://%65vil.example/", "evil.example +obscured");
	TEXT("http://%31%39%32.0.2.1/", "192.0.2.1 +address +obscured");
	TEXT("http://evil%2eexample%2f.b.example/", "");
	/* full width, mathematical letters, circles, a soft hyphen */
	TEXT("http://\xef\xbd\x85vil\xef\xbc\x8e" "example/",
	    "evil.example +obscured");
	TEXT("http://\xf0\x9d\x93\xae\xf0\x9d\x97\x8f" "il.example/",
	    "evil.example +obscured");
	TEXT("http://\xe2\x93\x94\xe2\x93\xa5il.example/",
	    "evil.example +obscured");
	TEXT("http://ev\xc2\xadil.example/", "evil.example +obscured");
	TEXT("http://\xef\xbc\x91\xef\xbc\x99\xef\xbc\x92.0.2.1/",
	    "192.0.2.1 +address +obscured");
	/* names of other alphabets are nothing odd */
	TEXT("http://b\xc3\xbc" "cher.example/", "xn--bcher-kva.example");
	TEXT("http://B\xc3\x9c" "CHER.example/", "xn--bcher-kva.example");
	TEXT("http://\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.example",
	    "xn--e1afmkfd.example");
	TEXT("http://\xe4\xbe\x8b\xe3\x80\x82" "example/", "xn--fsq.example");
	/* Latin and Cyrillic mixed, Cyrillic that looks like Latin */
	TEXT("http://p\xd0\xb0ypal.example/", "xn--pypal-4ve.example +mixed");
	TEXT("http://xn--pypal-4ve.example/", "xn--pypal-4ve.example +mixed");
	TEXT("http://\xd0\xb0\xd1\x80\xd1\x80\xd3\x8f\xd0\xb5.example/",
	    "xn--80ak6aa92e.example +mixed");
}

static void
test_html(void)
{
	HTML("<a href=\"http://a.example/x\">here</a>", "a.example");
	HTML("<A HREF = 'http://a.example'><img src=http://b.example/i.png>",
	    "a.example b.example");
	HTML("<a href=\"h&#116;tp&colon;//ev&#x69;l.example\">x</a>",
	    "evil.example");
	HTML("<a href=\" ht\ntp://ev\til.example\n\">x", "evil.example");
	HTML("<a href=\"//a.example/x\"><a href='\\\\b.example'>",
	    "a.example b.example");
	HTML("<a href=\"http:\\\\a.example\"><a href=\"https:b.example\">"
	    "<a href=\"http:///c.example\">", "a.example b.example c.example");
	HTML("<a href=\"/x\"><a href=\"x.html\"><a href=\"#top\">", "");
	HTML("<a href=mailto:x@a.example><a href=cid:x@b.example>", "");
	HTML("<form action=\"https://a.example/post\"><input "
	    "formaction='//b.example'>", "a.example b.example");
	HTML("<form action=\"/local\">", "");
	HTML("<a href=\"javascript:go()\"><iframe "
	    "src=\"data:text/html,x\">", " +document");
	HTML("<img src=\"data:image/png;base64,AAAA\">", "");
	HTML("<meta http-equiv=refresh content=\"0; url='http://a.example'\">",
	    "a.example");
	HTML("<img srcset=\"//a.example/1 1x, //b.example/2 2x\">",
	    "a.example b.example");
	HTML("<body background=http://a.example/x><p style=\"background:"
	    "url(http://b.example/y)\">", "a.example b.example");
	HTML("<style>@import url('http://a.example/x.css');</style>"
	    "<script>window.open(\"http://b.example\")</script> www.c.example",
	    "a.example b.example www.c.example");
	/* the text is shown, comments are not, but for one reader */
	HTML("<p>http://a.example/<!-- http://b.example -->"
	    "<!--[if mso]><a href=http://c.example><![endif]-->",
	    "a.example c.example");
	HTML("<!-- <a href=http://a.example>", "a.example");
	HTML("<!><a href=http://a.example><?x http://c.example>"
	    "<!--><a href=//b.example>", "a.example b.example");
	HTML("<a title=\">\" href=\"http://a.example\">x", "a.example");
	HTML("<a title=\"x href=\"http://a.example\">x", "");
	HTML("<a title=\"> href=http://a.example", "a.example");
	HTML("<a/href=http://a.example/><br/><a\nhref='//b.example'/>",
	    "a.example b.example");
	HTML("a < b www.a.example <1 </ <", "www.a.example");
	HTML("<base href=http://a.example/><a href=/x>www.b.example</a>",
	    "a.example www.b.example +differs");
	HTML("<a href=\"http://a.example/?u=http%3a%2f%2fb.example\">",
	    "a.example b.example");
	HTML("<a href=\"http://192.0.2.1/\">", "192.0.2.1 +address");
}

static void
test_differs(void)
{
	HTML("<a href=http://a.example>http://a.example/x</a>", "a.example");
	HTML("<a href=http://x.a.example>www.a.example</a>",
	    "x.a.example www.a.example");
	HTML("<a href=http://evil.example>https://bank.example/</a>",
	    "evil.example bank.example +differs");
	HTML("<a href=http://evil.example><b>www.</b>bank.example</a>",
	    "evil.example +differs");
	HTML("<a href=http://evil.example> bank.com </a>",
	    "evil.example bank.com +differs");
	HTML("<a href=http://evil.example>bank.com",
	    "evil.example bank.com +differs");
	HTML("<a href=http://evil.example>visit bank.com today</a>",
	    "evil.example bank.com");
	HTML("<a href=http://a.example>report.pdf</a>", "a.example");
	HTML("<a href=http://a.example>x@bank.com</a>", "a.example");
	HTML("<a href=http://a.example>more</a> www.b.example",
	    "a.example www.b.example");
	HTML("<a href=http://a.co.uk>www.b.co.uk</a>",
	    "a.co.uk www.b.co.uk +differs");
}

static void
test_domain(void)
{
	CHECK_STR(host_domain("example"), "example");
	CHECK_STR(host_domain("a.example"), "a.example");
	CHECK_STR(host_domain("b.a.example"), "a.example");
	CHECK_STR(host_domain("c.b.co.uk"), "b.co.uk");
	CHECK_STR(host_domain("b.co.uk"), "b.co.uk");
	CHECK_STR(host_domain("co.uk"), "co.uk");
	CHECK_STR(host_domain("x.y.com.example"), "com.example");
	CHECK_STR(host_below("c.b.a.example"), "b.a.example");
	CHECK_STR(host_below("x.b.co.uk"), "x.b.co.uk");
	CHECK(host_below("a.example") == NULL);
	CHECK(host_usual("a.de") && host_usual("b.a.com"));
	CHECK(!host_usual("a.pdf") && !host_usual("com"));
}

static void
test_decode(void)
{
	static const struct {
		const char	*in, *out;
	} v[] = {
		{ "", "" }, { "&", "&" }, { "&;", "&;" }, { "a&amp;b", "a&b" },
		{ "&amp", "&" }, { "&ampx", "&ampx" }, { "&amp=1", "&amp=1" },
		{ "&lt;&#60;&#x3c;&#X3C", "<<<<" }, { "&#0;", "\xef\xbf\xbd" },
		{ "&#", "&#" }, { "&#x;", "&#x;" }, { "&#xzz", "&#xzz" },
		{ "&#99999999999;", "\xef\xbf\xbd" },
		{ "&#xd800;", "\xef\xbf\xbd" }, { "&uuml;", "\xc3\xbc" },
		{ "&#x1d4d0;", "\xf0\x9d\x93\x90" }, { "&nosuch;", "&nosuch;" },
		{ "&sol;&sol;", "//" }, { "&sol", "&sol" }
	};
	char out[64];
	size_t i, n;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		n = html_decode(v[i].in, strlen(v[i].in), out,
		    sizeof(out) - 1);
		out[n] = '\0';
		CHECK_STR(out, v[i].out);
	}
	CHECK_INT(html_decode("abc&#x1d4d0;", 12, out, 5), 3);
	CHECK_INT(html_decode("abcdef", 6, out, 5), 5);
}

/* Many hosts: a sample is kept; nothing takes long. */
static void
test_many(void)
{
	static const char *const floods[] = {
		"<a =\">\" ", "<!-- ", "http://, ", "://", "www.a.example/",
		"<a href=\"http://a.example/", "<script>", "</script ",
		"http://a.example/http://", "&#38;", "<a href=x ", "a.b/",
		"<a href='", "http://a@", "<style><style></style>"
	};
	static struct links l;
	char *text, one[64];
	size_t i, k, n = 1024 * 1024, len;
	clock_t from;

	text = malloc(n);
	CHECK(text != NULL);
	if (text == NULL)
		return;
	links_reset(&l);
	for (i = 0; i < 5000; i++) {
		(void)snprintf(one, sizeof(one), "http://h%zu.example/ ", i);
		links_scan(&l, one, strlen(one), 0);
	}
	CHECK_INT(l.n, LIM_LINKS);
	CHECK_INT(l.distinct, 5000);
	/* it would be a strange chance if only the first were left */
	for (i = k = 0; i < LIM_LINKS; i++)
		k += strlen(l.v[i].host) > strlen("h999.example");
	CHECK(k > 10);
	for (i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		len = strlen(floods[i]);
		for (k = 0; k < n; k++)
			text[k] = floods[i][k % len];
		from = clock();
		links_reset(&l);
		links_scan(&l, text, n, 1);
		links_scan(&l, text, n, 0);
		/* Quadratic would be minutes; sanitizers are slow. */
		if (clock() - from > 5 * CLOCKS_PER_SEC)
			CHECK_STR(floods[i], "scanned in five seconds");
	}
	/* no more than the limit of all texts */
	links_reset(&l);
	memset(text, 'x', n);
	for (i = 0; i < 20; i++)
		links_scan(&l, text, n, 0);
	CHECK_INT(l.scanned, LIM_LINK_TEXT);
	free(text);
}

int
main(void)
{
	test_text();
	test_odd();
	test_html();
	test_differs();
	test_domain();
	test_decode();
	test_many();
	return unit_end();
}
