/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "regress/sandbox/caged.h"
#include "regress/unit.h"

/*
 * Every act that a caged process must not be able to do, tried in a cage of
 * each kind of child: refused unless one of its powers permits it, possible
 * if one does.  The same acts outside of any cage show that they are real.
 */

static const struct {
	const char	*name;
	uint32_t	 powers;
} roles[] = {
	{ "base",	0 },
	{ "smtp",	POWER_ACCEPT | POWER_INET | POWER_MEMFILE },
	{ "scanner",	POWER_READFD | POWER_SOFTOPEN },
	{ "resolver",	POWER_DNS },
	{ "antivirus",	POWER_UNIX },
	{ "deliver",	POWER_CONNECT | POWER_READFD },
	{ "store",	POWER_ACCEPT | POWER_FILES },
};
#define NROLES	(sizeof(roles) / sizeof(roles[0]))

static int	 listen_unix(const char *, size_t);
static int	 try_in_cage(void *);
static int	 try_free(const char *);
static void	 check_free(void);
static void	 check_role(const char *, uint32_t);
static void	 make_world(void);

/* Something to connect to, so that a connect is refused by the cage only. */
static int
listen_unix(const char *path, size_t len)
{
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == -1 ||
	    listen(fd, 128) == -1)
		err(1, "listen");
	return fd;
}

static int
try_in_cage(void *arg)
{
	return sandbox_try(arg);
}

/* As root without a cage: 1 if it was possible. */
static int
try_free(const char *act)
{
	pid_t	 pid;
	int	 status;

	(void)fflush(stdout);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		/* Only this one needs more than our little world. */
		if (strcmp(act, "open-memory") != 0 &&
		    (chroot(caged_own_root()) == -1 || chdir("/") == -1))
			_exit(3);
		_exit(sandbox_try(act));
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Some kernels lack some of it. */
static void
check_free(void)
{
	const char	*act;
	uint32_t	 powers;
	unsigned	 i, shown = 0;

	for (i = 0; (act = sandbox_act(i, &powers)) != NULL; i++) {
		if (try_free(act) == 1)
			shown++;
		else
			printf("%s: not possible without a cage either\n",
			    act);
	}
	printf("%u of %u acts shown to be real\n", shown, i);
	CHECK(shown * 10 >= i * 9);
}

static void
check_role(const char *role, uint32_t powers)
{
	struct cage	 c;
	struct caged	 res;
	const char	*act;
	char		 name[64];
	uint32_t	 permit;
	unsigned	 i, killed = 0, refused = 0, permitted = 0;

	for (i = 0; (act = sandbox_act(i, &permit)) != NULL; i++) {
		(void)strlcpy(name, act, sizeof(name));
		caged_fill(&c, role, powers);
		caged_run(&res, &c, NULL, try_in_cage, name);
		if ((permit & powers) != 0) {
			permitted++;
			CHECK(res.end == CAGED_ONE);
			if (res.end != CAGED_ONE)
				printf("%s cannot %s: %d %s\n", role, act,
				    res.status, res.log);
		} else {
			killed += res.end == CAGED_KILLED;
			refused += res.end == CAGED_ZERO;
			CHECK(res.end == CAGED_KILLED ||
			    res.end == CAGED_ZERO);
			if (res.end == CAGED_ONE || res.end == CAGED_OTHER)
				printf("%s can %s: %d %s\n", role, act,
				    res.status, res.log);
			/* Who dies says of what. */
			if (res.end == CAGED_KILLED &&
			    WIFEXITED(res.status))
				CHECK(strstr(res.log, "forbidden system call")
				    != NULL && strstr(res.log, role) != NULL);
		}
	}
	printf("%s: %u killed, %u refused, %u permitted\n", role, killed,
	    refused, permitted);
}

static void
make_world(void)
{
	char	 path[128];
	int	 fd;

	(void)snprintf(path, sizeof(path), "%s/etc", caged_own_root());
	if (mkdir(path, 0755) == -1)
		err(1, "%s", path);
	(void)strlcat(path, "/passwd", sizeof(path));
	if ((fd = open(path, O_WRONLY | O_CREAT, 0600)) == -1)
		err(1, "%s", path);
	close(fd);
}

int
main(void)
{
	char	 path[128];
	int	 s1, s2, s3;
	size_t	 i;

	if (caged_begin() == -1)
		return 77;
	make_world();
	(void)snprintf(path, sizeof(path), "%s/try.sock",
	    caged_empty_root());
	s1 = listen_unix(path, strlen(path) + 1);
	(void)chmod(path, 0666);
	(void)snprintf(path, sizeof(path), "%s/try.sock", caged_own_root());
	s2 = listen_unix(path, strlen(path) + 1);
	s3 = listen_unix("\0pfoertner-try", sizeof("pfoertner-try"));
	printf("%s\n", sandbox_describe());
	check_free();
	for (i = 0; i < NROLES; i++)
		check_role(roles[i].name, roles[i].powers);
	CHECK_INT(sandbox_try("no such act"), -1);
	close(s1);
	close(s2);
	close(s3);
	caged_end_all();
	return unit_end();
}
