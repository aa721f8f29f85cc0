/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_ENVELOPE_H
#define COMMON_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cidr.h"
#include "common/imsg.h"
#include "common/limits.h"
#include "common/message.h"

/*
 * The envelope of a message: everything about it that is not its content.
 * Trace fields live here and are sent ahead of the untouched content; they
 * are made once, before the message is durable.
 */

enum session_class { CLASS_INBOUND, CLASS_RELAY, CLASS_CLUSTER };
const char *class_name(enum session_class);

/* RFC 3461 4.1 */
#define NOTIFY_NEVER	0x01
#define NOTIFY_SUCCESS	0x02
#define NOTIFY_FAILURE	0x04
#define NOTIFY_DELAY	0x08

enum dsn_ret { RET_NONE, RET_FULL, RET_HDRS };

/* RFC 6152, RFC 6531 */
#define ENV_8BIT	0x01	/* BODY=8BITMIME was given */
#define ENV_UTF8	0x02	/* SMTPUTF8 was given */
#define ENV_BOUNCE	0x04	/* made by us: a DSN */

struct rcpt {
	char		*address;	/* forward-path as given */
	char		*orcpt;		/* "rfc822;a@b" decoded, or NULL */
	uint8_t		 notify;	/* NOTIFY_*; 0: not given */
	uint8_t		 discard;	/* dummy: dropped and logged */
};

struct envelope {
	char			 id[ID_SIZE];
	char			 sid[ID_SIZE];
	uint64_t		 time;		/* wall ms, at the final dot */
	enum session_class	 class;
	struct netaddr		 client;
	char			*helo;
	char			*rdns;		/* confirmed name or "" */
	char			*tls;		/* "TLSv1.3 cipher" or "" */
	char			*participant;	/* name, or "" when several */
	char			*sender;	/* reverse-path, "" for <> */
	char			*envid;		/* decoded, or "" */
	enum dsn_ret		 ret;
	uint8_t			 flags;		/* ENV_* */
	uint64_t		 size;		/* octets of content */
	uint8_t			 hash[MESSAGE_HASH];
	char			*trace;		/* CRLF lines, sent first */
	struct rcpt		*rcpts;
	size_t			 nrcpts;
};

/* All strings set to "", no recipients.  NULL without memory. */
struct envelope	*envelope_new(void);
void		 envelope_free(struct envelope *);
struct envelope	*envelope_dup(const struct envelope *);
/* Replace a string member (envelope_set(&e->helo, "x")); -1 no memory. */
int		 envelope_set(char **member, const char *value);
/* Add a recipient; strings are copied.  NULL without memory; at most
   LIM_RCPTS. The pointer is valid until the next call. */
struct rcpt	*envelope_rcpt(struct envelope *, const char *address,
		    const char *orcpt, uint8_t notify);
/* To and from a frame.  envelope_parse: NULL when it does not decode or
   breaks a limit; it does not check for the end of the frame. */
void		 envelope_add(struct ibuf *, const struct envelope *);
struct envelope	*envelope_parse(struct ibuf *);

#endif
