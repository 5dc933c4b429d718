/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the devices attach is asked for, and what their layouts set. Changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "pve/args.h"
#include "setup/attach/attach.h"
#include "use/mdev.h"

#define GOP_DEFAULT "AMDGopDriver.rom"
#define ROM_FOLDER  "usr/share/kvm"

static bool any_in(const struct pci_addresses *a, const struct pci_addresses *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (pci_addresses_has(b, a->items[i]))
			return true;
	return false;
}

static bool any_display(const struct sysroot *root, const struct pci_addresses *functions)
{
	for (size_t i = 0; i < functions->count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };

		if (pci_device_read(root, functions->items[i], &device, NULL) == 0 &&
		    device.class_code >> 16 == 0x03)
			return true;
	}
	return false;
}

/* Whether `args` has one of the functions. 1, 0 or negative. */
static int args_have(const struct attach *attach, const struct pci_addresses *functions,
		     struct error *err)
{
	const char *line = vm_config_get(&attach->vm.config, "args");
	cleanup_args struct args args = { 0 };
	int r = line ? args_parse(line, &args, err) : 0;

	for (size_t i = 0; i < args.count && r == 0; i++)
		r = pci_addresses_has(functions, args.devices[i].address);
	return r;
}

/* A line has the device; of any virtual function it is the mapping that counts. */
static bool line_has(const struct attach *attach, unsigned number, const struct pci_addresses *line,
		     const struct pci_addresses *functions)
{
	const struct vm_hostpci *own = &attach->vm.config.hostpci[number];

	if (attach->functions.count > 0)
		return own->present && text_equal(own->hostpci.mapping, attach->mapping);
	return any_in(line, functions);
}

/*
 * What of the VM has the device already, HOSTPCI_COUNT + 1 for nothing; and whether the VM has
 * another display.
 */
static int look_at_lines(const struct attach *attach, struct attach_device *device,
			 bool *ret_display, struct error *err)
{
	const struct pci_addresses *functions = &device->selection.functions;
	int r;

	device->line = HOSTPCI_COUNT + 1;
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		cleanup_pci_addresses struct pci_addresses line = { 0 };

		if (attach_vm_line(&attach->vm, &attach->vm.config, i, &attach->mappings,
				   &attach->present, &line) < 0)
			return error_set_memory(err);
		if (line_has(attach, i, &line, functions)) {
			if (device->line > HOSTPCI_COUNT)
				device->line = i;
		} else if (any_display(attach->root, &line)) {
			*ret_display = true;
		}
	}
	r = attach->functions.count > 0 ? 0 : args_have(attach, functions, err);
	if (r > 0 && device->line > HOSTPCI_COUNT)
		device->line = HOSTPCI_COUNT;
	return r < 0 ? r : 0;
}

/* The files of an APU, by the names that `pve-vfio rom vfct` and the guides give them. */
static int find_roms(const struct attach *attach, struct attach_device *device, struct error *err)
{
	struct layout_device *own = &device->device;
	const char *gop = attach->options->gop ? attach->options->gop : GOP_DEFAULT;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), ROM_FOLDER "/%s", gop);
	if (attach->options->gop || sysroot_exists(attach->root, path))
		own->gop = gop;
	if (!own->romfile) {
		snprintf(device->vbios, sizeof(device->vbios), "vbios_%04x_%04x.bin", own->vendor,
			 own->device);
		own->romfile = device->vbios;
	}
	snprintf(path, sizeof(path), ROM_FOLDER "/%s", own->romfile);
	if (sysroot_exists(attach->root, path))
		return 0;
	return error_set(err, -ENOENT,
			 "AMD graphics in the processor need their video BIOS as a file, and "
			 "/%s is not there. Make it with:\n"
			 "  pve-vfio rom vfct --device %s -o %s\n"
			 "  pve-vfio rom install %s",
			 path, own->function, own->romfile, own->romfile);
}

static int choose_layout(const struct attach *attach, struct attach_device *device,
			 bool has_display, bool *used, struct error *err)
{
	const char *name = attach->options->layout;
	const struct layout *layout = name ? layout_find(name) : NULL;

	device->device.romfile = attach->options->romfile;
	if (layout && layout_suits(layout, device->device.kind)) {
		device->layout = layout;
		*used = true;
	} else {
		device->layout = layout_choose(&device->device, &attach->vm.config, has_display);
	}
	if (attach->options->guided && !name) {
		int r = attach_ask_layout(device, err);

		if (r < 0)
			return r;
	}
	return text_equal(layout_name(device->layout), "amd-apu") ? find_roms(attach, device, err)
								  : 0;
}

/* How long a driver may take to list its types. */
#define TYPES_MS 5000

/* The selected function that offers the type, else one that offers any, else the first. */
static struct pci_address choose_function(const struct attach *attach,
					  const struct pci_addresses *functions)
{
	struct pci_address any = functions->items[0];

	for (size_t i = functions->count; i-- > 0;) {
		cleanup_mdev_types struct mdev_types types = { 0 };
		char name[PCI_ADDRESS_TEXT];

		pci_address_format(functions->items[i], name);
		if (mdev_support(attach->root, name) == MDEV_NONE)
			continue;
		any = functions->items[i];
		if (mdev_types_read_bounded(attach->root, name, TYPES_MS, &types) == 0 &&
		    mdev_types_find(&types, attach->options->mdev))
			break;
	}
	return any;
}

/* A mediated device is one function's, whatever word names the device. */
static void select_mdev(const struct attach *attach, struct pci_selection *selection)
{
	if (!attach->options->mdev)
		return;
	selection->functions.items[0] = choose_function(attach, &selection->functions);
	selection->functions.count = 1;
	selection->whole = false;
}

/* A line of the VM has what is asked for: all of the device, or a part of this type. */
static bool is_there(const struct attach *attach, const struct attach_device *device)
{
	const char *mdev = attach->options->mdev;

	if (device->line >= HOSTPCI_COUNT)
		return device->line == HOSTPCI_COUNT && !mdev;
	return !mdev || text_equal(attach->vm.config.hostpci[device->line].hostpci.mdev, mdev);
}

/* The device a word means; at a terminal it is asked for where there are several. */
static int select_device(struct attach *attach, const char *word, struct pci_selection *ret,
			 struct error *err)
{
	cleanup_pci_addresses struct pci_addresses several = { 0 };
	cleanup_free char *question = text_format("'%s' means several devices. Which one?", word);
	char chosen[PCI_ADDRESS_TEXT];
	int r = pci_select(attach->root, &attach->names, &attach->present, word, ret, err);

	if (r != -ENOTUNIQ || !attach->options->asks)
		return r;
	*err = (struct error){ 0 };
	if (!question ||
	    pci_meant(attach->root, &attach->names, &attach->present, word, &several) < 0)
		return error_set_memory(err);
	r = attach_ask_device(attach->root, &attach->names, &several, question, chosen, err);
	return r < 0 ? r
		     : pci_select(attach->root, &attach->names, &attach->present, chosen, ret, err);
}

/* The line that has the device stays as it is, unless a layout is asked for. */
static int look_at_device(struct attach *attach, const char *word, bool *has_display, bool *used,
			  struct error *err)
{
	struct attach_device *device;
	int r;

	if (array_reserve(&attach->devices, attach->device_count, sizeof(*device)) < 0)
		return error_set_memory(err);
	device = &attach->devices[attach->device_count];
	*device = (struct attach_device){ 0 };
	r = select_device(attach, word, &device->selection, err);
	if (r < 0)
		return r;
	attach->device_count++;
	select_mdev(attach, &device->selection);
	for (size_t i = 0; i + 1 < attach->device_count; i++)
		if (any_in(&attach->devices[i].selection.functions, &device->selection.functions))
			return error_set(err, -EINVAL,
					 "'%s' means a device that an earlier word means already",
					 word);
	r = layout_device_read(attach->root, &device->selection, &device->device, err);
	device->device.mdev = attach->options->mdev;
	if (r == 0)
		r = look_at_lines(attach, device, has_display, err);
	if (r < 0)
		return r;
	if (is_there(attach, device) && !attach->options->layout) {
		*has_display |= any_display(attach->root, &device->selection.functions);
		return 0;
	}
	r = choose_layout(attach, device, *has_display, used, err);
	*has_display |= any_display(attach->root, &device->selection.functions);
	return r;
}

/* The device a mapping has on this node; of several alternatives the first represents all. */
static const char *mapped_device(const struct attach *attach)
{
	const char *name = attach->mapping;
	const struct mapping *mapping = name ? mappings_find(&attach->mappings, name) : NULL;

	for (size_t i = 0; mapping && i < mapping->count; i++)
		if (strcmp(mapping->entries[i].node, attach->vm.node) == 0)
			return mapping->entries[i].paths.items[0];
	return NULL;
}

static int look_at_mapped(struct attach *attach, bool *has_display, bool *used, struct error *err)
{
	const char *path = mapped_device(attach);

	if (path)
		return look_at_device(attach, path, has_display, used, err);
	return error_set(err, -ENOENT,
			 "there is no resource mapping '%s' with a device of this node; name the "
			 "device, and it is made",
			 attach->mapping);
}

int attach_devices_look(struct attach *attach, struct error *err)
{
	const struct attach_options *options = attach->options;
	bool has_display = false, used = false;
	int r = 0;

	for (int i = 0; i < options->word_count && r == 0; i++)
		r = look_at_device(attach, options->words[i], &has_display, &used, err);
	if (attach->functions.count > 0)
		r = look_at_device(attach, attach->first, &has_display, &used, err);
	else if (options->mapping && options->word_count == 0)
		r = look_at_mapped(attach, &has_display, &used, err);
	/* With a sentence: it is the person's word that does not fit, not the machine. */
	if (r < 0)
		/* a device that is absent is not a refusal, as everywhere */
		return r == -ENODEV ? r : error_as_refusal(err, r);
	if (options->layout && !used && attach->device_count > 0)
		return error_refuse(err, "layout '%s' is not for %s (%s)", options->layout,
				    layout_kind_name(attach->devices[0].device.kind),
				    attach->devices[0].device.function);
	return 0;
}

/* Every line that has one of the device's functions goes, so that it comes back as the layout has it. */
static int clear_lines(const struct attach *attach, const struct attach_device *device,
		       struct vm_edit *edit)
{
	const struct vm_config *config = &attach->vm.config;
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		cleanup_pci_addresses struct pci_addresses line = { 0 };
		char key[SOURCE_MAX];

		snprintf(key, sizeof(key), "hostpci%u", i);
		r = attach_vm_line(&attach->vm, config, i, &attach->mappings, &attach->present,
				   &line);
		if (r == 0 && line_has(attach, i, &line, &device->selection.functions))
			r = vm_edit_set(edit, key, vm_config_value(config, key), NULL, NULL);
	}
	return r;
}

/* What an earlier attach put into `args` goes; what somebody wrote there stays. */
static int clear_args(const struct attach *attach, struct vm_edit *edit)
{
	const struct vm_change *ours = vm_edit_find(&attach->attached.edit, "args");
	const char *now = vm_config_get(&attach->vm.config, "args");

	if (!ours || !text_equal(ours->after, now))
		return 0;
	return vm_edit_set(edit, "args", now, ours->before, NULL);
}

int attach_devices_edit(const struct attach *attach, bool mapped, struct vm_edit *edit,
			struct error *err)
{
	for (size_t i = 0; i < attach->device_count; i++) {
		const struct attach_device *device = &attach->devices[i];
		struct layout_device own = device->device;
		int r;

		if (!device->layout)
			continue;
		own.mapping = mapped ? attach->mapping : NULL;
		r = clear_lines(attach, device, edit);
		if (r == 0 && device->line == HOSTPCI_COUNT)
			r = clear_args(attach, edit);
		if (r < 0)
			return error_set_memory(err);
		r = layout_apply(device->layout, &own, &attach->vm.config, HOSTPCI_COUNT, edit,
				 err);
		if (r < 0)
			return r;
	}
	return 0;
}
