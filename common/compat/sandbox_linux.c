/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/prctl.h>
#include <sys/resource.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/cage.h"
#include "common/compat/linux.h"
#include "common/log.h"

/*
 * The cage on Linux, its last steps: limits; then, as the child's own user,
 * no new privileges, not dumpable, death with the parent, Landlock and the
 * filter.  A forbidden call ends in the handler here, which says what it was.
 */

static int	 caged;
static int	 rescue_fd = STDERR_FILENO;
static char	 rescue_text[128];	/* all but the call, made beforehand */

static void	 set_limit(int, uint64_t);
static void	 prepare_rescue(const char *);
static void	 refused(int, siginfo_t *, void *);
static size_t	 put(char *, size_t, size_t, const char *);

void
cage_limits(const struct cage *c)
{
	/* The sanitizer's shadow takes terabytes of address space, and its
	   report may go to a file. */
	if (!CAGE_SANITIZED && c->memory != 0)
		set_limit(RLIMIT_AS, c->memory);
	if (!CAGE_SANITIZED || c->fsize != 0)
		set_limit(RLIMIT_FSIZE, c->fsize);
	set_limit(RLIMIT_MSGQUEUE, 0);
}

static void
set_limit(int what, uint64_t value)
{
	struct rlimit	 rl;

	rl.rlim_cur = rl.rlim_max = (rlim_t)value;
	if (setrlimit(what, &rl) == -1)
		fatal("limit %d", what);
}

void
cage_close(const struct cage *c)
{
	struct sigaction	 sa;

	/* After setresuid, which clears the signal of the parent's death; the
	   parent may have died before. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		fatal("%s: prctl", c->name);
	if (c->parent != 0 && getppid() != c->parent)
		fatalx("%s: the parent is gone", c->name);

	prepare_rescue(c->name);
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = refused;
	sa.sa_flags = SA_SIGINFO;
	sigfillset(&sa.sa_mask);
	if (sigaction(SIGSYS, &sa, NULL) == -1)
		fatal("%s: SIGSYS", c->name);

	landlock_close(cage_reach(c->powers));
	caged = 1;
	seccomp_close(c->powers);
}

const char *
cage_describe(void)
{
	static char	 text[64];

	(void)snprintf(text, sizeof(text), "seccomp landlock-abi=%d%s",
	    landlock_abi(), CAGE_SANITIZED ? " sanitized" : "");
	return text;
}

/* The beginning of a dying line, so that the handler only has to copy. */
static void
prepare_rescue(const char *name)
{
	int	 fd;

	if ((fd = log_channel()) != -1) {
		rescue_fd = fd;
		(void)snprintf(rescue_text, sizeof(rescue_text),
		    LOG_CHANNEL_CRIT "%s: ", name);
	} else
		(void)snprintf(rescue_text, sizeof(rescue_text), "%s: ", name);
}

/* Append, as far as it fits; returns the new length. */
static size_t
put(char *buf, size_t size, size_t len, const char *s)
{
	while (*s != '\0' && len < size)
		buf[len++] = *s++;
	return len;
}

/* In a signal handler: only write and _exit. */
static void
refused(int sig, siginfo_t *si, void *context)
{
	char	 line[256], digits[12];
	size_t	 len, i = sizeof(digits) - 1;
	unsigned n = (unsigned)si->si_syscall;

	(void)sig;
	(void)context;
	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + n % 10);
	} while ((n /= 10) != 0 && i > 0);
	len = put(line, sizeof(line), 0, rescue_text);
	len = put(line, sizeof(line), len, "forbidden system call ");
	len = put(line, sizeof(line), len, digits + i);
	len = put(line, sizeof(line), len, " (");
	len = put(line, sizeof(line), len, call_name(si->si_syscall));
	len = put(line, sizeof(line), len, "), killed\n");
	if (write(rescue_fd, line, len) == -1)
		_exit(SANDBOX_STATUS);	/* nowhere to say it */
	_exit(SANDBOX_STATUS);
}

#if CAGE_SANITIZED
/* The leak check forks and traces, which the cage forbids. */
int	 __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return caged;
}
#endif
