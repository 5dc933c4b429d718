/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether QEMU can open the files that romfile= names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check/check.h"

/* PVE puts this in front of whatever romfile= says (qemu-server, PCI.pm). */
#define ROM_FOLDER "/usr/share/kvm"

/* Why the file is of no use, or NULL. */
static const char *find_fault(const struct sysroot *root, const char *path)
{
	cleanup_close int fd = sysroot_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0)
		return strerror(-fd);
	if (fstat(fd, &status) < 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "not a regular file";
	if (status.st_size == 0)
		return "empty";
	return NULL;
}

int check_romfile(const struct check_start *start, struct findings *findings, struct error *err)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT && !start->config->is_template; i++) {
		const struct vm_hostpci *line = &start->config->hostpci[i];
		cleanup_free char *path = NULL;
		char subject[SOURCE_MAX];
		const char *fault;

		if (!line->present || !line->hostpci.romfile)
			continue;
		path = text_format("%s/%s", ROM_FOLDER, line->hostpci.romfile);
		if (!path)
			return error_set_memory(err);
		fault = find_fault(start->root, path + 1);
		snprintf(subject, sizeof(subject), "hostpci%u", i);
		if (fault &&
		    finding_add(findings, CHECK_ROMFILE, subject,
				"QEMU cannot use the option ROM '%s': %s.", path, fault) < 0)
			return error_set_memory(err);
	}
	return 0;
}
