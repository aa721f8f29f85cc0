/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "smtpd-front/smtpd-front.h"

/*
 * MAIL (RFC 5321 4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8
 * (RFC 6531), RET and ENVID (RFC 3461).
 */

static int	 size_param(struct session *, const char *);
static int	 body_param(struct session *, const char *);
static int	 utf8_param(struct session *, const char *);
static int	 ret_param(struct session *, const char *);
static int	 envid_param(struct session *, const char *);
static int	 bad_value(struct session *, const char *);
static int	 wants_utf8(const char *);
static void	 mail_begin(struct session *, const char *, char *);

static const struct param	 params[] = {
	{ "SIZE",	size_param },
	{ "BODY",	body_param },
	{ "SMTPUTF8",	utf8_param },
	{ "RET",	ret_param },
	{ "ENVID",	envid_param },
};

void
cmd_mail(struct session *s, char *args)
{
	char	 sender[LIM_PATH + 1];

	if (front.draining) {
		session_close(s, REPLY_DRAIN, "drain");
		return;
	}
	if (s->messages >= front.config->limit_messages) {
		session_close(s, REPLY_MESSAGES, "messages");
		return;
	}
	if (param_path(s, &args, "FROM:", wants_utf8(args), sender,
	    sizeof(sender), REPLY_SENDER_SYNTAX) == -1)
		return;
	/* Postmaster needs no domain as a recipient only (4.5.1). */
	if (*sender != '\0' && address_domain(sender) == NULL) {
		reply_args(s, REPLY_SENDER_SYNTAX, "no domain", NULL);
		return;
	}
	mail_begin(s, sender, args);
}

/* The path is read before its parameters, but one of them says how. */
static int
wants_utf8(const char *args)
{
	const char	*p;

	for (p = args; (p = strpbrk(p, " \t")) != NULL;) {
		p += strspn(p, " \t");
		if (strncasecmp(p, "SMTPUTF8", 8) == 0 &&
		    (p[8] == '\0' || strchr(" \t", p[8]) != NULL))
			return 1;
	}
	return 0;
}

static void
mail_begin(struct session *s, const char *sender, char *args)
{
	struct transaction	*t;
	char			 most[24];

	if ((t = transaction_new(s, sender)) == NULL) {
		reply(s, REPLY_NOMEM);
		return;
	}
	if (param_read(s, args, params,
	    sizeof(params) / sizeof(params[0])) == -1) {
		transaction_free(t);
		return;
	}
	if (t->declared > front.config->message_max) {
		(void)snprintf(most, sizeof(most), "%llu",
		    (unsigned long long)front.config->message_max);
		reply_args(s, REPLY_SIZE, most, NULL);
		transaction_free(t);
		return;
	}
	if (!limit_room(&s->client, t->declared)) {
		reply(s, REPLY_ROOM);
		transaction_free(t);
		return;
	}
	s->messages++;
	if (s->class == CLASS_RELAY && s->relay->limit != 0)
		rate_start(t);
	else {
		if (s->class == CLASS_INBOUND)
			scan_sender(s->helo, t->env->sender);
		reply(s, REPLY_SENDER_OK);
	}
}

static int
bad_value(struct session *s, const char *keyword)
{
	reply_args(s, REPLY_PARAM_BAD, keyword, NULL);
	return -1;
}

static int
size_param(struct session *s, const char *value)
{
	uint64_t	 n = 0;
	size_t		 i;

	/* RFC 1870 3: 1 to 20 digits, and more than fits is too big. */
	if (value == NULL || (i = strspn(value, "0123456789")) == 0 ||
	    i > 20 || value[i] != '\0')
		return bad_value(s, "SIZE");
	for (; *value != '\0'; value++) {
		if (n > UINT64_MAX / 10 - 1)
			n = UINT64_MAX / 10 - 1;
		n = n * 10 + (uint64_t)(*value - '0');
	}
	s->transaction->declared = n;
	return 0;
}

static int
body_param(struct session *s, const char *value)
{
	if (value == NULL)
		return bad_value(s, "BODY");
	if (strcasecmp(value, "8BITMIME") == 0)
		s->transaction->env->flags |= ENV_8BIT;
	else if (strcasecmp(value, "7BIT") != 0)
		return bad_value(s, "BODY");
	return 0;
}

static int
utf8_param(struct session *s, const char *value)
{
	if (value != NULL)
		return bad_value(s, "SMTPUTF8");
	s->transaction->env->flags |= ENV_UTF8;
	return 0;
}

static int
ret_param(struct session *s, const char *value)
{
	if (value == NULL)
		return bad_value(s, "RET");
	if (strcasecmp(value, "FULL") == 0)
		s->transaction->env->ret = RET_FULL;
	else if (strcasecmp(value, "HDRS") == 0)
		s->transaction->env->ret = RET_HDRS;
	else
		return bad_value(s, "RET");
	return 0;
}

static int
envid_param(struct session *s, const char *value)
{
	char	 text[LIM_ENVID + 1];

	if (value == NULL || *value == '\0' ||
	    xtext_decode(value, text, sizeof(text)) == -1)
		return bad_value(s, "ENVID");
	if (envelope_set(&s->transaction->env->envid, text) == -1) {
		reply(s, REPLY_NOMEM);
		return -1;
	}
	return 0;
}
