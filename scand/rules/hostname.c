/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>

#include "common/punycode.h"
#include "scand/rules/links.h"

/*
 * A host as it stands in a URL, as a browser would look it up.  Of the mapping
 * of UTS 46 there is here what lets a name hide: ASCII in the shape of other
 * characters, characters that vanish, capital letters.  Whoever finds a form
 * that is missing has only found a name that is not asked for.
 */

#define HOST_ROOM	1024	/* octets before the mapping */
#define VANISH		UINT32_MAX
#define NEVER		(UINT32_MAX - 1)

enum script { SCRIPT_NONE, SCRIPT_LATIN, SCRIPT_GREEK, SCRIPT_CYRILLIC,
	SCRIPT_OTHER };

struct mapped {
	uint32_t	 label[PUNYCODE_CHARS];	/* the one that is open */
	size_t		 n;
	size_t		 total;		/* of the label with what is left out */
	char		*dst;
	size_t		 len, size;
	unsigned	*odd;
};

static size_t	 percent_decode(const char *, size_t, char *, size_t);
static int	 hex(char);
static size_t	 utf8_next(const char *, size_t, uint32_t *);
static uint32_t	 map(uint32_t, int *);
static uint32_t	 map_lookalike(uint32_t);
static uint32_t	 map_case(uint32_t);
static int	 put(struct mapped *, uint32_t);
static int	 put_utf8(struct mapped *, uint32_t);
static void	 label_end(struct mapped *);
static int	 label_mixed(const uint32_t *, size_t);
static enum script script_of(uint32_t);
static int	 is_latin_twin(uint32_t);

int
hostname_map(const char *s, size_t n, char *dst, size_t size, unsigned *odd)
{
	char raw[HOST_ROOM], text[HOST_ROOM];
	struct mapped m = { .dst = text, .size = sizeof(text), .odd = odd };
	uint32_t c;
	size_t len, at, step;
	int hides = 0;

	if (n >= sizeof(raw))
		return -1;
	len = percent_decode(s, n, raw, sizeof(raw));
	if (len != n)
		hides = 1;
	for (at = 0; at < len; at += step) {
		if ((step = utf8_next(raw + at, len - at, &c)) == 0 ||
		    (c = map(c, &hides)) == NEVER)
			return -1;
		if (c != VANISH && put(&m, c) == -1)
			return -1;
	}
	label_end(&m);
	text[m.len] = '\0';
	if (punycode_domain(text, dst, size) == -1)
		return -1;
	if (hides)
		*odd |= LINK_BIT(LINK_OBSCURED);
	return 0;
}

static size_t
percent_decode(const char *s, size_t n, char *dst, size_t size)
{
	size_t i, len = 0;

	for (i = 0; i < n && len < size; i++) {
		if (s[i] == '%' && i + 2 < n && hex(s[i + 1]) != -1 &&
		    hex(s[i + 2]) != -1) {
			dst[len++] = (char)(hex(s[i + 1]) << 4 |
			    hex(s[i + 2]));
			i += 2;
		} else
			dst[len++] = s[i];
	}
	return len;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Octets of a character, 0 if it is none (RFC 3629 4). */
static size_t
utf8_next(const char *s, size_t n, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t len, i;

	len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
	    p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	*c = len == 1 ? p[0] : p[0] & 0x7fU >> len;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if (*c < least[len] || *c > 0x10ffff ||
	    (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return len;
}

/* *hides is set where a reader sees something else than is looked up. */
static uint32_t
map(uint32_t c, int *hides)
{
	uint32_t to;

	if (c < 0x80) {
		if (c >= 'A' && c <= 'Z')
			return c + 'a' - 'A';
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_' || c == '.' ? c : NEVER;
	}
	if (c == 0x00ad || c == 0x200b || c == 0x2060 || c == 0xfeff ||
	    (c >= 0xfe00 && c <= 0xfe0f)) {
		*hides = 1;
		return VANISH;
	}
	/* the full stops of East Asia (RFC 3490 3.1) hide nothing */
	if (c == 0x3002 || c == 0xff0e || c == 0xff61)
		return '.';
	if ((to = map_lookalike(c)) != c) {
		*hides = 1;
		return to;
	}
	/* blanks and punctuation */
	if (c < 0xa1 || (c >= 0x2000 && c <= 0x206f) ||
	    (c >= 0x3000 && c <= 0x303f && c != 0x3005 && c != 0x3007))
		return NEVER;
	return map_case(c);
}

/* ASCII in disguise: full width, mathematical, in circles. */
static uint32_t
map_lookalike(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e)
		return map(c - 0xff01 + '!', &(int){ 0 });
	if (c >= 0x1d400 && c <= 0x1d6a3)
		return 'a' + (c - 0x1d400) % 26;
	if (c >= 0x1d7ce && c <= 0x1d7ff)
		return '0' + (c - 0x1d7ce) % 10;
	if (c >= 0x24b6 && c <= 0x24e9)
		return 'a' + (c - 0x24b6) % 26;
	if (c >= 0x2460 && c <= 0x2468)
		return '1' + (c - 0x2460);
	return c;
}

static uint32_t
map_case(uint32_t c)
{
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) ||
	    (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) ||
	    (c >= 0x1e00 && c <= 0x1eff))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	return c;
}

static int
put(struct mapped *m, uint32_t c)
{
	if (c == '.')
		label_end(m);
	else if (m->total++ < PUNYCODE_CHARS)
		m->label[m->n++] = c;
	return put_utf8(m, c);
}

static int
put_utf8(struct mapped *m, uint32_t c)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	/* One more for the end of the string. */
	if (m->len + len >= m->size)
		return -1;
	for (i = len; i-- > 1; c >>= 6)
		m->dst[m->len + i] = (char)(0x80 | (c & 0x3f));
	m->dst[m->len] = (char)(len == 1 ? c :
	    c | (0xf00U >> len & 0xff));
	m->len += len;
	return 0;
}

/* Both forms of a label are looked at, as it will be seen. */
static void
label_end(struct mapped *m)
{
	uint32_t chars[PUNYCODE_CHARS];
	char ascii[PUNYCODE_CHARS];
	size_t i, n;

	for (i = 0; i < m->n && m->label[i] < 0x80; i++)
		ascii[i] = (char)m->label[i];
	if (i < m->n) {
		if (label_mixed(m->label, m->n))
			*m->odd |= LINK_BIT(LINK_MIXED);
	} else if ((n = punycode_label(ascii, m->n, chars)) > 0 &&
	    label_mixed(chars, n))
		*m->odd |= LINK_BIT(LINK_MIXED);
	m->n = m->total = 0;
}

/*
 * Letters of two scripts, or none but those that look like Latin ones: what
 * registries of names refuse in one label, and what readers take for another
 * name.
 */
static int
label_mixed(const uint32_t *c, size_t n)
{
	unsigned seen = 0;
	size_t i, twins = 0, letters = 0;

	for (i = 0; i < n; i++) {
		if (script_of(c[i]) == SCRIPT_NONE)
			continue;
		letters++;
		seen |= 1U << script_of(c[i]);
		twins += is_latin_twin(c[i]) != 0;
	}
	seen &= ~(1U << SCRIPT_OTHER);
	return (seen & (seen - 1)) != 0 || (letters > 1 && twins == letters);
}

static enum script
script_of(uint32_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= 0xc0 && c <= 0x24f) || (c >= 0x1e00 && c <= 0x1eff))
		return SCRIPT_LATIN;
	if (c < 0x80)
		return SCRIPT_NONE;
	if (c >= 0x370 && c <= 0x3ff)
		return SCRIPT_GREEK;
	if (c >= 0x400 && c <= 0x52f)
		return SCRIPT_CYRILLIC;
	return SCRIPT_OTHER;
}

/* Small letters of Cyrillic and Greek that are drawn like Latin ones. */
static int
is_latin_twin(uint32_t c)
{
	static const uint16_t twins[] = {
		0x430, 0x435, 0x43e, 0x440, 0x441, 0x443, 0x445, 0x455,
		0x456, 0x458, 0x4bb, 0x4cf, 0x501, 0x51b, 0x51d,
		0x3bf, 0x3bd, 0x3f2, 0x3f3
	};
	size_t i;

	for (i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
		if (twins[i] == c)
			return 1;
	}
	return 0;
}
