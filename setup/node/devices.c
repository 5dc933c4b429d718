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

#define SRIOV_VFS_MAX 65535

int configure_check_uses(const struct sysroot *root, const struct pci_device *device,
			 const char *what, struct error *err)
{
	cleanup_network_sight struct network_sight sight = { 0 };
	cleanup_strings struct strings uses = { 0 };
	int r;

	if (!root->live && !sysroot_exists(root, "proc/self"))
		return 0;
	r = storage_uses_find(root, device->name, NULL, &uses, NULL, err);
	if (r == 0)
		r = network_uses_find(root, device->name, &sight, &uses, err);
	if (r < 0)
		return r;
	if (uses.count > 0)
		return error_refuse(err,
				    "%s would take %s from the host, which needs it to run: %s",
				    what, device->name, uses.items[0]);
	return 0;
}

char *configure_device_name(const struct sysroot *root, const struct pci_device *device)
{
	cleanup_pci_names struct pci_names names = { 0 };
	char *name = pci_name(&names, root, device);

	/* it ends up in comments */
	for (char *c = name; c && *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return name;
}

int configure_parse_address(const char *word, struct pci_address *ret, bool *ret_all,
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
				 "'%s' is not a PCI address such as 01:00.0 or 0000:01:00", word);
	return 0;
}

int configure_read_device(const struct sysroot *root, struct pci_address address,
			  struct pci_device *ret, struct error *err)
{
	int r = pci_device_read(root, address, ret, err);

	if (r != -ENODEV)
		return r < 0 ? r : 1;
	*err = (struct error){ 0 };
	return 0;
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

int configure_parse_count(const struct sysroot *root, const char *word,
			  struct pci_device *ret_device, unsigned *ret_count, struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	const char *equals = strchr(word, '=');
	cleanup_free char *place = equals ? strndup(word, (size_t)(equals - word)) : NULL;
	struct pci_address address;
	uint64_t number;
	bool all;
	int r;

	if (!place || parse_number(equals + 1, strlen(equals + 1), 10, SRIOV_VFS_MAX, &number) < 0)
		return error_misuse(
			err, "ADDRESS=COUNT is what is expected, such as 05:00.0=4, not '%s'",
			word);
	r = configure_parse_address(place, &address, &all, err);
	if (r == 0)
		r = pci_device_read(root, address, &device, err);
	if (r == 0)
		r = check_totalvfs(root, device.name, number, err);
	if (r < 0)
		return r;
	*ret_device = TAKE_STRUCT(device);
	*ret_count = (unsigned)number;
	return 0;
}

int configure_sriov(const struct sysroot *root, const char *word, struct boot_request *request,
		    struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup_free char *name = NULL, *reason = NULL;
	char id[16], count[16];
	unsigned number = 0;
	int r = configure_parse_count(root, word, &device, &number, err);

	if (r == 0 && number == 0)
		r = error_set(err, -EINVAL, "--sriov takes ADDRESS=COUNT, not '%s'", word);
	if (r < 0)
		return r;
	name = configure_device_name(root, &device);
	reason = text_format("%s: made at every boot, as soon as it has its driver",
			     name ? name : "");
	snprintf(id, sizeof(id), "%04x:%04x", device.vendor, device.device);
	snprintf(count, sizeof(count), "%u", number);
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

		r = configure_read_device(root, addresses.items[i], &device, err);
		if (r <= 0)
			continue;
		r = pci_driver_module(root, device.name, &module);
		if (r < 0)
			return error_set(err, r, "%s: cannot read its driver: %s", device.name,
					 strerror(-r));
		if (!module || !modconf_same_module(module, driver))
			continue;
		r = configure_check_uses(root, &device, "--blacklist", err);
		name = configure_device_name(root, &device);
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
		return error_set(err, -EINVAL, "'%s' is not the name of a module", driver);
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
