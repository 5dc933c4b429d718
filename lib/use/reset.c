/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the reach of a reset. Resets nothing. */
#include "use/reset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define CONFIG_HEADER_SIZE 64

/* Its folder lies in that of a bridge, or in that of a root bus: "pci0000:00". */
static bool is_on_root_bus(const struct sysroot *root, const char *address)
{
	char path[SYSROOT_PATH_MAX], target[PATH_MAX];
	cleanup_close int fd = -1;
	char *slash, *parent;
	ssize_t size;

	pci_attribute_path(path, address, "");
	fd = sysroot_openat(root, path, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return false;
	size = readlinkat(fd, "", target, sizeof(target) - 1);
	if (size < 0)
		return false;
	target[size] = '\0';
	slash = strrchr(target, '/');
	if (!slash)
		return false;
	*slash = '\0';
	parent = strrchr(target, '/');
	return parent && text_starts_with(parent + 1, "pci");
}

static bool has_own_method(char *methods)
{
	char *rest = methods, *method;

	while ((method = strsep(&rest, " ")))
		if (*method && strcmp(method, "bus") != 0)
			return true;
	return false;
}

enum reset_reach reset_reach_read(const struct sysroot *root, const char *address)
{
	cleanup_free char *methods = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, "reset_method");
	if (sysroot_read_attribute(root, path, &methods) == 0) {
		if (has_own_method(methods))
			return RESET_FUNCTION;
	} else {
		pci_attribute_path(path, address, "reset");
		if (sysroot_exists(root, path))
			return RESET_FUNCTION;
	}
	return is_on_root_bus(root, address) ? RESET_NONE : RESET_BUS;
}

int reset_neighbours_find(const struct sysroot *root, struct pci_address address,
			  struct pci_addresses *ret, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses all = { 0 };
	cleanup_pci_addresses struct pci_addresses neighbours = { 0 };
	int r = pci_devices_list(root, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.count; i++) {
		const struct pci_address *other = &all.items[i];

		if (other->domain != address.domain || other->bus != address.bus ||
		    pci_address_equal(*other, address))
			continue;
		if (pci_addresses_add(&neighbours, *other) < 0)
			return error_set_memory(err);
	}
	*ret = TAKE_STRUCT(neighbours);
	return 0;
}

bool device_is_dead(const struct sysroot *root, const char *address)
{
	unsigned char header[CONFIG_HEADER_SIZE];
	char path[SYSROOT_PATH_MAX];
	cleanup_close int fd = -1;

	pci_attribute_path(path, address, "config");
	fd = sysroot_openat(root, path, O_RDONLY);
	if (fd < 0 || pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return false;
	for (size_t i = 0; i < sizeof(header); i++)
		if (header[i] != 0xff)
			return false;
	return true;
}
