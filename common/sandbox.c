/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/resource.h>

#include <errno.h>
#include <grp.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <tls.h>

#include "common/compat/cage.h"
#include "common/log.h"
#include "common/sandbox.h"

/*
 * The cage of a child: the table of powers and the steps that are the same
 * on every system.  What a system call filter or a promise is stands in
 * common/compat/sandbox_SYSTEM.c; what must be refused, in compat/acts.c.
 */

/*
 * Everything that a process of this suite can ever do, in one table.
 *
 * Base: the event loop and its timers, memory, octets and descriptors over
 * sockets that it was given, randomness, time, its own death.  Notes:
 *   restart_syscall	after SIGSTOP and SIGCONT in a wait with a time-out
 *   sysinfo		glibc's qsort() asks for the size of the memory
 *   prlimit64		only to read (getdtablesize)
 *   tgkill		only to itself (abort)
 *   ioctl		only TCGETS, answered ENOTTY (stdio)
 *   getsockopt		SO_ERROR, credentials of an accepted peer
 *   setitimer		who reads foreign content ends itself when it hangs
 * sandbox_linux.c looks at the arguments of some of them.
 */
const struct power	 powers[] = {
	{
		0, "base", 0,
		"read readv write writev close exit exit_group dup fcntl "
		"ioctl fstat newfstatat brk mmap munmap mremap mprotect "
		"madvise futex getpid gettid tgkill rt_sigaction "
		"rt_sigprocmask rt_sigreturn restart_syscall clock_gettime "
		"clock_getres gettimeofday time getrandom sysinfo prlimit64 "
		"epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
		"poll ppoll recvmsg recvfrom sendmsg sendto getsockopt "
		"shutdown",
		"stdio recvfd sendfd"
	}, {
		POWER_ACCEPT, "accept", 0,
		"accept4",
		"unix"
	}, {
		POWER_INET, "inet", 0,
		"getsockname getpeername setsockopt",
		"inet"
	}, {
		POWER_CONNECT, "connect", REACH_TCP,
		"socket bind connect getsockname getpeername setsockopt",
		"inet"
	}, {
		POWER_DNS, "dns", REACH_TCP,
		"socket bind connect getsockname setsockopt",
		"inet"
	}, {
		POWER_UNIX, "unix", 0,
		"socket connect",
		"unix"
	}, {
		POWER_MEMFILE, "memfile", 0,
		"memfd_create ftruncate pwrite64 pwritev pread64 lseek",
		""
	}, {
		POWER_READFD, "readfd", 0,
		"pread64 preadv lseek sendfile setitimer",
		""
	}, {
		POWER_FILES, "files", REACH_ROOT,
		"open openat mkdir mkdirat rename renameat renameat2 unlink "
		"unlinkat rmdir getdents64 pread64 preadv pwrite64 pwritev "
		"lseek ftruncate fallocate fsync fdatasync syncfs msync "
		"fadvise64 sync_file_range flock statfs fstatfs uname sendfile "
		"copy_file_range",
		"rpath wpath cpath flock"
	}, {
		POWER_SOFTOPEN, "softopen", 0,
		"open openat",
		"rpath"
	},
};
const size_t		 npowers = sizeof(powers) / sizeof(powers[0]);

static pid_t		 parent;

static void	 drop_users(const struct cage *);
static void	 limit_files(const struct cage *);
static void	 set_limit(int, rlim_t);
static const struct act *find_act(const char *);

void
sandbox_prepare(void)
{
	/*
	 * Without TZ, libc looks for /etc/localtime at every strftime();
	 * without a locale, libarchive does not give out UTF-8 names.
	 */
	if (setenv("TZ", "UTC0", 1) == -1)
		fatal("TZ");
	tzset();
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		log_warnx("there is no locale C.UTF-8");
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1 ||
	    tls_init() != 0)
		fatalx("cannot initialise the TLS library");
}

void
sandbox_enter(const struct cage *c)
{
	if (c->uid == 0 || c->gid == 0)
		fatalx("%s: a cage for root is none", c->name);
	if (chroot(c->root) == -1)
		fatal("%s: chroot %s", c->name, c->root);
	if (chdir("/") == -1)
		fatal("%s: chdir", c->name);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NPROC, 0);
	if (c->files != 0)
		limit_files(c);
	/* Writing past RLIMIT_FSIZE shall be an error, not death. */
	(void)signal(SIGXFSZ, SIG_IGN);
	cage_limits(c);
	drop_users(c);
	parent = c->parent != 0 ? c->parent : getppid();
	cage_close(c);
}

const char *
sandbox_describe(void)
{
	return cage_describe();
}

unsigned
cage_reach(uint32_t bits)
{
	unsigned	 reach = 0;
	size_t		 i;

	for (i = 0; i < npowers; i++)
		if (powers[i].bit & bits)
			reach |= powers[i].reach;
	return reach;
}

pid_t
cage_parent(void)
{
	return parent;
}

/* The system may give less than the role would like to have. */
static void
limit_files(const struct cage *c)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("limit");
	if (rl.rlim_max >= c->files)
		rl.rlim_max = c->files;
	else
		log_debug("%u descriptors wanted, the system gives %llu",
		    c->files, (unsigned long long)rl.rlim_max);
	set_limit(RLIMIT_NOFILE, rl.rlim_max);
}

static void
set_limit(int what, rlim_t value)
{
	struct rlimit	 rl;

	rl.rlim_cur = rl.rlim_max = value;
	if (setrlimit(what, &rl) == -1)
		fatal("limit %d", what);
}

static void
drop_users(const struct cage *c)
{
	if (setgroups(0, NULL) == -1 ||
	    setresgid(c->gid, c->gid, c->gid) == -1 ||
	    setresuid(c->uid, c->uid, c->uid) == -1)
		fatal("%s: drop users", c->name);
	if (setuid(0) != -1 || getuid() != c->uid || geteuid() != c->uid ||
	    getgid() != c->gid || getegid() != c->gid)
		fatalx("%s: root was not given up", c->name);
}

/* The acts of every system, then those of this one. */
static const struct act *
find_act(const char *name)
{
	size_t	 i;

	for (i = 0; i < nacts; i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	for (i = 0; i < nsystem_acts; i++)
		if (strcmp(system_acts[i].name, name) == 0)
			return &system_acts[i];
	return NULL;
}

int
sandbox_try(const char *name)
{
	const struct act	*a;

	if ((a = find_act(name)) == NULL)
		return -1;
	errno = 0;
	return a->try();
}

const char *
sandbox_act(unsigned n, uint32_t *permitting)
{
	const struct act	*a;

	if (n < nacts)
		a = &acts[n];
	else if (n - nacts < nsystem_acts)
		a = &system_acts[n - nacts];
	else
		return NULL;
	*permitting = a->powers;
	return a->name;
}
