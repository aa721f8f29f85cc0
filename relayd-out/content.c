/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "relayd-out/deliver.h"

/*
 * A message onto the wire: trace fields, then the content as it was accepted,
 * with dots stuffed (RFC 5321 4.5.2).  The final dot follows only when what
 * was read has the hash of what was accepted.
 */

static uint8_t	 buf[LIM_PREAD];	/* small messages, one at a time */

static ssize_t	 read_all(int, uint64_t);
static int	 write_stuffed(struct io *, const uint8_t *, size_t);

static ssize_t
read_all(int fd, uint64_t size)
{
	size_t	 off = 0;
	ssize_t	 n;

	while (off < size) {
		n = pread(fd, buf + off, (size_t)size - off, (off_t)off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;		/* shorter: its hash will tell */
		off += (size_t)n;
	}
	return (ssize_t)off;
}

/* The octets begin a line. */
static int
write_stuffed(struct io *io, const uint8_t *p, size_t n)
{
	const uint8_t	*end = p + n, *q = p, *from = p;

	for (;;) {
		if (q < end && *q == '.') {
			if (io_write(io, from, (size_t)(q - from)) == -1 ||
			    io_write(io, ".", 1) == -1)
				return -1;
			from = q;
		}
		if ((q = memchr(q, '\n', (size_t)(end - q))) == NULL)
			break;
		q++;
	}
	return io_write(io, from, (size_t)(end - from));
}

enum content_status
content_send(struct content *c, struct io *io, const struct delivery *d)
{
	const struct envelope	*env = d->env;
	uint8_t			 digest[MESSAGE_HASH];
	ssize_t			 n;

	c->d = d;
	if ((c->hash = hash_new()) == NULL)
		return CONTENT_FAILED;
	if (env->size <= sizeof(buf)) {
		if ((n = read_all(d->fd, env->size)) == -1)
			return CONTENT_FAILED;
		hash_add(c->hash, buf, (size_t)n);
		hash_final(c->hash, digest);
		c->hash = NULL;
		if (memcmp(digest, env->hash, sizeof(digest)) != 0)
			return CONTENT_BROKEN;
		if (io_write(io, env->trace, strlen(env->trace)) == -1 ||
		    write_stuffed(io, buf, (size_t)env->size) == -1 ||
		    io_write(io, ".\r\n", 3) == -1)
			return CONTENT_FAILED;
		return CONTENT_OK;
	}
	if (io_write(io, env->trace, strlen(env->trace)) == -1 ||
	    io_file(io, d->fd, 0, env->size, 1, c->hash) == -1)
		return CONTENT_FAILED;
	return CONTENT_MORE;
}

enum content_status
content_end(struct content *c, struct io *io)
{
	uint8_t	 digest[MESSAGE_HASH];

	hash_final(c->hash, digest);
	c->hash = NULL;
	if (memcmp(digest, c->d->env->hash, sizeof(digest)) != 0)
		return CONTENT_BROKEN;
	return io_write(io, ".\r\n", 3) == -1 ? CONTENT_FAILED : CONTENT_OK;
}

void
content_free(struct content *c)
{
	hash_final(c->hash, NULL);
	c->hash = NULL;
	c->d = NULL;
}

int
content_8bit_header(int fd, uint64_t size)
{
	const uint8_t	*end;
	ssize_t		 n;
	size_t		 i, len;

	n = read_all(fd, size < LIM_HEADER ? size : LIM_HEADER);
	if (n == -1)
		return -1;
	len = (size_t)n;
	end = memmem(buf, len, "\r\n\r\n", 4);
	if (end != NULL)
		len = (size_t)(end - buf);
	for (i = 0; i < len; i++)
		if (buf[i] > 0x7f)
			return 1;
	return 0;
}
