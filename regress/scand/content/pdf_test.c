/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/build.h"
#include "regress/scand/content/seen.h"
#include "regress/unit.h"
#include "scand/content/pdf.h"

/*
 * PDF: which trailer is in effect, what opens it, what is attached.
 */

#define CATALOG		"<</Type/Catalog>>"
/* Opens with no password; nobody needs to know which one. */
#define LOCK		"<</Filter/Standard/V 1/R 2/P -4" \
	"/O(01234567890123456789012345678901)" \
	"/U(01234567890123456789012345678901)>>"

static const char	 eicar[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR"
	"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

/* A file of these objects (NULL ends them) and what its trailer says more. */
static struct made
make_pdf(const char *const *objects, const char *trailer)
{
	struct made m = { 0 };
	char line[64];
	size_t at[16], i, n, xref;

	made_text(&m, "%PDF-1.4\n");
	for (n = 0; objects[n] != NULL; n++) {
		at[n] = m.n;
		snprintf(line, sizeof(line), "%zu 0 obj\n", n + 1);
		made_text(&m, line);
		made_text(&m, objects[n]);
		made_text(&m, "\nendobj\n");
	}
	xref = m.n;
	snprintf(line, sizeof(line), "xref\n0 %zu\n0000000000 65535 f \n",
	    n + 1);
	made_text(&m, line);
	for (i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "%010zu 00000 n \n", at[i]);
		made_text(&m, line);
	}
	made_text(&m, "trailer\n<</Root 1 0 R");
	made_text(&m, trailer);
	snprintf(line, sizeof(line), ">>\nstartxref\n%zu\n%%%%EOF\n", xref);
	made_text(&m, line);
	return m;
}

static const char	*const plain[] = { CATALOG, LOCK, NULL };

/* What trailers say of encryption, whatever stands around it. */
static void
test_trailer(void)
{
	static const struct {
		const char	*trailer;
		enum finding	 want;		/* FINDING_MAX: none */
	} cases[] = {
		{ "", FINDING_MAX },
		{ "/Encrypt 2 0 R", FINDING_PDF_ENCRYPTED },
		{ "/#45n#63rypt 2 0 R", FINDING_PDF_ENCRYPTED },
		{ "/Encrypt%comment >>\n2 0 R", FINDING_PDF_ENCRYPTED },
		{ "/Encrypt" LOCK, FINDING_PDF_ENCRYPTED },
		{ "/Encrypt<</Filter/Adobe.PubSec>>", FINDING_PDF_ENCRYPTED },
		{ "/Encrypt null", FINDING_MAX },
		{ "/Encrypt 2 0 R/Encrypt null", FINDING_PDF_ENCRYPTED },
		{ "/Encrypt 9 0 R", FINDING_DAMAGED },
		{ "/Encrypt 1 0 R", FINDING_DAMAGED },
		{ "/X(/Encrypt 2 0 R)", FINDING_MAX },
		{ "/X(\\)>>/Encrypt 2 0 R)", FINDING_MAX },
		{ "/X((\\))/Encrypt 2 0 R)", FINDING_MAX },
		{ "%/Encrypt 2 0 R\n", FINDING_MAX },
		{ "/X</Encrypt 2 0 R>", FINDING_MAX },
		{ "/X<</Encrypt 2 0 R>>", FINDING_MAX },
		{ "/X[<</Encrypt 2 0 R>>]", FINDING_MAX },
		{ "/X/Encrypt/Y 2 0 R", FINDING_MAX },
		{ "/X[[[(>>)]]]/Encrypt 2 0 R", FINDING_PDF_ENCRYPTED },
		{ "/Encrypt<</Filter/Standard/V 4/R 4>>",
		    FINDING_PDF_ATTACHMENT_ENCRYPTED },
		{ "/Encrypt<</Filter/Standard/V 5/R 6/StmF/Identity"
		    "/StrF/StdCF>>", FINDING_PDF_ENCRYPTED },
	};
	struct seen s;
	struct made m;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = make_pdf(plain, cases[i].trailer);
		seen_look(&s, "a.pdf", m.p, m.n);
		if (cases[i].want == FINDING_MAX ? seen_kinds(&s) != 0 :
		    seen_kinds(&s) != 1 || s.count[cases[i].want] != 1)
			CHECK_STR(cases[i].trailer, "told otherwise");
		made_free(&m);
	}
}

/* An update behind it says otherwise, or leads nowhere. */
static void
test_update(void)
{
	struct seen s;
	struct made m;
	char text[256];
	size_t first, second;

	m = make_pdf(plain, "/Encrypt 2 0 R");
	first = m.n;
	while (memcmp(m.p + first, "xref\n", 5) != 0 || m.p[first - 1] != '\n')
		first--;
	/* The last xref that was found so is that of startxref. */
	while (first-- > 0)
		if (memcmp(m.p + first, "\nxref\n", 6) == 0)
			break;
	first++;
	second = m.n;
	snprintf(text, sizeof(text), "xref\n0 0\ntrailer <</Root 1 0 R"
	    "/Prev %zu>>\nstartxref\n%zu\n%%%%EOF\nmore", first, second);
	made_text(&m, text);
	seen_look(&s, "a.pdf", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_OLD_ENCRYPT] == 1);

	/* A chain that comes back to itself. */
	m.n = second;
	snprintf(text, sizeof(text), "xref\n0 0\ntrailer <</Root 1 0 R"
	    "/Prev %zu>>\nstartxref\n%zu\n", second, second);
	made_text(&m, text);
	seen_look(&s, "a.pdf", m.p, m.n);
	CHECK_INT(seen_kinds(&s), 0);

	/* It has no root: all is searched, and the older one found. */
	m.n = second;
	snprintf(text, sizeof(text), "xref\n0 0\ntrailer <</Size 1>>\n"
	    "startxref\n%zu\n", second);
	made_text(&m, text);
	seen_look(&s, "a.pdf", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_ENCRYPTED] == 1);

	m.n = second;
	made_text(&m, "startxref\n99999\n");
	seen_look(&s, "a.pdf", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_ENCRYPTED] == 1);

	m.n = second;
	made_text(&m, "startxref\n");
	seen_look(&s, "a.pdf", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_ENCRYPTED] == 1);
	made_free(&m);
}

/* Offsets count from %PDF- or from the beginning. */
static void
test_shift(void)
{
	struct seen s;
	struct made m = make_pdf(plain, "/Encrypt 2 0 R"), shifted = { 0 };

	made_text(&shifted, "\n\njunk that a mail program left here\n");
	made_add(&shifted, m.p, m.n);
	seen_look(&s, "a.pdf", shifted.p, shifted.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_ENCRYPTED] == 1);
	made_free(&shifted);
	made_free(&m);
	/* Nothing but its beginning. */
	seen_look(&s, "a.pdf", "%PDF-1.4", 8);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_DAMAGED] == 1);
}

/* Files of every revision, by qpdf: a password, or none for the user, or none
   for the owner. */
static void
test_passwords(void)
{
	static const struct {
		const char	*path;
		enum finding	 want;
	} files[] = {
		{ "r2-user", FINDING_PDF_ENCRYPTED },
		{ "r2-owner", FINDING_PDF_OWNER },
		{ "r3-user", FINDING_PDF_ENCRYPTED },
		{ "r3-owner", FINDING_PDF_OWNER },
		{ "r4-user", FINDING_PDF_ENCRYPTED },
		{ "r4-owner", FINDING_PDF_OWNER },	/* and clear metadata */
		{ "r5-user", FINDING_PDF_ENCRYPTED },
		{ "r5-owner", FINDING_PDF_OWNER },
		{ "r5-emptyowner", FINDING_PDF_OWNER },
		{ "r6-user", FINDING_PDF_ENCRYPTED },
		{ "r6-owner", FINDING_PDF_OWNER },
		{ "r6-emptyowner", FINDING_PDF_OWNER },
		{ "r6-linear", FINDING_PDF_ENCRYPTED },
	};
	struct seen s;
	char path[128];
	uint8_t *p;
	size_t i, n;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "regress/fuzz/pdf/%s",
		    files[i].path);
		p = seen_file(path, &n);
		seen_look(&s, "a.pdf", p, n);
		if (seen_kinds(&s) != 1 || s.count[files[i].want] != 1)
			CHECK_STR(files[i].path, "told otherwise");
		free(p);
	}
}

static void
look_attached(struct seen *s, const char *dict, const void *data, size_t n)
{
	const char *const objects[] = { CATALOG, NULL };
	struct made m = { 0 }, pdf;

	made_text(&m, "%PDF-1.4\n8 0 obj 7 endobj\n7 0 obj\n");
	made_text(&m, dict);
	made_text(&m, "stream\r\n");
	made_add(&m, data, n);
	made_text(&m, "\nendstream endobj\n");
	pdf = make_pdf(objects, "");
	made_add(&m, pdf.p, pdf.n);
	seen_look(s, "a.pdf", m.p, m.n);
	made_free(&pdf);
	made_free(&m);
}

static void
test_attached(void)
{
	static const char spec[] = "1 0 obj<</EF<</F 7 0 R/UF 7 0 R>>>>endobj ";
	static const char indirect[] = "1 0 obj<</EF 6 0 R>>endobj "
	    "6 0 obj<</F 7 0 R>>endobj ";
	struct seen s;
	struct made hex = { 0 }, z;
	char text[512], line[3];
	size_t i;

	look_attached(&s, "<</Type/EmbeddedFile>>", eicar, 68);
	CHECK(s.count[FINDING_EICAR] == 1);
	CHECK_STR(s.where[FINDING_EICAR], "a.pdf > attachment");
	look_attached(&s, "<</Type/#45mbeddedFile/Length 68>>", eicar, 68);
	CHECK(s.count[FINDING_EICAR] == 1);
	look_attached(&s, "<</Type/EmbeddedFile/Length 8 0 R>>", eicar, 68);
	CHECK(s.count[FINDING_EICAR] == 1);
	look_attached(&s, "<</Type/XObject>>", eicar, 68);
	CHECK_INT(s.count[FINDING_EICAR], 0);

	/* Through filters: hexadecimal of zlib. */
	z = make_zlib((const uint8_t *)eicar, 68);
	for (i = 0; i < z.n; i++) {
		snprintf(line, sizeof(line), "%02x", z.p[i]);
		made_text(&hex, line);
	}
	made_text(&hex, ">");
	look_attached(&s, "<</Type/EmbeddedFile/Filter[/AHx/Fl]>>", hex.p,
	    hex.n);
	CHECK(s.count[FINDING_EICAR] == 1);
	look_attached(&s, "<</Type/EmbeddedFile/Filter/FlateDecode>>", z.p,
	    z.n);
	CHECK(s.count[FINDING_EICAR] == 1);
	look_attached(&s, "<</Type/EmbeddedFile/Filter/JBIG2Decode>>", z.p,
	    z.n);
	CHECK(s.count[FINDING_OPAQUE] == 1);

	/* It does not say what it is: a specification does, at once or by a
	   dictionary elsewhere. */
	snprintf(text, sizeof(text), "<<>>endobj %s%s", spec, "7 0 obj <<>>");
	look_attached(&s, text, eicar, 68);
	CHECK(s.count[FINDING_EICAR] == 1);
	snprintf(text, sizeof(text), "<<>>endobj %s%s", indirect,
	    "7 0 obj <<>>");
	look_attached(&s, text, eicar, 68);
	CHECK(s.count[FINDING_EICAR] == 1);
	made_free(&z);
	made_free(&hex);
}

/* 7.4.3, 7.4.4 and 7.4.5, by the examples of their definition or by hand. */
static void
test_filters(void)
{
	static const char a85[] = "87cURD]i,\"Ebo80~>";	/* Hello World! */
	static const char runs[] = "\4Hello\xff \0!\x80";
	/* The example of ISO 32000-1 7.4.4.2. */
	static const char lzw[] = "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01";
	struct seen s;

	look_attached(&s, "<</Type/EmbeddedFile/Filter/A85>>", a85,
	    sizeof(a85) - 1);
	CHECK(strstr(s.tree, "2 attachment text 12\n") != NULL);
	look_attached(&s, "<</Type/EmbeddedFile/Filter/RL>>", runs,
	    sizeof(runs) - 1);
	CHECK(strstr(s.tree, "2 attachment text 8\n") != NULL);
	look_attached(&s, "<</Type/EmbeddedFile/Filter/LZWDecode>>", lzw,
	    sizeof(lzw) - 1);
	CHECK(strstr(s.tree, "2 attachment text 10\n") != NULL);
}

static void
test_active(void)
{
	static const char *const scripts[] = {
		"<</Type/Catalog/OpenAction<</S/JavaScript/JS(x)>>>>", NULL
	};
	static const char *const harmless[] = {
		"<</Type/Catalog/OpenAction[1 0 R/Fit]/T(/JavaScript)>>", NULL
	};
	struct seen s;
	struct made m;
	uint8_t *p;
	size_t n;

	m = make_pdf(scripts, "");
	seen_look(&s, "a.pdf", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_ACTIVE] == 1);
	made_free(&m);
	m = make_pdf(harmless, "");
	seen_look(&s, "a.pdf", m.p, m.n);
	CHECK_INT(seen_kinds(&s), 0);
	made_free(&m);
	p = seen_file("regress/fuzz/pdf/objstm", &n);
	seen_look(&s, "a.pdf", p, n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_ACTIVE] == 1);
	free(p);
}

static void
test_strings(void)
{
	static const struct {
		const char	*in, *want;
	} cases[] = {
		{ "(abc)", "abc" }, { "(a(b)c)", "a(b)c" },
		{ "(a\\)\\(\\\\)", "a)(\\" }, { "(\\101\\1019\\7)", "AA9\7" },
		{ "(a\\\nb\\\r\nc)", "abc" }, { "(a\r\nb\rc)", "a\nb\nc" },
		{ "(\\n\\r\\t\\b\\f\\x)", "\n\r\t\b\fx" },
		{ "<4142 4>", "AB@" }, { "<>", "" }, { "(", "" },
		{ "(0123456789abcdef)", "01234567" },
	};
	struct pdf pdf;
	uint8_t buf[9];
	size_t i, n;

	memset(&pdf, 0, sizeof(pdf));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pdf.p = (const uint8_t *)cases[i].in;
		pdf.n = strlen(cases[i].in);
		n = pdf_string(&pdf, 0, buf, sizeof(buf) - 1);
		buf[n] = '\0';
		CHECK_STR((const char *)buf, cases[i].want);
	}
}

int
main(void)
{
	test_trailer();
	test_update();
	test_shift();
	test_passwords();
	test_attached();
	test_filters();
	test_active();
	test_strings();
	return unit_end();
}
