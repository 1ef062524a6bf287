/*
 * A program that make runs: prints the filter of seccomp(2) for the system calls that fundd keeps
 * once it serves, as steps of BPF for sandbox.c. libseccomp makes it here and not within fundd:
 * while it does it takes memory, and where there is none it frees twice, or gives out a filter that
 * is not the one that was asked for.
 */
#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "sanitized.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* What serving needs, and what the C library, LMDB, libevent and the look-up of users do on the
 * way. Names that this machine's architecture does not have are passed over. */
static const char *const calls[] = {
	"read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "lseek",
	"_llseek",
	"fsync", "fdatasync", "msync", "sync_file_range", "ftruncate", "fallocate", "flock",
	"open", "openat", "openat2", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
	"fcntl64",
	"stat", "lstat", "fstat", "newfstatat", "statx", "fstatfs", "statfs", "fadvise64",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "getdents64",
	"umask",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "fchmod", "memfd_create",
	"munmap", "mremap", "madvise", "brk", "mlock", "munlock", "mincore", "membarrier",
	"accept", "accept4", "bind", "connect", "listen", "getsockname", "getpeername",
	"getsockopt",
	"setsockopt", "sendto", "sendmsg", "recvfrom", "recvmsg", "shutdown", "socketpair", "pipe",
	"pipe2",
	"poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
	"epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime", "signalfd4",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending",
	"sigaltstack",
	"kill", "tkill", "tgkill", "restart_syscall", "exit", "exit_group", "wait4",
	"futex", "futex_time64", "set_robust_list", "get_robust_list", "set_tid_address", "rseq",
	"arch_prctl",
	"sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "gettid",
	"getpid", "getppid",
	"getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getcpu",
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "nanosleep",
	"gettimeofday", "time",
	"getrandom", "uname", "sysinfo", "getrlimit", "getrusage", "times", "prctl",
};

static const char *const calls_of_sanitizers[] = {
	"clone", "getdents", "ptrace", "personality", "process_vm_readv", "sched_setaffinity",
	"setrlimit",
};

/* Those that are needed with certain arguments alone:
 * with each call's one of its rules must fit. */
#define CONDITIONS 2
#define WRITE_EXEC (PROT_WRITE | PROT_EXEC)

static const struct rule {
	const char *call;
	unsigned count;
	struct scmp_arg_cmp conditions[CONDITIONS];
} rules[] = {
	{ "socket", 1, { SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX) } },
	{ "ioctl", 1, { SCMP_A1_32(SCMP_CMP_EQ, FIONREAD) } },
	{ "ioctl", 1, { SCMP_A1_32(SCMP_CMP_EQ, TCGETS) } },
	{ "mprotect", 1, { SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) } },
	{ "mmap", 1, { SCMP_A2_32(SCMP_CMP_MASKED_EQ, WRITE_EXEC, 0) } },
	{ "mmap", 1, { SCMP_A2_32(SCMP_CMP_MASKED_EQ, WRITE_EXEC, PROT_WRITE) } },
	{ "mmap", 1, { SCMP_A2_32(SCMP_CMP_MASKED_EQ, WRITE_EXEC, PROT_EXEC) } },
	/* one's own limits can be read, nobody's be set */
	{ "prlimit64", 1, { SCMP_A2(SCMP_CMP_EQ, 0) } },
	/* one's own thread goes behind the others */
	{ "sched_setscheduler", 2, { SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, SCHED_BATCH) } },
	{ "setpriority", 2, { SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS), SCMP_A1(SCMP_CMP_EQ, 0) } },
	/* threads, no processes */
	{ "clone", 1, { SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) } },
};

static void check(int error)
{
	if (!error)
		return;
	fprintf(stderr, "libseccomp cannot make the filter: error %d\n", error);
	exit(1);
}

static void call_add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
		     const struct scmp_arg_cmp *conditions)
{
	int call = seccomp_syscall_resolve_name(name);

	if (call >= 0)
		check(seccomp_rule_add_array(filter, action, call, count, conditions));
}

static void calls_add(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		call_add(filter, SCMP_ACT_ALLOW, names[i], 0, NULL);
}

static scmp_filter_ctx filter_make(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	check(filter ? 0 : -ENOMEM);
	calls_add(filter, calls, COUNT(calls));
	if (SANITIZED)
		calls_add(filter, calls_of_sanitizers, COUNT(calls_of_sanitizers));
	for (size_t i = 0; i < COUNT(rules); i++)
		call_add(filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].count,
			 rules[i].conditions);
	/* it hides its flags; without it clone is used */
	call_add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	return filter;
}

int main(void)
{
	scmp_filter_ctx filter = filter_make();
	struct sock_filter step;
	FILE *file = tmpfile();

	check(file ? seccomp_export_bpf(filter, fileno(file)) : -errno);
	seccomp_release(filter);
	rewind(file);
	while (fread(&step, sizeof(step), 1, file))
		printf("{ 0x%04x, %u, %u, 0x%08x },\n", step.code, step.jt, step.jf, step.k);
	check(ferror(file) || fclose(file) || fflush(stdout) ? -EIO : 0);
	return 0;
}
