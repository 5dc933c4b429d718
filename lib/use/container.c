/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: containers. Enters none. */
#include "use/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

#define CONFIG_FOLDER "etc/pve/lxc"
#define CONFIG_SUFFIX ".conf"
#define CONFIG_MAX    ((size_t)1024 * 1024)
#define SOCKETS_MAX   ((size_t)64 * 1024 * 1024)

#define DEV_FOLDER    "/dev/"

/* Folders of /dev that are given have at most so many folders in each other: bus/usb/003. */
#define DEPTH_MAX 4

/* What a line is for a node. */
enum match {
	MATCH_NONE,
	MATCH_SIGN, /* it may give it */
	MATCH_KIND, /* it gives all of its kind, unless other lines say which */
	MATCH_GIVES,
};

/* A node of another device that a line gives: the kind of it is what counts. */
struct place {
	struct node_id id;
	char *path;
};

/* One container's configuration, while it is compared with the nodes of one function. */
struct comparing {
	const struct sysroot *root;
	const struct device_nodes *nodes;
	const char *address;
	const struct device_node *kind; /* of MATCH_KIND: the node */
	struct place *places;
	size_t place_count;
};

static void comparing_done(struct comparing *comparing)
{
	for (size_t i = 0; i < comparing->place_count; i++)
		free(comparing->places[i].path);
	free(comparing->places);
}

static bool is_own(const struct comparing *comparing, const struct device_node *node)
{
	return node->kind == NODE_OWN && strcmp(node->address, comparing->address) == 0;
}

static const struct device_node *find_node(const struct comparing *comparing,
					   const struct node_id *id, const char *path)
{
	for (size_t i = 0; i < comparing->nodes->count; i++) {
		const struct device_node *node = &comparing->nodes->items[i];

		if (is_own(comparing, node) && node_is(node, id, path))
			return node;
	}
	return NULL;
}

/* Takes the path over. */
static int add_place(struct comparing *comparing, const struct node_id *id, char *path)
{
	if (array_reserve(&comparing->places, comparing->place_count, sizeof(struct place)) < 0) {
		free(path);
		return -ENOMEM;
	}
	comparing->places[comparing->place_count++] = (struct place){ *id, path };
	return 0;
}

static int look_into(struct comparing *comparing, const char *folder, unsigned depth,
		     enum match *match);

/* `path` is without its leading slash. What is not there is given to nobody. */
static int look_at_path(struct comparing *comparing, const char *path, unsigned depth,
			enum match *match)
{
	cleanup_free char *full = NULL;
	struct node_id id;

	if (node_look(comparing->root, path, &id, &full) < 0)
		return 0;
	if (find_node(comparing, &id, full)) {
		*match = MATCH_GIVES;
		return 0;
	}
	if (!id.type && text_starts_with(full, DEV_FOLDER)) {
		int r = look_into(comparing, full + 1, depth, match);

		if (r != -ENOTDIR && r != -ENOENT)
			return r;
	}
	return add_place(comparing, &id, TAKE_PTR(full));
}

/* The nodes in a folder below /dev. Its links lead somewhere else in the container. */
static int look_into(struct comparing *comparing, const char *folder, unsigned depth,
		     enum match *match)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(comparing->root, folder, &names);

	for (size_t i = 0; i < names.count && r == 0 && *match < MATCH_GIVES; i++) {
		cleanup_free char *path = text_format("%s/%s", folder, names.items[i]);
		cleanup_close int link = -1;
		char target[2];

		if (!path)
			return -ENOMEM;
		link = sysroot_openat(comparing->root, path, O_PATH | O_NOFOLLOW);
		if (depth < DEPTH_MAX && link >= 0 &&
		    readlinkat(link, "", target, sizeof(target)) < 0)
			r = look_at_path(comparing, path, depth + 1, match);
	}
	return r;
}

/* A folder above a node whose path is known, as in a tree. */
static bool has_node_below(const struct comparing *comparing, const char *folder)
{
	size_t length = strlen(folder);

	while (length > 1 && folder[length - 1] == '/')
		length--;
	for (size_t i = 0; i < comparing->nodes->count; i++) {
		const struct device_node *node = &comparing->nodes->items[i];

		if (is_own(comparing, node) && strncmp(node->path, folder, length) == 0 &&
		    node->path[length] == '/')
			return true;
	}
	return false;
}

/* A path that is given to a container. Of what is not in /dev only a node itself counts. */
static int compare_path(struct comparing *comparing, const char *path, bool folders,
			enum match *match)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (*path != '/')
		return 0;
	if (length == strlen("/dev") && text_starts_with(path, "/dev")) {
		if (folders)
			*match = MATCH_SIGN;
		return 0;
	}
	if (folders && text_starts_with(path, DEV_FOLDER) && has_node_below(comparing, path)) {
		*match = MATCH_GIVES;
		return 0;
	}
	return look_at_path(comparing, path + 1, 0, match);
}

/* "/dev/dri/renderD128,gid=104", or with `key` in front of the path, in any place. */
static const char *find_path(char *value, const char *key)
{
	char *rest = value, *part;

	while ((part = strsep(&rest, ","))) {
		if (text_starts_with(part, key))
			return part + strlen(key);
		if (!strchr(part, '='))
			return part;
	}
	return "";
}

static bool rule_has(const char *rule, size_t size, unsigned number)
{
	uint64_t value;

	if (size == 1 && *rule == '*')
		return true;
	return parse_number(rule, size, 10, UINT32_MAX, &value) == 0 && value == number;
}

/* "c 226:128 rwm", "c 226:* rwm", "a": the kernel's device cgroup, which LXC writes it to. */
static void compare_rule(struct comparing *comparing, char *value, enum match *match)
{
	char *rest = value;
	const char *type = strtok_r(rest, " \t", &rest);
	const char *number = strtok_r(NULL, " \t", &rest);
	const char *access = strtok_r(NULL, " \t", &rest);
	size_t major;

	if (!type || (access && !strpbrk(access, "rw")))
		return;
	if (strcmp(type, "a") == 0 || (number && strcmp(number, "*:*") == 0)) {
		*match = MATCH_SIGN;
		return;
	}
	if (!number)
		return;
	major = strcspn(number, ":");
	for (size_t i = 0; number[major] && i < comparing->nodes->count; i++) {
		const struct device_node *node = &comparing->nodes->items[i];
		const struct node_id *id = &node->id;
		const char *minor = number + major + 1;

		if (!is_own(comparing, node) || id->type != *type || type[1] ||
		    !rule_has(number, major, id->major) ||
		    !rule_has(minor, strlen(minor), id->minor))
			continue;
		if (*number != '*' && *minor != '*') {
			*match = MATCH_GIVES;
			return;
		}
		*match = MATCH_KIND;
		comparing->kind = node;
	}
}

static bool is_number_key(const char *line, const char *key)
{
	size_t size = strlen(key), digits;

	if (!text_starts_with(line, key))
		return false;
	digits = strspn(line + size, "0123456789");
	return digits > 0 && !line[size + digits];
}

/* "devN: …" and "lxc.…: …" or "lxc.…= …": parse_pct_config() in PVE::LXC::Config. */
static int compare_line(struct comparing *comparing, char *line, enum match *match)
{
	char *value = line + strcspn(line, ":=");

	*match = MATCH_NONE;
	if (!*value)
		return 0;
	*value++ = '\0';
	line[strcspn(line, " \t")] = '\0';
	value += strspn(value, " \t");
	if (is_number_key(line, "dev"))
		return compare_path(comparing, find_path(value, "path="), false, match);
	if (is_number_key(line, "mp")) {
		const char *path = find_path(value, "volume=");

		return text_starts_with(path, "/dev") ? compare_path(comparing, path, true, match)
						      : 0;
	}
	if (strcmp(line, "lxc.cgroup2.devices.allow") == 0 ||
	    strcmp(line, "lxc.cgroup.devices.allow") == 0)
		compare_rule(comparing, value, match);
	if (strcmp(line, "lxc.mount.entry") == 0) {
		bool is_file = strstr(value, "create=file");

		value[strcspn(value, " \t")] = '\0';
		if (is_file || text_starts_with(value, "/dev"))
			return compare_path(comparing, value, true, match);
	}
	return 0;
}

/* By number, or in a tree by the folder that both are in. */
static bool is_of_kind(const struct place *place, const struct device_node *node)
{
	const char *slash = strrchr(place->path, '/');
	size_t size = slash ? (size_t)(slash - place->path) + 1 : 0;

	if (place->id.type && node->id.type)
		return place->id.type == node->id.type && place->id.major == node->id.major;
	return size > strlen(DEV_FOLDER) && strncmp(place->path, node->path, size) == 0;
}

/* The strongest line of a configuration; *ret_line is NULL when there is none. */
static int compare_config(struct comparing *comparing, char *config, bool *ret_gives,
			  char **ret_line)
{
	cleanup_free char *best = NULL;
	enum match strongest = MATCH_NONE;
	char *rest = config, *line;

	while (strongest != MATCH_GIVES && (line = strsep(&rest, "\r\n")) && *line != '[') {
		cleanup_free char *copy = strdup(line);
		enum match match;

		if (!copy || compare_line(comparing, copy, &match) == -ENOMEM)
			return -ENOMEM;
		if (match <= strongest)
			continue;
		strongest = match;
		free(best);
		best = strdup(line);
		if (!best)
			return -ENOMEM;
	}
	for (size_t i = 0; strongest == MATCH_KIND && i < comparing->place_count; i++)
		if (is_of_kind(&comparing->places[i], comparing->kind))
			strongest = MATCH_SIGN;
	*ret_gives = strongest > MATCH_SIGN;
	*ret_line = TAKE_PTR(best);
	return 0;
}

/* A line of /proc/net/unix ends with "@/var/lib/lxc/VMID/command". */
int container_is_running(const struct sysroot *root, uint32_t vmid, bool *ret)
{
	cleanup_free char *sockets = NULL;
	char name[64];
	size_t size;
	int r;

	r = sysroot_read(root, "proc/net/unix", SOCKETS_MAX, &sockets, &size);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), " @/var/lib/lxc/%u/command\n", vmid);
	*ret = strstr(sockets, name);
	return 0;
}

static int look_at_container(const struct sysroot *root, const struct device_nodes *nodes,
			     const char *address, const char *file, struct container_uses *uses)
{
	cleanup(comparing_done) struct comparing comparing = {
		root, nodes, address, NULL, NULL, 0
	};
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
	r = compare_config(&comparing, config, &use.gives, &use.line);
	if (r < 0 || !use.line)
		return r;
	r = container_is_running(root, use.vmid, &use.running);
	if (r == 0)
		r = array_reserve(&uses->items, uses->count, sizeof(use));
	if (r < 0) {
		free(use.line);
		return r;
	}
	uses->items[uses->count++] = use;
	return 0;
}

static bool has_own(const struct device_nodes *nodes, const char *address)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (nodes->items[i].kind == NODE_OWN &&
		    strcmp(nodes->items[i].address, address) == 0)
			return true;
	return false;
}

int container_uses_find(const struct sysroot *root, const struct device_nodes *nodes,
			const char *address, struct container_uses *ret, struct error *err)
{
	cleanup_container_uses struct container_uses uses = { 0 };
	cleanup_strings struct strings files = { 0 };
	int r = has_own(nodes, address) ? sysroot_list(root, CONFIG_FOLDER, &files) : 0;

	if (r == -ENOENT)
		r = 0;
	for (size_t i = 0; r == 0 && i < files.count; i++)
		r = look_at_container(root, nodes, address, files.items[i], &uses);
	if (r < 0)
		return error_set(err, r, "cannot read the containers in /%s: %s", CONFIG_FOLDER,
				 strerror(-r));
	*ret = TAKE_STRUCT(uses);
	return 0;
}

bool containers_name_nodes(const struct sysroot *root)
{
	static const char *const keys[] = { "\ndev", "devices.allow", "lxc.mount.entry" };
	cleanup_strings struct strings names = { 0 };

	if (sysroot_list(root, CONFIG_FOLDER, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *data = NULL;
		char path[SYSROOT_PATH_MAX];
		size_t size;

		snprintf(path, sizeof(path), CONFIG_FOLDER "/%s", names.items[i]);
		if (sysroot_read(root, path, CONFIG_MAX, &data, &size) < 0)
			return true;
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			if (strstr(data, keys[k]) || text_starts_with(data, keys[k] + 1))
				return true;
	}
	return false;
}

void container_uses_done(struct container_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		free(uses->items[i].line);
	free(uses->items);
	*uses = (struct container_uses){ 0 };
}
