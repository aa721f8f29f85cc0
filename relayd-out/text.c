/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "relayd-out/relayd-out.h"

/*
 * Text that grows: envelope files, journal lines, reports.  One that is reset
 * keeps its memory, so a busy process does not allocate for each message.
 */

#define TEXT_MIN	4096

static int	 text_room(struct text *, size_t);
static int	 escaped(uint8_t, enum text_form);

void
text_reset(struct text *t)
{
	t->len = 0;
	t->bad = 0;
}

void
text_free(struct text *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}

static int
text_room(struct text *t, size_t n)
{
	size_t	 size;
	char	*p;

	if (t->bad)
		return -1;
	if (t->size - t->len >= n)
		return 0;
	for (size = t->size < TEXT_MIN ? TEXT_MIN : t->size;
	    size - t->len < n; size *= 2)
		if (size > SIZE_MAX / 4)
			break;
	if (size - t->len < n || (p = realloc(t->p, size)) == NULL) {
		t->bad = 1;
		return -1;
	}
	t->p = p;
	t->size = size;
	return 0;
}

void
text_add(struct text *t, const void *p, size_t n)
{
	if (n == 0 || text_room(t, n) == -1)
		return;
	memcpy(t->p + t->len, p, n);
	t->len += n;
}

void
text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void
text_num(struct text *t, uint64_t n)
{
	char	 buf[24], *p = buf + sizeof(buf);

	do {
		*--p = (char)('0' + n % 10);
	} while ((n /= 10) != 0);
	text_add(t, p, (size_t)(buf + sizeof(buf) - p));
}

void
text_fmt(struct text *t, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	if (text_room(t, 256) == -1)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->bad = 1;
		return;
	}
	if ((size_t)n >= t->size - t->len) {
		if (text_room(t, (size_t)n + 1) == -1)
			return;
		va_start(ap, fmt);
		n = vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
		va_end(ap);
	}
	t->len += (size_t)n;
}

static int
escaped(uint8_t c, enum text_form form)
{
	if (c == '\t' || c == ' ')
		return form == TEXT_WORD;
	return c < 0x20 || c == 0x7f || c == '\\';
}

void
text_escape(struct text *t, const char *s, size_t n, enum text_form form)
{
	static const char	 hex[] = "0123456789abcdef";
	char			 x[4] = "\\x";
	size_t			 i, from;
	uint8_t			 c;

	for (i = from = 0; i < n; i++) {
		c = (uint8_t)s[i];
		if (!escaped(c, form))
			continue;
		text_add(t, s + from, i - from);
		x[2] = hex[c >> 4];
		x[3] = hex[c & 15];
		text_add(t, x, sizeof(x));
		from = i + 1;
	}
	text_add(t, s + from, n - from);
}

static int
hexdigit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
text_unescape(const char *p, size_t n, char *dst, size_t dstsize)
{
	size_t	 i, o = 0;
	int	 hi, lo;
	char	 c;

	for (i = 0; i < n; i++) {
		c = p[i];
		if (c == '\\') {
			if (n - i < 4 || p[i + 1] != 'x' ||
			    (hi = hexdigit(p[i + 2])) == -1 ||
			    (lo = hexdigit(p[i + 3])) == -1)
				return -1;
			c = (char)(hi << 4 | lo);
			i += 3;
		}
		if (c == '\0' || o + 1 >= dstsize)
			return -1;
		dst[o++] = c;
	}
	dst[o] = '\0';
	return 0;
}

const char *
text_date(uint64_t wall_ms, int iso, char buf[TEXT_DATE])
{
	static const char *const days[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	struct tm	 tm;
	time_t		 t = (time_t)(wall_ms / 1000);

	/* strftime would look for the time zone, which no cage has. */
	if (gmtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	if (iso)
		(void)snprintf(buf, TEXT_DATE,
		    "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
	else
		(void)snprintf(buf, TEXT_DATE,
		    "%s, %d %s %04d %02d:%02d:%02d +0000",
		    days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12],
		    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return buf;
}

int
text_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s < 0x20 || *s == 0x7f)
			return 0;
	return 1;
}

void
text_printable(const char *s, char *dst, size_t dstsize)
{
	size_t	 o = 0;
	uint8_t	 c;

	if (dstsize == 0)
		return;
	while (*s == ' ' || *s == '\t')
		s++;
	for (; (c = (uint8_t)*s) != '\0' && o + 1 < dstsize; s++)
		dst[o++] = c == '\t' ? ' ' :
		    c >= 0x20 && c < 0x7f ? (char)c : '?';
	while (o > 0 && dst[o - 1] == ' ')
		o--;
	dst[o] = '\0';
}

/* FNV-1a: against torn lines and bit rot, not against people. */
void
text_sum(const char *p, size_t n, const char *seed, char out[SUM_SIZE])
{
	static const char	 hex[] = "0123456789abcdef";
	uint32_t		 h = 2166136261U;
	size_t			 i;

	for (; *seed != '\0'; seed++)
		h = (h ^ (uint8_t)*seed) * 16777619U;
	for (i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 16777619U;
	out[0] = '~';
	for (i = SUM_SIZE - 2; i > 0; i--, h >>= 4)
		out[i] = hex[h & 15];
	out[SUM_SIZE - 1] = '\0';
}
