/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: containers. Enters none. */
#include "use/container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "use/child.h"
#include "use/node.h"

#define CONFIG_FOLDER "etc/pve/lxc"
#define CONFIG_SUFFIX ".conf"
#define CONFIG_MAX    ((size_t)1024 * 1024)
#define SOCKETS_MAX   ((size_t)64 * 1024 * 1024)
#define NVIDIA_MAJOR  195

/* One node of the device: "c", "226:128", "/dev/dri/renderD128". */
struct node {
	const char *type;
	char *number;
	char *path;
};

struct nodes {
	struct node *items;
	size_t count;
};

static void nodes_done(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++) {
		free(nodes->items[i].number);
		free(nodes->items[i].path);
	}
	free(nodes->items);
}

/* Takes both strings over; NULL is lack of memory. */
static int add_node(struct nodes *nodes, const char *type, char *number, char *path)
{
	if (!number || !path || array_reserve(&nodes->items, nodes->count, sizeof(*nodes->items))) {
		free(number);
		free(path);
		return -ENOMEM;
	}
	nodes->items[nodes->count++] = (struct node){ type, number, path };
	return 0;
}

/* `folder` has a link for each device number, to the device's folder. */
static int add_nodes(const struct sysroot *root, const char *address, const char *folder,
		     const char *type, struct nodes *nodes)
{
	cleanup_strings struct strings numbers = { 0 };
	int r = child_list(root, folder, address, &numbers);

	for (size_t i = 0; r == 0 && i < numbers.count; i++) {
		cleanup_free char *node = NULL;
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", folder, numbers.items[i]);
		r = child_node(root, path, &node);
		if (r == 0)
			r = add_node(nodes, type, strdup(numbers.items[i]),
				     text_format("/%s", node));
		else if (r == -ENOENT)
			r = 0;
	}
	return r;
}

static int add_nvidia(const struct sysroot *root, const char *address, struct nodes *nodes)
{
	unsigned minor;
	int r = nodes_nvidia_minor(root, address, &minor);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return add_node(nodes, "c", text_format("%d:%u", NVIDIA_MAJOR, minor),
			text_format("/dev/nvidia%u", minor));
}

static int read_nodes(const struct sysroot *root, const char *address, struct nodes *nodes)
{
	int r = add_nodes(root, address, "sys/dev/char", "c", nodes);

	if (r == 0)
		r = add_nodes(root, address, "sys/dev/block", "b", nodes);
	return r < 0 ? r : add_nvidia(root, address, nodes);
}

enum match { MATCH_NONE, MATCH_WIDE, MATCH_EXACT };

/* The node itself, or a folder it lies in. */
static enum match match_path(const struct nodes *nodes, const char *path)
{
	size_t length = strlen(path);
	enum match match = MATCH_NONE;

	for (size_t i = 0; i < nodes->count; i++) {
		if (strcmp(nodes->items[i].path, path) == 0)
			return MATCH_EXACT;
		if (length > strlen("/dev") && text_starts_with(nodes->items[i].path, path) &&
		    nodes->items[i].path[length] == '/')
			match = MATCH_WIDE;
	}
	return match;
}

/* "/dev/dri/renderD128,gid=104", or with path= in front of the path, in any place. */
static enum match match_device(const struct nodes *nodes, char *value)
{
	char *rest = value, *part;

	while ((part = strsep(&rest, ","))) {
		if (text_starts_with(part, "path="))
			part += strlen("path=");
		else if (strchr(part, '='))
			continue;
		return match_path(nodes, part);
	}
	return MATCH_NONE;
}

/* "c 226:128 rwm", "c 226:* rwm"; "a", for every device, is no sign of this one. */
static enum match match_allow(const struct nodes *nodes, char *value)
{
	char *rest = value;
	const char *type = strtok_r(rest, " \t", &rest);
	const char *number = strtok_r(NULL, " \t", &rest);
	size_t major = number ? strcspn(number, ":") + 1 : 0;

	for (size_t i = 0; number && i < nodes->count; i++) {
		const struct node *node = &nodes->items[i];

		if (strcmp(type, node->type) != 0)
			continue;
		if (strcmp(number, node->number) == 0)
			return MATCH_EXACT;
		if (strncmp(number, node->number, major) == 0 && strcmp(number + major, "*") == 0)
			return MATCH_WIDE;
	}
	return MATCH_NONE;
}

/* "/dev/dri dev/dri none bind,optional,create=dir" */
static enum match match_mount(const struct nodes *nodes, char *value)
{
	value[strcspn(value, " \t")] = '\0';
	return match_path(nodes, value);
}

/* "devN: …" and "lxc.…: …" or "lxc.…= …": parse_pct_config() in PVE::LXC::Config. */
static enum match match_line(const struct nodes *nodes, char *line)
{
	char *value = line + strcspn(line, ":=");
	size_t digits;

	if (!*value)
		return MATCH_NONE;
	*value++ = '\0';
	line[strcspn(line, " \t")] = '\0';
	value += strspn(value, " \t");
	digits = text_starts_with(line, "dev") ? strspn(line + 3, "0123456789") : 0;
	if (digits > 0 && !line[3 + digits])
		return match_device(nodes, value);
	if (strcmp(line, "lxc.cgroup2.devices.allow") == 0 ||
	    strcmp(line, "lxc.cgroup.devices.allow") == 0)
		return match_allow(nodes, value);
	if (strcmp(line, "lxc.mount.entry") == 0)
		return match_mount(nodes, value);
	return MATCH_NONE;
}

/* The strongest line of a configuration; *ret_line is NULL when there is none. */
static int match_config(const struct nodes *nodes, char *config, bool *ret_exact, char **ret_line)
{
	cleanup_free char *best = NULL;
	enum match strongest = MATCH_NONE;
	char *rest = config, *line;

	while (strongest != MATCH_EXACT && (line = strsep(&rest, "\r\n")) && *line != '[') {
		cleanup_free char *copy = strdup(line);
		enum match match;

		if (!copy)
			return -ENOMEM;
		match = match_line(nodes, copy);
		if (match <= strongest)
			continue;
		strongest = match;
		free(best);
		best = strdup(line);
		if (!best)
			return -ENOMEM;
	}
	*ret_exact = strongest == MATCH_EXACT;
	*ret_line = TAKE_PTR(best);
	return 0;
}

/* A line of /proc/net/unix ends with "@/var/lib/lxc/VMID/command". */
static int find_running(const struct sysroot *root, uint32_t vmid, bool *ret_running)
{
	cleanup_free char *sockets = NULL;
	char name[64];
	size_t size;
	int r;

	r = sysroot_read(root, "proc/net/unix", SOCKETS_MAX, &sockets, &size);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), " @/var/lib/lxc/%u/command\n", vmid);
	*ret_running = strstr(sockets, name);
	return 0;
}

static int look_at_container(const struct sysroot *root, const struct nodes *nodes,
			     const char *file, struct container_uses *uses)
{
	struct container_use use = { 0 };
	cleanup_free char *config = NULL;
	char path[SYSROOT_PATH_MAX];
	uint64_t vmid;
	size_t size;
	int r;

	size = strcspn(file, ".");
	if (strcmp(file + size, CONFIG_SUFFIX) != 0 ||
	    parse_number(file, size, 10, UINT32_MAX, &vmid) < 0)
		return 0;
	use.vmid = (uint32_t)vmid;
	snprintf(path, sizeof(path), CONFIG_FOLDER "/%s", file);
	r = sysroot_read(root, path, CONFIG_MAX, &config, &size);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = match_config(nodes, config, &use.exact, &use.line);
	if (r < 0 || !use.line)
		return r;
	r = find_running(root, use.vmid, &use.running);
	if (r == 0)
		r = array_reserve(&uses->items, uses->count, sizeof(use));
	if (r < 0) {
		free(use.line);
		return r;
	}
	uses->items[uses->count++] = use;
	return 0;
}

static int look_at_all(const struct sysroot *root, const struct nodes *nodes,
		       struct container_uses *uses)
{
	cleanup_strings struct strings files = { 0 };
	int r = sysroot_list(root, CONFIG_FOLDER, &files);

	if (r == -ENOENT)
		return 0;
	for (size_t i = 0; r == 0 && i < files.count; i++)
		r = look_at_container(root, nodes, files.items[i], uses);
	return r;
}

int container_uses_find(const struct sysroot *root, const char *address, struct container_uses *ret,
			struct error *err)
{
	cleanup_container_uses struct container_uses uses = { 0 };
	cleanup(nodes_done) struct nodes nodes = { 0 };
	int r = read_nodes(root, address, &nodes);

	if (r == 0 && nodes.count > 0)
		r = look_at_all(root, &nodes, &uses);
	if (r < 0)
		return error_set(err, r, "cannot read the containers in /%s: %s", CONFIG_FOLDER,
				 strerror(-r));
	*ret = uses;
	uses = (struct container_uses){ 0 };
	return 0;
}

void container_uses_done(struct container_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		free(uses->items[i].line);
	free(uses->items);
	*uses = (struct container_uses){ 0 };
}
