/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: virtual functions. Makes none, and removes none. */
#include "use/sriov.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

int sriov_functions_find(const struct sysroot *root, const char *address, struct pci_addresses *ret,
			 struct error *err)
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
	*ret = functions;
	functions = (struct pci_addresses){ 0 };
	return 0;
}
