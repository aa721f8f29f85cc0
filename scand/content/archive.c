/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "scand/content/octets.h"
#include "scand/content/unpack.h"

/*
 * Archives that libarchive reads.  One format is enabled at a time, the one
 * that the magic said, and never a filter: compressed streams are unpacked by
 * our decoders, which can be stopped, and handed to it in pieces.  Names and
 * sizes of entries are claims.
 */

struct source {
	struct inspect	*in;
	struct decoder	*decoder;
	const uint8_t	*head;		/* read before, given first */
	size_t		 head_n;
	enum decoder_result last;
};

static const struct {
	enum content_type	 type;
	int			 stream;	/* else a format */
	enum decoder_kind	 kind;
	enum archive_format	 format;
} types[] = {
	{ CONTENT_TAR,		0, 0, FORMAT_TAR },
	{ CONTENT_CAB,		0, 0, FORMAT_CAB },
	{ CONTENT_LZH,		0, 0, FORMAT_LZH },
	{ CONTENT_ISO,		0, 0, FORMAT_ISO },
	{ CONTENT_GZIP,		1, DECODER_GZIP, 0 },
	{ CONTENT_BZIP2,	1, DECODER_BZIP2, 0 },
	{ CONTENT_XZ,		1, DECODER_XZ, 0 },
	{ CONTENT_LZMA,		1, DECODER_LZMA, 0 },
	{ CONTENT_LZIP,		1, DECODER_LZIP, 0 },
	{ CONTENT_ZSTD,		1, DECODER_ZSTD, 0 },
	{ CONTENT_COMPRESS,	1, DECODER_COMPRESS, 0 },
};

static void	 stream_look(struct inspect *, enum decoder_kind,
		    const uint8_t *, size_t);
static void	 stream_report(struct inspect *, enum decoder_result);
static void	 stream_name(const struct inspect *, enum decoder_kind,
		    const uint8_t *, size_t, char *, size_t);
static void	 walk_report(struct inspect *, const struct archive_walk *);
static struct archive *walk_new(enum archive_format);
static void	 walk(struct inspect *, struct archive *, uint64_t,
		    struct archive_walk *);
static int	 walk_entry(struct inspect *, struct archive *,
		    struct archive_entry *, uint64_t);
static void	 walk_link(struct inspect *, struct archive_entry *);
static la_ssize_t source_read(struct archive *, void *, const void **);
static const char *entry_name(struct archive_entry *);

void
archive_look(struct inspect *in, enum content_type type, const uint8_t *p,
    size_t n)
{
	struct archive_walk w;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type != type)
			continue;
		if (types[i].stream) {
			stream_look(in, types[i].kind, p, n);
			return;
		}
		archive_walk(in, types[i].format, p, n, &w);
		walk_report(in, &w);
		return;
	}
}

void
archive_walk(struct inspect *in, enum archive_format format, const uint8_t *p,
    size_t n, struct archive_walk *w)
{
	struct archive *a;

	memset(w, 0, sizeof(*w));
	if ((a = walk_new(format)) == NULL ||
	    archive_read_open_memory(a, p, n) != ARCHIVE_OK)
		w->broken = 1;
	else
		walk(in, a, n, w);
	if (a != NULL)
		(void)archive_read_free(a);
}

/* 0 entries and no error means that it was not looked into. */
static void
walk_report(struct inspect *in, const struct archive_walk *w)
{
	if (w->encrypted)
		content_report(in, FINDING_ARCHIVE_ENCRYPTED, "");
	if (w->broken && w->entries == 0)
		content_report(in, FINDING_OPAQUE, "not understood");
	else if (w->broken)
		content_report(in, FINDING_DAMAGED, "ends early");
	else if (w->entries == 0)
		content_report(in, FINDING_OPAQUE, "nothing in it");
}

/*
 * A compressed stream: a tar archive is read on the fly, however large it is;
 * anything else is unpacked and looked at.
 */
static void
stream_look(struct inspect *in, enum decoder_kind kind, const uint8_t *p,
    size_t n)
{
	struct source src;
	struct archive_walk w;
	struct unpack u;
	struct archive *a = NULL;
	char name[256];

	memset(&src, 0, sizeof(src));
	memset(&w, 0, sizeof(w));
	unpack_begin(&u, in, n);
	src.in = in;
	if ((src.decoder = decoder_open(in, kind, p, n, UINT64_MAX)) == NULL)
		goto out;
	src.last = decoder_read(src.decoder, &src.head, &src.head_n);
	if (src.last != DECODER_MORE) {
		stream_report(in, src.last);
		goto out;
	}
	if (content_type(src.head, src.head_n) == CONTENT_TAR) {
		a = walk_new(FORMAT_TAR);
		if (a == NULL || archive_read_open(a, &src, NULL, source_read,
		    NULL) != ARCHIVE_OK)
			w.broken = 1;
		else
			walk(in, a, n, &w);
		/* What is wrong with the stream is not the archive's fault. */
		if (src.last == DECODER_MORE || src.last == DECODER_END)
			walk_report(in, &w);
		else
			stream_report(in, src.last);
		goto out;
	}
	src.last = unpack_add(&u, src.head, src.head_n) == -1 ?
	    DECODER_STOP : decoder_unpack(src.decoder, &u);
	stream_name(in, kind, p, n, name, sizeof(name));
	unpack_look(&u, name);
	if (!u.cut)
		stream_report(in, src.last);
out:
	if (a != NULL)
		(void)archive_read_free(a);
	unpack_free(&u);
	decoder_free(src.decoder);
}

static void
stream_report(struct inspect *in, enum decoder_result r)
{
	if (r == DECODER_DAMAGED)
		content_report(in, FINDING_DAMAGED, "compressed data");
	else if (r == DECODER_OPAQUE)
		content_report(in, FINDING_OPAQUE, "compression method");
	else if (r == DECODER_STOP && !budget_is_over(&in->budget))
		content_report(in, FINDING_OVER_BUDGET, "memory");
}

/*
 * What comes out has the name that gzip keeps (RFC 1952 2.3), else that of
 * what it comes from without its last extension.
 */
static void
stream_name(const struct inspect *in, enum decoder_kind kind,
    const uint8_t *p, size_t n, char *dst, size_t size)
{
	const char *from = in->where, *s;
	size_t at = 10, len;

	dst[0] = '\0';
	if (kind == DECODER_GZIP && n > 12 && (p[3] & 8) != 0) {
		if (p[3] & 4)
			at += 2 + (size_t)le16(p + 10);
		for (len = 0; at < n && p[at] != '\0' && len + 1 < size; at++)
			dst[len++] = (char)p[at];
		dst[len] = '\0';
		if (len > 0)
			return;
	}
	while ((s = strstr(from, " > ")) != NULL)
		from = s + 3;
	len = strlen(from);
	if ((s = strrchr(from, '.')) != NULL && s > from)
		len = (size_t)(s - from);
	if (len >= size)
		return;
	memcpy(dst, from, len);
	dst[len] = '\0';
}

static la_ssize_t
source_read(struct archive *a, void *arg, const void **p)
{
	struct source *src = arg;
	const uint8_t *q;
	size_t n;

	if (src->head_n > 0) {
		*p = src->head;
		n = src->head_n;
		src->head_n = 0;
		return (la_ssize_t)n;
	}
	src->last = decoder_read(src->decoder, &q, &n);
	if (src->last == DECODER_END)
		return 0;
	if (src->last != DECODER_MORE) {
		archive_set_error(a, EIO, "stream ends");
		return ARCHIVE_FATAL;
	}
	*p = q;
	return (la_ssize_t)n;
}

static struct archive *
walk_new(enum archive_format format)
{
	static int (*const support[])(struct archive *) = {
		[FORMAT_7Z] = archive_read_support_format_7zip,
		[FORMAT_RAR4] = archive_read_support_format_rar,
		[FORMAT_RAR5] = archive_read_support_format_rar5,
		[FORMAT_TAR] = archive_read_support_format_tar,
		[FORMAT_CAB] = archive_read_support_format_cab,
		[FORMAT_LZH] = archive_read_support_format_lha,
		[FORMAT_ISO] = archive_read_support_format_iso9660,
	};
	struct archive *a;

	if ((a = archive_read_new()) != NULL)
		(void)support[format](a);
	return a;
}

static void
walk(struct inspect *in, struct archive *a, uint64_t packed,
    struct archive_walk *w)
{
	struct archive_entry *e;
	int r;

	for (;;) {
		if (budget_step(&in->budget) == -1)
			return;
		r = archive_read_next_header(a, &e);
		if (r == ARCHIVE_EOF)
			break;
		if (r == ARCHIVE_FATAL) {
			w->broken = 1;
			break;
		}
		w->entries++;
		if (archive_entry_is_data_encrypted(e) == 1) {
			/* Reading it would end the walk. */
			w->encrypted = 1;
			continue;
		}
		walk_link(in, e);
		if (walk_entry(in, a, e, packed) == ARCHIVE_FATAL) {
			w->broken = !budget_is_over(&in->budget);
			break;
		}
	}
	if (archive_read_has_encrypted_entries(a) == 1)
		w->encrypted = 1;
}

/* Look at one entry.  ARCHIVE_FATAL: the walk is over. */
static int
walk_entry(struct inspect *in, struct archive *a, struct archive_entry *e,
    uint64_t packed)
{
	struct unpack u;
	const void *p;
	const uint8_t *q;
	const char *name = entry_name(e);
	size_t n, k;
	la_int64_t at;
	int file = archive_entry_filetype(e) == AE_IFREG;
	uint64_t size = archive_entry_size_is_set(e) ?
	    (uint64_t)archive_entry_size(e) : UINT64_MAX;
	int r, cut = 0;

	unpack_begin(&u, in, packed);
	while ((r = archive_read_data_block(a, &p, &n, &at)) == ARCHIVE_OK ||
	    r == ARCHIVE_WARN) {
		if (budget_step(&in->budget) == -1)
			break;
		if (u.n == 0 && at == 0 && n == size) {
			/* All of it in one piece: an archive that does not
			   compress, in memory. */
			content_look(in, name, p, n);
			return ARCHIVE_OK;
		}
		if ((uint64_t)at > u.n && !cut)
			cut = unpack_add_zeros(&u, (uint64_t)at - u.n) == -1;
		for (q = p; n > 0 && !budget_is_over(&in->budget); n -= k) {
			k = n < UNPACK_STEP ? n : UNPACK_STEP;
			cut |= unpack_add(&u, q, k) == -1;
			q += k;
		}
	}
	if (r == ARCHIVE_FAILED && file)
		content_report(in, FINDING_OPAQUE, name);
	/* Modes are a matter of Unix; other systems see files only. */
	if ((r != ARCHIVE_FAILED && file) || u.n > 0)
		unpack_look(&u, name);
	unpack_free(&u);
	return budget_is_over(&in->budget) ? ARCHIVE_FATAL : r;
}

/*
 * What a symbolic link leads to stands where a file has its octets, and
 * whoever knows no such links takes it for a file.  libarchive tells of it as
 * far as the first NUL.
 */
static void
walk_link(struct inspect *in, struct archive_entry *e)
{
	const char *to = archive_entry_symlink(e);

	if (to == NULL)
		return;
	switch (content_type((const uint8_t *)to, strlen(to))) {
	case CONTENT_EMPTY:
	case CONTENT_TEXT:
	case CONTENT_UNKNOWN:
		return;
	default:
		content_report(in, FINDING_OPAQUE, entry_name(e));
		return;
	}
}

/* NULL where it cannot be expressed, see also sandbox_prepare(). */
static const char *
entry_name(struct archive_entry *e)
{
	const char *s;

	if ((s = archive_entry_pathname_utf8(e)) == NULL &&
	    (s = archive_entry_pathname(e)) == NULL)
		s = "";
	return s;
}
