/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_SCAND_CONTENT_BUILD_H
#define REGRESS_SCAND_CONTENT_BUILD_H

#include <stddef.h>
#include <stdint.h>

/*
 * Small Office files for tests and seeds.  All of it fits, or the test ends.
 */

struct made {
	uint8_t	*p;
	size_t	 n;
	size_t	 size;
};

void	made_add(struct made *, const void *, size_t);
void	made_text(struct made *, const char *);
void	made_16(struct made *, unsigned);
void	made_32(struct made *, uint32_t);
void	made_wide(struct made *, const char *);	/* UTF-16LE, no NUL */
void	made_hex(struct made *, const char *);
void	made_free(struct made *);

/* An entry of a compound file; parent is the number of its storage, 0 the
   root, entries counting from 1; p NULL: a storage. */
struct item {
	const char	*name;
	unsigned	 parent;
	const uint8_t	*p;
	size_t		 n;
};

struct made make_cfb(const struct item *, size_t, int version);
/* A container of MS-OVBA, of literals alone. */
struct made make_ovba(const void *, size_t);
/* A dir stream that lists one module. */
struct made make_dir(const char *module, uint32_t offset, int standard);
/* A compound file with one project: a module with this cache and source;
   without a source there is none at its place. */
struct made make_project(const uint8_t *cache, size_t, const char *source,
    int version);
/* A cache of 200 octets with a table of p-code lines, full of them not
   empty. */
struct made make_cache(unsigned lines, unsigned full);
/* A zlib stream. */
struct made make_zlib(const uint8_t *, size_t);

#endif
