/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <err.h>
#include <string.h>

#include "gwctl/gwctl.h"

/*
 * Options of gwctl and of its commands.  getopt(3) cannot be used twice in one
 * program in a way that all systems agree on.
 */

void
options_init(struct options *o, int argc, char *argv[], const char *spec)
{
	memset(o, 0, sizeof(*o));
	o->argc = argc;
	o->argv = argv;
	o->spec = spec;
}

int
options_next(struct options *o)
{
	const char	*s;
	int		 c;

	o->value = NULL;
	if (o->next == NULL || *o->next == '\0') {
		if (o->argc == 0 || o->argv[0][0] != '-' ||
		    o->argv[0][1] == '\0')
			return -1;
		o->next = o->argv[0] + 1;
		o->argc--;
		o->argv++;
		if (strcmp(o->next, "-") == 0)
			return -1;
	}
	c = (unsigned char)*o->next++;
	if (c == ':' || (s = strchr(o->spec, c)) == NULL) {
		warnx("there is no option -%c", c);
		return '?';
	}
	if (s[1] != ':')
		return c;
	if (*o->next != '\0')
		o->value = o->next;
	else if (o->argc > 0) {
		o->value = o->argv[0];
		o->argc--;
		o->argv++;
	} else {
		warnx("-%c wants a value", c);
		return '?';
	}
	o->next = NULL;
	return c;
}
