/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_COMPAT_COMPAT_H
#define COMMON_COMPAT_COMPAT_H

#include <err.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * What differs between systems and fits in a line or two.  libbsd gives Linux
 * the rest of the BSD calls.
 */

/* First thing in main: keep room for setproctitle(3). */
void	compat_title_init(int argc, char *argv[]);
/* The name that ps and top show where the title is cut short. */
void	compat_set_comm(const char *);
/* Large pieces of memory that are freed go back to the system at once. */
void	compat_memory_return(void);

#endif
