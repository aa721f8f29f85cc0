/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

%{
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/build.h"

/*
 * The grammar of pfoertner.conf(5).  It says what may stand where, and hands
 * each statement to its builder; what words mean is not known here.  After a
 * wrong statement it goes on with the next, to find all errors in one go.
 */

struct keyword {
	const char	*word;
	int		 token;
	const char	*form;		/* of the statement it begins */
};

int			 yyparse(void);
static int		 yylex(void);
static void		 yyerror(const char *);

static struct parse	*ps;		/* the parse that is going on */
static const struct keyword *statement;	/* its first word, or NULL */
static enum lex_kind	 last_kind;	/* of the last token; did it begin */
static int		 last_first;	/* a statement? */
%}

%union {
	struct value	*value;
	struct values	*values;
	struct item	*item;
	struct items	*items;
	int		 number;
}

%token	ARC ARCHIVE AT BELOW BUILTIN CERT CLAMD CLUSTER CONTACT DELAY DELIVER
%token	DIRECTORY DISCARD DKIM DMARC DNSBL DNSSEC DOMAIN ENCRYPTED EVERY EXCEPT
%token	EXPIRE FAILURE FOR FORWARDERS FROM GREYLIST HALF KEEP KEY LIMIT LISTEN
%token	LMDB MACROS MAX MEMORY MESSAGE NODE OFFICE ON OPAQUE OPERATORS OWNER
%token	PARTIAL PARTICIPANT PDF PKI POINTS PORT PREFIX PROCESSES QUEUE REDIS
%token	RELAY RESOLVER RETRY ROTATE RUNTIME SCANNER SEALERS SELECTORS SEND
%token	SERVICE SMTP SPOOL SYMBOL TEST TLS TO TRAP UNREADABLE USER
%token	VIRUS WARN WINDOW STRAY
%token	<value>		ACCEPT ANTIVIRUS NETWORK REJECT STATE TEMPFAIL
%token	<value>		WORD STRING

%type	<value>		string port pki failure contact rotate action limitword
%type	<value>		listkind listtest
%type	<values>	strings stringlist except limitwords
%type	<item>		greyitem code addrport directory process queue
%type	<items>		policies policy domainpolicy greyitems codes addrports
%type	<items>		addrportlist directories processes queues
%type	<number>	finding cluster directoryname processname queuename

%%

grammar		: /* empty */
		| grammar '\n'
		| grammar statement '\n'
		| grammar PARTICIPANT error '\n'	{ yyerrok; }
		| grammar error '\n'		{ yyerrok; }
		;

statement	: SERVICE string		{ build_service(ps, $2); }
		| NODE string			{ build_node(ps, $2); }
		| CONTACT string		{ build_contact(ps, $2); }
		| NETWORK strings except	{ build_network(ps, $2, $3); }
		| CLUSTER strings		{ build_cluster(ps, $2); }
		| PKI string CERT string KEY string {
			build_pki(ps, $2, $4, $6);
		}
		| LISTEN ON strings port pki	{
			build_listen(ps, $3, $4, $5);
		}
		| SEND FROM strings		{ build_send(ps, $3); }
		| RESOLVER addrports		{ build_resolver(ps, $2); }
		| DNSSEC string			{ build_dnssec(ps, $2); }
		| MESSAGE MAX WORD		{ build_message(ps, $3); }
		| MEMORY WORD			{ build_memory(ps, $2); }
		| ANTIVIRUS BUILTIN		{
			build_antivirus(ps, $1, NULL, NULL);
		}
		| ANTIVIRUS BUILTIN strings	{
			build_antivirus(ps, $1, NULL, NULL);
			build_hashes(ps, $3);
		}
		| ANTIVIRUS CLAMD strings failure {
			build_antivirus(ps, $1, $3, $4);
		}
		| DNSBL string listkind listtest '{' codes '}' {
			build_dnsbl(ps, $2, $3, $4, $6);
		}
		| FORWARDERS strings		{ build_forwarders(ps, $2); }
		| ARC SEALERS strings		{ build_arc(ps, $3); }
		| SYMBOL string POINTS WORD	{ build_symbol(ps, $2, $4); }
		| STATE LMDB			{
			build_state(ps, $1, NULL, 0);
		}
		| STATE REDIS strings cluster	{
			build_state(ps, $1, $3, $4);
		}
		| DIRECTORY directories		{ build_directory(ps, $2); }
		| DKIM SELECTORS strings BELOW string rotate {
			build_dkim(ps, $3, $5, $6);
		}
		| LIMIT limitwords		{ build_limit(ps, $2); }
		| PROCESSES processes		{ build_processes(ps, $2); }
		| QUEUE queues			{ build_queue(ps, $2); }
		| USER PREFIX string		{ build_user(ps, $3); }
		| OPERATORS strings		{ build_operators(ps, $2); }
		| participant
		| inner
		;

/*
 * What stands in a participant's block.  Policies stand outside too, for
 * everybody; the others are only told apart from nonsense there.
 */
inner		: DOMAIN strings DELIVER TO string port domainpolicy {
			build_domain(ps, $2, $5, $6, $7);
		}
		| RELAY FROM strings		{ build_relay(ps, $3, NULL); }
		| RELAY FROM strings LIMIT WORD	{ build_relay(ps, $3, $5); }
		| DISCARD strings		{ build_mailboxes(ps, $2, 0); }
		| TRAP strings			{ build_mailboxes(ps, $2, 1); }
		| policies			{ build_policy(ps, $1); }
		;

participant	: PARTICIPANT string contact '{' {
			build_participant(ps, $2, $3);
		} block				{ build_participant_end(ps); }
		| PARTICIPANT error '{'		{
			yyerrok;
			build_participant(ps, NULL, NULL);
		} block				{ build_participant_end(ps); }
		;

block		: lines '}'
		| lines inner '}'
		;

lines		: /* empty */
		| lines '\n'
		| lines inner '\n'
		| lines error '\n'		{ yyerrok; }
		;

contact		: /* empty */			{ $$ = NULL; }
		| CONTACT string		{ $$ = $2; }
		;

except		: /* empty */			{ $$ = NULL; }
		| EXCEPT strings		{ $$ = $2; }
		;

port		: /* empty */			{ $$ = NULL; }
		| PORT WORD			{ $$ = $2; }
		;

pki		: /* empty */			{ $$ = NULL; }
		| TLS PKI string		{ $$ = $3; }
		;

failure		: /* empty */			{ $$ = NULL; }
		| ON FAILURE action		{ $$ = $3; }
		;

cluster		: /* empty */			{ $$ = 0; }
		| CLUSTER			{ $$ = 1; }
		;

rotate		: /* empty */			{ $$ = NULL; }
		| ROTATE EVERY WORD		{ $$ = $3; }
		;

addrports	: addrport			{
			$$ = items_add(ps, NULL, $1);
		}
		| '{' addrportlist '}'		{ $$ = $2; }
		;

addrportlist	: addrport			{
			$$ = items_add(ps, NULL, $1);
		}
		| addrportlist addrport		{ $$ = items_add(ps, $1, $2); }
		;

addrport	: string port			{
			$$ = item_new(ps, 0, $1, $2, NULL);
		}
		;

listkind	: /* empty */			{ $$ = NULL; }
		| FOR string			{ $$ = $2; }
		;

listtest	: /* empty */			{ $$ = NULL; }
		| TEST string			{ $$ = $2; }
		;

codes		: code				{
			$$ = items_add(ps, NULL, $1);
		}
		| codes code			{ $$ = items_add(ps, $1, $2); }
		;

code		: string POINTS WORD		{
			$$ = item_new(ps, 0, $1, NULL, $3);
		}
		| string '-' string POINTS WORD	{
			$$ = item_new(ps, 0, $1, $3, $5);
		}
		;

directories	: directory			{
			$$ = items_add(ps, NULL, $1);
		}
		| directories directory		{ $$ = items_add(ps, $1, $2); }
		;

directory	: directoryname string		{
			$$ = item_new(ps, $1, $2, NULL, NULL);
		}
		;

directoryname	: RUNTIME			{ $$ = ITEM_RUNTIME; }
		| SPOOL				{ $$ = ITEM_SPOOL; }
		| STATE				{ $$ = ITEM_STATE; }
		;

processes	: process			{
			$$ = items_add(ps, NULL, $1);
		}
		| processes process		{ $$ = items_add(ps, $1, $2); }
		;

process		: processname WORD		{
			$$ = item_new(ps, $1, $2, NULL, NULL);
		}
		;

processname	: SMTP				{ $$ = ITEM_SMTP; }
		| SCANNER			{ $$ = ITEM_SCANNER; }
		| DELIVER			{ $$ = ITEM_DELIVER; }
		;

queues		: queue				{
			$$ = items_add(ps, NULL, $1);
		}
		| queues queue			{ $$ = items_add(ps, $1, $2); }
		;

queue		: queuename WORD		{
			$$ = item_new(ps, $1, $2, NULL, NULL);
		}
		;

queuename	: RETRY				{ $$ = ITEM_RETRY; }
		| MAX				{ $$ = ITEM_MAX; }
		| WARN				{ $$ = ITEM_WARN; }
		| EXPIRE			{ $$ = ITEM_EXPIRE; }
		;

/* Its builder knows the limits by name; one of their words is ours too. */
limitwords	: limitword			{
			$$ = values_add(ps, NULL, $1);
		}
		| limitwords limitword		{ $$ = values_add(ps, $1, $2); }
		;

limitword	: WORD
		| NETWORK
		;

domainpolicy	: /* empty */			{ $$ = NULL; }
		| policies
		;

policies	: policy
		| policies policy		{ $$ = items_join($1, $2); }
		;

policy		: GREYLIST greyitems		{ $$ = $2; }
		| REJECT AT WORD		{
			$$ = items_add(ps, NULL,
			    item_new(ps, ITEM_REJECT, $3, NULL, NULL));
		}
		| finding action		{
			$$ = items_add(ps, NULL,
			    item_new(ps, ITEM_DECISIVE + $1, $2, NULL, NULL));
		}
		;

greyitems	: greyitem			{
			$$ = items_add(ps, NULL, $1);
		}
		| greyitems greyitem		{ $$ = items_add(ps, $1, $2); }
		;

greyitem	: AT WORD			{
			$$ = item_new(ps, ITEM_GREYLIST, $2, NULL, NULL);
		}
		| DELAY WORD			{
			$$ = item_new(ps, ITEM_DELAY, $2, NULL, NULL);
		}
		| WINDOW WORD			{
			$$ = item_new(ps, ITEM_WINDOW, $2, NULL, NULL);
		}
		| KEEP WORD			{
			$$ = item_new(ps, ITEM_KEEP, $2, NULL, NULL);
		}
		;

finding		: VIRUS				{ $$ = DECISIVE_VIRUS; }
		| MACROS			{ $$ = DECISIVE_MACRO; }
		| UNREADABLE MACROS		{
			$$ = DECISIVE_MACRO_UNREADABLE;
		}
		| ENCRYPTED PDF			{ $$ = DECISIVE_PDF; }
		| OWNER PDF			{ $$ = DECISIVE_PDF_OWNER; }
		| ENCRYPTED ARCHIVE		{ $$ = DECISIVE_ARCHIVE; }
		| HALF ENCRYPTED ARCHIVE	{
			$$ = DECISIVE_ARCHIVE_HALF;
		}
		| ENCRYPTED OFFICE		{ $$ = DECISIVE_OFFICE; }
		| PARTIAL			{ $$ = DECISIVE_PARTIAL; }
		| OPAQUE			{ $$ = DECISIVE_OPAQUE; }
		| DMARC				{ $$ = DECISIVE_DMARC; }
		;

action		: ACCEPT
		| TEMPFAIL
		| REJECT
		;

strings		: string			{
			$$ = values_add(ps, NULL, $1);
		}
		| '{' stringlist '}'		{ $$ = $2; }
		;

stringlist	: string			{
			$$ = values_add(ps, NULL, $1);
		}
		| stringlist string		{ $$ = values_add(ps, $1, $2); }
		;

string		: STRING
		| WORD
		;

%%

/* In the order of strcmp(3). */
static const struct keyword keywords[] = {
	{ "accept",	ACCEPT,		NULL },
	{ "antivirus",	ANTIVIRUS,	"antivirus clamd PATH [on failure "
	    "ACTION], or antivirus builtin [HASHES]" },
	{ "arc",	ARC,		"arc sealers { DOMAIN, ... }" },
	{ "archive",	ARCHIVE,	NULL },
	{ "at",		AT,		NULL },
	{ "below",	BELOW,		NULL },
	{ "builtin",	BUILTIN,	NULL },
	{ "cert",	CERT,		NULL },
	{ "clamd",	CLAMD,		NULL },
	{ "cluster",	CLUSTER,	"cluster { RANGE, ... }" },
	{ "contact",	CONTACT,	"contact TEXT" },
	{ "delay",	DELAY,		NULL },
	{ "deliver",	DELIVER,	NULL },
	{ "directory",	DIRECTORY,	"directory [runtime PATH] [spool PATH] "
	    "[state PATH]" },
	{ "discard",	DISCARD,	"discard { ADDRESS, ... }" },
	{ "dkim",	DKIM,		"dkim selectors { NAME, ... } below "
	    "DOMAIN [rotate every TIME]" },
	{ "dmarc",	DMARC,		"dmarc ACTION" },
	{ "dnsbl",	DNSBL,		"dnsbl ZONE [for KIND] [test NAME] "
	    "{ CODE [- CODE] points POINTS, ... }" },
	{ "dnssec",	DNSSEC,		"dnssec PATH" },
	{ "domain",	DOMAIN,		"domain { NAME, ... } deliver to HOST "
	    "[port NUMBER] [POLICY ...]" },
	{ "encrypted",	ENCRYPTED,	"encrypted pdf|archive|office ACTION" },
	{ "every",	EVERY,		NULL },
	{ "except",	EXCEPT,		NULL },
	{ "expire",	EXPIRE,		NULL },
	{ "failure",	FAILURE,	NULL },
	{ "for",	FOR,		NULL },
	{ "forwarders",	FORWARDERS,	"forwarders { RANGE|NAME, ... }" },
	{ "from",	FROM,		NULL },
	{ "greylist",	GREYLIST,	"greylist [at POINTS] [delay TIME] "
	    "[window TIME] [keep TIME]" },
	{ "half",	HALF,		"half encrypted archive ACTION" },
	{ "keep",	KEEP,		NULL },
	{ "key",	KEY,		NULL },
	{ "limit",	LIMIT,		"limit NAME VALUE" },
	{ "listen",	LISTEN,		"listen on { ADDRESS, ... } "
	    "[port NUMBER] [tls pki NAME]" },
	{ "lmdb",	LMDB,		NULL },
	{ "macros",	MACROS,		"macros ACTION" },
	{ "max",	MAX,		NULL },
	{ "memory",	MEMORY,		"memory SIZE" },
	{ "message",	MESSAGE,	"message max SIZE" },
	{ "network",	NETWORK,	"network { RANGE, ... } "
	    "[except { RANGE, ... }]" },
	{ "node",	NODE,		"node NAME" },
	{ "office",	OFFICE,		NULL },
	{ "on",		ON,		NULL },
	{ "opaque",	OPAQUE,		"opaque ACTION" },
	{ "operators",	OPERATORS,	"operators { USER, ... }" },
	{ "owner",	OWNER,		"owner pdf ACTION" },
	{ "partial",	PARTIAL,	"partial ACTION" },
	{ "participant", PARTICIPANT,	"participant NAME [contact TEXT] {" },
	{ "pdf",	PDF,		NULL },
	{ "pki",	PKI,		"pki NAME cert PATH key PATH" },
	{ "points",	POINTS,		NULL },
	{ "port",	PORT,		NULL },
	{ "prefix",	PREFIX,		NULL },
	{ "processes",	PROCESSES,	"processes [smtp NUMBER] [scanner "
	    "NUMBER] [deliver NUMBER]" },
	{ "queue",	QUEUE,		"queue [retry TIME] [max TIME] "
	    "[warn TIME] [expire TIME]" },
	{ "redis",	REDIS,		NULL },
	{ "reject",	REJECT,		"reject at POINTS" },
	{ "relay",	RELAY,		"relay from { RANGE, ... } "
	    "[limit NUMBER/TIME]" },
	{ "resolver",	RESOLVER,	"resolver { ADDRESS [port NUMBER], "
	    "... }" },
	{ "retry",	RETRY,		NULL },
	{ "rotate",	ROTATE,		NULL },
	{ "runtime",	RUNTIME,	NULL },
	{ "scanner",	SCANNER,	NULL },
	{ "sealers",	SEALERS,	NULL },
	{ "selectors",	SELECTORS,	NULL },
	{ "send",	SEND,		"send from { ADDRESS, ... }" },
	{ "service",	SERVICE,	"service NAME" },
	{ "smtp",	SMTP,		NULL },
	{ "spool",	SPOOL,		NULL },
	{ "state",	STATE,		"state lmdb, or state redis "
	    "{ ADDRESS:PORT, ... } [cluster]" },
	{ "symbol",	SYMBOL,		"symbol NAME points POINTS" },
	{ "tempfail",	TEMPFAIL,	NULL },
	{ "test",	TEST,		NULL },
	{ "tls",	TLS,		NULL },
	{ "to",		TO,		NULL },
	{ "trap",	TRAP,		"trap { ADDRESS, ... }" },
	{ "unreadable",	UNREADABLE,	"unreadable macros ACTION" },
	{ "user",	USER,		"user prefix TEXT" },
	{ "virus",	VIRUS,		"virus ACTION" },
	{ "warn",	WARN,		NULL },
	{ "window",	WINDOW,		NULL },
};

static int
keyword_cmp(const void *key, const void *entry)
{
	return strcmp(key, ((const struct keyword *)entry)->word);
}

static const struct keyword *
keyword_find(const char *word)
{
	return bsearch(word, keywords, sizeof(keywords) / sizeof(keywords[0]),
	    sizeof(keywords[0]), keyword_cmp);
}

void
parse_run(struct parse *p)
{
	ps = p;
	statement = NULL;
	if (yyparse() != 0 && p->errors == 0)
		parse_error(p, &p->lx.at, "the parser gave up");
	ps = NULL;
}

static int
yylex(void)
{
	struct lex		*lx = &ps->lx;
	const struct keyword	*k = NULL;

	last_first = lx->start && lx->list == 0;
	last_kind = lex_next(lx);
	if (last_kind == LEX_WORD)
		k = keyword_find(lx->text);
	if (last_first)
		statement = k;
	switch (last_kind) {
	case LEX_END:
		return 0;
	case LEX_NEWLINE:
		return '\n';
	case LEX_CHAR:
		return lx->text[0] == '{' || lx->text[0] == '}' ?
		    lx->text[0] : STRAY;
	case LEX_STRING:
	case LEX_WORD:
		break;
	}
	if (last_kind == LEX_WORD && strcmp(lx->text, "-") == 0)
		return '-';
	yylval.value = parse_value(ps);
	if (k != NULL)
		return k->token;
	return last_kind == LEX_WORD ? WORD : STRING;
}

/* One syntax error a line, and none where the lexer has complained. */
static void
yyerror(const char *why)
{
	struct lex	*lx = &ps->lx;
	char		 near[80], list[64] = "";
	const char	*form = NULL;

	if (lx->dead || (ps->errors > 0 && ps->last.file == lx->at.file &&
	    ps->last.line == lx->at.line))
		return;
	if (strncmp(why, "syntax error", 12) != 0) {
		parse_error(ps, &lx->at, "%s", why);
		return;
	}
	if (statement != NULL)
		form = statement->form;
	if (last_kind == LEX_NEWLINE)
		(void)snprintf(near, sizeof(near), "the line is not complete");
	else if (last_kind == LEX_END)
		(void)snprintf(near, sizeof(near), "the block of the "
		    "participant is not closed at the end of the file");
	else if (last_first && last_kind == LEX_WORD && statement == NULL)
		(void)snprintf(near, sizeof(near), "unknown word \"%.40s\"",
		    lx->text);
	else if (last_first && ps->participant != NULL)
		(void)snprintf(near, sizeof(near), "\"%.20s\" has no place "
		    "in the block of a participant", lx->text);
	else if (last_first)
		(void)snprintf(near, sizeof(near), "\"%.20s\" begins no "
		    "statement", lx->text);
	else
		(void)snprintf(near, sizeof(near), "unexpected \"%.40s\"",
		    lx->text);
	if (lx->list > 0 && lx->list_line != lx->at.line)
		(void)snprintf(list, sizeof(list),
		    " in the list that begins in line %u", lx->list_line);
	if (form == NULL || last_first)
		parse_error(ps, &lx->at, "%s%s", near, list);
	else
		parse_error(ps, &lx->at, "%s%s; expected: %s", near, list,
		    form);
}
