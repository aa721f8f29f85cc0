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
 * DMARC without a message: records, walks, alignment.  dmarc.tsv has cases of
 * our own; ../shared, where it is there, has those of others, in the same
 * form:
 *
 *	S	description, begins with an empty zone
 *	Z	name, type, value... (strings are joined)
 *	D	id, author, spf result:domain, dkim result:domain,...,
 *		result, policy, policy domain, aligned, note
 */

#define OWN	"regress/scand/auth/dmarc.tsv"
#define SHARED	"../shared/testdata/dmarc/cases.tsv"

static void
changed(void *arg)
{
	(void)arg;
}

static void
zone_line(char **f, size_t n)
{
	char text[DNS_DATA];
	size_t i;

	if (n > 2 && strcmp(f[2], "TIMEOUT") == 0)
		zone_add(f[1], DNS_TXT, DNS_TIMEOUT, "", 0);
	else if (n > 3 && strcmp(f[2], "TXT") == 0) {
		text[0] = '\0';
		for (i = 3; i < n; i++)
			(void)strlcat(text, f[i], sizeof(text));
		zone_txt(f[1], text);
	} else if (n > 3 && strcmp(f[2], "CNAME") == 0)
		zone_add(f[1], DNS_CNAME, DNS_OK, f[3], strlen(f[3]));
	else if (n > 2 && strcmp(f[2], "A") == 0)
		zone_add(f[1], DNS_A, DNS_OK, "\x7f\0\0\1", 4);
	else
		CHECK_STR(n > 2 ? f[2] : "", "a known type");
}

static enum auth_result
result_of(const char *s)
{
	return strcmp(s, "pass") == 0 ? AUTH_PASS :
	    strcmp(s, "fail") == 0 ? AUTH_FAIL :
	    strcmp(s, "temperror") == 0 ? AUTH_TEMPERROR :
	    strcmp(s, "permerror") == 0 ? AUTH_PERMERROR :
	    strcmp(s, "softfail") == 0 ? AUTH_SOFTFAIL :
	    strcmp(s, "neutral") == 0 ? AUTH_NEUTRAL : AUTH_NONE;
}

static size_t
ids_read(char *s, int spf, struct dmarc_id *ids, size_t n)
{
	char *item, *result;

	while (n < 16 && (item = strsep(&s, ",")) != NULL) {
		result = strsep(&item, ":");
		if (item == NULL)
			continue;
		ids[n].domain = item;
		ids[n].result = result_of(result);
		ids[n++].spf = spf;
	}
	return n;
}

/* Answers come one round after the other, as from DNS. */
static int
evaluate(const char *author, const struct dmarc_id *ids, size_t n,
    struct dmarc *d, unsigned *asked)
{
	struct answers a;
	int rounds = 0;

	memset(&a, 0, sizeof(a));
	answers_init(&a, loop_now() + 10000, changed, NULL);
	*asked = zone_asked;
	while (dmarc_evaluate(&a, author, ids, n, d)) {
		rounds++;
		if (answers_ask(&a) > 0)
			(void)zone_answer();
		if (rounds > 5)
			break;
	}
	*asked = zone_asked - *asked;
	answers_free(&a);
	while (a.size > 0)
		free(a.slots[--a.size]);
	free(a.slots);
	return rounds;
}

static void
case_line(const char *file, char **f, size_t n)
{
	static const char *const results[] = {
		[AUTH_NONE] = "none", [AUTH_PASS] = "pass",
		[AUTH_FAIL] = "fail", [AUTH_TEMPERROR] = "temperror"
	};
	static const char *const policies[] = { "none", "quarantine",
	    "reject" };
	struct dmarc_id ids[16];
	struct dmarc d;
	char got[600], want[600];
	size_t k;
	unsigned asked;
	int rounds, none;

	if (n < 7) {
		CHECK_STR(f[0], "a whole line");
		return;
	}
	k = ids_read(f[3], 1, ids, 0);
	k = ids_read(f[4], 0, ids, k);
	rounds = evaluate(f[2], ids, k, &d, &asked);
	none = d.result != AUTH_PASS && d.result != AUTH_FAIL;
	(void)snprintf(got, sizeof(got), "%s: %s %s %s %s%s%s", f[1],
	    results[d.result], none ? "-" : policies[d.policy],
	    none ? "-" : d.domain, d.spf ? "spf" : "",
	    d.spf && d.dkim ? "," : "", d.dkim ? "dkim" : "");
	(void)snprintf(want, sizeof(want), "%s: %s %s %s %s", f[1], f[5],
	    f[6], n > 7 ? f[7] : "-", n > 8 && strcmp(f[8], "-") != 0 ?
	    f[8] : "");
	if (strcmp(got, want) != 0)
		printf("in %s\n", file);
	CHECK_STR(got, want);
	/* A tree has two walks and one question for existence. */
	CHECK(rounds <= 3);
	CHECK(asked <= 40);
}

static int
run_file(const char *file)
{
	char *line = NULL, *p, *f[16];
	size_t size = 0, n;
	ssize_t len;
	int cases = 0;
	FILE *fp = fopen(file, "r");

	if (fp == NULL)
		return -1;
	while ((len = getline(&line, &size, fp)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		p = line;
		for (n = 0; n < 16 && (f[n] = strsep(&p, "\t")) != NULL; n++)
			;
		if (strcmp(f[0], "S") == 0)
			zone_clear();
		else if (strcmp(f[0], "Z") == 0)
			zone_line(f, n);
		else if (strcmp(f[0], "D") == 0) {
			case_line(file, f, n);
			cases++;
		}
	}
	zone_clear();
	free(line);
	(void)fclose(fp);
	return cases;
}

static const struct dmarc_record *
parse(const char *s)
{
	static struct dmarc_record r;

	return dmarc_record_parse(s, strlen(s), &r) == 0 ? &r : NULL;
}

static void
test_record(void)
{
	const struct dmarc_record *r;

	r = parse("v=DMARC1; p=reject; sp=none; adkim=s; aspf=S; t=y; psd=y");
	CHECK(r != NULL && r->usable && r->p == DMARC_REJECT && r->has_sp &&
	    r->sp == DMARC_NONE && !r->has_np && r->strict_dkim &&
	    r->strict_spf && r->test && r->psd == 'y');
	r = parse("  v = DMARC1 ;P = Quarantine;;x;=;zz=1; t=maybe ;psd=q");
	CHECK(r != NULL && r->usable && r->p == DMARC_QUARANTINE &&
	    !r->test && r->psd == 'u' && !r->strict_dkim);
	CHECK(parse("v=DMARC1") != NULL && !parse("v=DMARC1")->usable);
	r = parse("v=DMARC1; p=n; rua=mailto:x@y.example");
	CHECK(r != NULL && r->usable && r->p == DMARC_NONE);
	r = parse("v=DMARC1; np=rejekt; p=reject; rua=foo, mailto:x@y!10m");
	CHECK(r != NULL && r->usable && r->p == DMARC_NONE && !r->has_np);
	r = parse("v=DMARC1; rua=mailto:nobody, http:");
	CHECK(r != NULL && !r->usable);
	CHECK(parse("") == NULL);
	CHECK(parse("v=DMARC1x") == NULL);
	CHECK(parse("v=dmarc1; p=none") == NULL);
	CHECK(parse("p=none; v=DMARC1") == NULL);
	CHECK(parse("v=DMARC1; p=none; p=reject") == NULL);
	CHECK(parse("v=DMARC1; v=DMARC1; p=reject") == NULL);
	CHECK(parse(";v=DMARC1; p=reject") == NULL);
}

int
main(void)
{
	int n;

	log_init("dmarc_test", 1);
	test_record();
	CHECK(run_file(OWN) >= 30);
	if ((n = run_file(SHARED)) != -1)
		CHECK(n >= 19);
	zone_known = 1;
	CHECK(run_file(OWN) >= 30);
	return unit_end();
}
