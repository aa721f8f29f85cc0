/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relayd-out/spool.h"

/*
 * The two files of a message: NAME holds the content, octet for octet as it
 * was accepted, NAME.env the envelope.  The content is written first and
 * removed last, so an envelope that is whole means a message that is whole.
 * They have their names from the beginning: a rename would double the price
 * of a flush.
 */

#define COPY_BUF	(256 * 1024)
#define ENVELOPE_MAX	(16 * 1024 * 1024)	/* many changes of state */

static uint8_t		 copy_buf[COPY_BUF];
static struct text	 scratch;

static int	 create(int, const char *, const struct spool_dirs *);
static int	 write_at(int, const void *, size_t, uint64_t *);
static int	 copy(int, int, uint64_t, uint64_t *, struct hash *);
static int	 store_envelope(int, const struct envelope *,
		    struct spool_write *);
static int	 store_content(const struct spool_dirs *,
		    const struct envelope *, int, struct spool_write *);
static int	 compose(const struct spool_dirs *, int, struct envelope *,
		    const struct composed *);
static ssize_t	 header_length(int);
static int	 read_envelope(int, const char *, struct text *);

const char *
spool_dirname(unsigned n, char buf[4])
{
	static const char	 digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

	buf[0] = 'q';
	buf[1] = '-';
	buf[2] = digits[n % SPOOL_DIRS];
	buf[3] = '\0';
	return buf;
}

int
spool_dirs_open(struct spool_dirs *d)
{
	char	 name[4];
	unsigned i;

	if ((d->root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	for (i = 0; i < SPOOL_DIRS; i++) {
		(void)spool_dirname(i, name);
		if (mkdirat(d->root, name, 0700) == -1 && errno != EEXIST)
			return -1;
		d->v[i] = openat(d->root, name,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (d->v[i] == -1)
			return -1;
	}
	return 0;
}

/*
 * The hash is a digit of the id's time that changes every half minute: all
 * that arrives together shares one directory, so that a flush writes one
 * directory and one group of inodes, and yet all fill evenly.
 */
int
spool_dir(const struct spool_dirs *d, const char *id)
{
	static const char	 digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	const char		*p = strchr(digits, id[5]);

	return d->v[p == NULL ? 0 : (size_t)(p - digits) % SPOOL_DIRS];
}

void
spool_envelope_name(const char *id, char name[SPOOL_NAME])
{
	memcpy(name, id, LIM_ID);
	memcpy(name + LIM_ID, ".env", 5);
}

/*
 * A new file.  What a crash left half written under this name makes room for
 * the message that is asked for again.
 */
static int
create(int dir, const char *id, const struct spool_dirs *d)
{
	int	 fd, i;

	for (i = 0; i < 2; i++) {
		fd = openat(dir, id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
		if (fd != -1 || errno != EEXIST)
			return fd;
		if (sweep_whole(d, id, 0)) {
			errno = EEXIST;
			return -1;
		}
		(void)spool_remove(d, id);
	}
	return -1;
}

/* At off, which moves on. */
static int
write_at(int fd, const void *data, size_t n, uint64_t *off)
{
	const uint8_t	*p = data;
	ssize_t		 w;

	while (n != 0) {
		if ((w = pwrite(fd, p, n, (off_t)*off)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += w;
		n -= (size_t)w;
		*off += (uint64_t)w;
	}
	return 0;
}

/* The first len octets of one file to off in another. */
static int
copy(int to, int from, uint64_t len, uint64_t *off, struct hash *h)
{
	uint64_t	 done = 0;
	size_t		 want;
	ssize_t		 n;

	while (done < len) {
		want = len - done < sizeof(copy_buf) ? (size_t)(len - done) :
		    sizeof(copy_buf);
		n = pread(from, copy_buf, want, (off_t)done);
		if (n == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (n == 0) {
			errno = EIO;
			return -1;
		}
		if (h != NULL)
			hash_add(h, copy_buf, (size_t)n);
		if (write_at(to, copy_buf, (size_t)n, off) == -1)
			return -1;
		done += (uint64_t)n;
	}
	return 0;
}

static int
store_envelope(int dir, const struct envelope *e, struct spool_write *w)
{
	char		 name[SPOOL_NAME];
	uint64_t	 off = 0;

	text_reset(&scratch);
	envfile_print(&scratch, e);
	if (scratch.bad) {
		errno = ENOMEM;
		return -1;
	}
	if (w->envelope == -1) {
		spool_envelope_name(e->id, name);
		w->envelope = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (w->envelope == -1)
			return -1;
	} else if (ftruncate(w->envelope, (off_t)scratch.len) == -1)
		return -1;
	return write_at(w->envelope, scratch.p, scratch.len, &off);
}

/* Content from the memory file, into a new file or one that is used again. */
static int
store_content(const struct spool_dirs *d, const struct envelope *e, int fd,
    struct spool_write *w)
{
	uint64_t	 off = 0;

	if (e->size > RECYCLE_MAX || recycle_take(d, e->id, w) == -1) {
		w->content = create(spool_dir(d, e->id), e->id, d);
		if (w->content == -1)
			return -1;
	} else if (ftruncate(w->content, (off_t)e->size) == -1)
		return -1;
	return copy(w->content, fd, e->size, &off, NULL);
}

int
spool_store(const struct spool_dirs *d, struct envelope *e, int fd,
    const struct composed *c, struct spool_write *w)
{
	int	 dir = spool_dir(d, e->id), n, saved;

	w->content = w->envelope = -1;
	if (c == NULL)
		n = store_content(d, e, fd, w);
	else if ((n = w->content = create(dir, e->id, d)) != -1)
		n = compose(d, w->content, e, c);
	if (n != -1 && store_envelope(dir, e, w) == 0)
		return 0;
	saved = errno;
	if (w->content == -1) {
		/* EEXIST means: it is there, whole. */
		errno = saved;
		return -1;
	}
	spool_write_close(w);
	(void)spool_remove(d, e->id);
	errno = saved == EEXIST ? EIO : saved;
	return -1;
}

void
spool_write_close(struct spool_write *w)
{
	if (w->content != -1)
		close(w->content);
	if (w->envelope != -1)
		close(w->envelope);
	w->content = w->envelope = -1;
}

/* Head, what is wanted of the origin, tail; hashed on the way. */
static int
compose(const struct spool_dirs *d, int to, struct envelope *e,
    const struct composed *c)
{
	struct hash	*h;
	struct stat	 st;
	uint64_t	 off = 0;
	ssize_t		 len = 0;
	int		 from = -1, ret = -1;

	if ((h = hash_new()) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (c->how != COMPOSE_NONE && id_valid(c->origin))
		from = openat(spool_dir(d, c->origin), c->origin,
		    O_RDONLY | O_CLOEXEC);
	if (from != -1) {
		if (fstat(from, &st) == -1)
			goto out;
		len = c->how == COMPOSE_ALL ? (ssize_t)st.st_size :
		    header_length(from);
		if (len == -1)
			goto out;
	}
	hash_add(h, c->head, c->headlen);
	if (write_at(to, c->head, c->headlen, &off) == -1 ||
	    (len != 0 && copy(to, from, (uint64_t)len, &off, h) == -1))
		goto out;
	hash_add(h, c->tail, c->taillen);
	if (write_at(to, c->tail, c->taillen, &off) == -1)
		goto out;
	e->size = off;
	hash_final(h, e->hash);
	h = NULL;
	ret = 0;

out:
	if (h != NULL)
		hash_final(h, NULL);
	if (from != -1)
		close(from);
	return ret;
}

/* Octets of the header section, without the empty line behind it. */
static ssize_t
header_length(int fd)
{
	const uint8_t	*p;
	ssize_t		 n;

	do {
		n = pread(fd, copy_buf, LIM_HEADER, 0);
	} while (n == -1 && errno == EINTR);
	if (n < 2)
		return n == -1 ? -1 : 0;
	if (memcmp(copy_buf, "\r\n", 2) == 0)
		return 0;
	if ((p = memmem(copy_buf, (size_t)n, "\r\n\r\n", 4)) != NULL)
		return p + 2 - copy_buf;
	/* No body, or a very long header: whole lines of it. */
	for (p = copy_buf + n; p > copy_buf && p[-1] != '\n'; p--)
		;
	return p - copy_buf;
}

int
spool_remove(const struct spool_dirs *d, const char *id)
{
	char	 name[SPOOL_NAME];
	int	 dir = spool_dir(d, id), n = 0;

	spool_envelope_name(id, name);
	n += unlinkat(dir, name, 0) == 0;
	n += unlinkat(dir, id, 0) == 0;
	return n;
}

int
spool_set_aside(const struct spool_dirs *d, const char *id)
{
	char	 name[SPOOL_NAME];
	int	 aside, dir = spool_dir(d, id), ret = 0;

	if (mkdirat(d->root, SPOOL_BROKEN, 0700) == -1 && errno != EEXIST)
		return -1;
	if ((aside = openat(d->root, SPOOL_BROKEN,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	spool_envelope_name(id, name);
	if (renameat(dir, name, aside, name) == -1 ||
	    (renameat(dir, id, aside, id) == -1 && errno != ENOENT))
		ret = -1;
	close(aside);
	return ret;
}

static int
read_envelope(int dir, const char *id, struct text *t)
{
	char	 name[SPOOL_NAME];
	ssize_t	 n;
	int	 fd;

	text_reset(t);
	spool_envelope_name(id, name);
	if ((fd = openat(dir, name, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	while ((n = read(fd, copy_buf, sizeof(copy_buf))) != 0) {
		if (n == -1 && errno != EINTR)
			break;
		if (n > 0)
			text_add(t, copy_buf, (size_t)n);
		if (t->bad || t->len > ENVELOPE_MAX) {
			errno = ENOMEM;
			n = -1;
			break;
		}
	}
	close(fd);
	return n == -1 ? -1 : 0;
}

enum open_status
spool_open(const struct spool_dirs *d, const char *id, struct stored **out,
    int *fdp)
{
	struct stored	*s;
	struct stat	 st;
	int		 dir = spool_dir(d, id), fd = -1;

	*out = NULL;
	if (read_envelope(dir, id, &scratch) == -1)
		return errno == ENOENT ? OPEN_GONE : OPEN_FAILED;
	s = envfile_parse((const uint8_t *)scratch.p, scratch.len);
	if (s == NULL || strcmp(s->env->id, id) != 0) {
		stored_free(s);
		return OPEN_BROKEN;
	}
	if (fdp == NULL) {
		if (fstatat(dir, id, &st, AT_SYMLINK_NOFOLLOW) == -1)
			goto fail;
	} else if ((fd = openat(dir, id, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) ==
	    -1 || fstat(fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (uint64_t)st.st_size != s->env->size) {
		errno = ENOENT;
		goto fail;
	}
	*out = s;
	if (fdp != NULL)
		*fdp = fd;
	return OPEN_OK;

fail:
	/* An envelope without its content is no state of ours. */
	stored_free(s);
	if (fd != -1)
		close(fd);
	return errno == ENOENT ? OPEN_BROKEN : OPEN_FAILED;
}

int
spool_update(const struct spool_dirs *d, const struct update *u,
    uint64_t wall_ms)
{
	char	 name[SPOOL_NAME];
	ssize_t	 n;
	int	 fd, ret;

	spool_envelope_name(u->id, name);
	text_reset(&scratch);
	envfile_update(&scratch, u, wall_ms);
	fd = openat(spool_dir(d, u->id), name, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (scratch.bad) {
		errno = ENOMEM;
		ret = -1;
	} else {
		n = write(fd, scratch.p, scratch.len);
		ret = n == (ssize_t)scratch.len ? 0 : -1;
	}
	close(fd);
	return ret;
}
