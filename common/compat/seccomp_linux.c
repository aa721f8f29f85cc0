/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/compat/cage.h"
#include "common/compat/linux.h"
#include "common/log.h"

/*
 * The filter of system calls: allowed is what the table of powers names,
 * some of it only with certain arguments; all else traps.  The program is
 * written by hand, one comparison a call; the kernel caches the calls that
 * are always allowed, so its order does not matter.
 */

#if defined(__x86_64__)
#define FILTER_ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH	AUDIT_ARCH_AARCH64
#else
#error "the cage does not know this processor"
#endif

/* Where the words of an argument are: both processors are little-endian. */
#define ARG_LO(n)	(offsetof(struct seccomp_data, args) + (n) * 8)
#define ARG_HI(n)	(ARG_LO(n) + 4)

#define FILTER_MAX	1024	/* instructions; the kernel takes 4,096 */
#define CALLS_MAX	512	/* numbers of system calls are below */

/* TCGETS2, what glibc 2.42 uses; the header's needs a struct it has not. */
#define TTY_TCGETS2	0x802c542a

struct filter {
	struct sock_filter	 prog[FILTER_MAX];
	size_t			 n;
	uint32_t		 powers;
};

static void	 emit(struct filter *, uint16_t, uint32_t, uint8_t, uint8_t);
static void	 emit_load(struct filter *, size_t);
static void	 emit_return(struct filter *, uint32_t);
static void	 allow_equal(struct filter *, uint32_t);
static size_t	 skip_begin(struct filter *, uint32_t);
static void	 skip_end(struct filter *, size_t);
static void	 collect(uint8_t *, uint32_t);
static void	 collect_words(uint8_t *, const char *, uint8_t);
static void	 add_call(struct filter *, int, uint8_t);
static void	 check_memory(struct filter *);
static void	 check_fcntl(struct filter *);
static void	 check_ioctl(struct filter *);
static void	 check_socket(struct filter *);
static void	 check_setsockopt(struct filter *);
static void	 check_tgkill(struct filter *);
static void	 check_sendto(struct filter *);
static void	 check_prlimit(struct filter *);
static void	 check_open(struct filter *);

/* Calls whose arguments are looked at. */
static const struct check {
	const char	*name;
	void		(*emit)(struct filter *);
} checks[] = {
	{ "fcntl",	check_fcntl },
	{ "ioctl",	check_ioctl },
	{ "mmap",	check_memory },
	{ "mprotect",	check_memory },
	{ "open",	check_open },
	{ "openat",	check_open },
	{ "prlimit64",	check_prlimit },
	{ "sendto",	check_sendto },
	{ "setsockopt",	check_setsockopt },
	{ "socket",	check_socket },
	{ "tgkill",	check_tgkill },
};
#define NCHECKS	(sizeof(checks) / sizeof(checks[0]))

enum verdict_of_call { CALL_TRAP, CALL_ALLOW, CALL_ENOENT, CALL_EPERM };

/*
 * What sanitizers call while running, and, to write a report, try: they cope
 * with an error, so these fail softly and stay refused.
 */
static const char	 sanitizer_calls[] = "sched_yield sigaltstack";
static const char	 sanitizer_enoent[] =
    "open openat readlink readlinkat access stat lstat";
static const char	 sanitizer_eperm[] =
    "pipe2 clone fork vfork prctl getrlimit";

void
seccomp_close(uint32_t bits)
{
	static struct filter	 f;	/* 8 KB, once a process */
	struct sock_fprog	 prog;
	uint8_t			 allowed[CALLS_MAX];
	int			 nr;

	memset(allowed, CALL_TRAP, sizeof(allowed));
	collect(allowed, bits);

	f.n = 0;
	f.powers = bits;
	emit_load(&f, offsetof(struct seccomp_data, arch));
	emit(&f, BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0);
	emit_return(&f, SECCOMP_RET_KILL_PROCESS);
	/* x32 calls of x86_64 have bit 30 set and match nothing. */
	emit_load(&f, offsetof(struct seccomp_data, nr));
	for (nr = 0; nr < CALLS_MAX; nr++)
		if (allowed[nr] != CALL_TRAP)
			add_call(&f, nr, allowed[nr]);
	emit_return(&f, SECCOMP_RET_TRAP);

	prog.len = (unsigned short)f.n;
	prog.filter = f.prog;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == -1)
		fatal("system-call filter");
}

/* What the base and these powers allow. */
static void
collect(uint8_t *allowed, uint32_t bits)
{
	size_t	 i;

	/* A power's "open" outweighs the soft one of another. */
	if (CAGE_SANITIZED) {
		collect_words(allowed, sanitizer_calls, CALL_ALLOW);
		collect_words(allowed, sanitizer_enoent, CALL_ENOENT);
		collect_words(allowed, sanitizer_eperm, CALL_EPERM);
	}
	for (i = 0; i < npowers; i++)
		if (powers[i].bit == 0 || (powers[i].bit & bits))
			collect_words(allowed, powers[i].calls, CALL_ALLOW);
}

static void
collect_words(uint8_t *allowed, const char *words, uint8_t how)
{
	size_t	 len;
	int	 nr;

	for (; *words != '\0'; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		nr = call_number(words, len);
		if (nr == CALL_UNKNOWN || nr >= CALLS_MAX)
			fatalx("no system call %.*s", (int)len, words);
		if (nr != CALL_NONE)
			allowed[nr] = how;
	}
}

static void
emit(struct filter *f, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	struct sock_filter	*s;

	if (f->n == FILTER_MAX)
		fatalx("system-call filter too long");
	s = &f->prog[f->n++];
	s->code = code;
	s->k = k;
	s->jt = jt;
	s->jf = jf;
}

static void
emit_load(struct filter *f, size_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
emit_return(struct filter *f, uint32_t action)
{
	emit(f, BPF_RET | BPF_K, action, 0, 0);
}

/* The value loaded is k: allow. */
static void
allow_equal(struct filter *f, uint32_t k)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	emit_return(f, SECCOMP_RET_ALLOW);
}

/* What follows is for the value k only, up to skip_end(). */
static size_t
skip_begin(struct filter *f, uint32_t k)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 0);
	return f->n;
}

static void
skip_end(struct filter *f, size_t from)
{
	if (f->n - from > UINT8_MAX)
		fatalx("system-call filter: jump too far");
	f->prog[from - 1].jf = (uint8_t)(f->n - from);
}

static void
add_call(struct filter *f, int nr, uint8_t how)
{
	size_t	 i, from;

	from = skip_begin(f, (uint32_t)nr);
	switch (how) {
	case CALL_ENOENT:
		emit_return(f, SECCOMP_RET_ERRNO | ENOENT);
		break;
	case CALL_EPERM:
		emit_return(f, SECCOMP_RET_ERRNO | EPERM);
		break;
	default:
		for (i = 0; i < NCHECKS; i++)
			if (strcmp(checks[i].name, call_name(nr)) == 0)
				checks[i].emit(f);
		emit_return(f, SECCOMP_RET_ALLOW);
		break;
	}
	skip_end(f, from);
}

/*
 * The checks: each has the whole call to itself, ends with a return where it
 * refuses, and falls through where the call is allowed.
 */

/* mmap and mprotect: nothing becomes executable after the start. */
static void
check_memory(struct filter *f)
{
	emit_load(f, ARG_LO(2));
	emit(f, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	emit_return(f, SECCOMP_RET_TRAP);
}

/* No F_SETOWN, F_SETSIG, leases, notifications, pipe sizes. */
static void
check_fcntl(struct filter *f)
{
	static const uint32_t	 base[] = {
		F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		F_GET_SEALS
	};
	size_t			 i;

	emit_load(f, ARG_LO(1));
	for (i = 0; i < sizeof(base) / sizeof(base[0]); i++)
		allow_equal(f, base[i]);
	if (f->powers & POWER_MEMFILE)
		allow_equal(f, F_ADD_SEALS);
	if (f->powers & POWER_FILES) {
		allow_equal(f, F_GETLK);
		allow_equal(f, F_SETLK);
		allow_equal(f, F_SETLKW);
	}
	emit_return(f, SECCOMP_RET_TRAP);
}

/* stdio asks whether it writes to a terminal: it does not. */
static void
check_ioctl(struct filter *f)
{
	emit_load(f, ARG_LO(1));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, TCGETS, 1, 0);
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, TTY_TCGETS2, 0, 1);
	emit_return(f, SECCOMP_RET_ERRNO | ENOTTY);
	emit_return(f, SECCOMP_RET_TRAP);
}

/* Families, types and protocols: no raw ones, and no MPTCP, which Landlock
   does not see as TCP. */
static void
check_socket(struct filter *f)
{
	static const struct {
		uint32_t	 powers;
		uint32_t	 family, type, proto;
	} ok[] = {
		{ POWER_CONNECT | POWER_DNS, AF_INET, SOCK_STREAM, 0 },
		{ POWER_CONNECT | POWER_DNS, AF_INET, SOCK_STREAM,
		    IPPROTO_TCP },
		{ POWER_CONNECT | POWER_DNS, AF_INET6, SOCK_STREAM, 0 },
		{ POWER_CONNECT | POWER_DNS, AF_INET6, SOCK_STREAM,
		    IPPROTO_TCP },
		{ POWER_DNS, AF_INET, SOCK_DGRAM, 0 },
		{ POWER_DNS, AF_INET, SOCK_DGRAM, IPPROTO_UDP },
		{ POWER_DNS, AF_INET6, SOCK_DGRAM, 0 },
		{ POWER_DNS, AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
		{ POWER_UNIX, AF_UNIX, SOCK_STREAM, 0 },
	};
	size_t	 i, family, type;

	for (i = 0; i < sizeof(ok) / sizeof(ok[0]); i++) {
		if (!(ok[i].powers & f->powers))
			continue;
		emit_load(f, ARG_LO(0));
		family = skip_begin(f, ok[i].family);
		emit_load(f, ARG_LO(1));
		emit(f, BPF_ALU | BPF_AND | BPF_K,
		    ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), 0, 0);
		type = skip_begin(f, ok[i].type);
		emit_load(f, ARG_LO(2));
		allow_equal(f, ok[i].proto);
		skip_end(f, type);
		skip_end(f, family);
	}
	emit_return(f, SECCOMP_RET_TRAP);
}

/*
 * Options that we and libunbound set.  Others (filters, TLS in the kernel,
 * devices) are unknown here, which libraries take well.
 */
static void
check_setsockopt(struct filter *f)
{
	static const struct {
		uint32_t	 level;
		uint32_t	 option[12];	/* up to the first 0 */
	} ok[] = {
		{ SOL_SOCKET, { SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE,
		    SO_LINGER, SO_SNDBUF, SO_RCVBUF, SO_SNDTIMEO, SO_RCVTIMEO,
		    SO_RCVLOWAT } },
		{ IPPROTO_TCP, { TCP_NODELAY, TCP_MAXSEG, TCP_CORK,
		    TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_QUICKACK,
		    TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT } },
		{ IPPROTO_IP, { IP_TOS, IP_MTU_DISCOVER, IP_RECVERR,
		    IP_BIND_ADDRESS_NO_PORT } },
		{ IPPROTO_IPV6, { IPV6_V6ONLY, IPV6_MTU, IPV6_MTU_DISCOVER,
		    IPV6_RECVERR, IPV6_TCLASS } },
	};
	size_t	 i, k, from;

	for (i = 0; i < sizeof(ok) / sizeof(ok[0]); i++) {
		emit_load(f, ARG_LO(1));
		from = skip_begin(f, ok[i].level);
		emit_load(f, ARG_LO(2));
		for (k = 0; ok[i].option[k] != 0; k++)
			allow_equal(f, ok[i].option[k]);
		skip_end(f, from);
	}
	emit_return(f, SECCOMP_RET_ERRNO | ENOPROTOOPT);
}

/* abort() signals itself, nobody else. */
static void
check_tgkill(struct filter *f)
{
	emit_load(f, ARG_LO(0));
	allow_equal(f, (uint32_t)getpid());
	emit_return(f, SECCOMP_RET_TRAP);
}

/* Without an address, on the sockets that were given: a datagram socket can
   otherwise reach others than its peer. */
static void
check_sendto(struct filter *f)
{
	if (f->powers & POWER_DNS)
		return;
	emit_load(f, ARG_LO(4));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit_return(f, SECCOMP_RET_TRAP);
	emit_load(f, ARG_HI(4));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit_return(f, SECCOMP_RET_TRAP);
}

/* Its own limits, and only to read them: the new value is NULL. */
static void
check_prlimit(struct filter *f)
{
	emit_load(f, ARG_LO(0));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit_return(f, SECCOMP_RET_TRAP);
	emit_load(f, ARG_LO(2));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit_return(f, SECCOMP_RET_TRAP);
	emit_load(f, ARG_HI(2));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit_return(f, SECCOMP_RET_TRAP);
}

/* Libraries that look for files find none. */
static void
check_open(struct filter *f)
{
	if (!(f->powers & POWER_FILES))
		emit_return(f, SECCOMP_RET_ERRNO | ENOENT);
}
