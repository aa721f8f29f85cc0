/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <sys/ptrace.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/cage.h"
#include "common/log.h"

/*
 * The cage on OpenBSD, its last steps: limits, the paths that stay visible
 * and the promises of the table of powers.  A broken promise is SIGABRT with
 * a line of the kernel that names the call.
 */

#define PROMISES_MAX	256

static void	 set_limit(int, uint64_t);
static void	 add_promises(char *, size_t, const char *);
static int	 has_word(const char *, const char *, size_t);

void
cage_limits(const struct cage *c)
{
	/* There is no limit of address space; this is its nearest. */
	if (c->memory != 0)
		set_limit(RLIMIT_DATA, c->memory);
	set_limit(RLIMIT_FSIZE, c->fsize);
}

static void
set_limit(int what, uint64_t value)
{
	struct rlimit	 rl;

	rl.rlim_cur = rl.rlim_max = (rlim_t)value;
	if (setrlimit(what, &rl) == -1)
		fatal("limit %d", what);
}

/*
 * There is no signal of the parent's death here: a child ends when its
 * channel does.
 */
void
cage_close(const struct cage *c)
{
	char	 promises[PROMISES_MAX] = "";
	size_t	 i;

	if (c->parent != 0 && getppid() != c->parent)
		fatalx("%s: the parent is gone", c->name);
	if (unveil("/", cage_reach(c->powers) & REACH_ROOT ? "rwc" : "") == -1
	    || unveil(NULL, NULL) == -1)
		fatal("%s: unveil", c->name);
	for (i = 0; i < npowers; i++)
		if (powers[i].bit == 0 || (powers[i].bit & c->powers))
			add_promises(promises, sizeof(promises),
			    powers[i].pledge);
	if (pledge(promises, NULL) == -1)
		fatal("%s: pledge %s", c->name, promises);
}

const char *
cage_describe(void)
{
	return "pledge unveil";
}

/* Is the word of len octets in the list? */
static int
has_word(const char *list, const char *word, size_t len)
{
	size_t	 n;

	for (; *list != '\0'; list += n + strspn(list + n, " ")) {
		n = strcspn(list, " ");
		if (n == len && memcmp(list, word, len) == 0)
			return 1;
	}
	return 0;
}

static void
add_promises(char *list, size_t size, const char *words)
{
	char	 word[32];
	size_t	 len;

	for (; *words != '\0'; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		if (has_word(list, words, len))
			continue;
		if (len >= sizeof(word))
			fatalx("promise too long");
		memcpy(word, words, len);
		word[len] = '\0';
		if (list[0] != '\0' && strlcat(list, " ", size) >= size)
			fatalx("promises too long");
		if (strlcat(list, word, size) >= size)
			fatalx("promises too long");
	}
}

static int
try_ptrace_parent(void)
{
	return act_result(ptrace(PT_ATTACH, cage_parent(), NULL, 0));
}

static int
try_socket_route(void)
{
	int	 fd;

	if ((fd = socket(AF_ROUTE, SOCK_RAW, 0)) == -1)
		return 0;
	close(fd);
	return 1;
}

static int
try_more_promises(void)
{
	return act_result(pledge("stdio rpath wpath cpath inet exec proc",
	    NULL));
}

static int
try_unveil(void)
{
	return act_result(unveil("/", "rwcx"));
}

const struct act	 system_acts[] = {
	{ "ptrace-parent",	0,	try_ptrace_parent },
	{ "socket-route",	0,	try_socket_route },
	{ "pledge-more",	0,	try_more_promises },
	{ "unveil-more",	0,	try_unveil },
};
const size_t		 nsystem_acts =
			    sizeof(system_acts) / sizeof(system_acts[0]);
