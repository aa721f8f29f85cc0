/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

/*
 * Every maximum of the suite, with the clause or the reason it comes from.
 * What an operator may change stands in the configuration and has its
 * default here (LIM_DEF_*).
 */

/* Identity. */
#define LIM_ID			16	/* characters of a message id */
#define LIM_SID			16	/* the same form for sessions */

/* SMTP, RFC 5321 4.5.3.1 unless said otherwise. */
#define LIM_LOCALPART		255	/* 4.5.3.1.1 has 64, 4.5.3.1 wants no
					   limit: VERP and SRS need more */
#define LIM_DOMAIN		255	/* 4.5.3.1.2 */
#define LIM_PATH		320	/* 4.5.3.1.3 has 256, real addresses are
					   longer */
#define LIM_COMMAND		2048	/* 4.5.3.1.4 has 512; SMTPUTF8 and DSN
					   parameters need more */
#define LIM_REPLY		512	/* 4.5.3.1.5: one line with the CRLF */
#define LIM_REPLY_LINES		100	/* of one reply that we read */
#define LIM_RCPTS		100	/* 4.5.3.1.8: at least 100 */
#define LIM_HELO		255
#define LIM_ENVID		100	/* RFC 3461 4.4 */
#define LIM_ORCPT		500	/* RFC 3461 4.2 */
#define LIM_RECEIVED		50	/* 6.3: loop, at least 100 hops are for
					   relays; a gateway sees far fewer */

#define LIM_TLS_HANDSHAKE_MS	30000	/* the whole of it, however slowly the
					   peer's octets come */
#define LIM_PEM			(256 * 1024)	/* a certificate chain or key */

/* What an SMTP client may cost, beyond what the configuration says. */
#define LIM_SMALL		65536	/* octets of a message for which room
					   is kept when memory is short */
#define LIM_RESERVE	8	/* one part in so many of the memory is kept
				   for those small ones */
#define LIM_TRICKLE		64	/* octets a second that content must
					   come with, over `limit data' */
#define LIM_UNREAD		16384	/* replies that a client has not read,
					   before its commands wait */
#define LIM_LINGER_S		5	/* for a client to see us hang up */
#define LIM_RATE_S		2	/* greyd's answer to RATE at MAIL; then
					   we count ourselves */
#define LIM_GREY_S		10	/* its answer to GREY; then 451 */
#define LIM_AWAY_S		20	/* a daemon that was not there for so
					   long is not waited for */

/* Frames between processes. */
#define LIM_FRAME		(256 * 1024)	/* one payload, all rcpts in */
#define LIM_FRAMES_QUEUED	4096	/* written, not yet taken by a peer */
#define LIM_FDS_QUEUED		256	/* descriptors read, not yet matched */
#define LIM_STRING		65535	/* one string in a frame */

/* Logging. */
#define LIM_LOGLINE		2048	/* one line; syslogds cut at 2 to 8 K */
#define LIM_LOGBATCH		16384	/* lines sent to the parent at once */

/* Verdicts. */
#define LIM_SYMBOLS		128	/* of one message */
#define LIM_SYMNAME		40
#define LIM_CLASSES		LIM_RCPTS	/* policy classes of one SCAN */
#define LIM_TRACE		32768	/* all trace fields we prepend */
#define LIM_HEADER		(256 * 1024)	/* header section we look at */
#define LIM_HEADER_FIELDS	1000

/* Small messages are read into a buffer, larger ones mapped. */
#define LIM_PREAD		(256 * 1024)

/* scand: what its broker and scanners hold at most. */
#define LIM_SCAN_JOBS		2048	/* in all, each with a descriptor */
#define LIM_SCAN_WAITERS	4	/* askers of one id */
#define LIM_SCAN_BACKLOG	8	/* given to one scanner in advance */
#define LIM_SCAN_PARKED		1280	/* of one scanner, waiting for DNS:
					   two can have all; 40 MB */
#define LIM_SCAN_RERUNS		3	/* of a job that was not to blame */
#define LIM_SCAN_CPU_S		20	/* one job; then the scanner dies */
#define LIM_SCAN_RUN_S		60	/* the same by the clock, for a scanner
					   that is stopped or swapped out */
#define LIM_SCAN_POISONS	256	/* hashes of messages that killed */
#define LIM_SCAN_POISON_S	3600
#define LIM_VIRUS_S		60	/* clamd for one message */
#define LIM_VERDICTS		4096	/* remembered, to be given again */
#define LIM_VERDICTS_SIZE	(16 * 1024 * 1024)
#define LIM_VERDICT_KEEP_S	600	/* clients retry an end of data that got
					   no reply later than that */
#define LIM_PREFETCH		512	/* questions asked at connect */
#define LIM_LIST_HOLD_MS	5000	/* messages wait for the first test of
					   the DNS lists */
#define LIM_LIST_RUN		20	/* clients in a row that are on a list,
					   before it is tested out of turn */
#define LIM_ANSWERS		256	/* names that one message asks for */
#define LIM_ANSWERS_HELD	(12 * 1024 * 1024)	/* octets of all that
					   are open or not judged by yet */
#define LIM_SCAN_PRIVATE	(104 * 1024 * 1024)	/* of a scanner: what
					   waits, and what is unpacked of one
					   message; 24 MB are for the rest */
#define LIM_SCAN_ROOM		(8 * 1024 * 1024)	/* to unpack, always */
#define LIM_LINKS		20	/* hosts in links of one message; of
					   more a sample is taken */
#define LIM_LINK_HOSTS		2560	/* octets of them all */
#define LIM_LIST_NAMES		100	/* looked up in all lists of names */
#define LIM_LINK_TRIES		20000	/* of what may be links */
#define LIM_LINK_TEXT		(16 * 1024 * 1024)	/* octets searched */
#define LIM_MIME_DEPTH		64	/* multiparts and messages inside each
					   other; deeper ones are siblings */
#define LIM_MIME_PARTS		10000	/* a digest of a year has 1000s */
#define LIM_MIME_BOUNDARIES	8192	/* declared, of all multiparts */
#define LIM_MIME_FIELD		65536	/* octets of one field that are read */
#define LIM_MIME_TEXT		(4 * 1024 * 1024)	/* names, types,
					   boundaries of one message */
#define LIM_SCAN_TEXT		(256 * 1024)	/* octets of text that rules
					   look at, as UTF-8 */
#define LIM_TREE		24576	/* of parts, in the report */
#define LIM_BLAMES		12	/* files that a refusal may name: one
					   of each decisive symbol */
#define LIM_FINDING_TEXT	4096	/* details of all symbols together */
#define LIM_DKIM_SIGNATURES	10	/* RFC 6376 6.1: may be limited; each
					   costs a key and its mathematics */
#define LIM_DKIM_FIELD		16384	/* of them; libopendkim takes 64 K */
#define LIM_DKIM_HDRLIST	4000	/* its h=; libopendkim cuts at 4095 */
#define LIM_DKIM_LINE		(1024 * 1024)	/* a word of the body, which
					   libopendkim holds in memory */
#define LIM_DKIM_HELD		(32 * 1024 * 1024)	/* octets of all that
					   wait for their keys */
#define LIM_ARC_SETS		50	/* RFC 8617 4.2.1 */
#define LIM_ARC_HELD		(8 * 1024 * 1024)	/* the same for ARC */
#define LIM_DMARC_AUTHORS	4	/* RFC 9989 11.5: domains of one From */
#define LIM_REPORT		60000	/* of gwctl scan; below LIM_STRING */

/* Attachments. */
#define LIM_FINDING_EACH	16	/* reports of a kind, of one message */
#define LIM_ATTACH_NAME		200	/* octets of a name that are shown */
#define LIM_DICTIONARY		(65 * 1024 * 1024)	/* of 7z and PPMd: what
					   their highest levels take by
					   default, with what is around it */
#define LIM_WINDOW		(544 * 1024 * 1024)	/* of xz, lzma, zstd:
					   address space; memory is only taken
					   as it fills */

/* DNS. */
#define LIM_DNS_QUESTIONS	4000	/* open names of one process; below
					   LIM_FRAMES_QUEUED, as all are asked
					   again when the resolver is back */
#define LIM_DNS_WAITERS		32768	/* askers of these names */
#define LIM_DNS_ASKED		8000	/* open in a resolver, of all peers */
#define LIM_DNS_MS		60000	/* the longest that a question waits */
#define LIM_DNS_TRIES		5	/* how often one is asked again */
#define LIM_DNS_CACHE		4096	/* answers kept by an asker */
#define LIM_DNS_CACHE_SIZE	(4 * 1024 * 1024)
#define LIM_DNS_TTL_S		3600	/* kept no longer, whatever the TTL */
#define LIM_DNS_NEGTTL_S	300	/* RFC 2308 5 allows hours; who has just
					   made his MX should not wait */
#define LIM_DNS_SLOW		3	/* messages that wait for who does not
					   answer */
#define LIM_DNS_SLOW_MS		3000	/* so long, at most */
#define LIM_DNS_GRACE_MS	500	/* and then, for DNS as such */
#define LIM_DNS_SERVERS		16	/* resolvers that are asked */

/* SPF, RFC 7208. */
#define LIM_SPF_RECORD		4096	/* octets of one; 3.4 wants 450 */
#define LIM_SPF_TERMS		10	/* 4.6.4: that ask DNS */
#define LIM_SPF_VOIDS		2	/* 4.6.4: of them, without an answer */
#define LIM_SPF_MX		10	/* 4.6.4: exchanges of one "mx" */
#define LIM_SPF_PTR		10	/* 4.6.4: names of the client */
#define LIM_SPF_EXP		512	/* octets of an exp= text we read */
#define LIM_SPF_TEXT		384	/* an explanation; fits a reply line */

/* greyd: what its store keeps. */
#define LIM_STATE_ENTRIES	4000000	/* records; when full, the first to
					   expire go first.  About 200 octets
					   each on disk */
#define LIM_STATE_MAP		(4ULL << 30)	/* octets of address space */
#define LIM_STATE_VALUE		128	/* octets of one record */
#define LIM_STATE_SYNC_S	2	/* what a power failure may lose */
#define LIM_STATE_SWEEP		500	/* expired records removed at a time */
#define LIM_STATE_ASKS		65536	/* questions open, of all peers */
#define LIM_GREY_REPEAT_S	900	/* an answer is given again for an id;
					   longer than any message's deadline */
#define LIM_GREY_PAIR		5	/* senders that a network retried for,
					   then it is known to retry */
#define LIM_RATE_KEY		320	/* a path at most */
#define LIM_RATE_PERIOD_S	(31 * 86400)
#define LIM_RATE_LIMIT		1000000000	/* a period */

/* relayd-out. */
#define LIM_DELIVER_JOBS	300	/* of one deliver process, each with two
					   descriptors */
#define LIM_MX_HOSTS		10	/* of one domain that we look at; 5.1 */
#define LIM_HOP_ADDRESSES	32	/* of one next hop that we try */
#define LIM_REPLY_LINE		2048	/* of a server; 4.5.3.1.5 has 512, some
					   explain themselves at length */
#define LIM_HOP_MESSAGES	100	/* over one connection */

/* scand: Office formats; all of it is under the message's budget, too. */
#define LIM_OVBA_DIR		(1024 * 1024)	/* list of modules, unpacked:
					   65,535 of them have about that */
#define LIM_OFFICE_OBJECT	(32 * 1024 * 1024)	/* one object in a
					   presentation, drawing, ActiveMime */
#define LIM_OFFICE_SPIN		100000	/* rounds that Office itself writes;
					   it reads up to 10,000,000 */
#define LIM_RTF_OBJECT		(32 * 1024 * 1024)	/* more than the hex of
					   a message can have */
#define LIM_XML_PART		(4 * 1024 * 1024)	/* of a package, that
					   is read for its tags */

/* Configuration. */
#define LIM_CONFIG		(64 * 1024 * 1024)	/* canonical text */
#define LIM_INCLUDES		16	/* depth */
#define LIM_CONFIG_LINE		16384	/* longest line of the file */
#define LIM_CONFIG_WORD		4096	/* one word, string or macro */
#define LIM_CONFIG_ERRORS	100	/* then the parser gives up */
#define LIM_PATHNAME		1024	/* of a file; PATH_MAX of OpenBSD */
#define LIM_NAME		64	/* of a participant, a pki, a macro */
#define LIM_CONTACT		200	/* fits a reply line with an id */
#define LIM_USERPREFIX		16	/* a role's name follows; 31 in all */
#define LIM_SOCKPATH		103	/* sun_path of OpenBSD, with a NUL */
#define LIM_POINTS		1000000	/* 10,000.00; 128 symbols fit int32_t */
#define LIM_SECONDS		(10 * 366 * 86400)	/* any time: 10 years */
#define LIM_PROCESSES		64	/* children of one role */
#define LIM_LISTS		63	/* dnsbl; and one bit for DNS as such */

/* Defaults of what the configuration may change. */
#define LIM_DEF_MESSAGE		(50ULL * 1024 * 1024)
#define LIM_DEF_MEMORY		(1024ULL * 1024 * 1024)
#define LIM_DEF_CONNECTIONS	4000	/* open sessions of the gateway */
#define LIM_DEF_NETCONNECTIONS	200	/* of one /24 or /64 */
#define LIM_DEF_ERRORS		10	/* 5xx replies before 421 */
#define LIM_DEF_COMMANDS	1000	/* a session, without a message */
#define LIM_DEF_MESSAGES	1000	/* a session */
#define LIM_DEF_IDLE_S		300	/* 4.5.3.2.7: at least 5 minutes */
#define LIM_DEF_DATA_S		180	/* 4.5.3.2.5: between data chunks */
#define LIM_DEF_DEADLINE_S	120	/* from the final dot to our reply;
					   clients wait 10 minutes, 4.5.3.2.6 */
#define LIM_DEF_DNS_S		10	/* all look-ups of one message */
#define LIM_DEF_SCAN_DEPTH	12	/* things inside things; the deepest
					   ordinary document seen has 7 */
#define LIM_DEF_SCAN_THINGS	50000	/* archives of sources have as many */
#define LIM_DEF_SCAN_OUT	(512ULL * 1024 * 1024)	/* unpacked octets:
					   about a second */
#define LIM_DEF_SCAN_RATIO	500	/* deflate's best is 1032; texts that
					   repeat themselves reach 100 */
#define LIM_DEF_SCAN_MS		1200	/* CPU time, a 50 MB message below
					   1.5 s in all */
#define LIM_DEF_SCAN_HELD	(96ULL * 1024 * 1024)	/* unpacked, at a time;
					   a scanner stays below 128 MB */
#define LIM_DEF_LISTS_S		3600	/* between tests of a DNS list */
#define LIM_DEF_CONNECT_S	30	/* to a next hop */
#define LIM_DEF_DRAIN_S		300	/* old children after a reload */
#define LIM_DEF_HOPCONNECTIONS	20	/* to one next hop at a time */
#define LIM_DEF_ROTATE_S	(90 * 86400)	/* DKIM keys */
#define LIM_DEF_GREYLIST_AT	400	/* hundredths of points */
#define LIM_DEF_REJECT_AT	800
#define LIM_DEF_GREY_DELAY_S	300
#define LIM_DEF_GREY_WINDOW_S	86400
#define LIM_DEF_GREY_KEEP_S	(36 * 86400)
#define LIM_DEF_QUEUE_RETRY_S	900	/* 4.5.4.1: at least 30 minutes on the
					   long run; we start sooner */
#define LIM_DEF_QUEUE_RETRYMAX_S 14400
#define LIM_DEF_QUEUE_WARN_S	14400
#define LIM_DEF_QUEUE_EXPIRE_S	(5 * 86400)	/* 4.5.4.1: 4 to 5 days */

/* Between daemons: how many requests one smtp process may have open. */
#define LIM_CREDITS_SCAN	1536	/* most of them may wait for DNS, and
					   a single process must not be full
					   with 1,000 of them */
#define LIM_CREDITS_GREY	256
#define LIM_CREDITS_PUT		128

#endif
