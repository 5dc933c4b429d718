/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: interfaces in other network namespaces. Enters none. */
#include "use/netns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "use/pids.h"

/*
 * A macvtap has a folder tapN, for its node; the kinds are in `uevent` (SET_NETDEV_DEVTYPE() in
 * drivers/net/macvlan.c and drivers/net/ipvlan).
 */
bool net_is_given_away(const struct sysroot *root, const char *folder)
{
	cleanup_strings struct strings names = { 0 };
	cleanup_free char *uevent = NULL;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "%s/uevent", folder);
	if (sysroot_read_attribute(root, path, &uevent) == 0 &&
	    (strstr(uevent, "DEVTYPE=macvlan") || strstr(uevent, "DEVTYPE=ipvlan")))
		return true;
	(void)sysroot_list(root, folder, &names);
	for (size_t i = 0; i < names.count; i++)
		if (text_starts_with(names.items[i], "tap"))
			return true;
	return false;
}

static int add_child(const struct sysroot *root, pid_t pid, const char folder[64], const char *name,
		     struct net_children *children)
{
	cleanup_free char *iflink = NULL;
	struct net_child *added;
	char path[SYSROOT_PATH_MAX];
	uint32_t parent;

	snprintf(path, sizeof(path), "%.63s/%.255s/iflink", folder, name);
	if (sysroot_read_attribute(root, path, &iflink) < 0 || parse_u32(iflink, &parent) < 0)
		return 0;
	snprintf(path, sizeof(path), "%.63s/%.255s", folder, name);
	if (!net_is_given_away(root, path))
		return 0;
	if (array_reserve(&children->items, children->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &children->items[children->count++];
	*added = (struct net_child){ .parent = parent, .pid = pid };
	snprintf(added->name, sizeof(added->name), "%s", name);
	return 0;
}

static int look_into(const struct sysroot *root, pid_t pid, struct net_children *children)
{
	cleanup_strings struct strings names = { 0 };
	char folder[64];
	int r = 0;

	snprintf(folder, sizeof(folder), "proc/%d/root/sys/class/net", (int)pid);
	if (sysroot_list(root, folder, &names) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add_child(root, pid, folder, names.items[i], children);
	return r;
}

/* "net:[4026531840]"; false for a process that has ended. */
static bool read_namespace(const struct sysroot *root, pid_t pid, char **ret)
{
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "proc/%d/ns/net", (int)pid);
	return sysroot_link_name(root, path, ret) == 0;
}

int net_children_read(const struct sysroot *root, struct net_children *children)
{
	cleanup_strings struct strings seen = { 0 };
	cleanup_pids struct pids pids = { 0 };
	cleanup_free char *own = NULL;
	int r = 0;

	if (children->read)
		return 0;
	children->read = true;
	if (!read_namespace(root, 1, &own))
		return 0;
	if (strings_add(&seen, own) < 0 || pids_list(root, &pids) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < pids.count; i++) {
		cleanup_free char *namespace = NULL;

		/* what the kernel has started is in the namespace that it began with */
		if (pids.items[i].kernels || !read_namespace(root, pids.items[i].pid, &namespace) ||
		    strings_has(&seen, namespace))
			continue;
		r = strings_add(&seen, namespace);
		if (r == 0)
			r = look_into(root, pids.items[i].pid, children);
	}
	return r;
}

void net_children_done(struct net_children *children)
{
	free(children->items);
	*children = (struct net_children){ 0 };
}
