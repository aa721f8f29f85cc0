/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * All that this server says, in one table: code (RFC 5321 4.2), enhanced
 * status (RFC 3463, RFC 5248; none for the greeting, HELO, EHLO and 354, RFC
 * 2034 3) and text.  LF divides the lines of a reply; %1 and %2 are filled in.
 */

static const struct {
	uint16_t	 code;
	const char	*status;
	const char	*text;
} replies[REPLY_MAX] = {
	[REPLY_BANNER] = { 220, NULL, "%1 ESMTP Pfoertner" },
	[REPLY_BYE] = { 221, "2.0.0", "%1 closing connection" },
	[REPLY_HELO] = { 250, NULL, "%1" },
	[REPLY_OK] = { 250, "2.0.0", "OK" },
	[REPLY_RSET] = { 250, "2.0.0", "Reset" },
	[REPLY_NOOP] = { 250, "2.0.0", "OK" },
	[REPLY_SENDER_OK] = { 250, "2.1.0", "Sender OK" },
	[REPLY_RCPT_OK] = { 250, "2.1.5", "Recipient OK" },
	[REPLY_VRFY] = { 252, "2.5.0", "Cannot verify, but will take mail "
	    "and try to deliver it" },
	[REPLY_HELP] = { 214, "2.0.0", "EHLO HELO STARTTLS MAIL RCPT DATA "
	    "RSET NOOP VRFY HELP QUIT\n%1" },
	[REPLY_TLS] = { 220, "2.0.0", "Ready to start TLS" },
	[REPLY_DATA] = { 354, NULL, "Go ahead, end with CRLF.CRLF" },
	[REPLY_ACCEPTED] = { 250, "2.0.0", "%1 accepted" },

	[REPLY_DRAIN] = { 421, "4.3.2", "%1 is being restarted, "
	    "please come again" },
	[REPLY_CONNECTIONS] = { 421, "4.7.0", "%1 has too many connections, "
	    "please try again later" },
	[REPLY_NETCONNECTIONS] = { 421, "4.7.0", "%1 has too many "
	    "connections from your network, please try again later" },
	[REPLY_ERRORS] = { 421, "4.7.0", "%1 too many errors" },
	[REPLY_COMMANDS] = { 421, "4.7.0", "%1 too many commands" },
	[REPLY_MESSAGES] = { 421, "4.7.0", "%1 enough messages for one "
	    "connection, please open another" },
	[REPLY_IDLE] = { 421, "4.4.2", "%1 idle for too long" },
	[REPLY_SLOW] = { 421, "4.4.2", "%1 data comes too slowly" },
	[REPLY_MEMORY] = { 421, "4.3.0", "%1 is out of memory" },
	[REPLY_EARLY] = { 554, "5.5.1", "%1 talks first" },
	[REPLY_PIPELINING] = { 554, "5.5.1", "%1 has not yet answered what "
	    "came before" },
	[REPLY_FOREIGN] = { 554, "5.5.1", "%1 speaks SMTP" },

	[REPLY_UNKNOWN] = { 500, "5.5.1", "Command unknown" },
	[REPLY_KNOWN] = { 502, "5.5.1", "Command not available" },
	[REPLY_LONG] = { 500, "5.5.2", "Line too long" },
	[REPLY_LINE_END] = { 500, "5.5.2", "Lines end with CR LF here" },
	[REPLY_NUL] = { 500, "5.5.2", "NUL in a command" },
	[REPLY_HELO_SYNTAX] = { 501, "5.5.4", "Neither a domain nor an "
	    "address literal" },
	[REPLY_NOARGS] = { 501, "5.5.4", "No parameters allowed" },
	[REPLY_ARGS] = { 501, "5.5.4", "Parameter missing" },
	[REPLY_NEED_HELO] = { 503, "5.5.1", "EHLO or HELO first" },
	[REPLY_NEED_MAIL] = { 503, "5.5.1", "MAIL first" },
	[REPLY_NEED_RCPT] = { 503, "5.5.1", "RCPT first" },
	[REPLY_NESTED] = { 503, "5.5.1", "Not inside a mail transaction" },
	[REPLY_NO_TLS] = { 502, "5.5.1", "TLS not available" },
	[REPLY_TLS_ON] = { 503, "5.5.1", "TLS is on already" },
	[REPLY_PARAM_UNKNOWN] = { 555, "5.5.4", "Parameter %1 unknown" },
	[REPLY_PARAM_BAD] = { 501, "5.5.4", "Parameter %1: bad value" },
	[REPLY_PARAM_TWICE] = { 501, "5.5.4", "Parameter %1 given twice" },
	[REPLY_PATH_SYNTAX] = { 501, "5.5.4", "Syntax: %1<address>" },
	[REPLY_SENDER_SYNTAX] = { 501, "5.1.7", "Bad sender address: %1" },
	[REPLY_RCPT_SYNTAX] = { 501, "5.1.3", "Bad recipient address: %1" },
	[REPLY_8BIT] = { 553, "5.6.7", "Address needs SMTPUTF8" },
	[REPLY_SIZE] = { 552, "5.3.4", "Message is too big, at most %1 "
	    "octets" },
	[REPLY_ROOM] = { 452, "4.3.1", "No room for a message of this size "
	    "now" },
	[REPLY_NOMEM] = { 451, "4.3.0", "Out of memory" },
	[REPLY_RATE] = { 451, "4.7.1", "Rate limit of your network reached, "
	    "try again in %1 seconds" },
	[REPLY_RELAY] = { 550, "5.7.1", "Relaying denied" },
	[REPLY_NO_USER] = { 550, "5.1.1", "No such mailbox" },
	[REPLY_RCPTS] = { 452, "4.5.3", "Too many recipients, at most %1" },
	[REPLY_RCPT_CLASS] = { 452, "4.5.3", "Recipients with another policy "
	    "have to come in a message of their own" },
	[REPLY_NO_RCPTS] = { 554, "5.5.1", "No valid recipients" },

	[REPLY_BARE] = { 550, "5.6.11", "Bare CR, bare LF or NUL in the "
	    "message" },
	[REPLY_LOOP] = { 554, "5.4.6", "Mail loop: too many Received fields" },
	[REPLY_BIG] = { 552, "5.3.4", "Message is too big, at most %1 octets" },
	[REPLY_FULL] = { 452, "4.3.1", "No room for this message now" },
	[REPLY_LOCAL] = { 451, "4.3.0", "Local error, try again later" },
	[REPLY_UNSCANNED] = { 451, "4.3.0", "Message could not be scanned, "
	    "try again later" },
	[REPLY_REJECT] = { 554, "5.7.1", "Message rejected: SPAM message "
	    "rejected." },
	[REPLY_TEMPFAIL] = { 451, "4.3.0", "Message could not be judged, "
	    "try again later" },
	[REPLY_SPLIT] = { 451, "4.7.1", "The recipients' policies differ on "
	    "this message\nIt will be taken for each group of them alone "
	    "when it is tried again" },
	[REPLY_GREY] = { 451, "4.7.1", "Greylisted, try again in %1 "
	    "seconds" },
	[REPLY_GREY_AWAY] = { 451, "4.7.1", "Greylisted, try again later" },
	[REPLY_QUEUE_AWAY] = { 451, "4.3.0", "Message could not be passed "
	    "on, try again later" },
	[REPLY_PUT_REFUSED] = { 554, "5.0.0", "Refused by the recipient's "
	    "mail server" },
	[REPLY_PUT_FAILED] = { 451, "4.3.0", "Message could not be stored, "
	    "try again later" },
};

static size_t	 expand(char *, size_t, const char *, const char *,
		    const char *);
static void	 lines(struct session *, unsigned, const char *, const char *,
		    int);
static int	 is_code(const char *);
static size_t	 read_status(const char *, char *, size_t);

unsigned
reply_code(unsigned id)
{
	return replies[id].code;
}

void
reply(struct session *s, unsigned id)
{
	reply_args(s, id, NULL, NULL);
}

void
reply_args(struct session *s, unsigned id, const char *a, const char *b)
{
	char	 text[LIM_REPLY];

	(void)expand(text, sizeof(text), replies[id].text, a, b);
	if (replies[id].code >= 500 && s->errors < UINT16_MAX)
		s->errors++;
	lines(s, replies[id].code, replies[id].status, text, 1);
}

/* The text with %1 and %2 filled in; what does not fit is cut. */
static size_t
expand(char *dst, size_t size, const char *text, const char *a, const char *b)
{
	const char	*arg;
	size_t		 n = 0;

	for (; *text != '\0' && n + 1 < size; text++) {
		if (*text != '%') {
			dst[n++] = *text;
			continue;
		}
		if (*++text == '\0')
			break;
		if ((arg = *text == '1' ? a : b) == NULL)
			arg = "";
		for (; *arg != '\0' && n + 1 < size; arg++)
			dst[n++] = *arg;
	}
	dst[n] = '\0';
	return n;
}

/*
 * Text of one or more lines, each with code and status.  last: nothing more
 * follows in this reply.  Others' words are made harmless on the way: a reply
 * is printable ASCII in lines of LIM_REPLY octets.
 */
static void
lines(struct session *s, unsigned code, const char *status, const char *text,
    int last)
{
	char	 line[LIM_REPLY];
	size_t	 head, n;
	int	 more;

	do {
		n = strcspn(text, "\n");
		more = text[n] == '\n' && text[n + 1] != '\0';
		head = (size_t)snprintf(line, sizeof(line), "%u%c%s%s", code,
		    more || !last ? '-' : ' ', status == NULL ? "" : status,
		    status == NULL ? "" : " ");
		for (; n > 0 && head < sizeof(line) - 2; n--, text++)
			line[head++] = isprint((unsigned char)*text) ?
			    *text : '?';
		text += n + (more != 0);
		memcpy(line + head, "\r\n", 2);
		if (io_write(s->io, line, head + 2) == -1) {
			s->failed = 1;
			return;
		}
	} while (more);
}

void
reply_ehlo(struct session *s)
{
	const struct config	*c = front.config;
	char			 text[1024], addr[64];
	int			 n;

	/* RFC 9422 3: what the client would else find out by our refusals. */
	n = snprintf(text, sizeof(text), "%s greets %s\nSIZE %llu\n"
	    "PIPELINING\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nDSN\n"
	    "LIMITS RCPTMAX=%u%s", c->node,
	    netaddr_literal(&s->client, addr, sizeof(addr)),
	    (unsigned long long)c->message_max,
	    c->limit_rcpts < LIM_RCPTS ? c->limit_rcpts : LIM_RCPTS,
	    s->tls != NULL && !io_is_tls(s->io) ? "\nSTARTTLS" : "");
	if (n < 0 || (size_t)n >= sizeof(text))
		text[sizeof(text) - 1] = '\0';
	lines(s, 250, NULL, text, 1);
}

void
reply_fd(int fd, unsigned id)
{
	char	 text[LIM_REPLY], line[2 * LIM_REPLY];
	int	 n;

	(void)expand(text, sizeof(text), replies[id].text, front.config->node,
	    NULL);
	n = snprintf(line, sizeof(line), "%u %s %s\r\n", replies[id].code,
	    replies[id].status, text);
	/* One try: who does not take it at once hears nothing. */
	if (n > 0 && write(fd, line, (size_t)n) == -1)
		return;
}

void
answer_set(struct answer *an, unsigned id, const char *a, const char *b)
{
	an->code = replies[id].code;
	(void)strlcpy(an->status, replies[id].status, sizeof(an->status));
	(void)expand(an->text, sizeof(an->text), replies[id].text, a, b);
}

/*
 * Words of another daemon or of a next hop: [code SP] status SP text, the
 * same or nothing in front of further lines.  Code and status must be of the
 * class of the reply that they stand for; else they are the table's.
 */
void
answer_foreign(struct answer *an, unsigned id, const char *text)
{
	char	 status[sizeof(an->status)];
	size_t	 n = 0, len;
	int	 first = 1;

	answer_set(an, id, NULL, NULL);
	if (*text == '\0')
		return;
	for (; *text != '\0' && n + 1 < sizeof(an->text); first = 0) {
		if (is_code(text)) {
			if (first && text[0] == '0' + (char)(an->code / 100))
				an->code = (unsigned)(text[0] - '0') * 100 +
				    (unsigned)(text[1] - '0') * 10 +
				    (unsigned)(text[2] - '0');
			text += 4;
		}
		if ((len = read_status(text, status, sizeof(status))) > 0) {
			if (first && status[0] == an->status[0])
				(void)strlcpy(an->status, status,
				    sizeof(an->status));
			text += len;
		}
		while (*text != '\0' && n + 1 < sizeof(an->text)) {
			if (*text != '\r')
				an->text[n++] = *text;
			if (*text++ == '\n')
				break;
		}
	}
	while (n > 0 && an->text[n - 1] == '\n')
		n--;
	an->text[n] = '\0';
	if (n == 0)
		answer_set(an, id, NULL, NULL);
}

/* Three digits and a blank or hyphen. */
static int
is_code(const char *s)
{
	return s[0] >= '2' && s[0] <= '5' && isdigit((unsigned char)s[1]) &&
	    isdigit((unsigned char)s[2]) && (s[3] == ' ' || s[3] == '-');
}

/* RFC 3463 2 and a blank; how long it is, or 0. */
static size_t
read_status(const char *s, char *status, size_t size)
{
	size_t	 n, digits;
	int	 part;

	if ((s[0] != '2' && s[0] != '4' && s[0] != '5') || s[1] != '.')
		return 0;
	for (n = 2, part = 0; part < 2; part++) {
		for (digits = 0; isdigit((unsigned char)s[n]); n++)
			digits++;
		if (digits == 0 || digits > 3)
			return 0;
		if (part == 0 && s[n++] != '.')
			return 0;
	}
	if (s[n] != ' ' || n >= size)
		return 0;
	memcpy(status, s, n);
	status[n] = '\0';
	return n + 1;
}

void
reply_answer(struct session *s, const struct answer *an, const char *id)
{
	struct audit	 a;
	char		 last[LIM_REPLY];

	audit_begin(&a, id, "reply");
	audit_num(&a, "code", an->code);
	audit_str(&a, "status", an->status);
	if (s == NULL)
		audit_str(&a, "client", "gone");
	audit_end(&a);
	if (s == NULL)
		return;
	if (an->code < 400) {
		lines(s, an->code, an->status, an->text, 1);
		return;
	}
	lines(s, an->code, an->status, an->text, 0);
	(void)snprintf(last, sizeof(last), "id %s, %s", id,
	    front.config->contact);
	lines(s, an->code, an->status, last, 1);
}
