/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/message.h"
#include "regress/relayd-out/sample.h"
#include "regress/unit.h"
#include "relayd-out/spool.h"

/* Content and envelope files, reports that are put together, and what a crash
   leaves behind. */

static struct spool_dirs dirs;
static size_t		 adopted;

static void
hash_of(const char *p, size_t n, uint8_t out[MESSAGE_HASH])
{
	struct hash	*h = hash_new();

	hash_add(h, p, n);
	hash_final(h, out);
}

static int
memory(const char *text)
{
	struct message	*m = message_new();
	uint8_t		 digest[MESSAGE_HASH];
	int		 fd;

	if (m == NULL || message_write(m, text, strlen(text)) == -1 ||
	    (fd = message_seal(m, digest)) == -1 || (fd = dup(fd)) == -1)
		err(1, "message");
	message_free(m);
	return fd;
}

static void
put(unsigned n, const char *text, size_t nrcpts)
{
	struct envelope		*e = sample_envelope(nrcpts);
	struct spool_write	 w;
	int			 fd = memory(text);

	sample_id(e->id, n);
	e->size = strlen(text);
	hash_of(text, strlen(text), e->hash);
	CHECK_INT(spool_store(&dirs, e, fd, NULL, &w), 0);
	spool_write_close(&w);
	close(fd);
	envelope_free(e);
}

static void
read_back(int fd, char *buf, size_t size)
{
	ssize_t	 n = pread(fd, buf, size - 1, 0);

	buf[n == -1 ? 0 : n] = '\0';
}

static void
stored_and_read(void)
{
	struct envelope		*e = sample_envelope(2);
	struct spool_write	 w;
	struct update		 u = { .attempts = 4 };
	struct stored		*s;
	char			 id[ID_SIZE], buf[256];
	int			 fd = -1, mfd;

	put(1, "Subject: x\r\n\r\nbody\r\n", 2);
	sample_id(id, 1);
	CHECK_INT(spool_open(&dirs, id, &s, &fd), OPEN_OK);
	CHECK(s != NULL && s->env->size == 20);
	read_back(fd, buf, sizeof(buf));
	CHECK_STR(buf, "Subject: x\r\n\r\nbody\r\n");
	CHECK(write(fd, "x", 1) == -1);
	close(fd);
	stored_free(s);

	/* The same id again: it is there. */
	mfd = memory("other");
	memcpy(e->id, id, sizeof(e->id));
	e->size = 5;
	CHECK_INT(spool_store(&dirs, e, mfd, NULL, &w), -1);
	CHECK_INT(errno, EEXIST);
	close(mfd);
	envelope_free(e);

	memcpy(u.id, id, sizeof(u.id));
	memcpy(u.state, "fx", 3);
	CHECK_INT(spool_update(&dirs, &u, 1), 0);
	CHECK_INT(spool_open(&dirs, id, &s, NULL), OPEN_OK);
	CHECK(s != NULL && s->attempts == 4 && strcmp(s->state, "fx") == 0);
	stored_free(s);
	CHECK_INT(spool_remove(&dirs, id), 2);
	CHECK_INT(spool_remove(&dirs, id), 0);
	CHECK_INT(spool_open(&dirs, id, &s, &fd), OPEN_GONE);
}

/* A report: head, a part of another message, tail; hashed as written. */
static void
composed(void)
{
	static const char	*const origins[] = {
		"A: 1\r\nB: 2\r\n\r\nbody\r\n", "A: 1\r\n", "\r\nbody\r\n", ""
	};
	static const char	*const headers[] = {
		"A: 1\r\nB: 2\r\n", "A: 1\r\n", "", ""
	};
	struct envelope		*e = sample_envelope(1);
	struct composed		 c = { .head = (const uint8_t *)"HEAD\r\n",
				    .headlen = 6,
				    .tail = (const uint8_t *)"TAIL\r\n",
				    .taillen = 6 };
	struct spool_write	 w;
	struct stored		*s;
	char			 origin[ID_SIZE], want[100], got[100];
	uint8_t			 digest[MESSAGE_HASH];
	size_t			 i;
	int			 fd, how;

	for (i = 0; i < 8; i++) {
		how = i < 4 ? COMPOSE_HEADERS : COMPOSE_ALL;
		put(10, origins[i % 4], 1);
		sample_id(origin, 10);
		sample_id(e->id, 11);
		c.origin = origin;
		c.how = how;
		CHECK_INT(spool_store(&dirs, e, -1, &c, &w), 0);
		spool_write_close(&w);
		(void)snprintf(want, sizeof(want), "HEAD\r\n%sTAIL\r\n",
		    how == COMPOSE_ALL ? origins[i % 4] : headers[i % 4]);
		CHECK_INT(spool_open(&dirs, e->id, &s, &fd), OPEN_OK);
		read_back(fd, got, sizeof(got));
		CHECK_STR(got, want);
		hash_of(want, strlen(want), digest);
		CHECK(s != NULL && memcmp(digest, s->env->hash,
		    sizeof(digest)) == 0 && s->env->size == strlen(want));
		close(fd);
		stored_free(s);
		(void)spool_remove(&dirs, e->id);
		(void)spool_remove(&dirs, origin);
	}
	envelope_free(e);
}

static void
adopt(const struct stored *s)
{
	(void)s;
	adopted++;
}

/* Cut a file to n octets, from behind for negative n; or remove it. */
static void
damage(unsigned n, const char *suffix, off_t len)
{
	struct stat	 st;
	char		 id[ID_SIZE], name[64];
	int		 fd, dir;

	sample_id(id, n);
	dir = spool_dir(&dirs, id);
	(void)snprintf(name, sizeof(name), "%s%s", id, suffix);
	if (len == 0) {
		CHECK(unlinkat(dir, name, 0) == 0);
		return;
	}
	fd = openat(dir, name, O_RDWR);
	if (fd == -1 || fstat(fd, &st) == -1 || ftruncate(fd,
	    len < 0 ? st.st_size + len : len) == -1)
		err(1, "%s", name);
	close(fd);
}

static void
sweeping(int rebuild)
{
	struct journal_table	 t = { 0 };
	struct sweep		 sw = { .rebuild = rebuild };
	struct stored		*s;
	char			 id[ID_SIZE];
	unsigned		 i;
	int			 fd;

	for (i = 20; i < 27; i++)
		put(i, "Subject: x\r\n\r\nbody\r\n", 2);
	sample_id(id, 20);
	CHECK_INT(journal_note(&t, id), 0);	/* known: left alone */
	/* 21 is whole: adopted */
	damage(22, ".env", 0);			/* no envelope */
	damage(23, ".env", -2);			/* half an envelope */
	damage(24, "", 5);			/* half a content */
	damage(25, "", 0);			/* no content */
	sample_id(id, 26);			/* settled */
	CHECK_INT(journal_note(&t, id), 0);
	journal_find(&t, id)->live = 0;
	journal_find(&t, id)->settled = 1;
	adopted = 0;
	for (i = 0; i < SPOOL_DIRS; i++)
		CHECK_INT(sweep_dir(&dirs, i, &t, &sw, adopt), 0);
	CHECK_INT((intmax_t)adopted, 1);
	CHECK_INT((intmax_t)sw.adopted, 1);
	CHECK_INT((intmax_t)sw.removed, rebuild ? 2 : 5);
	CHECK_INT((intmax_t)sw.aside, rebuild ? 3 : 0);
	for (i = 20; i < 27; i++) {
		sample_id(id, i);
		fd = -1;
		CHECK_INT(spool_open(&dirs, id, &s, &fd), i <= 21 ? OPEN_OK :
		    OPEN_GONE);
		if (fd != -1)
			close(fd);
		stored_free(s);
		(void)spool_remove(&dirs, id);
	}
	/* What is half there makes room for the same message. */
	put(22, "again\r\n", 1);
	damage(22, ".env", -2);
	put(22, "again\r\n", 1);
	sample_id(id, 22);
	CHECK_INT(spool_remove(&dirs, id), 2);
	journal_table_free(&t);
}

static ino_t
inode(const char *id)
{
	struct stat	 st;

	return fstatat(spool_dir(&dirs, id), id, &st, 0) == 0 ? st.st_ino : 0;
}

static void
put_and_keep(unsigned n, const char *text)
{
	struct envelope		*e = sample_envelope(2);
	struct spool_write	 w;
	struct stored		*s;
	char			 got[256];
	int			 fd = memory(text);

	sample_id(e->id, n);
	e->size = strlen(text);
	hash_of(text, strlen(text), e->hash);
	CHECK_INT(spool_store(&dirs, e, fd, NULL, &w), 0);
	recycle_keep(e->id, &w);
	close(fd);
	CHECK_INT(spool_open(&dirs, e->id, &s, &fd), OPEN_OK);
	read_back(fd, got, sizeof(got));
	CHECK_STR(got, text);
	CHECK(s != NULL && strcmp(s->state, "px") == 0 && s->attempts == 0);
	CHECK(sweep_whole(&dirs, e->id, 1));
	close(fd);
	stored_free(s);
	envelope_free(e);
}

/* Files that are used again: never a mixture, whatever was in them. */
static void
recycling(void)
{
	struct spool_write	 w;
	struct stored		*s;
	struct update		 u = { .attempts = 9 };
	char			 a[ID_SIZE], b[ID_SIZE], c[ID_SIZE];
	ino_t			 first;

	sample_id(a, 40);
	sample_id(b, 41);
	sample_id(c, 42);
	put_and_keep(40, "Subject: first\r\n\r\nsome length of it\r\n");
	first = inode(a);
	memcpy(u.id, a, sizeof(u.id));
	memcpy(u.state, "dx", 3);
	CHECK_INT(spool_update(&dirs, &u, 1), 0);
	CHECK_INT(recycle_settle(b, 1, 1000), 0);
	CHECK_INT(recycle_settle(a, 1, 1000), 1);
	/* Not before the journal's line about it is on the disk. */
	CHECK(sweep_whole(&dirs, a, 1));
	CHECK_INT(recycle_take(&dirs, b, &w), -1);
	recycle_synced(&dirs);
	CHECK_INT(spool_open(&dirs, a, &s, NULL), OPEN_BROKEN);
	put_and_keep(41, "Subject: second\r\n\r\n");
	CHECK(first != 0 && inode(b) == first && inode(a) == 0);
	CHECK_INT(spool_open(&dirs, a, &s, NULL), OPEN_GONE);

	/* A crash right after the files were taken: no message. */
	CHECK_INT(recycle_settle(b, 1, 1000), 1);
	recycle_synced(&dirs);
	CHECK_INT(recycle_take(&dirs, c, &w), 0);
	CHECK(inode(c) == first);
	CHECK(!sweep_whole(&dirs, c, 0));
	spool_write_close(&w);
	/* That id asked for again gets files of its own. */
	put_and_keep(42, "Subject: third\r\n\r\n");
	put(40, "Subject: again\r\n", 2);
	CHECK_INT(recycle_settle(c, 1, 1000), 1);
	recycle_synced(&dirs);
	/* Never over a message that is there. */
	CHECK_INT(recycle_take(&dirs, a, &w), -1);
	CHECK(sweep_whole(&dirs, a, 1));
	CHECK_INT(spool_remove(&dirs, a), 2);
	/* And not for ever. */
	CHECK_INT(recycle_expire(&dirs, 1001), 1);
	CHECK(inode(c) != 0);
	CHECK_INT(recycle_expire(&dirs, 10000), 0);
	CHECK(inode(c) == 0);
	recycle_end(&dirs);
}

int
main(void)
{
	char	 path[] = "/tmp/spool_test.XXXXXX", command[64];

	if (mkdtemp(path) == NULL || chdir(path) == -1)
		err(1, "%s", path);
	if (spool_dirs_open(&dirs) == -1)
		err(1, "directories");
	stored_and_read();
	composed();
	sweeping(0);
	sweeping(1);
	recycling();
	(void)snprintf(command, sizeof(command), "rm -rf %s", path);
	CHECK_INT(system(command), 0);
	return unit_end();
}
