/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program to which the kernel refuses (ENOSYS) what an older one does not have, or a filter of
 * seccomp(2) does not allow: openat2, pidfd_open, close_range.
 *
 *   refuse PROGRAM ARG...
 *
 * The exit status is the program's; 125: it is not.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"

#define CANNOT 125

int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (argc < 2) {
		fputs("usage: refuse PROGRAM ARG...\n", stderr);
		return CANNOT;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("refuse: the kernel takes no filter");
		return CANNOT;
	}
	if (syscall(SYS_pidfd_open, getpid(), 0) >= 0 || errno != ENOSYS) {
		fputs("refuse: nothing is refused\n", stderr);
		return CANNOT;
	}
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return CANNOT;
}
