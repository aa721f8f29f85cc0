/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "regress/sandbox/caged.h"

/*
 * The frame of the sandbox tests: each attempt is a process of its own, since
 * a cage is never left and many attempts end in death.
 */

static char	 base[32];
static char	 empty_root[64], own_root[64];

static int	 remove_one(const char *, const struct stat *, int,
		    struct FTW *);
static void	 collect_log(int, struct caged *);

int
caged_begin(void)
{
	if (geteuid() != 0) {
		printf("not root: skipped\n");
		return -1;
	}
	(void)strlcpy(base, "/tmp/pf-cage.XXXXXXXX", sizeof(base));
	if (mkdtemp(base) == NULL)
		err(1, "mkdtemp");
	(void)snprintf(empty_root, sizeof(empty_root), "%s/empty", base);
	(void)snprintf(own_root, sizeof(own_root), "%s/own", base);
	if (chmod(base, 0711) == -1 || mkdir(empty_root, 0711) == -1 ||
	    mkdir(own_root, 0700) == -1 ||
	    chown(own_root, CAGED_UID, CAGED_UID) == -1)
		err(1, "%s", base);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	(void)st;
	(void)what;
	(void)ftw;
	return remove(path);
}

void
caged_end_all(void)
{
	if (base[0] == '/' && nftw(base, remove_one, 8,
	    FTW_DEPTH | FTW_PHYS) == -1)
		warn("%s", base);
}

const char *
caged_empty_root(void)
{
	return empty_root;
}

const char *
caged_own_root(void)
{
	return own_root;
}

void
caged_fill(struct cage *c, const char *name, uint32_t powers)
{
	memset(c, 0, sizeof(*c));
	c->name = name;
	c->root = powers & POWER_FILES ? own_root : empty_root;
	c->uid = c->gid = CAGED_UID;
	c->powers = powers;
	c->fsize = powers & (POWER_MEMFILE | POWER_FILES) ? 64 << 20 : 0;
	c->memory = 4ULL << 30;
	c->files = 256;
	c->parent = getpid();
}

void
caged_run(struct caged *res, const struct cage *c, void (*before)(void *),
    int (*in)(void *), void *arg)
{
	pid_t	 pid;
	int	 sv[2];

	memset(res, 0, sizeof(*res));
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv) == -1)
		err(1, "socketpair");
	(void)fflush(stdout);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		(void)alarm(10);
		log_child(sv[1], c->name);
		if (before != NULL)
			before(arg);
		sandbox_enter(c);
		res->status = in(arg);
		log_flush();
		_exit(res->status);
	}
	close(sv[1]);
	if (waitpid(pid, &res->status, 0) != pid)
		err(1, "waitpid");
	collect_log(sv[0], res);
	close(sv[0]);
	if (WIFSIGNALED(res->status))
		/* Where the cage is made of promises, it is SIGABRT. */
		res->end = WTERMSIG(res->status) == SIGSYS ||
		    WTERMSIG(res->status) == SIGABRT ?
		    CAGED_KILLED : CAGED_OTHER;
	else if (WEXITSTATUS(res->status) == SANDBOX_STATUS)
		res->end = CAGED_KILLED;
	else if (WEXITSTATUS(res->status) == 0)
		res->end = CAGED_ZERO;
	else if (WEXITSTATUS(res->status) == 1)
		res->end = CAGED_ONE;
	else
		res->end = CAGED_OTHER;
}

static void
collect_log(int fd, struct caged *res)
{
	size_t	 len = 0;
	ssize_t	 n;

	while (len < sizeof(res->log) - 1 && (n = recv(fd, res->log + len,
	    sizeof(res->log) - 1 - len, MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	res->log[len] = '\0';
}
