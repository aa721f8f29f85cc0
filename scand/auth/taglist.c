/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "common/address.h"
#include "scand/auth/auth.h"

/*
 * Tag lists (RFC 6376 3.2): DKIM-Signature fields, key records and, with the
 * same syntax, records of DMARC.
 */

static int	is_space(char);

int
tag_next(const char **p, const char *end, struct tag *t)
{
	const char *s = *p, *stop, *eq;

	while (s < end && is_space(*s))
		s++;
	if (s == end) {
		*p = end;
		return 0;
	}
	if ((stop = memchr(s, ';', (size_t)(end - s))) == NULL)
		stop = end;
	*p = stop < end ? stop + 1 : end;
	eq = memchr(s, '=', (size_t)(stop - s));
	if (eq == NULL || eq == s)
		return -1;
	t->name = s;
	t->namelen = (size_t)(eq - s);
	while (is_space(t->name[t->namelen - 1]))
		t->namelen--;
	for (eq++; eq < stop && is_space(*eq); eq++)
		;
	t->value = eq;
	t->len = (size_t)(stop - eq);
	while (t->len > 0 && is_space(t->value[t->len - 1]))
		t->len--;
	return 1;
}

int
tag_is(const struct tag *t, const char *name, int exact)
{
	return strlen(name) == t->namelen &&
	    (exact ? memcmp(name, t->name, t->namelen) :
	    strncasecmp(name, t->name, t->namelen)) == 0;
}

int
tag_says(const struct tag *t, const char *word)
{
	return strlen(word) == t->len &&
	    strncasecmp(word, t->value, t->len) == 0;
}

int
tag_copy(const struct tag *t, char *dst, size_t dstsize)
{
	size_t i, n = 0;

	for (i = 0; i < t->len; i++) {
		if (is_space(t->value[i]))
			continue;
		if (t->value[i] < 33 || t->value[i] > 126 || n + 1 >= dstsize)
			return -1;
		dst[n++] = t->value[i];
	}
	dst[n] = '\0';
	return 0;
}

int
tag_base64(const struct tag *t, uint8_t *dst, size_t size, size_t *len)
{
	char text[1400];
	uint8_t octets[1056];
	size_t n;
	int r;

	if (tag_copy(t, text, sizeof(text)) == -1 ||
	    (n = strlen(text)) == 0 || n % 4 != 0 ||
	    n / 4 * 3 > sizeof(octets) || (r = EVP_DecodeBlock(octets,
	    (const unsigned char *)text, (int)n)) <= 0)
		return -1;
	*len = (size_t)r - (text[n - 1] == '=') - (text[n - 2] == '=');
	if (*len > size)
		return -1;
	memcpy(dst, octets, *len);
	return 0;
}

/* Letters, digits, hyphens, underscores, dots. */
int
tag_name(const struct tag *t, char *dst, size_t size)
{
	size_t i;

	if (tag_copy(t, dst, size) == -1)
		goto bad;
	domain_fold(dst);
	for (i = 0; dst[i] != '\0'; i++) {
		if (!isalnum((unsigned char)dst[i]) &&
		    strchr("-_.", dst[i]) == NULL)
			goto bad;
		if (dst[i] == '.' && (i == 0 || dst[i - 1] == '.'))
			goto bad;
	}
	if (i > 0 && dst[i - 1] != '.')
		return 0;
bad:
	dst[0] = '\0';
	return -1;
}

static int
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
