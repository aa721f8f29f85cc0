/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/scand/auth/zone.h"
#include "regress/unit.h"
#include "scand/auth/auth.h"

/*
 * DKIM: messages of dkim/, signed by keys of our own, with all that can be
 * wrong with them; what is made of such a message by changing its signature;
 * and, where ../shared is there, messages that others have collected.
 */

#define OWN	"regress/scand/auth/dkim"
#define SHARED	"../shared/testdata/dkim"
#define MESSAGE	(4 * 1024 * 1024)

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "participant \"uni\" { domain \"uni.example\" deliver to 192.0.2.7 }\n";

static const char *const results[] = {
	[AUTH_NONE] = "none", [AUTH_PASS] = "pass", [AUTH_FAIL] = "fail",
	[AUTH_SOFTFAIL] = "softfail", [AUTH_NEUTRAL] = "neutral",
	[AUTH_POLICY] = "policy", [AUTH_TEMPERROR] = "temperror",
	[AUTH_PERMERROR] = "permerror"
};

static char	 msg[MESSAGE];
static size_t	 msg_len;

static void
changed(void *arg)
{
	(void)arg;
}

/* The message as it comes by SMTP, in its class; the job is the caller's. */
static struct job *
judge(const char *p, size_t n)
{
	struct job *j = job_new();

	if (j == NULL)
		exit(1);
	memset(&j->scan, 0, sizeof(j->scan));
	(void)strlcpy(j->scan.id, "0123456789abcdef", sizeof(j->scan.id));
	j->scan.class = CLASS_INBOUND;
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	/* The content is gone when the keys come. */
	char *copy = malloc(n == 0 ? 1 : n);
	if (copy == NULL)
		exit(1);
	memcpy(copy, p, n);
	CHECK_INT(job_content(j, (uint8_t *)copy, n), 0);
	memset(copy, 'x', n);
	free(copy);
	while (job_evaluate(j) == 1)
		(void)zone_answer();
	CHECK(j->dkim == NULL);
	return j;
}

/* One word a signature. */
static const char *
result_list(const struct job *j)
{
	static char buf[256];
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < j->auth.nsigs; i++) {
		if (i > 0)
			(void)strlcat(buf, ",", sizeof(buf));
		(void)strlcat(buf, results[j->auth.sigs[i].result],
		    sizeof(buf));
	}
	return j->auth.nsigs == 0 ? "none" : buf;
}

/* One word for all of them, as the collection has it. */
static const char *
result_one(const struct job *j)
{
	static const enum auth_result order[] = { AUTH_PASS, AUTH_TEMPERROR,
	    AUTH_FAIL, AUTH_POLICY, AUTH_PERMERROR, AUTH_NEUTRAL };
	size_t i, k;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		for (k = 0; k < j->auth.nsigs; k++) {
			if (j->auth.sigs[k].result == order[i])
				return results[order[i]];
		}
	}
	return "none";
}

static int
is_among(const char *word, const char *list)
{
	size_t n = strlen(word);

	for (; (list = strstr(list, word)) != NULL; list++) {
		if (list[n] == '\0' || list[n] == '|')
			return 1;
	}
	return 0;
}

/* CRLF where there is LF only. */
static int
message_read(const char *dir, const char *name)
{
	static char raw[MESSAGE / 2];
	char path[512];
	size_t i, n;
	FILE *fp;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fp = fopen(path, "r")) == NULL) {
		CHECK_STR(path, "a readable file");
		return -1;
	}
	n = fread(raw, 1, sizeof(raw), fp);
	(void)fclose(fp);
	msg_len = 0;
	for (i = 0; i < n; i++) {
		if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r'))
			msg[msg_len++] = '\r';
		msg[msg_len++] = raw[i];
	}
	return 0;
}

static void
for_lines(const char *dir, const char *name, void (*fn)(char **, size_t))
{
	char path[512], *line = NULL, *p, *f[8];
	size_t size = 0, n;
	FILE *fp;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fp = fopen(path, "r")) == NULL) {
		CHECK_STR(path, "a readable file");
		return;
	}
	while (getline(&line, &size, fp) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		p = line;
		for (n = 0; n < 8 && (f[n] = strsep(&p, "\t")) != NULL; n++)
			;
		fn(f, n);
	}
	free(line);
	(void)fclose(fp);
}

/*
 * Our own.
 */

static void
own_key(char **f, size_t n)
{
	char name[DNS_NAME];

	(void)snprintf(name, sizeof(name), "%s._domainkey.football.example",
	    f[0]);
	if (strcmp(f[1], "TXT") == 0)
		zone_txt(name, n > 2 ? f[2] : "");
	else
		zone_add(name, DNS_TXT, DNS_FAIL, "", 0);
}

static void
own_case(char **f, size_t n)
{
	char name[64], got[300], want[300];
	struct job *j;

	CHECK(n >= 2);
	(void)snprintf(name, sizeof(name), "%s.eml", f[0]);
	if (n < 2 || message_read(OWN, name) == -1)
		return;
	j = judge(msg, msg_len);
	(void)snprintf(got, sizeof(got), "%s: %s", f[0], result_list(j));
	(void)snprintf(want, sizeof(want), "%s: %s", f[0], f[1]);
	CHECK_STR(got, want);
	job_free(j);
	CHECK_INT(dkim_held(), 0);
}

/*
 * Those of others.
 */

static unsigned	 shared_cases;

static void
shared_key(char **f, size_t n)
{
	char name[DNS_NAME];
	size_t i;

	(void)strlcpy(name, f[0], sizeof(name));
	for (i = 0; name[i] != '\0'; i++)
		name[i] = name[i] >= 'A' && name[i] <= 'Z' ?
		    (char)(name[i] + 32) : name[i];
	if (strcmp(f[1], "TXT") == 0)
		zone_txt(name, n > 2 ? f[2] : "");
	else if (strcmp(f[1], "SERVFAIL") == 0)
		zone_add(name, DNS_TXT, DNS_FAIL, "", 0);
}

static void
shared_case(char **f, size_t n)
{
	struct job *j;

	if (n < 4 || message_read(SHARED, f[1]) == -1)
		return;
	j = judge(msg, msg_len);
	if (!is_among(result_one(j), f[3])) {
		printf("%s: %s (%s), not %s\n", f[0], result_one(j),
		    j->auth.nsigs > 0 && j->auth.sigs[0].why != NULL ?
		    j->auth.sigs[0].why : "", f[3]);
		CHECK_STR(f[0], "as expected");
	} else
		CHECK(1);
	job_free(j);
	CHECK_INT(dkim_held(), 0);
	shared_cases++;
}

/*
 * What is made of a good signature.
 */

/* Replace the first occurrence, and judge. */
static const char *
mutated(const char *from, const char *to, const char **why)
{
	static char copy[65536];
	const char *result, *at;
	struct job *j;
	size_t n;

	msg[msg_len] = '\0';
	if ((at = strstr(msg, from)) == NULL)
		return "nothing to replace";
	n = (size_t)(at - msg);
	(void)snprintf(copy, sizeof(copy), "%.*s%s%s", (int)n, msg, to,
	    at + strlen(from));
	j = judge(copy, strlen(copy));
	result = result_list(j);
	*why = j->auth.nsigs > 0 && j->auth.sigs[0].why != NULL ?
	    j->auth.sigs[0].why : "";
	job_free(j);
	CHECK_INT(dkim_held(), 0);
	return result;
}

static void
test_mutations(void)
{
	static const struct {
		const char	*from, *to, *result, *why;
	} m[] = {
		{ "v=1;", "v=1;", "pass", "" },
		{ "v=1;", "v=1; v=1;", "permerror", "tag given twice" },
		{ "v=1;", "v=1; zz=1; ZZ=2;", "permerror", "tag given twice" },
		{ "v=1;", "v=1; X=1;", "permerror", "tag in upper case" },
		{ "v=1;", "v=1; zz;", "permerror",
		    "signature is not a tag list" },
		{ "v=1;", "v=1;;", "permerror",
		    "signature is not a tag list" },
		{ "v=1;", "v=2;", "permerror", "unknown version" },
		{ "v=1;", "", "permerror", "signature lacks a tag" },
		{ "v=1;", "v=1; q=dns/txt;", "fail", "wrong signature" },
		{ "v=1;", "v=1; q=x/y:dns/txt;", "fail", "wrong signature" },
		{ "v=1;", "v=1; q=dns;", "permerror", "unknown query method" },
		{ "v=1;", "v=1; i=@football.example;", "fail",
		    "wrong signature" },
		{ "v=1;", "v=1; i=@x.football.example;", "fail",
		    "wrong signature" },
		{ "v=1;", "v=1; i=@other.example;", "permerror", NULL },
		{ "v=1;", "v=1; i=@football.example=;", "permerror",
		    "bad identity" },
		{ "v=1;", "v=1; i=x=4;", "permerror", "bad identity" },
		{ "v=1;", "v=1; l=18446744073709551614;", "permerror",
		    "bad l=" },
		{ "v=1;", "v=1; l=-1;", "permerror", "bad l=" },
		{ "v=1;", "v=1; l=1000;", "permerror",
		    "body is shorter than signed" },
		{ "v=1;", "v=1; x=soon;", "permerror", "bad time" },
		{ "v=1;", "v=1; x=1;", "permerror", "expired" },
		{ "t=1700000000", "t=99999999999", "permerror", NULL },
		{ "a=rsa-sha256", "a=rsa-md5", "permerror",
		    "unknown algorithm" },
		{ "a=rsa-sha256", "a=ed25519-sha256", "permerror",
		    "key of another type" },
		{ "c=relaxed/relaxed", "c=relaxed/loose", "permerror", NULL },
		{ "c=relaxed/relaxed", "c=relaxed", "fail", NULL },
		{ "d=football.example", "d=foot ball.example", "fail",
		    "wrong signature" },
		{ "d=football.example", "d=.example", "permerror",
		    "bad domain" },
		{ "d=football.example", "d=", "permerror", "bad domain" },
		{ "d=football.example", "d=f\303\274.example", "permerror",
		    "signature is not a tag list" },
		{ "s=rsa", "s=r\"a", "permerror", "bad selector" },
		{ "h=From:", "h=X:", "permerror", NULL },
		{ "h=From:", "h=:", "permerror", NULL },
		{ "h=From:", "h=from : ", "fail", NULL },
		{ "Signature:", "Signature :", "pass", "" },
		{ "Signature:", "Signature\t:", "none", "" },
		{ "From: Anna", "From: Eve <x@y.example>\r\nFrom: Anna",
		    "pass", "" },
		{ "To: Bert", "To: Berta", "fail", "wrong signature" },
		{ "\r\n\r\n", "\r\nX: y\r\n\r\n", "pass", "" },
		{ "\r\n\r\n", "\r\nX: y\n\r\n", "neutral",
		    "header not in order" },
		{ "Anna.\r\n", "Anna.  \r\n\r\n\r\n", "pass", "" },
		{ "Anna.\r\n", "Anna.", "neutral", "not verified" },
		{ "Anna.\r\n", "Anna.\r", "neutral", NULL },
	};
	const char *result, *why = "";
	char got[200], want[200];
	size_t i;

	if (message_read(OWN, "rsa-relaxed.eml") == -1)
		return;
	for (i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		result = mutated(m[i].from, m[i].to, &why);
		(void)snprintf(got, sizeof(got), "%s: %s %s", m[i].to, result,
		    m[i].why == NULL ? "" : why);
		(void)snprintf(want, sizeof(want), "%s: %s %s", m[i].to,
		    m[i].result, m[i].why == NULL ? "" : m[i].why);
		CHECK_STR(got, want);
	}
}

/* A message of one signature and more, or longer, than is looked at. */
static void
test_bounds(void)
{
	char sig[2048], *end;
	struct job *j;
	size_t i, n;

	if (message_read(OWN, "rsa-relaxed.eml") == -1)
		return;
	end = strstr(msg, "From: ");
	n = (size_t)(end - msg);
	memcpy(sig, msg, n);
	memmove(msg + 50 * n, msg, msg_len);
	for (i = 0; i < 50; i++)
		memcpy(msg + i * n, sig, n);
	j = judge(msg, msg_len + 50 * n);
	CHECK_INT(j->auth.nsigs, LIM_DKIM_SIGNATURES);
	CHECK_STR(result_one(j), "pass");
	job_free(j);

	/* One word of a megabyte and a bit is not held in memory. */
	if (message_read(OWN, "rsa-relaxed.eml") == -1)
		return;
	memset(msg + msg_len, 'x', LIM_DKIM_LINE + 1);
	memcpy(msg + msg_len + LIM_DKIM_LINE + 1, "\r\n", 2);
	j = judge(msg, msg_len + LIM_DKIM_LINE + 3);
	CHECK_STR(result_list(j), "neutral");
	job_free(j);
	CHECK_INT(dkim_held(), 0);
}

/* h= names more fields than there are: the library writes behind its array
   of all fields, which only the slack of our allocator makes harmless. */
static void
test_selection(void)
{
	struct job *j;
	int i, n;

	for (i = 0; i < 40; i++) {
		n = snprintf(msg, sizeof(msg), "DKIM-Signature: v=1; "
		    "a=ed25519-sha256; c=relaxed/relaxed;\r\n\td=a.example; "
		    "s=x; bh=AAAA; b=AAAA;\r\n\th=from:dkim-signature"
		    "%.*s\r\nFrom: x@a.example\r\n\r\nx\r\n", i * 2,
		    ":x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x"
		    ":x:x:x:x:x:x:x:x:x:x:x:x:x:x:x:x");
		j = judge(msg, (size_t)n);
		CHECK_STR(result_list(j), "permerror");
		job_free(j);
		CHECK_INT(dkim_held(), 0);
	}
}

/* Somebody whose client has gone is forgotten with all that waited. */
static void
test_forgotten(void)
{
	struct job *j = job_new();

	if (j == NULL || message_read(OWN, "both.eml") == -1)
		return;
	memset(&j->scan, 0, sizeof(j->scan));
	j->scan.class = CLASS_INBOUND;
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	CHECK_INT(job_content(j, (uint8_t *)msg, msg_len), 0);
	CHECK_INT(job_evaluate(j), 1);
	CHECK(j->dkim != NULL && dkim_held() > 1000 && dkim_held() < 100000);
	job_free(j);
	CHECK_INT(dkim_held(), 0);

	/* Time is up. */
	if ((j = job_new()) == NULL)
		return;
	j->scan.class = CLASS_INBOUND;
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	CHECK_INT(job_content(j, (uint8_t *)msg, msg_len), 0);
	CHECK_INT(job_evaluate(j), 1);
	answers_give_up(&j->answers);
	CHECK_INT(job_evaluate(j), 0);
	CHECK_STR(result_list(j), "temperror,temperror");
	job_free(j);

	/* Mail that we relay is not asked. */
	if ((j = job_new()) == NULL)
		return;
	j->scan.class = CLASS_RELAY;
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	CHECK_INT(job_content(j, (uint8_t *)msg, msg_len), 0);
	CHECK(j->dkim == NULL && j->auth.nsigs == 0);
	job_free(j);
}

static void
test_length(void)
{
	static const struct {
		const char	*body;
		uint64_t	 simple, relaxed;
	} b[] = {
		{ "", 2, 0 },
		{ "\r\n\r\n", 2, 0 },
		{ "a\r\n", 3, 3 },
		{ "a\r\n\r\n\r\n", 3, 3 },
		{ "a  b \t \r\n", 9, 5 },
		{ " \r\n", 3, 0 },
		{ " a\r\n", 4, 4 },
		{ "\r\n \r\na\r\n \r\n", 11, 7 },
		{ "a\rb\nc\r\n", 7, 7 },
	};
	size_t i, n;

	for (i = 0; i < sizeof(b) / sizeof(b[0]); i++) {
		n = strlen(b[i].body);
		CHECK_INT(dkim_body_length((const uint8_t *)b[i].body, n, 0),
		    b[i].simple);
		CHECK_INT(dkim_body_length((const uint8_t *)b[i].body, n, 1),
		    b[i].relaxed);
	}
}

int
main(void)
{
	struct config *conf;

	log_init("dkim_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL || dkim_init_library() == -1)
		return 1;
	job_configure(conf);
	for_lines(OWN, "keys.tsv", own_key);
	for_lines(OWN, "cases.tsv", own_case);
	test_mutations();
	test_bounds();
	test_selection();
	test_forgotten();
	zone_known = 1;
	for_lines(OWN, "cases.tsv", own_case);
	zone_known = 0;
	zone_clear();
	if (access(SHARED "/cases.tsv", R_OK) == 0) {
		for_lines(SHARED, "keys.tsv", shared_key);
		for_lines(SHARED, "cases.tsv", shared_case);
		CHECK(shared_cases >= 80);
		zone_clear();
	}
	test_length();
	config_free(conf);
	return unit_end();
}
