/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/message.h"
#include "gwctl/gwctl.h"

/*
 * One line of a log, as syslogds, systemd and the daemons with -d write it:
 *
 *	2026-07-01T10:16:00.123Z smtpd-front: id=... ev=...
 *	Jul  1 10:16:00 host smtpd-front[123]: id=... ev=...
 *	<22>1 2026-07-01T10:16:00Z host smtpd-front 123 - - id=... ev=...
 */

static size_t	 tag_find(struct line *, const char *);
static const char *tag_daemon(const char *, size_t);
static void	 stamp_parse(struct line *, const char *);
static int	 fields_parse(struct line *);
static char	*value_parse(char *, const char **);
static int	 unescape(char **, char **);
static int	 hexdigit(int);
static int	 is_key(int);

int
line_parse(struct line *l, const char *text)
{
	size_t	 start;

	l->date[0] = l->clock[0] = l->when[0] = '\0';
	l->daemon = l->id = l->event = "";
	l->nfields = 0;
	stamp_parse(l, text);
	start = tag_find(l, text);
	text += start;
	l->rest = text;
	if (strncmp(text, "id=", 3) != 0 && strncmp(text, "ev=", 3) != 0)
		return 0;
	if (strlcpy(l->buf, text, sizeof(l->buf)) >= sizeof(l->buf))
		return 0;
	if (fields_parse(l) == -1) {
		l->nfields = 0;
		return 0;
	}
	return 1;
}

const char *
line_value(const struct line *l, const char *key)
{
	size_t	 i;

	for (i = 0; i < l->nfields; i++)
		if (strcmp(l->fields[i].key, key) == 0)
			return l->fields[i].value;
	return NULL;
}

int
line_mentions(const char *text, const char *id)
{
	const char	*p = text;
	size_t		 n = strlen(id);

	while ((p = strstr(p, id)) != NULL) {
		if ((p == text || !isalnum((unsigned char)p[-1])) &&
		    !isalnum((unsigned char)p[n]))
			return 1;
		p += n;
	}
	return 0;
}

/*
 * Where the text begins that a daemon wrote: behind the first word that is
 * its name with a colon; behind "name pid - - " (RFC 5424); or at the very
 * beginning.
 */
static size_t
tag_find(struct line *l, const char *text)
{
	const char	*p = text, *end, *name;

	for (; *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = p + strcspn(p, " ");
		if ((name = tag_daemon(p, (size_t)(end - p))) == NULL)
			continue;
		l->daemon = name;
		if (end > p && end[-1] == ':')
			return (size_t)(end - text) + (*end == ' ');
		/* pid, message id, no structured data */
		p = end + (*end == ' ');
		p += strspn(p, "0123456789-");
		if (strncmp(p, " - - ", 5) == 0)
			return (size_t)(p - text) + 5;
		l->daemon = "";
	}
	return 0;
}

/* "smtpd-front:", "scand[12]:", or without colon. */
static const char *
tag_daemon(const char *s, size_t n)
{
	const char	*name;
	enum daemon_id	 d;
	size_t		 len, k;

	for (d = 0; d < DAEMON_MAX; d++) {
		name = daemon_name(d);
		len = strlen(name);
		if (n < len || strncmp(s, name, len) != 0)
			continue;
		k = len;
		if (k < n && s[k] == '[') {
			for (k++; k < n && isdigit((unsigned char)s[k]); k++)
				;
			if (k == n || s[k++] != ']')
				continue;
		}
		if (k == n || (k + 1 == n && s[k] == ':'))
			return name;
	}
	return NULL;
}

static void
stamp_parse(struct line *l, const char *s)
{
	static const char	 months[] =
	    "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char		*month;
	char			 name[4];
	size_t			 n;

	if (*s == '<')		/* <22> or <22>1 */
		s += strcspn(s, ">") + (strchr(s, '>') != NULL);
	if (strncmp(s, "1 ", 2) == 0)
		s += 2;
	if (strnlen(s, 19) == 19 && isdigit((unsigned char)s[0]) &&
	    s[4] == '-' && s[10] == 'T' && s[13] == ':') {
		memcpy(l->date, s, 10);
		l->date[10] = '\0';
		n = strspn(s + 11, "0123456789:.");
		if (n > 12)
			n = 12;
		memcpy(l->clock, s + 11, n);
		l->clock[n] = '\0';
		(void)snprintf(l->when, sizeof(l->when), "%s %s", l->date,
		    l->clock);
		return;
	}
	if (strnlen(s, 15) < 15 || s[3] != ' ' || s[6] != ' ' || s[9] != ':')
		return;
	memcpy(name, s, 3);
	name[3] = '\0';
	if ((month = strstr(months, name)) == NULL)
		return;
	memcpy(l->date, s, 6);
	l->date[6] = '\0';
	memcpy(l->clock, s + 7, 8);
	l->clock[8] = '\0';
	(void)snprintf(l->when, sizeof(l->when), "%02d%s %s",
	    (int)(month - months) / 3 + 1, l->date + 3, l->clock);
}

/*
 * key=value key="value" ...; values without quotes end with a blank.
 */
static int
fields_parse(struct line *l)
{
	struct field	*f;
	char		*p = l->buf, *key;

	while (*p != '\0') {
		for (key = p; is_key((unsigned char)*p); p++)
			;
		if (p == key || *p != '=' || l->nfields == LINE_FIELDS)
			return -1;
		*p++ = '\0';
		f = &l->fields[l->nfields++];
		f->key = key;
		if ((p = value_parse(p, &f->value)) == NULL)
			return -1;
	}
	f = l->fields;
	if (l->nfields > 0 && strcmp(f->key, "id") == 0) {
		if (!id_valid(f->value))
			return -1;
		l->id = f->value;
		f++;
	}
	if (f == l->fields + l->nfields || strcmp(f->key, "ev") != 0)
		return -1;
	l->event = f->value;
	return 0;
}

/* Returns what follows, NULL if it is malformed. */
static char *
value_parse(char *p, const char **value)
{
	char	*to = p, *end;

	*value = p;
	if (*p != '"') {
		to = p + strcspn(p, " \r\"");
		if (*to == '"')
			return NULL;
		end = to;
	} else {
		for (p++; *p != '"'; )
			if (*p == '\0' || unescape(&p, &to) == -1)
				return NULL;
		end = p + 1;
		if (*end != ' ' && *end != '\r' && *end != '\0')
			return NULL;
	}
	while (*end == ' ' || *end == '\r')
		end++;
	*to = '\0';
	return end;
}

static int
unescape(char **from, char **to)
{
	char	*p = *from;
	int	 hi, lo;

	if (*p != '\\')
		*(*to)++ = *p++;
	else if (p[1] == '"' || p[1] == '\\') {
		*(*to)++ = p[1];
		p += 2;
	} else if (p[1] == 'x' && (hi = hexdigit(p[2])) != -1 &&
	    (lo = hexdigit(p[3])) != -1) {
		*(*to)++ = (hi | lo) == 0 ? '?' : (char)(hi << 4 | lo);
		p += 4;
	} else
		return -1;
	*from = p;
	return 0;
}

static int
hexdigit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int
is_key(int c)
{
	return isalnum(c) || c == '_' || c == '-';
}
