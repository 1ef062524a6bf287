#include "calls.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* ---- What is kept ---- */

/* What serving needs, and what the C library, LMDB, libevent and the look-up of users do on the way. Names that this
 * machine's architecture does not have are passed over. */
static const char *const calls[] = {
	"read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "lseek", "_llseek",
	"fsync", "fdatasync", "msync", "sync_file_range", "ftruncate", "fallocate", "flock",
	"open", "openat", "openat2", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64",
	"stat", "lstat", "fstat", "newfstatat", "statx", "fstatfs", "statfs", "fadvise64",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "umask",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "fchmod", "memfd_create",
	"munmap", "mremap", "madvise", "brk", "mlock", "munlock", "mincore", "membarrier",
	"accept", "accept4", "bind", "connect", "listen", "getsockname", "getpeername", "getsockopt",
	"setsockopt", "sendto", "sendmsg", "recvfrom", "recvmsg", "shutdown", "socketpair", "pipe", "pipe2",
	"poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime", "signalfd4",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending", "sigaltstack",
	"kill", "tkill", "tgkill", "restart_syscall", "exit", "exit_group", "wait4",
	"futex", "futex_time64", "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "arch_prctl",
	"sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "gettid", "getpid", "getppid",
	"getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getcpu",
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
	"getrandom", "uname", "sysinfo", "getrlimit", "getrusage", "times", "prctl",
};

static const char *const calls_of_sanitizers[] = {
	"clone", "getdents", "ptrace", "personality", "process_vm_readv", "sched_setaffinity", "setrlimit",
};

/* What must be in one half of an argument, as far as the mask goes: with an empty one, anything. */
struct condition {
	unsigned arg;
	enum half { LOW, HIGH } half;
	uint32_t mask, value;
};

#define CONDITIONS 2
#define ALL UINT32_MAX
#define WRITE_EXEC (PROT_WRITE | PROT_EXEC)

/* Those that are needed with certain arguments alone: one of its rules must fit. */
static const struct rule {
	const char *call;
	struct condition conditions[CONDITIONS];
} rules[] = {
	{ "socket", { { 0, LOW, ALL, AF_UNIX } } },
	{ "ioctl", { { 1, LOW, ALL, FIONREAD } } },
	{ "ioctl", { { 1, LOW, ALL, TCGETS } } },
	{ "mprotect", { { 2, LOW, PROT_EXEC, 0 } } },
	{ "mmap", { { 2, LOW, WRITE_EXEC, 0 } } },
	{ "mmap", { { 2, LOW, WRITE_EXEC, PROT_WRITE } } },
	{ "mmap", { { 2, LOW, WRITE_EXEC, PROT_EXEC } } },
	/* one's own limits can be read, nobody's be set */
	{ "prlimit64", { { 2, LOW, ALL, 0 }, { 2, HIGH, ALL, 0 } } },
	/* one's own thread goes behind the others */
	{ "sched_setscheduler", { { 0, LOW, ALL, 0 }, { 1, LOW, ALL, SCHED_BATCH } } },
	{ "setpriority", { { 0, LOW, ALL, PRIO_PROCESS }, { 1, LOW, ALL, 0 } } },
	/* threads, no processes */
	{ "clone", { { 0, LOW, CLONE_THREAD, CLONE_THREAD } } },
};

/* ---- The filter ---- */

#define CALL_STEPS 2
#define CONDITION_STEPS 3
#define RULE_STEPS (CONDITIONS * CONDITION_STEPS + 3)
#define STEPS_MAX 1024

_Static_assert((COUNT(calls) + COUNT(calls_of_sanitizers) + 4) * CALL_STEPS + COUNT(rules) * RULE_STEPS < STEPS_MAX,
	       "the filter has room for all");

struct filter {
	struct sock_filter steps[STEPS_MAX];
	unsigned short count;
};

/* `yes` and `no`: how many steps a comparison leaps over. */
static void step(struct filter *filter, unsigned code, unsigned yes, unsigned no, uint32_t operand)
{
	filter->steps[filter->count++] = (struct sock_filter){
		.code = (uint16_t)code, .jt = (uint8_t)yes, .jf = (uint8_t)no, .k = operand,
	};
}

static void load(struct filter *filter, size_t offset)
{
	step(filter, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void compare(struct filter *filter, uint32_t value, unsigned yes, unsigned no)
{
	step(filter, BPF_JMP | BPF_JEQ | BPF_K, yes, no, value);
}

static void answer(struct filter *filter, uint32_t action)
{
	step(filter, BPF_RET | BPF_K, 0, 0, action);
}

static size_t half_offset(const struct condition *condition)
{
	const bool first = condition->half == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LOW : HIGH);

	return offsetof(struct seccomp_data, args) + condition->arg * sizeof(uint64_t) +
	       (first ? 0 : sizeof(uint32_t));
}

/* The call's number is loaded, before and after. */
static void call_add(struct filter *filter, const char *name, uint32_t action)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number < 0)
		return;
	compare(filter, (uint32_t)number, 0, 1);
	answer(filter, action);
}

static void calls_add(struct filter *filter, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		call_add(filter, names[i], SECCOMP_RET_ALLOW);
}

static void rule_add(struct filter *filter, const struct rule *rule)
{
	int number = seccomp_syscall_resolve_name(rule->call);
	unsigned left = RULE_STEPS - 1;

	if (number < 0)
		return;
	compare(filter, (uint32_t)number, 0, left);
	for (size_t i = 0; i < CONDITIONS; i++) {
		left -= CONDITION_STEPS;
		load(filter, half_offset(&rule->conditions[i]));
		step(filter, BPF_ALU | BPF_AND | BPF_K, 0, 0, rule->conditions[i].mask);
		compare(filter, rule->conditions[i].value, 0, left - 1);
	}
	answer(filter, SECCOMP_RET_ALLOW);
	load(filter, offsetof(struct seccomp_data, nr));
}

static void filter_make(struct filter *filter, bool sanitized)
{
	filter->count = 0;
	/* another architecture's calls have other numbers */
	load(filter, offsetof(struct seccomp_data, arch));
	compare(filter, seccomp_arch_native(), 1, 0);
	answer(filter, SECCOMP_RET_KILL_PROCESS);
	load(filter, offsetof(struct seccomp_data, nr));
	calls_add(filter, calls, COUNT(calls));
	if (sanitized)
		calls_add(filter, calls_of_sanitizers, COUNT(calls_of_sanitizers));
	for (size_t i = 0; i < COUNT(rules); i++)
		rule_add(filter, &rules[i]);
	/* it hides its flags; without it clone is used */
	call_add(filter, "clone3", SECCOMP_RET_ERRNO | ENOSYS);
	answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

bool calls_restrict(bool sanitized)
{
	struct filter filter;
	struct sock_fprog program = { .filter = filter.steps };

	filter_make(&filter, sanitized);
	program.len = filter.count;
	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}
