/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config/build.h"
#include "common/limits.h"
#include "common/punycode.h"

/*
 * From words to what they mean, for the builders of statements: each function
 * takes a word, says what is wrong with it, or gives what it stands for.
 */

static int	numeric_label(const char *);

int
build_once(struct parse *p, int once, const struct config_where *where,
    const char *what)
{
	struct config_where	*first = &p->once[once];

	if (first->file == NULL) {
		*first = *where;
		return 1;
	}
	parse_error(p, where, "%s is given twice (first at %s:%u)", what,
	    first->file, first->line);
	return 0;
}

char *
build_domainname(struct parse *p, const struct value *v)
{
	char	*name, ascii[LIM_DOMAIN + 1];

	name = parse_strdup(p, v->text);
	domain_fold(name);
	/* As address_fold() does. */
	if (domain_valid(name, 1) && !numeric_label(name) &&
	    punycode_domain(name, ascii, sizeof(ascii)) == 0) {
		free(name);
		return parse_strdup(p, ascii);
	}
	parse_error(p, &v->where, "\"%s\" is no domain name", v->text);
	free(name);
	return NULL;
}

/* Names of hosts never end in a number; bad addresses do. */
static int
numeric_label(const char *name)
{
	const char	*dot = strrchr(name, '.');
	const char	*label = dot == NULL ? name : dot + 1;

	return label[strspn(label, "0123456789")] == '\0';
}

/* Absolute, without parts that lead elsewhere; slashes at the end go. */
char *
build_path(struct parse *p, const struct value *v)
{
	const char	*s = v->text;
	char		*path;
	size_t		 n = strlen(s);

	if (s[0] != '/') {
		parse_error(p, &v->where, "\"%s\" is no absolute path", s);
		return NULL;
	}
	if (n >= LIM_PATHNAME) {
		parse_error(p, &v->where, "a path has at most %d characters",
		    LIM_PATHNAME - 1);
		return NULL;
	}
	while (n > 1 && s[n - 1] == '/')
		n--;
	if (n == 1 || strstr(s, "/../") != NULL || strstr(s, "/./") != NULL ||
	    strstr(s, "//") != NULL ||
	    (n > 3 && strncmp(s + n - 3, "/..", 3) == 0)) {
		parse_error(p, &v->where, "the path \"%s\" leads nowhere "
		    "definite", s);
		return NULL;
	}
	path = parse_strdup(p, s);
	path[n] = '\0';
	return path;
}

char *
build_name(struct parse *p, const struct value *v, const char *what)
{
	const char	*s;

	for (s = v->text; isalnum((unsigned char)*s) || *s == '_' ||
	    ((*s == '-' || *s == '.') && s != v->text); s++)
		;
	if (*s != '\0' || s == v->text) {
		parse_error(p, &v->where, "\"%s\" is no name for a %s: "
		    "letters, digits, \"_\", \".\" and \"-\"", v->text, what);
		return NULL;
	}
	if (s - v->text > LIM_NAME) {
		parse_error(p, &v->where, "the name of this %s is longer than "
		    "%d characters", what, LIM_NAME);
		return NULL;
	}
	return parse_strdup(p, v->text);
}

char *
build_text(struct parse *p, const struct value *v)
{
	const char	*s;

	for (s = v->text; *s >= ' ' && *s < 0x7f; s++)
		;
	if (*s != '\0' || s == v->text || s - v->text > LIM_CONTACT) {
		/* It stands in replies, RFC 5321 4.2: textstring. */
		parse_error(p, &v->where, "a contact is 1 to %d characters "
		    "of printable ASCII", LIM_CONTACT);
		return NULL;
	}
	return parse_strdup(p, v->text);
}

int
build_number(struct parse *p, const struct value *v, uint64_t min,
    uint64_t max, uint32_t *n)
{
	const char	*why;
	uint64_t	 value;

	if ((why = unit_count(v->text, max, &value)) != NULL) {
		parse_error(p, &v->where, "\"%s\" is %s", v->text, why);
		return 0;
	}
	if (value < min) {
		parse_error(p, &v->where, "\"%s\" is less than %ju", v->text,
		    (uintmax_t)min);
		return 0;
	}
	*n = (uint32_t)value;
	return 1;
}

int
build_port(struct parse *p, const struct value *v, uint16_t *port)
{
	uint32_t	n;

	if (!build_number(p, v, 1, 65535, &n))
		return 0;
	*port = (uint16_t)n;
	return 1;
}

/* No time that is written may be nothing. */
int
build_time(struct parse *p, const struct value *v, uint32_t *seconds)
{
	const char	*why;
	uint32_t	 n;

	if ((why = unit_time(v->text, &n)) != NULL) {
		parse_error(p, &v->where, "\"%s\" is %s", v->text, why);
		return 0;
	}
	if (n == 0) {
		parse_error(p, &v->where, "a time of 0 cannot be meant");
		return 0;
	}
	*seconds = n;
	return 1;
}

int
build_size(struct parse *p, const struct value *v, uint64_t *octets)
{
	const char	*why;

	if ((why = unit_size(v->text, octets)) == NULL && *octets > 0)
		return 1;
	if (why == NULL)
		parse_error(p, &v->where, "a size of 0 cannot be meant");
	else
		parse_error(p, &v->where, "\"%s\" is %s", v->text, why);
	return 0;
}

int
build_points(struct parse *p, const struct value *v, int32_t *points)
{
	const char	*why;

	if ((why = unit_points(v->text, points)) == NULL)
		return 1;
	parse_error(p, &v->where, "\"%s\" %s%s", v->text,
	    strncmp(why, "has ", 4) == 0 ? "" : "is ", why);
	return 0;
}

int
build_addr(struct parse *p, const struct value *v, struct netaddr *addr)
{
	if (netaddr_parse(addr, v->text) == 0)
		return 1;
	parse_error(p, &v->where, "\"%s\" is no IPv4 or IPv6 address",
	    v->text);
	return 0;
}

int
build_cidr(struct parse *p, const struct value *v, struct cidr *range)
{
	switch (cidr_parse(range, v->text)) {
	case 0:
		return 1;
	case -2:
		parse_error(p, &v->where, "\"%s\" has bits set behind its "
		    "length", v->text);
		return 0;
	default:
		parse_error(p, &v->where, "\"%s\" is no address or range",
		    v->text);
		return 0;
	}
}

/* The name is taken. */
void
build_names(struct parse *p, struct config_names *names, char *name)
{
	char	**v;

	v = recallocarray(names->v, names->n, names->n + 1, sizeof(*v));
	if (v == NULL) {
		free(name);
		parse_nomem(p);
	}
	names->v = v;
	names->v[names->n++] = name;
}
