/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/compat/cage.h"
#include "common/compat/linux.h"
#include "common/log.h"

/*
 * Landlock: files, TCP, abstract sockets and signals, on top of chroot and
 * filter, so that each of the three alone would hold most of it.  It does
 * not cover UDP and descriptors already open.
 */

/*
 * By hand: the headers of Debian 12 end at version 2, and what the kernel
 * knows is asked at run time.
 */
#define SYS_CREATE	444
#define SYS_ADD		445
#define SYS_RESTRICT	446
#define CREATE_VERSION	1U		/* flag of SYS_CREATE */
#define RULE_PATH	1
#define RULE_PORT	2

#define FS_EXECUTE	(1ULL << 0)
#define FS_WRITE_FILE	(1ULL << 1)
#define FS_READ_FILE	(1ULL << 2)
#define FS_READ_DIR	(1ULL << 3)
#define FS_REMOVE_DIR	(1ULL << 4)
#define FS_REMOVE_FILE	(1ULL << 5)
#define FS_MAKE_DIR	(1ULL << 7)
#define FS_MAKE_REG	(1ULL << 8)
#define FS_REFER	(1ULL << 13)	/* version 2 */
#define FS_TRUNCATE	(1ULL << 14)	/* version 3 */
#define NET_BIND_TCP	(1ULL << 0)	/* version 4 */
#define NET_CONNECT_TCP	(1ULL << 1)

/* No executing, no devices, pipes, sockets, links. */
#define FS_OWN_ROOT	(FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | \
	FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | \
	FS_REFER | FS_TRUNCATE)

struct ruleset {
	uint64_t	 fs, net, scoped;
};
struct rule_path {
	uint64_t	 access;
	int32_t		 fd;
} __attribute__((packed));
struct rule_port {
	uint64_t	 access, port;
};

/* What each version can handle; an unknown bit would be EINVAL. */
static const struct ruleset	 versions[] = {
	{ 0, 0, 0 },
	{ 0x1fff, 0, 0 },
	{ 0x3fff, 0, 0 },		/* + REFER */
	{ 0x7fff, 0, 0 },		/* + TRUNCATE */
	{ 0x7fff, 0x3, 0 },		/* + TCP */
	{ 0xffff, 0x3, 0 },		/* + IOCTL_DEV */
	{ 0xffff, 0x3, 0x3 },		/* + abstract sockets, signals */
};
#define NVERSIONS	(int)(sizeof(versions) / sizeof(versions[0]))

static void	 allow_root(int, uint64_t);
static void	 allow_any_port(int);

int
landlock_abi(void)
{
	long	 abi;

	abi = syscall(SYS_CREATE, NULL, (size_t)0, CREATE_VERSION);
	return abi > 0 ? (int)abi : 0;
}

void
landlock_close(unsigned reach)
{
	struct ruleset	 handled;
	int		 abi, fd;

	/* A kernel without it still has the filter and the empty root. */
	if ((abi = landlock_abi()) == 0)
		return;
	handled = versions[abi < NVERSIONS ? abi : NVERSIONS - 1];
	if (reach & REACH_TCP)
		handled.net &= NET_BIND_TCP;
	fd = (int)syscall(SYS_CREATE, &handled, sizeof(handled), 0U);
	if (fd == -1)
		fatal("Landlock: version %d", abi);
	if (reach & REACH_ROOT)
		allow_root(fd, handled.fs & FS_OWN_ROOT);
	if ((reach & REACH_TCP) && (handled.net & NET_BIND_TCP))
		allow_any_port(fd);
	if (syscall(SYS_RESTRICT, fd, 0U) == -1)
		fatal("Landlock: restrict");
	close(fd);
}

/* After chroot: the root is the process's own directory. */
static void
allow_root(int ruleset, uint64_t access)
{
	struct rule_path	 rule;

	rule.access = access;
	rule.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.fd == -1)
		fatal("Landlock: root directory");
	if (syscall(SYS_ADD, ruleset, RULE_PATH, &rule, 0U) == -1)
		fatal("Landlock: rule for the root directory");
	close(rule.fd);
}

/* A source address may be bound, but no port chosen: nothing to listen on. */
static void
allow_any_port(int ruleset)
{
	struct rule_port	 rule;

	rule.access = NET_BIND_TCP;
	rule.port = 0;
	if (syscall(SYS_ADD, ruleset, RULE_PORT, &rule, 0U) == -1)
		fatal("Landlock: rule for ports");
}
