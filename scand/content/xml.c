/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include "scand/content/office.h"

/*
 * XML that holds other things in base64: Flat OPC, Word and Excel 2003 XML,
 * Visio's VDX, flat ODF, electronic invoices.  The elements that are known to
 * do so are decoded whatever is in them, all others when their text begins
 * like something that can be looked into.  What the tags say is for opc.c.
 */

#define CHUNK	4096

struct doc {
	struct inspect	*in;
	struct opc	*opc;
	int		 on;		/* a text is being decoded */
	int		 known;		/* until its element ends, */
	char		 element[32];	/* which is called this */
	char		 name[80];
	char		 wait[CHUNK];	/* to be decoded */
	size_t		 wait_n;
	struct base64	 b64;
	struct buffer	 out;
	int		 dde, basic;
	unsigned	 steps;
};

static void	 look(struct inspect *, const void *, size_t);
static int	 open_tag(struct doc *, const struct xml *);
static int	 text(struct doc *, const struct xml *);
static int	 feed(struct doc *, const char *, size_t);
static int	 flush(struct doc *);
static int	 decode(struct doc *, const char *, size_t);
static void	 finish(struct doc *);
static int	 begins_known(const char *, size_t);

void
xml_look(struct inspect *in, const uint8_t *p, size_t n)
{
	struct buffer b = { NULL, 0, 0, NULL };
	int big;

	if ((big = xml_utf16(p, n)) == -1)
		look(in, p, n);
	else if (buffer_utf16(in, &b, p, n, big) == 0)
		look(in, b.p, b.n);
	buffer_free(&b);
}

static void
look(struct inspect *in, const void *p, size_t n)
{
	struct doc d;
	struct xml x;
	enum xml_event e;
	unsigned k = 0;
	int r = 0;

	memset(&d, 0, sizeof(d));
	d.in = in;
	d.opc = opc_new_flat(in);
	xml_open(&x, p, n);
	while (r == 0 && (e = xml_next(&x)) != XML_END) {
		if ((k++ & 0xff) == 0)
			r = budget_step(&in->budget);
		opc_event(d.opc, &x, e);
		if (e == XML_TEXT) {
			if (r == 0)
				r = text(&d, &x);
			continue;
		}
		if (d.on && (!d.known || (e == XML_CLOSE &&
		    xml_is(&x, d.element))))
			finish(&d);
		if (e == XML_OPEN && r == 0)
			r = open_tag(&d, &x);
	}
	finish(&d);
	opc_end(d.opc);
	if (d.dde)
		office_report(in, FINDING_DDE, "Excel 2003 XML");
	if (d.basic)
		content_report(in, FINDING_ODF_MACRO, "");
}

static int
open_tag(struct doc *d, const struct xml *x)
{
	static const char *known[] = {
		"binData",		/* Word 2003 XML */
		"binaryData",		/* Flat OPC */
		"binary-data",		/* ODF 1.2, 19.29 */
		"VBProjectData",	/* Visio 2003 XML */
		"ForeignData"
	};
	char value[512];
	size_t i;

	if (xml_attr(x, "Formula", value, sizeof(value)))
		d->dde |= dde_formula(value, strlen(value));
	if (xml_is(x, "module") && x->name - x->p >= 7 &&
	    memcmp(x->name - 7, "script:", 7) == 0)
		d->basic = !x->empty;
	if (d->on || x->empty)
		return 0;
	/* The name of a part comes before its data (Flat OPC). */
	if (xml_is(x, "part") && xml_attr(x, "name", value, sizeof(value)))
		office_ascii(d->name, sizeof(d->name), (uint8_t *)value,
		    strlen(value));
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (xml_is(x, known[i]))
			break;
	if (i == sizeof(known) / sizeof(known[0]))
		return 0;
	if (xml_attr(x, "name", value, sizeof(value)))
		office_ascii(d->name, sizeof(d->name), (uint8_t *)value,
		    strlen(value));
	d->on = d->known = 1;
	(void)strlcpy(d->element, known[i], sizeof(d->element));
	return 0;
}

static int
text(struct doc *d, const struct xml *x)
{
	const char *s = x->text, *amp, *semi;
	size_t n = x->text_n, k, len;
	char c[16];

	if (!d->on) {
		if (!begins_known(s, n))
			return 0;
		d->on = 1;
		d->known = 0;
	}
	while (n > 0) {
		if ((d->steps++ & 0xff) == 0 &&
		    budget_step(&d->in->budget) == -1)
			return -1;
		amp = x->cdata ? NULL : memchr(s, '&', n);
		k = amp == NULL ? n : (size_t)(amp - s);
		if (feed(d, s, k) == -1)
			return -1;
		s += k;
		n -= k;
		if (n == 0)
			break;
		/* A reference is no longer than &#x0000041; or so. */
		semi = memchr(s, ';', n < 12 ? n : 12);
		k = semi == NULL ? 1 : (size_t)(semi - s) + 1;
		len = 0;
		if (semi != NULL)
			xml_text(s, k, 0, c, sizeof(c), &len);
		if (len < k && feed(d, c, len) == -1)
			return -1;
		s += k;
		n -= k;
	}
	return 0;
}

/* Little pieces, as references are, wait until there are more. */
static int
feed(struct doc *d, const char *s, size_t n)
{
	if (n > sizeof(d->wait) / 4)
		return flush(d) == -1 ? -1 : decode(d, s, n);
	if (n > sizeof(d->wait) - d->wait_n && flush(d) == -1)
		return -1;
	memcpy(d->wait + d->wait_n, s, n);
	d->wait_n += n;
	return 0;
}

static int
flush(struct doc *d)
{
	size_t n = d->wait_n;

	d->wait_n = 0;
	return decode(d, d->wait, n);
}

static int
decode(struct doc *d, const char *s, size_t n)
{
	uint8_t out[CHUNK];
	size_t k, len;

	for (; n > 0; s += k, n -= k) {
		k = n < CHUNK ? n : CHUNK;
		len = base64_decode(&d->b64, s, k, out);
		if (buffer_add(d->in, &d->out, out, len) == -1)
			return -1;
	}
	return 0;
}

static void
finish(struct doc *d)
{
	(void)flush(d);
	if (d->on && d->out.n > 0)
		content_look(d->in, *d->name == '\0' ? "data" : d->name,
		    d->out.p, d->out.n);
	buffer_free(&d->out);
	memset(&d->b64, 0, sizeof(d->b64));
	*d->name = '\0';
	d->on = d->known = 0;
}

/* Decodes the first letters, which may have references among them. */
static int
begins_known(const char *s, size_t n)
{
	struct base64 b64 = { 0, 0, 0 };
	char head[80];
	uint8_t out[64];
	size_t len = 0, k;

	while (n > 0 && isspace((unsigned char)*s)) {
		s++;
		n--;
	}
	if (n < 64)
		return 0;
	xml_text(s, 64, 0, head, sizeof(head), &len);
	k = base64_decode(&b64, head, len, out);
	return k >= 11 && office_magic(out, k);
}
