/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/limits.h"
#include "scand/content/octets.h"
#include "scand/content/unpack.h"

/*
 * 7z.  Which coders its folders use stands in a header at the end, which is
 * nearly always packed itself; the coder for AES there, or among those of the
 * header, means a password.  libarchive reads the contents.
 */

#define HEADERS		4	/* a packed header in a packed header ... */
#define HEADER_MAX	(16 * 1024 * 1024)
#define COUNT_MAX	100000	/* of anything */
#define CODERS_MAX	32	/* of a folder */
#define JOINED		(1ULL << 62)	/* of a folder's memory: BCJ2 */

#define ENTRY		96	/* octets for a file, roughly */

#define ID_COPY		0x00
#define ID_LZMA2	0x21
#define ID_LZMA		0x030101
#define ID_DEFLATE64	0x040109
#define ID_BCJ2		0x0303011b
#define ID_PPMD		0x030401
#define ID_AES		0x06f10701

struct cursor {
	const uint8_t	*p;
	size_t		 n;
	size_t		 at;
	int		 bad;		/* ran over the end, or too many */
};

struct coder {
	uint64_t	 id;
	const uint8_t	*props;
	size_t		 props_n;
};

struct sevenzip {
	struct inspect	*in;
	const uint8_t	*p;
	size_t		 n;
	int		 encrypted;
	int		 cut;		/* its header is further on */
	uint64_t	 memory;	/* for the largest folder, and files */
	/* Of the last streams info: its first pack stream and folder. */
	uint64_t	 pack_at, pack_n;
	struct coder	 coder;
	unsigned	 coders;
	uint64_t	 unpack_n;
	uint64_t	 folders;
	uint64_t	 digests;	/* that folders have */
};

static int	 headers(struct sevenzip *);
static void	 look_deflate64(struct sevenzip *);
static uint8_t	*unpack_header(struct sevenzip *, size_t *);
static int	 unpack_lzma(const struct coder *, const uint8_t *, size_t,
		    uint8_t *, size_t);
static void	 read_streams(struct sevenzip *, struct cursor *);
static void	 read_substreams(struct sevenzip *, struct cursor *);
static void	 read_files(struct sevenzip *, struct cursor *);
static void	 read_pack(struct sevenzip *, struct cursor *);
static void	 read_folders(struct sevenzip *, struct cursor *);
static unsigned	 read_folder(struct sevenzip *, struct cursor *, uint64_t *,
		    uint64_t *);
static void	 read_coder(struct cursor *, struct coder *, uint64_t *,
		    uint64_t *);
static uint64_t	 coder_memory(const struct coder *);
static uint64_t	 skip_digests(struct cursor *, uint64_t);
static uint64_t	 number(struct cursor *);
static uint64_t	 count(struct cursor *, uint64_t);
static uint8_t	 octet(struct cursor *);
static void	 skip(struct cursor *, uint64_t);

void
sevenzip_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct sevenzip z;
	struct archive_walk w;

	memset(&z, 0, sizeof(z));
	z.in = in;
	z.p = p;
	z.n = n;
	/* libarchive allocates by what headers claim: it gets none that was
	   not understood here. */
	if (headers(&z) == -1) {
		if (z.encrypted)
			content_report(in, FINDING_ARCHIVE_ENCRYPTED, "");
		else if (z.cut)
			content_report(in, FINDING_OPAQUE, "cut off, or one of "
			    "several volumes");
		else
			content_report(in, FINDING_DAMAGED, "no header");
		return;
	}
	if (z.encrypted)
		content_report(in, FINDING_ARCHIVE_ENCRYPTED, "");
	if (z.memory > LIM_DICTIONARY ||
	    budget_hold(&in->budget, z.memory) == -1) {
		content_report(in, FINDING_OVER_BUDGET, "dictionary");
		return;
	}
	archive_walk(in, FORMAT_7Z, p, n, &w);
	budget_release(&in->budget, z.memory);
	if (z.encrypted)
		return;
	if (w.encrypted)
		content_report(in, FINDING_ARCHIVE_ENCRYPTED, "");
	else if (w.broken) {
		look_deflate64(&z);
		content_report(in, FINDING_OPAQUE, "method");
	}
}

/* libarchive has no such method.  Of several members the first is seen. */
static void
look_deflate64(struct sevenzip *z)
{
	struct unpack u;
	struct decoder *d;

	if (z->coders != 1 || z->coder.id != ID_DEFLATE64 ||
	    z->pack_at > z->n - 32 || z->pack_n > z->n - 32 - z->pack_at)
		return;
	unpack_begin(&u, z->in, z->pack_n);
	d = decoder_open(z->in, DECODER_DEFLATE64, z->p + 32 + z->pack_at,
	    (size_t)z->pack_n, UINT64_MAX);
	if (d != NULL)
		(void)decoder_unpack(d, &u);
	decoder_free(d);
	if (u.n > 0)
		unpack_look(&u, NULL);
	unpack_free(&u);
}

/* Read headers until one is not packed.  0, or -1: damaged. */
static int
headers(struct sevenzip *z)
{
	struct cursor c;
	uint8_t *own = NULL, *next;
	uint64_t at, len;
	size_t next_n = 0;
	int i, ret = -1;
	uint8_t id;

	memset(&c, 0, sizeof(c));
	if (z->n < 32)
		return -1;
	at = le64(z->p + 12);
	len = le64(z->p + 20);
	if (len == 0)
		return 0;
	if (at > z->n - 32 || len > z->n - 32 - at) {
		z->cut = crc32(0, z->p + 12, 20) == le32(z->p + 8);
		return -1;
	}
	c.p = z->p + 32 + at;
	c.n = (size_t)len;
	for (i = 0; i < HEADERS; i++) {
		id = octet(&c);
		if (id == 1) {
			if (octet(&c) == 2) {
				while (!c.bad && number(&c) != 0)
					skip(&c, number(&c));
			} else
				c.at--;
			/* Nobody writes additional streams (3). */
			if ((id = octet(&c)) == 4)
				read_streams(z, &c);
			else if (id == 5)
				c.at--;
			else if (id != 0)
				c.bad = 1;
			if (id != 0)
				read_files(z, &c);
			ret = c.bad ? -1 : 0;
			break;
		}
		if (id != 0x17)
			break;
		read_streams(z, &c);
		/* AES here: names are encrypted, too. */
		if (c.bad || z->encrypted) {
			ret = c.bad ? -1 : 0;
			break;
		}
		if ((next = unpack_header(z, &next_n)) == NULL)
			break;
		free(own);
		own = next;
		memset(&c, 0, sizeof(c));
		c.p = own;
		c.n = next_n;
	}
	free(own);
	return ret;
}

/* What the last streams info describes; NULL: it cannot be unpacked. */
static uint8_t *
unpack_header(struct sevenzip *z, size_t *n)
{
	uint8_t *out;
	const uint8_t *p;

	if (z->coders != 1 || z->unpack_n == 0 || z->unpack_n > HEADER_MAX ||
	    z->pack_at > z->n - 32 || z->pack_n > z->n - 32 - z->pack_at)
		return NULL;
	if (budget_out(&z->in->budget, (size_t)z->unpack_n) == -1)
		return NULL;
	*n = (size_t)z->unpack_n;
	if ((out = malloc(*n)) == NULL)
		return NULL;
	p = z->p + 32 + z->pack_at;
	if (z->coder.id == ID_COPY && z->pack_n >= *n)
		memcpy(out, p, *n);
	else if (unpack_lzma(&z->coder, p, (size_t)z->pack_n, out, *n) == -1) {
		free(out);
		return NULL;
	}
	return out;
}

/* Exactly n octets.  There is no end mark: full is the end. */
static int
unpack_lzma(const struct coder *c, const uint8_t *p, size_t packed,
    uint8_t *out, size_t n)
{
	lzma_stream lz = LZMA_STREAM_INIT;
	lzma_filter f[2];
	lzma_options_lzma *opt;
	lzma_ret r;

	memset(f, 0, sizeof(f));
	f[0].id = c->id == ID_LZMA ? LZMA_FILTER_LZMA1 :
	    c->id == ID_LZMA2 ? LZMA_FILTER_LZMA2 : LZMA_VLI_UNKNOWN;
	f[1].id = LZMA_VLI_UNKNOWN;
	if (f[0].id == LZMA_VLI_UNKNOWN || lzma_properties_decode(&f[0], NULL,
	    c->props, c->props_n) != LZMA_OK)
		return -1;
	opt = f[0].options;
	/* Nothing can refer further back than what there is. */
	if (opt->dict_size > HEADER_MAX)
		opt->dict_size = HEADER_MAX;
	r = lzma_raw_decoder(&lz, f);
	free(opt);
	if (r != LZMA_OK)
		return -1;
	lz.next_in = p;
	lz.avail_in = packed;
	lz.next_out = out;
	lz.avail_out = n;
	while (lz.avail_out > 0 && r == LZMA_OK)
		r = lzma_code(&lz, LZMA_RUN);
	n = lz.avail_out;
	lzma_end(&lz);
	return n == 0 ? 0 : -1;
}

static void
read_streams(struct sevenzip *z, struct cursor *c)
{
	uint8_t id = octet(c);

	if (id == 6) {
		read_pack(z, c);
		id = octet(c);
	}
	if (id == 7) {
		read_folders(z, c);
		id = octet(c);
	}
	if (id == 8) {
		read_substreams(z, c);
		id = octet(c);
	}
	if (id != 0)
		c->bad = 1;
}

/*
 * How folders are divided into files: numbers of them, all sizes but the last
 * of each folder, and digests of those that have none as a folder.
 */
static void
read_substreams(struct sevenzip *z, struct cursor *c)
{
	uint64_t i, n, sizes = 0, all = z->folders, alone = all;
	uint8_t id = octet(c);

	if (id == 0x0d) {
		for (i = all = alone = 0; i < z->folders && !c->bad; i++) {
			n = count(c, COUNT_MAX);
			all += n;
			alone += n == 1;
			sizes += n > 1 ? n - 1 : 0;
		}
		id = octet(c);
	}
	if (id == 9) {
		for (i = 0; i < sizes && !c->bad; i++)
			(void)number(c);
		id = octet(c);
	}
	if (id == 0x0a) {
		/* Nobody has a digest for some folders only. */
		if (z->digests != 0 && z->digests != z->folders)
			c->bad = 1;
		(void)skip_digests(c, z->digests == 0 ? all : all - alone);
		id = octet(c);
	}
	if (id != 0)
		c->bad = 1;
}

/* Their number, for which libarchive allocates: each has at least the two
   octets of an empty name. */
static void
read_files(struct sevenzip *z, struct cursor *c)
{
	uint8_t id = octet(c);

	if (id == 5)
		z->memory += ENTRY * count(c, (c->n - c->at) / 2);
	else if (id != 0)
		c->bad = 1;
}

static void
read_pack(struct sevenzip *z, struct cursor *c)
{
	uint64_t i, n, size;
	uint8_t id;

	z->pack_at = number(c);
	n = count(c, COUNT_MAX);
	z->pack_n = 0;
	while ((id = octet(c)) != 0 && !c->bad) {
		if (id == 9)
			for (i = 0; i < n && !c->bad; i++) {
				size = number(c);
				if (i == 0)
					z->pack_n = size;
			}
		else if (id == 0x0a)
			(void)skip_digests(c, n);
		else
			c->bad = 1;
	}
}

static void
read_folders(struct sevenzip *z, struct cursor *c)
{
	uint64_t i, k, n, outs, memory, size, largest, sum;
	uint64_t *outs_of = NULL, *memory_of = NULL;
	uint8_t id;

	if (octet(c) != 0x0b) {
		c->bad = 1;
		return;
	}
	z->folders = n = count(c, COUNT_MAX);
	z->digests = 0;
	/* A folder has two octets at least: no allocation by a claim. */
	if (octet(c) != 0 || n > c->n - c->at)
		c->bad = 1;
	if (c->bad || n == 0)
		goto out;
	outs_of = calloc((size_t)n, sizeof(*outs_of));
	memory_of = calloc((size_t)n, sizeof(*memory_of));
	if (outs_of == NULL || memory_of == NULL) {
		c->bad = 1;
		goto out;
	}
	for (i = 0; i < n && !c->bad; i++) {
		k = read_folder(z, c, &outs, &memory);
		if (i == 0)
			z->coders = (unsigned)k;
		outs_of[i] = outs;
		memory_of[i] = memory;
		if (budget_step(&z->in->budget) == -1)
			c->bad = 1;
	}
	if (octet(c) != 0x0c)
		c->bad = 1;
	for (i = 0; i < n && !c->bad; i++) {
		largest = sum = 0;
		for (k = 0; k < outs_of[i] && !c->bad; k++) {
			size = number(c);
			if (size > largest)
				largest = size;
			sum = sum > UINT64_MAX - size ? UINT64_MAX : sum + size;
			if (i == 0)
				z->unpack_n = size;
		}
		/* What is not unpacked is not remembered; but of BCJ2 all
		   streams are unpacked before they are joined. */
		memory = memory_of[i] & ~JOINED;
		if (largest < memory / 64)
			memory = largest * 64;
		if (memory_of[i] & JOINED)
			memory = sum > JOINED ? JOINED : memory + sum;
		if (memory > z->memory)
			z->memory = memory;
	}
out:
	free(outs_of);
	free(memory_of);
	while (!c->bad && (id = octet(c)) != 0) {
		if (id == 0x0a)
			z->digests = skip_digests(c, n);
		else
			c->bad = 1;
	}
}

/* The number of its coders. */
static unsigned
read_folder(struct sevenzip *z, struct cursor *c, uint64_t *outs,
    uint64_t *memory)
{
	struct coder coder;
	uint64_t ins = 0, i, n, in_n, out_n;

	*outs = *memory = 0;
	n = count(c, CODERS_MAX);
	if (n == 0)
		c->bad = 1;
	for (i = 0; i < n && !c->bad; i++) {
		read_coder(c, &coder, &in_n, &out_n);
		ins += in_n;
		*outs += out_n;
		*memory += coder_memory(&coder);
		if (coder.id == ID_BCJ2)
			*memory |= JOINED;
		if (coder.id == ID_AES)
			z->encrypted = 1;
		if (i == 0)
			z->coder = coder;
	}
	if (c->bad || *outs == 0 || ins < *outs - 1) {
		c->bad = 1;
		return 0;
	}
	for (i = 0; i < *outs - 1; i++) {
		(void)number(c);
		(void)number(c);
	}
	if (ins - (*outs - 1) > 1)
		for (i = 0; i < ins - (*outs - 1); i++)
			(void)number(c);
	return (unsigned)n;
}

static void
read_coder(struct cursor *c, struct coder *coder, uint64_t *ins,
    uint64_t *outs)
{
	uint8_t flags = octet(c);
	unsigned i;

	memset(coder, 0, sizeof(*coder));
	*ins = *outs = 1;
	for (i = 0; i < (flags & 15U); i++)
		coder->id = coder->id << 8 | octet(c);
	if (flags & 0x10) {
		*ins = count(c, CODERS_MAX);
		*outs = count(c, CODERS_MAX);
	}
	if (flags & 0x20) {
		coder->props_n = (size_t)count(c, c->n);
		coder->props = c->p + c->at;
		skip(c, coder->props_n);
	}
	if (flags & 0xc0)
		c->bad = 1;
	if (c->bad)
		coder->props_n = 0;
}

/* Octets that its decoder takes for a dictionary or a model. */
static uint64_t
coder_memory(const struct coder *c)
{
	uint8_t b;

	if ((c->id == ID_LZMA || c->id == ID_PPMD) && c->props_n >= 5)
		return le32(c->props + 1);
	if (c->id == ID_LZMA2 && c->props_n >= 1) {
		b = c->props[0];
		return b >= 40 ? UINT32_MAX :
		    (uint64_t)(2 | (b & 1)) << (b / 2 + 11);
	}
	return 0;
}

/* How many there are of n. */
static uint64_t
skip_digests(struct cursor *c, uint64_t n)
{
	uint64_t i, defined = n;
	uint8_t bits = 0;

	if (octet(c) == 0) {
		defined = 0;
		for (i = 0; i < n && !c->bad; i++) {
			if ((i & 7) == 0)
				bits = octet(c);
			defined += bits >> (7 - (i & 7)) & 1;
		}
	}
	skip(c, defined * 4);
	return defined;
}

/* The ones that its first octet begins with count further octets, which are
   the low ones; what is left of the first is above them. */
static uint64_t
number(struct cursor *c)
{
	uint8_t first = octet(c), mask = 0x80;
	uint64_t v = 0;
	unsigned i;

	for (i = 0; i < 8 && (first & mask) != 0; i++, mask >>= 1)
		v |= (uint64_t)octet(c) << 8 * i;
	if (i < 8)
		v |= (uint64_t)(first & (mask - 1)) << 8 * i;
	return v;
}

static uint64_t
count(struct cursor *c, uint64_t max)
{
	uint64_t v = number(c);

	if (v > max) {
		c->bad = 1;
		return 0;
	}
	return v;
}

static uint8_t
octet(struct cursor *c)
{
	if (c->at >= c->n) {
		c->bad = 1;
		return 0;
	}
	return c->p[c->at++];
}

static void
skip(struct cursor *c, uint64_t n)
{
	if (n > c->n - c->at) {
		c->bad = 1;
		c->at = c->n;
	} else
		c->at += (size_t)n;
}
