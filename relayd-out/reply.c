/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "relayd-out/deliver.h"

/*
 * What a server answers, RFC 5321 4.2: three digits, a hyphen on all lines
 * but the last, text.  The text of all lines is kept as one line, as far as
 * LIM_REPLY goes; octets that a log or a report could not stand become "?".
 */

static int	 digit(char);
static size_t	 enhanced(const char *, size_t, int, char[12]);
static void	 keep(struct reply *, const char *, size_t);

void
reply_reset(struct reply *r)
{
	r->code = 0;
	r->status[0] = r->text[0] = '\0';
	r->len = r->lines = 0;
	r->done = 0;
}

static int
digit(char c)
{
	return c >= '0' && c <= '9';
}

int
reply_line(struct reply *r, const char *s, size_t n)
{
	int	 code;

	if (r->done)
		reply_reset(r);
	/* RFC 5321 4.2: 2yz to 5yz, y from 0 to 5. */
	if (n < 3 || s[0] < '2' || s[0] > '5' || s[1] < '0' || s[1] > '5' ||
	    !digit(s[2]) || (n > 3 && s[3] != ' ' && s[3] != '-'))
		return -1;
	code = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	if ((r->code != 0 && r->code != code) || ++r->lines > LIM_REPLY_LINES)
		return -1;
	if (r->code == 0) {
		r->code = code;
		keep(r, s, 3);
		if (n > 4)
			(void)enhanced(s + 4, n - 4, code, r->status);
	}
	if (n > 4) {
		size_t	 off = 4;
		char	 status[12];

		/* The status of further lines says nothing new. */
		if (r->lines > 1)
			off += enhanced(s + 4, n - 4, code, status);
		if (off < n) {
			keep(r, " ", 1);
			keep(r, s + off, n - off);
		}
	}
	if (n > 3 && s[3] == '-')
		return 0;
	r->done = 1;
	return 1;
}

/*
 * RFC 2034: "5.1.1 " at the beginning, of the class of the code.  Its length
 * with the blank, 0: there is none.
 */
static size_t
enhanced(const char *s, size_t n, int code, char out[12])
{
	size_t	 i = 1, d;
	int	 part;

	out[0] = '\0';
	if (n < 5 || s[0] - '0' != code / 100 || s[0] == '3')
		return 0;
	for (part = 0; part < 2; part++) {
		if (i >= n || s[i++] != '.')
			return 0;
		for (d = 0; i < n && digit(s[i]) && d < 4; d++)
			i++;
		if (d == 0 || d > 3)
			return 0;
	}
	if (i < n && s[i] != ' ')
		return 0;
	memcpy(out, s, i);
	out[i] = '\0';
	return i < n ? i + 1 : i;
}

static void
keep(struct reply *r, const char *s, size_t n)
{
	uint8_t	 c;

	for (; n > 0 && r->len + 1 < sizeof(r->text); n--, s++) {
		c = (uint8_t)*s;
		if (c == '\t')
			c = ' ';
		r->text[r->len++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	r->text[r->len] = '\0';
}

unsigned
reply_ehlo(const char *s, size_t n, uint64_t *size)
{
	static const struct {
		const char	*word;
		unsigned	 flag;
	} words[] = {
		{ "PIPELINING", EHLO_PIPELINING },
		{ "STARTTLS", EHLO_STARTTLS },
		{ "8BITMIME", EHLO_8BITMIME },
		{ "SMTPUTF8", EHLO_SMTPUTF8 },
		{ "DSN", EHLO_DSN },
		{ "SIZE", EHLO_SIZE },
	};
	size_t		 i, len;
	unsigned	 flag = 0;

	if (n <= 4)
		return 0;
	s += 4;
	n -= 4;
	for (len = 0; len < n && s[len] != ' '; len++)
		;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == len &&
		    strncasecmp(words[i].word, s, len) == 0)
			flag = words[i].flag;
	if (flag != EHLO_SIZE)
		return flag;
	/* RFC 1870 4: no number, or 0, is no limit. */
	*size = 0;
	for (len++; len < n && digit(s[len]); len++) {
		if (*size > UINT64_MAX / 100)
			break;
		*size = *size * 10 + (uint64_t)(s[len] - '0');
	}
	return flag;
}
