/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: IOMMU groups. Changes no domain. */
#include "pci/group.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "host/kernel.h"

#define GROUPS_FOLDER "sys/kernel/iommu_groups"

/* Not by snprintf(): there is a group for almost every function. */
static void group_path(char path[SYSROOT_PATH_MAX], int number, const char *attribute)
{
	char digits[16], *at = digits + sizeof(digits);

	*--at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	stpcpy(stpcpy(stpcpy(stpcpy(path, GROUPS_FOLDER "/"), at), "/"), attribute);
}

#define DIRECT " direct"

/* "0x00000000bdf6a000 0x00000000bdf88fff direct", not " direct-relaxable". */
bool iommu_group_has_direct(const struct sysroot *root, int number)
{
	cleanup_free char *regions = NULL;
	char path[SYSROOT_PATH_MAX];

	group_path(path, number, "reserved_regions");
	if (sysroot_read_attribute(root, path, &regions) < 0)
		return false;
	for (const char *at = regions; (at = strstr(at, DIRECT)); at++)
		if (at[strlen(DIRECT)] == '\n' || at[strlen(DIRECT)] == '\0')
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return ((const struct iommu_group *)a)->number - ((const struct iommu_group *)b)->number;
}

int iommu_groups_read(const struct sysroot *root, struct iommu_groups *ret)
{
	cleanup_iommu_groups struct iommu_groups groups = { 0 };
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, GROUPS_FOLDER, &names);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.count; i++) {
		uint64_t number;

		if (parse_number(names.items[i], strlen(names.items[i]), 10, INT32_MAX, &number) <
		    0)
			continue;
		if (array_reserve(&groups.items, groups.count, sizeof(*groups.items)) < 0)
			return -ENOMEM;
		groups.items[groups.count++] = (struct iommu_group){
			.number = (int)number,
			.reserved = iommu_group_has_direct(root, (int)number),
		};
	}
	if (groups.count > 1)
		qsort(groups.items, groups.count, sizeof(*groups.items), compare);
	*ret = TAKE_STRUCT(groups);
	return 0;
}

void iommu_groups_read_types(const struct sysroot *root, struct iommu_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		char path[SYSROOT_PATH_MAX];

		if (groups->items[i].type)
			continue;
		group_path(path, groups->items[i].number, "type");
		(void)sysroot_read_attribute(root, path, &groups->items[i].type);
	}
}

void iommu_groups_done(struct iommu_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		free(groups->items[i].type);
	free(groups->items);
	*groups = (struct iommu_groups){ 0 };
}

bool iommu_group_is_reserved(const struct iommu_groups *groups, int number)
{
	const struct iommu_group wanted = { .number = number }, *found = NULL;

	if (groups->count > 0)
		found = bsearch(&wanted, groups->items, groups->count, sizeof(wanted), compare);
	return found && found->reserved;
}

enum iommu_vendor iommu_vendor_read(const struct sysroot *root)
{
	cleanup_strings struct strings units = { 0 };

	(void)sysroot_list(root, "sys/class/iommu", &units);
	for (size_t i = 0; i < units.count; i++) {
		if (text_starts_with(units.items[i], "dmar"))
			return IOMMU_INTEL;
		if (text_starts_with(units.items[i], "ivhd"))
			return IOMMU_AMD;
	}
	if (sysroot_exists(root, "sys/firmware/acpi/tables/DMAR"))
		return IOMMU_INTEL;
	return sysroot_exists(root, "sys/firmware/acpi/tables/IVRS") ? IOMMU_AMD : IOMMU_OTHER;
}

bool iommu_reserved_is_refused(const struct sysroot *root)
{
	static const struct kernel_version first = { .major = 6, .minor = 6 };
	cleanup_free char *release = NULL, *line = NULL, *intel = NULL;
	struct kernel_version running;

	if (iommu_vendor_read(root) == IOMMU_INTEL) {
		(void)sysroot_read_attribute(root, "proc/cmdline", &line);
		intel = kernel_parameter(line ? line : "", "intel_iommu");
		return !intel || !strstr(intel, "relax_rmrr");
	}
	return sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &release) == 0 &&
	       kernel_version_parse(release, &running) == 0 &&
	       kernel_version_compare(running, first) >= 0;
}
