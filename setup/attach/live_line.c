/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the hostpci line of a device that joins a VM that runs. Reads only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "setup/attach/live.h"

int live_pending(const struct attach *attach, struct vm_config *ret, struct error *err)
{
	const char *line = attach->vm.text, *end;

	while (*line && strncasecmp(line, "[PENDING]", 9) != 0) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	line += strcspn(line, "\n");
	line += *line == '\n';
	for (end = line; *end && *end != '[';) {
		end += strcspn(end, "\n");
		end += *end == '\n';
	}
	return vm_config_parse(attach->root, "the VM's pending changes", line, (size_t)(end - line),
			       ret, err);
}

/* 1: the line means these functions; 0: none of them; -EBUSY: some, or more than they. */
static int line_means(const struct attach *attach, const struct vm_config *config, unsigned number)
{
	const struct pci_addresses *wanted = &attach->devices[0].selection.functions;
	cleanup_pci_addresses struct pci_addresses line = { 0 };
	size_t same = 0;

	if (attach_vm_line(&attach->vm, config, number, &attach->mappings, &attach->present,
			   &line) < 0)
		return -ENOMEM;
	if (attach->mapping && text_equal(config->hostpci[number].hostpci.mapping, attach->mapping))
		return 1;
	for (size_t i = 0; i < line.count; i++)
		same += pci_addresses_has(wanted, line.items[i]);
	if (same == 0)
		return 0;
	return same == wanted->count && same == line.count ? 1 : -EBUSY;
}

/* The line of the configuration, or of what is pending, that has the device. 1, 0 or negative. */
static int find_line(struct live_look *look, const struct vm_config *pending, struct error *err)
{
	const struct attach *attach = look->attach;

	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		const struct vm_config *config =
			pending->hostpci[i].present ? pending : &attach->vm.config;
		int r = line_means(attach, config, i);

		if (r == -ENOMEM)
			return error_set_memory(err);
		if (r == -EBUSY)
			return error_refuse(err,
					    "hostpci%u of VM %u has a part of the device, or more "
					    "than it: %s",
					    i, attach->vm.vmid, config->hostpci[i].value);
		if (r == 0)
			continue;
		if (config == pending && attach->vm.config.hostpci[i].present &&
		    line_means(attach, &attach->vm.config, i) != 1)
			return error_refuse(err,
					    "hostpci%u of VM %u is another device until its next "
					    "start, which has this one",
					    i, attach->vm.vmid);
		look->number = i;
		look->written = true;
		look->value = strdup(config->hostpci[i].value);
		return look->value ? 1 : error_set_memory(err);
	}
	return 0;
}

/* What this program has taken for the VM by a line that was never written: it was killed before. */
static int find_in_journal(struct live_look *look)
{
	const struct pci_addresses *wanted = &look->attach->devices[0].selection.functions;
	char name[PCI_ADDRESS_TEXT];
	const struct action *bind = actions_find(&look->start.journal.actions, ACTION_BIND,
						 pci_address_format(wanted->items[0], name));
	uint32_t number;

	if (!bind || !text_starts_with(bind->source, "hostpci") ||
	    parse_u32(bind->source + strlen("hostpci"), &number) < 0 || number >= HOSTPCI_COUNT)
		return 0;
	look->number = number;
	return 1;
}

/* As a layout writes it for a device that is not a display. */
static int make_value(struct live_look *look, struct error *err)
{
	const struct attach *attach = look->attach;
	const struct pci_selection *selection = &attach->devices[0].selection;
	struct layout_device device = { 0 };
	const char *where;
	int r = layout_device_read(attach->root, selection, &device, err);

	if (r < 0)
		return r;
	where = selection->whole || selection->functions.count > 1 ? device.slot : device.function;
	look->value = text_format(
		"%s%s%s%s", attach->mapping ? "mapping=" : "",
		attach->mapping ? attach->mapping : where,
		vm_config_is_q35(&attach->vm.config) ? ",pcie=1" : "",
		/* its ROM is for the firmware, which does not run now, and can hang at the next start */
		device.hba ? ",rombar=0" : "");
	return look->value ? 0 : error_set_memory(err);
}

static int refuse_slot(const struct live_look *look, int r, struct error *err)
{
	const uint32_t vmid = look->attach->vm.vmid;

	if (r == -EBUSY)
		return error_refuse(err,
				    "the place of hostpci%u in VM %u is taken by another device",
				    look->number, vmid);
	if (r == -EAGAIN)
		return error_refuse(
			err,
			"the firmware of VM %u has not set its PCI Express ports up yet; "
			"try again when the guest has booted",
			vmid);
	return error_refuse(err,
			    "VM %u was started without a place for hostpci%u: a q35 has ports for "
			    "hostpci0 to hostpci3, and more only for lines it is started with",
			    vmid, look->number);
}

static int find_free(struct live_look *look, const struct vm_config *pending,
		     const struct qemu_functions *functions, struct error *err)
{
	const struct attach *attach = look->attach;
	bool q35 = vm_config_is_q35(&attach->vm.config);
	int first = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		int r;

		if (attach->vm.config.hostpci[i].present || pending->hostpci[i].present)
			continue;
		r = qemu_slot_find(functions, q35, i, &look->slot);
		look->number = i;
		if (r == 0)
			return make_value(look, err);
		first = first ? first : r;
	}
	if (first == -EAGAIN)
		return refuse_slot(look, first, err);
	return error_refuse(
		err,
		"VM %u has no free place for another device while it runs%s; shut it down, "
		"and 'pve-vfio attach %u' gives it one",
		attach->vm.vmid,
		q35 ? ": a q35 has ports for hostpci0 to hostpci3, and more only for lines "
		      "it is started with"
		    : "",
		attach->vm.vmid);
}

/* What Proxmox VE makes of other keys is more than a device that is added. */
static int refuse_keys(const struct live_look *look, struct error *err)
{
	static const char *const known[] = { "host", "mapping", "pcie", "rombar", "romfile" };

	for (const char *part = look->value; *part;) {
		size_t size = strcspn(part, ","), key = strcspn(part, "=,");
		bool fits = part[key] != '=';

		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			fits |= strlen(known[i]) == key && memcmp(part, known[i], key) == 0;
		if (!fits)
			return error_refuse(
				err,
				"hostpci%u of VM %u has '%.*s', which only a start can give "
				"a device",
				look->number, look->attach->vm.vmid, (int)size, part);
		part += size + (part[size] == ',');
	}
	return 0;
}

static int look_at_place(struct live_look *look, const struct qemu_functions *functions,
			 struct error *err)
{
	bool q35 = vm_config_is_q35(&look->attach->vm.config);
	size_t mapped;
	int r = hostpci_parse(look->value, &look->line, err);

	if (r == 0)
		r = refuse_keys(look, err);
	if (r < 0)
		return r;
	look->joined = qemu_functions_of_line(functions, look->number, &mapped) > 0;
	if (look->joined)
		return 0;
	if (q35 && !look->line.pcie)
		return error_refuse(
			err,
			"hostpci%u of VM %u has no pcie=1, and on a q35 a device joins at a "
			"PCI Express port: 'qm set %u --hostpci%u %s,pcie=1'",
			look->number, look->attach->vm.vmid, look->attach->vm.vmid, look->number,
			look->value);
	r = qemu_slot_find(functions, q35, look->number, &look->slot);
	return r < 0 ? refuse_slot(look, r, err) : 0;
}

int live_look_for_line(struct live_look *look, const struct qemu_functions *functions,
		       struct error *err)
{
	cleanup_vm_config struct vm_config pending = { 0 };
	int r = live_pending(look->attach, &pending, err);

	if (r == 0)
		r = find_line(look, &pending, err);
	if (r == 0) {
		r = find_in_journal(look);
		r = r > 0 ? make_value(look, err) : find_free(look, &pending, functions, err);
	}
	return r < 0 ? r : look_at_place(look, functions, err);
}
