/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <err.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "regress/scand/content/letter.h"
#include "scand/content/content.h"

/*
 * Prints what is found in files: for each a line
 *
 *	VERDICT MILLISECONDS FILE
 *
 * and one for each finding, behind a tab; -t adds the tree of things.  The
 * verdict is that of the default policy: reject, or points in hundredths.
 */

/* Hundredths of points; REJECT decides. */
#define REJECT	(-1)

static const int	 policy[FINDING_MAX] = {
	[FINDING_MACRO] = REJECT,
	[FINDING_MACRO_UNREADABLE] = REJECT,
	[FINDING_PDF_ENCRYPTED] = REJECT,
	[FINDING_PDF_OWNER] = REJECT,
	[FINDING_OFFICE_ENCRYPTED] = REJECT,
	[FINDING_ARCHIVE_ENCRYPTED] = REJECT,
	[FINDING_ZIP_HALF_ENCRYPTED] = REJECT,
	[FINDING_OLE_PACKAGE] = REJECT,
	[FINDING_EICAR] = REJECT,
	[FINDING_LISTED] = REJECT,
	[FINDING_ODF_MACRO] = 400,
	[FINDING_DAMAGED] = 200,
	[FINDING_OPAQUE] = 400,
	[FINDING_OVER_BUDGET] = 400,
};

struct result {
	int	 reject;
	int	 points;
	int	 tree;
	int	 seen[FINDING_MAX];
	char	*lines;
	size_t	 len;
	FILE	*out;
};

static void
report(void *arg, enum finding f, const char *where, const char *detail)
{
	struct result *r = arg;

	fprintf(r->out, "\t%s: %s%s%s\n", finding_name(f), where,
	    detail[0] != '\0' ? ": " : "", detail);
	if (policy[f] == REJECT)
		r->reject = 1;
	else if (!r->seen[f])
		r->points += policy[f];
	r->seen[f] = 1;
}

static void
node(void *arg, unsigned depth, const char *name, enum content_type type,
    uint64_t size)
{
	struct result *r = arg;

	if (r->tree)
		fprintf(r->out, "\t%*s%s (%s, %ju)\n", (int)depth * 2, "",
		    name == NULL ? "-" : name, content_type_name(type),
		    (uintmax_t)size);
}

static uint8_t *
slurp(const char *path, size_t *n)
{
	struct stat st;
	uint8_t *p;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL || fstat(fileno(f), &st) == -1)
		err(1, "%s", path);
	/* Exactly as large as the file, so that overruns show. */
	*n = (size_t)st.st_size;
	if ((p = malloc(*n + (*n == 0))) == NULL)
		err(1, NULL);
	if (fread(p, 1, *n, f) != *n)
		err(1, "%s", path);
	fclose(f);
	return p;
}

static double
cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
look(const char *path, int tree)
{
	struct inspect in;
	struct result r;
	const char *name = strrchr(path, '/');
	uint8_t *p;
	size_t n;
	double start;

	memset(&in, 0, sizeof(in));
	memset(&r, 0, sizeof(r));
	r.tree = tree;
	if ((r.out = open_memstream(&r.lines, &r.len)) == NULL)
		err(1, NULL);
	in.report = report;
	in.node = node;
	in.arg = &r;
	in.mime = letter_look;
	p = slurp(path, &n);
	start = cpu_ms();
	budget_default(&in.budget);
	budget_start(&in.budget);
	content_look(&in, name == NULL ? path : name + 1, p, n);
	fclose(r.out);
	if (r.reject)
		printf("reject");
	else
		printf("%d.%02d", r.points / 100, r.points % 100);
	printf(" %.3f %s\n%s", cpu_ms() - start, path, r.lines);
	free(r.lines);
	free(p);
}

int
main(int argc, char *argv[])
{
	int c, tree = 0;

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		warnx("no locale C.UTF-8");
	while ((c = getopt(argc, argv, "t")) != -1) {
		if (c != 't')
			errx(2, "usage: look [-t] file ...");
		tree = 1;
	}
	for (c = optind; c < argc; c++)
		look(argv[c], tree);
	return 0;
}
