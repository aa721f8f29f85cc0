/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "regress/scand/disguise.h"
#include "regress/unit.h"
#include "scand/scand.h"

/*
 * Files with a known verdict as attachments of mails of all kinds, through the
 * whole scan.  The files are not part of the source.  For trying out: -v, -vv
 * tell more, -a puts each file in all disguises and archives, twice: in all of
 * both at once; a name chooses files;
 * -f file ... scans files as attachments, -m message ... messages as they are.
 */

#define PACKS	7		/* archives that disguise_pack() has */

/* Beside the source, or one folder higher. */
static const char *const places[] = {
	"../shared/testdata/attachments", "../../shared/testdata/attachments"
};
static const char	*samples;

static void	one(const struct buffer *, char *[], size_t, size_t);

static const char conf_text[] =
    "service \"mail-in.example.net\"\n"
    "node \"mail-in01.example.net\"\n"
    "network { 192.0.2.0/24 }\n"
    "listen on 127.0.0.1 port 2525\n"
    "antivirus builtin\n"
    "participant \"uni\" contact \"postmaster@uni.example\" {\n"
    " domain \"uni.example\" deliver to 192.0.2.77\n"
    "}\n";

static uint64_t		slowest_us;
static unsigned		greylisted;
static int		verbose, all;

/* No DNS: the scan is that of a relay's mail. */
struct dns_question *
dns_ask(const char *name, enum dns_type type, uint64_t ms,
    void (*cb)(const struct dns_answer *, void *), void *arg)
{
	(void)name;
	(void)type;
	(void)ms;
	(void)cb;
	(void)arg;
	return NULL;
}

int
dns_known(const char *name, enum dns_type type, struct dns_answer *a)
{
	(void)name;
	(void)type;
	(void)a;
	return 0;
}

void
dns_cancel(struct dns_question *q)
{
	(void)q;
}

static void
changed(void *arg)
{
	(void)arg;
}

static uint64_t
cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The action for the message that was wrapped. */
static enum action
scan(const char *name, const char *how)
{
	static struct verdict v;
	struct job *j = job_new();
	enum action a;
	uint64_t us;
	size_t i;

	if (j == NULL)
		exit(1);
	memset(&j->scan, 0, sizeof(j->scan));
	(void)strlcpy(j->scan.id, "0123456789abcdef", sizeof(j->scan.id));
	j->scan.class = CLASS_INBOUND;
	(void)netaddr_parse(&j->scan.client, "192.0.2.9");
	j->scan.policies[0] = job_config()->policy;
	j->scan.npolicies = 1;
	j->scan.flags = verbose ? SCAN_EXPLAIN : 0;
	j->started = clock_ms();
	answers_init(&j->answers, loop_now() + 10000, changed, j);
	us = cpu_us();
	CHECK_INT(job_content(j, letter.p, letter.n), 0);
	us = cpu_us() - us;
	if (us > slowest_us)
		slowest_us = us;
	/* Its content alone is judged. */
	findings_rewind(&j->found, j->content_n, j->content_len);
	verdict_make(j, &v);
	a = v.actions[0];
	if (verbose) {
		printf("%s (%s): %s, %llu us, %s\n", name, how,
		    action_name(a), (unsigned long long)us, v.reply);
		for (i = 0; i < v.nhits; i++)
			printf("  %s %.2f %s\n", v.hits[i].name,
			    v.hits[i].points / 100.0, v.hits[i].detail);
		if (verbose > 1)
			printf("%s", v.report);
	}
	job_free(j);
	return a;
}

static int
load(const char *path, struct buffer *b)
{
	struct stat st;
	FILE *f = fopen(path, "r");
	int ok = 0;

	if (f == NULL || fstat(fileno(f), &st) == -1)
		goto out;
	if (b->size < (size_t)st.st_size && (b->p = realloc(b->p,
	    b->size = (size_t)st.st_size)) == NULL)
		exit(1);
	b->n = (size_t)st.st_size;
	ok = fread(b->p, 1, b->n, f) == b->n;
out:
	if (f != NULL)
		fclose(f);
	return ok ? 0 : -1;
}

/* One file, plainly. */
static void
attach(const char *path)
{
	static struct buffer file;
	const char *base = strrchr(path, '/');

	if (load(path, &file) == -1) {
		printf("%s: cannot be read\n", path);
		return;
	}
	(void)disguise(0, file.p, file.n, base == NULL ? path : base + 1);
	(void)scan(path, "file");
}

static void
sample(char *line, unsigned number, const char *only)
{
	static struct buffer file;
	char *field[12], path[512];
	size_t i, k, n = 0;

	while (n < 12 && (field[n] = strsep(&line, "\t")) != NULL)
		n++;
	if (n < 9 || strcmp(field[0], "name") == 0 ||
	    (only != NULL && strstr(field[0], only) == NULL))
		return;
	(void)snprintf(path, sizeof(path), "%s/files/%s", samples, field[0]);
	if (load(path, &file) == -1) {
		CHECK_STR(path, "readable");
		return;
	}
	for (k = 0; disguise(k, file.p, file.n, field[8]) != NULL; k++)
		continue;
	for (i = 0; i < k; i++) {
		/* All of them plainly, and each in one disguise. */
		if (i == 0 || i == 1 + number % (k - 1) || all)
			one(&file, field, i, SIZE_MAX);
	}
	for (i = 0; i < (all > 1 ? k : 1); i++) {
		for (n = 0; n < PACKS; n++) {
			if (n == number % PACKS || all)
				one(&file, field, i, n);
		}
	}
}

/* In disguise i, inside archive k (SIZE_MAX: none). */
static void
one(const struct buffer *file, char *field[], size_t i, size_t k)
{
	const uint8_t *p = file->p;
	const char *name, *archive = "";
	size_t n = file->n;
	char how[128];
	enum action a;

	if (k != SIZE_MAX)
		archive = disguise_pack(k, &p, &n, field[8]);
	name = disguise(i, p, n, *archive != '\0' ? "a.bin" : field[8]);
	(void)snprintf(how, sizeof(how), "%s%s%s", name,
	    *archive != '\0' ? ", " : "", archive);
	a = scan(field[0], how);
	greylisted += a == ACTION_GREYLIST;
	if ((strcmp(field[2], "reject") == 0) == (a == ACTION_REJECT) ||
	    strcmp(field[2], "either") == 0) {
		unit_ok++;
		return;
	}
	unit_failed++;
	printf("%s (%s, %s): %s, not %s\n", field[0], field[6], how,
	    action_name(a), field[2]);
}

int
main(int argc, char *argv[])
{
	struct config *conf;
	char *line = NULL;
	const char *only = NULL;
	char **asis = NULL, **files = NULL;
	size_t size = 0;
	unsigned number = 0;
	char path[512];
	FILE *f;

	for (; argc > 1; argc--, argv++) {
		if (argv[1][0] == '-' && argv[1][1] == 'v')
			verbose = (int)strlen(argv[1]) - 1;
		else if (strcmp(argv[1], "-a") == 0)
			all++;
		else if (strcmp(argv[1], "-m") == 0) {
			asis = argv + 2;
			break;
		} else if (strcmp(argv[1], "-f") == 0) {
			files = argv + 2;
			break;
		} else
			only = argv[1];
	}
	log_init("attachments_test", 1);
	conf = config_parse_text("test", conf_text, sizeof(conf_text) - 1,
	    stderr);
	if (conf == NULL)
		return 1;
	job_configure(conf);
	if (asis != NULL) {
		verbose += !verbose;
		for (; *asis != NULL; asis++) {
			if (load(*asis, &letter) == 0)
				(void)scan(*asis, "as it is");
		}
		return 0;
	}
	if (files != NULL) {
		verbose += !verbose;
		for (; *files != NULL; files++)
			attach(*files);
		return 0;
	}
	samples = places[access(places[0], R_OK) == -1];
	(void)snprintf(path, sizeof(path), "%s/manifest.tsv", samples);
	if ((f = fopen(path, "r")) == NULL) {
		printf("no samples\n");
		return 77;
	}
	while (getline(&line, &size, f) != -1)
		sample(line, number++, only);
	fclose(f);
	free(line);
	printf("%u greylisted, the slowest took %llu us\n", greylisted,
	    (unsigned long long)slowest_us);
	return unit_end();
}
