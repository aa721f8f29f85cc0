/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/compat/memfile.h"
#include "regress/smtpd-front/harness.h"
#include "regress/unit.h"
#include "smtpd-front/smtpd-front.h"

/*
 * The page of counts between processes: a child's clients count for all, and
 * count no longer when it has died, whatever it died of.
 */

static int	 go[2];

static pid_t
child(int fd, const struct netaddr *client, int n)
{
	pid_t	 pid;
	char	 c = 0;

	switch (pid = fork()) {
	case -1:
		return -1;
	case 0:
		limit_attach(dup(fd));
		while (n-- > 0)
			if (limit_connect(client) != 0)
				_exit(1);
		limit_count(COUNT_ACCEPTED, 7);
		limit_gauge(GAUGE_HELD, 2);
		if (write(go[1], &c, 1) == 1)
			(void)pause();
		_exit(0);
	default:
		CHECK_INT(read(go[0], &c, 1), 1);
		return pid;
	}
}

int
main(void)
{
	struct netaddr	 a, b;
	pid_t		 one, two;
	int		 fd, rfd;

	harness_init("limit connections per network 5\n");
	CHECK_INT(netaddr_parse(&a, "198.51.100.1"), 0);
	CHECK_INT(netaddr_parse(&b, "198.51.100.2"), 0);
	CHECK_INT(memfile_make("/tmp", &fd, &rfd), 0);
	CHECK_INT(limit_page_make(fd), 0);
	CHECK_INT(pipe(go), 0);
	limit_attach(dup(fd));
	one = child(fd, &a, 3);
	two = child(fd, &b, 1);
	CHECK_INT(limit_sessions(), 4);
	CHECK_INT(limit_counted(COUNT_ACCEPTED), 14);
	CHECK_INT(limit_gauged(GAUGE_HELD), 4);
	CHECK_INT(limit_connect(&b), 0);
	CHECK_INT(limit_connect(&a), 2);
	limit_split_add(&a, "x@y");

	CHECK_INT(kill(one, SIGKILL), 0);
	CHECK_INT(waitpid(one, NULL, 0), one);
	CHECK_INT(limit_connect(&a), 2);
	limit_page_sweep();
	CHECK_INT(limit_sessions(), 2);
	CHECK_INT(limit_counted(COUNT_ACCEPTED), 14);
	CHECK_INT(limit_gauged(GAUGE_HELD), 2);
	CHECK_INT(limit_connect(&a), 0);
	/* its row is free again, and what all remember is still there */
	one = child(fd, &b, 1);
	CHECK_INT(limit_sessions(), 4);
	CHECK(limit_split_has(&b, "x@y"));
	CHECK_INT(kill(one, SIGKILL), 0);
	CHECK_INT(kill(two, SIGKILL), 0);
	CHECK_INT(waitpid(one, NULL, 0), one);
	CHECK_INT(waitpid(two, NULL, 0), two);
	limit_page_sweep();
	CHECK_INT(limit_sessions(), 2);
	return unit_end();
}
