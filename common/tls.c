/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/mman.h>
#include <sys/stat.h>

#include <stdio.h>
#include <tls.h>

#include "common/limits.h"
#include "common/tls.h"

/*
 * What libtls is told.  Protocols and ciphers are those of mail between
 * strangers: a peer that we turn away here comes back in plain text, so
 * everything that is not broken is allowed (RFC 7435).
 */

static const char ciphers[] = "compat";

static int	pki_fill(struct tls_config *, const struct pki_pem *, size_t);

int
pem_map(struct pem *pem, int fd)
{
	struct stat st;
	void *p;

	pem->text = NULL;
	pem->len = 0;
	if (fstat(fd, &st) == -1 || st.st_size <= 0 || st.st_size > LIM_PEM)
		return -1;
	/* the offset is shared with whoever has the descriptor too: no read */
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	pem->text = p;
	pem->len = (size_t)st.st_size;
	return 0;
}

void
pem_unmap(struct pem *pem)
{
	union {
		const void	*mapped;
		void		*p;
	} u;

	u.mapped = pem->text;
	if (pem->text != NULL)
		(void)munmap(u.p, pem->len);
	pem->text = NULL;
	pem->len = 0;
}

struct tls *
pki_server(const struct pki_pem *pkis, size_t n, char *why, size_t whysize)
{
	struct tls_config *config;
	struct tls *ctx = NULL;
	const char *text = NULL;

	(void)snprintf(why, whysize, "no memory for TLS");
	if ((config = tls_config_new()) == NULL)
		return NULL;
	if (pki_fill(config, pkis, n) == -1) {
		text = tls_config_error(config);
		goto out;
	}
	if ((ctx = tls_server()) == NULL)
		goto out;
	/* only here it shows whether key and certificate fit */
	if (tls_configure(ctx, config) == -1) {
		text = tls_error(ctx);
		if (text != NULL)
			(void)snprintf(why, whysize, "%s", text);
		text = NULL;
		tls_free(ctx);
		ctx = NULL;
	}
out:
	if (text != NULL)
		(void)snprintf(why, whysize, "%s", text);
	/* from now on the key exists once, inside the TLS library */
	tls_config_clear_keys(config);
	tls_config_free(config);
	return ctx;
}

static int
pki_fill(struct tls_config *config, const struct pki_pem *pkis, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((i == 0 ? tls_config_set_keypair_mem :
		    tls_config_add_keypair_mem)(config,
		    pkis[i].cert.text, pkis[i].cert.len,
		    pkis[i].key.text, pkis[i].key.len) == -1)
			return -1;
	if (tls_config_set_protocols(config, TLS_PROTOCOLS_DEFAULT) == -1 ||
	    tls_config_set_ciphers(config, ciphers) == -1)
		return -1;
	return 0;
}

struct tls_config *
pki_client(void)
{
	struct tls_config *config;

	if ((config = tls_config_new()) == NULL)
		return NULL;
	if (tls_config_set_protocols(config, TLS_PROTOCOLS_DEFAULT) == -1 ||
	    tls_config_set_ciphers(config, ciphers) == -1) {
		tls_config_free(config);
		return NULL;
	}
	/* libtls has two halves of this and would still check the other */
	tls_config_insecure_noverifycert(config);
	tls_config_insecure_noverifyname(config);
	return config;
}
