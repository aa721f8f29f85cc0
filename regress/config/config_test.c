/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/config/build.h"
#include "regress/unit.h"

/*
 * The parser of pfoertner.conf(5).  right/NAME.conf has to print as NAME.out,
 * and that again as itself; wrong/NAME.conf has to give NAME.err.
 */

static char	*slurp(const char *);
static char	*printed(const struct config *);
static char	*parse(const char *, int names, char **);
static char	*errors_of(const char *);
static void	 each(const char *, void (*)(const char *));
static void	 right(const char *);
static void	 wrong(const char *);
static void	 temporary(char *, size_t);
static void	 same(const char *, const char *, const char *);

static void	 test_documents(void);
static void	 test_units(void);
static void	 test_lookups(void);
static void	 test_macros(void);
static void	 test_files(void);
static void	 test_text(void);
static void	 test_symbols(void);
static void	 test_bounds(void);

/* The least that is right. */
#define LEAST	"service mx.example\nlisten on 127.0.0.1 port 2525\n"	\
		"antivirus builtin\n"

int
main(void)
{
	each("right", right);
	each("wrong", wrong);
	test_documents();
	test_units();
	test_lookups();
	test_macros();
	test_files();
	test_text();
	test_symbols();
	test_bounds();
	return unit_end();
}

/*
 * The directories.
 */

static void
each(const char *dir, void (*fn)(const char *))
{
	char		 top[1024], path[300];
	struct dirent	*e;
	DIR		*d;
	size_t		 n;
	int		 seen = 0;

	(void)snprintf(path, sizeof(path), "regress/config/%s", dir);
	if (getcwd(top, sizeof(top)) == NULL || chdir(path) == -1 ||
	    (d = opendir(".")) == NULL) {
		printf("%s: cannot be read\n", path);
		exit(1);
	}
	while ((e = readdir(d)) != NULL) {
		n = strlen(e->d_name);
		if (n < 6 || strcmp(e->d_name + n - 5, ".conf") != 0)
			continue;
		seen++;
		fn(e->d_name);
	}
	closedir(d);
	CHECK(seen > 0);
	if (chdir(top) == -1)
		exit(1);
}

static void
right(const char *name)
{
	struct config	*cf;
	char		*want, *got, *again, *err, out[300];

	(void)snprintf(out, sizeof(out), "%.*s.out", (int)strlen(name) - 5,
	    name);
	want = slurp(out);
	got = parse(name, 1, &err);
	same(name, err, "");
	same(name, got, want);
	if (got != NULL) {
		cf = config_parse_text(out, got, strlen(got), stdout);
		again = printed(cf);
		same(name, again, got);
		free(again);
		config_free(cf);
	}
	free(want);
	free(got);
	free(err);
}

static void
wrong(const char *name)
{
	char	*want, *got, *err, out[300];

	(void)snprintf(out, sizeof(out), "%.*s.err", (int)strlen(name) - 5,
	    name);
	want = slurp(out);
	got = parse(name, 0, &err);
	CHECK(got == NULL);
	same(name, err, want);
	free(want);
	free(got);
	free(err);
}

static void
same(const char *name, const char *got, const char *want)
{
	if (got != NULL && strcmp(got, want) == 0) {
		unit_ok++;
		return;
	}
	unit_failed++;
	printf("%s: got:\n%sinstead of:\n%s", name,
	    got == NULL ? "nothing\n" : got, want);
}

/* The canonical text of a file, or NULL; errors and warnings in *err. */
static char *
parse(const char *name, int names, char **err)
{
	struct config	*cf;
	size_t		 size;
	char		*text = NULL;
	FILE		*fp;

	if ((fp = open_memstream(err, &size)) == NULL)
		exit(1);
	cf = names ? config_parse_names(name, NULL, 0, fp) :
	    config_parse_file(name, NULL, 0, fp);
	fclose(fp);
	if (cf != NULL)
		text = printed(cf);
	config_free(cf);
	return text;
}

static char *
printed(const struct config *cf)
{
	size_t	 size;
	char	*text;
	FILE	*fp;

	if (cf == NULL || (fp = open_memstream(&text, &size)) == NULL)
		return NULL;
	CHECK_INT(config_print(cf, fp), 0);
	fclose(fp);
	return text;
}

/* What a text gives as errors, without the name of a file. */
static char *
errors_of(const char *text)
{
	struct config	*cf;
	size_t		 size;
	char		*err;
	FILE		*fp;

	if ((fp = open_memstream(&err, &size)) == NULL)
		exit(1);
	cf = config_parse_text("t", text, strlen(text), fp);
	fclose(fp);
	CHECK((cf == NULL) == (err[0] != '\0'));
	config_free(cf);
	return err;
}

static char *
slurp(const char *name)
{
	size_t	 size, n;
	char	*text, buf[4096];
	FILE	*in, *out;

	if ((out = open_memstream(&text, &size)) == NULL)
		exit(1);
	if ((in = fopen(name, "r")) != NULL) {
		while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
			fwrite(buf, 1, n, out);
		fclose(in);
	}
	fclose(out);
	return text;
}

/*
 * Whole examples in the manual, and the sample file.
 */

static void
test_documents(void)
{
	char		*manual, *p, *end, *bs, *text, *err;
	struct config	*cf;
	int		 seen = 0;

	manual = slurp("common/pfoertner.conf.5");
	for (p = manual; (p = strstr(p, "\n.Bd ")) != NULL; p = end) {
		p = strchr(p + 1, '\n') + 1;
		if ((end = strstr(p, ".Ed\n")) == NULL)
			break;
		*end++ = '\0';
		if (strncmp(p, "service ", 8) != 0)
			continue;
		while ((bs = strstr(p, "\\e")) != NULL)
			memmove(bs + 1, bs + 2, strlen(bs + 1));
		cf = config_parse_text("manual", p, strlen(p), stdout);
		CHECK(cf != NULL);
		config_free(cf);
		seen++;
	}
	CHECK_INT(seen, 2);
	free(manual);

	text = parse("etc/pfoertner.conf", 1, &err);
	same("etc/pfoertner.conf", err, "");
	free(text);
	free(err);
}

/*
 * Units.
 */

static void
test_units(void)
{
	char		 buf[UNIT_STRLEN];
	uint32_t	 n, period;
	uint64_t	 octets;
	int32_t		 points;

	CHECK(unit_points("4", &points) == NULL && points == 400);
	CHECK(unit_points("4.05", &points) == NULL && points == 405);
	CHECK(unit_points("-0.5", &points) == NULL && points == -50);
	CHECK(unit_points("10000", &points) == NULL && points == 1000000);
	CHECK_STR(unit_points("10000.01", &points), "too large");
	CHECK_STR(unit_points("4.", &points), "not a number of points");
	CHECK_STR(unit_points(".5", &points), "not a number");
	CHECK_STR(unit_points("-", &points), "not a number");
	CHECK_STR(unit_points("1.234", &points), "has more than two decimals");
	CHECK_STR(unit_print_points(400, buf), "4.0");
	CHECK_STR(unit_print_points(-5, buf), "-0.05");
	CHECK_STR(unit_print_points(1250, buf), "12.5");

	CHECK(unit_time("90", &n) == NULL && n == 90);
	CHECK(unit_time("36d", &n) == NULL && n == 36 * 86400);
	CHECK(unit_time("2w", &n) == NULL && n == 14 * 86400);
	CHECK(unit_time("5x", &n) != NULL);
	CHECK(unit_time("5mm", &n) != NULL);
	CHECK_STR(unit_time("4294967297", &n), "too large");
	CHECK_STR(unit_time("99999999w", &n), "too large");
	CHECK_STR(unit_time("-5m", &n), "negative");
	CHECK_STR(unit_print_time(0, buf), "0s");
	CHECK_STR(unit_print_time(90, buf), "90s");
	CHECK_STR(unit_print_time(7200, buf), "2h");

	CHECK(unit_size("50M", &octets) == NULL && octets == 52428800);
	CHECK(unit_size("1023", &octets) == NULL && octets == 1023);
	CHECK_STR(unit_size("99999999999999999999", &octets), "too large");
	CHECK_STR(unit_size("9223372036854775807K", &octets), "too large");
	CHECK_STR(unit_print_size(52428800, buf), "50M");
	CHECK_STR(unit_print_size(1025, buf), "1025");

	CHECK(unit_rate("2000/h", &n, &period) == NULL && n == 2000 &&
	    period == 3600);
	CHECK(unit_rate("5/10m", &n, &period) == NULL && n == 5 &&
	    period == 600);
	CHECK(unit_rate("5", &n, &period) != NULL);
	CHECK(unit_rate("5/", &n, &period) != NULL);
	CHECK(unit_rate("5/0", &n, &period) != NULL);
	CHECK_STR(unit_print_rate(2000, 3600, buf), "2000/h");
	CHECK_STR(unit_print_rate(5, 600, buf), "5/10m");
}

/*
 * Look-ups.
 */

static const struct config_relay *
relay(const struct config *cf, const char *client)
{
	struct netaddr	addr;

	if (netaddr_parse(&addr, client) == -1)
		exit(1);
	return config_relay(cf, &addr);
}

static void
test_lookups(void)
{
	static const char		 text[] = LEAST
	    "reject at 9\nmacros tempfail\n"
	    "participant a {\n domain { b.example, A.example } deliver to h.x\n"
	    " relay from { 10.0.0.0/8, 10.1.2.3, 2001:db8::/32 }\n"
	    " discard NoReply@A.example\n trap x@b.example\n"
	    " greylist at 5\n macros accept\n dmarc reject\n}\n"
	    "participant b {\n domain c.example deliver to h.x reject at 7\n"
	    " relay from { 10.1.0.0/16, 2001:db8:1::/48 } limit 7/m\n}\n";
	const struct config_domain	*d;
	const struct config_relay	*r;
	struct config			*cf;

	cf = config_parse_text("t", text, sizeof(text) - 1, stdout);
	CHECK(cf != NULL);
	if (cf == NULL)
		return;
	CHECK_STR(cf->node, "mx.example");
	CHECK_STR(cf->contact, "postmaster@mx.example");
	CHECK_INT(cf->policy.greylist_at, 400);

	CHECK(config_domain(cf, "nowhere.example") == NULL);
	CHECK(config_domain(cf, "") == NULL);
	d = config_domain(cf, "a.example");
	if (d == NULL)
		exit(1);
	CHECK(d->index == 1 && d->hop.port == 25);
	CHECK_STR(d->participant->name, "a");
	CHECK_STR(d->policy.participant, "a");
	CHECK_STR(cf->policy.participant, "");
	CHECK_INT(d->policy.greylist_at, 500);
	CHECK_INT(d->policy.reject_at, 900);
	CHECK_INT(d->policy.decisive[DECISIVE_MACRO], ACTION_ACCEPT);
	CHECK_INT(d->policy.decisive[DECISIVE_VIRUS], ACTION_REJECT);
	CHECK_INT(d->policy.decisive[DECISIVE_DMARC], ACTION_REJECT);
	CHECK(config_discard(d, "noreply@a.example"));
	CHECK(!config_trap(d, "noreply@a.example"));
	CHECK(config_trap(d, "x@b.example"));
	CHECK(!config_discard(d, "somebody@a.example"));
	d = config_domain(cf, "c.example");
	if (d == NULL)
		exit(1);
	CHECK_INT(d->policy.reject_at, 700);
	CHECK_INT(d->policy.greylist_at, 400);
	CHECK_INT(d->policy.decisive[DECISIVE_MACRO], ACTION_TEMPFAIL);
	CHECK_INT(d->policy.decisive[DECISIVE_DMARC], ACTION_ACCEPT);
	CHECK(!config_discard(d, "noreply@a.example"));

	r = relay(cf, "10.1.2.3");
	CHECK(r != NULL && r->range.bits == 32 && r->limit == 0);
	r = relay(cf, "10.1.2.4");
	CHECK(r != NULL && r->range.bits == 16 && r->limit == 7);
	CHECK(r != NULL && r->period_s == 60);
	r = relay(cf, "10.2.0.0");
	CHECK(r != NULL && r->range.bits == 8);
	r = relay(cf, "2001:db8:1::5");
	CHECK(r != NULL && r->range.bits == 48);
	r = relay(cf, "2001:db8:2::5");
	CHECK(r != NULL && r->range.bits == 32);
	CHECK(relay(cf, "11.0.0.0") == NULL);
	CHECK(relay(cf, "2001:db9::") == NULL);
	config_free(cf);
}

/*
 * Macros, files, text.
 */

static void
temporary(char *name, size_t size)
{
	const char	*dir = getenv("TMPDIR");

	if (snprintf(name, size, "%s/config_test.XXXXXX",
	    dir == NULL ? "/tmp" : dir) >= (int)size)
		exit(1);
}

static void
test_macros(void)
{
	static const struct config_macro macros[] = {
		{ "port", "2600" }, { "two words", "x" }
	};
	char		 name[300], *err;
	struct config	*cf;
	size_t		 size;
	FILE		*fp;
	int		 fd;

	temporary(name, sizeof(name));
	if ((fd = mkstemp(name)) == -1 || (fp = fdopen(fd, "w")) == NULL)
		exit(1);
	fprintf(fp, "port = 2525\nservice mx.example\nantivirus builtin\n"
	    "listen on 127.0.0.1 port $port\n");
	fclose(fp);
	fp = open_memstream(&err, &size);
	cf = config_parse_names(name, macros, 1, fp);
	CHECK(cf != NULL && TAILQ_FIRST(&cf->listens)->port == 2600);
	config_free(cf);
	CHECK(config_parse_names(name, macros, 2, fp) == NULL);
	fclose(fp);
	CHECK_STR(err, "-D: \"two words\" cannot be a macro\n");
	free(err);
	unlink(name);
}

/* The parent looks at certificates and keys, a child does not. */
static void
test_files(void)
{
	char		 dir[300], cert[320], conf[320];
	char		*text, *err;
	struct config	*cf;
	size_t		 size;
	FILE		*fp;

	temporary(dir, sizeof(dir));
	if (mkdtemp(dir) == NULL)
		exit(1);
	(void)snprintf(cert, sizeof(cert), "%s/pem", dir);
	(void)snprintf(conf, sizeof(conf), "%s/conf", dir);
	fclose(fopen(cert, "w"));
	chmod(cert, 0644);
	fp = fopen(conf, "w");
	fprintf(fp, "service mx.example\nantivirus clamd /x\n"
	    "listen on 127.0.0.1 tls pki p\npki p cert %s key %s\n"
	    "participant a { domain a.example deliver to b.example }\n",
	    cert, cert);
	fclose(fp);

	fp = open_memstream(&err, &size);
	cf = config_parse_file(conf, NULL, 0, fp);
	fclose(fp);
	CHECK(cf != NULL && TAILQ_FIRST(&cf->listens)->pki != NULL);
	CHECK(strstr(err, ":4: warning: key ") != NULL);
	CHECK(strstr(err, "is open to everybody\n") != NULL);
	free(err);
	config_free(cf);

	unlink(cert);
	text = parse(conf, 0, &err);
	CHECK(text == NULL && strstr(err, ":4: certificate ") != NULL);
	CHECK(strstr(err, ":4: key ") != NULL);
	free(err);
	mkdir(cert, 0700);
	text = parse(conf, 0, &err);
	CHECK(text == NULL && strstr(err, "is not a file\n") != NULL);
	free(err);
	text = parse(conf, 1, &err);
	CHECK(text != NULL && err[0] == '\0');
	free(text);
	free(err);
	rmdir(cert);
	unlink(conf);
	rmdir(dir);
}

static void
test_text(void)
{
	char	*err;

	err = errors_of(LEAST);
	CHECK_STR(err, "");
	free(err);
	err = errors_of(LEAST "include \"/etc/passwd\"\n");
	CHECK_STR(err, "t:4: include is not allowed in this text\n");
	free(err);
	err = errors_of("");
	CHECK_STR(err, "t: there is no line: service NAME\n"
	    "t: there is no line: antivirus clamd PATH\n"
	    "t: there is no line: listen on ADDRESS\n");
	free(err);
	CHECK(config_parse_text("t", LEAST "\0", sizeof(LEAST), NULL) == NULL);
	CHECK(config_parse_file("/nonexistent", NULL, 0, NULL) == NULL);
}

static int
symbol_known(const char *name)
{
	return strcmp(name, "KNOWN") == 0;
}

static void
test_symbols(void)
{
	static const char	 text[] = LEAST "symbol KNOWN points -1.5\n"
				    "symbol OTHER points 2\n";
	char			*err;

	err = errors_of(text);
	CHECK_STR(err, "");
	free(err);
	config_symbol_known = symbol_known;
	err = errors_of(text);
	CHECK_STR(err, "t:5: there is no symbol \"OTHER\"\n");
	free(err);
	config_symbol_known = NULL;
}

/* Long lines, many errors, macros that grow. */
static void
test_bounds(void)
{
	size_t	 size, i;
	char	*text, *err;
	FILE	*fp;

	fp = open_memstream(&text, &size);
	for (i = 0; i < 1000; i++)
		fprintf(fp, "nonsense\n");
	fclose(fp);
	err = errors_of(text);
	CHECK(strstr(err, "t:100: unknown word \"nonsense\"\n") != NULL);
	CHECK(strstr(err, "t:101: too many errors\n") != NULL);
	CHECK(strstr(err, ":102:") == NULL);
	free(err);
	free(text);

	fp = open_memstream(&text, &size);
	fprintf(fp, "service %0*d\n", 20000, 0);
	fclose(fp);
	err = errors_of(text);
	CHECK(strncmp(err, "t:1: the line is too long\n", 26) == 0);
	free(err);
	free(text);

	/* Doubles each time, up to the longest value. */
	fp = open_memstream(&text, &size);
	fprintf(fp, "a = xxxxxxxx\n");
	for (i = 0; i < 20; i++)
		fprintf(fp, "a = $a $a\n");
	fprintf(fp, "b = $a\n");
	for (i = 0; i < 20000; i++)
		fprintf(fp, "contact { $a $a $a $a }\n");
	fclose(fp);
	err = errors_of(text);
	CHECK(strstr(err, "the value of \"a\" is too long\n") != NULL);
	free(err);
	free(text);
}
