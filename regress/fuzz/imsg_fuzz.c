/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include "common/envelope.h"
#include "common/imsg.h"
#include "common/protocol.h"

/*
 * Frames from a peer that has gone bad: the stream, and every payload that
 * has a parser of its own.
 */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
payload(const struct imsg *im)
{
	static struct scan	 scan;
	struct verdict		 verdict;
	struct grey_ask		 grey;
	struct ibuf		 b;

	b = im->data;
	envelope_free(envelope_parse(&b));
	b = im->data;
	if (scan_parse(&b, &scan) == 0)
		scan_free(&scan);
	b = im->data;
	if (verdict_parse(&b, &verdict) == 0)
		verdict_free(&verdict);
	b = im->data;
	if (grey_ask_parse(&b, &grey) == 0)
		grey_ask_free(&grey);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imsgbuf	 b;
	struct imsg	 im;
	int		 sp[2];

	if (size > 65536 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp) == -1)
		return 0;
	if (write(sp[0], data, size) == (ssize_t)size) {
		imsgbuf_init(&b, sp[1]);
		while (imsgbuf_read(&b) == 1)
			while (imsgbuf_get(&b, &im) == 1) {
				payload(&im);
				if (im.fd != -1)
					close(im.fd);
			}
		imsgbuf_clear(&b);
	} else
		close(sp[1]);
	close(sp[0]);
	return 0;
}
