/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/limits.h"
#include "scand/content/office.h"

/*
 * VBA projects in a compound file, [MS-OVBA] 2.3.  A project is a storage with
 * a stream dir that names its modules; each module is a stream with a cache
 * (p-code) and, from TextOffset on, the compressed source.  Names of storages
 * prove nothing and projects without a line of code are common, so every
 * module is judged by what is in it.
 */

enum verdict {	/* the worst of all modules counts */
	VBA_EMPTY, VBA_UNREADABLE, VBA_STOMPED, VBA_CODE
};

struct module {
	struct span	 ascii;		/* names of its stream */
	struct span	 wide;
	uint32_t	 offset;	/* TextOffset */
	int		 standard;
	int		 open;		/* one is being read */
};

struct project {
	struct inspect	*in;
	struct cfb	*c;
	uint32_t	 storage;
	unsigned	 version;	/* of _VBA_PROJECT, 0: not known */
	uint32_t	 modules;	/* listed */
	enum verdict	 verdict;
	char		 name[80];	/* of the module that has it */
};

static void	 read_dir(struct project *, const uint8_t *, size_t);
static void	 end_module(struct project *, struct module *);
static void	 judge_streams(struct project *, const struct module *);
static void	 judge_stream(struct project *, uint32_t,
		    const struct module *);
static enum verdict judge_octets(struct project *, const struct blob *,
		    const struct module *);
static enum verdict judge_lost(struct project *, const struct blob *,
		    const struct module *, int, int);
static size_t	 last_source(const struct blob *);
static int	 search_storage(struct project *);
static unsigned	 project_version(struct inspect *, struct cfb *, uint32_t);
static void	 report(struct project *);

int
vba_dir(struct inspect *in, struct cfb *c, uint32_t entry)
{
	struct project pr = { .in = in, .c = c };
	struct buffer dir = { NULL, 0, 0, NULL };
	struct blob b;
	int found = 0;

	if (cfb_stream(in, c, entry, &b) == -1) {
		report(&pr);
		return 1;
	}
	/* What could be read counts, the end may be damaged. */
	(void)ovba_unpack(in, &dir, b.p, b.n, LIM_OVBA_DIR);
	blob_free(&b);
	/* 2.3.4.2.1.1: SYSKIND comes first, of 4 octets. */
	if (dir.n >= 6 && le16(dir.p) == 0x0001 && le32(dir.p + 2) == 4) {
		found = 1;
		pr.storage = c->parent[entry];
		pr.version = project_version(in, c, pr.storage);
		read_dir(&pr, dir.p, dir.n);
		if (pr.modules == 0)
			search_storage(&pr);
		report(&pr);
	}
	buffer_free(&dir);
	return found;
}

/* Records of u16 id, u32 size and data, flat. */
static void
read_dir(struct project *pr, const uint8_t *p, size_t n)
{
	struct module m;
	struct span data;
	size_t at = 0;
	uint32_t size;
	unsigned id;

	memset(&m, 0, sizeof(m));
	while (n - at >= 6 && pr->verdict < VBA_CODE) {
		id = le16(p + at);
		size = le32(p + at + 2);
		at += 6;
		/* 2.3.4.2.1.11: VERSION says 4 and has 6. */
		if (id == 0x0009)
			size = 6;
		if (size > n - at) {
			pr->c->damaged = 1;
			break;
		}
		data.p = p + at;
		data.n = size;
		at += size;
		switch (id) {
		case 0x0019:		/* MODULENAME */
			end_module(pr, &m);
			m.open = 1;
			break;
		case 0x001a:		/* MODULESTREAMNAME */
			if (m.ascii.p != NULL)
				end_module(pr, &m);
			m.open = 1;
			m.ascii = data;
			break;
		case 0x0032:		/* the same in UTF-16 */
			m.wide = data;
			break;
		case 0x0031:		/* MODULEOFFSET */
			if (data.n >= 4)
				m.offset = le32(data.p);
			break;
		case 0x0021:		/* MODULETYPE */
			m.standard = 1;
			break;
		case 0x0010:		/* the end */
			at = n;
			break;
		}
	}
	if (pr->verdict < VBA_CODE)
		end_module(pr, &m);
}

static void
end_module(struct project *pr, struct module *m)
{
	if (m->open && m->wide.n + m->ascii.n > 0) {
		pr->modules++;
		judge_streams(pr, m);
	}
	memset(m, 0, sizeof(*m));
}

/* All streams that may be meant: those of the storage, else all others. */
static void
judge_streams(struct project *pr, const struct module *m)
{
	struct cfb *c = pr->c;
	uint32_t i;
	int found = 0, any;

	for (any = 0; any < 2 && !found; any++) {
		for (i = 0; i < c->entries; i++) {
			if ((i & 0xff) == 0 &&
			    budget_step(&pr->in->budget) == -1)
				return;
			if (cfb_type(c, i) != CFB_STREAM ||
			    (!any && c->parent[i] != pr->storage))
				continue;
			if ((m->wide.n == 0 || !cfb_named(c, i, &m->wide, 1)) &&
			    (m->ascii.n == 0 || !cfb_named(c, i, &m->ascii, 0)))
				continue;
			found = 1;
			judge_stream(pr, i, m);
			if (pr->verdict == VBA_CODE)
				return;
		}
	}
	if (!found)
		c->damaged = 1;
}

static void
judge_stream(struct project *pr, uint32_t entry, const struct module *m)
{
	enum verdict v;
	struct blob b;

	if (cfb_stream(pr->in, pr->c, entry, &b) == -1)
		return;
	v = judge_octets(pr, &b, m);
	if (v > pr->verdict) {
		pr->verdict = v;
		cfb_name(pr->c, entry, pr->name, sizeof(pr->name));
	}
	blob_free(&b);
}

static enum verdict
judge_octets(struct project *pr, const struct blob *b, const struct module *m)
{
	struct vba_lines v;
	size_t cache, source;
	int pcode, lost, elsewhere = 0;

	cache = m->offset < b->n ? m->offset : b->n;
	if (vba_lines(pr->in, &v, b->p + cache, b->n - cache) == -1)
		return VBA_EMPTY;
	if (v.code > 0)
		return VBA_CODE;
	lost = v.broken || v.octets == 0;
	if (lost && (source = last_source(b)) < b->n) {
		if (vba_lines(pr->in, &v, b->p + source, b->n - source) == -1)
			return VBA_EMPTY;
		if (v.code > 0)
			return VBA_CODE;
		elsewhere = v.attribute > 0;
	}
	pcode = vba_pcode(b->p, cache);
	/* More p-code lines than the source can explain: it was exchanged. */
	if (pcode > 0 && (uint32_t)pcode > v.harmless)
		return VBA_STOMPED;
	if (lost)
		return judge_lost(pr, b, m, pcode, elsewhere);
	/* Office leaves a table of lines in every cache of that version. */
	if (pcode == -1 && m->standard && v.harmless == 0 &&
	    m->offset > 0 && pr->version >= 0x6b)
		return VBA_STOMPED;
	return VBA_EMPTY;
}

/* There is no source where it should be. */
static enum verdict
judge_lost(struct project *pr, const struct blob *b, const struct module *m,
    int pcode, int elsewhere)
{
	if (b->n == 0 || pcode == 0)
		return VBA_EMPTY;
	/* Office 97 has another cache: what was found there must do. */
	if (elsewhere && (m->offset == 0 ||
	    (pr->version > 0 && pr->version < 0x6b)))
		return VBA_EMPTY;
	return VBA_UNREADABLE;
}

/*
 * A source begins with "Attribut" as eight literals behind a flag octet of
 * zero, so it can be found without TextOffset; three octets before the flags
 * its container begins.  The last is the source.  n if there is none.
 */
static size_t
last_source(const struct blob *b)
{
	size_t at = 0, found = b->n;

	while ((at = office_find(b->p, b->n, at, "\0Attribut", 9)) < b->n) {
		if (at >= 3 && b->p[at - 3] == 0x01)
			found = at - 3;
		at++;
	}
	return found;
}

static unsigned
project_version(struct inspect *in, struct cfb *c, uint32_t storage)
{
	struct span s;
	uint32_t i;

	if ((i = cfb_find(in, c, storage, "_VBA_PROJECT")) == CFB_NONE)
		return 0;
	s = cfb_head(c, i);
	return s.n >= 4 && le16(s.p) == 0x61cc ? le16(s.p + 2) : 0;
}

void
vba_storage(struct inspect *in, struct cfb *c, uint32_t storage)
{
	struct project pr = { .in = in, .c = c, .storage = storage };

	pr.version = project_version(in, c, storage);
	if (search_storage(&pr))
		report(&pr);
}

/*
 * Without a list, every stream that is not one of the project's own may be a
 * module.  1 if there was any.
 */
static int
search_storage(struct project *pr)
{
	static const char *own[] = {
		"dir", "_VBA_PROJECT", "PROJECT", "PROJECTwm", "PROJECTlk"
	};
	struct cfb *c = pr->c;
	struct module m;
	struct blob b;
	size_t k, n = sizeof(own) / sizeof(own[0]), source;
	uint32_t i;
	char name[80];
	int found = 0;

	for (i = 0; i < c->entries; i++) {
		if ((i & 0xff) == 0 && budget_step(&pr->in->budget) == -1)
			break;
		if (cfb_type(c, i) != CFB_STREAM ||
		    c->parent[i] != pr->storage)
			continue;
		for (k = 0; k < n && !cfb_is(c, i, own[k]); k++)
			;
		cfb_name(c, i, name, sizeof(name));
		if (k < n || strncmp(name, "__SRP_", 6) == 0)
			continue;
		if (cfb_stream(pr->in, c, i, &b) == -1)
			return found;
		memset(&m, 0, sizeof(m));
		if (b.n > 0) {
			found = 1;
			source = last_source(&b);
			m.offset = source < b.n ? (uint32_t)source : 0;
			judge_stream(pr, i, &m);
		}
		blob_free(&b);
	}
	return found;
}

static void
report(struct project *pr)
{
	/* What was not looked at may be code. */
	if (pr->verdict < VBA_UNREADABLE && budget_step(&pr->in->budget) == -1)
		pr->verdict = VBA_UNREADABLE;
	switch (pr->verdict) {
	case VBA_CODE:
		office_report(pr->in, FINDING_MACRO, "VBA code in %s",
		    pr->name);
		break;
	case VBA_STOMPED:
		office_report(pr->in, FINDING_MACRO,
		    "VBA p-code without source in %s", pr->name);
		break;
	case VBA_UNREADABLE:
		office_report(pr->in, FINDING_MACRO_UNREADABLE, "VBA module %s",
		    pr->name);
		break;
	case VBA_EMPTY:
		content_report(pr->in, FINDING_VBA_EMPTY, "");
		break;
	}
}
