/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/stat.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gwctl/gwctl.h"

/*
 * The log in readable form: one line an event, in columns.  What is no audit
 * line passes as it is.
 */

#define FOLLOW_LINES	10		/* shown of what is there already */
#define FOLLOW_MS	200

/* A file that is followed over its rotations. */
struct follow {
	const char	*path;
	FILE		*fp;		/* NULL: not there (yet) */
	ino_t		 ino;
	char		*part;		/* a line without its end */
	size_t		 size;
	size_t		 len;
};

static char	 shown_date[16];

static int	 log_stream(FILE *);
static int	 log_follow(int, char *[]);
static void	 follow_open(struct follow *, int);
static void	 follow_back(FILE *);
static int	 follow_read(struct follow *);
static void	 follow_rotate(struct follow *);
static void	 log_line_show(const char *);
static void	 show_date(const char *);

const struct palette *
palette_for(FILE *fp)
{
	static const struct palette	 none = {
		{ "", "", "", "" }, "", ""
	};
	static const struct palette	 colours = {
		{ "", "\033[32m", "\033[31m", "\033[33m" },
		"\033[2m", "\033[0m"
	};
	const char			*term = getenv("TERM");

	if (!isatty(fileno(fp)) || getenv("NO_COLOR") != NULL ||
	    term == NULL || strcmp(term, "dumb") == 0)
		return &none;
	return &colours;
}

int
cmd_log(int argc, char *argv[])
{
	static char	 file[] = GWCTL_LOGFILE;
	static char	*standard[] = { file };
	struct options	 o;
	FILE		*fp;
	int		 c, i, following = 0, bad = 0;

	options_init(&o, argc, argv, "f");
	while ((c = options_next(&o)) != -1) {
		if (c != 'f')
			return usage("log");
		following = 1;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (o.argc == 0 && (following || isatty(STDIN_FILENO))) {
		o.argc = 1;
		o.argv = standard;
	}
	if (following)
		return log_follow(o.argc, o.argv);
	if (o.argc == 0)
		return log_stream(stdin);
	for (i = 0; i < o.argc; i++) {
		if (strcmp(o.argv[i], "-") == 0) {
			bad |= log_stream(stdin);
			continue;
		}
		if ((fp = fopen(o.argv[i], "re")) == NULL) {
			warn("%s", o.argv[i]);
			bad = 1;
			continue;
		}
		bad |= log_stream(fp);
		fclose(fp);
	}
	return bad;
}

static int
log_stream(FILE *fp)
{
	char	*text = NULL;
	size_t	 size = 0;
	ssize_t	 n;
	int	 bad;

	while ((n = getline(&text, &size, fp)) > 0) {
		if (text[n - 1] == '\n')
			text[n - 1] = '\0';
		log_line_show(text);
	}
	bad = ferror(fp) || ferror(stdout);
	free(text);
	return bad;
}

static void
log_line_show(const char *text)
{
	static struct line	 l;
	const struct palette	*c = palette_for(stdout);
	const struct telling	*t;
	const char		*id, *mood;
	size_t			 i;

	if (!line_parse(&l, text)) {
		printf("%s\n", text);
		return;
	}
	show_date(l.date);
	id = l.id;
	if (*id == '\0' && (id = line_value(&l, "sid")) == NULL)
		id = "";
	t = telling_find(&l);
	mood = c->mood[t == NULL ? MOOD_PLAIN : t->mood];
	printf("%s%-8.8s %-11s %-16s%s %s%-12s%s ", c->dim, l.clock,
	    l.daemon, id, c->off, mood, l.event, *mood == '\0' ? "" : c->off);
	if (t != NULL)
		tell(stdout, t->brief, &l);
	for (i = 0; t == NULL && i < l.nfields; i++) {
		if (l.fields[i].value == l.id || l.fields[i].value == l.event)
			continue;
		printf("%s=", l.fields[i].key);
		print_clean(stdout, l.fields[i].value);
		putc(' ', stdout);
	}
	putc('\n', stdout);
}

/* Once for all lines of a day. */
static void
show_date(const char *date)
{
	if (*date == '\0' || strcmp(date, shown_date) == 0)
		return;
	(void)strlcpy(shown_date, date, sizeof(shown_date));
	printf("%s-- %s --%s\n", palette_for(stdout)->dim, date,
	    palette_for(stdout)->off);
}

/*
 * -f: the last lines of each file, and from then on whatever comes.
 */
static int
log_follow(int n, char *paths[])
{
	const struct timespec	 pause = { 0, FOLLOW_MS * 1000000L };
	struct follow		*v;
	int			 i, some;

	if ((v = calloc((size_t)n, sizeof(*v))) == NULL)
		err(1, NULL);
	for (i = 0; i < n; i++) {
		v[i].path = paths[i];
		follow_open(&v[i], 1);
		if (v[i].fp == NULL)
			warn("%s", paths[i]);
	}
	do {
		for (some = 0, i = 0; i < n; i++) {
			some |= follow_read(&v[i]);
			follow_rotate(&v[i]);
		}
		if (!some)
			(void)nanosleep(&pause, NULL);
	} while (!ferror(stdout));
	for (i = 0; i < n; i++) {
		free(v[i].part);
		if (v[i].fp != NULL)
			fclose(v[i].fp);
	}
	free(v);
	return 1;
}

static void
follow_open(struct follow *f, int first)
{
	struct stat	 st;

	if ((f->fp = fopen(f->path, "re")) == NULL)
		return;
	f->ino = fstat(fileno(f->fp), &st) == -1 ? 0 : st.st_ino;
	if (first)
		follow_back(f->fp);
}

/* To the beginning of the last lines. */
static void
follow_back(FILE *fp)
{
	long	 pos;
	int	 lines = 0;

	if (fseek(fp, 0, SEEK_END) == -1)
		return;
	for (pos = ftell(fp); pos > 0; pos--) {
		if (fseek(fp, pos - 1, SEEK_SET) == -1)
			return;
		if (getc(fp) == '\n' && lines++ == FOLLOW_LINES)
			break;
	}
	(void)fseek(fp, pos, SEEK_SET);
}

/* Whole lines only: what comes next may end this one. */
static int
follow_read(struct follow *f)
{
	char	*text = NULL, *p;
	size_t	 size = 0;
	ssize_t	 n;
	int	 some = 0;

	while (f->fp != NULL && (n = getline(&text, &size, f->fp)) > 0) {
		some = 1;
		p = recallocarray(f->part, f->size, f->len + (size_t)n + 1, 1);
		if (p == NULL)
			err(1, NULL);
		f->part = p;
		f->size = f->len + (size_t)n + 1;
		memcpy(f->part + f->len, text, (size_t)n);
		f->len += (size_t)n;
		f->part[f->len] = '\0';
		if (text[n - 1] != '\n')
			break;
		f->part[f->len - 1] = '\0';
		log_line_show(f->part);
		f->len = 0;
	}
	if (f->fp != NULL)
		clearerr(f->fp);
	free(text);
	return some;
}

/* A new file under the name, or the old one cut short. */
static void
follow_rotate(struct follow *f)
{
	struct stat	 st;

	if (stat(f->path, &st) == -1)
		return;
	if (f->fp != NULL && st.st_ino == f->ino) {
		if (st.st_size < ftell(f->fp))
			rewind(f->fp);
		return;
	}
	if (f->fp != NULL) {
		(void)follow_read(f);
		fclose(f->fp);
	}
	f->len = 0;
	follow_open(f, 0);
}
