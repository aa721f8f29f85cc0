/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat/cage.h"

/*
 * What a caged process must not be able to do, as far as every system knows
 * it.  An act is honest: free of a cage and as root it is possible.  It uses
 * no call beside the base that is not the one it is about, so that the right
 * one is refused, and it does no harm where it succeeds.
 */

#define TRY_FILE	"/pfoertner-try"
#define TRY_DIR		"/pfoertner-try.d"
#define TRY_PORT	20025	/* some port that may be bound */

static int	 opened(int);
static int	 inet_socket(int, int);
static void	 loopback(struct sockaddr_in *, in_port_t);

int
act_result(long r)
{
	if (r != -1)
		return 1;
	switch (errno) {
	case EPERM:
	case EACCES:
	case ENOSYS:
	case ENOPROTOOPT:
		return 0;
	default:
		/* Refused for another reason: it got past the cage. */
		return 1;
	}
}

/* A descriptor tells all. */
static int
opened(int fd)
{
	if (fd == -1)
		return 0;
	close(fd);
	return 1;
}

static int
try_open_read(void)
{
	return opened(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int
try_open_root(void)
{
	return opened(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
try_open_write(void)
{
	int	 fd;

	fd = open(TRY_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (opened(fd) == 0)
		return 0;
	(void)unlink(TRY_FILE);
	return 1;
}

static int
try_open_memory(void)
{
	return opened(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
}

static int
try_mkdir(void)
{
	if (mkdir(TRY_DIR, 0700) == -1)
		return 0;
	(void)rmdir(TRY_DIR);
	return 1;
}

static int
try_unlink(void)
{
	return act_result(unlink(TRY_FILE));
}

static int
try_rename(void)
{
	return act_result(rename(TRY_FILE, TRY_FILE ".new"));
}

static int
try_symlink(void)
{
	if (symlink("/etc", TRY_FILE ".link") == -1)
		return 0;
	(void)unlink(TRY_FILE ".link");
	return 1;
}

static int
try_hardlink(void)
{
	return act_result(link(TRY_FILE, TRY_FILE ".link"));
}

static int
try_mkfifo(void)
{
	if (mkfifo(TRY_FILE ".fifo", 0600) == -1)
		return 0;
	(void)unlink(TRY_FILE ".fifo");
	return 1;
}

static int
try_chmod(void)
{
	return act_result(chmod(TRY_FILE, 0600));
}

static int
try_chown(void)
{
	return act_result(chown(TRY_FILE, 0, 0));
}

static int
try_exec(void)
{
	char	 sh[] = "sh", c[] = "-c", cmd[] = "exit 1";
	char	*argv[] = { sh, c, cmd, NULL };

	/* Where it works, the shell's status says so. */
	return act_result(execv("/bin/sh", argv));
}

static int
try_fork(void)
{
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == -1)
		return 0;
	if (pid == 0)
		_exit(0);
	(void)waitpid(pid, &status, 0);
	return 1;
}

static int
inet_socket(int family, int type)
{
	return opened(socket(family, type | SOCK_CLOEXEC, 0));
}

static int
try_socket_inet(void)
{
	return inet_socket(AF_INET, SOCK_STREAM);
}

static int
try_socket_inet6(void)
{
	return inet_socket(AF_INET6, SOCK_STREAM);
}

static int
try_socket_udp(void)
{
	return inet_socket(AF_INET, SOCK_DGRAM);
}

static int
try_socket_udp6(void)
{
	return inet_socket(AF_INET6, SOCK_DGRAM);
}

static int
try_socket_raw(void)
{
	return opened(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int
try_socket_unix(void)
{
	return inet_socket(AF_UNIX, SOCK_STREAM);
}

static int
try_socket_unix_dgram(void)
{
	return inet_socket(AF_UNIX, SOCK_DGRAM);
}

static int
try_socketpair(void)
{
	int	 fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
		return 0;
	close(fd[0]);
	close(fd[1]);
	return 1;
}

static int
try_pipe(void)
{
	int	 fd[2];

	if (pipe(fd) == -1)
		return 0;
	close(fd[0]);
	close(fd[1]);
	return 1;
}

static void
loopback(struct sockaddr_in *sin, in_port_t port)
{
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static int
try_connect_inet(void)
{
	struct sockaddr_in	 sin;
	int			 fd, r;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return 0;
	loopback(&sin, 9);
	r = act_result(connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
	close(fd);
	return r;
}

static int
try_bind(in_port_t port)
{
	struct sockaddr_in	 sin;
	int			 fd, r;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return 0;
	loopback(&sin, port);
	r = act_result(bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	close(fd);
	return r;
}

static int
try_bind_inet(void)
{
	return try_bind(0);
}

static int
try_bind_port(void)
{
	return try_bind(TRY_PORT);
}

/* The calls below are given no socket: one that was let through says so by
   EBADF, and no other call is needed before. */
static int
try_listen(void)
{
	return act_result(listen(-1, 1));
}

static int
try_accept(void)
{
	return act_result(accept4(-1, NULL, NULL, SOCK_CLOEXEC));
}

static int
try_getpeername(void)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	return act_result(getpeername(-1, (struct sockaddr *)&ss, &len));
}

static int
try_sendto(void)
{
	struct sockaddr_in	 sin;

	loopback(&sin, 9);
	return act_result(sendto(-1, "", 1, 0, (struct sockaddr *)&sin,
	    sizeof(sin)));
}

/* To the test's own listener; without one nothing can be reached. */
static int
try_connect_unix(void)
{
	struct sockaddr_un	 sun;
	int			 fd, r;

	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return 0;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", "/try.sock");
	r = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0;
	close(fd);
	return r;
}

static int
try_kill_parent(void)
{
	return act_result(kill(cage_parent(), 0));
}

static int
try_setuid_root(void)
{
	return act_result(setuid(0));
}

static int
try_setgid_root(void)
{
	return act_result(setgid(0));
}

static int
try_setgroups(void)
{
	gid_t	 gid = 0;

	return act_result(setgroups(1, &gid));
}

static int
try_chroot(void)
{
	return act_result(chroot("/"));
}

static int
try_settime(void)
{
	struct timespec	 ts = { 0, 0 };

	/* Of a clock that there is not. */
	return act_result(clock_settime((clockid_t)9999, &ts));
}

/* Memory that is executable, at once or later. */
static int
try_mmap_exec(void)
{
	void	*p;

	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	(void)munmap(p, 4096);
	return 1;
}

static int
try_mprotect_exec(void)
{
	void	*p;
	int	 r;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	r = act_result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	(void)munmap(p, 4096);
	return r;
}

const struct act	 acts[] = {
	{ "open-read",		0,		try_open_read },
	{ "open-root",		POWER_FILES,	try_open_root },
	{ "open-write",		POWER_FILES,	try_open_write },
	{ "open-memory",	0,		try_open_memory },
	{ "mkdir",		POWER_FILES,	try_mkdir },
	{ "unlink",		POWER_FILES,	try_unlink },
	{ "rename",		POWER_FILES,	try_rename },
	{ "symlink",		0,		try_symlink },
	{ "hardlink",		0,		try_hardlink },
	{ "mkfifo",		0,		try_mkfifo },
	{ "chmod",		0,		try_chmod },
	{ "chown",		0,		try_chown },
	{ "exec",		0,		try_exec },
	{ "fork",		0,		try_fork },
	{ "pipe",		0,		try_pipe },
	{ "socketpair",		0,		try_socketpair },
	{ "socket-inet",	POWER_CONNECT | POWER_DNS, try_socket_inet },
	{ "socket-inet6",	POWER_CONNECT | POWER_DNS, try_socket_inet6 },
	{ "socket-udp",		POWER_DNS,	try_socket_udp },
	{ "socket-udp6",	POWER_DNS,	try_socket_udp6 },
	{ "socket-raw",		0,		try_socket_raw },
	{ "socket-unix",	POWER_UNIX,	try_socket_unix },
	{ "socket-unix-dgram",	0,		try_socket_unix_dgram },
	{ "connect-inet",	POWER_CONNECT | POWER_DNS, try_connect_inet },
	{ "connect-unix",	POWER_UNIX,	try_connect_unix },
	{ "bind-inet",		POWER_CONNECT | POWER_DNS, try_bind_inet },
	{ "bind-port",		0,		try_bind_port },
	{ "listen",		0,		try_listen },
	{ "accept",		POWER_ACCEPT,	try_accept },
	{ "getpeername",	POWER_INET | POWER_CONNECT, try_getpeername },
	{ "sendto",		POWER_DNS,	try_sendto },
	{ "kill-parent",	0,		try_kill_parent },
	{ "setuid-root",	0,		try_setuid_root },
	{ "setgid-root",	0,		try_setgid_root },
	{ "setgroups",		0,		try_setgroups },
	{ "chroot",		0,		try_chroot },
	{ "settime",		0,		try_settime },
	{ "mmap-exec",		0,		try_mmap_exec },
	{ "mprotect-exec",	0,		try_mprotect_exec },
};
const size_t		 nacts = sizeof(acts) / sizeof(acts[0]);
