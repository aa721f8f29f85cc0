/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_SCAND_H
#define SCAND_SCAND_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/ipc.h"
#include "common/protocol.h"
#include "common/resolver.h"
#include "scand/mime/mime.h"
#include "scand/mime/parts.h"
#include "scand/symbols.h"

struct job;
struct dkim_check;
struct arc_check;

/*
 * answers.c: what one message knows from DNS.  Rules read the map with
 * answers_get(); what is not known yet is noted there, asked for by
 * answers_ask(), and the rules are run again when answers have come.
 */

/* As struct dns_answer, in one piece of memory. */
struct answer {
	enum dns_status		 status;	/* DNS_TIMEOUT: given up */
	enum dns_security	 security;
	int			 truncated;
	size_t			 nrec;
	const struct dns_record	*rec;
	size_t			 size;		/* of all of it */
	uint32_t		 refs;
};

enum answer_state { ANSWER_WANTED, ANSWER_ASKED, ANSWER_HERE };

struct answer_slot {
	uint32_t		 hash;		/* of the name */
	enum dns_type		 type;
	enum answer_state	 state;
	unsigned		 breaker;
	uint64_t		 asked;		/* loop_now() */
	struct answer		*answer;
	struct dns_question	*question;
	struct answers		*map;
	char			 name[];
};

struct answers {
	TAILQ_ENTRY(answers)	 entry;		/* while questions are open */
	int			 listed;
	uint64_t		 serial;	/* of the message */
	struct answer_slot	**slots;
	size_t			 n, size;
	size_t			 wanted, open;	/* slots in these states */
	unsigned		 given_up;
	uint64_t		 due;		/* loop_now() */
	void			(*changed)(void *);
	void			*arg;
};

/* What all messages of this process have asked, for status. */
struct answers_count {
	uint64_t	asked, cached, given_up;
	uint64_t	secure, bogus;		/* of those asked, by DNSSEC */
};
extern struct answers_count answers_count;

/*
 * Begin a map; changed(arg) is called for each answer that comes, never from
 * inside answers_ask().  due: loop_now() after which nothing is waited for.
 */
void	answers_init(struct answers *, uint64_t due, void (*changed)(void *),
	    void *arg);
/*
 * The answer, borrowed until answers_free(); NULL: not known yet, and noted.
 * A name that cannot be asked (too long, too many) is given up at once.
 */
const struct answer *answers_get(struct answers *, const char *name,
	    enum dns_type);
/* The same for the addresses of a name in a DNS list, which is given up at
   once while its list is not waited for. */
const struct answer *answers_get_list(struct answers *,
	    const struct config_dnsbl *, const char *name);
/* Ask for all that is noted.  Returns how many are open; what could not be
   asked has been given up, so with 0 the rules are to be run again. */
size_t	answers_ask(struct answers *);
/* Wait no longer: what is open or will be asked counts as given up. */
void	answers_give_up(struct answers *);
/* Cancel what is open and forget. */
void	answers_free(struct answers *);
/* Octets of the answers and questions of all messages. */
size_t	answers_held(void);
/* A breaker has opened: all messages give up what they have asked of it. */
void	answers_release(unsigned breaker);
/* Does a record, which is text, say this domain? */
int	record_is(const struct dns_record *, const char *name);
/* The text of a record from offset off, into dst; -1 does not fit. */
int	record_text(const struct dns_record *, size_t off, char *dst,
	    size_t dstsize);

/*
 * breaker.c: who does not answer is not waited for.  A list has the breaker of
 * its index.
 */
#define BREAKER_DNS	LIM_LISTS
#define BREAKERS	(LIM_LISTS + 1)
/* Before that none ever opens.  moved(breaker, open) is told of changes. */
void	breakers_start(const struct config *, void (*moved)(unsigned, int));
int	breaker_waits(unsigned);
/* A message (by its serial) asks; may open it. */
void	breaker_asked(unsigned, uint64_t serial, uint64_t now);
/* What was asked then is answered now; may close it. */
void	breaker_answered(unsigned, enum dns_status, uint64_t asked,
	    uint64_t now);
/* It is open: ask for this, now and then, to see whether it is to be closed. */
void	breaker_test(unsigned, const char *name, enum dns_type, uint64_t now);
/* A bit for each that is open. */
uint64_t breakers_open(void);

/*
 * job.c: one message from its octets to its verdict.  No I/O and no frames
 * here; the scanner feeds it.
 */

/* RFC 8601 2.7.3 */
enum iprev {
	IPREV_NONE, IPREV_PASS, IPREV_FAIL, IPREV_TEMPERROR, IPREV_PERMERROR
};

/* virus.c: what clamd says of a message; VERB_VIRUSED. */
enum virus_status {
	VIRUS_NOT_ASKED, VIRUS_ASKED, VIRUS_CLEAN, VIRUS_FOUND, VIRUS_FAILED
};

struct virus {
	TAILQ_ENTRY(job)	 entry;
	enum virus_status	 status;
	int			 server;	/* who is asked now */
	uint32_t		 tried;		/* bits of servers */
	int			 fd;		/* while it is asked */
	struct timer		 timer;
	void			(*changed)(void *);
	char			 name[128];	/* of the virus, or why not */
};

/* RFC 8601 2.7.1, 2.7.2; what else it knows is not used. */
enum auth_result {
	AUTH_NONE, AUTH_PASS, AUTH_FAIL, AUTH_SOFTFAIL, AUTH_NEUTRAL,
	AUTH_POLICY, AUTH_TEMPERROR, AUTH_PERMERROR
};

/* One identity of RFC 7208. */
struct spf_outcome {
	enum auth_result result;
	const char	*why;		/* static, or NULL */
	char		 domain[LIM_DOMAIN + 1];	/* or "": not asked */
};

/* One DKIM-Signature field. */
struct dkim_result {
	enum auth_result result;
	const char	*why;		/* static, or NULL */
	char		 domain[LIM_DOMAIN + 1];	/* d=, or "" */
	char		 selector[LIM_DOMAIN + 1];	/* s=, or "" */
	char		 identity[LIM_DOMAIN + 2];	/* i=, or "" */
	char		 b[9];		/* RFC 6008: how b= begins */
	const char	*alg;		/* a=, or NULL */
	unsigned	 bits;		/* of an RSA key, or 0 */
	int		 testing;	/* t=y of the key */
	int		 partial;	/* l= leaves out a part of the body:
					   whoever passes so vouches for
					   nothing */
};

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };

/* RFC 9989 for one author. */
struct dmarc {
	char		 author[LIM_DOMAIN + 1];	/* of From, in ASCII */
	enum auth_result result;	/* NONE, PASS, FAIL, TEMPERROR */
	enum dmarc_policy policy;	/* to be applied, or published if it
					   passes */
	char		 domain[LIM_DOMAIN + 1];	/* whose policy it is */
	int		 spf, dkim;	/* aligned */
};

struct auth {
	enum iprev	 iprev;
	char		 rdns[LIM_DOMAIN + 1];	/* confirmed, or "" */
	char		 ptr[LIM_DOMAIN + 1];	/* the first name, or "" */
	char		 domain[LIM_DOMAIN + 1]; /* authenticated, or "" */
	struct spf_outcome spf;		/* MAIL FROM; HELO if that is null */
	struct spf_outcome helo;	/* HELO, if MAIL FROM is not null */
	int		 spf_open;	/* answers are missing */
	int		 forwarder;	/* the client is a known one */
	struct dkim_result sigs[LIM_DKIM_SIGNATURES];
	size_t		 nsigs;
	/* RFC 8617, of chains that a configured sealer has sealed last: PASS,
	   FAIL, TEMPERROR, else NONE. */
	enum auth_result arc;
	const char	*arc_why;	/* of FAIL; static */
	char		 arc_sealer[LIM_DOMAIN + 1];
	unsigned	 arc_sets;
	struct dmarc	 dmarc[LIM_DMARC_AUTHORS];
	size_t		 nauthors;
	int		 more_authors;
	/* Participants whose domains are authors, and DMARC says reject. */
	const char	*spoofed[LIM_DMARC_AUTHORS];
	size_t		 nspoofed;
};

/* What a reader sees: text parts in UTF-8, one after the other. */
struct mail_text {
	char		 p[LIM_SCAN_TEXT];
	size_t		 n;
};

/* Hosts that links lead to, for the lists of them. */
struct link_hosts {
	struct {
		uint16_t	 at;		/* in text */
		uint8_t		 family;	/* 0: a name; 4, 6 */
	}		 v[LIM_LINKS];
	size_t		 n;
	char		 text[LIM_LINK_HOSTS];
	size_t		 len;
};

/* The content while it is in memory. */
struct view {
	const uint8_t	*p;		/* all of it */
	size_t		 n;
	struct header	 header;
	struct body	 body;		/* of p from header.size on */
	struct mime	 mime;
	struct budget	 budget;	/* what parsing has left of it */
	struct mail_text *text;		/* filled by rule_attachments() */
};

/* The file that made a decisive symbol, as a refusal names it. */
struct blame {
	enum symbol_id	 id;
	char		 file[144];	/* printable ASCII */
};

struct job {
	TAILQ_ENTRY(job)	 entry;		/* for the scanner */
	uint32_t		 number;	/* the broker's */
	int			 changed;	/* answers came: evaluate */
	int			 parked;	/* somebody waits for changed */
	struct scan		 scan;
	char			 sender_domain[LIM_DOMAIN + 1];	/* folded */
	struct answers		 answers;
	struct findings		 found;
	size_t			 content_n, content_len; /* of found */
	struct auth		 auth;
	struct dkim_check	*dkim;	/* waits for keys, or NULL */
	struct arc_check	*arc;	/* the same */
	struct link_hosts	 links;
	struct virus		 virus;
	/* Attachments: for the reply, the log and the report. */
	struct blame		 blames[LIM_BLAMES];
	size_t			 nblames;
	char			 found_names[256];	/* a,b */
	char			 found_where[512];	/* SYMBOL:part 2 > a */
	char			*tree;		/* of parts; only to explain */
	size_t			 treelen;
	uint64_t		 started;	/* clock_ms() */
	uint64_t		 cpu_us;
};

/* What all jobs of this process are judged by; before the first.  Kept by
   reference. */
void	job_configure(const struct config *);
const struct config *job_config(void);
/* fn is to be told the path of each part before it is looked at. */
void	job_progress(void (*fn)(const char *path));
/* Tell it; for the rule that looks at parts. */
void	job_at(const char *path);
/* From a pool; scan is to be filled by the caller.  NULL: no memory. */
struct job *job_new(void);
void	job_free(struct job *);
/* Octets of memory of all jobs that there are. */
size_t	jobs_held(void);
/*
 * Once, before the rest: scan is filled, these are its octets.  They are not
 * needed afterwards.  -1: no memory.
 */
int	job_content(struct job *, const uint8_t *p, size_t n);
/*
 * Run the rules that read answers, as often as wanted.  0: all is known, the
 * verdict may be had; 1: questions are open, changed() will be called.
 */
int	job_evaluate(struct job *);

/*
 * rules/: each returns symbols and decides nothing.
 */

/* Rules of the content, run once; rules.c has the table. */
void	rules_content(struct job *, const struct view *);
/* Rules that may read answers, run again whenever some have come. */
void	rules_answers(struct job *);

/* header.c: fields that are missing, doubled, or odd in themselves. */
void	rule_header_fields(struct job *, const struct view *);
/* header.c: the Date field against the clock. */
void	rule_header_date(struct job *, const struct view *);
/* header.c: authors, and the names that they give themselves. */
void	rule_header_from(struct job *, const struct view *);
/* header.c: what the parser found odd. */
void	rule_header_form(struct job *, const struct view *);
/* body.c: empty bodies, long lines. */
void	rule_body(struct job *, const struct view *);
/* attachment.c: every part, and all that is in it; fills view.text. */
void	rule_attachments(struct job *, const struct view *);
/* What is allowed for the parts of a message; time begins now. */
void	attachment_budget(struct budget *);
/* password.c: something encrypted, and a password in the text. */
void	rule_password(struct job *, const struct view *);
/* pattern.c: GTUBE and EICAR in the message as it came. */
void	rule_pattern(struct job *, const struct view *);
/* The same in some octets; a bit for each.  And what they mean. */
unsigned pattern_search(const uint8_t *, size_t);
void	pattern_found(struct job *, unsigned bits);
/* client.c: how the client greeted. */
void	rule_helo(struct job *, const struct view *);
/* client.c: after auth_iprev(), what its name looks like. */
void	rule_rdns(struct job *);
/* sender.c: can the reverse-path receive mail? */
void	rule_sender(struct job *);
/* lists.c: DNS lists of client addresses. */
void	rule_lists(struct job *);
/* link.c: the links of the text, and what is odd about them. */
void	rule_links(struct job *, const struct view *);
/* domains.c: DNS lists of names, after all that proves some. */
void	rule_domains(struct job *);

/* rules/client.c: does a name look like a line of an access provider, as
   made from its own address? */
int	rdns_dynamic(const char *name, const struct netaddr *);
/* rules/lists.c: VERB_LISTS, what may be asked of each list; until it comes,
   all. */
#define LIST_ASK_V4	0x01
#define LIST_ASK_V6	0x02
#define LIST_ASK_NAMES	0x04
int	lists_told(struct imsg *);
int	list_may(const struct config_dnsbl *, unsigned aspect);
/* rules/lists.c: the points of a return code, of all ranges it lies in.
   0: it says something; -1: it says nothing, or is no valid code. */
int	list_points(const struct config_dnsbl *, uint32_t code, int32_t *);

/*
 * auth/: who vouches for the message.
 */

/* auth.c: nothing is known yet. */
void	auth_reset(struct auth *);
/* auth.c: RFC 7208; after auth_dkim(), by which a fail is forgiven. */
void	auth_spf(struct job *);
/* auth.c: is the client known to pass on mail?  After auth_iprev(). */
void	auth_forwarder(struct job *);
/* auth.c: SPF or aligned DKIM, for the greylist; after the others. */
void	auth_domain(struct job *);
/* auth.c: is the second domain the first, or below it? */
int	domain_below(const char *upper, const char *domain);
/* iprev.c: RFC 8601 3. */
void	auth_iprev(struct job *);
/*
 * dkim.c: RFC 6376.  Header and body are hashed at once; when the keys are
 * here, the signatures are verified.
 */
int	dkim_init_library(void);	/* before the cage; -1: not possible */
void	dkim_content(struct job *, const struct view *);
void	auth_dkim(struct job *);
void	dkim_end(struct job *);		/* forget what waits */
size_t	dkim_held(void);		/* octets of all that wait */
size_t	arc_held(void);			/* the same of arc.c */
/* arc.c: RFC 8617; the same way. */
void	arc_content(struct job *, const struct view *);
void	auth_arc(struct job *);
void	arc_end(struct job *);
/*
 * dmarc.c: RFC 9989.  The authors; what DNS is to be asked for them, before
 * anything else can use up the message's questions; the results.
 */
void	dmarc_content(struct job *, const struct view *);
void	dmarc_begin(struct job *);
void	auth_dmarc(struct job *);
/* authres.c: the Authentication-Results field. */
/* Has somebody else written one in our name? */
void	authres_content(struct job *, const struct view *);
/* Into buf with CRLF; returns its length, 0 when there is nothing to say. */
size_t	authres_print(const struct job *, const char *service, char *buf,
	    size_t size);

/*
 * verdict.c: the only place that decides.  The verdict borrows from static
 * memory until the next call.  Points of DMARC may be raised in the job.
 */
void	verdict_make(struct job *, struct verdict *);
/* The answer when a message could not be judged: TEMPFAIL for all policies. */
void	verdict_tempfail(const struct scan *, struct verdict *);
/* The action of one policy. */
enum action verdict_action(const struct policy *, enum session_class,
	    const struct findings *, const struct auth *, int32_t score);
/* report.c: the table of gwctl scan, into buf. */
void	report_make(const struct job *, const struct verdict *, char *buf,
	    size_t size);

/*
 * running.c: the page in which every scanner says which job it runs, so that
 * its death is charged to that one alone; and what it counts.
 */
#define RUNNING_PART	32

struct running {
	uint32_t		job;		/* 0: none */
	char			part[RUNNING_PART];	/* "2.1", or "" */
	struct answers_count	dns;
	uint64_t		unwaited;	/* breakers_open() */
};

/* Parent: make a new page, *fd to write; -1 with errno. */
int	running_make(const char *dir, int *wfd, int *rfd);
/* Child: map it; fd is closed.  -1 with errno. */
int	running_map(int fd, int writable);
/* Scanner: from now on job runs (0: none). */
void	running_set(unsigned instance, uint32_t job);
/* And it is at this part of its message. */
void	running_part(unsigned instance, const char *path);
void	running_count(unsigned instance, const struct answers_count *);
/* Broker. All zeros without a page. */
void	running_get(unsigned instance, struct running *);

/*
 * recent.c: verdicts that were given, by id, and messages that killed.
 */
/* The encoded verdict of an id, or NULL. */
const uint8_t *recent_get(const char *id, size_t *len);
/* Remember a copy; the oldest goes when there is no room. */
void	recent_put(const char *id, const void *, size_t len);
/* A hash that has killed is told by poison_is for LIM_SCAN_POISON_S. */
void	poison_put(const uint8_t hash[MESSAGE_HASH]);
int	poison_is(const uint8_t hash[MESSAGE_HASH]);
size_t	recent_number(void);
size_t	poison_number(void);

/*
 * virus.c: the scanner's side of the antivirus.  The channels to the
 * antivirus processes, as they come and go.
 */
void	virus_peer(struct ipc *);
void	virus_peer_gone(struct ipc *);
/*
 * Ask about the octets of fd, which stays the caller's, where the
 * configuration has a clamd; j->virus is the answer, and changed(j) is called
 * when it has come, if the job is parked then.
 */
void	virus_ask(struct job *, int fd, void (*changed)(void *));
/* VERB_VIRUSED. */
int	virus_answered(struct ipc *, struct imsg *);
/* Wait no longer: what is open has failed. */
void	virus_give_up(struct job *);

/*
 * The processes, for the table in main.c.
 */
extern const struct ipc_verb broker_verbs[11], scanner_verbs[5];
extern const struct ipc_verb antivirus_verbs[1];
int	antivirus_init(const struct config *, unsigned instance);
void	antivirus_start(void);
void	antivirus_peer_up(struct ipc *);
void	antivirus_peer_gone(struct ipc *);
int	broker_init(const struct config *, unsigned instance);
void	broker_start(void);
void	broker_peer_up(struct ipc *);
void	broker_peer_gone(struct ipc *);
void	broker_share(enum share_kind, uint32_t index, int fd);
void	broker_drain(int hurry);
int	scanner_init(const struct config *, unsigned instance);
void	scanner_start(void);
void	scanner_peer_up(struct ipc *);
void	scanner_peer_gone(struct ipc *);
void	scanner_share(enum share_kind, uint32_t index, int fd);
void	scanner_drain(int hurry);

#endif
