/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench: stands in for openat2(2), which valgrind does not know, in programs that are counted. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* The trees that are counted on hold relative links alone, so nothing leads out of them. */
long __wrap_syscall(long number, ...)
{
	long arguments[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_openat2) {
		const struct open_how *how = (const struct open_how *)arguments[2];
		const char *path = (const char *)arguments[1];

		while (*path == '/')
			path++;
		return openat((int)arguments[0], *path ? path : ".", (int)how->flags);
	}
	return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
			      arguments[4], arguments[5]);
}
