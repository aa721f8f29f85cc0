/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "gwctl/gwctl.h"

/*
 * Events in words: one row for each kind, or for each value of a field that
 * makes a difference.  The first that fits counts.  Keys and events are those
 * of pfoertner-log(5).
 */
static const struct telling tellings[] = {
	/* The session. */
	{ "connect", "class", "inbound", MOOD_PLAIN,
	    "{addr}[ {rdns}] inbound",
	    "{addr}[ ({rdns})] connected, a stranger: it may send to the "
	    "served domains only." },
	{ "connect", "class", "relay", MOOD_PLAIN,
	    "{addr}[ {rdns}] relay",
	    "{addr}[ ({rdns})] connected, a relay client: it may send "
	    "anywhere." },
	{ "connect", "class", "cluster", MOOD_PLAIN,
	    "{addr}[ {rdns}] cluster",
	    "{addr}[ ({rdns})] connected, a machine of the cluster." },
	{ "turned-away", NULL, NULL, MOOD_WAIT,
	    "{addr} {why}[, {others} others]", NULL },
	{ "tls", NULL, NULL, MOOD_PLAIN,
	    "{tls}",
	    "From here on it was encrypted: {tls}." },
	{ "disconnect", NULL, NULL, MOOD_PLAIN,
	    "{why}[, {messages#message}][, {accepted} accepted]"
	    "[, {refused} refused][, {errors#error}][, {time} s]", NULL },

	/* The transaction. */
	{ "rate", "result", NULL, MOOD_WAIT,
	    "{key} waits {wait} s",
	    "The rate of {key} is used up for {wait} s." },
	{ "rate", NULL, NULL, MOOD_WAIT,
	    "{from} waits {seconds} s",
	    "Its sender, {from}, had used up its rate, and was asked to wait "
	    "for {seconds} s." },
	{ "rcpt", "trap", "1", MOOD_BAD,
	    "{to}[ of {participant}] is a trap, {code}",
	    "Recipient {to}[ of {participant}] is a trap, which nobody "
	    "honest writes to; the answer was {code}." },
	{ "rcpt", "discard", "1", MOOD_PLAIN,
	    "{to}[ of {participant}] is a dummy, {code}",
	    "Recipient {to}[ of {participant}] is a dummy: what comes for it "
	    "is dropped; the answer was {code}." },
	{ "rcpt", "code", "2*", MOOD_PLAIN,
	    "{to}[ of {participant}] {code}",
	    "Recipient {to}[ of {participant}] was taken." },
	{ "rcpt", "code", "4*", MOOD_WAIT,
	    "{to}[ of {participant}] {code}",
	    "Recipient {to}[ of {participant}] was put off with {code}." },
	{ "rcpt", NULL, NULL, MOOD_BAD,
	    "{to}[ of {participant}] {code}",
	    "Recipient {to}[ of {participant}] was refused with {code}." },
	{ "message", NULL, NULL, MOOD_PLAIN,
	    "{from} to {rcpts#recipient}[ of {participant}], {size} octets"
	    "[, from {addr}]",
	    "The message was complete: from {from} to {rcpts#recipient}"
	    "[ of {participant}], {size} octets.[  Its SHA-256 is {sha256}.]" },
	{ "unfit", NULL, NULL, MOOD_BAD,
	    "[{from} ]not scanned[: {why}]",
	    "It was not scanned[, for it is not fit to be: {why}]." },
	{ "abandoned", NULL, NULL, MOOD_WAIT,
	    "client left, stage {stage}",
	    "The client left before it had an answer (stage: {stage})." },

	/* The judgement. */
	{ "scanned", NULL, NULL, MOOD_PLAIN,
	    "score {score}[ in {s} s][, {dns#question}][ {sym}]",
	    "It was scanned[ in {s} s][, with {dns#DNS question}]: score "
	    "{score}.[  Attachments: {files}.][  Found: {found}.]" },
	{ "scan-failed", NULL, NULL, MOOD_WAIT,
	    "{why}",
	    "It could not be scanned: {why}." },
	{ "verdict", "action", "reject", MOOD_BAD,
	    "reject[ {score}][ of {reject}][ {sym}]",
	    "The verdict: refuse." },
	{ "verdict", "action", "greylist", MOOD_WAIT,
	    "greylist[ {score}][, from {greylist} to {reject}][ {sym}]",
	    "The verdict: greylist." },
	{ "verdict", "action", "tempfail", MOOD_WAIT,
	    "tempfail[ {score}][ {sym}]",
	    "The verdict: it cannot be judged now." },
	{ "verdict", "action", "split", MOOD_WAIT,
	    "split[ {score}][, {classes} classes][ {sym}]",
	    "The verdict differs between its recipients; they have to be "
	    "tried one class after the other." },
	{ "verdict", "why", "cluster", MOOD_GOOD,
	    "accept, cluster",
	    "The verdict: accept; inside of the cluster nothing is scanned "
	    "twice." },
	{ "verdict", NULL, NULL, MOOD_GOOD,
	    "{action}[ {score}][ of {greylist}][ {sym}]",
	    "The verdict: {action}." },
	{ "grey", "wait", NULL, MOOD_WAIT,
	    "{client}[ {domain}] waits {wait} s: {why}",
	    "The greylist (client {client}[, domain {domain}]): {why}, so it "
	    "has to wait for {wait} s." },
	{ "grey", "result", "wait", MOOD_WAIT,
	    "wait {seconds} s[: {why}]",
	    "So it was greylisted: the client has to come again, after "
	    "{seconds} s at the earliest." },
	{ "grey", "client", NULL, MOOD_GOOD,
	    "{client}[ {domain}] passes: {why}",
	    "The greylist (client {client}[, domain {domain}]): {why}, so it "
	    "may pass." },
	{ "grey", NULL, NULL, MOOD_GOOD,
	    "{result}[: {why}]",
	    "So greylisting did not stop it[: {why}]." },
	{ "accepted", NULL, NULL, MOOD_GOOD,
	    "{how}[, after {delay} s]",
	    "It was safe ({how})[ {delay} s after its end]." },
	{ "reply", "client", "gone", MOOD_WAIT,
	    "{code} {status}, but the client has gone",
	    "The answer, {code} {status}, found no client any more." },
	{ "reply", "code", "2*", MOOD_GOOD,
	    "{code} {status}",
	    "The client was told {code} {status}: the message is ours now." },
	{ "reply", "code", "4*", MOOD_WAIT,
	    "{code} {status}",
	    "The client was told {code} {status}: try again later." },
	{ "reply", NULL, NULL, MOOD_BAD,
	    "{code} {status}",
	    "The client was told {code} {status}: refused." },

	/* On its way. */
	{ "delivered", NULL, NULL, MOOD_GOOD,
	    "{to}[, {rcpts#recipient}][, {delay} s][: {reply}]",
	    "{to} took it[ for {rcpts#recipient}][, over {tls}][, {delay} s "
	    "after we had it][, by {path}].[  It said: {reply}]" },
	{ "plain", NULL, NULL, MOOD_PLAIN,
	    "{to}[: {reason}]",
	    "TLS with {to} did not work[ ({reason})], so it is tried "
	    "without." },
	{ "deferred", "next", NULL, MOOD_WAIT,
	    "{rcpt}[ {to}][: {reply}], again in {next} s",
	    "It could not be delivered to {rcpt} now[; {to} said: {reply}].  "
	    "Attempt {attempts}; the next is in {next} s." },
	{ "deferred", NULL, NULL, MOOD_WAIT,
	    "{rcpt}[ {to}][: {reply}]",
	    "It could not be delivered to {rcpt} now[: {reply}]." },
	{ "failed", NULL, NULL, MOOD_BAD,
	    "{rcpt}[ {to}][: {reply}]",
	    "It cannot be delivered to {rcpt}[: {to} refused it][, {status}]"
	    "[: {reply}]." },
	{ "expired", NULL, NULL, MOOD_BAD,
	    "{rcpt}[, {attempts#attempt}][: {reply}]",
	    "Delivery to {rcpt} was given up[ after {attempts#attempt}]"
	    "[: {reply}]." },
	{ "removed", NULL, NULL, MOOD_BAD,
	    "{rcpt}[: {reply}]",
	    "An operator removed {rcpt} from it." },
	{ "dropped", NULL, NULL, MOOD_BAD,
	    "[{from}, ]{rcpts#recipient}[, by {by}]",
	    "It was dropped from the queue[ by an {by}], with "
	    "{rcpts#recipient} left and without a report." },
	{ "undeliverable", NULL, NULL, MOOD_BAD,
	    "{rcpt}[ {status}][: {reply}][; {reason}]",
	    "It cannot be delivered to {rcpt}[: {reply}].[  Nobody is told "
	    "({reason}).]" },
	{ "broken", NULL, NULL, MOOD_BAD,
	    "{to}: the stored content is not what was accepted",
	    "On the way to {to} its stored content was found to be no longer "
	    "what was accepted, so it was not sent." },
	{ "bounce", NULL, NULL, MOOD_PLAIN,
	    "{action} to {rcpt}: {report}",
	    "Its sender, {rcpt}, is told ({action}) about {rcpts#recipient}, "
	    "in message {report}." },
	{ "discarded", NULL, NULL, MOOD_GOOD,
	    "{rcpt}",
	    "It was dropped for the dummy recipient {rcpt}." },
	{ "held", NULL, NULL, MOOD_WAIT,
	    "{reason}",
	    "It is held: {reason}." },
	{ "interrupted", NULL, NULL, MOOD_WAIT,
	    "{hop}[, {times} times]",
	    "A process died while it was on its way to {hop}; it is tried "
	    "again." },
	{ "operator", NULL, NULL, MOOD_PLAIN,
	    "user {uid}: {word}[ {argument}]",
	    "An operator (user {uid}) said: {word}." },
	{ "operator-scan", NULL, NULL, MOOD_PLAIN,
	    "user {uid}, {size} octets",
	    "An operator (user {uid}) had it scanned, {size} octets." },
};

static int	 fits(const struct telling *, const struct line *);
static const char *tell_group(FILE *, const char *, const struct line *, int);
static int	 group_complete(const char *, const struct line *);
static void	 print(FILE *, const char *, const char *also);
static const char *tell_field(FILE *, const char *, const struct line *);

const struct telling *
telling_find(const struct line *l)
{
	size_t	 i;

	for (i = 0; i < sizeof(tellings) / sizeof(tellings[0]); i++)
		if (fits(&tellings[i], l))
			return &tellings[i];
	return NULL;
}

static int
fits(const struct telling *t, const struct line *l)
{
	const char	*value;
	size_t		 n;

	if (strcmp(t->event, l->event) != 0)
		return 0;
	if (t->key == NULL)
		return 1;
	if ((value = line_value(l, t->key)) == NULL)
		return 0;
	if (t->value == NULL)
		return 1;
	n = strlen(t->value);
	if (t->value[n - 1] == '*')
		return strncmp(t->value, value, n - 1) == 0;
	return strcmp(t->value, value) == 0;
}

void
tell(FILE *fp, const char *form, const struct line *l)
{
	(void)tell_group(fp, form, l, 1);
}

/* Up to the bracket that closes the group, or the end; returns it. */
static const char *
tell_group(FILE *fp, const char *p, const struct line *l, int show)
{
	for (; *p != '\0' && *p != ']'; p++) {
		if (*p == '[')
			p = tell_group(fp, p + 1, l,
			    show && group_complete(p + 1, l));
		else if (*p == '{')
			p = tell_field(show ? fp : NULL, p + 1, l);
		else if (show)
			putc(*p, fp);
	}
	return p;
}

static int
group_complete(const char *p, const struct line *l)
{
	char	key[32];
	size_t	n;

	for (; *p != '\0' && *p != ']'; p++) {
		if (*p != '{')
			continue;
		n = strcspn(p + 1, "}#");
		if (n >= sizeof(key))
			return 0;
		memcpy(key, p + 1, n);
		key[n] = '\0';
		if (line_value(l, key) == NULL)
			return 0;
	}
	return 1;
}

/* "key}" or "key#word}"; returns the closing brace. */
static const char *
tell_field(FILE *fp, const char *p, const struct line *l)
{
	const char	*value, *end = p + strcspn(p, "}");
	char		 key[32];
	size_t		 n = strcspn(p, "}#");

	if (fp == NULL || n >= sizeof(key))
		return end;
	memcpy(key, p, n);
	key[n] = '\0';
	if ((value = line_value(l, key)) == NULL)
		value = "?";
	print_clean(fp, value);
	if (p[n] == '#')
		fprintf(fp, " %.*s%s", (int)(end - p - (long)n - 1),
		    p + n + 1, strcmp(value, "1") == 0 ? "" : "s");
	return end;
}

void
print_clean(FILE *fp, const char *text)
{
	print(fp, text, "");
}

void
print_text(FILE *fp, const char *text)
{
	print(fp, text, "\n\t");
}

static void
print(FILE *fp, const char *text, const char *also)
{
	const unsigned char	*p = (const unsigned char *)text;
	size_t			 len;

	for (; *p != '\0'; p += len) {
		/* Trace fields have the line ends of mail. */
		if (*also != '\0' && p[0] == '\r' && p[1] == '\n')
			p++;
		len = *p < 0xc0 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
		if ((*p >= 0x20 && *p < 0x7f) || strchr(also, *p) != NULL)
			putc(*p, fp);
		else if (len > 1 && strnlen((const char *)p, len) == len &&
		    utf8_valid((const char *)p, len) &&
		    (*p != 0xc2 || p[1] >= 0xa0))	/* no C1 controls */
			(void)fwrite(p, 1, len, fp);
		else {
			putc('?', fp);
			len = 1;
		}
	}
}
