/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The message: one sealed, anonymous memory file.  smtpd-front fills it while
 * the client talks and hashes it on the way; from the seal on only read-only
 * descriptors travel.  Content is what follows DATA, with CRLF line ends and
 * without dot-stuffing.
 */
#define MESSAGE_HASH	32

struct message;

/* NULL with errno when no file can be had. */
struct message	*message_new(void);
/* -1 with errno; the message is then only good for message_free. */
int		 message_write(struct message *, const void *, size_t);
uint64_t	 message_size(const struct message *);
/*
 * Flush, seal, hash.  Returns the read-only descriptor, which the message
 * keeps owning (dup it to send it), or -1 with errno.
 */
int		 message_seal(struct message *, uint8_t hash[MESSAGE_HASH]);
void		 message_free(struct message *);

/*
 * Receiver: fd is a regular file of exactly size octets, sealed against
 * writing, growing and shrinking where the system knows seals.  0 or -1.
 */
int		 message_check(int fd, uint64_t size);

/* SHA-256 over octets that come in pieces; NULL only without memory. */
struct hash;
struct hash	*hash_new(void);
void		 hash_add(struct hash *, const void *, size_t);
/* Writes the digest and frees h (NULL is allowed with out NULL). */
void		 hash_final(struct hash *, uint8_t out[MESSAGE_HASH]);

/* A new id, unique over all nodes: time in ms, node, random; 16 characters of
   base32. */
#define ID_SIZE		17
void		 id_init(const char *node);
void		 id_new(char id[ID_SIZE]);
int		 id_valid(const char *);

#endif
