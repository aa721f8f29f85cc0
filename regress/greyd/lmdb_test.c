/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "greyd/greyd.h"
#include "greyd/lmdb.h"
#include "regress/greyd/fakestate.h"
#include "regress/unit.h"

/*
 * The embedded back end: what it keeps over restarts and kill -9, how it
 * ages, grows, fills up, and what it does with a damaged file.
 */

#define MANY	20000

static const struct backend	*be;
static enum backend_status	 status;
static char			 text[128];
static uint64_t			 counted, counted_before;

static void	 on_get(enum backend_status, const uint8_t *, size_t, void *);
static void	 on_count(enum backend_status, uint64_t, uint64_t, void *);
static const char *get(const char *);
static void	 put(const char *, const char *, uint32_t);
static uint64_t	 count(const char *, int64_t, uint32_t);
static void	 open_max(uint64_t);
static void	 reopen(void);
static uint64_t	 figure(const char *);
static void	 fill(unsigned, unsigned);
static unsigned	 present(unsigned, unsigned);
static void	 file_name(char *, size_t, const char *);

static void
on_get(enum backend_status s, const uint8_t *value, size_t len, void *arg)
{
	(void)arg;
	status = s;
	text[0] = '\0';
	if (s == BACKEND_FOUND && len < sizeof(text)) {
		memcpy(text, value, len);
		text[len] = '\0';
	}
}

/* NULL: not there; "!": the store is out of order. */
static const char *
get(const char *name)
{
	struct key	 k;

	key_make(&k, "test", name, NULL, NULL);
	status = 99;
	be->get(&k, on_get, NULL);
	if (status == BACKEND_FAILED)
		return "!";
	return status == BACKEND_FOUND ? text : NULL;
}

static void
put(const char *name, const char *value, uint32_t ttl)
{
	struct key	 k;

	key_make(&k, "test", name, NULL, NULL);
	be->put(&k, value, strlen(value), ttl);
}

static void
on_count(enum backend_status s, uint64_t now, uint64_t before, void *arg)
{
	(void)arg;
	status = s;
	counted = now;
	counted_before = before;
}

static uint64_t
count(const char *name, int64_t add, uint32_t period)
{
	struct key	 k;

	key_make(&k, "test", name, NULL, NULL);
	be->count(&k, add, period, on_count, NULL);
	return counted;
}

static void
open_max(uint64_t max)
{
	if ((be = backend_lmdb_open(fake_dir, max)) == NULL)
		errx(1, "no back end");
}

static void
reopen(void)
{
	be->close();
	open_max(1000000);
}

/* A line of the status. */
static uint64_t
figure(const char *name)
{
	char		 line[128];
	uint64_t	 found = UINT64_MAX;
	size_t		 len = strlen(name);
	FILE		*f;

	if ((f = tmpfile()) == NULL)
		err(1, "tmpfile");
	be->status(f);
	be->turn();
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			found = strtoull(line + len, NULL, 10);
	fclose(f);
	return found;
}

static void
fill(unsigned from, unsigned to)
{
	char	 name[16];

	for (; from < to; from++) {
		(void)snprintf(name, sizeof(name), "%u", from);
		put(name, name, 3600 + from);
	}
}

static unsigned
present(unsigned from, unsigned to)
{
	char		 name[16];
	const char	*v;
	unsigned	 n = 0;

	for (; from < to; from++) {
		(void)snprintf(name, sizeof(name), "%u", from);
		if ((v = get(name)) != NULL && strcmp(v, name) == 0)
			n++;
	}
	be->turn();
	return n;
}

static void
file_name(char *buf, size_t size, const char *name)
{
	(void)snprintf(buf, size, "%s/%s", fake_dir, name);
}

static void
check_basic(void)
{
	struct key	 k;

	open_max(1000000);
	CHECK(get("a") == NULL);
	put("a", "one", 60);
	CHECK_STR(get("a"), "one");
	be->turn();
	CHECK_STR(get("a"), "one");
	put("a", "two", 60);
	CHECK_STR(get("a"), "two");
	be->turn();
	fake_ms += 59999;
	CHECK_STR(get("a"), "two");
	key_make(&k, "test", "a", NULL, NULL);
	be->expire(&k, 60);
	be->turn();
	fake_ms += 59999;
	CHECK_STR(get("a"), "two");
	fake_ms += 1;
	CHECK(get("a") == NULL);
	/* Gone for its reader, and then for good. */
	CHECK_INT(figure("store.records"), 1);
	CHECK(be->tick() == 0);
	CHECK_INT(figure("store.records"), 0);
	be->expire(&k, 60);
	CHECK(get("a") == NULL);
	put("a", "three", 60);
	be->remove(&k);
	CHECK(get("a") == NULL);
	be->remove(&k);
	be->turn();
	CHECK_INT(figure("store.records"), 0);
	CHECK_INT(figure("store.failures"), 0);

	CHECK_INT(count("c", 3, 60), 3);
	CHECK_INT(count("c", 2, 60), 5);
	CHECK_INT(count("c", -4, 60), 1);
	CHECK_INT(count("c", -4, 60), 0);
	CHECK_INT(count("c", 7, 60), 7);
	fake_ms += 60000;
	CHECK(count("c", 1, 60) == 1 && counted_before == 7);
	fake_ms += 120000;
	CHECK(count("c", 1, 60) == 1 && counted_before == 0);
	be->turn();
	be->close();
}

static void
check_restart(void)
{
	open_max(1000000);
	fill(0, MANY);
	reopen();
	CHECK_INT(present(0, MANY), MANY);
	/* Small steps: each tick has a bound and says that there is more. */
	fake_ms += 86400000;
	CHECK(be->tick() == 1);
	CHECK(figure("store.records") > MANY / 2);
	while (be->tick() == 1)
		;
	/* The counter of before is old, too. */
	CHECK_INT(figure("store.records"), 0);
	be->close();
}

/* Nothing that was committed is lost by kill -9, at any moment. */
static void
check_killed(void)
{
	unsigned	 i, round, done = 0;
	int		 pfd[2], st;
	pid_t		 pid;

	for (round = 0; round < 5; round++) {
		if (pipe(pfd) == -1 || (pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0) {
			open_max(1000000);
			for (i = 0; i < 1000000; i++) {
				fill(round * 1000000 + i,
				    round * 1000000 + i + 1);
				if (i % 10 != 9)
					continue;
				be->turn();
				if (write(pfd[1], &i, sizeof(i)) !=
				    (ssize_t)sizeof(i))
					_exit(1);
			}
			_exit(0);
		}
		close(pfd[1]);
		while (read(pfd[0], &done, sizeof(done)) ==
		    (ssize_t)sizeof(done))
			if (done > 1000 + round * 377)
				break;
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &st, 0);
		close(pfd[0]);
		open_max(1000000);
		CHECK_INT(present(round * 1000000, round * 1000000 + done + 1),
		    done + 1);
		be->close();
	}
	fake_ms += 86400000 * 60ULL;
	open_max(1000000);
	while (be->tick() == 1)
		;
	be->close();
}

/* Only one process at a time. */
static void
check_lock(void)
{
	pid_t	 pid;
	int	 st;

	open_max(1000);
	(void)fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(backend_lmdb_open(fake_dir, 1000) == NULL ? 0 : 1);
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	be->close();
}

static void
damage(off_t at, size_t n, int cut)
{
	char	 path[64], junk[8192];
	int	 fd;

	file_name(path, sizeof(path), "greyd.mdb");
	if ((fd = open(path, O_RDWR)) == -1)
		err(1, "%s", path);
	arc4random_buf(junk, sizeof(junk));
	for (; n > 0; n -= n < sizeof(junk) ? n : sizeof(junk),
	    at += (off_t)sizeof(junk))
		if (pwrite(fd, junk, n < sizeof(junk) ? n : sizeof(junk),
		    at) == -1)
			err(1, "%s", path);
	if (cut && ftruncate(fd, at) == -1)
		err(1, "%s", path);
	close(fd);
}

static void
mark(const char *word)
{
	char	 path[64];
	FILE	*f;

	file_name(path, sizeof(path), "greyd.mark");
	if ((f = fopen(path, "w")) == NULL)
		err(1, "%s", path);
	fputs(word, f);
	fclose(f);
}

/* Open a file that was damaged; it works, and what was damaged is kept. */
static void
check_replaced(const char *what)
{
	char		 path[64];
	struct stat	 st;
	int		 wstatus, tries;
	pid_t		 pid;

	file_name(path, sizeof(path), "greyd.mdb.damaged");
	(void)unlink(path);
	/* As the parent does: a child that dies is started again. */
	for (tries = 1; tries <= 3; tries++) {
		(void)fflush(stdout);
		if ((pid = fork()) == 0) {
			open_max(1000000);
			present(0, 3000);
			be->close();
			_exit(0);
		}
		(void)waitpid(pid, &wstatus, 0);
		if (wstatus == 0)
			break;
		printf("%s: opening it died of %d\n", what, wstatus);
	}
	CHECK(tries <= 3);
	open_max(1000000);
	put("after", "x", 60);
	CHECK_STR(get("after"), "x");
	be->turn();
	CHECK_STR(get("after"), "x");
	CHECK_INT(figure("store.failures"), 0);
	be->close();
	CHECK(stat(path, &st) == 0);
	if (stat(path, &st) == -1)
		printf("%s: nothing was moved aside\n", what);
}

static void
check_damaged(void)
{
	struct stat	 st;
	char		 path[64];

	file_name(path, sizeof(path), "greyd.mdb");
	open_max(1000000);
	fill(0, 3000);
	be->close();
	if (stat(path, &st) == -1)
		err(1, "%s", path);
	damage(st.st_size / 2, 0, 1);
	check_replaced("cut in half");

	open_max(1000000);
	fill(0, 3000);
	be->close();
	damage(0, 8192, 0);
	check_replaced("meta pages");

	open_max(1000000);
	fill(0, 3000);
	be->close();
	damage(100, 0, 1);
	check_replaced("100 octets");

	open_max(1000000);
	fill(0, 3000);
	be->close();
	damage(8192, (size_t)st.st_size / 2, 0);
	mark("running\n");
	check_replaced("after a crash");

	open_max(1000000);
	fill(0, 3000);
	be->close();
	mark("checking\n");
	open_max(1000000);
	CHECK_INT(present(0, 3000), 3000);
	be->close();
	mark("checking again\n");
	check_replaced("died twice while checking");

	/* An empty file is a new one. */
	damage(0, 0, 1);
	open_max(1000000);
	fill(0, 10);
	CHECK_INT(present(0, 10), 10);
	be->close();

	/* Whole, but killed: it is checked and kept. */
	mark("running\n");
	open_max(1000000);
	CHECK_INT(present(0, 10), 10);
	be->close();
}

static void
check_growth(void)
{
	char	 path[64];

	file_name(path, sizeof(path), "greyd.mdb");
	(void)unlink(path);
	db_first_map(64 * 1024);
	open_max(1000000);
	/* All in one turn, so the address space ends in the middle. */
	fill(0, 3000);
	CHECK_INT(present(0, 3000), 3000);
	CHECK_INT(figure("store.failures"), 0);
	fill(3000, MANY);
	be->turn();
	CHECK_INT(present(0, MANY), MANY);
	CHECK(figure("store.octets.max") > 64 * 1024);
	CHECK_INT(figure("store.failures"), 0);
	be->close();
	db_first_map(64 << 20);
}

/* Full: those that would expire first make room. */
static void
check_full(void)
{
	char	 path[64];

	file_name(path, sizeof(path), "greyd.mdb");
	(void)unlink(path);
	open_max(1000);
	fill(0, 5000);
	be->turn();
	CHECK_INT(figure("store.records"), 1000);
	CHECK_INT(present(0, 4000), 0);
	CHECK_INT(present(4000, 5000), 1000);
	CHECK_INT(figure("store.evicted"), 4000);
	/* To write one anew costs no other. */
	fill(4500, 4600);
	be->turn();
	CHECK_INT(present(4000, 5000), 1000);
	be->close();
	/* A smaller house than before. */
	open_max(10);
	fill(6000, 6001);
	be->turn();
	CHECK_INT(figure("store.records"), 10);
	be->close();
}

int
main(void)
{
	fake_begin();
	check_basic();
	check_restart();
	check_killed();
	check_lock();
	check_damaged();
	check_growth();
	check_full();
	fake_end();
	return unit_end();
}
