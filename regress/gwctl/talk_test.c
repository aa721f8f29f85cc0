/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/message.h"
#include "gwctl/gwctl.h"
#include "regress/unit.h"

/*
 * The commands that talk to daemons, against a process that plays daemon.
 */

struct gwctl		 gwctl;		/* instead of main.c */

static struct config	*config;
static char		 dir[300];
static char		*output;
static size_t		 output_size;

typedef void	 serve_fn(struct imsgbuf *, struct imsg *);

static pid_t	 serve(enum daemon_id, serve_fn *);
static pid_t	 serve_all(enum daemon_id, serve_fn *const *);
static void	 serve_one(int, serve_fn *);
static void	 served(pid_t, int);
static void	 answer(struct imsgbuf *, const char *, int, const char *);
static serve_fn	 play_status, play_refusal, play_silence, play_nonsense,
		    play_half, play_scan, play_queue;
static int	 command(command_fn *, const char *);
static int	 ask(enum daemon_id, int, char **);

const struct config *
gwctl_config(void)
{
	return config;
}

int
gwctl_config_check(void)
{
	return 0;
}

int
usage(const char *what)
{
	(void)what;
	return 99;
}

/*
 * The other side.
 */

static pid_t
serve_all(enum daemon_id d, serve_fn *const *fn)
{
	struct sockaddr_un	 sun;
	pid_t			 pid;
	int			 s;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.ctl",
	    dir, daemon_name(d)) >= sizeof(sun.sun_path))
		errx(1, "%s: too long", dir);
	(void)unlink(sun.sun_path);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s == -1 || bind(s, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(s, 5) == -1)
		err(1, "%s", sun.sun_path);
	(void)fflush(stdout);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		for (; fn[1] != NULL; fn++)
			serve_one(s, *fn);
		serve_one(s, *fn);
		_exit(unit_failed != 0);
	}
	close(s);
	return pid;
}

static void
serve_one(int s, serve_fn *fn)
{
	struct imsgbuf	 ibuf;
	struct imsg	 im;
	struct pollfd	 pfd;
	int		 c;

	(void)alarm(20);
	if ((c = accept(s, NULL, NULL)) == -1)
		_exit(2);
	(void)fcntl(c, F_SETFL, O_NONBLOCK);
	imsgbuf_init(&ibuf, c);
	pfd.fd = c;
	pfd.events = POLLIN;
	while (imsgbuf_get(&ibuf, &im) != 1)
		if (poll(&pfd, 1, -1) == -1 || imsgbuf_read(&ibuf) == 0)
			_exit(2);
	fn(&ibuf, &im);
	while (imsgbuf_flush(&ibuf) == 1)
		(void)poll(NULL, 0, 10);
	imsgbuf_clear(&ibuf);
}

/* One connection. */
static pid_t
serve(enum daemon_id d, serve_fn *fn)
{
	serve_fn	*const fns[] = { fn, NULL };

	return serve_all(d, fns);
}

static void
served(pid_t pid, int status)
{
	int	 st;

	CHECK(waitpid(pid, &st, 0) == pid);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == status);
}

static void
answer(struct imsgbuf *ibuf, const char *text, int status, const char *error)
{
	struct ibuf	 b;

	ibuf_init(&b);
	if (text != NULL) {
		ibuf_add_str(&b, text);
		(void)imsgbuf_add(ibuf, VERB_CTL_TEXT, 0, -1, &b);
		ibuf_reset(&b);
	}
	ibuf_add_u8(&b, (uint8_t)status);
	ibuf_add_str(&b, error);
	(void)imsgbuf_add(ibuf, VERB_CTL_END, 0, -1, &b);
	ibuf_free(&b);
}

static void
play_status(struct imsgbuf *ibuf, struct imsg *im)
{
	CHECK_INT(im->type, VERB_CTL_STATUS);
	CHECK_INT(ibuf_left(&im->data), 0);
	answer(ibuf, "sessions 12\nlink scand up sent 1\nname \033[2J\n", 0,
	    "");
}

static void
play_refusal(struct imsgbuf *ibuf, struct imsg *im)
{
	(void)im;
	answer(ibuf, NULL, 3, "t:1: unknown word");
}

static void
play_silence(struct imsgbuf *ibuf, struct imsg *im)
{
	struct pollfd	 pfd = { .fd = ibuf->fd, .events = POLLIN };

	(void)im;
	(void)poll(&pfd, 1, -1);	/* until the asker goes */
}

static void
play_nonsense(struct imsgbuf *ibuf, struct imsg *im)
{
	(void)im;
	(void)imsgbuf_add(ibuf, VERB_HELLO, 0, -1, NULL);
}

static void
play_half(struct imsgbuf *ibuf, struct imsg *im)
{
	struct ibuf	 b;

	(void)im;
	ibuf_init(&b);
	ibuf_add_str(&b, "half an answer\n");
	(void)imsgbuf_add(ibuf, VERB_CTL_TEXT, 0, -1, &b);
	ibuf_free(&b);
}

/* The message comes sealed, with the line ends of SMTP. */
static void
play_scan(struct imsgbuf *ibuf, struct imsg *im)
{
	static const char	 want[] =
	    "Subject: x\r\n\r\none\r\ntwo\r\nlast";
	struct netaddr		 client;
	char			 helo[100], sender[100], rcpt[100], text[100];
	uint64_t		 size;
	ssize_t			 n;

	CHECK_INT(im->type, VERB_CTL_SCAN);
	size = ibuf_get_u64(&im->data);
	CHECK_INT(ibuf_get_u8(&im->data), CLASS_RELAY);
	netaddr_get(&im->data, &client);
	ibuf_get_str(&im->data, helo, sizeof(helo));
	ibuf_get_str(&im->data, sender, sizeof(sender));
	ibuf_get_str(&im->data, rcpt, sizeof(rcpt));
	CHECK_INT(ibuf_get_end(&im->data), 0);
	CHECK_STR(netaddr_print(&client, text, sizeof(text)), "10.0.0.7");
	CHECK_STR(helo, "mx.example");
	CHECK_STR(sender, "a@example.org");
	CHECK_STR(rcpt, "b@example.org");
	CHECK(im->fd != -1);
	CHECK_INT(size, sizeof(want) - 1);
	CHECK_INT(message_check(im->fd, size), 0);
	n = pread(im->fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	CHECK_STR(text, want);
	answer(ibuf, "the report\n", 0, NULL);
}

static void
play_queue(struct imsgbuf *ibuf, struct imsg *im)
{
	char	 word[32], arg[32];

	CHECK_INT(im->type, VERB_CTL_QUEUE);
	ibuf_get_str(&im->data, word, sizeof(word));
	ibuf_get_str(&im->data, arg, sizeof(arg));
	CHECK_INT(ibuf_get_end(&im->data), 0);
	CHECK_STR(word, "hold");
	CHECK_STR(arg, "01hq3vbk2t7m9c4e");
	answer(ibuf, NULL, 1, "no such message in the queue");
}

/*
 * Our side.
 */

/* Run it with arguments; what it prints is in output afterwards. */
static int
command(command_fn *fn, const char *line)
{
	char	*args[16], *copy, *p;
	int	 n = 0, status, saved, fd;
	char	 path[400];
	FILE	*fp;

	(void)snprintf(path, sizeof(path), "%s/output", dir);
	(void)fflush(stdout);
	(void)fflush(stderr);
	if ((saved = dup(STDOUT_FILENO)) == -1 || (fd = open(path,
	    O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1)
		err(1, "%s", path);
	if ((copy = p = strdup(line)) == NULL)
		err(1, NULL);
	while (p != NULL && *p != '\0')
		args[n++] = strsep(&p, " ");
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	status = fn(n, args);
	(void)fflush(stdout);
	(void)fflush(stderr);
	(void)dup2(saved, STDOUT_FILENO);
	(void)dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	free(copy);
	if ((fp = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	if (getdelim(&output, &output_size, '\0', fp) == -1)
		output[0] = '\0';
	fclose(fp);
	return status;
}

static void
test_status(void)
{
	pid_t	 pid;

	pid = serve(DAEMON_FRONT, play_status);
	CHECK_INT(command(cmd_status, ""), 1);
	served(pid, 0);
	CHECK_STR(output, "smtpd-front\n\tsessions                12\n"
	    "\tlink scand up sent 1\n\tname                    ?[2J\n"
	    "scand\n\tit is not running\n"
	    "greyd\n\tit is not running\n"
	    "relayd-out\n\tit is not running\n");
	CHECK_INT(command(cmd_status, "x"), 99);
}

static void
play_first(struct imsgbuf *ibuf, struct imsg *im)
{
	CHECK_INT(im->type, VERB_CTL_STATUS);
	answer(ibuf, "queue 1\ngeneration 1\n", 0, NULL);
}

static void
play_second(struct imsgbuf *ibuf, struct imsg *im)
{
	CHECK_INT(im->type, VERB_CTL_STATUS);
	answer(ibuf, "queue 1\ngeneration 2\n", 0, NULL);
}

static void
play_reload(struct imsgbuf *ibuf, struct imsg *im)
{
	CHECK_INT(im->type, VERB_CTL_RELOAD);
	answer(ibuf, "configuration 2 in use\n", 0, NULL);
}

/* It has reloaded when its new processes are there. */
static void
test_reload(void)
{
	static serve_fn	*const refuse[] = { play_first, play_refusal, NULL };
	static serve_fn	*const reload[] = {
		play_first, play_reload, play_first, play_second, NULL
	};
	pid_t		 pid;

	pid = serve_all(DAEMON_RELAYD, refuse);
	CHECK_INT(command(cmd_reload, ""), 1);
	served(pid, 0);
	CHECK_STR(output, "relayd-out: t:1: unknown word\n");
	pid = serve_all(DAEMON_RELAYD, reload);
	CHECK_INT(command(cmd_reload, ""), 1);
	served(pid, 0);
	CHECK(strncmp(output, "relayd-out: reloaded\ngreyd: ", 28) == 0);
}

static void
test_queue(void)
{
	pid_t	 pid;

	pid = serve(DAEMON_RELAYD, play_queue);
	CHECK_INT(command(cmd_queue, "hold 01hq3vbk2t7m9c4e"), 1);
	served(pid, 0);
	CHECK_STR(output, "relayd-out: 01hq3vbk2t7m9c4e: no such message in "
	    "the queue\n");
	CHECK_INT(command(cmd_queue, "hold"), 99);
	CHECK_INT(command(cmd_queue, "list x"), 99);
	CHECK_INT(command(cmd_queue, "burn 01hq3vbk2t7m9c4e"), 99);
	CHECK_INT(command(cmd_queue, "hold me"), 1);
	CHECK_STR(output, "gwctl: me is no id of a message\n");
}

static void
test_scan(void)
{
	char	 path[400], line[600];
	pid_t	 pid;
	FILE	*fp;

	(void)snprintf(path, sizeof(path), "%s/message", dir);
	if ((fp = fopen(path, "w")) == NULL)
		err(1, "%s", path);
	fprintf(fp, "Subject: x\n\none\r\ntwo\nlast");
	fclose(fp);
	(void)snprintf(line, sizeof(line), "-c 10.0.0.7 -h mx.example -f "
	    "a@example.org -r b@example.org %s", path);
	pid = serve(DAEMON_SCAND, play_scan);
	CHECK_INT(command(cmd_scan, line), 0);
	served(pid, 0);
	CHECK_STR(output, "the report\n");
	CHECK_INT(command(cmd_scan, ""), 99);
	CHECK_INT(command(cmd_scan, "/nonexistent"), 1);
}

/* Daemons that do not answer as they should. */
static int
ask(enum daemon_id d, int seconds, char **error)
{
	static struct talk	 t;

	talk_init(&t, d, VERB_CTL_STATUS);
	t.seconds = seconds;
	*error = t.error;
	return talk(&t);
}

static void
test_failures(void)
{
	char	*error;
	pid_t	 pid;

	pid = serve(DAEMON_GREYD, play_silence);
	CHECK_INT(ask(DAEMON_GREYD, 1, &error), -1);
	CHECK_STR(error, "it does not answer");
	served(pid, 0);
	pid = serve(DAEMON_GREYD, play_nonsense);
	CHECK_INT(ask(DAEMON_GREYD, 5, &error), -1);
	CHECK_STR(error, "its answer is broken");
	served(pid, 0);
	pid = serve(DAEMON_GREYD, play_half);
	CHECK_INT(ask(DAEMON_GREYD, 5, &error), -1);
	CHECK(strncmp(error, "it closed the connection", 24) == 0);
	served(pid, 0);
	pid = serve(DAEMON_GREYD, play_refusal);
	CHECK_INT(ask(DAEMON_GREYD, 5, &error), 3);
	CHECK_STR(error, "t:1: unknown word");
	served(pid, 0);
}

int
main(void)
{
	const char	*tmp = getenv("TMPDIR");
	char		 text[1024], rm[512];

	(void)snprintf(dir, sizeof(dir), "%s/talk.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	(void)snprintf(text, sizeof(text), "service mx.example\n"
	    "listen on 127.0.0.1\nantivirus builtin\ndirectory runtime "
	    "\"%s\"\nparticipant a {\n domain a.example deliver to mx.a\n"
	    " relay from 10.0.0.0/24\n}\n", dir);
	config = config_parse_text("text", text, strlen(text), stderr);
	if (config == NULL)
		return 1;
	test_status();
	test_reload();
	test_queue();
	test_scan();
	test_failures();
	config_free(config);
	free(output);
	(void)snprintf(rm, sizeof(rm), "%s/output", dir);
	(void)unlink(rm);
	(void)snprintf(rm, sizeof(rm), "%s/message", dir);
	(void)unlink(rm);
	for (int d = 0; d < DAEMON_MAX; d++) {
		(void)snprintf(rm, sizeof(rm), "%s/%s.ctl", dir,
		    daemon_name(d));
		(void)unlink(rm);
	}
	(void)rmdir(dir);
	return unit_end();
}
