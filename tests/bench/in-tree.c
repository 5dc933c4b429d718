/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench: replaces openat2(2), which valgrind does not support, and plays a kernel that moves devices from
 * driver to driver, in programs whose calls are counted. Its truncate(2), unlink(2) and symlink(2) are not
 * counted: the programs make none of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/sysroot.h"

#define DEVICES "sys/bus/pci/devices/"

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_sysroot_open(const char *path, struct sysroot *ret, struct error *err);
int __wrap_sysroot_open(const char *path, struct sysroot *ret, struct error *err);

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

static void link_of(const struct sysroot *root, const char *address, char link[512])
{
	snprintf(link, 512, "%s/" DEVICES "%s/driver", root->path, address);
}

/* A lane moves one device after another: the override that it wrote last is that of the next probe. */
static char override[64];

static int play_write(const struct sysroot *root, const char *path, const char *value)
{
	char whole[512], driver[128];
	const char *name = strrchr(path, '/') + 1;
	struct sysroot plain = *root;
	int r;

	plain.fake_write = NULL;
	r = sysroot_write_attribute(&plain, path, value);
	if (r < 0)
		return r;
	snprintf(whole, sizeof(whole), "%s/%s", root->path, path);
	if (strcmp(name, "driver_override") == 0) {
		snprintf(override, sizeof(override), "%s", value);
		(void)!truncate(whole, (off_t)strlen(value));
		if (strcmp(value, "\n") == 0)
			r = sysroot_write_attribute(&plain, path, "(null)");
	} else if (strcmp(name, "unbind") == 0) {
		link_of(root, value, whole);
		(void)unlink(whole);
	} else if (strcmp(name, "drivers_probe") == 0) {
		link_of(root, value, whole);
		snprintf(driver, sizeof(driver), "../../../bus/pci/drivers/%s", override);
		(void)!symlink(driver, whole);
	}
	return r;
}

/* A lane lets a stand-in for the kernel have the tree: change/reach.h. */
int __wrap_sysroot_open(const char *path, struct sysroot *ret, struct error *err)
{
	int r = __real_sysroot_open(path, ret, err);

	if (r == 0 && !ret->live)
		ret->fake_write = play_write;
	return r;
}
