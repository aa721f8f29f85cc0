/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef GWCTL_GWCTL_H
#define GWCTL_GWCTL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config/config.h"
#include "common/imsg.h"
#include "common/protocol.h"

#define GWCTL_LOGFILE	"/var/log/pfoertner.log"

/*
 * main.c
 */

/* What the command line said before the command. */
struct gwctl {
	const char		*self;		/* argv[0] */
	const char		*file;
	struct config_macro	*macros;
	size_t			 nmacros;
};
extern struct gwctl	 gwctl;

/* The configuration, as far as it can be read, when it is first asked for;
   exits without a file. */
const struct config	*gwctl_config(void);
/* Has it no errors?  -1 after telling them. */
int			 gwctl_config_check(void);

/* A command: arguments without its name; returns the exit status. */
typedef int	 command_fn(int, char *[]);
command_fn	 cmd_status, cmd_reload, cmd_queue, cmd_scan, cmd_log, cmd_why,
		    cmd_selftest;

/*
 * options.c: one option after the other, up to the first word that is none;
 * -- ends them and is skipped.
 */
struct options {
	int		 argc;		/* what is left, the words last */
	char		**argv;
	const char	*spec;		/* as for getopt(3) */
	const char	*next;		/* inside of -abc */
	const char	*value;		/* of the option that was returned */
};
void	 options_init(struct options *, int, char *[], const char *spec);
/* The option, -1 after the last, '?' for one that is wrong (and was told). */
int	 options_next(struct options *);
/* Say how a command is called; returns 1. */
int	 usage(const char *command);

/*
 * talk.c: one question to a daemon.
 */
struct talk {
	enum daemon_id	 daemon;
	uint32_t	 verb;
	const struct ibuf *data;	/* or NULL */
	int		 fd;		/* taken; -1: none */
	int		 seconds;	/* that it may be silent */
	void		(*text)(const char *, void *);
	void		*arg;
	char		 error[512];	/* filled when talk() is not 0 */
};
/* 0, the daemon's exit status, or -1: no answer. */
int	 talk(struct talk *);
void	 talk_init(struct talk *, enum daemon_id, uint32_t verb);

/*
 * line.c: one line of a log.
 */
#define LINE_SIZE	4096
#define LINE_FIELDS	64

struct line {
	char		 buf[LINE_SIZE];	/* decoded in place */
	char		 date[16];	/* "2026-07-01", "Jul  1" or "" */
	char		 clock[16];	/* "10:16:00.123" or "" */
	char		 when[32];	/* both, to be sorted by, or "" */
	const char	*daemon;	/* "" when it is not said */
	const char	*rest;		/* of the text, behind that */
	const char	*id, *event;	/* id: "" without one */
	struct field {
		const char	*key, *value;
	}		 fields[LINE_FIELDS];
	size_t		 nfields;
};
/*
 * Is this an audit line (pfoertner-log(5))?  Only what directly follows a
 * daemon's tag counts, so that nobody's text inside of a line can pass for
 * one.  0: no, and only date, clock and daemon may be filled.
 */
int		 line_parse(struct line *, const char *);
const char	*line_value(const struct line *, const char *key);
/* Does the text hold this id as a word? */
int		 line_mentions(const char *text, const char *id);

/*
 * tell.c: events in words.
 */
enum mood { MOOD_PLAIN, MOOD_GOOD, MOOD_BAD, MOOD_WAIT };

struct telling {
	const char	*event;
	const char	*key, *value;	/* only if the field is so; "2*" */
	enum mood	 mood;
	const char	*brief;		/* for gwctl log */
	const char	*sentence;	/* for gwctl why; NULL: the brief one */
};
/* NULL: an event that is not known. */
const struct telling *telling_find(const struct line *);
/*
 * {key} is a field, {key#word} a number and a word in the right form,
 * [ ... ] goes when a field in it is not there, {} is all fields.
 */
void		 tell(FILE *, const char *form, const struct line *);
/* Without what could harm a terminal: part of a line, or whole lines. */
void		 print_clean(FILE *, const char *text);
void		 print_text(FILE *, const char *text);

/*
 * log.c, for why.c as well.
 */
struct palette {
	const char	*mood[4], *dim, *off;
};
/* Colours where fp is a terminal that wants them, else empty strings. */
const struct palette *palette_for(FILE *);

#endif
