/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/syscall.h>

#include <string.h>

#include "common/compat/linux.h"

/*
 * Names and numbers of Linux system calls: those of the table of powers, and
 * those that are likely to be tried, so that a process that dies of its
 * filter can say by name what it wanted.
 */

#define C(x)	{ #x, __NR_##x }
/* Calls of the first Linux systems, which later processors do not have. */
#ifdef __NR_open
#define OLD(x)	{ #x, __NR_##x }
#else
#define OLD(x)	{ #x, CALL_NONE }
#endif
/* Newer than some systems' headers; the same number on all processors. */
#define NEW(x, n) { #x, n }

static const struct call {
	const char	*name;
	int		 number;
} calls[] = {
	C(accept), C(accept4), C(acct), C(add_key), C(adjtimex), C(bind),
	C(bpf), C(brk), C(capget), C(capset), C(chdir), C(chroot),
	C(clock_adjtime), C(clock_getres), C(clock_gettime),
	C(clock_nanosleep), C(clock_settime), C(clone), C(close), C(connect),
	C(copy_file_range), C(delete_module), C(dup), C(dup3),
	C(epoll_create1), C(epoll_ctl), C(epoll_pwait), C(eventfd2),
	C(execve), C(execveat), C(exit), C(exit_group), C(faccessat),
	C(fadvise64), C(fallocate), C(fanotify_init), C(fanotify_mark),
	C(fchdir), C(fchmod), C(fchmodat), C(fchown), C(fchownat), C(fcntl),
	C(fdatasync), C(fgetxattr), C(finit_module), C(flistxattr), C(flock),
	C(fremovexattr), C(fsetxattr), C(fstat), C(fstatfs), C(fsync),
	C(ftruncate), C(futex), C(get_mempolicy), C(get_robust_list),
	C(getcpu), C(getcwd), C(getdents64), C(getegid), C(geteuid),
	C(getgid), C(getgroups), C(getitimer), C(getpeername), C(getpgid),
	C(getpid), C(getppid), C(getpriority), C(getrandom), C(getresgid),
	C(getresuid), C(getrusage), C(getsid), C(getsockname), C(getsockopt),
	C(gettid), C(gettimeofday), C(getuid), C(getxattr), C(init_module),
	C(inotify_add_watch), C(inotify_init1), C(inotify_rm_watch),
	C(io_cancel), C(io_destroy), C(io_getevents), C(io_setup),
	C(io_submit), C(ioctl), C(ioprio_get), C(ioprio_set), C(kcmp),
	C(kexec_load), C(keyctl), C(kill), C(lgetxattr), C(linkat), C(listen),
	C(listxattr), C(llistxattr), C(lremovexattr),
	C(lseek), C(lsetxattr), C(madvise), C(mbind), C(membarrier),
	C(memfd_create), C(migrate_pages), C(mincore), C(mkdirat), C(mknodat),
	C(mlock), C(mlock2), C(mlockall), C(mmap), C(mount), C(move_pages),
	C(mprotect), C(mq_getsetattr), C(mq_notify), C(mq_open),
	C(mq_timedreceive), C(mq_timedsend), C(mq_unlink), C(mremap),
	C(msgctl), C(msgget), C(msgrcv), C(msgsnd), C(msync), C(munlock),
	C(munlockall), C(munmap), C(name_to_handle_at), C(nanosleep),
	C(newfstatat), C(open_by_handle_at), C(openat), C(perf_event_open),
	C(personality), C(pipe2), C(pivot_root), C(pkey_alloc), C(pkey_free),
	C(pkey_mprotect), C(ppoll), C(prctl), C(pread64), C(preadv),
	C(preadv2), C(prlimit64), C(process_vm_readv), C(process_vm_writev),
	C(pselect6), C(ptrace), C(pwrite64), C(pwritev), C(pwritev2),
	C(quotactl), C(read), C(readahead), C(readlinkat), C(readv),
	C(reboot), C(recvfrom), C(recvmmsg), C(recvmsg), C(remap_file_pages),
	C(removexattr), C(renameat), C(renameat2), C(request_key),
	C(restart_syscall), C(rt_sigaction), C(rt_sigpending),
	C(rt_sigprocmask), C(rt_sigqueueinfo), C(rt_sigreturn),
	C(rt_sigsuspend), C(rt_sigtimedwait), C(rt_tgsigqueueinfo),
	C(sched_get_priority_max), C(sched_get_priority_min),
	C(sched_getaffinity), C(sched_getattr), C(sched_getparam),
	C(sched_getscheduler), C(sched_setaffinity), C(sched_setattr),
	C(sched_setparam), C(sched_setscheduler), C(sched_yield), C(seccomp),
	C(semctl), C(semget), C(semop), C(semtimedop), C(sendfile),
	C(sendmmsg), C(sendmsg), C(sendto), C(set_mempolicy),
	C(set_robust_list), C(set_tid_address), C(setdomainname), C(setfsgid),
	C(setfsuid), C(setgid), C(setgroups), C(sethostname), C(setitimer),
	C(setns), C(setpgid), C(setpriority), C(setregid), C(setresgid),
	C(setresuid), C(setreuid), C(setsid), C(setsockopt), C(settimeofday),
	C(setuid), C(setxattr), C(shmat), C(shmctl), C(shmdt), C(shmget),
	C(shutdown), C(sigaltstack), C(signalfd4), C(socket), C(socketpair),
	C(splice), C(statfs), C(statx), C(swapoff), C(swapon), C(symlinkat),
	C(sync), C(sync_file_range), C(syncfs), C(sysinfo), C(syslog), C(tee),
	C(tgkill), C(timer_create), C(timer_delete), C(timer_getoverrun),
	C(timer_gettime), C(timer_settime), C(timerfd_create),
	C(timerfd_gettime), C(timerfd_settime), C(times), C(tkill),
	C(truncate), C(umask), C(umount2), C(uname), C(unlinkat), C(unshare),
	C(userfaultfd), C(utimensat), C(vhangup), C(vmsplice), C(wait4),
	C(waitid), C(write), C(writev),

	OLD(access), OLD(alarm), OLD(arch_prctl), OLD(chmod), OLD(chown),
	OLD(creat), OLD(dup2), OLD(epoll_create), OLD(epoll_wait),
	OLD(eventfd), OLD(fork), OLD(getdents), OLD(getpgrp), OLD(getrlimit),
	OLD(inotify_init), OLD(ioperm), OLD(iopl), OLD(lchown), OLD(link),
	OLD(lstat), OLD(mkdir), OLD(mknod), OLD(modify_ldt), OLD(open),
	OLD(pause), OLD(pipe), OLD(poll), OLD(readlink), OLD(rename),
	OLD(rmdir), OLD(select), OLD(setrlimit), OLD(signalfd), OLD(stat),
	OLD(symlink), OLD(time), OLD(unlink), OLD(uselib), OLD(ustat),
	OLD(utime), OLD(utimes), OLD(vfork),

	NEW(pidfd_send_signal, 424), NEW(io_uring_setup, 425),
	NEW(io_uring_enter, 426), NEW(io_uring_register, 427),
	NEW(open_tree, 428), NEW(move_mount, 429), NEW(fsopen, 430),
	NEW(fsconfig, 431), NEW(fsmount, 432), NEW(fspick, 433),
	NEW(pidfd_open, 434), NEW(clone3, 435), NEW(close_range, 436),
	NEW(openat2, 437), NEW(pidfd_getfd, 438), NEW(faccessat2, 439),
	NEW(process_madvise, 440), NEW(epoll_pwait2, 441),
	NEW(mount_setattr, 442), NEW(quotactl_fd, 443),
	NEW(landlock_create_ruleset, 444), NEW(landlock_add_rule, 445),
	NEW(landlock_restrict_self, 446), NEW(memfd_secret, 447),
	NEW(process_mrelease, 448), NEW(futex_waitv, 449),
	NEW(set_mempolicy_home_node, 450), NEW(cachestat, 451),
	NEW(fchmodat2, 452), NEW(map_shadow_stack, 453), NEW(statmount, 457),
	NEW(listmount, 458), NEW(mseal, 462),
};
#define NCALLS	(sizeof(calls) / sizeof(calls[0]))

int
call_number(const char *name, size_t len)
{
	size_t	 i;

	for (i = 0; i < NCALLS; i++)
		if (strlen(calls[i].name) == len &&
		    memcmp(calls[i].name, name, len) == 0)
			return calls[i].number;
	return CALL_UNKNOWN;
}

const char *
call_name(int number)
{
	size_t	 i;

	for (i = 0; i < NCALLS; i++)
		if (calls[i].number == number)
			return calls[i].name;
	return "unknown";
}
