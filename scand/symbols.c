/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scand/symbols.h"

/*
 * The one table of symbols.  Points are hundredths; what they add up to is
 * judged in verdict.c.  Thresholds are about 4 (greylist) and 8 (reject), so a
 * habit of careless but honest software costs at most 1, and no rule of a
 * single header field reaches 4 alone.
 */

#define SCORES	(-1)

static const struct symbol table[SYM_MAX] = {
	[SYM_MISSING_DATE] = { "MISSING_DATE", "header", 100, SCORES,
	    "There is no Date field, which RFC 5322 requires." },
	[SYM_INVALID_DATE] = { "INVALID_DATE", "header", 100, SCORES,
	    "The Date field is not a date." },
	[SYM_FUTURE_DATE] = { "FUTURE_DATE", "header", 150, SCORES,
	    "The Date field is more than a day ahead." },
	[SYM_OLD_DATE] = { "OLD_DATE", "header", 100, SCORES,
	    "The Date field is more than 30 days old." },
	[SYM_MISSING_FROM] = { "MISSING_FROM", "header", 200, SCORES,
	    "There is no From field, which RFC 5322 requires." },
	[SYM_MULTIPLE_FROM] = { "MULTIPLE_FROM", "header", 200, SCORES,
	    "There are several From fields or authors." },
	[SYM_FROM_INVALID] = { "FROM_INVALID", "header", 150, SCORES,
	    "The From field is not an address list." },
	[SYM_FROM_DISPLAY_ADDRESS] = { "FROM_DISPLAY_ADDRESS", "header", 200,
	    SCORES, "The name in From shows an address of another domain." },
	[SYM_MISSING_MESSAGE_ID] = { "MISSING_MESSAGE_ID", "header", 100,
	    SCORES, "There is no Message-ID field." },
	[SYM_INVALID_MESSAGE_ID] = { "INVALID_MESSAGE_ID", "header", 50,
	    SCORES, "The Message-ID is not of the form <left@right>." },
	[SYM_MISSING_SUBJECT] = { "MISSING_SUBJECT", "header", 50, SCORES,
	    "There is no Subject field, or it is empty." },
	[SYM_MISSING_TO] = { "MISSING_TO", "header", 50, SCORES,
	    "No field says for whom it is: To, Cc, Bcc." },
	[SYM_UNDISCLOSED_RECIPIENTS] = { "UNDISCLOSED_RECIPIENTS", "header",
	    50, SCORES, "The To field names nobody." },
	[SYM_DUPLICATE_FIELD] = { "DUPLICATE_FIELD", "header", 150, SCORES,
	    "A field that may stand once is there several times." },
	[SYM_SUBJECT_8BIT] = { "SUBJECT_8BIT", "header", 50, SCORES,
	    "The Subject has octets above 127 without encoding." },
	[SYM_REPLY_WITHOUT_REFERENCE] = { "REPLY_WITHOUT_REFERENCE", "header",
	    50, SCORES, "The Subject says Re: but nothing is answered." },
	[SYM_HEADER_8BIT] = { "HEADER_8BIT", "header", 100, SCORES,
	    "The header has octets above 127 that are not UTF-8." },
	[SYM_HEADER_MALFORMED] = { "HEADER_MALFORMED", "header", 150, SCORES,
	    "The header section is not well formed." },
	[SYM_HEADER_TOO_LONG] = { "HEADER_TOO_LONG", "header", 150, SCORES,
	    "The header section is longer than what is looked at." },
	[SYM_MANY_RECEIVED] = { "MANY_RECEIVED", "header", 50, SCORES,
	    "The message has passed more than 25 relays." },
	[SYM_EMPTY_BODY] = { "EMPTY_BODY", "body", 50, SCORES,
	    "The body is empty." },
	[SYM_LONG_LINES] = { "LONG_LINES", "body", 50, SCORES,
	    "A line has more than the 998 octets that RFC 5322 allows." },
	[SYM_HELO_NOT_FQDN] = { "HELO_NOT_FQDN", "client", 150, SCORES,
	    "The client's HELO is not a full host name." },
	[SYM_HELO_LITERAL_WRONG] = { "HELO_LITERAL_WRONG", "client", 200,
	    SCORES, "The client's HELO is an address, but not its own." },
	[SYM_HELO_IS_OURS] = { "HELO_IS_OURS", "client", 300, SCORES,
	    "The client greets with a name of this gateway or its domains." },
	[SYM_NO_RDNS] = { "NO_RDNS", "client", 150, SCORES,
	    "The client's address has no name." },
	[SYM_RDNS_MISMATCH] = { "RDNS_MISMATCH", "client", 100, SCORES,
	    "The client's name does not lead back to its address." },
	[SYM_RDNS_TEMPERROR] = { "RDNS_TEMPERROR", "client", 0, SCORES,
	    "The client's name could not be looked up." },
	[SYM_DYNAMIC_RDNS] = { "DYNAMIC_RDNS", "client", 150, SCORES,
	    "The client's name looks like a dial-up or home line." },
	[SYM_SENDER_DOMAIN_NO_MX] = { "SENDER_DOMAIN_NO_MX", "sender", 300,
	    SCORES, "The sender's domain cannot receive mail." },
	[SYM_SPF_PASS] = { "SPF_PASS", "auth", -10, SCORES,
	    "SPF: the client may send for the sender's domain." },
	[SYM_SPF_FAIL] = { "SPF_FAIL", "auth", 250, SCORES,
	    "SPF: the client may not send for the sender's domain." },
	[SYM_SPF_SOFTFAIL] = { "SPF_SOFTFAIL", "auth", 100, SCORES,
	    "SPF: the client most likely may not send for it." },
	[SYM_SPF_NEUTRAL] = { "SPF_NEUTRAL", "auth", 0, SCORES,
	    "SPF: the sender's domain does not say who may send for it." },
	[SYM_SPF_NONE] = { "SPF_NONE", "auth", 0, SCORES,
	    "The sender's domain has no SPF record (if that has points)." },
	[SYM_SPF_FORWARDED] = { "SPF_FORWARDED", "auth", 0, SCORES,
	    "SPF fails, but by its signature or client it was passed on." },
	[SYM_SPF_TEMPERROR] = { "SPF_TEMPERROR", "auth", 0, SCORES,
	    "SPF could not be judged, as DNS did not answer." },
	[SYM_SPF_PERMERROR] = { "SPF_PERMERROR", "auth", 50, SCORES,
	    "The SPF record of the sender's domain is wrong." },
	[SYM_SPF_HELO_FAIL] = { "SPF_HELO_FAIL", "auth", 150, SCORES,
	    "SPF: the client may not greet with that name." },
	[SYM_DKIM_VALID] = { "DKIM_VALID", "auth", -20, SCORES,
	    "A DKIM signature is valid." },
	[SYM_DKIM_INVALID] = { "DKIM_INVALID", "auth", 20, SCORES,
	    "No DKIM signature is valid: the message was changed or forged." },
	[SYM_DKIM_WEAK] = { "DKIM_WEAK", "auth", 10, SCORES,
	    "The DKIM signature has SHA-1, a short key or part of a body." },
	[SYM_DKIM_UNUSABLE] = { "DKIM_UNUSABLE", "auth", 0, SCORES,
	    "The DKIM signature or its key is not well formed, or missing." },
	[SYM_DKIM_TEMPERROR] = { "DKIM_TEMPERROR", "auth", 0, SCORES,
	    "The key of a DKIM signature could not be looked up." },
	[SYM_DKIM_NONE] = { "DKIM_NONE", "auth", 0, SCORES,
	    "There is no DKIM signature (if that has points)." },
	[SYM_DMARC_PASS] = { "DMARC_PASS", "auth", -20, SCORES,
	    "DMARC: the author's domain vouches for the message." },
	[SYM_DMARC_FAIL_NONE] = { "DMARC_FAIL_NONE", "auth", 50, SCORES,
	    "DMARC: the author's domain does not vouch nor ask for more." },
	[SYM_DMARC_FAIL_QUARANTINE] = { "DMARC_FAIL_QUARANTINE", "auth", 150,
	    SCORES, "DMARC: the author's domain asks to be suspicious." },
	[SYM_DMARC_FAIL_REJECT] = { "DMARC_FAIL_REJECT", "auth", 400,
	    DECISIVE_DMARC, "DMARC: the author's domain asks to refuse it." },
	[SYM_DMARC_FORWARDED] = { "DMARC_FORWARDED", "auth", 0, SCORES,
	    "DMARC fails, but a known forwarder has passed it on." },
	[SYM_DMARC_TEMPERROR] = { "DMARC_TEMPERROR", "auth", 0, SCORES,
	    "DMARC could not be judged, as DNS did not answer." },
	[SYM_DMARC_NONE] = { "DMARC_NONE", "auth", 0, SCORES,
	    "The author's domain has no DMARC record (if that has points)." },
	[SYM_DMARC_UNCLEAR] = { "DMARC_UNCLEAR", "auth", 200, SCORES,
	    "Too many authors, or too long a header, to judge all by DMARC." },
	[SYM_ARC_VALID] = { "ARC_VALID", "auth", -50, SCORES,
	    "A configured ARC sealer has passed it on as it was sealed." },
	[SYM_ARC_INVALID] = { "ARC_INVALID", "auth", 0, SCORES,
	    "The ARC seals in a configured sealer's name are not valid." },
	[SYM_AUTHRES_FORGED] = { "AUTHRES_FORGED", "auth", 100, SCORES,
	    "Authentication-Results in the gateway's name were there before." },
	[SYM_DNSBL] = { "DNSBL", "list", 0, SCORES,
	    "The client is on a DNS list (points: see dnsbl)." },
	[SYM_DNSWL] = { "DNSWL", "list", 0, SCORES,
	    "The client is on a DNS list of good ones." },
	[SYM_DOMAIN_LISTED] = { "DOMAIN_LISTED", "list", 0, SCORES,
	    "A name of the sender is on a DNS list (points: see dnsbl)." },
	[SYM_URL_LISTED] = { "URL_LISTED", "list", 0, SCORES,
	    "A link leads to a host on a DNS list (points: see dnsbl)." },
	[SYM_URL_IP_HOST] = { "URL_IP_HOST", "link", 200, SCORES,
	    "A link leads to an address instead of a name." },
	[SYM_URL_OBSCURED] = { "URL_OBSCURED", "link", 250, SCORES,
	    "A link's host is written so that people do not see it." },
	[SYM_URL_USERINFO] = { "URL_USERINFO", "link", 200, SCORES,
	    "A link has a name before its host, as if it led there." },
	[SYM_URL_PORT] = { "URL_PORT", "link", 50, SCORES,
	    "A link leads to an unusual port." },
	[SYM_URL_MIXED_SCRIPTS] = { "URL_MIXED_SCRIPTS", "link", 200, SCORES,
	    "A link's host has letters that look like others." },
	[SYM_URL_TEXT_DIFFERS] = { "URL_TEXT_DIFFERS", "link", 100, SCORES,
	    "The text of a link names another domain than its own." },
	[SYM_URL_DOCUMENT] = { "URL_DOCUMENT", "link", 200, SCORES,
	    "A link is itself the document that it shows." },
	[SYM_MACRO] = { "MACRO", "attach", 0, DECISIVE_MACRO,
	    "An Office document has macros." },
	[SYM_MACRO_UNREADABLE] = { "MACRO_UNREADABLE", "attach",
	    0, DECISIVE_MACRO_UNREADABLE,
	    "An Office document has macros that cannot be read." },
	[SYM_OLE_PACKAGE] = { "OLE_PACKAGE", "attach", 0, DECISIVE_MACRO,
	    "An Office document has a program in it." },
	[SYM_PDF_ENCRYPTED] = { "PDF_ENCRYPTED", "attach", 0, DECISIVE_PDF,
	    "A PDF document does not open without a password." },
	[SYM_PDF_OWNER] = { "PDF_OWNER", "attach", 0, DECISIVE_PDF_OWNER,
	    "A PDF document is encrypted, but opens without a password." },
	[SYM_ARCHIVE_ENCRYPTED] = { "ARCHIVE_ENCRYPTED", "attach",
	    0, DECISIVE_ARCHIVE,
	    "An archive is encrypted, or a member of it." },
	[SYM_ARCHIVE_HALF_ENCRYPTED] = { "ARCHIVE_HALF_ENCRYPTED", "attach",
	    0, DECISIVE_ARCHIVE_HALF,
	    "A ZIP archive contradicts itself about encryption." },
	[SYM_OFFICE_ENCRYPTED] = { "OFFICE_ENCRYPTED", "attach",
	    0, DECISIVE_OFFICE, "An Office document is encrypted." },
	[SYM_MESSAGE_PARTIAL] = { "MESSAGE_PARTIAL", "attach",
	    0, DECISIVE_PARTIAL,
	    "The message is a piece of another (message/partial)." },
	[SYM_OPAQUE] = { "OPAQUE", "attach", 400, DECISIVE_OPAQUE,
	    "An attachment cannot be looked into." },
	[SYM_OVER_BUDGET] = { "OVER_BUDGET", "attach", 400, DECISIVE_OPAQUE,
	    "There is more in an attachment than is looked at." },
	[SYM_DAMAGED] = { "DAMAGED", "attach", 200, SCORES,
	    "An attachment does not hold together." },
	[SYM_PDF_OLD_ENCRYPT] = { "PDF_OLD_ENCRYPT", "attach", 100, SCORES,
	    "A PDF document was encrypted in an earlier version." },
	[SYM_PDF_ATTACHMENT_ENCRYPTED] = { "PDF_ATTACHMENT_ENCRYPTED", "attach",
	    200, SCORES, "A PDF document has encrypted attachments." },
	[SYM_PDF_ACTIVE] = { "PDF_ACTIVE", "attach", 50, SCORES,
	    "A PDF document has scripts or starts programs." },
	[SYM_ODF_MACRO] = { "ODF_MACRO", "attach", 400, SCORES,
	    "A LibreOffice document has macros." },
	[SYM_VBA_EMPTY] = { "VBA_EMPTY", "attach", 0, SCORES,
	    "An Office document has a macro project without code." },
	[SYM_WORDBASIC] = { "WORDBASIC", "attach", 200, SCORES,
	    "A document of Word 6 or 95 has macros." },
	[SYM_EXTERNAL_TEMPLATE] = { "EXTERNAL_TEMPLATE", "attach", 250, SCORES,
	    "An Office document loads a template from elsewhere." },
	[SYM_DDE] = { "DDE", "attach", 200, SCORES,
	    "A document starts programs by DDE." },
	[SYM_EXECUTABLE] = { "EXECUTABLE", "attach", 350, SCORES,
	    "An attachment is a program." },
	[SYM_DISK_IMAGE] = { "DISK_IMAGE", "attach", 300, SCORES,
	    "An attachment is an image of a disk." },
	[SYM_DOUBLE_EXTENSION] = { "DOUBLE_EXTENSION", "attach", 300, SCORES,
	    "A program has the name of a document." },
	[SYM_NAME_DISAGREES] = { "NAME_DISAGREES", "attach", 150, SCORES,
	    "An attachment is not what its name says." },
	[SYM_NAME_OVERRIDE] = { "NAME_OVERRIDE", "attach", 400, SCORES,
	    "The name of an attachment reads backwards." },
	[SYM_EXTERNAL_BODY] = { "EXTERNAL_BODY", "attach", 100, SCORES,
	    "A part is to be fetched from elsewhere." },
	[SYM_PASSWORD_IN_TEXT] = { "PASSWORD_IN_TEXT", "attach", 300, SCORES,
	    "Something is encrypted, and the text tells a password." },
	[SYM_GTUBE] = { "GTUBE", "pattern", 100000, SCORES,
	    "The message has the test text for spam filters." },
	[SYM_VIRUS] = { "VIRUS", "pattern", 0, DECISIVE_VIRUS,
	    "The message carries malware." },
	[SYM_DNS_GIVEN_UP] = { "DNS_GIVEN_UP", "scan", 0, SCORES,
	    "Some answers from DNS did not come in time." },
	[SYM_ANTIVIRUS_DOWN] = { "ANTIVIRUS_DOWN", "scan", 0, SCORES,
	    "No clamd could say whether it is malware." },
	[SYM_MANY_FINDINGS] = { "MANY_FINDINGS", "scan", 0, SCORES,
	    "There were more findings than are listed." },
};

static int32_t	points[SYM_MAX];

static void	findings_put(struct findings *, enum symbol_id, int32_t,
		    const char *, va_list)
		    __attribute__((format(printf, 4, 0)));
static uint16_t	findings_text(struct findings *, const char *, va_list)
		    __attribute__((format(printf, 2, 0)));

const struct symbol *
symbol(enum symbol_id id)
{
	return &table[id];
}

int
symbol_find(const char *name)
{
	int i;

	for (i = 0; i < SYM_MAX; i++) {
		if (strcmp(table[i].name, name) == 0)
			return i;
	}
	return -1;
}

int
symbol_known(const char *name)
{
	return symbol_find(name) != -1;
}

void
symbols_configure(const struct config *conf)
{
	const struct config_symbol *s;
	int i;

	for (i = 0; i < SYM_MAX; i++)
		points[i] = table[i].points;
	TAILQ_FOREACH(s, &conf->symbols, entry) {
		if ((i = symbol_find(s->name)) != -1)
			points[i] = s->points;
	}
}

int32_t
symbol_points(enum symbol_id id)
{
	return points[id];
}

void
findings_reset(struct findings *f)
{
	f->n = 0;
	f->len = 1;		/* offset 0 says: no detail */
	f->text[0] = '\0';
}

void
findings_add(struct findings *f, enum symbol_id id, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	findings_put(f, id, points[id], fmt, ap);
	va_end(ap);
}

void
findings_add_points(struct findings *f, enum symbol_id id, int32_t p,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	findings_put(f, id, p, fmt, ap);
	va_end(ap);
}

static void
findings_put(struct findings *f, enum symbol_id id, int32_t p,
    const char *fmt, va_list ap)
{
	struct hit *v;

	if (f->n >= LIM_SYMBOLS - 1) {
		v = &f->v[LIM_SYMBOLS - 1];
		if (f->n == LIM_SYMBOLS && table[v->id].decisive != SCORES)
			return;
		if (table[id].decisive == SCORES) {
			id = SYM_MANY_FINDINGS;
			p = points[id];
			fmt = NULL;
		}
		f->n = LIM_SYMBOLS;
	} else
		v = &f->v[f->n++];
	v->id = id;
	v->points = p;
	v->detail = fmt == NULL ? 0 : findings_text(f, fmt, ap);
}

/* What a sender wrote must not forge a line or a column anywhere. */
static uint16_t
findings_text(struct findings *f, const char *fmt, va_list ap)
{
	size_t at = f->len, room = sizeof(f->text) - f->len, i;
	int n;

	if (room < 2 || (n = vsnprintf(f->text + at, room, fmt, ap)) <= 0)
		return 0;
	/* symbol_hit.detail, common/protocol.h, is the shortest of them. */
	if (room > sizeof(((struct symbol_hit *)0)->detail))
		room = sizeof(((struct symbol_hit *)0)->detail);
	if ((size_t)n >= room)
		n = (int)room - 1;
	for (i = at; i < at + (size_t)n; i++) {
		if ((unsigned char)f->text[i] < 32 ||
		    (unsigned char)f->text[i] > 126)
			f->text[i] = '?';
	}
	f->text[at + (size_t)n] = '\0';
	f->len = at + (size_t)n + 1;
	return (uint16_t)at;
}

const char *
hit_detail(const struct findings *f, const struct hit *v)
{
	return f->text + v->detail;
}

int
findings_has(const struct findings *f, enum symbol_id id)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->v[i].id == id)
			return 1;
	}
	return 0;
}

void
findings_rewind(struct findings *f, size_t n, size_t len)
{
	f->n = n;
	f->len = len;
}
