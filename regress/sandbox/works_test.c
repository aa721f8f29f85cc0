/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

#include "common/ipc.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/message.h"
#include "common/protocol.h"
#include "common/sandbox.h"
#include "regress/sandbox/caged.h"
#include "regress/unit.h"

/*
 * What each kind of child does runs to its end in its cage: the base, memory
 * files, the files of its own root, lmdb.  (works_net_test.c: the network.)
 * A step that fails returns its line.
 */

#define STEP(e)	do { if (!(e)) return step(__LINE__); } while (0)

static int	 null_fd;
static int	 channel[2];
static int	 got_frame, got_fd, got_timer, got_signal;

static int	 step(int);
static int	 on_frame(struct ipc *, struct imsg *);
static void	 on_signal(int, short, void *);
static void	 on_timer(void *);
static int	 compare(const void *, const void *);
static int	 run(const char *, uint32_t, void (*)(void *), int (*)(void *));

static const struct ipc_verb	 verbs[] = {
	{ VERB_SCAN, PEER_BIT(PEER_SMTP), 100, IPC_FD, on_frame },
};

static int
step(int line)
{
	log_warn("line %d", line);
	return 2;
}

static int
on_frame(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	got_frame++;
	got_fd += im->fd != -1;
	return 0;
}

static void
on_signal(int sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	got_signal++;
}

static void
on_timer(void *arg)
{
	(void)arg;
	if (++got_timer == 1)
		(void)raise(SIGUSR1);
	else
		loop_stop();
}

static int
compare(const void *a, const void *b)
{
	const uint32_t	*x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
loop_before(void *arg)
{
	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    channel) == -1 ||
	    (null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1)
		err(3, "channel");
	loop_init();
	imsg_reserve_init();
	sandbox_prepare();
}

/* Timers, signals, frames with descriptors, as every child has them. */
static int
loop_in(void *arg)
{
	struct ipc	*a, *b;
	struct timer	 t1, t2;
	struct event	*sig;

	(void)arg;
	a = ipc_new(channel[0], PEER_SMTP, 0, verbs, 1, NULL, NULL);
	b = ipc_new(channel[1], PEER_SMTP, 0, verbs, 1, NULL, NULL);
	STEP(a != NULL && b != NULL);
	STEP(ipc_send(a, VERB_SCAN, 1, null_fd, NULL) == 0);
	timer_init(&t1, on_timer, NULL);
	timer_init(&t2, on_timer, NULL);
	timer_set(&t1, 1);
	timer_set(&t2, 30);
	sig = evsignal_new(loop_base(), SIGUSR1, on_signal, NULL);
	STEP(sig != NULL && event_add(sig, NULL) == 0);
	loop_run();
	STEP(got_timer == 2 && got_frame == 1 && got_fd == 1);
	STEP(got_signal == 1);
	ipc_close(a);
	ipc_close(b);
	return 0;
}

/* What libc does behind one's back. */
static int
libc_in(void *arg)
{
	struct tm	 tm;
	time_t		 now = time(NULL);
	uint32_t	*v, *more;
	char		 text[64];
	size_t		 i, n = 200000;

	(void)arg;
	STEP((v = calloc(n, sizeof(*v))) != NULL);
	for (i = 0; i < n; i++)
		v[i] = arc4random();
	/* Large arrays: glibc asks for the size of the memory. */
	qsort(v, n, sizeof(*v), compare);
	STEP((more = reallocarray(v, n * 4, sizeof(*v))) != NULL);
	free(more);
	STEP(localtime_r(&now, &tm) != NULL);
	STEP(strftime(text, sizeof(text), "%a %z", &tm) > 0);
	STEP(mktime(&tm) != -1);
	STEP(snprintf(text, sizeof(text), "%.3f %s", 1.5,
	    strerror(ENOENT)) > 0);
	STEP(getdtablesize() == 256);
	/* stdio looks whether /dev/null is a terminal. */
	printf("a line from the cage\n");
	STEP(fflush(stdout) == 0);
	STEP(poll(NULL, 0, 1) == 0);
	return 0;
}

static void
libc_before(void *arg)
{
	int	 fd;

	(void)arg;
	if ((fd = open("/dev/null", O_WRONLY)) == -1 ||
	    dup2(fd, STDOUT_FILENO) == -1)
		err(3, "/dev/null");
	sandbox_prepare();
}

static int
abort_in(void *arg)
{
	(void)arg;
	abort();
}

/* Somebody stops the process and lets it go on, in a wait with a time-out. */
static void
stop_before(void *arg)
{
	pid_t	 self = getpid();

	(void)arg;
	switch (fork()) {
	case -1:
		err(3, "fork");
	case 0:
		usleep(60000);
		(void)kill(self, SIGSTOP);
		usleep(20000);
		(void)kill(self, SIGCONT);
		_exit(0);
	}
}

static int
stop_in(void *arg)
{
	(void)arg;
	STEP(poll(NULL, 0, 150) == 0);
	return 0;
}

static void
prepare(void *arg)
{
	(void)arg;
	sandbox_prepare();
}

/* As smtp: a sealed memory file, and no larger one than the limit. */
static int
memfile_in(void *arg)
{
	static uint8_t	 block[1 << 20];
	struct message	*m;
	uint8_t		 hash[MESSAGE_HASH];
	int		 fd, i;

	(void)arg;
	STEP((m = message_new()) != NULL);
	STEP(message_write(m, "body\r\n", 6) == 0);
	STEP((fd = message_seal(m, hash)) != -1);
	STEP(message_check(fd, 6) == 0);
	STEP(write(fd, "x", 1) == -1);
	message_free(m);
	STEP((m = message_new()) != NULL);
	for (i = 0; i < 64; i++)
		STEP(message_write(m, block, sizeof(block)) == 0);
	STEP(message_write(m, block, sizeof(block)) == -1 && errno == EFBIG);
	message_free(m);
	return 0;
}

static void
readfd_before(void *arg)
{
	struct message	*m;
	uint8_t		 hash[MESSAGE_HASH];

	(void)arg;
	sandbox_prepare();
	if ((m = message_new()) == NULL || message_write(m, "body", 4) == -1 ||
	    (null_fd = message_seal(m, hash)) == -1)
		err(3, "message");
}

/* As the scanner: read and map what it was given; opening finds nothing. */
static int
readfd_in(void *arg)
{
	char	 buf[8];
	void	*p;
	FILE	*f;

	(void)arg;
	STEP(message_check(null_fd, 4) == 0);
	STEP(pread(null_fd, buf, sizeof(buf), 0) == 4);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, null_fd, 0);
	STEP(p != MAP_FAILED && memcmp(p, "body", 4) == 0);
	STEP(munmap(p, 4096) == 0);
	f = fopen("/etc/localtime", "r");
	STEP(f == NULL && errno == ENOENT);
	STEP(open("/", O_RDONLY) == -1 && errno == ENOENT);
	return 0;
}

static int
memory_in(void *arg)
{
	struct rlimit	 rl;
	void	*volatile p;	/* compilers think that malloc succeeds */

	(void)arg;
	STEP(getrlimit(RLIMIT_AS, &rl) == 0);
	/* Sanitizers cannot live with this limit. */
	if (rl.rlim_cur != RLIM_INFINITY) {
		p = malloc(8ULL << 30);
		STEP(p == NULL);
	}
	STEP(getrlimit(RLIMIT_CORE, &rl) == 0 && rl.rlim_max == 0);
	return 0;
}

/* As spool: files of its own directory. */
static int
files_in(void *arg)
{
	struct flock	 lock;
	struct stat	 st;
	DIR		*d;
	char		 buf[8];
	int		 fd, dir, n = 0;

	(void)arg;
	STEP(mkdir("/q", 0700) == 0);
	STEP((dir = open("/q", O_RDONLY | O_DIRECTORY)) != -1);
	STEP((fd = openat(dir, "a", O_RDWR | O_CREAT | O_EXCL, 0600)) != -1);
	STEP(pwrite(fd, "hello", 5, 0) == 5);
	STEP(pread(fd, buf, sizeof(buf), 0) == 5);
	STEP(ftruncate(fd, 3) == 0 && fstat(fd, &st) == 0 && st.st_size == 3);
	memset(&lock, 0, sizeof(lock));
	lock.l_type = F_WRLCK;
	STEP(fcntl(fd, F_SETLK, &lock) == 0);
	STEP(fdatasync(fd) == 0 && fsync(fd) == 0 && close(fd) == 0);
	STEP(renameat(dir, "a", dir, "b") == 0);
	STEP(rename("/q/b", "/q/c") == 0);
	STEP(fsync(dir) == 0);
	STEP((d = fdopendir(dir)) != NULL);
	while (readdir(d) != NULL)
		n++;
	STEP(n == 3);
	STEP(stat("/q/c", &st) == 0);
	STEP(unlinkat(dir, "c", 0) == 0 && closedir(d) == 0);
	STEP(rmdir("/q") == 0);
	/* Not its own. */
	STEP(open("/../../etc/passwd", O_RDONLY) == -1 && errno == ENOENT);
	return 0;
}

static int
lmdb_in(void *arg)
{
	MDB_env		*env;
	MDB_txn		*txn;
	MDB_dbi		 dbi;
	MDB_val		 k, v;
	char		 key[] = "key";

	(void)arg;
	STEP(mdb_env_create(&env) == 0);
	STEP(mdb_env_set_mapsize(env, 16 << 20) == 0);
	STEP(mdb_env_open(env, "/", MDB_NOSYNC, 0600) == 0);
	STEP(mdb_txn_begin(env, NULL, 0, &txn) == 0);
	STEP(mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
	k.mv_data = v.mv_data = key;
	k.mv_size = v.mv_size = sizeof(key);
	STEP(mdb_put(txn, dbi, &k, &v, 0) == 0 && mdb_txn_commit(txn) == 0);
	STEP(mdb_env_sync(env, 1) == 0);
	STEP(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0);
	STEP(mdb_get(txn, dbi, &k, &v) == 0);
	mdb_txn_abort(txn);
	STEP(mdb_env_set_mapsize(env, 32 << 20) == 0);
	mdb_env_close(env);
	return 0;
}

/* The parent dies: so does the child, whatever it does. */
static void
orphan_check(void)
{
	struct cage	 c;
	char		 buf[1];
	int		 sv[2];
	pid_t		 middle, child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		err(1, "socketpair");
	(void)fflush(stdout);
	if ((middle = fork()) == -1)
		err(1, "fork");
	if (middle == 0) {
		caged_fill(&c, "orphan", 0);
		if ((child = fork()) == 0) {
			close(sv[0]);
			sandbox_enter(&c);
			if (write(sv[1], "r", 1) != 1)
				_exit(1);
			for (;;)
				(void)poll(NULL, 0, 1000);
		}
		close(sv[1]);
		_exit(child == -1 || read(sv[0], buf, 1) != 1);
	}
	close(sv[1]);
	CHECK(waitpid(middle, NULL, 0) == middle);
	/* End of file comes when the orphan is gone. */
	(void)alarm(5);
	CHECK(read(sv[0], buf, 1) == 0);
	(void)alarm(0);
	close(sv[0]);
}

static int
run(const char *name, uint32_t powers, void (*before)(void *),
    int (*in)(void *))
{
	struct cage	 c;
	struct caged	 res;

	caged_fill(&c, name, powers);
	caged_run(&res, &c, before, in, NULL);
	if (res.end != CAGED_ZERO)
		printf("%s: status %d\n%s", name, res.status, res.log);
	return res.end;
}

int
main(void)
{
	struct cage	 c;
	struct caged	 res;

	if (caged_begin() == -1)
		return 77;
	CHECK(run("loop", 0, loop_before, loop_in) == CAGED_ZERO);
	CHECK(run("libc", 0, libc_before, libc_in) == CAGED_ZERO);
	CHECK(run("stop", 0, stop_before, stop_in) == CAGED_ZERO);
	CHECK(run("memfile", POWER_MEMFILE, prepare, memfile_in) ==
	    CAGED_ZERO);
	CHECK(run("readfd", POWER_READFD | POWER_SOFTOPEN, readfd_before,
	    readfd_in) == CAGED_ZERO);
	CHECK(run("memory", 0, prepare, memory_in) == CAGED_ZERO);
	CHECK(run("files", POWER_FILES, prepare, files_in) == CAGED_ZERO);
	CHECK(run("lmdb", POWER_FILES, prepare, lmdb_in) == CAGED_ZERO);
	orphan_check();

	/* abort() is not the filter's doing. */
	caged_fill(&c, "abort", 0);
	caged_run(&res, &c, NULL, abort_in, NULL);
	CHECK(WIFSIGNALED(res.status) && WTERMSIG(res.status) == SIGABRT);
	caged_end_all();
	return unit_end();
}
