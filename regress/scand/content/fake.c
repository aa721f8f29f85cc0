/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#define ZLIB_CONST
#include <zlib.h>

#include "regress/scand/content/fake.h"
#include "scand/content/office.h"

/*
 * The rest of the room for tests of the Office formats: types by a few
 * signatures, a budget, and a reader of ZIP that believes everything.
 */

static void	 fake_report(void *, enum finding, const char *, const char *);
static void	 fake_zip(struct inspect *, const uint8_t *, size_t);
static uint64_t	 now_us(void);

void
fake_start(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->in.report = fake_report;
	f->in.arg = f;
	f->in.budget.depth_max = 12;
	f->in.budget.blobs_max = 10000;
	f->in.budget.out_max = 256 * 1024 * 1024;
	f->in.budget.ratio_max = 500;
	f->in.budget.ms_max = 10000;
	budget_start(&f->in.budget);
}

static void
fake_report(void *arg, enum finding finding, const char *where,
    const char *detail)
{
	struct fake *f = arg;

	f->count[finding]++;
	snprintf(f->detail[finding], sizeof(f->detail[finding]), "%s", detail);
	if (f->print)
		printf("%s\t%s\t%s\n", finding_name(finding), where, detail);
}

void
budget_start(struct budget *b)
{
	b->depth = b->blobs = 0;
	b->out = 0;
	b->over = 0;
	b->start_us = now_us();
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int
budget_out(struct budget *b, size_t n)
{
	b->out += n;
	if (b->out > b->out_max)
		b->over |= BUDGET_OUT;
	return budget_step(b);
}

int
budget_step(struct budget *b)
{
	if ((now_us() - b->start_us) / 1000 > b->ms_max)
		b->over |= BUDGET_TIME;
	return b->over != 0 ? -1 : 0;
}

static const struct {
	const char	*magic;
	size_t		 n;
	enum content_type type;
} magics[] = {
	{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, CONTENT_CFB },
	{ "PK\3\4", 4, CONTENT_ZIP },
	{ "{\\rt", 4, CONTENT_RTF },
	{ "ActiveMime", 10, CONTENT_ACTIVEMIME },
	{ "%PDF-", 5, CONTENT_PDF },
	{ "ID;P", 4, CONTENT_SYLK },
	{ "<?xml", 5, CONTENT_XML },
	{ "\xef\xbb\xbf<?xml", 8, CONTENT_XML },
	{ "\xff\xfe<\0", 4, CONTENT_XML },
	{ "\xfe\xff\0<", 4, CONTENT_XML },
	{ "<\0?\0", 4, CONTENT_XML },
	{ "MZ", 2, CONTENT_PE },
	{ "\x09\x00", 2, CONTENT_BIFF },
	{ "\x09\x02", 2, CONTENT_BIFF },
	{ "\x09\x04", 2, CONTENT_BIFF },
	{ "\x09\x08", 2, CONTENT_BIFF }
};

enum content_type
content_type(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (n >= magics[i].n &&
		    memcmp(p, magics[i].magic, magics[i].n) == 0)
			return magics[i].type;
	/* A ZIP behind a prefix. */
	if (n > 1024 && n < 1024 * 1024 &&
	    memmem(p, n, "PK\5\6", 4) != NULL)
		return CONTENT_ZIP;
	return CONTENT_UNKNOWN;
}

const char *
content_type_name(enum content_type type)
{
	return type == CONTENT_UNKNOWN ? "unknown" : "known";
}

const char *
finding_name(enum finding f)
{
	static const char *names[FINDING_MAX] = {
		[FINDING_MACRO] = "macro",
		[FINDING_MACRO_UNREADABLE] = "macro-unreadable",
		[FINDING_OFFICE_ENCRYPTED] = "office-encrypted",
		[FINDING_ODF_MACRO] = "odf-macro",
		[FINDING_VBA_EMPTY] = "vba-empty",
		[FINDING_EXTERNAL_TEMPLATE] = "external-template",
		[FINDING_DDE] = "dde",
		[FINDING_WORDBASIC] = "wordbasic",
		[FINDING_OLE_PACKAGE] = "ole-package",
		[FINDING_DAMAGED] = "damaged",
		[FINDING_OVER_BUDGET] = "over-budget"
	};

	return names[f] == NULL ? "other" : names[f];
}

void
content_report(struct inspect *in, enum finding f, const char *detail)
{
	in->report(in->arg, f, in->where, detail);
}

void
content_look(struct inspect *in, const char *name, const uint8_t *p, size_t n)
{
	struct fake *f = in->arg;
	size_t len = in->where_len;
	int k;

	f->looks++;
	f->n = n;
	snprintf(f->name, sizeof(f->name), "%s", name == NULL ? "" : name);
	memset(f->head, 0, sizeof(f->head));
	if (n > 0)
		memcpy(f->head, p, n < sizeof(f->head) ? n : sizeof(f->head));
	if (in->budget.depth >= in->budget.depth_max ||
	    ++in->budget.blobs > in->budget.blobs_max) {
		content_report(in, FINDING_OVER_BUDGET, "");
		return;
	}
	k = snprintf(in->where + len, sizeof(in->where) - len, "%s%s",
	    len == 0 ? "" : " > ", f->name);
	if (k > 0 && (size_t)k < sizeof(in->where) - len)
		in->where_len += (size_t)k;
	in->budget.depth++;
	switch (content_type(p, n)) {
	case CONTENT_CFB:
		cfb_look(in, p, n);
		break;
	case CONTENT_ZIP:
		fake_zip(in, p, n);
		break;
	case CONTENT_RTF:
		rtf_look(in, p, n);
		break;
	case CONTENT_ACTIVEMIME:
		activemime_look(in, p, n);
		break;
	case CONTENT_SYLK:
		sylk_look(in, p, n);
		break;
	case CONTENT_XML:
		xml_look(in, p, n);
		break;
	case CONTENT_BIFF:
		biff_look(in, p, n);
		break;
	default:
		if (n > 0 && memchr(p, 0, n) == NULL)
			csv_look(in, p, n);
		break;
	}
	in->budget.depth--;
	in->where_len = len;
	in->where[len] = '\0';
}

/* One member: its local head is found, its sizes are in the directory. */
static uint8_t *
fake_member(const uint8_t *p, size_t n, const uint8_t *e, size_t *len)
{
	size_t at = le32(e + 42), csize = le32(e + 20);
	size_t max = 16 * 1024 * 1024;
	const uint8_t *extra = e + 46 + le16(e + 28);
	uint8_t *out = NULL;
	z_stream z;

	*len = 0;
	/* ZIP64 as our one sample has it: all three are in the first extra. */
	if (at == 0xffffffff && p + n - extra >= 28 && le16(extra) == 1) {
		csize = le32(extra + 12);
		at = le32(extra + 20);
	}
	if (at >= n || n - at < 30 || memcmp(p + at, "PK\3\4", 4) != 0)
		return NULL;
	at += 30 + le16(p + at + 26) + le16(p + at + 28);
	if (at > n)
		return NULL;
	if (csize > n - at)
		csize = n - at;
	if ((out = malloc(max)) == NULL)
		return NULL;
	if (le16(e + 10) == 0) {
		*len = csize < max ? csize : max;
		memcpy(out, p + at, *len);
		return out;
	}
	memset(&z, 0, sizeof(z));
	if (inflateInit2(&z, -15) != Z_OK) {
		free(out);
		return NULL;
	}
	z.next_in = p + at;
	z.avail_in = (uInt)csize;
	z.next_out = out;
	z.avail_out = (uInt)max;
	(void)inflate(&z, Z_FINISH);
	*len = max - z.avail_out;
	inflateEnd(&z);
	return out;
}

static void
fake_zip(struct inspect *in, const uint8_t *p, size_t n)
{
	struct opc *o = opc_new(in);
	const uint8_t *e;
	uint8_t *m;
	char name[300];
	size_t at, len, k;

	for (at = 0; (at = office_find(p, n, at, "PK\1\2", 4)) < n; at += 46) {
		if (n - at < 46)
			break;
		e = p + at;
		k = le16(e + 28);
		if (k > n - at - 46)
			k = n - at - 46;
		snprintf(name, sizeof(name), "%.*s", (int)k,
		    (const char *)e + 46);
		m = fake_member(p, n, e, &len);
		if (m != NULL && len == 0)
			opc_member(o, name, (const uint8_t *)"", 0);
		else
			opc_member(o, name, m, len);
		if (m != NULL && len > 0)
			content_look(in, name, m, len);
		free(m);
	}
	opc_end(o);
}
