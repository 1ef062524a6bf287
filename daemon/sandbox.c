#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"

/* Sanitizers look for leaks from a process of their own, and into /proc. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* ---- System calls ---- */

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

static bool allow(scmp_filter_ctx filter, const char *name)
{
	int call = seccomp_syscall_resolve_name(name);

	return call == __NR_SCMP_ERROR || call < 0 || !seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
}

static bool allow_all(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	bool allowed = true;

	for (size_t i = 0; i < count; i++)
		allowed &= allow(filter, names[i]);
	return allowed;
}

/* Those that are needed with certain arguments alone. */
static bool allow_some(scmp_filter_ctx filter)
{
	const uint64_t both = PROT_WRITE | PROT_EXEC;

	return !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				 SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				 SCMP_A1_32(SCMP_CMP_EQ, FIONREAD)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				 SCMP_A1_32(SCMP_CMP_EQ, TCGETS)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				 SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				 SCMP_A2_32(SCMP_CMP_MASKED_EQ, both, 0)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				 SCMP_A2_32(SCMP_CMP_MASKED_EQ, both, PROT_WRITE)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				 SCMP_A2_32(SCMP_CMP_MASKED_EQ, both, PROT_EXEC)) &&
	       /* one's own limits can be read, nobody's be set */
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				 SCMP_A2(SCMP_CMP_EQ, 0)) &&
	       /* one's own thread goes behind the others */
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sched_setscheduler), 2,
				 SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, SCHED_BATCH)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 2,
				 SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS), SCMP_A1(SCMP_CMP_EQ, 0)) &&
	       /* threads, no processes; clone3 hides its flags, and without it clone is used */
	       !seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) &&
	       !seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static bool calls_restrict(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool loaded;

	if (!filter)
		return false;
	loaded = allow_all(filter, calls, sizeof(calls) / sizeof(*calls)) && allow_some(filter) &&
		 (!SANITIZED || allow_all(filter, calls_of_sanitizers,
					  sizeof(calls_of_sanitizers) / sizeof(*calls_of_sanitizers))) &&
		 !seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) &&
		 !seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) && !seccomp_load(filter);
	seccomp_release(filter);
	return loaded;
}

/* ---- Files ---- */

#define LANDLOCK_TRUNCATE (1ULL << 14)	/* since version 3; not in Debian 12's header */

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_TRUNCATE)

/* Where zones, users and groups are looked up, and the modules that do so; those that exist. */
static const char *const places_read[] = {
	"/etc", "/usr/share/zoneinfo", "/usr/lib", "/usr/lib64", "/lib", "/lib64",
	"/run/systemd", "/run/nscd", "/var/lib/sss", "/var/lib/extrausers",
};

static uint64_t files_handled(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (version < 1)
		return 0;
	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= LANDLOCK_TRUNCATE;
	return all;
}

static bool place_allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr place = { .allowed_access = access };
	bool allowed;

	place.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (place.parent_fd < 0)
		return errno == ENOENT;
	allowed = !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &place, 0);
	close(place.parent_fd);
	return allowed;
}

/* The directory that the file is in. */
static bool parent_allow(int rules, const char *path, uint64_t access)
{
	char *copy = strdup(path);
	bool allowed = copy && place_allow(rules, dirname(copy), access);

	free(copy);
	return allowed;
}

static bool places_allow(int rules, const struct sandbox *sandbox, uint64_t handled)
{
	const char *zones = getenv("TZDIR");
	bool allowed = place_allow(rules, sandbox->ledger, WRITE & handled) &&
		       parent_allow(rules, sandbox->socket, LANDLOCK_ACCESS_FS_REMOVE_FILE);

	if (sandbox->config)
		allowed &= parent_allow(rules, sandbox->config, READ);
	if (zones && *zones)
		allowed &= place_allow(rules, zones, READ);
	if (SANITIZED)
		allowed &= place_allow(rules, "/proc", READ);
	for (size_t i = 0; i < sizeof(places_read) / sizeof(*places_read); i++)
		allowed &= place_allow(rules, places_read[i], READ);
	return allowed;
}

static bool files_restrict(const struct sandbox *sandbox)
{
	struct landlock_ruleset_attr attributes = { .handled_access_fs = files_handled() };
	bool restricted;
	int rules;

	if (!attributes.handled_access_fs)
		return false;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (rules < 0)
		return false;
	restricted = places_allow(rules, sandbox, attributes.handled_access_fs) &&
		     !syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
	return restricted;
}

/* ---- All of it ---- */

void sandbox_enter(const struct sandbox *sandbox)
{
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0))
		log_warning("fundd stays dumpable: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		log_warning("fundd could still gain privileges: %s", strerror(errno));
	if (!files_restrict(sandbox))
		log_notice("fundd could open files outside its directory: Landlock says %s", strerror(errno));
	if (!calls_restrict())
		log_warning("fundd could not give up the system calls it does not need");
}
