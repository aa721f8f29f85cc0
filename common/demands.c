/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/proc_int.h"

/*
 * What a configuration asks of this machine: users, addresses, directories.
 * The parser cannot know, and children would find out too late: on a reload
 * the old ones have gone by then.  So the parent looks before it uses a file.
 */

static int	 tell(FILE *, const struct config_where *, const char *,
		    const char *, ...) __attribute__((format(printf, 4, 5)));
static int	 users_met(const struct daemon *, const struct config *,
		    FILE *);
static void	 operators_known(const struct config *, FILE *);
static void	 clamds_seen(const struct daemon *, const struct config *,
		    FILE *);
static int	 address_met(const struct config *, const struct netaddr *,
		    FILE *);
static int	 sends(const struct daemon *);
static int	 unchanged(const struct config_where *, const char *,
		    const char *, const char *, FILE *);

int
demands_met(const struct daemon *d, const struct config *c,
    const struct config *running, int addresses, FILE *f)
{
	int	 bad = 0;

	bad |= users_met(d, c, f);
	operators_known(c, f);
	clamds_seen(d, c, f);
	if (addresses && sends(d)) {
		bad |= address_met(c, &c->send4, f);
		bad |= address_met(c, &c->send6, f);
	}
	if (running != NULL) {
		bad |= unchanged(&c->where_user, "user prefix",
		    c->user_prefix, running->user_prefix, f);
		bad |= unchanged(&c->where_runtime, "directory runtime",
		    c->dir_runtime, running->dir_runtime, f);
		bad |= unchanged(&c->where_spool, "directory spool",
		    c->dir_spool, running->dir_spool, f);
		bad |= unchanged(&c->where_state, "directory state",
		    c->dir_state, running->dir_state, f);
	}
	return bad;
}

/* As the parser does.  Returns -1. */
static int
tell(FILE *f, const struct config_where *where, const char *prefix,
    const char *fmt, ...)
{
	va_list	 ap;

	if (where->line == 0)
		fprintf(f, "%s: %s", where->file, prefix);
	else
		fprintf(f, "%s:%u: %s", where->file, where->line, prefix);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	putc('\n', f);
	return -1;
}

static int
users_met(const struct daemon *d, const struct config *c, FILE *f)
{
	const struct passwd	*pw;
	char			 name[64];
	size_t			 i;
	int			 n, bad = 0;

	for (i = 0; i < d->nprocs; i++) {
		n = snprintf(name, sizeof(name), "%s%s", c->user_prefix,
		    d->procs[i].user);
		if (n < 0 || (size_t)n >= sizeof(name) ||
		    (pw = getpwnam(name)) == NULL)
			bad |= tell(f, &c->where_user, "", "there is no user "
			    "%s%s; make install makes the users",
			    c->user_prefix, d->procs[i].user);
		else if (pw->pw_uid == 0)
			bad |= tell(f, &c->where_user, "", "user %s is root",
			    name);
	}
	return bad;
}

/* Somebody who has left shall not keep the gateway from starting. */
static void
operators_known(const struct config *c, FILE *f)
{
	size_t	 i;

	for (i = 0; i < c->operators.n; i++)
		if (getpwnam(c->operators.v[i]) == NULL)
			(void)tell(f, &c->where_operators, "warning: ",
			    "there is no user %s", c->operators.v[i]);
}

/* It may be started later than we are. */
static void
clamds_seen(const struct daemon *d, const struct config *c, FILE *f)
{
	struct stat	 st;
	size_t		 i;

	for (i = 0; i < d->nprocs; i++)
		if (d->procs[i].root == ROOT_CLAMD)
			break;
	if (i == d->nprocs)
		return;
	for (i = 0; i < c->clamd.n; i++)
		if (stat(c->clamd.v[i], &st) == -1)
			(void)tell(f, &c->where_antivirus, "warning: ",
			    "clamd %s: %s", c->clamd.v[i], strerror(errno));
}

static int
sends(const struct daemon *d)
{
	size_t	 i;

	for (i = 0; i < d->nprocs; i++)
		if (d->procs[i].role == PEER_DELIVER)
			return 1;
	return 0;
}

/* Is that an address of this machine? */
static int
address_met(const struct config *c, const struct netaddr *addr, FILE *f)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	char			 text[NETADDR_STRLEN];
	int			 s, bad;

	if (addr->family == 0)
		return 0;
	len = netaddr_to_sockaddr(addr, 0, &ss);
	s = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bad = s == -1 || bind(s, (struct sockaddr *)&ss, len) == -1;
	if (bad)
		(void)tell(f, &c->where_send, "", "send from %s: %s",
		    netaddr_print(addr, text, sizeof(text)), strerror(errno));
	if (s != -1)
		close(s);
	return bad ? -1 : 0;
}

/* What is the running children's home cannot be moved below them. */
static int
unchanged(const struct config_where *where, const char *what,
    const char *new, const char *old, FILE *f)
{
	if (strcmp(new, old) == 0)
		return 0;
	return tell(f, where, "", "%s %s was %s at the start: that takes a "
	    "restart", what, new, old);
}
