/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_SYMBOLS_H
#define SCAND_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/limits.h"

/*
 * Symbols: what can be found in a message, each with its points.  One table
 * in symbols.c has them all; a new rule needs a line there.
 */
enum symbol_id {
	/* header */
	SYM_MISSING_DATE, SYM_INVALID_DATE, SYM_FUTURE_DATE, SYM_OLD_DATE,
	SYM_MISSING_FROM, SYM_MULTIPLE_FROM, SYM_FROM_INVALID,
	SYM_FROM_DISPLAY_ADDRESS, SYM_MISSING_MESSAGE_ID,
	SYM_INVALID_MESSAGE_ID, SYM_MISSING_SUBJECT, SYM_MISSING_TO,
	SYM_UNDISCLOSED_RECIPIENTS, SYM_DUPLICATE_FIELD, SYM_SUBJECT_8BIT,
	SYM_REPLY_WITHOUT_REFERENCE, SYM_HEADER_8BIT, SYM_HEADER_MALFORMED,
	SYM_HEADER_TOO_LONG, SYM_MANY_RECEIVED,
	/* body */
	SYM_EMPTY_BODY, SYM_LONG_LINES,
	/* client */
	SYM_HELO_NOT_FQDN, SYM_HELO_LITERAL_WRONG, SYM_HELO_IS_OURS,
	SYM_NO_RDNS, SYM_RDNS_MISMATCH, SYM_RDNS_TEMPERROR, SYM_DYNAMIC_RDNS,
	/* sender */
	SYM_SENDER_DOMAIN_NO_MX,
	/* auth */
	SYM_SPF_PASS, SYM_SPF_FAIL, SYM_SPF_SOFTFAIL, SYM_SPF_NEUTRAL,
	SYM_SPF_NONE, SYM_SPF_FORWARDED, SYM_SPF_TEMPERROR,
	SYM_SPF_PERMERROR, SYM_SPF_HELO_FAIL,
	SYM_DKIM_VALID, SYM_DKIM_INVALID, SYM_DKIM_WEAK, SYM_DKIM_UNUSABLE,
	SYM_DKIM_TEMPERROR, SYM_DKIM_NONE,
	SYM_DMARC_PASS, SYM_DMARC_FAIL_NONE, SYM_DMARC_FAIL_QUARANTINE,
	SYM_DMARC_FAIL_REJECT, SYM_DMARC_FORWARDED, SYM_DMARC_TEMPERROR,
	SYM_DMARC_NONE, SYM_DMARC_UNCLEAR,
	SYM_ARC_VALID, SYM_ARC_INVALID, SYM_AUTHRES_FORGED,
	/* list */
	SYM_DNSBL, SYM_DNSWL, SYM_DOMAIN_LISTED, SYM_URL_LISTED,
	/* link */
	SYM_URL_IP_HOST, SYM_URL_OBSCURED, SYM_URL_USERINFO, SYM_URL_PORT,
	SYM_URL_MIXED_SCRIPTS, SYM_URL_TEXT_DIFFERS, SYM_URL_DOCUMENT,
	/* attach */
	SYM_MACRO, SYM_MACRO_UNREADABLE, SYM_OLE_PACKAGE, SYM_PDF_ENCRYPTED,
	SYM_PDF_OWNER, SYM_ARCHIVE_ENCRYPTED, SYM_ARCHIVE_HALF_ENCRYPTED,
	SYM_OFFICE_ENCRYPTED, SYM_MESSAGE_PARTIAL, SYM_OPAQUE,
	SYM_OVER_BUDGET, SYM_DAMAGED, SYM_PDF_OLD_ENCRYPT,
	SYM_PDF_ATTACHMENT_ENCRYPTED, SYM_PDF_ACTIVE, SYM_ODF_MACRO,
	SYM_VBA_EMPTY, SYM_WORDBASIC, SYM_EXTERNAL_TEMPLATE, SYM_DDE,
	SYM_EXECUTABLE, SYM_DISK_IMAGE, SYM_DOUBLE_EXTENSION,
	SYM_NAME_DISAGREES, SYM_NAME_OVERRIDE, SYM_EXTERNAL_BODY,
	SYM_PASSWORD_IN_TEXT,
	/* pattern */
	SYM_GTUBE, SYM_VIRUS,
	/* scan */
	SYM_DNS_GIVEN_UP, SYM_ANTIVIRUS_DOWN, SYM_MANY_FINDINGS,
	SYM_MAX
};

struct symbol {
	const char	*name;		/* at most LIM_SYMNAME - 1 */
	const char	*group;
	int32_t		 points;	/* default, hundredths */
	int		 decisive;	/* enum decisive, or -1: only scores */
	const char	*text;		/* one line of explanation */
};

const struct symbol *symbol(enum symbol_id);
/* The number of a name, or -1; case matters. */
int		 symbol_find(const char *name);
/* For config_symbol_known: is there such a symbol? */
int		 symbol_known(const char *name);
/* Take the points that the configuration changes; others get the default. */
void		 symbols_configure(const struct config *);
int32_t		 symbol_points(enum symbol_id);

/*
 * What was found in one message, in order.  Large: not to be cleared, but
 * reset.
 */
struct hit {
	enum symbol_id	 id;
	int32_t		 points;
	uint16_t	 detail;	/* offset into text; 0: none */
};

struct findings {
	struct hit	 v[LIM_SYMBOLS];
	size_t		 n;
	char		 text[LIM_FINDING_TEXT];
	size_t		 len;
};

void		 findings_reset(struct findings *);
/*
 * Add one with the points of the table; the detail (NULL: none) is made
 * printable and cut to what fits.  When there are too many, MANY_FINDINGS
 * takes the last place and what comes later only counts if it is decisive.
 */
void		 findings_add(struct findings *, enum symbol_id,
		    const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));
/* The same with points of its own (lists). */
void		 findings_add_points(struct findings *, enum symbol_id,
		    int32_t points, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));
/* "" if there is none. */
const char	*hit_detail(const struct findings *,
		    const struct hit *);
int		 findings_has(const struct findings *, enum symbol_id);
/* Take back what was added since n and len were *f's. */
void		 findings_rewind(struct findings *, size_t n, size_t len);

#endif
