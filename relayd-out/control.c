/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/proc.h"
#include "relayd-out/queue.h"

/*
 * The operator's words: what gwctl asks of the queue.  Long answers go out in
 * pieces, as fast as the reader takes them.
 */

#define PIECE		(16 * 1024)
#define PIECES_QUEUED	4
#define PIECE_MS	5
#define ANSWERS_MAX	64
#define HOPS_SHOWN	50

/* An answer that takes longer than a turn. */
struct answer {
	TAILQ_ENTRY(answer)	 entry;
	struct ipc		*ipc;
	uint32_t		 job;
	int			 listing;
	char			 id[ID_SIZE];	/* last listed, or shown */
};

static TAILQ_HEAD(, answer)	 answers = TAILQ_HEAD_INITIALIZER(answers);
static unsigned			 nanswers;
static struct timer		 more_timer;

static void	 say(struct ipc *, uint32_t, const char *, size_t);
static void	 end(struct ipc *, uint32_t, const char *);
static void	 list_more(void *);
static int	 list_piece(struct answer *);
static void	 print_entry(struct text *, const struct entry *);
static void	 print_ready(struct text *, const struct entry *);
static void	 print_stored(struct text *, const struct entry *,
		    const struct stored *);
static struct answer *answer_new(struct ipc *, uint32_t);
static void	 answer_free(struct answer *);
static void	 reloaded(int, const char *, void *);
static void	 audit_word(const struct ipc *, const char *, const char *);

typedef const char *word_fn(struct ipc *, uint32_t, const char *,
	    struct entry *);
static word_fn	 word_list, word_show, word_retry, word_hold, word_release,
	    word_remove, word_drop;

/* What returns NULL has answered or will; else the text is the error. */
static const struct word {
	const char	*name;
	int		 needs_entry;
	word_fn		*fn;
} words[] = {
	{ "list", 0, word_list },
	{ "show", 1, word_show },
	{ "retry", 0, word_retry },
	{ "hold", 1, word_hold },
	{ "release", 1, word_release },
	{ "remove", 1, word_remove },
	{ "drop", 1, word_drop },
};

/* Text of any length, in frames. */
static void
say(struct ipc *ipc, uint32_t job, const char *text, size_t len)
{
	struct ibuf	 b;
	size_t		 n;

	ibuf_init(&b);
	for (; len != 0; text += n, len -= n) {
		n = len < 2 * PIECE ? len : 2 * PIECE;
		ibuf_reset(&b);
		ibuf_add_blob(&b, text, n);
		(void)ipc_send(ipc, VERB_CTL_TEXT, job, -1, &b);
	}
	ibuf_free(&b);
}

/* why NULL: all went well. */
static void
end(struct ipc *ipc, uint32_t job, const char *why)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u8(&b, why != NULL);
	ibuf_add_str(&b, why);
	(void)ipc_send(ipc, VERB_CTL_END, job, -1, &b);
	ibuf_free(&b);
}

static void
audit_word(const struct ipc *ipc, const char *word, const char *arg)
{
	struct audit	 a;

	audit_begin(&a, id_valid(arg) ? arg : NULL, "operator");
	audit_str(&a, "word", word);
	audit_num(&a, "uid", (long long)ipc->uid);
	if (*arg != '\0' && !id_valid(arg))
		audit_str(&a, "argument", arg);
	audit_end(&a);
}

int
control_status(struct ipc *ipc, struct imsg *im)
{
	struct text	 t;
	struct hop	*h = NULL;
	unsigned	 n = 0;

	if (ibuf_get_end(&im->data) == -1)
		return -1;
	memset(&t, 0, sizeof(t));
	text_fmt(&t, "queue.messages %zu\nqueue.active %zu\nqueue.held %zu\n"
	    "queue.storing %zu\nqueue.ready %s\ngeneration %u\n",
	    counts.entries, counts.active, counts.held, counts.storing,
	    queue_ready() ? "yes" : "no", child_generation());
	text_fmt(&t, "accepted %" PRIu64 "\ndelivered %" PRIu64 "\n"
	    "deferred %" PRIu64 "\nfailed %" PRIu64 "\nreports %" PRIu64 "\n"
	    "discarded %" PRIu64 "\nsettled %" PRIu64 "\n",
	    counts.accepted, counts.delivered, counts.deferred, counts.failed,
	    counts.bounces, counts.discarded, counts.removed);
	dispatch_print(&t);
	while ((h = sched_hop_next(h)) != NULL) {
		if (h->nparts == 0 && h->node.pos == 0)
			continue;
		if (++n > HOPS_SHOWN)
			continue;
		text_fmt(&t, "hop %s messages %u ready %u active %u window "
		    "%u", h->key, h->nparts, h->nready, h->nactive, h->window);
		if (h->node.pos != 0)
			text_fmt(&t, " down %" PRIu64 "s",
			    h->until > loop_now() ?
			    (h->until - loop_now()) / 1000 : 0);
		if (h->why != NULL && h->failures != 0)
			text_fmt(&t, " last \"%s\"", h->why);
		text_add(&t, "\n", 1);
	}
	if (n > HOPS_SHOWN)
		text_fmt(&t, "hops %u, the first %d shown\n", n, HOPS_SHOWN);
	say(ipc, im->job, t.p, t.len);
	end(ipc, im->job, NULL);
	text_free(&t);
	return 0;
}

int
control_queue(struct ipc *ipc, struct imsg *im)
{
	struct entry	*e = NULL;
	const char	*why = "no such word";
	char		 word[32], arg[128];
	size_t		 i;

	ibuf_get_str(&im->data, word, sizeof(word));
	ibuf_get_str(&im->data, arg, sizeof(arg));
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, word) != 0)
			continue;
		if (id_valid(arg))
			e = entry_find(arg);
		if (words[i].needs_entry && e == NULL) {
			why = "no such message in the queue";
			break;
		}
		audit_word(ipc, word, arg);
		why = words[i].fn(ipc, im->job, arg, e);
		if (why == NULL)
			return 0;
		break;
	}
	end(ipc, im->job, why);
	return 0;
}

static struct answer *
answer_new(struct ipc *ipc, uint32_t job)
{
	struct answer	*a;

	if (nanswers >= ANSWERS_MAX || (a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->ipc = ipc;
	a->job = job;
	TAILQ_INSERT_TAIL(&answers, a, entry);
	nanswers++;
	return a;
}

static void
answer_free(struct answer *a)
{
	TAILQ_REMOVE(&answers, a, entry);
	nanswers--;
	free(a);
}

void
control_gone(struct ipc *ipc)
{
	struct answer	*a, *next;

	TAILQ_FOREACH_SAFE(a, &answers, entry, next)
		if (a->ipc == ipc)
			answer_free(a);
}

static const char *
word_list(struct ipc *ipc, uint32_t job, const char *arg, struct entry *e)
{
	struct answer	*a;

	(void)e;
	if (*arg != '\0')
		return "list takes no argument";
	if ((a = answer_new(ipc, job)) == NULL)
		return "too many answers under way";
	a->listing = 1;
	if (more_timer.fn == NULL)
		timer_init(&more_timer, list_more, NULL);
	timer_set(&more_timer, 0);
	return NULL;
}

static void
list_more(void *arg)
{
	struct answer	*a, *next;
	int		 again = 0;

	(void)arg;
	TAILQ_FOREACH_SAFE(a, &answers, entry, next) {
		if (!a->listing)
			continue;
		if (a->ipc->ibuf.nout < PIECES_QUEUED && list_piece(a))
			answer_free(a);
		else
			again = 1;
	}
	if (again)
		timer_set(&more_timer, PIECE_MS);
}

/* 1 when that was the last. */
static int
list_piece(struct answer *a)
{
	static struct text	 t;
	struct entry		*e = NULL;

	text_reset(&t);
	while (t.len < PIECE && (e = entry_after(a->id)) != NULL) {
		memcpy(a->id, e->id, sizeof(a->id));
		print_entry(&t, e);
	}
	if (t.len != 0)
		say(a->ipc, a->job, t.p, t.len);
	if (e != NULL)
		return 0;
	end(a->ipc, a->job, NULL);
	return 1;
}

static void
print_entry(struct text *t, const struct entry *e)
{
	uint64_t	 wall = clock_wall_ms(), next = entry_next(e);
	size_t		 i;

	text_fmt(t, "%s age %" PRIu64 "s size %" PRIu64 " from <%s> rcpts %d "
	    "attempts %u", e->id, wall > e->time ? (wall - e->time) / 1000 : 0,
	    e->size, e->sender, entry_pending(e), e->attempts);
	if (e->flags & ENTRY_HELD)
		text_str(t, " held");
	else if (e->nactive != 0)
		text_str(t, " active");
	else if (next > wall)
		text_fmt(t, " next %" PRIu64 "s", (next - wall) / 1000);
	else
		print_ready(t, e);
	for (i = 0; i < e->nparts; i++)
		if (e->parts[i].state != PART_IDLE || e->nparts == 1)
			text_fmt(t, " to %s", e->parts[i].hop->key);
	text_add(t, "\n", 1);
}

/* It may go; but perhaps none of its hops is to be tried now. */
static void
print_ready(struct text *t, const struct entry *e)
{
	const struct hop	*h;
	uint64_t		 now = loop_now(), soonest = UINT64_MAX;
	size_t			 i;

	for (i = 0; i < e->nparts; i++) {
		if (e->parts[i].state != PART_READY)
			continue;
		h = e->parts[i].hop;
		if (h->node.pos == 0 || h->until <= now)
			soonest = now;
		else if (h->until < soonest)
			soonest = h->until;
	}
	if (soonest == UINT64_MAX || soonest <= now)
		text_str(t, " ready");
	else
		text_fmt(t, " hop-down %" PRIu64 "s",
		    (soonest - now + 999) / 1000);
}

static const char *
word_show(struct ipc *ipc, uint32_t job, const char *arg, struct entry *e)
{
	struct answer	*a;
	struct ibuf	 b;
	int		 n;

	if (!queue_ready())
		return "the spool is away";
	if ((a = answer_new(ipc, job)) == NULL)
		return "too many answers under way";
	memcpy(a->id, e->id, sizeof(a->id));
	ibuf_init(&b);
	ibuf_add_raw(&b, arg, ID_SIZE);
	n = queue_spool(VERB_SPOOL_OPEN, -1, &b);
	ibuf_free(&b);
	if (n == 0)
		return NULL;
	answer_free(a);
	return "the spool is away";
}

void
control_opened(const char *id, enum open_status st, const struct stored *s)
{
	static struct text	 t;
	struct answer		*a, *next;
	struct entry		*e = entry_find(id);

	TAILQ_FOREACH_SAFE(a, &answers, entry, next) {
		if (a->listing || strcmp(a->id, id) != 0)
			continue;
		text_reset(&t);
		if (e != NULL)
			print_entry(&t, e);
		if (s != NULL)
			print_stored(&t, e, s);
		if (t.len != 0)
			say(a->ipc, a->job, t.p, t.len);
		end(a->ipc, a->job, st == OPEN_OK ? NULL : st == OPEN_GONE ?
		    "its files have gone" : st == OPEN_BROKEN ?
		    "its files are damaged" : "its files cannot be read now");
		answer_free(a);
	}
}

static void
print_stored(struct text *t, const struct entry *e, const struct stored *s)
{
	const struct envelope	*env = s->env;
	char			 d[TEXT_DATE], a[NETADDR_STRLEN];
	size_t			 i;
	char			 st;

	text_fmt(t, "accepted %s\nclass %s\n", text_date(env->time, 1, d),
	    class_name(env->class));
	if (env->client.family != 0)
		text_fmt(t, "client %s %s\n", netaddr_print(&env->client, a,
		    sizeof(a)), env->rdns);
	text_fmt(t, "sender <%s>\nparticipant %s\n", env->sender,
	    env->participant);
	for (i = 0; i < env->nrcpts; i++) {
		st = e != NULL && i < e->nrcpts ? (char)e->rstate[i] :
		    s->state[i];
		text_fmt(t, "rcpt <%s> %s%s%s\n", env->rcpts[i].address,
		    st == RCPT_PENDING ? "waiting" : st == RCPT_DELIVERED ?
		    "delivered" : st == RCPT_DISCARDED ? "discarded" :
		    "failed", s->last[i] == NULL ? "" : " ",
		    s->last[i] == NULL ? "" : s->last[i]);
	}
	text_str(t, "trace\n");
	text_str(t, env->trace);
}

static const char *
word_retry(struct ipc *ipc, uint32_t job, const char *arg, struct entry *e)
{
	const char	*id = "";

	if (e != NULL) {
		if (e->flags & ENTRY_HELD)
			return "it is held: release it";
		sched_retry_hops();
		entry_schedule(e, 0);
	} else if (strcmp(arg, "all") == 0) {
		sched_retry_hops();
		while ((e = entry_after(id)) != NULL) {
			id = e->id;
			if (e->state == ENTRY_QUEUED)
				entry_schedule(e, 0);
		}
	} else
		return "no such message in the queue";
	queue_kick();
	end(ipc, job, NULL);
	return NULL;
}

static const char *
word_hold(struct ipc *ipc, uint32_t job, const char *arg, struct entry *e)
{
	(void)arg;
	if (e->state != ENTRY_QUEUED)
		return "it is not stored yet";
	entry_hold(e, 1);
	queue_save(e, NULL);
	end(ipc, job, NULL);
	return NULL;
}

static const char *
word_release(struct ipc *ipc, uint32_t job, const char *arg, struct entry *e)
{
	(void)arg;
	if (!(e->flags & ENTRY_HELD))
		return "it is not held";
	entry_hold(e, 0);
	queue_save(e, NULL);
	queue_kick();
	end(ipc, job, NULL);
	return NULL;
}

static const char *
word_remove(struct ipc *ipc, uint32_t job, const char *arg, struct entry *e)
{
	size_t	 i;

	(void)arg;
	if (e->state != ENTRY_QUEUED)
		return "it is not stored yet";
	for (i = 0; i < e->nparts; i++)
		if (e->parts[i].state != PART_ACTIVE)
			part_idle(&e->parts[i]);
	dispatch_want(e, WANT_REMOVE);
	end(ipc, job, NULL);
	return NULL;
}

static const char *
word_drop(struct ipc *ipc, uint32_t job, const char *arg, struct entry *e)
{
	(void)arg;
	if (e->state != ENTRY_QUEUED || e->nactive != 0)
		return "it is under way: hold it first, then drop it";
	settle_drop(e);
	end(ipc, job, NULL);
	return NULL;
}

int
control_reload(struct ipc *ipc, struct imsg *im)
{
	struct answer	*a;

	if (ibuf_get_end(&im->data) == -1)
		return -1;
	audit_word(ipc, "reload", "");
	if ((a = answer_new(ipc, im->job)) == NULL)
		end(ipc, im->job, "too many answers under way");
	else
		child_reload(reloaded, a);
	return 0;
}

/* The asker may have gone meanwhile. */
static void
reloaded(int ok, const char *text, void *arg)
{
	struct answer	*a;

	TAILQ_FOREACH(a, &answers, entry)
		if (a == arg)
			break;
	if (a == NULL)
		return;
	say(a->ipc, a->job, text, strlen(text));
	end(a->ipc, a->job, ok ? NULL : text);
	answer_free(a);
}
