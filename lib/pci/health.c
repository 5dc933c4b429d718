/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: how a function is. Changes nothing. */
#include "pci/health.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static char *read_value(const struct sysroot *root, const char *address, const char *name)
{
	char path[SYSROOT_PATH_MAX];
	char *value = NULL;

	pci_attribute_path(path, address, name);
	(void)sysroot_read_attribute(root, path, &value);
	return value;
}

/* The last line is "TOTAL_ERR_COR 3". */
static bool read_total(const struct sysroot *root, int folder, const char *name, uint64_t *ret)
{
	cleanup_free char *value = NULL;
	int r = sysroot_read_attribute_in(root, folder, name, &value);
	const char *line = r == 0 ? strstr(value, "TOTAL_ERR_") : NULL;
	const char *number = line ? strchr(line, ' ') : NULL;

	return number &&
	       parse_number(number + 1, strspn(number + 1, "0123456789"), 10, UINT64_MAX, ret) == 0;
}

static uint64_t read_sizes(const struct sysroot *root, const char *address, size_t region)
{
	cleanup_free char *value = NULL;
	char name[32];
	uint64_t sizes;

	snprintf(name, sizeof(name), "resource%zu_resize", region);
	value = read_value(root, address, name);
	if (!value || parse_number(value, strlen(value), 16, UINT64_MAX, &sizes) < 0)
		return 0;
	return sizes;
}

void pci_errors_read_in(const struct sysroot *root, int folder, struct pci_errors *ret)
{
	struct pci_errors errors = { 0 };

	errors.known = read_total(root, folder, "aer_dev_correctable", &errors.correctable) &&
		       read_total(root, folder, "aer_dev_nonfatal", &errors.nonfatal) &&
		       read_total(root, folder, "aer_dev_fatal", &errors.fatal);
	*ret = errors;
}

void pci_errors_read(const struct sysroot *root, const char *address, struct pci_errors *ret)
{
	cleanup_close int folder = pci_folder_open(root, address);

	*ret = (struct pci_errors){ 0 };
	if (folder >= 0)
		pci_errors_read_in(root, folder, ret);
}

int pci_health_read(const struct sysroot *root, const struct pci_entry *entry,
		    struct pci_health *ret)
{
	const char *address = entry->device.name;
	struct pci_health health = {
		.link_speed = read_value(root, address, "current_link_speed"),
		.link_speed_most = read_value(root, address, "max_link_speed"),
		.link_width = read_value(root, address, "current_link_width"),
		.link_width_most = read_value(root, address, "max_link_width"),
		.d3cold_allowed = read_value(root, address, "d3cold_allowed"),
		.power_control = read_value(root, address, "power/control"),
		.numa_node = read_value(root, address, "numa_node"),
	};

	pci_errors_read(root, address, &health.errors);
	if (!entry->facts.power || strcmp(entry->facts.power, "D0") == 0)
		for (size_t i = 0; i < PCI_REGION_ROM; i++)
			if (entry->facts.regions[i].size > 0)
				health.sizes[i] = read_sizes(root, address, i);
	*ret = health;
	return 0;
}

void pci_health_done(struct pci_health *health)
{
	free(health->link_speed);
	free(health->link_speed_most);
	free(health->link_width);
	free(health->link_width_most);
	free(health->d3cold_allowed);
	free(health->power_control);
	free(health->numa_node);
	*health = (struct pci_health){ 0 };
}

uint64_t pci_region_most(const struct pci_health *health, size_t region)
{
	uint64_t sizes = health->sizes[region];
	unsigned bit = 0;

	if (sizes == 0)
		return 0;
	while (sizes >>= 1)
		bit++;
	return bit < 44 ? UINT64_C(1) << (bit + 20) : 0;
}

const char *pci_size_words(uint64_t size, char buffer[24])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (unit < 4 && size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	snprintf(buffer, 24, "%" PRIu64 " %s", size, units[unit]);
	return buffer;
}
