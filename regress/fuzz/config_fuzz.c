/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"

/*
 * The parser of pfoertner.conf(5) on any text.  What parses has to print, and
 * that has to parse and print as itself; what does not has an error.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static struct config *
parse(const char *text, size_t len, int *told)
{
	struct config	*cf;
	char		*errors = NULL;
	size_t		 size = 0;
	FILE		*fp;

	if ((fp = open_memstream(&errors, &size)) == NULL)
		abort();
	cf = config_parse_text("fuzz", text, len, fp);
	fclose(fp);
	*told = size > 0;
	free(errors);
	return cf;
}

static char *
print(const struct config *cf, size_t *len)
{
	char	*text = NULL;
	FILE	*fp;

	if ((fp = open_memstream(&text, len)) == NULL)
		abort();
	check(config_print(cf, fp) == 0);
	fclose(fp);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config	*cf;
	char		*first, *second;
	size_t		 len1, len2;
	int		 told;

	cf = parse((const char *)data, size, &told);
	check((cf == NULL) == told);
	if (cf == NULL)
		return 0;
	first = print(cf, &len1);
	config_free(cf);
	cf = parse(first, len1, &told);
	check(cf != NULL && !told);
	second = print(cf, &len2);
	check(len1 == len2 && memcmp(first, second, len1) == 0);
	config_free(cf);
	free(first);
	free(second);
	return 0;
}
