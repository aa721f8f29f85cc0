/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/config/build.h"
#include "common/limits.h"

/*
 * Numbers, points, times, sizes and rates as the configuration writes them.
 * No floating point: points are read digit by digit into hundredths.
 */

static const struct unit {
	char		suffix;
	uint32_t	factor;
} times[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	{ 'w', 7 * 86400 }
}, sizes[] = {
	{ 'K', 1U << 10 }, { 'M', 1U << 20 }, { 'G', 1U << 30 }
};

static const char *digits(const char **, uint64_t, uint64_t *);
static const char *scaled(const char *, const struct unit *, size_t, uint64_t,
		    const char *, uint64_t *);

const char *
unit_count(const char *s, uint64_t max, uint64_t *n)
{
	const char	*why;

	if ((why = digits(&s, max, n)) != NULL)
		return why;
	return *s == '\0' ? NULL : "not a number";
}

const char *
unit_points(const char *s, int32_t *points)
{
	const char	*why;
	uint64_t	 whole;
	int32_t		 cents = 0, sign = 1;

	if (*s == '-' && isdigit((unsigned char)s[1])) {
		sign = -1;
		s++;
	}
	if ((why = digits(&s, LIM_POINTS / 100, &whole)) != NULL)
		return why;
	if (*s == '.') {
		s++;
		if (!isdigit((unsigned char)*s))
			return "not a number of points";
		cents = (*s++ - '0') * 10;
		if (isdigit((unsigned char)*s))
			cents += *s++ - '0';
		if (isdigit((unsigned char)*s))
			return "has more than two decimals";
	}
	if (*s != '\0')
		return "not a number of points";
	cents += (int32_t)whole * 100;
	if (cents > LIM_POINTS)
		return "too large";
	*points = sign * cents;
	return NULL;
}

const char *
unit_time(const char *s, uint32_t *seconds)
{
	const char	*why;
	uint64_t	 n;

	why = scaled(s, times, sizeof(times) / sizeof(times[0]), LIM_SECONDS,
	    "not a time (s, m, h, d or w may follow the number)", &n);
	if (why == NULL)
		*seconds = (uint32_t)n;
	return why;
}

const char *
unit_size(const char *s, uint64_t *octets)
{
	return scaled(s, sizes, sizeof(sizes) / sizeof(sizes[0]), INT64_MAX,
	    "not a size (K, M or G may follow the number)", octets);
}

/* 2000/h, 20/10m */
const char *
unit_rate(const char *s, uint32_t *n, uint32_t *period)
{
	const char	*why;
	char		 one[3];
	uint64_t	 count;

	if ((why = digits(&s, UINT32_MAX, &count)) != NULL)
		return why;
	if (*s++ != '/')
		return "not a rate like 2000/h";
	if (isalpha((unsigned char)s[0]) && s[1] == '\0') {
		(void)snprintf(one, sizeof(one), "1%c", s[0]);
		s = one;
	}
	if (unit_time(s, period) != NULL || *period == 0)
		return "not a rate like 2000/h";
	*n = (uint32_t)count;
	return NULL;
}

const char *
unit_print_points(int32_t points, char buf[UNIT_STRLEN])
{
	const char	*sign = points < 0 ? "-" : "";
	int32_t		 abs = points < 0 ? -points : points;
	int		 cents = abs % 100;

	if (cents % 10 == 0)
		(void)snprintf(buf, UNIT_STRLEN, "%s%d.%d", sign, abs / 100,
		    cents / 10);
	else
		(void)snprintf(buf, UNIT_STRLEN, "%s%d.%02d", sign, abs / 100,
		    cents);
	return buf;
}

const char *
unit_print_time(uint32_t seconds, char buf[UNIT_STRLEN])
{
	size_t	i = sizeof(times) / sizeof(times[0]) - 1;

	while (i > 0 && (seconds == 0 || seconds % times[i].factor != 0))
		i--;
	(void)snprintf(buf, UNIT_STRLEN, "%u%c", seconds / times[i].factor,
	    times[i].suffix);
	return buf;
}

const char *
unit_print_size(uint64_t octets, char buf[UNIT_STRLEN])
{
	size_t	i = sizeof(sizes) / sizeof(sizes[0]);

	while (i > 0 && (octets == 0 || octets % sizes[i - 1].factor != 0))
		i--;
	if (i == 0)
		(void)snprintf(buf, UNIT_STRLEN, "%ju", (uintmax_t)octets);
	else
		(void)snprintf(buf, UNIT_STRLEN, "%ju%c",
		    (uintmax_t)(octets / sizes[i - 1].factor),
		    sizes[i - 1].suffix);
	return buf;
}

const char *
unit_print_rate(uint32_t n, uint32_t period, char buf[UNIT_STRLEN])
{
	char	time[UNIT_STRLEN];

	unit_print_time(period, time);
	(void)snprintf(buf, UNIT_STRLEN, "%u/%.16s", n,
	    time[0] == '1' && isalpha((unsigned char)time[1]) ? time + 1 :
	    time);
	return buf;
}

static const char *
scaled(const char *s, const struct unit *units, size_t nunits, uint64_t max,
    const char *what, uint64_t *n)
{
	const char	*why;
	size_t		 i;

	if ((why = digits(&s, max, n)) != NULL)
		return why;
	if (*s == '\0')
		return NULL;
	for (i = 0; i < nunits && units[i].suffix != *s; i++)
		;
	if (i == nunits || s[1] != '\0')
		return what;
	if (*n > max / units[i].factor)
		return "too large";
	*n *= units[i].factor;
	return NULL;
}

static const char *
digits(const char **sp, uint64_t max, uint64_t *n)
{
	const char	*s = *sp;
	unsigned	 d;

	if (*s == '-' && isdigit((unsigned char)s[1]))
		return "negative";
	if (!isdigit((unsigned char)*s))
		return "not a number";
	for (*n = 0; isdigit((unsigned char)*s); s++) {
		d = (unsigned)(*s - '0');
		if (*n > (max - d) / 10 || d > max)
			return "too large";
		*n = *n * 10 + d;
	}
	*sp = s;
	return NULL;
}
