/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "regress/smtpd-front/fakes.h"
#include "regress/smtpd-front/harness.h"
#include "smtpd-front/smtpd-front.h"

/*
 * scand, greyd and relayd-out as the dialogues want them.  Both ends of each
 * channel live in this process's loop.
 */

enum { F_SCAND, F_GREYD, F_RELAYD, F_MAX };
static const struct {
	const char	*name;
	enum daemon_id	 daemon;
	enum peer	 kind;
} who[F_MAX] = {
	{ "scand", DAEMON_SCAND, PEER_BROKER },
	{ "greyd", DAEMON_GREYD, PEER_STORE },
	{ "relayd", DAEMON_RELAYD, PEER_QUEUE },
};

static struct {
	struct ipc	*ours, *theirs;
} fakes[F_MAX];

struct due {			/* asked, and silence was the answer */
	TAILQ_ENTRY(due)	 entry;
	int			 fake;
	uint32_t		 job;
	uint32_t		 verb;
	char			 id[ID_SIZE];
	struct policy		 policies[LIM_CLASSES];
	size_t			 npolicies;
};
static TAILQ_HEAD(, due)	 dues = TAILQ_HEAD_INITIALIZER(dues);

static char		 scan_word[16] = "accept", grey_word[16] = "pass";
static char		 put_word[16] = "durable", put_text[512] = "queued";
static char		 reply_text[LIM_REPLY];
static const char	*trace_text = "X-Test: found\r\n";
static unsigned		 seen[VERB_MAX];
static struct scan	 last_scan;
static struct envelope	*last_env;
static char		*content;
static size_t		 content_len;

static int	 on_scan(struct ipc *, struct imsg *);
static int	 on_grey(struct ipc *, struct imsg *);
static int	 on_rate(struct ipc *, struct imsg *);
static int	 on_put(struct ipc *, struct imsg *);
static int	 on_other(struct ipc *, struct imsg *);

static const struct ipc_verb	 ours[] = { ASK_VERBS };
static const struct ipc_verb	 theirs[] = {
	{ VERB_SCAN,	~0U, LIM_FRAME, IPC_FD, on_scan },
	{ VERB_GREY,	~0U, LIM_FRAME, IPC_NOFD, on_grey },
	{ VERB_RATE,	~0U, LIM_FRAME, IPC_NOFD, on_rate },
	{ VERB_PUT,	~0U, LIM_FRAME, IPC_FD, on_put },
	{ VERB_CANCEL,	~0U, LIM_FRAME, IPC_NOFD, on_other },
	{ VERB_EVENT,	~0U, LIM_FRAME, IPC_NOFD, on_other },
	{ VERB_CLIENT,	~0U, LIM_FRAME, IPC_NOFD, on_other },
	{ VERB_SENDER,	~0U, LIM_FRAME, IPC_NOFD, on_other },
};

static void
fake_gone(struct ipc *ipc)
{
	int	 i;

	for (i = 0; i < F_MAX; i++)
		if (fakes[i].theirs == ipc)
			fakes[i].theirs = NULL;
}

static void
our_gone(struct ipc *ipc)
{
	int	 i;

	for (i = 0; i < F_MAX; i++)
		if (fakes[i].ours == ipc)
			fakes[i].ours = NULL;
	ask_down(ipc);
}

static void
fake_up(int i)
{
	int	 sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    sp) == -1)
		err(1, "socketpair");
	fakes[i].ours = ipc_new_foreign(sp[0], who[i].kind, ours,
	    sizeof(ours) / sizeof(ours[0]), 1, 0, ask_up, our_gone, NULL);
	fakes[i].theirs = ipc_new_foreign(sp[1], PEER_SMTP, theirs,
	    sizeof(theirs) / sizeof(theirs[0]), 1, 4, NULL, fake_gone, NULL);
	harness_wait(5);
}

static void
fake_down(int i)
{
	if (fakes[i].theirs != NULL)
		ipc_close(fakes[i].theirs);
	harness_wait(5);
}

static int
fake_find(const char *name)
{
	int	 i;

	for (i = 0; i < F_MAX; i++)
		if (strcmp(who[i].name, name) == 0)
			return i;
	errx(1, "no daemon %s", name);
}

static struct due *
due_new(int fake, const struct imsg *im)
{
	struct due	*d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		err(1, NULL);
	d->fake = fake;
	d->job = im->job;
	d->verb = im->type;
	TAILQ_INSERT_TAIL(&dues, d, entry);
	return d;
}

static void
answer_scan(const struct due *d, const char *word)
{
	static struct verdict	 v;
	struct symbol_hit	 hit = { "GTUBE", 1000, "" };
	char			 trace[256];
	struct ibuf		 b;
	size_t			 i;
	uint8_t			 action;

	memset(&v, 0, sizeof(v));
	memcpy(v.id, d->id, sizeof(v.id));
	v.score = strcmp(word, "accept") == 0 ? 0 : 1000;
	action = strcmp(word, "accept") == 0 ? ACTION_ACCEPT :
	    strcmp(word, "greylist") == 0 ? ACTION_GREYLIST :
	    strcmp(word, "tempfail") == 0 ? ACTION_TEMPFAIL : ACTION_REJECT;
	v.nactions = d->npolicies;
	for (i = 0; i < v.nactions; i++) {
		v.actions[i] = action;
		if (strcmp(word, "split") == 0 &&
		    d->policies[i].role != POLICY_ORDINARY)
			v.actions[i] = ACTION_ACCEPT;
	}
	v.hits = &hit;
	v.nhits = v.score != 0;
	(void)strlcpy(v.reply, reply_text, sizeof(v.reply));
	(void)strlcpy(v.rdns, "mx.client.example", sizeof(v.rdns));
	(void)strlcpy(trace, trace_text, sizeof(trace));
	v.trace = trace;
	ibuf_init(&b);
	verdict_add(&b, &v);
	if (strcmp(word, "garbage") == 0)
		ibuf_add_u8(&b, 1);
	if (fakes[F_SCAND].theirs != NULL)
		(void)ipc_send(fakes[F_SCAND].theirs, VERB_VERDICT, d->job, -1,
		    &b);
	ibuf_free(&b);
}

static void
answer_grey(const struct due *d, const char *word)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u8(&b, strcmp(word, "wait") != 0);
	ibuf_add_u32(&b, 300);
	ibuf_add_str(&b, "test");
	if (fakes[F_GREYD].theirs != NULL)
		(void)ipc_send(fakes[F_GREYD].theirs, VERB_GREYED, d->job, -1,
		    &b);
	ibuf_free(&b);
}

static void
answer_put(const struct due *d, const char *word)
{
	struct ibuf	 b;

	ibuf_init(&b);
	ibuf_add_u8(&b, strcmp(word, "refused") == 0 ? PUT_REFUSED :
	    strcmp(word, "failed") == 0 ? PUT_FAILED : PUT_DURABLE);
	ibuf_add_str(&b, put_text);
	if (fakes[F_RELAYD].theirs != NULL)
		(void)ipc_send(fakes[F_RELAYD].theirs, VERB_STORED, d->job, -1,
		    &b);
	ibuf_free(&b);
}

/* What was silent speaks, with the friendliest word. */
void
fake_answer(const char *arg)
{
	struct due	*d;

	(void)arg;
	while ((d = TAILQ_FIRST(&dues)) != NULL) {
		TAILQ_REMOVE(&dues, d, entry);
		if (d->fake == F_SCAND)
			answer_scan(d, "accept");
		else if (d->fake == F_GREYD)
			answer_grey(d, "pass");
		else
			answer_put(d, "durable");
		free(d);
	}
}

static void
settle(struct due *d, const char *word, void (*fn)(const struct due *,
    const char *))
{
	if (strcmp(word, "silent") == 0)
		return;
	TAILQ_REMOVE(&dues, d, entry);
	fn(d, word);
	free(d);
}

/* The sealed file is what the frame says it is. */
static void
take_file(struct imsg *im, uint64_t size, const uint8_t *hash)
{
	uint8_t		 digest[MESSAGE_HASH];
	struct hash	*h;

	if (im->fd == -1 || message_check(im->fd, size) == -1) {
		complain("no sealed file of the promised size", NULL);
		return;
	}
	free(content);
	if ((content = malloc(size + 1)) == NULL ||
	    pread(im->fd, content, size, 0) != (ssize_t)size)
		err(1, "content");
	content[size] = '\0';
	content_len = size;
	h = hash_new();
	hash_add(h, content, size);
	hash_final(h, digest);
	if (memcmp(digest, hash, sizeof(digest)) != 0)
		complain("the hash is wrong", NULL);
}

static int
on_scan(struct ipc *ipc, struct imsg *im)
{
	struct due	*d;

	(void)ipc;
	seen[VERB_SCAN]++;
	scan_free(&last_scan);
	if (scan_parse(&im->data, &last_scan) == -1 ||
	    ibuf_get_end(&im->data) == -1) {
		complain("SCAN does not decode", NULL);
		return -1;
	}
	take_file(im, last_scan.size, last_scan.hash);
	d = due_new(F_SCAND, im);
	memcpy(d->id, last_scan.id, sizeof(d->id));
	d->npolicies = last_scan.npolicies;
	memcpy(d->policies, last_scan.policies, sizeof(d->policies));
	settle(d, scan_word, answer_scan);
	return 0;
}

static int
on_grey(struct ipc *ipc, struct imsg *im)
{
	struct grey_ask	 g;

	(void)ipc;
	seen[VERB_GREY]++;
	if (grey_ask_parse(&im->data, &g) == -1 ||
	    ibuf_get_end(&im->data) == -1) {
		complain("GREY does not decode", NULL);
		return -1;
	}
	grey_ask_free(&g);
	settle(due_new(F_GREYD, im), grey_word, answer_grey);
	return 0;
}

static int
on_rate(struct ipc *ipc, struct imsg *im)
{
	char	*key;

	(void)ipc;
	seen[VERB_RATE]++;
	key = ibuf_get_strdup(&im->data, 100);
	(void)ibuf_get_u32(&im->data);
	(void)ibuf_get_u32(&im->data);
	(void)ibuf_get_u32(&im->data);
	free(key);
	if (ibuf_get_end(&im->data) == -1)
		return -1;
	settle(due_new(F_GREYD, im), grey_word, answer_grey);
	return 0;
}

static int
on_put(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	seen[VERB_PUT]++;
	(void)ibuf_get_u32(&im->data);
	envelope_free(last_env);
	last_env = envelope_parse(&im->data);
	if (last_env == NULL || ibuf_get_end(&im->data) == -1) {
		complain("PUT does not decode", NULL);
		return -1;
	}
	take_file(im, last_env->size, last_env->hash);
	settle(due_new(F_RELAYD, im), put_word, answer_put);
	return 0;
}

static int
on_other(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	seen[im->type]++;
	return 0;
}

void
fake_put(const char *s)
{
	size_t	 n = strcspn(s, " ");

	(void)snprintf(put_word, sizeof(put_word), "%.*s", (int)n, s);
	if (s[n] != '\0')
		(void)strlcpy(put_text, s + n + 1, sizeof(put_text));
}

void
fake_scan(const char *s)
{
	(void)strlcpy(scan_word, s, sizeof(scan_word));
}

void
fake_says(const char *s)
{
	(void)strlcpy(reply_text, s, sizeof(reply_text));
}

void
fake_grey(const char *s)
{
	(void)strlcpy(grey_word, s, sizeof(grey_word));
}

void
fake_lose(const char *s)
{
	fake_down(fake_find(s));
}

void
fake_join(const char *s)
{
	fake_up(fake_find(s));
}

unsigned
harness_seen(uint32_t verb)
{
	return seen[verb];
}

const char *
harness_content(size_t *len)
{
	if (len != NULL)
		*len = content_len;
	return content;
}

const struct envelope *
harness_envelope(void)
{
	return last_env;
}

const struct scan *
harness_scan(void)
{
	return &last_scan;
}

void
harness_trace(const char *text)
{
	trace_text = text;
}

void
harness_grey(const char *word)
{
	fake_grey(word);
}

void
harness_answer(void)
{
	fake_answer(NULL);
}

void
fake_start(void)
{
	int	 i;

	for (i = 0; i < F_MAX; i++)
		fake_up(i);
}

/* Nothing is owed, and all are friendly. */
void
fake_reset(void)
{
	struct due	*d;

	while ((d = TAILQ_FIRST(&dues)) != NULL) {
		TAILQ_REMOVE(&dues, d, entry);
		free(d);
	}
	fake_scan("accept");
	fake_grey("pass");
	fake_put("durable queued");
	fake_says("");
}
