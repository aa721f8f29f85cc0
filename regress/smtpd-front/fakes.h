/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_FAKES_H
#define REGRESS_FAKES_H

/*
 * The other daemons, for harness.c: the words of a dialogue and what starts
 * and ends one.
 */
void	 fake_start(void);
void	 fake_reset(void);
void	 fake_scan(const char *);
void	 fake_says(const char *);
void	 fake_grey(const char *);
void	 fake_put(const char *);
void	 fake_lose(const char *);
void	 fake_join(const char *);
void	 fake_answer(const char *);
/* harness.c: something is wrong, detail may be NULL. */
void	 complain(const char *what, const char *detail);

#endif
