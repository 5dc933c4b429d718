/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what the hook would say of the configuration that attach makes, before it is made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "change/recover.h"
#include "check/check.h"
#include "pci/companion.h"
#include "report/json.h"
#include "report/words.h"
#include "setup/ask.h"
#include "setup/attach/attach.h"
#include "setup/print.h"
#include "use/mdev.h"

/* A person who attaches a device says that it is the one meant, whatever was there before. */
void attach_forget_pins(struct settings *settings, const struct attach *attach)
{
	size_t kept = 0;

	for (size_t i = 0; i < settings->pin_count; i++) {
		bool given = false;

		for (size_t k = 0; k < attach->device_count; k++)
			given |= pci_addresses_has(&attach->devices[k].selection.functions,
						   settings->pins[i].address);
		if (!given)
			settings->pins[kept++] = settings->pins[i];
	}
	settings->pin_count = kept;
}

/* Both have parts of a function that is there for that; NVIDIA's virtual functions are one VM's. */
static bool is_shared(const struct attach *attach, const struct attach_device *device,
		      const struct hostpci *other)
{
	char name[PCI_ADDRESS_TEXT];

	if (!device->device.mdev || !other->mdev)
		return false;
	pci_address_format(device->selection.functions.items[0], name);
	return mdev_support(attach->root, name) == MDEV_TYPES;
}

/* VMs of this node whose configuration has one of the devices: fine, while one runs at a time. */
static void tell_of_other(const struct attach *attach, uint32_t vmid)
{
	cleanup_vm_config struct vm_config config = { 0 };

	if (vm_config_read(attach->root, NULL, vmid, &config, NULL) < 0 || config.is_template)
		return;
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		cleanup_pci_addresses struct pci_addresses line = { 0 };

		/* each takes a free one of these */
		if (attach->functions.count > 0 && config.hostpci[i].hostpci.mapping)
			continue;
		(void)attach_vm_line(&attach->vm, &config, i, &attach->mappings, &attach->present,
				     &line);
		for (size_t k = 0; k < attach->device_count; k++) {
			const struct pci_addresses *own = &attach->devices[k].selection.functions;

			if (line.count > 0 && pci_addresses_has(&line, own->items[0]) &&
			    !is_shared(attach, &attach->devices[k], &config.hostpci[i].hostpci))
				print_sentence(
					STDERR_FILENO, "", "",
					"VM %u has %s too (hostpci%u): only one of the two can run "
					"at a time.",
					vmid, attach->devices[k].device.function, i);
		}
	}
}

static void tell_of_others(const struct attach *attach)
{
	cleanup_strings struct strings names = { 0 };

	(void)sysroot_list(attach->root, "etc/pve/qemu-server", &names);
	for (size_t i = 0; i < names.count && attach->device_count > 0; i++) {
		uint32_t vmid;

		if (vm_config_vmid(names.items[i], &vmid) && vmid != attach->vm.vmid)
			tell_of_other(attach, vmid);
	}
}

/* What nobody has named and the host uses until then. */
static void tell_of_siblings(struct attach *attach, const struct start *start)
{
	for (size_t i = 0; i < start->plan.device_count && attach->device_count > 0; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		const struct pci_device *device = &planned->device;
		cleanup_free char *name = NULL;

		if (!planned->sibling || !device->driver || device->bridge ||
		    text_equal(device->driver, planned->vfio.name))
			continue;
		name = pci_name(&attach->names, attach->root, device);
		print_sentence(
			STDERR_FILENO, "", "",
			"%s %s leaves the host too while VM %u runs: it is in IOMMU group %d with "
			"what is attached.",
			device->name, name ? name : "", attach->vm.vmid, device->iommu_group);
	}
}

/* What the card of a GPU has behind another port of its switch, and nobody has named. */
static int tell_of_companions(struct attach *attach, const struct start *start, struct error *err)
{
	cleanup_pci_inventory struct pci_inventory inventory = { 0 };
	int r = attach->device_count > 0 ? pci_inventory_read(attach->root, &inventory, err) : 0;

	for (size_t i = 0; i < attach->device_count && r == 0; i++) {
		const struct layout_device *device = &attach->devices[i].device;
		char gpu[PCI_ADDRESS_TEXT];
		const struct pci_entry *entry;

		pci_address_format(attach->devices[i].selection.functions.items[0], gpu);
		entry = pci_inventory_find(&inventory, gpu);
		for (size_t k = 0; k < inventory.count && entry && pci_is_gpu(&entry->device);
		     k++) {
			const struct pci_device *other = &inventory.items[k].device;
			enum pci_companion kind = pci_companion_of(attach->root, &inventory, entry,
								   &inventory.items[k]);

			if (kind != PCI_COMPANION_NONE &&
			    !pci_same_slot(entry->device.address, other->address) &&
			    !plan_has_device(&start->plan, other->address))
				fprintf(stderr,
					"Its %s, %s, stays with the host: 'pve-vfio attach %u %s "
					"%s' gives the VM both.\n",
					pci_companion_word(kind), other->name, attach->vm.vmid,
					device->function, other->name);
		}
	}
	return r;
}

static int open_journals(const struct attach *attach, struct state *state, struct start *start,
			 struct error *err)
{
	int r = state_open(attach->root, false, state, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	start->state = state;
	r = journal_look(attach->root, state, attach->vm.vmid, &start->journal, err);
	return r == -ENOENT ? 0 : r;
}

int attach_check(struct attach *attach, const struct vm_edit *edit, struct error *err)
{
	cleanup_free char *text = vm_edit_text(edit, attach->vm.text), *words = NULL;
	cleanup_findings struct findings findings = { 0 };
	cleanup_state struct state state = { .fd = -1 };
	cleanup_start struct start start = {
		.root = attach->root,
		.vmid = attach->vm.vmid,
		.dry = true,
		.config_text = text,
		.displace = attach->displace.after,
	};
	size_t errors;
	int r;

	if (!text)
		return error_set_memory(err);
	r = open_journals(attach, &state, &start, err);
	if (r == 0)
		r = start_prepare(&start, err);
	if (r == 0) {
		attach_forget_pins(&start.settings, attach);
		r = check_start_run(&start, &findings, err);
	}
	if (r < 0)
		return r;
	words = words_findings(&findings, 0, print_findings_width(STDERR_FILENO));
	fputs(words ? words : "", stderr);
	tell_of_siblings(attach, &start);
	r = tell_of_companions(attach, &start, err);
	if (r < 0)
		return r;
	tell_of_others(attach);
	deeds_add(attach->deeds, "findings", findings_json(&findings));
	attach->warnings = findings_count(&findings, LEVEL_WARNING);
	errors = findings_count(&findings, LEVEL_ERROR);
	/* whoever only registers the hook gets it, with a word on what was wrong before */
	if (attach->device_count == 0)
		attach->errors = errors;
	if (errors == 0 || attach->device_count == 0)
		return 0;
	return error_refuse(err,
			    "the hook would refuse to start VM %u, for %zu reason%s; nothing is "
			    "changed",
			    attach->vm.vmid, errors, errors > 1 ? "s" : "");
}

/* ---- what an installed system would not like */

static const struct {
	const char *key;
	const char *linux_words, *windows_words;
} risks[] = {
	{ "bios",
	  "A system installed with the one firmware does not boot with the other: it "
	  "needs a boot loader for it on an EFI system partition, or in the MBR.",
	  "Windows installed with the one firmware does not boot with the other; mbr2gpt "
	  "in the guest prepares a disk for UEFI." },
	{ "machine",
	  "The guest's devices move to other places: names of network cards change "
	  "(ens18 to enp6s18), and what names them must follow.",
	  "Windows finds new hardware: network cards lose their addresses, and it may "
	  "want to be activated again." },
};

int attach_ask(const struct attach *attach, struct error *err)
{
	bool windows = attach_guest_is_windows(attach);
	bool any = false;

	if (!vm_config_has_disk(&attach->vm.config))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		const struct vm_change *change = vm_edit_find(&attach->edit, risks[i].key);

		if (!change)
			continue;
		any = true;
		print_sentence(STDERR_FILENO, "", "",
			       "The layout changes '%s' from %s to %s, and the VM has a disk. %s",
			       change->key, change->before ? change->before : "the default",
			       change->after ? change->after : "the default",
			       windows ? risks[i].windows_words : risks[i].linux_words);
	}
	if (!any || attach->options->yes || attach->options->dry_run ||
	    ask_yes_no("Change it?") > 0)
		return 0;
	return error_refuse(
		err,
		"VM %u is left as it is; --yes changes it, and another --layout may do without",
		attach->vm.vmid);
}
