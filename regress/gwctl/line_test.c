/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdlib.h>

#include "common/log.h"
#include "gwctl/gwctl.h"
#include "regress/unit.h"

/*
 * Lines of logs, taken apart and told; options.
 */

#define ID	"01hq3vbk2t7m9c4e"

static struct line	 l;

static void	 test_prefixes(void);
static void	 test_forged(void);
static void	 test_fields(void);
static void	 test_mentions(void);
static void	 test_tell(void);
static void	 test_options(void);
static void	 told(const char *, const char *, const char *);

int
main(void)
{
	test_prefixes();
	test_forged();
	test_fields();
	test_mentions();
	test_tell();
	test_options();
	return unit_end();
}

/* However it was logged. */
static void
test_prefixes(void)
{
	CHECK(line_parse(&l, "2026-07-01T10:16:00.123Z smtpd-front: id=" ID
	    " ev=reply code=554"));
	CHECK_STR(l.date, "2026-07-01");
	CHECK_STR(l.clock, "10:16:00.123");
	CHECK_STR(l.when, "2026-07-01 10:16:00.123");
	CHECK_STR(l.daemon, "smtpd-front");
	CHECK_STR(l.id, ID);
	CHECK_STR(l.event, "reply");
	CHECK_STR(line_value(&l, "code"), "554");
	CHECK(line_value(&l, "status") == NULL);

	CHECK(line_parse(&l, "Jul  1 10:16:00 host scand[123]: id=" ID
	    " ev=scanned"));
	CHECK_STR(l.date, "Jul  1");
	CHECK_STR(l.clock, "10:16:00");
	CHECK_STR(l.when, "07  1 10:16:00");
	CHECK_STR(l.daemon, "scand");

	CHECK(line_parse(&l, "<22>Dec 31 23:59:59 scand greyd[1]: ev=grey"));
	CHECK_STR(l.clock, "23:59:59");
	CHECK_STR(l.when, "12 31 23:59:59");
	CHECK_STR(l.daemon, "greyd");
	CHECK_STR(l.id, "");

	CHECK(line_parse(&l, "<22>1 2026-07-01T10:16:00.123456+02:00 host "
	    "relayd-out 77 - - id=" ID " ev=delivered to=mx"));
	CHECK_STR(l.clock, "10:16:00.123");
	CHECK_STR(l.daemon, "relayd-out");
	CHECK_STR(l.event, "delivered");

	CHECK(line_parse(&l, "ev=connect sid=" ID "\r"));
	CHECK_STR(l.daemon, "");
	CHECK_STR(l.clock, "");
	CHECK_STR(line_value(&l, "sid"), ID);
}

/* Text of others inside of a line is no audit line. */
static void
test_forged(void)
{
	CHECK(!line_parse(&l, ""));
	CHECK(!line_parse(&l, "kernel: greyd: something"));
	CHECK(!line_parse(&l, "x scand: scanner[0]: said scand: id=" ID
	    " ev=reply code=250"));
	CHECK_STR(l.daemon, "scand");
	CHECK_STR(l.rest, "scanner[0]: said scand: id=" ID
	    " ev=reply code=250");
	CHECK(!line_parse(&l, "smtpd-front: peer said id=" ID " ev=reply"));
	CHECK(!line_parse(&l, "sshd[1]: id=" ID " ev=reply"));
	CHECK(!line_parse(&l, "smtpd-front: id=" ID ": ev=reply"));
	CHECK(!line_parse(&l, "smtpd-front: id=short ev=reply"));
	CHECK(!line_parse(&l, "smtpd-front: id=" ID));
	CHECK(!line_parse(&l, "smtpd-front: id=" ID " code=1 ev=reply"));
	CHECK(!line_parse(&l, "smtpd-front: ev=reply and more"));
	CHECK(!line_parse(&l, "smtpd-front: ev=reply =x"));
}

static void
test_fields(void)
{
	struct audit	 a;
	char		 text[LINE_SIZE + 64];

	CHECK(line_parse(&l, "scand: ev=x a=\"b \\\"c\\\" \\\\ \\x41\\x00\" "
	    "d=\"\" e="));
	CHECK_STR(line_value(&l, "a"), "b \"c\" \\ A?");
	CHECK_STR(line_value(&l, "d"), "");
	CHECK_STR(line_value(&l, "e"), "");
	CHECK(!line_parse(&l, "scand: ev=x a=\"b"));
	CHECK(!line_parse(&l, "scand: ev=x a=\"b\\"));
	CHECK(!line_parse(&l, "scand: ev=x a=\"b\\q\""));
	CHECK(!line_parse(&l, "scand: ev=x a=\"b\\x4\""));
	CHECK(!line_parse(&l, "scand: ev=x a=\"b\"c"));
	CHECK(!line_parse(&l, "scand: ev=x a=b\"c\""));

	/* As log.h writes it. */
	audit_begin(&a, ID, "reply");
	audit_str(&a, "text", "say \"ev=x\"\nid=" ID " \xff\t");
	audit_path(&a, "from", "a b@example.org");
	audit_points(&a, "score", -125);
	a.line[a.len] = '\0';
	CHECK(line_parse(&l, a.line));
	CHECK_STR(line_value(&l, "text"), "say \"ev=x\"\nid=" ID " \xff\t");
	CHECK_STR(line_value(&l, "from"), "<a b@example.org>");
	CHECK_STR(line_value(&l, "score"), "-1.25");
	CHECK_INT(l.nfields, 5);

	(void)snprintf(text, sizeof(text), "scand: ev=x a=%0*d", LINE_SIZE,
	    0);
	CHECK(!line_parse(&l, text));
}

static void
test_mentions(void)
{
	CHECK(line_mentions("id=" ID ": held", ID));
	CHECK(line_mentions(ID, ID));
	CHECK(line_mentions("x" ID " report=" ID, ID));
	CHECK(!line_mentions("x" ID, ID));
	CHECK(!line_mentions(ID "0", ID));
	CHECK(!line_mentions("", ID));
}

static void
told(const char *form, const char *text, const char *want)
{
	size_t	 size;
	char	*got;
	FILE	*fp;

	CHECK(line_parse(&l, text));
	if ((fp = open_memstream(&got, &size)) == NULL)
		exit(1);
	tell(fp, form, &l);
	fclose(fp);
	CHECK_STR(got, want);
	free(got);
}

static void
test_tell(void)
{
	const struct telling	*t;

	told("{a} and {b}", "ev=x a=1 b=2", "1 and 2");
	told("{a}[, {b}][, {c}]", "ev=x a=1 c=3", "1, 3");
	told("{n#octet} {m#octet}", "ev=x n=1 m=2", "1 octet 2 octets");
	told("[{a} of {b}]{a}", "ev=x a=1", "1");
	told("{zz}", "ev=x", "?");
	told("{a}", "ev=x a=\"\\x1b[2J\\x0a\\xc2\\x9b\\xff\"", "?[2J????");
	told("{a}", "ev=x a=\"\xc3\xb6\"", "\xc3\xb6");

	CHECK(line_parse(&l, "ev=rcpt code=451"));
	t = telling_find(&l);
	CHECK(t != NULL && t->mood == MOOD_WAIT);
	CHECK(line_parse(&l, "ev=rcpt code=250 trap=1"));
	t = telling_find(&l);
	CHECK(t != NULL && t->mood == MOOD_BAD);
	CHECK(line_parse(&l, "ev=unheard-of"));
	CHECK(telling_find(&l) == NULL);
}

static void
test_options(void)
{
	char		 f[] = "-fone", v[] = "-v", vf[] = "-vf", two[] = "two";
	char		 end[] = "--", word[] = "word", dash[] = "-";
	char		*a[] = { f, v, vf, two, end, v, word };
	char		*b[] = { dash, v };
	struct options	 o;

	options_init(&o, 7, a, "f:v");
	CHECK_INT(options_next(&o), 'f');
	CHECK_STR(o.value, "one");
	CHECK_INT(options_next(&o), 'v');
	CHECK_INT(options_next(&o), 'v');
	CHECK_INT(options_next(&o), 'f');
	CHECK_STR(o.value, "two");
	CHECK_INT(options_next(&o), -1);
	CHECK_INT(o.argc, 2);
	CHECK_STR(o.argv[1], "word");
	options_init(&o, 2, b, "v");
	CHECK_INT(options_next(&o), -1);
	CHECK_INT(o.argc, 2);
	options_init(&o, 1, a + 1, "f:");
	CHECK_INT(options_next(&o), '?');
	options_init(&o, 1, a + 2, "vf:");
	CHECK_INT(options_next(&o), 'v');
	CHECK_INT(options_next(&o), '?');
}
