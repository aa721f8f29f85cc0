/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <unbound.h>

#include "common/dns_wire.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "common/resolver.h"
#include "common/wheel.h"

/*
 * The resolver process: libunbound on our event loop, asked by frames.  All
 * that libunbound reads is read before the cage; afterwards it only talks to
 * the resolvers that are configured.  Each question has a time of its own,
 * and is always answered.
 */

#define QUIET_MS	30000	/* draining: nobody has asked for so long */
#define SERVER_LEN	64	/* "address@port" */

struct question {
	TAILQ_ENTRY(question)	 entry;
	struct ipc		*ipc;
	uint32_t		 job;
	enum dns_type		 type;
	struct wheel		 timer;
	int			 id;		/* of libunbound */
	uint8_t			 asking;	/* inside ub_resolve_event */
	uint8_t			 done;		/* answered there */
};

static struct ub_ctx		*ctx;
static TAILQ_HEAD(, question)	 open_ = TAILQ_HEAD_INITIALIZER(open_);
static unsigned			 nopen, npeers;
static uint64_t			 nasked, nrefused, ndropped;
static int			 refusing, draining;
static struct wheel		 quiet;

/* RFC 6303, RFC 6761: names that libunbound would answer by itself. */
static const char *const	 transparent[] = {
	"test.", "invalid.", "127.in-addr.arpa.",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
	    ".ip6.arpa.",
	"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
	    ".ip6.arpa."
};

static const struct {
	const char	*name, *value;
} options[] = {
	{ "module-config:", "validator iterator" },
	{ "verbosity:", "0" },
	{ "use-syslog:", "no" },
	/* a port is taken for each question until it is answered, and who
	   gets none has to wait: as many as LIM_DNS_ASKED */
	{ "outgoing-range:", "8192" },
	{ "num-queries-per-thread:", "8192" },
	{ "outgoing-num-tcp:", "64" },
	{ "msg-cache-size:", "8m" },
	{ "rrset-cache-size:", "16m" },
	{ "neg-cache-size:", "1m" },
	{ "key-cache-size:", "2m" },
	{ "cache-max-ttl:", "86400" },
	{ "edns-buffer-size:", "1232" },
	{ "do-not-query-localhost:", "no" },
	{ "target-fetch-policy:", "0 0 0 0 0" },
	{ "unblock-lan-zones:", "yes" },
	{ "insecure-lan-zones:", "yes" },
	/* a resolver that was away is found again within a minute */
	{ "infra-host-ttl:", "60" },
	{ "infra-keep-probing:", "yes" },
	/* who answers from a cache at once may still need seconds to find
	   out; a dead name is then given up after our limit, not after 1 s */
	{ "infra-cache-min-rtt:", "1000" },
	{ "outbound-msg-retry:", "3" },
	{ "trust-anchor-signaling:", "no" },
};

static int	 set_options(void);
static int	 set_servers(const struct config *);
static int	 set_anchor(const struct config *);
static int	 set_server(const struct netaddr *, uint16_t, int *);
static int	 system_servers(int *);
static int	 on_ask(struct ipc *, struct imsg *);
static void	 ask(struct ipc *, uint32_t, const char *, enum dns_type,
		    uint32_t);
static void	 answered(void *, int, void *, int, int, char *, int);
static void	 late(void *);
static void	 reply(struct ipc *, uint32_t, const struct dns_answer *);
static void	 reply_status(struct ipc *, uint32_t, enum dns_status);
static void	 question_free(struct question *);
static int	 type_valid(uint16_t);
static void	 leave(void *);
static void	 leave_if_idle(void);
static void	 nothing(void *, int, void *, int, int, char *, int);

const struct ipc_verb resolver_verbs[RESOLVER_NVERBS] = {
	{ VERB_ASK, PEER_BIT(PEER_SCANNER) | PEER_BIT(PEER_BROKER) |
	    PEER_BIT(PEER_QUEUE) | PEER_BIT(PEER_DELIVER) |
	    PEER_BIT(PEER_DKIM) | PEER_BIT(PEER_STS), 512, IPC_NOFD, on_ask }
};
const size_t resolver_nverbs = RESOLVER_NVERBS;

int
resolver_init(const struct config *config, unsigned instance)
{
	int id;

	(void)instance;
	if ((ctx = ub_ctx_create_event(loop_base())) == NULL) {
		log_warnx("libunbound: no context");
		return -1;
	}
	(void)ub_ctx_debugout(ctx, NULL);
	if (set_options() == -1 || set_servers(config) == -1 ||
	    set_anchor(config) == -1)
		return -1;
	/* one question that it answers itself makes it read and build all */
	if (ub_resolve_event(ctx, "localhost", DNS_A, 1, NULL, nothing,
	    &id) != 0) {
		log_warnx("libunbound does not start");
		return -1;
	}
	wheel_init(&quiet, leave, NULL);
	return 0;
}

void
resolver_start(void)
{
}

void
resolver_peer_up(struct ipc *ipc)
{
	(void)ipc;
	npeers++;
}

void
resolver_peer_gone(struct ipc *ipc)
{
	struct question *q, *next;

	for (q = TAILQ_FIRST(&open_); q != NULL; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (q->ipc != ipc)
			continue;
		(void)ub_cancel(ctx, q->id);
		question_free(q);
	}
	if (npeers > 0)
		npeers--;
	leave_if_idle();
}

/*
 * Those who were started with us may hold messages that ask yet, and are not
 * given another resolver: stay until they have gone or are silent.
 */
void
resolver_drain(int hurry)
{
	draining = 1;
	if (hurry)
		leave(NULL);
	wheel_set(&quiet, QUIET_MS);
	leave_if_idle();
}

static int
set_options(void)
{
	char zone[128];
	size_t i;
	int r;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		r = ub_ctx_set_option(ctx, options[i].name, options[i].value);
		/* none of them is worth not starting for */
		if (r != 0)
			log_warnx("libunbound: %s %s: %s", options[i].name,
			    options[i].value, ub_strerror(r));
	}
	for (i = 0; i < sizeof(transparent) / sizeof(transparent[0]); i++) {
		(void)snprintf(zone, sizeof(zone), "%s transparent",
		    transparent[i]);
		if ((r = ub_ctx_set_option(ctx, "local-zone:", zone)) != 0) {
			log_warnx("libunbound: zone %s: %s", zone,
			    ub_strerror(r));
			return -1;
		}
	}
	return 0;
}

static int
set_servers(const struct config *config)
{
	size_t i;
	int families = 0;

	if (config->nresolvers == 0 && system_servers(&families) == -1)
		return -1;
	for (i = 0; i < config->nresolvers; i++)
		if (set_server(&config->resolvers[i].addr,
		    config->resolvers[i].port, &families) == -1)
			return -1;
	(void)ub_ctx_set_option(ctx, "do-ip4:", families & 1 ? "yes" : "no");
	(void)ub_ctx_set_option(ctx, "do-ip6:", families & 2 ? "yes" : "no");
	return 0;
}

/* Read by the first question, that is before the cage. */
static int
set_anchor(const struct config *config)
{
	int r;

	if (config->dnssec == NULL)
		return 0;
	if ((r = ub_ctx_add_ta_file(ctx, config->dnssec)) != 0) {
		log_warnx("%s: %s", config->dnssec, ub_strerror(r));
		return -1;
	}
	log_debug("trust anchors of %s", config->dnssec);
	return 0;
}

static int
set_server(const struct netaddr *a, uint16_t port, int *families)
{
	char text[NETADDR_STRLEN], server[SERVER_LEN];
	int r;

	*families |= a->family == AF_INET ? 1 : 2;
	(void)snprintf(server, sizeof(server), "%s@%u",
	    netaddr_print(a, text, sizeof(text)), port);
	if ((r = ub_ctx_set_fwd(ctx, server)) != 0) {
		log_warnx("resolver %s: %s", server, ub_strerror(r));
		return -1;
	}
	log_debug("resolver %s", server);
	return 0;
}

/* resolv.conf(5): the nameserver lines; without any, this machine. */
static int
system_servers(int *families)
{
	struct netaddr a;
	FILE *f;
	char *line = NULL, *p, *word;
	size_t size = 0;
	int n = 0, r = 0;

	if ((f = fopen("/etc/resolv.conf", "re")) == NULL)
		log_warn("/etc/resolv.conf");
	while (f != NULL && r == 0 && n < LIM_DNS_SERVERS &&
	    getline(&line, &size, f) != -1) {
		p = line;
		word = strsep(&p, " \t\n");
		if (strcmp(word, "nameserver") != 0 || p == NULL)
			continue;
		p += strspn(p, " \t");
		word = strsep(&p, " \t\n;#");
		if (netaddr_parse(&a, word) == -1) {
			log_warnx("/etc/resolv.conf: %s is not usable as a "
			    "resolver", word);
			continue;
		}
		r = set_server(&a, 53, families);
		n++;
	}
	free(line);
	if (f != NULL)
		(void)fclose(f);
	if (n == 0 && netaddr_parse(&a, "127.0.0.1") == 0)
		r = set_server(&a, 53, families);
	return r;
}

static int
on_ask(struct ipc *ipc, struct imsg *im)
{
	char name[DNS_NAME], folded[DNS_NAME];
	uint32_t ms;
	uint16_t type;

	ibuf_get_str(&im->data, name, sizeof(name));
	type = ibuf_get_u16(&im->data);
	ms = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	if (draining)
		wheel_set(&quiet, QUIET_MS);
	if (ms > LIM_DNS_MS)
		ms = LIM_DNS_MS;
	if (nopen < LIM_DNS_ASKED / 2)
		refusing = 0;
	if (nopen >= LIM_DNS_ASKED || dns_name(name, folded) == -1 ||
	    !type_valid(type)) {
		nrefused++;
		if (nopen >= LIM_DNS_ASKED && !refusing) {
			refusing = 1;
			log_warnx("%u questions are open, more are refused",
			    nopen);
		}
		reply_status(ipc, im->job, DNS_FAIL);
		return 0;
	}
	ask(ipc, im->job, folded, type, ms);
	return 0;
}

static void
ask(struct ipc *ipc, uint32_t job, const char *name, enum dns_type type,
    uint32_t ms)
{
	struct question *q;

	if ((q = calloc(1, sizeof(*q))) == NULL) {
		reply_status(ipc, job, DNS_FAIL);
		return;
	}
	q->ipc = ipc;
	q->job = job;
	q->type = type;
	wheel_init(&q->timer, late, q);
	TAILQ_INSERT_TAIL(&open_, q, entry);
	nopen++;
	nasked++;
	/* from its cache it answers in here, and then sets no id */
	q->asking = 1;
	if (ub_resolve_event(ctx, name, (int)type, 1, q, answered,
	    &q->id) != 0 && !q->done) {
		reply_status(ipc, job, DNS_FAIL);
		q->done = 1;
	}
	q->asking = 0;
	if (q->done)
		question_free(q);
	else
		wheel_set(&q->timer, ms);
}

/*
 * rcode is libunbound's own, the packet's stands in it.  Where rcode is not 0
 * neither packet nor length may be looked at; a bogus answer comes with rcode
 * 0 and the forged records.
 */
static void
answered(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int ratelimited)
{
	static struct dns_store store;
	struct question *q = arg;
	struct dns_answer a;

	(void)ratelimited;
	if (rcode != 0 || packet == NULL || len <= 0 || sec == 1) {
		memset(&a, 0, sizeof(a));
		a.status = DNS_FAIL;
		if (sec == 1 && rcode == 0) {
			a.security = DNS_BOGUS;
			log_debug("bogus answer: %s", why == NULL ? "" : why);
		}
	} else {
		dns_decode(packet, (size_t)len, q->type, &a, &store);
		a.security = sec == 2 ? DNS_SECURE : DNS_INSECURE;
		ndropped += store.dropped;
		if (store.dropped > 0)
			log_debug("%u malformed records at %s left out",
			    store.dropped, a.cname);
	}
	reply(q->ipc, q->job, &a);
	q->done = 1;
	if (!q->asking) {
		question_free(q);
		leave_if_idle();
	}
}

static void
late(void *arg)
{
	struct question *q = arg;

	(void)ub_cancel(ctx, q->id);
	reply_status(q->ipc, q->job, DNS_TIMEOUT);
	question_free(q);
	leave_if_idle();
}

static void
reply(struct ipc *ipc, uint32_t job, const struct dns_answer *a)
{
	struct ibuf b;

	ibuf_init(&b);
	dns_answer_add(&b, a);
	(void)ipc_send(ipc, VERB_ANSWER, job, -1, &b);
	ibuf_free(&b);
}

static void
reply_status(struct ipc *ipc, uint32_t job, enum dns_status status)
{
	struct dns_answer a;

	memset(&a, 0, sizeof(a));
	a.status = status;
	reply(ipc, job, &a);
}

static void
question_free(struct question *q)
{
	wheel_stop(&q->timer);
	TAILQ_REMOVE(&open_, q, entry);
	nopen--;
	free(q);
}

static int
type_valid(uint16_t type)
{
	switch (type) {
	case DNS_A:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_MX:
	case DNS_TXT:
	case DNS_AAAA:
	case DNS_TLSA:
		return 1;
	default:
		return 0;
	}
}

static void
leave(void *arg)
{
	(void)arg;
	log_info("%llu questions, %llu refused, %llu malformed records",
	    (unsigned long long)nasked, (unsigned long long)nrefused,
	    (unsigned long long)ndropped);
	child_exit();
}

static void
leave_if_idle(void)
{
	if (draining && npeers == 0)
		leave(NULL);
}

/* The question of resolver_init. */
static void
nothing(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int ratelimited)
{
	(void)arg;
	(void)rcode;
	(void)packet;
	(void)len;
	(void)sec;
	(void)why;
	(void)ratelimited;
}
