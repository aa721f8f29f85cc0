/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef GREYD_LMDB_H
#define GREYD_LMDB_H

#include <limits.h>
#include <stdint.h>

#include <lmdb.h>

/*
 * The database file of the embedded back end: opening, checking, growing it,
 * and moving it out of the way.  lmdb_file.c
 */

struct db {
	MDB_env		*env;		/* NULL: not open */
	MDB_dbi		 records;	/* key > expiry, value */
	MDB_dbi		 expiry;	/* expiry, key > nothing */
	char		 path[PATH_MAX];
	int		 markfd;	/* the lock, and how it was left */
	uint64_t	 map;		/* octets of address space */
	int		 was_short;	/* the file ended before its pages */
};

/*
 * Open or make DIR/greyd.mdb.  A file that was not closed is checked; one that
 * is damaged is moved aside.  -1: the directory cannot be used (logged).
 */
int	db_open(struct db *, const char *dir);
/* Durable and closed; the next opening need not check. */
void	db_close(struct db *);
/* It turned out to be damaged: move it aside, begin an empty one. -1: no. */
int	db_replace(struct db *, const char *why);
/* Out of order, but maybe not damaged: close, open, check. */
int	db_reopen(struct db *);
/* Twice the address space, with no transaction open.  -1: there is no more. */
int	db_grow(struct db *);
/* More than three quarters of the address space is in use. */
int	db_is_tight(const struct db *);
/* Octets of the file. */
uint64_t db_size(const struct db *);
/* Does this error mean that the file is damaged? */
int	db_is_damage(int rc);
/* Tests: address space to begin with. */
void	db_first_map(uint64_t);

#endif
