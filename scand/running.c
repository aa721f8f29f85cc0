/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/mman.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/memfile.h"
#include "scand/scand.h"

/*
 * One page that the parent makes, the scanners write and the broker reads: a
 * row for each scanner with the job that it runs at this moment.  Frames could
 * not tell that: they leave at the end of a turn, and a scanner that dies in
 * the middle takes those of its finished jobs with it.  A row is only believed
 * if it names a job that this scanner was given, so the worst that lies in
 * this page can do is to have another job charged for a death.
 */

struct row {
	_Atomic uint32_t	job;
	_Atomic uint64_t	part[RUNNING_PART / sizeof(uint64_t)];
	_Atomic uint64_t	asked, cached, given_up, secure, bogus,
				 unwaited;
};

static struct row	*rows;

int
running_make(const char *dir, int *wfd, int *rfd)
{
	int saved;

	if (memfile_make(dir, wfd, rfd) == -1)
		return -1;
	if (ftruncate(*wfd, LIM_PROCESSES * sizeof(struct row)) == -1) {
		saved = errno;
		close(*wfd);
		if (*rfd != *wfd)
			close(*rfd);
		errno = saved;
		return -1;
	}
	return 0;
}

int
running_map(int fd, int writable)
{
	void *p;
	int saved;

	p = mmap(NULL, LIM_PROCESSES * sizeof(struct row),
	    writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	saved = errno;
	close(fd);
	errno = saved;
	if (p == MAP_FAILED)
		return -1;
	if (rows != NULL)
		(void)munmap(rows, LIM_PROCESSES * sizeof(struct row));
	rows = p;
	return 0;
}

void
running_set(unsigned instance, uint32_t job)
{
	if (rows == NULL || instance >= LIM_PROCESSES)
		return;
	running_part(instance, "");
	atomic_store(&rows[instance].job, job);
}

void
running_part(unsigned instance, const char *path)
{
	char text[RUNNING_PART] = "";
	uint64_t v;
	size_t i;

	if (rows == NULL || instance >= LIM_PROCESSES)
		return;
	(void)strlcpy(text, path, sizeof(text));
	for (i = 0; i < sizeof(text); i += sizeof(v)) {
		memcpy(&v, text + i, sizeof(v));
		atomic_store(&rows[instance].part[i / sizeof(v)], v);
	}
}

void
running_count(unsigned instance, const struct answers_count *c)
{
	if (rows == NULL || instance >= LIM_PROCESSES)
		return;
	atomic_store(&rows[instance].asked, c->asked);
	atomic_store(&rows[instance].cached, c->cached);
	atomic_store(&rows[instance].given_up, c->given_up);
	atomic_store(&rows[instance].secure, c->secure);
	atomic_store(&rows[instance].bogus, c->bogus);
	atomic_store(&rows[instance].unwaited, breakers_open());
}

void
running_get(unsigned instance, struct running *r)
{
	uint64_t v;
	size_t i;

	memset(r, 0, sizeof(*r));
	if (rows == NULL || instance >= LIM_PROCESSES)
		return;
	r->job = atomic_load(&rows[instance].job);
	for (i = 0; i < sizeof(r->part); i += sizeof(v)) {
		v = atomic_load(&rows[instance].part[i / sizeof(v)]);
		memcpy(r->part + i, &v, sizeof(v));
	}
	/* Who died of a message may have written anything. */
	r->part[sizeof(r->part) - 1] = '\0';
	r->part[strspn(r->part, "0123456789.")] = '\0';
	r->dns.asked = atomic_load(&rows[instance].asked);
	r->dns.cached = atomic_load(&rows[instance].cached);
	r->dns.given_up = atomic_load(&rows[instance].given_up);
	r->dns.secure = atomic_load(&rows[instance].secure);
	r->dns.bogus = atomic_load(&rows[instance].bogus);
	r->unwaited = atomic_load(&rows[instance].unwaited);
}
