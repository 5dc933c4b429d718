/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: which functions there are. Looks at none of them. */
#include "pci/present.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/directory.h"

#define PCI_DOMAIN_0 "0000:"

int pci_present_read(const struct sysroot *root, struct pci_present *ret, struct error *err)
{
	cleanup_close int fd = sysroot_openat(root, PCI_DEVICES, O_RDONLY | O_DIRECTORY);
	cleanup_pci_present struct pci_present present = { 0 };
	struct directory directory;
	const char *name;
	int r = fd;

	directory_begin(&directory, fd);
	text_append(&present.names, "\n", 1);
	while (fd >= 0 && (r = directory_next(&directory, &name, NULL)) > 0) {
		size_t size = strlen(name);

		text_append(&present.names, name, size + 1);
		if (!present.names.failed)
			present.names.data[present.names.size - 1] = '\n';
	}
	if (r < 0)
		return error_set(err, r, "cannot list the PCI devices in /" PCI_DEVICES ": %s",
				 strerror(-r));
	if (present.names.failed)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(present);
	return 0;
}

void pci_present_add(struct pci_present *present, struct pci_address address)
{
	char name[PCI_ADDRESS_TEXT];

	text_add(&present->names, "%s%s\n", present->names.size ? "" : "\n",
		 pci_address_format(address, name));
}

/* A line starts there, or goes on after the domain that need not be named. */
static bool is_start(const char *names, const char *at, const char **ret_line)
{
	size_t size = strlen(PCI_DOMAIN_0);

	*ret_line = at;
	if (at[-1] == '\n')
		return true;
	if ((size_t)(at - names) <= size || at[-(ptrdiff_t)size - 1] != '\n')
		return false;
	*ret_line = at - size;
	return text_starts_with(*ret_line, PCI_DOMAIN_0);
}

static int add_line(const char *line, size_t first, struct pci_addresses *ret)
{
	char name[PCI_ADDRESS_TEXT];
	struct pci_address address;
	size_t size = strcspn(line, "\n");

	if (size >= sizeof(name))
		return 0;
	memcpy(name, line, size);
	name[size] = '\0';
	if (pci_address_parse(name, &address) < 0)
		return 0;
	/* What starts with the domain starts twice. */
	for (size_t i = first; i < ret->count; i++)
		if (pci_address_equal(ret->items[i], address))
			return 0;
	return pci_addresses_add(ret, address);
}

int pci_present_match(const struct pci_present *present, const char *start,
		      struct pci_addresses *ret)
{
	const char *names = present->names.data, *at = names;
	size_t first = ret->count;
	const char *line;
	int r = 0;

	while (at && at[1] && r == 0 && (at = strstr(at + 1, start)))
		if (is_start(names, at, &line))
			r = add_line(line, first, ret);
	pci_addresses_sort(ret, first);
	return r;
}

bool pci_present_has(const struct pci_present *present, struct pci_address address)
{
	char name[PCI_ADDRESS_TEXT], line[PCI_ADDRESS_TEXT + 2];

	snprintf(line, sizeof(line), "\n%s\n", pci_address_format(address, name));
	return present->names.data && strstr(present->names.data, line);
}

void pci_present_done(struct pci_present *present)
{
	text_done(&present->names);
}
