/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "scand/auth/auth.h"

/*
 * One record of DMARC (RFC 9989 4.7, 4.8).  What is wrong behind the version
 * is ignored piece by piece, but for the policies (4.10.1); the same tag twice
 * makes the list invalid (RFC 6376 3.2, to which 4.7 refers).
 */

enum { TAG_P, TAG_SP, TAG_NP, TAG_ADKIM, TAG_ASPF, TAG_PSD, TAG_T, TAG_RUA,
    TAG_MAX };
static const char *const names[TAG_MAX] = {
	"p", "sp", "np", "adkim", "aspf", "psd", "t", "rua"
};

static int	 version(const char **, const char *);
static int	 read_policy(const struct tag *, enum dmarc_policy *);
static void	 read_tags(const struct tag *, unsigned,
		    struct dmarc_record *);
static int	 has_uri(const struct tag *);
static int	 uri_valid(const char *, size_t);

int
dmarc_record_is(const char *p, size_t n)
{
	return version(&p, p + n);
}

/* It comes first, and is the only value in which case counts. */
static int
version(const char **p, const char *end)
{
	struct tag t;

	return tag_next(p, end, &t) == 1 && tag_is(&t, "v", 0) &&
	    t.len == 6 && memcmp(t.value, "DMARC1", 6) == 0;
}

int
dmarc_record_parse(const char *p, size_t n, struct dmarc_record *d)
{
	const char *end = p + n;
	struct tag t, tags[TAG_MAX];
	unsigned seen = 0;
	int r, i;

	if (!version(&p, end))
		return -1;
	while ((r = tag_next(&p, end, &t)) != 0) {
		if (r == -1)
			continue;
		if (tag_is(&t, "v", 0))
			return -1;
		for (i = 0; i < TAG_MAX; i++) {
			if (!tag_is(&t, names[i], 0))
				continue;
			if (seen & 1U << i)
				return -1;
			seen |= 1U << i;
			tags[i] = t;
		}
	}
	read_tags(tags, seen, d);
	return 0;
}

static void
read_tags(const struct tag *tags, unsigned seen, struct dmarc_record *d)
{
	int wrong;

	memset(d, 0, sizeof(*d));
	wrong = !(seen & 1U << TAG_P) ||
	    read_policy(&tags[TAG_P], &d->p) == -1;
	if (seen & 1U << TAG_SP) {
		d->has_sp = 1;
		wrong |= read_policy(&tags[TAG_SP], &d->sp) == -1;
	}
	if (seen & 1U << TAG_NP) {
		d->has_np = 1;
		wrong |= read_policy(&tags[TAG_NP], &d->np) == -1;
	}
	d->usable = !wrong;
	if (wrong && seen & 1U << TAG_RUA && has_uri(&tags[TAG_RUA])) {
		d->p = DMARC_NONE;
		d->has_sp = d->has_np = 0;
		d->usable = 1;
	}
	d->strict_dkim = seen & 1U << TAG_ADKIM &&
	    tag_says(&tags[TAG_ADKIM], "s");
	d->strict_spf = seen & 1U << TAG_ASPF &&
	    tag_says(&tags[TAG_ASPF], "s");
	d->test = seen & 1U << TAG_T && tag_says(&tags[TAG_T], "y");
	d->psd = 'u';
	if (seen & 1U << TAG_PSD && tag_says(&tags[TAG_PSD], "y"))
		d->psd = 'y';
	if (seen & 1U << TAG_PSD && tag_says(&tags[TAG_PSD], "n"))
		d->psd = 'n';
}

static int
read_policy(const struct tag *t, enum dmarc_policy *p)
{
	if (tag_says(t, "none"))
		*p = DMARC_NONE;
	else if (tag_says(t, "quarantine"))
		*p = DMARC_QUARANTINE;
	else if (tag_says(t, "reject"))
		*p = DMARC_REJECT;
	else
		return -1;
	return 0;
}

/* One good one among those divided by commas is enough. */
static int
has_uri(const struct tag *t)
{
	const char *p = t->value, *end = p + t->len, *stop;

	while (p < end) {
		stop = memchr(p, ',', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		if (uri_valid(p, (size_t)(stop - p)))
			return 1;
		p = stop < end ? stop + 1 : end;
	}
	return 0;
}

/* RFC 3986 3: a scheme, a colon, and something printable. */
static int
uri_valid(const char *p, size_t n)
{
	size_t i = 0;

	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	if (n == 0 || !isalpha((unsigned char)p[0]))
		return 0;
	while (i < n && (isalnum((unsigned char)p[i]) || p[i] == '+' ||
	    p[i] == '-' || p[i] == '.'))
		i++;
	if (i == n || p[i++] != ':' || i == n)
		return 0;
	/* RFC 6068: an address. */
	if (i == 7 && strncasecmp(p, "mailto:", 7) == 0 &&
	    memchr(p + i, '@', n - i) == NULL)
		return 0;
	for (; i < n; i++) {
		if (p[i] < 33 || p[i] > 126)
			return 0;
	}
	return 1;
}
