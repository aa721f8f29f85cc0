/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

/*
 * Where lines go: syslog or stderr in a parent, a datagram socket in a child.
 * On the socket a line is its level as one character, its text and a newline;
 * a datagram holds as many lines as one turn of the loop produced.
 */

static const char	*log_name = "pfoertner";
static char		 log_proc[48];
static int		 log_foreground = 1;
static int		 log_level;
static int		 log_fd = -1;		/* child's channel */
static char		*batch;			/* child: LIM_LOGBATCH */
static size_t		 batch_len;
static unsigned		 batch_lines, batch_lost;
static char		 out[4096];	/* parent: to be written; PIPE_BUF */
static size_t		 out_len;

static void	 emit(int, const char *, size_t);
static void	 emit_child(int, const char *, size_t);
static void	 emit_parent(int, const char *, size_t);
static void	 out_flush(void);
static void	 vlog(int, int, const char *, va_list)
		    __attribute__((format(printf, 3, 0)));

void
log_init(const char *name, int foreground)
{
	log_name = name;
	log_foreground = foreground;
	if (!foreground)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_MAIL);
	tzset();
}

void
log_child(int fd, const char *name)
{
	if ((batch = malloc(LIM_LOGBATCH)) == NULL)
		fatal("log");
	(void)snprintf(log_proc, sizeof(log_proc), "%s", name);
	log_fd = fd;
}

void
log_verbose(int level)
{
	log_level = level;
}

int
log_isverbose(void)
{
	return log_level;
}

int
log_channel(void)
{
	return log_fd;
}

static void
emit(int level, const char *text, size_t len)
{
	if (log_fd != -1)
		emit_child(level, text, len);
	else {
		emit_parent(level, text, len);
		out_flush();
	}
}

static void
emit_child(int level, const char *text, size_t len)
{
	if (len + 2 > LIM_LOGBATCH)
		len = LIM_LOGBATCH - 2;
	if (batch_len + len + 2 > LIM_LOGBATCH)
		log_flush();
	batch[batch_len++] = (char)('0' + level);
	memcpy(batch + batch_len, text, len);
	batch_len += len;
	batch[batch_len++] = '\n';
	batch_lines++;
}

static void
emit_parent(int level, const char *text, size_t len)
{
	static char	 when[40];
	static time_t	 second = -1;
	struct timespec	 ts;
	struct tm	 tm;
	size_t		 room;
	int		 n;

	if (!log_foreground) {
		syslog(level, "%.*s", (int)len, text);
		return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (ts.tv_sec != second && (gmtime_r(&ts.tv_sec, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm) == 0))
		when[0] = '\0';
	second = ts.tv_sec;
	if (sizeof(out) - out_len < LIM_LOGLINE + 128)
		out_flush();
	room = sizeof(out) - out_len;
	n = snprintf(out + out_len, room, "%s.%03ldZ %s: %.*s\n", when,
	    ts.tv_nsec / 1000000, log_name, (int)len, text);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		n = (int)room - 1;
		out[out_len + (size_t)n - 1] = '\n';
	}
	out_len += (size_t)n;
}

/* No more at once than a pipe takes whole: lines of several daemons on one
   file or pipe are not mixed. */
static void
out_flush(void)
{
	size_t	 n = out_len;

	out_len = 0;
	if (n > 0 && write(STDERR_FILENO, out, n) == -1)
		return;		/* there is nowhere left to say so */
}

void
log_flush(void)
{
	char	 note[80];
	int	 n;

	if (log_fd == -1 || batch_len == 0)
		return;
	if (batch_lost != 0) {
		n = snprintf(note, sizeof(note),
		    "%c%s: %u log lines were lost, the channel was full\n",
		    '0' + LOG_WARNING, log_proc, batch_lost);
		if (n > 0 && (size_t)n < sizeof(note) &&
		    send(log_fd, note, (size_t)n, MSG_DONTWAIT) == n)
			batch_lost = 0;
	}
	if (send(log_fd, batch, batch_len, MSG_DONTWAIT) == -1)
		batch_lost += batch_lines;
	batch_len = 0;
	batch_lines = 0;
}

void
log_relay(int fd)
{
	static char	 buf[LIM_LOGBATCH];
	const char	*p, *nl, *end;
	ssize_t		 n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		end = buf + n;
		for (p = buf; p + 1 < end; p = nl + 1) {
			nl = memchr(p, '\n', (size_t)(end - p));
			if (nl == NULL)
				nl = end;
			if (*p >= '0' && *p <= '7')
				emit_parent(*p - '0', p + 1,
				    (size_t)(nl - p) - 1);
		}
	}
	out_flush();
}

/* fmt, then with an errno ": " and its text. */
static void
vlog(int level, int saved, const char *fmt, va_list ap)
{
	char	 line[LIM_LOGLINE];
	size_t	 len = 0, i;
	int	 n;

	if (log_fd != -1) {
		n = snprintf(line, sizeof(line), "%s: ", log_proc);
		if (n > 0)
			len = (size_t)n;
	}
	n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	if (n > 0)
		len += (size_t)n;
	if (len < sizeof(line) && saved != 0) {
		n = snprintf(line + len, sizeof(line) - len, ": %s",
		    strerror(saved));
		if (n > 0)
			len += (size_t)n;
	}
	if (len >= sizeof(line))
		len = sizeof(line) - 1;
	/* What a peer sent may be in it: it must not make a second line. */
	for (i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	emit(level, line, len);
}

void
log_warn(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved = errno;

	va_start(ap, fmt);
	vlog(LOG_ERR, saved, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LOG_ERR, 0, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LOG_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list	 ap;

	if (log_level == 0)
		return;
	va_start(ap, fmt);
	vlog(LOG_DEBUG, 0, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved = errno;

	va_start(ap, fmt);
	vlog(LOG_CRIT, saved, fmt, ap);
	va_end(ap);
	log_flush();
	_exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LOG_CRIT, 0, fmt, ap);
	va_end(ap);
	log_flush();
	_exit(1);
}

void
log_line(const char *line, size_t len)
{
	emit(LOG_INFO, line, len);
}
