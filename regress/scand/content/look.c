/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "regress/scand/content/fake.h"

/*
 * Prints what is found in each file: a line `= FILE MICROSECONDS' and then
 * one for each finding.  For office_test.py.
 */

static uint8_t *
slurp(const char *path, size_t *n)
{
	struct stat st;
	uint8_t *p;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL || fstat(fileno(f), &st) == -1)
		err(1, "%s", path);
	*n = (size_t)st.st_size;
	if ((p = malloc(*n + (*n == 0))) == NULL)
		err(1, NULL);
	if (fread(p, 1, *n, f) != *n)
		err(1, "%s", path);
	fclose(f);
	return p;
}

int
main(int argc, char *argv[])
{
	struct fake f;
	uint8_t *p;
	size_t n;
	int i;

	for (i = 1; i < argc; i++) {
		p = slurp(argv[i], &n);
		fake_start(&f);
		f.print = 1;
		printf("= %s\n", argv[i]);
		content_look(&f.in, NULL, p, n);
		budget_step(&f.in.budget);
		if (f.in.budget.over != 0)
			printf("over-budget\t\t%u\n", f.in.budget.over);
		free(p);
	}
	return 0;
}
