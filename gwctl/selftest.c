/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proc.h"
#include "common/sandbox.h"
#include "gwctl/gwctl.h"

/*
 * Are the cages closed?  Each daemon is executed as each of its children, goes
 * into that child's cage, and tries what must not be possible there.  Nothing
 * is asked of the daemons that are running.
 */

#define OUTPUT_SIZE	4096
#define ARGS_MAX	64

struct count {
	unsigned	 refused, permitted, possible, untried;
};

/* One execution: its status, and what it said. */
struct attempt {
	int		 status;	/* exit status, or -1 */
	char		 output[OUTPUT_SIZE];
};

static int	 verbose;

static int	 find_binary(enum daemon_id, const char *, char *, size_t);
static int	 find_self(char *, size_t);
static int	 is_program(const char *);
static void	 test_daemon(enum daemon_id, const char *, struct count *);
static void	 test_role(const char *, const char *, const char *,
		    struct count *);
static int	 run(const char *, const char *, const char *,
		    struct attempt *);
static void	 become(const char *, const char *, const char *, int)
		    __attribute__((noreturn));
static char	*arg(const char *);
static void	 read_all(int, char *, size_t);
static void	 check_swap(void);
static int	 swap_encrypted(const char *);

int
cmd_selftest(int argc, char *argv[])
{
	struct options	 o;
	struct count	 all;
	const char	*dir = NULL;
	char		 path[1024];
	enum daemon_id	 d;
	int		 c, bad = 0;

	options_init(&o, argc, argv, "b:v");
	while ((c = options_next(&o)) != -1)
		switch (c) {
		case 'b':
			dir = o.value;
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			return usage("selftest");
		}
	if (o.argc != 0)
		return usage("selftest");
	if (geteuid() != 0)
		errx(1, "selftest is about users and cages: run it as root");
	memset(&all, 0, sizeof(all));
	for (d = 0; d < DAEMON_MAX; d++)
		if (find_binary(d, dir, path, sizeof(path)) == -1) {
			printf("%s: not found\n", daemon_name(d));
			bad = 1;
		} else
			test_daemon(d, path, &all);
	check_swap();
	printf("%u acts refused, %u permitted by a power, %u possible that "
	    "should not be, %u not tried\n", all.refused, all.permitted,
	    all.possible, all.untried);
	return bad || all.possible > 0 || all.untried > 0 || all.refused == 0;
}

/* Beside gwctl, as installed or as built, or where -b says. */
static int
find_binary(enum daemon_id d, const char *dir, char *path, size_t size)
{
	const char	*name = daemon_name(d);
	char		 self[512];

	if (dir == NULL) {
		if (find_self(self, sizeof(self)) == -1)
			return -1;
		dir = self;
	}
	if ((size_t)snprintf(path, size, "%s/%s", dir, name) < size &&
	    is_program(path))
		return 0;
	if ((size_t)snprintf(path, size, "%s/%s/%s", dir, name, name) < size &&
	    is_program(path))
		return 0;
	if ((size_t)snprintf(path, size, "%s/../%s/%s", dir, name, name) <
	    size && is_program(path))
		return 0;
	return -1;
}

/* The directory that gwctl was started from. */
static int
find_self(char *dir, size_t size)
{
	const char	*slash, *path;
	char		 file[PATH_MAX];
	size_t		 n;

	if ((slash = strrchr(gwctl.self, '/')) != NULL) {
		n = (size_t)(slash - gwctl.self);
		return (size_t)snprintf(dir, size, "%.*s/", (int)n,
		    gwctl.self) < size ? 0 : -1;
	}
	for (path = getenv("PATH"); path != NULL && *path != '\0';
	    path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)n, path,
		    gwctl.self);
		if (is_program(file))
			return (size_t)snprintf(dir, size, "%.*s", (int)n,
			    path) < size ? 0 : -1;
	}
	return -1;
}

static int
is_program(const char *path)
{
	struct stat	 st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

static void
test_daemon(enum daemon_id d, const char *path, struct count *all)
{
	struct attempt	 a;
	char		*p = a.output, *role;

	if (run(path, NULL, "children", &a) == -1 || a.status != 0) {
		printf("%s cannot be tried: ", daemon_name(d));
		print_clean(stdout, strsep(&p, "\n"));
		printf("\n");
		all->untried++;
		return;
	}
	while ((role = strsep(&p, "\n")) != NULL)
		if (*role != '\0')
			test_role(daemon_name(d), path, role, all);
}

static void
test_role(const char *name, const char *path, const char *role,
    struct count *all)
{
	struct count	 n;
	struct attempt	 a;
	const char	*act;
	char		*p;
	uint32_t	 powers;
	unsigned	 i;

	memset(&n, 0, sizeof(n));
	for (i = 0; (act = sandbox_act(i, &powers)) != NULL; i++) {
		if (run(path, role, act, &a) == -1)
			a.status = -1;
		if (a.status == TRY_REFUSED || a.status == SANDBOX_STATUS)
			n.refused++;
		else if (a.status == TRY_PERMITTED)
			n.permitted++;
		else if (a.status == TRY_POSSIBLE) {
			n.possible++;
			printf("%s %s CAN %s\n", name, role, act);
		} else if (n.untried++ == 0) {
			printf("%s %s: %s cannot be tried: ", name, role, act);
			p = a.output;
			print_clean(stdout, strsep(&p, "\n"));
			printf("\n");
		}
		if (verbose)
			printf("%s %s %s: %s\n", name, role, act,
			    a.status == TRY_REFUSED ? "refused" :
			    a.status == SANDBOX_STATUS ? "killed" :
			    a.status == TRY_PERMITTED ? "permitted" :
			    a.status == TRY_POSSIBLE ? "POSSIBLE" :
			    "not tried");
	}
	printf("%-11s %-10s %3u refused, %2u permitted", name, role,
	    n.refused, n.permitted);
	if (n.possible > 0)
		printf(", %u POSSIBLE", n.possible);
	if (n.untried > 0)
		printf(", %u not tried", n.untried);
	printf("\n");
	(void)fflush(stdout);
	all->refused += n.refused;
	all->permitted += n.permitted;
	all->possible += n.possible;
	all->untried += n.untried;
}

/*
 * path -x role -T act, with our -f and -D.
 */
static int
run(const char *path, const char *role, const char *act, struct attempt *a)
{
	pid_t	 pid;
	int	 fds[2], status;

	a->output[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) == -1) {
		warn("pipe");
		return -1;
	}
	(void)fflush(stdout);
	if ((pid = fork()) == -1) {
		warn("fork");
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	if (pid == 0)
		become(path, role, act, fds[1]);
	close(fds[1]);
	read_all(fds[0], a->output, sizeof(a->output));
	close(fds[0]);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	/* Death by the system's own means is a refusal too (pledge). */
	a->status = WIFEXITED(status) ? WEXITSTATUS(status) :
	    WIFSIGNALED(status) ? SANDBOX_STATUS : -1;
	return 0;
}

static void
become(const char *path, const char *role, const char *act, int out)
{
	char	*args[ARGS_MAX], *macro;
	size_t	 i, n = 0;
	int	 null;

	args[n++] = arg(path);
	args[n++] = arg("-f");
	args[n++] = arg(gwctl.file);
	for (i = 0; i < gwctl.nmacros && n < ARGS_MAX - 7; i++) {
		if (asprintf(&macro, "%s=%s", gwctl.macros[i].name,
		    gwctl.macros[i].value) == -1)
			_exit(2);
		args[n++] = arg("-D");
		args[n++] = macro;
	}
	if (role != NULL) {
		args[n++] = arg("-x");
		args[n++] = arg(role);
	}
	args[n++] = arg("-T");
	args[n++] = arg(act);
	args[n] = NULL;
	if ((null = open("/dev/null", O_RDONLY)) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1 || dup2(out, STDERR_FILENO) == -1)
		_exit(2);
	closefrom(3);
	execv(path, args);
	_exit(2);
}

/* For execv, which changes nothing. */
static char *
arg(const char *s)
{
	char	*copy;

	if ((copy = strdup(s)) == NULL)
		_exit(2);
	return copy;
}

/* To the end, keeping what fits. */
static void
read_all(int fd, char *buf, size_t size)
{
	char	 more[512];
	size_t	 len = 0, k;
	ssize_t	 n;

	while ((n = read(fd, more, sizeof(more))) > 0 ||
	    (n == -1 && errno == EINTR)) {
		if (n == -1)
			continue;
		k = (size_t)n < size - 1 - len ? (size_t)n : size - 1 - len;
		memcpy(buf + len, more, k);
		len += k;
	}
	buf[len] = '\0';
}

/*
 * Swap: what is written there is on a disk.  Where /proc does not know of it,
 * as on OpenBSD, it is encrypted anyway.
 */
static void
check_swap(void)
{
	FILE	*fp;
	char	*line = NULL, *end;
	size_t	 size = 0;

	if ((fp = fopen("/proc/swaps", "re")) == NULL)
		return;
	while (getline(&line, &size, fp) > 0) {
		if (line[0] != '/')
			continue;
		end = line + strcspn(line, " \t");
		*end = '\0';
		if (!swap_encrypted(line))
			printf("warning: swap on %s is not known to be "
			    "encrypted; messages in memory may get there\n",
			    line);
	}
	free(line);
	fclose(fp);
}

/* zram stays in memory; dm-crypt says so in the name of its device. */
static int
swap_encrypted(const char *device)
{
	char	 real[PATH_MAX], path[PATH_MAX + 64], uuid[16] = "";
	char	*name;
	FILE	*fp;

	if (realpath(device, real) == NULL ||
	    (name = strrchr(real, '/')) == NULL)
		return 0;
	name++;
	if (strncmp(name, "zram", 4) == 0)
		return 1;
	(void)snprintf(path, sizeof(path), "/sys/block/%s/dm/uuid", name);
	if ((fp = fopen(path, "re")) == NULL)
		return 0;
	if (fgets(uuid, sizeof(uuid), fp) == NULL)
		uuid[0] = '\0';
	fclose(fp);
	return strncmp(uuid, "CRYPT-", 6) == 0;
}
