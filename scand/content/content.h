/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_CONTENT_H
#define SCAND_CONTENT_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a thing is, and what is in it.  Plain functions over octets and a
 * budget: no I/O, no globals, nothing about mail or scores.  Whoever finds
 * something reports it; whoever finds a thing inside hands it back to
 * content_look(), which recognises it by content, never by name.
 */

/*
 * One budget for a whole message, whatever is nested in what.  Everything
 * that unpacks asks before it goes on; once a budget is used up, all of it
 * says no, and what was not looked into is FINDING_OVER_BUDGET.
 */
struct budget {
	uint32_t	 depth_max;	/* things inside things */
	uint32_t	 blobs_max;	/* things looked at */
	uint64_t	 out_max;	/* octets unpacked in all */
	uint32_t	 ratio_max;	/* unpacked : packed, of a member above
					   a megabyte */
	uint32_t	 ms_max;	/* of CPU time, from budget_start() */
	uint64_t	 held_max;	/* octets of memory at a time */
	/* Used: */
	uint32_t	 depth, blobs;
	uint64_t	 out;
	uint64_t	 held;
	uint64_t	 start_us;
	uint64_t	 since;		/* octets since the clock was seen */
	uint32_t	 steps;
	unsigned	 over;		/* BUDGET_* that ran out */
};
/* Of all of it: nothing goes on. */
#define BUDGET_BLOBS	0x02
#define BUDGET_OUT	0x04
#define BUDGET_TIME	0x10
/* Of one thing: others go on. */
#define BUDGET_DEPTH	0x01
#define BUDGET_RATIO	0x08
#define BUDGET_HELD	0x20

/* Maxima as common/limits.h has them; a maximum of 0 does not bind. */
void	budget_default(struct budget *);
/* Nothing is used yet. */
void	budget_start(struct budget *);
/* n octets more were unpacked (in steps of 64 KB at most); also looks at the
   clock.  0, or -1: stop now. */
int	budget_out(struct budget *, size_t n);
/* Some work without output (a walk over entries): looks at the clock now and
   then.  0, or -1: stop now. */
int	budget_step(struct budget *);
/* The same for n octets that were read or skipped, 64 KB at a time, or will be
   searched. */
int	budget_work(struct budget *, size_t n);
/* n octets of memory will be held.  0, or -1: there is no room; what was
   granted is given back by budget_release(). */
int	budget_hold(struct budget *, uint64_t n);
void	budget_release(struct budget *, uint64_t n);
/* Is all of it used up? */
int	budget_is_over(const struct budget *);

enum finding {
	/* Decisive, each with its own policy. */
	FINDING_MACRO,		/* VBA with code, or an Excel 4.0 macro sheet */
	FINDING_MACRO_UNREADABLE, /* VBA that cannot be read */
	FINDING_PDF_ENCRYPTED,	/* does not open without a password */
	FINDING_PDF_OWNER,	/* opens with the empty password */
	FINDING_OFFICE_ENCRYPTED,
	FINDING_ARCHIVE_ENCRYPTED,
	FINDING_ZIP_HALF_ENCRYPTED, /* the bit in one of two headers only */
	/* Scored. */
	FINDING_PDF_OLD_ENCRYPT, /* /Encrypt in a trailer not in effect */
	FINDING_PDF_ATTACHMENT_ENCRYPTED,
	FINDING_PDF_ACTIVE,	/* JavaScript, Launch */
	FINDING_ODF_MACRO,	/* LibreOffice Basic */
	FINDING_VBA_EMPTY,
	FINDING_EXTERNAL_TEMPLATE,
	FINDING_DDE,
	FINDING_WORDBASIC,	/* Word 6/95 */
	FINDING_OLE_PACKAGE,	/* a program in an OLE Package */
	FINDING_DAMAGED,	/* a container that does not hold together */
	FINDING_OPAQUE,		/* cannot be looked into: method, volumes */
	FINDING_OVER_BUDGET,
	FINDING_EXECUTABLE,	/* PE, ELF, Mach-O, scripts, lnk, jar ... */
	FINDING_DISK_IMAGE,	/* iso, img, vhd: hides what is in it */
	FINDING_DOUBLE_EXTENSION,
	FINDING_NAME_DISAGREES,	/* name says one thing, content another */
	FINDING_NAME_OVERRIDE,	/* right-to-left override in a name */
	FINDING_EICAR,
	FINDING_LISTED,		/* known by its hash */
	FINDING_MAX
};

enum content_type {
	CONTENT_UNKNOWN, CONTENT_EMPTY, CONTENT_TEXT, CONTENT_HTML,
	CONTENT_XML, CONTENT_MIME, CONTENT_CFB, CONTENT_ZIP, CONTENT_RTF,
	CONTENT_PDF, CONTENT_ACTIVEMIME, CONTENT_BIFF, CONTENT_SYLK,
	CONTENT_TNEF, CONTENT_7Z, CONTENT_RAR4, CONTENT_RAR5, CONTENT_ARJ,
	CONTENT_TAR, CONTENT_GZIP, CONTENT_BZIP2, CONTENT_XZ, CONTENT_LZMA,
	CONTENT_ZSTD, CONTENT_COMPRESS, CONTENT_LZH, CONTENT_CAB, CONTENT_ISO,
	CONTENT_ACE, CONTENT_PE, CONTENT_ELF, CONTENT_MACHO, CONTENT_SCRIPT,
	CONTENT_LNK, CONTENT_ONENOTE, CONTENT_CHM, CONTENT_HTA, CONTENT_CLASS,
	CONTENT_IMAGE, CONTENT_MEDIA, CONTENT_PGP, CONTENT_PKCS7,
	CONTENT_UUENCODE, CONTENT_YENC, CONTENT_CPIO, CONTENT_AR,
	CONTENT_LZIP, CONTENT_WIM, CONTENT_DISK, CONTENT_APPLESINGLE,
	CONTENT_MACBINARY, CONTENT_ARCHIVE, CONTENT_MAX
};
/* By magic and structure alone (magic.c). */
enum content_type content_type(const uint8_t *, size_t);
const char	*content_type_name(enum content_type);
const char	*finding_name(enum finding);

/* The walk through one message's things. */
struct inspect {
	struct budget	 budget;
	/*
	 * where: names from the outside in, joined by " > ", printable UTF-8,
	 * cut in the middle when long; detail: "" or a few words.
	 */
	void		(*report)(void *arg, enum finding, const char *where,
			    const char *detail);
	/* Every thing once, for the explaining tree; may be NULL. */
	void		(*node)(void *arg, unsigned depth, const char *name,
			    enum content_type, uint64_t size);
	/* What this thing is known as to the caller, or NULL.  May be NULL. */
	const char	*(*listed)(void *arg, const uint8_t *, size_t);
	void		*arg;
	/*
	 * A thing that is a MIME entity (an .eml, MHTML, one message of a
	 * mbox, what an S/MIME signature covers): hands its parts back to
	 * content_look().  NULL: such things are left alone.
	 */
	void		(*mime)(struct inspect *, const uint8_t *, size_t);
	/* Kept by content_look(); where may be begun by the caller. */
	char		 where[1024];
	size_t		 where_len;
	unsigned	 told;		/* BUDGET_* that were reported */
	uint16_t	 reported[FINDING_MAX];
};

/*
 * Look at a thing called name (raw octets of a file name, may be NULL) and
 * everything in it.  Reports through in->report.
 */
void	content_look(struct inspect *, const char *name, const uint8_t *,
	    size_t);
/* The same for a thing whose type has been asked for. */
void	content_look_typed(struct inspect *, const char *name,
	    enum content_type, const uint8_t *, size_t);
/* The same for what is only the beginning of a thing: reported as over budget
   if it is of a type that has to be seen whole. */
void	content_look_cut(struct inspect *, const char *name, const uint8_t *,
	    size_t);
/* From inside a reader: report what was found in the thing at hand.  detail
   may have any octets; of one finding only the first LIM_FINDING_EACH are
   reported. */
void	content_report(struct inspect *, enum finding, const char *detail);

/*
 * The readers, one a format (file of the same name).  Each gets a whole thing
 * of its type, reports, and hands what it finds inside to content_look().
 */
void	cfb_look(struct inspect *, const uint8_t *, size_t);	/* cfb.c */
void	biff_look(struct inspect *, const uint8_t *, size_t);	/* bare BIFF */
void	sylk_look(struct inspect *, const uint8_t *, size_t);
void	rtf_look(struct inspect *, const uint8_t *, size_t);
void	activemime_look(struct inspect *, const uint8_t *, size_t);
void	xml_look(struct inspect *, const uint8_t *, size_t);	/* Flat OPC,
							Word 2003 XML ... */
void	csv_look(struct inspect *, const uint8_t *, size_t);	/* dde.c: text
							that Excel may open */
void	ole10native_look(struct inspect *, const uint8_t *, size_t, int rtf);
void	pdf_look(struct inspect *, const uint8_t *, size_t);
void	zip_look(struct inspect *, const uint8_t *, size_t);
void	sevenzip_look(struct inspect *, const uint8_t *, size_t);
void	rar_look(struct inspect *, const uint8_t *, size_t);
void	archive_look(struct inspect *, enum content_type, const uint8_t *,
	    size_t);					/* libarchive */
void	tnef_look(struct inspect *, const uint8_t *, size_t);
void	arj_look(struct inspect *, const uint8_t *, size_t);
void	onenote_look(struct inspect *, const uint8_t *, size_t);
void	pkcs7_look(struct inspect *, const uint8_t *, size_t);
/* Any text: every file that it has inline, in uuencode or yEnc. */
void	uuencode_look(struct inspect *, const uint8_t *, size_t);

/*
 * OOXML, ODF and other packages: zip.c tells of every member in the order of
 * the directory (its octets are unpacked, NULL when it could not be) and then
 * of the end; opc.c reports what only the whole package shows (macro sheets,
 * declared projects, external templates, ODF macros).  The members
 * themselves are given to content_look() by zip.c.
 */
struct opc;
struct opc *opc_new(struct inspect *);
void	opc_member(struct opc *, const char *name, const uint8_t *, size_t);
void	opc_end(struct opc *);		/* frees it; NULL is allowed */

#endif
