/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gwctl/gwctl.h"

/*
 * What concerns all four daemons: status and reload.
 */

/*
 * A daemon answers when it has read the file; its new children come up after
 * that.  They are waited for, as whoever reloads relies on the new file.
 */
#define RELOAD_S	30
#define RELOAD_NS	(50 * 1000 * 1000)

#define WIDTH		23	/* of keys, in status */

static void	print_lines(const char *, void *);
static long long generation(enum daemon_id);
static void	take_generation(const char *, void *);
static int	wait_generation(enum daemon_id, long long);
static void	print_error(enum daemon_id, const char *);

int
cmd_status(int argc, char *argv[])
{
	struct talk	 t;
	enum daemon_id	 d;
	int		 bad = 0;

	(void)argv;
	if (argc != 0)
		return usage("status");
	for (d = 0; d < DAEMON_MAX; d++) {
		talk_init(&t, d, VERB_CTL_STATUS);
		t.text = print_lines;
		printf("%s\n", daemon_name(d));
		if (talk(&t) != 0) {
			bad = 1;
			printf("\t");
			print_clean(stdout, t.error);
			printf("\n");
		}
		(void)fflush(stdout);
	}
	return bad;
}

/* "key value", each in a line of its own below its daemon's name. */
static void
print_lines(const char *text, void *arg)
{
	const char	*nl;
	char		 line[1024], *blank;
	size_t		 n;

	(void)arg;
	for (; *text != '\0'; text = *nl == '\0' ? nl : nl + 1) {
		nl = text + strcspn(text, "\n");
		n = (size_t)(nl - text);
		if (n >= sizeof(line))
			n = sizeof(line) - 1;
		memcpy(line, text, n);
		line[n] = '\0';
		blank = strchr(line, ' ');
		printf("\t");
		if (blank != NULL && strchr(blank + 1, ' ') == NULL) {
			*blank++ = '\0';
			print_clean(stdout, line);
			n = strlen(line);
			printf("%*s", n < WIDTH ? WIDTH - (int)n + 1 : 1, "");
			print_clean(stdout, blank);
		} else
			print_clean(stdout, line);
		printf("\n");
	}
}

/*
 * Who is asked by others goes first, so that nobody meets an older peer that
 * lacks what the new file has.
 */
int
cmd_reload(int argc, char *argv[])
{
	static const enum daemon_id	 order[] = {
		DAEMON_RELAYD, DAEMON_GREYD, DAEMON_SCAND, DAEMON_FRONT
	};
	struct talk			 t;
	long long			 before;
	size_t				 i;

	(void)argv;
	if (argc != 0)
		return usage("reload");
	if (gwctl_config_check() == -1)
		return 1;
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		before = generation(order[i]);
		talk_init(&t, order[i], VERB_CTL_RELOAD);
		t.seconds = RELOAD_S;
		if (talk(&t) != 0) {
			print_error(order[i], t.error);
			if (i > 0)
				fprintf(stderr, "gwctl: those before it have "
				    "reloaded, those after it have not\n");
			return 1;
		}
		if (wait_generation(order[i], before) == -1) {
			print_error(order[i], "the file was taken, but its "
			    "processes are not there yet, see the log");
			return 1;
		}
		printf("%s: reloaded\n", daemon_name(order[i]));
		(void)fflush(stdout);
	}
	return 0;
}

/* Of the configuration that a daemon runs with; -1: it does not say. */
static long long
generation(enum daemon_id d)
{
	struct talk	 t;
	long long	 n = -1;

	talk_init(&t, d, VERB_CTL_STATUS);
	t.text = take_generation;
	t.arg = &n;
	(void)talk(&t);
	return n;
}

static void
take_generation(const char *text, void *arg)
{
	static const char	 key[] = "generation ";
	long long		*n = arg;
	const char		*p;

	for (p = text; p != NULL && *p != '\0'; p++) {
		if (strncmp(p, key, sizeof(key) - 1) == 0)
			*n = strtoll(p + sizeof(key) - 1, NULL, 10);
		if ((p = strchr(p, '\n')) == NULL)
			return;
	}
}

static int
wait_generation(enum daemon_id d, long long before)
{
	struct timespec	 pause = { 0, RELOAD_NS };
	struct timespec	 began, t;
	long long	 now;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		if ((now = generation(d)) != -1 && now != before)
			return 0;
		(void)nanosleep(&pause, NULL);
		(void)clock_gettime(CLOCK_MONOTONIC, &t);
	} while (t.tv_sec - began.tv_sec < RELOAD_S);
	return -1;
}

static void
print_error(enum daemon_id d, const char *why)
{
	fprintf(stderr, "%s: ", daemon_name(d));
	print_clean(stderr, *why == '\0' ? "failed" : why);
	fprintf(stderr, "\n");
}
