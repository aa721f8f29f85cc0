/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * The scanner for tags; what XML has in base64; packages.
 */

/* The events of a document: <n opens, >n closes, = a text; E: the end. */
static const char *
events(const char *text)
{
	static char out[400];
	struct xml x;
	enum xml_event e;
	size_t n = 0;

	xml_open(&x, text, strlen(text));
	while ((e = xml_next(&x)) != XML_END) {
		if (e == XML_TEXT)
			n += (size_t)snprintf(out + n, sizeof(out) - n,
			    "=%.*s", (int)x.text_n, x.text);
		else
			n += (size_t)snprintf(out + n, sizeof(out) - n,
			    "%c%.*s%s", e == XML_OPEN ? '<' : '>',
			    (int)x.name_n, x.name, x.empty ? "/" : "");
	}
	out[n] = '\0';
	return out;
}

static void
test_scanner(void)
{
	CHECK_STR(events("\xef\xbb\xbf<?xml version='1.0'?><a>b</a>"),
	    "<a=b>a");
	CHECK_STR(events("<p:a x='>'><!-- <b> --><b/></p:a >"),
	    "<a<b/>a");
	CHECK_STR(events("<!DOCTYPE a [<!ENTITY b \"<c>]>\"> ]><a/>"), "<a/");
	CHECK_STR(events("<a><![CDATA[<b>&amp;]]]></a>"),
	    "<a=<b>&amp;]>a");
	CHECK_STR(events("<a"), "<a");
	CHECK_STR(events("<a x=\"1>"), "<a");
	CHECK_STR(events("<!--"), "");
	CHECK_STR(events("<"), "<");
	CHECK_STR(events("<![CDATA["), "=");
	CHECK_STR(events("text"), "=text");
	CHECK_STR(events("<!"), "");
}

static const char *
attribute(const char *tag, const char *name)
{
	static char value[16];
	struct xml x;

	xml_open(&x, tag, strlen(tag));
	(void)xml_next(&x);
	if (!xml_attr(&x, name, value, sizeof(value)))
		return "-";
	return value;
}

static void
test_attributes(void)
{
	CHECK_STR(attribute("<a b='1' c = \"2\"/>", "c"), "2");
	CHECK_STR(attribute("<a w:b='1' b2='2'>", "b"), "1");
	CHECK_STR(attribute("<a b='&lt;&#65;&#x42;&amp;&x;&#;'>", "b"),
	    "<AB&&x;&#;");
	CHECK_STR(attribute("<a b='&#x20AC;'>", "b"), "\xe2\x82\xac");
	CHECK_STR(attribute("<a b='01234567890123456789'>", "b"),
	    "01234567890");
	CHECK_STR(attribute("<a b c='2' d>", "c"), "2");
	CHECK_STR(attribute("<a c='b=1'>", "b"), "-");
	CHECK_STR(attribute("<a b=1 c='2'>", "c"), "2");
	CHECK_STR(attribute("<a =", "b"), "-");
	CHECK_STR(attribute("<a b='", "b"), "");
}

/* "{\rtf1 ...}" in base64, long enough to be known by itself. */
#define RTF64	"e1xydGYxIEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" \
		"QUFBQUFBQUFBQX0="

static struct fake
look(const char *text, int wide)
{
	struct made m = { NULL, 0, 0 };
	struct fake f;

	fake_start(&f);
	if (wide) {
		made_text(&m, "\xff\xfe");
		made_wide(&m, text);
	} else
		made_text(&m, text);
	xml_look(&f.in, m.p, m.n);
	made_free(&m);
	return f;
}

static void
test_base64(void)
{
	static const char *yes[] = {
		"<w:binData w:name='x.mso'>" RTF64 "</w:binData>",
		"<a><q:binData q:name='x.mso'>\n e1&#120;ydGY&#x78; \n"
		    "QUFB</q:binData></a>",
		"<binaryData><![CDATA[" RTF64 "]]></binaryData>",
		"<p:part p:name='x.mso'><p:binaryData>" RTF64,
		"<x:any>  " RTF64 "</x:any>",
		"<binData>e1xy<!-- x -->dGYx</binData>",
		"<binData>e1xydGYx<x>QUFB</x></binData>"
	};
	static const char *no[] = {
		"<a>e1xydGYx</a>",
		"<a>This is a text that is long enough to be looked at twice,"
		    " but says nothing.</a>",
		"<a b='" RTF64 "'/>",
		"<binData/>", "<binData></binData>", ""
	};
	struct fake f;
	size_t i;
	int wide;

	for (wide = 0; wide < 2; wide++) {
		for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
			f = look(yes[i], wide);
			CHECK_INT(f.looks, 1);
			CHECK(f.n >= 5 && f.type == CONTENT_RTF);
		}
		for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
			f = look(no[i], wide);
			CHECK_INT(f.looks, 0);
		}
	}
	f = look(yes[0], 0);
	CHECK_STR(f.name, "x.mso");
	CHECK_INT(f.n, 56);
}

static void
test_flat(void)
{
	struct fake f;

	f = look("<p:package><p:part p:name='/_rels/a.rels'><p:xmlData>"
	    "<Relationships><Relationship Type='http://x/attachedTemplate'"
	    " Target='http://a.example/t.dotm' TargetMode='External'/>", 0);
	CHECK_STR(f.detail[FINDING_EXTERNAL_TEMPLATE],
	    "attachedTemplate http://a.example/t.dotm");
	f = look("<Workbook><Cell ss:Formula=\"=cmd|'/c calc'!A1\"/>", 0);
	CHECK_INT(f.count[FINDING_DDE], 1);
	f = look("<Workbook><Cell ss:Formula='=RC[1]&amp;\"|\"'/>", 0);
	CHECK_INT(f.count[FINDING_DDE], 0);
	f = look("<w:wordDocument><w:instrText> DDE</w:instrText>"
	    "<w:instrText>AUTO x</w:instrText>", 0);
	CHECK_INT(f.count[FINDING_DDE], 1);
	f = look("<office:document><script:module>Sub Main", 0);
	CHECK_INT(f.count[FINDING_ODF_MACRO], 1);
}

/* One package: names and texts by turns, ended by NULL. */
static struct fake
package(const char *const *s)
{
	struct fake f;
	struct opc *o;

	fake_start(&f);
	o = opc_new(&f.in);
	for (; s[0] != NULL; s += 2)
		opc_member(o, s[0], (const uint8_t *)s[1],
		    s[1] == NULL ? 0 : strlen(s[1]));
	opc_end(o);
	return f;
}

#define TYPES	"[Content_Types].xml"
#define MACRO	"<Types><Override PartName='/xl/x1.xml' ContentType=" \
		"'application/vnd.ms-excel.macrosheet+xml'/></Types>"
#define VBA	"<Types><Override PartName='/word/v.bin' ContentType=" \
		"'application/vnd.ms-office.vbaProject'/></Types>"
#define REL(type, target)						\
	"<Relationships><Relationship Id='r' Type='http://s/" type "'"	\
	" Target='" target "'/></Relationships>"
#define CFB	"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

static void
packages(const char *const *s, enum finding want)
{
	struct fake f = package(s);
	unsigned i;

	for (i = 0; i < FINDING_MAX; i++) {
		if (f.count[i] != (i == want))
			printf("%s: %s %u\n", s[1], finding_name(i),
			    f.count[i]);
		CHECK_INT(f.count[i], i == want);
	}
}

#define P(want, ...) do {						\
	static const char *const parts_[] = { __VA_ARGS__, NULL, NULL };\
	packages(parts_, want);						\
} while (0)

static void
test_sheets(void)
{
	static char comment[6100];

	P(FINDING_MACRO, TYPES, MACRO, "xl/X1.xml", "<worksheet/>");
	P(FINDING_MACRO, "xl\\x1.xml", "<worksheet/>", "/" TYPES, MACRO);
	/* Declared, and not there. */
	P(FINDING_MAX, TYPES, MACRO, "xl/x2.xml", "<worksheet/>");
	P(FINDING_MACRO, TYPES, "<Types/>", "xl/_rels/w.xml.rels",
	    REL("xlMacrosheet", "x"));
	P(FINDING_MACRO, TYPES, "<Types/>", "xl/_rels/w.bin.rels",
	    REL("xlIntlMacrosheet", "x.bin"));
	P(FINDING_MACRO, TYPES, "<Types/>", "a/b",
	    "\n<?xml version='1.0'?><!-- --><xm:macrosheet>");
	memset(comment, ' ', sizeof(comment));
	memcpy(comment, "<!--", 4);
	(void)strlcpy(comment + 6000, "--><macrosheet/>", 100);
	P(FINDING_MACRO, TYPES, "<Types/>", "xl/s.xml", comment);
	P(FINDING_MAX, TYPES, "<Types/>", "xl/macrosheets/s.xml",
	    "<worksheet><macrosheet/></worksheet>");
	/* No package at all. */
	P(FINDING_MAX, "xl/s.xml", "<macrosheet/>", "_rels/.rels",
	    REL("xlMacrosheet", "x"));
}

static void
test_declared(void)
{
	P(FINDING_MAX, TYPES, VBA, "word/v.bin", CFB);
	P(FINDING_MAX, TYPES, VBA, "word/v.bin", "");
	P(FINDING_MAX, TYPES, VBA);
	P(FINDING_DAMAGED, TYPES, VBA, "word/v.bin", "text");
	P(FINDING_DAMAGED, TYPES, "<Types/>", "word/V.bin", "text",
	    "word/_rels/d.rels", REL("vbaProject", "v.bin"));
	P(FINDING_MACRO_UNREADABLE, TYPES, VBA, "word/v.bin", NULL);
	P(FINDING_MAX, TYPES, "<Types/>", "word/other.bin", NULL);
	/* Two of that name, one is a project: it is found by itself. */
	P(FINDING_MAX, TYPES, VBA, "word/v.bin", "text", "word/v.bin", CFB);
}

static void
test_scored(void)
{
	P(FINDING_EXTERNAL_TEMPLATE, TYPES, "<Types/>", "word/_rels/s.rels",
	    "<Relationship Type='x/oleObject' TargetMode='external'"
	    " Target='mhtml:http://a.example/x!y'/>");
	P(FINDING_MAX, TYPES, "<Types/>", "word/_rels/s.rels",
	    "<Relationship Type='x/hyperlink' TargetMode='External'"
	    " Target='http://a.example/x'/><Relationship"
	    " Type='x/attachedTemplate' TargetMode='External'"
	    " Target='file:///C:\\Normal.dotm'/>");
	P(FINDING_DDE, TYPES, "<Types/>", "word/document.xml",
	    "<w:document><w:fldChar w:fldCharType='begin'/><w:instrText>D"
	    "</w:instrText><w:instrText>DEAUTO</w:instrText>");
	P(FINDING_DDE, TYPES, "<Types/>", "word/document.xml",
	    "<w:document><w:fldSimple w:instr=' dde x'/>");
	P(FINDING_DDE, TYPES, "<Types/>", "xl/externalLinks/e1.xml",
	    "<externalLink><ddeLink ddeService='cmd'/>");
	P(FINDING_MAX, TYPES, "<Types/>", "word/document.xml",
	    "<w:document><w:instrText>PAGE DDE </w:instrText>"
	    "<w:t>DDEAUTO x</w:t>");
}

#define MANIFEST	"META-INF/manifest.xml"

static void
test_odf(void)
{
	P(FINDING_ODF_MACRO, MANIFEST, "<m/>", "Basic/Standard/Module1.xml",
	    "<script:module>Sub Main</script:module>");
	P(FINDING_ODF_MACRO, MANIFEST, "<m/>", "Scripts/python/a.py", "x");
	P(FINDING_MAX, MANIFEST, "<m/>", "Basic/script-lc.xml",
	    "<library:libraries>\n <library:library/> </library:libraries>",
	    "Basic/Standard/Module1.xml", "<script:module>\n</script:module>",
	    "Scripts/", "x");
	P(FINDING_MAX, "Basic/Standard/Module1.xml",
	    "<script:module>Sub Main</script:module>");
	P(FINDING_DDE, MANIFEST, "<m/>", "content.xml",
	    "<office:document-content><office:dde-source/>");
	P(FINDING_OFFICE_ENCRYPTED, MANIFEST,
	    "<manifest:encryption-data manifest:checksum='x'>");
}

static void
test_wide(void)
{
	struct made m = { NULL, 0, 0 };
	struct fake f;
	struct opc *o;

	made_text(&m, "\xff\xfe");
	made_wide(&m, MACRO);
	fake_start(&f);
	o = opc_new(&f.in);
	opc_member(o, "xl/x1.xml", (const uint8_t *)"<a/>", 4);
	opc_member(o, TYPES, m.p, m.n);
	opc_end(o);
	CHECK_INT(f.count[FINDING_MACRO], 1);
	made_free(&m);
	opc_member(NULL, "x", NULL, 0);
	opc_end(NULL);
}

int
main(void)
{
	test_scanner();
	test_attributes();
	test_base64();
	test_flat();
	test_sheets();
	test_declared();
	test_scored();
	test_odf();
	test_wide();
	return unit_end();
}
