/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "scand/content/office.h"

/*
 * Objects of OLE 1, as they live on inside of OLE 2 (the stream
 * \1Ole10Native) and RTF, [MS-OLEDS] 2.2.  The class Package holds any file:
 * a double click starts it, so its name and its content are both judged.
 */

#define NAME	260	/* MAX_PATH of Windows */

/* Reads forward; bad once something was missing. */
struct cursor {
	const uint8_t	*p;
	size_t		 n;
	int		 bad;
};

struct package {
	char		 name[6][NAME];	/* label, source and temporary path, in
					   8 bits and, behind, in UTF-16 */
	struct span	 data;
};

static int	 package_read(struct cursor *, struct package *);
static void	 wide_names(struct cursor *, struct package *);
static void	 package_judge(struct inspect *, const struct package *);
static int	 search(struct inspect *, const uint8_t *, size_t);
static int	 is_program(const char *);
static const char *base_name(const char *);
static int	 is_program_data(const struct span *);
static uint32_t	 take32(struct cursor *);
static struct span take(struct cursor *, size_t);
static void	 take_string(struct cursor *, char *);

/*
 * u32 size of all (not in RTF), u16 2, label, path of the source, u16, u16,
 * u32 length and path of a temporary copy, u32 size and data.
 */
void
ole10native_look(struct inspect *in, const uint8_t *p, size_t n, int rtf)
{
	struct cursor c = { p, n, 0 };
	struct package pkg;

	memset(&pkg, 0, sizeof(pkg));
	if (!rtf)
		(void)take32(&c);
	if (package_read(&c, &pkg) == 0)
		package_judge(in, &pkg);
	else if (!rtf && n > 4 && office_magic(p + 4, n - 4))
		content_look(in, "object", p + 4, n - 4);
	else
		(void)search(in, p, n);
}

static int
package_read(struct cursor *c, struct package *pkg)
{
	struct span s;

	s = take(c, 2);
	if (c->bad || le16(s.p) != 2)
		return -1;
	take_string(c, pkg->name[0]);
	take_string(c, pkg->name[1]);
	(void)take(c, 4);
	s = take(c, take32(c));
	office_ascii(pkg->name[2], NAME, s.p, s.n);
	if (c->bad)
		return -1;
	pkg->data.n = take32(c);
	if (c->bad)
		return -1;
	/* The size may lie, what is there counts. */
	if (pkg->data.n > c->n)
		pkg->data.n = c->n;
	pkg->data = take(c, pkg->data.n);
	wide_names(c, pkg);
	return 0;
}

/* Newer writers add: u32 characters, UTF-16; temporary, label, source. */
static void
wide_names(struct cursor *c, struct package *pkg)
{
	struct span s;
	uint32_t len;
	int i;

	for (i = 3; i < 6; i++) {
		len = take32(c);
		if (c->bad || len > c->n / 2)
			return;
		s = take(c, (size_t)len * 2);
		office_utf16(pkg->name[i], NAME, s.p, s.n);
	}
}

static void
package_judge(struct inspect *in, const struct package *pkg)
{
	const char *name;
	int i;

	for (i = 0; i < 6; i++)
		if (is_program(pkg->name[i]))
			break;
	name = base_name(pkg->name[i < 6 ? i : 0]);
	if (i < 6 || is_program_data(&pkg->data))
		office_report(in, FINDING_OLE_PACKAGE, "%s", name);
	if (pkg->data.n > 0)
		content_look(in, *name == '\0' ? "object" : name, pkg->data.p,
		    pkg->data.n);
}

static const char *
base_name(const char *s)
{
	const char *base = s;

	for (; *s != '\0'; s++)
		if (*s == '\\' || *s == '/')
			base = s + 1;
	return base;
}

/* By the last extension, blanks and dots at the end do not count. */
static int
is_program(const char *s)
{
	static const char *known[] = {
		"ade", "adp", "appref-ms", "application", "appx", "bas", "bat",
		"chm", "cmd", "com", "cpl", "dll", "exe", "gadget", "hlp",
		"hta", "img", "inf", "ins", "iqy", "iso", "isp", "jar", "jnlp",
		"js", "jse", "library-ms", "lnk", "mht", "msc", "msh", "msi",
		"msp", "mst", "ocx", "one", "oqy", "pif", "ps1", "ps1xml",
		"ps2", "psc1", "psc2", "psd1", "psm1", "py", "pyw", "reg",
		"rqy", "scf", "scr", "sct", "search-ms", "settingcontent-ms",
		"shb", "shs", "slk", "sys", "url", "vb", "vbe", "vbp", "vbs",
		"vhd", "vhdx", "wim", "ws", "wsc", "wsf", "wsh", "xbap", "xll",
		"xsl"
	};
	const char *end = s + strlen(s), *dot;
	size_t i, n;

	while (end > s && (end[-1] == ' ' || end[-1] == '.' ||
	    end[-1] == '?'))
		end--;
	for (dot = end; dot > s && dot[-1] != '.'; dot--)
		if (dot[-1] == '\\' || dot[-1] == '/')
			return 0;
	if (dot == s)
		return 0;
	n = (size_t)(end - dot);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == n &&
		    strncasecmp(known[i], dot, n) == 0)
			return 1;
	return 0;
}

static int
is_program_data(const struct span *s)
{
	switch (content_type(s->p, s->n)) {
	case CONTENT_PE:
	case CONTENT_ELF:
	case CONTENT_MACHO:
	case CONTENT_LNK:
	case CONTENT_SCRIPT:
	case CONTENT_HTA:
	case CONTENT_CHM:
	case CONTENT_CLASS:
	case CONTENT_ONENOTE:
		return 1;
	default:
		return 0;
	}
}

/*
 * 2.2.4, 2.2.5: u32 version, u32 format (1 a link, 2 embedded), then u32
 * length and text of class, topic and item, u32 size, data.
 */
int
ole1_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct cursor c = { p, n, 0 };
	char class[NAME], topic[NAME];
	struct span s;
	uint32_t format;
	size_t size;

	(void)take32(&c);
	format = take32(&c);
	s = take(&c, take32(&c));
	office_ascii(class, sizeof(class), s.p, s.n);
	s = take(&c, take32(&c));
	office_ascii(topic, sizeof(topic), s.p, s.n);
	(void)take(&c, take32(&c));
	if (!c.bad && format == 1) {
		if (url_is_remote(topic))
			office_report(in, FINDING_EXTERNAL_TEMPLATE, "%s",
			    topic);
		/* That is all there should be. */
		(void)search(in, c.p, c.n);
		return 1;
	}
	size = take32(&c);
	if (c.bad || format != 2)
		return search(in, p, n);
	if (size > c.n)
		size = c.n;
	if (strcasecmp(class, "Package") == 0)
		ole10native_look(in, c.p, size, 1);
	else if (size > 0 && content_type(c.p, size) != CONTENT_UNKNOWN)
		content_look(in, *class == '\0' ? "object" : class, c.p, size);
	else
		(void)search(in, c.p, c.n);
	return 1;
}

/* A broken head, or data that nobody knows: the first container in it. */
static int
search(struct inspect *in, const uint8_t *p, size_t n)
{
	size_t cfb, zip, at;

	cfb = office_find(p, n, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	zip = office_find(p, n, 0, "PK\3\4", 4);
	at = cfb < zip ? cfb : zip;
	if (at == n)
		return 0;
	content_look(in, "object", p + at, n - at);
	return 1;
}

/*
 * [MS-OLEDS] 2.3.3: monikers of a link.  One of class URL is followed by its
 * length and its text in UTF-16 ([MS-OSHARED] 2.3.7.6).
 */
void
olelink_look(struct inspect *in, const uint8_t *p, size_t n)
{
	static const uint8_t url_moniker[16] = {
		0xe0, 0xc9, 0xea, 0x79, 0xf9, 0xba, 0xce, 0x11,
		0x8c, 0x82, 0x00, 0xaa, 0x00, 0x4b, 0xa9, 0x0b
	};
	char url[NAME];
	size_t at;

	at = office_find(p, n, 0, url_moniker, sizeof(url_moniker));
	if (at == n || n - at < sizeof(url_moniker) + 4)
		return;
	at += sizeof(url_moniker) + 4;
	office_utf16(url, sizeof(url), p + at, n - at);
	if (url_is_remote(url))
		office_report(in, FINDING_EXTERNAL_TEMPLATE, "%s", url);
}

int
url_is_remote(const char *s)
{
	static const char *schemes[] = {
		"http:", "https:", "ftp:", "mhtml:", "ms-", "script:", "\\\\",
		"//", "file://"
	};
	size_t i;

	while (*s == ' ')
		s++;
	/* file:///C:/ and the like are at home. */
	if (strncasecmp(s, "file:///", 8) == 0)
		return s[8] == '/' || s[8] == '\\';
	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(s, schemes[i], strlen(schemes[i])) == 0)
			return 1;
	return 0;
}

static uint32_t
take32(struct cursor *c)
{
	struct span s = take(c, 4);

	return c->bad ? 0 : le32(s.p);
}

static struct span
take(struct cursor *c, size_t n)
{
	struct span s = { c->p, 0 };

	if (c->bad || n > c->n) {
		c->bad = 1;
		return s;
	}
	s.n = n;
	c->p += n;
	c->n -= n;
	return s;
}

/* Up to a NUL. */
static void
take_string(struct cursor *c, char *dst)
{
	const uint8_t *nul = c->n == 0 ? NULL : memchr(c->p, 0, c->n);

	if (nul == NULL) {
		c->bad = 1;
		*dst = '\0';
		return;
	}
	office_ascii(dst, NAME, c->p, (size_t)(nul - c->p));
	(void)take(c, (size_t)(nul - c->p) + 1);
}
