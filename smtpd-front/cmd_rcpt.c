/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/log.h"
#include "smtpd-front/smtpd-front.h"

/*
 * RCPT (RFC 5321 4.1.1.3) with NOTIFY and ORCPT (RFC 3461).
 */

static int	 notify_param(struct session *, const char *);
static int	 orcpt_param(struct session *, const char *);
static int	 bad_value(struct session *, const char *);
static unsigned	 rcpt_judge(struct session *, char *, size_t,
		    struct target *);
static unsigned	 rcpt_add(struct session *, const char *,
		    const struct target *);
static void	 rcpt_log(struct session *, const char *, unsigned,
		    const struct target *);

static const struct param	 params[] = {
	{ "NOTIFY",	notify_param },
	{ "ORCPT",	orcpt_param },
};

void
cmd_rcpt(struct session *s, char *args)
{
	struct transaction	*t = s->transaction;
	struct target		 target;
	char			 address[LIM_PATH + 1], number[16];
	unsigned		 say;

	if (param_path(s, &args, "TO:", (t->env->flags & ENV_UTF8) != 0,
	    address, sizeof(address), REPLY_RCPT_SYNTAX) == -1)
		goto refused;
	if (*address == '\0') {
		reply_args(s, REPLY_RCPT_SYNTAX, "empty path", NULL);
		goto refused;
	}
	t->rcpt_notify = 0;
	free(t->rcpt_orcpt);
	t->rcpt_orcpt = NULL;
	if (param_read(s, args, params, sizeof(params) / sizeof(params[0])) ==
	    -1)
		goto refused;
	say = rcpt_judge(s, address, sizeof(address), &target);
	if (say == REPLY_RCPT_OK)
		say = rcpt_add(s, address, &target);
	rcpt_log(s, address, say, &target);
	(void)snprintf(number, sizeof(number), "%u",
	    front.config->limit_rcpts);
	reply_args(s, say, number, NULL);
	if (say == REPLY_RCPT_OK)
		return;
refused:
	t->nrefused++;
}

/* May this client send to this recipient? */
static unsigned
rcpt_judge(struct session *s, char *address, size_t size,
    struct target *target)
{
	if (policy_target(address, size, target) == -1)
		return REPLY_NO_USER;
	if (target->domain == NULL && s->class == CLASS_INBOUND)
		return REPLY_RELAY;
	if (target->trap) {
		greyd_event(&s->client, s->class, EVENT_TRAP, address);
		return REPLY_NO_USER;
	}
	return REPLY_RCPT_OK;
}

static unsigned
rcpt_add(struct session *s, const char *address, const struct target *target)
{
	struct transaction	*t = s->transaction;

	if (t->env->nrcpts >= front.config->limit_rcpts ||
	    t->env->nrcpts >= LIM_RCPTS)
		return REPLY_RCPTS;
	switch (transaction_rcpt(t, address, target)) {
	case 0:
		return REPLY_RCPT_OK;
	case -2:
		return REPLY_RCPT_CLASS;
	default:
		return REPLY_NOMEM;
	}
}

static void
rcpt_log(struct session *s, const char *address, unsigned say,
    const struct target *target)
{
	struct audit	 a;

	audit_begin(&a, s->transaction->env->id, "rcpt");
	audit_str(&a, "sid", s->sid);
	audit_path(&a, "to", address);
	if (target->domain != NULL)
		audit_str(&a, "participant", target->domain->participant->name);
	if (target->trap)
		audit_num(&a, "trap", 1);
	if (target->discard)
		audit_num(&a, "discard", 1);
	audit_num(&a, "code", reply_code(say));
	audit_end(&a);
}

static int
bad_value(struct session *s, const char *keyword)
{
	reply_args(s, REPLY_PARAM_BAD, keyword, NULL);
	return -1;
}

static int
notify_param(struct session *s, const char *value)
{
	static const struct {
		const char	*word;
		uint8_t		 flag;
	} words[] = {
		{ "NEVER", NOTIFY_NEVER }, { "SUCCESS", NOTIFY_SUCCESS },
		{ "FAILURE", NOTIFY_FAILURE }, { "DELAY", NOTIFY_DELAY },
	};
	uint8_t	 flags = 0;
	size_t	 i, n;

	do {
		if (value == NULL)
			return bad_value(s, "NOTIFY");
		n = strcspn(value, ",");
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strlen(words[i].word) == n &&
			    strncasecmp(words[i].word, value, n) == 0)
				break;
		if (i == sizeof(words) / sizeof(words[0]))
			return bad_value(s, "NOTIFY");
		flags |= words[i].flag;
		value += n;
	} while (*value++ == ',');
	/* RFC 3461 4.1: NEVER stands alone */
	if ((flags & NOTIFY_NEVER) && flags != NOTIFY_NEVER)
		return bad_value(s, "NOTIFY");
	s->transaction->rcpt_notify = flags;
	return 0;
}

static int
orcpt_param(struct session *s, const char *value)
{
	char		 text[LIM_ORCPT + 1];
	const char	*semi;
	size_t		 n;

	/* RFC 3461 4.2: addr-type ";" xtext */
	if (value == NULL || (semi = strchr(value, ';')) == NULL ||
	    semi == value || semi[1] == '\0')
		return bad_value(s, "ORCPT");
	n = (size_t)(semi - value) + 1;
	if (n >= sizeof(text) || strspn(value, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != n - 1)
		return bad_value(s, "ORCPT");
	memcpy(text, value, n);
	if (xtext_decode(semi + 1, text + n, sizeof(text) - n) == -1)
		return bad_value(s, "ORCPT");
	if ((s->transaction->rcpt_orcpt = strdup(text)) == NULL) {
		reply(s, REPLY_NOMEM);
		return -1;
	}
	return 0;
}
