/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef REGRESS_HARNESS_H
#define REGRESS_HARNESS_H

#include "common/protocol.h"

/*
 * The engine of smtpd-front without processes: sessions over socket pairs, and
 * scand, greyd and relayd-out played by this file over real channels.  A test
 * is a dialogue, line by line; *.dialogue files have many, each behind a line
 * "== NAME".
 *
 *	C 192.0.2.9	a new client connects from there
 *	S MAIL FROM:<>	it sends a line
 *	R a\r\nb	it sends these octets; \\ \r \n \0 \xNN, and \(600) for
 *			600 times x
 *	F		it closes its sending side
 *	E 250 2.*	the next line it gets, as a pattern of fnmatch(3)
 *	X		the server hangs up
 *	Q		nothing comes
 *	~ 300		so many seconds pass, for the limits on time
 *	late		the time of what its message waits for is over
 *	scan WORD	what scand does from now on: accept, greylist, tempfail,
 *			reject, silent, garbage, split (postmasters accept)
 *	says TEXT	the verdict's reply
 *	grey WORD	pass, wait, silent
 *	put WORD TEXT	durable, refused, failed, silent
 *	down NAME	scand, greyd, relayd: its channel is lost
 *	up NAME
 *	answer		what was silent in scand, greyd and relayd answers now
 *	drain, hurry	the process is asked to leave
 *
 * and for what comes again and again, each with the replies it should have:
 *
 *	hello		a client from 192.0.2.9 and its EHLO
 *	helo ADDR	a client from there and its HELO
 *	mail		MAIL FROM:<a@b.example>
 *	rcpt ADDRESS
 *	to ADDRESS	both
 *	data
 *	letter		data, a small message and its dot, without the reply
 *	id CODE		the last line of a refusal
 */

/* The base configuration with these lines added to it. */
void	 harness_init(const char *more);
void	 harness_file(const char *path);
/* One dialogue, lines ending in LF. */
void	 harness_script(const char *name, const char *text);
/* The lines `grey WORD' and `answer', outside of a dialogue. */
void	 harness_grey(const char *word);
void	 harness_answer(void);
/* So many SCAN, GREY, PUT, CANCEL, EVENT, RATE, CLIENT have come. */
unsigned harness_seen(uint32_t verb);
/* Of the last PUT: content and envelope, ours until the next. */
const char *harness_content(size_t *len);
const struct envelope *harness_envelope(void);
const struct scan *harness_scan(void);
unsigned harness_failed(void);
unsigned harness_checked(void);
/* Let the loop turn for so long. */
void	 harness_wait(unsigned ms);
/* The bare client: for tests without a script. */
void	 harness_connect(const char *addr);
/* This stands in the socket before it is accepted. */
void	 harness_early(const char *addr, const char *text);
void	 harness_send(const void *, size_t);
/* The next line without its end, or NULL; waits up to 2 seconds. */
const char *harness_line(void);
/* The same without waiting. */
const char *harness_line_now(void);
/* A few turns of the loop; 0: nothing came of them. */
int	 harness_turn(void);
void	 harness_hangup(void);
/* A verdict's trace fields from now on. */
void	 harness_trace(const char *);

#endif
