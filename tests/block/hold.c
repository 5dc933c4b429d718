/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program and answers, or does not answer, what it asks of files, by the notifications of
 * seccomp(2). All of its children are asked as well, but not what they become by execve(2).
 *
 *   hold list OUT PROGRAM ARG...             writes "KIND PATH" of each access to OUT
 *   hold open|data PATH OUT PROGRAM ARG...   lets an access to PATH wait for ever, and notes "held"
 *
 * With HOLD_LOCK=FILE in the environment it then notes "locked" where a process has a lock on FILE.
 *
 * The last line of OUT is "took MILLISECONDS". An access is by name ("open": openat, stat, readlink and the like) or of what is open ("data": read,
 * write, the names in a folder). The exit status is the program's; 124 and more: it is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"

#define CANNOT 125

/* Where each names its file: the argument with the descriptor, and that with the path; -1: none. */
static const struct call {
	int number, fd_at, path_at;
} calls[] = {
	{ SYS_open, -1, 0 },	   { SYS_openat, 0, 1 },	{ SYS_openat2, 0, 1 },
	{ SYS_stat, -1, 0 },	   { SYS_lstat, -1, 0 },	{ SYS_newfstatat, 0, 1 },
	{ SYS_statx, 0, 1 },	   { SYS_access, -1, 0 },	{ SYS_faccessat, 0, 1 },
	{ SYS_faccessat2, 0, 1 },  { SYS_readlink, -1, 0 },	{ SYS_readlinkat, 0, 1 },
	{ SYS_mkdir, -1, 0 },	   { SYS_mkdirat, 0, 1 },	{ SYS_unlinkat, 0, 1 },
	{ SYS_unlink, -1, 0 },	   { SYS_rename, -1, 0 },	{ SYS_renameat, 0, 1 },
	{ SYS_renameat2, 0, 1 },   { SYS_symlinkat, 1, 2 },	{ SYS_linkat, 0, 1 },
	{ SYS_fchmodat, 0, 1 },	   { SYS_statfs, -1, 0 },	{ SYS_read, 0, -1 },
	{ SYS_pread64, 0, -1 },	   { SYS_write, 0, -1 },	{ SYS_pwrite64, 0, -1 },
	{ SYS_getdents64, 0, -1 }, { SYS_fsync, 0, -1 },	{ SYS_fdatasync, 0, -1 },
	{ SYS_ioctl, 0, -1 },	   { SYS_finit_module, 0, -1 },
};

#define CALL_COUNT (ARRAY_SIZE(calls))

static const struct call *find_call(int number)
{
	for (size_t i = 0; i < CALL_COUNT; i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* The listener, or -1. */
static int install_filter(void)
{
	struct sock_filter code[CALL_COUNT + 3];
	struct sock_fprog program = { .filter = code };

	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							   offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALL_COUNT; i++)
		code[program.len++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						     (unsigned)calls[i].number,
						     (unsigned char)(CALL_COUNT - i), 0);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static int pass_descriptor(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (fd < 0) {
		if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0)
			return -1;
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
		return fd;
	}
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return (int)sendmsg(socket, &message, 0);
}

/* "exe", "cwd", "fd/3". */
static bool read_link(int pid, const char *link, char target[PATH_MAX])
{
	char path[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, link);
	size = readlink(path, target, PATH_MAX - 1);
	target[size < 0 ? 0 : size] = '\0';
	return size > 0;
}

static bool read_string(int pid, unsigned long long at, char text[PATH_MAX])
{
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = pread(fd, text, PATH_MAX - 1, (off_t)at);
	close(fd);
	text[size < 0 ? 0 : size] = '\0';
	return size > 0;
}

/* False for what is not a file: a pipe, a terminal's streams. */
static bool name_access(const struct seccomp_notif *asked, const struct call *call,
			char path[PATH_MAX])
{
	int pid = (int)asked->pid;
	int fd = call->fd_at < 0 ? AT_FDCWD : (int)asked->data.args[call->fd_at];
	char name[PATH_MAX], folder[PATH_MAX], link[32];

	if (fd >= 0 && fd <= 2)
		return false;
	snprintf(link, sizeof(link), "fd/%d", fd);
	if (!read_link(pid, fd == AT_FDCWD ? "cwd" : link, folder) || *folder != '/')
		return false;
	if (call->path_at < 0)
		return snprintf(path, PATH_MAX, "%s", folder) > 0;
	if (!read_string(pid, asked->data.args[call->path_at], name))
		return false;
	if (*name == '/' && call->number != SYS_openat2)
		return snprintf(path, PATH_MAX, "%s", name) > 0;
	if (!*name)
		return snprintf(path, PATH_MAX, "%s", folder) > 0;
	if (strcmp(folder, "/") == 0)
		*folder = '\0';
	if (strlen(folder) + strlen(name) + 2 > PATH_MAX)
		return false;
	strcpy(path, folder);
	strcat(path, "/");
	strcat(path, name + (*name == '/'));
	return true;
}

static bool is_ours(int pid)
{
	char program[PATH_MAX];
	const char *slash;

	read_link(pid, "exe", program);
	slash = strrchr(program, '/');
	return slash && strncmp(slash, "/pve-vfio", strlen("/pve-vfio")) == 0;
}

/* flock(2) by whom ever. */
static bool is_locked(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;

	if (fd >= 0)
		close(fd);
	return locked;
}

/* One access: noted, held or let through. */
static void answer(int listener, const char *kind, const char *held, FILE *out)
{
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp answered = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	const struct call *call;
	const char *its_kind;
	char path[PATH_MAX];

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return;
	call = find_call(asked.data.nr);
	its_kind = call && call->path_at < 0 ? "data" : "open";
	if (call && is_ours((int)asked.pid) && name_access(&asked, call, path)) {
		if (!held)
			fprintf(out, "%s %s\n", its_kind, path);
		if (held && strcmp(kind, its_kind) == 0 && strcmp(held, path) == 0) {
			fputs(is_locked(getenv("HOLD_LOCK")) ? "held\nlocked\n" : "held\n", out);
			fflush(out);
			return;
		}
	}
	answered.id = asked.id;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answered);
}

/* Children that are held keep the listener busy; only the program's own end counts. */
static int attend(pid_t pid, int listener, const char *kind, const char *held, FILE *out)
{
	int program = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	struct pollfd polled[] = { { .fd = listener, .events = POLLIN },
				   { .fd = program, .events = POLLIN } };
	struct timespec began, end;

	clock_gettime(CLOCK_MONOTONIC, &began);
	while (poll(polled, 2, -1) >= 0 || errno == EINTR) {
		if (polled[0].revents & POLLIN)
			answer(listener, kind, held, out);
		else if (polled[1].revents)
			break;
	}
	waitpid(pid, &status, 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	fprintf(out, "took %ld\n",
		(end.tv_sec - began.tv_sec) * 1000 + (end.tv_nsec - began.tv_nsec) / 1000000);
	fclose(out);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	bool list = argc > 3 && strcmp(argv[1], "list") == 0;
	int at = list ? 2 : 3, ends[2], listener;
	FILE *out;
	pid_t pid;

	if (argc < at + 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return CANNOT;
	out = fopen(argv[at], "we");
	pid = fork();
	if (pid == 0) {
		listener = install_filter();
		if (listener < 0 || pass_descriptor(ends[1], listener) < 0)
			_exit(CANNOT);
		close(listener);
		execv(argv[at + 1], argv + at + 1);
		_exit(CANNOT);
	}
	close(ends[1]);
	listener = pid > 0 ? pass_descriptor(ends[0], -1) : -1;
	if (!out || listener < 0) {
		fputs("hold: the kernel gives no notifications of seccomp\n", stderr);
		return CANNOT;
	}
	return attend(pid, listener, argv[1], list ? NULL : argv[2], out);
}
