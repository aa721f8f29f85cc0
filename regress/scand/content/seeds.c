/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/scand/content/build.h"

/*
 * Writes the seeds of the fuzz targets for Office formats below a folder
 * (regress/fuzz), one of each thing that the readers know.
 */

#define HEAD	"Attribute VB_Name = \"Module1\"\r\n"
#define CODE	HEAD "Sub a()\r\nEnd Sub\r\n"

static const char *top;

static void
seed(const char *name, struct made *m)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	*strrchr(path, '/') = '\0';
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		err(1, "%s", path);
	snprintf(path, sizeof(path), "%s/%s", top, name);
	if ((f = fopen(path, "w")) == NULL ||
	    fwrite(m->p, 1, m->n, f) != m->n || fclose(f) != 0)
		err(1, "%s", path);
	made_free(m);
}

static void
text(const char *name, const char *s)
{
	struct made m = { NULL, 0, 0 };

	made_text(&m, s);
	seed(name, &m);
}

static void
hex(const char *name, const char *s)
{
	struct made m = { NULL, 0, 0 };

	made_hex(&m, s);
	seed(name, &m);
}

static void
cfb_seeds(void)
{
	static const uint8_t package[] = "\1\0\0\0\2\0a.js\0b\0\0\0\3\0"
	    "\2\0\0\0b\0\1\0\0\0x";
	static const uint8_t book[] = "\x09\x08\x10\0\0\6\5\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\x85\0\x0a\0\0\0\0\0\0\1\1\0S1";
	static const uint8_t user[] = "\0\0\xf6\x0f\x14\0\0\0\x14\0\0\0"
	    "\xdf\xc4\xd1\xf3\0\0\0\0";
	static const uint8_t info[] = "\4\0\4\0\x40\0\0\0<keyData/>";
	struct item items[] = {
		{ "Workbook", 0, book, sizeof(book) },
		{ "Current User", 0, user, sizeof(user) },
		{ "PowerPoint Document", 0, book, sizeof(book) },
		{ "EncryptedPackage", 0, book, sizeof(book) },
		{ "EncryptionInfo", 0, info, sizeof(info) },
		{ "\1Ole10Native", 0, package, sizeof(package) },
		{ "__attach_version1.0_#0", 0, NULL, 0 },
		{ "__substg1.0_37010102", 7, package, sizeof(package) },
		{ "__substg1.0_3707001F", 7, (const uint8_t *)"a\0b\0", 4 }
	};
	struct made cache = make_cache(3, 2), m;

	m = make_project(NULL, 0, CODE, 3);
	seed("cfb/code", &m);
	m = make_project(cache.p, cache.n, HEAD, 3);
	seed("cfb/stomped", &m);
	m = make_cfb(items, sizeof(items) / sizeof(items[0]), 3);
	seed("cfb/streams", &m);
	made_free(&cache);
}

static void
other_seeds(void)
{
	struct made m = make_ovba(CODE, strlen(CODE));

	seed("ovba/code", &m);
	m = make_dir("Module1", 0, 1);
	seed("ovba/dir", &m);
	hex("ovba/copies", "012FB00023616161626364658266007061676869"
	    "6A013808616B6C00306D6E6F7006710270041072737475761077787979"
	    "7A003C");
	m = make_cache(3, 2);
	seed("ovba/cache", &m);
	hex("biff/sheet", "0908100000060500f21dcc07c900000006000000"
	    "85000a00000000000001010053310a000000");
	hex("biff/old", "090406000000400000000a000000");
	hex("biff/locked", "09080800000505000000000" "02f0006000000b3590a9a");
	text("biff/slk", "ID;P\nO;E\nC;X1;Y1;K0;Ecmd|'/c'!A0\nE\n");
	text("biff/csv", "a;b\n=cmd|'/c calc'!A0\n");
	text("rtf/object", "{\\rtf1{\\object{\\*\\objdata 0105000002000000"
	    "020000005800{\\x 12}0000000000000000\\par 08000000"
	    "7b5c\\bin6 rtf1} }}{\\*\\template http://a/}"
	    "{\\fldinst DDE\\u65?\\'41}}");
	text("xml/word", "<?xml version=\"1.0\"?><w:wordDocument>"
	    "<w:binData w:name=\"a\">e1xydGYx&#81;</w:binData>"
	    "<w:instrText>DDE</w:instrText></w:wordDocument>");
	text("xml/flat", "<p:package><p:part p:name='/_rels/.rels'>"
	    "<Relationship Type='a/frame' Target='http://a/'"
	    " TargetMode='External'/><![CDATA[x]]><!-- y -->"
	    "<p:binaryData>UEsDBA==</p:binaryData></p:part></p:package>");
	m = (struct made){ NULL, 0, 0 };
	made_add(&m, "[Content_Types].xml\0\x70\0", 22);
	made_text(&m, "<Override PartName='/x' ContentType='application/"
	    "vnd.ms-office.vbaProject'/><Override PartName='/y' ContentType='"
	    "a'/>     ");
	made_add(&m, "x\0\4\0text", 8);
	made_add(&m, "_rels/a.rels\0\x40\0", 15);
	made_text(&m, "<Relationship Type='s/xlMacrosheet' Target='x'"
	    " TargetMode='z'/>");
	seed("opc/package", &m);
}

int
main(int argc, char *argv[])
{
	if (argc != 2)
		errx(1, "usage: seeds folder");
	top = argv[1];
	cfb_seeds();
	other_seeds();
	return 0;
}
