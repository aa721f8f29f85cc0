/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>
#include <stddef.h>

#include "common/limits.h"

/*
 * Logging.  A parent logs to syslog or, in the foreground, to stderr.  A
 * child writes to its parent's log channel, in batches once a turn of its
 * loop: a chrooted connection to syslog would die with syslogd.  A full
 * channel counts what it drops and says so later.
 */

/* Begin to log as `name': to stderr if foreground, else to syslog. */
void	log_init(const char *name, int foreground);
/* From now on send lines to the parent over datagram socket fd, as `name'. */
void	log_child(int fd, const char *name);
/* Parent: take and emit everything that waits on a child's channel. */
void	log_relay(int fd);
/* More than 0: debug lines too. */
void	log_verbose(int level);
int	log_isverbose(void);
/*
 * Child: the channel, for the last line of a process that dies in a signal
 * handler; -1 in a parent.  One write(2): LOG_CHANNEL_CRIT, text, newline.
 */
int	log_channel(void);
#define LOG_CHANNEL_CRIT	"2"
/* Child: send what has been gathered.  The loop calls it once a turn. */
void	log_flush(void);

/* A finished line at level info, as it is (audit.c). */
void	log_line(const char *, size_t);

/* The first form of each pair appends ": " and strerror(errno). */
void	log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_warnx(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *, ...) __attribute__((format(printf, 1, 2)));
/* Start-up and broken invariants only, never remote input.  Exit 1. */
void	fatal(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));
void	fatalx(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));

/*
 * One audit line: logfmt, id first (pfoertner-log(5)).
 *
 *	audit_begin(&a, id, "reply");
 *	audit_num(&a, "code", 554);
 *	audit_end(&a);
 *
 * Values with blanks, quotes or control characters are quoted and escaped
 * (\xNN), so no peer can forge a line or a field.  Lines past LIM_LOGLINE
 * are cut at a field's end, with cut=1.
 */
struct audit {
	char	 line[LIM_LOGLINE];
	size_t	 len;
	int	 cut;
};

/* id may be NULL or "" for events without a message. */
void	audit_begin(struct audit *, const char *id, const char *event);
/* A NULL value leaves the field out. */
void	audit_str(struct audit *, const char *key, const char *value);
void	audit_path(struct audit *, const char *key, const char *address);
void	audit_num(struct audit *, const char *key, long long);
/* value is printed as seconds with three digits. */
void	audit_ms(struct audit *, const char *key, unsigned long long ms);
/* Hundredths of points as 4.00 */
void	audit_points(struct audit *, const char *key, int);
void	audit_hex(struct audit *, const char *key, const void *, size_t);
void	audit_fmt(struct audit *, const char *key, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
void	audit_end(struct audit *);

#endif
