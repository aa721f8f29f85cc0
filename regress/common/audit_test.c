/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "regress/unit.h"

/*
 * What an audit line looks like, and that no peer can forge one.
 */

static int	 sp[2];

static const char *
line(void)
{
	static char	 buf[LIM_LOGBATCH];
	ssize_t		 n;

	log_flush();
	if ((n = recv(sp[1], buf, sizeof(buf) - 1, MSG_DONTWAIT)) < 2)
		return NULL;
	buf[n - 1] = '\0';
	return buf + 1;		/* without level and newline */
}

int
main(void)
{
	struct audit	 a;
	char		 big[LIM_LOGLINE];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sp) == -1)
		return 1;
	log_child(sp[0], "test[0]");
	audit_begin(&a, "01hq3vbk2t7m9c4e", "verdict");
	audit_points(&a, "score", 1120);
	audit_points(&a, "low", -5);
	audit_num(&a, "code", 554);
	audit_ms(&a, "delay", 4012);
	audit_path(&a, "from", "a=b@c.example");
	audit_path(&a, "to", "");
	audit_hex(&a, "hash", "\x00\xff", 2);
	audit_str(&a, "none", NULL);
	audit_str(&a, "empty", "");
	audit_end(&a);
	CHECK_STR(line(), "id=01hq3vbk2t7m9c4e ev=verdict score=11.20 "
	    "low=-0.05 code=554 delay=4.012 from=<a=b@c.example> to=<> "
	    "hash=00ff empty=\"\"");

	audit_begin(&a, NULL, "x");
	audit_str(&a, "helo", "a\" id=1\nev=y \\\x7f");
	audit_str(&a, "name", "b\xc3\xbc" "cher");
	audit_str(&a, "bad", "b\xfc" "cher");
	audit_end(&a);
	CHECK_STR(line(), "ev=x helo=\"a\\\" id=1\\x0aev=y \\\\\\x7f\" "
	    "name=b\xc3\xbc" "cher bad=\"b\\xfccher\"");

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	audit_begin(&a, "01hq3vbk2t7m9c4e", "x");
	audit_str(&a, "big", big);
	audit_str(&a, "after", "no");
	audit_end(&a);
	CHECK_STR(line(), "id=01hq3vbk2t7m9c4e ev=x cut=1");

	log_warnx("one%ctwo", '\n');
	CHECK_STR(line(), "test[0]: one?two");
	return unit_end();
}
