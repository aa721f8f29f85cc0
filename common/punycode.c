/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/punycode.h"

/*
 * Punycode: what looking up a U-label needs, and reading an A-label.
 */

/* RFC 3492 5 */
#define BASE		36
#define TMIN		1
#define TMAX		26
#define SKEW		38
#define DAMP		700
#define INITIAL_BIAS	72
#define INITIAL_N	128

static int	label_ascii(const char *, size_t, char *, size_t);
static size_t	label_decode(const char *, size_t, uint32_t *);
static int	encode(const uint32_t *, size_t, char *, size_t);
static size_t	encode_delta(uint32_t, uint32_t, char *, size_t);
static unsigned	digit_value(char);
static uint32_t	adapt(uint32_t, uint32_t, int);

int
punycode_domain(const char *name, char *dst, size_t dstsize)
{
	size_t len, n = 0;
	int r;

	for (;;) {
		len = strcspn(name, ".");
		r = label_ascii(name, len, dst + n, dstsize - n);
		if (r == -1)
			return -1;
		n += (size_t)r;
		name += len;
		if (n + 1 >= dstsize)
			return -1;
		if (*name == '\0')
			break;
		dst[n++] = *name++;
	}
	dst[n] = '\0';
	return 0;
}

/* RFC 3492 6.2 */
size_t
punycode_label(const char *label, size_t n, uint32_t chars[PUNYCODE_CHARS])
{
	uint32_t c = INITIAL_N, bias = INITIAL_BIAS, i = 0, old, w, k, t;
	size_t count = 0, at, p;
	unsigned d;

	if (n < 5 || n > 63 || strncasecmp(label, "xn--", 4) != 0)
		return 0;
	for (p = n; p > 4 && label[p - 1] != '-'; p--)
		continue;
	/* what stands before the last hyphen are the ASCII letters */
	for (at = 4; at + 1 < p; at++)
		chars[count++] = (uint32_t)(unsigned char)label[at];
	for (; p < n; i++) {
		old = i;
		for (w = 1, k = BASE;; k += BASE) {
			if (p == n || (d = digit_value(label[p++])) == BASE ||
			    d > (UINT32_MAX - i) / w)
				return 0;
			i += d * w;
			t = k <= bias + TMIN ? TMIN : k >= bias + TMAX ?
			    TMAX : k - bias;
			if (d < t)
				break;
			if (w > UINT32_MAX / (BASE - t))
				return 0;
			w *= BASE - t;
		}
		if (count == PUNYCODE_CHARS)
			return 0;
		bias = adapt(i - old, (uint32_t)count + 1, old == 0);
		if (i / (count + 1) > 0x10ffff - c)
			return 0;
		c += i / (uint32_t)(count + 1);
		i %= (uint32_t)(count + 1);
		memmove(chars + i + 1, chars + i,
		    (count - i) * sizeof(chars[0]));
		chars[i] = c;
		count++;
	}
	return count;
}

static unsigned
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 26;
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') : BASE;
}

/* Octets written, or -1. */
static int
label_ascii(const char *s, size_t len, char *dst, size_t size)
{
	uint32_t chars[PUNYCODE_CHARS];
	size_t i, n;
	int r;

	for (i = 0; i < len && (unsigned char)s[i] < 0x80; i++)
		continue;
	if (i == len) {
		if (len > size)
			return -1;
		memcpy(dst, s, len);
		return (int)len;
	}
	if (!utf8_valid(s, len) || (n = label_decode(s, len, chars)) == 0 ||
	    strlcpy(dst, "xn--", size) >= size)
		return -1;
	r = encode(chars, n, dst + 4, size - 4);
	return r == -1 ? -1 : r + 4;
}

/* Code points of valid UTF-8, letters of ASCII in lower case; 0: too many. */
static size_t
label_decode(const char *s, size_t len, uint32_t *chars)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + len;
	size_t n;
	uint32_t c;
	int more;

	for (n = 0; p < end; n++) {
		if (n == PUNYCODE_CHARS)
			return 0;
		c = *p++;
		more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
		if (more > 0)
			c &= 0x3fU >> more;
		else if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		for (; more > 0 && p < end; more--)
			c = c << 6 | (*p++ & 0x3f);
		chars[n] = c;
	}
	return n;
}

/* RFC 3492 6.3; delta cannot overflow with 63 characters of 21 bits. */
static int
encode(const uint32_t *chars, size_t count, char *dst, size_t size)
{
	uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS, next;
	size_t i, basic = 0, done, len = 0, w;

	for (i = 0; i < count; i++)
		if (chars[i] < 0x80) {
			if (len == size)
				return -1;
			dst[len++] = (char)chars[i];
			basic++;
		}
	if (basic > 0) {
		if (len == size)
			return -1;
		dst[len++] = '-';
	}
	for (done = basic; done < count; delta++, n++) {
		next = UINT32_MAX;
		for (i = 0; i < count; i++)
			if (chars[i] >= n && chars[i] < next)
				next = chars[i];
		delta += (next - n) * (uint32_t)(done + 1);
		n = next;
		for (i = 0; i < count; i++) {
			if (chars[i] < n)
				delta++;
			if (chars[i] != n)
				continue;
			w = encode_delta(delta, bias, dst + len, size - len);
			if (w == 0)
				return -1;
			len += w;
			bias = adapt(delta, (uint32_t)done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
	return (int)len;
}

static size_t
encode_delta(uint32_t q, uint32_t bias, char *dst, size_t size)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	uint32_t k, t;
	size_t n;

	for (n = 0, k = BASE; n < size; n++, k += BASE) {
		t = k <= bias + TMIN ? TMIN : k >= bias + TMAX ? TMAX :
		    k - bias;
		if (q < t) {
			dst[n] = digits[q];
			return n + 1;
		}
		dst[n] = digits[t + (q - t) % (BASE - t)];
		q = (q - t) / (BASE - t);
	}
	return 0;
}

/* RFC 3492 6.1 */
static uint32_t
adapt(uint32_t delta, uint32_t points, int first)
{
	uint32_t k;

	delta /= first ? DAMP : 2;
	delta += delta / points;
	for (k = 0; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}
