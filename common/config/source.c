/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config/lex.h"
#include "common/limits.h"

/*
 * Where the lexer's characters come from.  Sources lie on a stack: files that
 * include each other, and on top of the innermost file at most one macro that
 * is being read in place of its name.  The text of a macro is taken as it is,
 * so macros cannot loop.
 */

struct lex_macro {
	SLIST_ENTRY(lex_macro)	 entry;
	char			*name, *value;
	int			 fixed;		/* given with -D */
};

static const char *source_keepname(struct lex *, const char *);
static int	 source_push(struct lex *, const char *, const char *, char *,
		    size_t);
static char	*source_read(struct lex *, const char *, size_t *,
		    struct stat *);
static void	 source_scan(struct lex *);
static const char *line_fault(const char *, size_t);
static int	 source_expand(struct lex *);
static struct lex_macro *macro_find(struct lex *, const char *);

int
lex_open(struct lex *lx, const char *name, const char *text, size_t len,
    struct config_names *files, void (*error)(void *,
    const struct config_where *, const char *), void *arg)
{
	struct stat	 st;
	char		*buf = NULL;
	const char	*kept;

	memset(lx, 0, sizeof(*lx));
	memset(&st, 0, sizeof(st));
	SLIST_INIT(&lx->macros);
	lx->files = files;
	lx->error = error;
	lx->arg = arg;
	lx->start = 1;
	lx->at.file = name;

	if ((kept = source_keepname(lx, name)) == NULL)
		return -1;
	lx->at.file = kept;
	if (text == NULL) {
		if ((buf = source_read(lx, name, &len, &st)) == NULL)
			return -1;
	} else if (len > LIM_CONFIG) {
		lex_dead(lx, "the configuration is too large");
		return -1;
	}
	if (source_push(lx, kept, buf != NULL ? buf : text, buf, len) == -1)
		return -1;
	lx->src->dev = st.st_dev;
	lx->src->ino = st.st_ino;
	lx->total = len;
	source_scan(lx);
	return 0;
}

void
lex_close(struct lex *lx)
{
	struct lex_macro	*m;

	while (lx->src != NULL)
		source_pop(lx);
	while ((m = SLIST_FIRST(&lx->macros)) != NULL) {
		SLIST_REMOVE_HEAD(&lx->macros, entry);
		free(m->name);
		free(m->value);
		free(m);
	}
}

int
lex_define(struct lex *lx, const char *name, const char *value)
{
	if (!macro_valid(name) || line_fault(value, strlen(value)) != NULL)
		return -1;
	return macro_set(lx, name, value, 1);
}

void
source_include(struct lex *lx, const char *name)
{
	struct stat		 st;
	struct lex_source	*s;
	const char		*slash, *kept;
	char			*path = NULL, *buf;
	size_t			 len;
	int			 r;

	/* The source that holds the statement is a file: a macro's text has
	   ended by the newline. */
	slash = strrchr(lx->src->file, '/');
	if (name[0] == '/' || slash == NULL)
		r = asprintf(&path, "%s", name);
	else
		r = asprintf(&path, "%.*s/%s", (int)(slash - lx->src->file),
		    lx->src->file, name);
	if (r == -1) {
		lex_dead(lx, "out of memory");
		return;
	}
	if (lx->noinclude) {
		lex_error(lx, "include is not allowed in this text");
		goto out;
	}
	if (lx->src->depth >= LIM_INCLUDES) {
		lex_error(lx, "more than %d files include each other",
		    LIM_INCLUDES);
		goto out;
	}
	if ((buf = source_read(lx, path, &len, &st)) == NULL)
		goto out;
	for (s = lx->src; s != NULL; s = s->up)
		if (s->ino == st.st_ino && s->dev == st.st_dev) {
			lex_error(lx, "%s includes itself", path);
			free(buf);
			goto out;
		}
	if ((kept = source_keepname(lx, path)) == NULL) {
		free(buf);
		goto out;
	}
	if (source_push(lx, kept, buf, buf, len) == -1)
		goto out;
	lx->src->dev = st.st_dev;
	lx->src->ino = st.st_ino;
	lx->total += len;
	source_scan(lx);
out:
	free(path);
}

static const char *
source_keepname(struct lex *lx, const char *name)
{
	struct config_names	*f = lx->files;
	char			**v;

	v = recallocarray(f->v, f->n, f->n + 1, sizeof(*v));
	if (v == NULL)
		goto fail;
	f->v = v;
	if ((f->v[f->n] = strdup(name)) == NULL)
		goto fail;
	return f->v[f->n++];
fail:
	lex_dead(lx, "out of memory");
	return NULL;
}

/* buf is taken, also on failure. */
static int
source_push(struct lex *lx, const char *file, const char *text, char *buf,
    size_t len)
{
	struct lex_source	*src;

	if ((src = calloc(1, sizeof(*src))) == NULL) {
		free(buf);
		lex_dead(lx, "out of memory");
		return -1;
	}
	src->file = file;
	src->text = text;
	src->buf = buf;
	src->len = len;
	src->up = lx->src;
	src->line = 1;
	if (src->up != NULL) {
		src->depth = src->up->depth + 1;
		if (file == NULL)
			src->line = src->up->line;
	}
	lx->src = src;
	return 0;
}

void
source_pop(struct lex *lx)
{
	struct lex_source	*src = lx->src;

	lx->src = src->up;
	free(src->buf);
	free(src);
}

/* The whole file, to be freed; NULL when it cannot be had. */
static char *
source_read(struct lex *lx, const char *name, size_t *len, struct stat *st)
{
	FILE	*fp;
	char	*buf = NULL, *p;
	size_t	 size = 0, n = 0;

	if ((fp = fopen(name, "re")) == NULL) {
		lex_error(lx, "cannot open %s: %s", name, strerror(errno));
		return NULL;
	}
	if (fstat(fileno(fp), st) == -1 || S_ISDIR(st->st_mode)) {
		lex_error(lx, "%s is not a file", name);
		goto fail;
	}
	do {
		if (n == size) {
			p = recallocarray(buf, size, size * 2 + 8192, 1);
			if (p == NULL) {
				lex_dead(lx, "out of memory");
				goto fail;
			}
			buf = p;
			size = size * 2 + 8192;
		}
		n += fread(buf + n, 1, size - n, fp);
		if (n > LIM_CONFIG - lx->total) {
			lex_dead(lx, "the configuration is too large");
			goto fail;
		}
	} while (!feof(fp) && !ferror(fp));
	if (ferror(fp)) {
		lex_error(lx, "cannot read %s: %s", name, strerror(errno));
		goto fail;
	}
	fclose(fp);
	*len = n;
	return buf;
fail:
	fclose(fp);
	free(buf);
	return NULL;
}

/* What no line may be or hold, told once a line before it is parsed. */
static void
source_scan(struct lex *lx)
{
	struct config_where	 was = lx->at;
	const char		*p = lx->src->text, *end = p + lx->src->len;
	const char		*nl, *why;

	lx->at.file = lx->src->file;
	lx->at.line = 1;
	for (; p < end && !lx->dead; p = nl + 1, lx->at.line++) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		if ((why = line_fault(p, (size_t)(nl - p))) != NULL)
			lex_error(lx, "%s", why);
	}
	lx->at = was;
}

static const char *
line_fault(const char *p, size_t n)
{
	size_t	i, from = 0;

	if (n > LIM_CONFIG_LINE)
		return "the line is too long";
	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (memchr(p, '\0', n) != NULL)
		return "a NUL octet is in this line";
	for (i = 0; i < n; i++)
		if (iscntrl((unsigned char)p[i]) && p[i] != '\t')
			return "a control character is in this line";
	for (i = 0; i <= n; i++) {
		if (i < n && p[i] != '\t')
			continue;
		if (!utf8_valid(p + from, i - from))
			return "this line is not UTF-8";
		from = i + 1;
	}
	return NULL;
}

/*
 * Characters.
 */

/* The next octet of the text; LEX_EOF at the end of a file, not of a macro. */
int
source_raw(struct lex *lx)
{
	struct lex_source	*src;

	for (src = lx->src; src->pos >= src->len; src = lx->src) {
		if (src->file != NULL)
			return LEX_EOF;
		source_pop(lx);
	}
	if (src->text[src->pos] == '\n')
		src->line++;
	return (unsigned char)src->text[src->pos++];
}

void
source_unchar(struct lex *lx, int c)
{
	struct lex_source	*src = lx->src;

	if (c == LEX_EOF || (unsigned char)src->text[src->pos - 1] != c)
		return;
	src->pos--;
	if (c == '\n')
		src->line--;
}

/* The same with continuation lines joined and macros in place. */
int
source_char(struct lex *lx)
{
	struct lex_source	*src;
	size_t			 left;
	int			 c;

	while ((c = source_raw(lx)) != LEX_EOF) {
		src = lx->src;
		left = src->len - src->pos;
		if (c == '\\' && left >= 1 && src->text[src->pos] == '\n')
			src->pos += 1;
		else if (c == '\\' && left >= 2 &&
		    memcmp(src->text + src->pos, "\r\n", 2) == 0)
			src->pos += 2;
		else if (c == '$' && src->file != NULL) {
			if (source_expand(lx) == -1)
				return ' ';
			continue;
		} else if (c == '\r' && left >= 1 &&
		    src->text[src->pos] == '\n')
			return ' ';
		else
			return c;
		src->line++;
	}
	return c;
}

/* A `$' was read: put the macro's text on top. */
static int
source_expand(struct lex *lx)
{
	struct lex_source	*src = lx->src;
	struct lex_macro	*m;
	char			 name[LIM_NAME + 1];
	size_t			 n = 0;
	int			 c;

	lex_here(lx);
	while (src->pos < src->len && n < sizeof(name) - 1) {
		c = (unsigned char)src->text[src->pos];
		if (!isalnum(c) && c != '_')
			break;
		name[n++] = (char)c;
		src->pos++;
	}
	name[n] = '\0';
	if (n == 0) {
		lex_error(lx, "no name of a macro follows the $");
		return -1;
	}
	if ((m = macro_find(lx, name)) == NULL) {
		lex_error(lx, "the macro \"%s\" is not defined", name);
		return -1;
	}
	lx->total += strlen(m->value);
	if (lx->total > LIM_CONFIG) {
		lex_dead(lx, "the configuration is too large");
		return -1;
	}
	return source_push(lx, NULL, m->value, NULL, strlen(m->value));
}

/*
 * Macros.
 */

static struct lex_macro *
macro_find(struct lex *lx, const char *name)
{
	struct lex_macro	*m;

	SLIST_FOREACH(m, &lx->macros, entry)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

int
macro_set(struct lex *lx, const char *name, const char *value, int fixed)
{
	struct lex_macro	*m = macro_find(lx, name);
	char			*copy;

	if (m != NULL && m->fixed && !fixed)
		return 0;
	if ((copy = strdup(value)) == NULL)
		return -1;
	if (m != NULL) {
		free(m->value);
		m->value = copy;
		return 0;
	}
	if ((m = calloc(1, sizeof(*m))) == NULL ||
	    (m->name = strdup(name)) == NULL) {
		free(m);
		free(copy);
		return -1;
	}
	m->value = copy;
	m->fixed = fixed;
	SLIST_INSERT_HEAD(&lx->macros, m, entry);
	return 0;
}

int
macro_valid(const char *s)
{
	size_t	n = strlen(s);

	if (n == 0 || n > LIM_NAME || isdigit((unsigned char)s[0]))
		return 0;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return 0;
	return 1;
}

/*
 * Errors.
 */

void
lex_error(struct lex *lx, const char *fmt, ...)
{
	char	buf[512];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	lx->error(lx->arg, &lx->at, buf);
}

void
lex_dead(struct lex *lx, const char *why)
{
	if (!lx->dead)
		lex_error(lx, "%s", why);
	lx->dead = 1;
}

void
lex_here(struct lex *lx)
{
	struct lex_source	*src = lx->src;

	while (src->file == NULL)
		src = src->up;
	lx->at.file = src->file;
	lx->at.line = src->line;
}

