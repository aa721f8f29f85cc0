/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/limits.h"
#include "scand/content/inspect.h"
#include "scand/content/octets.h"

/*
 * What names say.  A name never decides what a thing is; here it is compared
 * with what the thing was found to be, and looked at for tricks that are
 * played on its reader.
 */

/* Kinds of things, for names and for contents. */
#define DOCUMENT	0x001
#define PDF		0x002
#define IMAGE		0x004
#define TEXT		0x008
#define WEB		0x010
#define MAIL		0x020
#define ARCHIVE		0x040
#define MEDIA		0x080
#define PROGRAM		0x100	/* Windows runs it */
#define SCRIPT		0x200	/* and it is text, or nothing that shows */
#define DISK		0x400

#define OFFICE	(DOCUMENT | WEB | MAIL | TEXT)

static const struct {
	const char	*ext;
	unsigned	 kinds;
} extensions[] = {
	{ "doc", OFFICE }, { "dot", OFFICE }, { "docx", OFFICE },
	{ "docm", OFFICE }, { "dotx", OFFICE }, { "dotm", OFFICE },
	{ "rtf", OFFICE }, { "xls", OFFICE }, { "xlt", OFFICE },
	{ "xlsx", OFFICE }, { "xlsm", OFFICE }, { "xlsb", OFFICE },
	{ "xltx", OFFICE }, { "ppt", OFFICE }, { "pps", OFFICE },
	{ "pptx", OFFICE }, { "pptm", OFFICE }, { "ppsx", OFFICE },
	{ "odt", OFFICE }, { "ods", OFFICE }, { "odp", OFFICE },
	{ "pub", OFFICE }, { "vsd", OFFICE }, { "vsdx", OFFICE },
	{ "one", DOCUMENT },
	{ "pdf", PDF },
	{ "jpg", IMAGE }, { "jpeg", IMAGE }, { "png", IMAGE },
	{ "gif", IMAGE }, { "bmp", IMAGE }, { "tif", IMAGE },
	{ "tiff", IMAGE }, { "webp", IMAGE }, { "heic", IMAGE },
	{ "txt", TEXT | WEB | MAIL }, { "log", TEXT | WEB | MAIL },
	{ "csv", TEXT | WEB | MAIL },
	{ "htm", TEXT | WEB | MAIL }, { "html", TEXT | WEB | MAIL },
	{ "xml", TEXT | WEB }, { "eml", MAIL | TEXT },
	{ "zip", ARCHIVE }, { "7z", ARCHIVE }, { "rar", ARCHIVE },
	{ "gz", ARCHIVE }, { "tgz", ARCHIVE }, { "bz2", ARCHIVE },
	{ "xz", ARCHIVE }, { "tar", ARCHIVE }, { "cab", ARCHIVE },
	{ "arj", ARCHIVE }, { "lzh", ARCHIVE }, { "ace", ARCHIVE },
	{ "mp3", MEDIA }, { "mp4", MEDIA }, { "wav", MEDIA },
	{ "avi", MEDIA }, { "mov", MEDIA }, { "ogg", MEDIA },
	{ "exe", PROGRAM }, { "scr", PROGRAM }, { "pif", PROGRAM },
	{ "cpl", PROGRAM }, { "msi", PROGRAM }, { "lnk", PROGRAM },
	{ "chm", PROGRAM }, { "xll", PROGRAM }, { "jar", PROGRAM },
	{ "com", PROGRAM }, { "msp", PROGRAM },
	{ "bat", PROGRAM | SCRIPT }, { "cmd", PROGRAM | SCRIPT },
	{ "ps1", PROGRAM | SCRIPT }, { "vbs", PROGRAM | SCRIPT },
	{ "vbe", PROGRAM | SCRIPT }, { "js", PROGRAM | SCRIPT },
	{ "jse", PROGRAM | SCRIPT }, { "wsf", PROGRAM | SCRIPT },
	{ "wsh", PROGRAM | SCRIPT }, { "hta", PROGRAM | SCRIPT },
	{ "sct", PROGRAM | SCRIPT }, { "wsc", PROGRAM | SCRIPT },
	{ "scf", PROGRAM | SCRIPT }, { "url", PROGRAM | SCRIPT },
	{ "reg", PROGRAM | SCRIPT }, { "iqy", PROGRAM | SCRIPT },
	{ "msc", PROGRAM | SCRIPT }, { "inf", PROGRAM | SCRIPT },
	{ "settingcontent-ms", PROGRAM | SCRIPT },
	{ "appref-ms", PROGRAM | SCRIPT },
	{ "iso", DISK }, { "img", DISK }, { "vhd", DISK },
	{ "vhdx", DISK }, { "udf", DISK }, { "dmg", DISK },
};

static const unsigned	 contents[CONTENT_MAX] = {
	[CONTENT_HTML] = WEB, [CONTENT_XML] = WEB, [CONTENT_MIME] = MAIL,
	[CONTENT_CFB] = DOCUMENT, [CONTENT_ZIP] = DOCUMENT | ARCHIVE,
	[CONTENT_RTF] = DOCUMENT, [CONTENT_PDF] = PDF,
	[CONTENT_ACTIVEMIME] = DOCUMENT, [CONTENT_BIFF] = DOCUMENT,
	[CONTENT_SYLK] = DOCUMENT, [CONTENT_TNEF] = MAIL,
	[CONTENT_7Z] = ARCHIVE, [CONTENT_RAR4] = ARCHIVE,
	[CONTENT_RAR5] = ARCHIVE, [CONTENT_ARJ] = ARCHIVE,
	[CONTENT_TAR] = ARCHIVE, [CONTENT_GZIP] = ARCHIVE,
	[CONTENT_BZIP2] = ARCHIVE, [CONTENT_XZ] = ARCHIVE,
	[CONTENT_LZMA] = ARCHIVE, [CONTENT_LZIP] = ARCHIVE,
	[CONTENT_ZSTD] = ARCHIVE, [CONTENT_COMPRESS] = ARCHIVE,
	[CONTENT_LZH] = ARCHIVE, [CONTENT_CAB] = ARCHIVE,
	[CONTENT_ISO] = DISK, [CONTENT_ACE] = ARCHIVE,
	[CONTENT_PE] = PROGRAM, [CONTENT_ELF] = PROGRAM,
	[CONTENT_MACHO] = PROGRAM, [CONTENT_LNK] = PROGRAM,
	[CONTENT_CHM] = PROGRAM, [CONTENT_HTA] = PROGRAM,
	[CONTENT_CLASS] = PROGRAM, [CONTENT_ONENOTE] = DOCUMENT,
	[CONTENT_IMAGE] = IMAGE, [CONTENT_MEDIA] = MEDIA,
	[CONTENT_CPIO] = ARCHIVE, [CONTENT_AR] = ARCHIVE,
	[CONTENT_WIM] = ARCHIVE, [CONTENT_DISK] = DISK,
	[CONTENT_ARCHIVE] = ARCHIVE,
};

/* The last parts of a name between dots, in lower case. */
struct parts {
	char	ext[20];	/* "" if there is none, or a longer one */
	char	before[20];
};

static void	 split(struct parts *, const char *);
static size_t	 part(char *, size_t, const char *, size_t);
static int	 is_volume(const struct parts *);
static unsigned	 kinds_of(const char *);
static int	 has_override(const char *);
static size_t	 sequence(const unsigned char *);

void
names_look(struct inspect *in, const char *name, enum content_type type)
{
	struct parts parts;
	unsigned says, is = contents[type];

	if (has_override(name))
		content_report(in, FINDING_NAME_OVERRIDE, "");
	split(&parts, name);
	if (type == CONTENT_UNKNOWN && is_volume(&parts))
		content_report(in, FINDING_OPAQUE, "one of several volumes");
	if ((says = kinds_of(parts.ext)) == 0)
		return;
	if ((says & PROGRAM) && (kinds_of(parts.before) & ~PROGRAM))
		content_report(in, FINDING_DOUBLE_EXTENSION, parts.ext);
	/* No magic tells a batch file: here the name is all there is. */
	if ((says & SCRIPT) && (is == 0 || is == WEB))
		content_report(in, FINDING_EXECUTABLE, parts.ext);
	if (strcmp(parts.ext, "jar") == 0 && type == CONTENT_ZIP)
		content_report(in, FINDING_EXECUTABLE, parts.ext);
	if ((says & DISK) && type == CONTENT_UNKNOWN)
		content_report(in, FINDING_DISK_IMAGE, parts.ext);
	if (is != 0 && (says & is) == 0 && (says & (PROGRAM | DISK)) == 0)
		content_report(in, FINDING_NAME_DISAGREES,
		    content_type_name(type));
}

/* Windows does not see blanks and dots at the end. */
static void
split(struct parts *parts, const char *name)
{
	size_t n = strlen(name), at;

	while (n > 0 && ((unsigned char)name[n - 1] <= ' ' ||
	    name[n - 1] == '.'))
		n--;
	at = part(parts->ext, sizeof(parts->ext), name, n);
	if (at == 0) {
		parts->before[0] = '\0';
		return;
	}
	n = at - 1;
	while (n > 0 && (unsigned char)name[n - 1] <= ' ')
		n--;
	(void)part(parts->before, sizeof(parts->before), name, n);
}

/* What is behind the last dot of name[0..n); where it begins, 0 if there is no
   dot. */
static size_t
part(char *dst, size_t size, const char *name, size_t n)
{
	size_t at, len = 0, i;

	dst[0] = '\0';
	for (at = n; at > 0 && name[at - 1] != '.'; at--)
		if (name[at - 1] == '/' || name[at - 1] == '\\')
			return 0;
	if (at == 0 || n - at >= size)
		return at;
	for (i = at; i < n; i++)
		dst[len++] = name[i] >= 'A' && name[i] <= 'Z' ?
		    (char)(name[i] + 'a' - 'A') : name[i];
	dst[len] = '\0';
	return at;
}

/* a.7z.002, a.z01, a.r00: only the first of them has a signature. */
static int
is_volume(const struct parts *parts)
{
	const char *ext = parts->ext;

	if (strlen(ext) != 3 || strspn(ext + 1, "0123456789") != 2)
		return 0;
	return ext[0] == 'z' || ext[0] == 'r' || (ext[0] >= '0' &&
	    ext[0] <= '9' && (kinds_of(parts->before) & ARCHIVE));
}

static unsigned
kinds_of(const char *ext)
{
	size_t i;

	for (i = 0; ext[0] != '\0' &&
	    i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (strcmp(ext, extensions[i].ext) == 0)
			return extensions[i].kinds;
	return 0;
}

/* U+202E, and the isolates U+2066 to U+2069 (UAX #9). */
static int
has_override(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	for (; u[0] != '\0' && u[1] != '\0' && u[2] != '\0'; u++)
		if (u[0] == 0xe2 && ((u[1] == 0x80 && u[2] == 0xae) ||
		    (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9)))
			return 1;
	return 0;
}

size_t
names_print(char *dst, size_t size, const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = strlen(s), len = 0, head = size * 2 / 3, k, i = 0;
	int cut = size > 16 && n >= size;

	if (size == 0)
		return 0;
	while (i < n) {
		if (cut && len + 4 > head) {
			/* The end of a name says what it is. */
			memcpy(dst + len, "...", 3);
			len += 3;
			i = n - (size - 4 - head);
			while ((u[i] & 0xc0) == 0x80)
				i++;
			cut = 0;
			continue;
		}
		k = sequence(u + i);
		if (len + (k == 0 ? 1 : k) >= size)
			break;
		if (k == 0) {
			dst[len++] = '?';
			i++;
			continue;
		}
		memcpy(dst + len, s + i, k);
		len += k;
		i += k;
	}
	dst[len] = '\0';
	return len;
}

/* Octets of a character that can be shown, 0 if it is none: no controls, no
   marks that turn the direction of what follows. */
static size_t
sequence(const unsigned char *u)
{
	uint32_t c;

	if (u[0] < 0x80)
		return u[0] >= 0x20 && u[0] != 0x7f;
	if (u[0] >= 0xc2 && u[0] <= 0xdf && (u[1] & 0xc0) == 0x80)
		return u[0] == 0xc2 && u[1] < 0xa0 ? 0 : 2;
	if ((u[0] & 0xf0) == 0xe0 && (u[1] & 0xc0) == 0x80 &&
	    (u[2] & 0xc0) == 0x80) {
		c = (uint32_t)(u[0] & 15) << 12 | (uint32_t)(u[1] & 63) << 6 |
		    (u[2] & 63);
		if (c < 0x800 || (c >= 0xd800 && c < 0xe000) || c >= 0xfffe ||
		    (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069))
			return 0;
		return 3;
	}
	if (u[0] >= 0xf0 && u[0] <= 0xf4 && (u[1] & 0xc0) == 0x80 &&
	    (u[2] & 0xc0) == 0x80 && (u[3] & 0xc0) == 0x80) {
		c = (uint32_t)(u[0] & 7) << 18 | (uint32_t)(u[1] & 63) << 12;
		return c >= 0x10000 && c < 0x110000 ? 4 : 0;
	}
	return 0;
}
