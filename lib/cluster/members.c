/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster: its nodes. Asks nobody but /etc/pve. */
#include "cluster/members.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"

#define MEMBERS_PATH "etc/pve/.members"
#define CLUSTER_PATH "etc/pve/corosync.conf"
#define MEMBERS_MAX  ((size_t)1 << 20)

static int add(struct members *members, const char *node, bool online)
{
	struct member member = { .online = online };

	if (array_reserve(&members->items, members->count, sizeof(member)) < 0)
		return -ENOMEM;
	member.node = strdup(node);
	if (!member.node)
		return -ENOMEM;
	members->items[members->count++] = member;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct member *first = a, *second = b;

	return strverscmp(first->node, second->node);
}

int members_parse(const char *data, size_t size, const char *self, struct members *ret,
		  struct error *err)
{
	cleanup_members struct members members = { .quorate = true };
	cleanup_json json_t *document = NULL;
	json_t *nodes, *cluster, *node;
	const char *name;
	bool seen = false;
	int r = json_parse_object("/" MEMBERS_PATH, data, size, &document, err);

	if (r < 0)
		return r;
	cluster = json_object_get(document, "cluster");
	nodes = json_object_get(document, "nodelist");
	if (cluster)
		members.quorate = json_integer_value(json_object_get(cluster, "quorate")) == 1;
	json_object_foreach(nodes, name, node) {
		seen |= strcmp(name, self) == 0;
		if (add(&members, name, json_integer_value(json_object_get(node, "online")) == 1) <
		    0)
			return error_set_memory(err);
	}
	if (!seen && add(&members, self, true) < 0)
		return error_set_memory(err);
	qsort(members.items, members.count, sizeof(*members.items), compare);
	*ret = TAKE_STRUCT(members);
	return 0;
}

int members_read(const struct sysroot *root, const char *self, struct members *ret,
		 struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r = sysroot_read(root, MEMBERS_PATH, MEMBERS_MAX, &data, &size);

	if (r == -ENOENT)
		r = members_parse("{}", 2, self, ret, err);
	else if (r < 0)
		return error_set(err, r, "cannot read /%s: %s", MEMBERS_PATH, strerror(-r));
	else
		r = members_parse(data, size, self, ret, err);
	/* A cluster that corosync has not told of yet: no list, and this node is not alone all the same. */
	if (r == 0 && !(data && strstr(data, "\"nodelist\"")) && sysroot_exists(root, CLUSTER_PATH))
		ret->quorate = false;
	return r;
}

void members_done(struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		free(members->items[i].node);
	free(members->items);
	*members = (struct members){ 0 };
}
