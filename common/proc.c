/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
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
 * The life of a daemon's parent: options, directories, start, reload, stop.
 * It reads its configuration file and its operators' signals, nothing else.
 */

#define STOP_MS		20000	/* a role's time to finish on SIGTERM */

enum phase {
	PHASE_RUN,
	PHASE_EXCHANGE,		/* reload: core roles go, then come anew */
	PHASE_STOP
};

struct parent		 parent;
static enum phase	 phase;
static size_t		 phase_role;	/* steps through the table */
static int		 reload_again, announced;
static struct timer	 stop_timer;
static struct proc_options options;

static void	 usage(const char *) __attribute__((noreturn));
static void	 parse_options(int, char *[]);
static void	 find_self(const char *);
static int	 check_only(const struct daemon *);
static void	 make_directories(const struct config *);
static void	 make_directory(const char *, mode_t, const char *,
		    const struct config_where *);
static void	 lock_runtime(const struct config *);
static int	 list_children(const struct daemon *);
static int	 config_use(struct config *);
static struct config *config_read(char *, size_t);
static void	 on_signal(int, short, void *);
static void	 catch_signals(void);
static void	 reload_next(void);
static void	 announce(void);
static void	 stop_begin(void);
static void	 stop_next(void);
static void	 stop_hurry(void *);

static void
usage(const char *name)
{
	fprintf(stderr, "usage: %s [-dnv] [-D name=value] [-f file]\n", name);
	exit(1);
}

static void
parse_options(int argc, char *argv[])
{
	struct config_macro	*m;
	const char		*why;
	char			*eq;
	int			 c;

	options.file = CONFIG_FILE;
	while ((c = getopt(argc, argv, "D:df:i:nT:vx:")) != -1) {
		switch (c) {
		case 'D':
			if ((eq = strchr(optarg, '=')) == NULL || eq == optarg)
				errx(1, "-D wants name=value");
			*eq = '\0';
			m = recallocarray(options.macros, options.nmacros,
			    options.nmacros + 1, sizeof(*m));
			if (m == NULL)
				err(1, NULL);
			options.macros = m;
			m[options.nmacros].name = optarg;
			m[options.nmacros++].value = eq + 1;
			break;
		case 'd':
			options.foreground = 1;
			break;
		case 'f':
			options.file = optarg;
			break;
		case 'i':
			options.instance = (unsigned)strtonum(optarg, 0,
			    LIM_PROCESSES, &why);
			if (why != NULL)
				errx(1, "-i: %s", why);
			break;
		case 'n':
			options.check = 1;
			break;
		case 'T':
			options.act = optarg;
			break;
		case 'v':
			options.verbose++;
			break;
		case 'x':
			options.title = optarg;
			break;
		default:
			usage(getprogname());
		}
	}
	if (optind != argc)
		usage(getprogname());
}

int
daemon_main(int argc, char *argv[], const struct daemon *d)
{
	struct config	*c;
	char		 why[512];

	compat_title_init(argc, argv);
	parse_options(argc, argv);
	if (options.title != NULL)
		return child_main(d, &options);
	if (options.act != NULL)
		return list_children(d);
	if (options.check)
		return check_only(d);
	if (geteuid() != 0)
		errx(1, "%s has to be started as root", d->name);
	parent.daemon = d;
	parent.argv = argv;
	parent.foreground = options.foreground;
	parent.configfd = -1;
	TAILQ_INIT(&parent.children);
	find_self(argv[0]);
	log_init(d->name, 1);
	log_verbose(options.verbose);
	if ((c = config_read(why, sizeof(why))) == NULL)
		return 1;	/* it has said why, with file:line */
	make_directories(c);
	lock_runtime(c);
	if (listen_open(c, why, sizeof(why)) == -1)
		fatalx("%s", why);
	if (d->prepare != NULL && d->prepare(c, why, sizeof(why)) == -1)
		fatalx("%s", why);
	if (!options.foreground) {
		if (daemon(0, 0) == -1)
			fatal("daemon");
		log_init(d->name, 0);
		lock_runtime(c);	/* the lock is the new process's */
	}
	loop_init();
	timer_init(&stop_timer, stop_hurry, NULL);
	catch_signals();
	if (config_use(c) == -1)
		fatal("configuration");
	setproctitle("parent");
	log_info("started, %s", sandbox_describe());
	spawn_all();
	loop_run();
	listen_end();
	log_info("stopped");
	return 0;
}

/* -T children, for gwctl selftest. */
static int
list_children(const struct daemon *d)
{
	size_t	 i;

	if (strcmp(options.act, "children") != 0)
		usage(d->name);
	for (i = 0; i < d->nprocs; i++)
		printf("%s\n", d->procs[i].title);
	return fflush(stdout) == 0 ? 0 : 1;
}

/*
 * -n: the configuration is read as at a start, so that what passes here will
 * start, if the addresses are there.  -nv prints it.
 */
static int
check_only(const struct daemon *d)
{
	struct config	*c;
	char		 why[512];

	log_init(d->name, 1);
	c = config_parse_file(options.file, options.macros, options.nmacros,
	    stderr);
	if (c == NULL || demands_met(d, c, NULL, 0, stderr) == -1)
		return 1;
	if (d->prepare != NULL && d->prepare(c, why, sizeof(why)) == -1) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if (options.verbose)
		config_print(c, stdout);
	else
		fprintf(stderr, "configuration ok\n");
	config_free(c);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* Children are this same file, executed anew. */
static void
find_self(const char *argv0)
{
	char		 path[PATH_MAX], dirs[4096];
	char		*dir, *rest = dirs;
	const char	*env;
	int		 n;

	if (strchr(argv0, '/') != NULL) {
		if (realpath(argv0, path) == NULL)
			err(1, "%s", argv0);
		goto found;
	}
	if ((env = getenv("PATH")) == NULL)
		env = "";
	if (strlcpy(dirs, env, sizeof(dirs)) >= sizeof(dirs))
		errx(1, "PATH is too long");
	while ((dir = strsep(&rest, ":")) != NULL) {
		n = snprintf(path, sizeof(path), "%s/%s", dir, argv0);
		if (n > 0 && (size_t)n < sizeof(path) && *dir == '/' &&
		    access(path, X_OK) == 0)
			goto found;
	}
	errx(1, "%s: start it by its full path", argv0);
found:
	if (strlcpy(parent.self, path, sizeof(parent.self)) >=
	    sizeof(parent.self))
		errx(1, "%s: path too long", path);
}

/*
 * The first error also goes into why, for the operator who asked from
 * elsewhere.
 */
static struct config *
config_read(char *why, size_t size)
{
	struct config	*c;
	char		*text = NULL, *nl;
	size_t		 len = 0;
	FILE		*f;

	why[0] = '\0';
	if ((f = open_memstream(&text, &len)) == NULL)
		fatal("configuration");
	c = config_parse_file(options.file, options.macros, options.nmacros, f);
	if (c != NULL && demands_met(parent.daemon, c, parent.config, 1, f) ==
	    -1) {
		config_free(c);
		c = NULL;
	}
	if (fclose(f) != 0)
		fatal("configuration");
	while (text != NULL && *text != '\0') {
		char	*line = text;

		if ((nl = strchr(line, '\n')) != NULL)
			*nl = '\0';
		log_warnx("%s", line);
		if (why[0] == '\0' && strstr(line, ": warning: ") == NULL)
			(void)strlcpy(why, line, size);
		if (nl == NULL)
			break;
		memmove(text, nl + 1, strlen(nl + 1) + 1);
	}
	free(text);
	return c;
}

/* Children read the canonical text of c from now on. */
static int
config_use(struct config *c)
{
	static struct config	*used;
	char			*text = NULL;
	size_t			 len = 0;
	FILE			*f;
	int			 wfd, rfd;

	if ((f = open_memstream(&text, &len)) == NULL)
		return -1;
	config_print(c, f);
	if (fclose(f) != 0 || len > LIM_CONFIG) {
		free(text);
		return -1;
	}
	if (memfile_make(c->dir_runtime, &wfd, &rfd) == -1 ||
	    write(wfd, text, len) != (ssize_t)len) {
		free(text);
		return -1;
	}
	free(text);
	(void)memfile_seal(&wfd, rfd);
	if (parent.configfd != -1)
		close(parent.configfd);
	parent.configfd = rfd;
	config_free(used);
	parent.config = used = c;
	parent.generation++;
	return 0;
}

static void
make_directory(const char *path, mode_t mode, const char *user,
    const struct config_where *where)
{
	struct passwd	*pw = NULL;
	char		 name[64];

	if (user != NULL) {
		(void)snprintf(name, sizeof(name), "%s%s",
		    parent.config->user_prefix, user);
		if ((pw = getpwnam(name)) == NULL)
			fatalx("no user %s", name);
	}
	if ((mkdir(path, mode) == -1 && errno != EEXIST) ||
	    (pw != NULL && chown(path, pw->pw_uid, pw->pw_gid) == -1) ||
	    chmod(path, mode) == -1) {
		if (where->line == 0)
			fatal("%s: directory %s", where->file, path);
		fatal("%s:%u: directory %s", where->file, where->line, path);
	}
}

/* Those that this daemon's children live in. */
static void
make_directories(const struct config *c)
{
	const struct daemon	*d = parent.daemon;
	char			 path[PATH_MAX];
	size_t			 i;

	parent.config = c;
	make_directory(c->dir_runtime, 0755, NULL, &c->where_runtime);
	if ((size_t)snprintf(path, sizeof(path), "%s/empty", c->dir_runtime) >=
	    sizeof(path))
		fatalx("%s: too long", c->dir_runtime);
	make_directory(path, 0555, NULL, &c->where_runtime);
	for (i = 0; i < d->nprocs; i++) {
		if (d->procs[i].root == ROOT_SPOOL)
			make_directory(c->dir_spool, 0700, d->procs[i].user,
			    &c->where_spool);
		if (d->procs[i].root == ROOT_STATE)
			make_directory(c->dir_state, 0700, d->procs[i].user,
			    &c->where_state);
	}
}

/* One daemon of a name in a runtime directory; the file holds its pid. */
static void
lock_runtime(const struct config *c)
{
	static int	 fd = -1;
	char		 path[PATH_MAX], pid[24];
	int		 n;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s.pid", c->dir_runtime,
	    parent.daemon->name) >= sizeof(path))
		fatalx("%s: too long", c->dir_runtime);
	if (fd == -1) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0644);
		if (fd == -1)
			fatal("%s", path);
		if (flock(fd, LOCK_EX | LOCK_NB) == -1)
			fatalx("%s is running already (%s)",
			    parent.daemon->name, path);
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, pid, (size_t)n, 0) != n)
		fatal("%s", path);
}

static void
catch_signals(void)
{
	static const int	 signals[] = {
		SIGHUP, SIGTERM, SIGINT, SIGCHLD
	};
	struct rlimit		 rl;
	struct event		*ev;
	size_t			 i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		ev = evsignal_new(loop_base(), signals[i], on_signal, NULL);
		if (ev == NULL || event_add(ev, NULL) == -1)
			fatalx("signals");
	}
	/* Sessions are bounded by the configuration, not by a shell's limit. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static void
on_signal(int sig, short what, void *arg)
{
	(void)what;
	(void)arg;
	switch (sig) {
	case SIGCHLD:
		spawn_reap();
		break;
	case SIGHUP:
		proc_reload(NULL, 0);
		break;
	default:
		if (phase == PHASE_STOP)
			stop_hurry(NULL);	/* asked twice */
		else
			stop_begin();
		break;
	}
}

/*
 * A reload is a graceful restart: what is wrong with the new file leaves
 * everything as it is; else all children are exchanged.
 */
void
proc_reload(struct child *asker, uint32_t job)
{
	struct config	*c = NULL;
	struct ibuf	 b;
	char		 why[512] = "reload again later: one is going on";
	int		 ok = 0;

	if (phase == PHASE_RUN) {
		if ((c = config_read(why, sizeof(why))) != NULL) {
			(void)strlcpy(why, "out of memory", sizeof(why));
			if (listen_open(c, why, sizeof(why)) == 0 &&
			    (parent.daemon->prepare == NULL ||
			    parent.daemon->prepare(c, why, sizeof(why)) ==
			    0) && config_use(c) == 0)
				ok = 1;
		}
		if (ok)
			(void)snprintf(why, sizeof(why),
			    "configuration %u in use", parent.generation);
		else
			log_warnx("reload refused, the running configuration "
			    "stays: %s", why);
	} else if (phase == PHASE_EXCHANGE && asker == NULL)
		reload_again = 1;
	if (asker != NULL && asker->ipc != NULL) {
		ibuf_init(&b);
		ibuf_add_u8(&b, (uint8_t)ok);
		ibuf_add_str(&b, why);
		(void)ipc_send(asker->ipc, VERB_RELOADED, job, -1, &b);
		ibuf_free(&b);
	}
	if (!ok) {
		config_free(c);
		return;
	}
	listen_close_old();
	log_info("reload: %s", why);
	phase = PHASE_EXCHANGE;
	phase_role = 0;
	announced = 0;
	reload_next();
}

/*
 * Core roles leave as they do at a stop, each gone before the next is asked,
 * as it may serve the one before; then they start in the order of the table,
 * and all workers at once.
 */
static void
reload_next(void)
{
	const struct daemon	*d = parent.daemon;
	const struct process	*p;
	size_t			 i, n = d->nprocs;

	for (; phase_role < 3 * n; phase_role++) {
		p = phase_role < 2 * n ? &d->procs[n - 1 - phase_role / 2] :
		    &d->procs[phase_role - 2 * n];
		if (p->death != PROC_CORE)
			continue;
		if (phase_role >= 2 * n) {
			spawn_role(p);
			if (spawn_alive(p, 1) != spawn_count(p))
				return;
		} else if (phase_role % 2 == 0)
			spawn_drain(p, 0, 0);
		else if (spawn_draining(p) != 0)
			return;
	}
	for (i = 0; i < d->nprocs; i++)
		if (d->procs[i].death == PROC_WORKER)
			spawn_drain(&d->procs[i], 0, 1);
	phase = PHASE_RUN;
	if (reload_again) {
		reload_again = 0;
		proc_reload(NULL, 0);
	} else
		announce();
}

void
proc_changed(void)
{
	if (phase == PHASE_EXCHANGE)
		reload_next();
	else if (phase == PHASE_STOP)
		stop_next();
	else if (!announced)
		announce();
}

/* All places are taken by children that know the newest configuration. */
static void
announce(void)
{
	const struct daemon	*d = parent.daemon;
	size_t			 i;

	for (i = 0; i < d->nprocs; i++)
		if (spawn_alive(&d->procs[i], 1) != spawn_count(&d->procs[i]))
			return;
	announced = 1;
	if (parent.generation == 1)
		log_info("ready");
	else
		log_info("reload: all processes have configuration %u",
		    parent.generation);
}

static void
stop_begin(void)
{
	phase = PHASE_STOP;
	phase_role = parent.daemon->nprocs * 2;
	spawn_end();
	log_info("stopping");
	stop_next();
}

/* Roles in reverse order, each gone before the next is asked. */
static void
stop_next(void)
{
	const struct process	*p;

	for (; phase_role > 0; phase_role--) {
		p = &parent.daemon->procs[(phase_role - 1) / 2];
		if (phase_role % 2 == 0) {
			timer_set(&stop_timer, STOP_MS);
			spawn_drain(p, 1, 0);
			continue;
		}
		if (spawn_alive(p, 0) + spawn_draining(p) != 0)
			return;
	}
	loop_stop();
}

static void
stop_hurry(void *arg)
{
	(void)arg;
	log_warnx("stopping: not all finished in time, killed");
	spawn_kill_all();
	timer_set(&stop_timer, STOP_MS);
}
