/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * Objects in RTF behind everything that is used to hide them.
 */

/* An object of class X that is "{\rtf1} ", in hex. */
#define HEAD	"0105000002000000020000005800" "0000000000000000"
#define SIZE	"08000000"
#define DATA	"7b5c727466317d20"

static struct fake
look(const char *text, size_t n)
{
	struct fake f;
	uint8_t *p;

	if ((p = malloc(n + (n == 0))) == NULL)
		exit(1);
	memcpy(p, text, n);
	fake_start(&f);
	rtf_look(&f.in, p, n);
	free(p);
	return f;
}

/* Is the object found, as it is? */
static void
found(const char *text, size_t n)
{
	struct fake f = look(text, n);

	if (f.looks != 1 || f.n != 8)
		printf("%s: %u of %zu\n", text, f.looks, f.n);
	CHECK_INT(f.looks, 1);
	CHECK_STR(f.name, "X");
	CHECK(f.n == 8 && f.type == CONTENT_RTF);
}

#define FOUND(s)	found(s, sizeof(s) - 1)

static void
test_hidden(void)
{
	FOUND("{\\rtf1{\\object\\objemb{\\*\\objdata " HEAD SIZE DATA "}}}");
	FOUND("{\\rtf1{\\*\\objdata\n" HEAD "\r\n" SIZE "\t" DATA);
	/* Digits that might be a parameter. */
	FOUND("{\\rtf1{\\*\\objdata" HEAD SIZE DATA "}");
	/* Groups, control words with and without a parameter, characters. */
	FOUND("{\\rt{\\objdata " HEAD "{\\*\\x 1234 {56}}" SIZE DATA "}");
	FOUND("{\\rt{\\objdata " HEAD "\\par " SIZE "\\fs20 " DATA "}");
	FOUND("{\\rt{\\objdata " HEAD "\\'ab" SIZE "\\~" DATA "}");
	FOUND("{\\rt{\\objdata " HEAD "xyz. g" SIZE "Q" DATA "}");
	FOUND("{\\rt{\\objdata " HEAD "\\ud-12 " SIZE DATA "}");
	/* Binary data, with a nibble in front that is dropped. */
	FOUND("{\\rt{\\objdata " HEAD SIZE "7\\bin8 {\\rtf1} }");
	FOUND("{\\rt{\\objdata " HEAD SIZE "\\bin0 " DATA "}");
	FOUND("{\\rt{\\objdata " HEAD SIZE "\\bin-5 " DATA "}");
	/* \bin elsewhere hides a brace; in a group it is no data. */
	FOUND("{\\rt\\bin3 }}}{\\objdata " HEAD SIZE DATA "}");
	FOUND("{\\rt{\\objdata " HEAD "{\\bin3 abc}" SIZE DATA "}");
	/* Braces that do not match. */
	FOUND("}}}{\\rt{{{{\\objdata " HEAD SIZE DATA "}");
}

static void
test_broken(void)
{
	static const char cfb[] = "d0cf11e0a1b11ae1";
	char text[200];
	struct fake f;
	struct made m;
	int i;

	/* Half an octet too far. */
	snprintf(text, sizeof(text), "{\\rt{\\objdata 0%s%s%s}", HEAD, SIZE,
	    cfb);
	f = look(text, strlen(text));
	CHECK_INT(f.looks, 1);
	CHECK(f.type == CONTENT_CFB);
	/* A parameter with an odd number of digits that belong to it. */
	snprintf(text, sizeof(text), "{\\rt{\\objdata1 %s%s%s}", HEAD, SIZE,
	    cfb);
	f = look(text, strlen(text));
	CHECK_INT(f.looks, 1);
	/* A picture is no object, and neither is a word that begins so. */
	snprintf(text, sizeof(text), "{\\rt{\\pict %s%s%s}{\\objdatax %s}",
	    HEAD, SIZE, cfb, cfb);
	f = look(text, strlen(text));
	CHECK_INT(f.looks, 0);
	/* Two, the second inside of the first. */
	snprintf(text, sizeof(text), "{\\rt{\\objdata %s{\\objdata %s}}}",
	    cfb, cfb);
	f = look(text, strlen(text));
	CHECK_INT(f.looks, 2);
	/* \bin with more than there is. */
	snprintf(text, sizeof(text), "{\\rt{\\objdata\\bin99999999999 {\\rt");
	f = look(text, strlen(text));
	CHECK_INT(f.looks, 0);
	/* Behind others of all kinds, and in what says that it is a link. */
	memset(&m, 0, sizeof(m));
	made_text(&m, "{\\rt");
	for (i = 0; i < 3000; i++)
		made_text(&m, "{\\objdata 00}");
	made_text(&m, "{\\objdata 0105000001000000" "020000005800"
	    "0000000000000000" SIZE);
	made_text(&m, cfb);
	made_text(&m, "}}");
	f = look((const char *)m.p, m.n);
	CHECK_INT(f.looks, 1);
	CHECK(f.type == CONTENT_CFB);
	made_free(&m);
	f = look("{\\rt{\\objdata \\", 15);
	f = look("{\\rt{\\objdata \\'", 16);
	f = look("{\\rt{\\objdata \\bin", 18);
	f = look("", 0);
	CHECK_INT(f.looks, 0);
}

static void
test_texts(void)
{
	static const char *dde[] = {
		"{\\rt{\\field{\\*\\fldinst DDEAUTO c:\\\\\\\\a \"b\"}}}",
		"{\\rt{\\field{\\*\\fldinst{\\rtlch  D}{\\b DE }{x}}}}",
		"{\\rt{\\field{\\*\\fldinst \\'44\\'44\\'45 x}}}"
	};
	static const char *remote[] = {
		"{\\rt{\\*\\template http://a.example/x.dot}}",
		"{\\rt{\\*\\template \\u104?\\u116 tp://a.example/x.dot}}"
	};
	const char *s;
	struct fake f;
	size_t i;

	for (i = 0; i < sizeof(dde) / sizeof(dde[0]); i++) {
		f = look(dde[i], strlen(dde[i]));
		CHECK_INT(f.count[FINDING_DDE], 1);
	}
	s = "{\\rt{\\field{\\*\\fldinst HYPERLINK \"x\"}{\\fldrslt DDE }}}";
	f = look(s, strlen(s));
	CHECK_INT(f.count[FINDING_DDE], 0);
	f = look(remote[0], strlen(remote[0]));
	CHECK_STR(f.detail[FINDING_EXTERNAL_TEMPLATE],
	    "http://a.example/x.dot");
	f = look(remote[1], strlen(remote[1]));
	CHECK_INT(f.count[FINDING_EXTERNAL_TEMPLATE], 0);
	s = "{\\rt{\\*\\template C:\\\\Normal.dot}}";
	f = look(s, strlen(s));
	CHECK_INT(f.count[FINDING_EXTERNAL_TEMPLATE], 0);
}

/* Nothing is kept for a group. */
static void
test_deep(void)
{
	size_t n = 600000, i;
	struct fake f;
	char *s;

	if ((s = malloc(n + 100)) == NULL)
		return;
	memset(s, '{', n);
	memcpy(s, "{\\rt", 4);
	i = n + (size_t)snprintf(s + n, 100, "\\objdata %s%s%s", HEAD, SIZE,
	    DATA);
	f = look(s, i);
	CHECK_INT(f.looks, 1);
	free(s);
}

int
main(void)
{
	test_hidden();
	test_broken();
	test_texts();
	test_deep();
	return unit_end();
}
