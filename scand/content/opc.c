/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"
#include "scand/content/office.h"

/*
 * What only a whole package shows: OPC (ECMA-376 part 2, the form of OOXML)
 * and ODF.  A macro sheet of Excel 4.0 is one by its relationship, its content
 * type or its root element, wherever it lies.  VBA is found by what the parts
 * are, by others; here it is only noticed when a part is said to be a project
 * and is none.  [Content_Types].xml may come last, so what was said and what
 * is there are compared at the end.
 */

enum {
	PART_THERE = 0x01,	/* a member, with octets */
	PART_LOCKED = 0x02,	/* a member that could not be unpacked */
	PART_CFB = 0x04,
	PART_VBA = 0x08,	/* said to be a project */
	PART_MACRO = 0x10	/* said to be a macro sheet */
};

/* A name: of a member, or said to be something. */
struct part {
	uint64_t	 name;		/* hash of all of it */
	uint64_t	 base;		/* hash behind the last slash */
	unsigned	 flags;
};

enum opc_kind {
	OPC_TYPES, OPC_RELS, OPC_BASIC, OPC_OTHER, OPC_FLAT
};

struct opc {
	struct inspect	*in;
	enum opc_kind	 kind;		/* of the member at hand */
	int		 first;		/* no tag was seen in it */
	int		 is_opc, is_odf;
	int		 macro, dde, basic, encrypted;
	char		 external[160];
	struct part	*parts;
	size_t		 parts_n, parts_size;
	/* The code of a field of Word, joined from its pieces. */
	int		 instr;
	char		 field[64];
	size_t		 field_n;
};

static void	 scan(struct opc *, enum opc_kind, const uint8_t *, size_t);
static void	 scan_xml(struct opc *, const void *, size_t);
static void	 other_member(struct opc *, const uint8_t *, size_t);
static void	 other_tag(struct opc *, const struct xml *);
static void	 override_tag(struct opc *, const struct xml *);
static void	 relationship_tag(struct opc *, const struct xml *);
static void	 external(struct opc *, const char *, const char *);
static void	 add_part(struct opc *, const char *, unsigned);
static void	 compare(struct opc *);
static uint64_t	 hash(const char *);
static void	 normal_name(const char *, char *, size_t);
static int	 ends_with(const char *, const char *);
static int	 is_blank(const char *, size_t);

struct opc *
opc_new(struct inspect *in)
{
	struct opc *o;

	if ((o = calloc(1, sizeof(*o))) != NULL)
		o->in = in;
	return o;
}

struct opc *
opc_new_flat(struct inspect *in)
{
	struct opc *o;

	if ((o = opc_new(in)) != NULL) {
		o->kind = OPC_FLAT;
		o->is_opc = o->is_odf = o->first = 1;
	}
	return o;
}

void
opc_member(struct opc *o, const char *member, const uint8_t *p, size_t n)
{
	char name[512];

	if (o == NULL || member == NULL)
		return;
	normal_name(member, name, sizeof(name));
	add_part(o, name, p == NULL ? PART_LOCKED : n == 0 ? 0 :
	    content_type(p, n) == CONTENT_CFB ? PART_THERE | PART_CFB :
	    PART_THERE);
	if (strcmp(name, "[content_types].xml") == 0)
		o->is_opc = 1;
	if (p == NULL || n == 0)
		return;
	if (strcmp(name, "[content_types].xml") == 0)
		scan(o, OPC_TYPES, p, n);
	else if (ends_with(name, ".rels"))
		scan(o, OPC_RELS, p, n);
	else if (strcmp(name, "meta-inf/manifest.xml") == 0) {
		o->is_odf = 1;
		if (office_find(p, n, 0, "encryption-data", 15) < n)
			o->encrypted = 1;
	} else if (strncmp(name, "basic/", 6) == 0)
		scan(o, OPC_BASIC, p, n);
	else if (strncmp(name, "scripts/", 8) == 0 && !ends_with(name, "/"))
		o->basic = 1;
	else
		other_member(o, p, n);
}

/* Only what has an XML root, and only when it may say something. */
static void
other_member(struct opc *o, const uint8_t *p, size_t n)
{
	static const struct {
		const char	*word;
		size_t		 rare;	/* an octet that is seldom */
	} words[] = {
		{ "instrText", 5 }, { "fldSimple", 3 }, { "ddeLink", 3 },
		{ "dde-source", 3 }, { "dde-connection-decl", 3 }
	};
	size_t i, k = 0, all;
	int wide = xml_utf16(p, n) != -1;

	while (k < n && (p[k] == 0xef || p[k] == 0xbb || p[k] == 0xbf ||
	    isspace(p[k])))
		k++;
	if (!wide && (k == n || p[k] != '<'))
		return;
	if (n > LIM_XML_PART)
		n = LIM_XML_PART;
	for (i = 0; i < sizeof(words) / sizeof(words[0]) && !wide; i++)
		if (octets_find_by(p, n, 0, words[i].word,
		    strlen(words[i].word), words[i].rare) < n)
			break;
	/* Of the others, the root element will do. */
	all = n;
	if (!wide && i == sizeof(words) / sizeof(words[0]) && n > 4096)
		n = 4096;
	scan(o, OPC_OTHER, p, n);
	if (o->first && n < all)
		/* It is behind a long comment. */
		scan(o, OPC_OTHER, p, all);
}

static void
scan(struct opc *o, enum opc_kind kind, const uint8_t *p, size_t n)
{
	struct buffer b = { NULL, 0, 0, NULL };
	int big;

	o->kind = kind;
	o->first = 1;
	o->instr = 0;
	o->field_n = 0;
	if (n > LIM_XML_PART) {
		n = LIM_XML_PART;
		if (kind == OPC_TYPES || kind == OPC_RELS)
			content_report(o->in, FINDING_OVER_BUDGET,
			    "list of parts");
	}
	if ((big = xml_utf16(p, n)) == -1)
		scan_xml(o, p, n);
	else if (buffer_utf16(o->in, &b, p, n, big) == 0)
		scan_xml(o, b.p, b.n);
	buffer_free(&b);
}

static void
scan_xml(struct opc *o, const void *p, size_t n)
{
	struct xml x;
	enum xml_event e;
	unsigned k = 0;

	xml_open(&x, p, n);
	while ((e = xml_next(&x)) != XML_END) {
		if ((k++ & 0xff) == 0 && budget_step(&o->in->budget) == -1)
			return;
		opc_event(o, &x, e);
	}
}

void
opc_event(struct opc *o, const struct xml *x, enum xml_event e)
{
	if (o == NULL)
		return;
	if (e == XML_TEXT) {
		if (o->instr)
			xml_text(x->text, x->text_n, x->cdata, o->field,
			    sizeof(o->field), &o->field_n);
		else if (o->kind == OPC_BASIC && !is_blank(x->text, x->text_n))
			o->basic = 1;
		return;
	}
	if (e == XML_CLOSE) {
		if (o->instr && xml_is(x, "instrText")) {
			o->instr = 0;
			o->dde |= dde_field(o->field, o->field_n);
		}
		return;
	}
	if (o->kind == OPC_TYPES && xml_is(x, "Override"))
		override_tag(o, x);
	else if ((o->kind == OPC_RELS || o->kind == OPC_FLAT) &&
	    xml_is(x, "Relationship"))
		relationship_tag(o, x);
	else if (o->kind == OPC_OTHER || o->kind == OPC_FLAT)
		other_tag(o, x);
	o->first = 0;
}

static void
other_tag(struct opc *o, const struct xml *x)
{
	char text[64];

	if (o->first && xml_is(x, "macrosheet"))
		o->macro = 1;
	else if (xml_is(x, "instrText"))
		o->instr = !x->empty;
	else if (xml_is(x, "fldChar")) {
		if (xml_attr(x, "fldCharType", text, sizeof(text)) &&
		    strcmp(text, "begin") == 0)
			o->field_n = 0;
	} else if (xml_is(x, "fldSimple")) {
		if (xml_attr(x, "instr", text, sizeof(text)))
			o->dde |= dde_field(text, strlen(text));
	} else if (xml_is(x, "ddeLink") || xml_is(x, "dde-source") ||
	    xml_is(x, "dde-connection-decl"))
		o->dde = 1;
}

/* <Override PartName="/xl/x.xml" ContentType="..."/>, part 2, 10.1.2.2.3. */
static void
override_tag(struct opc *o, const struct xml *x)
{
	static const struct {
		const char	*type;
		unsigned	 flag;
	} types[] = {
		{ "application/vnd.ms-office.vbaProject", PART_VBA },
		{ "application/vnd.ms-excel.macrosheet+xml", PART_MACRO },
		{ "application/vnd.ms-excel.macrosheet", PART_MACRO },
		{ "application/vnd.ms-excel.intlmacrosheet+xml", PART_MACRO },
		{ "application/vnd.ms-excel.intlmacrosheet", PART_MACRO }
	};
	char type[128], raw[512], name[512];
	size_t i;

	if (!xml_attr(x, "ContentType", type, sizeof(type)) ||
	    !xml_attr(x, "PartName", raw, sizeof(raw)))
		return;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(type, types[i].type) == 0) {
			normal_name(raw, name, sizeof(name));
			add_part(o, name, types[i].flag);
		}
}

/* <Relationship Type="..." Target="..." TargetMode="External"/>, 9.3. */
static void
relationship_tag(struct opc *o, const struct xml *x)
{
	char type[160], raw[512], name[512];
	const char *kind;

	if (!xml_attr(x, "Type", type, sizeof(type)) ||
	    !xml_attr(x, "Target", raw, sizeof(raw)))
		return;
	kind = strrchr(type, '/');
	kind = kind == NULL ? type : kind + 1;
	if (xml_attr(x, "TargetMode", name, sizeof(name)) &&
	    strcasecmp(name, "External") == 0)
		external(o, kind, raw);
	else if (strcasecmp(kind, "xlMacrosheet") == 0 ||
	    strcasecmp(kind, "xlIntlMacrosheet") == 0)
		o->macro = 1;
	else if (strcasecmp(kind, "vbaProject") == 0) {
		normal_name(raw, name, sizeof(name));
		/* Relative to some folder: the last name must do. */
		kind = strrchr(name, '/');
		add_part(o, kind == NULL ? name : kind + 1, PART_VBA);
	}
}

/* Content that is fetched from elsewhere when the document is opened. */
static void
external(struct opc *o, const char *kind, const char *target)
{
	static const char *kinds[] = {
		"attachedTemplate", "oleObject", "frame", "subDocument",
		"externalLink", "externalLinkPath"
	};
	size_t i;

	if (*o->external != '\0' || !url_is_remote(target))
		return;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcasecmp(kind, kinds[i]) == 0) {
			/* Cut is fine: this is for people. */
			(void)strlcpy(o->external, kinds[i],
			    sizeof(o->external));
			(void)strlcat(o->external, " ", sizeof(o->external));
			(void)strlcat(o->external, target,
			    sizeof(o->external));
		}
}

static void
add_part(struct opc *o, const char *name, unsigned flags)
{
	const char *base = strrchr(name, '/');
	struct part *p;
	size_t size;

	base = base == NULL ? name : base + 1;
	if (o->parts_n == o->parts_size) {
		size = o->parts_size == 0 ? 64 : o->parts_size * 2;
		p = recallocarray(o->parts, o->parts_size, size, sizeof(*p));
		if (p == NULL) {
			o->in->budget.over |= BUDGET_OUT;
			return;
		}
		o->parts = p;
		o->parts_size = size;
	}
	p = &o->parts[o->parts_n++];
	p->name = hash(name);
	p->base = hash(base);
	p->flags = flags;
}

void
opc_end(struct opc *o)
{
	if (o == NULL)
		return;
	if (o->is_opc) {
		compare(o);
		if (o->macro)
			office_report(o->in, FINDING_MACRO,
			    "Excel 4.0 macro sheet");
		if (*o->external != '\0')
			office_report(o->in, FINDING_EXTERNAL_TEMPLATE, "%s",
			    o->external);
	}
	if ((o->is_opc || o->is_odf) && o->dde)
		content_report(o->in, FINDING_DDE, "");
	if (o->is_odf && o->basic)
		content_report(o->in, FINDING_ODF_MACRO, "");
	if (o->is_odf && o->encrypted)
		office_report(o->in, FINDING_OFFICE_ENCRYPTED, "ODF");
	free(o->parts);
	free(o);
}

/* What parts were said to be against what is there. */
static void
compare(struct opc *o)
{
	const struct part *said, *p;
	unsigned there = 0, flags;
	size_t i, k, pairs = 0;

	for (i = 0; i < o->parts_n; i++) {
		said = &o->parts[i];
		if ((said->flags & (PART_VBA | PART_MACRO)) == 0)
			continue;
		flags = 0;
		for (k = 0; k < o->parts_n; k++) {
			p = &o->parts[k];
			if ((p->flags & (PART_THERE | PART_LOCKED)) != 0 &&
			    (p->name == said->name || (p->base == said->name &&
			    said->name == said->base)))
				flags |= p->flags;
			if ((pairs++ & 0xfff) == 0 &&
			    budget_step(&o->in->budget) == -1)
				return;
		}
		if (said->flags & PART_MACRO)
			o->macro |= flags != 0;
		else if (flags & PART_LOCKED)
			there |= PART_LOCKED;
		else if (flags != 0 && (flags & PART_CFB) == 0)
			there |= PART_THERE;
	}
	if (there & PART_LOCKED)
		office_report(o->in, FINDING_MACRO_UNREADABLE,
		    "VBA project that cannot be unpacked");
	else if (there & PART_THERE)
		office_report(o->in, FINDING_DAMAGED,
		    "part that is said to be a VBA project");
}

/* FNV-1a: who makes two names equal gains nothing. */
static uint64_t
hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ULL;
	return h;
}

/* Part names are equal in either case (part 2, 9.1.1.3). */
static void
normal_name(const char *s, char *dst, size_t size)
{
	size_t i;

	while (*s == '/' || *s == '\\')
		s++;
	for (i = 0; s[i] != '\0' && i + 1 < size; i++)
		dst[i] = s[i] == '\\' ? '/' :
		    (char)tolower((unsigned char)s[i]);
	dst[i] = '\0';
}

static int
ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), k = strlen(tail);

	return n >= k && strcmp(s + n - k, tail) == 0;
}

static int
is_blank(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!isspace((unsigned char)s[i]))
			return 0;
	return 1;
}
