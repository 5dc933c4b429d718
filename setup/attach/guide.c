/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what attach asks a person at a terminal: VM, device, layout. Changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "doctor/safety.h"
#include "pci/facts.h"
#include "report/words.h"
#include "setup/ask.h"
#include "setup/attach/attach.h"
#include "setup/print.h"

/* Which VM and which device nobody but the person knows; of one alone there is nothing to know. */
static size_t usual_of(const struct strings *choices)
{
	return choices->count == 1 ? 0 : ASK_NO_USUAL;
}

static int ask(const char *question, const struct strings *choices, size_t usual, size_t *ret,
	       struct error *err)
{
	if (ask_choice(question, choices, usual, ret) == 0)
		return 0;
	return error_refuse(err, "the question was not answered; nothing is changed");
}

/* ---- the device */

/* What names all of the device that a function represents: its slot, of a display. */
static void name_device(const struct pci_device *device, char word[PCI_ADDRESS_TEXT])
{
	snprintf(word, PCI_ADDRESS_TEXT, "%s", device->name);
	if (pci_is_display(device))
		word[strcspn(word, ".")] = '\0';
}

int attach_ask_device(const struct sysroot *root, struct pci_names *names,
		      const struct pci_addresses *from, const char *question,
		      char word[PCI_ADDRESS_TEXT], struct error *err)
{
	cleanup_strings struct strings choices = { 0 };
	cleanup_pci_device struct pci_device chosen = { 0 };
	size_t at;
	int r;

	for (size_t i = 0; i < from->count; i++) {
		char address[PCI_ADDRESS_TEXT];
		cleanup_free char *name =
			words_name(names, root, pci_address_format(from->items[i], address));
		cleanup_free char *line = text_format("%s %s", address, name ? name : "");

		if (!line || strings_add(&choices, line) < 0)
			return error_set_memory(err);
	}
	r = ask(question, &choices, usual_of(&choices), &at, err);
	if (r == 0)
		r = pci_device_read(root, from->items[at], &chosen, err);
	if (r == 0)
		name_device(&chosen, word);
	return r;
}

/* Adds the displays that can be passed, or what else can and is not in the slot of one of them. */
static int add_devices(const struct pve_node *node, const struct safeties *safeties, bool displays,
		       struct pci_addresses *ret)
{
	size_t before = ret->count;
	int r = 0;

	for (size_t i = 0; i < node->inventory.count && r == 0; i++) {
		const struct pci_device *device = &node->inventory.items[i].device;
		bool belongs = pci_is_display(device) != displays;

		for (size_t k = 0; k < before; k++)
			belongs |= pci_same_slot(ret->items[k], device->address);
		if (!device->bridge && safeties->items[i].pass != PASS_NO && !belongs)
			r = pci_addresses_add(ret, device->address);
	}
	return r;
}

static int ask_device(const struct pve_node *node, char word[PCI_ADDRESS_TEXT], struct error *err)
{
	cleanup_pci_addresses struct pci_addresses offered = { 0 };
	cleanup_safeties struct safeties safeties = { 0 };
	cleanup_pci_names struct pci_names names = { 0 };
	int r = safeties_judge(node, &safeties, err);

	if (r < 0)
		return r;
	if (add_devices(node, &safeties, true, &offered) < 0 ||
	    add_devices(node, &safeties, false, &offered) < 0)
		return error_set_memory(err);
	if (offered.count == 0)
		return error_refuse(err, "no device of this node can be passed just now; "
					 "'pve-vfio devices' says of each why");
	fputs("\n'pve-vfio devices' says why the others cannot be passed, and who uses each.\n",
	      stderr);
	return attach_ask_device(node->root, &names, &offered, "Which device?", word, err);
}

/* ---- the VM */

/* One that takes a device now. */
static int offer_vm(const struct node_vm *vm, struct strings *choices)
{
	const char *name = vm_config_get(&vm->config, "name");
	cleanup_free char *line =
		text_format("%u %s%s", vm->vmid, name ? name : "",
			    node_vm_has_passthrough(vm) ? " (has devices already)" : "");

	return line ? strings_add(choices, line) : -ENOMEM;
}

static int ask_vm(const struct pve_node *node, uint32_t *ret, struct error *err)
{
	cleanup_strings struct strings choices = { 0 };
	size_t running = 0, at;
	uint64_t vmid;
	int r;

	for (size_t i = 0; i < node->vm_count; i++) {
		const struct node_vm *vm = &node->vms[i];

		running += vm->qemu.pid != 0;
		if (!vm->qemu.pid && !vm->config.is_template && offer_vm(vm, &choices) < 0)
			return error_set_memory(err);
	}
	if (running > 0)
		print_sentence(STDERR_FILENO, "", "",
			       "%zu VM%s: a VM takes devices only while it is off.", running,
			       running == 1 ? " runs and is not listed"
					    : "s run and are not listed");
	if (choices.count == 0)
		return error_refuse(err, "this node has no VM that is off");
	r = ask("Which VM gets a device?", &choices, usual_of(&choices), &at, err);
	if (r < 0)
		return r;
	parse_number(choices.items[at], strcspn(choices.items[at], " "), 10, UINT32_MAX, &vmid);
	*ret = (uint32_t)vmid;
	return 0;
}

int attach_guide(const struct sysroot *root, struct attach_guide *ret, struct error *err)
{
	cleanup_pve_node struct pve_node node = { .root = root };
	int r = attach_is_possible(root, "attach", err);

	if (r == 0)
		r = pve_node_read(&node, err);
	if (r == 0)
		r = ask_vm(&node, &ret->vmid, err);
	return r < 0 ? r : ask_device(&node, ret->word, err);
}

/* ---- the layout, and whether all that is wanted */

int attach_ask_layout(struct attach_device *device, struct error *err)
{
	const struct layout *suiting[LAYOUTS_MAX];
	cleanup_strings struct strings choices = { 0 };
	size_t count = 0, usual = 0, at;
	int r;

	for (size_t i = 0; layout_at(i) && count < LAYOUTS_MAX; i++) {
		const char *name = layout_name(layout_at(i));
		cleanup_free char *line = text_format("%-16s %s", name, layout_what(layout_at(i)));

		/* the one that is a part of a device needs its type */
		if (!layout_suits(layout_at(i), device->device.kind) || text_equal(name, "vgpu"))
			continue;
		if (!line || strings_add(&choices, line) < 0)
			return error_set_memory(err);
		if (layout_at(i) == device->layout)
			usual = count;
		suiting[count++] = layout_at(i);
	}
	fputc('\n', stderr);
	print_sentence(STDERR_FILENO, "", "",
		       "The number in brackets is the layout that fits the VM as it is.");
	r = ask("Which layout?", &choices, usual, &at, err);
	if (r == 0)
		device->layout = suiting[at];
	return r;
}

int attach_ask_all(const struct attach *attach, struct error *err)
{
	const struct attach_device *device = attach->devices;

	fprintf(stderr, "\nThe same without questions: pve-vfio attach %u %s%s%s\n",
		attach->vm.vmid, attach->options->words[0], device->layout ? " --layout " : "",
		device->layout ? layout_name(device->layout) : "");
	if (attach->options->dry_run || ask_yes_no("Do it?") > 0)
		return 0;
	return error_refuse(err, "nothing is changed");
}
