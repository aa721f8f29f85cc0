/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/build.h"
#include "common/limits.h"
#include "common/message.h"

/*
 * The statements about the gateway as a whole: names, policies of scanning,
 * limits, places, processes.
 */

static int	hash_cmp(const void *, const void *);
static void	replace(char **, char *);

#define AT(member)	offsetof(struct config, limit_##member)

const struct config_limit config_limits[] = {
	{ "connections", AT(connections), LIMIT_COUNT, 1000000 },
	{ "connections per network", AT(netconnections), LIMIT_COUNT,
	    1000000 },
	{ "errors", AT(errors), LIMIT_COUNT, 1000 },
	{ "commands", AT(commands), LIMIT_COUNT, 1000000 },
	{ "messages", AT(messages), LIMIT_COUNT, 1000000 },
	{ "recipients", AT(rcpts), LIMIT_COUNT, LIM_RCPTS },
	{ "idle", AT(idle_s), LIMIT_TIME, LIM_SECONDS },
	{ "data", AT(data_s), LIMIT_TIME, LIM_SECONDS },
	{ "deadline", AT(deadline_s), LIMIT_TIME, 600 },
	{ "dns", AT(dns_s), LIMIT_TIME, 600 },
	{ "connect", AT(connect_s), LIMIT_TIME, 600 },
	{ "drain", AT(drain_s), LIMIT_TIME, LIM_SECONDS },
	{ "hop connections", AT(hopconnections), LIMIT_COUNT, 10000 },
	{ "lists", AT(lists_s), LIMIT_TIME, 86400 },
	/* Each level costs stack. */
	{ "scan depth", AT(scan_depth), LIMIT_COUNT, 50 },
	{ "scan members", AT(scan_members), LIMIT_COUNT, 10000000 },
	{ "scan bytes", AT(scan_bytes), LIMIT_SIZE, UINT32_MAX },
	{ "scan ratio", AT(scan_ratio), LIMIT_COUNT, 1000000 },
	/* Well before the scanner ends itself. */
	{ "scan milliseconds", AT(scan_ms), LIMIT_COUNT,
	    LIM_SCAN_CPU_S * 1000 / 2 },
};
const size_t config_nlimits = sizeof(config_limits) / sizeof(config_limits[0]);

void
build_service(struct parse *p, struct value *v)
{
	if (build_once(p, ONCE_SERVICE, &v->where, "service"))
		p->cf->service = build_domainname(p, v);
}

void
build_node(struct parse *p, struct value *v)
{
	if (build_once(p, ONCE_NODE, &v->where, "node"))
		p->cf->node = build_domainname(p, v);
}

void
build_contact(struct parse *p, struct value *v)
{
	if (build_once(p, ONCE_CONTACT, &v->where, "contact"))
		p->cf->contact = build_text(p, v);
}

void
build_user(struct parse *p, struct value *v)
{
	const char	*s = v->text;

	if (!build_once(p, ONCE_USER, &v->where, "user prefix"))
		return;
	if (islower((unsigned char)*s) || *s == '_')
		while (islower((unsigned char)*s) ||
		    isdigit((unsigned char)*s) || *s == '_' || *s == '-')
			s++;
	if (*s != '\0' || s == v->text || s - v->text > LIM_USERPREFIX)
		parse_error(p, &v->where, "\"%s\" cannot begin the name of "
		    "a user", v->text);
	else
		replace(&p->cf->user_prefix, parse_strdup(p, v->text));
}

void
build_operators(struct parse *p, struct values *vs)
{
	struct value	*v;
	char		*name;

	if (!build_once(p, ONCE_OPERATORS, &vs->first->where, "operators"))
		return;
	for (v = vs->first; v != NULL; v = v->next)
		if ((name = build_name(p, v, "user")) != NULL)
			build_names(p, &p->cf->operators, name);
}

void
build_message(struct parse *p, struct value *v)
{
	if (!build_once(p, ONCE_MESSAGE, &v->where, "message max") ||
	    !build_size(p, v, &p->cf->message_max))
		return;
	if (p->cf->message_max > UINT32_MAX)
		parse_error(p, &v->where, "messages of 4G and more are not "
		    "taken");
	/* RFC 5321 4.5.3.1.7 */
	else if (p->cf->message_max < 64 * 1024)
		parse_warn(p, &v->where, "mail servers have to take messages "
		    "of 64K");
}

void
build_memory(struct parse *p, struct value *v)
{
	if (build_once(p, ONCE_MEMORY, &v->where, "memory"))
		build_size(p, v, &p->cf->memory);
}

static int
hash_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
build_hashes(struct parse *p, struct values *vs)
{
	struct config_names	*names = &p->cf->virus_hashes;
	struct value		*v;
	char			*hash, *c;
	size_t			 i;

	for (v = vs->first; v != NULL; v = v->next) {
		if ((hash = parse_strdup(p, v->text)) == NULL)
			return;
		for (c = hash; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		if (c - hash != 2 * MESSAGE_HASH ||
		    hash[strspn(hash, "0123456789abcdef")] != '\0')
			parse_error(p, &v->where, "\"%s\" is no SHA-256: that "
			    "is %d hexadecimal digits", v->text,
			    2 * MESSAGE_HASH);
		build_names(p, names, hash);
	}
	if (names->n == 0)
		return;
	/* They are looked up in this order. */
	qsort(names->v, names->n, sizeof(names->v[0]), hash_cmp);
	for (i = 1; i < names->n; i++)
		if (strcmp(names->v[i - 1], names->v[i]) == 0)
			parse_error(p, &vs->first->where, "the hash %s is "
			    "given twice", names->v[i]);
}

void
build_antivirus(struct parse *p, struct value *word, struct values *clamd,
    struct value *failure)
{
	struct value	*v;
	char		*path;

	if (!build_once(p, ONCE_ANTIVIRUS, &word->where, "antivirus"))
		return;
	if (clamd == NULL) {
		p->cf->antivirus = ANTIVIRUS_BUILTIN;
		parse_warn(p, &word->where, "the builtin antivirus knows "
		    "test files and what it is told only");
		return;
	}
	p->cf->antivirus = ANTIVIRUS_CLAMD;
	for (v = clamd->first; v != NULL; v = v->next) {
		if ((path = build_path(p, v)) == NULL)
			continue;
		if (strlen(path) > LIM_SOCKPATH)
			parse_error(p, &v->where, "the path of a socket has "
			    "at most %d characters", LIM_SOCKPATH);
		build_names(p, &p->cf->clamd, path);
	}
	if (failure == NULL || strcmp(failure->text, "tempfail") == 0)
		p->cf->antivirus_down = ACTION_TEMPFAIL;
	else if (strcmp(failure->text, "accept") == 0)
		p->cf->antivirus_down = ACTION_ACCEPT;
	else
		parse_error(p, &failure->where, "on failure: tempfail or "
		    "accept; a message cannot be refused for that");
}

void
build_symbol(struct parse *p, struct value *v, struct value *points)
{
	struct config_symbol	*sym, *other;
	const char		*s;

	for (s = v->text; isupper((unsigned char)*s) || *s == '_' ||
	    isdigit((unsigned char)*s); s++)
		;
	if (*s != '\0' || s == v->text || s - v->text >= LIM_SYMNAME ||
	    (config_symbol_known != NULL && !config_symbol_known(v->text))) {
		parse_error(p, &v->where, "there is no symbol \"%s\"",
		    v->text);
		return;
	}
	TAILQ_FOREACH(other, &p->cf->symbols, entry)
		if (strcmp(other->name, v->text) == 0) {
			parse_error(p, &v->where, "symbol %s is given twice "
			    "(first at %s:%u)", v->text, other->where.file,
			    other->where.line);
			return;
		}
	sym = parse_own(p, sizeof(*sym));
	sym->where = v->where;
	(void)strlcpy(sym->name, v->text, sizeof(sym->name));
	TAILQ_INSERT_TAIL(&p->cf->symbols, sym, entry);
	build_points(p, points, &sym->points);
}

void
build_directory(struct parse *p, struct items *is)
{
	static const char *const	 names[] = {
		"directory runtime", "directory spool", "directory state"
	};
	char			**dirs[] = {
		&p->cf->dir_runtime, &p->cf->dir_spool, &p->cf->dir_state
	};
	struct item		*i;
	char			*path;

	for (i = is->first; i != NULL; i = i->next) {
		if (!build_once(p, ONCE_DIRECTORY + i->kind, &i->a->where,
		    names[i->kind]) || (path = build_path(p, i->a)) == NULL)
			continue;
		replace(dirs[i->kind], path);
		/* The longest socket in it: /smtpd-front.sock */
		if (i->kind == ITEM_RUNTIME &&
		    strlen(path) > LIM_SOCKPATH - 20)
			parse_error(p, &i->a->where, "sockets in this "
			    "directory would have names longer than %d "
			    "characters", LIM_SOCKPATH);
	}
}

void
build_dkim(struct parse *p, struct values *vs, struct value *below,
    struct value *rotate)
{
	struct value	*v;
	char		*name;
	size_t		 i;

	if (!build_once(p, ONCE_DKIM, &vs->first->where, "dkim"))
		return;
	parse_warn(p, &vs->first->where, "this version signs nothing");
	for (v = vs->first; v != NULL; v = v->next) {
		if ((name = build_domainname(p, v)) == NULL)
			continue;
		for (i = 0; i < p->cf->dkim_selectors.n; i++)
			if (strcmp(p->cf->dkim_selectors.v[i], name) == 0)
				parse_error(p, &v->where, "the selector "
				    "\"%s\" is given twice", name);
		build_names(p, &p->cf->dkim_selectors, name);
	}
	p->cf->dkim_below = build_domainname(p, below);
	if (rotate != NULL)
		build_time(p, rotate, &p->cf->dkim_rotate_s);
}

/* All words but the last are the name. */
void
build_limit(struct parse *p, struct values *vs)
{
	const struct config_limit	*l = NULL;
	struct value			*v;
	char				 name[64] = "";
	uint64_t			 size;
	uint32_t			 value = 0;
	size_t				 i;
	int				 ok;

	for (v = vs->first; v->next != NULL; v = v->next) {
		if (v != vs->first)
			(void)strlcat(name, " ", sizeof(name));
		(void)strlcat(name, v->text, sizeof(name));
	}
	for (i = 0; i < config_nlimits; i++)
		if (strcmp(config_limits[i].name, name) == 0)
			break;
	if (i == config_nlimits) {
		if (v == vs->first)
			parse_error(p, &v->where, "the line is not complete; "
			    "expected: limit NAME VALUE");
		else
			parse_error(p, &vs->first->where, "there is no limit "
			    "\"%s\"", name);
		return;
	}
	l = &config_limits[i];
	if (!build_once(p, ONCE_LIMIT + (int)i, &v->where, l->name))
		return;
	size = 0;
	if (l->unit == LIMIT_TIME) {
		ok = build_time(p, v, &value);
		size = value;
	} else if (l->unit == LIMIT_SIZE) {
		ok = build_size(p, v, &size);
		value = (uint32_t)size;
	} else
		ok = build_number(p, v, 1, l->max, &value);
	if (!ok)
		return;
	if (size > l->max)
		parse_error(p, &v->where, "limit %s is at most %u %s",
		    l->name, l->max, l->unit == LIMIT_TIME ? "seconds" :
		    "octets");
	else
		memcpy((char *)p->cf + l->offset, &value, sizeof(value));
}

void
build_processes(struct parse *p, struct items *is)
{
	static const char *const	 names[] = {
		"processes smtp", "processes scanner", "processes deliver"
	};
	uint32_t			*counts[] = {
		&p->cf->nsmtp, &p->cf->nscanner, &p->cf->ndeliver
	};
	struct item			*i;

	for (i = is->first; i != NULL; i = i->next)
		if (build_once(p, ONCE_PROCESSES + i->kind, &i->a->where,
		    names[i->kind]))
			build_number(p, i->a, 1, LIM_PROCESSES,
			    counts[i->kind]);
}

void
build_queue(struct parse *p, struct items *is)
{
	static const char *const	 names[] = {
		"queue retry", "queue max", "queue warn", "queue expire"
	};
	uint32_t			*times[] = {
		&p->cf->queue_retry_s, &p->cf->queue_retrymax_s,
		&p->cf->queue_warn_s, &p->cf->queue_expire_s
	};
	struct item			*i;

	for (i = is->first; i != NULL; i = i->next)
		if (build_once(p, ONCE_QUEUE + i->kind, &i->a->where,
		    names[i->kind]))
			build_time(p, i->a, times[i->kind]);
}

static void
replace(char **member, char *value)
{
	free(*member);
	*member = value;
}
