/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/io.h"
#include "smtpd-front/smtpd-front.h"

/*
 * The table of commands, what must be true before one is run, and those that
 * need no file of their own.
 */

static const struct command	 commands[] = {
	{ "EHLO",	cmd_ehlo,	NEED_ARGS | NEED_LAST },
	{ "HELO",	cmd_helo,	NEED_ARGS | NEED_LAST },
	{ "MAIL",	cmd_mail,	NEED_ARGS | NEED_HELO | NEED_NOMAIL },
	{ "RCPT",	cmd_rcpt,	NEED_ARGS | NEED_HELO | NEED_MAIL },
	{ "DATA",	cmd_data,	NEED_NOARGS | NEED_HELO | NEED_MAIL |
					NEED_LAST },
	{ "RSET",	cmd_rset,	NEED_NOARGS },
	{ "QUIT",	cmd_quit,	NEED_NOARGS },
	{ "STARTTLS",	cmd_starttls,	NEED_NOARGS | NEED_NOMAIL |
					NEED_LAST },
	{ "NOOP",	cmd_noop,	0 },
	{ "VRFY",	cmd_vrfy,	NEED_ARGS },
	{ "HELP",	cmd_help,	0 },
	{ "EXPN",	cmd_known,	0 },
	{ "TURN",	cmd_known,	0 },
	{ "ETRN",	cmd_known,	0 },
	{ "AUTH",	cmd_known,	0 },
	{ "BDAT",	cmd_known,	0 },
	/* A browser that was led here must not speak SMTP by accident. */
	{ "GET",	cmd_foreign,	0 },
	{ "POST",	cmd_foreign,	0 },
	{ "PUT",	cmd_foreign,	0 },
	{ "CONNECT",	cmd_foreign,	0 },
};

static int	 command_may(struct session *, const struct command *,
		    const char *);

void
command_run(struct session *s, char *line)
{
	const struct command	*c = NULL;
	char			*args, *end;
	size_t			 i, n;

	/* RFC 5321 4.1.1: blanks at the end are borne */
	end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	n = strcspn(line, " \t");
	args = line + n + strspn(line + n, " \t");
	line[n] = '\0';
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcasecmp(line, commands[i].verb) == 0)
			c = &commands[i];
	if (c == NULL)
		reply(s, REPLY_UNKNOWN);
	else if (command_may(s, c, args))
		c->handler(s, args);
}

static int
command_may(struct session *s, const struct command *c, const char *args)
{
	/*
	 * RFC 2920 3.1: what has to be the last of a group is followed by
	 * nothing before our reply, and nothing at all is pipelined to who has
	 * not offered it.  What follows might be taken for something else than
	 * its sender meant, so it is not read.
	 */
	if (io_pending(s->io) > 0 && ((c->needs & NEED_LAST) ||
	    (!s->esmtp && c->handler != cmd_quit))) {
		session_close(s, REPLY_PIPELINING, "pipelining");
		return 0;
	}
	if ((c->needs & NEED_NOARGS) && *args != '\0')
		reply(s, REPLY_NOARGS);
	else if ((c->needs & NEED_ARGS) && *args == '\0')
		reply(s, REPLY_ARGS);
	else if ((c->needs & NEED_HELO) && s->helo == NULL)
		reply(s, REPLY_NEED_HELO);
	else if ((c->needs & NEED_MAIL) && s->transaction == NULL)
		reply(s, REPLY_NEED_MAIL);
	else if ((c->needs & NEED_NOMAIL) && s->transaction != NULL)
		reply(s, REPLY_NESTED);
	else
		return 1;
	return 0;
}

void
cmd_rset(struct session *s, char *args)
{
	(void)args;
	transaction_free(s->transaction);
	reply(s, REPLY_RSET);
}

void
cmd_noop(struct session *s, char *args)
{
	(void)args;
	reply(s, REPLY_NOOP);
}

void
cmd_quit(struct session *s, char *args)
{
	(void)args;
	session_close(s, REPLY_BYE, "quit");
}

void
cmd_vrfy(struct session *s, char *args)
{
	(void)args;
	reply(s, REPLY_VRFY);
}

void
cmd_help(struct session *s, char *args)
{
	(void)args;
	reply_args(s, REPLY_HELP, front.config->contact, NULL);
}

void
cmd_known(struct session *s, char *args)
{
	(void)args;
	reply(s, REPLY_KNOWN);
}

void
cmd_foreign(struct session *s, char *args)
{
	(void)args;
	session_close(s, REPLY_FOREIGN, "foreign protocol");
}
