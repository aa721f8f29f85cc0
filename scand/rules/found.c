/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scand/content/inspect.h"
#include "scand/rules/found.h"

/*
 * Findings of attachments.  A symbol is added once, where it is found first:
 * ten damaged archives are not ten times as bad.
 */

#define SEPARATOR	" > "

static void	found_report(void *, enum finding, const char *, const char *);
static void	found_node(void *, unsigned, const char *, enum content_type,
		    uint64_t);
static const char *found_listed(void *, const uint8_t *, size_t);
static int	hash_cmp(const void *, const void *);
static void	found_told(struct found *, enum symbol_id, const char *,
		    const char *);
static int	is_unix_script(const struct found *);
static int	found_doubtful(const struct found *, enum finding);
static void	blame(struct found *, enum symbol_id);
static unsigned	blame_level(const struct found *, unsigned *);
static int	is_container(const struct found *, unsigned);
static int	is_package_member(const char *);
static void	names_add(struct found *, const char *);
static void	list_add(char *, size_t, const char *, const char *);
static void	tree_put(struct job *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	tree_where(struct job *, const char *);
static int	is_first(char);
static void	plain(char *, size_t, const char *);

static const enum symbol_id symbols[FINDING_MAX] = {
	[FINDING_MACRO] = SYM_MACRO,
	[FINDING_MACRO_UNREADABLE] = SYM_MACRO_UNREADABLE,
	[FINDING_PDF_ENCRYPTED] = SYM_PDF_ENCRYPTED,
	[FINDING_PDF_OWNER] = SYM_PDF_OWNER,
	[FINDING_OFFICE_ENCRYPTED] = SYM_OFFICE_ENCRYPTED,
	[FINDING_ARCHIVE_ENCRYPTED] = SYM_ARCHIVE_ENCRYPTED,
	[FINDING_ZIP_HALF_ENCRYPTED] = SYM_ARCHIVE_HALF_ENCRYPTED,
	[FINDING_PDF_OLD_ENCRYPT] = SYM_PDF_OLD_ENCRYPT,
	[FINDING_PDF_ATTACHMENT_ENCRYPTED] = SYM_PDF_ATTACHMENT_ENCRYPTED,
	[FINDING_PDF_ACTIVE] = SYM_PDF_ACTIVE,
	[FINDING_ODF_MACRO] = SYM_ODF_MACRO,
	[FINDING_VBA_EMPTY] = SYM_VBA_EMPTY,
	[FINDING_EXTERNAL_TEMPLATE] = SYM_EXTERNAL_TEMPLATE,
	[FINDING_DDE] = SYM_DDE,
	[FINDING_WORDBASIC] = SYM_WORDBASIC,
	[FINDING_OLE_PACKAGE] = SYM_OLE_PACKAGE,
	[FINDING_DAMAGED] = SYM_DAMAGED,
	[FINDING_OPAQUE] = SYM_OPAQUE,
	[FINDING_OVER_BUDGET] = SYM_OVER_BUDGET,
	[FINDING_EXECUTABLE] = SYM_EXECUTABLE,
	[FINDING_DISK_IMAGE] = SYM_DISK_IMAGE,
	[FINDING_DOUBLE_EXTENSION] = SYM_DOUBLE_EXTENSION,
	[FINDING_NAME_DISAGREES] = SYM_NAME_DISAGREES,
	[FINDING_NAME_OVERRIDE] = SYM_NAME_OVERRIDE,
	[FINDING_EICAR] = SYM_VIRUS,
	[FINDING_LISTED] = SYM_VIRUS,
};

void
found_begin(struct found *f, struct job *j, const struct view *v)
{
	memset(f, 0, sizeof(*f));
	f->in.budget = v->budget;
	f->in.report = found_report;
	f->in.node = found_node;
	if (job_config()->virus_hashes.n > 0)
		f->in.listed = found_listed;
	f->in.arg = f;
	f->j = j;
	f->text = v->text;
}

size_t
found_enter(struct found *f, const char *name)
{
	struct inspect *in = &f->in;
	size_t before = in->where_len;
	int n;

	n = snprintf(in->where + before, sizeof(in->where) - before, "%s%s",
	    before == 0 ? "" : SEPARATOR, name);
	if (n < 0 || (size_t)n >= sizeof(in->where) - before)
		in->where[before] = '\0';
	else
		in->where_len = before + (size_t)n;
	return before;
}

void
found_leave(struct found *f, size_t before)
{
	f->in.where_len = before;
	f->in.where[before] = '\0';
}

size_t
found_part(struct found *f, const struct mime *m, const struct mime_part *p,
    const char *path)
{
	char part[MIME_PATH + 8];
	unsigned i;

	if (f->inner == 0) {
		for (i = 0; i < p->nnames; i++)
			names_add(f, mime_string(m, p->name[i]));
	}
	f->label = path;
	if ((p->flags & (PART_MULTIPART | PART_MESSAGE)) && p->number > 0) {
		tree_put(f->j, "%-10s %10s  (%s)\n", path, "",
		    mime_string(m, p->type));
		f->label = NULL;
	}
	(void)snprintf(part, sizeof(part), "part %s", path);
	return found_enter(f, part);
}

/* Each thing once, before what is in it. */
static void
found_node(void *arg, unsigned depth, const char *name,
    enum content_type type, uint64_t size)
{
	struct found *f = arg;
	char shown[LIM_ATTACH_NAME + 1] = "";

	found_level(f, depth, name, type);
	if (f->j->tree == NULL)
		return;
	if (name != NULL)
		(void)names_print(shown, sizeof(shown), name);
	tree_put(f->j, "%-10s %10llu  %*s%s%s(%s%s)\n",
	    f->label == NULL ? "" : f->label, (unsigned long long)size,
	    depth < 2 ? 0 : (int)(2 * (depth - 1)), "", shown,
	    *shown == '\0' ? "" : " ", content_type_name(type),
	    f->other && f->label != NULL ? ", read otherwise" : "");
	f->label = NULL;
}

/* Is it one of those that the configuration names? */
static const char *
found_listed(void *arg, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	static char hex[2 * MESSAGE_HASH + 1];
	const struct config_names *names = &job_config()->virus_hashes;
	uint8_t digest[MESSAGE_HASH];
	struct hash *h;
	size_t i;

	(void)arg;
	if (n == 0 || (h = hash_new()) == NULL)
		return NULL;
	hash_add(h, p, n);
	hash_final(h, digest);
	for (i = 0; i < MESSAGE_HASH; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	return bsearch(hex, names->v, names->n, sizeof(names->v[0]),
	    hash_cmp) == NULL ? NULL : hex;
}

static int
hash_cmp(const void *key, const void *one)
{
	return strcmp(key, *(char *const *)one);
}

static void
found_report(void *arg, enum finding finding, const char *where,
    const char *detail)
{
	struct found *f = arg;
	struct job *j = f->j;
	enum symbol_id id = symbols[finding];

	f->known = 1;
	if (found_doubtful(f, finding))
		return;
	found_told(f, id, where, detail);
	if (findings_has(&j->found, id))
		return;
	if (finding == FINDING_EICAR)
		findings_add(&j->found, id, "EICAR test file");
	else if (finding == FINDING_EXECUTABLE && is_unix_script(f))
		findings_add_points(&j->found, id, symbol_points(id) / 3,
		    "%s: %s", where, detail);
	else
		findings_add(&j->found, id, "%s%s%s", where,
		    *detail == '\0' ? "" : ": ", detail);
}

/* In the tree, in the log, and in a refusal. */
static void
found_told(struct found *f, enum symbol_id id, const char *where,
    const char *detail)
{
	struct job *j = f->j;

	tree_put(j, "%-10s %10s  ! %s%s%s  ", "", "", symbol(id)->name,
	    *detail == '\0' ? "" : ": ", detail);
	tree_where(j, where);
	tree_put(j, "\n");
	if (symbol(id)->decisive == -1)
		return;
	list_add(j->found_where, sizeof(j->found_where), symbol(id)->name,
	    where);
	blame(f, id);
}

/* People who write them send them to each other, and a click does not run
   them. */
static int
is_unix_script(const struct found *f)
{
	unsigned depth = f->in.budget.depth;

	return depth < FOUND_LEVELS && f->level[depth].type == CONTENT_SCRIPT;
}

/* What a reading that nobody may have says against the sender. */
static int
found_doubtful(const struct found *f, enum finding finding)
{
	if (f->guess)
		return symbol(symbols[finding])->decisive == -1;
	return f->other && (finding == FINDING_DAMAGED ||
	    finding == FINDING_NAME_DISAGREES);
}

void
found_symbol(struct found *f, enum symbol_id id, const char *detail)
{
	found_told(f, id, f->in.where, detail);
	if (!findings_has(&f->j->found, id))
		findings_add(&f->j->found, id, "%s%s%s", f->in.where,
		    *detail == '\0' ? "" : ": ", detail);
}

void
found_level(struct found *f, unsigned depth, const char *name,
    enum content_type type)
{
	if (depth >= FOUND_LEVELS)
		return;
	f->level[depth].type = type;
	plain(f->level[depth].name, sizeof(f->level[depth].name),
	    name == NULL ? "" : name);
}

/*
 * The file that a refusal names: "a.docm in invoice.zip".  Its sender knows
 * the document and what he attached, not its inner parts.
 */
static void
blame(struct found *f, enum symbol_id id)
{
	struct job *j = f->j;
	struct blame *b;
	unsigned first, last = blame_level(f, &first);
	size_t i;

	for (i = 0; i < j->nblames; i++) {
		if (j->blames[i].id == id)
			return;
	}
	if (j->nblames == LIM_BLAMES)
		return;
	b = &j->blames[j->nblames++];
	b->id = id;
	if (last == 0) {
		plain(b->file, sizeof(b->file), f->in.where);
		b->file[strcspn(b->file, ">")] = '\0';
		i = strlen(b->file);
		if (i > 0 && b->file[i - 1] == ' ')
			b->file[i - 1] = '\0';
	} else if (first == last)
		(void)strlcpy(b->file, f->level[last].name, sizeof(b->file));
	else
		(void)snprintf(b->file, sizeof(b->file), "%s in %s",
		    f->level[last].name, f->level[first].name);
}

/* The innermost one with a name that is not part of a document, and the
   outermost one; 0: none. */
static unsigned
blame_level(const struct found *f, unsigned *first)
{
	unsigned depth = f->in.budget.depth, k, named = 0;

	*first = 0;
	for (k = 1; k <= depth && k < FOUND_LEVELS; k++) {
		if (f->level[k].name[0] != '\0') {
			named = k;
			if (*first == 0)
				*first = k;
		}
		if (!is_container(f, k) || (k < depth &&
		    k + 1 < FOUND_LEVELS &&
		    is_package_member(f->level[k + 1].name)))
			break;
	}
	return named;
}

static int
is_container(const struct found *f, unsigned k)
{
	switch (f->level[k].type) {
	case CONTENT_CFB:
	case CONTENT_RTF:
	case CONTENT_XML:
	case CONTENT_ACTIVEMIME:
	case CONTENT_BIFF:
	case CONTENT_SYLK:
		return 0;
	default:
		return 1;
	}
}

/* Folders inside of OOXML and ODF documents. */
static int
is_package_member(const char *name)
{
	static const char *const folders[] = {
		"word/", "xl/", "ppt/", "visio/", "docProps/", "customXml/",
		"_rels/", "META-INF/", "Basic/", "[Content_Types].xml",
	};
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (strncasecmp(name, folders[i], strlen(folders[i])) == 0)
			return 1;
	}
	return 0;
}

/* For the audit line. */
static void
names_add(struct found *f, const char *name)
{
	char shown[LIM_ATTACH_NAME + 1];

	if (names_print(shown, sizeof(shown), name) > 0)
		list_add(f->j->found_names, sizeof(f->j->found_names), shown,
		    NULL);
}

/* One more after a comma; what does not fit is left out. */
static void
list_add(char *list, size_t size, const char *a, const char *b)
{
	size_t at = strlen(list);
	int n;

	n = snprintf(list + at, size - at, "%s%s%s%s", at == 0 ? "" : ",", a,
	    b == NULL ? "" : ":", b == NULL ? "" : b);
	if (n < 0 || (size_t)n >= size - at)
		list[at] = '\0';
}

static void
tree_put(struct job *j, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (j->tree == NULL)
		return;
	va_start(ap, fmt);
	n = vsnprintf(j->tree + j->treelen, LIM_TREE - j->treelen, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= LIM_TREE - j->treelen)
		j->tree[j->treelen] = '\0';
	else
		j->treelen += (size_t)n;
}

static void
tree_where(struct job *j, const char *where)
{
	const char *end;

	for (; (end = strstr(where, SEPARATOR)) != NULL;
	    where = end + strlen(SEPARATOR))
		tree_put(j, "%.*s \xe2\x80\xba ", (int)(end - where), where);
	tree_put(j, "%s", where);
}

/* Does a character of UTF-8 begin with it? */
static int
is_first(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* Printable ASCII, for a reply; cut in the middle, so that its end shows. */
static void
plain(char *dst, size_t size, const char *name)
{
	size_t n = 0, i, k, half = size / 2;

	for (i = 0; name[i] != '\0'; i++)
		n += is_first(name[i]);
	for (i = k = 0; name[i] != '\0' && k + 1 < size; i++) {
		if (!is_first(name[i]))
			continue;
		if (n + 1 > size && k == half) {
			/* Up to where the rest fits. */
			for (; n + 1 > size - 3; n--)
				while (!is_first(name[++i]))
					continue;
			memcpy(dst + k, "...", 3);
			k += 3;
		}
		dst[k++] = (unsigned char)name[i] < 32 ||
		    (unsigned char)name[i] > 126 ? '?' : name[i];
	}
	dst[k] = '\0';
}
