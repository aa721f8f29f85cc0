/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_FUZZ_ONEKEY_H
#define REGRESS_FUZZ_ONEKEY_H

#include <stddef.h>
#include <stdint.h>

/*
 * A resolver in place of the stub, for targets that verify signatures: every
 * question is for a key, and all get the same record.
 */

/* The first line of an input is that record, none if it is empty; returns
   what is behind it, or NULL: there is no line. */
const uint8_t	*onekey_set(const uint8_t *, size_t);
/* Answer all that is open. */
void		 onekey_answer(void);
/* Forget what is open. */
void		 onekey_reset(void);
/* The record is known beforehand, as from a cache. */
extern int	 onekey_known;

#endif
