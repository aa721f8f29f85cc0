/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/scand/auth/zone.h"
#include "regress/unit.h"
#include "scand/auth/auth.h"

/*
 * ARC: messages of arc/, the first three sealed by dkimpy, the others by a
 * few lines of Python beside openssl(1), and what is made of them by changes;
 * and the canonical body of messages that others have signed with DKIM.
 */

#define ARC	"regress/scand/auth/arc"
#define DKIM	"regress/scand/auth/dkim"
#define MESSAGE	65536

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "arc sealers \"lists.example\"\n"
    "participant \"uni\" { domain \"uni.example\" deliver to 192.0.2.7 }\n";

static char	 msg[MESSAGE];
static size_t	 msg_len;

static void
changed(void *arg)
{
	(void)arg;
}

/* CRLF where there is LF. */
static int
message_read(const char *dir, const char *name)
{
	char path[512];
	int c;
	FILE *fp;

	(void)snprintf(path, sizeof(path), "%s/%s.eml", dir, name);
	msg_len = 0;
	if ((fp = fopen(path, "r")) == NULL) {
		CHECK_STR(path, "a readable file");
		return -1;
	}
	while ((c = getc(fp)) != EOF && msg_len + 3 < sizeof(msg)) {
		if (c == '\n')
			msg[msg_len++] = '\r';
		msg[msg_len++] = (char)c;
	}
	msg[msg_len] = '\0';
	(void)fclose(fp);
	return 0;
}

/* "pass ", "fail why", "none " */
static const char *
judge(const char *p, size_t n, const char *symbol)
{
	static char got[300];
	struct job *j = job_new();
	char *copy = malloc(n);
	const struct auth *a;

	if (j == NULL || copy == NULL)
		exit(1);
	memset(&j->scan, 0, sizeof(j->scan));
	j->scan.class = CLASS_INBOUND;
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	/* The content is gone when the keys come. */
	memcpy(copy, p, n);
	CHECK_INT(job_content(j, (uint8_t *)copy, n), 0);
	memset(copy, 'x', n);
	free(copy);
	while (job_evaluate(j) == 1)
		(void)zone_answer();
	CHECK(j->arc == NULL);
	a = &j->auth;
	(void)snprintf(got, sizeof(got), "%s %s", a->arc == AUTH_PASS ?
	    "pass" : a->arc == AUTH_FAIL ? "fail" : a->arc == AUTH_TEMPERROR ?
	    "temperror" : "none", a->arc_why == NULL ? "" : a->arc_why);
	CHECK_INT(findings_has(&j->found, SYM_ARC_VALID),
	    a->arc == AUTH_PASS);
	CHECK_INT(findings_has(&j->found, SYM_ARC_INVALID),
	    a->arc == AUTH_FAIL);
	if (symbol != NULL)
		CHECK_STR(a->arc_sealer, symbol);
	job_free(j);
	return got;
}

static void
for_lines(const char *name, void (*fn)(const char *, char **))
{
	char path[512], *line = NULL, *p, *f[3];
	size_t size = 0, n;
	FILE *fp;

	(void)snprintf(path, sizeof(path), "%s/%s", ARC, name);
	if ((fp = fopen(path, "r")) == NULL) {
		CHECK_STR(path, "a readable file");
		return;
	}
	while (getline(&line, &size, fp) > 0) {
		line[strcspn(line, "\n")] = '\0';
		p = line;
		f[1] = f[2] = NULL;
		for (n = 0; n < 3 && (f[n] = strsep(&p, "\t")) != NULL; n++)
			;
		if (line[0] != '#' && n > 1)
			fn(f[0], f);
	}
	free(line);
	(void)fclose(fp);
}

static void
key_line(const char *name, char **f)
{
	zone_txt(name, f[1]);
}

static void
case_line(const char *name, char **f)
{
	char want[300], got[300];

	if (message_read(ARC, name) == -1)
		return;
	(void)snprintf(want, sizeof(want), "%s: %s %s", name, f[1],
	    f[2] == NULL ? "" : f[2]);
	(void)snprintf(got, sizeof(got), "%s: %s", name,
	    judge(msg, msg_len, strcmp(f[1], "none") == 0 ? "" :
	    "lists.example"));
	CHECK_STR(got, want);
}

/* The first, or with "~" before it the last, occurrence is replaced. */
static const char *
mutated(const char *from, const char *to)
{
	static char copy[MESSAGE * 2];
	char *at, *next;
	int last = *from == '~';

	from += last;
	if ((at = strstr(msg, from)) == NULL)
		return "nothing to replace";
	while (last && (next = strstr(at + 1, from)) != NULL)
		at = next;
	(void)snprintf(copy, sizeof(copy), "%.*s%s%s", (int)(at - msg), msg,
	    to, at + strlen(from));
	return judge(copy, strlen(copy), NULL);
}

static void
test_mutations(void)
{
	static const struct {
		const char	*from, *to, *result;
	} m[] = {
		{ "Anna.", "Anna.", "pass " },
		{ "Anna.", "Eve.", "fail body has changed" },
		{ "Are you", "Are  you", "pass " },
		{ "From: Anna", "From: Eve", "fail wrong signature" },
		/* h= names From twice: there is no room for another. */
		{ "From: Anna", "From: Eve <e@x.example>\r\nFrom: Anna",
		    "fail wrong signature" },
		{ "Date:", "X-New: field\r\nDate:", "pass " },
		{ "arc=pass;", "arc=none;", "fail wrong signature" },
		{ "~spf=pass", "spf=fail", "pass " },
		{ "ARC-Authentication-Results: i=1; relay.example; arc=none",
		    "ARC-Authentication-Results: i=1; relay.example; arc=pass",
		    "fail wrong signature" },
		{ "ARC-Seal: i=2;", "arc-seal:  i=2;", "pass " },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=3;",
		    "fail set not complete" },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=2; i=2;", "none " },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=2; h=from;", "none " },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=2;;", "none " },
		{ "ARC-Seal: i=2;", "ARC-Seal: ",  "none " },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=51;",  "none " },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=100;",  "none " },
		{ "ARC-Seal: i=2;", "ARC-Seal: i=0;",  "none " },
		{ "ARC-Seal: i=1;", "ARC-Seal: i=51;", "fail bad instance" },
		{ "ARC-Seal: i=1;", "X-ARC-Seal: i=1;",
		    "fail set not complete" },
		{ "Date:", "ARC-Seal: i=1; cv=none\r\nDate:",
		    "fail instance given twice" },
		{ "d=lists.example", "d=evil-lists.example", "none " },
		{ "d=lists.example", "d=lists.example.evil.example", "none " },
		{ "d=relay.example", "d=relay2.example",
		    "fail wrong signature" },
		{ "~d=lists.example", "d=lists2.example", "fail no key" },
		{ "~c=relaxed/relaxed;", "c=simple;",
		    "fail wrong signature" },
		{ "c=relaxed/relaxed;", "c=loose;",
		    "fail unknown canonicalization" },
		{ "ARC-Message-Signature: i=2;",
		    "ARC-Message-Signature: i=2; v=1;",
		    "fail signature with a strange tag" },
		{ "a=rsa-sha256", "a=rsa-sha1", "none " },
		{ "~cv=none", "cv=pass", "fail a seal says that it is broken" },
		{ "cv=pass", "cv=good", "none " },
	};
	char got[200], want[200];
	size_t i;

	if (message_read(ARC, "two") == -1)
		return;
	for (i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		(void)snprintf(got, sizeof(got), "%s: %s", m[i].to,
		    mutated(m[i].from, m[i].to));
		(void)snprintf(want, sizeof(want), "%s: %s", m[i].to,
		    m[i].result);
		CHECK_STR(got, want);
	}
}

static void
test_keys(void)
{
	static const struct {
		const char	*text, *result;
	} k[] = {
		{ "v=DKIM1; p=", "fail key revoked" },
		{ "v=DKIM2; p=AAAA", "fail key for something else" },
		{ "v=DKIM1; h=sha1; p=AAAA", "fail key for something else" },
		{ "v=DKIM1; s=web; p=AAAA", "fail key for something else" },
		{ "v=DKIM1; p=AAAA", "fail key not readable" },
		{ "v=DKIM1; k=ed25519; p=AAAA", "fail key of another type" },
		{ "hello", "fail no key in the record" },
	};
	size_t i;

	if (message_read(ARC, "one") == -1)
		return;
	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++) {
		zone_clear();
		zone_txt("arc._domainkey.lists.example", k[i].text);
		CHECK_STR(judge(msg, msg_len, NULL), k[i].result);
	}
	zone_clear();
	zone_add("arc._domainkey.lists.example", DNS_TXT, DNS_FAIL, "", 0);
	CHECK_STR(judge(msg, msg_len, NULL), "temperror ");
	zone_clear();
}

/* Of others: their bh= is what our canonical body has. */
static void
test_bodies(void)
{
	static const char *const files[] = {
		"rsa-relaxed", "rsa-simple", "spaces-relaxed", "both",
		"ed25519", "pkcs1"
	};
	char want[64], got[64];
	uint8_t digest[32];
	struct canon c;
	const char *p, *body;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (message_read(DKIM, files[i]) == -1)
			continue;
		body = strstr(msg, "\r\n\r\n") + 4;
		p = strstr(msg, "bh=") + 3;
		(void)snprintf(want, sizeof(want), "%.44s", p);
		CHECK_INT(canon_begin(&c), 0);
		canon_body(&c, (const uint8_t *)body, strlen(body),
		    strstr(msg, "/relaxed") != NULL);
		CHECK_INT(canon_digest(&c, digest), 0);
		canon_end(&c);
		(void)EVP_EncodeBlock((unsigned char *)got, digest, 32);
		CHECK_STR(got, want);
	}
}

int
main(void)
{
	struct config *conf;

	log_init("arc_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL)
		return 1;
	job_configure(conf);
	for_lines("keys.tsv", key_line);
	for_lines("cases.tsv", case_line);
	test_mutations();
	zone_known = 1;
	for_lines("cases.tsv", case_line);
	zone_known = 0;
	test_keys();
	test_bodies();
	config_free(conf);
	return unit_end();
}
