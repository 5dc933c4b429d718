/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: processes that have device nodes open. Signals nobody. */
#include "use/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

static int add_opener(const struct sysroot *root, pid_t pid, const char *node,
		      struct openers *openers)
{
	struct opener opener = { .pid = pid };
	cleanup_free char *command = NULL;
	char path[SYSROOT_PATH_MAX];

	for (size_t i = 0; i < openers->count; i++)
		if (openers->items[i].pid == pid && strcmp(openers->items[i].node, node) == 0)
			return 0;
	if (array_reserve(&openers->items, openers->count, sizeof(opener)) < 0)
		return -ENOMEM;
	opener.node = strdup(node);
	if (!opener.node)
		return -ENOMEM;
	snprintf(path, sizeof(path), "proc/%d/comm", (int)pid);
	if (sysroot_read_attribute(root, path, &command) == 0)
		snprintf(opener.command, sizeof(opener.command), "%s", command);
	openers->items[openers->count++] = opener;
	return 0;
}

static int look_at_process(const struct sysroot *root, pid_t pid, const struct strings *nodes,
			   struct openers *openers)
{
	cleanup_strings struct strings names = { 0 };
	cleanup_close int fds = -1;
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "proc/%d/fd", (int)pid);
	r = sysroot_list(root, path, &names);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	if (r < 0)
		return r;
	fds = sysroot_openat(root, path, O_PATH | O_DIRECTORY);

	for (size_t i = 0; fds >= 0 && r == 0 && i < names.count; i++) {
		char target[PATH_MAX];
		ssize_t size = readlinkat(fds, names.items[i], target, sizeof(target) - 1);

		if (size < 0)
			continue;
		target[size] = '\0';
		if (text_starts_with(target, "/dev/") && strings_has(nodes, target))
			r = add_opener(root, pid, target, openers);
	}
	return r;
}

int openers_find(const struct sysroot *root, const struct strings *nodes, struct openers *ret,
		 struct error *err)
{
	cleanup_openers struct openers openers = { 0 };
	cleanup_strings struct strings names = { 0 };
	int r;

	r = sysroot_list(root, "proc", &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		uint32_t pid;

		if (parse_u32(names.items[i], &pid) == 0 && pid <= INT_MAX)
			r = look_at_process(root, (pid_t)pid, nodes, &openers);
	}
	if (r < 0)
		return error_set(err, r, "cannot read which files the processes have open: %s",
				 strerror(-r));
	*ret = openers;
	openers = (struct openers){ 0 };
	return 0;
}

void opener_done(struct opener *opener)
{
	free(opener->node);
	*opener = (struct opener){ 0 };
}

void openers_done(struct openers *openers)
{
	for (size_t i = 0; i < openers->count; i++)
		opener_done(&openers->items[i]);
	free(openers->items);
	*openers = (struct openers){ 0 };
}
