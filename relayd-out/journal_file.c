/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "relayd-out/spool.h"

/*
 * The journal's file: appended to, read as a whole at start, written anew
 * when most of it is dead.  Only spool has it open.
 */

#define JOURNAL		"journal"
#define JOURNAL_NEW	"journal.new"
/* Lines that may be dead before it is worth the work, and how many times the
   living they must outnumber. */
#define COMPACT_MIN	200000
#define COMPACT_RATIO	4
/* Ids of settled messages that survive: a question that was asked again after
   a crash of queue is a few seconds old at most. */
#define COMPACT_SETTLED	8192

static int	 append(struct journal *, struct text *);
static int	 rewrite(struct journal *, const struct journal_table *, int);
static void	 copy_line(struct text *, const struct journal_table *, size_t);

int
journal_open(struct journal *j, int dirfd, int *fresh)
{
	struct stat	 st;

	memset(j, 0, sizeof(*j));
	j->dirfd = dirfd;
	*fresh = 0;
	if (unlinkat(dirfd, JOURNAL_NEW, 0) == -1 && errno != ENOENT)
		return -1;
	j->fd = openat(dirfd, JOURNAL, O_RDWR | O_APPEND | O_CLOEXEC);
	if (j->fd == -1 && errno == ENOENT) {
		*fresh = 1;
		j->fd = openat(dirfd, JOURNAL,
		    O_RDWR | O_APPEND | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
	}
	if (j->fd == -1 || fstat(j->fd, &st) == -1)
		return -1;
	j->size = (uint64_t)st.st_size;
	return 0;
}

void
journal_close(struct journal *j)
{
	if (j->fd != -1)
		close(j->fd);
	j->fd = -1;
	text_free(&j->group);
	text_free(&j->rest);
}

int
journal_load(struct journal *j, struct journal_table *t)
{
	void	*p = NULL;

	memset(t, 0, sizeof(*t));
	if (j->size != 0 && (p = mmap(NULL, j->size, PROT_READ, MAP_PRIVATE,
	    j->fd, 0)) == MAP_FAILED)
		return -1;
	if (journal_read(t, p, j->size) == -1) {
		(void)munmap(p, j->size);
		return -1;
	}
	t->map = p;
	t->mapped = j->size;
	if (t->damaged != 0)
		log_warnx("journal: %zu damaged lines, left out; their "
		    "messages are looked for in the spool", t->damaged);
	if (t->len != j->size) {
		log_warnx("journal: torn at its end, %zu octets cut off",
		    (size_t)j->size - t->len);
		if (ftruncate(j->fd, (off_t)t->len) == -1) {
			journal_unload(t);
			return -1;
		}
		j->size = t->len;
	}
	j->live = t->live;
	j->lines = 2 * t->n;
	return 0;
}

void
journal_unload(struct journal_table *t)
{
	if (t->map != NULL)
		(void)munmap(t->map, t->mapped);
	journal_table_free(t);
}

/* All of it or, after an error, nothing. */
static int
append(struct journal *j, struct text *t)
{
	ssize_t	 n;
	size_t	 off;
	int	 saved;

	if (t->bad) {
		errno = ENOMEM;
		return -1;
	}
	for (off = 0; off < t->len; off += (size_t)n) {
		n = write(j->fd, t->p + off, t->len - off);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1) {
			saved = errno;
			if (off != 0 &&
			    ftruncate(j->fd, (off_t)j->size) == -1)
				fatal("journal: cannot take back half a line");
			errno = saved;
			return -1;
		}
	}
	j->size += t->len;
	text_reset(t);
	return 0;
}

int
journal_write(struct journal *j)
{
	int	 saved;

	if ((j->rest.len != 0 && append(j, &j->rest) == -1) ||
	    (j->group.len != 0 && append(j, &j->group) == -1)) {
		saved = errno;
		text_reset(&j->group);
		errno = saved;
		return -1;
	}
	return 0;
}

int
journal_compact(struct journal *j, int force)
{
	struct journal_table	 t;
	int			 fd, saved;

	if (!force && j->lines < COMPACT_MIN + COMPACT_RATIO * j->live)
		return 0;
	if (journal_load(j, &t) == -1)
		return -1;
	fd = openat(j->dirfd, JOURNAL_NEW, O_RDWR | O_APPEND | O_CLOEXEC |
	    O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || rewrite(j, &t, fd) == -1) {
		saved = errno;
		if (fd != -1)
			close(fd);
		(void)unlinkat(j->dirfd, JOURNAL_NEW, 0);
		journal_unload(&t);
		/* Not again with every message. */
		j->lines = 2 * j->live;
		errno = saved;
		return -1;
	}
	log_debug("journal: compacted, %zu live", t.live);
	journal_unload(&t);
	return 0;
}

/* The living, the lately settled, S; to the disk; into its place. */
static int
rewrite(struct journal *j, const struct journal_table *t, int fd)
{
	struct journal			 new;
	const struct journal_entry	*e;
	size_t				 i, settled = 0, skip;
	int				 ret = -1;

	new = *j;
	new.fd = fd;
	new.size = new.lines = 0;
	memset(&new.rest, 0, sizeof(new.rest));
	for (i = 0; i < t->n; i++)
		settled += !t->v[i].live && t->v[i].settled;
	skip = settled > COMPACT_SETTLED ? settled - COMPACT_SETTLED : 0;
	for (i = 0; i < t->n; i++) {
		e = &t->v[i];
		if (e->live) {
			copy_line(&new.rest, t, e->add);
			new.lines++;
		} else if (!e->settled || skip > 0) {
			skip -= e->settled;
			continue;
		}
		if (e->update != SIZE_MAX) {
			copy_line(&new.rest, t, e->update);
			new.lines++;
		}
		if (new.rest.len > 1024 * 1024 && append(&new, &new.rest) == -1)
			goto out;
	}
	journal_print_synced(&new.rest);
	if (append(&new, &new.rest) == -1 || fsync(fd) == -1 ||
	    renameat(j->dirfd, JOURNAL_NEW, j->dirfd, JOURNAL) == -1)
		goto out;
	/* The name is the new file's now, whatever fsync says. */
	if (fsync(j->dirfd) == -1)
		log_warn("journal: fsync of the directory");
	close(j->fd);
	j->fd = fd;
	j->size = new.size;
	j->lines = new.lines;
	ret = 0;

out:
	text_free(&new.rest);
	return ret;
}

static void
copy_line(struct text *to, const struct journal_table *t, size_t off)
{
	const char	*lf = memchr(t->p + off, '\n', t->len - off);

	if (lf != NULL)
		text_add(to, t->p + off, (size_t)(lf + 1 - t->p) - off);
}
