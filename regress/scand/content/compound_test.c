/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "regress/scand/content/build.h"
#include "regress/scand/content/fake.h"
#include "regress/unit.h"
#include "scand/content/office.h"

/*
 * The file system in a compound file: what it should be, and every trap.
 */

static uint8_t big[9000], small[100];

static struct item items[] = {
	{ "Small", 0, small, sizeof(small) },
	{ "Store", 0, NULL, 0 },
	{ "Big", 2, big, sizeof(big) },
	{ "small", 2, (const uint8_t *)"x", 1 },
	{ "Empty", 2, (const uint8_t *)"", 0 }
};

static void
put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint8_t *
dir_entry(struct made *m, uint32_t i)
{
	unsigned shift = le16(m->p + 30) == 12 ? 12 : 9;

	return m->p + (((size_t)le32(m->p + 48) + 1) << shift) + 128 * i;
}

static uint8_t *
fat_entry(struct made *m, uint32_t i)
{
	return m->p + 512 * ((size_t)le32(m->p + 76) + 1) + 4 * (size_t)i;
}

/* Is a stream what it should be, up to n octets? */
static int
stream_is(struct inspect *in, struct cfb *c, uint32_t i, const uint8_t *p,
    size_t n)
{
	struct blob b;
	int ok;

	if (cfb_stream(in, c, i, &b) == -1)
		return 0;
	ok = b.n == n && (n == 0 || memcmp(b.p, p, n) == 0);
	blob_free(&b);
	return ok;
}

static void
check_all(struct made *m, int damaged)
{
	struct fake f;
	struct cfb c;
	char name[80];

	fake_start(&f);
	CHECK_INT(cfb_open(&f.in, &c, m->p, m->n), 0);
	CHECK(c.entries >= 6);
	CHECK_INT(cfb_type(&c, 0), CFB_ROOT);
	CHECK(cfb_is(&c, 1, "SMALL") && cfb_is(&c, 4, "Small"));
	CHECK(!cfb_is(&c, 1, "Smal") && !cfb_is(&c, 1, "Smalls"));
	CHECK_INT(c.parent[1], 0);
	CHECK_INT(c.parent[3], 2);
	CHECK_INT(cfb_find(&f.in, &c, 2, "small"), 4);
	CHECK_INT(cfb_find(&f.in, &c, 2, "nothing"), CFB_NONE);
	cfb_name(&c, 3, name, sizeof(name));
	CHECK_STR(name, "Big");
	CHECK(stream_is(&f.in, &c, 1, small, sizeof(small)));
	CHECK(stream_is(&f.in, &c, 3, big, sizeof(big)));
	CHECK(stream_is(&f.in, &c, 4, (const uint8_t *)"x", 1));
	CHECK(stream_is(&f.in, &c, 5, NULL, 0));
	CHECK_INT(c.damaged, damaged);
	cfb_close(&c);
}

static void
test_versions(void)
{
	struct made m;

	m = make_cfb(items, 5, 3);
	check_all(&m, 0);
	/* The high half of a size means nothing in version 3. */
	put32(dir_entry(&m, 3) + 124, 0x12345678);
	check_all(&m, 0);
	/* Shifts that make no sense are not used. */
	m.p[30] = 40;
	m.p[32] = 200;
	check_all(&m, 1);
	made_free(&m);
	m = make_cfb(items, 5, 4);
	check_all(&m, 0);
	made_free(&m);
}

/* The sectors of Big in reverse order: it must be copied. */
static void
test_scattered(void)
{
	struct made m = make_cfb(items, 5, 3);
	uint32_t first = le32(dir_entry(&m, 3) + 116), n = 18, i;
	uint8_t old[512 * 18];

	memcpy(old, m.p + 512 * (first + 1), sizeof(old));
	for (i = 0; i < n; i++) {
		memcpy(m.p + 512 * (first + 1 + i), old + 512 * (n - 1 - i),
		    512);
		put32(fat_entry(&m, first + i), i == 0 ? 0xfffffffe :
		    first + i - 1);
	}
	put32(dir_entry(&m, 3) + 116, first + n - 1);
	check_all(&m, 0);
	made_free(&m);
}

/* The FAT sector is named by a DIFAT sector, and the file ends early. */
static void
test_difat(void)
{
	struct made m = make_cfb(items, 5, 3);
	uint8_t sector[512];
	size_t k;

	memset(sector, 0xff, sizeof(sector));
	put32(sector, le32(m.p + 76));
	put32(sector + 508, 0xfffffffe);
	put32(m.p + 76, 0xffffffff);
	put32(m.p + 68, (uint32_t)(m.n / 512 - 1));
	put32(m.p + 72, 0xffffffff);
	made_add(&m, sector, sizeof(sector));
	check_all(&m, 0);
	/* A DIFAT that follows itself ends, and so does a short one. */
	put32(m.p + m.n - 4, (uint32_t)(m.n / 512 - 2));
	put32(m.p + 68, (uint32_t)(m.n / 512 - 2));
	k = m.n;
	m.n -= 512 - 4;
	check_all(&m, 0);
	m.n = k;
	check_all(&m, 0);
	made_free(&m);
}

static void
test_loops(void)
{
	struct made m = make_cfb(items, 5, 3);
	struct fake f;
	struct cfb c;
	struct blob b;
	uint32_t first = le32(dir_entry(&m, 3) + 116);

	/* A stream that loops has its size at most. */
	put32(fat_entry(&m, first + 2), first + 1);
	fake_start(&f);
	CHECK_INT(cfb_open(&f.in, &c, m.p, m.n), 0);
	CHECK_INT(cfb_stream(&f.in, &c, 3, &b), 0);
	CHECK(b.n <= sizeof(big) && memcmp(b.p, big, 1536) == 0);
	CHECK_INT(c.damaged, 1);
	blob_free(&b);
	cfb_close(&c);
	/* So does a directory. */
	put32(fat_entry(&m, le32(m.p + 48)), le32(m.p + 48));
	CHECK_INT(cfb_open(&f.in, &c, m.p, m.n), 0);
	CHECK_INT(c.entries, 4);
	cfb_close(&c);
	made_free(&m);
	/* A stream that begins outside the file, and one that claims all. */
	m = make_cfb(items, 5, 3);
	put32(dir_entry(&m, 1) + 116, 0x7fffffff);
	put32(dir_entry(&m, 3) + 120, 0xffffffff);
	CHECK_INT(cfb_open(&f.in, &c, m.p, m.n), 0);
	CHECK(stream_is(&f.in, &c, 1, NULL, 0));
	CHECK_INT(cfb_stream(&f.in, &c, 3, &b), 0);
	CHECK(b.n < m.n);
	CHECK_INT(c.damaged, 1);
	blob_free(&b);
	cfb_close(&c);
	made_free(&m);
}

static void
test_tree(void)
{
	struct made m = make_cfb(items, 5, 3);
	struct fake f;
	struct cfb c;

	/* Back to the root, to itself, to nowhere. */
	put32(dir_entry(&m, 3) + 68, 0);
	put32(dir_entry(&m, 4) + 68, 4);
	put32(dir_entry(&m, 5) + 68, 0x00ffffff);
	check_all(&m, 1);
	/* Nothing leads to the storage: its streams are its own still. */
	put32(dir_entry(&m, 1) + 72, 0xffffffff);
	fake_start(&f);
	CHECK_INT(cfb_open(&f.in, &c, m.p, m.n), 0);
	CHECK_INT(c.parent[2], CFB_NONE);
	CHECK_INT(c.parent[3], 2);
	cfb_close(&c);
	made_free(&m);
}

/* At any length: no octet is read that is not there (see the sanitizer). */
static void
test_short(void)
{
	struct made m = make_cfb(items, 5, 3);
	struct fake f;
	uint8_t *p;
	size_t n;

	for (n = 0; n < m.n; n += 97) {
		fake_start(&f);
		if ((p = malloc(n + 1)) == NULL)
			return;
		memcpy(p, m.p, n);
		cfb_look(&f.in, p, n);
		free(p);
		CHECK_INT(f.count[FINDING_MACRO], 0);
	}
	made_free(&m);
	fake_start(&f);
	cfb_look(&f.in, NULL, 0);
	CHECK_INT(f.count[FINDING_DAMAGED], 1);
}

/* The budget ends everything. */
static void
test_budget(void)
{
	struct made m = make_cfb(items, 5, 3);
	struct fake f;
	struct cfb c;

	fake_start(&f);
	f.in.budget.over = BUDGET_TIME;
	CHECK_INT(cfb_open(&f.in, &c, m.p, m.n), -1);
	made_free(&m);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	for (i = 0; i < sizeof(small); i++)
		small[i] = (uint8_t)(i + 1);
	test_versions();
	test_scattered();
	test_difat();
	test_loops();
	test_tree();
	test_short();
	test_budget();
	return unit_end();
}
