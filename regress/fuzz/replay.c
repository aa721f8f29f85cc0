/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The main() of a fuzz target where no fuzzer is linked: nothing at all, every
 * file given, and every file of a folder given, is run through the target
 * once.  So the seeds and all crashes ever found are run again by each regress.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned nrun;

static void
run_file(const char *path)
{
	struct stat st;
	FILE *f;
	uint8_t *p;
	size_t n;

	if ((f = fopen(path, "r")) == NULL || fstat(fileno(f), &st) == -1)
		err(1, "%s", path);
	if (!S_ISREG(st.st_mode)) {
		fclose(f);
		return;
	}
	/* Exactly as large as the file, so that overruns show. */
	n = (size_t)st.st_size;
	if ((p = malloc(n + (n == 0))) == NULL)
		err(1, NULL);
	if (fread(p, 1, n, f) != n)
		err(1, "%s", path);
	fclose(f);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	nrun++;
}

static void
run_dir(const char *path)
{
	struct dirent *de;
	DIR *d;
	char *name;

	if ((d = opendir(path)) == NULL)
		err(1, "%s", path);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		if (asprintf(&name, "%s/%s", path, de->d_name) == -1)
			err(1, NULL);
		run_file(name);
		free(name);
	}
	closedir(d);
}

int
main(int argc, char *argv[])
{
	struct stat st;
	int i;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == -1)
			err(1, "%s", argv[i]);
		if (S_ISDIR(st.st_mode))
			run_dir(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%u inputs\n", nrun + 1);
	return 0;
}
