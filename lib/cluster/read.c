/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster: reads it from /etc/pve. Judges nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "cluster/place.h"

static int tell_unknown(struct cluster_node *node, const char *id, char *why)
{
	node->unknown = id;
	node->why = why;
	return why ? 0 : -ENOMEM;
}

static int read_facts(const struct cluster *cluster, struct cluster_node *node)
{
	const char *name = node->member->node;
	struct error reason = { 0 };
	int r = facts_read(cluster->root, name, &node->facts, &reason);

	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		return tell_unknown(node, "not-published",
				    text_format("it has published nothing about itself; 'systemctl "
						"enable --now pve-vfio-publish.timer' there does"));
	if (r < 0)
		return tell_unknown(node, "facts-broken", strdup(reason.message));
	if (cluster->now - node->facts.written > FACTS_OLD_S)
		return tell_unknown(
			node, "facts-old",
			text_format("what it has published is %jd days old; 'pve-vfio publish' "
				    "there renews it",
				    (intmax_t)((cluster->now - node->facts.written) / 86400)));
	return 0;
}

static int read_nodes(struct cluster *cluster, struct facts *live, struct error *err)
{
	cluster->nodes = calloc(cluster->members.count + 1, sizeof(*cluster->nodes));
	if (!cluster->nodes)
		return error_set_memory(err);
	for (size_t i = 0; i < cluster->members.count; i++) {
		struct cluster_node *node = &cluster->nodes[i];

		node->member = &cluster->members.items[i];
		if (strcmp(node->member->node, cluster->self) == 0)
			node->facts = TAKE_STRUCT(*live);
		else if (read_facts(cluster, node) < 0)
			return error_set_memory(err);
	}
	return 0;
}

static int add_vm(struct cluster *cluster, size_t node, uint32_t vmid, uint32_t wanted,
		  struct error *err)
{
	struct cluster_vm vm = { .vmid = vmid, .node = node };
	struct error reason = { 0 };
	const char *name = cluster->members.items[node].node;
	int r = vm_config_read(cluster->root, strcmp(name, cluster->self) == 0 ? NULL : name, vmid,
			       &vm.config, &reason);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return strings_add(&cluster->faults, reason.message) < 0 ? error_set_memory(err)
									 : 0;
	if (vmid != wanted && !vm_config_names_devices(&vm.config)) {
		vm_config_done(&vm.config);
		return 0;
	}
	if (array_reserve(&cluster->vms, cluster->vm_count, sizeof(vm)) < 0) {
		vm_config_done(&vm.config);
		return error_set_memory(err);
	}
	cluster->vms[cluster->vm_count++] = vm;
	return 0;
}

static int read_vms(struct cluster *cluster, uint32_t wanted, struct error *err)
{
	int r = 0;

	for (size_t node = 0; node < cluster->members.count && r == 0; node++) {
		cleanup_strings struct strings files = { 0 };
		const char *name = cluster->members.items[node].node;
		char path[SYSROOT_PATH_MAX];

		if (strcmp(name, cluster->self) == 0)
			snprintf(path, sizeof(path), "etc/pve/qemu-server");
		else
			snprintf(path, sizeof(path), "etc/pve/nodes/%s/qemu-server", name);
		r = sysroot_list(cluster->root, path, &files);
		if (r == -ENOMEM)
			return error_set_memory(err);
		r = 0;
		for (size_t i = 0; i < files.count && r == 0; i++) {
			uint32_t vmid;

			if (vm_config_vmid(files.items[i], &vmid))
				r = add_vm(cluster, node, vmid, wanted, err);
		}
	}
	return r;
}

static int compare_vms(const void *a, const void *b)
{
	const struct cluster_vm *first = a, *second = b;

	return (first->vmid > second->vmid) - (first->vmid < second->vmid);
}

int cluster_read(struct cluster *cluster, struct facts *live, uint32_t wanted, struct error *err)
{
	struct error reason = { 0 };
	int r = members_read(cluster->root, cluster->self, &cluster->members, err);

	if (r == 0)
		r = read_nodes(cluster, live, err);
	if (r < 0)
		return r;
	r = mappings_read(cluster->root, &cluster->mappings, &reason);
	if (r < 0 && strings_add(&cluster->faults, reason.message) < 0)
		return error_set_memory(err);
	r = read_vms(cluster, wanted, err);
	if (r == 0 && cluster->vm_count > 1)
		qsort(cluster->vms, cluster->vm_count, sizeof(*cluster->vms), compare_vms);
	return r;
}

void cluster_done(struct cluster *cluster)
{
	for (size_t i = 0; cluster->nodes && i < cluster->members.count; i++) {
		facts_done(&cluster->nodes[i].facts);
		free(cluster->nodes[i].why);
	}
	for (size_t i = 0; i < cluster->vm_count; i++)
		vm_config_done(&cluster->vms[i].config);
	free(cluster->nodes);
	free(cluster->vms);
	members_done(&cluster->members);
	mappings_done(&cluster->mappings);
	strings_done(&cluster->faults);
}

const struct cluster_vm *cluster_find(const struct cluster *cluster, uint32_t vmid)
{
	for (size_t i = 0; i < cluster->vm_count; i++)
		if (cluster->vms[i].vmid == vmid)
			return &cluster->vms[i];
	return NULL;
}
