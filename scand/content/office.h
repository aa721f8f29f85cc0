/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_OFFICE_H
#define SCAND_CONTENT_OFFICE_H

#include <openssl/evp.h>

#include <string.h>

#include "scand/content/content.h"
#include "scand/content/octets.h"

/*
 * What the readers of Office formats share with each other and with nobody
 * else.  Everything is little-endian unless it says so.
 */

/* Octets of somebody else. */
struct span {
	const uint8_t	*p;
	size_t		 n;
};

/*
 * buffer.c
 */

/* Octets that grow; all zero is an empty one. */
struct buffer {
	uint8_t	*p;
	size_t	 n;
	size_t	 size;
	struct budget *budget;	/* that holds size octets for it */
};

/* Append n octets and charge the budget for them.  0, or -1: nothing left of
   it or no memory, which is reported; not all may have been appended then. */
int	buffer_add(struct inspect *, struct buffer *, const void *, size_t n);
/* Free what it holds; it may be used again. */
void	buffer_free(struct buffer *);
/* Append what a zlib stream (RFC 1950) unpacks to, max octets at most.  0:
   to its end; -1: it broke off, and what came before was appended. */
int	buffer_inflate(struct inspect *, struct buffer *, const uint8_t *,
	    size_t, size_t max);
/* Append UTF-16 as UTF-8.  big: most significant octet first.  0 or -1. */
int	buffer_utf16(struct inspect *, struct buffer *, const uint8_t *,
	    size_t, int big);

/* Base64 as it comes, all zero at the begin; what is no letter of it is
   skipped, `=' ends it. */
struct base64 {
	uint32_t bits;
	unsigned n;
	int	 end;
};
/* dst has room for n * 3 / 4 + 3.  How many octets. */
size_t	base64_decode(struct base64 *, const char *, size_t n, uint8_t *dst);

/* Report with printf's words, made printable and cut. */
void	office_report(struct inspect *, enum finding, const char *, ...)
	    __attribute__((__format__(printf, 3, 4)));
/* Names and texts of a file in small arrays of ours: from UTF-16 with n
   octets, or from octets of some code page (ASCII is kept, all else is '?').
   Always ends in a NUL, ends early at one in the name. */
void	office_utf16(char *dst, size_t size, const uint8_t *, size_t n);
void	office_ascii(char *dst, size_t size, const uint8_t *, size_t n);
/* One character as UTF-8, up to four octets, without NUL; a surrogate becomes
   U+FFFD.  How many. */
size_t	office_utf8(char *dst, uint32_t);
/* Does it begin like something that content_look() can look into?  Only
   signatures of four octets and more: for streams that may be anything. */
int	office_magic(const uint8_t *, size_t);
/* Where needle is in what is looked at, from offset from; n if nowhere. */
size_t	office_find(const uint8_t *, size_t n, size_t from, const void *needle,
	    size_t len);

/*
 * compound.c: the file system inside a compound file, [MS-CFB]
 */

#define CFB_NONE	0xffffffffU	/* no entry, no parent */

struct blob {
	const uint8_t	*p;
	size_t		 n;
	uint8_t		*own;	/* to be freed; NULL: p is in the file */
	size_t		 held;	/* by the budget, for own */
	struct budget	*budget;
};

struct cfb {
	const uint8_t	*p;		/* the file */
	size_t		 n;
	unsigned	 shift;		/* of a sector: 9 or 12 */
	unsigned	 major;
	uint32_t	 sectors;	/* in the file, with a short last one */
	uint32_t	*fat;
	uint32_t	 fat_n;
	struct blob	 minifat;
	struct blob	 mini;		/* what mini sectors are cut from */
	struct blob	 dir;
	uint32_t	 entries;
	uint32_t	*parent;	/* of each entry, or CFB_NONE */
	int		 damaged;	/* something does not hold together */
};

enum {
	CFB_FREE = 0, CFB_STORAGE = 1, CFB_STREAM = 2, CFB_ROOT = 5
};

/* 0, or -1: there is no directory (or no memory). */
int	cfb_open(struct inspect *, struct cfb *, const uint8_t *, size_t);
void	cfb_close(struct cfb *);
/* CFB_STORAGE ...; entry < entries. */
unsigned cfb_type(const struct cfb *, uint32_t entry);
/* Is this its name?  ASCII letters are equal in either case. */
int	cfb_is(const struct cfb *, uint32_t entry, const char *name);
/* The same for a name in UTF-16 (wide) or in ASCII. */
int	cfb_named(const struct cfb *, uint32_t entry, const struct span *,
	    int wide);
/* The name as UTF-8. */
void	cfb_name(const struct cfb *, uint32_t entry, char *, size_t);
/* The first octets of a stream (all of its first sector that is there). */
struct span cfb_head(const struct cfb *, uint32_t entry);
/* A stream, or what is there of it.  0, or -1: budget or memory. */
int	cfb_stream(struct inspect *, struct cfb *, uint32_t entry,
	    struct blob *);
void	blob_free(struct blob *);
/* The first stream of a name below a parent, CFB_NONE if there is none. */
uint32_t cfb_find(struct inspect *, const struct cfb *, uint32_t parent,
	    const char *name);

/*
 * ovba.c: the compression of [MS-OVBA] 2.4.1
 */

struct ovba {
	const uint8_t	*p;
	size_t		 n;
	size_t		 at;
	uint8_t		 chunk[4096];
	size_t		 len;		/* octets of the chunk */
};

/* Start on a container.  0, or -1: it is none. */
int	ovba_open(struct ovba *, const uint8_t *, size_t);
/* The next chunk into chunk[0..len-1].  1; 0: the end; -1: broken, the chunk
   holds what could be read. */
int	ovba_next(struct ovba *);
/* All of it, max octets at most.  0 or -1 (some may have been appended). */
int	ovba_unpack(struct inspect *, struct buffer *, const uint8_t *,
	    size_t, size_t max);

/*
 * vba.c, vbasource.c: is there code in a project?
 */

/* A stream called dir.  1: it is the dir stream of a project and was judged,
   0: it is something else. */
int	vba_dir(struct inspect *, struct cfb *, uint32_t entry);
/* The streams of a storage that looks like a project without a dir stream
   that can be read. */
void	vba_storage(struct inspect *, struct cfb *, uint32_t storage);

struct vba_lines {
	uint32_t	 attribute;	/* Attribute NAME = literals */
	uint32_t	 harmless;	/* comments and Option */
	uint32_t	 code;
	size_t		 octets;	/* unpacked */
	int		 broken;	/* ended by an error */
	/* Inside. */
	char		 line[1100];	/* VBE's longest has 1023 characters */
	size_t		 len;
	int		 long_line;
	int		 comment;	/* a comment goes on in the next line */
};

/* Count the lines of a compressed source, until there is code.  0, or -1:
   the budget. */
int	vba_lines(struct inspect *, struct vba_lines *, const uint8_t *,
	    size_t);
/* Lines of p-code that are not empty, in the cache before a source; -1: no
   table of lines was found. */
int	vba_pcode(const uint8_t *, size_t);

/*
 * biff.c
 */

struct biff {
	int	 macro;		/* a macro sheet */
	int	 module;	/* a Visual Basic module of Excel 5 and 95 */
	int	 encrypted;	/* FILEPASS, not with the default password */
	int	 password;	/* any FILEPASS */
	int	 dde;
	int	 damaged;
};

/* What the records of a workbook stream or a bare file say. */
void	biff_scan(struct inspect *, struct biff *, const uint8_t *, size_t);
/* The same, and report it. */
void	biff_report(struct inspect *, const uint8_t *, size_t);

/*
 * officecrypt.c, filepass.c
 */

/* The password that Excel tries by itself. */
#define OFFICE_PASSWORD_LEN	30
extern const uint8_t office_password[OFFICE_PASSWORD_LEN];

/* Does it open what this FILEPASS record begins?  1 or 0. */
int	officecrypt_filepass(const uint8_t *, size_t);
/* EncryptionInfo (may be empty) and EncryptedPackage.  Looks into the package
   if that password opens it, else reports that it is encrypted. */
void	officecrypt_package(struct inspect *, const uint8_t *info,
	    size_t info_n, const uint8_t *package, size_t package_n);
/* Hash of p and q (NULL and 0: of p alone); h may be p.  0 or -1. */
int	office_hash(const EVP_MD *, const void *p, size_t,
	    const void *q, size_t, uint8_t *h);

/*
 * What one stream of a compound file says.
 */

void	word_look(struct inspect *, const uint8_t *, size_t);	/* word.c */
/* PowerPoint Document, and Current User (may be empty). */
void	ppt_look(struct inspect *, const struct span *document,
	    const struct span *user);				/* ppt.c */
void	visio_look(struct inspect *, const uint8_t *, size_t);	/* visio.c */
/* The object of OLE 1 that RTF keeps in \objdata.  1, or 0: neither a head nor
   a container was found in it. */
int	ole1_look(struct inspect *, const uint8_t *, size_t);	/* ole.c */
/* \1Ole: a link to somewhere else? */
void	olelink_look(struct inspect *, const uint8_t *, size_t); /* ole.c */
/* Is the code of a field of Word, a formula of Excel a DDE link? */
int	dde_field(const char *, size_t);			/* dde.c */
int	dde_formula(const char *, size_t);			/* dde.c */
/* Is it a place elsewhere: http, ftp, a share? */
int	url_is_remote(const char *);				/* ole.c */

/*
 * xmltag.c: a scanner for tags, without DTD and entities
 */

enum xml_event {
	XML_END, XML_OPEN, XML_CLOSE, XML_TEXT
};

struct xml {
	const char	*p;
	size_t		 n;
	size_t		 at;
	/* Of the last event: */
	const char	*name;		/* local, without the prefix */
	size_t		 name_n;
	const char	*attr;		/* all attributes of a tag */
	size_t		 attr_n;
	int		 empty;		/* <x/>: no XML_CLOSE follows */
	const char	*text;		/* raw, of XML_TEXT */
	size_t		 text_n;
	int		 cdata;
};

/* Begin with octets in UTF-8 (or any superset of ASCII). */
void	xml_open(struct xml *, const void *, size_t);
enum xml_event xml_next(struct xml *);
/* Is the tag called this?  Each is asked several times: here, so that the
   length of a name is known; most are told apart by their first letter. */
static inline int
xml_is(const struct xml *x, const char *local)
{
	return x->name_n > 0 && local[0] == x->name[0] &&
	    strlen(local) == x->name_n &&
	    memcmp(local, x->name, x->name_n) == 0;
}
/* The value of an attribute by its local name, references decoded (those to
   characters and the five of XML), cut to size.  1, or 0: not there. */
int	xml_attr(const struct xml *, const char *local, char *, size_t);
/* Decode text or a value the same way, appending to dst of size at *len. */
void	xml_text(const char *, size_t, int cdata, char *dst, size_t size,
	    size_t *len);
/* UTF-16 by its mark or its first '<': -1 no, 0 little, 1 big-endian. */
int	xml_utf16(const uint8_t *, size_t);

/*
 * opc.c
 */

/* Flat OPC and its relatives, one document for all parts. */
struct opc *opc_new_flat(struct inspect *);
/* An event of any part. */
void	opc_event(struct opc *, const struct xml *, enum xml_event);

#endif
