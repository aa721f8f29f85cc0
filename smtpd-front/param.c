/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "smtpd-front/smtpd-front.h"

/*
 * What MAIL and RCPT have in common: a path and keywords behind it.
 */

#define BLANKS	" \t"

int
param_path(struct session *s, char **args, const char *prefix, int utf8,
    char *path, size_t size, unsigned bad)
{
	const char	*p, *why = "syntax";
	size_t		 n = strlen(prefix);

	if (strncasecmp(*args, prefix, n) != 0) {
		reply_args(s, REPLY_PATH_SYNTAX, prefix, NULL);
		return -1;
	}
	/* RFC 5321 3.3 has no blank here, many clients have. */
	p = *args + n;
	p += strspn(p, BLANKS);
	if (address_path(&p, utf8, path, size, &why) == -1) {
		/* RFC 6531 3.5 */
		if (!utf8 && address_path(&p, 1, path, size, &why) == 0)
			reply(s, REPLY_8BIT);
		else
			reply_args(s, bad, why, NULL);
		return -1;
	}
	n = (size_t)(p - *args);
	if (*p != '\0' && strchr(BLANKS, *p) == NULL) {
		reply_args(s, bad, "something follows the path", NULL);
		return -1;
	}
	*args += n;
	return 0;
}

int
param_read(struct session *s, char *args, const struct param *table, size_t n)
{
	struct transaction	*t = s->transaction;
	char			*word, *value;
	size_t			 i;

	t->params = 0;
	while ((word = strsep(&args, BLANKS)) != NULL) {
		if (*word == '\0')
			continue;
		if ((value = strchr(word, '=')) != NULL)
			*value++ = '\0';
		for (i = 0; i < n; i++)
			if (strcasecmp(word, table[i].keyword) == 0)
				break;
		if (i == n) {
			reply_args(s, REPLY_PARAM_UNKNOWN, word, NULL);
			return -1;
		}
		/* RFC 1869 6, RFC 3461 4: at most once each */
		if (t->params & 1U << i) {
			reply_args(s, REPLY_PARAM_TWICE, table[i].keyword,
			    NULL);
			return -1;
		}
		t->params |= (uint8_t)(1U << i);
		if (table[i].handler(s, value) == -1)
			return -1;
	}
	return 0;
}
