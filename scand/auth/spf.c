/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/socket.h>

#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#include <spf2/spf.h>

#include "common/address.h"
#include "common/dns_wire.h"
#include "common/log.h"
#include "scand/auth/spf.h"

/*
 * The two checks of SPF, and libspf2, which evaluates: it compiles what the
 * guard has rewritten, walks through mechanisms, includes and redirects, and
 * compares addresses.  Its DNS is a layer of ours that asks the guard.
 */

#define FIRST_NAME	"p0.6.x"	/* first part of the first record */

static SPF_server_t	*server;
static SPF_dns_rr_t	*spare;		/* for when there is no memory */
static struct spf_guard	*guard;		/* of the evaluation that runs */

static int	 check_identity(struct answers *, const struct spf_query *,
		    const char *local, const char *domain,
		    struct spf_check *);
static void	 evaluate(struct spf_guard *);
static enum spf_result result_of(const SPF_response_t *);
static int	 domain_askable(const char *, char *);
static SPF_errcode_t layer_policy(SPF_server_t *, SPF_request_t *,
		    SPF_response_t *, SPF_record_t **);
static SPF_dns_rr_t *layer_lookup(SPF_dns_server_t *, const char *, ns_type,
		    int);
static int	 layer_addresses(SPF_dns_rr_t *, const char *, ns_type);
static int	 layer_hosts(SPF_dns_rr_t *, const char *);
static void	 library_error(const char *, int, const char *)
		    __attribute__((noreturn));

static SPF_dns_server_t	 layer = {
	.lookup = layer_lookup,
	.get_spf = layer_policy,
	.name = "guard"
};

static const char *const result_names[SPF_RESULTS] = {
	[SPF_PENDING] = "pending", [SPF_NONE] = "none",
	[SPF_NEUTRAL] = "neutral", [SPF_PASS] = "pass",
	[SPF_FAIL] = "fail", [SPF_SOFTFAIL] = "softfail",
	[SPF_TEMPERROR] = "temperror", [SPF_PERMERROR] = "permerror"
};

int
spf_init(void)
{
	SPF_response_t *response = NULL;

	if (server != NULL)
		return 0;
	SPF_error_handler = library_error;
	SPF_warning_handler = NULL;
	SPF_info_handler = NULL;
	SPF_debug_handler = NULL;
	if ((server = SPF_server_new_dns(&layer, 0)) == NULL)
		return -1;
	/* Texts that nobody reads, without macros.  The counts are ours: those
	   of libspf2 begin anew in each include, and know parts as terms. */
	if (SPF_server_set_rec_dom(server, "x") != SPF_E_SUCCESS ||
	    SPF_server_set_explanation(server, "x", &response) !=
	    SPF_E_SUCCESS)
		goto fail;
	SPF_response_free(response);
	(void)SPF_server_set_max_dns_mech(server, LIM_SPF_RECORD);
	(void)SPF_server_set_max_dns_mx(server, LIM_SPF_MX);
	return 0;
fail:
	if (response != NULL)
		SPF_response_free(response);
	SPF_server_free(server);
	server = NULL;
	return -1;
}

int
spf_mailfrom(struct answers *answers, const struct spf_query *q,
    struct spf_check *c)
{
	char local[LIM_PATH + 1];
	const char *at = strrchr(q->sender, '@');

	if (at == NULL)
		return spf_helo(answers, q, c);
	/* 4.3: a sender without local part is postmaster. */
	if (at == q->sender)
		return check_identity(answers, q, "postmaster", at + 1, c);
	(void)snprintf(local, sizeof(local), "%.*s", (int)(at - q->sender),
	    q->sender);
	return check_identity(answers, q, local, at + 1, c);
}

int
spf_helo(struct answers *answers, const struct spf_query *q,
    struct spf_check *c)
{
	return check_identity(answers, q, "postmaster", q->helo, c);
}

const char *
spf_result_name(enum spf_result result)
{
	return result_names[result];
}

static int
check_identity(struct answers *answers, const struct spf_query *q,
    const char *local, const char *domain, struct spf_check *c)
{
	struct spf_guard g;

	memset(c, 0, sizeof(*c));
	c->result = SPF_NONE;
	if (q->client->family == 0 || !domain_askable(domain, c->domain))
		return 0;
	g.answers = answers;
	g.vars.client = q->client;
	g.vars.local = local;
	g.vars.domain = g.vars.current = c->domain;
	g.vars.helo = q->helo;
	g.vars.receiver = q->receiver;
	g.vars.client_name = spf_client_name;
	g.vars.arg = &g;
	if (spf_guard_begin(&g, c->domain) == 0) {
		evaluate(&g);
		if (!g.stopped && g.result == SPF_FAIL &&
		    spf_guard_explain(&g, c->explanation,
		    sizeof(c->explanation)) == -1)
			g.result = SPF_PENDING;
	}
	c->result = g.result;
	if (g.problem != NULL) {
		c->problem = g.problem;
		(void)strlcpy(c->where, g.where, sizeof(c->where));
	}
	return c->result == SPF_PENDING;
}

/* 4.3: none where the domain is malformed or has only one label. */
static int
domain_askable(const char *domain, char *name)
{
	if (*domain == '[' || dns_name(domain, name) == -1 ||
	    strchr(name, '.') == NULL) {
		*name = '\0';
		return 0;
	}
	return 1;
}

/* Run libspf2 over the first record; the guard's word counts for more. */
static void
evaluate(struct spf_guard *g)
{
	SPF_request_t *request = NULL;
	SPF_response_t *response = NULL;
	SPF_record_t *record = NULL;
	struct in_addr in;
	struct in6_addr in6;

	guard = g;
	if (spf_init() == -1 ||
	    (spare == NULL && (spare = SPF_dns_rr_new()) == NULL) ||
	    (request = SPF_request_new(server)) == NULL ||
	    (response = SPF_response_new(request)) == NULL) {
		(void)spf_guard_stop(g, SPF_TEMPERROR, NULL, "no memory");
		goto out;
	}
	if (g->vars.client->family == AF_INET) {
		memcpy(&in, g->vars.client->octets, sizeof(in));
		(void)SPF_request_set_ipv4(request, in);
	} else {
		memcpy(&in6, g->vars.client->octets, sizeof(in6));
		(void)SPF_request_set_ipv6(request, in6);
	}
	/* SPF_request_query_mailfrom() would let 127.0.0.0/8 pass always. */
	request->cur_dom = FIRST_NAME;
	if (SPF_server_get_record(server, request, response, &record) ==
	    SPF_E_SUCCESS) {
		response->spf_record_exp = record;
		(void)SPF_record_interpret(record, request, response, 0);
		if (!g->stopped)
			g->result = result_of(response);
	}
	if (!g->stopped && (g->result == SPF_TEMPERROR ||
	    g->result == SPF_PERMERROR || g->result == SPF_PENDING))
		(void)spf_guard_stop(g, g->result == SPF_PERMERROR ?
		    SPF_PERMERROR : SPF_TEMPERROR, NULL,
		    SPF_response_errcode(response) == SPF_E_RECURSIVE ?
		    "records within records, too deep" : "libspf2 gave up");
out:
	if (record != NULL)
		SPF_record_free(record);
	if (response != NULL)
		SPF_response_free(response);
	if (request != NULL)
		SPF_request_free(request);
	guard = NULL;
}

static enum spf_result
result_of(const SPF_response_t *response)
{
	switch (response->result) {
	case SPF_RESULT_NEUTRAL:
		return SPF_NEUTRAL;
	case SPF_RESULT_PASS:
		return SPF_PASS;
	case SPF_RESULT_FAIL:
		return SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return SPF_SOFTFAIL;
	case SPF_RESULT_PERMERROR:
		return SPF_PERMERROR;
	default:
		/* Out of memory.  The guard has said all else before. */
		return SPF_TEMPERROR;
	}
}

static SPF_errcode_t
layer_policy(SPF_server_t *sp, SPF_request_t *request,
    SPF_response_t *response, SPF_record_t **recordp)
{
	char text[SPF_REWRITTEN];
	SPF_errcode_t err;

	*recordp = NULL;
	if (spf_guard_policy(guard, request->cur_dom, text,
	    sizeof(text)) == -1)
		return SPF_E_DNS_ERROR;
	err = SPF_record_compile(sp, response, recordp, text);
	if (err != SPF_E_SUCCESS) {
		log_warnx("libspf2 refuses \"%s\": %s", text,
		    SPF_strerror(err));
		(void)spf_guard_stop(guard, SPF_TEMPERROR, NULL,
		    "libspf2 does not read a record");
	}
	return err;
}

/* Never NULL, on which libspf2 aborts. */
static SPF_dns_rr_t *
layer_lookup(SPF_dns_server_t *dns, const char *name, ns_type type,
    int should_cache)
{
	SPF_dns_rr_t *rr;
	int status;

	(void)should_cache;
	rr = SPF_dns_rr_new_init(dns, NULL, type, 0, NETDB_SUCCESS);
	if (rr == NULL)
		goto fail;
	if (type == ns_t_mx)
		status = layer_hosts(rr, name);
	else
		status = layer_addresses(rr, name, type);
	if (guard->stopped) {
		rr->num_rr = 0;
		rr->herrno = TRY_AGAIN;
		return rr;
	}
	if (status == 0)
		return rr;
	SPF_dns_rr_free(rr);
fail:
	(void)spf_guard_stop(guard, SPF_TEMPERROR, NULL, "no memory");
	rr = spare;
	spare = NULL;
	rr->herrno = TRY_AGAIN;
	return rr;
}

/* -1: no memory. */
static int
layer_addresses(SPF_dns_rr_t *rr, const char *name, ns_type type)
{
	const struct netaddr *client = guard->vars.client;
	size_t i, size = type == ns_t_a ? 4 : 16;
	struct spf_found f;
	const uint8_t *addr;

	if (spf_guard_addresses(guard, name, &f) == -1)
		return 0;
	for (i = f.n; i-- > 0; ) {
		if (SPF_dns_rr_buf_realloc(rr, (int)i,
		    sizeof(SPF_dns_rr_data_t)) != SPF_E_SUCCESS)
			return -1;
		/* "exists" is content with any, /0 with the client's. */
		addr = f.rec == NULL ? client->octets : f.rec[i].data;
		memcpy(rr->rr[i], addr, size);
	}
	rr->num_rr = (int)f.n;
	if (f.n == 0)
		rr->herrno = NO_DATA;
	return 0;
}

/* The exchanges of a term, by names of ours.  -1: no memory. */
static int
layer_hosts(SPF_dns_rr_t *rr, const char *name)
{
	char host[64];
	struct spf_place p;
	size_t i, n;

	if (spf_guard_hosts(guard, name, &p, &n) == -1)
		return 0;
	for (i = n; i-- > 0; ) {
		(void)snprintf(host, sizeof(host), SPF_NAME_HOST, p.record,
		    p.off, i);
		if (SPF_dns_rr_buf_realloc(rr, (int)i, sizeof(host)) !=
		    SPF_E_SUCCESS)
			return -1;
		(void)strlcpy(rr->rr[i]->mx, host, sizeof(host));
	}
	rr->num_rr = (int)n;
	if (n == 0)
		rr->herrno = NO_DATA;
	return 0;
}

/* What libspf2 takes for impossible; it aborts anyway. */
static void
library_error(const char *file, int line, const char *text)
{
	fatalx("libspf2: %s:%d: %s", file, line, text);
}
