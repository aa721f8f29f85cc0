/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "common/cidr.h"
#include "scand/rules/links.h"

/*
 * One URL, read as browsers do (the URL standard of the WHATWG, "special"
 * schemes): backslashes are slashes, any number of them begins the host, the
 * host ends at the last "@", and an address may be written in a dozen ways.
 */

#define URL_ROOM	2048	/* octets of one that are looked at */

static int	 scheme_end(const char *, size_t, size_t *);
static int	 authority(struct link *, const char *, size_t, int);
static int	 host_port(struct link *, const char *, size_t, int);
static void	 port(struct link *, const char *, size_t);
static int	 host_read(struct link *, const char *, size_t, int);
static int	 host_name(struct link *, const char *, size_t);
static int	 host_ipv4(struct link *);
static int	 ends_in_number(const char *);
static int	 ipv4_number(const char *, size_t, uint64_t *);
static int	 host_ipv6(struct link *, const char *, size_t);
static int	 host_address(struct link *, const struct netaddr *);
static int	 is_routed(const struct netaddr *);
static int	 is_slash(char);
static size_t	 plain_length(const char *, size_t, int);
static int	 is_mark(const char *, size_t);

int
link_parse(struct link *l, const char *s, size_t n, int how)
{
	char buf[URL_ROOM];
	size_t i, len = 0, at;

	memset(l, 0, sizeof(*l));
	while (n > 0 && (unsigned char)*s <= ' ') {
		s++;
		n--;
	}
	/* These vanish wherever they stand. */
	for (i = 0; i < n && len < sizeof(buf); i++) {
		if (s[i] != '\t' && s[i] != '\n' && s[i] != '\r')
			buf[len++] = s[i];
	}
	switch (scheme_end(buf, len, &at)) {
	case -1:
		return 0;
	case 0:
		if (len < 2 || !is_slash(buf[0]) || !is_slash(buf[1]))
			return -1;
		break;
	case 2:
		l->odd = LINK_BIT(LINK_DOCUMENT);
		return 0;
	}
	while (at < len && is_slash(buf[at]))
		at++;
	return authority(l, buf + at, len - at, how);
}

int
link_host(struct link *l, const char *s, size_t n, int how)
{
	memset(l, 0, sizeof(*l));
	return authority(l, s, n < URL_ROOM ? n : URL_ROOM, how);
}

/*
 * 1: the scheme of a host that can be asked for, which ends at *at; 2: of a
 * document; -1: another; 0: none.
 */
static int
scheme_end(const char *s, size_t n, size_t *at)
{
	static const char *const schemes[] = {
		"http", "https", "ftp", "ws", "wss"
	};
	static const char html[] = "data:text/html";
	size_t i, k;

	*at = 0;
	for (i = 0; i < n && ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z');
	    i++)
		continue;
	for (k = i; k < n && ((s[k] >= '0' && s[k] <= '9') || s[k] == '+' ||
	    s[k] == '-' || s[k] == '.' ||
	    ((s[k] | 0x20) >= 'a' && (s[k] | 0x20) <= 'z')); k++)
		continue;
	if (k == 0 || k == n || s[k] != ':')
		return 0;
	if (n >= sizeof(html) - 1 &&
	    strncasecmp(s, html, sizeof(html) - 1) == 0)
		return 2;
	*at = k + 1;
	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strlen(schemes[i]) == k &&
		    strncasecmp(s, schemes[i], k) == 0)
			return 1;
	}
	return -1;
}

static int
authority(struct link *l, const char *s, size_t n, int how)
{
	size_t end, at;

	for (end = 0; end < n && !is_slash(s[end]) && s[end] != '?' &&
	    s[end] != '#'; end++)
		continue;
	for (at = end; at > 0 && s[at - 1] != '@'; at--)
		continue;
	if (at > 1)
		l->odd |= LINK_BIT(LINK_USER);
	return host_port(l, s + at, end - at, how);
}

static int
host_port(struct link *l, const char *s, size_t n, int how)
{
	const char *end;
	size_t len;

	if (n > 0 && s[0] == '[') {
		if ((end = memchr(s, ']', n)) == NULL)
			return 0;
		len = (size_t)(end - s) + 1;
		if (len < n && s[len] == ':')
			port(l, s + len + 1, n - len - 1);
		return host_ipv6(l, s + 1, len - 2);
	}
	if ((end = memchr(s, ':', n)) == NULL)
		len = n;
	else {
		len = (size_t)(end - s);
		port(l, end + 1, n - len - 1);
	}
	return host_read(l, s, len, how);
}

static void
port(struct link *l, const char *s, size_t n)
{
	unsigned v = 0;
	size_t i;

	for (i = 0; i < n && s[i] >= '0' && s[i] <= '9' && v < 65536; i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	if (i > 0 && v != 80 && v != 443)
		l->odd |= LINK_BIT(LINK_PORT);
}

/*
 * In running text a host may be followed by anything, so if all of it is none,
 * the part of it is tried that is certainly one.
 */
static int
host_read(struct link *l, const char *s, size_t n, int how)
{
	unsigned odd = l->odd;
	int r, eight;

	r = host_name(l, s, n);
	for (eight = 1; r == -1 && how == LINK_TEXT && eight >= 0; eight--) {
		l->odd = odd;
		r = host_name(l, s, plain_length(s, n, eight));
	}
	return r == 1;
}

/* 1: it is a host; 0: one that is not looked up; -1: it cannot be one. */
static int
host_name(struct link *l, const char *s, size_t n)
{
	size_t len, label = 0, dots = 0, i;

	if (hostname_map(s, n, l->host, sizeof(l->host), &l->odd) == -1)
		return -1;
	len = strlen(l->host);
	while (len > 0 && l->host[len - 1] == '.')
		l->host[--len] = '\0';
	if (len == 0 || len > 253)
		return -1;
	if (ends_in_number(l->host))
		return host_ipv4(l);
	for (i = 0; i < len; i++) {
		if (l->host[i] != '.') {
			if (++label > 63)
				return -1;
		} else {
			if (label == 0)
				return -1;
			label = 0;
			dots++;
		}
	}
	/* A name without a dot is nothing outside; no domain has one letter. */
	return dots > 0 && label > 1;
}

/* How much of it is made of what hosts are made of. */
static size_t
plain_length(const char *s, size_t n, int eight)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z') &&
		    !(s[i] >= '0' && s[i] <= '9') && s[i] != '-' &&
		    s[i] != '.' && s[i] != '_' && s[i] != '%' &&
		    !(eight && (s[i] & 0x80) && !is_mark(s + i, n - i)))
			break;
	}
	return i;
}

/* Blanks, quotes and marks beyond ASCII, as their first two octets tell. */
static int
is_mark(const char *s, size_t n)
{
	return n >= 2 && (memcmp(s, "\xc2\xa0", 2) == 0 ||
	    memcmp(s, "\xc2\xab", 2) == 0 || memcmp(s, "\xc2\xbb", 2) == 0 ||
	    memcmp(s, "\xe2\x80", 2) == 0 || memcmp(s, "\xe3\x80", 2) == 0 ||
	    memcmp(s, "\xef\xbc", 2) == 0 || memcmp(s, "\xef\xbd", 2) == 0);
}

static int
ends_in_number(const char *host)
{
	const char *last = strrchr(host, '.');
	uint64_t v;
	size_t n;

	last = last == NULL ? host : last + 1;
	n = strlen(last);
	return strspn(last, "0123456789") == n || ipv4_number(last, n, &v) == 0;
}

/*
 * One to four numbers, decimal, octal or hexadecimal, of which the last takes
 * all octets that are left.
 */
static int
host_ipv4(struct link *l)
{
	char text[NETADDR_STRLEN];
	struct netaddr a;
	const char *p = l->host;
	uint64_t v[4], all = 0;
	size_t len, n = 0, i;

	for (;;) {
		len = strcspn(p, ".");
		if (n == 4 || ipv4_number(p, len, &v[n]) == -1)
			return -1;
		n++;
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	for (i = 0; i + 1 < n; i++) {
		if (v[i] > 255)
			return -1;
		all |= v[i] << (24 - 8 * i);
	}
	if (v[n - 1] >= UINT64_C(1) << 8 * (5 - n))
		return -1;
	all |= v[n - 1];
	memset(&a, 0, sizeof(a));
	a.family = AF_INET;
	for (i = 0; i < 4; i++)
		a.octets[i] = (uint8_t)(all >> (24 - 8 * i));
	if (strcmp(netaddr_print(&a, text, sizeof(text)), l->host) != 0)
		l->odd |= LINK_BIT(LINK_OBSCURED);
	return host_address(l, &a);
}

static int
ipv4_number(const char *s, size_t n, uint64_t *v)
{
	unsigned base = 10, d;
	size_t i = 0;

	*v = 0;
	if (n == 0)
		return -1;
	if (n > 1 && s[0] == '0') {
		base = (s[1] | 0x20) == 'x' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	for (; i < n; i++) {
		d = s[i] >= '0' && s[i] <= '9' ? (unsigned)(s[i] - '0') :
		    (s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f' ?
		    (unsigned)((s[i] | 0x20) - 'a') + 10 : 16;
		if (d >= base)
			return -1;
		if (*v <= UINT32_MAX)
			*v = *v * base + d;
	}
	return 0;
}

static int
host_ipv6(struct link *l, const char *s, size_t n)
{
	char text[NETADDR_STRLEN];
	struct netaddr a;

	if (n >= sizeof(text))
		return 0;
	memcpy(text, s, n);
	text[n] = '\0';
	if (strlen(text) != n || strchr(text, ':') == NULL ||
	    netaddr_parse(&a, text) == -1)
		return 0;
	if (a.family == AF_INET)
		l->odd |= LINK_BIT(LINK_OBSCURED);
	return host_address(l, &a);
}

static int
host_address(struct link *l, const struct netaddr *a)
{
	(void)netaddr_print(a, l->host, sizeof(l->host));
	l->family = a->family == AF_INET ? 4 : 6;
	if (!is_routed(a))
		return 0;
	l->odd |= LINK_BIT(LINK_ADDRESS);
	return 1;
}

/* RFC 6890: not of one's own network, and not of the machine itself. */
static int
is_routed(const struct netaddr *a)
{
	static const char *const inside[] = {
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
		"169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
		"224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"
	};
	static struct cidr c[sizeof(inside) / sizeof(inside[0])];
	static size_t n;
	size_t i;

	for (; n < sizeof(c) / sizeof(c[0]); n++)
		(void)cidr_parse(&c[n], inside[n]);
	for (i = 0; i < n; i++) {
		if (cidr_contains(&c[i], a))
			return 0;
	}
	return 1;
}

static int
is_slash(char c)
{
	return c == '/' || c == '\\';
}

const char *
host_domain(const char *host)
{
	/* Second levels that registries of countries sell names below. */
	static const char *const shared[] = {
		"ac", "asso", "co", "com", "edu", "go", "gob", "gouv", "gov",
		"gv", "ltd", "ne", "net", "nhs", "nom", "or", "org", "plc",
		"sch"
	};
	const char *dots[3] = { NULL, NULL, NULL }, *p;
	size_t i, n;

	for (p = host; *p != '\0'; p++) {
		if (*p == '.') {
			dots[0] = dots[1];
			dots[1] = dots[2];
			dots[2] = p;
		}
	}
	if (dots[1] == NULL)
		return host;
	n = (size_t)(dots[2] - dots[1]) - 1;
	if (strlen(dots[2]) == 3)
		for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
			if (strlen(shared[i]) == n &&
			    memcmp(shared[i], dots[1] + 1, n) == 0)
				return dots[0] == NULL ? host : dots[0] + 1;
	return dots[1] + 1;
}

const char *
host_below(const char *host)
{
	const char *domain = host_domain(host), *p;

	if (domain == host)
		return NULL;
	for (p = domain - 1; p > host && p[-1] != '.'; p--)
		continue;
	return p;
}

int
host_usual(const char *host)
{
	static const char *const tops[] = {
		"app", "at", "be", "biz", "br", "ca", "ch", "click", "club",
		"cn", "co", "com", "cz", "de", "dev", "edu", "es", "eu", "fr",
		"gov", "icu", "in", "info", "io", "it", "jp", "kr", "link",
		"live", "net", "nl", "online", "org", "ru", "se", "shop",
		"site", "store", "tk", "top", "tv", "ua", "uk", "us", "xyz"
	};
	const char *top = strrchr(host, '.');
	size_t i;

	if (top == NULL)
		return 0;
	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		if (strcmp(tops[i], top + 1) == 0)
			return 1;
	}
	return 0;
}
