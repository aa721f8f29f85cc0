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
 * Sources lie on a stack: files that include each other, and on top of the
 * innermost file at most one macro that is being read in place of its name.
 * The text of a macro is taken as it is, so macros cannot loop.
 *
 * A newline ends a statement, except inside a list.  Lists are all braces but
 * those of the one statement with a block, `participant'; that word the lexer
 * knows, and `include'.
 */

struct lex_source {
	struct lex_source	*up;
	const char		*file;		/* NULL: a macro */
	char			*buf;		/* owned, of a file */
	const char		*text;
	size_t			 len, pos;
	uint32_t		 line;
	unsigned		 depth;
	dev_t			 dev;
	ino_t			 ino;
};

struct lex_macro {
	SLIST_ENTRY(lex_macro)	 entry;
	char			*name, *value;
	int			 fixed;		/* given with -D */
};

#define LEX_EOF		(-1)

static void	 lex_error(struct lex *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	 lex_dead(struct lex *, const char *);
static const char *lex_keepname(struct lex *, const char *);
static int	 lex_push(struct lex *, const char *, const char *, char *,
		    size_t);
static void	 lex_pop(struct lex *);
static char	*lex_read(struct lex *, const char *, size_t *, struct stat *);
static void	 lex_scan(struct lex *);
static const char *line_fault(const char *, size_t);
static int	 lex_raw(struct lex *);
static int	 lex_char(struct lex *);
static void	 lex_unchar(struct lex *, int);
static int	 lex_expand(struct lex *);
static enum lex_kind lex_token(struct lex *);
static void	 lex_here(struct lex *);
static enum lex_kind lex_finish(struct lex *);
static enum lex_kind lex_punct(struct lex *, int);
static void	 lex_quoted(struct lex *);
static void	 lex_bare(struct lex *, int);
static void	 lex_put(struct lex *, size_t *, int);
static int	 lex_isassign(struct lex *);
static void	 lex_assign(struct lex *);
static void	 lex_include(struct lex *);
static void	 lex_includefile(struct lex *, const char *);
static struct lex_macro *lex_macro(struct lex *, const char *);
static int	 lex_set(struct lex *, const char *, const char *, int);
static int	 name_valid(const char *);
static int	 word_char(int);

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

	if ((kept = lex_keepname(lx, name)) == NULL)
		return -1;
	lx->at.file = kept;
	if (text == NULL) {
		if ((buf = lex_read(lx, name, &len, &st)) == NULL)
			return -1;
	} else if (len > LIM_CONFIG) {
		lex_dead(lx, "the configuration is too large");
		return -1;
	}
	if (lex_push(lx, kept, buf != NULL ? buf : text, buf, len) == -1)
		return -1;
	lx->src->dev = st.st_dev;
	lx->src->ino = st.st_ino;
	lx->total = len;
	lex_scan(lx);
	return 0;
}

void
lex_close(struct lex *lx)
{
	struct lex_macro	*m;

	while (lx->src != NULL)
		lex_pop(lx);
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
	if (!name_valid(name) || line_fault(value, strlen(value)) != NULL)
		return -1;
	return lex_set(lx, name, value, 1);
}

enum lex_kind
lex_next(struct lex *lx)
{
	enum lex_kind	kind;

	for (;;) {
		int start = lx->start;

		kind = lex_token(lx);
		if (!start || kind != LEX_WORD || lx->list > 0)
			return kind;
		if (lex_isassign(lx))
			lex_assign(lx);
		else if (strcmp(lx->text, "include") == 0)
			lex_include(lx);
		else
			break;
	}
	lx->block = strcmp(lx->text, "participant") == 0;
	return kind;
}

/*
 * Errors.
 */

static void
lex_error(struct lex *lx, const char *fmt, ...)
{
	char	buf[512];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	lx->error(lx->arg, &lx->at, buf);
}

static void
lex_dead(struct lex *lx, const char *why)
{
	if (!lx->dead)
		lex_error(lx, "%s", why);
	lx->dead = 1;
}

/*
 * Sources.
 */

static const char *
lex_keepname(struct lex *lx, const char *name)
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
lex_push(struct lex *lx, const char *file, const char *text, char *buf,
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
	src->depth = src->up == NULL ? 0 : src->up->depth + 1;
	src->line = file == NULL && src->up != NULL ? src->up->line : 1;
	lx->src = src;
	return 0;
}

static void
lex_pop(struct lex *lx)
{
	struct lex_source	*src = lx->src;

	lx->src = src->up;
	free(src->buf);
	free(src);
}

/* The whole file, to be freed; NULL when it cannot be had. */
static char *
lex_read(struct lex *lx, const char *name, size_t *len, struct stat *st)
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
lex_scan(struct lex *lx)
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
static int
lex_raw(struct lex *lx)
{
	struct lex_source	*src;

	for (src = lx->src; src->pos >= src->len; src = lx->src) {
		if (src->file != NULL)
			return LEX_EOF;
		lex_pop(lx);
	}
	if (src->text[src->pos] == '\n')
		src->line++;
	return (unsigned char)src->text[src->pos++];
}

static void
lex_unchar(struct lex *lx, int c)
{
	if (c == LEX_EOF)
		return;
	lx->src->pos--;
	if (c == '\n')
		lx->src->line--;
}

/* The same with continuation lines joined and macros in place. */
static int
lex_char(struct lex *lx)
{
	struct lex_source	*src;
	size_t			 left;
	int			 c;

	while ((c = lex_raw(lx)) != LEX_EOF) {
		src = lx->src;
		left = src->len - src->pos;
		if (c == '\\' && left >= 1 && src->text[src->pos] == '\n')
			src->pos += 1;
		else if (c == '\\' && left >= 2 &&
		    memcmp(src->text + src->pos, "\r\n", 2) == 0)
			src->pos += 2;
		else if (c == '$' && src->file != NULL) {
			if (lex_expand(lx) == -1)
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
lex_expand(struct lex *lx)
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
	if ((m = lex_macro(lx, name)) == NULL) {
		lex_error(lx, "the macro \"%s\" is not defined", name);
		return -1;
	}
	lx->total += strlen(m->value);
	if (lx->total > LIM_CONFIG) {
		lex_dead(lx, "the configuration is too large");
		return -1;
	}
	return lex_push(lx, NULL, m->value, NULL, strlen(m->value));
}

/*
 * Words.
 */

static enum lex_kind
lex_token(struct lex *lx)
{
	int	c;

	lx->text[0] = '\0';
	for (;;) {
		if (lx->dead)
			return LEX_END;
		c = lex_char(lx);
		if (c == ' ' || c == '\t' ||
		    (lx->list > 0 && (c == '\n' || c == ',')))
			continue;
		if (c != '#')
			break;
		while ((c = lex_raw(lx)) != LEX_EOF && c != '\n')
			;
		lex_unchar(lx, c);
	}
	lex_here(lx);
	if (c == LEX_EOF)
		return lex_finish(lx);
	if (c == '\n') {
		lx->at.line--;
		lx->start = 1;
		lx->block = 0;
		return LEX_NEWLINE;
	}
	lx->start = 0;
	if (c == '"') {
		lex_quoted(lx);
		return LEX_STRING;
	}
	if (word_char(c)) {
		lex_bare(lx, c);
		return LEX_WORD;
	}
	return lex_punct(lx, c);
}

static void
lex_here(struct lex *lx)
{
	struct lex_source	*src = lx->src;

	while (src->file == NULL)
		src = src->up;
	lx->at.file = src->file;
	lx->at.line = src->line;
}

/* The end of a file: of its list, of its last statement, then of itself. */
static enum lex_kind
lex_finish(struct lex *lx)
{
	if (lx->list > 0) {
		lex_error(lx, "the list that begins in line %u is not closed",
		    lx->list_line);
		lx->list = 0;
	}
	if (!lx->start) {
		lx->start = 1;
		lx->block = 0;
		return LEX_NEWLINE;
	}
	if (lx->src->up == NULL)
		return LEX_END;
	lex_pop(lx);
	return LEX_NEWLINE;
}

static enum lex_kind
lex_punct(struct lex *lx, int c)
{
	lx->text[0] = (char)c;
	lx->text[1] = '\0';
	if (c == '{' && lx->block && lx->list == 0) {
		lx->block = 0;
		lx->start = 1;
	} else if (c == '{') {
		if (lx->list++ == 0)
			lx->list_line = lx->at.line;
	} else if (c == '}' && lx->list > 0)
		lx->list--;
	return LEX_CHAR;
}

static void
lex_quoted(struct lex *lx)
{
	size_t	n = 0;
	int	c, next;

	while ((c = lex_raw(lx)) != '"') {
		if (c == LEX_EOF || c == '\n') {
			lex_unchar(lx, c);
			lex_error(lx, "the string is not terminated");
			break;
		}
		if (c == '\\') {
			next = lex_raw(lx);
			if (next == '"' || next == '\\')
				c = next;
			else {
				lex_unchar(lx, next);
				lex_error(lx, "in a string a backslash is "
				    "written twice");
			}
		}
		lex_put(lx, &n, c);
	}
	lx->text[n] = '\0';
	if (n == sizeof(lx->text) - 1)
		lex_error(lx, "the string is too long");
}

static void
lex_bare(struct lex *lx, int c)
{
	size_t	n = 0;

	do
		lex_put(lx, &n, c);
	while ((c = lex_char(lx)) != LEX_EOF && word_char(c));
	lex_unchar(lx, c);
	lx->text[n] = '\0';
	if (n == sizeof(lx->text) - 1)
		lex_error(lx, "the word is too long");
}

static void
lex_put(struct lex *lx, size_t *n, int c)
{
	if (*n < sizeof(lx->text) - 1)
		lx->text[(*n)++] = (char)c;
}

/*
 * Macros and include.
 */

/* A word was read at the start of a statement: does `=' follow? */
static int
lex_isassign(struct lex *lx)
{
	struct lex_source	*src = lx->src;
	size_t			 pos = src->pos;

	while (pos < src->len && (src->text[pos] == ' ' ||
	    src->text[pos] == '\t'))
		pos++;
	if (pos == src->len || src->text[pos] != '=')
		return 0;
	src->pos = pos + 1;
	return 1;
}

/* The value is the rest of the statement, words joined by blanks. */
static void
lex_assign(struct lex *lx)
{
	struct config_where	at = lx->at;
	char			name[LIM_NAME + 1], value[LIM_CONFIG_WORD];
	enum lex_kind		kind;
	size_t			n = 0;
	int			bad;

	bad = strlcpy(name, lx->text, sizeof(name)) >= sizeof(name) ||
	    !name_valid(name);
	value[0] = '\0';
	while ((kind = lex_token(lx)) != LEX_NEWLINE && kind != LEX_END) {
		if (n > 0)
			(void)strlcat(value, " ", sizeof(value));
		n = strlcat(value, lx->text, sizeof(value));
	}
	lx->at = at;
	if (bad)
		lex_error(lx, "\"%s\" is no name for a macro", name);
	else if (n >= sizeof(value))
		lex_error(lx, "the value of \"%s\" is too long", name);
	else if (lex_set(lx, name, value, 0) == -1)
		lex_dead(lx, "out of memory");
}

static void
lex_include(struct lex *lx)
{
	struct config_where	at;
	char			name[LIM_CONFIG_WORD];
	enum lex_kind		kind;

	kind = lex_token(lx);
	at = lx->at;
	memcpy(name, lx->text, sizeof(name));
	if (kind == LEX_STRING || kind == LEX_WORD)
		kind = lex_token(lx);
	else
		name[0] = '\0';
	if (kind != LEX_NEWLINE || name[0] == '\0') {
		while (kind != LEX_NEWLINE && kind != LEX_END)
			kind = lex_token(lx);
		lx->at = at;
		lex_error(lx, "expected: include \"file\"");
		return;
	}
	lx->at = at;
	if (lx->noinclude)
		lex_error(lx, "include is not allowed in this text");
	else
		lex_includefile(lx, name);
}

static void
lex_includefile(struct lex *lx, const char *name)
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
	if (lx->src->depth >= LIM_INCLUDES) {
		lex_error(lx, "more than %d files include each other",
		    LIM_INCLUDES);
		goto out;
	}
	if ((buf = lex_read(lx, path, &len, &st)) == NULL)
		goto out;
	for (s = lx->src; s != NULL; s = s->up)
		if (s->ino == st.st_ino && s->dev == st.st_dev) {
			lex_error(lx, "%s includes itself", path);
			free(buf);
			goto out;
		}
	if ((kept = lex_keepname(lx, path)) == NULL) {
		free(buf);
		goto out;
	}
	if (lex_push(lx, kept, buf, buf, len) == -1)
		goto out;
	lx->src->dev = st.st_dev;
	lx->src->ino = st.st_ino;
	lx->total += len;
	lex_scan(lx);
out:
	free(path);
}

static struct lex_macro *
lex_macro(struct lex *lx, const char *name)
{
	struct lex_macro	*m;

	SLIST_FOREACH(m, &lx->macros, entry)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static int
lex_set(struct lex *lx, const char *name, const char *value, int fixed)
{
	struct lex_macro	*m = lex_macro(lx, name);
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

static int
name_valid(const char *s)
{
	size_t	n = strlen(s);

	if (n == 0 || n > LIM_NAME || isdigit((unsigned char)s[0]))
		return 0;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return 0;
	return 1;
}

/* What a word may hold without quotes. */
static int
word_char(int c)
{
	if (c >= 0x80)
		return 1;
	return isgraph(c) && strchr("\"#$'(),<=>\\`{}", c) == NULL;
}
