/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: what another process is waiting for. Opens no file that one could wait for. */
#include "base/blocked.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "base/text.h"

#define ARGUMENT_COUNT 6
#define NONE	       (-1)

/*
 * The system calls that wait for a file, and where they name it: the descriptor and the path's
 * argument. A path without a descriptor is relative to the working directory.
 */
static const struct file_call {
	long number;
	int fd_at, path_at;
} file_calls[] = {
	{ SYS_openat, 0, 1 },	     { SYS_openat2, 0, 1 },	    { SYS_newfstatat, 0, 1 },
	{ SYS_statx, 0, 1 },	     { SYS_faccessat, 0, 1 },	    { SYS_faccessat2, 0, 1 },
	{ SYS_readlinkat, 0, 1 },    { SYS_mkdirat, 0, 1 },	    { SYS_unlinkat, 0, 1 },
	{ SYS_fchmodat, 0, 1 },	     { SYS_renameat, 0, 1 },	    { SYS_renameat2, 0, 1 },
	{ SYS_linkat, 0, 1 },	     { SYS_symlinkat, 1, 2 },	    { SYS_statfs, NONE, 0 },
	{ SYS_chdir, NONE, 0 },
#ifdef SYS_open
	{ SYS_open, NONE, 0 },	     { SYS_stat, NONE, 0 },	    { SYS_lstat, NONE, 0 },
	{ SYS_access, NONE, 0 },     { SYS_readlink, NONE, 0 },	    { SYS_mkdir, NONE, 0 },
	{ SYS_rename, NONE, 0 },     { SYS_unlink, NONE, 0 },
#endif
	{ SYS_read, 0, NONE },	     { SYS_readv, 0, NONE },	    { SYS_pread64, 0, NONE },
	{ SYS_write, 0, NONE },	     { SYS_writev, 0, NONE },	    { SYS_pwrite64, 0, NONE },
	{ SYS_getdents64, 0, NONE }, { SYS_fstat, 0, NONE },	    { SYS_fstatfs, 0, NONE },
	{ SYS_lseek, 0, NONE },	     { SYS_fsync, 0, NONE },	    { SYS_fdatasync, 0, NONE },
	{ SYS_ftruncate, 0, NONE },  { SYS_fchmod, 0, NONE },	    { SYS_fchown, 0, NONE },
	{ SYS_flock, 0, NONE },	     { SYS_fcntl, 0, NONE },	    { SYS_ioctl, 0, NONE },
	{ SYS_close, 0, NONE },	     { SYS_finit_module, 0, NONE }, { SYS_sendto, 0, NONE },
	{ SYS_sendmsg, 0, NONE },    { SYS_recvfrom, 0, NONE },	    { SYS_recvmsg, 0, NONE },
};

/* "257 0xffffff9c 0x7fff74b52a95 0x0 0x0 0x0 0x0 0x7fff74b51350 0x7fce805ef011", or "running". */
static const struct file_call *parse_call(const char *line, uint64_t arguments[ARGUMENT_COUNT])
{
	size_t size = strcspn(line, " ");
	uint64_t number;

	if (parse_number(line, size, 10, INT_MAX, &number) < 0)
		return NULL;
	for (size_t i = 0; i < ARGUMENT_COUNT; i++) {
		line += size;
		if (!text_starts_with(line, " 0x"))
			return NULL;
		line += strlen(" 0x");
		size = strcspn(line, " \n");
		if (parse_number(line, size, 16, UINT64_MAX, &arguments[i]) < 0)
			return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(file_calls); i++)
		if ((uint64_t)file_calls[i].number == number)
			return &file_calls[i];
	return NULL;
}

/* What a descriptor of the process leads to. Asks no file system: proc_pid_fd(5). */
static bool read_link(pid_t pid, int fd, char target[PATH_MAX])
{
	char path[64];
	ssize_t size;

	if (fd == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	size = readlink(path, target, PATH_MAX - 1);
	if (size < 0)
		return false;
	target[size] = '\0';
	return true;
}

/* A string in the memory of the process: up to the end of a page, and the one after it. */
static bool read_string(pid_t pid, uint64_t at, char text[PATH_MAX])
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t first = page - (size_t)(at % page);
	struct iovec here = { text, PATH_MAX - 1 };
	struct iovec there[2];
	ssize_t size;

	if (first > PATH_MAX - 1)
		first = PATH_MAX - 1;
	/* It is an address in the other process, which is never followed here. */
	memcpy(&there[0].iov_base, &at, sizeof(there[0].iov_base));
	there[0].iov_len = first;
	there[1].iov_base = (char *)there[0].iov_base + first;
	there[1].iov_len = PATH_MAX - 1 - first;
	size = process_vm_readv(pid, &here, 1, there, 2, 0);
	if (size <= 0)
		return false;
	text[size] = '\0';
	return true;
}

/*
 * "socket:[4711]" is a netlink socket: the last column of /proc/net/netlink, netlink_native_seq_show()
 * in net/netlink/af_netlink.c. Only that the kernel answers is expected of a call: what another
 * process says may take any time.
 */
static bool is_netlink(pid_t pid, const char *target)
{
	static const char start[] = "socket:[";
	size_t size = strcspn(target, "]"), inode_size = size - strlen(start);
	char path[64], line[256];
	cleanup_fclose FILE *file = NULL;

	if (!text_starts_with(target, start))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/net/netlink", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		size_t end = strlen(line);

		while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == ' '))
			line[--end] = '\0';
		if (end > inode_size && line[end - inode_size - 1] == ' ' &&
		    memcmp(line + end - inode_size, target + strlen(start), inode_size) == 0)
			return true;
	}
	return false;
}

static void name_path(pid_t pid, const struct file_call *call, const uint64_t *arguments,
		      char path[PATH_MAX])
{
	int fd = call->fd_at == NONE ? AT_FDCWD : (int)arguments[call->fd_at];
	char name[PATH_MAX], folder[PATH_MAX];
	size_t size;

	*path = '\0';
	if (call->path_at == NONE) {
		if (!read_link(pid, fd, path))
			*path = '\0';
		if (is_netlink(pid, path))
			memcpy(path, BLOCKED_NETLINK, sizeof(BLOCKED_NETLINK));
		return;
	}
	if (!read_string(pid, arguments[call->path_at], name))
		return;
	/* The path is below the descriptor's folder: openat2(2) with RESOLVE_IN_ROOT, too. */
	if (*name == '/' && call->number != SYS_openat2) {
		memcpy(path, name, sizeof(name));
		return;
	}
	if (!read_link(pid, fd, folder))
		return;
	size = strlen(folder);
	while (size > 0 && folder[size - 1] == '/')
		folder[--size] = '\0';
	if (*name == '\0')
		snprintf(path, PATH_MAX, "%s", folder);
	else if (size + 1 + strlen(name) < PATH_MAX)
		sprintf(path, "%s/%s", folder, name + strspn(name, "/"));
}

bool blocked_read(pid_t pid, int *fd, struct blocked *ret)
{
	char path[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	if (*fd < 0)
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	size = *fd < 0 ? -1 : pread(*fd, ret->call, sizeof(ret->call) - 1, 0);
	ret->call[size < 0 ? 0 : size] = '\0';
	return size > 0 && !text_starts_with(ret->call, "running");
}

bool blocked_name(pid_t pid, struct blocked *blocked)
{
	uint64_t arguments[ARGUMENT_COUNT];
	const struct file_call *call = parse_call(blocked->call, arguments);

	if (!call)
		return false;
	/* The standard streams are those of a person, or of a program that waits for us. */
	if (call->fd_at != NONE && arguments[call->fd_at] <= STDERR_FILENO)
		return false;
	name_path(pid, call, arguments, blocked->path);
	/* "pipe:[4711]", "anon_inode:[pidfd]": not a file */
	return call->path_at != NONE || *blocked->path == '/' ||
	       strcmp(blocked->path, BLOCKED_NETLINK) == 0;
}

bool blocked_find(pid_t pid, struct blocked *ret)
{
	int fd = -1;
	bool waits = blocked_read(pid, &fd, ret);

	close_and_reset(&fd);
	return waits && blocked_name(pid, ret);
}
