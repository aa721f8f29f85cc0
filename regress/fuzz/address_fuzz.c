/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"

/*
 * Everything that reads addresses, on one input; what a path yields must pass
 * again as a mailbox, and folding must be stable.  A domain of U-labels grows
 * when it is folded, and may grow too long.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static int
is_ascii(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s > 0x7f)
			return 0;
	}
	return 1;
}

static void
one_path(const char *s, int utf8)
{
	char dst[LIM_PATH + 1], fold[LIM_PATH + 8], again[LIM_PATH + 16];
	const char *p = s, *why = NULL;

	if (address_path(&p, utf8, dst, sizeof(dst), &why) == -1) {
		check(why != NULL && p == s);
		return;
	}
	check(p > s && p[-1] == '>');
	check(utf8_valid(dst, strlen(dst)));
	if (*dst == '\0' || strcmp(dst, "postmaster") == 0)
		return;
	check(address_mailbox(dst, utf8, &why) == 0);
	if (address_fold(dst, fold, sizeof(fold)) == -1) {
		check(!is_ascii(dst));
		return;
	}
	check(strlen(fold) <= strlen(dst) || !is_ascii(dst));
	check(address_mailbox(fold, utf8, &why) == 0 || !is_ascii(dst));
	check(address_fold(fold, again, sizeof(again)) == 0);
	check(strcmp(fold, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[256], back[800];
	const char *why;
	char *s;

	if ((s = malloc(size + 1)) == NULL)
		return 0;
	memcpy(s, data, size);
	s[size] = '\0';
	one_path(s, 0);
	one_path(s, 1);
	address_mailbox(s, 1, &why);
	address_fold(s, buf, sizeof(buf));
	address_is_local(s, "postmaster");
	domain_valid(s, 1);
	helo_valid(s);
	if (xtext_decode(s, buf, sizeof(buf)) == 0)
		check(xtext_encode(buf, back, sizeof(back)) == 0);
	utf8_valid(s, size);
	domain_fold(s);
	free(s);
	return 0;
}
