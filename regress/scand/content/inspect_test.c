/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/limits.h"
#include "regress/scand/content/build.h"
#include "regress/scand/content/seen.h"
#include "regress/unit.h"

/*
 * The walk itself: where things are, how deep it goes, what one message may
 * cost.  TNEF is what things are put into here: it needs no packing.
 */

static const char	 eicar[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR"
	"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

static struct made
wrap(const char *name, const void *p, size_t n)
{
	struct made m = { 0 };

	made_hex(&m, "789f3e22010002");
	made_32(&m, 0x18010);
	made_32(&m, (uint32_t)strlen(name));
	made_text(&m, name);
	made_hex(&m, "000002");
	made_32(&m, 0x6800f);
	made_32(&m, (uint32_t)n);
	made_add(&m, p, n);
	made_hex(&m, "0000");
	return m;
}

/* As many layers as are asked for, named name. */
static struct made
layers(unsigned depth, const char *name)
{
	struct made m = { 0 }, outer;

	made_text(&m, eicar);
	while (depth-- > 0) {
		outer = wrap(name, m.p, m.n);
		made_free(&m);
		m = outer;
	}
	return m;
}

static void
test_depth(void)
{
	struct seen s;
	struct made m;
	unsigned i;

	for (i = 0; i < 20; i++) {
		m = layers(i, "a");
		seen_look(&s, "x", m.p, m.n);
		CHECK_INT(s.count[FINDING_EICAR], i < LIM_DEF_SCAN_DEPTH);
		CHECK_INT(s.count[FINDING_OVER_BUDGET],
		    i >= LIM_DEF_SCAN_DEPTH);
		CHECK_INT(s.in.where_len, 0);
		CHECK_INT(s.in.budget.depth, 0);
		made_free(&m);
	}
}

static void
test_where(void)
{
	struct seen s;
	struct made m;
	char name[256], *end;

	m = layers(2, "a\nb");
	seen_begin(&s);
	s.in.where_len = strlcpy(s.in.where, "part 2.1", sizeof(s.in.where));
	content_look(&s.in, "x", m.p, m.n);
	CHECK_STR(s.where[FINDING_EICAR], "part 2.1 > x > a?b > a?b");
	CHECK_STR(s.in.where, "part 2.1");
	made_free(&m);

	/* Too long: the outermost and the innermost are kept. */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	m = layers(8, name);
	seen_look(&s, "first", m.p, m.n);
	CHECK(strncmp(s.where[FINDING_EICAR], "first > nnn", 11) == 0);
	CHECK(strstr(s.where[FINDING_EICAR], " ... nnn") != NULL);
	end = s.where[FINDING_EICAR] + strlen(s.where[FINDING_EICAR]);
	CHECK(end - s.where[FINDING_EICAR] < 1024 && end[-1] == 'n');
	CHECK_STR(s.in.where, "");
	made_free(&m);
}

static void
test_eicar(void)
{
	struct seen s;
	char text[200];
	size_t i;

	for (i = 60; i < 140; i++) {
		memset(text, ' ', sizeof(text));
		memcpy(text, eicar, i < 68 ? i : 68);
		seen_look(&s, "a.txt", text, i);
		CHECK_INT(s.count[FINDING_EICAR], i >= 68 && i <= 128);
	}
}

/* Of one finding so many, whatever there is. */
static void
test_cap(void)
{
	struct seen s;
	struct made m = { 0 };
	unsigned i;

	made_hex(&m, "789f3e220100");
	for (i = 0; i < 100; i++) {
		made_hex(&m, "02");
		made_32(&m, 0x69002);
		made_32(&m, 0);
		made_hex(&m, "0000" "02");
		made_32(&m, 0x6800f);
		made_32(&m, 4);
		made_text(&m, "MZ\1\2");
		made_hex(&m, "0000");
	}
	seen_look(&s, "a", m.p, m.n);
	CHECK_INT(s.count[FINDING_EXECUTABLE], LIM_FINDING_EACH);
	CHECK_INT(s.things, 101);
	/* And so many things. */
	seen_begin(&s);
	s.in.budget.blobs_max = 10;
	content_look(&s.in, "a", m.p, m.n);
	CHECK_INT(s.things, 10);
	CHECK_INT(s.count[FINDING_OVER_BUDGET], 1);
	CHECK_STR(s.detail[FINDING_OVER_BUDGET], "number of things");
	/* All of it was used up: nothing more is looked at. */
	content_look(&s.in, "b", (const uint8_t *)eicar, 68);
	CHECK_INT(s.count[FINDING_EICAR], 0);
	CHECK_INT(s.count[FINDING_OVER_BUDGET], 1);
	made_free(&m);
}

static void
test_budget(void)
{
	struct budget b;
	volatile unsigned spin;
	unsigned i;

	budget_default(&b);
	b.out_max = 1000;
	budget_start(&b);
	CHECK(budget_out(&b, 600) == 0 && budget_out(&b, 400) == 0);
	CHECK(budget_out(&b, 1) == -1 && budget_step(&b) == -1);
	CHECK(budget_is_over(&b) && b.over == BUDGET_OUT);
	budget_start(&b);
	CHECK(!budget_is_over(&b) && budget_step(&b) == 0);

	b.held_max = 100;
	CHECK(budget_hold(&b, 60) == 0 && budget_hold(&b, 41) == -1);
	CHECK(budget_hold(&b, UINT64_MAX) == -1);
	CHECK(!budget_is_over(&b) && b.over == BUDGET_HELD);
	budget_release(&b, 60);
	CHECK(budget_hold(&b, 100) == 0);

	/* The clock is not looked at each time, but soon enough. */
	budget_default(&b);
	b.ms_max = 5;
	budget_start(&b);
	for (i = 0; i < 1000000 && budget_step(&b) == 0; i++)
		for (spin = 0; spin < 1000; spin++)
			continue;
	CHECK(b.over == BUDGET_TIME);
	budget_start(&b);
	for (i = 0; i < 1000000 && budget_work(&b, 4096) == 0; i++)
		for (spin = 0; spin < 1000; spin++)
			continue;
	CHECK(b.over == BUDGET_TIME);
}

/* A PDF that begins as a picture, a script with an archive behind it. */
static void
test_behind(void)
{
	struct seen s;
	struct made m = { 0 };
	uint8_t *p;
	size_t i, n;

	p = seen_file("regress/fuzz/pdf/encrypted", &n);
	made_text(&m, "\xff\xd8\xff\xe0 a picture ");
	made_add(&m, p, n);
	free(p);
	seen_look(&s, "a.jpg", m.p, m.n);
	CHECK(seen_kinds(&s) == 1 && s.count[FINDING_PDF_ENCRYPTED] == 1);
	made_free(&m);

	p = seen_file("regress/fuzz/zip/zipcrypto", &n);
	made_text(&m, "#!/bin/sh\nunzip $0\nexit\n");
	made_add(&m, p, n);
	seen_look(&s, "a.sh", m.p, m.n);
	CHECK(s.count[FINDING_ARCHIVE_ENCRYPTED] == 1);
	/* In the middle of something it is not an archive to anybody. */
	for (i = 0; i < 7000; i++)
		made_text(&m, "more text\n");
	seen_look(&s, "a.sh", m.p, m.n);
	CHECK(s.count[FINDING_ARCHIVE_ENCRYPTED] == 0);
	made_free(&m);

	/* To a reader of RTF it is RTF; its end says otherwise. */
	made_text(&m, "{\\rtf1 text}\n");
	made_add(&m, p, n);
	seen_look(&s, "a.rtf", m.p, m.n);
	CHECK(s.count[FINDING_ARCHIVE_ENCRYPTED] == 1);
	made_text(&m, "more");
	seen_look(&s, "a.rtf", m.p, m.n);
	CHECK(s.count[FINDING_ARCHIVE_ENCRYPTED] == 0);
	made_free(&m);
	free(p);
}

static unsigned	 letters;
static char	 begins[16];

static void
letter(struct inspect *in, const uint8_t *p, size_t n)
{
	begins[letters++ % sizeof(begins)] = n == 0 ? '-' : (char)p[0];
	content_look(in, "body", p + n / 2, n - n / 2);
}

static void
look_mime(struct seen *s, const char *text)
{
	seen_begin(s);
	s->in.mime = letter;
	letters = 0;
	memset(begins, 0, sizeof(begins));
	content_look(&s->in, "a.eml", (const uint8_t *)text, strlen(text));
}

static void
test_mime(void)
{
	static const char file[] = "Content-Type: text/plain\n\n"
	    "begin 644 a.exe\n&35H! @,$\n`\nend\n";
	struct seen s;

	look_mime(&s, "\r\n\r\nMIME-Version: 1.0\r\n\r\ntext\r\n");
	CHECK_INT(letters, 1);
	CHECK_STR(begins, "M");
	look_mime(&s, "junk\nMIME-Version: 1.0\nContent-Type: a/b\n\n");
	CHECK(begins[0] == 'M');
	/* A mbox: "From " in a paragraph begins no letter. */
	look_mime(&s, "From a\nContent-Type: a/b\n\ntext\nFrom here on\n\n"
	    "From b\r\nSubject: x\r\n\r\n\r\nFrom c\nxyz");
	CHECK_STR(begins, "CSx");
	/* Nobody reads it: files in it are found all the same. */
	seen_look(&s, "a.eml", file, sizeof(file) - 1);
	CHECK_INT(s.count[FINDING_EXECUTABLE], 1);
}

int
main(void)
{
	test_depth();
	test_where();
	test_eicar();
	test_cap();
	test_budget();
	test_behind();
	test_mime();
	return unit_end();
}
