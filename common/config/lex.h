/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_CONFIG_LEX_H
#define COMMON_CONFIG_LEX_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config/config.h"

/*
 * The lexer of pfoertner.conf(5): from files to words, with line numbers.
 * Macros, include, comments and continuation lines are done here, so the
 * grammar never sees them.
 */

enum lex_kind {
	LEX_END,		/* of the outermost file; again and again */
	LEX_NEWLINE,		/* the end of a statement */
	LEX_WORD,		/* bare */
	LEX_STRING,		/* was in quotes */
	LEX_CHAR		/* text[0]: a brace, or what has no place */
};

struct lex_source;
struct lex_macro;

struct lex {
	struct lex_source	*src;		/* innermost */
	SLIST_HEAD(, lex_macro)	 macros;
	struct config_names	*files;		/* names of files, kept */
	struct config_where	 at;		/* where the last token began */
	char			 text[LIM_CONFIG_WORD];
	size_t			 total;		/* octets read, of LIM_CONFIG */
	uint32_t		 list_line;	/* where the open list began */
	int			 list;		/* depth of lists */
	int			 start;		/* a statement begins here */
	int			 block;		/* it is one with a block */
	int			 noinclude;
	void			(*error)(void *, const struct config_where *,
				    const char *);
	void			*arg;		/* of error */
	int			 dead;		/* no memory, or too much */
};

/*
 * Begin with text, or, where that is NULL, with the file of that name.  error
 * is called for everything that is wrong; files receives the names that the
 * config_wheres point to and must outlive them.  -1: it could not be begun,
 * and error was called.
 */
int		 lex_open(struct lex *, const char *name, const char *text,
		    size_t len, struct config_names *files,
		    void (*error)(void *, const struct config_where *,
			const char *), void *arg);
void		 lex_close(struct lex *);
/* Set before the first token; wins over the file.  -1: not a macro name or
   no memory. */
int		 lex_define(struct lex *, const char *name, const char *value);
/* The next token; its text and where are in the struct until the next call. */
enum lex_kind	 lex_next(struct lex *);

#endif
