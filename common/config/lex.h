/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_CONFIG_LEX_H
#define COMMON_CONFIG_LEX_H

#include <sys/types.h>
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

/* A file or, on top of it, a macro. */
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
/* lex.c: the next token; its text and place are in the struct until the next
   call. */
enum lex_kind	 lex_next(struct lex *);

/*
 * source.c, for the lexer.
 */
#define LEX_EOF		(-1)

/* The next octet, lines joined and macros in place; LEX_EOF at the end of a
   file, again and again. */
int		 source_char(struct lex *);
/* The same, as it stands in the file. */
int		 source_raw(struct lex *);
/* The last one was not wanted. */
void		 source_unchar(struct lex *, int);
void		 source_pop(struct lex *);
/* Go on with a file; what is wrong with that is told. */
void		 source_include(struct lex *, const char *);
int		 macro_set(struct lex *, const char *name, const char *value,
		    int fixed);
int		 macro_valid(const char *name);
/* The place of errors is where the source stands. */
void		 lex_here(struct lex *);
void		 lex_error(struct lex *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
/* Tell it, and end the parse. */
void		 lex_dead(struct lex *, const char *);

#endif
