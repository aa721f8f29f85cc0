/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/scand/auth/zone.h"
#include "regress/unit.h"
#include "scand/scand.h"

/*
 * Whole messages through all rules to their verdicts, with DNS faked.  Each
 * file of cases/ is one: lines of what is known about the message and what is
 * expected, then "---", then the message, whose line ends become CRLF and in
 * which %DATE+n% is the date n days from now and %NONE% nothing.
 *
 *	client ADDRESS		class inbound|relay|cluster
 *	helo NAME		sender ADDRESS
 *	role ordinary|postmaster|dummy
 *	participant NAME	dmarc accept|tempfail|reject
 *	dns NAME TYPE VALUE...	also nxdomain, fail, timeout
 *	limit seconds		want SYMBOL[=detail] ...
 *	score POINTS		action NAME
 *	domain NAME		that is authenticated, or none
 *	trace TEXT		stands in the trace fields
 *	reply TEXT		begins the reply
 *	report TEXT		stands in what is explained
 */

#define DIRECTORY	"regress/scand/cases"

/* Of "just what the list knows\n". */
#define LISTED	"53AC2642B01ED1E4A155E08C7949AA51" \
		"7882e14539e61b8e68a58a16b33b95a9"

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "node \"mail-in01.example.net\"\n"
    "network { 192.0.2.0/24 }\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin { \"" LISTED "\" }\n"
    "greylist at 4.0\nreject at 8.0\n"
    "dnsbl \"bl.example.org\" { 127.0.0.2 points 4.0,"
    " 127.0.0.10 - 127.0.0.11 points 2.0 }\n"
    "dnsbl \"wl.example.org\" { 127.0.0.0/8 points -3.0 }\n"
    "dnsbl \"dbl.example.org\" for domains {"
    " 127.0.1.0/24 points 5.0, 127.0.2.0/24 points -2.0 }\n"
    "dnsbl \"url.example.org\" for links { 127.0.0.2 points 3.0,"
    " 127.0.0.4 points 1.0 }\n"
    "symbol MISSING_SUBJECT points 0.75\n"
    "forwarders { 192.0.2.200, 198.51.100.0/28, \"lists.example.org\" }\n"
    "participant \"uni\" contact \"postmaster@uni.example\" {\n"
    " domain \"uni.example\" deliver to 192.0.2.77\n"
    "}\n";

/* A record of a case; names that no case mentions do not exist. */
static void
dns_line(char *rest)
{
	static const struct {
		const char	*word;
		enum dns_type	 type;
		enum dns_status	 status;
	} words[] = {
		{ "nxdomain", DNS_A, DNS_NXDOMAIN },
		{ "fail", DNS_A, DNS_FAIL },
		{ "timeout", DNS_A, DNS_TIMEOUT },
		{ "A", DNS_A, DNS_OK },
		{ "AAAA", DNS_AAAA, DNS_OK },
		{ "PTR", DNS_PTR, DNS_OK },
		{ "TXT", DNS_TXT, DNS_OK },
		{ "MX", DNS_MX, DNS_OK },
	};
	char *name = strsep(&rest, " "), *type = strsep(&rest, " ");
	uint8_t data[DNS_DATA];
	uint16_t pref = htons(10);
	size_t i = 0, len = rest == NULL ? 0 : strlen(rest);

	while (type != NULL && strcmp(words[i].word, type) != 0) {
		if (++i == sizeof(words) / sizeof(words[0]))
			type = NULL;
	}
	if (type == NULL || len > sizeof(data) - 2) {
		CHECK_STR(name, "a record that the test can read");
		return;
	}
	if (words[i].status != DNS_OK)
		len = 0;
	else if (words[i].type == DNS_A || words[i].type == DNS_AAAA) {
		len = words[i].type == DNS_A ? 4 : 16;
		CHECK_INT(inet_pton(words[i].type == DNS_A ? AF_INET :
		    AF_INET6, rest, data), 1);
	} else if (words[i].type == DNS_MX) {
		/* A dot alone is the null MX, RFC 7505. */
		if (strcmp(rest, ".") == 0)
			len = 0;
		memcpy(data, &pref, 2);
		memcpy(data + 2, rest, len);
		len += 2;
	} else
		memcpy(data, rest, len);
	zone_add(name, words[i].type, words[i].status, data, len);
}

/* One case. */
struct expect {
	char	want[1024], score[32], action[32], trace[512], reply[256];
	char	report[2][256];
	char	domain[256];
	int	judged;
};

static void
changed(void *arg)
{
	(void)arg;
}

static void
head_line(struct job *j, struct expect *x, char *line)
{
	char *word = strsep(&line, " ");

	if (*word == '\0' || *word == '#' || line == NULL)
		return;
	if (strcmp(word, "client") == 0)
		CHECK_INT(netaddr_parse(&j->scan.client, line), 0);
	else if (strcmp(word, "class") == 0)
		j->scan.class = strcmp(line, "relay") == 0 ? CLASS_RELAY :
		    strcmp(line, "cluster") == 0 ? CLASS_CLUSTER :
		    CLASS_INBOUND;
	else if (strcmp(word, "helo") == 0)
		(void)strlcpy(j->scan.helo, line, sizeof(j->scan.helo));
	else if (strcmp(word, "sender") == 0)
		(void)strlcpy(j->scan.sender, line, sizeof(j->scan.sender));
	else if (strcmp(word, "role") == 0)
		j->scan.policies[0].role =
		    strcmp(line, "postmaster") == 0 ? POLICY_POSTMASTER :
		    strcmp(line, "dummy") == 0 ? POLICY_DUMMY :
		    POLICY_ORDINARY;
	else if (strcmp(word, "participant") == 0)
		(void)strlcpy(j->scan.policies[0].participant, line,
		    sizeof(j->scan.policies[0].participant));
	else if (strcmp(word, "dmarc") == 0)
		j->scan.policies[0].decisive[DECISIVE_DMARC] =
		    strcmp(line, "reject") == 0 ? ACTION_REJECT :
		    strcmp(line, "tempfail") == 0 ? ACTION_TEMPFAIL :
		    ACTION_ACCEPT;
	else if (strcmp(word, "dns") == 0)
		dns_line(line);
	else if (strcmp(word, "want") == 0) {
		x->judged = 1;
		(void)strlcpy(x->want, line, sizeof(x->want));
	} else if (strcmp(word, "score") == 0)
		(void)strlcpy(x->score, line, sizeof(x->score));
	else if (strcmp(word, "action") == 0)
		(void)strlcpy(x->action, line, sizeof(x->action));
	else if (strcmp(word, "domain") == 0)
		(void)strlcpy(x->domain, line, sizeof(x->domain));
	else if (strcmp(word, "trace") == 0)
		(void)strlcpy(x->trace, line, sizeof(x->trace));
	else if (strcmp(word, "reply") == 0)
		(void)strlcpy(x->reply, line, sizeof(x->reply));
	else if (strcmp(word, "report") == 0)
		(void)strlcpy(x->report[x->report[0][0] != '\0'], line,
		    sizeof(x->report[0]));
	else
		CHECK_STR(word, "a known word");
}

/* The message, with CRLF and dates. */
static size_t
message_text(char *src, char *dst, size_t size)
{
	size_t n = 0;
	struct tm tm;
	time_t t;
	long days;
	char *end;

	for (; *src != '\0' && n + 64 < size; src++) {
		if (strncmp(src, "%DATE", 5) == 0) {
			days = strtol(src + 5, &end, 10);
			t = time(NULL) + days * 86400;
			n += strftime(dst + n, size - n,
			    "%a, %d %b %Y %H:%M:%S +0000",
			    gmtime_r(&t, &tm));
			src = end;
			continue;
		}
		if (strncmp(src, "%NONE%", 6) == 0) {
			src += 5;
			continue;
		}
		if (*src == '\n')
			dst[n++] = '\r';
		dst[n++] = *src;
	}
	return n;
}

static void
symbols_text(const struct job *j, char *buf, size_t size)
{
	const struct hit *f;
	const char *detail;
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < j->found.n; i++) {
		f = &j->found.v[i];
		detail = hit_detail(&j->found, f);
		if (i > 0)
			(void)strlcat(buf, " ", size);
		(void)strlcat(buf, symbol(f->id)->name, size);
		if (strcmp(symbol(f->id)->group, "list") == 0 ||
		    f->id == SYM_DUPLICATE_FIELD) {
			(void)strlcat(buf, "=", size);
			(void)strlcat(buf, detail, size);
		}
	}
	if (j->found.n == 0)
		(void)strlcpy(buf, "none", size);
}

static void
run_case(const char *path)
{
	static char text[70000], msg[140000];
	struct expect x;
	struct verdict v;
	char *rest, *line, got[1024];
	struct job *j = job_new();
	size_t n;
	FILE *f = fopen(path, "r");

	if (j == NULL || f == NULL) {
		CHECK_STR(path, "a readable file");
		return;
	}
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	memset(&x, 0, sizeof(x));
	memset(&j->scan, 0, sizeof(j->scan));
	(void)strlcpy(j->scan.id, "0123456789abcdef", sizeof(j->scan.id));
	(void)strlcpy(j->scan.helo, "mx.a.example", sizeof(j->scan.helo));
	j->scan.policies[0] = job_config()->policy;
	j->scan.npolicies = 1;
	j->scan.flags = SCAN_EXPLAIN;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL &&
	    strcmp(line, "---") != 0)
		head_line(j, &x, line);
	if (rest == NULL) {
		CHECK_STR(path, "a case with a message");
		return;
	}
	n = message_text(rest, msg, sizeof(msg));
	j->started = clock_ms();
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	CHECK_INT(job_content(j, (uint8_t *)msg, n), 0);
	while (job_evaluate(j) == 1 && zone_step())
		continue;
	verdict_make(j, &v);
	symbols_text(j, got, sizeof(got));
	if (x.judged)
		CHECK_STR(got, x.want);
	if (x.score[0] != '\0') {
		(void)snprintf(got, sizeof(got), "%.2f", v.score / 100.0);
		CHECK_STR(got, x.score);
	}
	if (x.action[0] != '\0')
		CHECK_STR(action_name(v.actions[0]), x.action);
	if (x.domain[0] != '\0')
		CHECK_STR(v.domain[0] == '\0' ? "none" : v.domain, x.domain);
	CHECK(x.trace[0] == '\0' || strstr(v.trace, x.trace) != NULL);
	CHECK(strncmp(v.reply, x.reply, strlen(x.reply)) == 0);
	CHECK(strlen(v.trace) < 3 ||
	    strcmp(v.trace + strlen(v.trace) - 2, "\r\n") == 0);
	/* RFC 5322 2.1.1 */
	for (line = v.trace; *line != '\0'; line += strcspn(line, "\n") + 1)
		CHECK(strcspn(line, "\r") <= 78);
	CHECK(v.report != NULL && strstr(v.report, "score") != NULL);
	CHECK(strstr(v.report, x.report[0]) != NULL);
	CHECK(strstr(v.report, x.report[1]) != NULL);
	zone_clear();
	job_free(j);
	CHECK_INT(zone_step(), 0);
}

static void
test_cases(void)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(DIRECTORY);
	int failed, n = 0;

	CHECK(d != NULL);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".case") == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", DIRECTORY,
		    e->d_name);
		failed = unit_failed;
		run_case(path);
		if (unit_failed != failed)
			printf("%s: not as expected\n", path);
		n++;
	}
	if (d != NULL)
		(void)closedir(d);
	CHECK(n >= 20);
}

/* What is known already is not asked, and the verdict is the same. */
static void
test_known(void)
{
	unsigned before = zone_asked;

	zone_known = 1;
	test_cases();
	zone_known = 0;
	CHECK(before > 100);
	/* Failures are never kept. */
	CHECK(zone_asked - before < 30);
}

static void
test_dynamic(void)
{
	struct netaddr a;

	CHECK_INT(netaddr_parse(&a, "198.51.100.7"), 0);
	CHECK_INT(rdns_dynamic("mail.a.example", &a), 0);
	CHECK_INT(rdns_dynamic("mail7.a.example", &a), 0);
	CHECK_INT(rdns_dynamic("dynamics.example", &a), 0);
	CHECK_INT(rdns_dynamic("pool.example", &a), 0);
	CHECK_INT(rdns_dynamic("mail.dsl.example", &a), 0);
	CHECK_INT(rdns_dynamic("dsl-198-51.isp.example", &a), 1);
	CHECK_INT(rdns_dynamic("h7.100.51.198.isp.example", &a), 1);
	CHECK_INT(rdns_dynamic("198-051-100-007.isp.example", &a), 1);
	CHECK_INT(rdns_dynamic("pool-3.isp.example", &a), 1);
	CHECK_INT(netaddr_parse(&a, "2001:db8::1"), 0);
	CHECK_INT(rdns_dynamic("mail.a.example", &a), 0);
}

static void
test_lists(void)
{
	struct config_range range[2] = {
		{ .first = 0x7f000000, .last = 0x7fffffff, .points = 100 },
	};
	struct config_dnsbl l = { .ranges = range, .nranges = 1 };
	int32_t p = 0;

	CHECK_INT(list_points(&l, 0x7f000002, &p), 0);
	CHECK_INT(p, 100);
	CHECK_INT(list_points(&l, 0x7fffff01, &p), -1);
	CHECK_INT(list_points(&l, 0x7ffffe01, &p), 0);
	CHECK_INT(list_points(&l, 0xc0000201, &p), -1);
	l.nranges = 0;
	CHECK_INT(list_points(&l, 0x7f000002, &p), -1);
}

static void
test_findings(void)
{
	static struct findings f;
	int i;

	findings_reset(&f);
	findings_add(&f, SYM_OLD_DATE, "a\nb\x01%s", "\xc3\xa4");
	CHECK_STR(hit_detail(&f, &f.v[0]), "a?b???");
	for (i = 0; i < 1000; i++)
		findings_add(&f, SYM_OLD_DATE, "%d xxxxxxxxxxxxxxxxxxxxx", i);
	CHECK_INT(f.n, LIM_SYMBOLS);
	CHECK(findings_has(&f, SYM_MANY_FINDINGS));
	CHECK(!findings_has(&f, SYM_VIRUS));
	findings_add(&f, SYM_VIRUS, "%s", "x");
	CHECK(findings_has(&f, SYM_VIRUS));
	findings_add(&f, SYM_OLD_DATE, NULL);
	CHECK(findings_has(&f, SYM_VIRUS));
	CHECK_INT(f.n, LIM_SYMBOLS);
	for (i = 0; i < SYM_MAX; i++) {
		CHECK(symbol((enum symbol_id)i)->name != NULL);
		CHECK(strlen(symbol((enum symbol_id)i)->name) < LIM_SYMNAME);
		CHECK_INT(symbol_find(symbol((enum symbol_id)i)->name), i);
	}
	CHECK(!symbol_known("NO_SUCH_SYMBOL"));
}

/* The manual lists every symbol with its points. */
static void
test_manual(void)
{
	static char text[65536];
	char want[128];
	FILE *f = fopen("scand/scand.8", "r");
	size_t n;
	int i;

	CHECK(f != NULL);
	if (f == NULL)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	for (i = 0; i < SYM_MAX; i++) {
		(void)snprintf(want, sizeof(want), ".It Sy %s Ta %.2f Ta %s\n",
		    symbol((enum symbol_id)i)->name,
		    symbol((enum symbol_id)i)->points / 100.0,
		    symbol((enum symbol_id)i)->text);
		if (strstr(text, want) == NULL)
			CHECK_STR("scand.8", want);
	}
}

static void
test_actions(void)
{
	static struct findings none, virus;
	static struct auth auth;
	struct policy p = { .greylist_at = 400, .reject_at = 800,
	    .decisive = { ACTION_REJECT, ACTION_REJECT, ACTION_REJECT,
	    ACTION_REJECT, ACTION_REJECT } };

	findings_reset(&none);
	findings_reset(&virus);
	findings_add(&virus, SYM_VIRUS, NULL);
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &none, &auth, 399),
	    ACTION_ACCEPT);
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &none, &auth, 400),
	    ACTION_GREYLIST);
	CHECK_INT(verdict_action(&p, CLASS_RELAY, &none, &auth, 400),
	    ACTION_ACCEPT);
	CHECK_INT(verdict_action(&p, CLASS_RELAY, &none, &auth, 800),
	    ACTION_REJECT);
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &virus, &auth, -1000),
	    ACTION_REJECT);
	p.decisive[DECISIVE_VIRUS] = ACTION_TEMPFAIL;
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &virus, &auth, 0),
	    ACTION_TEMPFAIL);
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &virus, &auth, 800),
	    ACTION_REJECT);
	p.decisive[DECISIVE_VIRUS] = ACTION_ACCEPT;
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &virus, &auth, 0),
	    ACTION_ACCEPT);
	p.role = POLICY_POSTMASTER;
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &none, &auth, 100000),
	    ACTION_ACCEPT);
	p.decisive[DECISIVE_VIRUS] = ACTION_REJECT;
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &virus, &auth, 0),
	    ACTION_REJECT);
	p.role = POLICY_DUMMY;
	CHECK_INT(verdict_action(&p, CLASS_INBOUND, &none, &auth, 900),
	    ACTION_REJECT);
}

int
main(void)
{
	struct config *conf;

	log_init("rules_test", 1);
	config_symbol_known = symbol_known;
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL)
		return 1;
	job_configure(conf);
	test_cases();
	test_known();
	test_dynamic();
	test_lists();
	test_findings();
	test_manual();
	test_actions();
	config_free(conf);
	return unit_end();
}
