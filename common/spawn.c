/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/compat.h"
#include "common/compat/memfile.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/proc_int.h"

/*
 * A parent's children: fork and execute, wire them to each other, start again
 * who dies.
 */

#define SLOTS		(16 * LIM_PROCESSES)
#define LIVED_MS	10000	/* who lived longer did not die of its start */
#define BACKOFF_MS	100	/* doubled with every early death ... */
#define BACKOFF_MAX_MS	5000	/* ... up to here */
#define HURRY_MS	10000	/* between the last request and SIGKILL */
#define LOG_BUFFER	(512 * 1024)
#define MEMFILES_MAX	256

/* What a place in the table remembers while nobody holds it. */
struct slot {
	const struct process	*process;
	unsigned		 instance;
	unsigned		 early_deaths;
	struct timer		 again;
};

static struct slot	*slots[SLOTS];
static size_t		 nslots;
static int		 ending;
static struct child	*sharing;	/* whom proc_share() gives to */

static void	 spawn(struct slot *);
static void	 spawn_again(void *);
static void	 execute(const struct slot *, int, int)
		    __attribute__((noreturn));
static struct slot *slot_find(const struct process *, unsigned);
static struct child *child_find(pid_t);
static struct child *child_of(const struct process *, unsigned);
static void	 send_config(struct child *);
static void	 wire(struct child *);
static void	 wire_pair(struct child *, struct child *);
static void	 child_gone(struct ipc *);
static void	 child_buried(struct child *, int);
static void	 child_log(int, short, void *);
static void	 child_overdue(void *);
static int	 on_ready(struct ipc *, struct imsg *);
static int	 on_call(struct ipc *, struct imsg *);
static int	 on_reload(struct ipc *, struct imsg *);
static int	 on_kill(struct ipc *, struct imsg *);
static int	 on_memfiles(struct ipc *, struct imsg *);

#define ANY	(~0U)
static const struct ipc_verb	 verbs[] = {
	{ VERB_READY,	 ANY, 0, IPC_NOFD, on_ready },
	{ VERB_CALL,	 ANY, 1, IPC_NOFD, on_call },
	{ VERB_RELOAD,	 ANY, 0, IPC_NOFD, on_reload },
	{ VERB_KILL,	 ANY, 5, IPC_NOFD, on_kill },
	{ VERB_MEMFILES, ANY, 4, IPC_NOFD, on_memfiles },
};

unsigned
spawn_count(const struct process *p)
{
	unsigned	 n;

	n = p->count == NULL ? 1 : p->count(parent.config);
	return n > LIM_PROCESSES ? LIM_PROCESSES : n;
}

void
spawn_all(void)
{
	size_t	 i;

	for (i = 0; i < parent.daemon->nprocs; i++)
		spawn_role(&parent.daemon->procs[i]);
}

void
spawn_role(const struct process *p)
{
	struct slot	*s;
	unsigned	 i, n = spawn_count(p);

	for (i = 0; i < n; i++) {
		if (child_of(p, i) != NULL)
			continue;
		s = slot_find(p, i);
		if (!timer_isset(&s->again))
			spawn(s);
	}
}

static struct slot *
slot_find(const struct process *p, unsigned instance)
{
	struct slot	*s;
	size_t		 i;

	for (i = 0; i < nslots; i++)
		if (slots[i]->process == p && slots[i]->instance == instance)
			return slots[i];
	if (nslots == SLOTS || (s = calloc(1, sizeof(*s))) == NULL)
		fatalx("too many children");
	s->process = p;
	s->instance = instance;
	timer_init(&s->again, spawn_again, s);
	slots[nslots++] = s;
	return s;
}

/* Who holds this place now; draining ones have left it. */
static struct child *
child_of(const struct process *p, unsigned instance)
{
	struct child	*c;

	TAILQ_FOREACH(c, &parent.children, entry)
		if (c->process == p && c->instance == instance && !c->draining)
			return c;
	return NULL;
}

static struct child *
child_find(pid_t pid)
{
	struct child	*c;

	TAILQ_FOREACH(c, &parent.children, entry)
		if (c->pid == pid)
			return c;
	return NULL;
}

static void
spawn_again(void *arg)
{
	struct slot	*s = arg;

	if (!ending && s->instance < spawn_count(s->process) &&
	    child_of(s->process, s->instance) == NULL)
		spawn(s);
}

static void
spawn(struct slot *s)
{
	struct child	*c;
	int		 ctl[2], logs[2], size = LOG_BUFFER;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("spawn");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    ctl) == -1 || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, logs) == -1)
		fatal("socketpair");
	(void)setsockopt(logs[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	c->process = s->process;
	c->instance = s->instance;
	c->started = clock_ms();
	switch (c->pid = fork()) {
	case -1:
		fatal("fork");
	case 0:
		execute(s, ctl[1], logs[1]);
	}
	close(ctl[1]);
	close(logs[1]);
	c->logfd = logs[0];
	c->ipc = ipc_new(ctl[0], s->process->role, s->instance, verbs,
	    sizeof(verbs) / sizeof(verbs[0]), child_gone, c);
	c->logev = event_new(loop_base(), c->logfd, EV_READ | EV_PERSIST,
	    child_log, c);
	timer_init(&c->limit, child_overdue, c);
	if (c->ipc == NULL || c->logev == NULL ||
	    event_add(c->logev, NULL) == -1)
		fatalx("spawn: no memory");
	send_config(c);
	if (parent.daemon->shares != NULL) {
		sharing = c;
		parent.daemon->shares(parent.config, s->process->role,
		    s->instance);
		sharing = NULL;
	}
	listen_pass(c);
	wire(c);
	TAILQ_INSERT_TAIL(&parent.children, c, entry);
}

/*
 * The child's address space is its own (exec), and nothing of ours is in it:
 * descriptors 0 to 2 are null but for stderr in the foreground, 3 and 4 its
 * channels, the environment is empty but for what sanitizers need.
 */
static void
execute(const struct slot *s, int ctl, int logs)
{
	static const char *const	 keep[] = {
		"ASAN_OPTIONS", "UBSAN_OPTIONS"
	};
	char		 number[16], title[48], room[160];
	char		 kept[2][512], *env[4], *args[6];
	const char	*v;
	size_t		 i, n = 0;
	int		 fd;

	/* Out of the way of 3 and 4 first. */
	if ((ctl = fcntl(ctl, F_DUPFD, 16)) == -1 ||
	    (logs = fcntl(logs, F_DUPFD, 16)) == -1 ||
	    (fd = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    (!parent.foreground && dup2(fd, STDERR_FILENO) == -1) ||
	    dup2(ctl, CHILD_FD_PARENT) == -1 || dup2(logs, CHILD_FD_LOG) == -1)
		_exit(126);
	closefrom(CHILD_FD_LOG + 1);
	for (i = 0; i < 2; i++) {
		if ((v = getenv(keep[i])) == NULL || (size_t)snprintf(kept[n],
		    sizeof(kept[n]), "%s=%s", keep[i], v) >= sizeof(kept[n]))
			continue;
		env[n] = kept[n];
		n++;
	}
	/* setproctitle(3) has no more room than this. */
	memset(room, ' ', sizeof(room) - 1);
	memcpy(room, "ROOM=", 5);
	room[sizeof(room) - 1] = '\0';
	env[n++] = room;
	env[n] = NULL;
	(void)snprintf(number, sizeof(number), "%u", s->instance);
	(void)snprintf(title, sizeof(title), "%s", s->process->title);
	args[0] = parent.self;
	args[1] = (char[]){ "-x" };
	args[2] = title;
	args[3] = (char[]){ "-i" };
	args[4] = number;
	args[5] = NULL;
	execve(parent.self, args, env);
	_exit(126);
}

static void
send_config(struct child *c)
{
	struct ibuf	 b;
	int		 fd;

	if ((fd = fcntl(parent.configfd, F_DUPFD_CLOEXEC, 0)) == -1)
		fatal("configuration");
	ibuf_init(&b);
	ibuf_add_u32(&b, parent.generation);
	ibuf_add_u8(&b, (uint8_t)parent.foreground);
	ibuf_add_u8(&b, (uint8_t)log_isverbose());
	(void)ipc_send(c->ipc, VERB_CONFIG, 0, fd, &b);
	ibuf_free(&b);
}

void
proc_share(enum share_kind kind, uint32_t index, int fd)
{
	struct ibuf	 b;

	if (sharing == NULL) {
		close(fd);
		return;
	}
	ibuf_init(&b);
	ibuf_add_u8(&b, (uint8_t)kind);
	ibuf_add_u32(&b, index);
	(void)ipc_send(sharing->ipc, VERB_SHARE, 0, fd, &b);
	ibuf_free(&b);
}

/* A channel to each living child that either side's table names. */
static void
wire(struct child *c)
{
	struct child	*o;

	TAILQ_FOREACH(o, &parent.children, entry) {
		if (o->draining || o->ipc == NULL)
			continue;
		if ((c->process->peers & PEER_BIT(o->process->role)) ||
		    (o->process->peers & PEER_BIT(c->process->role)))
			wire_pair(c, o);
	}
}

static void
wire_pair(struct child *a, struct child *b)
{
	struct child	*who[2] = { a, b };
	struct ibuf	 buf;
	int		 sp[2], i;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    sp) == -1)
		fatal("socketpair");
	for (i = 0; i < 2; i++) {
		ibuf_init(&buf);
		ibuf_add_u8(&buf, (uint8_t)who[1 - i]->process->role);
		ibuf_add_u32(&buf, who[1 - i]->instance);
		(void)ipc_send(who[i]->ipc, VERB_PEER, 0, sp[i], &buf);
		ibuf_free(&buf);
	}
}

static void
child_log(int fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	log_relay(fd);
}

/* Its channel is closed: it is dying, or sent nonsense and has to. */
static void
child_gone(struct ipc *ipc)
{
	struct child	*c = ipc->arg;

	c->ipc = NULL;
	(void)kill(c->pid, SIGKILL);
}

void
spawn_reap(void)
{
	struct child	*c;
	pid_t		 pid;
	int		 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if ((c = child_find(pid)) != NULL)
			child_buried(c, status);
}

static void
child_buried(struct child *c, int status)
{
	struct slot	*s = slot_find(c->process, c->instance);
	uint64_t	 delay = 0;
	int		 again;

	log_relay(c->logfd);
	again = !c->draining && !ending;
	if (WIFSIGNALED(status))
		log_warnx("%s[%u] (pid %d) died of signal %d",
		    c->process->title, c->instance, (int)c->pid,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0 || again)
		log_warnx("%s[%u] (pid %d) left with status %d",
		    c->process->title, c->instance, (int)c->pid,
		    WEXITSTATUS(status));
	if (parent.daemon->died != NULL)
		parent.daemon->died(c->process->role, c->instance);
	if (again) {
		if (clock_ms() - c->started >= LIVED_MS)
			s->early_deaths = 0;
		else
			s->early_deaths++;
		/* The first death is forgiven, then it waits. */
		if (s->early_deaths > 1) {
			delay = BACKOFF_MS;
			if (s->early_deaths < 16)
				delay <<= s->early_deaths - 2;
			if (s->early_deaths >= 16 || delay > BACKOFF_MAX_MS)
				delay = BACKOFF_MAX_MS;
		}
	}
	TAILQ_REMOVE(&parent.children, c, entry);
	if (c->ipc != NULL) {
		c->ipc->gone = NULL;
		ipc_close(c->ipc);
	}
	event_free(c->logev);
	close(c->logfd);
	timer_free(&c->limit);
	free(c);
	if (again)
		timer_set(&s->again, delay);
	proc_changed();
}

void
spawn_drain(const struct process *p, int hurry, int exchange)
{
	struct child	*c, *next;
	struct ibuf	 b;

	TAILQ_FOREACH_SAFE(c, &parent.children, entry, next) {
		if (c->process != p || c->draining > hurry)
			continue;
		c->draining = 1 + hurry;
		if (c->ipc == NULL)
			continue;
		ibuf_init(&b);
		ibuf_add_u8(&b, (uint8_t)hurry);
		(void)ipc_send(c->ipc, VERB_DRAIN, 0, -1, &b);
		ibuf_free(&b);
		timer_set(&c->limit, hurry ? HURRY_MS :
		    (uint64_t)parent.config->limit_drain_s * 1000);
	}
	if (exchange)
		spawn_role(p);
}

static void
child_overdue(void *arg)
{
	struct child	*c = arg;
	struct ibuf	 b;

	if (c->draining == 1 && c->ipc != NULL) {
		c->draining = 2;
		ibuf_init(&b);
		ibuf_add_u8(&b, 1);
		(void)ipc_send(c->ipc, VERB_DRAIN, 0, -1, &b);
		ibuf_free(&b);
		timer_set(&c->limit, HURRY_MS);
		return;
	}
	log_warnx("%s[%u] (pid %d) did not leave in time, killed",
	    c->process->title, c->instance, (int)c->pid);
	(void)kill(c->pid, SIGKILL);
}

unsigned
spawn_alive(const struct process *p, int ready)
{
	struct child	*c;
	unsigned	 n = 0;

	TAILQ_FOREACH(c, &parent.children, entry)
		if (c->process == p && !c->draining && (!ready || c->ready))
			n++;
	return n;
}

unsigned
spawn_draining(const struct process *p)
{
	struct child	*c;
	unsigned	 n = 0;

	TAILQ_FOREACH(c, &parent.children, entry)
		if (c->process == p && c->draining)
			n++;
	return n;
}

void
spawn_end(void)
{
	size_t	 i;

	ending = 1;
	for (i = 0; i < nslots; i++)
		timer_stop(&slots[i]->again);
}

void
spawn_kill_all(void)
{
	struct child	*c;

	TAILQ_FOREACH(c, &parent.children, entry)
		(void)kill(c->pid, SIGKILL);
}

static int
on_ready(struct ipc *ipc, struct imsg *im)
{
	struct child	*c = ipc->arg;

	(void)im;
	c->ready = 1;
	proc_changed();
	return 0;
}

/* A caged child cannot connect: do it for it. */
static int
on_call(struct ipc *ipc, struct imsg *im)
{
	struct child	*c = ipc->arg;
	struct ibuf	 b;
	uint8_t		 d;

	d = ibuf_get_u8(&im->data);
	if (ibuf_get_end(&im->data) == -1 || d >= DAEMON_MAX ||
	    !(c->process->calls & 1U << d))
		return -1;
	ibuf_init(&b);
	ibuf_add_u8(&b, d);
	(void)ipc_send(ipc, VERB_DAEMON, 0, listen_connect(d), &b);
	ibuf_free(&b);
	return 0;
}

static int
on_reload(struct ipc *ipc, struct imsg *im)
{
	struct child	*c = ipc->arg;

	/* Only who serves operators can have been asked by one. */
	if (!(c->process->serves & 1U << LISTEN_CONTROL))
		return -1;
	proc_reload(c, im->job);
	return 0;
}

static int
on_kill(struct ipc *ipc, struct imsg *im)
{
	struct child	*c = ipc->arg, *o;
	uint32_t	 instance;
	uint8_t		 kind;

	kind = ibuf_get_u8(&im->data);
	instance = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1 || kind >= PEER_MAX ||
	    !(c->process->kills & PEER_BIT(kind)))
		return -1;
	TAILQ_FOREACH(o, &parent.children, entry)
		if (o->process->role == kind && o->instance == instance) {
			log_warnx("%s[%u] (pid %d) hangs, killed",
			    o->process->title, instance, (int)o->pid);
			(void)kill(o->pid, SIGKILL);
		}
	return 0;
}

static int
on_memfiles(struct ipc *ipc, struct imsg *im)
{
	struct child	*c = ipc->arg;
	uint32_t	 n;
	int		 wfd, rfd;

	n = ibuf_get_u32(&im->data);
	if (ibuf_get_end(&im->data) == -1 || n > MEMFILES_MAX ||
	    !(c->process->powers & POWER_MEMFILE))
		return -1;
	sharing = c;
	while (n-- > 0) {
		if (memfile_make(parent.config->dir_runtime, &wfd,
		    &rfd) == -1) {
			log_warn("memory file");
			break;
		}
		proc_share(SHARE_MEMFILE_W, n, wfd);
		proc_share(SHARE_MEMFILE_R, n, rfd);
	}
	sharing = NULL;
	return 0;
}
