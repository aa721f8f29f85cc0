/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/loop.h"
#include "scand/scand.h"

/*
 * What the header section of a message says against it: fields that are
 * missing, doubled or malformed (RFC 5322 3.6), and things that honest
 * software does not write.
 */

#define RECEIVED_MANY	25
#define DAY_S		86400
#define FUTURE_S	DAY_S		/* clocks and zones set wrongly */
#define OLD_S		(30 * DAY_S)	/* queues give up after 5 days */
#define AUTHORS		4		/* looked at; more are only counted */

static int	has_text(const struct header *, enum field_id);
static int	message_id_valid(const struct field *);
static void	display_address(struct job *, const struct mailbox *);

/* RFC 5322 3.6: at most once.  MIME fields: RFC 2045 3. */
static const enum field_id unique[] = {
	FIELD_DATE, FIELD_SENDER, FIELD_REPLY_TO, FIELD_TO, FIELD_CC,
	FIELD_BCC, FIELD_SUBJECT, FIELD_MESSAGE_ID, FIELD_IN_REPLY_TO,
	FIELD_REFERENCES, FIELD_MIME_VERSION, FIELD_CONTENT_TYPE,
	FIELD_CONTENT_ENCODING
};

void
rule_header_fields(struct job *j, const struct view *v)
{
	const struct header *h = &v->header;
	const struct field *f;
	struct findings *out = &j->found;
	size_t i;

	for (i = 0; i < sizeof(unique) / sizeof(unique[0]); i++) {
		if (h->count[unique[i]] > 1)
			findings_add(out, SYM_DUPLICATE_FIELD, "%s",
			    field_name(unique[i]));
	}
	if ((f = header_field(h, FIELD_MESSAGE_ID)) == NULL)
		findings_add(out, SYM_MISSING_MESSAGE_ID, NULL);
	else if (!message_id_valid(f))
		findings_add(out, SYM_INVALID_MESSAGE_ID, NULL);
	if (!has_text(h, FIELD_SUBJECT))
		findings_add(out, SYM_MISSING_SUBJECT, NULL);
	else {
		f = header_field(h, FIELD_SUBJECT);
		for (i = 0; i < f->len && !(f->value[i] & 0x80); i++)
			;
		if (i < f->len)
			findings_add(out, SYM_SUBJECT_8BIT, NULL);
		if (strncasecmp(f->value, "re:", 3) == 0 &&
		    !has_text(h, FIELD_IN_REPLY_TO) &&
		    !has_text(h, FIELD_REFERENCES))
			findings_add(out, SYM_REPLY_WITHOUT_REFERENCE, NULL);
	}
	if (h->count[FIELD_TO] == 0 && h->count[FIELD_CC] == 0 &&
	    h->count[FIELD_BCC] == 0)
		findings_add(out, SYM_MISSING_TO, NULL);
	else if ((f = header_field(h, FIELD_TO)) != NULL &&
	    memchr(f->value, '@', f->len) == NULL &&
	    !has_text(h, FIELD_CC))
		findings_add(out, SYM_UNDISCLOSED_RECIPIENTS, NULL);
	if (h->count[FIELD_RECEIVED] > RECEIVED_MANY)
		findings_add(out, SYM_MANY_RECEIVED, "%u",
		    h->count[FIELD_RECEIVED]);
}

void
rule_header_date(struct job *j, const struct view *v)
{
	const struct field *f = header_field(&v->header, FIELD_DATE);
	int64_t t, now = (int64_t)(clock_wall_ms() / 1000);

	if (f == NULL)
		findings_add(&j->found, SYM_MISSING_DATE, NULL);
	else if (date_parse(f->value, f->len, &t) == -1)
		findings_add(&j->found, SYM_INVALID_DATE, NULL);
	else if (t > now + FUTURE_S)
		findings_add(&j->found, SYM_FUTURE_DATE, "%lld days",
		    (long long)((t - now) / DAY_S));
	else if (t < now - OLD_S)
		findings_add(&j->found, SYM_OLD_DATE, "%lld days",
		    (long long)((now - t) / DAY_S));
}

void
rule_header_from(struct job *j, const struct view *v)
{
	const struct header *h = &v->header;
	const struct field *f = header_field(h, FIELD_FROM);
	struct mailbox m[AUTHORS];
	size_t i, n;

	if (f == NULL) {
		findings_add(&j->found, SYM_MISSING_FROM, NULL);
		return;
	}
	if (mailbox_list(f->value, f->len, m, AUTHORS, &n) == -1 || n == 0)
		findings_add(&j->found, SYM_FROM_INVALID, NULL);
	if (h->count[FIELD_FROM] > 1)
		findings_add(&j->found, SYM_MULTIPLE_FROM, "%u fields",
		    h->count[FIELD_FROM]);
	else if (n > 1 && h->count[FIELD_SENDER] == 0)
		/* RFC 5322 3.6.2: then there must be a Sender. */
		findings_add(&j->found, SYM_MULTIPLE_FROM, "%zu authors", n);
	for (i = 0; i < n && i < AUTHORS; i++)
		display_address(j, &m[i]);
}

/* "service@bank.example" <x@elsewhere.example> is made to deceive. */
static void
display_address(struct job *j, const struct mailbox *m)
{
	char shown[LIM_PATH + 1];
	const char *a, *b;
	size_t la, lb;

	if (m->display[0] == '\0' ||
	    mailbox_in_text(m->display, shown, sizeof(shown)) == -1 ||
	    (a = address_domain(shown)) == NULL ||
	    (b = address_domain(m->address)) == NULL)
		return;
	/* One may be below the other: mail.a.example and a.example. */
	la = strlen(a);
	lb = strlen(b);
	if (la >= lb ? strcasecmp(a + la - lb, b) == 0 &&
	    (la == lb || a[la - lb - 1] == '.') :
	    strcasecmp(b + lb - la, a) == 0 && b[lb - la - 1] == '.')
		return;
	findings_add(&j->found, SYM_FROM_DISPLAY_ADDRESS, "%s", shown);
}

void
rule_header_form(struct job *j, const struct view *v)
{
	static const struct {
		unsigned	 odd;
		const char	*what;
	} forms[] = {
		{ ODD_EMPTY,	"no header field" },
		{ ODD_NOCOLON,	"line without colon" },
		{ ODD_NAME,	"field name" },
		{ ODD_NUL,	"NUL" },
		{ ODD_LINEEND,	"line end" },
		{ ODD_NOEND,	"no empty line" },
		{ ODD_FOLD,	"folding" },
	};
	unsigned odd = v->header.odd;
	size_t i;

	/* One finding: they come together. */
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (odd & forms[i].odd) {
			findings_add(&j->found, SYM_HEADER_MALFORMED, "%s",
			    forms[i].what);
			break;
		}
	}
	if (odd & ODD_CHARSET)
		findings_add(&j->found, SYM_HEADER_8BIT, NULL);
	if (odd & (ODD_FIELDS | ODD_LONG))
		findings_add(&j->found, SYM_HEADER_TOO_LONG, "%s",
		    odd & ODD_FIELDS ? "fields" : "octets");
}

static int
has_text(const struct header *h, enum field_id id)
{
	const struct field *f = header_field(h, id);

	return f != NULL && f->len > 0;
}

/* RFC 5322 3.6.4, loosely: <left@right> without blanks. */
static int
message_id_valid(const struct field *f)
{
	const char *at;

	if (f->len < 5 || f->value[0] != '<' || f->value[f->len - 1] != '>' ||
	    memchr(f->value, ' ', f->len) != NULL ||
	    memchr(f->value, '\t', f->len) != NULL)
		return 0;
	at = memchr(f->value, '@', f->len);
	return at != NULL && at > f->value + 1 &&
	    at < f->value + f->len - 2;
}
