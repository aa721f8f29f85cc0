/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <arpa/inet.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"
#include "common/log.h"
#include "common/loop.h"
#include "scand/broker.h"

/*
 * Does each DNS list behave (RFC 5782 5)?  One that lists everything would
 * have all mail refused, one that lists nothing is a false comfort, and both
 * happens when a list is given up or does not want to be asked by us.  So each
 * is asked for what it must and what it must not have; when it fails, it is
 * not used until it has passed again.  One that is merely silent is left as it
 * was: the scanners do not wait long for it.
 */

#define POINTS		4	/* of one list */
#define SOON_S		10	/* after a test without an answer */
#define OFF_PART	12	/* one that is off is tested so often */

enum want {
	WANT_LISTED, WANT_UNLISTED
};

enum outcome { OUTCOME_SILENT, OUTCOME_UNLISTED, OUTCOME_LISTED,
	OUTCOME_REFUSED, OUTCOME_NONSENSE };

/* One question of a test. */
struct point {
	struct watch		*watch;
	unsigned		 aspect;	/* LIST_ASK_* */
	enum want		 want;
	char			 what[LIM_DOMAIN + 1];	/* as it is told */
	char			 name[DNS_NAME];
	struct dns_question	*question;
	enum outcome		 outcome;
	char			 code[INET_ADDRSTRLEN];	/* the odd answer */
};

enum state { STATE_UNTESTED, STATE_ON, STATE_OFF };

struct watch {
	const struct config_dnsbl *list;
	struct point	 points[POINTS];
	size_t		 npoints, open;
	enum state	 state;
	int		 silent;		/* at the last test */
	unsigned	 needed;		/* LIST_ASK_*: must work */
	unsigned	 may;			/* LIST_ASK_*: works */
	char		 why[LIM_DOMAIN + 128];	/* off */
	unsigned	 run;			/* listed clients in a row */
	uint64_t	 tested;		/* loop_now() */
	uint64_t	 ntests, noff;
	struct timer	 timer;
};

static const struct config	*config;
static struct watch		*watches;
static size_t			 nwatches, nfirst;
static struct timer		 hold;
static int			 settled;

static void	 watch_make(struct watch *, const struct config_dnsbl *);
static void	 point_address(struct watch *, unsigned, enum want,
		    const struct netaddr *, const char *);
static void	 point_name(struct watch *, enum want, const char *);
static struct point *point_new(struct watch *, unsigned, enum want);
static void	 watch_test(void *);
static void	 point_done(const struct dns_answer *, void *);
static enum outcome outcome_of(const struct dns_answer *, char *, size_t);
static void	 watch_judge(struct watch *);
static int	 point_fault(const struct point *, char *, size_t);
static void	 watch_set(struct watch *, enum state, unsigned,
		    const char *);
static void	 watch_again(struct watch *, int);
static void	 hold_over(void *);

void
lists_watch(const struct config *conf)
{
	const struct config_dnsbl *l;

	config = conf;
	if (conf->ndnsbls == 0) {
		settled = 1;
		return;
	}
	if ((watches = calloc(conf->ndnsbls, sizeof(*watches))) == NULL)
		fatalx("no memory for the lists");
	timer_init(&hold, hold_over, NULL);
	timer_set(&hold, LIM_LIST_HOLD_MS);
	TAILQ_FOREACH(l, &conf->dnsbls, entry) {
		watch_make(&watches[nwatches++], l);
		watch_test(&watches[nwatches - 1]);
	}
}

int
lists_settled(void)
{
	return settled;
}

unsigned
lists_may(const struct config_dnsbl *l)
{
	return l->index < nwatches ? watches[l->index].may : 0;
}

void
lists_looked(const struct config_dnsbl *l, int listed)
{
	struct watch *w;

	if (l->index >= nwatches)
		return;
	w = &watches[l->index];
	w->run = listed ? w->run + 1 : 0;
	if (w->run < LIM_LIST_RUN || w->open > 0 ||
	    loop_now() - w->tested < SOON_S * 1000)
		return;
	w->run = 0;
	watch_test(w);
}

void
lists_tell(struct ipc *ipc)
{
	uint8_t may[LIM_LISTS];
	struct ibuf b;
	size_t i;

	for (i = 0; i < nwatches && i < LIM_LISTS; i++)
		may[i] = (uint8_t)watches[i].may;
	ibuf_init(&b);
	ibuf_add_blob(&b, may, i);
	(void)ipc_send(ipc, VERB_LISTS, 0, -1, &b);
	ibuf_free(&b);
}

void
lists_status(struct ipc *ipc, uint32_t job)
{
	const struct watch *w;
	char text[LIM_DOMAIN * 5 + 512];
	const char *zone;
	size_t i;

	for (i = 0; i < nwatches; i++) {
		w = &watches[i];
		zone = w->list->zone;
		(void)snprintf(text, sizeof(text), "list[%s] %s%s%s%s%s%s\n"
		    "list[%s].tests %" PRIu64 "\n"
		    "list[%s].switched-off %" PRIu64 "\n"
		    "list[%s].unwaited %u\n", zone,
		    w->state == STATE_ON ? "on" :
		    w->state == STATE_OFF ? "off: " : "untested", w->why,
		    w->may & LIST_ASK_V4 ? " ipv4" : "",
		    w->may & LIST_ASK_V6 ? " ipv6" : "",
		    w->may & LIST_ASK_NAMES ? " names" : "",
		    w->silent ? ", silent" : "",
		    zone, w->ntests, zone, w->noff,
		    zone, workers_unwaited(w->list->index));
		operator_text(ipc, job, text);
	}
}

/*
 * What it must have and must not have, as its kind and `test' say.  What it
 * may do without: addresses, if it is of links; IPv6.
 */
static void
watch_make(struct watch *w, const struct config_dnsbl *l)
{
	static const struct netaddr v4 = { AF_INET, { 127, 0, 0, 2 } };
	static const struct netaddr v4not = { AF_INET, { 127, 0, 0, 1 } };
	static const struct netaddr v6 = { AF_INET6,
	    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 2 } };
	static const struct netaddr v6not = { AF_INET6,
	    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1 } };
	int names = l->kind != LIST_ADDRESSES;

	w->list = l;
	timer_init(&w->timer, watch_test, w);
	w->needed = names ? LIST_ASK_NAMES : LIST_ASK_V4;
	if (l->test == LIST_TEST_ADDRESS)
		w->needed |= LIST_ASK_V4;
	if (l->kind != LIST_DOMAINS) {
		if (l->test != LIST_TEST_NONE)
			point_address(w, LIST_ASK_V4, WANT_LISTED,
			    l->test == LIST_TEST_ADDRESS ? &l->test_addr : &v4,
			    NULL);
		point_address(w, LIST_ASK_V4, WANT_UNLISTED, &v4not, NULL);
	}
	if (names) {
		if (l->test == LIST_TEST_RFC)
			point_name(w, WANT_LISTED, "test");
		else if (l->test == LIST_TEST_NAME)
			point_name(w, WANT_LISTED, l->test_name);
		point_name(w, WANT_UNLISTED, "invalid");
		return;
	}
	if (l->test != LIST_TEST_NONE)
		point_address(w, LIST_ASK_V6, WANT_LISTED, &v6,
		    "::ffff:127.0.0.2");
	point_address(w, LIST_ASK_V6, WANT_UNLISTED, &v6not,
	    "::ffff:127.0.0.1");
}

static void
point_address(struct watch *w, unsigned aspect, enum want want,
    const struct netaddr *a, const char *what)
{
	struct point *p = point_new(w, aspect, want);

	if (what != NULL)
		(void)strlcpy(p->what, what, sizeof(p->what));
	else
		(void)netaddr_print(a, p->what, sizeof(p->what));
	/* What does not fit is asked for nothing, and so is not listed. */
	if (netaddr_reverse(a, w->list->zone, p->name, sizeof(p->name)) == -1)
		p->name[0] = '\0';
}

static void
point_name(struct watch *w, enum want want, const char *name)
{
	struct point *p = point_new(w, LIST_ASK_NAMES, want);

	(void)strlcpy(p->what, name, sizeof(p->what));
	if ((size_t)snprintf(p->name, sizeof(p->name), "%s.%s", name,
	    w->list->zone) >= sizeof(p->name))
		p->name[0] = '\0';
}

static struct point *
point_new(struct watch *w, unsigned aspect, enum want want)
{
	struct point *p = &w->points[w->npoints++];

	p->watch = w;
	p->aspect = aspect;
	p->want = want;
	return p;
}

static void
watch_test(void *arg)
{
	struct watch *w = arg;
	struct point *p;
	size_t i;

	if (w->open > 0)
		return;
	timer_stop(&w->timer);
	w->ntests++;
	w->tested = loop_now();
	/* The last answer may come in here. */
	w->open = 1;
	for (i = 0; i < w->npoints; i++) {
		p = &w->points[i];
		p->outcome = OUTCOME_SILENT;
		p->question = dns_ask(p->name, DNS_A,
		    config->limit_dns_s * 1000ULL, point_done, p);
		if (p->question != NULL)
			w->open++;
	}
	if (--w->open == 0)
		watch_judge(w);
}

static void
point_done(const struct dns_answer *a, void *arg)
{
	struct point *p = arg;

	p->question = NULL;
	p->outcome = outcome_of(a, p->code, sizeof(p->code));
	if (--p->watch->open == 0)
		watch_judge(p->watch);
}

/* One good code is enough; what is no code at all is worth telling. */
static enum outcome
outcome_of(const struct dns_answer *a, char *code, size_t size)
{
	enum outcome o = OUTCOME_NONSENSE, one;
	const uint8_t *c;
	size_t i;

	*code = '\0';
	if (a->status == DNS_NODATA || a->status == DNS_NXDOMAIN)
		return OUTCOME_UNLISTED;
	if (a->status != DNS_OK)
		return OUTCOME_SILENT;
	for (i = 0; i < a->nrec; i++) {
		if (a->rec[i].len != 4)
			continue;
		c = a->rec[i].data;
		one = c[0] != 127 ? OUTCOME_NONSENSE :
		    c[1] == 255 && c[2] == 255 ? OUTCOME_REFUSED :
		    OUTCOME_LISTED;
		if (*code == '\0' || one == OUTCOME_LISTED) {
			o = one;
			(void)inet_ntop(AF_INET, c, code, (socklen_t)size);
		}
	}
	return o;
}

static void
watch_judge(struct watch *w)
{
	char why[sizeof(w->why)], first[sizeof(w->why)] = "";
	const struct point *p;
	unsigned has = 0, bad = 0, missing = 0, silent = 0, may;
	size_t i;

	for (i = 0; i < w->npoints; i++) {
		p = &w->points[i];
		has |= p->aspect;
		if (p->outcome == OUTCOME_SILENT)
			silent |= p->aspect;
		else if (point_fault(p, why, sizeof(why))) {
			if (p->outcome == OUTCOME_UNLISTED)
				missing |= p->aspect;
			else
				bad |= p->aspect;
			if (p->aspect & w->needed && first[0] == '\0')
				(void)strlcpy(first, why, sizeof(first));
		}
	}
	may = has & ~(bad | missing | silent);
	/* A list of IPv6 has no IPv4. */
	if (w->list->kind == LIST_ADDRESSES && may & LIST_ASK_V6)
		missing = 0;
	if (silent & w->needed && !(bad & w->needed) && !w->silent)
		log_warnx("dnsbl %s does not answer our test", w->list->zone);
	w->silent = (silent & w->needed) != 0;
	if ((bad | missing) & w->needed)
		watch_set(w, STATE_OFF, 0, first);
	else if (!w->silent)
		watch_set(w, STATE_ON, may, "");
	watch_again(w, silent != 0);
	if (w->ntests == 1 && ++nfirst == nwatches)
		hold_over(NULL);
}

/* 1: it does not have what it must, or has what it must not, and why. */
static int
point_fault(const struct point *p, char *why, size_t size)
{
	switch (p->outcome) {
	case OUTCOME_SILENT:
		return 0;
	case OUTCOME_REFUSED:
		(void)snprintf(why, size, "it does not want to be asked by us "
		    "(%s)", p->code);
		return 1;
	case OUTCOME_NONSENSE:
		(void)snprintf(why, size, "it answers %s for %s, which is no "
		    "return code", p->code, p->what);
		return 1;
	case OUTCOME_LISTED:
		(void)snprintf(why, size, "it has %s, as if it had everything",
		    p->what);
		return p->want == WANT_UNLISTED;
	case OUTCOME_UNLISTED:
		(void)snprintf(why, size, "it does not have %s, as if it had "
		    "nothing", p->what);
		return p->want == WANT_LISTED;
	}
	return 0;
}

static void
watch_set(struct watch *w, enum state state, unsigned may, const char *why)
{
	int changed = may != w->may;

	if (state == STATE_OFF && (w->state != STATE_OFF ||
	    strcmp(why, w->why) != 0))
		log_warnx("dnsbl %s is SWITCHED OFF: %s", w->list->zone, why);
	if (state == STATE_OFF && w->state != STATE_OFF)
		w->noff++;
	if (state == STATE_ON && w->state == STATE_OFF)
		log_warnx("dnsbl %s works again and is used", w->list->zone);
	w->state = state;
	w->may = may;
	(void)strlcpy(w->why, why, sizeof(w->why));
	if (changed)
		workers_tell_lists();
}

static void
watch_again(struct watch *w, int silent)
{
	uint64_t ms = config->limit_lists_s * 1000ULL;

	if (silent || w->state != STATE_ON)
		ms /= OFF_PART;
	if (w->silent && ms > SOON_S * 1000)
		ms = SOON_S * 1000;
	timer_set(&w->timer, ms < 1000 ? 1000 : ms);
}

/* Messages go on; lists that have not answered are not asked yet. */
static void
hold_over(void *arg)
{
	(void)arg;
	if (settled)
		return;
	settled = 1;
	timer_stop(&hold);
	workers_dispatch();
}
