/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef RELAYD_OUT_SPOOL_H
#define RELAYD_OUT_SPOOL_H

#include "relayd-out/relayd-out.h"

/*
 * What the process spool is made of: the files and their journal.
 */

/* ---- envfile.c, envfile_parse.c: the envelope file ---- */

#define ENVFILE_HEAD	"pfoertner-envelope: 1"

/* Its words for flags and states; the last has no name. */
struct word {
	unsigned	 value;
	const char	*name;
};
extern const struct word envfile_flags[], envfile_notify[], envfile_entry[],
	    envfile_states[], envfile_ret[];
/* Members of the envelope that are plain strings. */
#define ENVFILE_STRINGS	6
struct envfile_string {
	const char	*name;
	size_t		 offset, max;
};
extern const struct envfile_string envfile_strings[ENVFILE_STRINGS];

/* The part that is written when a message is accepted; it ends in "end". */
void	 envfile_print(struct text *, const struct envelope *);
/* What is appended when its state has changed. */
void	 envfile_update(struct text *, const struct update *,
	    uint64_t wall_ms);
/* NULL: not whole, or no envelope file of ours. */
struct stored *envfile_parse(const uint8_t *, size_t);

/* ---- journal.c: the journal ---- */

enum journal_kind {
	JOURNAL_ADD, JOURNAL_UPDATE, JOURNAL_REMOVE, JOURNAL_SYNCED
};

struct journal_record {
	enum journal_kind	 kind;
	char			 id[ID_SIZE];
	uint64_t		 time, size;	/* ADD */
	uint8_t			 envflags;
	uint16_t		 nrcpts;
	const char		*sender, *domains;	/* borrowed */
	size_t			 senderlen, domainslen;
	uint64_t		 next;		/* UPDATE */
	uint32_t		 attempts;
	uint8_t			 flags;
	const char		*state;
	size_t			 statelen;
	int			 settled;	/* REMOVE */
};

void	 journal_print_add(struct text *, const struct envelope *);
void	 journal_print_update(struct text *, const struct update *);
void	 journal_print_remove(struct text *, const char *id, int settled);
void	 journal_print_synced(struct text *);
/* One line without its line feed.  -1: damaged or none of ours. */
int	 journal_parse(const char *, size_t, struct journal_record *);

/*
 * What a journal says, in order.  The table borrows from its text.
 */
struct journal_entry {
	char		 id[ID_SIZE];
	uint8_t		 live, settled;
	uint8_t		 suspect;	/* not known to have been synced */
	size_t		 add, update;	/* offsets of lines; update: also of R,
					   SIZE_MAX: none */
};
struct journal_table {
	struct journal_entry	*v;
	size_t			 n, live, size;
	uint32_t		*index;		/* open addressing: v's + 1 */
	size_t			 nindex;
	const char		*p;		/* the text */
	size_t			 len;		/* up to its last whole line */
	size_t			 damaged;	/* lines that do not parse */
	size_t			 synced;	/* entries before the last S */
	void			*map;		/* journal_load's, or NULL */
	size_t			 mapped;	/* octets */
};

/* 0, or -1 without memory. */
int	 journal_read(struct journal_table *, const char *, size_t);
struct journal_entry *journal_find(struct journal_table *, const char *id);
/* Note an id that the text does not hold (it is live). */
int	 journal_note(struct journal_table *, const char *id);
void	 journal_table_free(struct journal_table *);
/* The record of an entry as it is sent to queue; domains are allocated. */
int	 journal_loaded(const struct journal_table *,
	    const struct journal_entry *, struct loaded *);

/* The file.  It is in the directory dirfd and never shared. */
struct journal {
	int		 dirfd, fd;
	uint64_t	 size;		/* of the file, all of it whole lines */
	size_t		 lines, live;
	struct text	 group;		/* ADD of the group being written */
	struct text	 rest;		/* the others */
};

/* Open, make it if it is not there (*fresh is set); -1 with errno. */
int	 journal_open(struct journal *, int dirfd, int *fresh);
void	 journal_close(struct journal *);
/* Map it and read it, cut off what is torn.  -1 with errno. */
int	 journal_load(struct journal *, struct journal_table *);
void	 journal_unload(struct journal_table *);
/* Write what is gathered.  -1 with errno: then the group is given up, the
   rest is kept for the next time, and the file is as before. */
int	 journal_write(struct journal *);
/* Write it anew without what is dead, if that is most of it.  -1: errno. */
int	 journal_compact(struct journal *, int force);

/* ---- spool_file.c: content and envelope files ---- */

#define SPOOL_DIRS	32

struct spool_dirs {
	int	 root;
	int	 v[SPOOL_DIRS];
};

/* Open, make where they are missing; -1 with errno. */
int	 spool_dirs_open(struct spool_dirs *);
int	 spool_dir(const struct spool_dirs *, const char *id);
const char *spool_dirname(unsigned n, char buf[4]);
#define SPOOL_NAME	(ID_SIZE + 4)
void	 spool_envelope_name(const char *id, char name[SPOOL_NAME]);

/* A message that is being written; both descriptors stay open until the
   flush. */
struct spool_write {
	int	 content, envelope;
};
/* A content that is put together; spool sets size and hash. */
struct composed {
	const uint8_t	*head, *tail;
	size_t		 headlen, taillen;
	const char	*origin;
	enum compose	 how;
};
/*
 * Write both files of a message; content from fd (size octets), or as c says.
 * -1 with errno, and then nothing is left; EEXIST: it is there already, whole.
 */
int	 spool_store(const struct spool_dirs *, struct envelope *, int fd,
	    const struct composed *, struct spool_write *);
void	 spool_write_close(struct spool_write *);
/* How many of its files there were. */
int	 spool_remove(const struct spool_dirs *, const char *id);
/* Into the folder for what an operator must look at.  -1 with errno. */
#define SPOOL_BROKEN	"broken"
int	 spool_set_aside(const struct spool_dirs *, const char *id);
/* The envelope, and with fd the content's read-only descriptor (the caller
   owns both); the content's size is checked. */
enum open_status spool_open(const struct spool_dirs *, const char *id,
	    struct stored **, int *fd);
/* Append a change of state to the envelope file.  -1 with errno. */
int	 spool_update(const struct spool_dirs *, const struct update *,
	    uint64_t wall_ms);

/* ---- sweep.c: what no journal knows of ---- */

/*
 * Look through directory n: messages that are whole and not in the table are
 * given to adopt, what is half written is removed; when there was no journal
 * (rebuild) damaged ones are set aside.  -1 with errno.
 */
struct sweep {
	int	 rebuild;
	size_t	 adopted, removed, aside;
};
int	 sweep_dir(const struct spool_dirs *, unsigned n,
	    struct journal_table *, struct sweep *,
	    void (*adopt)(const struct stored *));
/* Are both files of a message whole; with content set, has what it says the
   hash of what was accepted? */
int	 sweep_whole(const struct spool_dirs *, const char *id, int content);

/* ---- recycle.c: files that are used again ---- */

#define RECYCLE_MAX	(64 * 1024)	/* octets of content; a larger one pays
					   its own files */
/* A free pair of files under the name of id, to be overwritten.  -1: none. */
int	 recycle_take(const struct spool_dirs *, const char *id,
	    struct spool_write *);
/* A message is durable: w (taken) is kept for when it is settled. */
void	 recycle_keep(const char *id, struct spool_write *);
/* It is over.  1: its files are kept (only where keep is set); 0: they are
   the caller's to remove. */
int	 recycle_settle(const char *id, int keep, uint64_t now);
/* A flush has succeeded that covers all that was settled so far. */
void	 recycle_synced(const struct spool_dirs *);
/* Remove what nobody needed; 0: nothing is left. */
int	 recycle_expire(const struct spool_dirs *, uint64_t now);
void	 recycle_end(const struct spool_dirs *);

#endif
