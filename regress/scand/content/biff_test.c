/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * Macro sheets of Excel 4.0 by the kind of the sheet, in every form that
 * Excel opens; tables of text; and what only looks like it.
 */

static struct biff
scan(const char *hex)
{
	struct made m = { NULL, 0, 0 };
	struct fake f;
	struct biff b;

	fake_start(&f);
	made_hex(&m, hex);
	biff_scan(&f.in, &b, m.p, m.n);
	made_free(&m);
	return b;
}

#define GLOBALS	"0908100000060500f21dcc07c900000006000000"
#define END	"0a000000"

static void
test_kinds(void)
{
	struct biff b;

	b = scan(GLOBALS "85000a000000000000000100" "5331" END);
	CHECK(!b.macro && !b.module && !b.damaged);
	/* Hidden or not, of type 1; type 6 is a module of Excel 5. */
	b = scan(GLOBALS "85000a0000000000000101005331" END);
	CHECK(b.macro);
	b = scan(GLOBALS "85000a0000000000020101005331" END);
	CHECK(b.macro);
	b = scan(GLOBALS "85000a0000000000000601005331" END);
	CHECK(!b.macro && b.module);
	/* A very hidden ordinary sheet that is called Macro1. */
	b = scan(GLOBALS "85000e0000000000020006004d6163726f31");
	CHECK(!b.macro);
	/* The second substream is one by its BOF. */
	b = scan(GLOBALS END "0908100000064000f21dcc07c900000006000000" END);
	CHECK(b.macro);
	b = scan(GLOBALS END "0908100000061000f21dcc07c900000006000000" END);
	CHECK(!b.macro);
	/* BIFF5, and a version that does not exist. */
	b = scan("0908080000054000f21dcc07");
	CHECK(b.macro);
	b = scan("0908080000074000f21dcc07");
	CHECK(!b.macro);
	/* Cut in the middle. */
	b = scan(GLOBALS "8500ff000000");
	CHECK(b.damaged && !b.macro);
	b = scan("0908");
	CHECK(!b.damaged && !b.macro);
}

static void
test_bare(void)
{
	static const char *hex[] = {
		"090004000200400000000000",	/* BIFF2 */
		"090206000000400000000a000000",	/* BIFF3 */
		"090406000000400000000a000000",	/* BIFF4 */
		/* A workspace of BIFF4, its second document. */
		"09040600000000010000090406000000400000000a000000"
	};
	struct made m;
	struct fake f;
	size_t i;

	for (i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
		fake_start(&f);
		memset(&m, 0, sizeof(m));
		made_hex(&m, hex[i]);
		biff_look(&f.in, m.p, m.n);
		CHECK_INT(f.count[FINDING_MACRO], 1);
		made_free(&m);
	}
	fake_start(&f);
	biff_look(&f.in, (const uint8_t *)"\x09\x04\x06\0\0\0\x10\0\0\0", 10);
	CHECK_INT(f.count[FINDING_MACRO], 0);
}

static void
test_password(void)
{
	struct biff b;

	/* Behind FILEPASS a type of a sheet is scrambled, a BOF is not. */
	b = scan(GLOBALS "2f0006000000b3590b9a"
	    "85000a0000000000000101005331" END);
	CHECK(b.encrypted && b.password && !b.macro);
	b = scan(GLOBALS "2f0006000000b3590a9a"
	    "0908100000064000f21dcc07c900000006000000" END);
	CHECK(!b.encrypted && b.password && b.macro);
}

static void
test_dde(void)
{
	struct biff b;

	/* cmd \3 /c */
	b = scan(GLOBALS "ae010b00010006000063" "6d64032f63");
	CHECK(b.dde);
	/* A book elsewhere, an object of Word, the book itself. */
	b = scan(GLOBALS "ae010b000100060000016d64032f63");
	CHECK(!b.dde);
	b = scan(GLOBALS "ae010b000100060000572e38032f63");
	CHECK(!b.dde);
	b = scan(GLOBALS "ae01040001000104");
	CHECK(!b.dde);
}

static enum finding
sylk(const char *text)
{
	struct fake f;

	fake_start(&f);
	sylk_look(&f.in, (const uint8_t *)text, strlen(text));
	return f.count[FINDING_MACRO] ? FINDING_MACRO :
	    f.count[FINDING_DDE] ? FINDING_DDE : FINDING_MAX;
}

static void
test_sylk(void)
{
	CHECK_INT(sylk("ID;P\nO;E\nNN;NAuto_open;ER1C1\n"
	    "C;X1;Y1;EEXEC(\"a\")\nE\n"), FINDING_MACRO);
	CHECK_INT(sylk("ID;PWXL;N;E\r\nC;X1;Y1;K0\r\nE\r\n"), FINDING_MACRO);
	CHECK_INT(sylk("ID;P\rO;L;D;V0;K47;G100 0.001;E\rE"), FINDING_MACRO);
	CHECK_INT(sylk("ID;PWXL;N;E\nE"), FINDING_MACRO);
	/* Columns of a table. */
	CHECK_INT(sylk("ID;P;N;E\r\n1;17;2;0\r\n2;18;2;1\r\n"),
	    FINDING_MAX);
	/* Formulas, and words that begin with E. */
	CHECK_INT(sylk("ID;PEXCEL;N\nO;L;D;EXTRA\nC;X1;Y1;K3;ER1C2+1\nE\n"),
	    FINDING_MAX);
	CHECK_INT(sylk("ID;P\nC;X1;Y1;K0;Ecmd|'/c calc'!A0\nE\n"),
	    FINDING_DDE);
	CHECK_INT(sylk("ID;P\nC;X1;Y1;K0;EA1&\"|\"&B1\nE\n"), FINDING_MAX);
}

static unsigned
csv(const char *text)
{
	struct fake f;

	fake_start(&f);
	csv_look(&f.in, (const uint8_t *)text, strlen(text));
	return f.count[FINDING_DDE];
}

static void
test_csv(void)
{
	CHECK(csv("a;b\r\n=cmd|'/k calc.exe'!A0\r\n"));
	CHECK(csv("1,\"=DDE|x!y\"\n"));
	CHECK(csv("x\t+cmd|' /c'!'A1'"));
	CHECK(!csv("=SUM(A1:A9);=A1&\"|\"&B2\n"));
	CHECK(csv("a|b\r=1\rc|d!\r\" =cmd|x!y\r"));
	CHECK(!csv("=cmd\n|x!y"));
	CHECK(!csv("=cmd|x\ny!"));
	CHECK(!csv("a=cmd|x!y"));
	CHECK(csv("=cmd|x!y"));
	CHECK(!csv("a = cmd|'/c'!A1\n"));
	CHECK(!csv("- cat x | sort\n- then: hurry up!\n"));
	CHECK(!csv("| a | b |\n|---|---|\n"));
	CHECK(!csv(""));
}

int
main(void)
{
	test_kinds();
	test_bare();
	test_password();
	test_dde();
	test_sylk();
	test_csv();
	return unit_end();
}
