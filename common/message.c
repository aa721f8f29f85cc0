/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat/memfile.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/message.h"

/*
 * The sealed memory file, its hash, and message ids.
 */

#define MESSAGE_BUF	(32 * 1024)	/* gathered before a write */

struct hash {
	EVP_MD_CTX	*ctx;
	struct hash	*next;
};

struct message {
	int		 wfd, rfd;
	int		 failed;	/* errno of the first failed write */
	uint64_t	 size;
	struct hash	*hash;
	size_t		 len;		/* in buf */
	uint8_t		*buf;
};

static const char	 id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
static uint64_t		 id_node;
static struct hash	*hash_pool;
static uint8_t		*spare_buf;

static int	 message_flush(struct message *);
static int	 write_all(struct message *, const uint8_t *, size_t);

struct message *
message_new(void)
{
	struct message	*m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->wfd = m->rfd = -1;
	if ((m->hash = hash_new()) == NULL ||
	    memfile_open(&m->wfd, &m->rfd) == -1) {
		message_free(m);
		return NULL;
	}
	return m;
}

/*
 * Content comes in pieces of a packet; a page fault costs more than a copy,
 * so one buffer goes from message to message.
 */
int
message_write(struct message *m, const void *data, size_t n)
{
	if (m->failed) {
		errno = m->failed;
		return -1;
	}
	hash_add(m->hash, data, n);
	m->size += n;
	if (n >= MESSAGE_BUF)
		return message_flush(m) == -1 ? -1 : write_all(m, data, n);
	if (m->buf == NULL) {
		m->buf = spare_buf;
		spare_buf = NULL;
		if (m->buf == NULL && (m->buf = malloc(MESSAGE_BUF)) == NULL) {
			m->failed = ENOMEM;
			return -1;
		}
	}
	if (n > MESSAGE_BUF - m->len && message_flush(m) == -1)
		return -1;
	memcpy(m->buf + m->len, data, n);
	m->len += n;
	return 0;
}

static int
message_flush(struct message *m)
{
	size_t	 len = m->len;

	m->len = 0;
	return len == 0 ? 0 : write_all(m, m->buf, len);
}

static int
write_all(struct message *m, const uint8_t *p, size_t n)
{
	ssize_t	 w;

	while (n != 0) {
		if ((w = write(m->wfd, p, n)) == -1) {
			if (errno == EINTR)
				continue;
			m->failed = errno;
			return -1;
		}
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

uint64_t
message_size(const struct message *m)
{
	return m->size;
}

int
message_seal(struct message *m, uint8_t hash[MESSAGE_HASH])
{
	if (m->failed) {
		errno = m->failed;
		return -1;
	}
	if (message_flush(m) == -1)
		return -1;
	if (memfile_seal(&m->wfd, m->rfd) == -1) {
		m->failed = errno;
		return -1;
	}
	hash_final(m->hash, hash);
	m->hash = NULL;
	return m->rfd;
}

void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	if (m->buf != NULL) {
		/* The next message's octets must not meet these in a core. */
		explicit_bzero(m->buf, MESSAGE_BUF);
		if (spare_buf == NULL)
			spare_buf = m->buf;
		else
			free(m->buf);
	}
	hash_final(m->hash, NULL);
	if (m->wfd != -1)
		close(m->wfd);
	if (m->rfd != -1 && m->rfd != m->wfd)
		close(m->rfd);
	free(m);
}

int
message_check(int fd, uint64_t size)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (uint64_t)st.st_size != size)
		return -1;
	return memfile_check(fd);
}

struct hash *
hash_new(void)
{
	struct hash	*h;

	/* Contexts are dear to make and free to use again. */
	if ((h = hash_pool) != NULL)
		hash_pool = h->next;
	else {
		if ((h = calloc(1, sizeof(*h))) == NULL)
			return NULL;
		if ((h->ctx = EVP_MD_CTX_new()) == NULL) {
			free(h);
			return NULL;
		}
	}
	h->next = NULL;
	if (EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		hash_final(h, NULL);
		return NULL;
	}
	return h;
}

void
hash_add(struct hash *h, const void *data, size_t n)
{
	if (n != 0 && EVP_DigestUpdate(h->ctx, data, n) != 1)
		fatalx("SHA-256 failed");
}

void
hash_final(struct hash *h, uint8_t out[MESSAGE_HASH])
{
	if (h == NULL)
		return;
	if (out != NULL && EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		fatalx("SHA-256 failed");
	h->next = hash_pool;
	hash_pool = h;
}

/*
 * The node's part of an id: 15 bits of its name's hash.  Two nodes that share
 * them are still told apart by 20 random bits a millisecond.
 */
void
id_init(const char *node)
{
	struct hash	*h;
	uint8_t		 d[MESSAGE_HASH];

	if ((h = hash_new()) == NULL)
		fatalx("no memory");
	hash_add(h, node, strlen(node));
	hash_final(h, d);
	id_node = (uint64_t)(d[0] << 8 | d[1]) & 0x7fff;
}

/*
 * 16 digits of 5 bits: 45 bits of milliseconds (to the year 3084), 15 of the
 * node, 20 random ones that count on within a millisecond.
 */
void
id_new(char id[ID_SIZE])
{
	static uint64_t	 last_ms;
	static uint32_t	 last_random;
	uint64_t	 ms = clock_wall_ms();
	uint32_t	 r;
	int		 i;

	if (ms == last_ms)
		r = (last_random + 1) & 0xfffff;
	else
		r = arc4random() & 0xfffff;
	last_ms = ms;
	last_random = r;
	for (i = 8; i >= 0; i--, ms >>= 5)
		id[i] = id_digits[ms & 31];
	id[9] = id_digits[id_node >> 10 & 31];
	id[10] = id_digits[id_node >> 5 & 31];
	id[11] = id_digits[id_node & 31];
	for (i = 15; i >= 12; i--, r >>= 5)
		id[i] = id_digits[r & 31];
	id[16] = '\0';
}

int
id_valid(const char *id)
{
	size_t	 i;

	for (i = 0; i < LIM_ID; i++)
		if (id[i] == '\0' || strchr(id_digits, id[i]) == NULL)
			return 0;
	return id[LIM_ID] == '\0';
}
