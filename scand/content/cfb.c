/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "scand/content/office.h"

/*
 * What is in a compound file: documents of Word, Excel, PowerPoint, Publisher,
 * Visio and Project before 2007, messages of Outlook, encrypted packages, and
 * VBA projects on their own.  One pass over the whole directory, so it does
 * not matter what a storage is called or how deep it lies; a stream means what
 * its name says only if its content agrees.
 */

struct walk {
	struct inspect	*in;
	struct cfb	*c;
	uint8_t		*project;	/* of each entry: a storage that was
					   judged as a project */
	const uint8_t	*p;		/* the stream at hand */
	size_t		 n;
};

static int	 is_installer(const struct cfb *);
static void	 look_streams(struct walk *);
static void	 look_stream(struct walk *, uint32_t);
static void	 look_projects(struct walk *);
static void	 look_lost(struct walk *, uint32_t);
static void	 stream_word(struct walk *, uint32_t);
static void	 stream_biff(struct walk *, uint32_t);
static void	 stream_ppt(struct walk *, uint32_t);
static void	 stream_visio(struct walk *, uint32_t);
static void	 stream_native(struct walk *, uint32_t);
static void	 stream_link(struct walk *, uint32_t);
static void	 stream_package(struct walk *, uint32_t);
static void	 stream_drm(struct walk *, uint32_t);
static void	 stream_attachment(struct walk *, uint32_t);
static void	 stream_other(struct walk *, uint32_t);

static const struct {
	const char	*name;
	void		(*look)(struct walk *, uint32_t);
} streams[] = {
	{ "WordDocument",		stream_word },
	{ "Workbook",			stream_biff },
	{ "Book",			stream_biff },
	{ "PowerPoint Document",	stream_ppt },
	{ "VisioDocument",		stream_visio },
	{ "\1Ole10Native",		stream_native },
	{ "\1Ole",			stream_link },
	{ "EncryptedPackage",		stream_package },
	{ "\11DRMContent",		stream_drm },
	{ "__substg1.0_37010102",	stream_attachment }
};

void
cfb_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct cfb c;
	struct walk w = { .in = in, .c = &c };

	if (cfb_open(in, &c, p, n) == -1) {
		office_report(in, FINDING_DAMAGED, "compound file");
		return;
	}
	if (is_installer(&c))
		office_report(in, FINDING_EXECUTABLE, "Windows Installer");
	if ((w.project = calloc(1, c.entries)) != NULL) {
		look_projects(&w);
		look_streams(&w);
	} else
		in->budget.over |= BUDGET_OUT;
	if (c.damaged)
		office_report(in, FINDING_DAMAGED, "compound file");
	free(w.project);
	cfb_close(&c);
}

/* By the class of the root: packages, patches and transforms. */
static int
is_installer(const struct cfb *c)
{
	static const uint8_t rest[] = {
		0x10, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00,
		0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46
	};
	const uint8_t *class = c->dir.p + 80;

	return (class[0] == 0x84 || class[0] == 0x86 || class[0] == 0x82) &&
	    memcmp(class + 1, rest, sizeof(rest)) == 0;
}

/* VBA: first what has a dir stream, then what has lost it. */
static void
look_projects(struct walk *w)
{
	struct cfb *c = w->c;
	uint32_t i, parent;

	for (i = 0; i < c->entries; i++) {
		if (cfb_type(c, i) != CFB_STREAM || !cfb_is(c, i, "dir"))
			continue;
		if (budget_step(&w->in->budget) == -1) {
			office_report(w->in, FINDING_MACRO_UNREADABLE,
			    "over budget");
			return;
		}
		parent = c->parent[i];
		if (vba_dir(w->in, c, i) && parent != CFB_NONE)
			w->project[parent] = 1;
	}
	for (i = 0; i < c->entries; i++)
		if (cfb_type(c, i) == CFB_STREAM)
			look_lost(w, i);
}

/*
 * _VBA_PROJECT stands beside dir, PROJECT in the storage above.  Texts that
 * only have such a name are none: both have a content that can be known.
 */
static void
look_lost(struct walk *w, uint32_t i)
{
	struct cfb *c = w->c;
	uint32_t parent = c->parent[i], k;
	struct span s;

	if (parent == CFB_NONE)
		return;
	if (cfb_is(c, i, "_VBA_PROJECT")) {
		s = cfb_head(c, i);
		if (!w->project[parent] && s.n >= 2 && le16(s.p) == 0x61cc) {
			w->project[parent] = 1;
			vba_storage(w->in, c, parent);
		}
	} else if (cfb_is(c, i, "PROJECT")) {
		s = cfb_head(c, i);
		if (s.n < 4 || memcmp(s.p, "ID=\"", 4) != 0)
			return;
		for (k = 0; k < c->entries; k++) {
			if ((k & 0xff) == 0 &&
			    budget_step(&w->in->budget) == -1)
				return;
			if (cfb_type(c, k) == CFB_STORAGE &&
			    c->parent[k] == parent && !w->project[k] &&
			    cfb_is(c, k, "VBA")) {
				w->project[k] = 1;
				vba_storage(w->in, c, k);
			}
		}
	}
}

static void
look_streams(struct walk *w)
{
	uint32_t i;

	for (i = 0; i < w->c->entries; i++) {
		if (cfb_type(w->c, i) != CFB_STREAM)
			continue;
		if (budget_step(&w->in->budget) == -1)
			return;
		look_stream(w, i);
	}
}

static void
look_stream(struct walk *w, uint32_t i)
{
	struct span s;
	struct blob b;
	size_t k, n = sizeof(streams) / sizeof(streams[0]);

	for (k = 0; k < n && !cfb_is(w->c, i, streams[k].name); k++)
		;
	if (k == n) {
		s = cfb_head(w->c, i);
		if (!office_magic(s.p, s.n))
			return;
	}
	if (cfb_stream(w->in, w->c, i, &b) == -1)
		return;
	/* An empty one is nowhere. */
	w->p = b.n == 0 ? (const uint8_t *)"" : b.p;
	w->n = b.n;
	if (k < n)
		streams[k].look(w, i);
	else
		stream_other(w, i);
	blob_free(&b);
}

static void
stream_word(struct walk *w, uint32_t i)
{
	(void)i;
	word_look(w->in, w->p, w->n);
}

static void
stream_biff(struct walk *w, uint32_t i)
{
	(void)i;
	biff_report(w->in, w->p, w->n);
}

static void
stream_visio(struct walk *w, uint32_t i)
{
	(void)i;
	visio_look(w->in, w->p, w->n);
}

static void
stream_native(struct walk *w, uint32_t i)
{
	(void)i;
	ole10native_look(w->in, w->p, w->n, 0);
}

static void
stream_link(struct walk *w, uint32_t i)
{
	(void)i;
	olelink_look(w->in, w->p, w->n);
}

/* A stream of the same storage, empty if there is none. */
static void
sibling(struct walk *w, uint32_t i, const char *name, struct blob *b)
{
	uint32_t k = cfb_find(w->in, w->c, w->c->parent[i], name);

	memset(b, 0, sizeof(*b));
	if (k != CFB_NONE)
		(void)cfb_stream(w->in, w->c, k, b);
}

static void
stream_ppt(struct walk *w, uint32_t i)
{
	struct span document = { w->p, w->n }, user;
	struct blob b;

	sibling(w, i, "Current User", &b);
	user.p = b.p;
	user.n = b.n;
	ppt_look(w->in, &document, &user);
	blob_free(&b);
}

static void
stream_package(struct walk *w, uint32_t i)
{
	struct blob b;

	sibling(w, i, "EncryptionInfo", &b);
	officecrypt_package(w->in, b.p, b.n, w->p, w->n);
	blob_free(&b);
}

/* [MS-OFFCRYPTO] 2.2.10: a document under rights management. */
static void
stream_drm(struct walk *w, uint32_t i)
{
	(void)i;
	office_report(w->in, FINDING_OFFICE_ENCRYPTED, "rights management");
}

/* [MS-OXMSG] 2.2.2: PidTagAttachDataBinary; its names stand beside it. */
static void
stream_attachment(struct walk *w, uint32_t i)
{
	static const struct {
		const char	*stream;
		int		 wide;
	} names[] = {
		{ "__substg1.0_3707001F", 1 }, { "__substg1.0_3707001E", 0 },
		{ "__substg1.0_3704001F", 1 }, { "__substg1.0_3704001E", 0 }
	};
	struct blob b;
	char name[260];
	size_t k;

	*name = '\0';
	for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		sibling(w, i, names[k].stream, &b);
		if (names[k].wide)
			office_utf16(name, sizeof(name), b.p, b.n);
		else
			office_ascii(name, sizeof(name), b.p, b.n);
		blob_free(&b);
		if (*name != '\0')
			break;
	}
	content_look(w->in, *name == '\0' ? NULL : name, w->p, w->n);
}

/* An embedded document: Package, CONTENTS or whatever it is called. */
static void
stream_other(struct walk *w, uint32_t i)
{
	char name[80];

	cfb_name(w->c, i, name, sizeof(name));
	content_look(w->in, name, w->p, w->n);
}
