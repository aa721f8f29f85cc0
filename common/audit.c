/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"

/*
 * Audit lines: logfmt, one event a line, the message's id first.
 */

static void	 field(struct audit *, const char *, const char *);
static size_t	 quote(const char *, char *, size_t);
static int	 plain(const char *);

void
audit_begin(struct audit *a, const char *id, const char *event)
{
	a->len = 0;
	a->cut = 0;
	if (id != NULL && *id != '\0')
		field(a, "id", id);
	field(a, "ev", event);
}

/* key=text, unless that would not leave room for cut=1. */
static void
field(struct audit *a, const char *key, const char *text)
{
	size_t	 room = sizeof(a->line) - sizeof(" cut=1");
	int	 n;

	if (a->cut)
		return;
	n = snprintf(a->line + a->len, room - a->len, "%s%s=%s",
	    a->len == 0 ? "" : " ", key, text);
	if (n < 0 || (size_t)n >= room - a->len) {
		a->cut = 1;
		return;
	}
	a->len += (size_t)n;
}

static int
plain(const char *s)
{
	const unsigned char	*p;

	if (*s == '\0')
		return 0;
	for (p = (const unsigned char *)s; *p != '\0'; p++)
		if (*p <= 0x20 || *p == '"' || *p == '\\' || *p == 0x7f)
			return 0;
	return utf8_valid(s, strlen(s));
}

/* "s" with \xNN for what could forge a line; cut to what fits. */
static size_t
quote(const char *s, char *dst, size_t size)
{
	const unsigned char	*p;
	size_t			 n = 0;
	int			 utf8 = utf8_valid(s, strlen(s));

	dst[n++] = '"';
	for (p = (const unsigned char *)s; *p != '\0' && n + 6 < size; p++) {
		if (*p == '"' || *p == '\\') {
			dst[n++] = '\\';
			dst[n++] = (char)*p;
		} else if (*p < 0x20 || *p == 0x7f || (*p >= 0x80 && !utf8)) {
			(void)snprintf(dst + n, 5, "\\x%02x", *p);
			n += 4;
		} else
			dst[n++] = (char)*p;
	}
	dst[n++] = '"';
	dst[n] = '\0';
	return n;
}

void
audit_str(struct audit *a, const char *key, const char *value)
{
	char	 quoted[LIM_LOGLINE];

	if (value == NULL)
		return;
	if (plain(value))
		field(a, key, value);
	else {
		(void)quote(value, quoted, sizeof(quoted));
		field(a, key, quoted);
	}
}

void
audit_path(struct audit *a, const char *key, const char *address)
{
	char	 path[LIM_PATH * 4];

	(void)snprintf(path, sizeof(path), "<%s>", address);
	audit_str(a, key, path);
}

void
audit_num(struct audit *a, const char *key, long long value)
{
	char	 text[24];

	(void)snprintf(text, sizeof(text), "%lld", value);
	field(a, key, text);
}

void
audit_ms(struct audit *a, const char *key, unsigned long long ms)
{
	char	 text[32];

	(void)snprintf(text, sizeof(text), "%llu.%03llu", ms / 1000, ms % 1000);
	field(a, key, text);
}

void
audit_points(struct audit *a, const char *key, int points)
{
	char	 text[24];

	(void)snprintf(text, sizeof(text), "%s%u.%02u", points < 0 ? "-" : "",
	    (points < 0 ? 0U - (unsigned)points : (unsigned)points) / 100,
	    (points < 0 ? 0U - (unsigned)points : (unsigned)points) % 100);
	field(a, key, text);
}

void
audit_hex(struct audit *a, const char *key, const void *data, size_t len)
{
	static const char	 digits[] = "0123456789abcdef";
	const unsigned char	*p = data;
	char			 text[2 * 64 + 1];
	size_t			 i;

	for (i = 0; i < len && i < 64; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	text[2 * i] = '\0';
	field(a, key, text);
}

void
audit_fmt(struct audit *a, const char *key, const char *fmt, ...)
{
	char	 text[LIM_LOGLINE];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	audit_str(a, key, text);
}

void
audit_end(struct audit *a)
{
	int	 n;

	if (a->cut) {
		n = snprintf(a->line + a->len, sizeof(a->line) - a->len,
		    " cut=1");
		if (n > 0 && (size_t)n < sizeof(a->line) - a->len)
			a->len += (size_t)n;
	}
	log_line(a->line, a->len);
}
