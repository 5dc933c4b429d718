/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: the memory of a function. Maps none of it. */
#include "pci/bar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define RESOURCE_MEM 0x00000200u /* IORESOURCE_MEM in linux/ioport.h */

/* "0x00000000fd000000 0x00000000fdffffff 0x0000000000040200": start, end, flags. */
static struct pci_bar parse_bar(char *line)
{
	uint64_t numbers[3];
	char *rest = line;

	for (size_t i = 0; i < 3; i++) {
		const char *field = strsep(&rest, " ");

		if (!field || !text_starts_with(field, "0x") ||
		    parse_number(field + 2, strlen(field + 2), 16, UINT64_MAX, &numbers[i]) < 0)
			return (struct pci_bar){ 0 };
	}
	if (!(numbers[2] & RESOURCE_MEM) || numbers[1] <= numbers[0])
		return (struct pci_bar){ 0 };
	return (struct pci_bar){ numbers[0], numbers[1], numbers[1] - numbers[0] + 1 };
}

int pci_bars_read(const struct sysroot *root, const char *address,
		  struct pci_bar bars[PCI_BAR_COUNT])
{
	cleanup_free char *resource = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;
	int r;

	memset(bars, 0, PCI_BAR_COUNT * sizeof(*bars));
	pci_attribute_path(path, address, "resource");
	r = sysroot_read_attribute(root, path, &resource);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	rest = resource;
	for (size_t i = 0; i < PCI_BAR_COUNT && (line = strsep(&rest, "\n")); i++)
		bars[i] = parse_bar(line);
	return 0;
}

static void resize_path(const char *address, unsigned bar, char path[SYSROOT_PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "resource%u_resize", bar);
	pci_attribute_path(path, address, name);
}

int pci_bar_sizes(const struct sysroot *root, const char *address, unsigned bar, uint64_t *ret)
{
	cleanup_free char *value = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	resize_path(address, bar, path);
	r = sysroot_read_attribute(root, path, &value);
	if (r < 0)
		return r;
	return parse_number(value, strlen(value), 16, UINT64_MAX, ret);
}

static int size_of(const struct sysroot *root, const char *address, unsigned bar, uint64_t *ret)
{
	struct pci_bar bars[PCI_BAR_COUNT];
	int r = pci_bars_read(root, address, bars);

	if (r == 0)
		*ret = bars[bar].size >> 20;
	return r;
}

int pci_bar_resize(const struct sysroot *root, const char *address, unsigned bar, uint64_t mib,
		   struct error *err)
{
	char path[SYSROOT_PATH_MAX], value[16];
	uint64_t sizes, now = 0;
	unsigned bit = 0;
	int r;

	r = pci_bar_sizes(root, address, bar, &sizes);
	if (r < 0)
		return error_set(err, r, "the size of BAR %u cannot be changed: %s", bar,
				 strerror(-r));
	while (bit < 63 && (uint64_t)1 << bit < mib)
		bit++;
	if ((uint64_t)1 << bit != mib || !(sizes >> bit & 1))
		return error_set(err, -EINVAL, "BAR %u cannot have %ju MiB", bar, (uintmax_t)mib);
	resize_path(address, bar, path);
	snprintf(value, sizeof(value), "%u", bit);
	r = sysroot_write_attribute(root, path, value);
	if (r == 0)
		r = size_of(root, address, bar, &now);
	if (r < 0)
		return error_set(err, r, "BAR %u cannot be given %ju MiB: %s", bar, (uintmax_t)mib,
				 strerror(-r));
	if (now != mib)
		return error_set(err, -EIO, "BAR %u was given %ju MiB and has %ju", bar,
				 (uintmax_t)mib, (uintmax_t)now);
	return 0;
}
