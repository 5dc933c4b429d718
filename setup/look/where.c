/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio where. On which nodes a VM could start, and what is free; changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cluster/ha.h"
#include "cluster/place.h"
#include "pci/select.h"
#include "pve/version.h"
#include "report/cluster_page.h"
#include "setup/print.h"
#include "setup/setup.h"

static int read_cluster(struct command *command, uint32_t vmid, struct cluster *cluster,
			char **self, struct error *err)
{
	cleanup_facts struct facts live = { 0 };
	int r = facts_look(&command->root, &live, err);

	if (r < 0)
		return r;
	*self = strdup(live.node);
	if (!*self)
		return error_set_memory(err);
	cluster->root = &command->root;
	cluster->self = *self;
	cluster->now = time(NULL);
	return cluster_read(cluster, &live, vmid, err);
}

/* What holds for all of it. */
static void tell_faults(const struct cluster *cluster)
{
	if (!cluster->members.quorate)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ",
			       "this node has no quorum: it starts no VM, and what it knows of the "
			       "others may be old");
	for (size_t i = 0; i < cluster->faults.count; i++)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "%s", cluster->faults.items[i]);
}

/* ---- where VMID */

struct answer {
	const struct cluster *cluster;
	const struct cluster_vm *vm;
	struct place *places; /* one for each node */
	struct strings commands;
	size_t fitting;
};

static void answer_done(struct answer *answer)
{
	for (size_t i = 0; answer->places && i < answer->cluster->members.count; i++)
		place_done(&answer->places[i]);
	free(answer->places);
	strings_done(&answer->commands);
}

static const char *self_version(const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->members.count; i++)
		if (strcmp(cluster->members.items[i].node, cluster->self) == 0)
			return cluster->nodes[i].facts.pve;
	return "";
}

static int judge(struct answer *answer, struct error *err)
{
	const struct cluster *cluster = answer->cluster;
	cleanup_text struct text nodes = { 0 };

	answer->places = calloc(cluster->members.count + 1, sizeof(*answer->places));
	if (!answer->places)
		return error_set_memory(err);
	for (size_t i = 0; i < cluster->members.count; i++) {
		int r = place_judge(cluster, answer->vm, i, &answer->places[i], err);

		if (r < 0)
			return r;
		if (answer->places[i].start != PLACE_YES)
			continue;
		text_add(&nodes, "%s%s", answer->fitting++ > 0 ? "," : "",
			 cluster->members.items[i].node);
	}
	if (answer->fitting > 1 &&
	    (nodes.failed || ha_commands(cluster->root, answer->vm->vmid, nodes.data,
					 self_version(cluster), &answer->commands) < 0))
		return error_set_memory(err);
	return 0;
}

static json_t *strings_json(const struct strings *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < strings->count; i++)
		json_array_append_new(array, json_string(strings->items[i]));
	return array;
}

static json_t *answer_json(const struct answer *answer)
{
	const struct members *members = &answer->cluster->members;
	json_t *nodes = json_array();

	for (size_t i = 0; i < members->count; i++) {
		const struct place *place = &answer->places[i];

		json_array_append_new(nodes, json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o}", "node",
						       members->items[i].node, "start",
						       place_start_name(place->start), "id",
						       place->id, "reason", place->reason,
						       "devices", strings_json(&place->devices),
						       "notes", strings_json(&place->notes)));
	}
	return json_pack("{s:I, s:s, s:b, s:o, s:o}", "vmid", (json_int_t)answer->vm->vmid, "node",
			 members->items[answer->vm->node].node, "quorate", members->quorate,
			 "nodes", nodes, "ha", strings_json(&answer->commands));
}

static void print_place(const char *node, const struct place *place, unsigned width)
{
	cleanup_text struct text words = { 0 };
	cleanup_free char *start = text_format("  %-*s  ", (int)width, node);

	text_add(&words, "%s",
		 place->start == PLACE_UNKNOWN ? "not known" : place_start_name(place->start));
	if (place->reason)
		text_add(&words, ": %s", place->reason);
	for (size_t i = 0; i < place->notes.count; i++)
		text_add(&words, "; %s", place->notes.items[i]);
	print_wrapped(start ? start : "", width + 4, words.data ? words.data : "");
}

static unsigned node_width(const struct members *members)
{
	size_t width = 0;

	for (size_t i = 0; i < members->count; i++)
		if (strlen(members->items[i].node) > width)
			width = strlen(members->items[i].node);
	return (unsigned)width;
}

static void print_answer(const struct answer *answer)
{
	const struct members *members = &answer->cluster->members;

	printf("VM %u, which is on %s, could start on %zu of %zu node%s:\n", answer->vm->vmid,
	       members->items[answer->vm->node].node, answer->fitting, members->count,
	       members->count > 1 ? "s" : "");
	for (size_t i = 0; i < members->count; i++)
		print_place(members->items[i].node, &answer->places[i], node_width(members));
	if (answer->commands.count == 0)
		return;
	printf("\nSo that Proxmox VE's HA starts it on these alone:\n");
	for (size_t i = 0; i < answer->commands.count; i++)
		printf("  %s\n", answer->commands.items[i]);
}

static int where_vm(struct command *command, uint32_t vmid, struct error *err)
{
	cleanup_cluster struct cluster cluster = { 0 };
	cleanup(answer_done) struct answer answer = { .cluster = &cluster };
	cleanup_free char *self = NULL;
	int r = read_cluster(command, vmid, &cluster, &self, err);

	if (r < 0)
		return r;
	answer.vm = cluster_find(&cluster, vmid);
	if (!answer.vm)
		return error_set(err, -ENOENT, "there is no VM %u in the cluster", vmid);
	r = judge(&answer, err);
	if (r < 0)
		return r;
	if (command->json)
		return print_json(answer_json(&answer), err);
	tell_faults(&cluster);
	print_answer(&answer);
	return 0;
}

/* ---- where --all */

static void print_line(const struct answer *answer)
{
	const struct members *members = &answer->cluster->members;
	const char *name = vm_config_get(&answer->vm->config, "name");
	cleanup_free char *start =
		text_format("VM %u%s%s on %s: ", answer->vm->vmid, name ? " " : "",
			    name ? name : "", members->items[answer->vm->node].node);
	cleanup_text struct text nodes = { 0 };

	for (size_t i = 0; i < members->count; i++)
		if (answer->places[i].start == PLACE_YES)
			text_add(&nodes, "%s%s", nodes.size > 0 ? ", " : "",
				 members->items[i].node);
	print_wrapped(start ? start : "", 4, nodes.size > 0 ? nodes.data : "no node");
}

static int where_all(struct command *command, struct error *err)
{
	cleanup_cluster struct cluster cluster = { 0 };
	cleanup_json json_t *list = json_array();
	cleanup_free char *self = NULL;
	int r = read_cluster(command, 0, &cluster, &self, err);

	if (r == 0 && !command->json)
		tell_faults(&cluster);
	for (size_t i = 0; i < cluster.vm_count && r == 0; i++) {
		cleanup(answer_done) struct answer answer = { .cluster = &cluster,
							      .vm = &cluster.vms[i] };

		r = judge(&answer, err);
		if (r == 0 && command->json)
			json_array_append_new(list, answer_json(&answer));
		else if (r == 0)
			print_line(&answer);
	}
	if (r < 0)
		return r;
	if (command->json)
		return print_json(json_pack("{s:O}", "vms", list), err);
	if (cluster.vm_count == 0)
		puts("No VM of the cluster has a PCI device.");
	return 0;
}

/* ---- where --free WORD */

static json_t *free_json(const char *node, const struct facts_device *device)
{
	char ids[16];

	snprintf(ids, sizeof(ids), "%04x:%04x", device->device.vendor, device->device.device);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "node", node, "address", device->device.name,
			 "id", ids, "name", device->name, "pass", pass_name(device->pass));
}

/* Which a VM could have: it can be passed, and no VM of its node names it. */
static bool is_free(const struct cluster *cluster, size_t node, const struct facts_device *device,
		    const char *word)
{
	return device->pass != PASS_NO && pci_word_fits(&device->device, device->name, word) &&
	       !cluster_user(cluster, node, device->device.name, 0);
}

static int where_free(struct command *command, const char *word, struct error *err)
{
	cleanup_cluster struct cluster cluster = { 0 };
	cleanup_json json_t *list = json_array();
	cleanup_free char *self = NULL;
	unsigned width;
	int r = read_cluster(command, 0, &cluster, &self, err);

	if (r < 0)
		return r;
	width = node_width(&cluster.members);
	if (!command->json)
		tell_faults(&cluster);
	for (size_t i = 0; i < cluster.members.count; i++) {
		const struct cluster_node *node = &cluster.nodes[i];
		const char *name = node->member->node;

		if (!node->member->online || node->unknown) {
			if (!command->json)
				print_sentence(STDERR_FILENO, "", "  ", "%s: %s", name,
					       node->unknown ? node->why : "it is not online");
			continue;
		}
		for (size_t d = 0; d < node->facts.device_count; d++) {
			const struct facts_device *device = &node->facts.devices[d];

			if (!is_free(&cluster, i, device, word))
				continue;
			json_array_append_new(list, free_json(name, device));
			if (!command->json)
				printf("%-*s  %s  %s%s\n", (int)width, name, device->device.name,
				       device->name,
				       device->pass == PASS_GROUP ? " (with its group)" : "");
		}
	}
	if (command->json)
		return print_json(json_pack("{s:O, s:b}", "free", list, "quorate",
					    cluster.members.quorate),
				  err);
	if (json_array_size(list) == 0)
		printf("Nothing that '%s' fits is free on a node that has published about "
		       "itself.\n",
		       word);
	return 0;
}

/* ---- where --html FILE */

static int where_page(struct command *command, const char *path, struct error *err)
{
	cleanup_cluster struct cluster cluster = { 0 };
	cleanup_free char *self = NULL, *html = NULL;
	cleanup_close int fd = -1;
	int r = read_cluster(command, 0, &cluster, &self, err);

	if (r == 0)
		r = cluster_page(&cluster, &html, err);
	if (r < 0)
		return r;
	tell_faults(&cluster);
	if (strcmp(path, "-") == 0) {
		fputs(html, stdout);
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : file_write_fd(fd, html, strlen(html));
	return r < 0 ? error_set(err, r, "cannot write '%s': %s", path, strerror(-r)) : 0;
}

int verb_where(struct command *command, struct error *err)
{
	const char *word = command_value(command, "--free"),
		   *page = command_value(command, "--html");
	bool all = command_has(command, "--all");
	int questions = command->argc + (word ? 1 : 0) + (page ? 1 : 0) + (all ? 1 : 0);
	uint32_t vmid;
	int r;

	if (questions != 1)
		return usage_error(err, command, "it takes a VM, --all, --free or --html");
	if (page && command->json)
		return usage_error(err, command, "--html prints no JSON");
	if (page)
		return where_page(command, page, err);
	if (word)
		return where_free(command, word, err);
	if (all)
		return where_all(command, err);
	r = command_parse_vmid(command, 0, &vmid, err);
	return r < 0 ? r : where_vm(command, vmid, err);
}
