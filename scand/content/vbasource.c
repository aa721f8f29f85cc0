/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "scand/content/office.h"

/*
 * Is there code in a module?  Its source is counted line by line: whatever is
 * not an attribute, a comment or an option is code.  Besides the source a
 * module may have p-code, which runs without any source when the version
 * fits, so that is counted as well.
 */

enum line_kind {
	LINE_BLANK, LINE_ATTRIBUTE, LINE_HARMLESS, LINE_CODE
};

static void	 count_octets(struct vba_lines *, const uint8_t *, size_t);
static void	 count_line(struct vba_lines *);
static enum line_kind line_kind(struct vba_lines *);
static const char *word_end(const char *, const char *);
static int	 is_header(const char *);
static const char *literal_end(const char *);

int
vba_lines(struct inspect *in, struct vba_lines *v, const uint8_t *p, size_t n)
{
	struct ovba o;
	int r;

	memset(v, 0, sizeof(*v));
	if (ovba_open(&o, p, n) == -1) {
		v->broken = 1;
		return 0;
	}
	do {
		r = ovba_next(&o);
		if (budget_out(&in->budget, o.len) == -1)
			return -1;
		count_octets(v, o.chunk, o.len);
	} while (r == 1 && v->code == 0);
	count_line(v);
	v->broken = r == -1;
	return 0;
}

/* Lines end in CR, LF or both; the Mac writes CR alone. */
static void
count_octets(struct vba_lines *v, const uint8_t *p, size_t n)
{
	size_t i;

	v->octets += n;
	for (i = 0; i < n; i++) {
		if (p[i] == '\r' || p[i] == '\n')
			count_line(v);
		else if (v->len < sizeof(v->line) - 1)
			v->line[v->len++] = p[i] == '\0' ? ' ' : (char)p[i];
		else
			v->long_line = 1;
	}
}

static void
count_line(struct vba_lines *v)
{
	v->line[v->len] = '\0';
	switch (line_kind(v)) {
	case LINE_BLANK:
		break;
	case LINE_ATTRIBUTE:
		v->attribute++;
		break;
	case LINE_HARMLESS:
		v->harmless++;
		break;
	case LINE_CODE:
		v->code++;
		break;
	}
	v->len = 0;
	v->long_line = 0;
}

static enum line_kind
line_kind(struct vba_lines *v)
{
	const char *s = v->line, *end = v->line + v->len, *after;
	int goes_on = v->comment;

	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	v->line[end - v->line] = '\0';
	while (isspace((unsigned char)*s))
		s++;
	v->comment = 0;
	if (*s == '\0')
		return LINE_BLANK;
	/* [MS-VBAL] 3.3.1: a comment may be continued like any line. */
	v->comment = !v->long_line && end - s >= 2 && end[-1] == '_' &&
	    isspace((unsigned char)end[-2]);
	if (goes_on || *s == '\'' || word_end(s, "rem") != NULL)
		return LINE_HARMLESS;
	v->comment = 0;
	if ((after = word_end(s, "attribute")) != NULL)
		return !v->long_line && is_header(after) ? LINE_ATTRIBUTE :
		    LINE_CODE;
	/* A colon begins another statement. */
	if ((after = word_end(s, "option")) != NULL && !v->long_line &&
	    strchr(after, ':') == NULL)
		return LINE_HARMLESS;
	return LINE_CODE;
}

/* Behind the word that a line begins with, NULL if it begins otherwise. */
static const char *
word_end(const char *s, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(s, word, n) != 0)
		return NULL;
	return s[n] == '\0' || isspace((unsigned char)s[n]) ? s + n : NULL;
}

/* NAME = literal[, literal], and nothing behind it. */
static int
is_header(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	/* Names may have letters of any code page. */
	while (isalnum((unsigned char)*s) || *s == '_' || *s == '.' ||
	    (unsigned char)*s >= 0x80)
		s++;
	while (isspace((unsigned char)*s))
		s++;
	if (*s != '=')
		return 0;
	do {
		if ((s = literal_end(s + 1)) == NULL)
			return 0;
	} while (*s == ',');
	return *s == '\0';
}

/* A string, a number, True or False. */
static const char *
literal_end(const char *s)
{
	const char *begin;

	while (isspace((unsigned char)*s))
		s++;
	if (*s == '"') {
		/* A quote inside is doubled. */
		for (s++; *s != '\0'; s++) {
			if (*s != '"')
				continue;
			if (s[1] != '"')
				break;
			s++;
		}
		if (*s++ != '"')
			return NULL;
	} else {
		begin = s;
		while (isalnum((unsigned char)*s) || *s == '-' || *s == '+' ||
		    *s == '.' || *s == '&' || *s == '#')
			s++;
		if (s == begin)
			return NULL;
		if (isalpha((unsigned char)*begin) &&
		    (s - begin != 4 || strncasecmp(begin, "true", 4) != 0) &&
		    (s - begin != 5 || strncasecmp(begin, "false", 5) != 0))
			return NULL;
	}
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/*
 * Behind the table of lines, at a place that the cache names at 0x19, stand
 * 0xCAFE, two octets, the number of lines and 12 octets for each.  Found by
 * comparing modules that Office 2000 to 2016 wrote; nothing is published.
 */
int
vba_pcode(const uint8_t *p, size_t n)
{
	size_t at, i, lines;
	int count = 0;

	if (n < 0x1d)
		return -1;
	at = (size_t)le32(p + 0x19) + 0x3c;
	if (at >= n || n - at < 6 || le16(p + at) != 0xcafe)
		return -1;
	lines = le16(p + at + 4);
	if ((n - at - 6) / 12 < lines)
		lines = (n - at - 6) / 12;
	for (i = 0; i < lines; i++)
		if (le16(p + at + 6 + 12 * i + 4) > 0)
			count++;
	return count;
}
