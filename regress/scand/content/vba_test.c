/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * What is code, and which projects have some.
 */

#define HEAD "Attribute VB_Name = \"Module1\"\r\n"

static void
lines(const char *source, unsigned attribute, unsigned harmless,
    unsigned code)
{
	struct made m = make_ovba(source, strlen(source));
	struct vba_lines v;
	struct fake f;

	fake_start(&f);
	CHECK_INT(vba_lines(&f.in, &v, m.p, m.n), 0);
	if (v.attribute != attribute || v.harmless != harmless ||
	    v.code != code)
		printf("%s: %u %u %u\n", source, v.attribute, v.harmless,
		    v.code);
	CHECK(v.attribute == attribute && v.harmless == harmless &&
	    v.code == code);
	CHECK_INT(v.broken, 0);
	made_free(&m);
}

static void
test_lines(void)
{
	lines(HEAD, 1, 0, 0);
	lines("Attribute VB_Base = \"0{0002-C000-46}\"\n"
	    "Attribute VB_Exposed = True\nattribute vb_x=False\n"
	    "Attribute VB_Control = \"C, 1, 0, MSForms, \"\"C\"\"\"\n"
	    "Attribute Makro1.VB_ProcData.VB_Invoke_Func = \"a\\n14\"\n"
	    "Attribute VB_Ext_KEY = \"a\" , \"b\", -1.5\n"
	    "Attribute \xc4_x.VB_Description = \"\"\n", 7, 0, 0);
	/* The Mac ends lines in CR alone. */
	lines("Attribute VB_Name = \"a\"\rOption Explicit\r\r' x\rRem y\r"
	    "REM\r", 1, 4, 0);
	lines("' Sub a() _\ngoes on _\n and on\n\n", 0, 3, 0);
	lines("\tSub a()\n", 0, 0, 1);
	lines("x", 0, 0, 1);
	lines("Remark = 1", 0, 0, 1);
	lines("Optional_ = 1", 0, 0, 1);
	lines("#If VBA7 Then", 0, 0, 1);
	/* Statements behind a header or an option. */
	lines("Attribute VB_Name = \"a\": Shell \"x\"", 0, 0, 1);
	lines("Attribute VB_Name = \"a\" & Shell(\"x\")", 0, 0, 1);
	lines("Attribute VB_Name = Shell(\"x\")", 0, 0, 1);
	lines("Attribute VB_Name = x", 0, 0, 1);
	lines("Attribute VB_Name = \"a", 0, 0, 1);
	lines("Attribute VB_Name", 0, 0, 1);
	lines("Option Base 1: Dim x", 0, 0, 1);
	/* A comment that does not go on is followed by code. */
	lines("' a_\nx = 1", 0, 1, 1);
	lines("' a _ b\nx = 1", 0, 1, 1);
}

/* Which finding a project makes. */
static void
project(const struct made *cache, const char *source, enum finding want,
    int version)
{
	struct made m = make_project(cache == NULL ? NULL : cache->p,
	    cache == NULL ? 0 : cache->n, source, version);
	struct fake f;
	unsigned i;

	fake_start(&f);
	cfb_look(&f.in, m.p, m.n);
	for (i = 0; i < FINDING_MAX; i++) {
		if (f.count[i] != (i == want))
			printf("%s: %u\n", finding_name(i), f.count[i]);
		CHECK_INT(f.count[i], i == want);
	}
	made_free(&m);
}

static void
test_projects(void)
{
	struct made none = make_cache(0, 0), empty = make_cache(4, 0);
	struct made one = make_cache(4, 1), plain = { NULL, 0, 0 };

	made_text(&plain, "some other cache, long enough to be looked into");
	project(NULL, HEAD "Sub a()\r\nEnd Sub\r\n", FINDING_MACRO, 3);
	project(NULL, HEAD "Sub a()\r\nEnd Sub\r\n", FINDING_MACRO, 4);
	project(NULL, HEAD "Option Explicit\r\n", FINDING_VBA_EMPTY, 3);
	project(&empty, HEAD, FINDING_VBA_EMPTY, 3);
	project(&one, HEAD "Option Explicit\r\n", FINDING_VBA_EMPTY, 3);
	/* (a): one line of p-code, none in the source. */
	project(&one, HEAD, FINDING_MACRO, 3);
	/* (b): no source. */
	project(&one, NULL, FINDING_MACRO, 3);
	project(&none, NULL, FINDING_VBA_EMPTY, 3);
	project(&plain, NULL, FINDING_MACRO_UNREADABLE, 3);
	/* (c): a standard module, and a cache that says nothing. */
	project(&plain, HEAD, FINDING_MACRO, 3);
	made_free(&none);
	made_free(&empty);
	made_free(&one);
	made_free(&plain);
}

/* Without dir, with a broken one, with names that do not fit. */
static void
test_lost(void)
{
	static const uint8_t head[] = { 0xcc, 0x61, 0xb5, 0x00 };
	struct made module = make_ovba(HEAD "Beep\r\n", strlen(HEAD) + 6);
	struct made dir = make_dir("Module1", 0, 1), m;
	struct item items[] = {
		{ "Whatever", 0, NULL, 0 },
		{ "_VBA_PROJECT", 1, head, sizeof(head) },
		{ "Mod", 1, module.p, module.n },
		{ "dir", 1, dir.p, 8 },
		{ "__SRP_0", 1, head, sizeof(head) }
	};
	struct fake f;

	m = make_cfb(items, 5, 3);
	fake_start(&f);
	cfb_look(&f.in, m.p, m.n);
	CHECK_INT(f.count[FINDING_MACRO], 1);
	CHECK_STR(f.detail[FINDING_MACRO], "VBA code in Mod");
	made_free(&m);
	/* The module lies in another storage. */
	items[3].n = dir.n;
	items[2].name = "MODULE1";
	items[2].parent = 0;
	m = make_cfb(items, 5, 3);
	fake_start(&f);
	cfb_look(&f.in, m.p, m.n);
	CHECK_INT(f.count[FINDING_MACRO], 1);
	made_free(&m);
	/* The same names, and texts in them. */
	items[1].p = items[2].p = items[3].p = (const uint8_t *)"VBA dir";
	items[1].n = items[2].n = items[3].n = 7;
	m = make_cfb(items, 5, 3);
	fake_start(&f);
	cfb_look(&f.in, m.p, m.n);
	CHECK_INT(f.count[FINDING_MACRO], 0);
	CHECK_INT(f.count[FINDING_MACRO_UNREADABLE], 0);
	CHECK_INT(f.count[FINDING_VBA_EMPTY], 0);
	made_free(&m);
	made_free(&module);
	made_free(&dir);
}

int
main(void)
{
	test_lines();
	test_projects();
	test_lost();
	return unit_end();
}
