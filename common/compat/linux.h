/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_COMPAT_LINUX_H
#define COMMON_COMPAT_LINUX_H

#include <stddef.h>
#include <stdint.h>

/*
 * The parts of the cage on Linux: the filter of system calls, Landlock, and
 * the names of the calls.
 */

/* Sanitizers need more calls and an address space without limits. */
#if defined(__SANITIZE_ADDRESS__)
#define CAGE_SANITIZED	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CAGE_SANITIZED	1
#endif
#endif
#ifndef CAGE_SANITIZED
#define CAGE_SANITIZED	0
#endif

/* calls_linux.c */
#define CALL_UNKNOWN	(-2)	/* no such name in our table */
#define CALL_NONE	(-1)	/* not on this processor */
/* The number of a call, or one of these. */
int		 call_number(const char *name, size_t len);
/* Its name; "unknown" for those that are not in the table.  Signal-safe. */
const char	*call_name(int number);

/* seccomp_linux.c: install the filter for these powers.  Fatal on failure. */
void		 seccomp_close(uint32_t powers);

/* landlock_linux.c */
/* The version that the kernel speaks; 0: none. */
int		 landlock_abi(void);
/* Restrict to a reach (REACH_*, cage.h).  Fatal where the kernel refuses. */
void		 landlock_close(unsigned reach);

#endif
