/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/punycode.h"
#include "common/cidr.h"

/*
 * The grammar of RFC 5321 4.1.2 with the extensions of RFC 6531 3.3, and what
 * belongs to it.  The readers advance a pointer over a terminated string and
 * say why they stopped; nothing is allocated.  Where the field needs more than
 * the grammar allows it is said at the place.
 */

#define LABEL_MAX	63	/* RFC 1035 2.3.4 */
#define ULABEL_MAX	252	/* RFC 5890 4.2: an A-label of 63, in UTF-8 */
#define NAME_MAX_TEXT	253	/* RFC 1035 2.3.4: 255 in wire form */

#define NAME_UTF8	0x01	/* U-labels too */
#define NAME_UNDERSCORE	0x02	/* not in the grammar, but in the field */

static int	read_local(const char **, int, const char **);
static int	read_dotstring(const char **, int, const char **);
static int	read_quoted(const char **, int, const char **);
static int	read_name(const char **, int, const char **);
static int	read_label(const char **, int, const char **);
static int	read_literal(const char **, const char **);
static int	read_mailbox(const char **, int, const char **);
static int	read_route(const char **, int, const char **);
static int	read_high(const char **, int, const char **);
static int	is_atext(unsigned char);
static int	is_alnum(unsigned char);
static char	lower(char);
static int	fold_local(const char *, size_t, char *, size_t, size_t *);
static size_t	utf8_sequence(const unsigned char *, size_t);
static int	hexdigit(char);

int
address_path(const char **pp, int utf8, char *dst, size_t dstsize,
    const char **why)
{
	const char *p = *pp, *start;
	size_t len;
	int routed;

	if (*p != '<') {
		*why = "path does not begin with <";
		return -1;
	}
	p++;
	if (read_route(&p, utf8, why) == -1)
		return -1;
	routed = p != *pp + 1;
	start = p;
	if (*p == '>' && !routed)
		len = 0;
	else if (strncasecmp(p, "postmaster>", 11) == 0 && !routed) {
		/* RFC 5321 4.5.1: the one mailbox without a domain */
		start = "postmaster";
		len = 10;
		p += len;
	} else {
		if (read_mailbox(&p, utf8, why) == -1)
			return -1;
		len = (size_t)(p - start);
	}
	if (*p != '>') {
		*why = "path does not end with >";
		return -1;
	}
	if (len > LIM_PATH || len >= dstsize) {
		*why = "path is too long";
		return -1;
	}
	memcpy(dst, start, len);
	dst[len] = '\0';
	*pp = p + 1;
	return 0;
}

int
address_mailbox(const char *s, int utf8, const char **why)
{
	const char *p = s;

	if (read_mailbox(&p, utf8, why) == -1)
		return -1;
	if (*p != '\0') {
		*why = "something follows the domain";
		return -1;
	}
	if (p - s > LIM_PATH) {
		*why = "address is too long";
		return -1;
	}
	return 0;
}

const char *
address_domain(const char *s)
{
	const char *at;

	/* neither a domain nor a literal can contain "@" */
	at = strrchr(s, '@');
	return at == NULL ? NULL : at + 1;
}

int
address_fold(const char *s, char *dst, size_t dstsize)
{
	const char *domain, *p;
	char ascii[LIM_DOMAIN + 1];
	size_t local, len;

	domain = address_domain(s);
	local = domain == NULL ? strlen(s) : (size_t)(domain - s) - 1;
	if (fold_local(s, local, dst, dstsize, &len) == -1)
		return -1;
	if (domain == NULL)
		return 0;
	dst[len++] = '@';
	if (strlcpy(dst + len, domain, dstsize - len) >= dstsize - len)
		return -1;
	domain_fold(dst + len);
	/* RFC 5890 2.3.2.1: both forms are the same domain. */
	for (p = dst + len; *p != '\0'; p++)
		if ((unsigned char)*p > 0x7f)
			break;
	if (*p != '\0' && punycode_domain(dst + len, ascii,
	    sizeof(ascii)) == 0)
		return strlcpy(dst + len, ascii, dstsize - len) >=
		    dstsize - len ? -1 : 0;
	return 0;
}

int
address_is_local(const char *s, const char *lp)
{
	char folded[LIM_PATH + 1];
	size_t n;

	if (address_fold(s, folded, sizeof(folded)) == -1)
		return 0;
	n = strlen(lp);
	return strncasecmp(folded, lp, n) == 0 &&
	    (folded[n] == '@' || folded[n] == '\0');
}

int
domain_valid(const char *s, int utf8)
{
	const char *why;

	return read_name(&s, utf8 ? NAME_UTF8 : 0, &why) == 0 && *s == '\0';
}

int
helo_valid(const char *s)
{
	const char *why;

	if (*s == '[')
		return read_literal(&s, &why) == 0 && *s == '\0';
	return read_name(&s, NAME_UNDERSCORE, &why) == 0 && *s == '\0';
}

void
domain_fold(char *s)
{
	char *p;

	for (p = s; *p != '\0'; p++)
		*p = lower(*p);
	if (p > s + 1 && p[-1] == '.')
		p[-1] = '\0';
}

int
xtext_decode(const char *s, char *dst, size_t dstsize)
{
	size_t n = 0;
	int c, hi, lo;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (c < 33 || c > 126 || c == '=')
			return -1;
		if (c == '+') {
			if ((hi = hexdigit(s[1])) == -1 ||
			    (lo = hexdigit(s[2])) == -1)
				return -1;
			c = hi << 4 | lo;
			s += 2;
			/* RFC 3461 4.2, 4.4: printable ASCII once decoded */
			if (c < 32 || c > 126)
				return -1;
		}
		if (n + 1 >= dstsize)
			return -1;
		dst[n++] = (char)c;
	}
	if (dstsize == 0)
		return -1;
	dst[n] = '\0';
	return 0;
}

int
xtext_encode(const char *s, char *dst, size_t dstsize)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;
	unsigned char c;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (c < 33 || c > 126 || c == '+' || c == '=') {
			if (n + 3 >= dstsize)
				return -1;
			dst[n++] = '+';
			dst[n++] = hex[c >> 4];
			dst[n++] = hex[c & 0x0f];
		} else {
			if (n + 1 >= dstsize)
				return -1;
			dst[n++] = (char)c;
		}
	}
	if (dstsize == 0)
		return -1;
	dst[n] = '\0';
	return 0;
}

int
utf8_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len;

	while (n > 0) {
		if (*p < 0x20 || *p == 0x7f)
			return 0;
		if (*p < 0x80)
			len = 1;
		else if ((len = utf8_sequence(p, n)) == 0)
			return 0;
		p += len;
		n -= len;
	}
	return 1;
}

/* RFC 5321 4.1.2: A-d-l ":", which 4.1.1.3 says to ignore */
static int
read_route(const char **pp, int utf8, const char **why)
{
	const char *p = *pp;

	if (*p != '@')
		return 0;
	for (;;) {
		p++;
		if (read_name(&p, NAME_UNDERSCORE | (utf8 ? NAME_UTF8 : 0),
		    why) == -1)
			return -1;
		if (*p == ':')
			break;
		if (p[0] != ',' || p[1] != '@' || p - *pp > LIM_COMMAND) {
			*why = "malformed source route";
			return -1;
		}
		p++;
	}
	*pp = p + 1;
	return 0;
}

static int
read_mailbox(const char **pp, int utf8, const char **why)
{
	if (read_local(pp, utf8, why) == -1)
		return -1;
	if (**pp != '@') {
		*why = "address without a domain";
		return -1;
	}
	(*pp)++;
	if (**pp == '[')
		return read_literal(pp, why);
	return read_name(pp, NAME_UNDERSCORE | (utf8 ? NAME_UTF8 : 0), why);
}

static int
read_local(const char **pp, int utf8, const char **why)
{
	const char *start = *pp;
	int r;

	if (*start == '"')
		r = read_quoted(pp, utf8, why);
	else
		r = read_dotstring(pp, utf8, why);
	if (r == 0 && *pp - start > LIM_LOCALPART) {
		*why = "local part is too long";
		return -1;
	}
	return r;
}

static int
read_dotstring(const char **pp, int utf8, const char **why)
{
	const char *p = *pp, *atom = p;

	for (;;) {
		if (is_atext((unsigned char)*p))
			p++;
		else if ((unsigned char)*p >= 0x80) {
			if (read_high(&p, utf8, why) == -1)
				return -1;
		} else if (p == atom) {
			*why = *p == '.' ? "local part with an empty word" :
			    *p == '@' || *p == '>' ? "empty local part" :
			    "bad character in the local part";
			return -1;
		} else if (*p == '.')
			atom = ++p;
		else
			break;
	}
	*pp = p;
	return 0;
}

static int
read_quoted(const char **pp, int utf8, const char **why)
{
	const char *p = *pp + 1;

	while (*p != '"') {
		if ((unsigned char)*p >= 0x80) {
			if (read_high(&p, utf8, why) == -1)
				return -1;
			continue;
		}
		if (*p == '\\')
			p++;
		if (*p < 32 || *p > 126) {
			*why = *p == '\0' ? "quoted local part does not end" :
			    "bad character in a quoted local part";
			return -1;
		}
		p++;
	}
	*pp = p + 1;
	return 0;
}

static int
read_high(const char **pp, int utf8, const char **why)
{
	size_t len;

	if (!utf8) {
		*why = "address outside ASCII needs SMTPUTF8";
		return -1;
	}
	/* the terminating NUL ends a sequence, so four are always there */
	len = utf8_sequence((const unsigned char *)*pp, 4);
	if (len == 0) {
		*why = "address is not valid UTF-8";
		return -1;
	}
	*pp += len;
	return 0;
}

static int
read_name(const char **pp, int flags, const char **why)
{
	const char *p = *pp;

	for (;;) {
		if (read_label(&p, flags, why) == -1)
			return -1;
		if (*p != '.')
			break;
		p++;
	}
	if (p - *pp > NAME_MAX_TEXT) {
		*why = "domain is too long";
		return -1;
	}
	*pp = p;
	return 0;
}

static int
read_label(const char **pp, int flags, const char **why)
{
	const char *p = *pp;
	int high = 0;

	for (;;) {
		if (is_alnum((unsigned char)*p) || *p == '-' ||
		    (*p == '_' && flags & NAME_UNDERSCORE))
			p++;
		else if ((unsigned char)*p >= 0x80) {
			if (read_high(&p, flags & NAME_UTF8, why) == -1)
				return -1;
			high = 1;
		} else
			break;
	}
	if (p == *pp) {
		*why = "domain with an empty or malformed label";
		return -1;
	}
	if (**pp == '-' || p[-1] == '-') {
		*why = "domain label begins or ends with a hyphen";
		return -1;
	}
	if (p - *pp > (high ? ULABEL_MAX : LABEL_MAX)) {
		*why = "domain label is too long";
		return -1;
	}
	*pp = p;
	return 0;
}

/*
 * RFC 5321 4.1.3.  Of the tags only IPv6 is registered, so general literals
 * are none.
 */
static int
read_literal(const char **pp, const char **why)
{
	struct netaddr a;
	char text[NETADDR_STRLEN];
	const char *p = *pp + 1;
	size_t len;
	int six;

	six = strncasecmp(p, "IPv6:", 5) == 0;
	if (six)
		p += 5;
	len = strcspn(p, "]");
	if (p[len] != ']' || len >= sizeof(text)) {
		*why = "malformed address literal";
		return -1;
	}
	memcpy(text, p, len);
	text[len] = '\0';
	if (netaddr_parse(&a, text) == -1 ||
	    six != (strchr(text, ':') != NULL)) {
		*why = "malformed address literal";
		return -1;
	}
	*pp = p + len + 1;
	return 0;
}

/*
 * A quoted string means what it says without quotes and backslashes, so it
 * is written as a dot-string where that can be, else with the fewest
 * backslashes.  Letters become lower case: only the final host may tell them
 * apart (RFC 5321 2.4), and none does.
 */
static int
fold_local(const char *s, size_t n, char *dst, size_t size, size_t *lenp)
{
	size_t i, len = 0;
	int plain = 1, quoted;
	char c;

	quoted = n >= 2 && s[0] == '"' && s[n - 1] == '"';
	if (quoted) {
		s++;
		n -= 2;
	}
	/* room for a character with a backslash, two quotes and the end */
	for (i = 0; i < n; i++) {
		if (len + 5 > size)
			return -1;
		c = s[i];
		if (quoted && c == '\\' && i + 1 < n)
			c = s[++i];
		if (quoted && (c == '"' || c == '\\'))
			dst[len++] = '\\';
		if (c == '.' ? len == 0 || dst[len - 1] == '.' :
		    !is_atext((unsigned char)c) && (unsigned char)c < 0x80)
			plain = 0;
		dst[len++] = lower(c);
	}
	if (len + 4 > size)
		return -1;
	if (quoted && (!plain || len == 0 || dst[len - 1] == '.')) {
		memmove(dst + 1, dst, len);
		dst[0] = '"';
		dst[len + 1] = '"';
		len += 2;
	}
	dst[len] = '\0';
	*lenp = len;
	return 0;
}

/* RFC 5322 3.2.3 */
static int
is_atext(unsigned char c)
{
	return is_alnum(c) || (c != '\0' && c < 0x80 &&
	    strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* isalnum() of the C locale, whatever the process has set. */
static int
is_alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * Length of the multi-octet sequence at p, 0 when it is none: RFC 3629 4
 * (no overlong form, no surrogate, nothing past U+10FFFF), without the C1
 * control characters.
 */
static size_t
utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t i, len;

	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		if (p[0] == 0xc2)
			low = 0xa0;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		if (p[0] == 0xe0)
			low = 0xa0;
		else if (p[0] == 0xed)
			high = 0x9f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		if (p[0] == 0xf0)
			low = 0x90;
		else if (p[0] == 0xf4)
			high = 0x8f;
	} else
		return 0;
	for (i = 1; i < len; i++) {
		if (i >= n || p[i] < low || p[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

/* RFC 3461 4: upper case only */
static int
hexdigit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
