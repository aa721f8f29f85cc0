/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config/build.h"
#include "common/limits.h"

/*
 * One parse from beginning to end, its errors and its memory.  What the
 * grammar makes on its way hangs on one chain that is freed at the end, so
 * nothing is lost when a statement is given up in the middle.
 */

struct parse_node {
	struct parse_node	*next;
	max_align_t		 data[];
};

enum parse_how {
	PARSE_WHOLE,		/* look at the files it names, and warn */
	PARSE_NAMES,
	PARSE_PART		/* what is right of it will do */
};

static struct config *parse_all(const char *, const char *, size_t,
		    const struct config_macro *, size_t, FILE *,
		    enum parse_how);
static void	 parse_macros(struct parse *, const struct config_macro *,
		    size_t);
static void	 parse_lexerror(void *, const struct config_where *,
		    const char *);
static void	 parse_tell(struct parse *, const struct config_where *,
		    const char *, const char *, va_list)
		    __attribute__((format(printf, 4, 0)));

struct config *
config_parse_file(const char *file, const struct config_macro *macros,
    size_t nmacros, FILE *errf)
{
	return parse_all(file, NULL, 0, macros, nmacros, errf, PARSE_WHOLE);
}

struct config *
config_parse_names(const char *file, const struct config_macro *macros,
    size_t nmacros, FILE *errf)
{
	return parse_all(file, NULL, 0, macros, nmacros, errf, PARSE_NAMES);
}

struct config *
config_parse_part(const char *file, const struct config_macro *macros,
    size_t nmacros, FILE *errf)
{
	return parse_all(file, NULL, 0, macros, nmacros, errf, PARSE_PART);
}

struct config *
config_parse_text(const char *name, const char *text, size_t len, FILE *errf)
{
	return parse_all(name, text, len, NULL, 0, errf, PARSE_NAMES);
}

static struct config *
parse_all(const char *name, const char *text, size_t len,
    const struct config_macro *macros, size_t nmacros, FILE *errf,
    enum parse_how how)
{
	struct config	*cf;
	struct parse	*p;
	volatile int	 part = 0;	/* setjmp */

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->errf = errf;
	p->fromfile = how == PARSE_WHOLE;
	if ((p->cf = config_new()) == NULL) {
		free(p);
		return NULL;
	}
	if (setjmp(p->nomem) == 0) {
		if (lex_open(&p->lx, name, text, len, &p->cf->files,
		    parse_lexerror, p) == 0) {
			p->lx.noinclude = text != NULL;
			parse_macros(p, macros, nmacros);
			parse_run(p);
			config_check(p);
			part = how == PARSE_PART;
		}
	} else
		parse_error(p, &p->lx.at, "out of memory");

	cf = p->cf;
	if (p->errors > 0 && !part) {
		config_free(cf);
		cf = NULL;
	}
	lex_close(&p->lx);
	while (p->nodes != NULL) {
		struct parse_node *n = p->nodes;

		p->nodes = n->next;
		free(n);
	}
	free(p);
	return cf;
}

static void
parse_macros(struct parse *p, const struct config_macro *macros,
    size_t nmacros)
{
	static const struct config_where	where = { "-D", 0 };
	size_t					i;

	for (i = 0; i < nmacros; i++)
		if (lex_define(&p->lx, macros[i].name, macros[i].value) == -1)
			parse_error(p, &where, "\"%s\" cannot be a macro",
			    macros[i].name);
}

/*
 * Errors.
 */

static void
parse_lexerror(void *arg, const struct config_where *where, const char *why)
{
	parse_error(arg, where, "%s", why);
}

void
parse_error(struct parse *p, const struct config_where *where,
    const char *fmt, ...)
{
	va_list	ap;

	p->last = *where;
	if (p->errors++ == LIM_CONFIG_ERRORS) {
		p->lx.dead = 1;
		if (p->errf != NULL)
			fprintf(p->errf, "%s:%u: too many errors\n",
			    where->file, where->line);
	}
	if (p->errors > LIM_CONFIG_ERRORS)
		return;
	va_start(ap, fmt);
	parse_tell(p, where, "", fmt, ap);
	va_end(ap);
}

void
parse_warn(struct parse *p, const struct config_where *where,
    const char *fmt, ...)
{
	va_list	ap;

	if (!p->fromfile)
		return;
	va_start(ap, fmt);
	parse_tell(p, where, "warning: ", fmt, ap);
	va_end(ap);
}

/* On terminals: what control characters there are in the file stay there. */
static void
parse_tell(struct parse *p, const struct config_where *where,
    const char *prefix, const char *fmt, va_list ap)
{
	char	buf[512], *s;
	int	ascii;

	if (p->errf == NULL)
		return;
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	ascii = !utf8_valid(buf, strlen(buf));
	for (s = buf; *s != '\0'; s++)
		if (iscntrl((unsigned char)*s) ||
		    (ascii && (unsigned char)*s >= 0x80))
			*s = '?';
	if (where->line == 0)
		fprintf(p->errf, "%s: %s%s\n", where->file, prefix, buf);
	else
		fprintf(p->errf, "%s:%u: %s%s\n", where->file, where->line,
		    prefix, buf);
}

/*
 * Memory.
 */

void
parse_nomem(struct parse *p)
{
	longjmp(p->nomem, 1);
}

void *
parse_alloc(struct parse *p, size_t size)
{
	struct parse_node	*n;

	if ((n = calloc(1, sizeof(*n) + size)) == NULL)
		parse_nomem(p);
	n->next = p->nodes;
	p->nodes = n;
	return n->data;
}

void *
parse_own(struct parse *p, size_t size)
{
	void	*v;

	if ((v = calloc(1, size)) == NULL)
		parse_nomem(p);
	return v;
}

char *
parse_strdup(struct parse *p, const char *s)
{
	char	*copy;

	if ((copy = strdup(s)) == NULL)
		parse_nomem(p);
	return copy;
}

struct value *
parse_value(struct parse *p)
{
	struct value	*v;
	size_t		 n = strlen(p->lx.text) + 1;
	char		*text;

	v = parse_alloc(p, sizeof(*v) + n);
	text = (char *)(v + 1);
	memcpy(text, p->lx.text, n);
	v->text = text;
	v->where = p->lx.at;
	return v;
}

struct values *
values_add(struct parse *p, struct values *vs, struct value *v)
{
	if (vs == NULL) {
		vs = parse_alloc(p, sizeof(*vs));
		vs->last = &vs->first;
	}
	*vs->last = v;
	vs->last = &v->next;
	return vs;
}

struct item *
item_new(struct parse *p, int kind, struct value *a, struct value *b,
    struct value *c)
{
	struct item	*i = parse_alloc(p, sizeof(*i));

	i->kind = kind;
	i->a = a;
	i->b = b;
	i->c = c;
	return i;
}

struct items *
items_add(struct parse *p, struct items *is, struct item *i)
{
	if (is == NULL) {
		is = parse_alloc(p, sizeof(*is));
		is->last = &is->first;
	}
	*is->last = i;
	is->last = &i->next;
	return is;
}

struct items *
items_join(struct items *a, struct items *b)
{
	*a->last = b->first;
	a->last = b->last;
	return a;
}
