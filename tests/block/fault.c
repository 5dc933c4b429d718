/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: one system call of a run fails. */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

/*
 * What can fail, and how: the argument with the descriptor and that with the path (-1: none), and what a
 * Linux returns for a file that is where it is. Not here is what only fails when it is called wrongly,
 * and close(2), which has closed all the same. brk(2) says no by where the end stays.
 */
static const struct call {
	unsigned number;
	const char *name;
	signed char fd_at, path_at;
	const char *errnos;
} calls[] = {
	{ SYS_open, "open", -1, 0, "EIO,EMFILE,EACCES,ENOMEM" },
	{ SYS_openat, "openat", 0, 1, "EIO,EMFILE,EACCES,ENOMEM,EINTR" },
	{ SYS_openat2, "openat2", 0, 1, "EIO,EMFILE,EACCES,ENOMEM,EINTR" },
	{ SYS_read, "read", 0, -1, "EIO,EINTR,ENOMEM,short" },
	{ SYS_pread64, "pread64", 0, -1, "EIO,ENOMEM" },
	{ SYS_getdents64, "getdents64", 0, -1, "EIO,ENOMEM" },
	{ SYS_write, "write", 0, -1, "ENOSPC,EIO,EINTR,short,full" },
	{ SYS_pwrite64, "pwrite64", 0, -1, "ENOSPC,EIO" },
	{ SYS_writev, "writev", 0, -1, "ENOSPC,EIO" },
	{ SYS_lseek, "lseek", 0, -1, "EIO" },
	{ SYS_stat, "stat", -1, 0, "EIO,EACCES,ENOMEM" },
	{ SYS_lstat, "lstat", -1, 0, "EIO,EACCES,ENOMEM" },
	{ SYS_fstat, "fstat", 0, -1, "EIO" },
	{ SYS_newfstatat, "newfstatat", 0, 1, "EIO,EACCES,ENOMEM" },
	{ SYS_statx, "statx", 0, 1, "EIO,EACCES,ENOMEM" },
	{ SYS_access, "access", -1, 0, "EIO,EACCES" },
	{ SYS_faccessat, "faccessat", 0, 1, "EIO,EACCES" },
	{ SYS_faccessat2, "faccessat2", 0, 1, "EIO,EACCES" },
	{ SYS_readlink, "readlink", -1, 0, "EIO,EACCES,ENOMEM" },
	{ SYS_readlinkat, "readlinkat", 0, 1, "EIO,EACCES,ENOMEM" },
	{ SYS_statfs, "statfs", -1, 0, "EIO" },
	{ SYS_fstatfs, "fstatfs", 0, -1, "EIO" },
	{ SYS_mkdir, "mkdir", -1, 0, "ENOSPC,EACCES" },
	{ SYS_mkdirat, "mkdirat", 0, 1, "ENOSPC,EACCES" },
	{ SYS_unlink, "unlink", -1, 0, "EIO,EACCES" },
	{ SYS_unlinkat, "unlinkat", 0, 1, "EIO,EACCES" },
	{ SYS_rename, "rename", -1, 0, "ENOSPC,EIO" },
	{ SYS_renameat, "renameat", 0, 1, "ENOSPC,EIO" },
	{ SYS_renameat2, "renameat2", 0, 1, "ENOSPC,EIO" },
	{ SYS_linkat, "linkat", 0, 1, "ENOSPC,EIO" },
	{ SYS_symlinkat, "symlinkat", 1, 2, "ENOSPC,EACCES" },
	{ SYS_fchmod, "fchmod", 0, -1, "EIO" },
	{ SYS_fchmodat, "fchmodat", 0, 1, "EIO" },
	{ SYS_fchown, "fchown", 0, -1, "EIO" },
	{ SYS_fsync, "fsync", 0, -1, "EIO,ENOSPC" },
	{ SYS_fdatasync, "fdatasync", 0, -1, "EIO,ENOSPC" },
	{ SYS_syncfs, "syncfs", 0, -1, "EIO" },
	{ SYS_ftruncate, "ftruncate", 0, -1, "EIO,ENOSPC" },
	{ SYS_flock, "flock", 0, -1, "ENOLCK,EINTR" },
	{ SYS_fcntl, "fcntl", 0, -1, "EMFILE" },
	{ SYS_dup, "dup", 0, -1, "EMFILE" },
	{ SYS_dup2, "dup2", 0, -1, "EMFILE,EINTR" },
	{ SYS_dup3, "dup3", 0, -1, "EMFILE" },
	{ SYS_ioctl, "ioctl", 0, -1, "EIO" },
	{ SYS_pipe2, "pipe2", -1, -1, "EMFILE" },
	{ SYS_socket, "socket", -1, -1, "EMFILE" },
	{ SYS_socketpair, "socketpair", -1, -1, "EMFILE" },
	{ SYS_connect, "connect", 0, -1, "ECONNREFUSED,EAGAIN" },
	{ SYS_sendto, "sendto", 0, -1, "EPIPE,EINTR" },
	{ SYS_sendmsg, "sendmsg", 0, -1, "EPIPE" },
	{ SYS_recvfrom, "recvfrom", 0, -1, "EIO,EINTR" },
	{ SYS_recvmsg, "recvmsg", 0, -1, "EIO,EINTR" },
	{ SYS_memfd_create, "memfd_create", -1, -1, "EMFILE,ENOMEM" },
	{ SYS_signalfd4, "signalfd4", -1, -1, "EMFILE,ENOMEM" },
	{ SYS_pidfd_open, "pidfd_open", -1, -1, "EMFILE" },
	{ SYS_epoll_create1, "epoll_create1", -1, -1, "EMFILE" },
	{ SYS_clone, "clone", -1, -1, "EAGAIN,ENOMEM" },
	{ SYS_clone3, "clone3", -1, -1, "EAGAIN,ENOMEM" },
	{ SYS_fork, "fork", -1, -1, "EAGAIN,ENOMEM" },
	{ SYS_vfork, "vfork", -1, -1, "EAGAIN,ENOMEM" },
	{ SYS_execve, "execve", -1, 0, "EACCES,ENOMEM" },
	{ SYS_poll, "poll", -1, -1, "EINTR,ENOMEM" },
	{ SYS_ppoll, "ppoll", -1, -1, "EINTR,ENOMEM" },
	{ SYS_wait4, "wait4", -1, -1, "EINTR" },
	{ SYS_kill, "kill", -1, -1, "EPERM" },
	{ SYS_mmap, "mmap", -1, -1, "ENOMEM" },
	{ SYS_mremap, "mremap", -1, -1, "ENOMEM" },
	{ SYS_brk, "brk", -1, -1, "ENOMEM" },
	{ SYS_finit_module, "finit_module", 0, -1, "ENOMEM" },
};

#define CALL_COUNT ARRAY_SIZE(calls)

/* What a test can make a call return. */
static const struct {
	const char *name;
	int number;
} errnos[] = {
	{ "EIO", EIO },	      { "EINTR", EINTR },   { "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC }, { "EACCES", EACCES }, { "EAGAIN", EAGAIN },
	{ "EMFILE", EMFILE }, { "ENOLCK", ENOLCK }, { "ECONNREFUSED", ECONNREFUSED },
	{ "EPIPE", EPIPE },   { "EPERM", EPERM },
};

/* One process of the run. */
struct traced {
	pid_t pid;
	unsigned number;
	bool counts, paused;
	long pending; /* what the call that it is in returns; 0: its own */
	unsigned short calls[ARRAY_SIZE(calls)];
};

struct tracer {
	struct fault *fault;
	struct traced *processes;
	size_t count;
	unsigned begun;
	pid_t first;
	int status; /* of the first */
	bool is_full;
};

static struct traced *find(struct tracer *tracer, pid_t pid)
{
	struct traced *grown;

	for (size_t i = 0; i < tracer->count; i++)
		if (tracer->processes[i].pid == pid)
			return &tracer->processes[i];
	grown = realloc(tracer->processes, (tracer->count + 1) * sizeof(*grown));
	if (!grown)
		abort();
	tracer->processes = grown;
	grown += tracer->count++;
	*grown = (struct traced){ .pid = pid, .number = ++tracer->begun };
	return grown;
}

static void forget(struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->count; i++)
		if (tracer->processes[i].pid == pid)
			tracer->processes[i] = tracer->processes[--tracer->count];
}

/* "exe", "cwd", "fd/3" */
static bool read_link(pid_t pid, const char *link, char target[PATH_MAX])
{
	char path[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, link);
	size = readlink(path, target, PATH_MAX - 1);
	target[size < 0 ? 0 : size] = '\0';
	return size > 0;
}

static void read_string(pid_t pid, unsigned long long at, char text[PATH_MAX])
{
	char path[64];
	ssize_t size = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		size = pread(fd, text, PATH_MAX - 1, (off_t)at);
	if (fd >= 0)
		close(fd);
	text[size < 0 ? 0 : size] = '\0';
}

/* What the call is of, "" where it is of nothing that has a name. */
static void name_object(pid_t pid, const struct call *call,
			const struct __ptrace_syscall_info *info, char path[PATH_MAX])
{
	int fd = call->fd_at < 0 ? AT_FDCWD : (int)info->entry.args[call->fd_at];
	char name[PATH_MAX] = "", link[32];
	size_t length;

	*path = '\0';
	if (call->fd_at < 0 && call->path_at < 0)
		return;
	if (call->path_at >= 0)
		read_string(pid, info->entry.args[call->path_at], name);
	snprintf(link, sizeof(link), "fd/%d", fd);
	if (*name != '/' || call->number == SYS_openat2)
		read_link(pid, fd == AT_FDCWD ? "cwd" : link, path);
	length = strcmp(path, "/") == 0 ? 0 : strlen(path);
	snprintf(path + length, PATH_MAX - length, "%s%.2000s", *name && *name != '/' ? "/" : "",
		 name);
}

/* After it has become another program, or has just begun as a copy. */
static void judge(const struct tracer *tracer, struct traced *process)
{
	const char *wanted = tracer->fault->program;
	char program[PATH_MAX];
	const char *slash;

	read_link(process->pid, "exe", program);
	slash = strrchr(program, '/');
	process->counts = !wanted || (slash && strncmp(slash + 1, wanted, strlen(wanted)) == 0);
}

static int number_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].number;
	return 0;
}

static void set_register(pid_t pid, size_t at, unsigned long value)
{
	(void)ptrace(PTRACE_POKEUSER, pid, (void *)at, (void *)value);
}

/* Nothing is done in the kernel, and that is what it returns. */
static void refuse(struct traced *process, int number)
{
	set_register(process->pid, offsetof(struct user_regs_struct, orig_rax), (unsigned long)-1);
	process->pending = -number;
}

static void inject(struct tracer *tracer, struct traced *process, const struct call *call,
		   const struct __ptrace_syscall_info *info)
{
	const char *how = tracer->fault->how;
	unsigned long long size = info->entry.args[2];

	if (strcmp(how, "short") == 0 || strcmp(how, "full") == 0) {
		if (size > 1)
			set_register(process->pid, offsetof(struct user_regs_struct, rdx),
				     (unsigned long)size / 2);
		tracer->is_full = *how == 'f';
	} else if (call->number == SYS_brk) {
		set_register(process->pid, offsetof(struct user_regs_struct, rdi), 0);
	} else {
		refuse(process, number_of(how));
	}
}

static const struct call *find_call(unsigned long long number)
{
	for (size_t i = 0; i < CALL_COUNT; i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* Only a copy of a descriptor takes a new one. */
static bool is_certain(const struct call *call, const struct __ptrace_syscall_info *info)
{
	unsigned long long command = info->entry.args[1];

	return call->number == SYS_fcntl && command != F_DUPFD && command != F_DUPFD_CLOEXEC;
}

static void enter(struct tracer *tracer, struct traced *process,
		  const struct __ptrace_syscall_info *info)
{
	const struct call *call = find_call(info->entry.nr);
	struct fault *fault = tracer->fault;
	char point[64], path[PATH_MAX];

	if (info->entry.nr == SYS_prctl && info->entry.args[0] == FAULT_PAUSE)
		process->paused = info->entry.args[1] != 0;
	if (!call || !process->counts || process->paused || is_certain(call, info))
		return;
	snprintf(point, sizeof(point), "%u.%s.%u", process->number, call->name,
		 ++process->calls[call - calls]);
	if (tracer->is_full && call->number == SYS_write && info->entry.args[0] > STDERR_FILENO) {
		name_object(process->pid, call, info, path);
		if (*path == '/')
			refuse(process, ENOSPC);
	}
	if (fault->list) {
		name_object(process->pid, call, info, path);
		fprintf(fault->list, "%s %s %s\n", point, call->errnos, path);
	} else if (fault->point && strcmp(fault->point, point) == 0) {
		name_object(process->pid, call, info, path);
		snprintf(fault->hit, sizeof(fault->hit), "%s of %.400s", call->name, path);
		inject(tracer, process, call, info);
	}
}

/* One stop of a process; what it goes on with, 0 or a signal. */
static int stop(struct tracer *tracer, pid_t pid, int status)
{
	struct traced *process = find(tracer, pid);
	struct __ptrace_syscall_info info = { 0 };
	int signal = WSTOPSIG(status);

	if (signal == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0)
			return 0;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			enter(tracer, process, &info);
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && process->pending != 0) {
			set_register(pid, offsetof(struct user_regs_struct, rax),
				     (unsigned long)process->pending);
			process->pending = 0;
		}
		return 0;
	}
	if (status >> 16) {
		unsigned long child;
		int event = status >> 16;

		if ((event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		     event == PTRACE_EVENT_CLONE) &&
		    ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) == 0) {
			bool paused = process->paused;
			struct traced *begun = find(tracer, (pid_t)child);

			begun->paused = paused;
			judge(tracer, begun);
		} else if (event == PTRACE_EVENT_EXEC) {
			judge(tracer, process);
		}
		return 0;
	}
	return signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

static volatile sig_atomic_t is_late;

static void note_late(int number)
{
	(void)number;
	is_late = 1;
}

static void kill_all(const struct tracer *tracer)
{
	for (size_t i = 0; i < tracer->count; i++)
		kill(tracer->processes[i].pid, SIGKILL);
}

static void trace(struct tracer *tracer)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (is_late) {
			/* one that is only left over is no fault */
			if (!ended)
				tracer->status = W_EXITCODE(124, 0);
			kill_all(tracer);
			is_late = 0;
			alarm(1);
		}
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status)) {
			int number = stop(tracer, pid, status);

			(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)number);
			continue;
		}
		if (pid == tracer->first) {
			if (WEXITSTATUS(tracer->status) != 124)
				tracer->status = status;
			ended = true;
		}
		forget(tracer, pid);
	}
}

int fault_run(struct fault *fault, int (*work)(void *context), void *context)
{
	struct tracer tracer = { .fault = fault };
	struct sigaction late = { .sa_handler = note_late };
	int status;

	*fault->hit = '\0';
	fflush(NULL);
	tracer.first = fork();
	if (tracer.first == 0) {
		raise(SIGSTOP);
		_exit(work(context));
	}
	if (tracer.first < 0 || waitpid(tracer.first, &status, WUNTRACED) != tracer.first ||
	    ptrace(PTRACE_SEIZE, tracer.first, NULL, (void *)(long)OPTIONS) < 0)
		return -1;
	is_late = 0;
	sigaction(SIGALRM, &late, NULL);
	alarm(fault->limit_s);
	judge(&tracer, find(&tracer, tracer.first));
	kill(tracer.first, SIGCONT);
	trace(&tracer);
	alarm(0);
	free(tracer.processes);
	status = tracer.status;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
