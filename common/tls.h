/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Contexts for io_tls_accept() and io_tls_connect(), made from PEM text in
 * memory: a caged process has no files.  (The names avoid libtls' own.)
 */
struct tls;
struct tls_config;

struct pem {
	const uint8_t	*text;
	size_t		 len;
};
struct pki_pem {
	struct pem	 cert;		/* leaf first, then its chain */
	struct pem	 key;
};

/* A descriptor's content (at most LIM_PEM), mapped; fd stays open.  0, -1. */
int	pem_map(struct pem *, int fd);
/* NULL members are fine. */
void	pem_unmap(struct pem *);

/*
 * A server that has these certificates, the first for everybody who asks for
 * no name or one that is in none.  The key text is not kept in memory.  Free
 * it with tls_free(), after the last connection that was accepted with it.
 * NULL with the reason in why: unreadable, or key and certificate do not
 * belong together.
 */
struct tls		*pki_server(const struct pki_pem *, size_t n,
			    char *why, size_t whysize);
/*
 * For opportunistic TLS (RFC 7435): encrypts with whoever is there.  Neither
 * chain nor name is checked; whoever wants that looks at the certificate
 * after IO_TLSREADY.  Free it with tls_config_free().  NULL: no memory.
 */
struct tls_config	*pki_client(void);

#endif
