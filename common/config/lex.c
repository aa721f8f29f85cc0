/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <ctype.h>
#include <string.h>

#include "common/config/lex.h"
#include "common/limits.h"

/*
 * From characters to words.  A newline ends a statement, except inside a
 * list.  Lists are all braces but those of the one statement with a block,
 * `participant'; that word the lexer knows, and `include'.
 */

static enum lex_kind lex_token(struct lex *);
static enum lex_kind lex_finish(struct lex *);
static enum lex_kind lex_punct(struct lex *, int);
static void	 lex_quoted(struct lex *);
static void	 lex_bare(struct lex *, int);
static void	 lex_put(struct lex *, size_t *, int);
static int	 lex_isassign(struct lex *);
static void	 lex_assign(struct lex *);
static void	 lex_include(struct lex *);
static int	 word_char(int);

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
		c = source_char(lx);
		if (c == ' ' || c == '\t' ||
		    (lx->list > 0 && (c == '\n' || c == ',')))
			continue;
		if (c != '#')
			break;
		while ((c = source_raw(lx)) != LEX_EOF && c != '\n')
			;
		source_unchar(lx, c);
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
	source_pop(lx);
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

	while ((c = source_raw(lx)) != '"') {
		if (c == LEX_EOF || c == '\n') {
			source_unchar(lx, c);
			lex_error(lx, "the string is not terminated");
			break;
		}
		if (c == '\\') {
			next = source_raw(lx);
			if (next == '"' || next == '\\')
				c = next;
			else {
				source_unchar(lx, next);
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
	while ((c = source_char(lx)) != LEX_EOF && word_char(c));
	source_unchar(lx, c);
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
	    !macro_valid(name);
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
	else if (macro_set(lx, name, value, 0) == -1)
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
	source_include(lx, name);
}

/* What a word may hold without quotes. */
static int
word_char(int c)
{
	if (c >= 0x80)
		return 1;
	return isgraph(c) && strchr("\"#$'(),<=>\\`{}", c) == NULL;
}
