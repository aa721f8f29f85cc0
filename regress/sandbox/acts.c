/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>

#include "common/compat/cage.h"
#include "common/sandbox.h"

/*
 * Lists what a caged process may be made to try, an act a line with the
 * powers that permit it, for every_process_test.sh.
 */

int
main(void)
{
	const char	*act;
	uint32_t	 permit;
	unsigned	 i;
	size_t		 k;

	for (i = 0; (act = sandbox_act(i, &permit)) != NULL; i++) {
		printf("%s", act);
		for (k = 0; k < npowers; k++)
			if (powers[k].bit & permit)
				printf(" %s", powers[k].name);
		printf("\n");
	}
	return 0;
}
