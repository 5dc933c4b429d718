/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: words on a process that is stuck. Signals nobody. */
#include "change/stuck.h"

#include <stdio.h>
#include <string.h>

#include "use/holder.h"
#include "use/opener.h"

/* The innermost functions tell the driver; further out it is always the same way into it. */
#define CALLERS_MAX 3

/* A line of /proc/PID/stack, "[<0>] rigpci_remove+0x3e/0x60 [rigpci]": the function's name. */
static char *function_of(char *line)
{
	char *name = strstr(line, "] ");

	if (!name)
		return NULL;
	name += 2;
	name[strcspn(name, "+ ")] = '\0';
	return *name ? name : NULL;
}

static bool add_stack(struct text *text, const struct sysroot *root, pid_t pid)
{
	cleanup_free char *stack = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;
	size_t count = 0;

	snprintf(path, sizeof(path), "proc/%d/stack", (int)pid);
	if (sysroot_read_attribute(root, path, &stack) < 0)
		return false;
	rest = stack;
	while (count <= CALLERS_MAX && (line = strsep(&rest, "\n"))) {
		const char *function = function_of(line);

		if (function)
			text_add(text, "%s%s",
				 count == 0   ? " in "
				 : count == 1 ? ", called by "
					      : ", ",
				 function);
		count += function != NULL;
	}
	return count > 0;
}

static void add_wchan(struct text *text, const struct sysroot *root, pid_t pid)
{
	cleanup_free char *wchan = NULL;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "proc/%d/wchan", (int)pid);
	if (sysroot_read_attribute(root, path, &wchan) == 0 && strcmp(wchan, "0") != 0)
		text_add(text, " in %s", wchan);
}

static void add_openers(struct text *text, const struct sysroot *root, const struct action *action)
{
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup_openings struct openings openings = { 0 };
	cleanup_nodes struct device_nodes nodes = { 0 };
	struct pci_address address;

	if (!action_address(action, &address) ||
	    pci_device_read(root, address, &device, NULL) < 0 ||
	    nodes_find(root, &device, &nodes, NULL) < 0 || nodes.count == 0)
		return;
	openings_read(root, &openings);
	for (size_t i = 0; i < openings.count; i++) {
		const struct opening *opening = &openings.items[i];
		cleanup_holder struct holder holder = { 0 };
		cleanup_free char *words = NULL;
		size_t k = 0;

		while (k < nodes.count && !node_is(&nodes.items[k], &opening->id, opening->path))
			k++;
		if (k == nodes.count || holder_read(root, opening->pid, &holder) < 0)
			continue;
		words = holder_words(&holder);
		text_add(text, "; %s has %s open", words ? words : "", opening->path);
	}
}

char *stuck_words(const struct sysroot *root, pid_t pid, const struct action *action)
{
	struct text text = { 0 };

	text_add(&text, "process %d is stuck in the kernel", (int)pid);
	if (!add_stack(&text, root, pid))
		add_wchan(&text, root, pid);
	add_openers(&text, root, action);
	return text_take(&text);
}
