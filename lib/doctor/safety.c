/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: asks the checks of a start about every function of the node. */
#include "doctor/safety.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "change/holding.h"
#include "check/check.h"
#include "use/child.h"
#include "use/container.h"
#include "use/route.h"
#include "use/usb.h"

#define CLASS_NETWORK 0x02
#define CLASS_BRIDGE  0x06

/* What the judging of one function is made from. */
struct judging {
	const struct pve_node *node;
	struct safety *items;
	const struct iommu_groups *groups;
	struct findings findings;
	struct plan seen; /* of all functions: the nodes, and who has any open */
	bool owners_hidden;
	struct sysroot root; /* the node's, which remembers */
	struct child_memory children;
};

typedef int check_topic(const struct start *start, struct findings *findings, struct error *err);

/* The addresses in the target of one link of a class. */
static int add_parents(int fd, const char *name, struct pci_addresses *ret)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(fd, name, target, sizeof(target) - 1);
	char *rest = target, *part;
	struct pci_address address;
	int r = 0;

	target[size < 0 ? 0 : size] = '\0';
	while (r == 0 && (part = strsep(&rest, "/")))
		if (pci_address_parse(part, &address) == 0 && !pci_addresses_has(ret, address))
			r = pci_addresses_add(ret, address);
	return r;
}

/* The addresses in the targets of a class's links, in order: who has a child of that class. */
static int list_parents(const struct sysroot *root, const char *folder, struct pci_addresses *ret)
{
	cleanup_close int fd = sysroot_openat(root, folder, O_PATH | O_DIRECTORY);
	cleanup_strings struct strings links = { 0 };
	int r = fd < 0 ? 0 : sysroot_list(root, folder, &links);

	for (size_t i = 0; i < links.count && r == 0; i++)
		r = add_parents(fd, links.items[i], ret);
	pci_addresses_sort(ret, 0);
	return r;
}

/*
 * Of hundreds of virtual functions hardly one has an interface in use. Asked about are those that
 * are in something (master, upper_…), have an address or a route, or carry PPPoE.
 */
static bool may_be_used(const struct sysroot *root, const char *name, const struct routing *routing,
			const char *pppoe)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];

	for (size_t i = 0; i < routing->address_count; i++)
		if (text_starts_with(routing->addresses[i].interface, name))
			return true;
	for (size_t i = 0; i < routing->route_count; i++)
		if (text_starts_with(routing->routes[i].interface, name))
			return true;
	snprintf(path, sizeof(path), "sys/class/net/%s", name);
	if ((pppoe && strstr(pppoe, name)) || sysroot_list(root, path, &names) < 0)
		return true;
	for (size_t i = 0; i < names.count; i++)
		if (strcmp(names.items[i], "master") == 0 ||
		    text_starts_with(names.items[i], "upper_"))
			return true;
	return false;
}

/* The folder stays where an interface went to another network namespace, a container's. */
static bool may_be_moved(const struct sysroot *root, const struct pci_device *device)
{
	char path[SYSROOT_PATH_MAX];

	if (!device->driver)
		return false;
	pci_attribute_path(path, device->name, "net");
	return text_starts_with(device->driver, "virtio") || sysroot_exists(root, path);
}

/* In order. */
static int list_networks(const struct pve_node *node, struct pci_addresses *ret)
{
	cleanup_close int fd = sysroot_openat(node->root, "sys/class/net", O_PATH | O_DIRECTORY);
	cleanup_pci_addresses struct pci_addresses idle = { 0 };
	cleanup_routing struct routing routing = { 0 };
	cleanup_strings struct strings links = { 0 };
	cleanup_free char *pppoe = NULL;
	bool known = routing_read(node->root, &routing, NULL) == 0;
	size_t size;
	int r = fd < 0 ? 0 : sysroot_list(node->root, "sys/class/net", &links);

	(void)sysroot_read(node->root, "proc/net/pppoe", ATTRIBUTE_MAX, &pppoe, &size);
	for (size_t i = 0; i < links.count && r == 0; i++)
		r = add_parents(fd, links.items[i],
				!known || may_be_used(node->root, links.items[i], &routing, pppoe)
					? ret
					: &idle);
	pci_addresses_sort(&idle, 0);
	for (size_t i = 0; i < node->inventory.count && r == 0; i++) {
		const struct pci_device *device = &node->inventory.items[i].device;

		if (device->class_code >> 16 == CLASS_NETWORK &&
		    !pci_addresses_sorted_has(&idle, device->address) &&
		    !pci_addresses_has(ret, device->address) && may_be_moved(node->root, device))
			r = pci_addresses_add(ret, device->address);
	}
	pci_addresses_sort(ret, 0);
	return r;
}

/* Runs a topic over a made-up plan of these functions. */
static int ask(struct judging *judging, check_topic *topic, const bool *chosen, struct error *err)
{
	const struct pci_inventory *inventory = &judging->node->inventory;
	cleanup_free struct plan_device *devices = calloc(inventory->count + 1, sizeof(*devices));
	struct start start = { .root = &judging->root };

	if (!devices)
		return error_set_memory(err);
	start.plan = judging->seen;
	start.plan.devices = devices;
	start.plan.device_count = 0;
	for (size_t i = 0; i < inventory->count; i++)
		if (chosen[i])
			devices[start.plan.device_count++].device = inventory->items[i].device;
	if (start.plan.device_count == 0)
		return 0;
	start.claims = judging->node->journals;
	return topic(&start, &judging->findings, err);
}

/* Asks about each function for itself, where the others in the plan would change the answer. */
static int ask_each(struct judging *judging, check_topic *topic, bool *chosen, struct error *err)
{
	size_t count = judging->node->inventory.count;
	cleanup_free bool *one = calloc(count + 1, sizeof(*one));
	int r = 0;

	if (!one)
		return error_set_memory(err);
	for (size_t i = 0; i < count && r == 0; i++) {
		one[i] = chosen[i];
		if (chosen[i])
			r = ask(judging, topic, one, err);
		one[i] = false;
	}
	return r;
}

typedef bool choice(const struct pci_entry *entry, const struct pci_addresses *parents);

static bool is_endpoint(const struct pci_entry *entry, const struct pci_addresses *parents)
{
	(void)parents;
	return !entry->device.bridge;
}

static bool is_parent(const struct pci_entry *entry, const struct pci_addresses *parents)
{
	return !entry->device.bridge && pci_addresses_sorted_has(parents, entry->device.address);
}

static bool is_usb(const struct pci_entry *entry, const struct pci_addresses *parents)
{
	(void)parents;
	return usb_is_controller(&entry->device);
}

static bool is_display(const struct pci_entry *entry, const struct pci_addresses *parents)
{
	(void)parents;
	return pci_is_display(&entry->device);
}

static int ask_chosen(struct judging *judging, check_topic *topic, choice *choose,
		      const struct pci_addresses *parents, bool each, struct error *err)
{
	const struct pci_inventory *inventory = &judging->node->inventory;
	cleanup_free bool *chosen = calloc(inventory->count + 1, sizeof(*chosen));

	if (!chosen)
		return error_set_memory(err);
	for (size_t i = 0; i < inventory->count; i++)
		chosen[i] = choose(&inventory->items[i], parents);
	return each ? ask_each(judging, topic, chosen, err) : ask(judging, topic, chosen, err);
}

/* One look at the processes for all functions. The devices of the plan are borrowed. */
static int look_at_processes(struct judging *judging, struct error *err)
{
	const struct pci_inventory *inventory = &judging->node->inventory;
	struct plan *seen = &judging->seen;
	int r = 0;

	seen->devices = calloc(inventory->count + 1, sizeof(*seen->devices));
	if (!seen->devices)
		return error_set_memory(err);
	for (size_t i = 0; i < inventory->count && r == 0; i++) {
		const struct pci_device *device = &inventory->items[i].device;

		if (device->bridge)
			continue;
		seen->devices[seen->device_count++].device = *device;
		r = nodes_find(&judging->root, device, &seen->nodes, err);
	}
	if (r == 0 && seen->nodes.count > 0)
		openings_read(judging->node->root, &seen->openings);
	/* Only root may look at the descriptors of others: then it is not known who has what. */
	judging->owners_hidden =
		seen->openings.unseen == -EACCES || seen->openings.unseen == -EPERM;
	return r;
}

/* Of those alone that somebody has, by the open nodes of VFIO or by a journal. */
static int ask_owner(struct judging *judging, struct error *err)
{
	const struct pci_inventory *inventory = &judging->node->inventory;
	cleanup_pci_addresses struct pci_addresses owned = { 0 };
	cleanup_holdings struct holdings helds = { 0 };
	const struct journal *owner;
	int r;

	if (judging->owners_hidden)
		return 0;
	r = holdings_find(&judging->seen, judging->node->root, &helds, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < helds.count && r == 0; i++) {
		struct pci_address address;

		if (helds.items[i].node->kind == NODE_VFIO &&
		    pci_address_parse(helds.items[i].node->address, &address) == 0)
			r = pci_addresses_add(&owned, address);
	}
	for (size_t i = 0; i < inventory->count && r == 0; i++)
		if (claims_find(&judging->node->journals, inventory->items[i].device.name, &owner))
			r = pci_addresses_add(&owned, inventory->items[i].device.address);
	if (r < 0)
		return error_set_memory(err);
	pci_addresses_sort(&owned, 0);
	return ask_chosen(judging, check_owner, is_parent, &owned, true, err);
}

static int ask_all(struct judging *judging, struct error *err)
{
	const struct sysroot *root = judging->node->root;
	cleanup_pci_addresses struct pci_addresses disks = { 0 }, interfaces = { 0 };
	int r = list_parents(root, "sys/class/block", &disks);

	if (r == 0)
		r = list_networks(judging->node, &interfaces);
	if (r < 0)
		return error_set(err, r, "cannot read /sys/class: %s", strerror(-r));
	r = look_at_processes(judging, err);
	if (r == 0)
		r = ask_chosen(judging, check_storage, is_parent, &disks, false, err);
	if (r == 0)
		r = ask_chosen(judging, check_network, is_parent, &interfaces, false, err);
	if (r == 0)
		r = ask_chosen(judging, check_usb, is_usb, NULL, true, err);
	if (r == 0)
		r = ask_owner(judging, err);
	if (r == 0)
		r = ask_chosen(judging, check_framebuffer, is_display, NULL, false, err);
	if (r == 0)
		r = ask_chosen(judging, check_mdev, is_endpoint, NULL, false, err);
	if (r == 0 && containers_name_nodes(root))
		r = ask_chosen(judging, check_container, is_endpoint, NULL, false, err);
	return r;
}

static struct safety *find_safety(struct judging *judging, const char *address)
{
	for (size_t i = 0; i < judging->node->inventory.count; i++)
		if (strcmp(judging->node->inventory.items[i].device.name, address) == 0)
			return &judging->items[i];
	return NULL;
}

static int refuse(struct safety *safety, const char *id, const char *why)
{
	if (safety->why)
		return 0;
	safety->pass = PASS_NO;
	safety->why_id = id;
	safety->why = strdup(why);
	return safety->why ? 0 : -ENOMEM;
}

static int add_use(struct safety *safety, const char *id, const char *words)
{
	int r = words ? strings_add(&safety->uses, words) : -ENOMEM;

	return r < 0 ? r : strings_add(&safety->use_ids, id);
}

/* Of the findings the errors forbid, and all that is a use is listed. */
static int take_finding(struct safety *safety, const struct finding *finding)
{
	bool error = finding->level == LEVEL_ERROR;
	const char *id = check_describe(finding->id)->id;
	cleanup_free char *words = strdup(finding->evidence);
	size_t length;

	if (!words)
		return -ENOMEM;
	length = strlen(words);
	if (length > 0 && words[length - 1] == '.')
		words[length - 1] = '\0';
	/* It will follow "no, because"; "VM 102" stays as it is. */
	if (isupper((unsigned char)words[0]) && islower((unsigned char)words[1]))
		words[0] = (char)tolower((unsigned char)words[0]);
	if (finding->id == CHECK_STORAGE_IN_USE || finding->id == CHECK_NETWORK_IN_USE ||
	    finding->id == CHECK_USB_STORAGE_IN_USE || finding->id == CHECK_USB_KEYBOARD)
		safety->vital = true;
	if (finding->id == CHECK_FRAMEBUFFER_HELD)
		safety->boot_display = true;
	if (add_use(safety, id, words) < 0)
		return -ENOMEM;
	return error ? refuse(safety, id, words) : 0;
}

/* What running processes do with the nodes: a desktop, a transcoder. Disks are listed already. */
static int add_openers(struct judging *judging)
{
	cleanup_holdings struct holdings helds = { 0 };

	if (holdings_find(&judging->seen, judging->node->root, &helds, NULL) < 0)
		return 0;
	for (size_t i = 0; i < helds.count; i++) {
		const struct holding *held = &helds.items[i];
		struct safety *safety = find_safety(judging, held->node->address);
		cleanup_free char *who = NULL, *words = NULL;

		if (!safety || held->node->kind != NODE_OWN || held->node->id.type == 'b')
			continue;
		who = holder_words(&held->holder);
		words = who ? text_format("%s has %s open", who, held->path) : NULL;
		if (add_use(safety, "node-in-use", words) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_vms(struct judging *judging, size_t at)
{
	const struct pci_device *device = &judging->node->inventory.items[at].device;
	const struct journal *owner = NULL;

	if (claims_find(&judging->node->journals, device->name, &owner))
		judging->items[at].holder = owner->vmid;
	for (size_t i = 0; i < judging->node->vm_count; i++) {
		const struct node_vm *vm = &judging->node->vms[i];
		const char *source = node_vm_source(vm, device->address);
		cleanup_free char *words = NULL;

		if (!source)
			continue;
		words = text_format("%s of VM %u, which %s", source, vm->vmid,
				    vm->qemu.pid ? "runs" : "does not run");
		if (add_use(&judging->items[at], "vm", words) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Better than that some process has its group open. */
static const struct node_vm *find_running(const struct judging *judging,
					  const struct pci_device *device)
{
	if (!device->driver || !strstr(device->driver, "vfio"))
		return NULL;
	for (size_t i = 0; i < judging->node->vm_count; i++) {
		const struct node_vm *vm = &judging->node->vms[i];
		const char *source = node_vm_source(vm, device->address);

		/* Of one of several alternatives the open node or a journal says who has it. */
		if (vm->qemu.pid && source && !node_vm_may_choose(judging->node, vm, source))
			return vm;
	}
	return NULL;
}

static int judge_alone(struct judging *judging, size_t at)
{
	const struct pci_entry *entry = &judging->node->inventory.items[at];
	const struct pci_device *device = &entry->device;
	struct safety *safety = &judging->items[at];

	const struct node_vm *vm = find_running(judging, device);

	if (entry->facts.boot_display)
		safety->boot_display = true;
	if (vm) {
		cleanup_free char *why = text_format("VM %u, which runs, has it", vm->vmid);

		return why ? refuse(safety, "device-owned", why) : -ENOMEM;
	}
	if (device->bridge)
		return refuse(safety, "device-bridge", "it is a bridge: pass what is behind it");
	if (device->iommu_group == IOMMU_GROUP_NONE)
		return refuse(safety, "iommu-off", "it is in no IOMMU group");
	if (iommu_group_is_reserved(judging->groups, device->iommu_group) &&
	    iommu_reserved_is_refused(judging->node->root))
		return refuse(safety, "group-reserved", "the firmware has reserved memory for it");
	if (judging->owners_hidden && device->driver && strstr(device->driver, "vfio"))
		return refuse(safety, "not-seen", "only root can see whether a VM has it");
	if (device->dead)
		return refuse(safety, "device-dead", "it does not answer");
	return 0;
}

/*
 * Of a physical function what is known of its virtual ones by now, as check_sriov() would tell it
 * without reading all of them again.
 */
static int judge_physical(struct judging *judging, size_t at)
{
	const struct pci_inventory *inventory = &judging->node->inventory;
	const struct pci_device *device = &inventory->items[at].device;
	size_t used = 0;
	cleanup_free char *first = NULL;
	cleanup_free char *words = NULL;

	if (inventory->items[at].facts.functions == 0)
		return 0;
	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_entry *entry = &inventory->items[i];
		bool passed = entry->device.driver && strstr(entry->device.driver, "vfio");

		if (!text_equal(entry->facts.physical, device->name) ||
		    (!passed && !judging->items[i].vital))
			continue;
		if (used++ == 0)
			first = text_format("its virtual function %s %s", entry->device.name,
					    passed ? "is a VM's, or may be" : "is in use");
	}
	if (used == 0)
		return 0;
	words = used > 1 ? text_format("%s, and %zu more", first ? first : "", used - 1)
			 : TAKE_PTR(first);
	judging->items[at].vital = true;
	if (add_use(&judging->items[at], "sriov-in-use", words) < 0)
		return -ENOMEM;
	return refuse(&judging->items[at], "sriov-in-use", words);
}

/* The others of the group go along, and can forbid it. */
static int judge_group(struct judging *judging, size_t at)
{
	const struct pci_inventory *inventory = &judging->node->inventory;
	struct safety *safety = &judging->items[at];
	cleanup_text struct text others = { 0 };

	if (safety->pass == PASS_NO)
		return 0;
	for (size_t i = inventory->items[at].group_first; i != GROUP_END;
	     i = inventory->items[i].group_next) {
		const struct pci_device *other = &inventory->items[i].device;

		if (i == at || other->bridge)
			continue;
		if (judging->items[i].pass == PASS_NO && judging->items[i].why &&
		    !text_starts_with(judging->items[i].why, "its group has ")) {
			cleanup_free char *why = text_format("its group has %s: %s", other->name,
							     judging->items[i].why);

			return why ? refuse(safety, "group-siblings", why) : -ENOMEM;
		}
		text_add(&others, "%s%s", others.size ? " " : "", other->name);
	}
	if (!others.size)
		return others.failed ? -ENOMEM : 0;
	safety->pass = PASS_GROUP;
	safety->why_id = "group-siblings";
	safety->why = text_take(&others);
	return safety->why ? 0 : -ENOMEM;
}

/* Nobody means to pass a host or ISA bridge; in the group of something else it may come along. */
static int judge_chipset(struct judging *judging, size_t at)
{
	const struct pci_device *device = &judging->node->inventory.items[at].device;
	struct safety *safety = &judging->items[at];

	if (device->class_code >> 16 != CLASS_BRIDGE || safety->pass == PASS_NO)
		return 0;
	free(TAKE_PTR(safety->why));
	return refuse(safety, "chipset", "it is a part of the chipset");
}

static int judge(struct judging *judging)
{
	size_t count = judging->node->inventory.count;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = judge_alone(judging, i);
	for (size_t i = 0; i < judging->findings.count && r == 0; i++) {
		struct safety *safety = find_safety(judging, judging->findings.items[i].subject);

		if (safety)
			r = take_finding(safety, &judging->findings.items[i]);
	}
	if (r == 0)
		r = add_openers(judging);
	for (size_t i = 0; i < count && r == 0; i++)
		r = add_vms(judging, i);
	for (size_t i = 0; i < count && r == 0; i++)
		r = judge_physical(judging, i);
	for (size_t i = 0; i < count && r == 0; i++)
		r = judge_group(judging, i);
	for (size_t i = 0; i < count && r == 0; i++)
		r = judge_chipset(judging, i);
	return r;
}

int safeties_judge(const struct pve_node *node, struct safeties *ret, struct error *err)
{
	cleanup_safeties struct safeties safeties = { 0 };
	struct judging judging = { .node = node };
	int r;

	safeties.items = calloc(node->inventory.count + 1, sizeof(*safeties.items));
	if (!safeties.items)
		return error_set_memory(err);
	safeties.count = node->inventory.count;
	judging.items = safeties.items;
	judging.root = *node->root;
	judging.root.children = &judging.children;
	judging.groups = &safeties.groups;
	r = iommu_groups_read(node->root, &safeties.groups);
	if (r < 0)
		return error_set(err, r, "cannot read /sys/kernel/iommu_groups: %s", strerror(-r));
	r = ask_all(&judging, err);
	if (r == 0 && judge(&judging) < 0)
		r = error_set_memory(err);
	findings_done(&judging.findings);
	free(TAKE_PTR(judging.seen.devices));
	judging.seen.device_count = 0;
	plan_done(&judging.seen);
	child_memory_done(&judging.children);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(safeties);
	return 0;
}

void safeties_done(struct safeties *safeties)
{
	for (size_t i = 0; i < safeties->count; i++) {
		free(safeties->items[i].why);
		strings_done(&safeties->items[i].uses);
		strings_done(&safeties->items[i].use_ids);
	}
	free(safeties->items);
	iommu_groups_done(&safeties->groups);
	*safeties = (struct safeties){ 0 };
}

const char *pass_name(enum pass pass)
{
	static const char *const names[] = {
		[PASS_YES] = "yes",
		[PASS_GROUP] = "with its group",
		[PASS_NO] = "no",
	};

	return names[pass];
}
