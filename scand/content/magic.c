/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <zlib.h>

#include "scand/content/content.h"
#include "scand/content/mac.h"
#include "scand/content/magic.h"
#include "scand/content/octets.h"

/*
 * What a thing is, by its octets alone.  A table of signatures first, then
 * formats that take a closer look, then text.  Short signatures are believed
 * only when more of the structure agrees: whatever is taken for a container
 * here and is none would be called damaged.
 */

static int	 is_arj(const uint8_t *, size_t);
static int	 is_biff(const uint8_t *, size_t);
static int	 is_bzip2(const uint8_t *, size_t);
static int	 is_class(const uint8_t *, size_t);
static int	 is_compress(const uint8_t *, size_t);
static int	 is_cpio(const uint8_t *, size_t);
static int	 is_disk(const uint8_t *, size_t);
static int	 is_fat(const uint8_t *, size_t);
static int	 is_image(const uint8_t *, size_t);
static int	 is_lzh(const uint8_t *, size_t);
static int	 is_lzma(const uint8_t *, size_t);
static int	 is_media(const uint8_t *, size_t);
static int	 is_mz(const uint8_t *, size_t);
static int	 is_pdf(const uint8_t *, size_t);
static int	 is_pkcs7(const uint8_t *, size_t);
static int	 is_zip_mark(const uint8_t *, size_t);
static int	 is_zstd_skip(const uint8_t *, size_t);

static const struct {
	enum content_type	 type;
	size_t			 at;
	size_t			 n;
	const char		*magic;
} signatures[] = {
	{ CONTENT_CFB,		0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" },
	{ CONTENT_ZIP,		0, 4, "PK\3\4" },
	{ CONTENT_ZIP,		0, 4, "PK\5\6" },
	{ CONTENT_PDF,		0, 5, "%PDF-" },
	{ CONTENT_TNEF,		0, 4, "\x78\x9f\x3e\x22" },
	{ CONTENT_7Z,		0, 6, "7z\xbc\xaf\x27\x1c" },
	{ CONTENT_RAR4,		0, 7, "Rar!\x1a\7\0" },
	{ CONTENT_RAR5,		0, 8, "Rar!\x1a\7\1\0" },
	{ CONTENT_GZIP,		0, 3, "\x1f\x8b\x08" },
	{ CONTENT_XZ,		0, 6, "\xfd" "7zXZ\0" },
	{ CONTENT_ZSTD,		0, 4, "\x28\xb5\x2f\xfd" },
	{ CONTENT_LZIP,		0, 5, "LZIP\1" },
	{ CONTENT_CAB,		0, 8, "MSCF\0\0\0\0" },
	{ CONTENT_ACTIVEMIME,	0, 10, "ActiveMime" },
	{ CONTENT_LNK,		0, 20, "L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0"
				    "\0\0\0\x46" },
	{ CONTENT_ONENOTE,	0, 16, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae"
				    "\xb1\x53\x78\xd0\x29\x96\xd3" },
	{ CONTENT_CHM,		0, 4, "ITSF" },
	{ CONTENT_ELF,		0, 4, "\x7f" "ELF" },
	{ CONTENT_MACHO,	0, 4, "\xfe\xed\xfa\xce" },
	{ CONTENT_MACHO,	0, 4, "\xfe\xed\xfa\xcf" },
	{ CONTENT_MACHO,	0, 4, "\xce\xfa\xed\xfe" },
	{ CONTENT_MACHO,	0, 4, "\xcf\xfa\xed\xfe" },
	{ CONTENT_AR,		0, 8, "!<arch>\n" },
	{ CONTENT_WIM,		0, 8, "MSWIM\0\0\0" },
	{ CONTENT_ACE,		7, 7, "**ACE**" },
	{ CONTENT_ARCHIVE,	0, 4, "RE~^" },		/* RAR 1.4 */
	{ CONTENT_ARCHIVE,	0, 6, "xar!\0\x1c" },
	{ CONTENT_ARCHIVE,	0, 4, "\4\x22\x4d\x18" },	/* LZ4 */
	{ CONTENT_ARCHIVE,	0, 9, "\x89LZO\0\r\n\x1a\n" },
	{ CONTENT_ARCHIVE,	0, 6, "LRZI\0\6" },
	{ CONTENT_ARCHIVE,	0, 9, "StuffIt (" },
	{ CONTENT_ARCHIVE,	10, 4, "rLau" },	/* StuffIt 1 to 4 */
	{ CONTENT_ARCHIVE,	0, 4, "ALZ\1" },
	{ CONTENT_ARCHIVE,	0, 4, "EGGA" },
	{ CONTENT_ARCHIVE,	20, 4, "\xdc\xa7\xc4\xfd" },	/* ZOO */
	{ CONTENT_APPLESINGLE,	0, 8, "\0\5\x16\0\0\1\0\0" },
	{ CONTENT_APPLESINGLE,	0, 8, "\0\5\x16\0\0\2\0\0" },
	{ CONTENT_SYLK,		0, 4, "ID;P" },
	{ CONTENT_TAR,		257, 5, "ustar" },
	{ CONTENT_DISK,		0, 8, "vhdxfile" },
	{ CONTENT_DISK,		0, 8, "conectix" },
	{ CONTENT_DISK,		0, 4, "KDMV" },
	{ CONTENT_DISK,		0, 4, "QFI\xfb" },
	{ CONTENT_IMAGE,	0, 3, "\xff\xd8\xff" },
	{ CONTENT_IMAGE,	0, 4, "\x89PNG" },
	{ CONTENT_IMAGE,	0, 4, "GIF8" },
	{ CONTENT_IMAGE,	0, 4, "II*\0" },
	{ CONTENT_IMAGE,	0, 4, "MM\0*" },
	{ CONTENT_IMAGE,	0, 4, "8BPS" },
	{ CONTENT_IMAGE,	0, 4, "\xd7\xcd\xc6\x9a" },
	{ CONTENT_IMAGE,	0, 8, "\0\0\0\x0cjP  " },
	{ CONTENT_MEDIA,	0, 4, "OggS" },
	{ CONTENT_MEDIA,	0, 4, "fLaC" },
	{ CONTENT_MEDIA,	0, 4, "MThd" },
	{ CONTENT_MEDIA,	0, 4, "\x1a\x45\xdf\xa3" },
	{ CONTENT_MEDIA,	0, 8, "\x30\x26\xb2\x75\x8e\x66\xcf\x11" },
	{ CONTENT_MEDIA,	0, 4, "FLV\1" },
};

/* Asked in this order when no signature fits. */
static const struct {
	enum content_type	 type;
	int			(*is)(const uint8_t *, size_t);
} closer[] = {
	{ CONTENT_ZIP,		is_zip_mark },
	{ CONTENT_BZIP2,	is_bzip2 },
	{ CONTENT_CLASS,	is_class },
	{ CONTENT_MACHO,	is_fat },
	{ CONTENT_PE,		is_mz },
	{ CONTENT_IMAGE,	is_image },
	{ CONTENT_MEDIA,	is_media },
	{ CONTENT_ARJ,		is_arj },
	{ CONTENT_LZH,		is_lzh },
	{ CONTENT_TAR,		magic_is_tar },
	{ CONTENT_CPIO,		is_cpio },
	{ CONTENT_ZSTD,		is_zstd_skip },
	{ CONTENT_LZMA,		is_lzma },
	{ CONTENT_COMPRESS,	is_compress },
	{ CONTENT_BIFF,		is_biff },
	{ CONTENT_ISO,		magic_is_iso },
	{ CONTENT_DISK,		is_disk },
	{ CONTENT_PKCS7,	is_pkcs7 },
	{ CONTENT_MACBINARY,	mac_is_binary },
	{ CONTENT_PDF,		is_pdf },
};

static const char	*const type_names[CONTENT_MAX] = {
	[CONTENT_UNKNOWN] = "unknown", [CONTENT_EMPTY] = "empty",
	[CONTENT_TEXT] = "text", [CONTENT_HTML] = "HTML",
	[CONTENT_XML] = "XML", [CONTENT_MIME] = "MIME",
	[CONTENT_CFB] = "compound file", [CONTENT_ZIP] = "ZIP",
	[CONTENT_RTF] = "RTF", [CONTENT_PDF] = "PDF",
	[CONTENT_ACTIVEMIME] = "ActiveMime", [CONTENT_BIFF] = "BIFF",
	[CONTENT_SYLK] = "SYLK", [CONTENT_TNEF] = "TNEF",
	[CONTENT_7Z] = "7z", [CONTENT_RAR4] = "RAR 4",
	[CONTENT_RAR5] = "RAR 5", [CONTENT_ARJ] = "ARJ",
	[CONTENT_TAR] = "tar", [CONTENT_GZIP] = "gzip",
	[CONTENT_BZIP2] = "bzip2", [CONTENT_XZ] = "xz",
	[CONTENT_LZMA] = "lzma", [CONTENT_ZSTD] = "zstd",
	[CONTENT_COMPRESS] = "compress", [CONTENT_LZH] = "LZH",
	[CONTENT_CAB] = "CAB", [CONTENT_ISO] = "ISO 9660",
	[CONTENT_ACE] = "ACE", [CONTENT_PE] = "program for DOS or Windows",
	[CONTENT_ELF] = "ELF program", [CONTENT_MACHO] = "Mach-O program",
	[CONTENT_SCRIPT] = "script", [CONTENT_LNK] = "Windows link",
	[CONTENT_ONENOTE] = "OneNote", [CONTENT_CHM] = "compiled help",
	[CONTENT_HTA] = "HTML application", [CONTENT_CLASS] = "Java class",
	[CONTENT_IMAGE] = "image", [CONTENT_MEDIA] = "audio or video",
	[CONTENT_PGP] = "OpenPGP", [CONTENT_PKCS7] = "CMS",
	[CONTENT_UUENCODE] = "uuencode", [CONTENT_YENC] = "yEnc",
	[CONTENT_CPIO] = "cpio", [CONTENT_AR] = "ar",
	[CONTENT_LZIP] = "lzip", [CONTENT_WIM] = "WIM",
	[CONTENT_DISK] = "disk image", [CONTENT_APPLESINGLE] = "AppleSingle",
	[CONTENT_MACBINARY] = "MacBinary", [CONTENT_ARCHIVE] = "other archive",
};

enum content_type
content_type(const uint8_t *p, size_t n)
{
	size_t i;

	if (n == 0)
		return CONTENT_EMPTY;
	for (i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		if (n >= signatures[i].at + signatures[i].n &&
		    p[signatures[i].at] == (uint8_t)signatures[i].magic[0] &&
		    memcmp(p + signatures[i].at, signatures[i].magic,
		    signatures[i].n) == 0)
			return signatures[i].type;
	for (i = 0; i < sizeof(closer) / sizeof(closer[0]); i++)
		if (closer[i].is(p, n))
			return closer[i].type;
	return magic_text(p, n);
}

const char *
content_type_name(enum content_type t)
{
	return t < CONTENT_MAX && type_names[t] != NULL ? type_names[t] : "?";
}

/* Spanning markers, APPNOTE 8.5.3 and 8.5.4, before the first member. */
static int
is_zip_mark(const uint8_t *p, size_t n)
{
	return n >= 8 && (memcmp(p, "PK\7\x08", 4) == 0 ||
	    memcmp(p, "PK00", 4) == 0) && memcmp(p + 4, "PK\3\4", 4) == 0;
}

static int
is_bzip2(const uint8_t *p, size_t n)
{
	return n >= 10 && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' &&
	    p[3] <= '9' && (memcmp(p + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
	    memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* A version from 45 stands where a fat binary has its number of parts. */
static int
is_class(const uint8_t *p, size_t n)
{
	return n >= 10 && be32(p) == 0xcafebabe && be32(p + 4) >= 45;
}

static int
is_fat(const uint8_t *p, size_t n)
{
	return n >= 8 && (be32(p) == 0xcafebabe || be32(p) == 0xcafebabf) &&
	    be32(p + 4) < 45;
}

static int
is_mz(const uint8_t *p, size_t n)
{
	uint32_t at;

	if (n < 4 || memcmp(p, "MZ", 2) != 0)
		return 0;
	if (n >= 64) {
		at = le32(p + 60);
		if (at <= n - 4 && (memcmp(p + at, "PE\0\0", 4) == 0 ||
		    memcmp(p + at, "NE", 2) == 0 ||
		    memcmp(p + at, "LE", 2) == 0))
			return 1;
	}
	return !magic_is_text(p, n);
}

static int
is_image(const uint8_t *p, size_t n)
{
	if (n >= 12 && memcmp(p, "RIFF", 4) == 0 &&
	    memcmp(p + 8, "WEBP", 4) == 0)
		return 1;
	if (n >= 26 && memcmp(p, "BM", 2) == 0 && le32(p + 6) == 0 &&
	    le32(p + 14) <= 124 && le32(p + 14) >= 12)
		return 1;
	if (n >= 22 && memcmp(p, "\0\0\1\0", 4) == 0 && le16(p + 4) > 0 &&
	    le16(p + 4) < 256 && p[9] == 0)
		return 1;
	if (n >= 44 && le32(p) == 1 && memcmp(p + 40, " EMF", 4) == 0)
		return 1;
	return n >= 12 && memcmp(p + 4, "ftyp", 4) == 0 &&
	    (memcmp(p + 8, "hei", 3) == 0 || memcmp(p + 8, "avif", 4) == 0 ||
	    memcmp(p + 8, "mif1", 4) == 0);
}

static int
is_media(const uint8_t *p, size_t n)
{
	if (n >= 12 && memcmp(p, "RIFF", 4) == 0)
		return 1;
	if (n >= 12 && memcmp(p + 4, "ftyp", 4) == 0)
		return 1;
	if (n >= 10 && memcmp(p, "ID3", 3) == 0 && p[3] >= 2 && p[3] <= 4)
		return 1;
	/* MPEG audio, layer III, frames of a kind that exists. */
	return n >= 4 && p[0] == 0xff && (p[1] == 0xfb || p[1] == 0xf3 ||
	    p[1] == 0xfa) && (p[2] & 0xf0) != 0xf0 && (p[2] & 0x0c) != 0x0c;
}

/* The main header and its check sum. */
static int
is_arj(const uint8_t *p, size_t n)
{
	size_t len;

	if (n < 38 || p[0] != 0x60 || p[1] != 0xea)
		return 0;
	len = le16(p + 2);
	return len >= 30 && len <= 2600 && len <= n - 8 &&
	    crc32(0, p + 4, (uInt)len) == le32(p + 4 + len);
}

static int
is_lzh(const uint8_t *p, size_t n)
{
	return n >= 22 && p[2] == '-' && p[3] == 'l' &&
	    (p[4] == 'h' || p[4] == 'z') && p[6] == '-' && p[20] <= 3 &&
	    ((p[5] >= '0' && p[5] <= '9') || (p[5] >= 'a' && p[5] <= 'z'));
}

/* Old ones have no "ustar"; their checksum counts the octets, with blanks in
   its own place, as signed ones in some. */
int
magic_is_tar(const uint8_t *p, size_t n)
{
	uint32_t want = 0;
	int32_t sum = 0, ssum = 0;
	size_t i;

	if (n < 512 || p[0] == '\0')
		return 0;
	for (i = 148; i < 156 && (p[i] == ' '); i++)
		continue;
	for (; i < 156 && p[i] >= '0' && p[i] <= '7'; i++)
		want = want << 3 | (uint32_t)(p[i] - '0');
	/* It counts eight blanks of its own. */
	if (want <= 8 * ' ' || (i < 156 && p[i] != ' ' && p[i] != '\0'))
		return 0;
	for (i = 0; i < 512; i++) {
		sum += i >= 148 && i < 156 ? ' ' : p[i];
		ssum += i >= 148 && i < 156 ? ' ' : (int8_t)p[i];
	}
	return want == (uint32_t)sum || want == (uint32_t)ssum;
}

/* Three ASCII forms; the numbers are octal or hexadecimal digits. */
static int
is_cpio(const uint8_t *p, size_t n)
{
	size_t i;

	if (n < 76 || memcmp(p, "0707", 4) != 0)
		return 0;
	if (memcmp(p + 4, "01", 2) != 0 && memcmp(p + 4, "02", 2) != 0 &&
	    memcmp(p + 4, "07", 2) != 0)
		return 0;
	for (i = 6; i < 76; i++)
		if (memchr("0123456789abcdefABCDEF", p[i], 22) == NULL)
			return 0;
	return 1;
}

/* A frame that is skipped stands before a real one. */
static int
is_zstd_skip(const uint8_t *p, size_t n)
{
	uint32_t len;

	if (n < 12 || (le32(p) & 0xfffffff0) != 0x184d2a50)
		return 0;
	len = le32(p + 4);
	return len <= n - 12 &&
	    memcmp(p + 8 + len, "\x28\xb5\x2f\xfd", 4) == 0;
}

/* Usual properties, a dictionary that xz and 7z write, a size that can be,
   and the octet that every LZMA stream begins with. */
static int
is_lzma(const uint8_t *p, size_t n)
{
	uint32_t dict;
	uint64_t size;

	if (n < 14 || p[0] != 0x5d || p[13] != 0)
		return 0;
	dict = le32(p + 1);
	size = le64(p + 5);
	while (dict > 3 && (dict & 1) == 0)
		dict >>= 1;
	return (dict == 2 || dict == 3 || dict == 0xffffffff) &&
	    (size == UINT64_MAX || size < (1ULL << 56));
}

static int
is_compress(const uint8_t *p, size_t n)
{
	return n > 5 && p[0] == 0x1f && p[1] == 0x9d && (p[2] & 0x60) == 0 &&
	    (p[2] & 0x1f) >= 9 && (p[2] & 0x1f) <= 16;
}

/* [MS-XLS] 2.4.21 BOF, as Excel 2 to 5 wrote it without a compound file. */
static int
is_biff(const uint8_t *p, size_t n)
{
	uint16_t len, kind;

	if (n < 8 || p[0] != 9 || (p[1] != 0 && p[1] != 2 && p[1] != 4 &&
	    p[1] != 8))
		return 0;
	len = le16(p + 2);
	kind = le16(p + 6);
	return len >= 4 && len <= 16 && (kind == 5 || kind == 6 ||
	    kind == 0x10 || kind == 0x20 || kind == 0x40 || kind == 0x100);
}

int
magic_is_iso(const uint8_t *p, size_t n)
{
	size_t at;

	for (at = 0x8001; at <= 0x9801 && n >= at + 5; at += 0x800)
		if (memcmp(p + at, "CD001", 5) == 0)
			return 1;
	return 0;
}

/* UDF, a fixed VHD or an Apple image by its last 512 octets, and a boot sector
   of FAT or NTFS. */
static int
is_disk(const uint8_t *p, size_t n)
{
	if (n >= 0x8006 && (memcmp(p + 0x8001, "BEA01", 5) == 0 ||
	    memcmp(p + 0x8001, "NSR0", 4) == 0))
		return 1;
	if (n < 1024)
		return 0;
	if (memcmp(p + n - 512, "conectix", 8) == 0 ||
	    memcmp(p + n - 512, "koly\0\0\0\4", 8) == 0)
		return 1;
	return p[510] == 0x55 && p[511] == 0xaa &&
	    (p[0] == 0xeb || p[0] == 0xe9) && (memcmp(p + 3, "NTFS", 4) == 0 ||
	    memcmp(p + 54, "FAT", 3) == 0 || memcmp(p + 82, "FAT32", 5) == 0);
}

/* A SEQUENCE that begins with the identifier of a CMS content: PKCS #7, or
   S/MIME's 9.16.1.x. */
static int
is_pkcs7(const uint8_t *p, size_t n)
{
	size_t at;

	if (n < 16 || p[0] != 0x30)
		return 0;
	at = p[1] < 0x80 ? 2 : 2 + (size_t)(p[1] & 0x7f);
	if (at > 6 || n - at < 13)
		return 0;
	return memcmp(p + at, "\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7", 10) == 0 ||
	    memcmp(p + at, "\6\x0b\x2a\x86\x48\x86\xf7\x0d\1\x09\x10\1", 12)
	    == 0;
}

static int
is_pdf(const uint8_t *p, size_t n)
{
	return magic_pdf_start(p, n) < n;
}

size_t
magic_pdf_start(const uint8_t *p, size_t n)
{
	size_t head = n < 1024 + 5 ? n : 1024 + 5, at;

	at = octets_find(p, head, 0, "%PDF-", 5);
	if (at == head) {
		/* As some programs wrote it: %!PS-Adobe-3.0 PDF-1.4 */
		if (head < 24 || memcmp(p, "%!PS-Adobe-", 11) != 0 ||
		    octets_find(p, 24, 11, " PDF-", 5) == 24)
			return n;
		return 0;
	}
	/* Texts that speak of PDF have no objects. */
	if (at == 0 || octets_find(p, n, at, " obj", 4) < n)
		return at;
	return n;
}
