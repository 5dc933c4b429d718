/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether QEMU can open the files that romfile= names. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check/check.h"
#include "check/remedy.h"

/* PVE puts this in front of whatever romfile= says (qemu-server, PCI.pm). */
#define ROM_FOLDER "/usr/share/kvm"

/* Why the file is of no use, or NULL. */
static const char *find_fault(const struct sysroot *root, const char *path)
{
	cleanup_close int fd = sysroot_open_file(root, path);
	struct stat status;

	if (fd == -EINVAL)
		return "not a regular file";
	if (fd < 0)
		return strerror(-fd);
	if (fstat(fd, &status) < 0)
		return strerror(errno);
	if (status.st_size == 0)
		return "empty";
	return NULL;
}

static bool leaves_folder(const char *name)
{
	return strncmp(name, "../", 3) == 0 || strstr(name, "/../");
}

static int add_fault(struct findings *findings, const char *source, const char *path,
		     const char *fault)
{
	return finding_add(findings, CHECK_ROMFILE, source,
			   "QEMU cannot use the option ROM '%s': %s.", path, fault);
}

/* A comment after the value is a part of the name to Proxmox VE. */
static int advise(const struct start *start, const char *name, const char *source,
		  struct findings *findings)
{
	cleanup_free char *without = remedy_line(start, source, "romfile", NULL, NULL);
	cleanup_free char *key = NULL, *command = NULL;
	size_t size = strcspn(name, "#");

	if (!without)
		return -ENOMEM;
	if (!name[size])
		return finding_advise(findings,
				      "Put the file there ('pve-vfio rom install' does, and checks "
				      "it), or take it out of the line: '%s'.",
				      without);
	while (size > 0 && strchr(" \t", name[size - 1]))
		size--;
	key = text_format("romfile=%.*s", (int)size, name);
	command = key ? remedy_line(start, source, "romfile", NULL, key) : NULL;
	return command ? finding_advise(
				 findings,
				 "What comes after the name is a part of it to Proxmox VE: a "
				 "line has no comment. '%s'.",
				 command)
		       : -ENOMEM;
}

static int check_hostpci(const struct start *start, const char *name, const char *source,
			 struct findings *findings)
{
	cleanup_free char *path = text_format("%s/%s", ROM_FOLDER, name);
	const char *fault = path ? find_fault(start->root, path + 1) : NULL;

	if (!path)
		return -ENOMEM;
	if (fault)
		return add_fault(findings, source, path, fault) < 0
			       ? -ENOMEM
			       : advise(start, name, source, findings);
	if (!leaves_folder(name))
		return 0;
	if (finding_add(findings, CHECK_ROMFILE_OUTSIDE, source, "Proxmox VE reads it as '%s'.",
			path) < 0)
		return -ENOMEM;
	return finding_advise(findings, "'pve-vfio rom install %s --vmid %u --hostpci %s'.", path,
			      start->vmid, source + strlen("hostpci"));
}

/* QEMU takes the name as it is, relative to /, and else looks in its data folder. */
static int check_args(const struct start *start, const char *name, struct findings *findings)
{
	cleanup_free char *inside = text_format("%s/%s", ROM_FOLDER, name);
	const char *direct = find_fault(start->root, name[0] == '/' ? name + 1 : name);
	const char *fault = NULL;

	if (!inside)
		return -ENOMEM;
	if (direct)
		fault = find_fault(start->root, inside + 1);
	return fault ? add_fault(findings, SOURCE_ARGS, name, direct) : 0;
}

int check_romfile(const struct start *start, struct findings *findings, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && !start->config.is_template && r == 0; i++) {
		const struct vm_hostpci *line = &start->config.hostpci[i];
		char source[SOURCE_MAX];

		if (!line->present || !line->hostpci.romfile)
			continue;
		snprintf(source, sizeof(source), "hostpci%u", i);
		r = check_hostpci(start, line->hostpci.romfile, source, findings);
	}
	for (size_t i = 0; i < start->wanted.args.count && r == 0; i++)
		if (start->wanted.args.devices[i].romfile)
			r = check_args(start, start->wanted.args.devices[i].romfile, findings);
	return r < 0 ? error_set_memory(err) : 0;
}
