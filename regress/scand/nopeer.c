/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include "common/resolver.h"

/*
 * What remains of the stub of the resolver where a test answers questions
 * itself: there is no process at the other end.
 */

void
dns_peer(struct ipc *ipc)
{
	(void)ipc;
}

void
dns_peer_gone(struct ipc *ipc)
{
	(void)ipc;
}

int
dns_answered(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	(void)im;
	return 0;
}
