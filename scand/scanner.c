/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/time.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat/compat.h"
#include "common/compat/memfile.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proc.h"
#include "scand/auth/spf.h"
#include "scand/scand.h"

/*
 * The scanner process.  It takes jobs one after the other, in the order of
 * their frames; a job that lacks answers is parked, and run again when they
 * come.  Nothing here waits.  What hostile content can do is to kill or to
 * occupy this process: the page of running jobs tells whose fault it was, and
 * a timer of processor time ends what does not end.
 */

TAILQ_HEAD(jobs, job);

#define ORPHAN_MS	10000	/* without a broker; a new one comes sooner */

static struct jobs	 parked = TAILQ_HEAD_INITIALIZER(parked);
static struct jobs	 changed = TAILQ_HEAD_INITIALIZER(changed);
static unsigned		 nparked;
static struct ipc	*broker;
static uint8_t		*buffer;	/* LIM_PREAD octets */
static struct ibuf	 frame;
static struct deferred	 resume;
static struct deferred	 release;	/* of what breakers have opened */
static uint64_t		 opened;	/* these */
static struct timer	 orphan;

static int	 on_job(struct ipc *, struct imsg *);
static int	 on_cancel(struct ipc *, struct imsg *);
static int	 on_lists(struct ipc *, struct imsg *);
static void	 breaker_moved(unsigned, int);
static void	 release_now(void *);
static void	 leave(void *);
static void	 job_part(const char *);
static void	 job_run(struct job *, int);
static int	 job_read(struct job *, int);
static void	 job_changed(void *);
static void	 jobs_resume(void *);
static void	 job_park(struct job *);
static void	 job_unpark(struct job *);
static void	 job_finish(struct job *);
static void	 job_fail(struct job *, const char *);
static void	 job_tempfail(const struct job *, const char *);
static int	 job_refuse(struct imsg *);
static size_t	 list_add(char *, size_t, size_t, const char *, ...)
		    __attribute__((format(printf, 4, 5)));
static void	 job_result(const struct job *, const struct verdict *);
static void	 job_log(const struct job *, const struct verdict *);
static uint64_t	 dns_time(const struct scan *);
static void	 watch(void);
static uint64_t	 cpu_spent(void);

const struct ipc_verb scanner_verbs[5] = {
	{ VERB_JOB, PEER_BIT(PEER_BROKER), LIM_FRAME, IPC_FD, on_job },
	{ VERB_CANCEL, PEER_BIT(PEER_BROKER), 0, IPC_NOFD, on_cancel },
	{ VERB_LISTS, PEER_BIT(PEER_BROKER), 4 + LIM_LISTS, IPC_NOFD,
	    on_lists },
	{ VERB_VIRUSED, PEER_BIT(PEER_ANTIVIRUS), 1024, IPC_NOFD,
	    virus_answered },
	RESOLVER_VERB_ANSWER,
};

int
scanner_init(const struct config *conf, unsigned instance)
{
	(void)instance;
	if ((buffer = malloc(LIM_PREAD)) == NULL)
		return -1;
	/* Of what is unpacked for one message, little stays behind. */
	compat_memory_return();
	ibuf_init(&frame);
	job_configure(conf);
	job_progress(job_part);
	return spf_init() == -1 || dkim_init_library() == -1 ? -1 : 0;
}

void
scanner_start(void)
{
	resume.fn = jobs_resume;
	resume.arg = NULL;
	breakers_start(job_config(), breaker_moved);
	timer_init(&orphan, leave, NULL);
	timer_set(&orphan, ORPHAN_MS);
}

void
scanner_peer_up(struct ipc *ipc)
{
	if (ipc->kind == PEER_BROKER) {
		broker = ipc;
		timer_stop(&orphan);
	} else if (ipc->kind == PEER_ANTIVIRUS)
		virus_peer(ipc);
	else
		dns_peer(ipc);
}

/* Without the broker nobody waits for what is parked: it asks again. */
void
scanner_peer_gone(struct ipc *ipc)
{
	struct job *j;

	if (ipc->kind == PEER_RESOLVER)
		dns_peer_gone(ipc);
	if (ipc->kind == PEER_ANTIVIRUS)
		virus_peer_gone(ipc);
	if (ipc != broker)
		return;
	broker = NULL;
	timer_set(&orphan, ORPHAN_MS);
	while ((j = TAILQ_FIRST(&parked)) != NULL ||
	    (j = TAILQ_FIRST(&changed)) != NULL) {
		job_unpark(j);
		job_free(j);
	}
}

void
scanner_share(enum share_kind kind, uint32_t index, int fd)
{
	(void)index;
	if (kind != SHARE_RUNNING)
		close(fd);
	else if (running_map(fd, 1) == -1)
		log_warn("page of running jobs");
}

/* What is parked is run again by another scanner, from the start. */
void
scanner_drain(int hurry)
{
	(void)hurry;
	child_exit();
}

/* Cut off by the broker, which does not take us back: begin anew. */
static void
leave(void *arg)
{
	(void)arg;
	child_exit();
}

static int
on_job(struct ipc *ipc, struct imsg *im)
{
	struct job *j;
	int fd = im->fd;

	(void)ipc;
	if ((j = job_new()) == NULL)
		return job_refuse(im);
	if (scan_parse(&im->data, &j->scan) == -1 ||
	    ibuf_get_end(&im->data) == -1) {
		job_free(j);
		return -1;
	}
	im->fd = -1;
	j->number = im->job;
	j->started = clock_ms();
	answers_init(&j->answers, loop_now() + dns_time(&j->scan),
	    job_changed, j);
	job_run(j, fd);
	return 0;
}

/* No memory for a job, but its answer needs none. */
static int
job_refuse(struct imsg *im)
{
	static struct job j;

	if (scan_parse(&im->data, &j.scan) == -1 ||
	    ibuf_get_end(&im->data) == -1) {
		scan_free(&j.scan);
		return -1;
	}
	j.number = im->job;
	job_tempfail(&j, "no memory");
	scan_free(&j.scan);
	return 0;
}

/* The client has gone, or there is no time left: if it is still here. */
static int
on_cancel(struct ipc *ipc, struct imsg *im)
{
	struct job *j;

	(void)ipc;
	TAILQ_FOREACH(j, &parked, entry) {
		if (j->number == im->job)
			break;
	}
	if (j == NULL) {
		TAILQ_FOREACH(j, &changed, entry) {
			if (j->number == im->job)
				break;
		}
	}
	if (j != NULL) {
		job_unpark(j);
		job_free(j);
	}
	return 0;
}

static int
on_lists(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	return lists_told(im);
}

/* The message that is asking just now is not parked yet. */
static void
breaker_moved(unsigned breaker, int open)
{
	if (open)
		opened |= UINT64_C(1) << breaker;
	release.fn = release_now;
	loop_defer(&release);
}

static void
release_now(void *arg)
{
	unsigned b;

	(void)arg;
	for (b = 0; b < BREAKERS; b++) {
		if (opened >> b & 1)
			answers_release(b);
	}
	opened = 0;
	running_count(child_instance(), &answers_count);
}

/* If it is our last, it is known where we died. */
static void
job_part(const char *path)
{
	running_part(child_instance(), path);
}

/* From the octets to the verdict, or to the first question. */
static void
job_run(struct job *j, int fd)
{
	watch();
	running_set(child_instance(), j->number);
	if (fd == -1)
		job_fail(j, "descriptor lost on the way");
	else if (virus_ask(j, fd, job_changed), job_read(j, fd) == -1)
		job_fail(j, "not readable");
	else if (job_evaluate(j) == 0)
		job_finish(j);
	else
		job_park(j);
	if (fd != -1)
		close(fd);
	running_set(child_instance(), 0);
	running_count(child_instance(), &answers_count);
}

/*
 * Small ones into a buffer that stays: to map 10 KB costs more than all the
 * rest of their scan.
 */
static int
job_read(struct job *j, int fd)
{
	const uint8_t *map;
	size_t size = (size_t)j->scan.size, have = 0;
	ssize_t n;
	int ret;

	if (size == 0)
		return job_content(j, buffer, 0);
	if (size > LIM_PREAD) {
		if ((map = memfile_map(fd, size)) == NULL)
			return -1;
		ret = job_content(j, map, size);
		memfile_unmap(map, size);
		return ret;
	}
	while (have < size) {
		n = pread(fd, buffer + have, size - have, (off_t)have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return job_content(j, buffer, size);
}

static void
job_park(struct job *j)
{
	if (nparked >= LIM_SCAN_PARKED) {
		answers_give_up(&j->answers);
		virus_give_up(j);
		(void)job_evaluate(j);
		job_finish(j);
		return;
	}
	j->cpu_us += cpu_spent();
	nparked++;
	j->parked = 1;
	TAILQ_INSERT_TAIL(&parked, j, entry);
	if (broker != NULL)
		(void)ipc_send(broker, VERB_PARKED, j->number, -1, NULL);
}

static void
job_unpark(struct job *j)
{
	if (j->changed)
		TAILQ_REMOVE(&changed, j, entry);
	else
		TAILQ_REMOVE(&parked, j, entry);
	nparked--;
	j->parked = 0;
}

/* An answer came.  Several may in this turn; it is judged at its end. */
static void
job_changed(void *arg)
{
	struct job *j = arg;

	if (j->changed)
		return;
	j->changed = 1;
	TAILQ_REMOVE(&parked, j, entry);
	TAILQ_INSERT_TAIL(&changed, j, entry);
	loop_defer(&resume);
}

static void
jobs_resume(void *arg)
{
	struct job *j;

	(void)arg;
	watch();
	while ((j = TAILQ_FIRST(&changed)) != NULL) {
		running_set(child_instance(), j->number);
		TAILQ_REMOVE(&changed, j, entry);
		j->changed = 0;
		if (job_evaluate(j) == 0) {
			nparked--;
			j->parked = 0;
			job_finish(j);
		} else {
			TAILQ_INSERT_TAIL(&parked, j, entry);
			j->cpu_us += cpu_spent();
		}
	}
	running_set(child_instance(), 0);
	running_count(child_instance(), &answers_count);
}

static void
job_finish(struct job *j)
{
	struct verdict v;

	verdict_make(j, &v);
	j->cpu_us += cpu_spent();
	job_log(j, &v);
	job_result(j, &v);
	job_free(j);
}

static void
job_fail(struct job *j, const char *why)
{
	job_tempfail(j, why);
	job_free(j);
}

static void
job_tempfail(const struct job *j, const char *why)
{
	struct verdict v;

	log_warnx("id=%s: %s", j->scan.id, why);
	verdict_tempfail(&j->scan, &v);
	job_result(j, &v);
}

static void
job_result(const struct job *j, const struct verdict *v)
{
	ibuf_reset(&frame);
	verdict_add(&frame, v);
	/* A frame that cannot leave would be a job without an end. */
	if (broker != NULL && ipc_send(broker, VERB_RESULT, j->number, -1,
	    &frame) == -1)
		ipc_close(broker);
}

static void
job_log(const struct job *j, const struct verdict *v)
{
	const struct hit *f;
	struct audit a;
	char syms[768], lists[256];
	size_t i, ns = 0, nl = 0;

	for (i = 0; i < j->found.n; i++) {
		f = &j->found.v[i];
		ns = list_add(syms, ns, sizeof(syms), "%s:%.2f",
		    symbol(f->id)->name, f->points / 100.0);
		if (strcmp(symbol(f->id)->group, "list") == 0)
			nl = list_add(lists, nl, sizeof(lists), "%s",
			    hit_detail(&j->found, f));
	}
	audit_begin(&a, j->scan.id, "scanned");
	audit_points(&a, "score", v->score);
	audit_str(&a, "sym", ns == 0 ? NULL : syms);
	audit_str(&a, "list", nl == 0 ? NULL : lists);
	audit_str(&a, "files", *j->found_names == '\0' ? NULL :
	    j->found_names);
	audit_str(&a, "found", *j->found_where == '\0' ? NULL :
	    j->found_where);
	audit_num(&a, "size", (long long)j->scan.size);
	audit_ms(&a, "s", v->ms);
	audit_num(&a, "cpu_us", (long long)j->cpu_us);
	audit_num(&a, "dns", (long long)j->answers.n);
	audit_end(&a);
}

/* One more, after a comma; what does not fit is left out. */
static size_t
list_add(char *buf, size_t len, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t at = len;
	int n;

	if (len > 0 && len + 1 < size)
		buf[at++] = ',';
	va_start(ap, fmt);
	n = vsnprintf(buf + at, size - at, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= size - at) {
		buf[len] = '\0';
		return len;
	}
	return at + (size_t)n;
}

/* All of DNS within its limit, and the verdict within the job's deadline. */
static uint64_t
dns_time(const struct scan *s)
{
	uint64_t ms = job_config()->limit_dns_s * 1000ULL;

	if (ms > s->deadline / 4 * 3)
		ms = s->deadline / 4 * 3;
	return ms;
}

/*
 * Processor time instead of the clock: a machine that is busy, or a scanner
 * that was stopped, must not look like a bad message.  Idle time costs
 * nothing then, so the timer may stay armed and is wound up once a second.
 */
static void
watch(void)
{
	static const struct itimerval limit = {
		.it_value = { .tv_sec = LIM_SCAN_CPU_S }
	};
	static uint64_t wound;

	uint64_t now = clock_ms();

	if (wound != 0 && now - wound < 1000)
		return;
	wound = now;
	if (setitimer(ITIMER_PROF, &limit, NULL) == -1)
		log_warn("timer");
}

/* Microseconds of processor time since the last call: of this job and its
   share of the frames that came with it. */
static uint64_t
cpu_spent(void)
{
	static uint64_t last;
	struct timespec ts;
	uint64_t now, spent;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == -1)
		return 0;
	now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	spent = last == 0 ? 0 : now - last;
	last = now;
	return spent;
}
