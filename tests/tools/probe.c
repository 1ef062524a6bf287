/*
 * LD_PRELOAD for sandbox.t: on SIGUSR1 the program tries what a sandboxed daemon must not be able
 * to do, and what it must; a line for each goes to stderr, "probe: WHAT: ok" or the error. On
 * SIGUSR2 the thread that got it does so, which is never the first one. $PROBE is a directory
 * outside its own.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char outside[4096];

static int try_exec(void)
{
	char name[] = "true", *const argv[] = { name, NULL };

	return execve("/bin/true", argv, NULL);
}

static int try_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -1 : waitpid(child, NULL, 0) < 0;
}

static int try_socket(int domain)
{
	int fd = socket(domain, SOCK_STREAM, 0);

	return fd < 0 ? -1 : close(fd);
}

static int try_inet(void)
{
	return try_socket(AF_INET);
}

static int try_inet6(void)
{
	return try_socket(AF_INET6);
}

static int try_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? -1 : 0;
}

static int try_unix(void)
{
	return try_socket(AF_UNIX);
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static int try_read_outside(void)
{
	char path[5000];

	snprintf(path, sizeof(path), "%s/secret", outside);
	return try_open(path, O_RDONLY);
}

static int try_write_outside(void)
{
	char path[5000];

	snprintf(path, sizeof(path), "%s/new", outside);
	return try_open(path, O_WRONLY | O_CREAT);
}

static int try_home(void)
{
	return try_open("/root", O_RDONLY);
}

static int try_proc(void)
{
	return try_open("/proc/1/environ", O_RDONLY);
}

static int try_write_etc(void)
{
	return try_open("/etc/fund-probe", O_WRONLY | O_CREAT);
}

static int try_zone(void)
{
	return try_open("/usr/share/zoneinfo/Europe/Berlin", O_RDONLY);
}

static int try_users(void)
{
	return try_open("/etc/passwd", O_RDONLY);
}

static int try_ptrace(void)
{
	return ptrace(PTRACE_CONT, getpid(), NULL, NULL) < 0 ? -1 : 0;	/* ESRCH when it may try */
}

static int try_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static int try_setuid(void)
{
	return (int)syscall(SYS_setuid, getuid());
}

static int try_code(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return code == MAP_FAILED ? -1 : 0;
}

static int try_code_later(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return code == MAP_FAILED ? 0 : mprotect(code, 4096, PROT_READ | PROT_EXEC);
}

static int try_namespace(void)
{
	return (int)syscall(SYS_unshare, CLONE_NEWUSER);
}

static int try_limits(void)
{
	struct rlimit limit = { 10, 10 };

	return (int)syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
}

static int try_dump(void)
{
	errno = EPERM;
	return prctl(PR_GET_DUMPABLE) ? 0 : -1;
}

static const struct probe {
	const char *name;
	int (*attempt)(void);
} probes[] = {
	{ "exec", try_exec }, { "fork", try_fork }, { "inet", try_inet }, { "inet6", try_inet6 },
	{ "netlink", try_netlink }, { "read-outside", try_read_outside }, { "write-outside", try_write_outside },
	{ "home", try_home }, { "proc", try_proc }, { "write-etc", try_write_etc }, { "ptrace", try_ptrace },
	{ "mount", try_mount }, { "setuid", try_setuid }, { "code", try_code }, { "code-later", try_code_later },
	{ "namespace", try_namespace }, { "limits", try_limits }, { "dumpable", try_dump },
	{ "unix", try_unix }, { "zone", try_zone }, { "users", try_users },
};

static void probe_all(int number)
{
	char line[128];
	int len;

	(void)number;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		int result = probes[i].attempt();

		len = snprintf(line, sizeof(line), "probe: %s: %s\n", probes[i].name,
			       result ? strerrorname_np(errno) : "ok");
		if (write(STDERR_FILENO, line, (size_t)len) < 0)
			return;
	}
	if (write(STDERR_FILENO, "probe: done\n", 12) < 0)
		return;
}

/* ---- Threads ---- */

typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

struct start {
	void *(*run)(void *context);
	void *context;
};

static void second_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(how, &set, NULL);
}

static void *probed_run(void *context)
{
	struct start start = *(struct start *)context;

	free(context);
	second_signal(SIG_UNBLOCK);
	return start.run(start.context);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *context)
{
	create *next = (create *)dlsym(RTLD_NEXT, "pthread_create");
	struct start *start = malloc(sizeof(*start));

	if (!start)
		return ENOMEM;
	*start = (struct start){ run, context };
	return next(thread, attributes, probed_run, start);
}

__attribute__((constructor)) static void begin(void)
{
	struct sigaction action = { .sa_handler = probe_all, .sa_flags = SA_RESTART };
	const char *path = getenv("PROBE");

	snprintf(outside, sizeof(outside), "%s", path ? path : "");
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	second_signal(SIG_BLOCK);
}
