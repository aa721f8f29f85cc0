/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <inttypes.h>
#include <string.h>

#include "relayd-out/spool.h"

/*
 * The envelope file of a message: lines "key: value" for people with a pager,
 * and for us when a message is delivered or the journal is lost.  What was
 * accepted ends with the line "end" and a sum; later each change of state is
 * appended as a block that ends so too.  The sum is over the lines and the id,
 * so whatever is torn shows, and what is left of another message whose file
 * this was.  envfile_parse.c reads it.
 */

const struct word envfile_flags[] = {
	{ ENV_8BIT, "8bit" }, { ENV_UTF8, "utf8" }, { ENV_BOUNCE, "report" },
	{ 0, NULL }
};
const struct word envfile_notify[] = {
	{ NOTIFY_NEVER, "never" }, { NOTIFY_SUCCESS, "success" },
	{ NOTIFY_FAILURE, "failure" }, { NOTIFY_DELAY, "delay" },
	{ 0, NULL }
};
const struct word envfile_entry[] = {
	{ ENTRY_HELD, "held" }, { ENTRY_WARNED, "warned" }, { 0, NULL }
};
const struct word envfile_states[] = {
	{ RCPT_PENDING, "waiting" }, { RCPT_DELIVERED, "delivered" },
	{ RCPT_FAILED, "failed" }, { RCPT_DISCARDED, "discarded" },
	{ 0, NULL }
};
const struct word envfile_ret[] = {
	{ RET_FULL, "full" }, { RET_HDRS, "headers" }, { 0, NULL }
};

/* Members that are plain strings. */
const struct envfile_string envfile_strings[ENVFILE_STRINGS] = {
	{ "helo", offsetof(struct envelope, helo), LIM_HELO },
	{ "rdns", offsetof(struct envelope, rdns), LIM_DOMAIN },
	{ "tls", offsetof(struct envelope, tls), 128 },
	{ "participant", offsetof(struct envelope, participant), LIM_DOMAIN },
	{ "sender", offsetof(struct envelope, sender), LIM_PATH },
	{ "envid", offsetof(struct envelope, envid), LIM_ENVID },
};

static char *const *member(const struct envelope *,
		    const struct envfile_string *);
static void	 print_value(struct text *, const char *, const char *);
static void	 print_words(struct text *, const char *,
		    const struct word *, unsigned);
static void	 print_trace(struct text *, const char *);
static void	 print_rcpt(struct text *, const struct rcpt *);
static void	 print_end(struct text *, size_t, const char *);

void
envfile_print(struct text *t, const struct envelope *e)
{
	static const char	 hex[] = "0123456789abcdef";
	char			 a[NETADDR_STRLEN], d[TEXT_DATE];
	char			 digest[2 * MESSAGE_HASH];
	size_t			 i, start = t->len;

	text_str(t, ENVFILE_HEAD "\nid: ");
	text_str(t, e->id);
	print_value(t, "sid", e->sid);
	text_str(t, "\ntime: ");
	text_num(t, e->time);
	print_value(t, "date", text_date(e->time, 1, d));
	print_value(t, "class", class_name(e->class));
	if (e->client.family != 0)
		print_value(t, "client",
		    netaddr_print(&e->client, a, sizeof(a)));
	for (i = 0; i < ENVFILE_STRINGS; i++)
		print_value(t, envfile_strings[i].name,
		    *member(e, &envfile_strings[i]));
	print_words(t, "ret", envfile_ret, e->ret);
	print_words(t, "flags", envfile_flags, e->flags);
	text_str(t, "\nsize: ");
	text_num(t, e->size);
	text_str(t, "\nsha256: ");
	for (i = 0; i < MESSAGE_HASH; i++) {
		digest[2 * i] = hex[e->hash[i] >> 4];
		digest[2 * i + 1] = hex[e->hash[i] & 15];
	}
	text_add(t, digest, sizeof(digest));
	print_trace(t, e->trace);
	for (i = 0; i < e->nrcpts; i++)
		print_rcpt(t, &e->rcpts[i]);
	text_str(t, "\n");
	print_end(t, start, e->id);
}

/* "end" with the sum of what stands before and whose it is. */
static void
print_end(struct text *t, size_t start, const char *id)
{
	char	 sum[SUM_SIZE];

	if (t->bad)
		return;
	text_sum(t->p + start, t->len - start, id, sum);
	text_str(t, "end ");
	text_str(t, sum);
	text_str(t, "\n");
}

static char *const *
member(const struct envelope *e, const struct envfile_string *s)
{
	return (char *const *)(const void *)((const char *)e + s->offset);
}

static void
print_value(struct text *t, const char *key, const char *value)
{
	text_add(t, "\n", 1);
	text_str(t, key);
	text_add(t, ": ", 2);
	text_escape(t, value, strlen(value), TEXT_LINE);
}

static void
print_words(struct text *t, const char *key, const struct word *w,
    unsigned value)
{
	const char	*sep = "";

	text_fmt(t, "\n%s: ", key);
	for (; w->name != NULL; w++) {
		if (!(value & w->value))
			continue;
		text_str(t, sep);
		text_str(t, w->name);
		sep = " ";
	}
}

/* One line of the file for each line of the trace, without its CRLF. */
static void
print_trace(struct text *t, const char *trace)
{
	const char	*p, *end;

	for (p = trace; *p != '\0'; p = end + 2) {
		text_str(t, "\ntrace: ");
		if ((end = strstr(p, "\r\n")) == NULL) {
			text_escape(t, p, strlen(p), TEXT_LINE);
			break;
		}
		text_escape(t, p, (size_t)(end - p), TEXT_LINE);
	}
}

static void
print_rcpt(struct text *t, const struct rcpt *r)
{
	print_value(t, "rcpt", r->address);
	if (r->orcpt != NULL)
		print_value(t, "orcpt", r->orcpt);
	if (r->notify != 0)
		print_words(t, "notify", envfile_notify, r->notify);
	if (r->discard)
		text_str(t, "\ndiscard: yes");
}

void
envfile_update(struct text *t, const struct update *u, uint64_t wall_ms)
{
	const struct word	*w;
	char			 d[TEXT_DATE];
	size_t			 i, start;

	/* The empty line also ends whatever a crash left half written. */
	text_str(t, "\n");
	start = t->len;
	text_fmt(t, "update: %" PRIu64 "\ndate: %s\nattempts: %" PRIu32
	    "\nnext: %" PRIu64, wall_ms, text_date(wall_ms, 1, d),
	    u->attempts, u->next);
	print_words(t, "flags", envfile_entry, u->flags);
	for (i = 0; u->state[i] != '\0'; i++) {
		for (w = envfile_states; w->value != (uint8_t)u->state[i]; w++)
			if (w->name == NULL)
				break;
		text_fmt(t, "\nstate: %zu %s", i,
		    w->name == NULL ? "waiting" : w->name);
		if (u->note[i] != NULL) {
			text_add(t, " ", 1);
			text_escape(t, u->note[i], strlen(u->note[i]),
			    TEXT_LINE);
		}
	}
	text_str(t, "\n");
	print_end(t, start, u->id);
}
