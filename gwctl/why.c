/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "gwctl/gwctl.h"

/*
 * The story of one message, from the lines of all daemons: what happened, why
 * each decision fell as it did, and how it ended.
 */

#define INDENT	24
#define WIDTH	79
#define FILES	64

struct event {
	char		*text;
	char		 when[32];
	int		 rank;		/* of what happens in one moment */
	uint64_t	 order;		/* file and line */
};

/* What the lines together say. */
struct outcome {
	int		 code;		/* of the last reply, 0: none */
	int		 complete;	/* there was a message */
	int		 abandoned;
	int		 rcpts, delivered, discarded, failed;
	char		 judged[80];	/* SHA-256 */
	int		 same, other;	/* deliveries with it, with another */
};

struct story {
	const char	*id;
	char		 sid[ID_SIZE];	/* of its session */
	struct event	*v;
	size_t		 n;
	struct outcome	 outcome;
};

static void	 story_open(int, char *[], FILE *[], size_t *);
static FILE	*seekable(FILE *);
static void	 story_read(struct story *, FILE *, uint64_t, int);
static void	 story_add(struct story *, const char *, const struct line *,
		    uint64_t);
static int	 event_rank(const struct line *);
static int	 event_cmp(const void *, const void *);
static void	 event_tell(struct story *, const struct event *);
static void	 verdict_tell(const struct line *);
static void	 symbols_tell(const char *);
static void	 hash_tell(struct outcome *, const struct line *);
static void	 outcome_add(struct outcome *, const struct line *);
static void	 outcome_tell(const struct outcome *);
static void	 count_tell(int, const char *);
static int	 number(const struct line *, const char *);
static int	 points(const struct line *, const char *, int *);
static void	 wrap(const char *, int);

int
cmd_why(int argc, char *argv[])
{
	struct story	 s;
	FILE		*fp[FILES];
	size_t		 nfp = 0, i;

	memset(&s, 0, sizeof(s));
	if (argc < 1 || argc > FILES || !id_valid(argv[0]))
		return usage("why");
	s.id = argv[0];
	story_open(argc - 1, argv + 1, fp, &nfp);
	for (i = 0; i < nfp; i++)
		story_read(&s, fp[i], (uint64_t)i << 40, 0);
	for (i = 0; i < nfp && s.sid[0] != '\0'; i++)
		story_read(&s, fp[i], (uint64_t)i << 40, 1);
	if (s.n == 0) {
		fprintf(stderr, "gwctl: nothing is known of %s\n", s.id);
		return 1;
	}
	/* One file is in order as it is. */
	for (i = 0; nfp == 1 && i < s.n; i++)
		s.v[i].when[0] = '\0';
	qsort(s.v, s.n, sizeof(*s.v), event_cmp);
	printf("Message %s\n\n", s.id);
	for (i = 0; i < s.n; i++)
		event_tell(&s, &s.v[i]);
	outcome_tell(&s.outcome);
	for (i = 0; i < s.n; i++)
		free(s.v[i].text);
	free(s.v);
	for (i = 0; i < nfp; i++)
		fclose(fp[i]);
	return ferror(stdout) != 0;
}

static void
story_open(int n, char *paths[], FILE *fp[], size_t *nfp)
{
	int	i;

	if (n == 0) {
		if (!isatty(STDIN_FILENO))
			fp[(*nfp)++] = seekable(stdin);
		else if ((fp[(*nfp)++] = fopen(GWCTL_LOGFILE, "re")) == NULL)
			err(1, "%s", GWCTL_LOGFILE);
	}
	for (i = 0; i < n; i++)
		if (strcmp(paths[i], "-") == 0)
			fp[(*nfp)++] = seekable(stdin);
		else if ((fp[(*nfp)++] = fopen(paths[i], "re")) == NULL)
			err(1, "%s", paths[i]);
}

/* It is read twice. */
static FILE *
seekable(FILE *fp)
{
	char	 buf[65536];
	size_t	 n;
	FILE	*copy;

	if (fseek(fp, 0, SEEK_SET) == 0)
		return fp;
	if ((copy = tmpfile()) == NULL)
		err(1, "temporary file");
	while ((n = fread(buf, 1, sizeof(buf), fp)) > 0)
		if (fwrite(buf, 1, n, copy) != n)
			err(1, "temporary file");
	return copy;
}

/*
 * First all lines that name the message, then what its session did besides:
 * its connection and TLS have no id of a message.
 */
static void
story_read(struct story *s, FILE *fp, uint64_t order, int session)
{
	static struct line	 l;
	const char		*value;
	char			*text = NULL;
	size_t			 size = 0;
	ssize_t			 n;

	rewind(fp);
	while ((n = getline(&text, &size, fp)) > 0) {
		order++;
		if (text[n - 1] == '\n')
			text[n - 1] = '\0';
		if (line_mentions(text, s->id) == session)
			continue;
		if (session && strstr(text, s->sid) == NULL)
			continue;
		if (!line_parse(&l, text)) {
			if (!session)
				story_add(s, text, &l, order);
			continue;
		}
		value = line_value(&l, "sid");
		if (session && (value == NULL || *l.id != '\0' ||
		    strcmp(value, s->sid) != 0 ||
		    strcmp(l.event, "disconnect") == 0))
			continue;
		if (!session && value != NULL && strcmp(l.id, s->id) == 0)
			(void)strlcpy(s->sid, value, sizeof(s->sid));
		story_add(s, text, &l, order);
	}
	free(text);
}

static void
story_add(struct story *s, const char *text, const struct line *l,
    uint64_t order)
{
	struct event	*e;

	if ((e = recallocarray(s->v, s->n, s->n + 1, sizeof(*e))) == NULL)
		err(1, NULL);
	s->v = e;
	e += s->n++;
	if ((e->text = strdup(text)) == NULL)
		err(1, NULL);
	(void)strlcpy(e->when, l->when, sizeof(e->when));
	e->rank = event_rank(l);
	e->order = order;
}

/* The clocks of logs are coarse: what comes before what in one moment. */
static int
event_rank(const struct line *l)
{
	static const char *const	 order[] = {
		"connect", "tls", "rate", "rcpt", "message", "unfit",
		"scanned", "scan-failed", "verdict", "grey", "accepted",
		"reply"
	};
	size_t				 i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (strcmp(order[i], l->event) == 0)
			break;
	/* greyd decides, smtpd-front then says so. */
	return (int)i * 2 + (strcmp(l->daemon, "smtpd-front") == 0);
}

static int
event_cmp(const void *a, const void *b)
{
	const struct event	*x = a, *y = b;
	int			 r;

	if ((r = strcmp(x->when, y->when)) != 0)
		return r;
	if (x->when[0] != '\0' && x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/*
 * One event.
 */

static void
event_tell(struct story *s, const struct event *e)
{
	static struct line	 l;
	const struct telling	*t;
	char			*sentence = NULL;
	size_t			 size;
	FILE			*fp;
	int			 audit;

	audit = line_parse(&l, e->text);
	t = audit ? telling_find(&l) : NULL;
	if ((fp = open_memstream(&sentence, &size)) == NULL)
		err(1, NULL);
	if (audit && *l.id != '\0' && strcmp(l.id, s->id) != 0)
		fprintf(fp, "Of message %s: ", l.id);
	if (t != NULL)
		tell(fp, t->sentence == NULL ? t->brief : t->sentence, &l);
	else
		print_clean(fp, l.rest);
	fclose(fp);
	printf("%-8.8s  %-11s  ", l.clock, l.daemon);
	wrap(sentence, INDENT - 1);
	free(sentence);
	if (!audit || strcmp(l.id, s->id) != 0)
		return;
	if (strcmp(l.event, "verdict") == 0)
		verdict_tell(&l);
	if (strcmp(l.event, "delivered") == 0)
		hash_tell(&s->outcome, &l);
	outcome_add(&s->outcome, &l);
}

/* The score against the thresholds, and what it is made of. */
static void
verdict_tell(const struct line *l)
{
	const char	*action = line_value(l, "action"), *why;
	const char	*sym = line_value(l, "sym");
	char		 text[512];
	int		 score, grey, reject;

	if (!points(l, "score", &score) || !points(l, "greylist", &grey) ||
	    !points(l, "reject", &reject) || action == NULL)
		return;
	if (strcmp(action, "reject") == 0)
		why = score >= reject ? "that is enough to refuse it" :
		    "that is not enough to refuse it, so one of the findings "
		    "decided by itself";
	else if (strcmp(action, "greylist") == 0)
		why = "that is between the two";
	else if (strcmp(action, "accept") == 0)
		why = score < grey ? "that is below both" :
		    "but neither is applied to this client or these "
		    "recipients";
	else
		why = "but the score did not decide";
	(void)snprintf(text, sizeof(text), "Its score is %s.  From %s on "
	    "messages are greylisted, from %s on refused: %s.",
	    line_value(l, "score"), line_value(l, "greylist"),
	    line_value(l, "reject"), why);
	printf("%*s", INDENT - 1, "");
	wrap(text, INDENT - 1);
	if (sym != NULL)
		symbols_tell(sym);
	else
		printf("%*sNothing was found.\n", INDENT - 1, "");
}

/* NAME:POINTS,NAME:POINTS */
static void
symbols_tell(const char *sym)
{
	char	 text[LINE_SIZE], *p = text, *one, *value;

	(void)strlcpy(text, sym, sizeof(text));
	while ((one = strsep(&p, ",")) != NULL) {
		if ((value = strchr(one, ':')) != NULL)
			*value++ = '\0';
		printf("%*s%8.12s  ", INDENT - 1, "",
		    value == NULL ? "" : value);
		print_clean(stdout, one);
		putc('\n', stdout);
	}
}

static void
hash_tell(struct outcome *o, const struct line *l)
{
	const char	*hash = line_value(l, "sha256");

	if (hash == NULL || o->judged[0] == '\0')
		return;
	if (strcmp(hash, o->judged) == 0) {
		o->same++;
		printf("%*sIts content is what was judged: SHA-256 is the "
		    "same.\n", INDENT - 1, "");
	} else {
		o->other++;
		printf("%*sIts content is NOT what was judged: SHA-256 is\n"
		    "%*s%s.\n", INDENT - 1, "", INDENT - 1, "", hash);
	}
}

/*
 * How it ended.
 */

static void
outcome_add(struct outcome *o, const struct line *l)
{
	const char	*hash;

	if (strcmp(l->event, "message") == 0) {
		o->complete = 1;
		o->rcpts = number(l, "rcpts");
		if ((hash = line_value(l, "sha256")) != NULL)
			(void)strlcpy(o->judged, hash, sizeof(o->judged));
	} else if (strcmp(l->event, "reply") == 0)
		o->code = number(l, "code");
	else if (strcmp(l->event, "delivered") == 0)
		o->delivered += number(l, "rcpts");
	else if (strcmp(l->event, "abandoned") == 0)
		o->abandoned = 1;
	else if (strcmp(l->event, "discarded") == 0)
		o->discarded++;
	else if (strcmp(l->event, "failed") == 0 ||
	    strcmp(l->event, "expired") == 0 ||
	    strcmp(l->event, "removed") == 0)
		o->failed++;
	else if (strcmp(l->event, "dropped") == 0)
		o->failed += number(l, "rcpts");
}

static void
outcome_tell(const struct outcome *o)
{
	int	waiting = o->rcpts - o->delivered - o->discarded - o->failed;

	printf("\n");
	if (o->code >= 500)
		printf("It was refused, and nothing of it was kept.\n");
	else if (o->code >= 400)
		printf("It was not taken; its client has to come again.\n");
	else if (!o->complete && o->code == 0 && o->delivered == 0)
		printf("There never was a whole message.\n");
	else if (o->code == 0 && o->abandoned && o->delivered == 0)
		printf("Nobody was there for an answer; the client has to "
		    "come again.\n");
	else if (o->code == 0 && o->delivered + o->failed == 0)
		printf("How it ended is not in these lines.\n");
	else {
		printf("It was taken.  Recipients: %d delivered",
		    o->delivered);
		count_tell(o->discarded, "dropped as dummies");
		count_tell(o->failed, "failed");
		count_tell(waiting, "waiting");
		printf(".\n");
	}
	if (o->other > 0)
		printf("What was delivered is NOT what was judged.\n");
	else if (o->same > 0)
		printf("What was delivered is what was judged, octet for "
		    "octet.\n");
}

static void
count_tell(int n, const char *what)
{
	if (n > 0)
		printf(", %d %s", n, what);
}

/*
 * Parts.
 */

static int
number(const struct line *l, const char *key)
{
	const char	*value = line_value(l, key), *bad;
	long long	 n;

	if (value == NULL)
		return 0;
	n = strtonum(value, 0, 1000000, &bad);
	return bad == NULL ? (int)n : 0;
}

/* 11.20 as 1120 */
static int
points(const struct line *l, const char *key, int *n)
{
	const char	*p = line_value(l, key);
	int		 sign = 1, decimals = -1;

	if (p == NULL)
		return 0;
	if (*p == '-') {
		sign = -1;
		p++;
	}
	for (*n = 0; *p != '\0'; p++) {
		if (*p == '.' && decimals == -1) {
			decimals = 0;
			continue;
		}
		if (!isdigit((unsigned char)*p) || *n > 10000000)
			return 0;
		*n = *n * 10 + (*p - '0');
		if (decimals != -1)
			decimals++;
	}
	for (decimals = decimals == -1 ? 0 : decimals; decimals < 2;
	    decimals++)
		*n *= 10;
	*n *= sign;
	return 1;
}

/* Words in lines of WIDTH; the first line is begun already. */
static void
wrap(const char *text, int indent)
{
	int	 col = indent, blanks, len;

	while (*text != '\0') {
		blanks = (int)strspn(text, " \n");
		text += blanks;
		len = (int)strcspn(text, " \n");
		if (col == indent || col + blanks + len <= WIDTH)
			printf("%*s", blanks, "");
		else {
			printf("\n%*s", indent, "");
			col = indent;
			blanks = 0;
		}
		printf("%.*s", len, text);
		col += blanks + len;
		text += len;
	}
	putc('\n', stdout);
}
