/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/compat/memfile.h"
#include "common/message.h"
#include "gwctl/gwctl.h"

/*
 * Have a message scanned.  It goes to scand as it would from a client: sealed,
 * with the line ends of SMTP.
 */

/* Files on disk end their lines with LF only, as a rule. */
struct crlf {
	struct message	*msg;
	char		 last;		/* octet before, over pieces */
};

static struct message *scan_read(const char *);
static int	 crlf_write(struct crlf *, const char *, size_t);
static int	 scan_class(const struct netaddr *);
static int	 scan_ask(struct message *, const struct netaddr *,
		    const char *, const char *, const char *);
static void	 say(const char *, void *);

int
cmd_scan(int argc, char *argv[])
{
	struct options	 o;
	struct netaddr	 client;
	struct message	*msg;
	const char	*helo = "", *sender = "", *rcpt = "", *why;
	int		 c, status;

	memset(&client, 0, sizeof(client));
	options_init(&o, argc, argv, "c:f:h:r:");
	while ((c = options_next(&o)) != -1)
		switch (c) {
		case 'c':
			if (netaddr_parse(&client, o.value) == -1)
				errx(1, "%s is no address", o.value);
			break;
		case 'f':
			sender = o.value;
			break;
		case 'h':
			helo = o.value;
			break;
		case 'r':
			rcpt = o.value;
			break;
		default:
			return usage("scan");
		}
	if (o.argc != 1)
		return usage("scan");
	if ((*sender != '\0' && address_mailbox(sender, 1, &why) == -1) ||
	    (*rcpt != '\0' && address_mailbox(rcpt, 1, &why) == -1))
		errx(1, "not an address: %s", why);
	if (*helo != '\0' && !helo_valid(helo))
		errx(1, "%s is no name for HELO", helo);
	if ((msg = scan_read(o.argv[0])) == NULL)
		return 1;
	status = scan_ask(msg, &client, helo, sender, rcpt);
	message_free(msg);
	return status;
}

static struct message *
scan_read(const char *file)
{
	struct crlf	 out = { NULL, 0 };
	char		 buf[65536];
	ssize_t		 n;
	int		 fd = STDIN_FILENO, wfd, rfd;

	if (memfile_supplied() && memfile_make("/tmp", &wfd, &rfd) == 0)
		memfile_supply(wfd, rfd);
	if ((out.msg = message_new()) == NULL) {
		warn("memory file");
		return NULL;
	}
	if (strcmp(file, "-") != 0 &&
	    (fd = open(file, O_RDONLY | O_CLOEXEC)) == -1) {
		warn("%s", file);
		goto fail;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (crlf_write(&out, buf, (size_t)n) == -1) {
			warn("memory file");
			goto fail;
		}
		if (message_size(out.msg) > gwctl_config()->message_max) {
			warnx("%s is larger than message max", file);
			goto fail;
		}
	}
	if (n == -1) {
		warn("%s", file);
		goto fail;
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return out.msg;
fail:
	if (fd > STDIN_FILENO)
		close(fd);
	message_free(out.msg);
	return NULL;
}

static int
crlf_write(struct crlf *out, const char *p, size_t n)
{
	const char	*end = p + n, *from = p;

	for (; p < end; out->last = *p++) {
		if (*p != '\n' || out->last == '\r')
			continue;
		if (message_write(out->msg, from, (size_t)(p - from)) == -1 ||
		    message_write(out->msg, "\r", 1) == -1)
			return -1;
		from = p;
	}
	return message_write(out->msg, from, (size_t)(end - from));
}

static int
scan_ask(struct message *msg, const struct netaddr *client, const char *helo,
    const char *sender, const char *rcpt)
{
	uint8_t		 hash[MESSAGE_HASH];
	struct talk	 t;
	struct ibuf	 b;
	int		 fd, status;

	talk_init(&t, DAEMON_SCAND, VERB_CTL_SCAN);
	if ((fd = message_seal(msg, hash)) == -1 || (t.fd = dup(fd)) == -1) {
		warn("memory file");
		return 1;
	}
	ibuf_init(&b);
	ibuf_add_u64(&b, message_size(msg));
	ibuf_add_u8(&b, (uint8_t)scan_class(client));
	netaddr_add(&b, client);
	ibuf_add_str(&b, helo);
	ibuf_add_str(&b, sender);
	ibuf_add_str(&b, rcpt);
	t.data = &b;
	t.text = say;
	t.seconds += (int)gwctl_config()->limit_deadline_s;
	status = talk(&t);
	ibuf_free(&b);
	if (status == 0)
		return 0;
	(void)fflush(stdout);
	fprintf(stderr, "%s: ", daemon_name(DAEMON_SCAND));
	print_clean(stderr, *t.error == '\0' ? "failed" : t.error);
	fprintf(stderr, "\n");
	return 1;
}

/* As smtpd-front sees this client; one that is not given is a stranger. */
static int
scan_class(const struct netaddr *client)
{
	const struct config	*cf = gwctl_config();

	if (client->family == 0)
		return CLASS_INBOUND;
	if (cidr_list_contains(&cf->cluster, client))
		return CLASS_CLUSTER;
	return config_relay(cf, client) != NULL ? CLASS_RELAY : CLASS_INBOUND;
}

static void
say(const char *text, void *arg)
{
	(void)arg;
	print_text(stdout, text);
}
