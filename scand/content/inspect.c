/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "scand/content/inspect.h"
#include "scand/content/mac.h"
#include "scand/content/magic.h"
#include "scand/content/octets.h"

/*
 * The walk: recognise a thing, say what it is, hand it to the reader of its
 * type, which hands what it finds inside back to content_look().  The C stack
 * is as deep as things are nested, which the budget bounds.
 */

#define SEPARATOR	" > "
#define GAP		" ... "

struct place {
	char	where[sizeof(((struct inspect *)NULL)->where)];
	size_t	len;
	int	moved;		/* where was cut in the middle, saved here */
};

/* What is searched behind the end of a thing: things of other types. */
enum behind {
	BEHIND_NOTHING,		/* it is one itself */
	BEHIND_STRICT,		/* a ZIP archive that ends exactly with it */
	BEHIND_LOOSE		/* anything, anywhere */
};

static void	 look(struct inspect *, const char *, const enum content_type *,
		    const uint8_t *, size_t, int);
static void	 look_inside(struct inspect *, enum content_type,
		    const uint8_t *, size_t);
static void	 look_behind(struct inspect *, enum content_type,
		    const uint8_t *, size_t);
static void	 look_cut(struct inspect *, enum content_type, const uint8_t *,
		    size_t);
static void	 tell_over(struct inspect *);
static int	 is_eicar(const uint8_t *, size_t);
static void	 mime_look(struct inspect *, const uint8_t *, size_t);
static void	 text_look(struct inspect *, const uint8_t *, size_t);
static void	 opaque_look(struct inspect *, const uint8_t *, size_t);
static void	 where_push(struct inspect *, struct place *, const char *);
static void	 where_pop(struct inspect *, const struct place *);

/* No function: archive_look(), or nothing to look into. */
static const struct {
	void		(*look)(struct inspect *, const uint8_t *, size_t);
	int		 archive;
	enum behind	 behind;
} readers[CONTENT_MAX] = {
	[CONTENT_UNKNOWN] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_TEXT] = { text_look, 0, BEHIND_LOOSE },
	[CONTENT_HTML] = { uuencode_look, 0, BEHIND_LOOSE },
	[CONTENT_XML] = { xml_look, 0, BEHIND_STRICT },
	[CONTENT_MIME] = { mime_look, 0, BEHIND_STRICT },
	[CONTENT_CFB] = { cfb_look, 0, BEHIND_STRICT },
	[CONTENT_ZIP] = { zip_look, 0, BEHIND_NOTHING },
	[CONTENT_RTF] = { rtf_look, 0, BEHIND_STRICT },
	[CONTENT_PDF] = { pdf_look, 0, BEHIND_STRICT },
	[CONTENT_ACTIVEMIME] = { activemime_look, 0, BEHIND_STRICT },
	[CONTENT_BIFF] = { biff_look, 0, BEHIND_STRICT },
	[CONTENT_SYLK] = { sylk_look, 0, BEHIND_LOOSE },
	[CONTENT_TNEF] = { tnef_look, 0, BEHIND_STRICT },
	[CONTENT_7Z] = { sevenzip_look, 0, BEHIND_STRICT },
	[CONTENT_RAR4] = { rar_look, 0, BEHIND_STRICT },
	[CONTENT_RAR5] = { rar_look, 0, BEHIND_STRICT },
	[CONTENT_ARJ] = { arj_look, 0, BEHIND_STRICT },
	[CONTENT_TAR] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_GZIP] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_BZIP2] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_XZ] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_LZMA] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_LZIP] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_ZSTD] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_COMPRESS] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_LZH] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_CAB] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_ISO] = { NULL, 1, BEHIND_STRICT },
	[CONTENT_CPIO] = { cpio_look, 0, BEHIND_STRICT },
	[CONTENT_AR] = { ar_look, 0, BEHIND_STRICT },
	[CONTENT_ACE] = { ace_look, 0, BEHIND_STRICT },
	[CONTENT_WIM] = { opaque_look, 0, BEHIND_STRICT },
	[CONTENT_ARCHIVE] = { opaque_look, 0, BEHIND_STRICT },
	[CONTENT_APPLESINGLE] = { applesingle_look, 0, BEHIND_STRICT },
	[CONTENT_MACBINARY] = { macbinary_look, 0, BEHIND_STRICT },
	[CONTENT_DISK] = { disk_look, 0, BEHIND_STRICT },
	[CONTENT_PE] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_ELF] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_MACHO] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_SCRIPT] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_LNK] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_ONENOTE] = { onenote_look, 0, BEHIND_STRICT },
	[CONTENT_CHM] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_HTA] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_CLASS] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_IMAGE] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_MEDIA] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_PGP] = { NULL, 0, BEHIND_LOOSE },
	[CONTENT_PKCS7] = { pkcs7_look, 0, BEHIND_STRICT },
	[CONTENT_UUENCODE] = { uuencode_look, 0, BEHIND_STRICT },
	[CONTENT_YENC] = { uuencode_look, 0, BEHIND_STRICT },
};

static const char	*const finding_names[FINDING_MAX] = {
	[FINDING_MACRO] = "macro",
	[FINDING_MACRO_UNREADABLE] = "macro unreadable",
	[FINDING_PDF_ENCRYPTED] = "PDF encrypted",
	[FINDING_PDF_OWNER] = "PDF restricted",
	[FINDING_OFFICE_ENCRYPTED] = "Office document encrypted",
	[FINDING_ARCHIVE_ENCRYPTED] = "archive encrypted",
	[FINDING_ZIP_HALF_ENCRYPTED] = "ZIP contradicts itself on encryption",
	[FINDING_PDF_OLD_ENCRYPT] = "PDF was encrypted",
	[FINDING_PDF_ATTACHMENT_ENCRYPTED] = "PDF attachments encrypted",
	[FINDING_PDF_ACTIVE] = "PDF with actions",
	[FINDING_ODF_MACRO] = "ODF macro",
	[FINDING_VBA_EMPTY] = "VBA without code",
	[FINDING_EXTERNAL_TEMPLATE] = "template elsewhere",
	[FINDING_DDE] = "DDE",
	[FINDING_WORDBASIC] = "WordBasic",
	[FINDING_OLE_PACKAGE] = "program in a document",
	[FINDING_DAMAGED] = "damaged",
	[FINDING_OPAQUE] = "cannot be looked into",
	[FINDING_OVER_BUDGET] = "too much",
	[FINDING_EXECUTABLE] = "program",
	[FINDING_DISK_IMAGE] = "disk image",
	[FINDING_DOUBLE_EXTENSION] = "double extension",
	[FINDING_NAME_DISAGREES] = "name and content disagree",
	[FINDING_NAME_OVERRIDE] = "name reads backwards",
	[FINDING_EICAR] = "EICAR test file",
	[FINDING_LISTED] = "known by its hash",
};

const char *
finding_name(enum finding f)
{
	return f < FINDING_MAX && finding_names[f] != NULL ?
	    finding_names[f] : "?";
}

void
content_look(struct inspect *in, const char *name, const uint8_t *p, size_t n)
{
	look(in, name, NULL, p, n, 0);
}

void
content_look_typed(struct inspect *in, const char *name, enum content_type type,
    const uint8_t *p, size_t n)
{
	look(in, name, &type, p, n, 0);
}

void
content_look_cut(struct inspect *in, const char *name, const uint8_t *p,
    size_t n)
{
	look(in, name, NULL, p, n, 1);
}

/* known: its type, or NULL. */
static void
look(struct inspect *in, const char *name, const enum content_type *known,
    const uint8_t *p, size_t n, int cut)
{
	struct budget *b = &in->budget;
	struct place place;
	enum content_type type;
	const char *as;

	where_push(in, &place, name);
	if (b->blobs_max != 0 && b->blobs >= b->blobs_max)
		b->over |= BUDGET_BLOBS;
	/* All of it is searched several times. */
	if (budget_step(b) == -1 || budget_work(b, n) == -1 ||
	    b->depth >= b->depth_max) {
		if (!budget_is_over(b))
			b->over |= BUDGET_DEPTH;
		tell_over(in);
		where_pop(in, &place);
		return;
	}
	b->blobs++;
	b->depth++;
	type = known != NULL ? *known : content_type(p, n);
	if (in->node != NULL)
		in->node(in->arg, b->depth, name, type, n);
	if (name != NULL)
		names_look(in, name, type);
	executable_look(in, type, p, n);
	if (is_eicar(p, n))
		content_report(in, FINDING_EICAR, "");
	if (in->listed != NULL && (as = in->listed(in->arg, p, n)) != NULL)
		content_report(in, FINDING_LISTED, as);
	look_inside(in, type, p, n);
	if (cut)
		look_cut(in, type, p, n);
	else
		look_behind(in, type, p, n);
	if (budget_is_over(b))
		tell_over(in);
	b->depth--;
	where_pop(in, &place);
}

static void
look_inside(struct inspect *in, enum content_type type, const uint8_t *p,
    size_t n)
{
	if (readers[type].archive)
		archive_look(in, type, p, n);
	else if (readers[type].look != NULL)
		readers[type].look(in, p, n);
}

/*
 * Two things in one: programs and pictures with an archive behind them,
 * whatever is a PDF to a reader of PDF, which looks for %PDF- further on, and
 * formats that leave their beginning to others: a tar archive has the name of
 * its first member there.
 */
static void
look_behind(struct inspect *in, enum content_type type, const uint8_t *p,
    size_t n)
{
	enum behind behind = readers[type].behind;

	if (n < 22)
		return;
	if (behind != BEHIND_NOTHING &&
	    zip_is_behind(p, n, behind == BEHIND_STRICT))
		zip_look(in, p, n);
	if (type != CONTENT_TAR && magic_is_tar(p, n))
		archive_look(in, CONTENT_TAR, p, n);
	if (type != CONTENT_ISO && magic_is_iso(p, n))
		archive_look(in, CONTENT_ISO, p, n);
	if (behind != BEHIND_LOOSE)
		return;
	selfextract_look(in, p, n);
	if (magic_pdf_start(p, n) < n)
		pdf_look(in, p, n);
}

/* Of many things the beginning says enough. */
static void
look_cut(struct inspect *in, enum content_type type, const uint8_t *p,
    size_t n)
{
	size_t head = n < 4096 ? n : 4096;

	switch (type) {
	case CONTENT_TEXT:
	case CONTENT_HTML:
	case CONTENT_IMAGE:
	case CONTENT_MEDIA:
	case CONTENT_SCRIPT:
	case CONTENT_CLASS:
	case CONTENT_PGP:
		return;
	case CONTENT_XML:
		/* Sheets of a workbook are large; those that may hold octets
		   say so in their root (see xml.c). */
		if (octets_find(p, head, 0, "xmlPackage", 10) == head &&
		    octets_ifind(p, head, 0, "wordml") == head &&
		    octets_ifind(p, head, 0, "progid") == head)
			return;
		break;
	default:
		break;
	}
	if (!budget_is_over(&in->budget))
		content_report(in, FINDING_OVER_BUDGET, "seen in part");
}

/* What belongs to all of it is told once, the rest where it happens. */
static void
tell_over(struct inspect *in)
{
	static const struct {
		unsigned	 bit;
		const char	*text;
	} all[] = {
		{ BUDGET_TIME, "time" }, { BUDGET_OUT, "octets unpacked" },
		{ BUDGET_BLOBS, "number of things" },
	};
	size_t i;

	if (!budget_is_over(&in->budget)) {
		content_report(in, FINDING_OVER_BUDGET, "depth");
		return;
	}
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (in->budget.over & ~in->told & all[i].bit) {
			in->told |= all[i].bit;
			content_report(in, FINDING_OVER_BUDGET, all[i].text);
		}
}

/* The test file has 68 octets and may be followed by blanks up to 128; it is
   not in one piece here, lest this program be taken for it. */
static int
is_eicar(const uint8_t *p, size_t n)
{
	static const char first[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR";
	static const char second[] = "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

	return n >= 68 && n <= 128 &&
	    memcmp(p, first, sizeof(first) - 1) == 0 &&
	    memcmp(p + sizeof(first) - 1, second, sizeof(second) - 1) == 0;
}

/* One letter, or all of a mbox: lines "From " behind an empty one begin the
   next, if a header field follows. */
static void
mime_look(struct inspect *in, const uint8_t *p, size_t n)
{
	size_t at, next, start;

	if (in->mime == NULL) {
		uuencode_look(in, p, n);
		return;
	}
	at = magic_mime_start(p, n);
	if (at == n || n - at < 5 || memcmp(p + at, "From ", 5) != 0) {
		in->mime(in, p + (at == n ? 0 : at), n - (at == n ? 0 : at));
		return;
	}
	for (; at < n && budget_step(&in->budget) == 0; at = next) {
		for (next = at; (next = octets_find(p, n, next, "\nFrom ",
		    6)) < n; next++)
			if (p[next - 1] == '\n' || (next > 1 &&
			    memcmp(p + next - 2, "\n\r", 2) == 0))
				break;
		next = next < n ? next + 1 : n;
		start = octets_find(p, next, at, "\n", 1);
		if (start < next)
			in->mime(in, p + start + 1, next - start - 1);
	}
}

static void
text_look(struct inspect *in, const uint8_t *p, size_t n)
{
	uuencode_look(in, p, n);
	binhex_look(in, p, n);
	csv_look(in, p, n);
}

static void
opaque_look(struct inspect *in, const uint8_t *p, size_t n)
{
	(void)p;
	(void)n;
	content_report(in, FINDING_OPAQUE, "no reader for this format");
}

void
content_report(struct inspect *in, enum finding f, const char *detail)
{
	char text[LIM_ATTACH_NAME + 1];

	if (in->reported[f] >= LIM_FINDING_EACH)
		return;
	in->reported[f]++;
	(void)names_print(text, sizeof(text), detail);
	in->report(in->arg, f, in->where, text);
}

/* Append a name to where. */
static void
where_push(struct inspect *in, struct place *place, const char *name)
{
	char text[LIM_ATTACH_NAME + 1];
	size_t len, room = sizeof(in->where) - 1, keep;

	place->len = in->where_len;
	place->moved = 0;
	if (name == NULL || (len = names_print(text, sizeof(text), name)) == 0)
		return;
	if (in->where_len + strlen(SEPARATOR) + len > room) {
		/* Keep the outermost names and the last one. */
		memcpy(place->where, in->where, sizeof(in->where));
		place->moved = 1;
		keep = room / 2;
		while (keep > 0 && (in->where[keep] & 0xc0) == 0x80)
			keep--;
		memcpy(in->where + keep, GAP, strlen(GAP));
		in->where_len = keep + strlen(GAP);
	} else if (in->where_len > 0) {
		memcpy(in->where + in->where_len, SEPARATOR,
		    strlen(SEPARATOR));
		in->where_len += strlen(SEPARATOR);
	}
	memcpy(in->where + in->where_len, text, len + 1);
	in->where_len += len;
}

static void
where_pop(struct inspect *in, const struct place *place)
{
	if (place->moved)
		memcpy(in->where, place->where, sizeof(in->where));
	in->where_len = place->len;
	in->where[in->where_len] = '\0';
}
