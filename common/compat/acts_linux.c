/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <linux/filter.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/cage.h"
#include "common/compat/linux.h"

/*
 * What a caged process must not be able to do, on Linux only.  Most acts are
 * one system call with arguments that do no harm: a kernel that would let
 * the process have it says EINVAL or EFAULT, one that would not, EPERM.
 */

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif
#define ABSTRACT_NAME	"pfoertner-try"	/* the test listens there */

static int	 opened(int);
static int	 probe(const char *, long, long, long, long, long);

static int
opened(int fd)
{
	if (fd == -1)
		return 0;
	close(fd);
	return 1;
}

/* One call by its number; where the processor has none, it is refused. */
static int
probe(const char *name, long a, long b, long c, long d, long e)
{
	int	 nr;

	if ((nr = call_number(name, strlen(name))) < 0) {
		errno = ENOSYS;
		return 0;
	}
	return act_result(syscall(nr, a, b, c, d, e, 0));
}

static int
try_memfile(void)
{
	return opened(memfd_create("try", MFD_CLOEXEC));
}

static int
try_netlink(void)
{
	return opened(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
	    NETLINK_ROUTE));
}

static int
try_packet(void)
{
	return opened(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int
try_alg(void)
{
	return opened(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int
try_mptcp(void)
{
	return opened(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
	    IPPROTO_MPTCP));
}

static int
try_connect_abstract(void)
{
	struct sockaddr_un	 sun;
	socklen_t		 len;
	int			 fd, r;

	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return 0;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path + 1, ABSTRACT_NAME, sizeof(ABSTRACT_NAME) - 1);
	len = offsetof(struct sockaddr_un, sun_path) + sizeof(ABSTRACT_NAME);
	r = connect(fd, (struct sockaddr *)&sun, len) == 0;
	close(fd);
	return r;
}

static int
try_sockfilter(void)
{
	struct sock_fprog	 prog = { 0, NULL };

	return act_result(setsockopt(-1, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog)));
}

static int
try_ptrace_parent(void)
{
	return act_result(ptrace(PTRACE_SEIZE, cage_parent(), NULL, NULL));
}

static int
try_tgkill_parent(void)
{
	return probe("tgkill", cage_parent(), cage_parent(), 0, 0, 0);
}

static int
try_read_parent(void)
{
	return probe("process_vm_readv", cage_parent(), 0, 0, 0, 0);
}

static int
try_pidfd(void)
{
	return probe("pidfd_open", cage_parent(), 0, 0, 0, 0);
}

static int
try_dumpable(void)
{
	return act_result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
try_mount(void)
{
	char	 root[] = "/";

	/* No file system type: EINVAL, if it is allowed at all. */
	return probe("mount", 0, (long)(intptr_t)root, 0, 0, 0);
}

static int
try_umount(void)
{
	char	 root[] = "/";

	/* A flag that does not exist. */
	return probe("umount2", (long)(intptr_t)root, 0x40000000, 0, 0, 0);
}

static int
try_truncate(void)
{
	char	 name[] = "/pfoertner-try";

	return probe("truncate", (long)(intptr_t)name, 0, 0, 0, 0);
}

static int
try_clone3(void)
{
	return probe("clone3", 0, 0, 0, 0, 0);
}

static int
try_ioctl_tiocsti(void)
{
	return probe("ioctl", -1, TIOCSTI, 0, 0, 0);
}

static int
try_fcntl_setown(void)
{
	return probe("fcntl", -1, F_SETOWN, 1, 0, 0);
}

static int
try_fcntl_lock(void)
{
	return probe("fcntl", -1, F_SETLK, 0, 0, 0);
}

static int
try_raise_limit(void)
{
	uint64_t	 rl[2] = { 0, 0 };

	return probe("prlimit64", 0, 4 /* RLIMIT_CORE */,
	    (long)(intptr_t)rl, 0, 0);
}

static int
try_parent_limit(void)
{
	return probe("prlimit64", cage_parent(), 4, 0, 0, 0);
}

/* Name, powers, call: the arguments are zero, or no descriptor. */
#define PROBE(fn, call, a, b, c) \
static int fn(void) { return probe(call, a, b, c, 0, 0); }

PROBE(try_reboot, "reboot", 0, 0, 0)
PROBE(try_keyctl, "keyctl", 0 /* own keyring */, -3, 0)
PROBE(try_add_key, "add_key", 0, 0, 0)
PROBE(try_bpf, "bpf", 0, 0, 0)
PROBE(try_userfaultfd, "userfaultfd", -1, 0, 0)
PROBE(try_io_uring, "io_uring_setup", 1, 0, 0)
PROBE(try_unshare, "unshare", 0, 0, 0)
PROBE(try_setns, "setns", -1, 0, 0)
PROBE(try_perf, "perf_event_open", 0, 0, -1)
PROBE(try_pidfd_getfd, "pidfd_getfd", -1, 0, 0)
PROBE(try_module, "init_module", 0, 0, 0)
PROBE(try_kexec, "kexec_load", 0, 99999, 0)
PROBE(try_swapon, "swapon", 0, 0x10000000, 0)
PROBE(try_sethostname, "sethostname", 0, -1, 0)
PROBE(try_adjtime, "adjtimex", 0, 0, 0)
PROBE(try_quotactl, "quotactl", -1, 0, 0)
PROBE(try_personality, "personality", 0xffffffff, 0, 0)
PROBE(try_iopl, "iopl", 99, 0, 0)
PROBE(try_modify_ldt, "modify_ldt", 0, 0, 0)
PROBE(try_handle, "open_by_handle_at", -1, 0, 0)
PROBE(try_fanotify, "fanotify_init", 0x40000000, 0, 0)
PROBE(try_inotify, "inotify_init1", 0x40000000, 0, 0)
PROBE(try_shmget, "shmget", 0, 0, 0)
PROBE(try_msgget, "msgget", 0x7fedcb, 0, 0)
PROBE(try_semget, "semget", 0, -1, 0)
PROBE(try_mlock, "mlockall", 0, 0, 0)
PROBE(try_affinity, "sched_setaffinity", 0, 0, 0)
PROBE(try_setsid, "setpgid", 0, -1, 0)
PROBE(try_seccomp, "seccomp", 99, 0, 0)
PROBE(try_landlock, "landlock_create_ruleset", 0, 0, 99)
PROBE(try_getdents, "getdents64", -1, 0, 0)
PROBE(try_pread, "pread64", -1, 0, 0)
PROBE(try_pwrite, "pwrite64", -1, 0, 0)
PROBE(try_sendfile, "sendfile", -1, -1, 0)
PROBE(try_ftruncate, "ftruncate", -1, 0, 0)
PROBE(try_fsync, "fsync", -1, 0, 0)
PROBE(try_stat_fs, "fstatfs", -1, 0, 0)
PROBE(try_chdir, "fchdir", -1, 0, 0)
PROBE(try_setxattr, "fsetxattr", -1, 0, 0)
PROBE(try_vmsplice, "vmsplice", -1, 0, 0)
PROBE(try_timer, "timer_create", 99, 0, 0)
PROBE(try_memfd_secret, "memfd_secret", 0x40000000, 0, 0)
PROBE(try_preadv2, "preadv2", -1, 0, 0)
PROBE(try_name_space, "open_tree", -1, 0, 0)
#if defined(__x86_64__)
/* A call of the x32 kind: its number has bit 30 set. */
static int
try_x32(void)
{
	return act_result(syscall(0x40000000 + __NR_getpid));
}
#endif

const struct act	 system_acts[] = {
	{ "memfile",		POWER_MEMFILE,	try_memfile },
	{ "socket-netlink",	0,		try_netlink },
	{ "socket-packet",	0,		try_packet },
	{ "socket-alg",		0,		try_alg },
	{ "socket-mptcp",	0,		try_mptcp },
	{ "connect-unix-abstract", 0,		try_connect_abstract },
	{ "socket-filter",	0,		try_sockfilter },
	{ "ptrace-parent",	0,		try_ptrace_parent },
	{ "tgkill-parent",	0,		try_tgkill_parent },
	{ "read-parent",	0,		try_read_parent },
	{ "pidfd-open",		0,		try_pidfd },
	{ "pidfd-getfd",	0,		try_pidfd_getfd },
	{ "prctl-dumpable",	0,		try_dumpable },
	{ "mount",		0,		try_mount },
	{ "umount",		0,		try_umount },
	{ "open-tree",		0,		try_name_space },
	{ "truncate",		0,		try_truncate },
	{ "clone3",		0,		try_clone3 },
	{ "ioctl-tiocsti",	0,		try_ioctl_tiocsti },
	{ "fcntl-setown",	0,		try_fcntl_setown },
	{ "fcntl-lock",		POWER_FILES,	try_fcntl_lock },
	{ "limit-raise",	0,		try_raise_limit },
	{ "limit-parent",	0,		try_parent_limit },
	{ "reboot",		0,		try_reboot },
	{ "keyctl",		0,		try_keyctl },
	{ "add-key",		0,		try_add_key },
	{ "bpf",		0,		try_bpf },
	{ "userfaultfd",	0,		try_userfaultfd },
	{ "io-uring",		0,		try_io_uring },
	{ "unshare",		0,		try_unshare },
	{ "setns",		0,		try_setns },
	{ "perf-event",		0,		try_perf },
	{ "module",		0,		try_module },
	{ "kexec",		0,		try_kexec },
	{ "swapon",		0,		try_swapon },
	{ "sethostname",	0,		try_sethostname },
	{ "adjtime",		0,		try_adjtime },
	{ "quotactl",		0,		try_quotactl },
	{ "personality",	0,		try_personality },
	{ "iopl",		0,		try_iopl },
	{ "modify-ldt",		0,		try_modify_ldt },
	{ "open-by-handle",	0,		try_handle },
	{ "fanotify",		0,		try_fanotify },
	{ "inotify",		0,		try_inotify },
	{ "shmget",		0,		try_shmget },
	{ "msgget",		0,		try_msgget },
	{ "semget",		0,		try_semget },
	{ "mlock",		0,		try_mlock },
	{ "affinity",		0,		try_affinity },
	{ "setpgid",		0,		try_setsid },
	{ "seccomp",		0,		try_seccomp },
	{ "landlock",		0,		try_landlock },
	{ "getdents",		POWER_FILES,	try_getdents },
	{ "pread", POWER_FILES | POWER_READFD | POWER_MEMFILE, try_pread },
	{ "pwrite",		POWER_FILES | POWER_MEMFILE, try_pwrite },
	{ "sendfile",		POWER_FILES | POWER_READFD, try_sendfile },
	{ "ftruncate",		POWER_FILES | POWER_MEMFILE, try_ftruncate },
	{ "fsync",		POWER_FILES,	try_fsync },
	{ "fstatfs",		POWER_FILES,	try_stat_fs },
	{ "fchdir",		0,		try_chdir },
	{ "fsetxattr",		0,		try_setxattr },
	{ "vmsplice",		0,		try_vmsplice },
	{ "timer",		0,		try_timer },
	{ "memfd-secret",	0,		try_memfd_secret },
	{ "preadv2",		0,		try_preadv2 },
#if defined(__x86_64__)
	{ "x32",		0,		try_x32 },
#endif
};
const size_t		 nsystem_acts =
			    sizeof(system_acts) / sizeof(system_acts[0]);
