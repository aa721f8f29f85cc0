/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <err.h>
#include <stdio.h>
#include <string.h>

#include "common/message.h"
#include "gwctl/gwctl.h"

/*
 * The queue of relayd-out.
 */

static const struct word {
	const char	*name;
	int		 ids;		/* wants some */
} words[] = {
	{ "list",	0 },
	{ "show",	1 },
	{ "retry",	1 },
	{ "hold",	1 },
	{ "release",	1 },
	{ "remove",	1 },
	{ "drop",	1 },
};

static int	queue_ask(const char *, const char *);
static void	say(const char *, void *);

int
cmd_queue(int argc, char *argv[])
{
	const char	*word = argc == 0 ? "list" : argv[0];
	size_t		 i;
	int		 k, bad = 0;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, word) == 0)
			break;
	if (i == sizeof(words) / sizeof(words[0]) ||
	    words[i].ids != (argc > 1))
		return usage("queue");
	if (!words[i].ids)
		return queue_ask(word, "");
	for (k = 1; k < argc; k++)
		if (!id_valid(argv[k]) && (strcmp(word, "retry") != 0 ||
		    strcmp(argv[k], "all") != 0)) {
			fprintf(stderr, "gwctl: %s is no id of a message\n",
			    argv[k]);
			return 1;
		}
	for (k = 1; k < argc; k++)
		bad |= queue_ask(word, argv[k]);
	return bad;
}

static int
queue_ask(const char *word, const char *arg)
{
	struct talk	 t;
	struct ibuf	 b;
	int		 status, said = 0;

	ibuf_init(&b);
	ibuf_add_str(&b, word);
	ibuf_add_str(&b, arg);
	talk_init(&t, DAEMON_RELAYD, VERB_CTL_QUEUE);
	t.data = &b;
	t.text = say;
	t.arg = &said;
	status = talk(&t);
	ibuf_free(&b);
	if (status == 0) {
		if (!said && strcmp(word, "list") == 0)
			warnx("nothing waits for delivery");
		return 0;
	}
	(void)fflush(stdout);
	fprintf(stderr, "%s: %s%s", daemon_name(DAEMON_RELAYD), arg,
	    *arg == '\0' ? "" : ": ");
	print_clean(stderr, *t.error == '\0' ? "failed" : t.error);
	fprintf(stderr, "\n");
	return 1;
}

static void
say(const char *text, void *arg)
{
	*(int *)arg = 1;
	print_text(stdout, text);
}
