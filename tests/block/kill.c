/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program and kills whoever of it and its children makes the Nth system call of those that
 * change something: files, processes, locks. What is left is traced no more.
 *
 *   kill 0 OUT PROGRAM ARG...   kills nobody, and notes how many calls there are
 *   kill N OUT PROGRAM ARG...   notes what is killed: "write of pve-vfio-hook"
 *
 * With KILL_CALLS=all in the environment each call of any kind counts. Ends with the last of its children,
 * or with the kill. The exit status is 0, or 125: it cannot.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"

#define CANNOT 125
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

static const struct {
	unsigned number;
	const char *name;
} calls[] = {
	{ SYS_write, "write" },	    { SYS_sendto, "sendto" },
	{ SYS_unlink, "unlink" },   { SYS_unlinkat, "unlinkat" },
	{ SYS_rename, "rename" },   { SYS_renameat, "renameat" },
	{ SYS_mkdir, "mkdir" },	    { SYS_mkdirat, "mkdirat" },
	{ SYS_fsync, "fsync" },	    { SYS_flock, "flock" },
	{ SYS_fcntl, "fcntl" },	    { SYS_clone, "clone" },
	{ SYS_vfork, "vfork" },	    { SYS_execve, "execve" },
	{ SYS_kill, "kill" },	    { SYS_wait4, "wait4" },
	{ SYS_openat, "openat" },   { SYS_ftruncate, "ftruncate" },
	{ SYS_connect, "connect" }, { SYS_exit_group, "exit_group" },
};

static const char *name_of(unsigned long long number)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].number == number)
			return calls[i].name;
	return NULL;
}

/* At the entry of a call that counts: its name. */
static const char *entered(pid_t pid, bool all)
{
	static char other[32];
	struct __ptrace_syscall_info info;
	const char *name;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return NULL;
	name = name_of(info.entry.nr);
	if (name || !all)
		return name;
	snprintf(other, sizeof(other), "call %llu", (unsigned long long)info.entry.nr);
	return other;
}

static void note(FILE *out, pid_t pid, const char *name)
{
	char path[64], command[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(command, sizeof(command), file))
			*command = '\0';
		fclose(file);
	}
	command[strcspn(command, "\n")] = '\0';
	fprintf(out, "%s of %s\n", name, command);
}

/* What a stop goes on with: the signal that it is for, but not those of tracing itself. */
static int signal_of(int status, bool *is_call)
{
	int signal = WSTOPSIG(status);

	*is_call = signal == (SIGTRAP | 0x80);
	return *is_call || signal == SIGTRAP || status >> 16 || signal == SIGSTOP ? 0 : signal;
}

/* Returns how many calls were counted. */
static unsigned long trace(unsigned long kill_at, FILE *out)
{
	const char *kind = getenv("KILL_CALLS");
	bool all = kind && strcmp(kind, "all") == 0;
	unsigned long count = 0;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		const char *name = NULL;
		bool is_call = false;
		int signal;

		if (pid < 0 || !WIFSTOPPED(status))
			continue;
		signal = signal_of(status, &is_call);
		if (is_call)
			name = entered(pid, all);
		if (name && ++count == kill_at) {
			note(out, pid, name);
			kill(pid, SIGKILL);
			return count;
		}
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal);
	}
	return count;
}

int main(int argc, char *argv[])
{
	unsigned long kill_at, count;
	int status;
	FILE *out;
	pid_t pid;

	if (argc < 4 || !(out = fopen(argv[2], "we")))
		return CANNOT;
	kill_at = strtoul(argv[1], NULL, 10);
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(CANNOT);
	}
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) != pid ||
	    ptrace(PTRACE_SEIZE, pid, NULL, (void *)(long)OPTIONS) < 0 || kill(pid, SIGCONT) < 0)
		return CANNOT;
	/* it is in a stop of its own, from which it goes on without us */
	count = trace(kill_at, out);
	if (kill_at == 0)
		fprintf(out, "%lu\n", count);
	return fclose(out) == 0 ? 0 : CANNOT;
}
