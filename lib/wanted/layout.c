/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted: layouts. Asks nobody and changes nothing: it only says what would be set. */
#include "wanted/layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "pci/facts.h"

#define VENDOR_AMD     0x1002
#define VENDOR_NVIDIA  0x10de
#define VENDOR_INTEL   0x8086
#define CLASS_VGA      0x0300
#define CLASS_AUDIO    0x0403
#define CLASS_RAID     0x0104
#define CLASS_SAS      0x0107

#define FUNCTION_COUNT 8

/* When a key is set. */
enum condition {
	IF_OTHER, /* it is not what is wanted */
	IF_THERE, /* it is there, and not what is wanted */
};

struct setting {
	const char *key;
	const char *value; /* NULL: the key goes */
	enum condition condition;
	const char *why;
};

#define SETTINGS_COUNT 4

static const struct setting
	ovmf = { "bios", "ovmf", IF_OTHER, "UEFI shows itself on the GPU from the start" },
	seabios = { "bios", NULL, IF_THERE, "SeaBIOS, the default, runs the GPU's own BIOS" },
	q35 = { "machine", "q35", IF_OTHER, "only q35 has PCI Express slots" },
	i440fx = { "machine", NULL, IF_THERE, "legacy graphics need the old machine" },
	cpu_host = { "cpu", "host", IF_OTHER, "the GPU's driver looks at what the CPU can do" },
	/* without the key Proxmox VE leaves the emulated display out when there is x-vga */
	not_beside = { "vga", "none", IF_THERE, "an emulated display beside it would be first" },
	no_vga = { "vga", "none", IF_OTHER, "the GPU is of use only as the first display" },
	/* of every layout */
	no_balloon = { "balloon", "0", IF_THERE,
		       "all memory is pinned: there is none to give back" };

/* How the device is written. */
enum form {
	FORM_HOSTPCI,  /* one line: the slot where all of it is meant, else the function */
	FORM_SLOT,     /* one line, the slot if nothing else is in it */
	FORM_FUNCTION, /* one line, always the function */
	FORM_APU,      /* two lines: graphics and audio, each with its ROM */
	FORM_ARGS,     /* in `args`, which can say to QEMU what a hostpci line cannot */
	FORM_MDEV,     /* one line: the function, and the type of the part that is meant */
};

struct layout {
	const char *name;
	const char *what;
	enum layout_kind kind;
	enum form form;
	const char *options; /* of the line, or NULL */
	bool pcie_if_q35;
	const struct setting *settings[SETTINGS_COUNT]; /* the rest is NULL */
};

static const struct layout layouts[] = {
	{
		.name = "gpu-ovmf-pcie",
		.what = "the only display, UEFI, PCI Express: best for current GPUs",
		.kind = LAYOUT_GPU,
		.options = "pcie=1,x-vga=on",
		.settings = { &ovmf, &q35, &not_beside },
	},
	{
		.name = "gpu-ovmf-pci",
		.what = "the only display, UEFI, conventional PCI",
		.kind = LAYOUT_GPU,
		.options = "x-vga=on",
		.settings = { &ovmf, &not_beside },
	},
	{
		.name = "gpu-seabios-pci",
		.what = "the only display, SeaBIOS, conventional PCI",
		.kind = LAYOUT_GPU,
		.options = "x-vga=on",
		.settings = { &seabios, &not_beside },
	},
	{
		.name = "gpu-seabios-pcie",
		.what = "the only display, SeaBIOS, PCI Express",
		.kind = LAYOUT_GPU,
		.options = "pcie=1,x-vga=on",
		.settings = { &seabios, &q35, &not_beside },
	},
	{
		.name = "nvidia",
		.what = "an NVIDIA GPU as the only display",
		.kind = LAYOUT_GPU,
		.options = "pcie=1,x-vga=on",
		.settings = { &ovmf, &q35, &not_beside, &cpu_host },
	},
	{
		.name = "gpu-second",
		.what = "a GPU beside another display, or to compute with",
		.kind = LAYOUT_COMPUTE,
		.pcie_if_q35 = true,
	},
	{
		.name = "igpu",
		.what = "Intel graphics to encode and compute with",
		.kind = LAYOUT_INTEL_IGPU,
		.form = FORM_SLOT,
		.pcie_if_q35 = true,
	},
	{
		.name = "igpu-pcie",
		.what = "Intel graphics as the only display, for Windows by RDP",
		.kind = LAYOUT_INTEL_IGPU,
		.form = FORM_SLOT,
		.options = "pcie=1",
		.settings = { &q35, &no_vga },
	},
	{
		.name = "igpu-legacy",
		.what = "Intel graphics on the host's connectors, to generation 9",
		.kind = LAYOUT_INTEL_IGPU,
		.form = FORM_FUNCTION,
		.options = "legacy-igd=1",
		.settings = { &seabios, &i440fx, &no_vga },
	},
	{
		.name = "igpu-args",
		.what = "Intel graphics of a NUC, with its ROM; needs --romfile",
		.kind = LAYOUT_INTEL_IGPU,
		.form = FORM_ARGS,
		.options = "addr=0x02,x-igd-gms=4",
		.settings = { &seabios, &i440fx, &no_vga },
	},
	{
		.name = "amd-apu",
		.what = "AMD graphics in the processor, with their ROMs as files",
		.kind = LAYOUT_AMD_APU,
		.form = FORM_APU,
		.options = "pcie=1",
		.settings = { &ovmf, &q35, &no_vga, &cpu_host },
	},
	/* Proxmox VE takes no line with several functions, nor with legacy-igd, for a part of one */
	{
		.name = "vgpu",
		.what = "a part of a device that VMs share; needs --mdev",
		.kind = LAYOUT_PLAIN,
		.form = FORM_MDEV,
		.pcie_if_q35 = true,
	},
	{
		.name = "nic",
		.what = "a network card, without its boot ROM",
		.kind = LAYOUT_NIC,
		.options = "rombar=0",
		.pcie_if_q35 = true,
	},
	{
		.name = "disk",
		.what = "a disk controller with all its disks",
		.kind = LAYOUT_DISK,
		.pcie_if_q35 = true,
	},
	{
		.name = "hba",
		.what = "the same without its boot ROM, where the VM has another disk",
		.kind = LAYOUT_DISK,
		.options = "rombar=0",
		.pcie_if_q35 = true,
	},
	{
		.name = "usb",
		.what = "a USB controller with all its ports",
		.kind = LAYOUT_USB,
		.pcie_if_q35 = true,
	},
	{
		.name = "plain",
		.what = "any other device",
		.kind = LAYOUT_PLAIN,
		.pcie_if_q35 = true,
	},
};

#define LAYOUT_COUNT ARRAY_SIZE(layouts)

static const char *const kind_names[] = {
	[LAYOUT_GPU] = "a GPU",
	[LAYOUT_COMPUTE] = "a GPU without VGA",
	[LAYOUT_INTEL_IGPU] = "Intel graphics",
	[LAYOUT_AMD_APU] = "AMD graphics in the processor",
	[LAYOUT_NIC] = "a network card",
	[LAYOUT_DISK] = "a disk controller",
	[LAYOUT_USB] = "a USB controller",
	[LAYOUT_PLAIN] = "another device",
};
TABLE_FOLLOWS(kind_names, LAYOUT_KIND_COUNT);

const struct layout *layout_find(const char *name)
{
	int at = TABLE_FIND(layouts, name);

	return at < 0 ? NULL : &layouts[at];
}

const struct layout *layout_at(size_t at)
{
	return at < LAYOUT_COUNT ? &layouts[at] : NULL;
}

const char *layout_name(const struct layout *layout)
{
	return layout->name;
}

const char *layout_what(const struct layout *layout)
{
	return layout->what;
}

const char *layout_kind_name(enum layout_kind kind)
{
	return kind_names[kind];
}

/*
 * Graphics in a processor are GPUs too, each GPU can compute, and any device may be given as it is.
 * What has no VGA cannot be the first display: QEMU fails at x-vga.
 */
bool layout_suits(const struct layout *layout, enum layout_kind kind)
{
	bool igpu = kind == LAYOUT_INTEL_IGPU || kind == LAYOUT_AMD_APU;

	if (layout->kind == LAYOUT_GPU && igpu)
		return true;
	if (layout->kind == LAYOUT_COMPUTE && (igpu || kind == LAYOUT_GPU))
		return true;
	return layout->kind == kind || layout->kind == LAYOUT_PLAIN;
}

static enum layout_kind kind_of_class(const struct pci_device *device)
{
	uint32_t class_code = device->class_code;

	switch (class_code >> 16) {
	case 0x03:
		return class_code >> 8 == CLASS_VGA ? LAYOUT_GPU : LAYOUT_COMPUTE;
	case 0x12:
		return pci_is_gpu(device) ? LAYOUT_COMPUTE : LAYOUT_PLAIN;
	case 0x02:
		return LAYOUT_NIC;
	case 0x01:
		return LAYOUT_DISK;
	default:
		return class_code >> 8 == 0x0c03 ? LAYOUT_USB : LAYOUT_PLAIN;
	}
}

/*
 * A virtual function has no outputs, whatever its class says; the display of a management controller
 * is not a GPU.
 */
static enum layout_kind kind_of(const struct sysroot *root, const struct pci_device *device)
{
	enum layout_kind kind = kind_of_class(device);

	if (pci_is_console_chip(device))
		return LAYOUT_PLAIN;
	if (kind == LAYOUT_GPU && pci_is_virtual(root, device->name))
		return LAYOUT_COMPUTE;
	if (kind == LAYOUT_GPU && device->vendor == VENDOR_INTEL &&
	    strcmp(device->name, "0000:00:02.0") == 0)
		return LAYOUT_INTEL_IGPU;
	return pci_is_apu(root, device) ? LAYOUT_AMD_APU : kind;
}

/* As the guides write it: without domain 0000, which Proxmox VE adds. */
static void short_address(struct pci_address address, bool slot, char ret[PCI_ADDRESS_TEXT])
{
	char full[PCI_ADDRESS_TEXT];

	pci_address_format(address, full);
	if (slot)
		*strrchr(full, '.') = '\0';
	snprintf(ret, PCI_ADDRESS_TEXT, "%s", full + (text_starts_with(full, "0000:") ? 5 : 0));
}

static bool is_alone(const struct sysroot *root, struct pci_address own)
{
	struct pci_address other = own;

	for (other.function = 0; other.function < FUNCTION_COUNT; other.function++) {
		char path[SYSROOT_PATH_MAX], name[PCI_ADDRESS_TEXT];

		pci_attribute_path(path, pci_address_format(other, name), "");
		if (other.function != own.function && sysroot_exists(root, path))
			return false;
	}
	return true;
}

int layout_device_read(const struct sysroot *root, const struct pci_selection *selection,
		       struct layout_device *ret, struct error *err)
{
	const struct pci_addresses *functions = &selection->functions;
	cleanup_pci_device struct pci_device device = { 0 };
	int r = pci_device_read(root, functions->items[0], &device, err);

	if (r < 0)
		return r;
	*ret = (struct layout_device){
		.kind = kind_of(root, &device),
		.vendor = device.vendor,
		.device = device.device,
		.hba = device.class_code >> 8 == CLASS_RAID || device.class_code >> 8 == CLASS_SAS,
		.whole = selection->whole,
	};
	ret->alone = is_alone(root, device.address);
	short_address(device.address, true, ret->slot);
	short_address(device.address, false, ret->function);
	for (size_t i = 1; i < functions->count && ret->kind == LAYOUT_AMD_APU; i++) {
		cleanup_pci_device struct pci_device other = { 0 };

		if (pci_device_read(root, functions->items[i], &other, NULL) == 0 &&
		    other.class_code >> 8 == CLASS_AUDIO && other.vendor == VENDOR_AMD)
			short_address(other.address, false, ret->audio);
	}
	return 0;
}

static bool has_ovmf(const struct vm_config *config)
{
	return text_equal(vm_config_get(config, "bios"), "ovmf");
}

/* "l26" and "l24": the `ostype` that was chosen when the VM was made. */
static bool has_linux(const struct vm_config *config)
{
	const char *type = vm_config_get(config, "ostype");

	return type && *type == 'l';
}

const struct layout *layout_choose(const struct layout_device *device,
				   const struct vm_config *config, bool has_display)
{
	bool uefi = has_ovmf(config), pcie = vm_config_is_q35(config);

	if (device->mdev)
		return layout_find("vgpu");
	switch (device->kind) {
	case LAYOUT_INTEL_IGPU:
		if (device->romfile)
			return layout_find("igpu-args");
		/* as the only display it costs the VM its console, for which Linux has no need */
		return layout_find(pcie && !has_linux(config) ? "igpu-pcie" : "igpu");
	case LAYOUT_AMD_APU:
		return layout_find("amd-apu");
	case LAYOUT_COMPUTE:
		return layout_find("gpu-second");
	case LAYOUT_NIC:
		return layout_find("nic");
	case LAYOUT_DISK:
		return layout_find(device->hba && vm_config_has_disk(config) ? "hba" : "disk");
	case LAYOUT_USB:
		return layout_find("usb");
	case LAYOUT_PLAIN:
		return layout_find("plain");
	case LAYOUT_GPU:
		break;
	}
	if (has_display)
		return layout_find("gpu-second");
	if (device->vendor == VENDOR_NVIDIA && uefi && pcie)
		return layout_find("nvidia");
	if (uefi)
		return layout_find(pcie ? "gpu-ovmf-pcie" : "gpu-ovmf-pci");
	return layout_find(pcie ? "gpu-seabios-pcie" : "gpu-seabios-pci");
}

/* Whether the VM has it already, by a name that means the same. */
static bool is_set(const struct setting *setting, const struct vm_config *config, const char *now)
{
	if (strcmp(setting->key, "machine") == 0)
		return vm_config_is_q35(config) == (setting->value != NULL);
	if (strcmp(setting->key, "bios") == 0 && !setting->value)
		return !has_ovmf(config);
	if (strcmp(setting->key, "cpu") == 0)
		return now && text_starts_with(now, setting->value);
	return text_equal(now, setting->value);
}

static int apply_setting(const struct setting *setting, const struct vm_config *config,
			 struct vm_edit *edit)
{
	const char *now = vm_config_value(config, setting->key);

	if (is_set(setting, config, now) || (setting->condition == IF_THERE && !now))
		return 0;
	return vm_edit_set(edit, setting->key, now, setting->value, setting->why);
}

static bool will_be_q35(const struct vm_edit *edit, const struct vm_config *config)
{
	const char *machine = vm_edit_value(edit, config, "machine");

	return machine && strstr(machine, "q35");
}

static int set_hostpci(const struct vm_config *config, unsigned number, char *value,
		       struct vm_edit *edit, struct error *err)
{
	cleanup_free char *owned = value, *key = NULL;

	if (number >= HOSTPCI_COUNT)
		number = vm_edit_free_hostpci(edit, config);
	if (number >= HOSTPCI_COUNT)
		return error_set(err, -ENOSPC, "the VM has %d hostpci lines: there is no room",
				 HOSTPCI_COUNT);
	key = text_format("hostpci%u", number);
	if (!key || !owned || vm_edit_set(edit, key, vm_config_value(config, key), owned, NULL) < 0)
		return error_set_memory(err);
	return 0;
}

static char *line_value(const char *device, const char *options, bool pcie, const char *romfile)
{
	return text_format("%s%s%s%s%s%s", device, pcie ? ",pcie=1" : "", options ? "," : "",
			   options ? options : "", romfile ? ",romfile=" : "",
			   romfile ? romfile : "");
}

static int apply_hostpci(const struct layout *layout, const struct layout_device *device,
			 const struct vm_config *config, unsigned number, struct vm_edit *edit,
			 struct error *err)
{
	bool slot = (layout->form == FORM_SLOT && device->alone) ||
		    (layout->form == FORM_HOSTPCI && device->whole);
	bool pcie = layout->pcie_if_q35 && will_be_q35(edit, config);
	cleanup_free char *mapped = NULL, *mdev = NULL;
	const char *what = slot ? device->slot : device->function, *options = layout->options;

	if (layout->form == FORM_MDEV) {
		if (!device->mdev)
			return error_set(err, -ENOENT,
					 "layout '%s' needs --mdev: 'pve-vfio devices %s' lists "
					 "the types",
					 layout->name, device->function);
		options = mdev = text_format("mdev=%s", device->mdev);
		if (!mdev)
			return error_set_memory(err);
	}
	if (device->mapping) {
		mapped = text_format("mapping=%s", device->mapping);
		if (!mapped)
			return error_set_memory(err);
		what = mapped;
	}
	return set_hostpci(config, number, line_value(what, options, pcie, device->romfile), edit,
			   err);
}

/* The video BIOS of the graphics, and the UEFI driver, which OVMF finds on any function. */
static int apply_apu(const struct layout *layout, const struct layout_device *device,
		     const struct vm_config *config, unsigned number, struct vm_edit *edit,
		     struct error *err)
{
	int r;

	r = set_hostpci(config, number,
			line_value(device->function, layout->options, false, device->romfile), edit,
			err);
	if (r < 0 || !*device->audio)
		return r;
	return set_hostpci(config, HOSTPCI_COUNT,
			   line_value(device->audio, layout->options, false, device->gop), edit,
			   err);
}

static int apply_args(const struct layout *layout, const struct layout_device *device,
		      const struct vm_config *config, struct vm_edit *edit, struct error *err)
{
	const char *now = vm_edit_value(edit, config, "args");
	cleanup_free char *args = NULL;

	if (!device->romfile)
		return error_set(err, -ENOENT,
				 "layout '%s' needs --romfile: 'pve-vfio rom dump %s' reads it",
				 layout->name, device->function);
	args = text_format("%s%s-device vfio-pci,host=%s,%s,romfile=%s,x-vga=on", now ? now : "",
			   now ? " " : "", device->function, layout->options, device->romfile);
	if (!args || vm_edit_set(edit, "args", vm_config_get(config, "args"), args,
				 "a hostpci line cannot say x-igd-gms and addr") < 0)
		return error_set_memory(err);
	return 0;
}

int layout_apply(const struct layout *layout, const struct layout_device *device,
		 const struct vm_config *config, unsigned number, struct vm_edit *edit,
		 struct error *err)
{
	for (size_t i = 0; i < SETTINGS_COUNT && layout->settings[i]; i++)
		if (apply_setting(layout->settings[i], config, edit) < 0)
			return error_set_memory(err);
	if (apply_setting(&no_balloon, config, edit) < 0)
		return error_set_memory(err);
	switch (layout->form) {
	case FORM_ARGS:
		return apply_args(layout, device, config, edit, err);
	case FORM_APU:
		return apply_apu(layout, device, config, number, edit, err);
	case FORM_HOSTPCI:
	case FORM_SLOT:
	case FORM_FUNCTION:
	case FORM_MDEV:
		break;
	}
	return apply_hostpci(layout, device, config, number, edit, err);
}

bool vm_config_has_disk(const struct vm_config *config)
{
	static const char *const buses[] = { "scsi", "virtio", "sata", "ide", "nvme" };

	for (size_t i = 0; i < config->setting_count; i++) {
		const struct vm_setting *setting = &config->settings[i];

		for (size_t k = 0; k < ARRAY_SIZE(buses); k++) {
			size_t size = strlen(buses[k]);

			if (text_starts_with(setting->key, buses[k]) &&
			    strspn(setting->key + size, "0123456789") ==
				    strlen(setting->key + size) &&
			    setting->key[size] && !strstr(setting->value, "media=cdrom") &&
			    !text_starts_with(setting->value, "none"))
				return true;
		}
	}
	return false;
}
