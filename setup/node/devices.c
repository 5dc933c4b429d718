/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the devices that setup is asked about. Changes none of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "host/modconf.h"
#include "pci/driver.h"
#include "pci/name.h"
#include "setup/node/configure.h"
#include "use/network.h"
#include "use/storage.h"

#define CLASS_VGA     0x0300 /* base class and subclass; PCI code and ID assignment */
#define VENDOR_INTEL  0x8086
#define SRIOV_VFS_MAX 65535

/* Where Intel puts its integrated graphics. */
static bool is_intel_igpu(const struct pci_device *device)
{
	return device->vendor == VENDOR_INTEL && device->address.domain == 0 &&
	       device->address.bus == 0 && device->address.device == 2;
}

/*
 * Refuses to take from the host what it cannot do without; `what` is what would be done. Where
 * nothing can be told there is no host: an image.
 */
static int check_uses(const struct sysroot *root, const struct pci_device *device, const char *what,
		      struct error *err)
{
	cleanup_strings struct strings uses = { 0 };
	int r;

	if (!root->live && !sysroot_exists(root, "proc/self"))
		return 0;
	r = storage_uses_find(root, device->name, &uses, err);
	if (r == 0)
		r = network_uses_find(root, device->name, &uses, err);
	if (r < 0)
		return r == -EBUSY ? -EIO : r;
	if (uses.count > 0)
		return error_set(err, -EBUSY,
				 "%s would take %s from the host, which needs it to run: %s", what,
				 device->name, uses.items[0]);
	return 0;
}

static char *name_of(const struct sysroot *root, const struct pci_device *device)
{
	cleanup_pci_names struct pci_names names = { 0 };
	char *name = pci_name(&names, root, device);

	/* it ends up in comments */
	for (char *c = name; c && *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return name;
}

/* "01:00.0", "0000:01:00.0", and without the function; *ret_all: all functions of it. */
static int parse_address(const char *word, struct pci_address *ret, bool *ret_all,
			 struct error *err)
{
	const char *colon = strchr(word, ':');
	cleanup_free char *full = NULL;

	*ret_all = !strchr(word, '.');
	full = text_format("%s%s%s", colon && strchr(colon + 1, ':') ? "" : "0000:", word,
			   *ret_all ? ".0" : "");
	if (!full)
		return error_set_memory(err);
	if (pci_address_parse(full, ret) < 0)
		return error_set(err, -EINVAL,
				 "'%s' is no PCI address such as 01:00.0 or 0000:01:00", word);
	return 0;
}

/* ---- --early */

static int add_early(const struct sysroot *root, const struct pci_device *device,
		     struct boot_request *request, struct error *err)
{
	cleanup_free char *name = name_of(root, device);
	cleanup_free char *reason = NULL, *address = strdup(device->name);
	char id[16];
	int r;

	if (device->bridge)
		return error_set(err, -EINVAL, "%s is a bridge, which no VM can have",
				 device->name);
	r = check_uses(root, device, "--early", err);
	if (r < 0)
		return r;
	reason = text_format("%s: the host never has it, no picture, sound, disk or net of it",
			     name ? name : "");
	if (!reason || !address)
		return error_set_memory(err);
	snprintf(id, sizeof(id), "%04x:%04x", device->vendor, device->device);
	if (boot_settings_add(&request->devices, &(struct boot_setting){ .kind = BOOT_EARLY,
									 .name = address,
									 .device = id,
									 .reason = reason }) < 0)
		return error_set_memory(err);
	return 0;
}

/* One VGA device is enough, and one Intel iGPU too many: the option is for all of vfio-pci. */
static void look_for_vga(const struct pci_device *device, bool *vga, bool *igpu)
{
	if (device->class_code >> 8 != CLASS_VGA)
		return;
	*vga |= !is_intel_igpu(device);
	*igpu |= is_intel_igpu(device);
}

static int look_at_early(const struct sysroot *root, struct boot_request *request)
{
	bool vga = false, igpu = false;

	for (size_t i = 0; i < request->devices.count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		struct pci_address address;

		if (request->devices.items[i].kind == BOOT_EARLY &&
		    pci_address_parse(request->devices.items[i].name, &address) == 0 &&
		    pci_device_read(root, address, &device, NULL) == 0)
			look_for_vga(&device, &vga, &igpu);
	}
	request->disable_vga = vga && !igpu;
	return 0;
}

/* "0000:01:00.0=10de:2484", for an image that has no devices. */
static int add_named(const char *word, const char *equals, struct boot_request *request,
		     struct error *err)
{
	cleanup_free char *address = strndup(word, (size_t)(equals - word));
	cleanup_free char *id = strdup(equals + 1);
	struct pci_address parsed;
	char text[PCI_ADDRESS_TEXT];
	uint64_t number;
	bool all;
	int r;

	if (!address || !id)
		return error_set_memory(err);
	r = parse_address(address, &parsed, &all, err);
	if (r < 0)
		return r;
	if (all || strlen(id) != 9 || id[4] != ':' ||
	    parse_number(id, 4, 16, UINT16_MAX, &number) < 0 ||
	    parse_number(id + 5, 4, 16, UINT16_MAX, &number) < 0)
		return error_set(err, -EINVAL, "'%s' is not of the form 0000:01:00.0=10de:2484",
				 word);
	for (char *c = id; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	pci_address_format(parsed, text);
	if (boot_settings_add(&request->devices, &(struct boot_setting){ .kind = BOOT_EARLY,
									 .name = text,
									 .device = id,
									 .reason = id }) < 0)
		return error_set_memory(err);
	return 0;
}

int configure_early(const struct sysroot *root, const char *word, struct boot_request *request,
		    struct error *err)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	const char *equals = strchr(word, '=');
	struct pci_address wanted;
	size_t added = 0;
	bool all;
	int r;

	if (equals)
		return add_named(word, equals, request, err);
	r = parse_address(word, &wanted, &all, err);
	if (r == 0)
		r = pci_devices_list(root, &addresses, err);
	for (size_t i = 0; i < addresses.count && r == 0; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		struct pci_address address = addresses.items[i];

		if (all)
			address.function = 0;
		if (!pci_address_equal(address, wanted))
			continue;
		r = pci_device_read(root, addresses.items[i], &device, err);
		if (r == 0)
			r = add_early(root, &device, request, err);
		added++;
	}
	if (r < 0)
		return r;
	if (added == 0)
		return error_set(err, -ENODEV,
				 "there is no PCI device '%s'; look with 'lspci -D'. For an image, "
				 "name it with its ids: %s=10de:2484",
				 word, word);
	return look_at_early(root, request);
}

/* ---- --sriov */

static int check_totalvfs(const struct sysroot *root, const char *address, uint64_t count,
			  struct error *err)
{
	char path[SYSROOT_PATH_MAX];
	cleanup_free char *total = NULL;
	uint64_t most;

	pci_attribute_path(path, address, "sriov_totalvfs");
	if (sysroot_read_attribute(root, path, &total) < 0)
		return error_set(err, -ENOTSUP, "%s has no virtual functions (SR-IOV)", address);
	if (parse_u64(total, &most) < 0 || count > most)
		return error_set(err, -ERANGE, "%s has at most %s virtual functions", address,
				 total);
	return 0;
}

int configure_sriov(const struct sysroot *root, const char *word, struct boot_request *request,
		    struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	const char *equals = strchr(word, '=');
	cleanup_free char *place = equals ? strndup(word, (size_t)(equals - word)) : NULL;
	cleanup_free char *count = equals ? strdup(equals + 1) : NULL;
	cleanup_free char *name = NULL, *reason = NULL;
	struct pci_address address;
	uint64_t number;
	char id[16];
	bool all;
	int r;

	if (!place || !count ||
	    parse_number(count, strlen(count), 10, SRIOV_VFS_MAX, &number) < 0 || number == 0)
		return error_set(err, -EINVAL, "--sriov takes ADDRESS=COUNT, not '%s'", word);
	r = parse_address(place, &address, &all, err);
	if (r == 0)
		r = pci_device_read(root, address, &device, err);
	if (r == 0)
		r = check_totalvfs(root, device.name, number, err);
	if (r < 0)
		return r;
	name = name_of(root, &device);
	reason = text_format("%s: made at every boot, as soon as it has its driver",
			     name ? name : "");
	snprintf(id, sizeof(id), "%04x:%04x", device.vendor, device.device);
	if (!reason ||
	    boot_settings_add(&request->devices, &(struct boot_setting){ .kind = BOOT_SRIOV,
									 .name = device.name,
									 .value = count,
									 .device = id,
									 .reason = reason }) < 0)
		return error_set_memory(err);
	return 0;
}

/* ---- --blacklist */

/* Adds the devices that the module drives now to `lost`. */
static int find_lost(const struct sysroot *root, const char *driver, struct text *lost,
		     struct error *err)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	int r = 0;

	/* no devices at all: an image */
	if (pci_devices_list(root, &addresses, NULL) < 0)
		return 0;
	for (size_t i = 0; i < addresses.count && r == 0; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		cleanup_free char *module = NULL, *name = NULL;

		if (pci_device_read(root, addresses.items[i], &device, NULL) < 0 ||
		    pci_driver_module(root, device.name, &module) < 0 || !module ||
		    !modconf_same_module(module, driver))
			continue;
		r = check_uses(root, &device, "--blacklist", err);
		name = name_of(root, &device);
		text_add(lost, "%s%s %s", lost->data ? ", " : "", device.name, name ? name : "");
	}
	return r;
}

int configure_blacklist(const struct sysroot *root, const char *driver,
			struct boot_request *request, struct error *err)
{
	cleanup_text struct text lost = { 0 };
	cleanup_free char *reason = NULL, *name = strdup(driver);
	int r;

	if (strpbrk(driver, "=/,:.@%~^+"))
		return error_set(err, -EINVAL, "'%s' is no name of a module", driver);
	r = find_lost(root, driver, &lost, err);
	if (r < 0)
		return r;
	reason = lost.data ? text_format("the host loses %s", lost.data)
			   : strdup("asked for; no device of this host has this driver now");
	if (!name || !reason ||
	    boot_settings_add(&request->devices, &(struct boot_setting){ .kind = BOOT_BLACKLIST,
									 .name = name,
									 .reason = reason }) < 0)
		return error_set_memory(err);
	return 0;
}
