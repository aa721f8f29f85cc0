/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scand/mime/mime.h"
#include "scand/mime/parts.h"

/*
 * The parts of a message, all readings of each, and text to UTF-8.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
one_string(const struct mime *m, uint32_t at)
{
	const char *s = mime_string(m, at);

	check(at < m->textlen && at + strlen(s) < m->textlen);
}

static void
one_reading(const struct mime *m, const struct reading *r, struct octets *o)
{
	char text[400];
	size_t len, i;
	unsigned sum = 0;

	check(r->from < r->to && r->to <= m->n);
	if (octets_read(o, m, m->budget, r) == -1)
		return;
	check(r->encoding == ENCODING_NONE || o->n <= o->size);
	for (i = 0; i < o->n; i++)
		sum += o->p[i];
	len = charset_utf8(sum & 1 ? "utf-16le" : "iso-2022-jp", o->p, o->n,
	    text, sizeof(text));
	check(len < sizeof(text) && text[len] == '\0');
	check(octets_utf8((uint8_t *)text, len));
	len = words_utf8((const char *)o->p, o->n, text, sizeof(text));
	check(len < sizeof(text) && text[len] == '\0');
	check(octets_utf8((uint8_t *)text, len));
}

static void
one_part(const struct mime *m, size_t i)
{
	const struct mime_part *p = &m->parts[i];
	struct reading v[READINGS], w[READINGS];
	struct octets o = { .p = NULL };
	char path[MIME_PATH];
	size_t n, nw, k;

	check(p->parent == MIME_NONE || p->parent < i);
	check(p->head <= p->body || p->body == p->end);
	check(p->body <= p->end && p->end <= m->n);
	check(p->body <= p->end_near && p->end_near <= m->n);
	check(p->body <= p->end_own && p->end_own <= m->n);
	check(p->nencodings > 0 || i == 0);
	one_string(m, p->type);
	one_string(m, p->charset);
	for (k = 0; k < p->nnames; k++) {
		one_string(m, p->name[k]);
		check(*mime_string(m, p->name[k]) != '\0');
	}
	check(strlen(mime_path(m, i, path, sizeof(path))) > 0);
	n = mime_readings(m, p, v);
	check(n <= READINGS);
	for (k = 0; k < n; k++) {
		one_reading(m, &v[k], &o);
		nw = mime_readings_base64(&v[k], o.differs, w);
		check(nw <= READINGS);
		while (nw > 0)
			one_reading(m, &w[--nw], &o);
	}
	octets_free(&o, m->budget);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mime m;
	struct budget budget;
	size_t i;
	unsigned how = 0;

	if (size > 0) {
		how = data[0] == '\0' ? MIME_BODY : 0;
		data++;
		size--;
	}
	budget_default(&budget);
	budget.ms_max = 5000;
	budget_start(&budget);
	check(mime_parse(&m, &budget, data, size, how) == 0);
	check(m.nparts > 0 && m.nparts <= LIM_MIME_PARTS);
	for (i = 0; i < m.nparts; i++)
		one_part(&m, i);
	check(budget.held == 0);
	return 0;
}
