/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gwctl/gwctl.h"

/*
 * gwctl(8), the operator's command.  The table below is the map: each command
 * is a function in the file of its group.
 */

struct gwctl	 gwctl = { .file = CONFIG_FILE };

static const struct command {
	const char	*name;
	command_fn	*run;
	const char	*args, *what;
} commands[] = {
	{ "status",	cmd_status,	"",
	    "how each daemon is doing" },
	{ "reload",	cmd_reload,	"",
	    "take a changed configuration into use" },
	{ "queue",	cmd_queue,	"[list | WORD ID ...]",
	    "what waits for delivery: list, show, retry, hold, release, "
	    "remove, drop" },
	{ "scan",	cmd_scan,
	    "[-c address] [-f sender] [-h helo] [-r rcpt] FILE | -",
	    "what the scanner says to a message" },
	{ "log",	cmd_log,	"[-f] [FILE ...]",
	    "the log in readable form" },
	{ "why",	cmd_why,	"ID [FILE ...]",
	    "the story of one message" },
	{ "selftest",	cmd_selftest,	"[-v] [-b directory]",
	    "try what each process must not be able to do" },
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void	 help(FILE *);
static void	 add_macro(const char *);

int
main(int argc, char *argv[])
{
	struct options	 o;
	size_t		 i;
	int		 c;

	log_init("gwctl", 1);
	gwctl.self = argv[0];
	options_init(&o, argc - 1, argv + 1, "D:f:");
	while ((c = options_next(&o)) != -1)
		switch (c) {
		case 'D':
			add_macro(o.value);
			break;
		case 'f':
			gwctl.file = o.value;
			break;
		default:
			help(stderr);
			return 1;
		}
	if (o.argc == 0 || strcmp(o.argv[0], "help") == 0) {
		help(o.argc == 0 ? stderr : stdout);
		return o.argc == 0;
	}
	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, o.argv[0]) == 0)
			return commands[i].run(o.argc - 1, o.argv + 1);
	warnx("there is no command %s", o.argv[0]);
	help(stderr);
	return 1;
}

static void
add_macro(const char *arg)
{
	struct config_macro	*m;
	char			*name, *eq;

	if ((name = strdup(arg)) == NULL)
		err(1, NULL);
	if ((eq = strchr(name, '=')) == NULL || eq == name)
		errx(1, "-D wants name=value");
	*eq = '\0';
	m = recallocarray(gwctl.macros, gwctl.nmacros, gwctl.nmacros + 1,
	    sizeof(*m));
	if (m == NULL)
		err(1, NULL);
	gwctl.macros = m;
	m[gwctl.nmacros].name = name;
	m[gwctl.nmacros++].value = eq + 1;
}

static void
help(FILE *fp)
{
	size_t	i;

	fprintf(fp, "usage: gwctl [-D name=value] [-f file] command ...\n\n");
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(fp, "    %s%s%s\n        %s\n", commands[i].name,
		    *commands[i].args == '\0' ? "" : " ", commands[i].args,
		    commands[i].what);
}

int
usage(const char *command)
{
	size_t	i;

	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, command) == 0)
			fprintf(stderr, "usage: gwctl %s%s%s\n",
			    commands[i].name,
			    *commands[i].args == '\0' ? "" : " ",
			    commands[i].args);
	return 1;
}

/* The gateway runs on while somebody edits the file. */
const struct config *
gwctl_config(void)
{
	static struct config	*cf;

	if (cf == NULL && (cf = config_parse_part(gwctl.file, gwctl.macros,
	    gwctl.nmacros, stderr)) == NULL)
		exit(1);
	return cf;
}

int
gwctl_config_check(void)
{
	struct config	*cf;

	if ((cf = config_parse_names(gwctl.file, gwctl.macros,
	    gwctl.nmacros, stderr)) == NULL)
		return -1;
	config_free(cf);
	return 0;
}
