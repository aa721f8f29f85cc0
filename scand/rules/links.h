/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_RULES_LINKS_H
#define SCAND_RULES_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/resolver.h"

/*
 * Links in text and HTML.  Pure functions on octets, which are UTF-8 after
 * the transfer encoding and the charset have been undone; what is not is
 * skipped.  They know nothing of messages and points.
 */

/*
 * url.c: one URL, as a browser reads it.
 */

/* What is odd about a host; also what stands in links.odd. */
enum link_odd {
	LINK_ADDRESS,		/* it is an IP address that is routed */
	LINK_OBSCURED,		/* written so that people do not see it */
	LINK_USER,		/* a user name, or what looks like a host,
				   stands before it */
	LINK_PORT,		/* neither 80 nor 443 */
	LINK_MIXED,		/* letters that look like those of another
				   script */
	LINK_DIFFERS,		/* its text names another domain */
	LINK_DOCUMENT,		/* it is the document that it shows */
	LINK_ODDS
};
#define LINK_BIT(o)	(1U << (o))

struct link {
	char		 host[DNS_NAME];	/* lower case, A-labels, no
						   final dot; or an address */
	uint8_t		 family;	/* 0: a name; 4, 6: an address */
	unsigned	 odd;		/* LINK_BIT()s */
};

#define LINK_STRICT	0	/* as it stands in an attribute */
#define LINK_TEXT	1	/* in running text: its end is a guess */

/*
 * A URL of http, https or ftp, or one that begins with two slashes, which may
 * be backslashes.  1: l is filled; 0: it has no host that can be looked up,
 * though LINK_DOCUMENT may be in odd; -1: it is relative to something else.
 */
int	link_parse(struct link *l, const char *s, size_t n, int how);
/* The same for a host without a scheme, "www.example.org/x". */
int	link_host(struct link *l, const char *s, size_t n, int how);

/*
 * The part of a host that somebody has registered: its last two labels, or
 * three below what looks like "co.uk".  There is no list of these, so this is
 * a guess; points into host.
 */
const char *host_domain(const char *host);
/* The name one label below that; NULL if that is the host. */
const char *host_below(const char *host);
/* Does it end in one of the usual top-level domains, which no file does? */
int	host_usual(const char *host);

/*
 * hostname.c: a host as it was written, percent-encoding undone, becomes what
 * is asked for: the mapping of UTS 46 as far as it hides ASCII, lower case,
 * A-labels.  Sets LINK_OBSCURED and LINK_MIXED in *odd.  -1: it cannot be a
 * host.
 */
int	hostname_map(const char *s, size_t n, char *dst, size_t size,
	    unsigned *odd);

/*
 * html.c: decoding of HTML.
 */
/* Character references become UTF-8; dst is not terminated.  Returns its
   length; what does not fit is cut.  dst may be s. */
size_t	html_decode(const char *s, size_t n, char *dst, size_t size);

struct html_attr {
	const char	*name, *value;		/* as written */
	size_t		 namelen, valuelen;
};
struct html_tag {
	const char	*name;
	size_t		 namelen;
	int		 end;		/* </name */
	const char	*p, *to;	/* the attributes that are left */
	unsigned	 endless;	/* HTML_*: what has no end from here on,
					   so that it is sought once only */
};
#define HTML_COMMENT	0x01
#define HTML_QUOTE	0x02
/*
 * What s[0] = '<' begins.  The number of octets up to the end of the tag, or
 * of what a reader would not show (comments); 1 if it is just a '<'.  t->name
 * is NULL if it is no tag.  t is zeroed once for a text, whose end is s[n].
 */
size_t	html_tag(struct html_tag *t, const char *s, size_t n);
/* 1: a is the next attribute; 0: there are no more. */
int	html_attr(struct html_tag *t, struct html_attr *a);
/* Is the name this one, which is in lower case? */
int	html_is(const char *s, size_t n, const char *name);

/*
 * links.c: all links of one message.  Reset it, scan as many texts as there
 * are, then read what was found.
 */
struct links {
	/* Hosts, each once; names are cut to their last four labels. */
	struct link_found {
		char		 host[DNS_NAME];
		uint8_t		 family;
	}		 v[LIM_LINKS];
	size_t		 n;
	size_t		 distinct;	/* of them with those left out */
	size_t		 total;		/* all links */
	size_t		 tries;		/* what may have been some, up to
					   LIM_LINK_TRIES */
	size_t		 scanned;	/* octets, up to LIM_LINK_TEXT */
	struct {
		size_t	 n;
		char	 example[96];	/* a host, or two; printable */
	}		 odd[LINK_ODDS];
	uint32_t	 seed;
};
/* Zeroed before the first time. */
void	links_reset(struct links *);
void	links_scan(struct links *, const char *text, size_t n, int is_html);

#endif
