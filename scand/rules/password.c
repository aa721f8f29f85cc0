/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "scand/scand.h"

/*
 * Something encrypted in a mail whose text tells the password: that keeps
 * nobody out but scanners.
 */

static const enum symbol_id encrypted[] = {
	SYM_PDF_ENCRYPTED, SYM_ARCHIVE_ENCRYPTED, SYM_ARCHIVE_HALF_ENCRYPTED,
	SYM_OFFICE_ENCRYPTED,
};

/* Two cases where they are not ASCII. */
static const char *const words[] = {
	"password", "passwort", "passcode", "pass code", "kennwort",
	"mot de passe", "contrase", "wachtwoord", "has\xc5\x82o",
	"senha", "parola", "heslo", "jelsz\xc3\xb3", "l\xc3\xb6senord",
	"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1",
	"\xd0\x9f\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1",
	"\xd0\x9f\xd0\x90\xd0\xa0\xd0\x9e\xd0\x9b\xd0",
	"\xe5\xaf\x86\xe7\xa0\x81", "\xe5\xaf\x86\xe7\xa2\xbc",
	"\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89",
};

void
rule_password(struct job *j, const struct view *v)
{
	size_t i;

	for (i = 0; i < sizeof(encrypted) / sizeof(encrypted[0]); i++) {
		if (findings_has(&j->found, encrypted[i]))
			break;
	}
	if (i == sizeof(encrypted) / sizeof(encrypted[0]))
		return;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasestr(v->text->p, words[i]) != NULL) {
			findings_add(&j->found, SYM_PASSWORD_IN_TEXT, NULL);
			return;
		}
	}
}
