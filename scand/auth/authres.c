/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <sys/socket.h>

#include "common/cidr.h"
#include "scand/scand.h"

/*
 * Authentication-Results (RFC 8601): one line a method, under the service
 * name that all nodes share.  Methods without a result are left out.
 */

static const char *const iprev_names[] = {
	[IPREV_PASS] = "pass", [IPREV_FAIL] = "fail",
	[IPREV_TEMPERROR] = "temperror"
};

size_t
authres_print(const struct job *j, const char *service, char *buf,
    size_t size)
{
	char addr[NETADDR_STRLEN];
	const char *quote, *name = j->auth.rdns;
	int n;

	if (j->auth.iprev == IPREV_NONE)
		return 0;
	(void)netaddr_print(&j->scan.client, addr, sizeof(addr));
	/* RFC 8601 2.2, RFC 2045 5.1: a colon is not allowed in a token. */
	quote = j->scan.client.family == AF_INET6 ? "\"" : "";
	n = snprintf(buf, size, "Authentication-Results: %s;\r\n"
	    "\tiprev=%s%s%s%s policy.iprev=%s%s%s\r\n", service,
	    iprev_names[j->auth.iprev], name[0] == '\0' ? "" : " (",
	    name, name[0] == '\0' ? "" : ")", quote, addr, quote);
	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}
