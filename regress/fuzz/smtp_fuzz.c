/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regress/smtpd-front/harness.h"
#include "smtpd-front/smtpd-front.h"

/*
 * A whole SMTP session on random octets, with the other daemons answering.
 * The first octet says who the client is and in which pieces it sends; then it
 * hangs up.  Whatever it says, replies are lines of printable ASCII with a
 * code, the same in all lines of one reply; a message is accepted exactly when
 * relayd-out was given it; and nothing is left behind.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

/* Returns whether this is a 250 after the dot. */
static int
check_reply(const char *line, char code[4])
{
	size_t	 i, n = strlen(line);

	check(n >= 4 && n <= LIM_REPLY - 2);
	check(line[0] >= '2' && line[0] <= '5' &&
	    isdigit((unsigned char)line[1]) && isdigit((unsigned char)line[2]));
	check(line[3] == ' ' || line[3] == '-');
	for (i = 0; i < n; i++)
		check(isprint((unsigned char)line[i]));
	check(code[0] == '\0' || strncmp(code, line, 3) == 0);
	memcpy(code, line[3] == '-' ? line : "\0\0\0", 3);
	return strncmp(line, "250 2.0.0 ", 10) == 0 &&
	    strstr(line, " accepted") != NULL;
}

static void
check_replies(unsigned put)
{
	const char	*line;
	char		 code[4] = "";
	unsigned	 accepted = 0;

	while ((line = harness_line_now()) != NULL)
		accepted += (unsigned)check_reply(line, code);
	check(code[0] == '\0');
	check(accepted == put);
}

/* Line by line, all at once, or so many octets. */
static size_t
piece_size(uint8_t how, const uint8_t *p, size_t n)
{
	const uint8_t	*lf;
	size_t		 piece = n;

	if (how & 0x40 && (lf = memchr(p, '\n', n)) != NULL)
		piece = (size_t)(lf + 1 - p);
	else if (how & 0x30)
		piece = (size_t)1 << (how >> 4 & 3);
	return piece < n ? piece : n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const	 clients[] = {
		"192.0.2.9", "192.0.2.78", "192.0.2.201", "2001:db8::1"
	};
	static int	 ready;
	size_t		 n;
	unsigned	 before;
	uint8_t		 how;

	if (size < 1 || size > 65536)
		return 0;
	if (!ready) {
		harness_init("message max 8K\nmemory 64K\n");
		ready = 1;
	}
	how = data[0];
	before = harness_seen(VERB_PUT);
	harness_connect(clients[how & 3]);
	harness_wait(0);
	for (data++, size--; size > 0; data += n, size -= n) {
		n = piece_size(how, data, size);
		harness_send(data, n);
		harness_wait(0);
	}
	while (harness_turn())
		;
	check_replies(harness_seen(VERB_PUT) - before);
	harness_hangup();
	check(front.nsessions == 0 && front.nheld == 0 &&
	    front.norphans == 0);
	check(limit_sessions() == 0 && limit_gauged(GAUGE_MEMORY) == 0);
	return 0;
}
