/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: virtual functions. Makes none, and removes none. */
#include "use/sriov.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define LINK_PREFIX "virtfn"

static int add_function(const struct sysroot *root, const char *folder, const char *link,
			struct pci_addresses *functions)
{
	cleanup_free char *name = NULL;
	struct pci_address address;
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", folder, link);
	r = sysroot_link_name(root, path, &name);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = pci_address_parse(name, &address);
	return r < 0 ? r : pci_addresses_add(functions, address);
}

int sriov_links_find(const struct sysroot *root, const char *address, struct pci_addresses *ret,
		     bool *ret_virtual, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	cleanup_strings struct strings names = { 0 };
	char folder[SYSROOT_PATH_MAX / 2];
	int r;

	snprintf(folder, sizeof(folder), "sys/bus/pci/devices/%s", address);
	r = sysroot_list(root, folder, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		if (text_starts_with(names.items[i], LINK_PREFIX))
			r = add_function(root, folder, names.items[i], &functions);
	if (r < 0)
		return error_set(err, r, "cannot read its virtual functions in /%s: %s", folder,
				 strerror(-r));
	*ret = TAKE_STRUCT(functions);
	*ret_virtual = strings_has(&names, "physfn");
	return 0;
}

int sriov_functions_find(const struct sysroot *root, const char *address, struct pci_addresses *ret,
			 struct error *err)
{
	bool is_virtual;

	return sriov_links_find(root, address, ret, &is_virtual, err);
}

int sriov_place_find(const struct sysroot *root, const char *address, struct sriov_place *ret)
{
	cleanup_strings struct strings names = { 0 };
	cleanup_free char *physical = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, address, "physfn");
	r = sysroot_link_name(root, path, &physical);
	if (r == 0) {
		snprintf(ret->physical, sizeof(ret->physical), "%s", physical);
		pci_attribute_path(path, ret->physical, "");
		r = sysroot_list(root, path, &names);
	}
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		cleanup_free char *name = NULL;

		pci_attribute_path(path, ret->physical, names.items[i]);
		if (text_starts_with(names.items[i], LINK_PREFIX) &&
		    parse_u32(names.items[i] + strlen(LINK_PREFIX), &ret->number) == 0 &&
		    sysroot_link_name(root, path, &name) == 0 && strcmp(name, address) == 0)
			return 0;
	}
	return r == 0 || r == -ENOENT ? -ENODEV : r;
}

static unsigned read_number(const struct sysroot *root, const char *address, const char *name)
{
	cleanup_free char *value = NULL;
	char path[SYSROOT_PATH_MAX];
	uint32_t number;

	pci_attribute_path(path, address, name);
	if (sysroot_read_attribute(root, path, &value) < 0 || parse_u32(value, &number) < 0)
		return 0;
	return number;
}

/* Bus, device and function as one number, in which VFs lie at even distances. */
static unsigned routing_id(struct pci_address address)
{
	return (unsigned)address.bus << 8 | (unsigned)address.device << 3 | address.function;
}

static bool is_function_of(const struct sysroot *root, struct pci_address physical,
			   struct pci_address address, struct sriov_absent *absent)
{
	unsigned offset, stride, first, own = routing_id(address);

	pci_address_format(physical, absent->physical);
	absent->most = read_number(root, absent->physical, "sriov_totalvfs");
	if (absent->most == 0)
		return false;
	offset = read_number(root, absent->physical, "sriov_offset");
	stride = read_number(root, absent->physical, "sriov_stride");
	first = routing_id(physical) + offset;
	if (offset == 0 || own < first || (stride == 0 && own != first) ||
	    (stride > 0 && (own - first) % stride != 0))
		return false;
	absent->number = (stride > 0 ? (own - first) / stride : 0) + 1;
	return absent->number <= absent->most;
}

bool sriov_absent_find(const struct sysroot *root, struct pci_address address,
		       struct sriov_absent *ret)
{
	cleanup_pci_addresses struct pci_addresses present = { 0 };

	if (pci_devices_list(root, &present, NULL) < 0)
		return false;
	for (size_t i = 0; i < present.count; i++) {
		cleanup_pci_addresses struct pci_addresses functions = { 0 };
		struct sriov_absent absent = { 0 };

		if (present.items[i].domain != address.domain ||
		    !is_function_of(root, present.items[i], address, &absent))
			continue;
		(void)sriov_functions_find(root, absent.physical, &functions, NULL);
		absent.now = (unsigned)functions.count;
		*ret = absent;
		return true;
	}
	return false;
}
