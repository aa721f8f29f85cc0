/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tls.h>
#include <unistd.h>

#include "common/compat/memfile.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/tls.h"
#include "smtpd-front/smtp.h"
#include "smtpd-front/smtpd-front.h"

/*
 * smtpd-front: the parent, which reads certificates and keys and owns the
 * page of counts, and the table of its children.
 */

#define FSIZE_MORE	65536

static unsigned	 nsmtp(const struct config *);
static uint64_t	 fsize(const struct config *);
static int	 prepare(const struct config *, char *, size_t);
static void	 shares(const struct config *, enum peer, unsigned);
static void	 died(enum peer, unsigned);

static const struct process	 processes[] = {
	{
		.role = PEER_SMTP, .title = "smtp", .user = "smtp",
		.root = ROOT_EMPTY, .death = PROC_WORKER, .count = nsmtp,
		.powers = POWER_ACCEPT | POWER_INET | POWER_MEMFILE |
		    POWER_READFD,
		.serves = 1U << LISTEN_MAIL | 1U << LISTEN_CONTROL,
		.calls = 1U << DAEMON_SCAND | 1U << DAEMON_GREYD |
		    1U << DAEMON_RELAYD,
		.fsize = fsize,
		.start = smtp_start, .verbs = smtp_verbs,
		.peer_up = smtp_peer_up, .peer_gone = smtp_peer_gone,
		.listen = smtp_listen, .share = smtp_share,
		.drain = smtp_drain,
	},
};

/* What the parent keeps of each pki line, for children that come later. */
struct secret {
	uint32_t	 index;
	int		 cert, key;
};
static struct secret	*secrets;
static size_t		 nsecrets;
static int		 page = -1;

static int	 page_make(const struct config *);
static int	 secret_read(const struct config *, const struct config_pki *,
		    struct secret *, char *, size_t);
static int	 file_read(const struct config *, const char *, char *, size_t);
static void	 secrets_free(struct secret *, size_t);

int
main(int argc, char *argv[])
{
	struct process	 table[sizeof(processes) / sizeof(processes[0])];
	struct daemon	 d = {
		.name = "smtpd-front", .id = DAEMON_FRONT,
		.procs = table, .nprocs = sizeof(table) / sizeof(table[0]),
		.prepare = prepare, .shares = shares, .died = died,
	};

	memcpy(table, processes, sizeof(table));
	table[0].nverbs = smtp_nverbs;
	return daemon_main(argc, argv, &d);
}

static unsigned
nsmtp(const struct config *c)
{
	return c->nsmtp;
}

/* The cage itself stops a message that our own limit did not. */
static uint64_t
fsize(const struct config *c)
{
	return c->message_max + FSIZE_MORE;
}

/*
 * Before a configuration is used: all its certificates are there and belong to
 * their keys.  The children get what was read now, however the files change
 * until the next reload.
 */
static int
prepare(const struct config *c, char *why, size_t size)
{
	const struct config_pki	*p;
	struct secret		*new = NULL;
	size_t			 n = 0, i = 0;

	(void)strlcpy(why, "out of memory", size);
	if (page == -1 && page_make(c) == -1)
		return -1;
	TAILQ_FOREACH(p, &c->pkis, entry)
		n++;
	if (n > 0 && (new = calloc(n, sizeof(*new))) == NULL)
		return -1;
	TAILQ_FOREACH(p, &c->pkis, entry) {
		if (secret_read(c, p, &new[i], why, size) == -1) {
			secrets_free(new, i);
			return -1;
		}
		i++;
	}
	secrets_free(secrets, nsecrets);
	secrets = new;
	nsecrets = n;
	return 0;
}

static int
page_make(const struct config *c)
{
	int	 rfd;

	if (memfile_make(c->dir_runtime, &page, &rfd) == -1) {
		log_warn("page of counts");
		return -1;
	}
	if (rfd != page)
		close(rfd);
	if (limit_page_make(page) == -1) {
		log_warn("page of counts");
		close(page);
		page = -1;
		return -1;
	}
	return 0;
}

static int
secret_read(const struct config *c, const struct config_pki *p,
    struct secret *s, char *why, size_t size)
{
	struct pki_pem	 pem = { { NULL, 0 }, { NULL, 0 } };
	struct tls	*server = NULL;
	char		 reason[256];

	s->index = p->index;
	s->key = -1;
	if ((s->cert = file_read(c, p->cert, reason, sizeof(reason))) == -1 ||
	    (s->key = file_read(c, p->key, reason, sizeof(reason))) == -1)
		goto out;
	if (pem_map(&pem.cert, s->cert) == -1 ||
	    pem_map(&pem.key, s->key) == -1) {
		(void)strlcpy(reason, "empty certificate or key",
		    sizeof(reason));
		goto out;
	}
	server = pki_server(&pem, 1, reason, sizeof(reason));
out:
	pem_unmap(&pem.cert);
	pem_unmap(&pem.key);
	tls_free(server);
	if (server != NULL)
		return 0;
	(void)snprintf(why, size, "%s:%u: pki \"%s\": %s", p->where.file,
	    p->where.line, p->name, reason);
	if (s->cert != -1)
		close(s->cert);
	if (s->key != -1)
		close(s->key);
	return -1;
}

/* A file's content as a sealed memory file; -1 with why. */
static int
file_read(const struct config *c, const char *name, char *why, size_t size)
{
	struct stat	 st;
	char		*text;
	ssize_t		 n = -1;
	int		 fd, wfd, rfd;

	if ((text = malloc(LIM_PEM + 1)) == NULL ||
	    (fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		(void)snprintf(why, size, "%s: %s", name, strerror(errno));
		free(text);
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, text, LIM_PEM + 1);
	close(fd);
	rfd = -1;
	if (n <= 0 || n > LIM_PEM)
		(void)snprintf(why, size, "%s: no certificate or key of at "
		    "most %d octets", name, LIM_PEM);
	else if (memfile_make(c->dir_runtime, &wfd, &rfd) == -1)
		(void)snprintf(why, size, "memory file: %s", strerror(errno));
	else if (write(wfd, text, (size_t)n) != n ||
	    memfile_seal(&wfd, rfd) == -1) {
		(void)snprintf(why, size, "memory file: %s", strerror(errno));
		close(rfd);
		rfd = -1;
	}
	freezero(text, LIM_PEM + 1);
	return rfd;
}

static void
secrets_free(struct secret *s, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++) {
		close(s[i].cert);
		close(s[i].key);
	}
	free(s);
}

static void
shares(const struct config *c, enum peer role, unsigned instance)
{
	size_t	 i;

	(void)c;
	(void)role;
	(void)instance;
	proc_share(SHARE_LIMITS, 0, fcntl(page, F_DUPFD_CLOEXEC, 0));
	for (i = 0; i < nsecrets; i++) {
		proc_share(SHARE_CERT, secrets[i].index,
		    fcntl(secrets[i].cert, F_DUPFD_CLOEXEC, 0));
		proc_share(SHARE_KEY, secrets[i].index,
		    fcntl(secrets[i].key, F_DUPFD_CLOEXEC, 0));
	}
}

static void
died(enum peer role, unsigned instance)
{
	(void)role;
	(void)instance;
	limit_page_sweep();
}
